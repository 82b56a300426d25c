"""A comparison as a table of what it prints: a row a number, a column an arm, and one for all arms together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.reported.arm import ReportedArm
    from analysis.reported.comparison import ReportedComparison
    from analysis.reported.number import Reported
    from analysis.reported.summaries import ReportedInterval

TOGETHER = "all arms"


def summary_of(comparison: ReportedComparison) -> pd.DataFrame:
    """Tabulate the printed numbers; see `ReportedComparison.summary`."""
    cells: dict[str, dict[str, str]] = {"patients": {}, "events": {}}  # these first, of whomever they are
    for arm in comparison.arms:
        for quantity, text in _of_arm(arm):
            cells.setdefault(quantity, {})[arm.name] = text
    for quantity, text in _of_all(comparison):
        cells.setdefault(quantity, {})[TOGETHER] = text
    rows = [{"quantity": quantity, **by_arm} for quantity, by_arm in cells.items() if by_arm]
    columns = ["quantity", *(arm.name for arm in comparison.arms), TOGETHER]
    return pd.DataFrame(rows, columns=columns).fillna("")


def _of_arm(arm: ReportedArm) -> Iterator[tuple[str, str]]:
    counted = {"patients": arm.n, "events": arm.events}
    yield from ((name, str(count)) for name, count in counted.items() if count is not None)
    if arm.median is not None or arm.median_ci is not None:
        yield "median", _with_limits(arm.median, arm.median_ci)
    for quartile in arm.quartiles:
        yield f"time by which {quartile.p:.0%} had the event", _with_limits(quartile.time, quartile.ci)
    for landmark in arm.landmarks:
        yield f"survival at {landmark.time.with_unit}", _with_limits(landmark.survival, landmark.ci)
    if arm.at_risk is not None:
        unit = arm.at_risk.unit or "months"
        for time, count in zip(arm.at_risk.times, arm.at_risk.counts, strict=True):
            yield f"at risk at {time:g} {unit}", str(count)
    if arm.median_follow_up is not None:
        yield "median follow-up", arm.median_follow_up.with_unit


def _of_all(comparison: ReportedComparison) -> Iterator[tuple[str, str]]:
    counted = {"patients": comparison.n_total, "events": comparison.events_total}
    yield from ((name, str(count)) for name, count in counted.items() if count is not None)
    if comparison.hazard_ratio is not None:
        yield "hazard ratio", str(comparison.hazard_ratio)
    if comparison.p_value is not None:
        yield "p-value", str(comparison.p_value)
    months = {
        "median follow-up": comparison.median_follow_up,
        "longest follow-up": comparison.longest_follow_up,
        "interval between assessments": comparison.assessment_interval,
    }
    yield from ((name, time.with_unit) for name, time in months.items() if time is not None)
    for factor in comparison.strata:
        yield f"stratified by {factor.name}", " / ".join(map(str, factor.n)) or "yes"


def _with_limits(number: Reported | None, ci: ReportedInterval | None) -> str:
    printed = "" if number is None else number.with_unit
    return printed if ci is None else f"{printed} ({100 * ci.level:g}% CI {ci})".strip()
