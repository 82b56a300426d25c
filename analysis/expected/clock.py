"""When a cut is expected: its questions answered by what is expected of a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.expected.numbers import events_in_the_end, time_of_events
from analysis.expected.trial import ExpectedTrial, Stratum

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.design import AtEvents, Cut, TrialDesign


@dataclass(frozen=True)
class ExpectedClock:
    """Answers a cut's questions by what is expected of a trial."""

    trial: ExpectedTrial
    design: TrialDesign

    def nth_event(self, counted: AtEvents) -> FloatArray:
        """Month at which so many events are expected; inf where they never are."""
        if counted.endpoint not in (None, self.design.endpoint):
            remedy = "simulate cuts at another endpoint's events"
            raise InvalidValueError("endpoint", counted.endpoint, repr(self.design.endpoint), remedy)
        part = self._part(counted.arm, counted.stratum)
        try:
            return np.array([time_of_events(part, counted.events)])
        except InfeasibleDesignError:
            return np.array([np.inf])

    def _part(self, arm: str | None, stratum: str | None) -> ExpectedTrial:
        if arm is None and stratum is None:
            return self.trial
        self.design.patients_in(arm, stratum)
        compared = [a for a in self.design.arms if a == self.design.control] + [
            a for a in self.design.arms if a != self.design.control
        ]
        strata = tuple(
            Stratum(tuple(part for part, name in zip(each.arms, compared, strict=False) if arm in (None, name)))
            for each, name in zip(self.trial.strata, self.design.strata, strict=True)
            if stratum in (None, name)
        )
        return ExpectedTrial(strata, self.trial.accrual)  # a part enters as the whole does

    def events_in_the_end(self, counted: AtEvents) -> float:
        """Events of the kind that a cut counts, however long one waits."""
        return events_in_the_end(self._part(counted.arm, counted.stratum))

    def last_entry(self) -> FloatArray:
        """Last month of accrual."""
        return np.array([self.trial.accrual.duration])

    def nth_entry(self, number: int) -> FloatArray:
        """Month by which so many patients are expected; inf where fewer enter."""
        accrual, share = self.trial.accrual, number / self.trial.n
        if share > 1 + 1e-12:
            return np.array([np.inf])
        return np.array(
            [brentq(lambda t: float(accrual.enrolled_fraction(t)) - min(share, 1.0), 0.0, accrual.duration)]
        )


def expected_cut_time(cut: Cut, trial: ExpectedTrial, design: TrialDesign) -> float:
    """Calendar month at which a cut is expected.

    Raises
    ------
    InfeasibleDesignError
        If it is never reached; says how many events are expected of those that it counts.
    """
    clock = ExpectedClock(trial, design)
    time = float(cut.calendar_time(clock)[0])
    if not np.isfinite(time):
        why = cut.shortfall(clock.events_in_the_end) or f"of {trial.n:g} patients the last event or entry never is"
        raise InfeasibleDesignError(f"cut: {cut} is never expected: {why}; ask for fewer events or enrol more patients")
    return time
