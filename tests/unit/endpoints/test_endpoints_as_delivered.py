"""Tables as a trial delivers them: what decides nothing costs no patient, and every convention says its name."""

from datetime import date, timedelta

import pandas as pd
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    BestOverallResponse,
    Censoring,
    Confirmation,
    ObjectiveResponse,
    ProgressionFreeSurvival,
    ResponseHistory,
    ResponseRule,
    derive,
    derive_endpoints,
    read_responses,
)
from analysis.errors import InvalidValueError, UnknownNameError

COLUMNS = ["USUBJID", "TRLNKID", "TRGRPID", "TRTESTCD", "TRSTRESC", "TRSTAT", "VISITNUM", "VISIT", "TRDTC"]
SCREENING, WEEK_8, WEEK_16 = (1, "SCREENING", "2024-01-05"), (2, "WEEK 8", "2024-03-06"), (3, "WEEK 16", "2024-05-01")
ADSL = pd.DataFrame({"USUBJID": ["1"], "RANDDT": ["2024-01-10"]})


def size(lesion, mm, visit, status="", group="TARGET"):
    return ("1", lesion, group, "LDIAM", str(mm), status, *visit)


def state(lesion, text, visit, group="NON-TARGET"):
    return ("1", lesion, group, "TUMSTATE", text, "", *visit)


def undated(visit):
    return (*visit[:2], "")


def derived(rows, adsl=ADSL, **options):
    return derive(pd.DataFrame(rows, columns=COLUMNS), None, adsl, **options)


def best(derivation):
    return derivation.endpoints({"BOR": BestOverallResponse()})["value"].tolist()


def rules(derivation):
    return [found.rule for found in derivation.findings]


class TestRowsThatDecideNothing:
    DATED = (size("T01", 50, SCREENING), size("T01", 30, WEEK_8))

    @pytest.mark.parametrize(
        "more",
        [
            [("1", "", "TARGET", "SUMDIAM", "30", "", *undated(WEEK_8))],
            [("1", "", "TARGET", "PCBSD", "-40", "", *undated(WEEK_8))],
            [size("", "", undated(WEEK_8), "NOT DONE")],
            [size("", "", (3, "WEEK 16", ""), "NOT DONE"), size("", "", (3, "WEEK 16", ""), "NOT DONE")],
            [("1", "", "TARGET", "SUMDIAM", "30", "", None, None, "")],
        ],
    )
    def test_without_a_date_they_cost_nobody(self, more):
        derivation = derived([*self.DATED, *more])
        assert best(derivation) == ["PR"]
        assert all(found.severity == "warning" for found in derivation.findings)

    def test_an_undated_sum_is_still_held_against_its_lesions(self):
        derivation = derived([*self.DATED, ("1", "", "TARGET", "SUMDIAM", "99", "", *undated(WEEK_8))])
        assert rules(derivation) == ["sum contradicts lesions"]

    def test_a_lesion_not_done_at_a_dated_visit_is_missing_there(self):
        rows = [size("A", 50, SCREENING), size("B", 20, SCREENING), size("A", 30, WEEK_16), size("B", 10, WEEK_16)]
        derivation = derived([*rows, size("A", 45, WEEK_8), size("B", "", undated(WEEK_8), "NOT DONE")])
        assert derivation.responses()["recist"].tolist() == ["NE", "PR"]

    def test_a_size_without_a_date_takes_that_of_its_visit_and_is_said(self):
        derivation = derived([*self.DATED, size("T02", 20, SCREENING), size("T02", 12, undated(WEEK_8))])
        assert best(derivation) == ["PR"]
        assert [str(found.message) for found in derivation.findings] == ["T02: no date"]

    def test_a_size_without_date_and_visit_is_an_error(self):
        derivation = derived([*self.DATED, size("T01", 20, (4, "WEEK 24", ""))])
        assert rules(derivation) == ["unreadable date"]
        assert derivation.left_out == (("1", ""),)

    def test_a_date_that_is_none_is_not_guessed(self):
        assert rules(derived([*self.DATED, size("T02", 20, (2, "WEEK 8", "soon"))])) == ["unreadable date"]

    def test_a_response_not_done_without_a_date_costs_nobody(self):
        rs = pd.DataFrame({"USUBJID": "1", "RSSTRESC": ["PR", "", "PR"], "RSSTAT": ["", "NOT DONE", ""]})
        rs = rs.assign(RSDTC=["2024-03-06", "", "2024-06-26"], VISITNUM=[2, 3, 4])
        histories, (found,) = read_responses(rs, ADSL)
        assert histories["1", ""].responses == ("PR", "PR")
        assert found.rule == "undated row"
        histories, findings = read_responses(rs.assign(RSSTAT="", RSSTRESC=["PR", "SD", "PR"]), ADSL)
        assert (list(histories), [found.rule for found in findings]) == ([], ["unreadable date"])


