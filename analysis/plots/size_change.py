"""The axis of change from baseline of the target sum, with the lines that RECIST 1.1 draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter

from analysis.errors import InvalidValueError
from analysis.plots.style import GREY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

PARTIAL_RESPONSE, PROGRESSION = -30.0, 20.0
"""Per cent of change: a PR is 30% or more below baseline, a PD 20% or more above the smallest sum."""

CAP = 100.0
"""Per cent above which a change is cut and its value written."""


def signed(change: float) -> str:
    """Write a change in per cent with its sign.

    Examples
    --------
    >>> signed(-30.2), signed(0.0), signed(152.0)
    ('−30%', '0%', '+152%')
    """
    return f"{change:+.0f}%".replace("-", "\N{MINUS SIGN}") if round(change) else "0%"


def check_changes(changes: Iterable[float], field: str) -> None:
    """Ask for changes that a sum of diameters can have.

    Raises
    ------
    InvalidValueError
        If one is below -100%.
    """
    for change in changes:
        if change < -100:
            expected = "per cent of the baseline sum, at least -100"
            raise InvalidValueError(field, change, expected, "give 100 * (sum / baseline - 1)")


def change_axis(ax: Axes, *, cap: float = CAP) -> None:
    """Show change in per cent on the y axis, from -100 to just above `cap`, with lines at 0, -30 and +20."""
    ax.set_ylim(-105, cap + 10)
    steps = range(-100, int(cap) + 1, 50 if cap <= 200 else 100)
    ax.yaxis.set_major_locator(FixedLocator(sorted({*map(float, steps), PARTIAL_RESPONSE, PROGRESSION})))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda change, _: signed(change)))
    ax.axhline(0, color="black", linewidth=0.8)
    for threshold in (PARTIAL_RESPONSE, PROGRESSION):
        ax.axhline(threshold, color=GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0.5)
