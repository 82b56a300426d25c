"""A design under a scenario in large samples: when its looks come, and how a test is distributed there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from analysis.conventions.checks import CLOSEST
from analysis.design import AtEvents
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError
from analysis.expected.clock import expected_cut_time
from analysis.expected.numbers import expected_enrolled, expected_events
from analysis.expected.trial import expected_trials
from analysis.sequential.crossing import crossing_probabilities
from analysis.statistical_tests.moments import Moments

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.design import Scenario, TrialDesign
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests import OneArmTest, TwoArmTest


@dataclass(frozen=True)
class LargeSample:
    """A design under one truth.

    Attributes
    ----------
    trial
        The arms that are compared.
    times, events, enrolled
        Calendar months of the looks, events of the arms that are compared and patients of the whole trial by then.
    moments
        Distribution of the test at each look.
    """

    trial: ExpectedTrial
    times: tuple[float, ...]
    events: tuple[float, ...]
    enrolled: tuple[float, ...]
    moments: tuple[Any, ...]

    def scaled(self, factor: float) -> LargeSample:
        """Give the same with `factor` times as many patients over the same months."""
        return replace(self, moments=tuple(each.scaled(factor) for each in self.moments))

    def resized(self, factor: float) -> LargeSample:
        """Give the same with its events and patients as well."""
        trial = self.trial.with_n(self.trial.n * factor)
        events, enrolled = (tuple(k * factor for k in counts) for counts in (self.events, self.enrolled))
        return replace(self.scaled(factor), trial=trial, events=events, enrolled=enrolled)

    def ends(self, design: TrialDesign) -> Ends:
        """Probabilities of ending at each look."""
        upper = np.array(design.efficacy_bounds)
        futility = np.minimum(design.futility_bounds, upper)
        if len(self.moments) == 1:
            return _single(self.moments[0], float(futility[0]), float(upper[0]), design.sided)
        if not all(isinstance(each, Moments) for each in self.moments):
            raise UnavailableError(
                "looks: the joint distribution of this test over several looks has no formula; ask for its power "
                'by="simulation"'
            )
        effect, null_sd, sd = np.array([(m.effect, m.null_sd, m.sd) for m in self.moments]).T
        if self.times[0] == self.times[-1]:
            raise InfeasibleDesignError(
                f"looks: got {len(self.times)} that are all expected at month {self.times[0]:.4g}; expected each after "
                "the one before it; put them in order or leave some out"
            )
        if sd[0] == sd[-1]:
            raise UnavailableError(
                "looks: the information at each look does not grow: the test has all its data at the first look; leave "
                "out the others"
            )
        information = _information(sd)
        more = np.diff(information) / information[-1]
        if more.min() <= CLOSEST:
            k = int(more.argmin())
            raise UnavailableError(
                f"looks: the test knows no more at look {k + 2}, expected at month {self.times[k + 1]:.4g}, than at "
                f'look {k + 1}, at month {self.times[k]:.4g}; leave one out, or ask for the power by="simulation"'
            )
        spread = sd / null_sd
        return _ends(information, effect / sd, futility / spread, upper / spread, design.sided)

    def type_one_error(self, design: TrialDesign, *, futility_heeded: bool = True) -> float | None:
        """Probability that the looks reject where arms are alike; None without a formula."""
        upper = np.array(design.efficacy_bounds)
        if len(self.moments) == 1:
            return design.sided * float(ndtr(-upper[0]))
        null_sd = np.array([getattr(each, "null_sd", np.nan) for each in self.moments])
        if not (np.diff(null_sd) > 0).all() and not (np.diff(null_sd) < 0).all():
            return None
        futility = np.minimum(design.futility_bounds, upper) if futility_heeded else np.full(upper.size, -np.inf)
        return _ends(_information(null_sd), np.zeros(upper.size), futility, upper, design.sided).power


@dataclass(frozen=True)
class Ends:
    """Probabilities of ending at each look: with a rejection, in a two-sided test also for harm, or for futility."""

    reject: FloatArray
    futile: FloatArray

    @property
    def power(self) -> float:
        """Probability of rejection at any look."""
        return float(self.reject.sum())


def _ends(information: FloatArray, mean: FloatArray, futility: FloatArray, upper: FloatArray, sided: int) -> Ends:
    """Give the ends of a path of z values with independent increments of information."""
    if sided == 1:
        crossed = crossing_probabilities(information, futility, upper, mean)
        return Ends(crossed.upper, crossed.lower)
    low = np.maximum(futility, -upper)
    crossed = crossing_probabilities(information, low, upper, mean)
    harm = crossed.lower.copy()
    for k in np.flatnonzero(low > -upper):  # what stops there for futility includes what rejects for harm
        bounds = np.append(low[:k], -upper[k])
        to_here = slice(k + 1)
        harm[k] = crossing_probabilities(information[to_here], bounds, upper[to_here], mean[to_here]).lower[k]
    return Ends(crossed.upper + harm, crossed.lower - harm)


def _information(sd: FloatArray) -> FloatArray:
    """Give the information by look: a score's variance grows with it, an estimate's shrinks."""
    return np.asarray(sd**2 if sd[-1] >= sd[0] else sd**-2)


def _single(moments: Any, futility: float, upper: float, sided: int) -> Ends:
    if not isinstance(moments, Moments):
        return Ends(np.array([moments.power(float(ndtr(-upper)))]), np.array([0.0]))
    rejects, stops = moments.probability_above(upper), 1.0 - moments.probability_above(futility)
    if sided == 2:
        harm = 1.0 - moments.probability_above(-upper)
        rejects, stops = rejects + harm, max(stops - harm, 0.0)
    return Ends(np.array([rejects]), np.array([min(stops, 1.0 - rejects)]))


@dataclass(frozen=True)
class Timetable:
    """When the looks of a design are expected under one truth, whatever the test."""

    trial: ExpectedTrial
    times: tuple[float, ...]
    events: tuple[float, ...]
    enrolled: tuple[float, ...]
    by_events: tuple[bool, ...]
    """Whether each look comes with a number of events of the whole trial."""

    def tested(self, test: OneArmTest | TwoArmTest) -> LargeSample:
        """Give the distribution of a test at the looks."""
        moments = tuple(
            test.moments_at_events(self.trial, time) if by_events else test.moments(self.trial, time)
            for time, by_events in zip(self.times, self.by_events, strict=True)
        )
        return LargeSample(self.trial, self.times, self.events, self.enrolled, moments)


def large_samples(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest,
    *,
    arm: str | None = None,
    n: float | None = None,
) -> list[LargeSample]:
    """Give a design in large samples under every truth that a scenario stands for."""
    return tested(timetables(design, scenario, arm=arm, n=n), test)


def tested(tables: list[Timetable], test: OneArmTest | TwoArmTest) -> list[LargeSample]:
    """Give the distribution of a test at the looks under every truth, worked out once where truths are alike."""
    found = {id(table): table.tested(test) for table in {id(table): table for table in tables}.values()}
    return [found[id(table)] for table in tables]


def timetables(
    design: TrialDesign, scenario: Scenario, *, arm: str | None = None, n: float | None = None
) -> list[Timetable]:
    """Give the expected looks of a design under every truth that a scenario stands for."""
    trials = expected_trials(design, scenario, arm=arm, n=n)
    whole = trials
    if len(design.experimental_arms) > 1:
        whole = expected_trials(design, scenario, n=n, all_arms=True)
    pairs = {(id(trial), id(of_all)): (trial, of_all) for trial, of_all in zip(trials, whole, strict=True)}
    found = {key: _timetable(design, *pair) for key, pair in pairs.items()}
    return [found[id(trial), id(of_all)] for trial, of_all in zip(trials, whole, strict=True)]


def _timetable(design: TrialDesign, trial: ExpectedTrial, whole: ExpectedTrial) -> Timetable:
    times: list[float] = []
    for look in design.looks:
        times.append(max(expected_cut_time(look.cut, whole, design), *times[-1:], 0.0))
    events = tuple(float(expected_events(trial, time).sum()) for time in times)
    enrolled = tuple(expected_enrolled(whole, time) for time in times)
    by_events = tuple(
        isinstance(look.cut, AtEvents) and look.cut.arm is None and look.cut.stratum is None for look in design.looks
    )
    return Timetable(trial, tuple(times), events, enrolled, by_events)


def mean_power(members: list[LargeSample], design: TrialDesign, factor: float = 1.0) -> float:
    """Power, averaged over the truths, with `factor` times as many patients."""
    return float(np.mean(powers(members, design, factor)))


def powers(members: list[LargeSample], design: TrialDesign, factor: float = 1.0) -> FloatArray:
    """Power under every truth."""
    scaled = members if factor == 1.0 else [member.scaled(factor) for member in members]
    return np.array([member.ends(design).power for member in scaled])


def check_test(design: TrialDesign, test: object) -> None:
    """Refuse a test that does not fit the design's arms or sides."""
    from analysis.statistical_tests import OneArmTest, TwoArmTest, Weight

    if not isinstance(test, OneArmTest | TwoArmTest):
        remedy = f"write LogRank({test!r})" if isinstance(test, Weight) else "write LogRank()"
        raise InvalidValueError("test", test, "a statistical test", remedy)
    if isinstance(test, OneArmTest) != (design.control is None):
        expected = "a comparison of two arms" if design.control else "a test of one arm against a null value"
        remedy = "use LogRank() or another two-arm test" if design.control else "use LandmarkRate(...) or the like"
        raise InvalidValueError("test", test.name, f"{expected}, for arms {list(design.arms)}", remedy)
    if design.sided == 2 and test.one_sided:
        raise InvalidValueError("test", test.name, "a test of both directions, sided=2", "design it with sided=1")
