"""Group-sequential designs of gsDesign, rpact and lrstat, and closed-form assurance."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.design import UniformAccrual
from analysis.power import (
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
    NoFutility,
    NormalPrior,
    NullSpending,
    OBrienFleming,
    Pocock,
    PointsPrior,
    SequentialSurvivalDesign,
    TwoArmTrial,
    WangTsiatis,
    assurance,
    conditional_assurance,
    conditional_crossing,
    conditional_power,
    crossing_of_test,
    crossing_probabilities,
    expected_events,
    normal_assurance,
    prediction_interval,
    predictive_power,
    repeated_inference,
    sequential_survival_design,
    time_of_events,
    two_arm_trial,
)
from analysis.power.approximations import AverageHazardRatio, ahr_information
from analysis.power.logrank import LogRank, expected_cox_hazard_ratio
from analysis.survival.distributions import Exponential
from tests.reference.power.r_calls import RCall, parse
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SPENDING: dict[str, Callable[[Any], Any]] = {
    "sfLDOF": lambda _: LanDeMetsOBrienFleming(),
    "sfOF": lambda _: LanDeMetsOBrienFleming(),
    "asOF": lambda _: LanDeMetsOBrienFleming(),
    "bsOF": lambda _: LanDeMetsOBrienFleming(),
    "sfLDPocock": lambda _: LanDeMetsPocock(),
    "sfP": lambda _: LanDeMetsPocock(),
    "asP": lambda _: LanDeMetsPocock(),
    "bsP": lambda _: LanDeMetsPocock(),
    "sfHSD": HwangShihDeCani,
    "asHSD": HwangShihDeCani,
    "bsHSD": HwangShihDeCani,
    "sfPower": KimDeMets,
    "sfKD": KimDeMets,
    "asKD": KimDeMets,
    "bsKD": KimDeMets,
    "sfExponential": ExponentialSpending,
}
SHAPES: dict[str, Callable[[Any], Any]] = {
    "OF": lambda _: OBrienFleming(),
    "Pocock": lambda _: Pocock(),
    "P": lambda _: Pocock(),
    "HP": lambda _: HaybittlePeto(),
    "WT": WangTsiatis,
}


def numbered(name: str, values: Iterable[float]) -> dict[str, float]:
    return {f"{name}[{i}]": float(v) for i, v in enumerate(values, 1)}


def efficacy(name: str, parameter: Any) -> Any:
    return SHAPES[name](parameter) if name in SHAPES else AlphaSpending(SPENDING[name](parameter))


def gs_design(call: RCall) -> GroupSequentialDesign:
    looks = int(call.get("k", 3))
    timing = np.atleast_1d(call.get("timing", np.arange(1, looks + 1) / looks))
    if timing.size < looks:
        timing = np.r_[timing, 1.0]
    kind = int(call.get("test_type", 4))
    lower = SPENDING[call.get("sfl", "sfHSD")](call.get("sflpar", -2.0))
    futility = {
        1: NoFutility(),
        2: NoFutility(),
        3: BetaSpending(lower, binding=True),
        4: BetaSpending(lower),
        5: NullSpending(lower, binding=True),
        6: NullSpending(lower),
    }
    sided = 2 if kind == 2 else 1  # gsDesign's alpha is that of one side
    return GroupSequentialDesign(
        tuple(timing),
        alpha=sided * call.get("alpha", 0.025),
        sided=sided,
        power=1.0 - call.get("beta", 0.1),
        efficacy=efficacy(call.get("sfu", "sfHSD"), call.get("sfupar", -4.0)),
        futility=futility[kind],
    )


def schoenfeld_events(call: RCall) -> float:
    """``nEvents(hr, alpha, beta, ratio)``: the events of the fixed design."""
    design = GroupSequentialDesign((1.0,), alpha=call["alpha"], power=1.0 - call["beta"])
    ratio = call.get("ratio", 1.0)
    return (design.fixed_drift / math.log(call["hr"])) ** 2 * (1.0 + ratio) ** 2 / ratio


def fixed_size(call: RCall) -> float:
    size = call.get("n_fix", 1.0)
    return schoenfeld_events(size) if isinstance(size, RCall) else size


def sizes(call: RCall, design: GroupSequentialDesign) -> np.ndarray:
    """``n.I``: information at the looks in the unit of ``n.fix``."""
    return fixed_size(call) * design.inflation * np.array(design.fractions)


def gs_design_values(call: RCall) -> dict[str, float]:
    design = gs_design(call)
    null, alternative = design.operating_characteristics((0.0, 1.0)).expected_inflation
    return {
        **numbered("upper", design.upper),
        **numbered("upper_z", design.upper),
        **numbered("lower", design.lower),
        **numbered("n_events", sizes(call, design)),
        **numbered("spend", np.diff(np.r_[0.0, design.alpha_spent])),
        **numbered("cum_spend", design.alpha_spent),
        "inflation": design.inflation,
        "en_ratio_H0": null,
        "en_ratio_H1": alternative,
        "fixed_events": fixed_size(call),
    }


def gs_cp(call: RCall) -> dict[str, float]:
    design, look, z = gs_design(call.args[0]), int(call["i"]), call["zi"]
    n = sizes(call.args[0], design)
    thetas = [z / math.sqrt(n[look - 1]), 0.0, design.drift / math.sqrt(n[-1])]
    upper = [conditional_crossing(design, look, z, theta * math.sqrt(n[-1])).upper for theta in thetas]
    return numbered("upper_prob", np.concatenate(upper)) | numbered("theta", thetas)


def cond_power(call: RCall) -> dict[str, float]:
    design = gs_design(call["x"])
    n = sizes(call["x"], design)
    drift = call["theta"] * math.sqrt(n[-1])
    return {"cp": conditional_power(design, 1, call["z1"], drift, increments=[call["n2"] / n[-1]])}


def points(call: RCall, scale: float) -> PointsPrior:
    theta, weights = call.get("theta", np.array([0.0, 3.0])), call.get("wgts", np.array([0.5, 0.5]))
    return PointsPrior(tuple(theta * scale), tuple(weights))


def gs_pp(call: RCall) -> dict[str, float]:
    design = gs_design(call.args[0])
    prior = points(call, math.sqrt(sizes(call.args[0], design)[-1]))
    return {"pp": predictive_power(design, int(call["i"]), call["zi"], prior)}


def gs_pi(call: RCall) -> dict[str, float]:
    design = gs_design(call.args[0])
    prior = points(call, math.sqrt(sizes(call.args[0], design)[-1]))
    interval = prediction_interval(design, int(call["i"]), call["zi"], int(call["j"]), prior)
    return numbered("pred_interval", interval)


def gs_pos(text: str) -> dict[str, float]:
    grid, call = (parse(part) for part in re.fullmatch(r"\{p <- (.*?); (.*)\}", text.replace("p$", "")).groups())
    design = gs_design(call["x"])
    scale = math.sqrt(sizes(call["x"], design)[-1])
    prior = NormalPrior(grid["mu"] * scale, grid["sigma"] * scale)
    if call.name == "gsPOS":
        return {"POS": assurance(design, prior)}
    return {"CPOS": conditional_assurance(design, int(call["i"]), prior)}


def rates(call: RCall, looks: int) -> tuple[float, ...]:
    return tuple(np.atleast_1d(call.get("informationRates", np.arange(1, looks + 1) / looks)))


def rpact_design(call: RCall) -> GroupSequentialDesign:
    parameter = call.get("gammaA", call.get("deltaWT"))
    futility: Any = NoFutility()
    if call.get("typeBetaSpending"):
        function = SPENDING[call["typeBetaSpending"]](call.get("gammaB"))
        futility = BetaSpending(function, binding=call.get("bindingFutility", False))
    if call.get("futilityBounds") is not None:
        futility = FutilityBounds(tuple(np.atleast_1d(call["futilityBounds"])), call.get("bindingFutility", False))
    return GroupSequentialDesign(
        rates(call, int(call["kMax"])),
        alpha=call.get("alpha", 0.025),
        sided=int(call.get("sided", 1)),
        power=1.0 - call.get("beta", 0.2),
        efficacy=efficacy(call["typeOfDesign"], parameter),
        futility=futility,
    )


def rpact_bounds(call: RCall) -> dict[str, float]:
    design = rpact_design(call)
    lower = numbered("futilityBounds", design.lower[:-1])
    return {
        **numbered("criticalValues", design.upper),
        **numbered("alphaSpent", design.alpha_spent),
        **numbered("stageLevels", design.nominal_p),
        **numbered("betaSpent", design.beta_spent),
        **lower,
        **({"futilityBounds": lower["futilityBounds[1]"]} if len(lower) == 1 else {}),
    }


def rpact_characteristics(call: RCall) -> dict[str, float]:
    design = rpact_design(call.args[0])
    n0, n01, n1 = design.operating_characteristics((0.0, 0.5, 1.0)).expected_inflation
    return {
        **numbered("power", np.cumsum(design.crossing(design.drift).upper)),
        "inflationFactor": design.inflation,
        "shift": design.drift**2,
        "avgN_H0": n0,
        "avgN_H01": n01,
        "avgN_H1": n1,
    }


def log_rank_drift(hazard_ratio: float, events: float) -> float:
    """Drift of the log-rank test at 1:1 by Schoenfeld's variance."""
    return -math.log(hazard_ratio) * math.sqrt(events / 4.0)


