"""Group-sequential designs of gsDesign, rpact, lrstat and gsDesign2, and closed-form assurance."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.expected.numbers import expected_enrolled, expected_events, time_of_events
from analysis.expected.score import expected_cox_hazard_ratio
from analysis.power import events_needed, normal_assurance
from analysis.power.events import expected_z, hazard_ratio_at_z
from analysis.sequential import (
    AlphaSpending,
    BetaSpending,
    ExponentialSpending,
    FutilityBounds,
    GroupSequentialDesign,
    HaybittlePeto,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    NormalPrior,
    NullSpending,
    OBrienFleming,
    Pocock,
    PointsPrior,
    WangTsiatis,
    conditional_power,
    crossing_probabilities,
    prediction_interval,
    predictive_power,
    repeated_inference,
)
from analysis.sequential.conditional import conditional_crossing
from analysis.statistical_tests import LogRank
from analysis.statistical_tests.formulas import ahr_information
from analysis.survival import Exponential
from tests.large_trials import two_arm_trial
from tests.reference.power.adapters_two_arm import lrstat_trial, rpact_trial
from tests.reference.power.adapters_two_arm_nph import AVERAGE, gsd2_trial
from tests.reference.power.r_calls import RCall, parse
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from analysis.expected.trial import ExpectedTrial

SPENDING: dict[str, Any] = {
    "OF": LanDeMetsOBrienFleming,
    "LDOF": LanDeMetsOBrienFleming,
    "P": LanDeMetsPocock,
    "LDPocock": LanDeMetsPocock,
    "HSD": HwangShihDeCani,
    "KD": KimDeMets,
    "Power": KimDeMets,
    "Exponential": ExponentialSpending,
}
SHAPES: dict[str, Any] = {
    "OF": OBrienFleming,
    "Pocock": Pocock,
    "P": Pocock,
    "HP": HaybittlePeto,
    "WT": WangTsiatis,
}


def made(kind: Any, parameter: Any) -> Any:
    """Shape or spending function with its parameter, if it has one."""
    with_parameter = kind in (HwangShihDeCani, KimDeMets, ExponentialSpending, WangTsiatis)
    return kind(parameter) if with_parameter else kind()


def spending(name: str, parameter: Any = None) -> Any:
    """``sfHSD`` of gsDesign, ``asHSD`` and ``bsHSD`` of rpact and lrstat."""
    return made(SPENDING[name[2:]], parameter)


def efficacy(name: str, parameter: Any) -> Any:
    return made(SHAPES[name], parameter) if name in SHAPES else AlphaSpending(spending(name, parameter))


# gsDesign -------------------------------------------------------------------------------------------------------------


def gs_design(call: RCall) -> GroupSequentialDesign:
    looks = int(call.get("k", 3))
    timing = np.atleast_1d(call.get("timing", np.arange(1, looks + 1) / looks))
    kind = int(call.get("test_type", 4))
    lower = spending(call.get("sfl", "sfHSD"), call.get("sflpar", -2.0))
    rule = {3: BetaSpending, 4: BetaSpending, 5: NullSpending, 6: NullSpending}.get(kind)
    sided: Any = 2 if kind == 2 else 1  # gsDesign's alpha is that of one side
    return GroupSequentialDesign(
        tuple(np.r_[timing, 1.0][:looks]),
        alpha=sided * call.get("alpha", 0.025),
        sided=sided,
        power=1.0 - call.get("beta", 0.1),
        efficacy=efficacy(call.get("sfu", "sfHSD"), call.get("sfupar", -4.0)),
        futility=None if rule is None else rule(lower, binding=kind in (3, 5)),
    )


def fixed_size(call: RCall) -> float:
    """``n.fix``, or the events of ``nEvents(hr, alpha, beta, ratio)``."""
    size = call.get("n_fix", 1.0)
    if not isinstance(size, RCall):
        return float(size)
    return events_needed(size["hr"], 1.0 - size["beta"], size["alpha"], allocation_ratio=size.get("ratio", 1.0))


def sizes(call: RCall, design: GroupSequentialDesign) -> np.ndarray:
    """``n.I``: information at the looks in the unit of ``n.fix``."""
    return fixed_size(call) * design.inflation * np.array(design.fractions)


def gs_design_values(call: RCall) -> dict[str, Any]:
    design = gs_design(call)
    null, alternative = design.operating_characteristics((0.0, 1.0)).expected_inflation
    return {
        "upper": design.upper,
        "lower": design.lower,
        "n_events": sizes(call, design),
        "spend": np.diff(np.r_[0.0, design.alpha_spent]),
        "cum_spend": design.alpha_spent,
        "inflation": design.inflation,
        "en_ratio_H0": null,
        "en_ratio_H1": alternative,
        "fixed_events": fixed_size(call),
    }


def gs_cp(call: RCall) -> dict[str, Any]:
    design, look, z = gs_design(call.args[0]), int(call["i"]), call["zi"]
    n = sizes(call.args[0], design)
    thetas = [z / math.sqrt(n[look - 1]), 0.0, design.drift / math.sqrt(n[-1])]
    upper = [conditional_crossing(design, look, z, theta * math.sqrt(n[-1])).upper for theta in thetas]
    return {"upper_prob": np.concatenate(upper), "theta": thetas}


def cond_power(call: RCall) -> dict[str, Any]:
    design = gs_design(call["x"])
    n = sizes(call["x"], design)
    drift = call["theta"] * math.sqrt(n[-1])
    return {"cp": conditional_power(design, 1, call["z1"], drift, increments=[call["n2"] / n[-1]])}


def gs_prediction(call: RCall) -> dict[str, Any]:
    design, at = gs_design(call.args[0]), (int(call["i"]), call["zi"])
    theta, weights = call.get("theta", np.array([0.0, 3.0])), call.get("wgts", np.array([0.5, 0.5]))
    prior = PointsPrior(tuple(theta * math.sqrt(sizes(call.args[0], design)[-1])), tuple(weights))
    if call.get("j") is None:
        return {"pp": predictive_power(design, *at, prior)}
    return {"pred_interval": prediction_interval(design, *at, int(call["j"]), prior)}


def gs_pos(text: str) -> dict[str, Any]:
    found = re.fullmatch(r"\{p <- (.*?); (.*)\}", text.replace("p$", ""))
    assert found is not None, text
    grid, call = (parse(part) for part in found.groups())
    design = gs_design(call["x"])
    scale = math.sqrt(sizes(call["x"], design)[-1])
    prior = NormalPrior(grid["mu"] * scale, grid["sigma"] * scale)
    return dict.fromkeys(("POS", "CPOS"), design.assurance(prior, after_look=int(call.get("i", 0))))


# rpact and lrstat -----------------------------------------------------------------------------------------------------


def design_of(call: RCall, kind: str = "typeOfDesign") -> GroupSequentialDesign:
    futility: Any = None
    if call.get("typeBetaSpending", "none") != "none":
        function = spending(call["typeBetaSpending"], call.get("gammaB"))
        futility = BetaSpending(function, binding=call.get("bindingFutility", False))
    if call.get("futilityBounds") is not None:
        futility = FutilityBounds(tuple(np.atleast_1d(call["futilityBounds"])), call.get("bindingFutility", False))
    looks = int(call.get("kMax", call.get("k", 0)))
    parameter = call.get("gammaA", call.get("deltaWT", call.get("parameterAlphaSpending")))
    return GroupSequentialDesign(
        tuple(np.atleast_1d(call.get("informationRates", np.arange(1, looks + 1) / looks))),
        alpha=call.get("alpha", 0.025),
        sided=int(call.get("sided", 1)),
        power=1.0 - call.get("beta", 0.2 if kind == "typeOfDesign" else 0.1),
        efficacy=efficacy(call[kind], parameter),
        futility=futility,
    )


def rpact_bounds(call: RCall) -> dict[str, Any]:
    design = design_of(call)
    return {
        "criticalValues": design.upper,
        "alphaSpent": design.alpha_spent,
        "stageLevels": design.nominal_p,
        "betaSpent": design.beta_spent,
        "futilityBounds": design.lower[:-1],
    }


def rpact_characteristics(call: RCall) -> dict[str, Any]:
    design = design_of(call.args[0])
    n0, n01, n1 = design.operating_characteristics((0.0, 0.5, 1.0)).expected_inflation
    power = np.cumsum(design.crossing(design.drift).upper)
    sizes = {"avgN_H0": n0, "avgN_H01": n01, "avgN_H1": n1}
    return {"power": power, "inflationFactor": design.inflation, "shift": design.drift**2, **sizes}


def rpact_analysis(call: RCall) -> dict[str, Any]:
    design, data = design_of(call.args[0]), call.args[1]
    events, z = np.atleast_1d(data["cumulativeEvents"]), -np.atleast_1d(data["cumulativeLogRanks"])
    planned = events[0] / design.fractions[0]
    drift, increments = expected_z(planned, call["thetaH1"]), np.atleast_1d(call["nPlanned"]) / planned
    repeated = [repeated_inference(design, look, value) for look, value in enumerate(z, 1)]
    return {
        "cp": conditional_power(design, events.size, z[-1], drift, increments=increments),
        "condRejProb": [conditional_power(design, look, value, 0.0) for look, value in enumerate(z, 1)],
        "rci_lo": [hazard_ratio_at_z(found.upper, planned) for found in repeated],
        "rci_hi": [hazard_ratio_at_z(found.lower, planned) for found in repeated],
        "rp": [found.p_value for found in repeated],
    }


def rpact_conditional_power(text: str) -> dict[str, Any]:
    patterns = r"d <- (.*?); sr", r"getStageResults\((.*\)), dataInput", r"(getConditionalPower\(.*\))\}"
    data, plan, request = (parse(re.findall(pattern, text)[0]) for pattern in patterns)
    design, events = design_of(plan), np.atleast_1d(data["cumulativeEvents"])
    z, planned = -float(np.atleast_1d(data["cumulativeLogRanks"])[-1]), events[0] / design.fractions[0]
    increments, drift = np.atleast_1d(request["nPlanned"]) / planned, expected_z(planned, request["thetaH1"])
    crossed = conditional_crossing(design, events.size, z, drift, increments=increments)
    return {"cp": np.r_[np.zeros(events.size), np.cumsum(crossed.upper)]}


def lrstat_bound(call: RCall) -> dict[str, Any]:
    return {"bound": design_of(call, "typeAlphaSpending").upper}


def lrstat_cp(call: RCall) -> dict[str, Any]:
    design, look = design_of(call, "typeAlphaSpending"), int(call["L"])
    planned = np.diff(design.fractions[look - 1 :])
    increments = planned / planned.sum() * call["INew"] / call["IMax"]
    drift = call["theta"] * math.sqrt(call["IMax"])
    return {"cp": conditional_power(design, look, call["zL"], drift, increments=increments)}


# looks of a trial -----------------------------------------------------------------------------------------------------


def looks_at(design: GroupSequentialDesign, trial: ExpectedTrial, events: float, test: Any = None) -> dict[str, Any]:
    """Looks at fractions of the events; without a test as Schoenfeld has it for the arms' hazard ratio."""
    seen = events * np.array(design.fractions)
    times = [time_of_events(trial, d) for d in seen]
    if test is None:
        crossed, spread = design.crossing(LogRank(formula="schoenfeld").moments(trial, times[-1]).drift), None
    else:
        at = [test.moments(trial, time) for time in times]
        spread = np.array([m.null_sd for m in at]) ** 2
        crossed = crossing_probabilities(spread, design.lower, design.upper, [m.drift for m in at])
    upper, lower = crossed.upper, crossed.lower
    return {
        **dict.fromkeys(("rejectPerStage", "upper_prob"), upper),
        "futilityPerStage": lower,
        **dict.fromkeys(("analysisTime", "T"), times),
        **dict.fromkeys(("cumulativeEventsPerStage", "events", "numberOfEvents", "n_events"), seen),
        "N": [expected_enrolled(trial, time) for time in times],
        "overallReject": upper.sum(),
        "futilityStop": lower[:-1].sum(),
        "earlyStop": (lower + upper)[:-1].sum(),
        **dict.fromkeys(("expEvents", "expectedEventsH1", "expN"), crossed.stopping @ seen),
        "studyDuration": crossed.stopping @ np.array(times),
        "maxNumberOfEvents": events,
        "information": spread,
    }


