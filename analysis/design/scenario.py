"""The truth that is assumed for a calculation: event times by arm and stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from analysis.design.checks import ByName
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival.distributions import Distribution, ProportionalHazards

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from analysis.design.trial import TrialDesign


NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True)
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
        If the clock is unknown.
    """

    progression: Distribution
    death: Distribution
    death_after_progression: Distribution
    clock: Literal["progression", "entry"] = "progression"

    def __post_init__(self) -> None:
        if self.clock not in ("progression", "entry"):
            raise InvalidValueError("clock", self.clock, "'progression' or 'entry'", "choose one of them")

    def pfs_survival(self, t: ArrayLike) -> NDArray[np.float64]:
        """P(neither progressed nor dead by t), t in months."""
        return np.asarray(self.progression.survival(t) * self.death.survival(t))

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
        graded = t * 0.5 ** np.arange(48)  # hazards may start, and stretches after progression end, at infinity
        edges = np.unique(np.concatenate([[0.0], *changes, graded, t - graded]))
        edges = edges[(edges >= 0) & (edges <= t)]
        half = np.diff(edges)[:, None] / 2
        u = edges[:-1, None] + half * (1 + NODES)
        if self.clock == "progression":
            lives_on = self.death_after_progression.survival(t - u)
        else:
            hazard = self.death_after_progression.cumulative_hazard
            lives_on = np.exp(np.minimum(hazard(u) - hazard(t), 0.0))
        progressed = self.progression.hazard(u) * self.pfs_survival(u) * lives_on
        return float(self.pfs_survival(t) + np.sum(half * NODE_WEIGHTS * progressed))


@dataclass(frozen=True)
class Ensemble:
    """Distributions of which each simulated trial takes one at random, e.g. the members of a reconstruction.

    All ensembles of a scenario give the member of the same number to the same trial, so what is uncertain in common
    stays common.

    Parameters
    ----------
    members
        The distributions, each equally likely.

    Raises
    ------
    InvalidValueError
        If there are none.
    """

    members: Sequence[Distribution]

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        if not self.members:
            raise InvalidValueError("members", self.members, "at least one distribution", "give the members' curves")

    def with_hazard_ratio(self, hazard_ratio: float) -> Ensemble:
        """Give the same members with their hazard multiplied by `hazard_ratio`."""
        return Ensemble(tuple(ProportionalHazards(member, (hazard_ratio,)) for member in self.members))


EventTime: TypeAlias = Distribution | IllnessDeath | Ensemble


@dataclass(frozen=True)
class Scenario:
    """Event times by arm, and by stratum where they differ.

    Parameters
    ----------
    event_time
        By arm: a distribution, an `IllnessDeath` model, or an `Ensemble`; or these by stratum.
    name
        What to call it in tables.

    Raises
    ------
    InvalidValueError
        If there is no arm.

    Examples
    --------
    >>> from analysis.survival.distributions import Exponential
    >>> control = Exponential.from_median(11)
    >>> scenario = Scenario.proportional_hazards(control, 0.6)
    >>> round(scenario.of("experimental").median, 2)
    18.33
    """

    event_time: Mapping[str, EventTime | Mapping[str, EventTime]]
    name: str = "scenario"

    def __post_init__(self) -> None:
        if not self.event_time:
            raise InvalidValueError(
                "event_time", self.event_time, "event times of at least one arm", "give them by arm"
            )
        by_arm = {arm: ByName(given) if isinstance(given, Mapping) else given for arm, given in self.event_time.items()}
        object.__setattr__(self, "event_time", ByName(by_arm))

    @classmethod
    def proportional_hazards(
        cls,
        control: Distribution | Ensemble,
        hazard_ratio: float,
        *,
        arms: tuple[str, str] = ("control", "experimental"),
        name: str | None = None,
    ) -> Scenario:
        """Two arms whose hazards keep a ratio, experimental against control (below 1 favours the experimental arm)."""
        if isinstance(control, Ensemble):
            experimental: EventTime = control.with_hazard_ratio(hazard_ratio)
        else:
            experimental = ProportionalHazards(control, (hazard_ratio,))
        return cls({arms[0]: control, arms[1]: experimental}, name or f"HR {hazard_ratio:g}")

    def null(self, control: str = "control") -> Scenario:
        """Give the scenario in which every arm behaves like the control."""
        if control not in self.event_time:
            raise UnknownNameError("arm", control, self.event_time)
        return Scenario(dict.fromkeys(self.event_time, self.event_time[control]), f"{self.name}, null")

    def of(self, arm: str, stratum: str = "all") -> EventTime:
        """Event times of an arm in a stratum.

        Raises
        ------
        UnknownNameError
            If the scenario does not know the arm or the stratum.
        """
        if arm not in self.event_time:
            raise UnknownNameError("arm", arm, self.event_time)
        given = self.event_time[arm]
        if not isinstance(given, Mapping):
            return given
        if stratum not in given:
            raise UnknownNameError("stratum", stratum, given)
        return given[stratum]

    def check(self, design: TrialDesign) -> None:
        """Say so if the scenario does not give event times for exactly the design's arms and strata.

        Raises
        ------
        UnknownNameError
            If an arm or stratum of the one is missing in the other.
        """
        for arm in self.event_time:
            if arm not in design.allocation:
                raise UnknownNameError("arm", arm, design.allocation)
        for arm in design.allocation:
            for stratum in design.strata:
                self.of(arm, stratum)

    def summary(self) -> pd.DataFrame:
        """One row per arm and stratum: `arm`, `stratum`, `event_time`."""
        import pandas as pd

        rows: list[tuple[str, str, str]] = []
        for arm, given in self.event_time.items():
            by_stratum = given if isinstance(given, Mapping) else {"all": given}
            rows.extend((arm, stratum, repr(model)) for stratum, model in by_stratum.items())
        return pd.DataFrame(rows, columns=["arm", "stratum", "event_time"])

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))
