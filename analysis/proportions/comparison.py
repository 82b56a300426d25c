"""Two groups' responders compared: exact p-value, odds ratio and difference with their limits, over strata."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, stats

from analysis.conventions.border import border
from analysis.conventions.checks import choice, count, probability
from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError
from analysis.proportions.tables import SAME, conditional, tilted, unconditional_tails

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray

Method = Literal["conditional", "unconditional"]
METHODS = ("conditional", "unconditional")
MOST_PATIENTS, MOST_TABLES = 1_000_000, 2_000_000
"""What exact methods go through: patients of a group, and tables of an unconditional test."""
FARTHEST = 700.0
"""No log odds ratio is farther from 0 than this."""


@border
@dataclass(frozen=True)
class ProportionComparison:
    """Responders of a group against those of a control group.

    Attributes
    ----------
    rate, control_rate
        Shares of responders, over all strata.
    p_value
        Two-sided.
    p_value_higher, p_value_lower
        One-sided, that the group's rate is higher, or lower.
    odds_ratio, odds_ratio_lower, odds_ratio_upper
        Of response, common to the strata: conditional maximum likelihood with exact limits, as ``fisher.test`` and
        ``mantelhaen.test(exact = TRUE)`` of R have them; 0 and inf where a cell is empty.
    difference, difference_lower, difference_upper
        Of the rates: by Miettinen and Nurminen (1985) without strata; with them weighted as Mantel and Haenszel do,
        with Sato's (1989) standard error.
    level
        Confidence level, two-sided.
    method
        The test, in words.

    Examples
    --------
    >>> from analysis.proportions import compare_proportions
    >>> found = compare_proportions(12, 30, 9, 60)
    >>> round(found.difference, 3), round(found.p_value, 4)
    (0.25, 0.0157)
    """

    rate: float
    control_rate: float
    p_value: float
    p_value_higher: float
    p_value_lower: float
    odds_ratio: float
    odds_ratio_lower: float
    odds_ratio_upper: float
    difference: float
    difference_lower: float
    difference_upper: float
    level: float
    method: str

    __repr__ = short_repr


@border
def compare_proportions(
    responders: int | Sequence[int],
    patients: int | Sequence[int],
    control_responders: int | Sequence[int],
    control_patients: int | Sequence[int],
    *,
    method: Method = "conditional",
    level: float = 0.95,
) -> ProportionComparison:
    """Compare two groups' responders exactly.

    Parameters
    ----------
    responders, patients, control_responders, control_patients
        Whole numbers; lists of equal length for strata.
    method
        ``"conditional"``: Fisher's exact test, over strata that of the sum given all margins (Gart 1970);
        ``"unconditional"``: Boschloo's, never less powerful than Fisher's, without strata.
    level
        Of the limits, two-sided.

    Returns
    -------
    ProportionComparison
        The two-sided p-value adds up what is no more probable than the table at hand (conditional), or is twice the
        smaller one-sided one (unconditional).

    Raises
    ------
    InvalidValueError
        If counts are none, responders more than patients, or the unconditional test is given strata.
    UnknownNameError
        If there is no such method.

    Examples
    --------
    >>> found = compare_proportions(9, 30, 9, 60)
    >>> round(found.p_value_higher, 3), round(found.odds_ratio, 2)
    (0.083, 2.4)
    >>> round(compare_proportions(9, 30, 9, 60, method="unconditional").p_value_higher, 3)
    0.059
    >>> round(compare_proportions([5, 4], [12, 7], [5, 4], [22, 38]).p_value_higher, 3)
    0.011
    """
    choice("method", method, METHODS)
    level = probability("level", level)
    x, n = _group("responders", responders, "patients", patients)
    y, m = _group("control_responders", control_responders, "control_patients", control_patients)
    if len(x) != len(y):
        raise InvalidValueError(
            "control_patients", list(m), f"{len(n)} strata, as for patients", "give each stratum of both"
        )
    counts, weight = conditional(n, m, [a + b for a, b in zip(x, y, strict=True)])
    total = sum(x)
    if method == "conditional":
        words = "Fisher's exact test" if len(x) == 1 else f"exact conditional test over {len(x)} strata"
        chance = tilted(counts, weight, 0.0)
        here = chance[total - counts[0]]
        higher, lower = float(chance[counts >= total].sum()), float(chance[counts <= total].sum())
        two_sided = float(chance[chance <= here * SAME].sum())
    elif len(x) > 1:
        expected = "one stratum for the unconditional test"
        raise InvalidValueError("method", method, expected, 'use method="conditional", which takes strata')
    elif n[0] * m[0] > MOST_TABLES:
        expected = f"at most {MOST_TABLES:,} tables for the unconditional test, that is the product of the sizes"
        raise InvalidValueError("patients", n[0], expected, 'use method="conditional"')
    else:
        words = "Boschloo's exact test"
        higher = float(unconditional_tails(n[0], m[0])[x[0], y[0]])
        lower = float(unconditional_tails(n[0], m[0])[n[0] - x[0], m[0] - y[0]])
        two_sided = 2 * min(higher, lower)
    ratio, ratio_low, ratio_high = _odds_ratio(counts, weight, total, level)
    bounds = _score_limits(x[0], n[0], y[0], m[0], level) if len(x) == 1 else _sato(x, n, y, m, level)
    return ProportionComparison(
        sum(x) / sum(n),
        sum(y) / sum(m),
        min(two_sided, 1.0),
        min(higher, 1.0),
        min(lower, 1.0),
        ratio,
        ratio_low,
        ratio_high,
        *bounds,
        level,
        words,
    )


@border
def exact_limits(responders: int, patients: int, level: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper and Pearson 1934) two-sided limits of a rate.

    Examples
    --------
    >>> [round(limit, 3) for limit in exact_limits(0, 30)]
    [0.0, 0.116]
    """
    (x,), (n,) = _group("responders", responders, "patients", patients)
    tail = (1 - probability("level", level)) / 2
    low = 0.0 if x == 0 else float(stats.beta.ppf(tail, x, n - x + 1))
    high = 1.0 if x == n else float(stats.beta.isf(tail, x + 1, n - x))
    return low, high


