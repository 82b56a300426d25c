"""A lesion's rows say one thing, whatever their order: axes, states, sums, organs, doubts, dates of visits."""

import itertools

import pandas as pd
import pytest

from analysis.endpoints import (
    EORTC,
    BestOverallResponse,
    Censoring,
    ProgressionFreeSurvival,
    derive,
    irecist_responses,
    read_responses,
)

DAYS = [0, 56, 112, 168, 224, 280, 336]


def date(day):
    return str(pd.Timestamp("2024-01-01") + pd.Timedelta(days=day))[:10]


def rows(lesion, group, test, results, **columns):
    """Rows of a lesion at visits from day 0 on every 56 days; None is no row."""
    at = {"subject": "S1", "lesion": lesion, "group": group, "test": test, **columns}
    return [
        {**at, "value": value, "date": date(day)}
        for day, value in zip(DAYS, results, strict=False)
        if value is not None
    ]


def target(*sizes, lesion="T1", **columns):
    return rows(lesion, "TARGET", "LDIAM", sizes, **columns)


def new(*states, lesion="N1", test="TUMSTATE", **columns):
    return rows(lesion, "NEW", test, (None, *states), **columns)


def non_target(*states, test="TUMSTATE", **columns):
    return rows("NT1", "NON-TARGET", test, states, **columns)


def derived(*parts, **options):
    return derive(pd.DataFrame(list(itertools.chain(*parts))), **options)


def responses(*parts, column="irecist", **options):
    return derived(*parts, **options).responses()[column].tolist()


