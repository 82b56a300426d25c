"""Two-arm time-to-event designs: the meaning of each tool's call in this package's terms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from analysis.design import IllnessDeath, PiecewiseAccrual, UniformAccrual
from analysis.power import (
    Arm,
    AveragedNull,
    AverageHazardRatio,
    BernsteinLagakos,
    CoxWald,
    Freedman,
    GeneralizedSchoenfeld,
    IntervalCensored,
    LachinFoulkes,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    Moments,
    NumberAtRisk,
    QuantileDifference,
    RMSTDifference,
    Rubinstein,
    Schoenfeld,
    Stratum,
    TwoArmTrial,
    average_hazard_ratio,
    events_needed,
    expected_cox_hazard_ratio,
    expected_enrolled,
    expected_events,
    expected_lost,
    expected_z,
    hazard_ratio_at_z,
    power_at_events,
    sample_size,
    time_of_events,
    two_arm_trial,
)
from analysis.power.approximations import ahr_information
from analysis.survival import (
    Exponential,
    FlemingHarrington,
    ModestlyWeighted,
    PiecewiseExponential,
    ProportionalHazards,
    Weibull,
)
from tests.reference.power import r_integrate
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from tests.reference.power.r_calls import RCall

FORMULAS = {"Schoenfeld": "schoenfeld", "Freedman": "freedman", "HsiehFreedman": "hsieh-freedman"}
METHODS = {
    "Schoenfeld": Schoenfeld(),
    "Freedman": Freedman(),
    "LachinFoulkes": LachinFoulkes(),
    "BernsteinLagakos": BernsteinLagakos(),
}


def vector(value: Any) -> list[float]:
    return [float(v) for v in np.atleast_1d(value)]


def accrual(durations: list[float], rates: list[float]) -> Any:
    if len(durations) == 1:
        return UniformAccrual(durations[0])
    times = np.cumsum(durations)
    return PiecewiseAccrual(rates=rates, breaks=times[:-1], duration=times[-1])


def rate(value: float | None) -> float | None:
    """Dropout of tools that write no loss as 1e-300."""
    return None if value is None or value < 1e-200 else value


# gsDesign -------------------------------------------------------------------------------------------------------------


def n_events(call: RCall) -> dict[str, float]:
    common = {"sided": int(call["sided"]), "allocation_ratio": call["ratio"]}
    if call.get("n") is None:
        events = events_needed(call["hr"], 1 - call["beta"], call["alpha"], **common)
        return {"events_schoenfeld": events, "events": events}
    power = power_at_events(call["n"], call["hr"], call["alpha"], **common)
    return {"power_schoenfeld": power, "power_at_528": power}


def gsdesign_trial(call: RCall) -> TwoArmTrial:
    rates, shares = np.ravel(call["lambdaC"]), np.ravel(call["gamma"])
    r = call["ratio"]
    strata = tuple(
        Stratum(
            Arm(share / (1 + r), PiecewiseExponential([hazard]), call["eta"]),
            Arm(share * r / (1 + r), PiecewiseExponential([hazard * call["hr"]]), call["eta"]),
        )
        for hazard, share in zip(rates, shares / shares.sum(), strict=True)
    )
    return TwoArmTrial(strata, UniformAccrual(call["R"]))


def n_surv(call: RCall) -> dict[str, float]:
    trial, method = gsdesign_trial(call), METHODS[call["method"]]
    moments = method.moments(trial, call["T"])
    n = moments.size_factor(1 - call["beta"], call["alpha"], sided=int(call["sided"])) * trial.n
    return {"n": n, "d": float(expected_events(trial.with_n(n), call["T"]).sum())}


def e_events(call: RCall) -> dict[str, float]:
    n = call["gamma"] * call["R"]
    arm = Arm(n / 2, PiecewiseExponential([call["lambda"]]), call["eta"])
    trial = TwoArmTrial((Stratum(arm, arm),), UniformAccrual(call["R"]))
    return {"d": float(expected_events(trial, call["T"]).sum()), "n": expected_enrolled(trial, call["T"])}


# rpact ----------------------------------------------------------------------------------------------------------------


def rpact_dropout(call: RCall) -> dict[str, float]:
    months = call.get("dropoutTime", 12.0)
    return {
        "experimental": -np.log1p(-call.get("dropoutRate1", 0.0)) / months,
        "control": -np.log1p(-call.get("dropoutRate2", 0.0)) / months,
    }


def rpact_trial(call: RCall, n: float) -> TwoArmTrial:
    if call.get("kappa") is None:
        control = PiecewiseExponential([call["lambda2"]])
    else:
        control = Weibull(call["kappa"], call["median2"] / np.log(2) ** (1 / call["kappa"]))
    return two_arm_trial(
        control,
        hazard_ratio=call["hazardRatio"],
        n=n,
        accrual=UniformAccrual(call["accrualTime"][1]),
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
        dropout=rpact_dropout(call),
    )


def rpact_sample_size(call: RCall) -> dict[str, float]:
    design, formula = call.args[0], FORMULAS[call["typeOfComputation"]]
    events = events_needed(
        call["hazardRatio"],
        1 - design["beta"],
        design["alpha"],
        sided=int(design["sided"]),
        allocation_ratio=call["allocationRatioPlanned"],
        formula=formula,
    )
    one = rpact_trial(call, 1.0)
    n = events / float(expected_events(one, call["accrualTime"][1] + call["followUpTime"]).sum())
    return {
        "events": events,
        "events_freedman": events,
        "subjects": n,
        "subjects_freedman": n,
        "subjects_continuous": n,
    }


def rpact_power(call: RCall) -> dict[str, float]:
    design = call.args[0]
    power = power_at_events(
        call["maxNumberOfEvents"],
        call["hazardRatio"],
        design["alpha"],
        sided=int(design["sided"]),
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
        formula=FORMULAS[call.get("typeOfComputation", "Schoenfeld")],
        rejection="either",
    )
    time = time_of_events(rpact_trial(call, call["maxNumberOfSubjects"]), call["maxNumberOfEvents"])
    follow_up = time - call["accrualTime"][1]
    return {"power": power, "analysisTime": time, "studyDuration": time, "followUpTime": follow_up}


def rpact_event_probabilities(call: RCall) -> dict[str, float]:
    trial = rpact_trial(call, 100.0)
    control, experimental = expected_events(trial, call["time"])
    return {
        "overallEventProbabilities": (control + experimental) / 100,
        "eventProbabilities1": experimental / 50,
        "eventProbabilities2": control / 50,
    }


# lrstat ---------------------------------------------------------------------------------------------------------------


def lrstat_trial(call: RCall, duration: float | None = None) -> TwoArmTrial:
    breaks = vector(call.get("piecewiseSurvivalTime", 0.0))[1:]
    pieces = len(breaks) + 1
    fractions = vector(call.get("stratumFraction", 1.0))
    duration = call["accrualDuration"] if duration is None else duration
    starts, rates = vector(call["accrualTime"]), vector(call["accrualIntensity"])
    lengths = list(np.diff([*starts, duration]))
    n, r = float(np.dot(lengths, rates)), call.get("allocationRatioPlanned", 1.0)
    strata = []
    for h, fraction in enumerate(fractions):
        piece = slice(h * pieces, (h + 1) * pieces)
        control = PiecewiseExponential(vector(call["lambda2"])[piece], breaks)
        experimental = PiecewiseExponential(vector(call["lambda1"])[piece], breaks)
        strata.append(
            Stratum(
                Arm(n * fraction / (1 + r), control, call.get("gamma2", 0.0)),
                Arm(n * fraction * r / (1 + r), experimental, call.get("gamma1", 0.0)),
            )
        )
    return TwoArmTrial(tuple(strata), accrual(lengths, rates))


def lrstat_alpha(call: RCall) -> float:
    return float(ndtr(-call["criticalValues"]))


def lrstat_power(call: RCall) -> dict[str, float]:
    trial, time = lrstat_trial(call), call["accrualDuration"] + call["followupTime"]
    events = float(expected_events(trial, time).sum())
    common = {
        "numberOfEvents": events,
        "events": events,
        "numberOfDropouts": float(expected_lost(trial, time).sum()),
        "dropouts": float(expected_lost(trial, time).sum()),
        "subjects": trial.n,
    }
    if call.get("typeOfComputation") == "schoenfeld":
        moments = Schoenfeld().moments(trial, time)
        return {
            "power_schoenfeld": moments.power(lrstat_alpha(call)),
            "information_schoenfeld": 1 / moments.sd**2,
            **common,
        }
    weight = FlemingHarrington(call["rho1"], call["rho2"]) if call.get("rho1") is not None else None
    moments = LogRank(weight).moments(trial, time)
    power = moments.power(lrstat_alpha(call))
    return {
        "power": power,
        "power_FH": power,
        "power_stratified": power,
        "power_stratified_delayed": power,
        "HR": expected_cox_hazard_ratio(trial, time)[0],
        "information": moments.null_sd**2,
        **common,
    }


def lrstat_sample_size(call: RCall) -> dict[str, float]:
    from scipy.optimize import brentq

    def power(duration: float) -> float:
        trial = lrstat_trial(call, duration)
        return LogRank().moments(trial, duration + call["followupTime"]).power(lrstat_alpha(call))

    duration = brentq(lambda d: power(d) - (1 - call["beta"]), 0.1, 1e4, xtol=1e-10)
    trial = lrstat_trial(call, duration)
    return {
        "events": float(expected_events(trial, duration + call["followupTime"]).sum()),
        "subjects": trial.n,
        "accrualDuration": duration,
        "power": power(duration),
    }


def lrstat_at(call: RCall) -> dict[str, float]:
    trial, time = lrstat_trial(call), call["time"]
    control, experimental = expected_events(trial, time)
    moments = LogRank().moments(trial, time)
    ratio, variance = expected_cox_hazard_ratio(trial, time)
    return {
        "subjects": expected_enrolled(trial, time),
        "nevents": control + experimental,
        "nevents1": experimental,
        "nevents2": control,
        "ndropouts": float(expected_lost(trial, time).sum()),
        "uscore": -moments.effect,
        "vscore": moments.null_sd**2,
        "logRankZ": -moments.drift,
        "HR": ratio,
        "vlogHR": variance,
    }


def lrstat_milestone(call: RCall) -> dict[str, float]:
    trial, time = lrstat_trial(call), call["accrualDuration"] + call["followupTime"]
    moments = MilestoneDifference(call["milestone"], margin=call["survDiffH0"]).moments(trial, time)
    stratum = trial.strata[0]
    return {
        "power": moments.power(lrstat_alpha(call)),
        "surv1": float(stratum.experimental.event_time.survival(call["milestone"])),
        "surv2": float(stratum.control.event_time.survival(call["milestone"])),
        "info": 1 / moments.sd**2,
        "events": float(expected_events(trial, time).sum()),
    }


def lrstat_rmst(call: RCall) -> dict[str, float]:
    trial, time = lrstat_trial(call), call["accrualDuration"] + call["followupTime"]
    moments = RMSTDifference(call["milestone"], margin=call["rmstDiffH0"]).moments(trial, time)
    stratum = trial.strata[0]
    return {
        "power": moments.power(lrstat_alpha(call)),
        "rmst1": float(stratum.experimental.event_time.rmst(call["milestone"])),
        "rmst2": float(stratum.control.event_time.rmst(call["milestone"])),
        "info": 1 / moments.sd**2,
    }


def lrstat_events(call: RCall) -> dict[str, float]:
    events = events_needed(
        call["hazardRatio"],
        1 - call["beta"],
        call["alpha"],
        allocation_ratio=call["allocationRatioPlanned"],
        margin=call["hazardRatioH0"],
    )
    return {"events": events}


# npsurvSS -------------------------------------------------------------------------------------------------------------


def npsurv_arm(arm: RCall) -> Arm:
    scales = vector(arm["surv_scale"])
    breaks = vector(arm["surv_interval"])[1:-1] if arm.get("surv_interval") is not None else []
    return Arm(arm["size"], PiecewiseExponential(scales, breaks), rate(arm["loss_scale"]))


def npsurv_trial(call: RCall) -> tuple[TwoArmTrial, float]:
    control, experimental = call.args[:2]
    if control.get("accr_dist") == "pieceuni":
        times = vector(control["accr_interval"])
        lengths = list(np.diff(times))
        shares = vector(control["accr_param"])
        entry = accrual(lengths, [share / length for share, length in zip(shares, lengths, strict=True)])
    else:
        entry = UniformAccrual(control["accr_time"])
    trial = TwoArmTrial((Stratum(npsurv_arm(control), npsurv_arm(experimental)),), entry)
    return trial, control["accr_time"] + control["follow_time"]


NPSURV_NAMES = (
    "power",
    "power_yungliu_asymptotic_var1",
    "power_yungliu",
    "power_rubinstein",
    "power_freedman",
    "power_event_driven",
    "power_genschoenfeld",
    "power_exponential_MLE",
)


def npsurv_exponents(name: str) -> tuple[float, float]:
    """Exponents (rho, gamma) of a weight; npsurvSS raises the distribution function, not the survival, to p."""
    if name == "1":
        return 0.0, 0.0
    p, q = (float(part[1:]) for part in name.split("_")[1:])
    return q, p


def npsurv_weight(name: str) -> Any:
    powers = {"n": NumberAtRisk(1.0), "sqrtN": NumberAtRisk(0.5)}
    return powers[name] if name in powers else FlemingHarrington(*npsurv_exponents(name))


def npsurv_test(test: dict[str, Any]) -> Any:
    kinds = {
        "survival difference": lambda: MilestoneDifference(test["milestone"]),
        "survival ratio": lambda: MilestoneDifference(test["milestone"], scale="log"),
        "rmst difference": lambda: RMSTDifference(test["milestone"]),
        "rmst ratio": lambda: RMSTDifference(test["milestone"], scale="log"),
        "percentile difference": lambda: QuantileDifference(test["percentile"]),
        "hazard ratio": CoxWald,
        "asymptotic": lambda: LogRank(npsurv_weight(test.get("weight", "1"))),
        "event driven": Schoenfeld,
        "freedman": Freedman,
        "rubinstein": Rubinstein,
        "generalized schoenfeld": GeneralizedSchoenfeld,
    }
    kind = test.get("mean_approx", "asymptotic") if test["test"] == "weighted logrank" else test["test"]
    return kinds[kind]()


def npsurv_result(call: RCall, moments: Moments) -> dict[str, float]:
    sided = int(call.get("sides", 1))
    power = moments.power(call.get("alpha", 0.025), sided=sided, rejection="either")
    return dict.fromkeys(NPSURV_NAMES, power)


def npsurv_power(call: RCall) -> dict[str, float]:
    trial, time = npsurv_trial(call)
    test = call.get("test", {"test": "weighted logrank"})
    return npsurv_result(call, npsurv_test(test).moments(trial, time))


def npsurv_power_by_r(call: RCall) -> dict[str, float]:
    trial, time = npsurv_trial(call)
    test = call.get("test", {"test": "weighted logrank"})
    if test["test"] == "percentile difference":
        return npsurv_result(call, r_integrate.quantile_difference(trial, time, test["percentile"]))
    if test["test"].startswith("rmst"):
        log = test["test"] == "rmst ratio"
        return npsurv_result(call, r_integrate.rmst_difference(trial, time, test["milestone"], log=log))
    if test.get("mean_approx") == "generalized schoenfeld":
        return npsurv_result(call, r_integrate.generalized_schoenfeld(trial, time))
    if test["test"] == "hazard ratio":
        return npsurv_result(call, r_integrate.cox_wald(trial, time))
    weight = r_integrate.fleming_harrington(*npsurv_exponents(test.get("weight", "1")))
    return npsurv_result(call, r_integrate.score_test(trial, time, weight))


# gsDesign2 ------------------------------------------------------------------------------------------------------------


def gsd2_trial(call: RCall) -> TwoArmTrial:
    enroll, fail, r = call["enroll_rate"], call["fail_rate"], call.get("ratio", 1.0)
    durations, rates = vector(enroll["duration"]), vector(enroll["rate"])
    if enroll.get("stratum") is not None:
        strata = []
        for n_per_month, hazard, hr in zip(rates, vector(fail["fail_rate"]), vector(fail["hr"]), strict=True):
            n = n_per_month * durations[0]
            strata.append(
                Stratum(
                    Arm(n / (1 + r), PiecewiseExponential([hazard]), fail["dropout_rate"]),
                    Arm(n * r / (1 + r), PiecewiseExponential([hazard * hr]), fail["dropout_rate"]),
                )
            )
        return TwoArmTrial(tuple(strata), UniformAccrual(durations[0]))
    breaks, hr = np.cumsum(vector(fail["duration"])[:-1]), np.array(vector(fail["hr"]))
    hazard = np.broadcast_to(vector(fail["fail_rate"]), hr.shape)
    return two_arm_trial(
        PiecewiseExponential(hazard, breaks),
        PiecewiseExponential(hazard * hr, breaks),
        n=float(np.dot(durations, rates)),
        accrual=accrual(durations, rates),
        allocation_ratio=r,
        dropout=fail["dropout_rate"],
    )


def gsd2_ahr(call: RCall) -> dict[str, float]:
    trial, time = gsd2_trial(call), call["total_duration"]
    info0, info = ahr_information(trial, time)
    events = float(expected_events(trial, time).sum())
    return {"ahr": average_hazard_ratio(trial, time), "event": events, "info": info, "info0": info0}


def gsd2_expected_time(call: RCall) -> dict[str, float]:
    trial = gsd2_trial(call)
    time = time_of_events(trial, call["target_event"])
    return {"time": time, "ahr": average_hazard_ratio(trial, time)}


def gsd2_power_ahr(call: RCall) -> dict[str, float]:
    trial, time = gsd2_trial(call), call["analysis_time"]
    info0, info = ahr_information(trial, time)
    power = AverageHazardRatio().moments(trial, time).power(float(ndtr(-call["upar"])))
    events = float(expected_events(trial, time).sum())
    ahr = average_hazard_ratio(trial, time)
    return {"power": power, "power_stratified": power, "event": events, "ahr": ahr, "info": info, "info0": info0}


def gsd2_fixed(call: RCall, test: Any) -> dict[str, float]:
    trial, time = gsd2_trial(call), call["study_duration"]
    return gsd2_result(call, test.moments(trial, time))


def gsd2_result(call: RCall, moments: Any) -> dict[str, float]:
    trial, time = gsd2_trial(call), call["study_duration"]
    if call.get("power") is None:
        n, power = trial.n, moments.power(call["alpha"])
    else:
        n, power = trial.n * moments.size_factor(call["power"], call["alpha"]), call["power"]
    return {"power": power, "n": n, "event": float(expected_events(trial.with_n(n), time).sum())}


def gsd2_fh(call: RCall) -> dict[str, float]:
    return gsd2_fixed(call, AveragedNull(FlemingHarrington(call["rho"], call["gamma"])))


def gsd2_fh_by_r(call: RCall) -> dict[str, float]:
    weight = r_integrate.fleming_harrington(call["rho"], call["gamma"])
    return gsd2_result(call, r_integrate.averaged_null(gsd2_trial(call), call["study_duration"], weight))


def gsd2_mb(call: RCall) -> dict[str, float]:
    return gsd2_fixed(call, AveragedNull(ModestlyWeighted(call["tau"], call.get("w_max", np.inf))))


def gsd2_mb_by_r(call: RCall) -> dict[str, float]:
    weight = r_integrate.modest(call["tau"], call.get("w_max", np.inf))
    return gsd2_result(call, r_integrate.averaged_null(gsd2_trial(call), call["study_duration"], weight))


def gsd2_rmst_by_r(call: RCall) -> dict[str, float]:
    moments = r_integrate.rmst_difference(gsd2_trial(call), call["study_duration"], call["tau"])
    return gsd2_result(call, moments)


def gsd2_exponents(call: RCall) -> list[tuple[float, float]]:
    return list(zip(vector(call["rho"]), vector(call["gamma"]), strict=True))


def gsd2_max_combo(call: RCall) -> dict[str, float]:
    return gsd2_fixed(call, MaxCombo(tuple(FlemingHarrington(*pair) for pair in gsd2_exponents(call))))


def gsd2_lachin_foulkes(call: RCall) -> dict[str, float]:
    """gsDesign2 gives the average hazard ratio to gsDesign, which takes it as constant from the start."""
    trial, time = gsd2_trial(call), call["study_duration"]
    stratum = trial.strata[0]
    constant = ProportionalHazards(stratum.control.event_time, average_hazard_ratio(trial, time))
    proportional = replace(
        trial, strata=(Stratum(stratum.control, replace(stratum.experimental, event_time=constant)),)
    )
    return {
        "power": LachinFoulkes().moments(proportional, time).power(call["alpha"]),
        "n": proportional.n,
        "event": float(expected_events(proportional, time).sum()),
    }


# interval-censored data -----------------------------------------------------------------------------------------------


def interval_censored(call: RCall) -> dict[str, float]:
    comparison = IntervalCensored(call["survivals"], call["HR"], call["rho"], call["pmiss"])
    if call.get("power") is None:
        powers = [comparison.moments(n).power(call["alpha"], sided=2, rejection="either") for n in vector(call["N"])]
        return {f"power[{i}]": power for i, power in enumerate(powers, start=1)}
    one = comparison.moments(1.0)
    sizes = [np.ceil(one.size_factor(power, call["alpha"], sided=2)) for power in vector(call["power"])]
    return {f"N[{i}]": float(n) for i, n in enumerate(sizes, start=1)}


LAKATOS_WEIGHTS = {"logrank": None, "gehan": NumberAtRisk(1.0), "tarone-ware": NumberAtRisk(0.5)}


def lakatos_sample_size(call: RCall) -> dict[str, float]:
    """The standard group of these calls has the better survival; the sizes are rounded up by group."""
    standard, test = (-np.log(call[f"yrsurv{group}"]) / call["syear"] for group in (1, 2))
    trial = two_arm_trial(
        Exponential(test),
        Exponential(standard),
        n=100.0,
        accrual=UniformAccrual(call["accrualTime"]),
        allocation_ratio=1 / call["alloc"],
    )
    time, weight = call["accrualTime"] + call["followTime"], LAKATOS_WEIGHTS[call["method"]]
    n = sample_size(trial, time, call["power"], LogRank(weight), alpha=call["alpha"], sided=2).n
    group = float(np.ceil(n / (1 + call["alloc"])))
    return {
        "Sample_size_of_standard_group": group,
        "Sample_size_of_test_group": group * call["alloc"],
        "Total_sample_size": group * (1 + call["alloc"]),
    }


def illness_death(text: str) -> dict[str, float]:
    time, *rates = map(float, re.findall(r"ExpSurvOS\((\d+),h01=([\d.]+),h02=([\d.]+),h12=([\d.]+)", text)[0])
    model = IllnessDeath(*map(Exponential, rates))
    return {"S_PFS_OS[1]": float(model.pfs_survival(time)), "S_PFS_OS[2]": float(model.os_survival(time))}


ROUGH = "R's integrate stops at an absolute error of 1.2e-4; its value is reproduced by the same rule"

ADAPTERS = {
    ("gsDesign", "nEvents"): Adapter(n_events),
    ("gsDesign", "nSurv"): Adapter(n_surv),
    ("gsDesign", "eEvents"): Adapter(e_events),
    ("gsDesign", "hrn2z"): Adapter(lambda c: {"z": expected_z(c["n"], c["hr"], allocation_ratio=c["ratio"])}),
    ("gsDesign", "zn2hr"): Adapter(
        lambda c: {"min_detectable_hr": hazard_ratio_at_z(c["z"], c["n"], allocation_ratio=c["ratio"])}
    ),
    ("rpact", "getSampleSizeSurvival"): Adapter(rpact_sample_size),
    ("rpact", "getPowerSurvival"): Adapter(rpact_power),
    ("rpact", "getPowerSurvival Weibull"): Adapter(rpact_power),
    ("rpact", "getEventProbabilities"): Adapter(rpact_event_probabilities),
    ("lrstat", "lrpower"): Adapter(lrstat_power),
    ("lrstat", "lrsamplesize"): Adapter(
        lrstat_sample_size, rtol=2e-6, because="lrstat stops solving for the duration at a power of 0.8 + 1e-8"
    ),
    ("lrstat", "lrstat"): Adapter(lrstat_at),
    ("lrstat", "caltime"): Adapter(lambda c: {"time": time_of_events(lrstat_trial(c), c["nevents"])}),
    ("lrstat", "kmpower"): Adapter(lrstat_milestone),
    ("lrstat", "rmpower"): Adapter(lrstat_rmst),
    ("lrstat", "getNeventsFromHazardRatio"): Adapter(lrstat_events),
    ("npsurvSS", "power_two_arm"): Adapter(
        npsurv_power, as_the_tool=npsurv_power_by_r, coarse_rtol=5e-3, because=ROUGH
    ),
    ("gsDesign2", "ahr"): Adapter(gsd2_ahr),
    ("gsDesign2", "expected_time"): Adapter(gsd2_expected_time),
    ("gsDesign2", "gs_power_ahr"): Adapter(gsd2_power_ahr),
    ("gsDesign2", "fixed_design_ahr"): Adapter(lambda c: gsd2_fixed(c, AverageHazardRatio())),
    ("gsDesign2", "fixed_design_ahr (n for power 0.8)"): Adapter(lambda c: gsd2_fixed(c, AverageHazardRatio())),
    ("gsDesign2", "fixed_design_fh"): Adapter(gsd2_fh, as_the_tool=gsd2_fh_by_r, coarse_rtol=1e-3, because=ROUGH),
    ("gsDesign2", "fixed_design_fh (n for power 0.8)"): Adapter(
        gsd2_fh, as_the_tool=gsd2_fh_by_r, coarse_rtol=1e-3, because=ROUGH
    ),
    ("gsDesign2", "fixed_design_mb"): Adapter(gsd2_mb, as_the_tool=gsd2_mb_by_r, coarse_rtol=1e-3, because=ROUGH),
    ("gsDesign2", "fixed_design_lf"): Adapter(gsd2_lachin_foulkes),
    ("gsDesign2", "fixed_design_milestone"): Adapter(lambda c: gsd2_fixed(c, MilestoneDifference(c["tau"]))),
    ("gsDesign2", "fixed_design_rmst"): Adapter(
        lambda c: gsd2_fixed(c, RMSTDifference(c["tau"])), as_the_tool=gsd2_rmst_by_r, coarse_rtol=1e-5, because=ROUGH
    ),
    ("gsDesign2", "fixed_design_maxcombo"): Adapter(
        gsd2_max_combo,
        rtol=2e-4,
        because="gsDesign2 solves for the critical value to 1.2e-4 (uniroot), its normal probabilities are randomised",
    ),
    ("rashnu", "lakatosSampleSize"): Adapter(lakatos_sample_size),
    ("simIDM", "ExpSurvPFS/OS"): Adapter(compute_text=illness_death),
    ("icensmis", "icpowerpf (N)"): Adapter(interval_censored),
    ("icensmis", "icpowerpf (interval-censored, assessment every k months to month 24)"): Adapter(interval_censored),
}
