"""A table of breaks and rates for any distribution, as compiled engines read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.survival.distributions.piecewise import PiecewiseExponential

if TYPE_CHECKING:
    from analysis.survival.checks import FloatArray
    from analysis.survival.distributions.protocol import Distribution


def as_piecewise_exponential(distribution: Distribution, horizon: float, pieces: int = 1000) -> PiecewiseExponential:
    """Return the piecewise-exponential distribution that agrees with `distribution` at a grid of times.

    The grid holds the change points, `pieces` times evenly spread over [0, horizon], and `pieces` quantiles with more
    towards the last; neighbours with the same rate are joined, so that a distribution which is piecewise exponential
    comes back as it is.

    Parameters
    ----------
    distribution
        Any distribution of event times.
    horizon
        Months up to which the two agree; after it the last rate goes on. A survival of 0 before it is replaced by
        1e-12 at that time.
    pieces
        Number of times and number of quantiles in the grid.

    Returns
    -------
    PiecewiseExponential
        Breaks and rates that a compiled engine can sample from.

    Raises
    ------
    InvalidValueError
        If `horizon` is not above 0.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> as_piecewise_exponential(Exponential(0.1), horizon=36.0)
    PiecewiseExponential(rates=array([0.1]), breaks=array([], dtype=float64))
    """
    if not 0 < horizon < np.inf:
        raise InvalidValueError("horizon", horizon, "a finite time above 0", "give the trial's longest follow-up")
    failed = 1 - float(distribution.survival(horizon))
    tail = 1 - 0.5 ** np.arange(1, 30) / pieces
    quantiles = distribution.quantile(failed * np.concatenate([np.arange(1, pieces) / pieces, tail]))
    jumps = distribution.change_points
    grid = _spread(np.concatenate([[0.0], jumps[jumps < horizon], [horizon]]), quantiles, pieces)
    hazard = np.minimum(distribution.cumulative_hazard(grid), -np.log(1e-12))
    rates = np.diff(hazard) / np.diff(grid)
    first = np.concatenate([[True], ~np.isclose(rates[1:], rates[:-1], rtol=1e-8, atol=1e-14)])
    starts, joined = grid[:-1][first], np.append(hazard[:-1][first], hazard[-1])
    return PiecewiseExponential(np.diff(joined) / np.diff(np.append(starts, grid[-1])), starts[1:])


def _spread(fixed: FloatArray, quantiles: FloatArray, pieces: int) -> FloatArray:
    """Return the fixed times with those between that are not too close to them for a rate to be computed."""
    apart = 1e-6 * fixed[-1]
    free = np.unique(np.concatenate([np.linspace(0, fixed[-1], pieces + 1), quantiles[quantiles <= fixed[-1]]]))
    free = free[np.diff(free, prepend=-np.inf) > apart]
    after = np.clip(np.searchsorted(fixed, free), 1, fixed.size - 1)
    distance = np.minimum(np.abs(free - fixed[after - 1]), np.abs(free - fixed[after]))
    return np.union1d(fixed, free[distance > apart])
