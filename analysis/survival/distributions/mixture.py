"""Several distributions in one: a population of several kinds of patients, or what is not known of one population."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import FloatArray, count, nonnegative, positive, probability, same_length
from analysis.conventions.seeds import Seed, generator
from analysis.conventions.values import replace, value
from analysis.errors import InvalidValueError
from analysis.survival.distributions.base import Distribution, Size
from analysis.survival.distributions.hazard_ratios import ProportionalHazards
from analysis.survival.distributions.parametric import Exponential

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def _distributions(name: str, given: Any) -> tuple[Distribution, ...]:
    if isinstance(given, Distribution) or not isinstance(given, Sequence) or not len(given):
        raise InvalidValueError(name, given, "a list of at least one distribution", "write [Exponential(0.1), ...]")
    for number, item in enumerate(given):
        if not isinstance(item, Distribution):
            expected, remedy = "a distribution", "write e.g. Exponential.from_median(11)"
            raise InvalidValueError(f"{name}[{number}]", item, expected, remedy)
    return tuple(given)


@border
@value
class Mixture(Distribution):
    """A population of several kinds of patients, e.g. biomarker strata, or patients who are cured and others.

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

    components: Sequence[Distribution] = fields.converted(_distributions)
    weights: Sequence[float] = ()

    def __attrs_post_init__(self) -> None:
        given = np.ones(len(self.components)) if self.weights is None or not len(self.weights) else self.weights
        shares = nonnegative("weights", given)
        same_length("weights", shares, "components", len(self.components))
        if not shares.any():
            raise InvalidValueError("weights", shares.tolist(), "a sum above 0", "give each kind its share")
        total = float(shares.sum())
        normalised = shares if abs(total - 1) < 1e-12 else shares / total
        object.__setattr__(self, "weights", tuple(normalised.tolist()))

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"mixture of {len(self.components)} distributions"

    @property
    def change_points(self) -> FloatArray:
        """Change points of all components."""
        return np.unique(np.concatenate([component.change_points for component in self.components]))

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
        """Cumulative hazard, -log S, where S may be smaller than any number."""
        hazards = np.stack([c.cumulative_hazard(t) for c, w in self._present])
        least = hazards.min(axis=0)
        shares = np.array([w for _, w in self._present])
        with np.errstate(invalid="ignore", divide="ignore"):  # where nobody is left
            excess = np.where(np.isinf(hazards), np.inf, hazards - least)
            return np.where(np.isinf(least), np.inf, least - np.log(np.tensordot(shares, np.exp(-excess), axes=1)))[()]

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`, by bisection between those of the components."""
        target = np.asarray(h, dtype=np.float64)
        times = np.stack([component.inverse_cumulative_hazard(target) for component, _ in self._present])
        low, high = times.min(axis=0), times.max(axis=0)
        settled = np.isinf(target) | (low == high) | (self.cumulative_hazard(np.inf) < target)
        answer = np.where(np.isinf(target) | (low == high), high, np.inf)
        return np.where(
            settled, answer, _bisected(self, target, np.where(settled, 0, low), np.where(settled, 0, high))
        )[()]

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Integral of S over [0, tau]: the components' mean."""
        return self._mean([component.rmst(tau) for component in self.components])

    def sample(self, size: Size, rng: Seed) -> FloatArray:
        """Draw each patient's kind by the weights, then an event time of that kind."""
        stream = generator(rng)
        kinds = stream.choice(len(self.components), size=size, p=self.weights)
        draws = np.empty(kinds.shape)
        for kind in np.unique(kinds):
            chosen = kinds == kind
            draws[chosen] = self.components[kind].sample(int(chosen.sum()), stream)
        return draws

    @cached_property
    def _present(self) -> list[tuple[Distribution, float]]:
        return [(c, w) for c, w in zip(self.components, self.weights, strict=True) if w > 0]

    def _mean(self, values: list[FloatArray]) -> FloatArray:
        return np.tensordot(np.array(self.weights), np.stack(values), axes=1)[()]


@border
@value
class Earliest(Distribution):
    """The first of several events that do not depend on each other: their hazards add up.

    Parameters
    ----------
    components
        Time to each event in the absence of the others, e.g. progression and death without it, which make PFS.

    Raises
    ------
    InvalidValueError
        If there is no component.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> pfs = Earliest([Exponential(0.08), Exponential(0.01)])
    >>> round(float(pfs.hazard(3.0)), 12), round(pfs.median, 3)
    (0.09, 7.702)
    """

    components: Sequence[Distribution] = fields.converted(_distributions)

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"first of {len(self.components)} events"

    @property
    def change_points(self) -> FloatArray:
        """Change points of all components."""
        return np.unique(np.concatenate([component.change_points for component in self.components]))

    @property
    def piecewise_exponential_until(self) -> float:
        """Months until which the hazards of all components are constant between their change points."""
        return min(component.piecewise_exponential_until for component in self.components)

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard per month: the components' sum."""
        return _sum([component.hazard(t) for component in self.components])

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard: the components' sum."""
        return _sum([component.cumulative_hazard(t) for component in self.components])

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard is `h`, by bisection.

        It is not later than the first of the components reaches it, and not earlier than one reaches its even share.
        """
        target = np.asarray(h, dtype=np.float64)
        share = target / len(self.components)
        high = np.min([component.inverse_cumulative_hazard(target) for component in self.components], axis=0)
        low = np.min([component.inverse_cumulative_hazard(share) for component in self.components], axis=0)
        never = self.cumulative_hazard(np.inf) < target
        settled = never | (low >= high)
        found = _bisected(self, target, np.where(settled, 0, low), np.where(settled, 0, high))
        return np.where(never, np.inf, np.where(settled, high, found))[()]


@border
@value
class Ensemble(Distribution):
    """Distributions of which each simulated trial takes one, e.g. the members of a reconstruction.

    All ensembles of a scenario give the member of the same number to the same trial, so what is uncertain in common
    stays common; formulas are averaged over the members. Of a patient it is not known which member is true, so that
    the methods of a distribution are those of the members' mixture.

    Parameters
    ----------
    members
        The distributions, each equally likely.

    Raises
    ------
    InvalidValueError
        If there are none, or one is no distribution.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> unknown = Ensemble([Exponential.from_median(m) for m in (9, 10, 11, 12)])
    >>> round(float(unknown.survival(12.0)), 3)
    0.45
    """

    members: Sequence[Distribution] = fields.converted(_distributions)

    @classmethod
    def of_exponentials(
        cls, median: float, lower: float, upper: float, *, members: int = 100, level: float = 0.95
    ) -> Ensemble:
        """Return exponential curves through a printed median and its confidence limits, at even quantiles.

        The members' medians are log-normal, with a share `level` of them between the limits.

        Examples
        --------
        >>> sorted(round(member.median, 1) for member in Ensemble.of_exponentials(11.0, 9.2, 13.2, members=3).members)
        [10.1, 11.0, 12.0]
        """
        if not 0 < positive("lower", lower) < positive("median", median) < positive("upper", upper):
            expected = f"limits around the median of {median:g} months"
            raise InvalidValueError("lower, upper", (lower, upper), expected, "check the interval")
        spread = np.log(upper / lower) / (2 * ndtri(0.5 + probability("level", level) / 2))
        quantiles = ndtri((np.arange(count("members", members, "members")) + 0.5) / members)
        return cls([Exponential.from_median(float(median * np.exp(spread * z))) for z in quantiles])

    def with_hazard_ratio(self, hazard_ratio: float) -> Ensemble:
        """Give the same members with their hazard multiplied by `hazard_ratio`."""
        return Ensemble([ProportionalHazards(member, (hazard_ratio,)) for member in self.members])

    @cached_property
    def mixture(self) -> Mixture:
        """The members as kinds of patients of one population."""
        return Mixture(self.members)

    @property
    def kind(self) -> str:
        """What to call it in a sentence."""
        return f"one of {len(self.members)} curves"

    @property
    def description(self) -> str:
        """The ensemble in words: how many curves, and between which medians."""
        medians = [member.median for member in self.members]
        low, high = (f"{end:.4g}" if np.isfinite(end) else "not reached" for end in (min(medians), max(medians)))
        which = f"all with median {low}" if low == high else f"with medians from {low} to {high}"
        late = {one.effect if isinstance(one, ProportionalHazards) and one.breaks.size else "" for one in self.members}
        effect = late.pop().rstrip(",") if len(late) == 1 else ""
        return f"{self.kind}{effect and ' '}{effect}, {which}" + " months" * (high != "not reached")

    @property
    def change_points(self) -> FloatArray:
        """Change points of all members."""
        return self.mixture.change_points

    def survival(self, t: ArrayLike) -> FloatArray:
        """Mean of the members' survival."""
        return self.mixture.survival(t)

    def hazard(self, t: ArrayLike) -> FloatArray:
        """Hazard of the mixture."""
        return self.mixture.hazard(t)

    def cumulative_hazard(self, t: ArrayLike) -> FloatArray:
        """Cumulative hazard of the mixture."""
        return self.mixture.cumulative_hazard(t)

    def inverse_cumulative_hazard(self, h: ArrayLike) -> FloatArray:
        """First time at which the cumulative hazard of the mixture is `h`."""
        return self.mixture.inverse_cumulative_hazard(h)

    def rmst(self, tau: ArrayLike) -> FloatArray:
        """Mean of the members' restricted means."""
        return self.mixture.rmst(tau)


def members_of(distribution: Distribution) -> Sequence[Distribution]:
    """List the distributions that a trial may take: an ensemble's members, or the distribution alone."""
    return distribution.members if isinstance(distribution, Ensemble) else (distribution,)


def by_member(distribution: Distribution) -> Distribution:
    """Give the ensemble that a distribution made of ensembles stands for: of the member of one number of each.

    A ratio on an ensemble's hazard is one on each member's, as a mixture with it is a mixture with each member.

    Raises
    ------
    InvalidValueError
        If ensembles of several sizes are in it.

    Examples
    --------
    >>> unknown = Ensemble([Exponential(0.1), Exponential(0.2)])
    >>> [member.median for member in by_member(ProportionalHazards(unknown, 0.5)).members] == [
    ...     ProportionalHazards(member, 0.5).median for member in unknown.members
    ... ]
    True
    """
    parts: tuple[Distribution, ...]
    if isinstance(distribution, ProportionalHazards):
        field, parts = "baseline", (distribution.baseline,)
    elif isinstance(distribution, Mixture | Earliest):
        field, parts = "components", tuple(distribution.components)
    else:
        return distribution
    known = [by_member(part) for part in parts]
    sizes = {len(part.members) for part in known if isinstance(part, Ensemble)}
    if len(sizes) > 1:
        raise InvalidValueError(field, sorted(sizes), "ensembles of one size", "give as many members to each")
    members = []
    for number in range(max(sizes, default=0)):
        own = tuple(part.members[number] if isinstance(part, Ensemble) else part for part in known)
        members.append(replace(distribution, **{field: own[0] if field == "baseline" else own}))
    return Ensemble(members) if members else distribution


def _sum(values: list[FloatArray]) -> FloatArray:
    total: FloatArray = np.stack(values).sum(axis=0)[()]
    return total


def _bisected(of: Distribution, target: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """First time above `low` and up to `high` at which the cumulative hazard has reached `target`, to the last bit."""
    low, high = low.astype(np.float64), np.minimum(high, np.finfo(float).max / 4)
    while True:
        middle = np.where(high > 4 * low + 1, 2 * low + 0.5, low + (high - low) / 2)
        if np.all((middle <= low) | (middle >= high)):
            return high
        reached = of.cumulative_hazard(middle) >= target
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
