"""Fonts that have the letters of a figure: names of arms may be in any script."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font

from analysis.errors import MissingLettersWarning
from analysis.plots.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def fonts_of_matplotlib() -> Iterator[None]:
    """Take the fonts that Matplotlib brings, where the system has others of their names: the same bytes anywhere.

    A system's DejaVu is another version, in which a ligature has another number, by which SVG names it.
    """
    brought = sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf"))
    everything, fontManager.ttflist = fontManager.ttflist, []
    try:
        for path in brought:  # none of them need be in a list that another environment has kept
            fontManager.addfont(path)
        names = {font.name for font in fontManager.ttflist}
        fontManager.ttflist += [font for font in everything if font.name not in names]
        yield
    finally:
        fontManager.addfont(brought[0])  # what was found meanwhile is forgotten
        fontManager.ttflist = everything


def families(texts: tuple[str, ...]) -> list[str]:
    """Name the usual font, and one besides that has the letters which it lacks; warn once where none is installed."""
    usual = str(STYLE["font.family"])
    letters = {letter for text in texts for letter in text if letter.isprintable()}
    missing = frozenset(letter for letter in letters if ord(letter) not in _letters_of(_path(usual)))
    if not missing:
        return [usual]
    found = _font_with(missing)
    if found is None:
        shown = "".join(sorted(missing)[:8])
        message = f"no installed font has {shown}; install one that does, as Noto Sans CJK, or name the arms otherwise"
        warnings.warn(message, MissingLettersWarning, stacklevel=3)
        return [usual]
    return [usual, found]


def _path(name: str) -> str:
    return str(findfont(FontProperties(family=name)))


@cache
def _letters_of(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())


@cache
def _font_with(letters: frozenset[str]) -> str | None:
    """Name the first installed font that has them all."""
    for font in sorted(fontManager.ttflist, key=lambda font: font.name):
        if font.name.startswith("Last Resort"):  # has a box for every letter
            continue
        try:
            known = _letters_of(font.fname)
        except (OSError, RuntimeError):  # a file that is no font
            continue
        if all(ord(letter) in known for letter in letters):
            return font.name
    return None
