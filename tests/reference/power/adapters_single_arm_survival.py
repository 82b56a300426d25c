"""Single-arm designs on a time-to-event endpoint: logRank1s, OneArm2stage, rashnu, lrstat's one-sample functions."""

from __future__ import annotations

import csv
import re
from math import ceil, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from analysis.single_arm.two_stage_survival import _Request, single_stage_size
from analysis.statistical_tests import LandmarkSurvival, OneSampleLogRank, RestrictedMean
from analysis.survival import Exponential, Weibull
from tests.large_trials import single_arm_trial
from tests.reference.power.r_calls import DATA
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from tests.reference.power.r_calls import RCall


def weibull(median: float, shape: float, ratio: float = 1.0) -> Weibull:
    """Weibull distribution of this median under proportional hazards of ``ratio`` against it."""
    return Weibull(shape, median / (log(2) * ratio) ** (1 / shape))


def log_rank_1s(call: RCall) -> dict[str, Any]:
    null, truth = weibull(call["m0"], call["k"]), weibull(call["m0"], call["k"], call["delta"])
    trial = single_arm_trial(truth, n=1, accrual=call["ta"])
    found = OneSampleLogRank(null).moments(trial, call["ta"] + call["tf"])
    n = found.size_factor(call["power"], call["alpha"])
    p0, delta = found.null_sd**2, call["delta"]
    # the second moment of the expected count, out of the variance: sigma^2 = p1 - p1^2 + 2 p00 - p0^2 - 2 p01 + 2 p0 p1
    p1 = delta * p0
    p00 = (found.sd**2 - p1 + p1**2 + p0**2 - 2 * p0 * p1) / (2 - 2 * delta)
    return {"n_ceil": ceil(n), "n_cont": n, "p0": p0, "p00": p00, "sigma": found.sd}


def one_sample_survival(call: RCall) -> dict[str, Any]:
    # the tool takes its variance at p2 whichever rate is the better one
    better_second = call["p2"] > call["p1"]
    null_survival, survival = sorted((call["p1"], call["p2"]))
    variance = "both" if call["method"] == "log-swog" else "alternative" if better_second else "null"
    scale = {"arcsin": "arcsine", "log-swog": "log", "identity": "plain"}.get(call["method"], call["method"])
    test = LandmarkSurvival(call["survTime"], null_survival, scale, variance)
    truth = Exponential(-log(survival) / call["survTime"])
    alpha = call["alpha"] / (1 if call["side"].startswith("one") else 2)
    one = test.moments(
        single_arm_trial(truth, n=1, accrual=call["accrualTime"]), call["accrualTime"] + call["followTime"]
    )
    n = ceil(one.size_factor(call["power"], alpha))
    # the tool rounds the power to three decimals
    return {"SampleSize": n, "Power": round(one.scaled(n).power(alpha), 3)}


def lrstat_power(test: LandmarkSurvival | RestrictedMean, call: RCall) -> dict[str, Any]:
    """Power, information and effect in a trial whose patients come at a constant rate."""
    duration = call["accrualDuration"]
    trial = single_arm_trial(
        Exponential(float(call["lambda"])),
        n=call["accrualIntensity"] * duration,
        accrual=duration,
        dropout=call["gamma"],
    )
    found = test.moments(trial, duration + call["followupTime"])
    power = found.probability_above(float(call["criticalValues"]))
    return {"power": power, "info": 1 / found.sd**2, "rmst": found.effect + call.get("rmstH0", 0.0)}


def km_power(call: RCall) -> dict[str, Any]:
    return lrstat_power(LandmarkSurvival(call["milestone"], call["survH0"], scale="plain"), call)


def rm_power(call: RCall) -> dict[str, Any]:
    return lrstat_power(RestrictedMean(call["milestone"], call["rmstH0"]), call)


def one_arm_formula(text: str) -> dict[str, Any]:
    found = re.search(r"read\.csv\('(.+?)'\).*log\(2\)/(\d+)", text)
    assert found is not None, text
    with (DATA / found[1]).open() as stream:
        rows = [row for row in csv.DictReader(stream) if int(row["treat"]) == 1]
    time, event = np.array([[float(row["time"]), float(row["event"])] for row in rows]).T
    result = OneSampleLogRank(Exponential.from_median(float(found[2]))).analyse(time, event == 1).details
    observed, expected = result["observed"], result["expected"]
    return {"O_E_Z": [observed, expected, (expected - observed) / sqrt(expected)]}


def weibull_pair(call: RCall) -> tuple[Weibull, Weibull]:
    """Null distribution through S0 at x0, and the truth at hazard ratio hr against it."""
    null = Weibull(call["shape"], call["x0"] / (-log(call["S0"])) ** (1 / call["shape"]))
    return null, Weibull(call["shape"], null.scale / call["hr"] ** (1 / call["shape"]))


def phase2_tte(call: RCall) -> dict[str, Any]:
    null, truth = weibull_pair(call)
    errors = call["alpha"], 1 - call["beta"]
    n = single_stage_size(_Request(OneSampleLogRank(null), null, truth, call["rate"], call["tf"], *errors, None))
    found = {"nsingle": ceil(n), "tasingle": ceil(n / call["rate"]), "csingle": stats.norm.isf(call["alpha"])}
    return {f"Single_stage.{name}": value for name, value in found.items()}


ADAPTERS = {
    ("logRank1s (GitHub XiaomengYuan9709; Wu 2015)", "SampleSize"): Adapter(compute=log_rank_1s),
    ("rashnu", "oneSurvSampleSize"): Adapter(compute=one_sample_survival),
    ("lrstat", "kmpower1s"): Adapter(compute=km_power),
    ("lrstat", "rmpower1s"): Adapter(compute=rm_power),
    ("OneArm2stage formula", "one-sample log-rank vs exp(median 8) on treat==1"): Adapter(compute_text=one_arm_formula),
    ("OneArm2stage (sourced R file)", "phase2.TTE"): Adapter(compute=phase2_tte),
}