class TestIrecistAfterTheBarWasReset:
    def test_a_new_lesion_that_persists_makes_a_complete_response_partial(self):
        assert responses(target(50, 50, 0, 0), new(*["PRESENT"] * 3)) == ["iUPD", "iPR", "iPR"]
        assert irecist_responses(["SD", "CR", "CR"], [None] * 3, [1, 1, 1], days=[56, 112, 168])[-1] == "iPR"
        assert responses(target(50, 50, 0, 0), new("PRESENT", "PRESENT", "ABSENT"))[-1] == "iCR"

    def test_a_known_new_lesion_progresses_by_20_percent_and_5_mm_over_its_nadir(self):
        seen = responses(target(100, 100, 60, 60, 60), new(10, 10, 60, 90, test="LDIAM"))
        assert seen == ["iUPD", "iPR", "iUPD", "iCPD"]
        assert responses(target(100, 100, 60, 60), new(40, 40, 47, test="LDIAM"))[-1] == "iPR"
        assert responses(target(100, 100, 60, 60), new(40, 30, 36, test="LDIAM"))[-1] == "iUPD"

    def test_an_unmeasured_one_progresses_unequivocally(self):
        seen = responses(target(100, 100, 60, 60), new("PRESENT", "PRESENT", "UNEQUIVOCAL PROGRESSION"))
        assert seen == ["iUPD", "iPR", "iUPD"]
        assert responses(target(100, 100, 60, 60), new("PRESENT", "PRESENT", "INCREASED"))[-1] == "iPR"

    def test_once_gone_it_is_new_again(self):
        for gone in (["ABSENT", None], ["PRESENT", "ABSENT"]):
            seen = responses(target(50, 50, 30, 30, 30), new("PRESENT", *gone, "PRESENT"))
            assert seen == ["iUPD", "iPR", "iPR", "iUPD"]

    def test_a_response_with_no_less_disease_than_at_iupd_stays_iupd(self):
        assert responses(target(100, 70, 70, 70), new(None, 10, 10, test="LDIAM")) == ["iPR", "iUPD", "iUPD"]
        assert responses(target(100, 70, 70, 60), new(None, 10, 10, test="LDIAM")) == ["iPR", "iUPD", "iPR"]

    def test_a_new_lesion_in_progression_at_iupd_has_not_grown_for_being_so_still(self):
        assert responses(target(50, 50, 50), new("PROGRESSION", "PROGRESSION")) == ["iUPD", "iUPD"]
        assert responses(target(50, 50, 50), new("PRESENT", "PROGRESSION")) == ["iUPD", "iCPD"]

    def test_it_stays_iupd_as_long_as_it_is_over_its_nadir(self):
        seen = derived(target(100, 100, 60, 60, 40), new(10, 10, 16, 16, test="LDIAM"))
        assert seen.responses()["irecist"].tolist() == ["iUPD", "iPR", "iUPD", "iUPD"]
        assert "known new lesions 20% and 5 mm over their nadir" in seen.explain("S1")

    def test_its_nadir_is_none_from_before_it_was_there(self):
        assert responses(target(100, 90, 90, 60, 60), new("ABSENT", 10, 10, 10, test="LDIAM"))[1:] == [
            "iUPD",
            "iPR",
            "iPR",
        ]
        returned = responses(target(100, 90, 90, 60, 60), new(0, 10, 10, 10, test="LDIAM"))
        assert returned[1:] == ["iUPD", "iPR", "iPR"]

    def test_its_nadir_is_none_from_before_it_came_back(self):
        seen = responses(target(100, 90, 90, 90, 60, 60), new(10, 0, 10, 10, 10, test="LDIAM"))
        assert seen == ["iUPD", "iSD", "iUPD", "iPR", "iPR"]

    def test_its_nadir_is_none_from_before_it_was_there_beside_another(self):
        late = new(None, 0, 10, 10, 10, lesion="N2", test="LDIAM")
        seen = responses(target(100, 100, 60, 60, 40, 40), new(*["PRESENT"] * 5), late)
        assert seen == ["iUPD", "iPR", "iUPD", "iPR", "iPR"]

    def test_one_that_came_after_the_reset_is_not_yet_known(self):
        known, late = new(20, 20, 20, None, 10, test="LDIAM"), new(None, None, 10, 10, 16, lesion="N2", test="LDIAM")
        assert responses(target(100, 100, 60, 60, 60, 40), known, late) == ["iUPD", "iPR", "iUPD", "iUPD", "iPR"]

    def test_a_complete_response_with_a_known_lesion_is_partial_after_any_iupd(self):
        assert responses(target(50, 50, 30, 50, 0), new(*["PRESENT"] * 4)) == ["iUPD", "iPR", "iUPD", "iPR"]

    def test_one_that_returns_during_another_iupd_confirms_it_as_a_new_one_does(self):
        for name in ("N1", "N2"):
            back = new(None, None, None, "PRESENT", lesion=name)
            seen = responses(target(50, 50, 30, 50, 50), new("PRESENT", "PRESENT", "ABSENT"), back)
            assert seen == ["iUPD", "iPR", "iUPD", "iCPD"]

    def test_without_targets_no_response_is_partial(self):
        parts = non_target("PRESENT", "PRESENT", "ABSENT"), new("PRESENT", "PRESENT")
        assert responses(*parts) == ["iUPD", "NON-iCR/NON-iUPD"]

    def test_a_measured_lesion_grows_by_its_diameter_alone(self):
        both = [*new(12, 13, test="LDIAM"), *new("PRESENT", "INCREASED")]
        assert responses(target(50, 50, 50), both) == ["iUPD", "iUPD"]


