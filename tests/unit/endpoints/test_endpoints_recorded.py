"""Responses as they were recorded: what is found wrong, and what is read for the others."""

import pandas as pd
import pytest

from analysis.endpoints import (
    BestOverallResponse,
    ObjectiveResponse,
    derive,
    derive_endpoints,
    read_responses,
    summarise,
)

SUBJECTS = pd.DataFrame({"USUBJID": ["S1", "S2"], "RANDDT": "2024-01-01", "DTHDT": [None, "2024-05-01"]})


def recorded(first, dates=("2024-02-26", "2024-04-22")):
    rows = [("S1", term, when) for term, when in zip(first, dates, strict=True)]
    rows += [("S2", "PR", "2024-02-26"), ("S2", "PD", "2024-06-01")]
    return pd.DataFrame(rows, columns=["USUBJID", "RSSTRESC", "RSDTC"]).assign(RSTESTCD="OVRLRESP")


@pytest.mark.parametrize(
    ("rs", "rule"),
    [
        (recorded(["SD", "iUPD"]), "response outside the code list"),
        (recorded(["SD", "PD"], ("2024-04-22", "2024-02-26")), "dates out of order"),
        (recorded(["SD", "PD"], ("2024-04-22", "2024-04-22")), "duplicate visit"),
        (recorded(["SD", "PD"], ("2024-04-22", "later")), "unreadable date"),
    ],
)
def test_an_error_leaves_out_the_patient_alone(rs, rule):
    histories, findings = read_responses(rs, SUBJECTS)
    assert [(found.subject, found.rule) for found in findings if found.severity == "error"] == [("S1", rule)]
    assert list(histories) == [("S2", "")]


def test_a_response_after_death_is_not_used():
    histories, findings = read_responses(recorded(["SD", "PD"]), SUBJECTS)
    assert [(found.subject, found.rule) for found in findings] == [("S2", "response after death")]
    assert BestOverallResponse().derive(histories["S2", ""]).value == "PR"
    assert histories["S2", ""].responses == ("PR",)
    assert histories["S1", ""].responses == ("SD", "PD")


def test_unknown_subjects_and_double_subjects():
    _, findings = read_responses(recorded(["SD", "PD"]), SUBJECTS.iloc[:1])
    assert [(found.subject, found.rule) for found in findings] == [("S2", "unknown subject")]
    twice = pd.concat([SUBJECTS, SUBJECTS.iloc[:1].assign(RANDDT="2024-01-09")])
    histories, findings = read_responses(recorded(["SD", "PD"]), twice)
    assert [(found.subject, found.rule) for found in findings] == [
        ("S1", "duplicate subject"),
        ("S2", "response after death"),
    ]
    assert list(histories) == [("S2", "")]
    assert list(read_responses(recorded(["SD", "PD"]), pd.concat([SUBJECTS, SUBJECTS]))[0]) == [("S1", ""), ("S2", "")]


def test_a_subject_whose_dates_cannot_be_read_is_left_out_alone():
    for column, value in {"RANDDT": None, "DTHDT": "in May"}.items():
        wrong = SUBJECTS.assign(**{column: [value, *SUBJECTS[column][1:]]})
        histories, findings = read_responses(recorded(["SD", "PD"]), wrong)
        assert [(found.subject, found.rule) for found in findings if found.severity == "error"] == [
            ("S1", "unreadable date")
        ]
        assert list(histories) == [("S2", "")]


def test_records_in_any_order_are_sorted_by_visit_number():
    rs = recorded(["SD", "PD"]).assign(VISITNUM=[2, 3, 2, 3])
    histories, _ = read_responses(rs.iloc[::-1], SUBJECTS)
    assert histories["S1", ""].responses == ("SD", "PD")
    _, findings = read_responses(rs.assign(VISITNUM=[3, 2, 2, 3]), SUBJECTS)
    assert [(found.subject, found.rule) for found in findings][:1] == [("S1", "dates out of order")]


def test_the_same_record_twice_is_no_contradiction():
    rs = recorded(["SD", "PD"])
    histories, findings = read_responses(pd.concat([rs, rs.iloc[:2]]).sort_values("RSDTC"), SUBJECTS)
    assert [found for found in findings if found.subject == "S1"] == []
    assert histories["S1", ""].responses == ("SD", "PD")


