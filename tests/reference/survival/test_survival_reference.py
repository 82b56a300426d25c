"""Estimators and comparisons against R: every row of the functions below is tested or named as out of scope.

Tolerance: 1e-8 relative, the digits of the iterated values; 3e-5 absolute for max-combo p-values, which the tools get
by randomised quadrature. Where a tool has another convention than ours, the function here says so.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.survival.comparisons import (
    FlemingHarrington,
    ModestlyWeighted,
    cox_hazard_ratio,
    logrank,
    max_combo,
    milestone_difference,
    rmst_difference,
)
from analysis.survival.estimators import kaplan_meier, rmst

DATA = Path(__file__).parents[1] / "data"
REFERENCE = pd.read_csv(DATA / "reference_values.csv.gz")


def arms(d):
    return d["time"], d["event"], d["treat"]


def argument(call, name):
    return float(re.search(rf"\b{name}=([\d.]+)", call)[1])


def last_event_until(delay, d):
    return d["time"][(d["event"] == 1) & (d["time"] <= delay)].max()


def weights_of(call):
    rho, gamma = (re.search(rf"{name}=c\(([^)]*)\)", call)[1].split(",") for name in ("rho", "gamma"))
    return [FlemingHarrington(float(r), float(g)) for r, g in zip(rho, gamma, strict=True)]


def survdiff(call, d):
    rho = 1.0 if "rho=1" in call else 0.0
    test = logrank(*arms(d), weight=FlemingHarrington(rho, 0), strata=d["stratum"] if "strata(" in call else None)
    observed = d.groupby("treat")["event"].sum()
    return {
        "chisq": test.statistic**2,
        "obs[1]": observed[0],
        "obs[2]": observed[1],
        "exp[1]": observed[0] + test.estimate,
        "exp[2]": observed[1] - test.estimate,
        "var11": test.std_error**2,
    }


def coxph(call, d):
    ties = "breslow" if "ties='breslow'" in call else "efron"
    ratio = cox_hazard_ratio(*arms(d), ties=ties, strata=d["stratum"] if "strata(" in call else None)
    return {
        "coef": np.log(ratio.estimate),
        "se": ratio.log_std_error,
        "loglik[1]": ratio.log_likelihood_null,
        "loglik[2]": ratio.log_likelihood,
        "score": ratio.score_chi_squared,
    }


def survfit_at_12(call, d):
    ci_type = re.search(r"conf.type='([\w-]+)'", call)[1]
    found = {}
    for number, arm in enumerate((0, 1), start=1):
        curve = kaplan_meier(d["time"][d["treat"] == arm], d["event"][d["treat"] == arm])
        found[f"surv12[{number}]"] = curve.survival_at(12)
        found[f"se12[{number}]"] = curve.std_error_at(12)
        found[f"lo[{number}]"], found[f"hi[{number}]"] = curve.limits_at(12, ci_type=ci_type)
    return found


def survfit_table(call, d):
    """Restricted means are up to the last time of either arm; a shorter curve is drawn on to it at its last level."""
    found = {}
    for number, arm in enumerate((0, 1), start=1):
        time, event = d["time"][d["treat"] == arm], d["event"][d["treat"] == arm]
        curve = kaplan_meier(time, event)
        found[f"median[{number}]"] = curve.median()
        found[f"lo[{number}]"], found[f"hi[{number}]"] = curve.median_ci(ci_type="log-log")
        beyond = (d["time"].max() - time.max()) * curve.survival[-1]
        found[f"rmean[{number}]"] = rmst(time, event, time.max()).estimate + beyond
    return found


def rmst2(call, d):
    tau = argument(call, "tau")
    gain = rmst_difference(*arms(d), tau=tau)
    ratio = rmst_difference(*arms(d), tau=tau, scale="log")
    each = {arm: rmst(d["time"][d["treat"] == arm], d["event"][d["treat"] == arm], tau) for arm in (0, 1)}
    return {
        "arm1_rmst": gain.experimental,
        "arm0_rmst": gain.control,
        "arm1_se": each[1].std_error,
        "arm0_se": each[0].std_error,
        "diff_est_lo_hi_p[1]": gain.estimate,
        "diff_est_lo_hi_p[2]": gain.lower,
        "diff_est_lo_hi_p[3]": gain.upper,
        "diff_est_lo_hi_p[4]": gain.p_two_sided,
        "ratio[1]": np.exp(ratio.estimate),
        "ratio[2]": np.exp(ratio.lower),
        "ratio[3]": np.exp(ratio.upper),
        "ratio[4]": ratio.p_two_sided,
    }


def simtrial_rmst(call, d):
    """simtrial multiplies the variance of each arm by m / (m - 1), m its events up to tau."""
    tau = argument(call, "tau")
    variance = 0.0
    for arm in (0, 1):
        time, event = d["time"][d["treat"] == arm], d["event"][d["treat"] == arm]
        m = ((time <= tau) & (event == 1)).sum()
        variance += rmst(time, event, tau).std_error ** 2 * m / (m - 1)
    gain = rmst_difference(*arms(d), tau=tau)
    return {"estimate": gain.estimate, "se": variance**0.5, "z": gain.estimate / variance**0.5}


def lrstat_rmdiff(call, d):
    gain = rmst_difference(*arms(d), tau=argument(call, "milestone"))
    return {
        "rmstDiff": gain.estimate,
        "var": gain.std_error**2,
        "z": -gain.statistic,
        "rmst1": gain.experimental,
        "rmst2": gain.control,
        "lower": gain.lower,
        "upper": gain.upper,
    }


def lrstat_kmdiff(call, d):
    gain = milestone_difference(*arms(d), milestone=argument(call, "milestone"))
    return {
        "survDiff": gain.estimate,
        "vsurvDiff": gain.std_error**2,
        "z": -gain.statistic,
        "surv1": gain.experimental,
        "surv2": gain.control,
        "lower": gain.lower,
        "upper": gain.upper,
    }


def simtrial_milestone(call, d):
    transform = "log-log" if "log-log" in call else "plain"
    gain = milestone_difference(*arms(d), milestone=argument(call, "ms_time"), transform=transform)
    return {"estimate": gain.estimate, "se": gain.std_error, "z": -gain.statistic}


def lrtest(call, d):
    weight = FlemingHarrington(argument(call, "rho1"), argument(call, "rho2"))
    test = logrank(*arms(d), weight=weight, strata=d["stratum"] if "stratum=" in call else None)
    return {"uscore": test.estimate, "vscore": test.std_error**2, "z": test.statistic, "p1": test.p_one_sided}


def nph_logrank(call, d):
    """The sign of nph's z is positive where the experimental arm does better."""
    test = logrank(*arms(d), weight=FlemingHarrington(argument(call, "rho"), argument(call, "gamma")))
    return {"chisq": test.statistic**2, "z": -test.statistic, "p": test.p_two_sided}