class TestOneSizeForALesion:
    def test_sums_of_other_lesions_than_targets_are_no_lesions(self):
        sums = rows(None, "NEW", "SUMDIAM", (None, 10, 13)), rows(None, "NON-TARGET", "SUMDIAM", (30,))
        seen = derived(
            target(50, 50, 50), non_target("PRESENT", "PRESENT", "PRESENT"), new(10, 13, test="LDIAM"), *sums
        )
        assert seen.responses()["irecist"].tolist() == ["iUPD", "iUPD"]
        assert seen.responses()["new_lesions"].tolist() == [1, 1]
        assert seen.responses()["non_target"].tolist() == ["NON-CR/NON-PD"] * 2
        assert seen.findings == ()

    @pytest.mark.parametrize("turn", [1, -1])
    def test_the_worse_state_of_a_non_target_lesion_holds(self, turn):
        both = [*non_target("PRESENT", "PROGRESSION"), *non_target(20, 25, test="SAXIS", organ="LYMPH NODE")]
        assert responses(target(50, 50), both[::turn], column="recist") == ["PD"]

    @pytest.mark.parametrize("turn", [1, -1])
    def test_a_new_lesion_grows_along_one_axis(self, turn):
        def seen(*longest):
            return responses(target(50, 50, 50), [*new(12, 12, test="LPERP"), *new(*longest, test="LDIAM")][::turn])

        assert seen(20, 20) == ["iUPD", "iUPD"]
        assert seen(20, 27) == ["iUPD", "iCPD"]

    def test_a_new_node_below_10_mm_is_normal(self):
        node = {"test": "SAXIS", "organ": "LYMPH NODE"}
        assert responses(target(50, 50, 50), new(18, 6, **node)) == ["iUPD", "iSD"]
        assert responses(target(50, 50), new(8, **node), column="recist") == ["SD"]
        assert responses(target(50, 50), new(8, test="LDIAM", organ="LIVER"), column="recist") == ["PD"]

    def test_a_normal_new_node_has_no_size(self):
        node = {"test": "SAXIS", "organ": "LYMPH NODE"}
        assert (
            responses(target(50, 50, 50), new(20, 20, lesion="N2", test="LDIAM"), new(4, 9.5, **node)) == ["iUPD"] * 2
        )

    def test_an_equivocal_node_is_settled_by_its_short_axis(self):
        node = [*new(None, 8, test="SAXIS", organ="LYMPH NODE"), *new(None, 11, test="LDIAM", organ="LYMPH NODE")]
        doubt = new("EQUIVOCAL", organ="LYMPH NODE")
        assert responses(target(50, 50, 50), doubt, node, column="recist") == ["SD", "SD"]

    def test_a_new_lesion_is_there_from_the_scan_that_measures_any_axis(self):
        seen = responses(target(50, 50, 50), new(12, test="LPERP"), new(None, 20, test="LDIAM"), column="recist")
        assert seen == ["PD", "PD"]

    def test_the_longest_diameter_of_a_non_target_lesion_is_one_of_the_things_said_of_it(self):
        parts = non_target("PRESENT", "ABSENT"), non_target(12, 12, test="LDIAM")
        assert responses(target(20, 0), *parts, column="recist") == ["PR"]

    def test_a_node_may_have_both_kinds_of_state(self):
        parts = non_target("PRESENT", "PRESENT"), non_target("PATHOLOGICAL", "NON-PATHOLOGICAL", test="LNSTATE")
        seen = derived(target(50, 50), *parts)
        assert (seen.findings, seen.responses()["non_target"].tolist()) == ((), ["NON-CR/NON-PD"])

    def test_the_organ_that_one_row_names_is_that_of_the_lesion(self):
        def named(results, **columns):
            first, *others = rows("T1", "TARGET", "DIAMETER", results, **columns)
            return [{**first, "organ": "LYMPH NODE"}, *others]

        assert responses(named((20, 8, 9)), column="recist") == ["CR", "CR"]
        assert responses(target(50, 50), non_target(12, 8, test="SAXIS", organ="LYMPH NODE"), column="non_target") == [
            "CR"
        ]

    def test_an_equivocal_lesion_counts_from_its_first_appearance_only_if_the_next_to_show_it_confirms(self):
        seen = derived(target(50, 50, 50, 50), new("EQUIVOCAL", "ABSENT", "PRESENT"))
        assert seen.responses()["recist"].tolist() == ["SD", "SD", "PD"]
        assert [found.message for found in seen.findings] == ["N1 is equivocal here, and gone at 2024-04-22"]
        assert responses(target(50, 50, 50), new("EQUIVOCAL", "PRESENT"), column="recist") == ["PD", "PD"]

    def test_an_equivocal_lesion_stands_as_the_scan_before_left_it(self):
        seen = derived(target(50, 50, 50, 50), new("PRESENT", "EQUIVOCAL", "ABSENT"))
        assert seen.responses()["new_lesions"].tolist() == [1, 1, 0]
        assert [found.consequence for found in seen.findings] == ["it stands as last known"]
        seen = derived(target(50, 50, 50, 50), new("PRESENT", "ABSENT", "EQUIVOCAL"))
        assert seen.responses()["new_lesions"].tolist() == [1, 0, 0]
        assert [found.consequence for found in seen.findings] == ["it does not count"]

    def test_what_is_seen_after_death_confirms_nothing(self):
        subjects = pd.DataFrame({"subject": ["S1"], "reference": date(0), "death": date(100)})
        assert responses(target(50, 50, 50), new("EQUIVOCAL", "PRESENT"), column="recist", subjects=subjects) == ["SD"]

    def test_a_visit_with_nothing_but_an_equivocal_lesion_is_not_evaluable(self):
        seen = responses(target(50, 30, None, 30), new(None, "EQUIVOCAL"), column="recist")
        assert seen == ["PR", "NE", "PR"]


