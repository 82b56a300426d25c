"""The one-sample log-rank test: events observed against those that a null distribution expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.values import value
from analysis.expected.process import risk_processes
from analysis.expected.score import no_events
from analysis.statistical_tests.base import OneArmTest, against
from analysis.statistical_tests.moments import Moments
from analysis.survival import Distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.engine.risk_sets import Snapshot
    from analysis.expected.trial import ExpectedTrial


MOMENT = 1e-4
"""Share of the time to an analysis over which counts are compared to see how they grow."""


class Counts(NamedTuple):
    """Means, variances and covariance of the events that the null distribution expects and of those observed."""

    expected: float
    observed: float
    var_expected: float
    var_observed: float
    covariance: float

    def moments(self, variance: float) -> Moments:
        """Give the moments of their difference, which has this variance."""
        return Moments(self.expected - self.observed, float(np.sqrt(self.expected)), float(np.sqrt(variance)))


@border
@value
class OneSampleLogRank(OneArmTest):
    """One-sample log-rank test of an arm against a null distribution.

    ``z = (E - O) / sqrt(E)``: above 0 where the arm has fewer events than expected.

    Parameters
    ----------
    null
        Distribution of the event time under the null hypothesis.
    margin
        Hazard ratio against `null` that the null hypothesis allows: events are expected of `null` with its hazard times
        this.

    References
    ----------
    Breslow NE (1975). Analysis of survival data under the proportional hazards model. International Statistical Review
    43:45-57.

    Wu J (2015). Sample size calculation for the one-sample log-rank test. Pharmaceutical Statistics 14:26-33 (the exact
    variance under the alternative).

    Examples
    --------
    >>> from analysis.survival import Exponential
    >>> found = OneSampleLogRank(Exponential.from_median(6.0)).analyse([3, 5, 8, 12, 20], [1, 1, 0, 1, 0])
    >>> found.details["observed"], round(found.details["expected"], 3), round(found.z, 3)
    (3.0, 5.545, 1.081)
    """

    null: Distribution = fields.converted(lambda name, given: one_of(name, given, Distribution, "Exponential(0.1)"))
    margin: float = fields.positive("times the null's hazard", default=1.0)
    columns: ClassVar[tuple[str, ...]] = ("z", "observed", "expected")

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Wu J, Pharmaceutical Statistics 2015;14:26-33"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        margin = "" if self.margin == 1 else f", margin {self.margin:g}"
        return f"one-sample log-rank against {self.null.description}{margin}"

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"the one-sample log-rank test against a curve that is {self.null.description}" + against(
            self.margin, 1.0, "in the hazard ratio"
        )

    def evaluate(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 3); NaN where no event is expected."""
        enrolled = known.entry < known.cut[:, None]
        until = np.where(enrolled, np.maximum(known.time, known.began), 0.0)
        since = np.where(enrolled, known.began, 0.0)
        hazard = self.null.cumulative_hazard(until) - self.null.cumulative_hazard(since)
        observed, expected = (known.event & enrolled).sum(axis=1), self.margin * hazard.sum(axis=1)
        root = np.sqrt(np.where(expected > 0, expected, np.nan))
        return np.column_stack(((expected - observed) / root, observed, expected))

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments of ``E - O`` at calendar month `time`; its variance is exact."""
        counts = self._counts(trial, time)
        return counts.moments(counts.var_expected + counts.var_observed - 2 * counts.covariance)

    def moments_at_events(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments of ``E - O`` where O is fixed, and the month varies until it is reached.

        To first order E then differs from what it is at the expected month by what it grows with each event, for each
        event that is missing there.
        """
        counts = self._counts(trial, time)
        early, late = (self._counts(trial, time * (1 + step)) for step in (-MOMENT, MOMENT))
        seen = late.observed - early.observed
        grows = (late.expected - early.expected) / seen if seen > 0 else 0.0
        return counts.moments(counts.var_expected + grows**2 * counts.var_observed - 2 * grows * counts.covariance)

    def _counts(self, trial: ExpectedTrial, time: float) -> Counts:
        sums = np.zeros(5)
        for process in risk_processes(trial, time, change_points=self.null.change_points):
            t, n = process.grid.time, float(process.patients[0])
            at_risk, events = process.at_risk[0] / n, process.event_rate[0] / n
            h0, so_far = self.margin * self.null.hazard(t), self.margin * self.null.cumulative_hazard(t)
            p0, p1 = process.grid.integral(at_risk * h0), process.grid.integral(events)
            p00, p01 = process.grid.integral(at_risk * so_far * h0), process.grid.integral(events * so_far)
            sums += n * np.array([p0, p1, 2 * p00 - p0**2, p1 - p1**2, p01 - p0 * p1])
        if not sums[0] > 0:
            raise no_events(time)
        return Counts(*sums.tolist())

    @property
    def _advice(self) -> str:
        return "the null distribution must expect events within the follow-up"
