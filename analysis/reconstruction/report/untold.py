"""Arms of which nothing that is printed says when their patients have events: their curves are the prior's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analysis.reported.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.reported import ReportedArm, ReportedComparison


def untold_curves(comparisons: Sequence[ReportedComparison]) -> tuple[Finding, ...]:
    """Find the arms without a point of their curve in any of the reports of the same patients and endpoint.

    A hazard ratio or a p-value ties an arm to the other one; it says nothing where no arm has a point.
    """
    arms = list(dict.fromkeys(arm.name for one in comparisons for arm in one.arms))
    told = {arm.name for one in comparisons for arm in one.arms if _has_a_point(arm, one)}
    tied = bool(told) and any(one.hazard_ratio is not None or one.p_value is not None for one in comparisons)
    untold = [name for name in arms if name not in told]
    if tied or not untold:
        return ()
    first = comparisons[0]
    return (
        Finding(
            check="curve-not-told",
            severity="warning",
            where=first.id or first.endpoint,
            message=f"nothing that is printed says when patients of {' and '.join(untold)} have events: the curve is "
            f"what is usual for {first.endpoint}, and no more",
            values=tuple(f"{what} of {arm.name} {number}" for arm in first.arms for what, number in arm.printed()),
            remedy="give a median, a rate at some time, numbers at risk or the curve",
        ),
    )


def _has_a_point(arm: ReportedArm, of: ReportedComparison) -> bool:
    """Whether a time and a share of the patients belong together; events do with how long patients were followed."""
    followed = arm.median_follow_up or of.median_follow_up or of.longest_follow_up
    rates = any(not math.isnan(landmark.survival.value) for landmark in arm.landmarks)
    at_risk = arm.at_risk is not None and any(time > 0 for time in arm.at_risk.times)
    events = followed is not None and arm.events is not None
    return bool(arm.median or arm.median_ci or arm.quartiles or rates or at_risk or events)
