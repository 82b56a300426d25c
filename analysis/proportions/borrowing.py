"""Belief about a control's rate in a new trial, borrowed from earlier trials that differ among themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats
from scipy.signal import fftconvolve

from analysis.conventions.border import border
from analysis.conventions.checks import count, number, positive, probability
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.checks import FloatArray

LOGITS = np.linspace(-20.0, 20.0, 8001)
"""Logits of the rate at which a belief is known: as good as from 0 to 1."""
HETEROGENEITIES = 160
NODES, WEIGHTS = special.roots_legendre(HETEROGENEITIES)
VAGUE = 100.0
"""Variance of the prior of the mean logit."""


@border
class BorrowedRate:
    """What is believed of a rate, on a grid of its logit; made by `meta_analytic_prior` or `commensurate_prior`.

    Attributes
    ----------
    rate, weight
        Rates and their probabilities, which add up to 1.
    name
        How it was borrowed, in words.

    Examples
    --------
    >>> from analysis.proportions import meta_analytic_prior
    >>> prior = meta_analytic_prior([9, 5], [60, 40], heterogeneity=0.5)
    >>> 0 < prior.mean < 1
    True
    """

    def __init__(self, weight: FloatArray, name: str) -> None:
        self.rate: FloatArray = np.asarray(special.expit(LOGITS), dtype=float)
        self.weight: FloatArray = weight / weight.sum()
        self.name = name

    def __repr__(self) -> str:
        low, high = self.interval(0.95)
        return f"<{self.name}: {self.mean:.3f} ({low:.3f}-{high:.3f}), worth {self.effective_sample_size:.0f} patients>"

    @property
    def mean(self) -> float:
        """Mean rate."""
        return float(self.rate @ self.weight)

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed credible interval."""
        tail = (1 - probability("level", level)) / 2
        below = np.cumsum(self.weight)
        low, high = np.interp([tail, 1 - tail], below, self.rate)
        return float(low), float(high)

    @property
    def effective_sample_size(self) -> float:
        """Patients that the belief is worth: those of the beta distribution with its mean and variance."""
        variance = float((self.rate - self.mean) ** 2 @ self.weight)
        return self.mean * (1 - self.mean) / variance - 1

    def mixed(self, share: float, mean: float = 0.5) -> BorrowedRate:
        """Make it robust: this share of a vague belief, worth one patient with the given mean, for what is borrowed.

        Schmidli et al. 2014, Biometrics 70:1023.
        """
        share = number("share", share, at_least=0, at_most=1)
        mean = probability("mean", mean)
        density = stats.beta.pdf(self.rate, mean, 1 - mean) * self.rate * (1 - self.rate)
        weight = (1 - share) * self.weight + share * density / density.sum()
        return BorrowedRate(weight, f"{self.name}, {share:.0%} vague")

    def probability_exceeded(self, responders: int, patients: int) -> float:
        """Probability that the rate behind these responders is higher than this one; theirs from Jeffreys' prior.

        Examples
        --------
        >>> borrowed = meta_analytic_prior([9, 3], [60, 29], heterogeneity=0.5)
        >>> round(borrowed.probability_exceeded(12, 30), 2)
        0.98
        """
        (x,), (n,) = _counts([responders], [patients])
        return float(stats.beta.sf(self.rate, x + 0.5, n - x + 0.5) @ self.weight)

    def probability_of_count(self, patients: int) -> FloatArray:
        """Predictive probabilities of 0 to `patients` responders."""
        n = count("patients", patients, "patients")
        return np.asarray(stats.binom.pmf(np.arange(n + 1)[:, None], n, self.rate) @ self.weight, dtype=float)