def rpact_analysis(call: RCall) -> dict[str, float]:
    design, data = rpact_design(call.args[0]), call.args[1]
    events, z = np.atleast_1d(data["cumulativeEvents"]), -np.atleast_1d(data["cumulativeLogRanks"])
    planned = events[0] / design.fractions[0]
    drift = log_rank_drift(call["thetaH1"], planned)
    increments = np.atleast_1d(call["nPlanned"]) / planned
    result: dict[str, float] = {"cp": conditional_power(design, events.size, z[-1], drift, increments=increments)}
    unit = math.sqrt(planned / 4.0)
    for look, value in enumerate(z, 1):
        repeated = repeated_inference(design, look, value)
        result |= {
            f"condRejProb[{look}]": conditional_power(design, look, value, 0.0),
            f"rci_lo[{look}]": math.exp(-repeated.upper / unit),
            f"rci_hi[{look}]": math.exp(-repeated.lower / unit),
            f"rp[{look}]": repeated.p_value,
        }
    return result


def rpact_conditional_power(text: str) -> dict[str, float]:
    data = parse(re.search(r"d <- (.*?); sr", text)[1])
    design = rpact_design(parse(re.search(r"getStageResults\((.*\)), dataInput", text)[1]))
    request = parse(re.search(r"(getConditionalPower\(.*\))\}", text)[1])
    z = -float(np.atleast_1d(data["cumulativeLogRanks"])[-1])
    events, look = np.atleast_1d(data["cumulativeEvents"]), np.atleast_1d(data["cumulativeEvents"]).size
    planned = events[0] / design.fractions[0]
    crossed = conditional_crossing(
        design,
        look,
        z,
        log_rank_drift(request["thetaH1"], planned),
        increments=np.atleast_1d(request["nPlanned"]) / planned,
    )
    return {f"cp[{look + i}]": float(p) for i, p in enumerate(np.cumsum(crossed.upper), 1)}


