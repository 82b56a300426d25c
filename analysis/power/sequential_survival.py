"""Group-sequential log-rank designs: events at the looks, hazard ratios at the bounds, expected events and time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.design import from_json, to_json
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.crossing import crossing_probabilities
from analysis.power.events import expected_z, hazard_ratio_at_z, z_per_root_event
from analysis.power.expected import expected_enrolled, time_of_events
from analysis.power.group_sequential import of_kind
from analysis.power.logrank import LogRank
from analysis.power.protocol import sequential_survival_paragraph

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.power.boundaries import Bounds
    from analysis.power.crossing import Crossing, FloatArray
    from analysis.power.group_sequential import GroupSequentialDesign
    from analysis.power.moments import Comparison
    from analysis.power.trial import TwoArmTrial


@dataclass(frozen=True)
class SequentialSurvivalDesign:
    """A group-sequential design whose information is counted in events.

    Parameters
    ----------
    design
        Looks, error probabilities and boundaries.
    hazard_ratio
        Alternative, experimental against control; below ``margin``.
    events
        Events of both arms at the last look.
    allocation_ratio
        Experimental patients per control patient.
    margin
        Hazard ratio of the null hypothesis: 1 for superiority, above 1 for non-inferiority.

    Notes
    -----
    Drift and hazard ratios at the bounds are Schoenfeld's, ``Z = -log(HR / margin) sqrt(D r) / (1 + r)``, for which
    nothing need be known of accrual; `schedule` needs a trial, and with a test gives its large-sample probabilities.

    Examples
    --------
    A hazard ratio of 0.74 at 2:1 with 90% power at one-sided 2.5%, as in BOLERO-2:

    >>> from analysis.power import GroupSequentialDesign, sequential_survival_design
    >>> design = GroupSequentialDesign((1 / 3, 2 / 3, 1.0), alpha=0.025, power=0.9)
    >>> plan = sequential_survival_design(design, hazard_ratio=0.74, allocation_ratio=2)
    >>> print(plan.events_at_looks.round(1), plan.efficacy_hazard_ratios.round(3))
    [175.9 351.8 527.7] [0.552 0.753 0.832]
    """

    design: GroupSequentialDesign
    hazard_ratio: float
    events: float
    allocation_ratio: float = 1.0
    margin: float = 1.0

    def __post_init__(self) -> None:
        _check_alternative(self.hazard_ratio, self.margin)
        expected_z(self.events, self.hazard_ratio, allocation_ratio=self.allocation_ratio, margin=self.margin)

    @property
    def events_at_looks(self) -> FloatArray:
        """Events at the looks, not rounded; shape (K,)."""
        return self.events * self.design.looks.information

    @property
    def efficacy_hazard_ratios(self) -> FloatArray:
        """Largest estimated hazard ratio that rejects, by look; shape (K,)."""
        return self._hazard_ratios(self.design.upper)

    @property
    def futility_hazard_ratios(self) -> FloatArray:
        """Estimated hazard ratio from which the trial stops for futility, by look, ``inf`` for none; shape (K,)."""
        return self._hazard_ratios(self.design.lower)

    def _hazard_ratios(self, bounds: FloatArray) -> FloatArray:
        at = zip(bounds.tolist(), self.events_at_looks.tolist(), strict=True)
        with np.errstate(over="ignore"):
            return np.array(
                [hazard_ratio_at_z(z, d, allocation_ratio=self.allocation_ratio, margin=self.margin) for z, d in at]
            )

    def drift(self, hazard_ratio: float | None = None) -> float:
        """E[Z] at the last look for a true hazard ratio, by default the alternative."""
        ratio = self.hazard_ratio if hazard_ratio is None else hazard_ratio
        return float(expected_z(self.events, ratio, allocation_ratio=self.allocation_ratio, margin=self.margin))

    def hazard_ratio_at_drift(self, drift: float) -> float:
        """Give the hazard ratio of a drift, e.g. of an estimate or a limit by `stagewise_inference`.

        Examples
        --------
        >>> from analysis.power import GroupSequentialDesign, stagewise_inference
        >>> plan = SequentialSurvivalDesign(GroupSequentialDesign((0.65, 1.0)), 0.74, events=528, allocation_ratio=2)
        >>> seen = stagewise_inference(plan.design, look=1, z=3.1)
        >>> [round(plan.hazard_ratio_at_drift(drift), 3) for drift in (seen.estimate, seen.upper, seen.lower)]
        [0.701, 0.56, 0.878]
        """
        return hazard_ratio_at_z(drift, self.events, allocation_ratio=self.allocation_ratio, margin=self.margin)

    def crossing(self, hazard_ratio: float | None = None) -> Crossing:
        """Probabilities of ending at each look for a true hazard ratio, by default the alternative."""
        return self.design.crossing(self.drift(hazard_ratio))

    def power(self, hazard_ratio: float | None = None) -> float:
        """Probability of rejecting in favour of the experimental arm, by default at the alternative."""
        return float(self.crossing(hazard_ratio).upper.sum())

    def expected_events(self, hazard_ratio: float | None = None) -> float:
        """Give the expected events when the trial ends, by default at the alternative."""
        return float(self.crossing(hazard_ratio).stopping @ self.events_at_looks)

    def schedule(self, trial: TwoArmTrial, test: Comparison | None = None) -> SequentialSchedule:
        """When the looks come in a trial, and with what probability it ends there.

        Parameters
        ----------
        trial
            Patients, accrual, event times and dropout as they are assumed to be.
        test
            Test whose large-sample moments in this trial are taken, e.g. ``LogRank()`` (the most exact) or
            ``AverageHazardRatio()``; none for Schoenfeld's at the design's hazard ratio.

        Raises
        ------
        InfeasibleDesignError
            If the trial has too few patients for the events.
        """
        times = np.array([time_of_events(trial, d) for d in self.events_at_looks.tolist()])
        crossed = self.crossing() if test is None else crossing_of_test(self.design.bounds, trial, times, test)
        enrolled = np.array([expected_enrolled(trial, t) for t in times.tolist()])
        return SequentialSchedule(times, self.events_at_looks, enrolled, crossed)

    def protocol_text(self) -> str:
        """Write the design as a paragraph of a protocol, with its numbers and references."""
        return sequential_survival_paragraph(self)

    def to_json(self) -> str:
        """Write the design as JSON, every object with its ``kind``; `from_json` reads it back."""
        return to_json(self)

    @staticmethod
    def from_json(text: str) -> SequentialSurvivalDesign:
        """Read the design that `to_json` wrote; every value is checked again."""
        return of_kind(from_json(text), SequentialSurvivalDesign)

    def summary(self) -> pd.DataFrame:
        """One row per look: the design's summary with events and hazard ratios at the bounds."""
        frame = self.design.summary()
        frame.insert(2, "events", self.events_at_looks)
        frame["efficacy_hazard_ratio"] = self.efficacy_hazard_ratios
        frame["futility_hazard_ratio"] = self.futility_hazard_ratios
        return frame

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


