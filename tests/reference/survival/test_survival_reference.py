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

from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    NumberAtRisk,
    RMSTDifference,
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
    test = LogRank(FlemingHarrington(rho, 0)).analyse(*arms(d), strata=d["stratum"] if "strata(" in call else None)
    observed = d.groupby("treat")["event"].sum()
    return {
        "chisq": test.z**2,
        "obs[1]": observed[0],
        "obs[2]": observed[1],
        "exp[1]": observed[0] - test.details["score"],
        "exp[2]": observed[1] + test.details["score"],
        "var11": test.details["score_variance"],
    }


def coxph(call, d):
    ties = "breslow" if "ties='breslow'" in call else "efron"
    ratio = CoxHazardRatio(ties=ties).analyse(*arms(d), strata=d["stratum"] if "strata(" in call else None)
    return {
        "coef": np.log(ratio.estimate),
        "se": ratio.std_error,
        "loglik[1]": ratio.details["log_likelihood_null"],
        "loglik[2]": ratio.details["log_likelihood"],
        "score": ratio.details["score_chi_squared"],
    }


def survfit_at_12(call, d):
    scale = re.search(r"conf.type='([\w-]+)'", call)[1]
    found = {}
    for number, arm in enumerate((0, 1), start=1):
        curve = kaplan_meier(d["time"][d["treat"] == arm], d["event"][d["treat"] == arm])
        found[f"surv12[{number}]"] = curve.survival_at(12)
        found[f"se12[{number}]"] = curve.std_error_at(12)
        found[f"lo[{number}]"], found[f"hi[{number}]"] = curve.limits_at(12, scale=scale)
    return found


def survfit_table(call, d):
    """Restricted means are up to the last time of either arm; a shorter curve is drawn on to it at its last level."""
    found = {}
    for number, arm in enumerate((0, 1), start=1):
        time, event = d["time"][d["treat"] == arm], d["event"][d["treat"] == arm]
        curve = kaplan_meier(time, event)
        found[f"median[{number}]"] = curve.median()
        found[f"lo[{number}]"], found[f"hi[{number}]"] = curve.median_ci(scale="log-log")
        beyond = (d["time"].max() - time.max()) * curve.survival[-1]
        found[f"rmean[{number}]"] = rmst(time, event, time.max()).estimate + beyond
    return found


def rmst2(call, d):
    tau = argument(call, "tau")
    gain = RMSTDifference(tau).analyse(*arms(d))
    ratio = RMSTDifference(tau, scale="log").analyse(*arms(d))
    each = {arm: rmst(d["time"][d["treat"] == arm], d["event"][d["treat"] == arm], tau) for arm in (0, 1)}
    return {
        "arm1_rmst": gain.details["experimental"],
        "arm0_rmst": gain.details["control"],
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
    gain = RMSTDifference(tau).analyse(*arms(d))
    return {"estimate": gain.estimate, "se": variance**0.5, "z": gain.estimate / variance**0.5}


def lrstat_rmdiff(call, d):
    gain = RMSTDifference(argument(call, "milestone")).analyse(*arms(d))
    return {
        "rmstDiff": gain.estimate,
        "var": gain.std_error**2,
        "z": gain.z,
        "rmst1": gain.details["experimental"],
        "rmst2": gain.details["control"],
        "lower": gain.lower,
        "upper": gain.upper,
    }


def lrstat_kmdiff(call, d):
    gain = MilestoneDifference(argument(call, "milestone")).analyse(*arms(d))
    return {
        "survDiff": gain.estimate,
        "vsurvDiff": gain.std_error**2,
        "z": gain.z,
        "surv1": gain.details["experimental"],
        "surv2": gain.details["control"],
        "lower": gain.lower,
        "upper": gain.upper,
    }


def simtrial_milestone(call, d):
    transform = "log-log" if "log-log" in call else "plain"
    gain = MilestoneDifference(argument(call, "ms_time"), scale=transform).analyse(*arms(d))
    return {"estimate": gain.estimate, "se": gain.std_error, "z": gain.z}


def score_of(test):
    """The tools' score and z are positive where the experimental arm has more events than expected."""
    return {"uscore": -test.details["score"], "vscore": test.details["score_variance"]}


def lrtest(call, d):
    weight = FlemingHarrington(argument(call, "rho1"), argument(call, "rho2"))
    test = LogRank(weight).analyse(*arms(d), strata=d["stratum"] if "stratum=" in call else None)
    return {**score_of(test), "z": -test.z, "p1": test.p_one_sided}


def nph_logrank(call, d):
    """The sign of nph's z is positive where the experimental arm does better."""
    test = LogRank(FlemingHarrington(argument(call, "rho"), argument(call, "gamma"))).analyse(*arms(d))
    return {"chisq": test.z**2, "z": test.z, "p": test.p_two_sided}


def nphrct_wlrt(call, d):
    weight = (
        FlemingHarrington(argument(call, "rho"), argument(call, "gamma")) if "method='fh'" in call else NumberAtRisk(0)
    )
    if "t_star" in call:
        weight = ModestlyWeighted(t_star=argument(call, "t_star"))
    if "s_star" in call:
        weight = ModestlyWeighted(w_max=1 / argument(call, "s_star"))
    test = LogRank(weight).analyse(*arms(d))
    return {"z": -test.z, "u": -test.details["score"], "v": test.details["score_variance"]}


def simtrial_wlr(call, d):
    """The sign of simtrial's z is positive where the experimental arm does better, its estimate where it does worse.

    Its modest weight stops growing at the last event up to the delay, ours (and nphRCT's) at the delay itself.
    """
    limits = re.search(r"mb\((\d+), (\w+)\)", call)
    weight = (
        ModestlyWeighted(t_star=last_event_until(float(limits[1]), d), w_max=float(limits[2]))
        if limits
        else FlemingHarrington(argument(call, "rho"), argument(call, "gamma"))
    )
    test = LogRank(weight).analyse(*arms(d), strata=None if "d$stratum<-'All'" in call else d["stratum"])
    return {"z": test.z, "estimate": -test.details["score"], "se": test.details["score_variance"] ** 0.5}


def simtrial_maxcombo(call, d):
    test = MaxCombo(weights_of(call)).analyse(*arms(d))
    column_by_column = test.details["correlation"][np.tril_indices(len(weights_of(call)), -1)]
    found = {f"z[{i}]": -z for i, z in enumerate(test.details["components"], start=1)}
    found |= {f"corr_upper[{i}]": r for i, r in enumerate(column_by_column, start=1)}
    return found | {"p_value": test.p_one_sided, "corr_upper": test.details["correlation"][0, 1]}


def nph_maxtest(call, d):
    """nph's "less" is the alternative that the experimental arm is worse, so the arms are exchanged."""
    two_sided = "alternative" not in call
    test = MaxCombo(weights_of(call)).analyse(d["time"], d["event"], d["treat"] == (1 if two_sided else 0))
    found = {f"z[{i}]": -z for i, z in enumerate(test.details["components"], start=1)}
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
    return found | {"stat_p[12]": LogRank().analyse(*arms(d)).p_two_sided, "stat_p[13]": len(d)}


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
