"""What a caller may leave out of a report, and what is said of a report that no data set reproduces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.errors import InfeasibleReportError, InvalidValueError, UnknownNameError
from analysis.reconstruction.report.fidelity import ROUNDING, printed_statistics
from analysis.reconstruction.report.steps import least_at_risk
from analysis.reported import check_comparison

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from analysis.reconstruction.result import Reconstruction
    from analysis.reported import ReportedArm, ReportedComparison

WHOLE = (
    "hazard_ratio",
    "p_value",
    "events_total",
    "n_total",
    "median_follow_up",
    "longest_follow_up",
    "assessment_interval",
)
USUAL_LEVEL, OTHER_LEVELS = 0.95, (0.8, 0.9, 0.99)
OF_AN_ARM = ("events", "median", "median_ci", "median_follow_up", "landmarks", "quartiles", "at_risk")


def without(comparison: ReportedComparison, relaxed: Iterable[str]) -> ReportedComparison:
    """Return the report without some of its numbers.

    Parameters
    ----------
    comparison
        The report.
    relaxed
        ``"hazard_ratio"``, ``"hazard_ratio.ci"``, ``"p_value"``, ``"events_total"``, ``"n_total"``,
        ``"median_follow_up"``, ``"longest_follow_up"``, ``"assessment_interval"``, ``"strata"`` (ratio and test are
        then computed without), or of an arm, such as ``"placebo.median_ci"``: ``events``, ``median``, ``median_ci``,
        ``median_follow_up``, ``landmarks``, ``quartiles``, ``at_risk``.

    Raises
    ------
    UnknownNameError
        If there is no such number.
    """
    of_arms = {f"{arm.name}.{field}": (arm.name, field) for arm in comparison.arms for field in OF_AN_ARM}
    for name in relaxed:
        if name == "hazard_ratio.ci" and comparison.hazard_ratio is not None:
            comparison = replace(comparison, hazard_ratio=replace(comparison.hazard_ratio, ci=None))
        elif name == "strata":
            comparison = replace(comparison, strata=())
        elif name in WHOLE:
            absent: dict[str, Any] = {name: None}
            comparison = replace(comparison, **absent)
        elif name in of_arms:
            of, field = of_arms[name]
            arms = tuple(_arm_without(arm, field) if arm.name == of else arm for arm in comparison.arms)
            comparison = replace(comparison, arms=arms)
        else:
            raise UnknownNameError("number to relax", name, [*WHOLE, "hazard_ratio.ci", "strata", *of_arms])
    return comparison


def left_out(whole: ReportedComparison, kept: ReportedComparison) -> tuple[str, ...]:
    """Names of the statistics that one report prints and the other does not."""
    names = {statistic.name for statistic in printed_statistics(kept)}
    return tuple(s.name for s in printed_statistics(whole) if s.name not in names)


def refuse_contradictions(comparison: ReportedComparison) -> None:
    """Raise `InfeasibleReportError` for what no data set gives, so that none has to be searched for.

    More events than patients, totals that are not the sum of the arms, a hazard ratio that is not in the middle of its
    interval, as that of a Cox model is on the log scale, and rates that would need more at risk than there are.
    """
    refuse_bounds(comparison)
    for arm in comparison.arms:
        _refuse_small_falls(arm, comparison.id or comparison.endpoint)
    for finding in check_comparison(comparison):
        if finding.check == "counts":
            raise InfeasibleReportError(str(finding))
        if finding.check == "asymmetric-interval":
            raise InfeasibleReportError(
                f"{finding}; no data set gives both: relax 'hazard_ratio' or 'hazard_ratio.ci', or correct the one that"
                " is misprinted"
            )


def _refuse_small_falls(arm: ReportedArm, name: str) -> None:
    """Raise `InfeasibleReportError` if a curve falls from one rate to the next by less than one event takes off."""
    marks = sorted((mark for mark in arm.landmarks if mark.survival.reached), key=lambda mark: mark.time.value)
    for mark, later in pairwise(marks):
        before, after = mark.survival, later.survival
        if arm.n is None or before.lower <= 0 or after.upper >= before.lower:
            continue
        least, left = least_at_risk(after.lower / before.upper, after.upper / before.lower), arm.n.value * before.upper
        if least > left + ROUNDING:
            raise InfeasibleReportError(
                f"{name}: {arm.name}.landmarks: from {before} at month {mark.time.value:g} to {after} at month "
                f"{later.time.value:g} a curve falls only if {least} or more are at risk, and of {arm.n.value:g} "
                f"patients at most {int(left)} are left; check the digits, or relax '{arm.name}.landmarks'"
            )


def refuse_bounds(comparison: ReportedComparison) -> None:
    """Raise `InvalidValueError` for a count that is a bound, as in ``"< 30"``: it would be read as 30."""
    counts = {"n_total": comparison.n_total, "events_total": comparison.events_total}
    counts |= {f"{arm.name}.{name}": getattr(arm, name) for arm in comparison.arms for name in ("n", "events")}
    for name, count in counts.items():
        if count is not None and count.lower != count.upper:
            expected, remedy = "a number of patients, not a bound", "leave it out: what the rest says of it comes out"
            raise InvalidValueError(f"{comparison.id or comparison.endpoint}: {name}", count.text, expected, remedy)


def refuse_zeros(comparison: ReportedComparison) -> None:
    """Raise `InvalidValueError` for times of 0 and for a p-value printed as 0, which no trial has.

    A p-value of 0.000 is below 0.0005; a bare 0 is only below 0.5, and not what is meant by it.
    """
    months = "a time above 0"
    for arm in comparison.arms:
        times = {"median": arm.median, "median_follow_up": arm.median_follow_up}
        times |= {f"quartiles[{i}].time": quartile.time for i, quartile in enumerate(arm.quartiles)}
        times |= {f"landmarks[{i}].time": mark.time for i, mark in enumerate(arm.landmarks)}
        for name, time in times.items():
            if time is not None and time.reached and time.value <= 0:
                raise InvalidValueError(f"{arm.name}.{name}", str(time), months, "check it against the report")
    for name in ("median_follow_up", "longest_follow_up", "assessment_interval"):
        time = getattr(comparison, name)
        if time is not None and time.reached and time.value <= 0:
            raise InvalidValueError(name, str(time), months, "check it against the report")
    p = comparison.p_value
    if p is not None and p.value.value <= 0 and p.value.upper > 0.05:
        expected = "a p-value above 0, with the digits that are printed"
        raise InvalidValueError("p_value", str(p.value), expected, "write 0.000 or <0.001 if that is printed")


def missed_numbers(attempt: Reconstruction) -> list[str]:
    """Say which numbers the members of an attempt miss, and what they give."""
    table = attempt.fidelity()
    missed = table[(table["share"] < 1) & ~table["relaxed"]].sort_values("share", kind="stable")
    return [
        f"{name} is printed as {reported}, the nearest data sets give {_nearest(lowest, highest)}"
        for name, reported, lowest, highest in zip(
            missed["number"], missed["reported"], missed["lowest"], missed["highest"], strict=True
        )
    ]


def suspects(attempt: Reconstruction) -> dict[str, float]:
    """Names under which the numbers that an attempt misses can be relaxed, with the share of members that give them.

    The most missed come first.
    """
    table = attempt.fidelity()
    missed = table[(table["share"] < 1) & ~table["relaxed"]].sort_values("share", kind="stable")
    names = [name.removesuffix(".lower").removesuffix(".upper") for name in missed["number"]]
    for arm in attempt.comparison.arms:
        for printed, field in (("survival at ", "landmarks"), ("time at ", "quartiles"), ("at risk at ", "at_risk")):
            start = f"{arm.name}.{printed}"
            names = [f"{arm.name}.{field}" if name.startswith(start) else name for name in names]
    shares: dict[str, float] = {}
    for name, share in zip(names, missed["share"], strict=True):
        if not name.endswith(".n"):
            shares.setdefault(name, float(share))
    of_comparison = {"hazard_ratio": attempt.comparison.hazard_ratio, "p_value": attempt.comparison.p_value}
    missed_by = [share for name, share in shares.items() if name.split(".")[0] in of_comparison]
    for other, number in of_comparison.items():  # of two that contradict each other the search may have kept either
        if missed_by and number is not None:
            shares.setdefault(other, min(missed_by))
    return dict(sorted(shares.items(), key=lambda item: item[1]))


class Reading(NamedTuple):
    """A report that prints the same digits and means something else by them."""

    number: str
    said: str
    report: ReportedComparison


def one_sided(comparison: ReportedComparison) -> list[Reading]:
    """Give the report with its p-value read as one-sided, which papers do not always say."""
    p = comparison.p_value
    if p is None or p.sided is not None:
        return []
    return [Reading("p_value", "its p-value can be a one-sided one", replace(comparison, p_value=replace(p, sided=1)))]


def other_readings(comparison: ReportedComparison, enough: Collection[str]) -> list[Reading]:
    """Give a report that is not met as it can be read: its p one-sided, or the interval of its ratio of 80, 90 or 99%.

    ``enough`` are the numbers each of which alone, relaxed, makes it possible. Where the p-value is one of them, it
    contradicts the interval, which is then not doubted.
    """
    found, ratio = one_sided(comparison), comparison.hazard_ratio
    if "hazard_ratio.ci" not in enough or "p_value" in enough:
        return found
    if ratio is not None and ratio.ci is not None and ratio.ci.level == USUAL_LEVEL:
        for level in OTHER_LEVELS:
            read = replace(comparison, hazard_ratio=replace(ratio, ci=replace(ratio.ci, level=level)))
            found.append(
                Reading("hazard_ratio.ci", f"the interval of its hazard ratio can be one of {level:.0%}", read)
            )
    return found


def refuse(attempt: Reconstruction, enough: list[str], read: Sequence[str] = ()) -> None:
    """Raise `InfeasibleReportError` with the numbers that the nearest data sets miss, and by how much.

    Parameters
    ----------
    attempt
        The members that came nearest.
    enough
        Names of the numbers each of which alone, relaxed, makes the report possible.
    read
        How its numbers can be read so that it is possible.
    """
    lines = missed_numbers(attempt)
    contradictions = [str(finding) for finding in check_comparison(attempt.comparison) if finding.severity == "error"]
    warnings = [str(finding) for finding in check_comparison(attempt.comparison) if finding.severity == "warning"]
    lines = lines or ["no single number was found to be missed"]
    if enough:
        remedy = f"it is enough to relax {' or '.join(repr(name) for name in enough)}"
    else:
        named = ", ".join(repr(name) for name in suspects(attempt)) or "the numbers printed"
        remedy = f"name what may differ with relax=(...), of {named}"
    remedy = said_first(read, remedy)
    if contradictions:
        remedy = f"correct the report, or {remedy}"
    raise InfeasibleReportError(
        f"{attempt.comparison.id or attempt.comparison.endpoint}: no data set was found that gives all printed numbers "
        f"back; {'; '.join([*lines, *contradictions, *warnings])}; {remedy}"
    )


def said_first(read: Sequence[str], remedy: str) -> str:
    """Put how a report can be read before the remedy that changes it."""
    return f"{' or '.join(read)}: say so if it is; else {remedy}" if read else remedy


def _arm_without(arm: ReportedArm, field: str) -> ReportedArm:
    absent: dict[str, Any] = {field: () if field in ("landmarks", "quartiles") else None}
    return replace(arm, **absent)


def _nearest(low: float, high: float) -> str:
    return f"{low:.4g}" if np.isclose(low, high) else f"{low:.4g} to {high:.4g}"