class TestPartialDates:
    def test_a_baseline_in_the_month_of_randomisation_lies_before_it(self):
        derivation = derived([size("T01", 50, (1, "SCREENING", "2024-01")), size("T01", 20, WEEK_8)])
        assert best(derivation) == ["PR"]
        assert "taken as 2024-01-10, the last day from 2024-01-01" in derivation.findings[0].message

    def test_a_scan_after_the_baseline_lies_after_randomisation(self):
        rows = [size("T01", 50, SCREENING), size("T01", 20, (2, "EARLY", "2024-01")), size("T01", 20, WEEK_8)]
        assert derived(rows).responses()["date"].dt.date.tolist()[0] == date(2024, 1, 31)

    def test_a_visit_lends_its_day(self):
        rows = [size("T01", 50, (1, "SCREENING", "2024-01")), state("N", "PRESENT", (1, "SCREENING", "2024-01-02"))]
        derivation = derived([*rows, size("T01", 20, WEEK_8), state("N", "PRESENT", WEEK_8)])
        assert best(derivation) == ["PR"]
        assert "taken as 2024-01-02" in derivation.findings[0].message

    def test_a_month_lies_between_the_visits_around_it(self):
        rows = [size("T01", 50, SCREENING), size("T01", 45, (2, "WEEK 6", "2024-02"))]
        frame = derived([*rows, size("T01", 20, (3, "WEEK 7", "2024-02-25"))]).responses()
        assert frame["date"].dt.date.tolist() == [date(2024, 2, 24), date(2024, 2, 25)]

    def test_a_year_is_a_date_if_a_month_is_known_around_it(self):
        rows = [size("T01", 50, SCREENING), size("T01", 20, (2, "WEEK 8", "2024")), size("T01", 20, WEEK_16)]
        assert rules(derived(rows)) == ["unreadable date"]
        close = [*rows[:2], size("T01", 45, (3, "WEEK 9", "2024-02-09"))]
        assert derived(close).responses()["date"].dt.date.tolist()[0] == date(2024, 2, 8)

    def test_a_recorded_response_lies_after_randomisation_and_between_its_neighbours(self):
        rs = pd.DataFrame({"USUBJID": "1", "RSSTRESC": ["SD", "PR"], "RSDTC": ["2024-01", "2024-01-20"]})
        histories, findings = read_responses(rs.assign(VISITNUM=[1, 2]), ADSL)
        assert histories["1", ""].dates == (date(2024, 1, 19), date(2024, 1, 20))
        assert [found.rule for found in findings] == ["partial date"]