def nphrct_wlrt(call, d):
    weight = FlemingHarrington(argument(call, "rho"), argument(call, "gamma")) if "method='fh'" in call else None
    if "t_star" in call:
        weight = ModestlyWeighted(t_star=argument(call, "t_star"))
    if "s_star" in call:
        weight = ModestlyWeighted(w_max=1 / argument(call, "s_star"))
    test = logrank(*arms(d), weight=weight)
    return {"z": test.statistic, "u": test.estimate, "v": test.std_error**2}


def simtrial_wlr(call, d):
    """The sign of simtrial's z is positive where the experimental arm does better, its estimate is our sign.

    Its modest weight stops growing at the last event up to the delay, ours (and nphRCT's) at the delay itself.
    """
    limits = re.search(r"mb\((\d+), (\w+)\)", call)
    weight = (
        ModestlyWeighted(t_star=last_event_until(float(limits[1]), d), w_max=float(limits[2]))
        if limits
        else FlemingHarrington(argument(call, "rho"), argument(call, "gamma"))
    )
    test = logrank(*arms(d), weight=weight, strata=None if "d$stratum<-'All'" in call else d["stratum"])
    return {"z": -test.statistic, "estimate": test.estimate, "se": test.std_error}


def simtrial_maxcombo(call, d):
    test = max_combo(*arms(d), weights=weights_of(call))
    column_by_column = test.correlation[np.tril_indices(len(test.weights), -1)]
    found = {f"z[{i}]": z for i, z in enumerate(test.statistics, start=1)}
    found |= {f"corr_upper[{i}]": r for i, r in enumerate(column_by_column, start=1)}
    return found | {"p_value": test.p_one_sided, "corr_upper": test.correlation[0, 1]}


