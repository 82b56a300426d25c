"""Two-arm designs without proportional hazards, and tools of one question: their calls in this package's terms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from analysis.design import Assessments, IllnessDeath
from analysis.expected.numbers import time_of_events
from analysis.expected.score import average_hazard_ratio
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    IntervalCensoredHazardRatio,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    NumberAtRisk,
    QuantileDifference,
    RMSTDifference,
)
from analysis.statistical_tests.formulas import ahr_information
from analysis.survival import Exponential, PiecewiseExponential, ProportionalHazards
from tests.large_trials import stratified_trial, two_arm_trial
from tests.reference.power import r_integrate
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests.moments import Moments
    from tests.reference.power.r_calls import RCall

from tests.reference.power.adapters_two_arm import accrual, events_by, vector

# npsurvSS -------------------------------------------------------------------------------------------------------------


def npsurv_trial(call: RCall) -> tuple[ExpectedTrial, float]:
    arms = control, experimental = call.args[:2]
    breaks = [vector(arm["surv_interval"])[1:-1] if arm.get("surv_interval") is not None else [] for arm in arms]
    curves = [PiecewiseExponential(vector(arm["surv_scale"]), at) for arm, at in zip(arms, breaks, strict=True)]
    entry: Any = control["accr_time"]
    if control.get("accr_dist") == "pieceuni":
        lengths = np.diff(vector(control["accr_interval"]))
        entry = accrual(lengths, control["accr_param"] / lengths)
    trial = two_arm_trial(
        *curves,
        n=control["size"] + experimental["size"],
        accrual=entry,
        allocation_ratio=experimental["size"] / control["size"],
        dropout={"control": control["loss_scale"], "experimental": experimental["loss_scale"]},
    )
    return trial, control["accr_time"] + control["follow_time"]


def npsurv_exponents(name: str) -> tuple[float, float]:
    """Exponents (rho, gamma) of a weight; npsurvSS raises the distribution function, not the survival, to p."""
    if name == "1":
        return 0.0, 0.0
    p, q = (float(part[1:]) for part in name.split("_")[1:])
    return q, p


def npsurv_test(test: dict[str, Any]) -> Any:
    kind = test.get("mean_approx", "asymptotic") if test["test"] == "weighted logrank" else test["test"]
    at_risk = {"n": NumberAtRisk(1.0), "sqrtN": NumberAtRisk(0.5)}
    weight = test.get("weight", "1")
    return {
        "survival difference": lambda: MilestoneDifference(test["milestone"]),
        "survival ratio": lambda: MilestoneDifference(test["milestone"], scale="log"),
        "rmst difference": lambda: RMSTDifference(test["milestone"]),
        "rmst ratio": lambda: RMSTDifference(test["milestone"], scale="log"),
        "percentile difference": lambda: QuantileDifference(test["percentile"]),
        "hazard ratio": CoxHazardRatio,
        "asymptotic": lambda: LogRank(at_risk.get(weight) or FlemingHarrington(*npsurv_exponents(weight))),
        "event driven": lambda: LogRank(formula="schoenfeld"),
    }.get(kind, lambda: LogRank(formula=kind))()


def npsurv_answer(call: RCall, moments: Moments) -> dict[str, Any]:
    power = moments.power(call.get("alpha", 0.025), sided=int(call.get("sides", 1)), rejection="either")
    return {"power": power}


WEIGHTED = {"test": "weighted logrank"}


def npsurv_power(call: RCall) -> dict[str, Any]:
    return npsurv_answer(call, npsurv_test(call.get("test", WEIGHTED)).moments(*npsurv_trial(call)))


def npsurv_power_by_r(call: RCall) -> dict[str, Any]:
    at, test = npsurv_trial(call), call.get("test", WEIGHTED)
    if test["test"] == "percentile difference":
        return npsurv_answer(call, r_integrate.quantile_difference(*at, test["percentile"]))
    if test["test"].startswith("rmst"):
        return npsurv_answer(
            call, r_integrate.rmst_difference(*at, test["milestone"], log=test["test"] == "rmst ratio")
        )
    if test.get("mean_approx") == "generalized schoenfeld":
        return npsurv_answer(call, r_integrate.generalized_schoenfeld(*at))
    if test["test"] == "hazard ratio":
        return npsurv_answer(call, r_integrate.cox_wald(*at))
    weight = r_integrate.fleming_harrington(*npsurv_exponents(test.get("weight", "1")))
    return npsurv_answer(call, r_integrate.score_test(*at, weight))


# gsDesign2 ------------------------------------------------------------------------------------------------------------


def gsd2_trial(call: RCall) -> ExpectedTrial:
    enroll, fail = call["enroll_rate"], call["fail_rate"]
    durations, rates, ratios = vector(enroll["duration"]), vector(enroll["rate"]), np.array(vector(fail["hr"]))
    hazard = np.broadcast_to(vector(fail["fail_rate"]), ratios.shape)
    rest = {"allocation_ratio": call.get("ratio", 1.0), "dropout": fail.get("dropout_rate", 0.0)}
    if enroll.get("stratum") is not None:
        cells = [(n, Exponential(h), Exponential(h * hr)) for n, h, hr in zip(rates, hazard, ratios, strict=True)]
        return stratified_trial(cells, n=sum(rates) * durations[0], accrual=durations[0], **rest)
    breaks = np.cumsum(vector(fail.get("duration", np.inf))[:-1])
    curves = PiecewiseExponential(hazard, breaks), PiecewiseExponential(hazard * ratios, breaks)
    return two_arm_trial(*curves, n=float(np.dot(durations, rates)), accrual=accrual(durations, rates), **rest)


def gsd2_at(trial: ExpectedTrial, time: float) -> dict[str, Any]:
    info0, info = ahr_information(trial, time)
    ahr = average_hazard_ratio(trial, time)
    return {"time": time, "ahr": ahr, "event": events_by(trial, time), "info": info, "info0": info0}


def gsd2_expected_time(call: RCall) -> dict[str, Any]:
    trial = gsd2_trial(call)
    return gsd2_at(trial, time_of_events(trial, call["target_event"]))


AVERAGE = LogRank(formula="average hazard ratio")


def gsd2_power_ahr(call: RCall) -> dict[str, Any]:
    trial, time = gsd2_trial(call), call["analysis_time"]
    return {"power": AVERAGE.moments(trial, time).power(float(ndtr(-call["upar"]))), **gsd2_at(trial, time)}


def gsd2_fixed(call: RCall, test: Any) -> dict[str, Any]:
    return gsd2_answer(call, test.moments(gsd2_trial(call), call["study_duration"]))


def gsd2_answer(call: RCall, moments: Any) -> dict[str, Any]:
    trial, time = gsd2_trial(call), call["study_duration"]
    if call.get("power") is None:
        n, power = trial.n, moments.power(call["alpha"])
    else:
        n, power = trial.n * moments.size_factor(call["power"], call["alpha"]), call["power"]
    return {"power": power, "n": n, "event": events_by(trial.with_n(n), time)}


def gsd2_weighted(call: RCall) -> dict[str, Any]:
    modest = call.get("rho") is None
    weight = ModestlyWeighted(call["tau"], call.get("w_max", np.inf)) if modest else FlemingHarrington(*exponents(call))
    return gsd2_fixed(call, LogRank(weight, formula="averaged null"))


def gsd2_weighted_by_r(call: RCall) -> dict[str, Any]:
    if call.get("rho") is None:
        weight = r_integrate.modest(call["tau"], call.get("w_max", np.inf))
    else:
        weight = r_integrate.fleming_harrington(*exponents(call))
    return gsd2_answer(call, r_integrate.averaged_null(gsd2_trial(call), call["study_duration"], weight))


def exponents(call: RCall) -> tuple[float, float]:
    return call["rho"], call["gamma"]


def gsd2_rmst_by_r(call: RCall) -> dict[str, Any]:
    return gsd2_answer(call, r_integrate.rmst_difference(gsd2_trial(call), call["study_duration"], call["tau"]))


def gsd2_max_combo(call: RCall) -> dict[str, Any]:
    pairs = zip(*map(vector, exponents(call)), strict=True)
    return gsd2_fixed(call, MaxCombo(tuple(FlemingHarrington(*pair) for pair in pairs)))


def gsd2_lachin_foulkes(call: RCall) -> dict[str, Any]:
    """gsDesign2 gives the average hazard ratio to gsDesign, which takes it as constant from the start."""
    trial, time = gsd2_trial(call), call["study_duration"]
    control = trial.strata[0].arms[0].event_time
    constant = trial.with_event_times([(control, ProportionalHazards(control, average_hazard_ratio(trial, time)))])
    power = LogRank(formula="lachin-foulkes").moments(constant, time).power(call["alpha"])
    return {"power": power, "n": trial.n, "event": events_by(constant, time)}


# others ---------------------------------------------------------------------------------------------------------------


def interval_censored(call: RCall) -> dict[str, Any]:
    """Visits a month apart that everybody has had by the analysis."""
    survival = np.concatenate([[1.0], vector(call["survivals"])])
    control = PiecewiseExponential(-np.diff(np.log(survival)), np.arange(1, survival.size - 1))
    trial = two_arm_trial(
        control, hazard_ratio=call["HR"], n=1, accrual=0.01, allocation_ratio=(1 - call["rho"]) / call["rho"]
    )
    trial = replace(trial, assessments=Assessments((1,), interval=1, missed=call["pmiss"]))
    one, alpha = IntervalCensoredHazardRatio().moments(trial, survival.size - 0.5), call["alpha"]
    if call.get("power") is None:
        return {"power": [one.scaled(n).power(alpha, sided=2, rejection="either") for n in vector(call["N"])]}
    return {"N": [np.ceil(one.size_factor(power, alpha, sided=2)) for power in vector(call["power"])]}


def lakatos_sample_size(call: RCall) -> dict[str, Any]:
    """The standard group of these calls has the better survival; the sizes are rounded up by group."""
    better, worse = (Exponential(-np.log(call[f"yrsurv{group}"]) / call["syear"]) for group in (1, 2))
    months, ratio = call["accrualTime"], call["alloc"]
    trial = two_arm_trial(worse, better, n=1, accrual=months, allocation_ratio=1 / ratio)
    weights = {"logrank": NumberAtRisk(0.0), "gehan": NumberAtRisk(1.0), "tarone-ware": NumberAtRisk(0.5)}
    moments = LogRank(weights[call["method"]]).moments(trial, months + call["followTime"])
    group = np.ceil(moments.size_factor(call["power"], call["alpha"], sided=2) / (1 + ratio))
    sizes = {"standard_group": group, "test_group": group * ratio}
    return {"Total_sample_size": sum(sizes.values())} | {f"Sample_size_of_{name}": n for name, n in sizes.items()}


def illness_death(text: str) -> dict[str, Any]:
    time, *rates = map(float, re.findall(r"ExpSurvOS\((\d+),h01=([\d.]+),h02=([\d.]+),h12=([\d.]+)", text)[0])
    model = IllnessDeath(*map(Exponential, rates))
    return {"S_PFS_OS": [model.pfs_survival(time), model.os_survival(time)]}


ROUGH = "R's integrate stops at an absolute error of 1.2e-4; its value is reproduced by the same rule"
UNIROOT = "gsDesign2 solves for the critical value to 1.2e-4 (uniroot), its normal probabilities are randomised"
WEIGHTED_BY_R = Adapter(gsd2_weighted, as_the_tool=gsd2_weighted_by_r, coarse_rtol=1e-3, because=ROUGH)

ADAPTERS = {
    ("npsurvSS", "power_two_arm"): Adapter(
        npsurv_power, as_the_tool=npsurv_power_by_r, coarse_rtol=5e-3, because=ROUGH
    ),
    ("gsDesign2", "ahr"): Adapter(lambda c: gsd2_at(gsd2_trial(c), c["total_duration"])),
    ("gsDesign2", "expected_time"): Adapter(gsd2_expected_time),
    ("gsDesign2", "gs_power_ahr"): Adapter(gsd2_power_ahr),
    ("gsDesign2", "fixed_design_ahr"): Adapter(lambda c: gsd2_fixed(c, AVERAGE)),
    ("gsDesign2", "fixed_design_ahr (n for power 0.8)"): Adapter(lambda c: gsd2_fixed(c, AVERAGE)),
    ("gsDesign2", "fixed_design_fh"): WEIGHTED_BY_R,
    ("gsDesign2", "fixed_design_fh (n for power 0.8)"): WEIGHTED_BY_R,
    ("gsDesign2", "fixed_design_mb"): WEIGHTED_BY_R,
    ("gsDesign2", "fixed_design_lf"): Adapter(gsd2_lachin_foulkes),
    ("gsDesign2", "fixed_design_milestone"): Adapter(lambda c: gsd2_fixed(c, MilestoneDifference(c["tau"]))),
    ("gsDesign2", "fixed_design_rmst"): Adapter(
        lambda c: gsd2_fixed(c, RMSTDifference(c["tau"])), as_the_tool=gsd2_rmst_by_r, coarse_rtol=1e-5, because=ROUGH
    ),
    ("gsDesign2", "fixed_design_maxcombo"): Adapter(gsd2_max_combo, rtol=2e-4, because=UNIROOT),
    ("rashnu", "lakatosSampleSize"): Adapter(lakatos_sample_size),
    ("simIDM", "ExpSurvPFS/OS"): Adapter(compute_text=illness_death),
    ("icensmis", "icpowerpf (N)"): Adapter(interval_censored),
    ("icensmis", "icpowerpf (interval-censored, assessment every k months to month 24)"): Adapter(interval_censored),
}