class TestOrderOfDates:
    @pytest.mark.parametrize("field", ["DTHDT", "NACTDT", "DCTDT"])
    def test_what_comes_before_randomisation_leaves_the_patient_out_alone(self, field):
        adsl = pd.DataFrame({"USUBJID": ["1", "2"], "RANDDT": "2024-01-10", field: ["2023-03-01", None]})
        rows = [
            (subject, *row[1:]) for subject in "12" for row in (size("T01", 50, SCREENING), size("T01", 30, WEEK_8))
        ]
        derivation = derived(rows, adsl)
        assert [(found.subject, found.rule) for found in derivation.findings] == [("1", "dates out of order")]
        assert best(derivation) == ["PR"]

    def test_a_year_is_no_date_of_a_subject(self):
        derivation = derived([size("T01", 50, SCREENING), size("T01", 30, WEEK_8)], ADSL.assign(DTHDT="2024"))
        assert rules(derivation) == ["unreadable date"]

    def test_a_screen_failure_is_not_counted_and_no_error(self):
        adsl = pd.DataFrame({"USUBJID": ["1", "2"], "RANDDT": ["2024-01-10", None], "ARMCD": ["A", "SCRNFAIL"]})
        derivation = derived([size("T01", 50, SCREENING), size("T01", 30, WEEK_8)], adsl)
        assert [(found.severity, found.rule) for found in derivation.findings] == [("warning", "not in the trial")]
        assert best(derivation) == ["PR"]


class TestVisitsOfSeveralDays:
    SECOND = (2, "WEEK 8", "2024-03-20")

    def rows(self, *more):
        return [size("T01", 50, SCREENING), size("T02", 30, SCREENING), size("T01", 20, WEEK_8), *more]

    def test_a_response_is_complete_on_the_last_day(self):
        third = (3, "WEEK 12", "2024-04-03")
        rows = self.rows(size("T02", 20, self.SECOND), size("T01", 20, third), size("T02", 20, third))
        frame = derived(rows).endpoints({"first": ObjectiveResponse(), "confirmed": ObjectiveResponse(Confirmation())})
        assert frame["value"].tolist() == ["Y", "N"]  # 14 days between the two
        assert str(frame["date"][0]) == "2024-03-20"

    @pytest.mark.parametrize(("dating", "day"), [("FDA", 20), ("CDISC", 6)])
    def test_a_progression_is_dated_by_convention(self, dating, day):
        rows = [size("T01", 50, SCREENING), size("T01", 48, WEEK_8), state("N1", "UNEQUIVOCAL", self.SECOND, "NEW")]
        derivation = derived(rows, rule=ResponseRule(dating=dating))
        (end,) = derivation.endpoints({"PFS": ProgressionFreeSurvival()})["date"]
        assert end == date(2024, 3, day)
        therapy = derived(rows, ADSL.assign(NACTDT="2024-03-12"), rule=ResponseRule(dating=dating))
        (event,) = therapy.endpoints({"PFS": ProgressionFreeSurvival(Censoring.fda(126))})["event"]
        assert event == (dating == "CDISC")

    def test_targets_progress_on_their_last_day_and_others_on_their_first(self):
        grown = [size("T01", 60, WEEK_8), size("T02", 40, self.SECOND)]
        rows = [size("T01", 50, SCREENING), size("T02", 30, SCREENING), *grown]
        assert [str(d) for d in derived(rows).histories["RECIST 1.1"]["1", ""].dates] == ["2024-03-20"]
        worse = [state("N", "PRESENT", SCREENING), state("N", "UNEQUIVOCAL PROGRESSION", (2, "WEEK 8", "2024-03-11"))]
        assert [str(d) for d in derived([*rows, *worse]).histories["RECIST 1.1"]["1", ""].dates] == ["2024-03-11"]

    def test_visits_that_overlap_cost_nobody(self):
        between = (2.1, "UNSCHEDULED", "2024-03-12")
        rows = self.rows(size("T02", 20, self.SECOND), size("T01", 20, between), size("T02", 20, between))
        derivation = derived(rows)
        assert rules(derivation) == ["visits overlap"]
        assert [str(d) for d in derivation.histories["RECIST 1.1"]["1", ""].dates] == ["2024-03-12", "2024-03-12"]

    def test_an_unknown_convention_is_named(self):
        with pytest.raises(UnknownNameError, match="dating"):
            ResponseRule(dating="EMA")