def nph_maxtest(call, d):
    """nph's "less" is the alternative that the experimental arm is worse, so the arms are exchanged."""
    two_sided = "alternative" not in call
    test = max_combo(d["time"], d["event"], d["treat"] == (1 if two_sided else 0), weights=weights_of(call))
    found = {f"z[{i}]": z for i, z in enumerate(test.statistics, start=1)}
    return found | {"pmult": test.p_two_sided if two_sided else test.p_one_sided}


def calogrank(call, d):
    test = survdiff(call, d)
    size = d.groupby("treat").size()
    v = test["var11"]
    stat = [
        size[0],
        size[1],
        test["obs[1]"],
        test["obs[2]"],
        test["exp[1]"],
        test["exp[2]"],
        v,
        -v,
        -v,
        v,
        test["chisq"],
    ]
    found = {f"stat_p[{i}]": value for i, value in enumerate(stat, start=1)}
    return found | {"stat_p[12]": logrank(*arms(d)).p_two_sided, "stat_p[13]": len(d)}


CHECKS = {
    "survdiff": survdiff,
    "survdiff rho=1": survdiff,
    "survdiff strata": survdiff,
    "coxph breslow": coxph,
    "coxph efron": coxph,
    "coxph strata efron": coxph,
    "survfit log": survfit_at_12,
    "survfit log-log": survfit_at_12,
    "survfit plain": survfit_at_12,
    "survfit median (log-log CI)": survfit_table,
    "rmst2": rmst2,
    "rmst": simtrial_rmst,
    "rmdiff": lrstat_rmdiff,
    "kmdiff": lrstat_kmdiff,
    "milestone": simtrial_milestone,
    "lrtest": lrtest,
    "lrtest stratified": lrtest,
    "logrank.test": nph_logrank,
    "wlrt fh": nphrct_wlrt,
    "wlrt mw t_star": nphrct_wlrt,
    "wlrt mw s_star": nphrct_wlrt,
    "wlr fh": simtrial_wlr,
    "wlr fh stratified": simtrial_wlr,
    "wlr mb": simtrial_wlr,
    "maxcombo": simtrial_maxcombo,
    "logrank.maxtest": nph_maxtest,
    "logrank.maxtest two-sided": nph_maxtest,
    "calogrank": calogrank,
}
OUT_OF_SCOPE = [
    ("coxph exact", r".*", "the exact handling of ties is not offered"),
    ("logrank.maxtest", r"p_bonf", "Bonferroni's bound is not offered"),
    ("calogrank", r"stat_p\[(1[4-9]|2\d)\]", "the covariate-adjusted log-rank test is not offered"),
]
IN_ROOM = REFERENCE[REFERENCE["function"].isin([*CHECKS, *(function for function, _, _ in OUT_OF_SCOPE)])]


def reason_out_of_scope(function, quantity):
    reasons = [r for f, pattern, r in OUT_OF_SCOPE if f == function and re.fullmatch(pattern, quantity)]
    return reasons[0] if reasons else None


SCOPE = IN_ROOM.assign(
    reason=[reason_out_of_scope(f, q) for f, q in zip(IN_ROOM["function"], IN_ROOM["quantity"], strict=True)]
)
TESTED = SCOPE[SCOPE["reason"].isna()]
CASES = [
    pytest.param(f, call, rows, id=f"{f}-{i}")
    for i, ((f, call), rows) in enumerate(TESTED.groupby(["function", "call"], sort=False))
]


@pytest.mark.parametrize(("function", "call", "rows"), CASES)
def test_agrees_with_reference(function, call, rows):
    data = pd.read_csv(DATA / re.search(r"test_n\w+\.csv", call)[0])
    found = CHECKS[function](call, data)
    for quantity, value in zip(rows["quantity"], rows["value"], strict=True):
        randomised = quantity in ("p_value", "pmult")
        expected = pytest.approx(value, rel=0, abs=3e-5) if randomised else pytest.approx(value, rel=1e-8, abs=1e-10)
        assert found[quantity] == expected, quantity


def test_every_row_is_tested_or_named(capsys):
    counts = SCOPE.groupby("tool")["reason"].agg(
        tested=lambda r: r.isna().sum(), out_of_scope=lambda r: r.notna().sum()
    )
    with capsys.disabled():
        print(f"\nsurvival rows by tool\n{counts}")
        print(f"out of scope\n{SCOPE.groupby(['function', 'reason']).size().to_string()}")
    assert counts.sum().to_dict() == {"tested": 624, "out_of_scope": 34}