def gs_surv(call: RCall) -> dict[str, Any]:
    design, r = gs_design(call), call["ratio"]
    control = Exponential(call["lambdaC"])
    trial = two_arm_trial(control, hazard_ratio=call["hr"], n=1.0, accrual=call["R"], allocation_ratio=r)
    events = events_needed(call["hr"], boundaries=design, allocation_ratio=r)
    trial = trial.with_n(events / float(expected_events(trial, call["T"]).sum()))
    return {"upper": design.upper, **looks_at(design, trial, events)}


def rpact_survival(call: RCall) -> dict[str, Any]:
    """``getPowerSurvival`` and ``getSampleSizeSurvival`` of a design with several looks and a number of patients."""
    design, ratio = design_of(call.args[0]), call.get("allocationRatioPlanned", 1.0)
    events = call.get("maxNumberOfEvents")
    if events is None:
        events = events_needed(call["hazardRatio"], boundaries=design, allocation_ratio=ratio)
    at_bound = [
        hazard_ratio_at_z(z, events * fraction, allocation_ratio=ratio)
        for z, fraction in zip(design.upper, design.fractions, strict=True)
    ]
    return {"hr_boundary": at_bound, **looks_at(design, rpact_trial(call, call["maxNumberOfSubjects"]), events)}


def lrstat_power(call: RCall) -> dict[str, Any]:
    """``lrpower`` of a design with several looks."""
    trial, design, followup = lrstat_trial(call), design_of(call, "typeAlphaSpending"), call["followupTime"]
    if isinstance(followup, RCall):
        end = time_of_events(trial, followup.args[0]["nevents"])
    else:
        end = call["accrualDuration"] + followup
    found = looks_at(design, trial, float(expected_events(trial, end).sum()), LogRank())
    ratios, variances = np.array([expected_cox_hazard_ratio(trial, time) for time in found["analysisTime"]]).T
    efficacy_ratios = np.exp(-design.upper * np.sqrt(variances))
    return {"efficacyBounds": design.upper, "HR": ratios, "efficacyHR": efficacy_ratios, **found}