class TestLesions:
    @pytest.mark.parametrize("names", [("T04.1", "T04.2"), ("T04-1", "T04-2"), ("T04a", "T04b")])
    @pytest.mark.parametrize("group", ["TARGET", "NON-TARGET"])
    def test_fragments_are_added_up(self, names, group):
        fragments = [size(name, mm, WEEK_16, group=group) for name, mm in zip(names, (15, 5), strict=True)]
        derivation = derived([size("T04", 40, SCREENING), size("T04", 30, WEEK_8), *fragments])
        assert derivation.responses()[["recist", "sum"]].to_numpy().tolist() == [["SD", 30], ["PR", 20]]
        assert rules(derivation) == ["split lesion"]

    def test_a_fragment_that_was_not_measured_leaves_the_lesion_missing(self):
        fragments = [size("T04.1", 15, WEEK_8), size("T04.2", "", WEEK_8, "NOT DONE")]
        assert derived([size("T04", 40, SCREENING), *fragments]).responses()["recist"].tolist() == ["NE"]

    @pytest.mark.parametrize("name", ["T02/T03", "T02+T03", "T02/03"])
    def test_lesions_that_grew_together_count_once(self, name):
        rows = [size("T02", 30, SCREENING), size("T03", 20, SCREENING), size(name, 35, WEEK_8)]
        derivation = derived([*rows, size(name, 61, WEEK_16)])
        assert derivation.responses()[["recist", "sum"]].to_numpy().tolist() == [["PR", 35], ["PD", 61]]
        assert rules(derivation) == ["merged lesions"]

    def test_what_is_called_new_is_no_fragment(self):
        rows = [size("T04", 40, SCREENING), size("T04", 38, WEEK_8), state("T04.1", "PRESENT", WEEK_8, "NEW")]
        derivation = derived(rows)
        assert derivation.responses()["recist"].tolist() == ["PD"]
        assert rules(derivation) == []

    def test_names_with_points_that_are_there_from_the_start_are_lesions(self):
        rows = [size(t, mm, v) for v, mm in ((SCREENING, 20), (WEEK_8, 12)) for t in ("T1", "T1.1")]
        assert derived(rows).responses()["sum"].tolist() == [24]

    def test_another_target_without_a_baseline_is_an_error_still(self):
        assert rules(derived([size("T01", 50, SCREENING), size("T02", 30, WEEK_8)])) == ["missing baseline"]


class TestBaseline:
    def test_it_reaches_to_the_first_dose(self):
        late = [size("T01", 50, (1, "SCREENING", "2024-01-12")), size("T01", 20, WEEK_8)]
        derivation = derived(late, ADSL.assign(TRTSDT="2024-01-15"))
        assert best(derivation) == ["PR"]
        assert derivation.responses()["day"].tolist() == [56]  # still from randomisation
        assert rules(derived(late)) == ["missing baseline"]

    def test_a_first_dose_in_a_wrong_year_does_not_make_scans_of_treatment_the_baseline(self):
        rows = [size("T01", 50, SCREENING), size("T01", 20, WEEK_8), size("T01", 20, WEEK_16)]
        derivation = derived(rows, ADSL.assign(TRTSDT="2025-01-15"))
        assert derivation.responses()["recist"].tolist() == ["PR", "PR"]
        assert rules(derivation) == ["late first dose"]

    def test_it_takes_the_last_value_of_each_lesion(self):
        bone = (1.1, "BONE SCAN", "2024-01-08")
        rows = [size("T01", 60, SCREENING), size("T01", 50, (1.05, "REPEAT", "2024-01-07"))]
        derivation = derived(
            [*rows, state("N", "PRESENT", bone), size("T01", 30, WEEK_8), state("N", "PRESENT", WEEK_8)]
        )
        assert derivation.responses()["change_from_baseline"].round().tolist() == [-40]
        assert rules(derivation) == ["baseline in several visits"]

    def test_a_lesion_of_an_earlier_screening_that_nobody_follows_does_not_count(self):
        rows = [size("T09", 70, (0.5, "FIRST SCREENING", "2023-12-28")), size("T01", 50, SCREENING)]
        assert best(derived([*rows, size("T01", 30, WEEK_8)])) == ["PR"]

    def test_a_flag_says_which_values_they_are(self):
        rows = [size("T01", 80, SCREENING), size("T01", 50, (1.1, "RUN-IN", "2024-01-20")), size("T01", 60, WEEK_8)]
        frame = pd.DataFrame(rows, columns=COLUMNS).assign(TRLOBXFL=["", "Y", ""])
        assert derive(frame, None, ADSL).responses()["recist"].tolist() == ["PD"]

    def test_without_randomisation_the_first_dose_is_the_reference(self):
        adsl = pd.DataFrame({"USUBJID": ["1"], "RANDDT": [""], "TRTSDT": ["2024-01-15"]})
        derivation = derived([size("T01", 50, SCREENING), size("T01", 20, WEEK_8)], adsl)
        assert derivation.responses()["day"].tolist() == [51]


