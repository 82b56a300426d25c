"""Responses as they were recorded: what is found wrong, and what is read for the others."""

import pandas as pd
import pytest

from analysis.endpoints import BestOverallResponse, read_responses
from analysis.errors import InvalidValueError

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
    with pytest.raises(InvalidValueError, match="one row for each subject"):
        read_responses(recorded(["SD", "PD"]), pd.concat([SUBJECTS, SUBJECTS]))
