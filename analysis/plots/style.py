"""One palette, one type size, one way of writing an axis, for every figure of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import PercentFormatter

from analysis.conventions.border import border
from analysis.conventions.checks import number
from analysis.errors import InvalidValueError
from analysis.plots.time_unit import MONTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, told apart by every common kind of colour vision; the experimental arm takes the first."""

GREY = "#666666"
"""For what is not data: reference lines, reported values, notes."""

STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "trial-outcome-analysis",
}
"""Matplotlib settings; the salt makes the identifiers in an SVG the same in every run."""

PAGE_WIDTH = 7.2
"""Inches: the text width of an A4 or letter page."""


@border
def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """Give each arm its colour, in the order in which the arms are named.

    Raises
    ------
    InvalidValueError
        If there are more arms than colours that can be told apart.

    Examples
    --------
    >>> arm_colours(["new", "old"])
    {'new': '#0072B2', 'old': '#D55E00'}
    """
    if len(arms) > len(PALETTE):
        expected = f"at most {len(PALETTE)}, as many as there are colours that can be told apart"
        raise InvalidValueError("arms", f"{len(arms)} arms", expected, "draw them in two plots")
    return dict(zip(map(str, arms), PALETTE, strict=False))


@border
def month_axis(ax: Axes, end: float, label: str = "Months") -> None:
    """Put ticks on multiples of 3, 6 or 12 months where there are many, and write the unit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> month_axis(ax, 24)
    >>> ax.get_xlabel()
    'Months'
    """
    MONTHS.axis(ax, end)
    ax.set_xlabel(label)


@border
def percent_axis(ax: Axes, label: str, *, axis: str = "y", low: float = 0.0, high: float = 1.0) -> None:
    """Show a probability as percent on one axis.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> percent_axis(ax, "Event-free")
    >>> ax.get_ylabel()
    'Event-free'
    """
    if axis == "y":
        ax.set_ylim(low, high)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_ylabel(label)
    else:
        ax.set_xlim(low, high)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_xlabel(label)


@border
def label_line(ax: Axes, x: float, y: float, text: str, colour: str, **where: Any) -> None:
    """Write a curve's name beside it, in its colour.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> label_line(ax, 6, 0.5, "new", "#0072B2")
    >>> ax.texts[0].get_text()
    'new'
    """
    x, y = number("x", x), number("y", y)
    placed: dict[str, Any] = {"ha": "left", "va": "center", "fontsize": 8} | where
    ax.annotate(text, (x, y), xytext=(3, 0), textcoords="offset points", color=colour, annotation_clip=False, **placed)
