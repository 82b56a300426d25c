"""Two-arm time-to-event designs: the meaning of each tool's call in this package's terms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.design import Assessments, IllnessDeath, PiecewiseAccrual, UniformAccrual
from analysis.expected.numbers import expected_enrolled, expected_events, expected_lost, time_of_events
from analysis.expected.score import average_hazard_ratio, expected_cox_hazard_ratio
from analysis.power import events_needed, hazard_ratio_at_events, power_at_events
from analysis.power.events import expected_z
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
from analysis.survival import Exponential, PiecewiseExponential, ProportionalHazards, Weibull
from tests.large_trials import stratified_trial, two_arm_trial
from tests.reference.power import r_integrate
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests.moments import Moments
    from tests.reference.power.r_calls import RCall

FORMULAS = {
    "HsiehFreedman": "hsieh-freedman",
    "LachinFoulkes": "lachin-foulkes",
    "BernsteinLagakos": "bernstein-lagakos",
}


def formula(name: str) -> Any:
    return FORMULAS.get(name, name.lower())


def vector(value: Any) -> list[float]:
    return [float(v) for v in np.atleast_1d(value)]


def accrual(durations: Any, rates: Any) -> Any:
    if len(durations) == 1:
        return UniformAccrual(durations[0])
    times = np.cumsum(durations)
    return PiecewiseAccrual(rates=rates, breaks=times[:-1], duration=times[-1])


def events_by(trial: ExpectedTrial, time: float) -> float:
    return float(expected_events(trial, time).sum())


# gsDesign -------------------------------------------------------------------------------------------------------------


def n_events(call: RCall) -> dict[str, Any]:
    common: Any = {"alpha": call["alpha"], "sided": int(call["sided"]), "allocation_ratio": call["ratio"]}
    if call.get("n") is None:
        return {"events": events_needed(call["hr"], 1 - call["beta"], **common)}
    return {"power": power_at_events(call["n"], call["hr"], **common)}


def n_surv(call: RCall) -> dict[str, Any]:
    cells = [
        (share, Exponential(hazard), Exponential(hazard * call["hr"]))
        for hazard, share in zip(np.ravel(call["lambdaC"]), np.ravel(call["gamma"]), strict=True)
    ]
    trial = stratified_trial(cells, n=1, accrual=call["R"], allocation_ratio=call["ratio"], dropout=call["eta"])
    moments = LogRank(formula=formula(call["method"])).moments(trial, call["T"])
    n = moments.size_factor(1 - call["beta"], call["alpha"], sided=int(call["sided"]))
    return {"n": n, "d": n * events_by(trial, call["T"])}


def e_events(call: RCall) -> dict[str, Any]:
    curve = Exponential(call["lambda"])
    trial = two_arm_trial(curve, n=call["gamma"] * call["R"], accrual=call["R"], dropout=call["eta"])
    return {"d": events_by(trial, call["T"]), "n": expected_enrolled(trial, call["T"])}


# rpact ----------------------------------------------------------------------------------------------------------------


def rpact_trial(call: RCall, n: float) -> ExpectedTrial:
    if call.get("kappa") is None:
        control: Any = Exponential(call["lambda2"])
    else:
        control = Weibull(call["kappa"], call["median2"] / np.log(2) ** (1 / call["kappa"]))
    lost = {arm: -np.log1p(-call.get(f"dropoutRate{k}", 0.0)) for arm, k in (("experimental", 1), ("control", 2))}
    return two_arm_trial(
        control,
        hazard_ratio=call["hazardRatio"],
        n=n,
        accrual=vector(call["accrualTime"])[-1],
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
        dropout={arm: rate / call.get("dropoutTime", 12.0) for arm, rate in lost.items()},
    )


def rpact_sample_size(call: RCall) -> dict[str, Any]:
    design, ratio = call.args[0], call["allocationRatioPlanned"]
    by, sided = formula(call["typeOfComputation"]), int(design["sided"])
    events = events_needed(
        call["hazardRatio"], 1 - design["beta"], design["alpha"], sided=sided, allocation_ratio=ratio, formula=by
    )
    return {
        "events": events,
        "subjects": events / events_by(rpact_trial(call, 1.0), call["accrualTime"][1] + call["followUpTime"]),
    }


def rpact_power(call: RCall) -> dict[str, Any]:
    design, events = call.args[0], call["maxNumberOfEvents"]
    power = power_at_events(
        events,
        call["hazardRatio"],
        design["alpha"],
        sided=int(design["sided"]),
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
        formula=formula(call.get("typeOfComputation", "Schoenfeld")),
        rejection="either",
    )
    time = time_of_events(rpact_trial(call, call["maxNumberOfSubjects"]), events)
    follow_up = time - call["accrualTime"][1]
    return {"power": power, "analysisTime": time, "studyDuration": time, "followUpTime": follow_up}


def rpact_event_probabilities(call: RCall) -> dict[str, Any]:
    control, experimental = expected_events(rpact_trial(call, 2.0), call["time"])
    both = (control + experimental) / 2
    return {"overallEventProbabilities": both, "eventProbabilities1": experimental, "eventProbabilities2": control}


# lrstat ---------------------------------------------------------------------------------------------------------------


def lrstat_trial(call: RCall, duration: float | None = None) -> ExpectedTrial:
    breaks = vector(call.get("piecewiseSurvivalTime", 0.0))[1:]
    control, experimental = (np.reshape(vector(call[name]), (-1, len(breaks) + 1)) for name in ("lambda2", "lambda1"))
    curves = [[PiecewiseExponential(rates, breaks) for rates in arm] for arm in (control, experimental)]
    duration = call["accrualDuration"] if duration is None else duration
    lengths, rates = np.diff([*vector(call["accrualTime"]), duration]), vector(call["accrualIntensity"])
    return stratified_trial(
        list(zip(vector(call.get("stratumFraction", 1.0)), *curves, strict=True)),
        n=float(lengths @ rates),
        accrual=accrual(lengths, rates),
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
        dropout={"control": call.get("gamma2", 0.0), "experimental": call.get("gamma1", 0.0)},
    )


def lrstat_end(call: RCall) -> tuple[ExpectedTrial, float]:
    return lrstat_trial(call), call["accrualDuration"] + call["followupTime"]


def lrstat_alpha(call: RCall) -> float:
    return float(ndtr(-call["criticalValues"]))


def lrstat_power(call: RCall) -> dict[str, Any]:
    trial, time = lrstat_end(call)
    schoenfeld = call.get("typeOfComputation") == "schoenfeld"
    if schoenfeld:
        test = LogRank(formula="schoenfeld")
    else:
        test = LogRank(FlemingHarrington(call["rho1"], call["rho2"])) if call.get("rho1") is not None else LogRank()
    moments, events, lost = test.moments(trial, time), events_by(trial, time), expected_lost(trial, time).sum()
    return {
        "power": moments.power(lrstat_alpha(call)),
        "information": 1 / moments.sd**2 if schoenfeld else moments.null_sd**2,
        "HR": expected_cox_hazard_ratio(trial, time)[0],
        **dict.fromkeys(("numberOfEvents", "events"), events),
        **dict.fromkeys(("numberOfDropouts", "dropouts"), lost),
        "subjects": trial.n,
    }


def lrstat_sample_size(call: RCall) -> dict[str, Any]:
    def power(duration: float) -> float:
        moments = LogRank().moments(lrstat_trial(call, duration), duration + call["followupTime"])
        return moments.power(lrstat_alpha(call))

    duration = brentq(lambda d: power(d) - (1 - call["beta"]), 0.1, 1e4, xtol=1e-10)
    trial = lrstat_trial(call, duration)
    events = events_by(trial, duration + call["followupTime"])
    return {"events": events, "subjects": trial.n, "accrualDuration": duration, "power": power(duration)}


def lrstat_at(call: RCall) -> dict[str, Any]:
    trial, time = lrstat_trial(call), call["time"]
    (control, experimental), moments = expected_events(trial, time), LogRank().moments(trial, time)
    ratio, variance = expected_cox_hazard_ratio(trial, time)
    return {
        "subjects": expected_enrolled(trial, time),
        "nevents": control + experimental,
        "nevents1": experimental,
        "nevents2": control,
        "ndropouts": expected_lost(trial, time).sum(),
        "uscore": -moments.effect,
        "vscore": moments.null_sd**2,
        "logRankZ": -moments.drift,
        "HR": ratio,
        "vlogHR": variance,
    }


def lrstat_difference(call: RCall, test: Any, quantity: str) -> dict[str, Any]:
    """A test of a difference at a milestone; both arms' values as ``quantity1`` and ``quantity2``."""
    trial, time = lrstat_end(call)
    control, experimental = (arm.event_time for arm in trial.strata[0].arms)
    of = "survival" if quantity == "surv" else "rmst"
    moments = test.moments(trial, time)
    return {
        "power": moments.power(lrstat_alpha(call)),
        f"{quantity}1": getattr(experimental, of)(call["milestone"]),
        f"{quantity}2": getattr(control, of)(call["milestone"]),
        "info": 1 / moments.sd**2,
        "events": events_by(trial, time),
    }


