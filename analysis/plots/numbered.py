"""A figure that carries its numbers and a sentence in its place."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from analysis.conventions.border import border
from analysis.errors import InvalidValueError
from analysis.plots.style import PAGE_WIDTH, STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def png_of(figure: Figure, alt: str) -> tuple[bytes, dict[str, str]]:
    """Give what a notebook shows of a figure: its picture, and a sentence in its place."""
    with mpl.rc_context(STYLE), BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue(), {"alt": alt}


@border
@dataclass(frozen=True, eq=False)
class NumberedFigure:
    """A figure with the numbers that it shows.

    Attributes
    ----------
    figure
        The whole figure; ``figure.savefig("power.pdf")`` writes it.
    axes
        The axes, in reading order; draw on them what else there is to say.
    numbers
        Every number drawn, as a tidy frame.
    alt
        A sentence in place of the figure.

    Examples
    --------
    >>> from analysis.plots import saw_tooth
    >>> shown = saw_tooth([29, 30], null_rate=0.15, alternative_rate=0.35, alpha=0.05)
    >>> shown.numbers["critical"].tolist(), len(shown.axes)
    ([9, 9], 1)
    """

    figure: Figure
    axes: tuple[Axes, ...]
    numbers: pd.DataFrame
    alt: str

    def __repr__(self) -> str:
        return f"<figure of {len(self.numbers):,} numbers: {self.alt}>"

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return png_of(self.figure, self.alt)


def figure_of(ax: Axes | None, *, height: float = 3.6, columns: int = 1, width: float = PAGE_WIDTH) -> tuple[Axes, ...]:
    """Give the axes to draw on: those given, or those of a new figure of the page's width."""
    if ax is not None:
        if columns > 1 or not hasattr(ax, "plot"):
            raise InvalidValueError("ax", ax, "axes of Matplotlib", "make them by figure.subplots(), or leave them out")
        return (ax,)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return tuple(figure.subplots(1, columns, squeeze=False)[0])


def numbered(axes: tuple[Axes, ...], numbers: pd.DataFrame, alt: str) -> NumberedFigure:
    """Put what was drawn together."""
    figure = axes[0].get_figure(root=True)
    assert isinstance(figure, Figure), "axes belong to a figure"
    return NumberedFigure(figure, axes, numbers.reset_index(drop=True), alt)