def lrstat_design(call: RCall, spending: str) -> GroupSequentialDesign:
    return GroupSequentialDesign(
        rates(call, int(call.get("k", call.get("kMax", 0)))),
        alpha=call["alpha"],
        efficacy=efficacy(call[spending], call.get("parameterAlphaSpending")),
    )


def lrstat_bound(call: RCall) -> dict[str, float]:
    return numbered("bound", lrstat_design(call, "typeAlphaSpending").upper)


def lrstat_cp(call: RCall) -> dict[str, float]:
    design, look = lrstat_design(call, "typeAlphaSpending"), int(call["L"])
    planned = np.diff(design.fractions[look - 1 :])
    increments = planned / planned.sum() * call["INew"] / call["IMax"]
    drift = call["theta"] * math.sqrt(call["IMax"])
    return {"cp": conditional_power(design, look, call["zL"], drift, increments=increments)}


def uniform_trial(n: float, duration: float, control: float, hazard_ratio: float, **rest: float) -> TwoArmTrial:
    accrual = UniformAccrual(duration)
    return two_arm_trial(Exponential(control), hazard_ratio=hazard_ratio, n=n, accrual=accrual, **rest)


def gs_surv(call: RCall) -> dict[str, float]:
    plan = sequential_survival_design(gs_design(call), call["hr"], allocation_ratio=call["ratio"])
    unit = uniform_trial(1.0, call["R"], call["lambdaC"], call["hr"], allocation_ratio=call["ratio"])
    trial = unit.with_n(plan.events / float(expected_events(unit, call["T"]).sum()))
    looks = plan.schedule(trial)
    return {
        **numbered("n_events", looks.events),
        **numbered("upper", plan.design.upper),
        **numbered("T", looks.times),
        **numbered("N", looks.enrolled),
    }


def rpact_trial(call: RCall) -> TwoArmTrial:
    return uniform_trial(
        call["maxNumberOfSubjects"],
        call["accrualTime"][-1],
        call["lambda2"],
        call["hazardRatio"],
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
    )


