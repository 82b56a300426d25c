"""A trial as large-sample formulas see it: how many patients, when they enter, fail and are lost.

It is made from a design and one truth, and is not rounded: arms and strata have their exact shares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.design import IllnessDeath
from analysis.errors import InvalidValueError
from analysis.survival import Ensemble

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.design import Accrual, Assessments, Scenario, TrialDesign
    from analysis.survival import Distribution

NO_CHANGES = np.array([], dtype=np.float64)


@dataclass(frozen=True)
class Arm:
    """One arm, or the part of it in one stratum.

    Attributes
    ----------
    n
        Patients, above 0; a calculation may ask for a fraction of one.
    event_time
        Distribution of the months from entry to the event.
    loss
        Distribution of the months from entry to loss to follow-up; None: nobody is lost.
    follow_up
        Longest follow-up, months.
    """

    n: float
    event_time: Distribution
    loss: Distribution | None = None
    follow_up: float = np.inf

    @property
    def change_points(self) -> FloatArray:
        """Follow-up times at which a hazard of the arm may jump."""
        lost = NO_CHANGES if self.loss is None else self.loss.change_points
        return np.concatenate([self.event_time.change_points, lost])

    def retention(self, t: FloatArray) -> FloatArray | float:
        """Probability that a patient is not lost by `t` months."""
        return 1.0 if self.loss is None else self.loss.survival(t)


@dataclass(frozen=True)
class Stratum:
    """The arms of a stratum, the control first; one for a single arm. A trial without strata has one stratum."""

    arms: tuple[Arm, ...]

    @property
    def n(self) -> float:
        """Patients of the stratum."""
        return sum(arm.n for arm in self.arms)

    @property
    def change_points(self) -> FloatArray:
        """Follow-up times at which a hazard of the stratum may jump."""
        return np.concatenate([arm.change_points for arm in self.arms])


@dataclass(frozen=True)
class ExpectedTrial:
    """A trial under one truth, in large samples.

    Attributes
    ----------
    strata
        Arms by stratum.
    pattern
        How patients enter, the same in all strata and arms.
    assessments
        Schedule at which progression is looked for, for the few tests that allow for it.
    of_all
        Share of the whole trial's patients who are in these arms.
    """

    strata: tuple[Stratum, ...]
    pattern: Accrual
    assessments: Assessments | None = None
    of_all: float = 1.0

    @cached_property
    def n(self) -> float:
        """Patients, all arms and strata together."""
        return sum(stratum.n for stratum in self.strata)

    @cached_property
    def accrual(self) -> Accrual:
        """The accrual of so many patients, and of those in the other arms."""
        return self.pattern.for_patients(self.n / self.of_all)

    @cached_property
    def processes(self) -> dict[tuple[float, float, bool], list[Any]]:
        """The courses that were asked for last, by time, follow-up and strata: moments and events share them."""
        return {}

    @property
    def n_experimental(self) -> float:
        """Patients in the experimental arm."""
        return sum(stratum.arms[-1].n for stratum in self.strata)

    @property
    def allocation_ratio(self) -> float:
        """Experimental patients per control patient."""
        return self.n_experimental / (self.n - self.n_experimental)

    @property
    def follow_up(self) -> float:
        """Longest follow-up of a patient, months."""
        return self.strata[0].arms[0].follow_up

    def with_n(self, n: float) -> ExpectedTrial:
        """Give the same trial with `n` patients in all, in the same proportions."""
        factor = n / self.n
        strata = (Stratum(tuple(replace(arm, n=arm.n * factor) for arm in s.arms)) for s in self.strata)
        return replace(self, strata=tuple(strata))

    def with_event_times(self, by_stratum: list[tuple[Distribution, ...]]) -> ExpectedTrial:
        """Give the same trial with other event times, one a stratum and arm."""
        strata = (
            Stratum(tuple(replace(arm, event_time=time) for arm, time in zip(s.arms, times, strict=True)))
            for s, times in zip(self.strata, by_stratum, strict=True)
        )
        return replace(self, strata=tuple(strata))


def expected_trials(
    design: TrialDesign,
    scenario: Scenario,
    *,
    arm: str | None = None,
    n: float | None = None,
    all_arms: bool = False,
) -> tuple[ExpectedTrial, ...]:
    """Give the trial that a design is under a scenario, once for every truth that the scenario stands for.

    Members of an ensemble that are alike, as a reconstruction repeats them, are one and the same trial.

    Parameters
    ----------
    design
        The trial as its protocol fixes it.
    scenario
        Event times by arm and stratum; ensembles give the member of the same number together.
    arm
        Experimental arm; the only one by default.
    n
        Patients of the whole trial; the design's by default, and a fraction is allowed.
    all_arms
        Take all arms of the design together, as cuts count their events, not a pair to be compared.

    Raises
    ------
    UnknownNameError
        If the arm is not an experimental arm of the design, or the scenario lacks an arm or stratum.
    InvalidValueError
        If several experimental arms are there and none is chosen, or there is delayed entry, or of an illness-death
        model another endpoint than PFS, or scans at visits: simulate these.
    """
    scenario.check(design)
    if design.delayed_entry is not None:
        raise InvalidValueError("delayed_entry", design.delayed_entry, "none", 'simulate it: by="simulation"')
    control = () if design.control is None else (design.control,)
    arms = (*control, *(design.experimental_arms if all_arms else (design.experimental_arm(arm),)))
    everyone = sum(design.allocation.values())
    of_all = sum(design.allocation[a] for a in arms) / everyone
    total = design.n if n is None else n
    of_strata = sum(design.strata.values())
    follow_up = np.inf if design.follow_up is None else design.follow_up
    known: dict[tuple[Any, ...], ExpectedTrial] = {}
    trials = []
    for member in range(_members(design, scenario)):
        truth = scenario.member(member) if scenario.members > 1 else scenario
        by_stratum = [[truth.of(a, stratum) for a in arms] for stratum in design.strata]
        losses = [_of_member(design.dropout_of(a), member) for a in arms]
        key = tuple(_recognised(model) for model in (*chain.from_iterable(by_stratum), *losses))
        if key not in known:
            strata = []
            for share, models in zip(design.strata.values(), by_stratum, strict=True):
                sizes = [total * share / of_strata * design.allocation[a] / everyone for a in arms]
                cells = zip(sizes, models, losses, strict=True)
                strata.append(Stratum(tuple(Arm(k, _event_time(design, m), lost, follow_up) for k, m, lost in cells)))
            known[key] = ExpectedTrial(tuple(strata), design.accrual, design.assessments, of_all)
        trials.append(known[key])
    return tuple(trials)


def _event_time(design: TrialDesign, model: Distribution | IllnessDeath) -> Distribution:
    """Give the distribution of a model; PFS of an illness-death model, whose deaths no visit delays."""
    if not isinstance(model, IllnessDeath):
        return model
    if design.endpoint == "PFS" and design.assessments is None:
        return model.pfs
    what = f"{design.endpoint} of it" if design.assessments is None else "it with visits, of which deaths need none"
    raise InvalidValueError("event_time", model, "a distribution or an ensemble", f'simulate {what}: by="simulation"')


def _members(design: TrialDesign, scenario: Scenario) -> int:
    """Count the truths: members of the scenario's ensembles and of those of dropout, of the same number together."""
    sizes = {len(lost.members) for lost in map(design.dropout_of, design.arms) if isinstance(lost, Ensemble)}
    sizes = (sizes | {scenario.members}) - {1}
    if len(sizes) > 1:
        expected = "ensembles of dropout with as many members as those of event times"
        raise InvalidValueError("dropout", sorted(sizes), expected, "give as many members to each")
    return max(sizes, default=1)


def _of_member(lost: Distribution | None, member: int) -> Distribution | None:
    return lost.members[member] if isinstance(lost, Ensemble) else lost


def _recognised(model: object) -> object:
    """Give what a model is recognised by: its value, or itself where a user's own kind has no hash."""
    try:
        hash(model)
    except TypeError:
        return id(model)
    return model
