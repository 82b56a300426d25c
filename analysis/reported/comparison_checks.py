"""Checks within one comparison, by interval arithmetic over everything that rounds to what was printed."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

from analysis.reported.finding import Finding, excludes, is_below
from analysis.reported.number import Reported
from analysis.reported.recovered import least_events, log_asymmetry, wald_statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.reported.arm import ReportedArm
    from analysis.reported.comparison import ReportedComparison
    from analysis.reported.summaries import ReportedHazardRatio, ReportedInterval

SHORT, LONG = 0.3, 8.0  # of a median: a median follow-up beyond is likely to be in another unit
DECADE = 120.0  # months
LOOK = "check both against the source; if they are printed so, list the finding as known and say why"


def ratio_against_medians(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a hazard ratio on the other side of 1 than the medians say.

    A warning if the ratio's interval holds 1 (or is not printed): curves that cross, or few events, explain it.
    """
    ratio = comparison.hazard_ratio
    if ratio is None:
        return
    experimental, control = comparison.experimental, comparison.arm(str(comparison.control))
    if experimental.median is None or control.median is None:
        return
    harm, benefit = ratio.estimate.lower > 1, ratio.estimate.upper < 1
    longer, shorter = is_below(control.median, experimental.median), is_below(experimental.median, control.median)
    if (harm and longer) or (benefit and shorter):
        sure = ratio.ci is not None and (ratio.ci.lower.lower > 1 or ratio.ci.upper.upper < 1)
        yield Finding(
            "ratio-against-medians",
            "error" if sure else "warning",
            comparison.id,
            f"the hazard ratio favours {'the control' if harm else 'the experimental'} arm, the medians the other",
            (f"hazard ratio {ratio}", *(f"median {arm.name} {arm.median}" for arm in (experimental, control))),
            LOOK,
        )


