"""Posterior and predictive probabilities of a response rate, and the assurance of a design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.errors import InvalidValueError
from analysis.power.single_arm.checks import check_probability, check_rate
from analysis.power.single_arm.outcomes import outcomes

if TYPE_CHECKING:
    from analysis.power.single_arm.design import BinomialDesign


@dataclass(frozen=True)
class BetaPrior:
    """A beta distribution of the response rate: ``a`` responders and ``b`` non-responders' worth of belief.

    Examples
    --------
    What AveNEC's 9 patients with disease control of 60 leave to believe, starting from Jeffreys' prior:

    >>> avenec = BetaPrior(0.5, 0.5).updated(9, 60)
    >>> avenec, round(avenec.mean, 4)
    (BetaPrior(a=9.5, b=51.5), 0.1557)
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        for field, value in (("a", self.a), ("b", self.b)):
            if not (np.isfinite(value) and value > 0):
                raise InvalidValueError(field, value, "a positive number", "BetaPrior(0.5, 0.5) is Jeffreys' prior")

    @classmethod
    def from_interval(cls, rate: float, lower: float, upper: float, *, level: float = 0.95) -> BetaPrior:
        """Return the beta distribution of a reported rate and its confidence interval, e.g. a Kaplan-Meier estimate's.

        Its mean is the rate; its standard deviation the half-width of the interval over the normal quantile of the
        level.

        Examples
        --------
        EMERALD's progression-free survival at 6 months with elacestrant, ESR1 mutated: 40.8% (30.1-51.4):

        >>> emerald = BetaPrior.from_interval(0.408, 0.301, 0.514)
        >>> round(emerald.mean, 3), round(emerald.a + emerald.b, 1)
        (0.408, 80.8)
        """
        check_rate("rate", rate)
        check_probability("level", level)
        if not 0 <= lower < rate < upper <= 1:
            raise InvalidValueError("lower, upper", (lower, upper), f"limits around {rate!r} in [0, 1]", "check them")
        spread = (upper - lower) / (2 * float(stats.norm.isf((1 - level) / 2)))
        patients = rate * (1 - rate) / spread**2 - 1
        if patients <= 0:
            raise InvalidValueError(
                "lower, upper", (lower, upper), "an interval that says something", "use a flat prior"
            )
        return cls(rate * patients, (1 - rate) * patients)

    @property
    def mean(self) -> float:
        """Mean response rate."""
        return self.a / (self.a + self.b)

    def updated(self, responders: int, n: int) -> BetaPrior:
        """Return the posterior after so many responders among n patients."""
        if not 0 <= responders <= n:
            raise InvalidValueError("responders", responders, f"0 to {n}", "check the counts")
        return BetaPrior(self.a + responders, self.b + n - responders)

    def probability_above(self, rate: float) -> float:
        """Probability that the response rate is above ``rate``."""
        check_rate("rate", rate)
        return float(stats.beta.sf(rate, self.a, self.b))

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed credible interval."""
        check_probability("level", level)
        lower, upper = stats.beta.interval(level, self.a, self.b)
        return float(lower), float(upper)


def posterior_probability(responders: int, n: int, *, rate: float, prior: BetaPrior) -> float:
    """Posterior probability that the response rate is above ``rate``.

    Examples
    --------
    >>> round(posterior_probability(8, 23, rate=0.2, prior=BetaPrior(0.6, 0.4)), 6)
    0.959074
    """
    return prior.updated(responders, n).probability_above(rate)


def predictive_probability(
    responders: int, n: int, *, n_max: int, rate: float, threshold: float, prior: BetaPrior
) -> float:
    """Predictive probability of success at the end, given the responders so far (Lee and Liu).

    Success is a posterior probability of a response rate above ``rate`` that exceeds ``threshold`` when all ``n_max``
    patients are evaluated.

    Parameters
    ----------
    responders, n
        Responders among the patients evaluated so far.
    n_max
        Patients at the end.
    rate
        The response rate to be exceeded, in (0, 1).
    threshold
        Posterior probability that success needs, in (0, 1).
    prior
        Prior of the response rate.

    Returns
    -------
    float

    References
    ----------
    Lee JJ, Liu DD (2008). A predictive probability design for phase II cancer clinical trials. Clinical Trials
    5:93-106.

    Examples
    --------
    >>> round(predictive_probability(12, 23, n_max=40, rate=0.6, threshold=0.9, prior=BetaPrior(0.6, 0.4)), 6)
    0.003214
    """
    posterior = prior.updated(responders, n)
    if n > n_max:
        raise InvalidValueError("n", n, f"at most n_max = {n_max}", "check the counts")
    needed = success_count(n_max, rate=rate, threshold=threshold, prior=prior)
    return float(stats.betabinom.sf(needed - responders - 1, n_max - n, posterior.a, posterior.b))


def success_count(n: int, *, rate: float, threshold: float, prior: BetaPrior) -> int:
    """Smallest number of responders among n whose posterior probability of exceeding ``rate`` is above ``threshold``.

    It is n + 1 if no number is enough.
    """
    check_rate("rate", rate)
    check_probability("threshold", threshold)
    x = np.arange(n + 1)
    return int(np.sum(stats.beta.sf(rate, prior.a + x, prior.b + n - x) <= threshold))


def assurance(design: BinomialDesign, prior: BetaPrior) -> float:
    """Probability that the design rejects, averaged over a prior of the true response rate; exact.

    With a posterior of the historical control's rate as the prior it is the type I error rate that the uncertainty of
    the historical control leaves.

    References
    ----------
    O'Hagan A, Stevens JW, Campbell MJ (2005). Assurance in clinical trial design. Pharmaceutical Statistics 4:187-201.

    Examples
    --------
    >>> from analysis.power.single_arm import BinomialDesign
    >>> design = BinomialDesign(looks=(30,), futility=(8,), null_rate=0.15)
    >>> round(assurance(design, BetaPrior(9.5, 51.5)), 3)
    0.068
    """
    found = outcomes(design)
    marginal = found.weight * stats.betabinom.pmf(found.responders, found.n, prior.a, prior.b)
    return float(marginal @ found.rejects)
