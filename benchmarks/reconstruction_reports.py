"""From a figure to the call under test: the report that a paper would print at each tier, and the result's curves."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from reconstruction_figures import Figure, PrintedArm, Tier, digitise
from reconstruction_metrics import Score, failure, score

import analysis
from analysis.reported import ENDPOINTS, AtRisk, Landmark, ReportedArm, ReportedComparison, ReportedInterval

if TYPE_CHECKING:
    from analysis.reconstruction import Reconstruction

ROLES = ("control", "experimental")  # arms are named by their role: two arms of a figure may bear the same name


@dataclass(frozen=True)
class ReconstructedCurves:
    """The curves of a reconstruction, as the metrics want them."""

    result: Reconstruction

    def survival(self, arm: int, t: np.ndarray) -> np.ndarray:
        """Mean of the ensemble at `t`."""
        return self.result.survival_at(ROLES[arm], t)["mean"].to_numpy()

    def band(self, arm: int, t: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Pointwise limits of the ensemble."""
        frame = self.result.survival_at(ROLES[arm], t, level=level)
        return frame["lower"].to_numpy(), frame["upper"].to_numpy()


def report(figure: Figure, tier: Tier) -> ReportedComparison:
    """Return what is known of a figure at the level of detail of `tier`.

    `window` is `summary` with the longest follow-up. The other tiers build on each other, but for `curve`: who
    digitises a curve has it with its risk table and events.
    """
    arms = zip(ROLES, figure.printed, strict=True)
    endpoint = figure.endpoint if figure.endpoint in ENDPOINTS else "EFS"  # others differ in what counts as event
    if tier == "curve":
        return ReportedComparison(
            endpoint=endpoint,
            arms=[ReportedArm(role, n=arm.n, events=arm.events, at_risk=_at_risk(arm)) for role, arm in arms],
            control=ROLES[0],
        )
    return ReportedComparison(
        endpoint=endpoint,
        arms=[_reported_arm(role, arm, tier) for role, arm in arms],
        control=ROLES[0],
        hazard_ratio=(figure.hazard_ratio, figure.hazard_ratio_lower, figure.hazard_ratio_upper),
        events_total=figure.events,
        longest_follow_up=_longest(figure) if tier == "window" else None,
    )


def reconstruct(figure: Figure, tier: Tier, **options: Any) -> Reconstruction:
    """Reconstruct `figure` from what `tier` prints of it."""
    if tier == "curve":
        curves = {role: digitise(arm) for role, arm in zip(ROLES, figure.arms, strict=True)}
        return analysis.reconstruct_curve(report(figure, tier), curves, members=options["members"], rng=options["rng"])
    return analysis.reconstruct(report(figure, tier), **options)


def evaluate(figure: Figure, tier: Tier, **options: Any) -> Score:
    """Reconstruct and score one figure."""
    start = time.perf_counter()
    try:
        result = reconstruct(figure, tier, **options)
    except Exception as error:  # whatever goes wrong is a failure of the method on this figure, and counted as such
        return failure(figure, f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - start
    return score(figure, ReconstructedCurves(result), fidelity=float(np.mean(result.faithful)), seconds=seconds)


def _reported_arm(role: str, arm: PrintedArm, tier: Tier) -> ReportedArm:
    limits = (arm.median_lower or "not reached", arm.median_upper or "not reached")
    rates = [Landmark(str(month), f"{rate}%") for month, rate in arm.rates.items()]
    return ReportedArm(
        role,
        n=arm.n,
        events=arm.events if tier == "risk" else None,
        median=arm.median or "not reached",
        median_ci=replace(ReportedInterval.of(limits, "months", "median_ci"), scale="log-log"),
        landmarks=tuple(rates) if tier not in ("summary", "window") else (),
        at_risk=_at_risk(arm) if tier == "risk" else None,
        median_follow_up=arm.median_follow_up,
    )


def _longest(figure: Figure) -> str:
    return f"{max(arm.follow_up for arm in figure.arms):.2f}"


def _at_risk(arm: PrintedArm) -> AtRisk:
    return AtRisk(tuple(arm.at_risk), tuple(arm.at_risk.values()))