def gs_design2_power(call: RCall) -> dict[str, Any]:
    """``gs_power_ahr`` at numbers of events with a spending bound for efficacy and none for futility."""
    trial = gsd2_trial(call)
    times = [time_of_events(trial, events) for events in call["event"]]
    null, information = np.array([ahr_information(trial, time) for time in times]).T
    bound = AlphaSpending(spending(call["upar"]["sf"]))
    design = GroupSequentialDesign(tuple(null / null[-1]), alpha=call["upar"]["total_spend"], efficacy=bound)
    # The tool allows for both variances at the first look, from the second on only for that under the alternative.
    mean = -math.log(call["fail_rate"]["hr"]) * np.sqrt(information)
    later = crossing_probabilities(information, -math.inf, design.upper, mean).upper[1:]
    first = AVERAGE.moments(trial, times[0]).probability_above(float(design.upper[0]))
    return {
        "z": design.upper,
        "probability": np.cumsum([first, *later]),
        "time": times,
        "hr_at_bound": np.exp(-design.upper / np.sqrt(null)),
        "info_frac": information / information[-1],
        "event": call["event"],
    }


ASSURANCE = re.compile(
    r"pnorm\(\(-log\((?P<hr>[\d.]+)\) - qnorm\(0\.975\)\*sqrt\(4/(?P<d>\d+)\)\)/sqrt\(4/\d+ \+ (?P<sd>[\d.]+)\^2\)\)"
)


