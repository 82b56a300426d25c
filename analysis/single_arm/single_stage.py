"""Single-stage exact binomial designs: the rule for given n, the n for given power, the saw-tooth between them."""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.conventions.border import border
from analysis.conventions.checks import counts, error_rates, probability, rates
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.single_arm.design import BinomialDesign
from analysis.statistical_tests.landmark_rate import critical_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

METHOD = "exact binomial, single stage"

SampleSizeRule = Literal["first", "from_which_all_larger"]


@border
def exact_binomial(
    n: int, *, null_rate: float, alpha: float, alternative_rate: float | None = None, power: float | None = None
) -> BinomialDesign:
    """Set up the exact one-sided binomial test of a single-arm trial of ``n`` patients.

    The null hypothesis is rejected at the smallest number of responders whose upper tail at the null rate is at most
    ``alpha``.

    Parameters
    ----------
    n
        Patients evaluated.
    null_rate
        Response rate under the null hypothesis, in (0, 1).
    alpha
        One-sided type I error rate, an upper limit: the attained one is lower for almost every n.
    alternative_rate, power
        Kept with the design if given; they do not change it.

    Returns
    -------
    BinomialDesign
        With one look.

    Raises
    ------
    InvalidValueError
        If n is not positive or a rate is outside (0, 1).
    InfeasibleDesignError
        If not even n responders of n reject; says the smallest n that can.

    Examples
    --------
    Thirty patients against 15%, as for a disease control rate at 16 weeks:

    >>> design = exact_binomial(30, null_rate=0.15, alpha=0.05)
    >>> design.critical, round(design.attained_alpha, 3), round(design.detectable_rate(0.8), 2)
    (9, 0.028, 0.36)
    """
    probability("null_rate", null_rate)
    probability("alpha", alpha)
    if n < 1:
        raise InvalidValueError("n", n, "a positive number of patients", "raise it")
    critical = int(critical_count(n, null_rate, alpha))
    if critical > n:
        raise InfeasibleDesignError(
            f"n: got {n}; even {n} responders have probability {null_rate**n:.3g} at the null rate {null_rate!r}, "
            f"above alpha {alpha!r}; the smallest n that can reject is {ceil(log(alpha) / log(null_rate))}"
        )
    return BinomialDesign((n,), (critical - 1,), null_rate, alternative_rate, (), alpha, power, METHOD)


@border
def exact_binomial_power(n: ArrayLike, *, null_rate: float, alternative_rate: float, alpha: float) -> pd.DataFrame:
    """Critical value, attained alpha and power of the exact one-sided binomial test for each n: the saw-tooth.

    Power does not rise steadily with n: where the critical value steps up, the attained alpha falls, and so does the
    power.

    Parameters
    ----------
    n
        Patient counts, shape (m,), each at least 1.
    null_rate, alternative_rate
        Response rates in (0, 1), the alternative above the null.
    alpha
        One-sided type I error rate, an upper limit.

    Returns
    -------
    DataFrame
        One row an n: ``n``, ``critical`` (n + 1 where no count rejects), ``attained_alpha``, ``power``.

    Examples
    --------
    >>> exact_binomial_power([36, 37, 38], null_rate=0.2, alternative_rate=0.4, alpha=0.1).round(4)
        n  critical  attained_alpha   power
    0  36        11          0.0889  0.9096
    1  37        12          0.0517  0.8667
    2  38        12          0.0623  0.8911
    """
    rates(null_rate, alternative_rate)
    probability("alpha", alpha)
    sizes = counts("n", n, "patients", at_most=10**9).ravel()
    if not sizes.size:
        raise InvalidValueError("n", n, "at least one number of patients", "give those to compare")
    critical = critical_count(sizes, null_rate, alpha)
    return pd.DataFrame(
        {
            "n": sizes,
            "critical": critical,
            "attained_alpha": stats.binom.sf(critical - 1, sizes, null_rate),
            "power": stats.binom.sf(critical - 1, sizes, alternative_rate),
        }
    )


