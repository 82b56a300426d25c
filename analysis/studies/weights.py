"""How far the power of an exact binomial test moves when one assumption at a time is replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.registry import Drawing
from analysis.plots import GREY, PAGE_WIDTH, percent_axis, tornado
from analysis.single_arm import exact_binomial

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Case:
    """What the power of a single arm on a binary endpoint rests on.

    Attributes
    ----------
    n
        Patients.
    null_rate, true_rate
        Rates at the landmark, under the null hypothesis and as they are.
    alpha
        One-sided.
    months
        From entry to the landmark.
    lost
        Lost per month; who is lost before the landmark counts as a failure.
    """

    n: int
    null_rate: float
    true_rate: float
    alpha: float
    months: float
    lost: float = 0.0

    @property
    def power(self) -> float:
        """Exact power."""
        test = exact_binomial(self.n, null_rate=self.null_rate, alpha=self.alpha)
        return float(test.rejection_probability(self.true_rate * np.exp(-self.lost * self.months)))


def weighed(base: Case, others: Iterable[tuple[str, str, dict[str, Any]]]) -> pd.DataFrame:
    """Tabulate the power as assumed, then with one assumption at a time replaced, in order of weight.

    Parameters
    ----------
    base
        As assumed.
    others
        What is replaced, by what, and the fields of the case that differ.

    Returns
    -------
    DataFrame
        ``replaced``, ``by``, ``power``, ``difference``; the first row is the power as assumed.
    """
    rows = [("as assumed", "", base.power)]
    rows += [(what, how, replace(base, **changes).power) for what, how, changes in others]
    frame = pd.DataFrame(rows, columns=["replaced", "by", "power"])
    frame["difference"] = frame["power"] - base.power
    order = [0, *(frame.index[1:][np.argsort(-frame["difference"].iloc[1:].abs(), kind="stable")])]
    return frame.loc[order].reset_index(drop=True)


def draw_weights(moved: pd.DataFrame, base: Case, endpoint: str) -> Drawing:
    """Draw them as a tornado."""
    figure = Figure(figsize=(PAGE_WIDTH, 3.2), layout="constrained")
    ax, others = figure.subplots(), moved.iloc[1:]
    tornado(list(others["replaced"]), list(others["by"]), others["power"], base.power, ax)
    low, high = ax.get_xlim()
    percent_axis(ax, "Exact power", axis="x", low=low, high=high)
    ax.set_xticks(np.linspace(0, 1, 6))
    figure.supxlabel(
        f"Line: {base.power:.1%} as assumed, {base.n} patients, {endpoint} {base.true_rate:.0%} against "
        f"{base.null_rate:.0%}, one-sided {base.alpha:.0%}, nobody lost.",
        fontsize=7, color=GREY,
    )  # fmt: skip
    return Drawing(figure, moved)