class TestDiseaseAfterACompleteResponse:
    def test_it_is_progression_for_the_eortc_only_if_the_response_was_complete_in_all(self):
        assert responses(target(20, 0, 3), non_target(*["PRESENT"] * 3), column="recist", rule=EORTC) == ["PR", "PR"]
        assert (
            responses(target(20, 0, 3), non_target("PRESENT", "ABSENT", "ABSENT"), column="recist", rule=EORTC)[-1]
            == "PD"
        )

    def test_non_target_disease_that_comes_back_is_progression_too(self):
        parts = target(20, 0, 0), non_target("PRESENT", "ABSENT", "PRESENT")
        assert responses(*parts, column="recist", rule=EORTC) == ["CR", "PD"]
        assert responses(*parts, column="non_target", rule=EORTC) == ["CR", "PD"]
        assert responses(*parts, column="recist") == ["CR", "PR"]


class TestDates:
    def test_a_month_does_not_reach_past_a_death_in_it(self):
        subjects = pd.DataFrame({"subject": ["S1"], "reference": "2024-01-01", "death": "2024-03-20"})
        scans = [*target(50), {**target(80)[0], "date": "2024-03"}]
        derivation = derived(scans, subjects=subjects)
        assert derivation.responses()["date"].tolist() == [pd.Timestamp("2024-03-20")]
        assert derivation.responses()["recist"].tolist() == ["PD"]
        assert [found.rule for found in derivation.findings] == ["partial date"]
        recorded = pd.DataFrame({"subject": ["S1"], "response": "PD", "date": "2024-03"})
        histories, _ = read_responses(recorded, subjects)
        assert [str(when) for when in histories["S1", ""].dates] == ["2024-03-20"]

    def test_a_month_in_adsl_is_said(self):
        subjects = pd.DataFrame({"subject": ["S1"], "reference": date(0), "death": "2024-09"})
        (found,) = derived(target(50, 50), subjects=subjects).findings
        assert (found.severity, found.rule, found.message) == (
            "warning",
            "partial date",
            "death date 2024-09 without a day",
        )

    def test_a_lesion_identified_in_a_month_is_not_there_at_a_scan_before_its_end(self):
        scans = [*target(50), {**target(50)[0], "date": "2024-03-05"}, {**target(50)[0], "date": "2024-05-05"}]
        tu = pd.DataFrame(
            {"subject": ["S1", "S1"], "lesion": ["T1", "N1"], "organ": "LIVER", "group": ["TARGET", "NEW"]}
        )
        frame = derived(scans, tu=tu.assign(date=["2024-01-01", "2024-03"])).responses()
        assert dict(zip(frame["visit"], frame["new_lesions"], strict=True)) == {
            "2024-03-05": 0,
            "2024-03-31": 1,
            "2024-05-05": 1,
        }

    def test_a_lesion_identified_at_an_hour_belongs_to_the_scan_of_that_day(self):
        tu = pd.DataFrame(
            {"subject": ["S1", "S1"], "lesion": ["T1", "N1"], "organ": "LIVER", "group": ["TARGET", "NEW"]}
        )
        frame = derived(target(50, 50), tu=tu.assign(date=[date(0), date(56) + "T10:30"])).responses()
        assert frame["recist"].tolist() == ["PD"]

    def test_scans_of_one_day_at_different_hours_are_one_visit(self):
        scans = [*target(50, 50), *target(30, 30, lesion="T2")]
        scans[1]["date"] += "T10:00"
        scans[3]["date"] += "T11:30"
        assert responses(scans, column="sum") == [80.0]

    def test_one_visit_at_two_times_is_told_from_visits_without_numbers(self):
        late = [{**row, "visit": "UNSCHEDULED"} for row in (*target(None, 50), *new(None, "PRESENT"))]
        found = derived([{**target(50)[0], "visit": "BASELINE"}, *late]).findings
        assert [(one.severity, one.rule, one.visit) for one in found] == [("error", "duplicate visit", "UNSCHEDULED")]

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_the_order_of_rows_hides_no_visit_at_two_times(self, order):
        late = [
            {**target(50)[0], "lesion": f"T{i}", "visit": "V2", "date": date(day)} for i, day in enumerate((56, 76, 96))
        ]
        first = [{**target(50)[0], "lesion": f"T{i}", "visit": "V1"} for i in range(3)]
        findings = derived([*first, *(late[i] for i in order)]).findings
        assert [found.message for found in findings] == [f"stands on {date(56)} and {date(96)}"]

    def test_a_month_of_a_visit_after_the_last_one_alive_is_after_the_death(self):
        scans = [{**target(50)[0], "date": when} for when in (date(0), "2024-03-20", "2024-03")]
        visits = [{**row, "visit": f"V{number}", "visit_number": number} for number, row in enumerate(scans)]
        subjects = pd.DataFrame({"subject": ["S1"], "reference": date(0), "death": "2024-03-20"})
        derivation = derived(visits, subjects=subjects)
        assert {found.rule for found in derivation.findings} == {"measurement after death", "partial date"}
        assert derivation.responses()["recist"].tolist() == ["SD"]

    def test_a_new_lesion_in_tu_without_date_or_visit_says_nothing_of_one_that_tr_follows(self):
        tu = pd.DataFrame(
            {"subject": ["S1", "S1"], "lesion": ["T1", "N1"], "organ": "LIVER", "group": ["TARGET", "NEW"]}
        )
        assert responses(target(50, 50), new("PRESENT"), column="recist", tu=tu) == ["PD"]
        (found,) = derived(target(50, 50), tu=tu).findings
        assert (found.severity, found.message) == ("error", "N1: no date")

    def test_a_response_without_a_readable_date_is_told_as_it_was_written(self):
        subjects = pd.DataFrame({"subject": ["S1"], "reference": [date(0)]})
        _, (found,) = read_responses(pd.DataFrame({"subject": ["S1"], "response": "PD", "date": "soon"}), subjects)
        assert found.message == "date 'soon'"


