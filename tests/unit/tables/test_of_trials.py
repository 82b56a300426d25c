"""The tables of trials say what independent software and counting by hand say."""

from datetime import date, timedelta

import lifelines
import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import logrank_test
from scipy.stats import beta

from analysis.endpoints import (
    BestOverallResponse,
    ObjectiveResponse,
    ProgressionFreeSurvival,
    ResponseHistory,
    derive_endpoints,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.safety import read_adverse_events
from analysis.statistical_tests import FlemingHarrington, LogRank, MilestoneDifference, RMSTDifference
from analysis.survival import Exponential, rmst
from analysis.tables import adverse_event_table, endpoint_table, survival_table

RNG = np.random.default_rng(11)
FRAME = pd.DataFrame(
    {
        "time": np.round(RNG.exponential(10, 120), 1) + 0.1,
        "event": RNG.random(120) < 0.75,
        "arm": np.repeat(["drug", "control", "third"], 40),
    }
)


def row(table, start, arm):
    cells = table.cells().set_index("")
    (label,) = [name for name in cells.index if name.startswith(start)]
    return cells.loc[label, arm]


def months(value):
    return f"{value:.1f}" if np.isfinite(value) else "NR"


def test_survival_is_that_of_lifelines():
    table = survival_table(FRAME, control="control", landmarks=[6], tau=12)
    control = FRAME[FRAME["arm"] == "control"]
    for arm, rows in FRAME.groupby("arm"):
        fitter = lifelines.KaplanMeierFitter().fit(rows["time"], rows["event"])
        follow = lifelines.KaplanMeierFitter().fit(rows["time"], ~rows["event"])
        n, seen = len(rows), rows["event"].sum()
        assert row(table, "Patients", arm) == str(n)
        assert row(table, "Events", arm) == f"{seen} ({100 * seen / n:.0f})"
        assert row(table, "Censored", arm) == f"{n - seen} ({100 * (n - seen) / n:.0f})"
        assert row(table, "Median (95% CI)", arm).startswith(f"{months(fitter.median_survival_time_)} (")
        assert row(table, "Median follow-up", arm) == months(follow.median_survival_time_)
        at = 100 * fitter.predict(6.0)
        low, high = 100 * fitter.confidence_interval_[fitter.confidence_interval_.index <= 6].iloc[-1]
        assert row(table, "Event-free at 6 months", arm) == f"{at:.1f} ({low:.1f} to {high:.1f})"
        mean = rmst(rows["time"], rows["event"], 12)
        assert row(table, "Restricted mean", arm) == f"{mean.estimate:.1f} ({mean.lower:.1f} to {mean.upper:.1f})"
        if arm == "control":
            assert row(table, "Hazard ratio", arm) == ""
            continue
        both = pd.concat([control, rows]).assign(drug=lambda f, arm=arm: (f["arm"] == arm).astype(float))
        cox = lifelines.CoxPHFitter().fit(both[["time", "event", "drug"]], "time", "event").summary.loc["drug"]
        ratio = [cox["exp(coef)"], cox["exp(coef) lower 95%"], cox["exp(coef) upper 95%"]]
        assert row(table, "Hazard ratio", arm) == "{:.2f} ({:.2f} to {:.2f})".format(*ratio)
        p = logrank_test(rows["time"], control["time"], rows["event"], control["event"]).p_value
        assert row(table, "p, two-sided (log-rank)", arm) == (f"{p:.3f}" if p >= 0.001 else "<0.001")
        data = both["time"], both["event"], both["drug"] == 1
        found = MilestoneDifference(6).analyse(*data)
        values = [100 * x for x in (found.estimate, found.lower, found.upper)]
        assert row(table, "Difference at 6", arm) == "{:+.1f} ({:+.1f} to {:+.1f})".format(*values)
        found = RMSTDifference(12).analyse(*data)
        values = [found.estimate, found.lower, found.upper]
        assert row(table, "Difference of the restricted", arm) == "{:+.1f} ({:+.1f} to {:+.1f})".format(*values)


def test_what_cannot_be_estimated_says_so():
    frame = pd.DataFrame({"time": [3.0, 4, 5, 6], "event": [False, False, True, False], "arm": ["a", "a", "b", "b"]})
    table = survival_table(frame, control="a", landmarks=[10], tau=20)
    assert row(table, "Median (95% CI)", "a") == "NR (NR to NR)"
    assert row(table, "Event-free at 10", "b") == "NE"
    assert row(table, "Restricted mean", "a") == "NE"
    assert row(table, "Hazard ratio", "b") == "NE"
    assert row(table, "Difference at 10", "b") == "NE"


def test_patients_without_arms_are_one_column():
    table = survival_table(time=[1, 2, 3], event=[1, 0, 1])
    assert list(table.cells().columns) == ["", "All patients"]
    assert row(table, "Events", "All patients") == "2 (67)"


def test_another_test_and_level():
    early = LogRank(FlemingHarrington(1, 0))
    table = survival_table(FRAME[FRAME["arm"] != "third"], control="control", test=early, level=0.9)
    assert any(label.startswith(f"p, two-sided ({early.name})") for label in table.body[""])
    assert any("(90% CI)" in label for label in table.body[""])
    with pytest.raises(UnknownNameError, match="control"):
        survival_table(FRAME, control="placebo")
    with pytest.raises(InvalidValueError, match="patients: a frame"):
        survival_table({"a": Exponential(0.1)})
    with pytest.raises(InvalidValueError, match="landmarks"):
        survival_table(FRAME, landmarks=[0])


def test_endpoints_by_arm_and_reader():
    start = date(2024, 1, 1)
    said = {"1": ["PR", "PR"], "2": ["SD", "PD"], "3": ["PD"], "4": ["CR", "CR"], "5": ["SD"], "6": ["NE"], "7": []}
    histories = {
        (subject, reader): ResponseHistory(
            subject, start, [start + timedelta(days=56 * (k + 1)) for k in range(len(terms))], terms
        )
        for subject, terms in said.items()
        for reader in ("local", "central")
    }
    endpoints = {
        "BOR": BestOverallResponse(), "ORR": ObjectiveResponse(), "PFS": ProgressionFreeSurvival(),
    }  # fmt: skip
    arms = dict.fromkeys("12", "drug") | dict.fromkeys("34", "placebo")
    table = endpoint_table(derive_endpoints(histories, endpoints), arms=arms, level=0.9)
    cells = table.cells().set_index(["Endpoint", ""])
    assert list(cells.columns) == ["drug, local", "placebo, local", "drug, central", "placebo, central"]
    orr = cells.loc[("ORR", "Patients, n/N (%; 90% CI)")]
    low, high = beta.ppf([0.05, 0.95], [1, 2], [2, 1]) * 100  # one of two, Clopper-Pearson
    assert orr.tolist() == [f"1/2 (50.0; {low:.1f} to {high:.1f})"] * 4
    assert cells.loc[("BOR", "PD, n/N (%; 90% CI)"), "placebo, local"].startswith("1/2")
    assert (
        cells.loc[("BOR", "PD, n/N (%; 90% CI)"), "drug, local"]
        == f"0/2 (0.0; 0.0 to {100 * beta.ppf(0.95, 1, 2):.1f})"
    )
    assert [name.split(",")[0] for name in cells.loc["BOR"].index] == ["CR", "PR", "SD", "PD"]
    pfs = cells.loc[("PFS", "Median (90% CI), months; events/N")]
    assert pfs["drug, local"].startswith(f"{112 / 30.4375:.1f} (")
    assert pfs["placebo, central"].endswith("; 1/2")
    with pytest.raises(InvalidValueError, match="of 1 twice'; expected each endpoint of a subject once"):
        endpoint_table(pd.concat([derive_endpoints(histories, endpoints)] * 2), arms=arms)
    everyone = endpoint_table(derive_endpoints(histories, endpoints)).cells().set_index(["Endpoint", ""])
    listed = [name.split(",")[0] for name in everyone.loc["BOR"].index]
    assert listed == ["CR", "PR", "SD", "PD", "NE", "MISSING"]
    assert any("3 subjects without an arm" in note for note in table.notes)
    assert endpoint_table(derive_endpoints(histories, endpoints)).cells().columns[2] == "All patients, local"
    with pytest.raises(InvalidValueError, match="per_cent"):
        endpoint_table(pd.DataFrame({"subject": ["1"], "evaluator": [""], "endpoint": ["ORR"], "value": ["Y"]}))


def test_adverse_events_are_counted_once_a_patient():
    subjects = pd.DataFrame({"USUBJID": list("12345"), "TRT01A": ["drug"] * 3 + ["placebo"] * 2})
    subjects = subjects.assign(TRTSDT="2024-01-01", TRTEDT="2024-06-01")
    rows = [
        ("1", "Stomatitis", "Gastrointestinal", 1),
        ("1", "Stomatitis", "Gastrointestinal", 3),
        ("2", "Stomatitis", "Gastrointestinal", 2),
        ("2", "Nausea", "Gastrointestinal", 1),
        ("4", "Nausea", "Gastrointestinal", 1),
        ("3", "Rash", "Skin", 4),
    ]
    events = pd.DataFrame(rows, columns=["USUBJID", "AEDECOD", "AEBODSYS", "AETOXGR"]).assign(AESTDTC="2024-02-01")
    events = read_adverse_events(events, subjects)
    cells = adverse_event_table(events).cells()
    high = "grade \N{GREATER-THAN OR EQUAL TO} 3"
    assert list(cells.columns[2:]) == [
        "drug (n=3), any grade", f"drug (n=3), {high}", "placebo (n=2), any grade", f"placebo (n=2), {high}",
    ]  # fmt: skip
    counted = {line[1]: [cell.split(" ")[0] for cell in line[2:]] for line in cells.to_numpy().tolist()}
    assert counted == {
        "Any event": ["3", "2", "1", "0"],
        "Stomatitis": ["2", "1", "0", "0"],
        "Nausea": ["1", "0", "1", "0"],
        "Rash": ["1", "1", "0", "0"],
    }
    assert cells.set_index("").loc["Stomatitis"].iloc[0] == "Gastrointestinal"
    assert list(adverse_event_table(events, at_least=0.6).body[""]) == ["Any event", "Stomatitis"]
    by_class = adverse_event_table(events, by="soc", grades=[0]).cells().to_numpy().tolist()
    assert by_class[1:] == [["Gastrointestinal", "2 (66.7)", "1 (50.0)"], ["Skin", "1 (33.3)", "0 (0.0)"]]
    with pytest.raises(InvalidValueError, match="at_least"):
        adverse_event_table(events, at_least=0.9)