def rpact_survival(plan: SequentialSurvivalDesign, call: RCall) -> dict[str, float]:
    looks = plan.schedule(rpact_trial(call))
    futility = float(looks.crossing.lower[:-1].sum())
    return {
        **numbered("rejectPerStage", looks.crossing.upper),
        **numbered("analysisTime", looks.times),
        **numbered("cumulativeEventsPerStage", looks.events),
        **numbered("hr_boundary", plan.efficacy_hazard_ratios),
        "overallReject": looks.power,
        "futilityStop": futility,
        "earlyStop": futility + float(looks.crossing.upper[:-1].sum()),
        "expEvents": looks.expected_events,
        "expectedEventsH1": looks.expected_events,
        "studyDuration": looks.expected_duration,
        "maxNumberOfEvents": plan.events,
    }


def rpact_power_survival(call: RCall) -> dict[str, float]:
    """``getPowerSurvival`` of a design with several looks."""
    ratio = call.get("allocationRatioPlanned", 1.0)
    design = rpact_design(call.args[0])
    return rpact_survival(SequentialSurvivalDesign(design, call["hazardRatio"], call["maxNumberOfEvents"], ratio), call)


def rpact_sample_size_survival(call: RCall) -> dict[str, float]:
    """``getSampleSizeSurvival`` of a design with several looks and a given number of patients."""
    ratio = call.get("allocationRatioPlanned", 1.0)
    return rpact_survival(
        sequential_survival_design(rpact_design(call.args[0]), call["hazardRatio"], allocation_ratio=ratio), call
    )


def lrstat_power(call: RCall) -> dict[str, float]:
    """``lrpower`` of a design with several looks, uniform accrual and exponential event times."""
    trial = uniform_trial(
        call["accrualIntensity"] * call["accrualDuration"],
        call["accrualDuration"],
        call["lambda2"],
        call["lambda1"] / call["lambda2"],
        allocation_ratio=call.get("allocationRatioPlanned", 1.0),
        dropout=call.get("gamma1", 0.0),
    )
    futility: Any = NoFutility()
    if call.get("futilityBounds") is not None:
        futility = FutilityBounds(tuple(np.atleast_1d(call["futilityBounds"])))
    design = GroupSequentialDesign(
        rates(call, int(call["kMax"])),
        alpha=call["alpha"],
        efficacy=efficacy(call["typeAlphaSpending"], call.get("parameterAlphaSpending")),
        futility=futility,
    )
    followup = call["followupTime"]
    if isinstance(followup, RCall):
        end = time_of_events(trial, followup.args[0]["nevents"])
    else:
        end = call["accrualDuration"] + followup
    events = float(expected_events(trial, end).sum())
    plan = SequentialSurvivalDesign(design, call["lambda1"] / call["lambda2"], events, trial.allocation_ratio)
    looks = plan.schedule(trial, LogRank(variance="null"))
    cox = [expected_cox_hazard_ratio(trial, time) for time in looks.times]
    log_error = np.sqrt([variance for _, variance in cox])
    return {
        **numbered("efficacyBounds", design.upper),
        **numbered("rejectPerStage", looks.crossing.upper),
        **numbered("futilityPerStage", looks.crossing.lower),
        **numbered("analysisTime", looks.times),
        **numbered("events", looks.events),
        **numbered("numberOfEvents", looks.events),
        **numbered("efficacyHR", np.exp(-design.upper * log_error)),
        **numbered("HR", [ratio for ratio, _ in cox]),
        **numbered("information", [LogRank().moments(trial, time).null_sd ** 2 for time in looks.times]),
        "overallReject": looks.power,
        "expN": looks.expected_events,
    }


def gs_design2_power(call: RCall) -> dict[str, float]:
    """``gs_power_ahr`` at numbers of events with a spending bound for efficacy and none for futility."""
    enrolled, failing = call["enroll_rate"], call["fail_rate"]
    trial = uniform_trial(
        enrolled["duration"] * enrolled["rate"],
        enrolled["duration"],
        failing["fail_rate"],
        failing["hr"],
        allocation_ratio=call["ratio"],
    )
    times = [time_of_events(trial, events) for events in call["event"]]
    null, information = np.array([ahr_information(trial, time) for time in times]).T
    spending = SPENDING[call["upar"]["sf"]](None)
    design = GroupSequentialDesign(
        tuple(null / null[-1]), alpha=call["upar"]["total_spend"], efficacy=AlphaSpending(spending)
    )
    # The tool allows for both variances at the first look, from the second on only for that under the alternative.
    mean = -math.log(failing["hr"]) * np.sqrt(information)
    later = crossing_probabilities(information, -math.inf, design.upper, mean).upper[1:]
    first = crossing_of_test(design.bounds, trial, times, AverageHazardRatio()).upper[0]
    return {
        **numbered("z", design.upper),
        **numbered("probability", np.cumsum([first, *later])),
        **numbered("time", times),
        **numbered("hr_at_bound", np.exp(-design.upper / np.sqrt(null))),
        **numbered("info_frac", information / information[-1]),
        **numbered("event", call["event"]),
    }


