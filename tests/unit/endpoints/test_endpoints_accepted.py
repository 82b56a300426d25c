"""Measurements that an adjudicator let stand: at each visit the reader who is accepted, by his own lesions."""

import pandas as pd
import pytest

from analysis.endpoints import BestOverallResponse, ProgressionFreeSurvival, derive
from analysis.endpoints.accepted_records import ACCEPTED

DAYS = {"BASELINE": "2024-01-01", "WEEK 8": "2024-02-26", "WEEK 16": "2024-04-22"}
SIZES = {  # reader 2 numbers another lesion T01
    "R1": {"T01": (60, 42, 50), "T02": (20, 18, 18)},
    "R2": {"T01": (30, 27, 45)},
}


def rows_of(flags):
    """Measurements of both readers; `flags` has the accepted (reader, visit)."""
    return pd.DataFrame(
        [
            ("S1", lesion, "TARGET", "LDIAM", size, day, visit, number, reader, "Y" if (reader, visit) in flags else "")
            for reader, lesions in SIZES.items()
            for lesion, sizes in lesions.items()
            for number, ((visit, day), size) in enumerate(zip(DAYS.items(), sizes, strict=True), start=1)
        ],
        columns=["subject", "lesion", "group", "test", "value", "date", "visit", "visit_number", "reader", "accepted"],
    )


def accepted(flags):
    return derive(rows_of(flags)).histories["RECIST 1.1"].get(("S1", ACCEPTED))


def test_without_flags_there_is_no_such_evaluator():
    assert accepted(()) is None
    assert set(derive(rows_of(())).histories["RECIST 1.1"]) == {("S1", "R1"), ("S1", "R2")}


def test_the_response_is_that_of_the_reader_who_is_accepted_at_the_visit():
    own = derive(rows_of(())).histories["RECIST 1.1"]
    assert [own["S1", reader].responses for reader in ("R1", "R2")] == [("SD", "SD"), ("SD", "PD")]
    history = accepted({("R1", "BASELINE"), ("R1", "WEEK 8"), ("R2", "WEEK 16")})
    assert history.responses == ("SD", "PD")
    assert [str(day) for day in history.dates] == ["2024-02-26", "2024-04-22"]
    assert history.sizes is None


def test_one_reader_accepted_throughout_is_that_reader_with_his_sums():
    history = accepted({("R1", visit) for visit in DAYS})
    own = derive(rows_of(())).histories["RECIST 1.1"]["S1", "R1"]
    assert (history.dates, history.responses, history.sizes) == (own.dates, own.responses, own.sizes)


def test_two_readers_accepted_at_one_visit_are_a_finding_and_the_visit_is_not_used():
    derived = derive(rows_of({("R1", "WEEK 8"), ("R2", "WEEK 8"), ("R2", "WEEK 16")}))
    (found,) = [found for found in derived.findings if found.rule == "accepted records"]
    assert (found.subject, found.severity, "WEEK 8" in found.visit) == ("S1", "warning", True)
    assert "R1 and of R2" in found.message
    assert derived.histories["RECIST 1.1"]["S1", ACCEPTED].responses == ("PD",)


@pytest.mark.parametrize("flag", ["N", "", None, "no"])
def test_only_y_accepts(flag):
    tr = rows_of(()).assign(accepted=flag)
    assert ("S1", ACCEPTED) not in derive(tr).histories["RECIST 1.1"]


def test_the_accepted_responses_are_traced_and_give_endpoints():
    derived = derive(rows_of({("R1", "WEEK 8"), ("R2", "WEEK 16")}))
    endpoints = {"BOR": BestOverallResponse(), "PFS": ProgressionFreeSurvival()}
    frame = derived.endpoints(endpoints)
    frame = frame[frame["evaluator"] == ACCEPTED].set_index("endpoint")
    assert frame.loc["BOR", "value"] == "SD"
    assert (frame.loc["PFS", "days"], frame.loc["PFS", "event"]) == (112, True)  # 22 April less 1 January
    text = derived.explain("S1", ACCEPTED, endpoints=endpoints)
    assert "accepted records (TRACPTFL): 2024-02-26 SD, 2024-04-22 PD" in text
