"""What every distribution of event times offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np

from analysis.survival.checks import probabilities

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.survival.checks import FloatArray

Seed: TypeAlias = int | np.random.SeedSequence | np.random.Generator
Size: TypeAlias = int | tuple[int, ...]

NO_CHANGE_POINTS: FloatArray = np.array([], dtype=np.float64)
NO_CHANGE_POINTS.flags.writeable = False


@runtime_checkable
class Distribution(Protocol):
    """A distribution of event times on t >= 0, in months.

    All methods are vectorised: an array gives an array of its shape, a number gives a ``np.float64``. Before time 0
    nobody has failed: the survival is 1 and the hazard 0.
    """

    @property
    def change_points(self) -> FloatArray:
        """Times above 0 at which the hazard may jump, increasing; between them it is smooth."""

    @property
    def median(self) -> float:
        """Smallest time by which half have failed, in months; inf where that never happens."""

    def survival(self, t: ArrayLike) -> FloatArray:
        """Probability of an event after `t`, S(t) = P(T > t)."""

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month at `t`, continuous from the right."""

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard H(t) = -log S(t); inf where S is 0."""

    def quantile(self, p: ArrayLike) -> FloatArray:
        """Smallest t with 1 - S(t) >= p; inf where it is never reached."""

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard reaches `h` >= 0; inf where it never does.

        It keeps the digits that a quantile loses where few are left.
        """

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Restricted mean survival time, the integral of S over [0, tau], in months."""

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw event times of shape `size`."""


def inverted_uniforms(distribution: Distribution, size: Size, rng: Seed) -> FloatArray:
    """Draw event times as the quantiles of uniform numbers, so that equal seeds give comparable draws.

    Parameters
    ----------
    distribution
        Distribution to draw from.
    size
        Shape of the draws.
    rng
        Seed, ``SeedSequence`` or ``Generator``; a generator is advanced.

    Returns
    -------
    ndarray
        Event times in months; inf for those who never fail.
    """
    return distribution.quantile(np.random.default_rng(rng).random(size))


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
