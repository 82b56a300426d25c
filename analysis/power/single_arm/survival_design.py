"""A single-arm design on a time-to-event endpoint: its power, its size, its words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import TYPE_CHECKING

import pandas as pd
from scipy import optimize, stats

from analysis.design import UniformAccrual
from analysis.errors import InvalidValueError
from analysis.power.single_arm.checks import check_errors, check_probability
from analysis.power.single_arm.json_form import read_design, write_design
from analysis.power.single_arm.protocol import survival_paragraph
from analysis.power.single_arm.survival_tests import FollowUp, Landmark, OneSampleLogRank, RestrictedMean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.power.single_arm.survival_tests import OneSampleTest
    from analysis.survival import Distribution


@dataclass(frozen=True)
class SurvivalDesign:
    """A single-arm trial with one analysis of a time-to-event endpoint, one-sided.

    Parameters
    ----------
    test
        ``OneSampleLogRank``, ``Landmark`` or ``RestrictedMean``.
    truth
        Distribution of the event time the design is made for.
    follow_up
        Accrual, time of the analysis, dropout.
    n
        Patients planned.
    alpha
        One-sided type I error rate of the normal approximation.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = SurvivalDesign(
    ...     OneSampleLogRank(null=Exponential.from_median(5.5)),
    ...     truth=Exponential.from_median(8.25),
    ...     follow_up=FollowUp(UniformAccrual(18), analysis_time=30),
    ...     n=49,
    ...     alpha=0.05,
    ... )
    >>> round(design.attained_power, 4)
    0.8056
    """

    test: OneSampleTest
    truth: Distribution
    follow_up: FollowUp
    n: int
    alpha: float

    def __post_init__(self) -> None:
        check_probability("alpha", self.alpha)
        if self.n < 1:
            raise InvalidValueError("n", self.n, "a positive number of patients", "raise it")

    @property
    def attained_power(self) -> float:
        """Power if event times follow the distribution the design is made for."""
        return self.power_at(self.truth)

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Months and critical score of the one look."""
        return ((self.follow_up.analysis_time, float(stats.norm.isf(self.alpha))),)

    def power_at(self, truth: Distribution) -> float:
        """Return the power if event times follow ``truth``."""
        found = self.test.moments(truth, self.follow_up)
        return replace(found, effect=sqrt(self.n) * found.effect).power(self.alpha)

    def operating_characteristics(self, truths: Mapping[str, Distribution]) -> pd.DataFrame:
        """Tabulate the power under named truths: ``truth``, ``expected_z`` and the ``spread`` of z, ``p_reject``."""
        found = {name: self.test.moments(truth, self.follow_up) for name, truth in truths.items()}
        return pd.DataFrame(
            {
                "truth": list(truths),
                "expected_z": [sqrt(self.n) * moments.drift for moments in found.values()],
                "spread": [moments.spread for moments in found.values()],
                "p_reject": [self.power_at(truth) for truth in truths.values()],
            }
        )

    def summary(self) -> pd.DataFrame:
        """Tabulate the design's inputs and its power."""
        rows = {
            "test": repr(self.test),
            "truth": repr(self.truth),
            "accrual": repr(self.follow_up.accrual),
            "analysis time, months": self.follow_up.analysis_time,
            "dropout": repr(self.follow_up.dropout),
            "patients": self.n,
            "alpha, one-sided": self.alpha,
            "power": self.attained_power,
        }
        return pd.DataFrame({"value": pd.Series(rows, dtype=object)})

    def protocol_text(self) -> str:
        """Write the design as a paragraph for a protocol's statistical section, with its numbers and references."""
        return survival_paragraph(self)

    def to_json(self) -> str:
        """Write the fields as a JSON object with ``kind`` first; ``from_json`` reads it back."""
        return write_design(self, (FollowUp, OneSampleLogRank, Landmark, RestrictedMean))

    @staticmethod
    def from_json(text: str) -> SurvivalDesign:
        """Read the design that ``to_json`` wrote."""
        return read_design(text, SurvivalDesign, (FollowUp, OneSampleLogRank, Landmark, RestrictedMean))

    def _repr_html_(self) -> str:
        return str(self.summary().to_html())


def survival_sample_size(
    test: OneSampleTest, truth: Distribution, follow_up: FollowUp, *, alpha: float, power: float
) -> float:
    """Patients a one-sample test of survival needs, not rounded, with accrual and follow-up as given.

    Parameters
    ----------
    test
        ``OneSampleLogRank``, ``Landmark`` or ``RestrictedMean``.
    truth
        Distribution of the event time under the alternative.
    follow_up
        Accrual, time of the analysis, dropout.
    alpha
        One-sided type I error rate.
    power
        Power under ``truth``.

    Returns
    -------
    float

    Raises
    ------
    InfeasibleDesignError
        If the power is not above alpha, or the truth is no better than the null hypothesis.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.survival import Exponential
    >>> test, truth = OneSampleLogRank(Exponential.from_median(5.5)), Exponential.from_median(8.25)
    >>> n = survival_sample_size(test, truth, FollowUp(UniformAccrual(18), 30), alpha=0.05, power=0.8)
    >>> round(n, 2)
    48.18
    """
    check_errors(alpha, power)
    return test.moments(truth, follow_up).size_factor(power, alpha)


def survival_accrual_duration(
    test: OneSampleTest,
    truth: Distribution,
    *,
    rate: float,
    follow_up: float,
    alpha: float,
    power: float,
    dropout: Distribution | None = None,
) -> float:
    """Months of accrual at a constant rate until the trial has the power, ``follow_up`` months after the last entry.

    Parameters
    ----------
    test, truth, alpha, power, dropout
        As in ``survival_sample_size``.
    rate
        Patients who enter per month.
    follow_up
        Months from the last entry to the analysis.

    Returns
    -------
    float
        Months; times ``rate`` it is the number of patients, not rounded.

    Raises
    ------
    InfeasibleDesignError
        If the power is not above alpha, or the truth is no better than the null hypothesis.
    """

    def missing(months: float) -> float:
        schedule = FollowUp(UniformAccrual(months), months + follow_up, dropout)
        return survival_sample_size(test, truth, schedule, alpha=alpha, power=power) - rate * months

    upper = max(2 * test.earliest, follow_up, 1.0)
    while missing(upper) > 0:
        upper *= 2
    lower = upper / 2
    while missing(lower) < 0:
        lower /= 2
    return float(optimize.brentq(missing, lower, upper, xtol=1e-10))


def survival_design(
    test: OneSampleTest, truth: Distribution, follow_up: FollowUp, *, alpha: float, power: float
) -> SurvivalDesign:
    """Find the smallest single-arm survival design with this power; arguments as in ``survival_sample_size``."""
    n = ceil(survival_sample_size(test, truth, follow_up, alpha=alpha, power=power))
    return SurvivalDesign(test, truth, follow_up, n, alpha)