def test_a_partial_date_is_said():
    histories, findings = read_responses(recorded(["SD", "PD"], ("2024-02", "2024-04-22")), SUBJECTS)
    assert [(found.subject, found.rule) for found in findings if found.subject == "S1"] == [("S1", "partial date")]
    assert str(histories["S1", ""].dates[0]) == "2024-02-29"


def test_recorded_responses_have_their_frame_and_summary():
    histories, _ = read_responses(recorded(["SD", "PD"]), SUBJECTS)
    frame = derive_endpoints(histories, {"ORR": ObjectiveResponse()})
    assert frame[["subject", "value"]].to_numpy().tolist() == [["S1", "N"], ["S2", "Y"]]
    assert summarise(frame)["estimate"].tolist() == [50.0]


def test_records_by_another_criterion_are_not_read():
    rs = pd.concat([recorded(["SD", "PD"]).assign(RSCAT="RECIST 1.1"), recorded(["iSD", "iUPD"]).iloc[:2]])
    rs["RSCAT"] = rs["RSCAT"].fillna("iRECIST")
    for criteria, expected in {"RECIST 1.1": ("SD", "PD"), "iRECIST": ("iSD", "iUPD")}.items():
        assert read_responses(rs, SUBJECTS, criteria)[0]["S1", ""].responses == expected


def test_subjects_without_a_record_count_with_an_empty_history():
    third = pd.DataFrame({"USUBJID": ["S3"], "RANDDT": "2024-01-01", "DTHDT": [None]})
    histories, _ = read_responses(recorded(["SD", "PD"]), pd.concat([SUBJECTS, third]))
    assert BestOverallResponse().derive(histories["S3", ""]).value == "MISSING"


def test_a_patient_read_by_one_reader_counts_for_the_other():
    rows = [("S1", "INV"), ("S1", "IRC"), ("S2", "INV")]
    rs = pd.DataFrame(rows, columns=["subject", "evaluator"]).assign(response="PR", date="2024-02-26")
    histories, findings = read_responses(rs, SUBJECTS)
    assert list(histories) == [*rows, ("S2", "IRC")]
    assert [(f.severity, f.subject, f.evaluator, f.message) for f in findings] == [
        ("warning", "S2", "IRC", "not read by IRC")
    ]
    rates = summarise(derive_endpoints(histories, {"ORR": ObjectiveResponse()})).set_index("evaluator")
    assert rates.loc["IRC", ["patients", "estimate"]].tolist() == [2, 50.0]
    wrong, findings = read_responses(pd.concat([rs, rs.iloc[2:].assign(evaluator="IRC", response="good")]), SUBJECTS)
    assert list(wrong) == rows
    assert [f.severity for f in findings] == ["error"]


def test_a_patient_measured_by_one_reader_counts_for_the_other():
    rows = [("S1", "INV"), ("S1", "IRC"), ("S2", "INV")]
    tr = pd.DataFrame(rows, columns=["subject", "evaluator"]).merge(
        pd.DataFrame({"date": ["2024-01-01", "2024-02-26"], "value": [60, 40]}), how="cross"
    )
    derivation = derive(tr.assign(lesion="T1", group="TARGET", test="LDIAM", organ="LIVER"), subjects=SUBJECTS)
    assert [str(found) for found in derivation.findings] == [
        "warning: S2, IRC: not read: not read by IRC; counts without a response"
    ]
    rates = derivation.summary({"ORR": ObjectiveResponse()}, "iRECIST").set_index("evaluator")
    assert rates.loc["IRC", ["patients", "estimate"]].tolist() == [2, 50.0]


def test_responses_by_criteria_that_are_not_read_are_said():
    rs = pd.concat([recorded(["SD", "PD"]).assign(RSCAT="RECIST v1.1"), recorded(["CR", "CR"]).assign(RSCAT="LUGANO")])
    histories, findings = read_responses(rs, SUBJECTS)
    assert histories["S1", ""].responses == ("SD", "PD")
    said = [(found.subject, found.message) for found in findings if found.rule == "criteria"]
    assert said == [(subject, "'LUGANO' is none of RECIST 1.1, iRECIST") for subject in ("S1", "S2")]
