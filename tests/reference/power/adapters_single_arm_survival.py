"""Single-arm designs on a time-to-event endpoint: logRank1s, OneArm2stage, rashnu, lrstat's one-sample functions."""

from __future__ import annotations

import csv
import re
from math import ceil, log, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.design import UniformAccrual
from analysis.power.single_arm import (
    FollowUp,
    Landmark,
    OneSampleLogRank,
    RestrictedMean,
    SurvivalDesign,
    one_sample_logrank,
    survival_accrual_duration,
    survival_sample_size,
)
from analysis.survival import Exponential, Weibull
from tests.reference.power.r_calls import DATA
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.power import Moments
    from tests.reference.power.r_calls import RCall


def weibull(median: float, shape: float, ratio: float = 1.0) -> Weibull:
    """Weibull distribution of this median under proportional hazards of ``ratio`` against it."""
    return Weibull(shape, median / (log(2) * ratio) ** (1 / shape))


def log_rank_1s(call: RCall) -> dict[str, float]:
    null, truth = weibull(call["m0"], call["k"]), weibull(call["m0"], call["k"], call["delta"])
    follow_up = FollowUp(UniformAccrual(call["ta"]), call["ta"] + call["tf"])
    test = OneSampleLogRank(null)
    n = survival_sample_size(test, truth, follow_up, alpha=call["alpha"], power=call["power"])
    found = test.moments(truth, follow_up)
    p0, delta = found.null_sd**2, call["delta"]
    # the second moment of the expected count, out of the variance: sigma^2 = p1 - p1^2 + 2 p00 - p0^2 - 2 p01 + 2 p0 p1
    p1 = delta * p0
    p00 = (found.sd**2 - p1 + p1**2 + p0**2 - 2 * p0 * p1) / (2 - 2 * delta)
    return {"n_ceil": ceil(n), "n_cont": n, "p0": p0, "p00": p00, "sigma": found.sd}


def one_sample_survival(call: RCall) -> dict[str, float]:
    # the tool takes its variance at p2 whichever rate is the better one
    better_second = call["p2"] > call["p1"]
    null_survival, survival = sorted((call["p1"], call["p2"]))
    variance = "both" if call["method"] == "log-swog" else "alternative" if better_second else "null"
    scale = {"arcsin": "arcsine", "log-swog": "log", "identity": "difference"}.get(call["method"], call["method"])
    test = Landmark(call["survTime"], null_survival, scale, variance)
    truth = Exponential(-log(survival) / call["survTime"])
    follow_up = FollowUp(UniformAccrual(call["accrualTime"]), call["accrualTime"] + call["followTime"])
    alpha = call["alpha"] / (1 if call["side"].startswith("one") else 2)
    n = ceil(survival_sample_size(test, truth, follow_up, alpha=alpha, power=call["power"]))
    # the tool rounds the power to three decimals
    return {"SampleSize": n, "Power": round(SurvivalDesign(test, truth, follow_up, n, alpha).attained_power, 3)}


def lrstat_power(test: Landmark | RestrictedMean, call: RCall) -> tuple[float, float, Moments]:
    """Power, information and moments of a trial whose patients come at a constant rate."""
    truth, dropout = Exponential(float(call["lambda"])), Exponential(call["gamma"])
    duration = call["accrualDuration"]
    follow_up = FollowUp(UniformAccrual(duration), duration + call["followupTime"], dropout)
    n = call["accrualIntensity"] * duration
    found = test.moments(truth, follow_up)
    power = stats.norm.cdf(sqrt(n) * found.effect / found.sd - float(call["criticalValues"]))
    return float(power), n / found.sd**2, found


def km_power(call: RCall) -> dict[str, float]:
    power, information, _ = lrstat_power(Landmark(call["milestone"], call["survH0"], scale="difference"), call)
    return {"power": power, "info": information}


def rm_power(call: RCall) -> dict[str, float]:
    power, information, found = lrstat_power(RestrictedMean(call["milestone"], call["rmstH0"]), call)
    return {"power": power, "info": information, "rmst": found.effect + call["rmstH0"]}


def one_arm_formula(text: str) -> Mapping[str, float]:
    found = re.search(r"read\.csv\('(.+?)'\).*log\(2\)/(\d+)", text)
    assert found is not None, text
    with (DATA / found[1]).open() as stream:
        rows = [row for row in csv.DictReader(stream) if int(row["treat"]) == 1]
    time, event = np.array([[float(row["time"]), float(row["event"])] for row in rows]).T
    result = one_sample_logrank(time, event == 1, Exponential.from_median(float(found[2])))
    # the tool's Z is (E - O) / sqrt(E)
    return {"O_E_Z[1]": result.observed, "O_E_Z[2]": result.expected, "O_E_Z[3]": -result.statistic}


def weibull_pair(call: RCall) -> tuple[Weibull, Weibull]:
    """Null distribution through S0 at x0, and the truth at hazard ratio hr against it."""
    null = Weibull(call["shape"], call["x0"] / (-log(call["S0"])) ** (1 / call["shape"]))
    return null, Weibull(call["shape"], null.scale / call["hr"] ** (1 / call["shape"]))


def phase2_tte(call: RCall) -> dict[str, float]:
    null, truth = weibull_pair(call)
    duration = survival_accrual_duration(
        OneSampleLogRank(null),
        truth,
        rate=call["rate"],
        follow_up=call["tf"],
        alpha=call["alpha"],
        power=1 - call["beta"],
    )
    single = {
        "nsingle": ceil(call["rate"] * duration),
        "tasingle": ceil(duration),
        "csingle": stats.norm.isf(call["alpha"]),
    }
    return {f"Single_stage.{name} (tool rounds to 4 dp)": value for name, value in single.items()}


ADAPTERS = {
    ("logRank1s (GitHub XiaomengYuan9709; Wu 2015)", "SampleSize"): Adapter(compute=log_rank_1s),
    ("rashnu", "oneSurvSampleSize"): Adapter(compute=one_sample_survival),
    ("lrstat", "kmpower1s"): Adapter(compute=km_power),
    ("lrstat", "rmpower1s"): Adapter(compute=rm_power),
    ("OneArm2stage formula", "one-sample log-rank vs exp(median 8) on treat==1"): Adapter(compute_text=one_arm_formula),
    ("OneArm2stage (sourced R file)", "phase2.TTE"): Adapter(compute=phase2_tte),
}
