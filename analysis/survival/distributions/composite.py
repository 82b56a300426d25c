"""Distributions of event times made of other ones: hazard ratios on a baseline, mixtures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.survival.checks import FloatArray, change_points, nonnegative, same_length
from analysis.survival.distributions.piecewise import piece_reaching
from analysis.survival.distributions.protocol import (
    Distribution,
    Seed,
    Size,
    clipped,
    hazard_of_share,
    inverted_uniforms,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, eq=False)
class ProportionalHazards:
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

    baseline: Distribution
    ratios: FloatArray
    breaks: FloatArray
    _starts: FloatArray = field(init=False, repr=False)
    _baseline_at_start: FloatArray = field(init=False, repr=False)
    _hazard_at_start: FloatArray = field(init=False, repr=False)

    def __init__(self, baseline: Distribution, ratios: ArrayLike, breaks: ArrayLike = ()) -> None:
        ratios, breaks = nonnegative("ratios", ratios), change_points("breaks", breaks)
        same_length("ratios", ratios, "one interval more than there are breaks", breaks.size + 1)
        starts = np.concatenate([[0.0], breaks])
        at_start = baseline.cumulative_hazard(starts)
        if np.isinf(at_start[-1]):
            got = float(starts[np.isinf(at_start)][0])
            raise InvalidValueError(
                "breaks", got, "times at which the baseline still has survivors", "drop later breaks"
            )
        object.__setattr__(self, "baseline", baseline)
        object.__setattr__(self, "ratios", ratios)
        object.__setattr__(self, "breaks", breaks)
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_baseline_at_start", at_start)
        at_start = np.concatenate([[0.0], np.cumsum(ratios[:-1] * np.diff(at_start))])
        object.__setattr__(self, "_hazard_at_start", at_start)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProportionalHazards):
            return NotImplemented
        same_effect = np.array_equal(self.ratios, other.ratios) and np.array_equal(self.breaks, other.breaks)
        return same_effect and self.baseline == other.baseline

    def __hash__(self) -> int:
        return hash((self.baseline, self.ratios.tobytes(), self.breaks.tobytes()))

    @property
    def change_points(self) -> FloatArray:
        """Change points of the baseline and of the ratio."""
        return np.union1d(self.baseline.change_points, self.breaks)

    @property
    def median(self) -> float:
        """Median in months; inf where half never fail."""
        return float(self.quantile(0.5))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`."""
        return np.exp(-self.cumulative_hazard(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month: the ratio at `t` times the baseline's hazard."""
        ratio, hazard = self.ratios[np.searchsorted(self.breaks, clipped(t), side="right")], self.baseline.hazard(t)
        with np.errstate(invalid="ignore"):
            return np.where(ratio == 0, 0.0, ratio * hazard)[()]

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard: the baseline's increments, each times its ratio."""
        piece = np.searchsorted(self.breaks, clipped(t), side="right")
        since_start = self.baseline.cumulative_hazard(t) - self._baseline_at_start[piece]
        ratio = self.ratios[piece]
        with np.errstate(invalid="ignore"):
            return (self._hazard_at_start[piece] + np.where(ratio == 0, 0.0, ratio * since_start))[()]

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed; inf where it is never reached."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`, looked up on the baseline."""
        target = np.asarray(h, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            piece = piece_reaching(self._hazard_at_start, target)
            ratio = self.ratios[piece]
            since_start = (target - self._hazard_at_start[piece]) / ratio
        on_baseline = np.where(target == 0, 0.0, self._baseline_at_start[piece] + since_start)
        reached = (ratio > 0) | (target == 0)
        time = self.baseline.inverse_cumulative_hazard(np.where(reached, on_baseline, 0.0))
        return np.where(reached, time, np.inf)[()]

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau], finite tau, by Gauss-Legendre quadrature between change points."""
        taus = clipped(tau)
        return np.array([self._area(float(end)) for end in taus.flat]).reshape(taus.shape)[()]

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times by inversion."""
        return inverted_uniforms(self, size, rng)

    def _area(self, tau: float) -> float:
        if not np.isfinite(tau):
            raise InvalidValueError("tau", tau, "a finite time", "restrict the mean to the follow-up")
        graded = np.concatenate([tau * 0.5 ** np.arange(48), self.quantile(np.linspace(0, 0.99, 34))])
        edges = np.unique(np.concatenate([[0.0, tau], self.change_points, graded]))
        edges = edges[edges <= tau]
        half = np.diff(edges)[:, None] / 2
        return float(np.sum(half * NODE_WEIGHTS * self.survival(edges[:-1, None] + half * (1 + NODES))))


@dataclass(frozen=True)
class Mixture:
    """A population of several kinds of patients, e.g. biomarker strata, or the members of a reconstruction.

    Parameters
    ----------
    components
        Distributions of the kinds.
    weights
        Their shares, none below 0; they are divided by their sum. Equal by default.

    Raises
    ------
    InvalidValueError
        If there is no component, a weight is negative, all are 0, or the lengths do not match.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> mixed = Mixture([Exponential(0.1), Exponential(0.02)], weights=[3, 1])
    >>> round(float(mixed.survival(12.0)), 4)
    0.4226
    """

    components: tuple[Distribution, ...]
    weights: tuple[float, ...] = ()

    def __init__(self, components: Sequence[Distribution], weights: ArrayLike | None = None) -> None:
        if not len(components):
            raise InvalidValueError("components", [], "at least one distribution", "give the kinds of patients")
        shares = nonnegative("weights", np.ones(len(components)) if weights is None else weights)
        same_length("weights", shares, "components", len(components))
        if not shares.any():
            raise InvalidValueError("weights", shares.tolist(), "a sum above 0", "give each kind its share")
        object.__setattr__(self, "components", tuple(components))
        total = float(shares.sum())
        normalised = shares if abs(total - 1) < 1e-12 else shares / total
        object.__setattr__(self, "weights", tuple(normalised.tolist()))

    @property
    def change_points(self) -> FloatArray:
        """Change points of all components."""
        return np.unique(np.concatenate([component.change_points for component in self.components]))

    @property
    def median(self) -> float:
        """Median in months; inf where half never fail."""
        return float(self.quantile(0.5))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`: the components' mean."""
        return self._mean([component.survival(t) for component in self.components])

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month: the components' mean over those still alive; NaN where nobody is."""
        alive = [component.survival(t) for component in self.components]
        with np.errstate(invalid="ignore", divide="ignore"):
            dying = [np.where(s > 0, s * c.hazard(t), 0.0) for s, c in zip(alive, self.components, strict=True)]
            return self._mean(dying) / self._mean(alive)

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard, -log S."""
        with np.errstate(divide="ignore"):
            return -np.log(self.survival(t))

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Time by which a share `p` has failed."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`, by bisection between those of the components."""
        target = np.asarray(h, dtype=np.float64)
        present = [c for c, weight in zip(self.components, self.weights, strict=True) if weight > 0]
        times = np.stack([component.inverse_cumulative_hazard(target) for component in present])
        low, high = times.min(axis=0), times.max(axis=0)
        settled = np.isinf(target) | (low == high) | (self.cumulative_hazard(np.inf) < target)
        answer = np.where(np.isinf(target) | (low == high), high, np.inf)
        low, high = np.where(settled, 0.0, low), np.where(settled, 0.0, np.minimum(high, np.finfo(float).max / 4))
        while True:
            middle = np.where(high > 4 * low + 1, 2 * low + 0.5, low + (high - low) / 2)
            if np.all((middle <= low) | (middle >= high)):
                return np.where(settled, answer, high)[()]
            reached = self.cumulative_hazard(middle) >= target
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau]: the components' mean."""
        return self._mean([component.rmst(tau) for component in self.components])

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw each patient's kind by the weights, then an event time of that kind."""
        generator = np.random.default_rng(rng)
        kinds = generator.choice(len(self.components), size=size, p=self.weights)
        draws = np.empty(kinds.shape)
        for kind in np.unique(kinds):
            chosen = kinds == kind
            draws[chosen] = self.components[kind].sample(int(chosen.sum()), generator)
        return draws

    def _mean(self, values: list[FloatArray]) -> FloatArray:
        return np.tensordot(np.array(self.weights), np.stack(values), axes=1)[()]
