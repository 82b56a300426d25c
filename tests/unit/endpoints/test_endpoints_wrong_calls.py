"""Wrong calls: each error is named, and says which field got what."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    BestOverallResponse,
    Censoring,
    ClinicalBenefit,
    Confirmation,
    ControlAsBestResponse,
    ControlAtLandmark,
    ControlUntilLandmark,
    DurationOfDiseaseControl,
    DurationOfResponse,
    LastAssessment,
    ObjectiveResponse,
    ProgressionFreeAtLandmark,
    ProgressionFreeSurvival,
    Rate,
    ResponseHistory,
    ResponseRule,
    Stein,
    TimeToResponse,
    Tumours,
    derive,
    irecist_responses,
    overall,
    read_responses,
    simulate_endpoints,
    target_responses,
    tumour_growth_rate,
)
from analysis.errors import AnalysisError

START, SCAN = date(2024, 1, 1), date(2024, 2, 26)
ROWS = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42)]
TR = pd.DataFrame(ROWS, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")

TUMOURS = Tumours(Stein(Rate(0.1), Rate(0.1)))
SCANS = Attendance(Assessments.every(8 * WEEK), until=12.0)


def history(*args, **dated):
    return ResponseHistory("S1", *args, **dated)


def endpoints(given, *criteria):
    return derive(TR).endpoints(given, *criteria)


def irecist(target=("SD",), non_target=("PD",), new=(0,), days=(56,), **further):
    return irecist_responses(target, non_target, new, days=days, **further)


CALLS = [
    ("rule: got 'EORTC'", lambda: derive(TR, rule="EORTC")),
    ("tu: got 'str'", lambda: derive(TR, "tu.csv")),
    ("subjects: got 'list'", lambda: derive(TR, subjects=[1])),
    ("column TRLNKID or lesion", lambda: derive(TR.drop(columns="lesion"))),
    ("tr: got 'date'; expected each column once", lambda: derive(pd.concat([TR, TR["date"]], axis=1))),
    ("column RANDDT or TRTSDT", lambda: derive(TR, subjects=TR[["subject"]])),
    ("rs: got 'NoneType'", lambda: read_responses(None, TR)),
    ("column RSSTRESC", lambda: read_responses(TR, TR)),
    (r"endpoints\['BOR'\]", lambda: endpoints({"BOR": BestOverallResponse})),
    (r"endpoints\['BOR'\]", lambda: endpoints({"BOR": "BOR"})),
    ("a dict of names", lambda: endpoints([BestOverallResponse()])),
    ("criteria: got 'irecist'", lambda: endpoints({}, "irecist")),
    ("subject: got '1'", lambda: derive(TR).explain(1)),
    ("evaluator: got 'me'", lambda: derive(TR).explain("S1", "me")),
    ("confirm_from", lambda: ResponseRule(confirm_from=-1)),
    ("confirm_from", lambda: ResponseRule(confirm_from=np.nan)),
    ("confirm_until: got 14", lambda: ResponseRule(confirm_until=14)),
    ("keeps_response: got 'no'", lambda: ResponseRule(keeps_response="no")),
    ("days: got '28'", lambda: Confirmation("28")),
    ("max_not_evaluable: got None", lambda: Confirmation(max_not_evaluable=None)),
    ("accept_stable", lambda: Confirmation(accept_stable="yes")),
    ("confirmation: got 28; expected a Confirmation", lambda: BestOverallResponse(28)),
    ("stable_from", lambda: BestOverallResponse(stable_from="6 weeks")),
    ("if_missing: got 'ND'", lambda: BestOverallResponse(if_missing="ND")),
    ("confirmation", lambda: ObjectiveResponse(True)),
    ("cut_at_progression", lambda: ObjectiveResponse(cut_at_progression="first")),
    ("got 'iSD'", lambda: ClinicalBenefit(control=["iSD"])),
    ("stable_from", lambda: ClinicalBenefit(stable_from=-1)),
    ("landmark: got '16 weeks'", lambda: ControlAtLandmark("16 weeks")),
    ("before: got -1", lambda: ControlAtLandmark(112, before=-1)),
    ("unconfirmed: got 'maybe'", lambda: ControlAtLandmark(112, unconfirmed="maybe")),
    ("landmark: got None", lambda: ControlUntilLandmark(None)),
    ("censoring: got 'fda'", lambda: ProgressionFreeAtLandmark(112, censoring="fda")),
    ("best: got 'BOR'", lambda: ControlAsBestResponse("BOR")),
    ("censoring: got None", lambda: ProgressionFreeSurvival(None)),
    ("longest_gap: got '2 visits'", lambda: Censoring.fda("2 visits")),
    ("at_new_therapy", lambda: Censoring(at_new_therapy="yes")),
    ("confirmation", lambda: DurationOfResponse(28)),
    ("best: got None", lambda: DurationOfDiseaseControl(None)),
    ("confirmation", lambda: TimeToResponse("x")),
    ("evaluable_only", lambda: LastAssessment("x")),
    ("reference: got '2024-01-01'", lambda: history("2024-01-01", [SCAN], ["PR"])),
    ("dates: got '2024-02-26'", lambda: history(START, ["2024-02-26"], ["PR"])),
    ("dates: got NaT", lambda: history(START, [pd.NaT], ["PR"])),
    ("dates: got None", lambda: history(START, None, None)),
    ("responses: got 'PR'", lambda: history(START, [SCAN], "PR")),
    (r"responses: got \[nan\]", lambda: history(START, [SCAN], [np.nan])),
    ("death: got '2024-03-01'", lambda: history(START, [SCAN], ["PR"], death="2024-03-01")),
    ("when: got '2024-01-01'", lambda: history(START, [SCAN], ["PR"]).until("2024-01-01")),
    ("sums: got", lambda: target_responses(["a", 2])),
    ("assessments: got 8; expected a Assessments", lambda: Attendance(8, until=5)),
    ("growth: got 'Stein'", lambda: Tumours("Stein")),
    ("trials: got '5'", lambda: simulate_endpoints(TUMOURS, SCANS, patients=5, trials="5", rng=1)),
    ("patients: got 2.5", lambda: simulate_endpoints(TUMOURS, SCANS, patients=2.5, trials=5, rng=1)),
    ("tumours: got Attendance", lambda: simulate_endpoints(SCANS, TUMOURS, patients=5, trials=5, rng=1)),
    ("sums: got None", lambda: target_responses(None)),
    ("sums: got", lambda: target_responses([60, np.inf])),
    ("rule: got", lambda: target_responses([60, 42], rule="EORTC")),
    ("got '1'", lambda: overall(1, None)),
    ("new: got", lambda: irecist(new=[None])),
    ("new: got", lambda: irecist(new=[-1])),
    ("new: got", lambda: irecist(new=["x"])),
    ("days: got", lambda: irecist(days=["a"])),
    ("days: got", lambda: irecist(["SD"] * 2, ["PD"] * 2, [0] * 2, [98, 56])),
    ("days: got", lambda: irecist(days=[np.nan])),
    ("days: got None", lambda: irecist(days=None)),
    ("sums: got", lambda: irecist(sums=[1, 2])),
    ("non_target_growth: got", lambda: irecist(non_target_growth=[True, False])),
    ("target or non_target: got 1", lambda: irecist(target=[1])),
    ("target: got None", lambda: irecist(target=None)),
    ("before: got nan", lambda: tumour_growth_rate(np.nan, 110, 2)),
    ("after: got 'a'", lambda: tumour_growth_rate(100, "a", 2)),
    ("months: got inf", lambda: tumour_growth_rate(100, 110, np.inf)),
    ("median: got 'x'", lambda: Rate("x")),
]


@pytest.mark.parametrize(("message", "call"), CALLS)
def test_a_wrong_call_is_named(message, call):
    with pytest.raises(AnalysisError, match=message):
        call()


def test_dates_may_be_timestamps():
    seen = history(pd.Timestamp(START), [pd.Timestamp("2024-02-26 10:00")], ["PR"], death=pd.Timestamp("2024-03-01"))
    assert (seen.day.tolist(), seen.death) == ([56.0], date(2024, 3, 1))