@dataclass(frozen=True)
class SequentialSchedule:
    """The looks of a group-sequential design in calendar time.

    Attributes
    ----------
    times
        Calendar months of the looks since the first possible entry; shape (K,).
    events, enrolled
        Expected events and patients enrolled at the looks; shape (K,).
    crossing
        Probabilities of ending at each look.
    """

    times: FloatArray
    events: FloatArray
    enrolled: FloatArray
    crossing: Crossing

    @property
    def power(self) -> float:
        """Probability of rejecting in favour of the experimental arm."""
        return float(self.crossing.upper.sum())

    @property
    def expected_duration(self) -> float:
        """Expected calendar months until the trial ends."""
        return float(self.crossing.stopping @ self.times)

    @property
    def expected_events(self) -> float:
        """Expected events when the trial ends."""
        return float(self.crossing.stopping @ self.events)

    @property
    def expected_enrolled(self) -> float:
        """Expected patients when the trial ends."""
        return float(self.crossing.stopping @ self.enrolled)

    def summary(self) -> pd.DataFrame:
        """One row per look: time, events, enrolled, probability of rejecting and of stopping low there."""
        return pd.DataFrame(
            {
                "look": np.arange(1, self.times.size + 1),
                "time": self.times,
                "events": self.events,
                "enrolled": self.enrolled,
                "reject": self.crossing.upper,
                "stop_low": self.crossing.lower,
            }
        )

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


