"""The saw-tooth: exact power and attained type I error of a binomial test over the number of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import probability
from analysis.plots.numbered import NumberedFigure, figure_of, numbered
from analysis.plots.style import GREY, PALETTE, STYLE, percent_axis
from analysis.single_arm import exact_binomial_power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


@border
def saw_tooth(
    sizes: ArrayLike,
    *,
    null_rate: float,
    alternative_rate: float,
    alpha: float,
    power: float | None = None,
    ax: Axes | None = None,
) -> NumberedFigure:
    """Draw exact power and attained type I error over the number of patients.

    Parameters
    ----------
    sizes
        Patient counts, shape ``(m,)``.
    null_rate, alternative_rate, alpha
        As for `analysis.single_arm.exact_binomial_power`; alpha is one-sided.
    power
        Drawn as a line, if given.
    ax
        Axes to draw on; by default those of a figure of its own.

    Returns
    -------
    NumberedFigure
        Numbers: ``n``, ``critical``, ``attained_alpha``, ``power``.

    Examples
    --------
    >>> shown = saw_tooth(range(20, 60), null_rate=0.15, alternative_rate=0.35, alpha=0.05, power=0.8)
    >>> int(shown.numbers.set_index("n").loc[30, "critical"])
    9
    """
    numbers = exact_binomial_power(
        np.asarray(sizes), null_rate=null_rate, alternative_rate=alternative_rate, alpha=alpha
    )
    axes = figure_of(ax)
    with mpl.rc_context(STYLE):
        for column, colour, name in (
            ("power", PALETTE[0], f"power at {alternative_rate:.0%}"),
            ("attained_alpha", PALETTE[1], f"type I error at {null_rate:.0%}"),
        ):
            axes[0].step(numbers["n"], numbers[column], where="mid", color=colour, linewidth=1.2)
            last = numbers.iloc[-1]
            axes[0].annotate(
                name, (last["n"], last[column]), xytext=(0, 5), textcoords="offset points", color=colour,
                fontsize=8, ha="right", va="bottom",
            )  # fmt: skip
        axes[0].axhline(alpha, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        if power is not None:
            axes[0].axhline(probability("power", power), color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        percent_axis(axes[0], "Chance of rejecting the null", high=1.12)
        axes[0].set_xlabel("Patients evaluated")
    best = numbers.iloc[-1]
    alt = (
        f"Exact test of {null_rate:.0%} against {alternative_rate:.0%}, one-sided alpha {alpha:g}: power "
        f"{100 * best['power']:.0f}% and type I error {100 * best['attained_alpha']:.1f}% at {best['n']:.0f} patients"
    )
    return numbered(axes, numbers, alt)
