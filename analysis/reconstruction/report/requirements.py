"""A report as the engine reads it: equations for the smooth path, boxes for the patients."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.reconstruction.algebra import exp, log
from analysis.reconstruction.prior import family
from analysis.reconstruction.report.steps import least_at_risk
from analysis.reconstruction.terms import (
    AT_RISK,
    BEYOND,
    EVENTS,
    FOLLOW_UP,
    INFORMATION,
    LANDMARK_ERROR,
    LEFT,
    LIMIT,
    LOG,
    LOG_LOG,
    PLAIN,
    QUANTILE,
    SCORE,
    SURVIVAL,
    TEST,
    TEST_BEYOND,
    Boxes,
    Equations,
    RatioBoxes,
)

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.reported import Reported, ReportedArm, ReportedComparison, ReportedInterval

FORMS = {"log-log": LOG_LOG, "log": LOG, "plain": PLAIN}
SEEN_AT_VISITS = ("PFS", "DFS")  # families of endpoints whose events are found at assessments
SIGNIFICANT = 1.96  # beyond it the direction of a two-sided test is that of the medians
FAR = 20.0  # a log hazard ratio that stands for no bound
QUANTILE_ERROR, LIMIT_ERROR, RATE_ERROR, COUNT_ERROR, END_ERROR = 0.02, 0.03, 0.01, 0.4, 0.05
LEAST_COUNT_ERROR, TEST_ERROR, SPREAD_ERROR = 0.005, 0.02, 0.01
FEW, AMPLE = 4, 1.6  # least at risk that is asked for, and how many times the least is drawn at most
BEHIND_MEDIAN = 0.02, 0.1
"""Shares of an arm at risk at its median: of 238 published curves none has less than the first, 4% than the second."""


@dataclass(frozen=True)
class ArmBoxes:
    """What the ordered patients of one arm must give."""

    size: int
    events: int | None
    boxes: Boxes


@dataclass(frozen=True)
class Requirements:
    """Everything a report asks of an ensemble; control arm first where there are two arms.

    ``boxes`` (E, 2) is the range of each equation's target, ``noise`` (E,) the variance allowed to its residual.
    """

    order: tuple[int, ...]
    arms: tuple[ArmBoxes, ...]
    equations: Equations
    boxes: FloatArray
    noise: FloatArray
    events_total: int | None
    ratios: RatioBoxes
    immature: bool  # a median was not reached
    median: tuple[float, float]  # log of a typical median in months, and how well it is known
    follow_up: tuple[float, float] | None
    longest: float  # follow-up in months that no patient exceeds
    interval: float  # months between the visits at which events are seen, 0 if there are none to use
    follow_up_of_all: tuple[float, float] | None  # box of the median follow-up of all arms together


@dataclass
class _Equations:
    rows: list[tuple[float, ...]] = field(default_factory=list)
    boxes: list[tuple[float, float]] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def add(
        self,
        kind: int,
        arm: int,
        box: tuple[float, float],
        error: float,
        *,
        other: int = 0,
        time: float = 0.0,
        level: float = 0.0,
        z: float = 0.0,
        form: int = 0,
    ) -> None:
        self.rows.append((kind, arm, other, time, level, z, form))
        self.boxes.append(box)
        self.errors.append(error)

    def read(self) -> tuple[Equations, FloatArray, FloatArray]:
        """Give the equations, the boxes of their targets and the variances of their residuals."""
        kind, arm, other, time, level, z, form = np.array(self.rows, dtype=np.float64).reshape(-1, 7).T.copy()
        kinds, arms, others, forms = (column.astype(np.int64) for column in (kind, arm, other, form))
        equations = Equations(kinds, arms, others, time, level, z, forms)
        return equations, np.array(self.boxes, dtype=np.float64).reshape(-1, 2), np.square(self.errors)


def read_requirements(comparison: ReportedComparison, scale: str) -> Requirements:
    """Translate a report; intervals whose type is not printed are of ``scale``.

    Raises
    ------
    InvalidValueError
        If an arm's number of patients is missing, or a type of confidence interval is not one of ``FORMS``.
    """
    names = [arm.name for arm in comparison.arms]
    order = tuple(sorted(range(len(names)), key=lambda k: names[k] != comparison.control))
    equations = _Equations()
    arms = []
    all_followed = comparison.median_follow_up
    for k, index in enumerate(order):
        arm = comparison.arms[index]
        arms.append(_read_arm(arm, k, equations, scale, all_followed))
    immature = any(arm.median is not None and not arm.median.reached for arm in comparison.arms)
    if not immature:
        _ask_behind_medians([comparison.arms[index].median for index in order], arms, equations)
    total = comparison.events_total
    events = None if total is None else int(total.value)
    if events is None and all(arm.events is not None for arm in arms):
        events = sum(arm.events or 0 for arm in arms)
    elif events is not None and not all(arm.events is not None for arm in arms):
        equations.add(EVENTS, 0, (events, events), 0.3 / max(events, 1), other=len(arms) - 1)
    ratio_box = _read_ratio(comparison, equations, events)
    test_box = _read_test(comparison, equations)
    rows, boxes, noise = equations.read()
    return Requirements(
        order=order,
        arms=tuple(arms),
        equations=rows,
        boxes=boxes,
        noise=noise,
        events_total=events,
        ratios=RatioBoxes(ratio_box[None], test_box[None]),
        immature=immature,
        median=_typical_median(comparison),
        follow_up=_typical_follow_up(comparison),
        longest=np.inf if comparison.longest_follow_up is None else comparison.longest_follow_up.upper,
        interval=_visit_interval(comparison),
        follow_up_of_all=None if all_followed is None or not all_followed.reached else _edges(all_followed),
    )


def _z(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)


def _form(interval: ReportedInterval, default: str) -> int:
    name = interval.scale or default
    if name not in FORMS:
        raise InvalidValueError(
            "scale", name, f"one of {', '.join(FORMS)}", "name another type, or leave the interval out"
        )
    return FORMS[name]


def _edges(number: Reported) -> tuple[float, float]:
    return max(number.lower, 1e-3), number.upper


def _read_arm(
    arm: ReportedArm,
    k: int,
    equations: _Equations,
    scale: str,
    all_followed: Reported | None,
) -> ArmBoxes:
    if arm.n is None:
        raise InvalidValueError(
            f"{arm.name}.n", None, "the number of patients of the arm", "take it from the report's table or flow chart"
        )
    size = int(arm.n.value)
    quantiles: list[tuple[float, ...]] = []
    times = [(0.5, arm.median, arm.median_ci)]
    times += [(1 - quartile.p, quartile.time, quartile.ci) for quartile in arm.quartiles]
    for level, time, interval in times:
        stated = [(time, 0.0, 0, QUANTILE_ERROR)]
        if interval is not None:
            z, form = _z(interval.level), _form(interval, scale)
            stated.append((interval.lower, z, form, LIMIT_ERROR))
            stated.append((interval.upper, -z, form, LIMIT_ERROR))
        for number, side, form, error in stated:
            if number is None:
                continue
            if number.reached and np.isfinite(number.upper):
                box = _edges(number)
                quantiles.append((level, side, form, *box, 1.0))
                equations.add(LIMIT if side else QUANTILE, k, box, error, level=level, z=side, form=form)
            else:
                quantiles.append((level, side, form, 0.0, np.inf, 0.0))
                equations.add(BEYOND, k, (0.0, 0.0), END_ERROR, level=level, z=side, form=form)
    follow_up = []
    followed = arm.median_follow_up or all_followed
    if followed is not None and followed.reached:
        box = _edges(followed)
        follow_up.append((0.5, *box, 1.0))
        equations.add(FOLLOW_UP, k, box, LIMIT_ERROR, level=0.5)
    elif followed is not None:
        follow_up.append((0.5, 0.0, np.inf, 0.0))
    ticks = []
    if arm.at_risk is not None:
        for tick, count in zip(arm.at_risk.times, arm.at_risk.counts, strict=True):
            if tick > 0:
                ticks.append((tick, float(count)))
                gone = max(log((size + 0.5) / (count + 0.5)), 0.2 / size)
                error = max(COUNT_ERROR / (count + 0.5) / gone, LEAST_COUNT_ERROR)
                equations.add(AT_RISK, k, (count, count), float(error), time=tick)
    landmarks = _read_landmarks(arm, size, k, equations, scale)
    events = None if arm.events is None else int(arm.events.value)
    if events is not None:
        equations.add(EVENTS, k, (events, events), 0.3 / max(events, 1), other=k)
    return ArmBoxes(
        size=size,
        events=events,
        boxes=Boxes(
            quantiles=np.array(quantiles, dtype=np.float64).reshape(-1, 6),
            follow_up=np.array(follow_up, dtype=np.float64).reshape(-1, 4),
            ticks=np.array(ticks, dtype=np.float64).reshape(-1, 2),
            landmarks=np.array(landmarks, dtype=np.float64).reshape(-1, 9),
        ),
    )


def _read_landmarks(arm: ReportedArm, size: int, k: int, equations: _Equations, scale: str) -> list[tuple[float, ...]]:
    rows = []
    for landmark in arm.landmarks:
        rate = landmark.survival
        if not rate.reached:
            continue  # not estimable: nothing is said
        time, low, high = landmark.time.value, rate.lower, rate.upper
        limits: tuple[float, ...] = (0.0, 0, np.nan, np.nan, np.nan, np.nan)
        interval = landmark.ci
        if interval is not None:
            z, form = _z(interval.level), _form(interval, scale)
            limits = (z, form, *_limit(interval.lower), *_limit(interval.upper))
        if interval is not None and interval.lower.reached and interval.upper.reached and high < 1 and low > 0:
            spread, moved = _spread(rate, interval, z, form)
            equations.add(LANDMARK_ERROR, k, (spread, spread), max(SPREAD_ERROR, moved), time=time)
        rows.append((time, low, high, *limits))
        if high < 1 and low > 0:
            equations.add(SURVIVAL, k, (low, high), RATE_ERROR, time=time)
    _read_least(size, k, rows, equations)
    return rows


def _spread(rate: Reported, interval: ReportedInterval, z: float, form: int) -> tuple[float, float]:
    """Give the standard error of log(-log S) behind limits of S, and by what share of it their rounding moves it.

    Both limits are seldom at the ends of their rounding together: a quarter of the range stands for its spread.
    """
    lower, upper = interval.lower, interval.upper
    rounded = ((lower.upper, upper.lower), (lower.value, upper.value), (lower.lower, upper.upper))
    least, middle, most = (_error_of(rate.value, *limits, z, form) for limits in rounded)
    return middle, (most - least) / middle / 4


def _error_of(survival: float, lower: float, upper: float, z: float, form: int) -> float:
    """Give the standard error of log(-log S) behind limits of S; one that is cut off at 0 or 1 says nothing."""
    s, low, high = np.clip([survival, lower, upper], 1e-6, 1 - 1e-6)
    if form == LOG_LOG:
        below, above = log(-log(low)) - log(-log(s)), log(-log(s)) - log(-log(high))
    elif form == LOG:
        below, above = log(s / low) / -log(s), log(high / s) / -log(s)
    else:
        below, above = (s - low) / (-s * log(s)), (high - s) / (-s * log(s))
    kept = [side for side, cut in ((below, lower <= 0), (above, upper >= 1)) if not cut] or [below, above]
    return float(np.mean(kept)) / z


def _limit(number: Reported) -> tuple[float, float]:
    return (number.lower, number.upper) if number.reached else (-np.inf, np.inf)


def _read_least(size: int, k: int, rates: list[tuple[float, ...]], equations: _Equations) -> None:
    """Ask for as many at risk at each printed rate as the curve needs to fall to the next one."""
    for (time, low, high, *_), (_, low_next, high_next, *_) in pairwise(sorted(rates)):
        least = least_at_risk(low_next / high, min(high_next / low, 1.0)) if low > 0 else 0
        if FEW < least < low * size:  # as many are left if nobody is censored
            _ask_for(least, min(AMPLE * least, (least + low * size) / 2), size, k, time, equations)


def _ask_behind_medians(medians: list[Reported | None], arms: list[ArmBoxes], equations: _Equations) -> None:
    """Ask for patients at risk at printed medians: where all are reached, few rest on the last patients."""
    for k, (median, arm) in enumerate(zip(medians, arms, strict=True)):
        if median is not None and np.isfinite(median.upper):
            least, ample = (share * arm.size for share in BEHIND_MEDIAN)
            _ask_for(least, ample, arm.size, k, median.value, equations)


def _ask_for(least: float, ample: float, size: int, k: int, time: float, equations: _Equations) -> None:
    """Ask for at least so many patients at risk, a number that is drawn from ``least`` to ``ample``."""
    gone = log((size + 0.5) / (least + 0.5))
    equations.add(LEFT, k, (least, ample), float(COUNT_ERROR / (least + 0.5) / gone), time=time)


def _read_ratio(comparison: ReportedComparison, equations: _Equations, events: int | None) -> FloatArray:
    box = np.array([-FAR, FAR, -FAR, FAR, -FAR, FAR, _z(0.95)])
    ratio = comparison.hazard_ratio
    if ratio is None:
        return box
    centre = float(log(ratio.estimate.value))
    box[:2] = log(_edges(ratio.estimate))
    equations.add(SCORE, 1, (box[0], box[1]), 0.003)
    interval = ratio.ci
    if interval is not None:
        if not (interval.lower.reached and interval.upper.reached):
            remedy = "leave the interval out, or say relax='hazard_ratio.ci'"
            raise InvalidValueError("hazard_ratio.ci", str(interval), "two limits in digits", remedy)
        z = box[6] = _z(interval.level)
        box[2:4], box[4:6] = log(_edges(interval.lower)), log(_edges(interval.upper))
        if interval.lower.lower > 0:
            wide = (box[5] - box[2]) / 2 / z
            narrow = min(max((box[4] - box[3]) / 2 / z, 2 / np.sqrt(events or np.inf), 1e-3), wide)
            equations.add(INFORMATION, 1, (narrow, wide), 0.01, time=centre)
    return box


def _read_test(comparison: ReportedComparison, equations: _Equations) -> FloatArray:
    """Range of the log-rank test's benefit that prints the p-value, and whether it is that of benefit or harm alike.

    A two-sided p-value points where the hazard ratio does, or else where the medians do; where neither says it, the
    sign is open.
    """
    p_value = comparison.p_value
    if p_value is None or len(comparison.arms) != 2:
        return np.array([-np.inf, np.inf, 0.0])
    one_sided = p_value.sided == 1
    share = 1.0 if one_sided else 2.0
    normal = NormalDist()
    low, high = max(p_value.value.lower, 1e-300), min(p_value.value.upper, 1.0)
    weak = -normal.inv_cdf(min(high / share, 1 - 1e-12)) if high < 1 else (-np.inf if one_sided else 0.0)
    strong = -normal.inv_cdf(low / share) if p_value.value.lower > 0 else np.inf
    direction = 1 if one_sided else _direction(comparison, weak)
    if direction == 0:
        return np.array([weak, strong, 1.0])
    if direction < 0:
        weak, strong = -strong, -weak
    if np.isfinite(weak) and np.isfinite(strong):
        equations.add(TEST, 1, (weak, strong), TEST_ERROR)
    elif np.isfinite(weak) or np.isfinite(strong):
        bound = weak if np.isfinite(weak) else strong
        equations.add(TEST_BEYOND, 1, (bound, bound), TEST_ERROR, level=1.0 if np.isfinite(weak) else -1.0)
    return np.array([weak, strong, 0.0])


def _direction(comparison: ReportedComparison, weak: float) -> int:
    """Give 1 if a two-sided test with a z of at least `weak` shows benefit, -1 for harm, 0 if that is open."""
    ratio = comparison.hazard_ratio
    if ratio is not None:
        low, high = _edges(ratio.estimate)
        return (high < 1) - (low > 1)
    return _benefit_of_medians(comparison) if weak > SIGNIFICANT else 0


def _benefit_of_medians(comparison: ReportedComparison) -> int:
    """Give 1 if the experimental arm has the longer median, -1 if the control has, 0 if that is not printed."""
    if comparison.control is None:
        return 0
    low, high = sorted(comparison.arms, key=lambda arm: arm.name != comparison.control)
    if low.median is None or high.median is None:
        return 0
    return (high.median.lower > low.median.upper) - (high.median.upper < low.median.lower)


def _visit_interval(comparison: ReportedComparison) -> float:
    """Months between visits; 0 if they are not known, do not show the event, or are too rare to place the medians."""
    interval = comparison.assessment_interval
    if interval is None or not interval.reached or family(comparison.endpoint) not in SEEN_AT_VISITS:
        return 0.0
    medians = [arm.median.value for arm in comparison.arms if arm.median is not None and arm.median.reached]
    return 0.0 if interval.value > min(medians, default=np.inf) else float(interval.value)


def _typical_median(comparison: ReportedComparison) -> tuple[float, float]:
    """Log of the geometric mean of the medians; without them, of what rates or events say of an exponential."""
    reached = [arm.median.value for arm in comparison.arms if arm.median is not None and arm.median.reached]
    if len(reached) == len(comparison.arms):
        return float(np.mean(log(reached))), 0.12
    if reached:
        return float(np.mean(log(reached))) + 0.1, 0.3
    guesses = [
        mark.time.value * log(2) / -log(min(max(mark.survival.value, 0.01), 0.99))
        for arm in comparison.arms
        for mark in [mark for mark in arm.landmarks if mark.survival.reached][-1:]
    ]
    if guesses:
        return float(np.mean(log(guesses))), 0.4
    followed = _typical_follow_up(comparison)
    sizes = sum(arm.n.value for arm in comparison.arms if arm.n is not None)
    events = comparison.events_total.value if comparison.events_total else 0.0
    events = events or sum(arm.events.value for arm in comparison.arms if arm.events is not None)
    months = exp(followed[0]) if followed else 18.0
    share = events / sizes if events and sizes else 0.5
    return float(log(log(2) * months * 0.9 * (1 - share / 2) / max(share, 0.01))), 0.6


def _typical_follow_up(comparison: ReportedComparison) -> tuple[float, float] | None:
    values = [arm.median_follow_up.value for arm in comparison.arms if arm.median_follow_up is not None]
    values = [value for value in values if np.isfinite(value)]
    if not values and comparison.median_follow_up is not None and comparison.median_follow_up.reached:
        values = [comparison.median_follow_up.value]
    return (float(np.mean(log(values))), 0.12) if values else None