ASSURANCE = re.compile(
    r"pnorm\(\(-log\((?P<hr>[\d.]+)\) - qnorm\(0\.975\)\*sqrt\(4/(?P<d>\d+)\)\)/sqrt\(4/\d+ \+ (?P<sd>[\d.]+)\^2\)\)"
)


def closed_form_assurance(text: str) -> Mapping[str, float]:
    part = ASSURANCE.fullmatch(text)
    if part is None:
        raise ValueError(text)
    error = math.sqrt(4.0 / float(part["d"]))
    value = normal_assurance(-math.log(float(part["hr"])), float(part["sd"]), error, alpha=0.025)
    return {"assurance": value}


GS_DESIGN = (
    "gsDesign stops solving at its tol of 1e-6 in probability: evaluated here, its bounds of these calls spend alpha "
    "and beta with errors up to 3e-7, ours up to 1e-15"
)
GS_SURV = "gsSurv solves bounds and sample size to its tol of 1.2e-4 in probability"
GS_DESIGN2 = "gsDesign2 is good to about 1e-5 in times and bounds"
GS_PREDICTION = "gsPI stops root finding at the default tolerance of uniroot, 1.2e-4"
RPACT_REPEATED = "rpact stops the search for repeated p-values at its tolerance of 1e-6"
ADAPTERS = {
    ("gsDesign", "gsDesign"): Adapter(gs_design_values),
    ("gsDesign", "gsDesign (test.type=2)"): Adapter(gs_design_values),
    ("gsDesign", "gsDesign(test.type=3)"): Adapter(gs_design_values, rtol=2e-6, atol=5e-6, because=GS_DESIGN),
    ("gsDesign", "gsDesign(test.type=4)"): Adapter(gs_design_values, rtol=1e-6, atol=2e-6, because=GS_DESIGN),
    ("gsDesign", "gsSurv"): Adapter(gs_surv, rtol=1e-4, because=GS_SURV),
    ("gsDesign", "gsCP"): Adapter(gs_cp),
    ("gsDesign", "condPower"): Adapter(cond_power),
    ("gsDesign", "gsPP"): Adapter(gs_pp),
    ("gsDesign", "gsPI"): Adapter(gs_pi, rtol=1e-6, atol=1.2e-4, because=GS_PREDICTION),
    ("gsDesign", "gsPOS"): Adapter(compute_text=gs_pos, rtol=2e-6, because=GS_DESIGN),
    ("gsDesign", "gsCPOS"): Adapter(compute_text=gs_pos),
    ("rpact", "getDesignGroupSequential"): Adapter(rpact_bounds),
    ("rpact", "getDesignGroupSequential(beta-spending)"): Adapter(rpact_bounds),
    ("rpact", "getDesignCharacteristics"): Adapter(rpact_characteristics),
    ("rpact", "getAnalysisResults"): Adapter(rpact_analysis, rtol=1e-6, atol=1e-6, because=RPACT_REPEATED),
    ("rpact", "getConditionalPower"): Adapter(compute_text=rpact_conditional_power),
    ("rpact", "getSampleSizeSurvival"): Adapter(rpact_sample_size_survival, where="kMax=3"),
    ("gsDesign2", "gs_power_ahr"): Adapter(
        gs_design2_power, rtol=1e-5, atol=2e-6, because=GS_DESIGN2, where="gs_spending_bound"
    ),
    ("lrstat", "lrpower"): Adapter(lrstat_power, where="kMax=3"),
    ("rpact", "getPowerSurvival futility"): Adapter(rpact_power_survival),
    ("lrstat", "lrpower GS+beta spending"): Adapter(lrstat_power),
    ("lrstat", "getBound"): Adapter(lrstat_bound),
    ("lrstat", "getCP"): Adapter(lrstat_cp),
    ("stats", "pnorm (closed-form assurance, Schoenfeld, 1:1, alpha .025)"): Adapter(
        compute_text=closed_form_assurance
    ),
}
