"""What a comparison of two arms returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import special

from analysis.survival.display import html, items

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TestResult:
    """A test of the experimental arm against the control arm.

    Attributes
    ----------
    method
        Name of the test with its weight.
    estimate
        What is tested against 0; for a log-rank test the weighted events of the experimental arm above those expected.
    std_error
        Standard error of `estimate` under the null hypothesis.
    statistic
        Standard normal under the null hypothesis; negative favours the experimental arm.
    p_one_sided
        p-value against the alternative that the experimental arm is better.
    p_two_sided
        Two-sided p-value.
    """

    __test__ = False  # for pytest: a result, not a test case

    method: str
    estimate: float
    std_error: float
    statistic: float
    p_one_sided: float
    p_two_sided: float

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        return items(self)

    def _repr_html_(self) -> str:
        return html(self.summary())


@dataclass(frozen=True)
class Difference:
    """A difference between the arms, experimental minus control: positive favours the experimental arm.

    Attributes
    ----------
    method
        Name of the comparison.
    estimate, std_error
        The difference with its standard error.
    lower, upper
        Two-sided normal confidence limits of the difference.
    level
        Their confidence level.
    experimental, control
        The quantity in each arm.
    statistic
        Minus the difference over its standard error, so that negative favours the experimental arm as in every test.
    p_one_sided
        p-value against the alternative that the experimental arm is better.
    p_two_sided
        Two-sided p-value.
    """

    method: str
    estimate: float
    std_error: float
    lower: float
    upper: float
    level: float
    experimental: float
    control: float
    statistic: float
    p_one_sided: float
    p_two_sided: float

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        return items(self)

    def _repr_html_(self) -> str:
        return html(self.summary())


def p_values(statistic: float) -> tuple[float, float]:
    """Return the one-sided p-value, small for a very negative statistic, and the two-sided one."""
    return float(special.ndtr(statistic)), float(2 * special.ndtr(-abs(statistic)))


def difference(method: str, arms: tuple[float, float], estimate: float, std_error: float, level: float) -> Difference:
    """Return the difference with its normal limits and p-values; `arms` are the experimental and the control value."""
    margin = float(special.ndtri(0.5 + level / 2)) * std_error
    statistic = -estimate / std_error
    limits = estimate - margin, estimate + margin
    return Difference(method, estimate, std_error, *limits, level, *arms, statistic, *p_values(statistic))