class TestResponses:
    def test_no_evidence_of_disease_is_counted_and_is_no_response(self):
        rs = pd.DataFrame({"USUBJID": ["1", "1", "2"], "RSSTRESC": ["NED", "PD", "PR"], "VISITNUM": [2, 3, 2]})
        rs["RSDTC"] = ["2024-03-06", "2024-05-01", "2024-03-06"]
        histories, findings = read_responses(rs, pd.DataFrame({"USUBJID": ["1", "2"], "RANDDT": "2024-01-10"}))
        ends = {"ORR": ObjectiveResponse(), "BOR": BestOverallResponse(), "PFS": ProgressionFreeSurvival()}
        frame = derive_endpoints(histories, ends).set_index(["subject", "endpoint"])
        assert findings == []
        assert frame["value"].dropna().to_dict() == {
            ("1", "ORR"): "N", ("1", "BOR"): "NED", ("2", "ORR"): "Y", ("2", "BOR"): "PR",
        }  # fmt: skip
        assert frame.loc[("1", "PFS"), "days"] == 112

    def test_responses_may_be_spelled_out(self):
        rs = pd.DataFrame({"USUBJID": "1", "RSSTRESC": ["Partial Response"], "RSDTC": ["2024-03-06"]})
        assert read_responses(rs, ADSL)[0]["1", ""].responses == ("PR",)

    @pytest.mark.parametrize(
        ("criteria", "terms", "said"),
        [
            ("RECIST 1.1", ["CR", "PR"], ["PR after CR, where disease that is back is PD"]),
            ("RECIST 1.1", ["CR", "NE", "SD"], ["SD after CR, where disease that is back is PD"]),
            ("RECIST 1.1", ["CR", "PD", "PR"], []),
            ("RECIST 1.1", ["PR", "CR", "CR"], []),
            ("iRECIST", ["iSD", "iCPD"], ["iCPD without iUPD before it"]),
            ("iRECIST", ["iUPD", "NE", "iCPD"], []),
            ("iRECIST", ["iUPD", "iSD", "iCPD"], ["iCPD without iUPD before it"]),
            ("iRECIST", ["iCR", "iPR"], []),
        ],
    )
    def test_a_sequence_that_cannot_be_is_said(self, criteria, terms, said):
        dates = ["2024-03-06", "2024-05-01", "2024-06-26"][: len(terms)]
        rs = pd.DataFrame({"USUBJID": "1", "RSSTRESC": terms, "RSDTC": dates})
        histories, findings = read_responses(rs, ADSL, criteria)
        assert [found.message for found in findings] == said
        assert histories["1", ""].responses == tuple(terms)

    def test_a_misspelt_response_is_answered_with_the_nearest(self):
        rs = pd.DataFrame({"USUBJID": "1", "RSSTRESC": ["NON-CR/NONPD"], "RSDTC": ["2024-03-06"]})
        (found,) = read_responses(rs, ADSL)[1]
        assert found.consequence == "is it 'NON-CR/NON-PD'?"


