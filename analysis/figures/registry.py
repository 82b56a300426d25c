"""What a registered figure is: a name, its inputs, and the one function that draws it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import matplotlib as mpl

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots.numbered import png_of
from analysis.plots.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WRITTEN = 8  # texts of a panel that its sentence repeats


@dataclass(frozen=True)
class Drawing:
    """A drawn figure with the numbers it shows.

    Attributes
    ----------
    figure
        The picture.
    numbers
        Every plotted number as a tidy frame; written as CSV beside the picture.
    caption
        What it shows, in a sentence.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> Drawing(Figure(), pd.DataFrame({"x": [1, 2]}))
    <Drawing of 2 numbers>
    """

    figure: Figure
    numbers: pd.DataFrame
    caption: str = ""

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.numbers):,} numbers>"

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return png_of(self.figure, self.alt)

    @property
    def alt(self) -> str:
        """The caption, what is drawn in each panel, and what is written there, in place of the figure."""
        panels = (said for axes in self.figure.axes if axes.axison and (said := _panel_in_words(axes)))
        return ". ".join(part for part in (self.caption.removesuffix("."), *panels) if part)


def _panel_in_words(axes: Axes) -> str:
    """Say what a panel shows: its title, its axes, and the first of what is written on it."""
    title = axes.get_title(loc="left") or axes.get_title()
    across = f" against {axes.get_xlabel()}" if axes.get_xlabel() else ""
    shown = f"{axes.get_ylabel()}{across}" if axes.get_ylabel() else axes.get_xlabel()
    legend = axes.get_legend()
    texts = [*(legend.get_texts() if legend else []), *axes.texts]
    said = [" ".join(text.get_text().split()) for text in texts]
    written = [words for words in dict.fromkeys(said) if any(sign.isalpha() or sign == "%" for sign in words)][:WRITTEN]
    head = " ".join(": ".join(part for part in (title, shown) if part).split())
    return f"{head} ({'; '.join(written)})" if head and written else head


@dataclass(frozen=True)
class RegisteredFigure:
    """A figure that the command line can make.

    Attributes
    ----------
    name
        File name without suffix.
    trials
        Names of the reported trials that it is made from; their files are hashed into the manifest.
    seed
        Seed of all random draws in it.
    draw
        Takes the seed, returns the drawing.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from analysis.figures import Drawing, RegisteredFigure
    >>> draw = lambda seed: Drawing(Figure(), pd.DataFrame({"x": [seed]}))
    >>> draw.__doc__ = "One number."
    >>> RegisteredFigure("mine", ("bolero-2",), 7, draw).caption
    'One number.'
    """

    name: str
    trials: tuple[str, ...]
    seed: int
    draw: Callable[[int], Drawing]

    @property
    def caption(self) -> str:
        """The first line of the drawing function's docstring."""
        return (self.draw.__doc__ or "").strip().splitlines()[0]

    def __call__(self) -> Drawing:
        """Draw the figure in the project's style."""
        with mpl.rc_context(STYLE):
            return replace(self.draw(self.seed), caption=self.caption)


def by_name(figures: Iterable[RegisteredFigure]) -> dict[str, RegisteredFigure]:
    """Index figures by their name; `InvalidValueError` if two have the same one.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from analysis.figures import Drawing, RegisteredFigure
    >>> draw = lambda seed: Drawing(Figure(), pd.DataFrame({"x": [seed]}))
    >>> draw.__doc__ = "One number."
    >>> list(by_name([RegisteredFigure("mine", (), 7, draw)]))
    ['mine']
    """
    index: dict[str, RegisteredFigure] = {}
    for figure in figures:
        if figure.name in index:
            raise InvalidValueError("name", figure.name, "a name that no other figure has", "rename one of the two")
        index[figure.name] = figure
    return index


def pick(figures: dict[str, RegisteredFigure], only: Iterable[str]) -> list[RegisteredFigure]:
    """Return the named figures, all of them when none is named.

    Raises
    ------
    UnknownNameError
        For a name that is not registered.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from analysis.figures import Drawing, RegisteredFigure
    >>> draw = lambda seed: Drawing(Figure(), pd.DataFrame({"x": [seed]}))
    >>> draw.__doc__ = "One number."
    >>> [one.name for one in pick({"mine": RegisteredFigure("mine", (), 7, draw)}, ["mine"])]
    ['mine']
    """
    names = list(only) or list(figures)
    for name in names:
        if name not in figures:
            raise UnknownNameError("figure", name, figures)
    return [figures[name] for name in names]
