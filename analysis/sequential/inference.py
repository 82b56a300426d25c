"""Inference that allows for the looks: by the stage-wise ordering at the end, by repeated intervals at any look."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.conventions.border import border
from analysis.conventions.checks import number, probability, vector
from analysis.conventions.values import replace, value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.sequential.crossing import FARTHEST, crossing_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray
    from analysis.sequential.design import GroupSequentialDesign


@value
class StagewiseInference:
    """Inference at the end of a group-sequential trial by the stage-wise ordering.

    Attributes
    ----------
    look, z
        Where the trial ended, and with which statistic.
    p_one_sided
        Probability under no effect of a result at least as favourable to the experimental arm.
    estimate
        Median-unbiased estimate of the drift, E[Z] at the planned last look.
    lower, upper
        Confidence limits of the drift, equal tails.
    level
        Confidence level.
    """

    look: int
    z: float
    p_one_sided: float
    estimate: float
    lower: float
    upper: float
    level: float


@value
class RepeatedInference:
    """Inference that is valid at any look, whether or not the trial goes on.

    Attributes
    ----------
    look, z
        The look and its statistic.
    p_value
        Smallest alpha, one- or two-sided as the design, with which the look would have rejected; 0.5 per side at most.
    estimate
        Unadjusted estimate of the drift, ``z / sqrt(fraction)``.
    lower, upper
        Repeated confidence limits of the drift.
    level
        Simultaneous confidence level: 1 - 2 alpha for a one-sided, 1 - alpha for a two-sided design.
    """

    look: int
    z: float
    p_value: float
    estimate: float
    lower: float
    upper: float
    level: float


@border
def stagewise_inference(
    design: GroupSequentialDesign, look: int, z: float, *, level: float = 0.95
) -> StagewiseInference:
    """P-value, median-unbiased estimate and confidence interval after the trial ended at a look.

    Parameters
    ----------
    design
        The design with the bounds that were used (re-spent by :meth:`GroupSequentialDesign.observed` if need be).
    look
        Look at which the trial ended, from 1.
    z
        Statistic at that look.
    level
        Confidence level.

    Notes
    -----
    Results are ordered by the look, then by Z (Armitage 1957; Tsiatis, Rosner and Mehta, Biometrics 1984;40:797-803).
    The lower bounds of the earlier looks count as having been followed where futility is binding, or the design
    two-sided; not where it is non-binding, so that the inference is valid whether they were followed or not.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> result = stagewise_inference(GroupSequentialDesign((0.5, 1.0)), look=2, z=1.968596)
    >>> round(result.p_one_sided, 6)
    0.025
    """
    _check(design, look)
    probability("level", level)
    number("z", z, at_least=-FARTHEST, at_most=FARTHEST)
    information = design.schedule.information[:look]
    upper = np.r_[design.upper[: look - 1], z]
    counted = _binding(design) or design.sided == 2
    lower = np.r_[design.lower[: look - 1], -math.inf] if counted else np.full(look, -math.inf)

    def exceeding(drift: float) -> float:
        return float(crossing_probabilities(information, lower, upper, drift * np.sqrt(information)).upper.sum())

    naive = z / math.sqrt(information[-1])
    spread = 1.0 / math.sqrt(information[0])

    def drift_with(probability: float) -> float:
        low, high = naive - spread, naive + spread
        while exceeding(low) > probability:
            low -= 2 * spread
        while exceeding(high) < probability:
            high += 2 * spread
        return float(brentq(lambda drift: exceeding(drift) - probability, low, high, xtol=1e-12))

    tail = 0.5 * (1.0 - level)
    p, estimate = exceeding(0.0), drift_with(0.5)
    return StagewiseInference(look, z, p, estimate, drift_with(tail), drift_with(1.0 - tail), level)


@border
def repeated_inference(
    design: GroupSequentialDesign, look: int, z: float, *, earlier: ArrayLike | None = None
) -> RepeatedInference:
    """Repeated p-value and confidence interval at a look (Jennison and Turnbull, JRSS B 1989;51:305-61).

    The p-value is the smallest alpha with which the whole design, binding futility included, would have rejected at
    this look; where interim critical values are given (Haybittle and Peto), no smaller than what they spend.
    The interval is of the drifts that no look so far rejects: with binding futility a drift is not rejected either if
    its own trial would have stopped for it before.

    Parameters
    ----------
    design
        The design.
    look
        The look, from 1.
    z
        Statistic at that look.
    earlier
        Statistics of the looks before it, shape ``(look - 1,)``: needed with binding futility alone.

    Raises
    ------
    InvalidValueError
        If there is no such look, the statistics of the looks before are not as many, are missing where futility is
        binding, or should have stopped the trial by it.

    Examples
    --------
    >>> from analysis.sequential import FutilityBounds, GroupSequentialDesign
    >>> round(repeated_inference(GroupSequentialDesign((0.5, 1.0)), 1, 2.2).p_value, 4)
    0.082
    >>> design = GroupSequentialDesign((0.5, 1.0), futility=FutilityBounds((0.8,), binding=True))
    >>> round(repeated_inference(design, 2, 2.2, earlier=[0.9]).lower, 3)
    0.141
    """
    _check(design, look)
    number("z", z, at_least=-FARTHEST, at_most=FARTHEST)
    before = _before(design, look, earlier)
    roots = np.sqrt(design.schedule.information[:look])
    root = float(roots[-1])
    critical = float(design.upper[look - 1])
    distance = abs(z) if design.sided == 2 else z

    def margin(log_alpha: float) -> float:
        """Give how far the look is from rejecting with this alpha of one side; infinite where there is no design."""
        try:
            other = replace(design, alpha=design.sided * math.exp(log_alpha))
            return float(other.upper[look - 1]) - distance
        except InfeasibleDesignError:
            return math.inf

    known = math.log(design.alpha / design.sided)
    most = _farthest(margin, math.log(min(0.5, design.power / design.sided) * (1 - 1e-9)), known)
    least = _farthest(margin, math.log(1e-12), known)
    if margin(most) > 0:
        p = 0.5
    elif margin(least) < 0:
        p = math.exp(least)
    else:
        p = math.exp(brentq(margin, least, most, xtol=1e-11))
    level = 1.0 - (design.alpha if design.sided == 2 else 2.0 * design.alpha)
    stops = design.lower[: before.size]  # of the design, and mirrored for drifts above
    lower = min([(z - critical) / root, *((before - stops) / roots[: before.size]).tolist()])
    upper = max([(z + critical) / root, *((before + stops) / roots[: before.size]).tolist()])
    return RepeatedInference(look, z, design.sided * p, z / root, lower, upper, level)


def _farthest(margin: Callable[[float], float], far: float, known: float) -> float:
    """Log alpha nearest to a far one with which there is a design.

    Interim critical values that are given spend some alpha in any case, and with much alpha bounds for futility that
    are given meet those for efficacy.
    """
    if math.isfinite(margin(far)):
        return far
    without, with_design = far, known
    while abs(with_design - without) > 1e-9:
        middle = (without + with_design) / 2
        if math.isfinite(margin(middle)):
            with_design = middle
        else:
            without = middle
    return with_design


def _binding(design: GroupSequentialDesign) -> bool:
    return design.futility is not None and design.futility.binding


def _before(design: GroupSequentialDesign, look: int, earlier: ArrayLike | None) -> FloatArray:
    """Statistics of the looks before one, if the interval depends on them."""
    expected = f"the statistics of the {look - 1} looks before" if look > 1 else "none before the first look"
    given = vector("earlier", () if earlier is None else earlier)
    if earlier is not None and given.shape != (look - 1,):
        raise InvalidValueError("earlier", earlier, expected, "give Z of each look before this one, in their order")
    if not _binding(design):
        return given[:0]
    if earlier is None and look > 1:
        raise InvalidValueError("earlier", None, expected, "binding futility makes the interval depend on them")
    stopped = np.flatnonzero(given <= design.lower[: given.size])
    if stopped.size:
        at = int(stopped[0])
        bound = f"Z above the binding bound for futility, {design.lower[at]:.4g} at look {at + 1}"
        raise InvalidValueError("earlier", float(given[at]), bound, "take binding=False where the trial may go on")
    return given


def _check(design: GroupSequentialDesign, look: int) -> None:
    if isinstance(look, bool) or look not in range(1, len(design.fractions) + 1):
        raise InvalidValueError("look", look, f"a look from 1 to {len(design.fractions)}", "count the looks from 1")
