"""In-loop statistics on fixed data sets with ties, against R and its packages; the rows give tool, version and call."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.simulation import CoxHazardRatio, LogRank, MaxCombo, MilestoneDifference, RMSTDifference
from analysis.simulation.patients import NO_VISITS, Batch, Observations
from analysis.simulation.risk_sets import risk_sets, snapshot
from analysis.survival.comparisons import FlemingHarrington, ModestlyWeighted

DATA = Path(__file__).parents[1] / "data"
ROWS = pd.read_csv(DATA / "reference_values.csv.gz")
ROWS = ROWS[ROWS["call"].str.contains("test_n")]


def evaluated(test, name, stratified):
    """The test's columns on a data set, through the same kernels that the loop uses."""
    data = pd.read_csv(DATA / name)
    strata = sorted(data["stratum"].unique()) if stratified else ["all"]
    data = data.assign(block=data["stratum"] if stratified else "all").sort_values(["block", "treat"], kind="stable")
    sizes = [((data["block"] == s) & (data["treat"] == arm)).sum() for s in strata for arm in (0, 1)]
    bounds = np.concatenate(([0], np.cumsum(sizes)))
    time, event = data["time"].to_numpy(float)[None, :], data["event"].to_numpy(bool)[None, :]
    seen = Observations(time, time, time, event, False, NO_VISITS, np.empty((0, 0), np.uint64))
    batch = Batch(np.zeros_like(time), np.zeros_like(time), np.empty((0, 0)), {"PFS": seen})
    sets = risk_sets(snapshot(batch, seen, np.array([1e9])), bounds, 2, (0, 1), stratified=stratified)
    return dict(zip(test.columns, test.evaluate(sets)[0], strict=True))


def rows(function, *quantities):
    """Rows of the quantities that are columns of the in-loop test."""
    chosen = ROWS[(ROWS["function"] == function) & ROWS["quantity"].isin(quantities)]
    assert len(chosen), function
    return [
        pytest.param(*row, id=f"{number}")
        for number, row in enumerate(chosen[["call", "quantity", "value"]].to_numpy())
    ]


def cells(row):
    return row[0]  # the values of a pytest parameter set


def data_set(call):
    return re.search(r"test_n\w+\.csv", call).group()


def exponents(call, names):
    return [float(re.search(rf"\b{name}\s*=\s*([\d.]+)", call).group(1)) for name in names]


@pytest.mark.parametrize(("call", "quantity", "value"), rows("survdiff", "chisq") + rows("survdiff strata", "chisq"))
def test_log_rank_equals_survdiff(call, quantity, value):
    z = evaluated(LogRank(), data_set(call), "strata(" in call)["z"]
    assert z**2 == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize(
    ("call", "quantity", "value"), rows("lrtest", "z", "p1") + rows("lrtest stratified", "z", "p1")
)
def test_weighted_log_rank_equals_lrstat(call, quantity, value):
    weight = FlemingHarrington(*exponents(call, ("rho1", "rho2")))
    z = evaluated(LogRank(weight), data_set(call), "stratum=" in call)["z"]
    assert (z if quantity == "z" else 0.5 * math.erfc(-z / math.sqrt(2))) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(("call", "quantity", "value"), rows("wlr fh stratified", "z"))
def test_stratified_fleming_harrington_equals_simtrial(call, quantity, value):
    weight = FlemingHarrington(*exponents(call, ("rho", "gamma")))
    assert -evaluated(LogRank(weight), data_set(call), True)["z"] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(("call", "quantity", "value"), rows("wlrt mw t_star", "z"))
def test_modestly_weighted_equals_nphrct(call, quantity, value):
    weight = ModestlyWeighted(t_star=exponents(call, ("t_star",))[0])
    assert evaluated(LogRank(weight), data_set(call), False)["z"] == pytest.approx(value, rel=1e-9)


COX = [row for ties in ("efron", "breslow", "strata efron") for row in rows(f"coxph {ties}", "coef", "se")]


@pytest.mark.parametrize(("call", "quantity", "value"), COX)
def test_hazard_ratio_equals_coxph(call, quantity, value):
    test = CoxHazardRatio(ties="breslow" if "breslow" in call else "efron")
    found = evaluated(test, data_set(call), "strata(" in call)
    assert (math.log(found["estimate"]) if quantity == "coef" else found["std_error"]) == pytest.approx(value, rel=1e-6)
    assert found["z"] == pytest.approx(math.log(found["estimate"]) / found["std_error"], rel=1e-9)


RMST_COLUMN = {"diff_est_lo_hi_p[1]": "estimate", "diff_est_lo_hi_p[2]": "lower", "diff_est_lo_hi_p[3]": "upper"}
RMST = rows("rmst2", *RMST_COLUMN) + rows("rmst", "estimate")  # simtrial's standard error is not survRM2's


@pytest.mark.parametrize(("call", "quantity", "value"), RMST)
def test_rmst_difference_equals_survrm2_and_simtrial(call, quantity, value):
    found = evaluated(RMSTDifference(exponents(call, ("tau",))[0]), data_set(call), False)
    assert found[RMST_COLUMN.get(quantity, quantity)] == pytest.approx(value, rel=1e-9)
    assert found["z"] == pytest.approx(-found["estimate"] / found["std_error"], rel=1e-9)


MILESTONE = rows("milestone", "z", "estimate", "se")
PLAIN = [row for row in MILESTONE if "naive" in cells(row)[0]]
LOG_LOG = [row for row in MILESTONE if "log-log" in cells(row)[0] and cells(row)[1] == "z"]  # estimates on that scale


@pytest.mark.parametrize(("call", "quantity", "value"), PLAIN + LOG_LOG)
def test_milestone_difference_equals_simtrial(call, quantity, value):
    transform = "log-log" if "log-log" in call else "plain"
    test = MilestoneDifference(exponents(call, ("ms_time",))[0], transform)
    column = {"z": "z", "estimate": "estimate", "se": "std_error"}[quantity]
    found = evaluated(test, data_set(call), False)[column]
    assert (-found if quantity == "z" else found) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(("call", "quantity", "value"), rows("maxcombo", "p_value"))
def test_max_combo_equals_simtrial(call, quantity, value):
    rho, gamma = (
        [float(x) for x in re.search(rf"{k}=c\(([^)]*)\)", call).group(1).split(",")] for k in ("rho", "gamma")
    )
    test = MaxCombo([FlemingHarrington(r, g) for r, g in zip(rho, gamma, strict=True)])
    z = evaluated(test, data_set(call), False)["z"]
    assert 0.5 * math.erfc(-z / math.sqrt(2)) == pytest.approx(value, abs=2e-4)  # simtrial's quadrature is randomised