def estimate_outside_interval(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find an interval that excludes its own estimate: of a median, a hazard ratio, a landmark, a quartile."""
    for name, estimate, interval in _estimates(comparison):
        if interval is not None and excludes(interval, estimate):
            yield Finding(
                "estimate-outside-interval",
                "error",
                comparison.id,
                f"the interval of {name} excludes its estimate",
                (f"{name} {estimate} ({interval})",),
                "compare the digits with the source; one of the three is wrong",
            )


def asymmetric_interval(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a hazard ratio's interval that is not symmetric on the log scale, whatever was rounded.

    A Wald interval is symmetric; a profile-likelihood or repeated interval need not be, so it is a warning up to a
    quarter of the half-width.
    """
    ratio = _ratio_with_limits(comparison)
    if ratio is None:
        return
    asymmetry = log_asymmetry(ratio)
    if abs(asymmetry) > 1e-9:
        yield Finding(
            "asymmetric-interval",
            "error" if abs(asymmetry) > 0.25 else "warning",
            comparison.id,
            f"the estimate is off the middle of its interval on the log scale by at least {abs(asymmetry):.1%} of the "
            f"half-width, more than rounding allows",
            (f"hazard ratio {ratio}",),
            LOOK,
        )


def p_against_interval(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a p-value that the hazard ratio's interval does not imply, read as two-sided and as one-sided.

    Both become a statistic z. The log-rank and the Wald statistic of the same patients differ; the tolerance
    0.15 + 0.01 z^2 is more than they differed in any of 172 published figures whose patients are known. It is a warning
    if one of the readings fits and the report does not say the sidedness.
    """
    ratio, p_value = _ratio_with_limits(comparison), comparison.p_value
    if ratio is None or p_value is None or not p_value.value.reached:
        return
    wald = wald_statistic(ratio)
    one_sided = _apart(wald.lower, wald.upper, p_value.value, sided=1)
    two_sided = _apart(wald.lower, wald.upper, p_value.value, sided=2)
    apart = {None: two_sided, 1: one_sided, 2: two_sided}[p_value.sided]
    if apart > 0:
        other = {None: one_sided, 1: two_sided, 2: one_sided}[p_value.sided]
        fits = "one-sided" if p_value.sided != 1 else "two-sided"
        yield Finding(
            "p-against-interval",
            "warning" if other == 0 and p_value.sided is None else "error",
            comparison.id,
            f"the interval implies p = {2 * _tail(abs(wald.estimate)):.2g} two-sided, {_tail(-wald.estimate):.2g} "
            "one-sided; the printed p fits " + (f"a {fits} test" if other == 0 else "neither"),
            (f"hazard ratio {ratio}", f"p {p_value}"),
            LOOK,
        )


def events_above_patients(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find more events than patients, and totals that are not the sum of the arms."""
    arms = comparison.arms
    n, events = _sum(arms, "n"), _sum(arms, "events")
    pairs = [(f"{arm.name}.events", arm.events, _size(arm)) for arm in arms]
    pairs += [("events_total", comparison.events_total, comparison.n_total)]
    for name, count, patients in pairs:
        if count is not None and patients is not None and count.value > patients.value:
            yield _counts(comparison, f"{name} exceeds the patients", count.text, patients.text)
    if comparison.events_total is not None and n is not None and comparison.events_total.value > n:
        yield _counts(
            comparison, "events_total exceeds the patients of the arms", comparison.events_total.text, f"{n:g}"
        )
    for name, total, summed in (("n_total", comparison.n_total, n), ("events_total", comparison.events_total, events)):
        if total is not None and summed is not None and total.value != summed:
            yield _counts(comparison, f"{name} is not the sum of the arms", total.text, f"{summed:g}")


def events_against_interval(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find fewer events (or, where they are not printed, patients) than the hazard ratio's interval needs.

    The bound is `least_events`, 4 / se^2 at the largest se that rounding allows; it is a theorem for the model-based
    interval of a Cox model, so there is no tolerance beside rounding.
    """
    ratio = _ratio_with_limits(comparison)
    if ratio is None:
        return
    counts = {
        "events": comparison.events_total.value if comparison.events_total else _sum(comparison.arms, "events"),
        "patients": comparison.n_total.value if comparison.n_total else _sum(comparison.arms, "n"),
    }
    for name, count in counts.items():
        if count is not None and count < least_events(ratio):
            yield Finding(
                "events-against-interval",
                "error",
                comparison.id,
                f"the interval is too narrow: it needs at least {math.ceil(least_events(ratio))} events",
                (f"hazard ratio {ratio}", f"{count:g} {name}"),
                "compare the limits and the count with the source",
            )
            return


def follow_up_against_median(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a median that was reached after the longest follow-up, or a median follow-up far from all medians."""
    medians = [arm.median for arm in comparison.arms if arm.median is not None and arm.median.reached]
    longest = comparison.longest_follow_up
    for median in medians:
        if longest is not None and longest.reached and median.lower > longest.upper:
            yield Finding(
                "follow-up-against-median",
                "error",
                comparison.id,
                "a median was reached after the longest follow-up",
                (f"median {median}", f"longest follow-up {longest}"),
                "check both and their units against the source",
            )
    followed = [comparison.median_follow_up, *(arm.median_follow_up for arm in comparison.arms)]
    for time in followed:
        if time is None or not time.reached or not medians:
            continue
        if time.upper < SHORT * min(m.value for m in medians) or time.lower > LONG * max(m.value for m in medians):
            yield Finding(
                "follow-up-against-median",
                "warning",
                comparison.id,
                f"the median follow-up is {time.value / medians[0].value:.2g} times a median",
                (f"median follow-up {time}", *(f"median {median}" for median in medians)),
                "check the units of both; relax the follow-up if it is measured in another way",
            )


def times_of_decades(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a median or a landmark of ten years or more, which is more often one in days or weeks."""
    for arm in comparison.arms:
        times = [arm.median] if arm.median is not None and arm.median.reached else []
        times += [landmark.time for landmark in arm.landmarks]
        long = [time for time in times if time.value > DECADE]
        if long:
            yield Finding(
                "times-of-decades",
                "warning",
                comparison.id,
                f"times of arm {arm.name} are of more than {DECADE / 12:.0f} years",
                tuple(f"{time} = {time.value:.0f} months" for time in long),
                'check the unit; say it, e.g. time_unit="days", or list the finding as known',
            )


def mixed_units(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find medians, or their limits, in different units: papers print them in one, so that one lacks its unit."""
    printed = []
    for arm in comparison.arms:
        limits = (arm.median_ci.lower, arm.median_ci.upper) if arm.median_ci else ()
        printed += [(arm.name, time) for time in (arm.median, *limits) if time is not None and time.reached]
    if len({time.unit for _, time in printed}) > 1:
        yield Finding(
            "mixed-units",
            "warning",
            comparison.id,
            "medians or their limits are in different units",
            tuple(f"{name} {time.with_unit}" for name, time in printed),
            'check each against the source; say the unit once, time_unit="weeks", or list the finding as known',
        )


def no_events(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find an arm without events that has a median, or a hazard ratio against it."""
    for arm in comparison.arms:
        if arm.events is None or arm.events.value > 0:
            continue
        impossible = [f"median {arm.median}"] if arm.median is not None and arm.median.reached else []
        impossible += [f"hazard ratio {comparison.hazard_ratio}"] if comparison.hazard_ratio is not None else []
        if impossible:
            yield Finding(
                "no-events",
                "error",
                comparison.id,
                f"arm {arm.name} has no events, from which nothing can be estimated",
                ("0 events", *impossible),
                "leave the events out if they were not reported, or the estimate if it was not",
            )


def rising_curve(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a curve that rises: from one landmark to a later one."""
    for arm in comparison.arms:
        for earlier, later in pairwise(arm.landmarks):
            if is_below(earlier.survival, later.survival):
                yield Finding(
                    "rising-curve",
                    "error",
                    comparison.id,
                    f"{arm.name} survives better at {later.time.with_unit} than at {earlier.time.with_unit}",
                    (str(earlier.survival), str(later.survival)),
                    "compare the landmarks with the source",
                )


def median_against_landmark(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find a survival below one half before the median, or above one half after it."""
    for arm in comparison.arms:
        if arm.median is None:
            continue
        for landmark in arm.landmarks:
            before = landmark.time.upper < arm.median.lower and landmark.survival.upper < 0.5
            after = landmark.time.lower > arm.median.upper and landmark.survival.lower > 0.5
            if before or after:
                yield Finding(
                    "median-against-landmark",
                    "error",
                    comparison.id,
                    f"survival of {arm.name} is {'below' if before else 'above'} one half "
                    f"{'before' if before else 'after'} its median",
                    (f"median {arm.median}", f"{landmark.survival} at {landmark.time.with_unit}"),
                    "compare both with the source, and their units",
                )


def at_risk_against_curve(comparison: ReportedComparison) -> Iterator[Finding]:
    """Find more at risk than patients, or than survive: at each time n at risk <= n S(t-)."""
    for arm in comparison.arms:
        if arm.at_risk is None or arm.n is None:
            continue
        if arm.at_risk.counts[0] > arm.n.value:
            yield _counts(
                comparison, f"more of {arm.name} at risk than its patients", arm.at_risk.counts[0], arm.n.text
            )
        for time, count in zip(arm.at_risk.times, arm.at_risk.counts, strict=True):
            # S just before t is at least the share at risk at t, and S at an earlier landmark at least that
            for landmark in arm.landmarks:
                if landmark.time.value < time and landmark.survival.upper < count / arm.n.value - 1e-9:
                    yield _counts(
                        comparison,
                        f"more of {arm.name} at risk at {time:g} months than survive {landmark.time.with_unit}",
                        f"{count} of {arm.n}",
                        landmark.survival,
                    )


COMPARISON_CHECKS = (
    ratio_against_medians,
    estimate_outside_interval,
    asymmetric_interval,
    p_against_interval,
    events_above_patients,
    events_against_interval,
    follow_up_against_median,
    times_of_decades,
    mixed_units,
    no_events,
    rising_curve,
    median_against_landmark,
    at_risk_against_curve,
)


def _estimates(comparison: ReportedComparison) -> Iterator[tuple[str, Reported, ReportedInterval | None]]:
    if comparison.hazard_ratio is not None:
        yield "the hazard ratio", comparison.hazard_ratio.estimate, comparison.hazard_ratio.ci
    for arm in comparison.arms:
        if arm.median is not None:
            yield f"the median of {arm.name}", arm.median, arm.median_ci
        for landmark in arm.landmarks:
            yield f"survival of {arm.name} at {landmark.time}", landmark.survival, landmark.ci
        for quartile in arm.quartiles:
            yield f"the {quartile.p:.0%} quantile of {arm.name}", quartile.time, quartile.ci


def _ratio_with_limits(comparison: ReportedComparison) -> ReportedHazardRatio | None:
    ratio = comparison.hazard_ratio
    if ratio is None or ratio.ci is None or not (ratio.ci.lower.reached and ratio.ci.upper.reached):
        return None
    return ratio if ratio.ci.lower.value > 0 else None


def _apart(low: float, high: float, p: Reported, sided: int) -> float:
    """How far the printed p is from a statistic in [low, high], beyond tolerance; 0 where it fits.

    z is negative where the experimental arm is better, and a one-sided p is that of superiority.
    """
    if sided == 2:
        low, high = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
        printed = -_quantile(p.upper / 2 if p.upper < 1 else 0.5), -_quantile(p.lower / 2)
    else:
        printed = _quantile(p.lower), _quantile(p.upper)
    gap = max(printed[0] - high, low - printed[1], 0.0)
    nearest = min(abs(low), abs(high))
    return max(gap - (0.15 + 0.01 * nearest**2), 0.0)


def _tail(z: float) -> float:
    return math.erfc(z / math.sqrt(2)) / 2


def _quantile(p: float) -> float:
    """Quantile of the standard normal distribution; infinite where p is at or beyond 0 or 1."""
    if 0 < p < 1:
        return NormalDist().inv_cdf(p)
    return -math.inf if p <= 0 else math.inf


def _size(arm: ReportedArm) -> Reported | None:
    """Give the patients of an arm: as printed, else those at risk at time 0."""
    if arm.n is None and arm.at_risk is not None and arm.at_risk.times[0] == 0:
        return Reported(str(arm.at_risk.counts[0]), "count")
    return arm.n


def _sum(arms: tuple[ReportedArm, ...], field: str) -> float | None:
    counts = [getattr(arm, field) for arm in arms]
    return None if None in counts else float(sum(count.value for count in counts))


def _counts(comparison: ReportedComparison, message: str, *values: object) -> Finding:
    remedy = "compare both with the source"
    return Finding("counts", "error", comparison.id, message, tuple(str(value) for value in values), remedy)
