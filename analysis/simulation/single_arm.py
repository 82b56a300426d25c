"""Tests of a single arm against a null value, computed on every replicate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from scipy.special import betainc, betaincinv, ndtri

from analysis.design.checks import positive, probability
from analysis.errors import InvalidValueError
from analysis.simulation.curves import milestones
from analysis.simulation.risk_sets import one_arm_risk_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.simulation.risk_sets import Snapshot
    from analysis.survival.distributions import Distribution

ROUNDING = 1e-9
"""Months by which two sums of the same visits may differ."""


@dataclass(frozen=True)
class LandmarkRate:
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
    z is the normal quantile of the exact one-sided p-value, negative where the arm does better than the null rate, so
    that rejection at a critical z is the exact test at its alpha, in this direction only. NaN where nobody entered
    early enough.

    Examples
    --------
    >>> LandmarkRate(6, null_rate=0.15).name
    'rate at 6 against 15%'
    """

    time: float
    null_rate: float
    level: float = 0.95
    one_sided: ClassVar[bool] = True
    stratified: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("z", "estimate", "std_error", "lower", "upper", "successes", "patients")

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", positive("time", self.time))
        object.__setattr__(self, "null_rate", probability("null_rate", self.null_rate))
        object.__setattr__(self, "level", probability("level", self.level))

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"rate at {self.time:.4g} against {100 * self.null_rate:.4g}%"

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
        below, beyond = -_exact_z(np.array([successes - 1, successes]), patients, self.null_rate)
        return float(beyond - 1 if successes == 1 else (below + beyond) / 2)

    def evaluate_arm(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 7)."""
        counted = known.entry + self.time <= known.cut[:, None] + ROUNDING
        seen_after = known.time > self.time + ROUNDING
        seen_then = (known.time >= self.time - ROUNDING) & ~known.event
        patients, successes = counted.sum(axis=1), ((seen_after | seen_then) & counted).sum(axis=1)
        size, failures = np.where(patients > 0, patients, np.nan), patients - successes
        rate, tail = successes / size, (1 - self.level) / 2
        lower = np.where(successes > 0, betaincinv(np.maximum(successes, 1), failures + 1, tail), 0.0)
        upper = np.where(failures > 0, betaincinv(successes + 1, np.maximum(failures, 1), 1 - tail), 1.0)
        z = np.where(patients > 0, _exact_z(successes, patients, self.null_rate), np.nan)
        return np.column_stack((z, rate, np.sqrt(rate * (1 - rate) / size), lower, upper, successes, patients))

    def truth(self, arm: Distribution) -> float:
        """Give the true share without an event."""
        return float(arm.survival(self.time))


@dataclass(frozen=True)
class LandmarkKaplanMeier:
    """Test of the Kaplan-Meier estimate at a landmark against a null rate, on a transformed scale.

    Parameters
    ----------
    time
        The landmark in months.
    null_rate
        Share without an event under the null hypothesis.
    transform
        Scale of the test: ``"log-log"``, ``"plain"`` or ``"arcsine"`` (of the square root). The estimate and its
        interval are on the scale of probabilities.
    level
        Confidence level, two-sided.

    Raises
    ------
    InvalidValueError
        If the time is not positive, a rate not a probability or the transform unknown.

    Notes
    -----
    z is negative where the arm does better; the variance is Greenwood's. z is minus infinity where nobody has an event
    by the landmark, infinity where everybody has, NaN where follow-up ends before it.

    References
    ----------
    Nagashima K, Noma H, Sato Y, Gosho M (2021). Sample size calculations for single-arm survival studies using
    transformations of the Kaplan-Meier estimator. Pharmaceutical Statistics 20:499-511.
    """

    time: float
    null_rate: float
    transform: Literal["log-log", "plain", "arcsine"] = "log-log"
    level: float = 0.95
    stratified: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("z", "estimate", "std_error", "lower", "upper")

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", positive("time", self.time))
        object.__setattr__(self, "null_rate", probability("null_rate", self.null_rate))
        object.__setattr__(self, "level", probability("level", self.level))
        if self.transform not in ("log-log", "plain", "arcsine"):
            raise InvalidValueError(
                "transform", self.transform, "'log-log', 'plain' or 'arcsine'", "choose one of them"
            )

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"Kaplan-Meier at {self.time:.4g} against {100 * self.null_rate:.4g}%, {self.transform}"

    def evaluate_arm(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 5)."""
        trials = len(known.cut)
        survival, relative = np.empty((trials, 2)), np.empty((trials, 2))
        milestones(one_arm_risk_sets(known), self.time + ROUNDING, survival, relative)
        rate, spread = survival[:, 1], np.sqrt(relative[:, 1])
        inside = np.where((rate > 0) & (rate < 1), rate, 0.5)
        value, slope = _transformed(inside, self.transform)
        z = (_transformed(self.null_rate, self.transform)[0] - value) / (slope * inside * spread)
        z = np.select([rate <= 0, rate >= 1, np.isnan(rate)], [np.inf, -np.inf, np.nan], z)
        error = rate * spread
        half = -ndtri((1 - self.level) / 2) * error
        return np.column_stack((z, rate, error, rate - half, rate + half))

    def truth(self, arm: Distribution) -> float:
        """Give the true share without an event."""
        return float(arm.survival(self.time))


@dataclass(frozen=True)
class OneSampleLogRank:
    """One-sample log-rank test: events observed against those that a null distribution expects.

    Parameters
    ----------
    null
        Distribution of the event time under the null hypothesis.

    Notes
    -----
    ``z = (O - E) / sqrt(E)``, negative where the arm has fewer events than expected; NaN where none is expected.

    References
    ----------
    Breslow NE (1975). Analysis of survival data under the proportional hazards model. International Statistical Review
    43:45-57.
    """

    null: Distribution
    stratified: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("z", "observed", "expected")

    @property
    def name(self) -> str:
        """Name in result tables."""
        return f"one-sample log-rank against {self.null!r}"

    def evaluate_arm(self, known: Snapshot) -> NDArray[np.float64]:
        """Test each trial; shape (trials, 3)."""
        enrolled = known.entry < known.cut[:, None]
        until = np.where(enrolled, np.maximum(known.time, known.start), 0.0)
        since = np.where(enrolled, known.start, 0.0)
        hazard = self.null.cumulative_hazard(until) - self.null.cumulative_hazard(since)
        observed, expected = (known.event & enrolled).sum(axis=1), hazard.sum(axis=1)
        root = np.sqrt(np.where(expected > 0, expected, np.nan))
        return np.column_stack(((observed - expected) / root, observed, expected))

    def truth(self, arm: Distribution) -> float:
        """Give NaN: there is no estimate."""
        return float("nan")


def _exact_z(successes: NDArray[np.int64], patients: NDArray[np.int64] | int, rate: float) -> NDArray[np.float64]:
    """Give the normal quantile of P(X >= successes) for X binomial."""
    upper_tail = betainc(np.maximum(successes, 1), patients - successes + 1, rate)
    return np.asarray(ndtri(np.where(successes > 0, upper_tail, 1.0)))


def _transformed(rate: NDArray[np.float64] | float, transform: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give a rate on the scale of a test, where larger is better, and the slope of the scale there."""
    s = np.asarray(rate)
    if transform == "log-log":
        return -np.log(-np.log(s)), -1 / (s * np.log(s))
    if transform == "arcsine":
        return np.arcsin(np.sqrt(s)), 0.5 / np.sqrt(s * (1 - s))
    return s, np.ones_like(s)
