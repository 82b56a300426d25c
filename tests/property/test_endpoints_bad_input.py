"""Whatever stands in one patient's rows, the others are derived, and what was wrong is a finding."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.endpoints import (
    BestOverallResponse,
    Censoring,
    Confirmation,
    ControlAtLandmark,
    DurationOfResponse,
    ProgressionFreeSurvival,
    derive,
    read_responses,
)

JUNK = [
    *(None, np.nan, pd.NaT, pd.NA, "", " ", "nan", "-", "3,2", "<5", "12 mm", "inf", "1e400", "cm", "UNK", "PD"),
    *(-5, 0, 3.5, True, 10**30, float("inf"), b"x", ["a"], pd.Timestamp("2024-03-01")),
    *("2024", "2024-02", "2024-02-30", "9999-12-31", "0001-01-01", "20240226", "2024-02-26T10:30", "26FEB2024"),
    *("NEW", "target", "NON TARGET", "SUMDIAM", "TUMSTATE", "LPERP", "EQUIVOCAL", "ABSENT", "INCREASED"),
]
ENDPOINTS = {
    "BOR": BestOverallResponse(Confirmation()),
    "PFS": ProgressionFreeSurvival(Censoring.fda(126)),
    "DoR": DurationOfResponse(),
    "DCR": ControlAtLandmark(112, unconfirmed="resolved later"),
}


def trial():
    rows = []
    for subject in ("S1", "S2"):
        for visit, day in enumerate(("2024-01-01", "2024-02-26", "2024-04-22")):
            at = (f"V{visit}", visit, day, "INVESTIGATOR")
            rows.append((subject, "T1", "TARGET", "LDIAM", str(40 - 15 * visit), "mm", *at))
            rows.append((subject, "T2", "TARGET", "LDIAM", "20", "mm", *at))
            rows.append((subject, "N1", "NON-TARGET", "TUMSTATE", "PRESENT", None, *at))
        rows.append((subject, "NEW1", "NEW", "TUMSTATE", "PRESENT", None, *at))
    names = [
        "USUBJID",
        "TRLNKID",
        "TRGRPID",
        "TRTESTCD",
        "TRSTRESC",
        "TRSTRESU",
        "VISIT",
        "VISITNUM",
        "TRDTC",
        "TREVAL",
    ]
    tu = [
        (s, lesion, organ, "INVESTIGATOR")
        for s in ("S1", "S2")
        for lesion, organ in {"T1": "LIVER", "T2": "LUNG"}.items()
    ]
    located = pd.DataFrame(tu, columns=["USUBJID", "TULNKID", "TULOC", "TUEVAL"])
    adsl = pd.DataFrame({"USUBJID": ["S1", "S2"], "RANDDT": "2024-01-02", "DTHDT": [None, "2024-09-01"]})
    return [frame.astype(object) for frame in (pd.DataFrame(rows, columns=names), located, adsl)]


def corrupt(frame, subject, changes):
    mine = [row for row, name in enumerate(frame["USUBJID"]) if name == subject]
    columns = [column for column in frame.columns if column != "USUBJID"]
    for row, column, value in changes:
        frame.iloc[mine[row % len(mine)], frame.columns.get_loc(columns[column % len(columns)])] = value
    return frame


changes = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from(JUNK)), max_size=3)
EXPECTED = derive(*trial()).responses().query("subject == 'S2'").reset_index(drop=True)


@given(changes, changes, changes, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_junk_in_one_patient_leaves_the_others_as_they_are(rows, places, dates, random):
    tr, tu, adsl = (corrupt(frame, "S1", what) for frame, what in zip(trial(), (rows, places, dates), strict=True))
    order = list(range(len(tr)))
    random.shuffle(order)
    derivation = derive(tr.iloc[order], tu, adsl)
    other = derivation.responses().query("subject == 'S2'").reset_index(drop=True)
    pd.testing.assert_frame_equal(other, EXPECTED)
    for criteria in ("RECIST 1.1", "iRECIST"):
        derivation.endpoints(ENDPOINTS, criteria)
    assert ("S1", "INVESTIGATOR") in derivation.readings or any(found.subject == "S1" for found in derivation.findings)
    assert derivation.explain("S1")


@given(changes)
@settings(max_examples=60, deadline=None)
def test_junk_in_recorded_responses_leaves_the_others_as_they_are(what):
    days = ["2024-02-26", "2024-04-22"]
    rs = pd.DataFrame({"USUBJID": ["S1", "S1", "S2", "S2"], "RSSTRESC": ["PR", "PD"] * 2, "RSDTC": days * 2})
    rs = corrupt(rs.assign(VISITNUM=[1, 2] * 2).astype(object), "S1", what)
    histories, findings = read_responses(rs, trial()[2])
    assert histories["S2", ""].responses == ("PR", "PD")
    assert ("S1", "") in histories or any(found.subject == "S1" for found in findings)
