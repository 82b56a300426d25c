"""Responses recorded before the reference date do not count (as in admiralonco: ADT from RANDDT on), and are named."""

import pandas as pd

from analysis.endpoints import (
    BestOverallResponse,
    ObjectiveResponse,
    ProgressionFreeSurvival,
    TimeToResponse,
    derive_endpoints,
    read_responses,
    summarise,
)

SUBJECTS = pd.DataFrame({"USUBJID": list("123"), "RANDDT": "2024-01-10"})
ENDPOINTS = {
    "BOR": BestOverallResponse(),
    "ORR": ObjectiveResponse(),
    "PFS": ProgressionFreeSurvival(),
    "TTR": TimeToResponse(),
}


def test_run_in_and_induction_do_not_count():
    rs = pd.DataFrame(
        [
            ("1", "PD", "2023-12-20"),
            ("1", "SD", "2024-03-06"),
            ("2", "PR", "2023-12-20"),
            ("2", "SD", "2024-03-06"),
            ("2", "PD", "2024-05-01"),
            ("3", "PR", "2024-01-10"),
            ("3", "PR", "2024-03-06"),
        ],
        columns=["USUBJID", "RSSTRESC", "RSDTC"],
    ).assign(RSTESTCD="OVRLRESP", RSCAT="RECIST 1.1")
    histories, findings = read_responses(rs, SUBJECTS)
    frame = derive_endpoints(histories, ENDPOINTS)
    values = {(row.subject, row.endpoint): row.value for row in frame.itertuples()}
    assert [values[key] for key in (("1", "BOR"), ("2", "BOR"), ("2", "ORR"), ("3", "ORR"))] == ["SD", "SD", "N", "Y"]
    assert frame["days"].dropna().min() >= 0
    pfs = frame[frame["endpoint"] == "PFS"].set_index("subject")["event"]
    assert pfs.tolist() == [False, True, False]
    named = [str(finding) for finding in findings if "response before the reference" in str(finding)]
    assert [text.split(":")[1].strip() for text in named] == ["1", "2"]
    assert set(summarise(frame)["endpoint"]) == set(ENDPOINTS)