def test_a_patient_scanned_only_after_the_reference_date_counts_without_a_baseline():
    subjects = pd.DataFrame({"subject": ["S1"], "reference": date(-5), "death": date(200)})
    derivation = derived(target(50, 30, 30), subjects=subjects)
    assert [(found.severity, found.rule) for found in derivation.findings] == [("warning", "missing baseline")]
    endpoints = {"BOR": BestOverallResponse(), "PFS": ProgressionFreeSurvival(Censoring.fda(120))}
    frame = derivation.endpoints(endpoints).set_index("endpoint")
    assert frame.loc["BOR", "value"] == "MISSING"
    assert (frame.loc["PFS", "days"], frame.loc["PFS", "reason"]) == (0.0, "no baseline")


def test_text_of_a_sas_file_is_decoded():
    frame = pd.DataFrame([*target(50, 30)]).map(lambda value: value.encode() if isinstance(value, str) else value)
    assert derive(frame).responses()[["subject", "recist"]].to_numpy().tolist() == [["S1", "PR"]]


def test_a_lesion_that_was_there_at_baseline_is_one_more_when_it_comes_back():
    old = rows("N1", "NEW", "TUMSTATE", ("PRESENT", None, "PRESENT"))
    seen = derived(target(50, 50, 50), old, new("PRESENT", "PRESENT", lesion="N2")).responses()
    assert seen["new_lesions"].tolist() == [1, 2]
    assert seen["irecist"].tolist() == ["iUPD", "iCPD"]


def test_readers_keep_their_names_without_a_baseline():
    subjects = pd.DataFrame({"subject": ["S1"], "reference": date(0)})
    late = target(None, 50, evaluator="B")
    derivation = derived(target(50, 50, evaluator="A"), late, subjects=subjects)
    assert derivation.endpoints({"BOR": BestOverallResponse()})["evaluator"].tolist() == ["A", "B"]
    assert derived(late, subjects=subjects).endpoints({"BOR": BestOverallResponse()})["evaluator"].tolist() == ["B"]


def test_a_patient_scanned_only_after_death_counts_as_dead():
    subjects = pd.DataFrame({"subject": ["S1"], "reference": date(-2), "death": date(-1)})
    derivation = derived(target(50, 50), subjects=subjects)
    assert {found.severity for found in derivation.findings} == {"warning"}
    pfs = derivation.endpoints({"PFS": ProgressionFreeSurvival()}).iloc[0]
    assert (pfs["event"], pfs["reason"], pfs["days"]) == (True, "death", 1.0)
