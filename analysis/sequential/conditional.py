"""Conditional and predictive power of a group-sequential design at an interim look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.conventions.border import border
from analysis.conventions.checks import number
from analysis.errors import InvalidValueError
from analysis.sequential.crossing import FARTHEST, Crossing, Paths, crossing_probabilities

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.sequential.design import GroupSequentialDesign
    from analysis.sequential.priors import Prior


def conditional_crossing(
    design: GroupSequentialDesign,
    look: int,
    z: float,
    drift: float,
    *,
    increments: ArrayLike | None = None,
    combination: Literal["inverse-normal", "sufficient"] = "inverse-normal",
) -> Crossing:
    """Probability of crossing each later bound, given the statistic at a look.

    Parameters
    ----------
    design
        The design; its bounds, futility bounds included, hold at the later looks.
    look
        The look at which ``z`` was observed, counted from 1 and before the last.
    z
        Observed statistic, positive in favour of the experimental arm.
    drift
        Assumed effect as E[Z] at the planned last look; ``z / sqrt(fraction)`` is the current trend.
    increments
        Information that each later stage will add, as a fraction of the planned maximum; as planned if not given.
    combination
        How increments that differ from the plan enter: with the planned weights, which keeps alpha after any change
        (``"inverse-normal"``: lrstat ``getCP``, rpact, gsDesign ``z2NC``), or through the usual statistic of all data
        (``"sufficient"``: gsDesign ``z2Z``). As planned, both are the same.

    Returns
    -------
    Crossing
        Probabilities for the looks after ``look``.

    Raises
    ------
    InvalidValueError
        If the look is not an interim look or the increments do not fit.

    Notes
    -----
    Jennison and Turnbull, Group Sequential Methods, chapter 10; Cui, Hung and Wang, Biometrics 1999;55:853-7.
    """
    z, drift = number("z", z), number("drift", drift)
    fractions = design.schedule.information
    _check_interim(design, look)
    begun, later = float(fractions[look - 1]), fractions[look:]
    planned = np.diff(fractions[look - 1 :])
    added = planned if increments is None else np.asarray(increments, dtype=np.float64)
    if added.shape != planned.shape or np.any(added <= 0):
        expected = f"{planned.size} positive increments, one for each later look"
        raise InvalidValueError(
            "increments", increments, expected, "divide the added information by the planned maximum"
        )
    if combination not in ("inverse-normal", "sufficient"):
        expected = "'inverse-normal' or 'sufficient'"
        raise InvalidValueError("combination", combination, expected, "say how unplanned increments are combined")
    sufficient = combination == "sufficient"
    information = begun + np.cumsum(added) if sufficient else later
    gain = np.cumsum(added if sufficient else np.sqrt(planned * added))
    mean = (np.sqrt(begun) * z + drift * gain) / np.sqrt(information)
    bounds = design.bounds
    start = Paths.start(z, begun, z)
    return crossing_probabilities(information, bounds.lower[look:], bounds.upper[look:], mean, start=start)


@border
def conditional_power(
    design: GroupSequentialDesign,
    look: int,
    z: float,
    drift: float,
    *,
    increments: ArrayLike | None = None,
    combination: Literal["inverse-normal", "sufficient"] = "inverse-normal",
) -> float:
    """Probability of rejecting at a later look, given the statistic at this one.

    The parameters are those of :func:`conditional_crossing`; with ``drift=0`` this is the conditional rejection
    probability (conditional type I error). As the power of the design, that of a two-sided one counts rejections in
    favour of the experimental arm only, unless its ``rejection`` is ``"either"``.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> design = GroupSequentialDesign((1 / 3, 2 / 3, 1.0))
    >>> round(conditional_power(design, 2, z=1.0, drift=design.drift), 6)
    0.438293
    """
    crossed = conditional_crossing(design, look, z, drift, increments=increments, combination=combination)
    return design.rejecting(crossed)


@border
def predictive_power(design: GroupSequentialDesign, look: int, z: float, prior: Prior) -> float:
    """Conditional power averaged over the posterior of the drift.

    Parameters
    ----------
    design, look, z
        As in :func:`conditional_crossing`.
    prior
        Distribution of the drift before the trial; ``NormalPrior(0.0, inf)`` is the flat one.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import NormalPrior
    >>> round(predictive_power(GroupSequentialDesign((0.5, 1.0)), 1, 1.5, NormalPrior(0.0, 10.0)), 3)
    0.553
    """
    _check_interim(design, look)
    drifts, weights = prior.updated(z, design.fractions[look - 1]).nodes()
    return float(weights @ [conditional_power(design, look, z, drift) for drift in drifts])


@border
def prediction_interval(
    design: GroupSequentialDesign, look: int, z: float, at: int, prior: Prior, *, level: float = 0.95
) -> tuple[float, float]:
    """Interval for the statistic at a later look, whether or not a bound is crossed on the way.

    Parameters
    ----------
    design, look, z
        As in :func:`conditional_crossing`.
    at
        The later look.
    prior
        Distribution of the drift before the trial.
    level
        Probability of the interval, equal tails.

    Examples
    --------
    >>> from analysis.sequential import GroupSequentialDesign
    >>> from analysis.sequential import NormalPrior
    >>> low, high = prediction_interval(GroupSequentialDesign((0.5, 1.0)), 1, 1.5, 2, NormalPrior(0.0, 10.0))
    >>> round(low, 2), round(high, 2)
    (0.15, 4.05)
    """
    _check_interim(design, look)
    if at not in range(look + 1, len(design.fractions) + 1):
        raise InvalidValueError("at", at, f"a look after {look}, up to {len(design.fractions)}", "predict a later look")
    if not 0 < level < 1:
        raise InvalidValueError("level", level, "a probability", "take 0.95")
    number("z", z, at_least=-FARTHEST, at_most=FARTHEST)
    now, then = design.fractions[look - 1], design.fractions[at - 1]
    drifts, weights = prior.updated(z, now).nodes()
    means = (z * np.sqrt(now) + drifts * (then - now)) / np.sqrt(then)
    deviation = np.sqrt(1.0 - now / then)
    tail = 0.5 * (1.0 - level)
    margin = -float(ndtri(tail)) * deviation + 1.0

    def quantile(p: float) -> float:
        low, high = float(means.min()) - margin, float(means.max()) + margin
        return float(brentq(lambda y: weights @ ndtr((y - means) / deviation) - p, low, high, xtol=1e-13))

    return quantile(tail), quantile(1.0 - tail)


def _check_interim(design: GroupSequentialDesign, look: int) -> None:
    if isinstance(look, bool) or look not in range(1, len(design.fractions)):
        expected = f"an interim look, 1 to {len(design.fractions) - 1}"
        raise InvalidValueError("look", look, expected, "condition on a look that is followed by another")
