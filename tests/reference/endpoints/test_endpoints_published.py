"""Response sequences and their endpoints from the test suites of admiralonco 1.3.0 and admiral 1.4.1, read in place."""

import json
import os
from datetime import date
from pathlib import Path

import pytest

from analysis.endpoints import DurationOfResponse, ProgressionFreeSurvival
from tests.reference.endpoints import sequence_cases as cases

REASON = {
    "progression": "PD",
    "death": "DEATH",
    "last assessment": "LAST TUMOR ASSESSMENT",
    "reference date": "TREATMENT START",
}


@pytest.fixture(scope="module")
def published():
    folder = os.environ.get("REFERENCE_DATA")
    if folder is None:
        pytest.skip("REFERENCE_DATA names no folder: the published test cases are read in place")
    return json.loads((Path(folder) / "recist" / "published_test_cases.json").read_text())["cases"]


def cut_by(history, parameters):
    """The history up to the progression that the case's own source dates."""
    if parameters.get("cut_at_first_pd", True) and parameters.get("first_pd_date"):
        return history.until(date.fromisoformat(parameters["first_pd_date"]))
    return history


def derive_response(case):
    parameters = case["parameters"]
    history = cut_by(cases.history_of(case), parameters)
    got = cases.as_expected(cases.recist_endpoint(case["paramcd"], parameters, False).derive(history))
    response = parameters.get("response_date_input")
    if response and (got["date"] is None or response < got["date"]):
        return {"value": "Y", "date": response}
    return got


def derive_last(case):
    got = derive_response(case)
    return {**got, "value": got["value"] or None}


def derive_kept(case):
    history = cases.history_of(case)
    if case["parameters"]["first_pd_date"]:
        history = history.until(date.fromisoformat(case["parameters"]["first_pd_date"]))
    pairs = zip(history.dates, history.responses, strict=True)
    return {"kept": [{"date": str(when), "response": response} for when, response in pairs]}


def derive_irecist(case):
    return cases.as_expected(
        cases.irecist_endpoint(case["paramcd"], case["parameters"]).derive(cases.history_of(case, "iRECIST"))
    )


def derive_time(case):
    death = case["parameters"]["death_date"]
    start = case["parameters"].get("start_date")
    endpoint = ProgressionFreeSurvival() if start else DurationOfResponse()
    reference = start or case["assessments"][0]["date"]
    history = cases.history_of({**case, "reference_date": reference}, death=death and date.fromisoformat(death))
    got = endpoint.derive(history)
    assert str(got.start) == case["reference_date"]
    return {"date": str(got.end), "cnsr": int(not got.event), "value": REASON[got.reason]}


DERIVE = {
    "derive_param_lasta": derive_last,
    "FILTER_PD (records up to and including first PD)": derive_kept,
    "derive_param_tte PFS": derive_time,
    "derive_param_tte DoR": derive_time,
}


def test_published_cases(published):
    wrong = []
    for case in published:
        derive = (
            derive_irecist if case["endpoint"].startswith("iRECIST") else DERIVE.get(case["endpoint"], derive_response)
        )
        got = derive(case)
        if got != case["expected"]:
            wrong.append((case["case_id"], case["endpoint"], got, case["expected"]))
    assert len(published) == 410
    assert wrong == []
