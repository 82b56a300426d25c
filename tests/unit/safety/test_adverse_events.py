"""Adverse events as they are delivered: emergence, grades, incidence, rates, competing events, comparison."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter
from scipy import stats

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.safety import cumulative_incidence, read_adverse_events, read_treated


def subjects(n=4, **more):
    frame = pd.DataFrame(
        {
            "USUBJID": [f"S{k + 1}" for k in range(n)],
            "TRT01A": ["drug", "placebo"] * (n // 2),
            "TRTSDT": "2024-01-10",
            "TRTEDT": "2024-04-09",
        }
    )
    return frame.assign(**more)


def event(subject="S1", term="Stomatitis", grade="2", start="2024-02-01", **more):
    return {
        "USUBJID": subject,
        "AEDECOD": term,
        "AEBODSYS": "GI",
        "AETOXGR": grade,
        "AESTDTC": start,
        "AEENDTC": None,
    } | more


def read(*rows, adsl=None, **options):
    return read_adverse_events(pd.DataFrame(list(rows)), subjects() if adsl is None else adsl, **options)


def rules(found):
    return [one.rule for one in found.findings]


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        ("2024-01-09", None, False),  # the day before the first dose
        ("2024-01-10", None, True),
        ("2024-05-09", None, True),  # 30 days after the last
        ("2024-05-10", None, False),
        ("2024-01", None, True),  # can be of treatment
        ("2024-01", "2024-01-05", False),  # was over before it
        ("2023-12", None, False),
        ("2024", None, True),
        (None, None, True),
        (None, "2023-11-30", False),
        ("2024-06", None, False),
    ],
)
def test_what_is_treatment_emergent(start, end, counts):
    found = read(event(start=start, AEENDTC=end))
    assert found.events["emergent"].tolist() == [counts]


def test_a_partial_start_in_the_month_of_the_first_dose_is_that_day_and_is_said():
    found = read(event(start="2024-01"))
    assert found.events["start"].tolist() == [date(2024, 1, 10)]
    assert rules(found) == ["partial date"]


def test_every_treated_patient_is_a_denominator_and_a_term_counts_once_a_patient():
    found = read(event(), event(grade="3", start="2024-03-01"), event("S2", grade="1"))
    table = found.incidence()
    assert table[["arm", "patients", "of", "events"]].to_numpy().tolist() == [["drug", 1, 2, 2], ["placebo", 1, 2, 1]]
    assert found.incidence("any", grade=3)[["arm", "patients"]].to_numpy().tolist() == [["drug", 1], ["placebo", 0]]
    worst = found.worst_grades("soc").set_index("arm")
    assert worst.loc["drug", ["2", "3", "any"]].tolist() == [0, 1, 1]


def test_terms_that_differ_in_case_are_one_and_misspelt_ones_are_named():
    rows = [event("S1"), event("S2", term="STOMATITIS "), event("S3", term="Stomatitis"), event("S4", term="Stomattis")]
    found = read(*rows)
    assert found.events["term"].value_counts().to_dict() == {"Stomatitis": 3, "Stomattis": 1}
    assert "similar terms" in rules(found)


@pytest.mark.parametrize(
    ("given", "grade", "rule"),
    [
        ({"AETOXGR": "GRADE 3"}, 3, None),
        ({"AETOXGR": 4.0}, 4, None),
        ({"AETOXGR": "6"}, 0, "grade"),
        ({"AETOXGR": "3.5"}, 0, "grade"),
        ({"AETOXGR": None, "AESEV": "SEVERE"}, 3, "severity for grade"),
        ({"AETOXGR": None, "AESEV": "SEVRE"}, 0, "grade"),
        ({"AETOXGR": None}, 0, "grade"),
        ({"AETOXGR": "3", "AEOUT": "FATAL"}, 3, "fatal event below grade 5"),
        ({"AETOXGR": "5"}, 5, "fatal event without death"),
    ],
)
def test_grades_are_read_or_said_not_to_be_and_the_event_counts_all_the_same(given, grade, rule):
    found = read(event(**given))
    assert found.events["grade"].tolist() == [grade]
    assert rules(found) == ([] if rule is None else [rule])
    assert found.incidence("any")["patients"].sum() == 1


@pytest.mark.parametrize(
    ("rows", "rule", "events"),
    [
        ([event("S9")], "unknown subject", 0),
        ([event(), event()], "duplicate record", 1),
        ([event(AESER="YE")], "controlled term", 1),
        ([event(AEACN="DOSE REDUCD")], "controlled term", 1),
        ([event(AEENDTC="2024-01-20")], "dates out of order", 1),
        ([event(start="soon")], "unreadable date", 1),
        ([event(TRTEMFL="N")], "treatment-emergent", 1),
        ([event(start="23410")], "SAS dates", 1),
        ([event(term=None)], "without a term", 1),
    ],
)
def test_what_is_wrong_with_a_row_is_said_and_nothing_is_lost(rows, rule, events):
    found = read(*rows)
    assert rule in rules(found)
    assert len(found.events) == events


def test_the_nearest_controlled_term_is_offered():
    (finding,) = read(event(AEACN="DOSE REDUCD")).findings
    assert "DOSE REDUCED" in finding.consequence


def test_the_flag_decides_where_it_is_asked_to():
    rows = [event(TRTEMFL="N"), event("S2", start="2023-12-01", TRTEMFL="Y")]
    assert read(*rows, emergent="flag").events["emergent"].tolist() == [False, True]
    assert read(*rows).events["emergent"].tolist() == [True, False]
    with pytest.raises(InvalidValueError, match="TRTEMFL"):
        read(event(), emergent="flag")


def test_what_a_flag_counts_outside_the_observation_has_no_time_below_0():
    rows = [event(start="2023-12-01", TRTEMFL="Y"), event("S2", start="2025-12-01", TRTEMFL="Y")]
    found = read(*rows, emergent="flag")
    first = found.time_to_first(grade=1).set_index("subject")
    assert first.loc["S1", "time"] == pytest.approx(1 / 30.4375)
    assert first.loc["S2", "time"] == first.loc["S4", "time"]
    assert (found.rates("any")["years_to_first"] > 0).all()


def test_an_event_after_death_is_not_emergent():
    adsl = subjects(DTHDT=["2024-02-01", None, None, None])
    found = read(event(start="2024-02-05"), event(start="2024-01-20"), adsl=adsl)
    assert found.events["emergent"].tolist() == [False, True]
    assert "event after death" in rules(found)


def test_rates_count_the_time_at_risk_of_everybody():
    found = read(event(start="2024-01-19"), event(start="2024-02-01", term="Rash"))
    row = found.rates("any").set_index("arm").loc["drug"]
    whole = (date(2024, 5, 9) - date(2024, 1, 10)).days + 1
    assert row["years"] == pytest.approx(2 * whole / 365.25)
    assert row["years_to_first"] == pytest.approx((10 + whole) / 365.25)
    assert row["patient_rate"] == pytest.approx(100 / row["years_to_first"])
    assert row["event_upper"] == pytest.approx(100 * stats.chi2.isf(0.025, 6) / 2 / row["years"])
    assert found.rates("any").set_index("arm").loc["placebo", "lower"] == 0


def test_who_is_still_treated_without_a_cut_off_is_named_and_has_no_rate():
    adsl = subjects(TRTEDT=[None, "2024-04-09", "2024-04-09", "2024-04-09"])
    found = read(event(), adsl=adsl)
    assert [one.subject for one in found.findings if one.rule == "no end of observation"] == ["S1"]
    assert found.rates("any").set_index("arm").loc["drug", "patients"] == 0
    cut = read(event(), adsl=adsl, cutoff=date(2024, 6, 1))
    assert cut.rates("any").set_index("arm").loc["drug", "patients"] == 1


def test_records_that_follow_each_other_are_one_episode_with_its_worst_grade():
    found = read(
        event(grade="1", start="2024-02-01", AEENDTC="2024-02-05"),
        event(grade="3", start="2024-02-06", AEENDTC="2024-02-09"),
        event(grade="2", start="2024-03-01", AEENDTC="2024-03-02"),
        event(grade="1", start="2024-03-20"),
        event("S2"),
    )
    table = found.episodes()
    assert table[["subject", "grade", "records", "days"]].fillna(-1).to_numpy().tolist() == [
        ["S1", 3, 2, 9],
        ["S1", 2, 1, 2],
        ["S1", 1, 1, -1],
        ["S2", 2, 1, -1],
    ]


def test_death_competes_with_an_adverse_event_and_both_on_one_day_is_the_event():
    adsl = subjects(DTHDT=["2024-02-01", "2024-02-01", None, None])
    found = read(event(grade="4", start="2024-02-01"), event("S3", grade="3", start="2024-03-10"), adsl=adsl)
    first = found.time_to_first(grade=3).set_index("subject")
    assert first["cause"].to_dict() == {"S1": "adverse event", "S2": "death", "S3": "adverse event", "S4": "censored"}
    assert first.loc["S1", "time"] == pytest.approx(23 / 30.4375)
    assert found.time_to_first(grade=3, competing=()).set_index("subject").loc["S2", "cause"] == "censored"


def test_cumulative_incidence_is_aalens_and_johansens():
    rng = np.random.default_rng(3)
    time = np.round(rng.exponential(5, 80), 3) + np.arange(80) * 1e-6  # lifelines moves ties
    cause = rng.choice(["adverse event", "death", "censored"], 80)
    found = cumulative_incidence(time, cause.tolist())
    fitted = AalenJohansenFitter(seed=1).fit(
        time, np.select([cause == "adverse event", cause == "death"], [1, 2], 0), event_of_interest=1
    )
    for month in (1.0, 3.0, 8.0):
        expected = fitted.cumulative_density_.loc[:month].iloc[-1, 0]
        row = found.at(month, "adverse event").iloc[0]
        assert row["estimate"] == pytest.approx(expected, abs=1e-9)
        assert row["lower"] < row["estimate"] < row["upper"]
        assert row["std_error"] == pytest.approx(np.sqrt(fitted.variance_.loc[:month].iloc[-1]), rel=0.02)


def test_without_competing_events_it_is_one_minus_kaplan_meier_and_ends_with_the_data():
    found = cumulative_incidence([1, 2, 2, 4], ["event", "event", "censored", "censored"])
    assert found.at(2, "event")["estimate"].tolist() == pytest.approx([1 - 0.75 * 2 / 3])
    assert np.isnan(found.at(5, "event")["estimate"]).all()
    assert found.at(0.5, "event")["estimate"].tolist() == [0]
    assert found.gray.empty


def test_gray_compares_the_arms_by_cause():
    rng = np.random.default_rng(5)
    time, group = rng.exponential(5, 300), np.repeat(["a", "b"], 150)
    cause = np.where(rng.random(300) < np.where(group == "a", 0.8, 0.3), "event", "death")
    found = cumulative_incidence(time, cause.tolist(), group.tolist())
    assert (found.gray["p_value"] < 1e-6).all()
    same = cumulative_incidence(np.tile(time[:150], 2), np.tile(cause[:150], 2).tolist(), group.tolist())
    assert same.gray["p_value"].to_numpy() == pytest.approx(1.0)


def test_arms_are_compared_within_strata():
    rng = np.random.default_rng(6)
    adsl = subjects(200, SEX=["F", "F", "M", "M"] * 50)
    sick = [
        name
        for name, arm in zip(adsl["USUBJID"], adsl["TRT01A"], strict=True)
        if rng.random() < (0.5, 0.2)[arm == "placebo"]
    ]
    rows = pd.DataFrame([event(name) for name in sick])
    plain = read_adverse_events(rows, adsl).compare("placebo").iloc[0]
    strata = read_adverse_events(rows, adsl, stratum="SEX").compare("placebo").iloc[0]
    assert plain["p_value"] < 0.001 > strata["p_value"] != plain["p_value"]
    assert (strata["of"], strata["control_of"]) == (100, 100)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: read(event()).compare("plcebo"), UnknownNameError),
        (lambda: read(event()).select(terms=["Stomatits"]), UnknownNameError),
        (lambda: read(event()).select(grade="3"), InvalidValueError),
        (lambda: read(event()).incidence("system"), UnknownNameError),
        (lambda: read(event()).time_to_first(competing=("relapse",)), UnknownNameError),
        (lambda: read(event(), window=-1), InvalidValueError),
        (lambda: read_adverse_events(pd.DataFrame({"USUBJID": ["S1"]}), subjects()), InvalidValueError),
        (lambda: read_adverse_events([], subjects()), InvalidValueError),
        (lambda: cumulative_incidence([1, 2], ["censored"] * 2), InvalidValueError),
        (lambda: cumulative_incidence([1, -2], ["event"] * 2), InvalidValueError),
        (lambda: cumulative_incidence([1, 2], ["event"]), InvalidValueError),
        (lambda: cumulative_incidence([1, 2], ["event"] * 2, scale="logit"), UnknownNameError),
    ],
)
def test_wrong_calls_are_refused_by_name(call, error):
    with pytest.raises(error, match="expected"):
        call()


@pytest.mark.parametrize(
    ("adsl", "rule", "left"),
    [
        (subjects(TRTSDT=[None, *["2024-01-10"] * 3]), "not treated", 3),
        (subjects(TRTSDT=["soon", *["2024-01-10"] * 3]), "unreadable date", 3),
        (subjects(TRTEDT=["2023-01-01", *["2024-04-09"] * 3]), "dates out of order", 3),
        (subjects(TRTEDT=["2024-03", *["2024-04-09"] * 3]), "partial date", 4),
        (pd.concat([subjects(), subjects().iloc[:1].assign(TRTEDT="2024-05-01")]), "duplicate subject", 3),
        (subjects(DTHDT=["2024-02-01", None, None, None]), "dose after death", 4),
    ],
)
def test_subjects_are_left_out_with_a_finding_and_the_others_go_on(adsl, rule, left):
    treated, findings = read_treated(adsl)
    assert len(treated) == left
    assert rule in [one.rule for one in findings]


def test_no_events_at_all_is_a_table_of_zeros():
    found = read_adverse_events(pd.DataFrame(columns=["USUBJID", "AEDECOD"]), subjects())
    assert found.incidence("any")["patients"].tolist() == [0, 0]
    assert found.incidence().empty
    assert found.rates("any")["patient_rate"].tolist() == [0, 0]
