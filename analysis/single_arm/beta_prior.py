"""What is believed of a response rate: a beta distribution, and what it says of the end of a trial."""

from __future__ import annotations

import numpy as np
from scipy import integrate, stats

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import number, probability
from analysis.conventions.values import value
from analysis.errors import InvalidValueError


@border
@value
class BetaPrior:
    """A beta distribution of the response rate: ``a`` responders and ``b`` non-responders' worth of belief.

    Examples
    --------
    What AveNEC's 9 patients with disease control of 60 leave to believe, starting from Jeffreys' prior:

    >>> avenec = BetaPrior(0.5, 0.5).updated(9, 60)
    >>> avenec, round(avenec.mean, 4)
    (BetaPrior(a=9.5, b=51.5), 0.1557)
    """

    a: float = fields.positive()
    b: float = fields.positive()

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
        probability("rate", rate)
        probability("level", level)
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
        probability("rate", rate)
        return float(stats.beta.sf(rate, self.a, self.b))

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed credible interval."""
        probability("level", level)
        lower, upper = stats.beta.interval(level, self.a, self.b)
        return float(lower), float(upper)

    def success_count(self, n: int, *, rate: float, threshold: float) -> int:
        """Smallest number of responders among n whose posterior probability of exceeding `rate` is above `threshold`.

        It is n + 1 if no number is enough.
        """
        probability("rate", rate)
        probability("threshold", threshold)
        x = np.arange(n + 1)
        return int(np.sum(stats.beta.sf(rate, self.a + x, self.b + n - x) <= threshold))

    def predictive_probability(self, responders: int, n: int, *, n_max: int, rate: float, threshold: float) -> float:
        """Predictive probability of success at the end, given the responders so far (Lee and Liu).

        Success is a posterior probability of a response rate above `rate` that exceeds `threshold` when all `n_max`
        patients are evaluated.

        Parameters
        ----------
        responders, n
            Responders among the patients evaluated so far; this prior is that before them.
        n_max
            Patients at the end.
        rate
            The response rate to be exceeded, in (0, 1).
        threshold
            Posterior probability that success needs, in (0, 1).

        References
        ----------
        Lee JJ, Liu DD (2008). A predictive probability design for phase II cancer clinical trials. Clinical Trials
        5:93-106.

        Examples
        --------
        >>> round(BetaPrior(0.6, 0.4).predictive_probability(12, 23, n_max=40, rate=0.6, threshold=0.9), 6)
        0.003214
        """
        posterior = self.updated(responders, n)
        if n > n_max:
            raise InvalidValueError("n", n, f"at most n_max = {n_max}", "check the counts")
        needed = self.success_count(n_max, rate=rate, threshold=threshold)
        return float(stats.betabinom.sf(needed - responders - 1, n_max - n, posterior.a, posterior.b))

    def probability_better(self, control: BetaPrior, *, margin: float = 0.0) -> float:
        """Probability that this response rate exceeds an independent one by more than a margin.

        Parameters
        ----------
        control
            What is believed of the other rate; usually both are posteriors.
        margin
            Difference of rates to be exceeded, in (-1, 1).

        References
        ----------
        Thall PF, Simon R (1994). Practical Bayesian guidelines for phase IIB clinical trials. Biometrics 50:337-349.

        Examples
        --------
        Ten of thirty with disease control, against AveNEC's nine of sixty:

        >>> jeffreys = BetaPrior(0.5, 0.5)
        >>> round(jeffreys.updated(10, 30).probability_better(jeffreys.updated(9, 60)), 4)
        0.9759
        """
        number("margin", margin, above=-1, below=1)

        def integrand(quantile: float) -> float:
            rate = stats.beta.ppf(quantile, control.a, control.b) + margin
            return float(stats.beta.sf(np.clip(rate, 0.0, 1.0), self.a, self.b))

        better, _ = integrate.quad(integrand, 0.0, 1.0, epsabs=1e-10, epsrel=1e-10, limit=200)
        return float(better)
