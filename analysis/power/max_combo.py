"""The largest of several weighted log-rank statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.expected import risk_processes
from analysis.power.logrank import score_moments
from analysis.power.moments import critical_z
from analysis.power.normal import orthant_probability
from analysis.power.weights import NumberAtRisk, large_sample_weight, weight_changes

if TYPE_CHECKING:
    from analysis.power.quadrature import FloatArray
    from analysis.power.trial import TwoArmTrial
    from analysis.survival import Weight


@dataclass(frozen=True)
class MaxComboMoments:
    """Large-sample distribution of the weighted log-rank statistics of a max-combo test.

    Parameters
    ----------
    drift
        Expected z of each test, shape ``(k,)``; above 0 favours the experimental arm.
    correlation
        Correlation of the z, shape ``(k, k)``.
    """

    drift: FloatArray
    correlation: FloatArray

    def critical_value(self, alpha: float = 0.025) -> float:
        """Value that the largest z exceeds with probability `alpha` (one-sided) under the null."""
        single = critical_z(alpha)
        every = -float(ndtri(alpha / self.drift.size))

        def excess(z: float) -> float:
            return 1 - orthant_probability(np.full(self.drift.size, z), self.correlation) - alpha

        return single if self.drift.size == 1 else float(brentq(excess, single - 1e-3, every + 1e-3, xtol=1e-12))

    def power(self, alpha: float = 0.025) -> float:
        """Probability that the largest z exceeds its critical value at one-sided `alpha`."""
        return self._power(self.drift, self.critical_value(alpha))

    def size_factor(self, power: float, alpha: float = 0.025) -> float:
        """How many times as many patients give the power.

        Raises
        ------
        InvalidValueError
            If `power` is not between `alpha` and 1.
        InfeasibleDesignError
            If no test of the combination has an effect in favour of the experimental arm.
        """
        if not alpha < power < 1:
            raise InvalidValueError(
                "power", power, f"a probability between {alpha:g}, the type I error, and 1", "ask for 0.8"
            )
        if self.drift.max() <= 0:
            raise InfeasibleDesignError(
                f"power: {power:g} is asked for, but no test of the combination is expected to favour the "
                f"experimental arm (largest expected z {self.drift.max():.3g}); assume a larger effect"
            )
        z = self.critical_value(alpha)
        high = 1.0
        while self._power(high * self.drift, z) < power:
            high *= 2
        root: float = brentq(lambda f: self._power(f * self.drift, z) - power, 0.0, high, xtol=1e-12)
        return root**2

    def _power(self, drift: FloatArray, z: float) -> float:
        return 1 - orthant_probability(z - drift, self.correlation)


@dataclass(frozen=True)
class MaxCombo:
    """Max-combo test: the largest of several weighted log-rank statistics, one-sided, at its joint critical value.

    Parameters
    ----------
    weights
        One to five weights; ``FlemingHarrington(0, 0)`` is the unweighted test.

    Raises
    ------
    InvalidValueError
        If there are no weights or more than five.

    References
    ----------
    Karrison TG. Versatile tests for comparing survival curves based on weighted log-rank statistics. Stata Journal
    2016;16:678-690.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential, FlemingHarrington, PiecewiseExponential
    >>> control, delayed = Exponential(0.063), PiecewiseExponential([0.063, 0.035], [3.0])
    >>> trial = two_arm_trial(control, delayed, n=100, accrual=UniformAccrual(18))
    >>> combo = MaxCombo((FlemingHarrington(0, 0), FlemingHarrington(0, 1)))
    >>> round(combo.moments(trial, time=30).power(), 4)
    0.4496
    """

    weights: tuple[Weight | NumberAtRisk, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.weights) <= 5:
            raise InvalidValueError("weights", self.weights, "one to five weights", "combine fewer tests")
        object.__setattr__(self, "weights", tuple(self.weights))

    def moments(self, trial: TwoArmTrial, time: float) -> MaxComboMoments:
        """Give the joint distribution at calendar month `time`."""
        k = len(self.weights)
        changes = np.concatenate([weight_changes(weight) for weight in self.weights])
        means, covariance = np.zeros(k), np.zeros((k, k))
        for process in risk_processes(trial, time, change_points=changes):
            values = [large_sample_weight(weight, process) for weight in self.weights]
            for i in range(k):
                means[i] += score_moments(process, values[i])[0]
                for j in range(i + 1):
                    covariance[i, j] += score_moments(process, np.sqrt(values[i] * values[j]))[1]
        sd = np.sqrt(np.diag(covariance))
        covariance = covariance + np.tril(covariance, -1).T
        return MaxComboMoments(means / sd, covariance / np.outer(sd, sd))