def lrstat_milestone(call: RCall) -> dict[str, Any]:
    return lrstat_difference(call, MilestoneDifference(call["milestone"], margin=call["survDiffH0"]), "surv")


def lrstat_rmst(call: RCall) -> dict[str, Any]:
    return lrstat_difference(call, RMSTDifference(call["milestone"], margin=call["rmstDiffH0"]), "rmst")


def lrstat_events(call: RCall) -> dict[str, Any]:
    ratio, margin = call["allocationRatioPlanned"], call["hazardRatioH0"]
    events = events_needed(call["hazardRatio"], 1 - call["beta"], call["alpha"], allocation_ratio=ratio, margin=margin)
    return {"events": events}


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
LRSTAT = "lrstat stops solving for the duration at a power of 0.8 + 1e-8"
UNIROOT = "gsDesign2 solves for the critical value to 1.2e-4 (uniroot), its normal probabilities are randomised"
WEIGHTED_BY_R = Adapter(gsd2_weighted, as_the_tool=gsd2_weighted_by_r, coarse_rtol=1e-3, because=ROUGH)

ADAPTERS = {
    ("gsDesign", "nEvents"): Adapter(n_events),
    ("gsDesign", "nSurv"): Adapter(n_surv),
    ("gsDesign", "eEvents"): Adapter(e_events),
    ("gsDesign", "hrn2z"): Adapter(lambda c: {"z": expected_z(c["n"], c["hr"], allocation_ratio=c["ratio"])}),
    ("gsDesign", "zn2hr"): Adapter(
        lambda c: {"min_detectable_hr": hazard_ratio_at_events(c["n"], z=c["z"], allocation_ratio=c["ratio"])}
    ),
    ("rpact", "getSampleSizeSurvival"): Adapter(rpact_sample_size),
    ("rpact", "getPowerSurvival"): Adapter(rpact_power),
    ("rpact", "getPowerSurvival Weibull"): Adapter(rpact_power),
    ("rpact", "getEventProbabilities"): Adapter(rpact_event_probabilities),
    ("lrstat", "lrpower"): Adapter(lrstat_power),
    ("lrstat", "lrsamplesize"): Adapter(lrstat_sample_size, rtol=2e-6, because=LRSTAT),
    ("lrstat", "lrstat"): Adapter(lrstat_at),
    ("lrstat", "caltime"): Adapter(lambda c: {"time": time_of_events(lrstat_trial(c), c["nevents"])}),
    ("lrstat", "kmpower"): Adapter(lrstat_milestone),
    ("lrstat", "rmpower"): Adapter(lrstat_rmst),
    ("lrstat", "getNeventsFromHazardRatio"): Adapter(lrstat_events),
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