@border
def meta_analytic_prior(responders: Sequence[int], patients: Sequence[int], *, heterogeneity: float) -> BorrowedRate:
    """Predict the rate of a new trial from earlier ones: the meta-analytic predictive prior.

    The logits of the trials' rates are normal about a common mean with standard deviation tau; the mean has a vague
    normal prior (variance 100), tau a half-normal one. Counts are binomial; everything is integrated numerically.

    Parameters
    ----------
    responders, patients
        Of each earlier trial.
    heterogeneity
        Scale of tau's half-normal prior, on the logit: 0.5 is moderate, 1 substantial (Neuenschwander et al. 2010).

    Returns
    -------
    BorrowedRate

    Raises
    ------
    InvalidValueError
        If counts are none or the scale is not above 0.

    References
    ----------
    Neuenschwander B et al. (2010). Summarizing historical information on controls in clinical trials. Clinical Trials
    7:5-18.

    Examples
    --------
    >>> meta_analytic_prior([9, 3], [60, 29], heterogeneity=0.5)
    <meta-analytic prior of 2 trials, heterogeneity 0.5: 0.142 (0.037-0.335), worth 19 patients>
    """
    x, n = _counts(responders, patients)
    scale = positive("heterogeneity", heterogeneity, "logits")
    tau = 3 * scale * (NODES + 1)  # beyond 6 scales nothing is left of a half-normal
    prior = WEIGHTS * np.exp(-((tau / scale) ** 2) / 2)
    step = LOGITS[1] - LOGITS[0]
    likelihoods = [stats.binom.pmf(a, b, special.expit(LOGITS)) for a, b in zip(x, n, strict=True)]
    total = np.zeros(LOGITS.size)
    for spread, weight in zip(tau, prior, strict=True):
        kernel = _kernel(spread, step)
        mean = np.exp(-(LOGITS**2) / (2 * VAGUE))
        for likelihood in likelihoods:
            mean = mean * _smoothed(likelihood, kernel)
        total += weight * _smoothed(mean, kernel)
    word = "trial" if len(x) == 1 else "trials"
    return BorrowedRate(total, f"meta-analytic prior of {len(x)} {word}, heterogeneity {scale:g}")


@border
def commensurate_prior(responders: int, patients: int, *, spread: float) -> BorrowedRate:
    """Predict the rate of a new trial from one earlier trial that it may differ from by a given spread.

    The logit of the new rate is normal about that of the earlier one, whose own belief is its likelihood with a vague
    prior: the commensurate prior (Hobbs et al. 2011, Biometrics 67:1047) at a fixed commensurability ``1/spread^2``.

    Parameters
    ----------
    responders, patients
        Of the earlier trial.
    spread
        Standard deviation of the difference of the logits; near 0 the trials are taken as one.

    Examples
    --------
    >>> [round(commensurate_prior(9, 60, spread=s).effective_sample_size) for s in (0.01, 0.5, 1.0)]
    [60, 19, 6]
    """
    (x,), (n,) = _counts([responders], [patients])
    spread = positive("spread", spread, "logits")
    belief = stats.binom.pmf(x, n, special.expit(LOGITS)) * np.exp(-(LOGITS**2) / (2 * VAGUE))
    smoothed = _smoothed(belief, _kernel(spread, LOGITS[1] - LOGITS[0]))
    return BorrowedRate(smoothed, f"commensurate prior of {x} of {n}, spread {spread:g}")


def _kernel(spread: float, step: float) -> FloatArray:
    """Give the normal weights of the neighbours on the grid."""
    reach = min(int(np.ceil(6 * spread / step)), LOGITS.size // 2)
    kernel = np.exp(-((np.arange(-reach, reach + 1) * step / spread) ** 2) / 2)
    normal: FloatArray = kernel / kernel.sum()
    return normal


def _smoothed(values: FloatArray, kernel: FloatArray) -> FloatArray:
    direct = kernel.size < 64  # where the transform saves nothing
    found = np.convolve(values, kernel, mode="same") if direct else fftconvolve(values, kernel, mode="same")
    above: FloatArray = np.maximum(found, 0.0)
    return above


def _counts(responders: Sequence[int], patients: Sequence[int]) -> tuple[list[int], list[int]]:
    x = [count("responders", one, "patients", at_least=0) for one in responders]
    n = [count("patients", one, "patients") for one in patients]
    if len(x) != len(n) or not x:
        raise InvalidValueError("responders", x, f"one for each of {len(n)} trials", "give as many")
    for a, b in zip(x, n, strict=True):
        if a > b:
            raise InvalidValueError("responders", a, f"at most the {b} patients", "correct one of them")
    return x, n
