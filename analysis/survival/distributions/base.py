"""What every distribution of event times offers, on the base of its cumulative hazard and the inverse of that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import FloatArray, probabilities
from analysis.conventions.seeds import Seed, generator
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Size: TypeAlias = int | tuple[int, ...]

NO_CHANGE_POINTS: FloatArray = np.array([], dtype=np.float64)
NO_CHANGE_POINTS.flags.writeable = False
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)
HALVINGS = 0.5 ** np.arange(48)
SHARES = np.concatenate([np.linspace(0, 0.99, 34), 1 - 0.1 ** np.arange(3, 16)])  # failed: where areas are cut up


@border
class Distribution(ABC):
    """A distribution of event times on t >= 0, in months.

    A kind of one's own gives `cumulative_hazard` and `inverse_cumulative_hazard`, and `change_points` if its hazard
    jumps; all else follows, here or in a closed form of its own.

    All methods are vectorised: an array gives an array of its shape, a number gives a ``np.float64``. Before time 0
    nobody has failed: the survival is 1 and the hazard 0.

    Examples
    --------
    >>> class Gompertz(Distribution):
    ...     def cumulative_hazard(self, t):
    ...         return 0.02 / 0.1 * np.expm1(0.1 * clipped(t))
    ...
    ...     def inverse_cumulative_hazard(self, h):
    ...         return np.log1p(0.1 / 0.02 * np.asarray(h)) / 0.1
    >>> round(Gompertz().median, 3), round(float(Gompertz().hazard(5.0)), 6), round(float(Gompertz().rmst(12.0)), 4)
    (14.964, 0.032974, 10.0424)
    """

    @abstractmethod
    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard H(t) = -log S(t); 0 before time 0, inf where S is 0."""

    @abstractmethod
    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard reaches `h` >= 0; inf where it never does.

        It keeps the digits that a quantile loses where few are left.
        """

    @property
    def change_points(self) -> FloatArray:
        """Times above 0 at which the hazard may jump, increasing; between them it is smooth."""
        return NO_CHANGE_POINTS

    @property
    def piecewise_exponential_until(self) -> float:
        """Months until which the hazard is constant between the change points: 0 if it never is, inf throughout."""
        return 0.0

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return type(self).__name__

    @property
    def description(self) -> str:
        """The distribution in words, e.g. ``"exponential with median 11 months"``."""
        half = f"median {self.median:.4g} months" if np.isfinite(self.median) else "median not reached"
        return f"{self.kind} with {half}"

    @property
    def median(self) -> float:
        """Smallest time by which half have failed, in months; inf where that never happens."""
        return float(self.quantile(0.5))

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`, S(t) = P(T > t)."""
        return np.exp(-self.cumulative_hazard(t))

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month at `t`, continuous from the right; here by differences of the cumulative hazard."""
        at = np.asarray(t, dtype=np.float64)
        following = np.append(self.change_points, np.inf)
        room = following[np.searchsorted(self.change_points, at, side="right")] - at
        step = np.minimum(1e-4 * np.maximum(np.abs(at), 1e-8), room / 8)
        ahead = [self.cumulative_hazard(at + k * step) for k in range(5)]
        slope = (-25 * ahead[0] + 48 * ahead[1] - 36 * ahead[2] + 16 * ahead[3] - 3 * ahead[4]) / (12 * step)
        return hazard_from_start(t, slope)

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Smallest t with 1 - S(t) >= p; inf where it is never reached."""
        return self.inverse_cumulative_hazard(hazard_of_share(p))

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Restricted mean survival time, the integral of S over [0, tau], finite tau, in months; by quadrature."""
        taus = clipped(tau)
        return np.array([self._area(float(end)) for end in taus.flat]).reshape(taus.shape)[()]

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times of shape `size` as the quantiles of uniform numbers; inf for those who never fail."""
        return self.quantile(generator(rng).random(size))

    def _area(self, tau: float) -> float:
        if not np.isfinite(tau):
            raise InvalidValueError("tau", tau, "a finite time", "restrict the mean to the follow-up")
        graded = np.concatenate([tau * HALVINGS, self.quantile(SHARES)])
        end = float(self.quantile(1.0))
        if np.isfinite(end):  # a power of what falls to 0 there has no slope there
            graded = np.concatenate([graded, end * (1 - HALVINGS)])
        edges = np.unique(np.concatenate([[0.0, tau], self.change_points, graded]))
        edges = edges[edges <= tau]
        half = np.diff(edges)[:, None] / 2
        return float(np.sum(half * NODE_WEIGHTS * self.survival(edges[:-1, None] + half * (1 + NODES))))


def hazard_of_share(p: ArrayLike) -> FloatArray:
    """Return the cumulative hazard at which a share `p` has failed, -log(1 - p)."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-probabilities("p", p))


def clipped(t: ArrayLike) -> FloatArray:
    """Return times as floats with those before 0 moved to 0, where nothing has happened yet."""
    return np.maximum(np.asarray(t, dtype=np.float64), 0.0)


def hazard_from_start(t: ArrayLike, hazard: FloatArray) -> FloatArray:
    """Return `hazard`, with 0 in its place wherever `t` is before the start."""
    return np.where(np.asarray(t) < 0, 0.0, hazard)[()]
