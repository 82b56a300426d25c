"""Monte Carlo estimates: a mean or a proportion over simulated trials, with its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from analysis.conventions.display import short_repr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Z95 = float(ndtri(0.975))


@dataclass(frozen=True)
class MonteCarlo:
    """A simulated quantity.

    Parameters
    ----------
    value
        The estimate.
    std_error
        Its Monte Carlo standard error.
    lower, upper
        95% interval: Wilson's for proportions, normal for the rest.
    trials
        Number of simulated trials behind it.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> from analysis.simulation import simulate
    >>> found = simulate(design, scenario, trials=400, rng=1).power()
    >>> found.trials, 0 < found.std_error < 0.03
    (400, True)
    """

    value: float
    std_error: float
    lower: float
    upper: float
    trials: int

    __repr__ = short_repr


def proportion(successes: ArrayLike) -> MonteCarlo:
    """Estimate a probability from one indicator per trial; Wilson interval.

    The standard error is that at Wilson's midpoint, so that 0 of 100 is not taken for certainty.

    Examples
    --------
    >>> estimate = proportion([True] * 90 + [False] * 10)
    >>> estimate.value, round(estimate.lower, 4), round(estimate.upper, 4)
    (0.9, 0.8256, 0.9448)
    """
    hits = np.asarray(successes, bool)
    n, share = hits.size, float(hits.mean()) if hits.size else float("nan")
    if n == 0:
        return MonteCarlo(share, share, share, share, 0)
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * float(np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)))
    return MonteCarlo(share, half / Z95, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)), n)


def mean(values: ArrayLike) -> MonteCarlo:
    """Estimate an expectation from one value per trial; NaN values are left out."""
    kept = np.asarray(values, float)
    kept = kept[np.isfinite(kept)]
    if kept.size < 2:
        value = float(kept[0]) if kept.size else float("nan")
        return MonteCarlo(value, float("nan"), float("nan"), float("nan"), kept.size)
    value, error = float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(kept.size))
    return MonteCarlo(value, error, value - Z95 * error, value + Z95 * error, kept.size)


def standard_deviation(values: ArrayLike) -> MonteCarlo:
    """Estimate a standard deviation from one value per trial, with the standard error that holds without normality."""
    kept = np.asarray(values, float)
    kept = kept[np.isfinite(kept)]
    squares = mean((kept - kept.mean()) ** 2 if kept.size else kept)
    value = float(np.sqrt(squares.value))
    error = squares.std_error / (2 * value) if value > 0 else float("nan")
    return MonteCarlo(value, error, value - Z95 * error, value + Z95 * error, kept.size)
