"""The exact binomial test of the share of patients without an event at a landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np
from scipy import stats
from scipy.special import betainc, betaincinv, ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError
from analysis.statistical_tests.base import ESTIMATION, OneArmTest
from analysis.statistical_tests.moments import Rejection, critical_z

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.engine.risk_sets import Snapshot
    from analysis.expected.trial import ExpectedTrial
    from analysis.survival import Distribution

ROUNDING = 1e-9
"""Months by which two sums of the same visits may differ."""
MANY_LOST = 0.05
"""Share of the patients lost before the landmark from which on it is said what becomes of them."""

TIE = 1e-12
"""Share of alpha by which a tail may exceed it in rounding and still count as alpha."""


@dataclass(frozen=True)
class BinomialMoments:
    """The exact distribution of the test: successes among the patients who are counted.

    Attributes
    ----------
    patients
        Patients of the trial.
    counted
        Probability of each, on its own, of having entered early enough to be counted; 1 where all have.
    null_rate, rate
        Probability of success of one who is counted, under the null hypothesis and under the scenario.
    """

    patients: int
    counted: float
    null_rate: float
    rate: float

    @property
    def _numbers(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Numbers of patients that may be counted, and how probable each is; without one there is no result."""
        if self.counted == 1:
            return np.array([self.patients]), np.ones(1)
        numbers = np.arange(1, self.patients + 1)
        probable = stats.binom.pmf(numbers, self.patients, self.counted)
        return numbers, probable

    def _distribution(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        numbers, probable = self._numbers
        each = [(np.arange(1, number + 1), number, share) for number, share in zip(numbers, probable, strict=True)]
        z = [exact_z(counts, number, self.null_rate) for counts, number, _ in each]
        p = [share * stats.binom.pmf(counts, number, self.rate) for counts, number, share in each]
        return np.concatenate(z), np.concatenate(p)

    @property
    def drift(self) -> float:
        """Expected z, where finite: 0 successes have a z of minus infinity and are left out."""
        z, p = self._distribution()
        return float(z @ p / p.sum())

    @property
    def spread(self) -> float:
        """Standard deviation of z, where finite."""
        z, p = self._distribution()
        return float(np.sqrt(max(z**2 @ p / p.sum() - self.drift**2, 0.0)))

    def power(self, alpha: float = 0.025, *, sided: int = 1, rejection: Rejection = "benefit") -> float:
        """Probability that the exact test rejects; it is one-sided."""
        critical_z(alpha, sided)
        numbers, probable = self._numbers
        critical = critical_count(numbers, self.null_rate, alpha / sided)
        return float(probable @ stats.binom.sf(critical - 1, numbers, self.rate))

    def size_factor(
        self, power: float, alpha: float = 0.025, *, sided: int = 1, rejection: Rejection = "benefit"
    ) -> NoReturn:
        """Refuse: the power of an exact test is a saw-tooth over the number of patients."""
        raise InfeasibleDesignError(
            "power: the power of an exact binomial test does not rise steadily with the number of patients; find the "
            "size with analysis.single_arm.single_stage"
        )


@border
@value
class LandmarkRate(OneArmTest):
    """Exact binomial test of the share of patients without an event at a landmark; a missing status is a failure.

    Counted are the patients who entered at least `time` months before the cut. A success is known to be without an
    event up to and including the landmark; who is lost before it, or not seen from it on, is a failure.

    Parameters
    ----------
    time
        The landmark in months; where events are seen at visits, the visit that counts.
    null_rate
        Share without an event under the null hypothesis.
    level
        Confidence level of the Clopper-Pearson interval, two-sided.

    Raises
    ------
    InvalidValueError
        If the time is not positive or a rate not a probability.

    Notes
    -----
    z is minus the normal quantile of the exact one-sided p-value, so that rejection at a critical z is the exact test
    at its alpha, in this direction only. NaN where nobody entered early enough.

    Examples
    --------
    >>> LandmarkRate(6, null_rate=0.15).name
    'rate at 6 against 15%'
    >>> found = LandmarkRate(6, null_rate=0.15).analyse([7, 8, 6.5, 2, 3, 9], [0, 1, 0, 1, 0, 1])
    >>> found.details["successes"], round(found.p_one_sided, 4)
    (4.0, 0.0059)
    """

    time: float = fields.positive("months")
    null_rate: float = fields.probability()
    level: float = fields.level(default=0.95)
    one_sided: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = (*ESTIMATION, "successes", "counted")

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "exact binomial; A'Hern RP, Statistics in Medicine 2001;20:859-866"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        return f"rate at {self.time:.4g} against {100 * self.null_rate:.4g}%"

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"a test of the rate at {self.time:.4g} months against {100 * self.null_rate:.4g}%"

    @property
    def earliest(self) -> float:
        """The landmark."""
        return self.time

    def boundary_z(self, successes: int, patients: int) -> float:
        """Boundary of a `Look`, as z in favour of the arm, that lies between `successes` - 1 and `successes`.

        Parameters
        ----------
        successes
            Smallest count beyond the boundary, from 1 to `patients`.
        patients
            Patients counted at the look.

        Examples
        --------
        >>> round(LandmarkRate(6, null_rate=0.15).boundary_z(9, 30), 2)
        1.7
        """
        if not 1 <= successes <= patients:
            raise InvalidValueError("successes", successes, f"a count from 1 to {patients}", "correct it")
        below, beyond = exact_z(np.array([successes - 1, successes]), patients, self.null_rate)
        return float(beyond - 1 if successes == 1 else (below + beyond) / 2)

    def evaluate(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 7)."""
        counted = known.entry + self.time <= known.cut[:, None] + ROUNDING
        seen_after = known.time > self.time + ROUNDING
        seen_then = (known.time >= self.time - ROUNDING) & ~known.event
        patients, successes = counted.sum(axis=1), ((seen_after | seen_then) & counted).sum(axis=1)
        size, failures = np.where(patients > 0, patients, np.nan), patients - successes
        rate, tail = successes / size, (1 - self.level) / 2
        lower = np.where(successes > 0, betaincinv(np.maximum(successes, 1), failures + 1, tail), 0.0)
        upper = np.where(failures > 0, betaincinv(successes + 1, np.maximum(failures, 1), 1 - tail), 1.0)
        z = np.where(patients > 0, exact_z(successes, patients, self.null_rate), np.nan)
        return np.column_stack((z, rate, np.sqrt(rate * (1 - rate) / size), lower, upper, successes, patients))

    def moments(self, trial: ExpectedTrial, time: float) -> BinomialMoments:  # type: ignore[override]  # exact
        """Give the exact distribution at calendar month `time`, over the patients who may be counted by then.

        Raises
        ------
        UnavailableError
            If the visits are such that the status at the landmark depends on more than the event time.
        """
        visits = trial.assessments
        if visits is not None:
            due = visits.scheduled(self.time)
            if visits.window or visits.missed or not due.size or abs(due[-1] - self.time) > 1e-6:
                raise UnavailableError(
                    f"{self.name}: the status at the landmark is exact only if a visit without window that is never "
                    'missed falls on it; ask for its power by="simulation"'
                )
        counted = float(trial.accrual.enrolled_fraction(time - self.time + ROUNDING))
        if trial.n * counted < 1 - 1e-6 or self.time > trial.follow_up + ROUNDING:
            raise InfeasibleDesignError(
                f"time: nobody is followed for {self.time:.4g} months at {time:.4g}; analyse later"
            )
        success = 0.0
        for stratum in trial.strata:
            arm = stratum.arms[0]
            success += arm.n / trial.n * float(arm.event_time.survival(self.time) * arm.retention(np.array(self.time)))
        if not trial.accrual.is_drawn:
            return BinomialMoments(round(trial.n * counted), 1.0, self.null_rate, success)
        return BinomialMoments(int(trial.n + 1e-6), counted, self.null_rate, success)

    def moments_at_events(self, trial: ExpectedTrial, time: float) -> BinomialMoments:  # type: ignore[override]  # exact
        """Give the exact distribution where all patients are counted by the month in which the events are expected.

        Raises
        ------
        UnavailableError
            If they are not: where the events come late, more patients are counted, and more of them without an event.
        """
        moments = self.moments(trial, time)
        if moments.counted < 1 or moments.patients < int(trial.n + 1e-6):
            raise UnavailableError(
                f"{self.name}: at a number of events, expected at month {time:.4g}, some patients have not reached the "
                'landmark, and how many depends on the events; analyse at a time, or ask for its power by="simulation"'
            )
        return moments

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say so where many patients are lost before the landmark: they count as failures."""
        arms = [stratum.arms[0] for stratum in trial.strata]
        lost = 1 - sum(arm.n / trial.n * float(arm.retention(np.array(self.time))) for arm in arms)
        if lost < MANY_LOST:
            return ()
        return (
            f"{lost:.0%} of the patients would be lost before {self.time:.4g} months and count as failures: at the "
            "null rate the test rejects less often than alpha allows",
        )

    def truth(self, arm: Distribution) -> float:
        """Give the true share without an event."""
        return float(arm.survival(self.time))

    @property
    def null_value(self) -> float:
        """What the null hypothesis says that `truth` is."""
        return self.null_rate

    @property
    def _advice(self) -> str:
        return f"nobody could be followed for {self.time:g} months; analyse later"


def exact_z(successes: NDArray[np.int64], patients: NDArray[np.int64] | int, rate: float) -> NDArray[np.float64]:
    """Give minus the normal quantile of P(X >= successes) for X binomial."""
    upper_tail = betainc(np.maximum(successes, 1), patients - successes + 1, rate)
    return np.asarray(-ndtri(np.where(successes > 0, upper_tail, 1.0)))


def critical_count(n: NDArray[np.int64] | int, null_rate: float, alpha: float) -> NDArray[np.int64]:
    """Smallest count whose upper tail under the null rate is at most alpha; a tail that is alpha in rounding counts.

    Examples
    --------
    >>> int(critical_count(3, 0.1, 0.001)), int(critical_count(30, 0.15, 0.05))
    (3, 9)
    """
    critical = np.asarray(stats.binom.isf(alpha, n, null_rate), dtype=np.int64) + 1
    ties = (critical > 0) & (stats.binom.sf(critical - 2, n, null_rate) <= alpha * (1 + TIE))
    return np.asarray(critical - ties)
