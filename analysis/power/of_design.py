"""From a trial design and a scenario to the two-arm trials that the power calculations take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.design import Ensemble, IllnessDeath
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnknownNameError
from analysis.power.expected import events_in_the_end, time_of_events
from analysis.power.trial import Arm, Stratum, TwoArmTrial

if TYPE_CHECKING:
    from analysis.design import Cut, EventTime, Scenario, TrialDesign
    from analysis.power.quadrature import FloatArray
    from analysis.survival import Distribution


def two_arm_trials(design: TrialDesign, scenario: Scenario, *, arm: str | None = None) -> tuple[TwoArmTrial, ...]:
    """Give the comparison of an experimental arm with the control, once for every member of the scenario's ensembles.

    Parameters
    ----------
    design
        The trial as its protocol fixes it. Assessments are not modelled: events count when they happen.
    scenario
        Event times by arm and stratum; ensembles give the member of the same number together.
    arm
        Experimental arm; the only one by default.

    Returns
    -------
    tuple of TwoArmTrial
        One trial without ensembles; else one for each member.

    Raises
    ------
    UnknownNameError
        If the arm is not an experimental arm of the design, or the scenario lacks an arm or stratum.
    InvalidValueError
        If the design has a single arm, several experimental arms and none is chosen, delayed entry, or an illness-death
        model: simulate these.

    Examples
    --------
    >>> from analysis.design import AtEvents, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=99, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),))
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> [trial.n_experimental for trial in two_arm_trials(design, scenario)]
    [49]
    """
    scenario.check(design)
    arm = _experimental_arm(design, arm)
    if design.delayed_entry is not None:
        raise InvalidValueError("delayed_entry", design.delayed_entry, "none", "simulate designs with delayed entry")
    pair = (control_arm(design), arm)
    models = {(s, a): scenario.of(a, s) for s in design.strata for a in pair}
    sizes = {len(model.members) for model in models.values() if isinstance(model, Ensemble)}
    if len(sizes) > 1:
        raise InvalidValueError("event_time", sorted(sizes), "ensembles of one size", "give as many members to each")
    return tuple(
        TwoArmTrial(
            tuple(
                Stratum(
                    *(
                        Arm(design.cell_sizes[s, a], _member(models[s, a], number, a), design.dropout_of(a))
                        for a in pair
                    )
                )
                for s in design.strata
            ),
            design.accrual,
        )
        for number in range(max(sizes, default=1))
    )


def control_arm(design: TrialDesign) -> str:
    """Name the control arm, or say that a design of a single arm has none."""
    if design.control is None:
        raise InvalidValueError(
            "control", None, "a control arm to compare with", "use analysis.power.single_arm for a single arm"
        )
    return design.control


def _experimental_arm(design: TrialDesign, arm: str | None) -> str:
    arms = design.experimental_arms
    if arm is None:
        if len(arms) > 1:
            raise InvalidValueError(
                "arm", arm, f"one of {', '.join(arms)}", "say which arm to compare with the control"
            )
        return arms[0]
    if arm not in arms:
        raise UnknownNameError("experimental arm", arm, arms)
    return arm


def _member(model: EventTime, number: int, arm: str) -> Distribution:
    if isinstance(model, Ensemble):
        return model.members[number]
    if isinstance(model, IllnessDeath):
        raise InvalidValueError(
            f"event_time[{arm!r}]", model, "a distribution or an ensemble", "simulate illness-death models"
        )
    return model


@dataclass(frozen=True)
class ExpectedClock:
    """Answers a cut's questions by what is expected of a trial."""

    trial: TwoArmTrial
    endpoint: str

    def nth_event(self, number: int, endpoint: str | None) -> FloatArray:
        """Month at which so many events are expected; inf where they never are."""
        if endpoint not in (None, self.endpoint):
            raise InvalidValueError("endpoint", endpoint, self.endpoint, "simulate cuts at another endpoint's events")
        if number >= events_in_the_end(self.trial):
            return np.array([np.inf])
        return np.array([time_of_events(self.trial, number)])

    def last_entry(self) -> FloatArray:
        """Last month of accrual."""
        return np.array([self.trial.accrual.duration])

    def nth_entry(self, number: int) -> FloatArray:
        """Month by which so many patients are expected; inf where fewer enter."""
        accrual, share = self.trial.accrual, number / self.trial.n
        if share > 1:
            return np.array([np.inf])
        return np.array([brentq(lambda t: float(accrual.enrolled_fraction(t)) - share, 0.0, accrual.duration)])


def expected_cut_time(cut: Cut, trial: TwoArmTrial, endpoint: str) -> float:
    """Calendar month at which a cut is expected.

    Raises
    ------
    InfeasibleDesignError
        If it is never reached; says how many events are expected.
    """
    time = float(cut.calendar_time(ExpectedClock(trial, endpoint))[0])
    if not np.isfinite(time):
        raise InfeasibleDesignError(
            f"cut: {cut} is never expected: {events_in_the_end(trial):.1f} events of {trial.n:g} patients are, "
            "however long one waits; ask for fewer events or enrol more patients"
        )
    return time
