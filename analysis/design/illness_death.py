"""Progression and death of one patient: PFS and OS that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.values import value
from analysis.errors import InvalidValueError
from analysis.survival import Distribution, Earliest, Ensemble
from analysis.survival.distributions import by_member

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)
HALVINGS = 0.5 ** np.arange(48)


def _distribution(name: str, given: Any) -> Distribution:
    return by_member(one_of(name, given, Distribution, "Exponential.from_median(11)"))


@border
@value
class IllnessDeath:
    """Progression and death of one patient: PFS and OS that belong together.

    Parameters
    ----------
    progression
        Time from entry to progression, in the absence of death.
    death
        Time from entry to death without progression, in the absence of progression.
    death_after_progression
        Time to death once progressed.
    clock
        Whether the hazard of `death_after_progression` counts months since ``"progression"`` (semi-Markov) or since
        ``"entry"`` (Markov).

    Raises
    ------
    InvalidValueError
        If a time is no distribution, or ensembles differ in size.
    UnknownNameError
        If the clock is unknown.

    Examples
    --------
    >>> from analysis.survival import Exponential
    >>> model = IllnessDeath(Exponential(0.1), Exponential(0.01), Exponential(0.05))
    >>> model.clock
    'progression'
    """

    progression: Distribution = fields.converted(_distribution)
    death: Distribution = fields.converted(_distribution)
    death_after_progression: Distribution = fields.converted(_distribution)
    clock: Literal["progression", "entry"] = fields.choice(("progression", "entry"), default="progression")

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return "illness-death model"

    @property
    def description(self) -> str:
        """The model in words."""
        return (
            f"illness-death model: progression {self.progression.description}, death before it "
            f"{self.death.description}, death after it {self.death_after_progression.description}"
        )

    @property
    def pfs(self) -> Earliest:
        """Time to progression or death, whichever comes first."""
        return Earliest((self.progression, self.death))

    def pfs_survival(self, t: ArrayLike) -> NDArray[np.float64]:
        """P(neither progressed nor dead by t), t in months."""
        return np.asarray(self.pfs.survival(t))

    def os_survival(self, t: ArrayLike) -> NDArray[np.float64]:
        """P(alive at t), t in finite months: those without progression, and those who progressed at u and live on.

        The integral over u is a Gauss-Legendre sum between the change points of the three distributions.

        Examples
        --------
        >>> from analysis.survival.distributions import Exponential
        >>> model = IllnessDeath(Exponential(0.05), Exponential(0.0126), Exponential(0.05))
        >>> round(float(model.os_survival(12.0)), 6)
        0.777402
        """
        times = np.asarray(t, dtype=np.float64)
        if not np.all(np.isfinite(times)):
            raise InvalidValueError("t", t, "finite months", "restrict it to the follow-up")
        return np.array([self._alive(max(float(time), 0.0)) for time in times.flat]).reshape(times.shape)[()]

    def _alive(self, t: float) -> float:
        after = self.death_after_progression.change_points
        changes = [self.progression.change_points, self.death.change_points, after, t - after]
        graded = t * HALVINGS  # hazards may start, and stretches after progression end, at infinity
        steep = self.progression.inverse_cumulative_hazard(np.geomspace(1e-3, 40, 24))
        edges = np.unique(np.concatenate([[0.0], *changes, graded, t - graded, steep]))
        edges = edges[(edges >= 0) & (edges <= t)]
        half = np.diff(edges)[:, None] / 2
        u = edges[:-1, None] + half * (1 + NODES)
        if self.clock == "progression":
            lives_on = self.death_after_progression.survival(t - u)
        else:
            hazard = self.death_after_progression.cumulative_hazard
            lives_on = np.exp(np.minimum(hazard(u) - hazard(t), 0.0))
        free = self.pfs_survival(u)
        progressed = np.multiply(self.progression.hazard(u), free * lives_on, out=np.zeros_like(free), where=free > 0)
        return float(self.pfs_survival(t) + np.sum(half * NODE_WEIGHTS * progressed))

    @property
    def times(self) -> tuple[Distribution, Distribution, Distribution]:
        """The three distributions, in the order of the fields."""
        return self.progression, self.death, self.death_after_progression


def number_of_members(model: Distribution | IllnessDeath) -> int:
    """How many truths a model stands for: the members of its ensembles, else 1.

    Raises
    ------
    InvalidValueError
        If the ensembles of an illness-death model differ in size.
    """
    parts = model.times if isinstance(model, IllnessDeath) else (model,)
    sizes = {len(part.members) for part in parts if isinstance(part, Ensemble)}
    if len(sizes) > 1:
        raise InvalidValueError("event_time", sorted(sizes), "ensembles of one size", "give as many members to each")
    return max(sizes, default=1)


def member_of(model: Distribution | IllnessDeath, number: int) -> Distribution | IllnessDeath:
    """Give one truth of those that a model stands for; a model without ensembles is the same for each number."""
    if isinstance(model, IllnessDeath):
        progression, death, after = (_member(part, number) for part in model.times)
        return IllnessDeath(progression, death, after, model.clock)
    return _member(model, number)


def _member(part: Distribution, number: int) -> Distribution:
    return part.members[number] if isinstance(part, Ensemble) else part