def _group(name: str, responders: object, size_name: str, patients: object) -> tuple[list[int], list[int]]:
    """Read the strata of one group."""
    both = []
    for field, value, least in ((name, responders, 0), (size_name, patients, 1)):
        many = list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
        both.append([count(field, one, "patients", at_least=least) for one in many])
    x, n = both
    if len(x) != len(n) or not x:
        raise InvalidValueError(name, x, f"{len(n)} strata, as for {size_name}", "give each stratum of both")
    for a, b in zip(x, n, strict=True):
        if b > MOST_PATIENTS:
            expected, remedy = f"at most {MOST_PATIENTS:,} patients for an exact method", "use a normal approximation"
            raise InvalidValueError(size_name, b, expected, remedy)
        if a > b:
            raise InvalidValueError(name, a, f"at most the {b} {size_name.replace('_', ' ')}", "correct one of them")
    return x, n


def _odds_ratio(counts: NDArray[np.int64], weight: FloatArray, total: int, level: float) -> tuple[float, float, float]:
    """Conditional maximum likelihood of the common odds ratio, and its exact limits."""
    tail = (1 - level) / 2

    def solve(equation: Callable[[float], float]) -> float:
        return math.exp(optimize.brentq(equation, -FARTHEST, FARTHEST, xtol=1e-12))

    if len(counts) == 1:
        return math.nan, 0.0, math.inf
    at_low, at_high = total == counts[0], total == counts[-1]
    mean = solve(lambda b: float(tilted(counts, weight, b) @ counts) - total) if not (at_low or at_high) else 0.0
    estimate = 0.0 if at_low else math.inf if at_high else mean
    low = 0.0 if at_low else solve(lambda b: float(tilted(counts, weight, b)[counts >= total].sum()) - tail)
    high = math.inf if at_high else solve(lambda b: tail - float(tilted(counts, weight, b)[counts <= total].sum()))
    return estimate, low, high


def _score_limits(x: int, n: int, y: int, m: int, level: float) -> tuple[float, float, float]:
    """Difference of rates with the score limits of Miettinen and Nurminen (1985)."""
    p, q = x / n, y / m
    z = float(stats.norm.isf((1 - level) / 2))

    def distance(difference: float) -> float:
        """Score statistic at a difference, with the rates that are likeliest under it."""
        second = _restricted(x, n, y, m, difference)
        first = second + difference
        variance = (first * (1 - first) / n + second * (1 - second) / m) * (n + m) / (n + m - 1)
        return (p - q - difference) / math.sqrt(max(variance, 1e-300))

    low = -1.0 if p - q <= -1 else optimize.brentq(lambda d: distance(d) - z, -1 + 1e-12, p - q, xtol=1e-12)
    high = 1.0 if p - q >= 1 else optimize.brentq(lambda d: distance(d) + z, p - q, 1 - 1e-12, xtol=1e-12)
    return p - q, float(low), float(high)


def _restricted(x: int, n: int, y: int, m: int, difference: float) -> float:
    """Rate of the second group that is likeliest if the first is higher by `difference`; closed form of the cubic."""
    whole = n + m
    a = whole
    b = (n + 2 * m) * difference - whole - (x + y)
    c = (m * difference - whole - 2 * y) * difference + x + y
    d = y * difference * (1 - difference)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a**2) + d / (2 * a)
    u = math.copysign(math.sqrt(max((b / (3 * a)) ** 2 - c / (3 * a), 0.0)), v)
    inside = 0.0 if u == 0 else min(max(v / u**3, -1.0), 1.0)
    rate = 2 * u * math.cos((math.pi + math.acos(inside)) / 3) - b / (3 * a)
    return min(max(rate, 0.0, -difference), 1.0, 1.0 - difference)


def _sato(
    x: Sequence[int], n: Sequence[int], y: Sequence[int], m: Sequence[int], level: float
) -> tuple[float, float, float]:
    """Mantel-Haenszel difference of rates, with Sato's (1989) variance."""
    a, b, n1, n0 = (np.asarray(values, dtype=float) for values in (x, y, n, m))
    size = n1 + n0
    weight = n1 * n0 / size
    estimate = float((a * n0 - b * n1) @ (1 / size) / weight.sum())
    p = (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / size**2
    q = (a * (n0 - b) + b * (n1 - a)) / (2 * size)
    error = math.sqrt(max(estimate * p.sum() + q.sum(), 0.0)) / float(weight.sum())
    z = float(stats.norm.isf((1 - level) / 2))
    return estimate, max(estimate - z * error, -1.0), min(estimate + z * error, 1.0)
