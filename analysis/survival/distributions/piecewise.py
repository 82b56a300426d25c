"""The piecewise-exponential distribution: rates between change points."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import FloatArray, same_length
from analysis.conventions.values import value
from analysis.survival.distributions.base import Distribution, clipped, hazard_from_start

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@border
@value
class PiecewiseExponential(Distribution):
    """Hazard constant between change points.

    Parameters
    ----------
    rates
        Events per month in each interval, shape ``(k,)``, none below 0. A last rate of 0 means that the rest never
        fail.
    breaks
        Inner change points in months, shape ``(k - 1,)``, strictly increasing, above 0.

    Raises
    ------
    InvalidValueError
        If a rate is negative or not finite, the breaks do not increase, or the lengths do not match.

    Examples
    --------
    >>> delayed = PiecewiseExponential(rates=[0.1, 0.05], breaks=[3.0])
    >>> [round(float(s), 4) for s in delayed.survival([3.0, 6.0])]
    [0.7408, 0.6376]
    """

    rates: FloatArray = fields.vector()
    breaks: FloatArray = fields.change_points(default=())

    if TYPE_CHECKING:  # anything that becomes an array is accepted

        def __init__(self, rates: ArrayLike, breaks: ArrayLike = ()) -> None: ...

    def __attrs_post_init__(self) -> None:
        same_length("rates", self.rates, "one interval more than there are breaks", self.breaks.size + 1)

    @cached_property
    def _starts(self) -> FloatArray:
        return np.concatenate([[0.0], self.breaks])

    @cached_property
    def _always(self) -> bool:
        """Whether there is a hazard at all times."""
        return bool((self.rates > 0).all())

    @cached_property
    def _hazard_at_start(self) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(self.rates[:-1] * np.diff(self._starts))])

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return "piecewise exponential"

    @property
    def change_points(self) -> FloatArray:
        """The breaks."""
        return self.breaks

    @property
    def piecewise_exponential_until(self) -> float:
        """The hazard is constant between the breaks throughout."""
        return np.inf

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month, that of the interval which begins at a change point."""
        return hazard_from_start(t, self.rates[np.searchsorted(self.breaks, clipped(t), side="right")])

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, linear between change points."""
        t = clipped(t)
        piece = np.searchsorted(self.breaks, t, side="right")
        rate = self.rates[piece]
        with np.errstate(invalid="ignore", over="ignore"):
            within = rate * (t - self._starts[piece])
        if not self._always:
            within = np.where(rate == 0, np.where(np.isnan(t), t, 0.0), within)
        hazard: FloatArray = (self._hazard_at_start[piece] + within)[()]
        return hazard

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`."""
        target = np.asarray(h, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            piece = piece_reaching(self._hazard_at_start, target)
            wait = (target - self._hazard_at_start[piece]) / self.rates[piece]
        return np.where(target == 0, 0.0, self._starts[piece] + wait)[()]

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], a sum of exponential pieces; the mean at ``tau=inf``."""
        tau = clipped(tau)
        areas = self._piece_area(np.arange(self.breaks.size), np.diff(self._starts))
        piece = np.searchsorted(self.breaks, tau, side="right")
        before: FloatArray = np.concatenate([[0.0], np.cumsum(areas)])[piece]
        return before + self._piece_area(piece, tau - self._starts[piece])

    def _piece_area(self, piece: NDArray[np.intp], width: FloatArray) -> FloatArray:
        rate = self.rates[piece]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_time = np.where(rate == 0, width, -np.expm1(-rate * width) / rate)
        area: FloatArray = np.exp(-self._hazard_at_start[piece]) * mean_time
        return area


def piece_reaching(hazard_at_start: FloatArray, target: FloatArray) -> NDArray[np.intp]:
    """Return the first piece in which the cumulative hazard reaches `target`, but for rounding."""
    return np.maximum(np.searchsorted(hazard_at_start, target * (1 - 1e-14), side="left") - 1, 0)