@border
def single_stage(
    *,
    null_rate: float,
    alternative_rate: float,
    alpha: float,
    power: float,
    rule: SampleSizeRule = "from_which_all_larger",
    n_max: int | None = None,
) -> BinomialDesign:
    """Find the single-stage design with the fewest patients (A'Hern).

    Parameters
    ----------
    null_rate, alternative_rate
        Response rates in (0, 1), the alternative above the null.
    alpha
        One-sided type I error rate, an upper limit.
    power
        Power at the alternative rate, a lower limit.
    rule
        ``"first"``: the smallest n that reaches the power, though a larger one may not (A'Hern's tables, clinfun).
        ``"from_which_all_larger"``: the smallest n from which every larger one reaches it too (gsDesign's
        conservative rule, lrstat); safe if a few patients more than planned are recruited.
    n_max
        Most patients allowed; without it the search goes as far as a design is certain to exist.

    Returns
    -------
    BinomialDesign
        With one look.

    Raises
    ------
    InvalidValueError
        If a rate or a probability is outside (0, 1), or the rule is unknown.
    InfeasibleDesignError
        If the power is not above alpha, or no n up to ``n_max`` will do; says the n that would, or the best power
        within n_max.

    Notes
    -----
    Beyond ``((sqrt(log(1/alpha)/2) + sqrt(log(1/beta)/2)) / (p1 - p0))**2`` patients Hoeffding's inequality makes the
    power certain, so that "every larger n" is a statement about a finite range.

    References
    ----------
    A'Hern RP (2001). Sample size tables for exact single-stage phase II designs. Statistics in Medicine 20:859-866.

    Examples
    --------
    >>> request = dict(null_rate=0.2, alternative_rate=0.4, alpha=0.1, power=0.9)
    >>> single_stage(**request, rule="first").n, single_stage(**request).n
    (36, 42)
    """
    rates(null_rate, alternative_rate)
    error_rates(alpha, power)
    certain = _n_certain(null_rate, alternative_rate, alpha, power)
    table = exact_binomial_power(
        np.arange(1, certain + 1), null_rate=null_rate, alternative_rate=alternative_rate, alpha=alpha
    )
    reached = table["power"].to_numpy() >= power
    if rule == "first":
        n = int(np.argmax(reached)) + 1
    elif rule == "from_which_all_larger":
        n = int(np.max(np.flatnonzero(~reached), initial=-1)) + 2
    else:
        raise InvalidValueError("rule", rule, "'first' or 'from_which_all_larger'", "choose one of them")
    if n_max is not None and n > n_max:
        within = table.iloc[: max(n_max, 1)]
        best = within.loc[within["power"].idxmax()]
        raise InfeasibleDesignError(
            f"n_max: got {n_max}; power {power!r} at rate {alternative_rate!r} needs {n} patients by rule {rule!r}; "
            f"the best within n_max is {best['power']:.4f} with n = {int(best['n'])}"
        )
    return exact_binomial(n, null_rate=null_rate, alpha=alpha, alternative_rate=alternative_rate, power=power)


def normal_approximation_n(*, null_rate: float, alternative_rate: float, alpha: float, power: float) -> float:
    """Sample size of the one-sample test of a rate by the normal approximation, not rounded.

    The variance is that of the null rate for alpha and that of the alternative rate for the power. It is here to be
    compared with: exact designs of the size it gives can miss both error rates.

    Examples
    --------
    >>> round(normal_approximation_n(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8), 3)
    28.636
    """
    rates(null_rate, alternative_rate)
    error_rates(alpha, power)
    z_alpha, z_beta = stats.norm.isf(alpha), stats.norm.ppf(power)
    spread = z_alpha * sqrt(null_rate * (1 - null_rate)) + z_beta * sqrt(alternative_rate * (1 - alternative_rate))
    return float((spread / (alternative_rate - null_rate)) ** 2)


def _n_certain(null_rate: float, alternative_rate: float, alpha: float, power: float) -> int:
    """Patients from which Hoeffding's inequality guarantees the power."""
    spread = sqrt(log(1 / alpha) / 2) + sqrt(log(1 / (1 - power)) / 2)
    return ceil((spread / (alternative_rate - null_rate)) ** 2)
