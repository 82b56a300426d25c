"""The large-sample distribution of a test statistic: its power, and the size that a power asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.conventions.checks import number, sides
from analysis.errors import InfeasibleDesignError, InvalidValueError

Rejection: TypeAlias = Literal["benefit", "either"]


@dataclass(frozen=True)
class Moments:
    """Large-sample distribution of a test statistic: normal with mean `effect` and standard deviation `sd`.

    Parameters
    ----------
    effect
        Mean under the scenario, on the scale of the statistic; above 0 favours the experimental arm, 0 is the null.
    null_sd
        Standard deviation that the test divides by.
    sd
        Standard deviation under the scenario.
    """

    effect: float
    null_sd: float
    sd: float

    @property
    def drift(self) -> float:
        """Expected z; above 0 favours the experimental arm."""
        return self.effect / self.null_sd

    @property
    def spread(self) -> float:
        """Standard deviation of z."""
        return self.sd / self.null_sd

    def scaled(self, factor: float) -> Moments:
        """Give the moments with `factor` times as many patients: z grows with the root, its spread stays."""
        return Moments(self.effect * float(np.sqrt(factor)), self.null_sd, self.sd)

    def probability_above(self, z: float) -> float:
        """Probability that the test's z exceeds a value; at 0 that the data favour the experimental arm at all.

        Examples
        --------
        >>> round(1 - Moments(1.3, 1.0, 1.0).probability_above(0.0), 3)
        0.097
        """
        return float(ndtr((self.drift - z) / self.spread))

    def power(self, alpha: float = 0.025, *, sided: int = 1, rejection: Rejection = "benefit") -> float:
        """Probability of rejection.

        Parameters
        ----------
        alpha
            Type I error, above 0 and below 1 (below 0.5 one-sided); `sided` says of how many sides.
        sided
            1, or 2: `alpha` is shared by both directions.
        rejection
            ``"benefit"`` counts rejections in favour of the experimental arm only (gsDesign, lrstat); ``"either"``
            counts both directions of a two-sided test (rpact, npsurvSS).

        Returns
        -------
        float

        Raises
        ------
        InvalidValueError
            If `alpha`, `sided` or `rejection` is impossible.

        Examples
        --------
        >>> round(Moments(effect=2.8, null_sd=1.0, sd=1.0).power(alpha=0.025), 4)
        0.7996
        """
        z = critical_z(alpha, sided)
        return self._power_at_drift(self.drift, z, _both(sided, rejection))

    def size_factor(
        self, power: float, alpha: float = 0.025, *, sided: int = 1, rejection: Rejection = "benefit"
    ) -> float:
        """How many times as many patients give the power; the statistic's z grows with their square root.

        Raises
        ------
        InvalidValueError
            If `power` is not between the type I error and 1.
        InfeasibleDesignError
            If the effect is null or favours the control arm, so that no size has the power.
        """
        z = critical_z(alpha, sided)
        floor = alpha if rejection == "either" else alpha / sided
        if not floor < power < 1:
            raise InvalidValueError(
                "power", power, f"a probability between {floor:g}, the type I error, and 1", "ask for 0.8 or 0.9"
            )
        if self.effect <= 0:
            raise InfeasibleDesignError(
                f"power: {power:g} is asked for, but the expected z is {self.drift:.3g}, not in favour of the "
                "experimental arm, and more patients do not change its sign; assume a larger effect, or a margin for "
                "non-inferiority"
            )
        drift = z + self.spread * float(ndtri(power))
        if _both(sided, rejection):
            drift = brentq(
                lambda d: self._power_at_drift(d, z, both=True) - power, 0.0, max(drift, 0.0) + 1e-6, xtol=1e-14
            )
        if drift <= 0:
            raise InfeasibleDesignError(
                f"power: {power:g} is below what the test has with no patients at all; ask for more than "
                f"{float(ndtr(-z / self.spread)):.3g}"
            )
        return float((drift / self.drift) ** 2)

    def _power_at_drift(self, drift: float, z: float, both: bool) -> float:
        power = float(ndtr((drift - z) / self.spread))
        return power + float(ndtr((-drift - z) / self.spread)) if both else power


def alpha_per_side(alpha: float, sided: int) -> float:
    """Type I error of one side, checked as by `critical_z`."""
    critical_z(alpha, sided)
    return alpha / sided


def critical_z(alpha: float, sided: int = 1) -> float:
    """Critical z of a test.

    Raises
    ------
    InvalidValueError
        If `alpha` is not above 0 and below ``sided / 2``, or `sided` is neither 1 nor 2.
    """
    if not 0 < number("alpha", alpha) < sides("sided", sided) / 2:
        raise InvalidValueError("alpha", alpha, f"a probability above 0 and below {sided / 2:g}", "give 0.025, not 2.5")
    return -float(ndtri(alpha / sided))


def _both(sided: int, rejection: Rejection) -> bool:
    if rejection not in ("benefit", "either"):
        raise InvalidValueError("rejection", rejection, "'benefit' or 'either'", "choose which rejections count")
    return sided == 2 and rejection == "either"


def from_information(log_hazard_ratio: float, null_information: float, information: float) -> Moments:
    """Moments of an estimated log hazard ratio (below 0 favours the experimental arm) with its information."""
    return Moments(-log_hazard_ratio, 1 / np.sqrt(null_information), 1 / np.sqrt(information))
