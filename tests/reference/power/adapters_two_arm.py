"""Two-arm time-to-event designs: the meaning of each tool's call in this package's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.design import PiecewiseAccrual, UniformAccrual
from analysis.expected.numbers import expected_enrolled, expected_events, expected_lost, time_of_events
from analysis.expected.score import expected_cox_hazard_ratio
from analysis.power import events_needed, hazard_ratio_at_events, power_at_events
from analysis.power.events import expected_z
from analysis.statistical_tests import (
    FlemingHarrington,
    LogRank,
    MilestoneDifference,
    RMSTDifference,
)
from analysis.survival import Exponential, PiecewiseExponential, Weibull
from tests.large_trials import stratified_trial, two_arm_trial
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from analysis.expected.trial import ExpectedTrial
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


LRSTAT = "lrstat stops solving for the duration at a power of 0.8 + 1e-8"

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
}
