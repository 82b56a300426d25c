"""Designs that lrstat simulated, simulated here: within 4 Monte Carlo standard errors of both together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.design import AtEvents, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.simulation import simulate
from analysis.statistical_tests import FlemingHarrington, LogRank
from analysis.survival import PiecewiseExponential
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from analysis.simulation import SimulatedTrials
    from tests.reference.power.r_calls import RCall

TRIALS = 10_000


def simulated(call: RCall) -> SimulatedTrials:
    breaks = np.atleast_1d(call.get("piecewiseSurvivalTime", 0.0))[1:]
    rate = float(call["accrualIntensity"])
    n = round(call.get("n") or call["accrualDuration"] * rate)
    cuts = (
        [AtTime(call["plannedTime"])]
        if call.get("plannedTime")
        else [AtEvents(int(d)) for d in np.atleast_1d(call["plannedEvents"])]
    )
    bounds = np.atleast_1d(call["criticalValues"])
    losses = {"control": call.get("gamma2", 0.0), "experimental": call.get("gamma1", 0.0)}
    design = TrialDesign(
        n=n,
        accrual=UniformAccrual(n / rate),
        looks=[Look(cut, efficacy_z=float(z)) for cut, z in zip(cuts, bounds, strict=True)],
        allocation={"control": call["allocation2"], "experimental": call["allocation1"]},
        dropout=losses,
    )
    rates = {"control": call["lambda2"], "experimental": call["lambda1"]}
    scenario = Scenario({arm: PiecewiseExponential(np.atleast_1d(r), breaks) for arm, r in rates.items()})
    weight = FlemingHarrington(call["rho1"], call["rho2"]) if call.get("rho1") is not None else None
    test = LogRank() if weight is None else LogRank(weight)
    return simulate(design, scenario, trials=TRIALS, rng=20, tests=(test,), progress=False)


def lrsim(call: RCall) -> dict[str, Any]:
    result = simulated(call)
    course = result.course()
    every, at = np.arange(result.trials), course.look
    looks = np.arange(len(result.design.looks))
    per_stage = [(course.rejected & (at == look)).mean() for look in looks]
    return {
        "overallReject": course.rejected.mean(),
        "expectedNumberOfEvents": result.columns["events"][every, at, 0].mean(),
        "expectedNumberOfSubjects": result.columns["enrolled"][every, at].mean(),
        "rejectPerStage": per_stage,
        "cumulativeRejection": np.cumsum(per_stage),
    }


def four_standard_errors(quantity: str, value: float) -> float:
    """Of a share of trials, both simulations together; other quantities are the same in almost every trial."""
    if "ject" not in quantity or "Subjects" in quantity:
        return 1e-3
    replicates = re.search(r"(\d+) reps", quantity)
    assert replicates is not None
    return float(4 * np.sqrt(value * (1 - value) * (1 / int(replicates[1]) + 1 / TRIALS)))


ADAPTERS = {("lrstat", "lrsim (simulated)"): Adapter(lrsim, tolerance=four_standard_errors)}
