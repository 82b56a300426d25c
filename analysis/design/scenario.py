"""The truth that is assumed for a calculation: event times by arm and stratum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.by_name import ByName
from analysis.conventions.checks import number, one_of
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.design.illness_death import IllnessDeath, member_of, number_of_members
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival import Distribution, Ensemble, ProportionalHazards
from analysis.survival.distributions import by_member

if TYPE_CHECKING:
    import pandas as pd

    from analysis.design.trial import TrialDesign

EventTime: TypeAlias = Distribution | IllnessDeath


def hazard_ratio(field: str, given: Any) -> float:
    """Return a hazard ratio between 0.001 and 20; beyond that it is another number by mistake."""
    try:
        return number(field, given, at_least=0.001, at_most=20)
    except InvalidValueError:
        expected = "a hazard ratio, experimental against control, from 0.001 to 20"
        remedy = "below 1 favours the experimental arm; write 0.6, not 60"
        raise InvalidValueError(field, given, expected, remedy) from None


def _by_arm(name: str, given: Any) -> ByName[Any]:
    if not isinstance(given, Mapping) or not given:
        raise InvalidValueError(name, given, "event times by the names of the arms", "write {'control': ..., ...}")
    kinds, example = (Distribution, IllnessDeath), "Exponential.from_median(11)"
    by_arm: dict[str, Any] = {}
    for arm, model in given.items():
        if isinstance(model, Mapping):
            strata = {s: one_of(f"{name}[{arm!r}][{s!r}]", each, kinds, example) for s, each in model.items()}
            by_arm[arm] = ByName({s: by_member(each) for s, each in strata.items()})
        else:
            by_arm[arm] = by_member(one_of(f"{name}[{arm!r}]", model, kinds, example))
    return ByName(by_arm)


@border
@value
class Scenario:
    """Event times by arm, and by stratum where they differ.

    Parameters
    ----------
    event_time
        By arm: a distribution, an `IllnessDeath` model, or an ensemble; or these by stratum.
    name
        What to call it in tables.

    Raises
    ------
    InvalidValueError
        If there is no arm, or what is given for one is no distribution.

    Examples
    --------
    >>> from analysis.survival import Exponential
    >>> control = Exponential.from_median(11)
    >>> scenario = Scenario.proportional_hazards(control, 0.6)
    >>> round(scenario.of("experimental").median, 2)
    18.33
    """

    event_time: Mapping[str, EventTime | Mapping[str, EventTime]] = fields.converted(_by_arm)
    name: str = "scenario"

    @classmethod
    def proportional_hazards(
        cls,
        control: Distribution,
        hazard_ratio: float,
        *,
        arms: tuple[str, str] = ("control", "experimental"),
        name: str | None = None,
    ) -> Scenario:
        """Two arms whose hazards keep a ratio, experimental against control (below 1 favours the experimental arm)."""
        ratio = _checked_ratio("hazard_ratio", hazard_ratio)
        one_of("control", control, Distribution, "Exponential.from_median(11)")
        return cls({arms[0]: control, arms[1]: multiplied(control, ratio)}, name or f"HR {ratio:.4g}")

    def null(self, control: str = "control") -> Scenario:
        """Give the scenario in which every arm behaves like the control."""
        if control not in self.event_time:
            raise UnknownNameError("arm", control, self.event_time)
        return Scenario(dict.fromkeys(self.event_time, self.event_time[control]), f"{self.name}, null")

    def with_hazard_ratio(self, hazard_ratio: float, control: str = "control") -> Scenario:
        """Give the scenario in which every other arm has the control's hazard times a ratio."""
        ratio = _checked_ratio("hazard_ratio", hazard_ratio)
        if control not in self.event_time:
            raise UnknownNameError("arm", control, self.event_time)
        base = self.event_time[control]
        other: Any = (
            {stratum: _multiplied(model, ratio) for stratum, model in base.items()}
            if isinstance(base, Mapping)
            else _multiplied(base, ratio)
        )
        return Scenario({arm: base if arm == control else other for arm in self.event_time}, f"HR {ratio:.4g}")

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

    def models(self) -> list[tuple[str, str, EventTime]]:
        """List arm, stratum and event times; the stratum is ``"all"`` where an arm's do not differ."""
        return [
            (arm, stratum, model)
            for arm, given in self.event_time.items()
            for stratum, model in (given if isinstance(given, Mapping) else {"all": given}).items()
        ]

    @property
    def members(self) -> int:
        """How many truths it stands for: the members of its ensembles, which go together by number; else 1.

        Raises
        ------
        InvalidValueError
            If its ensembles differ in size.
        """
        sizes = {number_of_members(model) for _, _, model in self.models()} - {1}
        if len(sizes) > 1:
            expected, remedy = "ensembles with as many members in every arm", "give as many members to each"
            raise InvalidValueError("event_time", sorted(sizes), expected, remedy)
        return max(sizes, default=1)

    def member(self, number: int) -> Scenario:
        """Give one truth of those that it stands for."""

        def chosen(given: Any) -> Any:
            if isinstance(given, Mapping):
                return {stratum: member_of(model, number) for stratum, model in given.items()}
            return member_of(given, number)

        return Scenario({arm: chosen(given) for arm, given in self.event_time.items()}, self.name)

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
        """One row per arm and stratum: `arm`, `stratum`, `event_time` in words."""
        import pandas as pd

        rows = [(arm, stratum, model.description) for arm, stratum, model in self.models()]
        return pd.DataFrame(rows, columns=["arm", "stratum", "event_time"])

    def _repr_html_(self) -> str:
        return html(self.summary())


_checked_ratio = hazard_ratio  # the argument of that name hides the check


def multiplied(control: Distribution, ratio: float) -> Distribution:
    """Give a distribution, or each member of an ensemble, with its hazard multiplied."""
    if isinstance(control, Ensemble):
        return control.with_hazard_ratio(ratio)
    return ProportionalHazards(control, (ratio,))


def _multiplied(model: EventTime, ratio: float) -> EventTime:
    if isinstance(model, IllnessDeath):
        expected, remedy = "a distribution", "an illness-death model has no single hazard ratio; write both arms out"
        raise InvalidValueError("event_time", model, expected, remedy)
    return multiplied(model, ratio)