def closed_form_assurance(text: str) -> dict[str, Any]:
    part = ASSURANCE.fullmatch(text)
    assert part is not None, text
    hr, error, sd = float(part["hr"]), math.sqrt(4.0 / float(part["d"])), float(part["sd"])
    return {"assurance": normal_assurance(-math.log(hr), sd, error, alpha=0.025)}


GS_DESIGN = (
    "gsDesign stops solving at its tol of 1e-6 in probability: evaluated here, its bounds of these calls spend alpha "
    "and beta with errors up to 3e-7, ours up to 1e-15"
)
GS_SURV = "gsSurv solves bounds and sample size to its tol of 1.2e-4 in probability"
GS_DESIGN2 = "gsDesign2 is good to about 1e-5 in times and bounds"
GS_PREDICTION = "gsPI stops root finding at the default tolerance of uniroot, 1.2e-4"
RPACT_REPEATED = "rpact stops the search for repeated p-values at its tolerance of 1e-6"
GSD2 = Adapter(gs_design2_power, rtol=1e-5, atol=2e-6, because=GS_DESIGN2, where="gs_spending_bound")
ADAPTERS = {
    ("gsDesign", "gsDesign"): Adapter(gs_design_values),
    ("gsDesign", "gsDesign (test.type=2)"): Adapter(gs_design_values),
    ("gsDesign", "gsDesign(test.type=3)"): Adapter(gs_design_values, rtol=2e-6, atol=5e-6, because=GS_DESIGN),
    ("gsDesign", "gsDesign(test.type=4)"): Adapter(gs_design_values, rtol=1e-6, atol=2e-6, because=GS_DESIGN),
    ("gsDesign", "gsSurv"): Adapter(gs_surv, rtol=1e-4, because=GS_SURV),
    ("gsDesign", "gsCP"): Adapter(gs_cp),
    ("gsDesign", "condPower"): Adapter(cond_power),
    ("gsDesign", "gsPP"): Adapter(gs_prediction),
    ("gsDesign", "gsPI"): Adapter(gs_prediction, rtol=1e-6, atol=1.2e-4, because=GS_PREDICTION),
    ("gsDesign", "gsPOS"): Adapter(compute_text=gs_pos, rtol=2e-6, because=GS_DESIGN),
    ("gsDesign", "gsCPOS"): Adapter(compute_text=gs_pos),
    ("rpact", "getDesignGroupSequential"): Adapter(rpact_bounds),
    ("rpact", "getDesignGroupSequential(beta-spending)"): Adapter(rpact_bounds),
    ("rpact", "getDesignCharacteristics"): Adapter(rpact_characteristics),
    ("rpact", "getAnalysisResults"): Adapter(rpact_analysis, rtol=1e-6, atol=1e-6, because=RPACT_REPEATED),
    ("rpact", "getConditionalPower"): Adapter(compute_text=rpact_conditional_power),
    ("rpact", "getSampleSizeSurvival"): Adapter(rpact_survival, where="kMax=3"),
    ("rpact", "getPowerSurvival futility"): Adapter(rpact_survival),
    ("gsDesign2", "gs_power_ahr"): GSD2,
    ("lrstat", "lrpower"): Adapter(lrstat_power, where="kMax=3"),
    ("lrstat", "lrpower GS+beta spending"): Adapter(lrstat_power),
    ("lrstat", "getBound"): Adapter(lrstat_bound),
    ("lrstat", "getCP"): Adapter(lrstat_cp),
    ("stats", "pnorm (closed-form assurance, Schoenfeld, 1:1, alpha .025)"): Adapter(
        compute_text=closed_form_assurance
    ),
}
