"""What is expected of a trial by a calendar time: enrolled, events, lost, at risk, hazard ratios; when events come."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of, probability
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.design import Scenario, TrialDesign
from analysis.errors import InfeasibleDesignError
from analysis.expected import numbers, score
from analysis.expected.trial import ExpectedTrial, expected_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

MEMBERS = 100


@border
@value
class ExpectedCourse:
    """What is expected of a trial, averaged over the members of the scenario's ensembles.

    Parameters
    ----------
    design
        The trial; events count when they happen, assessments are not modelled.
    scenario
        Event times by arm and stratum.

    Raises
    ------
    InvalidValueError
        If there is delayed entry or an illness-death model: simulate these.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))], dropout=0.005)
    >>> course = ExpectedCourse(design, Scenario.proportional_hazards(Exponential.from_median(11), 0.6))
    >>> {arm: round(events, 2) for arm, events in course.events(30).items()}
    {'control': 34.51, 'experimental': 25.74}
    >>> round(course.time_of_events(60), 2)
    29.84
    """

    design: TrialDesign = fields.converted(lambda name, given: one_of(name, given, TrialDesign, "TrialDesign(...)"))
    scenario: Scenario = fields.converted(lambda name, given: one_of(name, given, Scenario, "Scenario({...})"))

    @cached_property
    def _trials(self) -> tuple[ExpectedTrial, ...]:
        return expected_trials(self.design, self.scenario, all_arms=True)

    @property
    def _arms(self) -> list[str]:
        control = [] if self.design.control is None else [self.design.control]
        return [*control, *self.design.experimental_arms]

    def _by_arm(self, of: Callable[[ExpectedTrial], NDArray[np.float64]]) -> dict[str, float]:
        values = np.mean([of(trial) for trial in self._trials], axis=0)
        return dict(zip(self._arms, values.tolist(), strict=True))

    def enrolled(self, time: float) -> float:
        """Patients who have entered by a calendar month, all arms together."""
        return numbers.expected_enrolled(self._trials[0], time)

    def events(self, time: float) -> dict[str, float]:
        """Events by a calendar month, by arm."""
        return self._by_arm(lambda trial: numbers.expected_events(trial, time))

    def prediction(self, time: float, level: float = 0.9) -> tuple[int, int]:
        """Interval that holds the events of one trial by a calendar month, all arms together.

        Each patient has the event by then or not, independently of the others; over an ensemble the distributions of
        the members (of at most 100, evenly taken) are averaged.

        Parameters
        ----------
        time
            Calendar month.
        level
            At least so large a share of trials lies within, and at most (1 - level) / 2 on either side.

        Returns
        -------
        tuple of int
            Fewest and most events.
        """
        tail = (1 - probability("level", level)) / 2
        if time == 0:
            return 0, 0
        trials = self._trials[:: -(-len(self._trials) // MEMBERS)]
        sizes = [self.design.arm_sizes[arm] for arm in self._arms]
        chances = np.zeros(sum(sizes) + 1)
        for trial in trials:
            of_trial = np.ones(1)
            for size, events in zip(sizes, numbers.expected_events(trial, time), strict=True):
                share = min(max(float(events) / size, 0.0), 1.0)
                of_trial = np.convolve(of_trial, binom.pmf(np.arange(size + 1), size, share))
            chances += of_trial / len(trials)
        below = np.cumsum(chances)
        lowest = np.searchsorted(below, tail, side="right")
        return int(lowest), int(np.searchsorted(below, 1 - tail, side="left"))

    def lost(self, time: float) -> dict[str, float]:
        """Patients lost to follow-up by a calendar month, by arm."""
        return self._by_arm(lambda trial: numbers.expected_lost(trial, time))

    def at_risk(self, time: float, follow_up: float) -> dict[str, float]:
        """Patients at risk `follow_up` months after their entry when the data are cut at a calendar month, by arm."""
        return self._by_arm(lambda trial: numbers.expected_at_risk(trial, time, follow_up))

    def time_of_events(self, events: float) -> float:
        """Calendar month at which a number of events is expected, all arms together; the mean over the members.

        Raises
        ------
        InfeasibleDesignError
            If a member never gives so many events; says how many.
        """
        return float(np.mean(self.times_of_events(events, or_never=False)))

    def times_of_events(self, events: float, *, or_never: bool = True) -> NDArray[np.float64]:
        """Calendar month at which a number of events is expected in each member; inf where they never come."""

        def month(trial: ExpectedTrial) -> float:
            try:
                return numbers.time_of_events(trial, events)
            except InfeasibleDesignError:
                if not or_never:
                    raise
                return float("inf")

        return np.array([month(trial) for trial in self._trials])

    def average_hazard_ratio(self, time: float, *, arm: str | None = None) -> float:
        """Geometric mean of the hazard ratio over the events by a calendar month (Kalbfleisch and Prentice)."""
        pair = expected_trials(self.design, self.scenario, arm=arm)
        return float(np.exp(np.mean([np.log(score.average_hazard_ratio(trial, time)) for trial in pair])))

    def cox_hazard_ratio(self, time: float, *, arm: str | None = None) -> float:
        """Hazard ratio that a Cox model converges to at a calendar month (Struthers and Kalbfleisch)."""
        pair = expected_trials(self.design, self.scenario, arm=arm)
        return float(np.exp(np.mean([np.log(score.expected_cox_hazard_ratio(trial, time)[0]) for trial in pair])))

    def summary(self, times: Sequence[float] | None = None) -> pd.DataFrame:
        """One row per calendar month: ``time``, ``enrolled``, and by arm ``events`` and ``lost``.

        Parameters
        ----------
        times
            Calendar months; by default every sixth month to twice the accrual.
        """
        import pandas as pd

        months = np.arange(6, 2 * self.design.entry.duration + 6.1, 6) if times is None else np.asarray(times, float)
        rows = []
        for time in months.tolist():
            row = {"time": time, "enrolled": self.enrolled(time)}
            row |= {f"events, {arm}": events for arm, events in self.events(time).items()}
            row |= {f"lost, {arm}": lost for arm, lost in self.lost(time).items()}
            rows.append(row)
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return html(self.summary())