class TestTablesMeet:
    @pytest.mark.parametrize("number", [{"VISITNUM": 2}, {}])
    @pytest.mark.parametrize("label", [{"VISIT": "Week  8"}, {"VISIT": "WEEK 8"}, {}])
    @pytest.mark.parametrize("drop", [["VISITNUM"], ["VISIT"], []])
    def test_by_whatever_they_share(self, number, label, drop):
        rows = [size("T01", 50, SCREENING), size("T01", 48, WEEK_8), state("N1", "UNEQUIVOCAL", WEEK_8, "NEW")]
        tr = pd.DataFrame([*rows, size("T01", 48, WEEK_16)], columns=COLUMNS).drop(columns=drop)
        tu = pd.DataFrame(
            [{"USUBJID": "1", "TULNKID": "N1", "TULOC": "LUNG", "TUSTRESC": "NEW", "TUDTC": "2024-03-06"}]
        )
        derivation = derive(tr, tu.assign(**number, **label))
        assert derivation.responses()["recist"].tolist() == ["PD", "PD"]
        assert [found.rule for found in derivation.findings] == ["lesion without location"]


class TestSasDates:
    @pytest.mark.parametrize("unit", [1, 86_400])
    def test_days_and_seconds_from_1960_are_read_and_said(self, unit):
        first = date(1960, 1, 1)
        rows = pd.DataFrame([size("T01", 50, SCREENING), size("T01", 30, WEEK_8)], columns=COLUMNS)
        numbers = [(date.fromisoformat(day) - first).days * unit for day in rows["TRDTC"]]
        adsl = ADSL.assign(RANDDT=[float((date(2024, 1, 10) - first).days * unit)])
        derivation = derive(rows.assign(TRDTC=numbers), None, adsl)
        assert best(derivation) == ["PR"]
        assert rules(derivation) == ["SAS dates", "SAS dates"]
        assert derivation.left_out == ()


SCHEDULE = Assessments.changing([(8 * WEEK, 24 * WEEK), (12 * WEEK, None)], window=1 * WEEK)


def seen(*weeks):
    dates = [date(2024, 1, 1) + timedelta(days=round(7 * week)) for week in weeks]
    return ResponseHistory("S", date(2024, 1, 1), dates, ["SD"] * (len(weeks) - 1) + ["PD"])


@pytest.mark.parametrize(
    ("weeks", "reason"),
    [
        ((8, 32), "missed assessments"),
        ((8, 24), "progression"),
        ((8, 25), "progression"),  # within the window of week 24
        ((8, 25.2), "missed assessments"),  # past it: 16 and 24 were missed
        ((8, 16, 24, 36, 60), "progression"),
        ((8, 16, 24, 36, 72), "missed assessments"),
        ((8, 16, 24, 35, 60), "progression"),  # 35 is the scan of week 36
        ((24,), "progression"),
        ((24.2 + 12,), "missed assessments"),
    ],
)
def test_missed_assessments_follow_the_schedule_and_its_windows(weeks, reason):
    if weeks == (24,):
        assert ProgressionFreeSurvival(Censoring.fda(SCHEDULE, missed=3)).derive(seen(*weeks)).reason == reason
    else:
        assert ProgressionFreeSurvival(Censoring.fda(SCHEDULE)).derive(seen(*weeks)).reason == reason


def test_a_gap_and_a_schedule_are_one_too_many():
    with pytest.raises(InvalidValueError, match="longest_gap=90 and a schedule"):
        Censoring(longest_gap=90, schedule=SCHEDULE)
