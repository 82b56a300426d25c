"""A hazard ratio from events seen only at assessments: power when progression is known to lie between two visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.power.moments import Moments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.power.quadrature import FloatArray


@dataclass(frozen=True)
class IntervalCensored:
    """Two arms whose events are found at assessments, compared by the grouped proportional-hazards likelihood.

    The likelihood has one parameter for the control arm's survival at each assessment and the log hazard ratio.

    Parameters
    ----------
    control_survival
        Survival of the control arm at the assessments, shape ``(visits,)``, strictly decreasing between 1 and 0.
    hazard_ratio
        Experimental against control; below 1 favours the experimental arm.
    control_share
        Control patients among all, between 0 and 1.
    missed
        Probability that an assessment is missed, one for all or one by assessment; independent of everything.

    Raises
    ------
    InvalidValueError
        If a number is impossible.

    References
    ----------
    Gu X, Ma Y, Balasubramanian R. Semiparametric time to event models in the presence of error-prone, self-reported
    outcomes. Annals of Applied Statistics 2015;9:714-730, with perfect sensitivity and specificity.

    Examples
    --------
    >>> visits = 2 ** (-np.arange(2, 25, 2) / 11)
    >>> round(IntervalCensored(visits, hazard_ratio=0.6).moments(n=200).power(0.05, sided=2), 3)
    0.841
    """

    control_survival: ArrayLike
    hazard_ratio: float
    control_share: float = 0.5
    missed: ArrayLike = 0.0

    def __post_init__(self) -> None:
        survival = np.array(self.control_survival, dtype=np.float64, ndmin=1)
        whole = np.concatenate([[1.0], survival, [0.0]])
        if not np.all(np.diff(whole) < 0):
            raise InvalidValueError(
                "control_survival", survival.tolist(), "survival strictly decreasing between 1 and 0", "check the curve"
            )
        if not 0 < self.hazard_ratio < np.inf:
            raise InvalidValueError("hazard_ratio", self.hazard_ratio, "a number above 0", "give e.g. 0.6")
        if not 0 < self.control_share < 1:
            raise InvalidValueError("control_share", self.control_share, "a share between 0 and 1", "give 0.5 for 1:1")
        missed = np.array(self.missed, dtype=np.float64)
        if missed.shape not in ((), survival.shape) or not np.all((missed >= 0) & (missed < 1)):
            raise InvalidValueError(
                "missed", self.missed, "probabilities from 0 to below 1, one or one by assessment", "check missed"
            )
        object.__setattr__(self, "control_survival", survival)
        object.__setattr__(self, "missed", np.broadcast_to(missed, survival.shape))

    def moments(self, n: float) -> Moments:
        """Give the moments of the estimated log hazard ratio with `n` patients in both arms together."""
        if not 0 < n < np.inf:
            raise InvalidValueError("n", n, "patients above 0", "give the number of patients of both arms")
        share = self.control_share
        information = share * self._information(1.0, 0) + (1 - share) * self._information(self.hazard_ratio, 1)
        sd = float(np.sqrt(np.linalg.inv(information)[0, 0] / n))
        return Moments(-float(np.log(self.hazard_ratio)), sd, sd)

    def _information(self, ratio: float, treated: int) -> FloatArray:
        """Fisher information of one patient on (log hazard ratio, log cumulative hazards at the assessments)."""
        left, right, observed = self._patterns()
        log_survival = np.log(np.asarray(self.control_survival))
        survival = np.concatenate([[1.0], np.exp(ratio * log_survival), [0.0]])
        # dS/d log(cumulative hazard) = dS/d log(hazard ratio) = S log S, 0 where S is 1 or 0.
        slope = np.concatenate([[0.0], survival[1:-1] * ratio * log_survival, [0.0]])
        visits = log_survival.size
        gradient = np.zeros((left.size, visits + 1))
        gradient[:, 0] = treated * (slope[left] - slope[right])
        rows = np.arange(left.size)
        for end, sign in ((left, 1.0), (right, -1.0)):
            inner = (end > 0) & (end <= visits)
            gradient[rows[inner], end[inner]] += sign * slope[end[inner]]
        probability = survival[left] - survival[right]
        information: FloatArray = (gradient * (observed / probability)[:, None]).T @ gradient
        return information

    def _patterns(self) -> tuple[np.ndarray, np.ndarray, FloatArray]:
        """Intervals (last visit without event, first with) that can be seen, and the chance that visits frame them."""
        attended = np.concatenate([[1.0], 1 - np.asarray(self.missed), [1.0]])
        left, right = np.triu_indices(attended.size, k=1)
        between = [np.prod(1 - attended[a + 1 : b]) for a, b in zip(left, right, strict=True)]
        observed = attended[left] * attended[right] * np.array(between)
        informative = (observed > 0) & ~((left == 0) & (right == attended.size - 1))
        return left[informative], right[informative], observed[informative]