def sequential_survival_design(
    design: GroupSequentialDesign, hazard_ratio: float, *, allocation_ratio: float = 1.0, margin: float = 1.0
) -> SequentialSurvivalDesign:
    """Give a design the events with which it has its power at a hazard ratio (Schoenfeld 1981).

    Parameters
    ----------
    design
        Looks, error probabilities and boundaries.
    hazard_ratio
        Alternative, experimental against control; below ``margin``.
    allocation_ratio
        Experimental patients per control patient.
    margin
        Hazard ratio of the null hypothesis.

    Raises
    ------
    InfeasibleDesignError
        If the hazard ratio is not on the side of the experimental arm.

    Examples
    --------
    >>> from analysis.power import GroupSequentialDesign
    >>> plan = sequential_survival_design(GroupSequentialDesign((0.4, 0.65, 1.0)), 0.74, allocation_ratio=2)
    >>> round(plan.events, 2)
    527.27
    """
    _check_alternative(hazard_ratio, margin)
    per_root_event = z_per_root_event(hazard_ratio, allocation_ratio=allocation_ratio, margin=margin)
    events = (design.drift / per_root_event) ** 2
    return SequentialSurvivalDesign(design, hazard_ratio, events, allocation_ratio, margin)


def crossing_of_test(bounds: Bounds, trial: TwoArmTrial, times: ArrayLike, test: Comparison | None = None) -> Crossing:
    """Crossing probabilities of a test by its large-sample moments at calendar times.

    Parameters
    ----------
    bounds
        Lower and upper bounds on the scale of Z.
    trial
        The trial under the scenario; hazards need not be proportional.
    times
        Calendar months of the looks, strictly increasing; shape (K,).
    test
        The test; none for the log-rank test.

    Notes
    -----
    The statistics have independent increments on the scale of a score, whose variance grows with the information, or of
    an estimate, whose variance shrinks with it; the moments show which. With ``LogRank(variance="null")`` this is the
    computation of lrstat. gsDesign2 allows for both variances of ``AverageHazardRatio()`` at the first look only.
    """
    moments = [(test or LogRank()).moments(trial, float(t)) for t in np.atleast_1d(np.asarray(times, dtype=np.float64))]
    effect, null_sd, sd = np.array([(m.effect, m.null_sd, m.sd) for m in moments]).T
    if len(moments) > 1 and sd[0] == sd[-1]:
        expected = "a test whose variance changes with the information"
        raise InvalidValueError("test", test, expected, "take LogRank(), AverageHazardRatio() or Schoenfeld()")
    information = sd**2 if sd[-1] >= sd[0] else sd**-2
    spread = sd / null_sd
    return crossing_probabilities(information, bounds.lower / spread, bounds.upper / spread, effect / sd)


def _check_alternative(hazard_ratio: float, margin: float) -> None:
    if not 0 < hazard_ratio < math.inf:
        raise InvalidValueError("hazard_ratio", hazard_ratio, "a hazard ratio above 0", "give experimental to control")
    if not hazard_ratio < margin:
        raise InfeasibleDesignError(
            f"hazard_ratio: got {hazard_ratio:g}, which is not below the {margin:g} of the null hypothesis"
            "; no number of events shows a benefit that is not there; assume a smaller hazard ratio or, for "
            "non-inferiority, a larger margin"
        )
