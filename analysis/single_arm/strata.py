"""Single-arm designs on a binary endpoint in strata with null rates of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.conventions.border import border
from analysis.conventions.checks import probability, rates
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.single_arm.words import stratified_paragraph
from analysis.statistical_tests.landmark_rate import TIE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@border
@value
class StratifiedDesign:
    """A single-stage test of one count of responders over strata whose null rates differ.

    The null hypothesis, that every stratum has its null rate, is rejected if at least ``critical`` patients respond
    in all strata together; the distribution of that count given the strata's sizes is exact.

    Parameters
    ----------
    strata
        Names.
    sizes
        Patients in each stratum, at least 1.
    null_rates
        Response rates under the null hypothesis, in (0, 1).
    critical
        Smallest number of responders in all that rejects.
    alternative_rates
        Response rates the design is made for, each above the null rate; or None.
    alpha
        The one-sided type I error rate that was asked for, if any.

    Examples
    --------
    >>> from analysis.single_arm import stratified_exact
    >>> design = stratified_exact(["G3", "NEC"], [12, 18], null_rates=[0.3, 0.15], alpha=0.05)
    >>> design.critical
    11
    """

    strata: Sequence[str]
    sizes: Sequence[int]
    null_rates: Sequence[float]
    critical: int
    alternative_rates: Sequence[float] | None = None
    alpha: float | None = None

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "strata", tuple(self.strata))
        object.__setattr__(self, "sizes", tuple(int(n) for n in self.sizes))
        object.__setattr__(self, "null_rates", tuple(float(p) for p in self.null_rates))
        if not self.strata or len(set(self.strata)) != len(self.strata):
            raise InvalidValueError("strata", self.strata, "different names, at least one", "name each stratum once")
        if len(self.sizes) != len(self.strata) or min(self.sizes) < 1:
            raise InvalidValueError("sizes", self.sizes, f"{len(self.strata)} positive numbers", "give one a stratum")
        self._rates("null_rates", self.null_rates)
        if self.alternative_rates is not None:
            object.__setattr__(self, "alternative_rates", tuple(float(p) for p in self.alternative_rates))
            self._rates("alternative_rates", self.alternative_rates or ())
            for null_rate, alternative_rate in zip(self.null_rates, self.alternative_rates or (), strict=True):
                rates(null_rate, alternative_rate)

    @property
    def n(self) -> int:
        """Patients in all strata."""
        return sum(self.sizes)

    @property
    def attained_alpha(self) -> float:
        """Probability of rejecting at the null rates: the one-sided type I error rate."""
        return self.rejection_probability(self.null_rates)

    @property
    def attained_power(self) -> float:
        """Probability of rejecting at the alternative rates."""
        if self.alternative_rates is None:
            raise InvalidValueError("alternative_rates", None, "a rate for each stratum", "give them to the design")
        return self.rejection_probability(self.alternative_rates)

    def rejection_probability(self, true_rates: Sequence[float]) -> float:
        """Return the exact probability of rejecting at these true rates, one for each stratum, in [0, 1]."""
        rates = tuple(true_rates)
        if len(rates) != len(self.sizes) or not all(0 <= rate <= 1 for rate in rates):
            raise InvalidValueError("true_rates", rates, f"{len(self.sizes)} rates in [0, 1]", "give one a stratum")
        return float(count_distribution(self.sizes, rates)[self.critical :].sum())

    def summary(self) -> pd.DataFrame:
        """Tabulate the strata: patients, rates, responders expected under each hypothesis."""
        frame = pd.DataFrame(
            {"patients": self.sizes, "null_rate": self.null_rates}, index=pd.Index(self.strata, name="stratum")
        )
        frame["expected_null"] = frame["patients"] * frame["null_rate"]
        if self.alternative_rates is not None:
            frame["alternative_rate"] = self.alternative_rates
            frame["expected_alternative"] = frame["patients"] * frame["alternative_rate"]
        return frame

    def protocol_text(self) -> str:
        """Write the design as a paragraph for a protocol's statistical section, with its numbers and references."""
        return stratified_paragraph(self)

    def _repr_html_(self) -> str:
        return html(self.summary(), index=True)

    def _rates(self, field: str, rates: Sequence[float]) -> None:
        if len(rates) != len(self.sizes):
            raise InvalidValueError(field, rates, f"{len(self.sizes)} rates", "give one a stratum")
        for stratum, rate in zip(self.strata, rates, strict=True):
            probability(f"{field}[{stratum}]", rate)


@border
def stratified_exact(
    strata: Sequence[str],
    sizes: Sequence[int],
    *,
    null_rates: Sequence[float],
    alpha: float,
    alternative_rates: Sequence[float] | None = None,
) -> StratifiedDesign:
    """Set up the exact one-sided test over strata, given how many patients each has (London and Chang).

    At the analysis, call it again with the sizes as they came: the critical count then fits the mix of strata, and
    the type I error rate is kept whatever it is.

    Parameters
    ----------
    strata
        Names.
    sizes
        Patients in each stratum.
    null_rates, alternative_rates
        Response rates in (0, 1), one a stratum.
    alpha
        One-sided type I error rate, an upper limit.

    Returns
    -------
    StratifiedDesign

    Raises
    ------
    InvalidValueError
        If the lengths differ or a value is out of range.
    InfeasibleDesignError
        If not even a response of every patient rejects.

    References
    ----------
    London WB, Chang MN (2005). One- and two-stage designs for stratified phase II clinical trials. Statistics in
    Medicine 24:2597-2611.

    Examples
    --------
    Nineteen patients with NET G3 at a null rate of 20%, eleven with NEC at 10%:

    >>> design = stratified_exact(
    ...     ["NET G3", "NEC"], [19, 11], null_rates=[0.2, 0.1], alternative_rates=[0.45, 0.3], alpha=0.05
    ... )
    >>> design.critical, round(design.attained_alpha, 4), round(design.attained_power, 4)
    (9, 0.0437, 0.899)
    """
    probability("alpha", alpha)
    names, counts, null = tuple(strata), tuple(int(n) for n in sizes), tuple(null_rates)
    alternative = None if alternative_rates is None else tuple(alternative_rates)
    StratifiedDesign(names, counts, null, 0, alternative, alpha)
    tail = np.cumsum(count_distribution(counts, null)[::-1])[::-1]
    keeps = np.flatnonzero(tail <= alpha * (1 + TIE))
    if keeps.size == 0:
        raise InfeasibleDesignError(
            f"sizes: got {counts}; a response of every patient has probability {tail[-1]:.3g} at the null rates, "
            f"above alpha {alpha!r}; add patients"
        )
    return StratifiedDesign(names, counts, null, int(keeps[0]), alternative, alpha)


def count_distribution(sizes: Sequence[int], rates: Sequence[float]) -> NDArray[np.float64]:
    """Probability of 0 to n responders in all, for independent strata of these sizes and rates."""
    total = np.ones(1)
    for n, rate in zip(sizes, rates, strict=True):
        total = np.convolve(total, stats.binom.pmf(np.arange(n + 1), n, rate))
    return total
