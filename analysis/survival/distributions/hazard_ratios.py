"""A baseline whose hazard is multiplied: proportional hazards, delayed and crossing effects."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import FloatArray, one_of, same_length
from analysis.conventions.values import value
from analysis.errors import InvalidValueError
from analysis.survival.distributions.base import Distribution, clipped
from analysis.survival.distributions.piecewise import piece_reaching

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_CHANGES = 3  # of the ratio, that a sentence names


@border
@value
class ProportionalHazards(Distribution):
    """A baseline whose hazard is multiplied by a ratio, constant or changing at given times.

    Parameters
    ----------
    baseline
        Distribution in the control arm.
    ratios
        Hazard ratios against the baseline, a number or shape ``(k,)``, none below 0; below 1 favours this arm.
    breaks
        Months at which the ratio changes, shape ``(k - 1,)``: ``ratios=[1, 0.6], breaks=[3]`` is an effect delayed by
        three months, ``ratios=[1.3, 0.6], breaks=[6]`` crossing hazards.

    Raises
    ------
    InvalidValueError
        If a ratio is negative or not finite, the breaks do not increase or are after the end of the baseline, or the
        lengths do not match.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> ProportionalHazards(Exponential.from_median(5.0), 0.5).median
    10.0
    """

    baseline: Distribution = fields.converted(lambda name, given: one_of(name, given, Distribution, "Exponential(0.1)"))
    ratios: FloatArray = fields.vector()
    breaks: FloatArray = fields.change_points(default=())

    if TYPE_CHECKING:  # anything that becomes an array is accepted

        def __init__(self, baseline: Distribution, ratios: ArrayLike, breaks: ArrayLike = ()) -> None: ...

    def __attrs_post_init__(self) -> None:
        same_length("ratios", self.ratios, "one interval more than there are breaks", self.breaks.size + 1)
        if np.isinf(self._baseline_at_start[-1]):
            got = float(self._starts[np.isinf(self._baseline_at_start)][0])
            expected = "times at which the baseline still has survivors"
            raise InvalidValueError("breaks", got, expected, "drop later breaks")

    @cached_property
    def _starts(self) -> FloatArray:
        return np.concatenate([[0.0], self.breaks])

    @cached_property
    def _baseline_at_start(self) -> FloatArray:
        return self.baseline.cumulative_hazard(self._starts)

    @cached_property
    def _hazard_at_start(self) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(self.ratios[:-1] * np.diff(self._baseline_at_start))])

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"{self.baseline.kind} {self.effect}"

    @property
    def effect(self) -> str:
        """The hazard ratio in words, to follow the baseline."""
        later = [
            f"from month {month:.4g} {ratio:.3g}" for month, ratio in zip(self.breaks, self.ratios[1:], strict=True)
        ]
        if len(later) > MOST_CHANGES:
            return "times a hazard ratio that changes"
        return f"times hazard ratio {', '.join([f'{self.ratios[0]:.3g}', *later])},"

    @cached_property
    def _constant(self) -> float:
        """The ratio where it is one above 0 throughout, else NaN."""
        return float(self.ratios[0]) if self.ratios.size == 1 and self.ratios[0] > 0 else np.nan

    @cached_property
    def change_points(self) -> FloatArray:
        """Change points of the baseline and of the ratio."""
        return np.union1d(self.baseline.change_points, self.breaks) if self.breaks.size else self.baseline.change_points

    @property
    def piecewise_exponential_until(self) -> float:
        """As the baseline."""
        return self.baseline.piecewise_exponential_until

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month: the ratio at `t` times the baseline's hazard."""
        if self._constant > 0:
            return self._constant * self.baseline.hazard(t)
        ratio, hazard = self.ratios[np.searchsorted(self.breaks, clipped(t), side="right")], self.baseline.hazard(t)
        with np.errstate(invalid="ignore"):
            return np.where(ratio == 0, 0.0, ratio * hazard)[()]

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard: the baseline's increments, each times its ratio."""
        if self._constant > 0:
            return self._constant * self.baseline.cumulative_hazard(t)
        piece = np.searchsorted(self.breaks, clipped(t), side="right")
        since_start = self.baseline.cumulative_hazard(t) - self._baseline_at_start[piece]
        ratio = self.ratios[piece]
        with np.errstate(invalid="ignore"):
            return (self._hazard_at_start[piece] + np.where(ratio == 0, 0.0, ratio * since_start))[()]

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`, looked up on the baseline."""
        if self._constant > 0:
            return self.baseline.inverse_cumulative_hazard(np.asarray(h, dtype=np.float64) / self._constant)
        target = np.asarray(h, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            piece = piece_reaching(self._hazard_at_start, target)
            ratio = self.ratios[piece]
            since_start = (target - self._hazard_at_start[piece]) / ratio
        on_baseline = np.where(target == 0, 0.0, self._baseline_at_start[piece] + since_start)
        reached = (ratio > 0) | (target == 0)
        time = self.baseline.inverse_cumulative_hazard(np.where(reached, on_baseline, 0.0))
        return np.where(reached, time, np.inf)[()]
