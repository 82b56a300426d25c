"""Fonts that have the letters of a figure: names of arms may be in any script."""

from __future__ import annotations

import warnings
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font

from analysis.errors import MissingLettersWarning
from analysis.plots.style import STYLE


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
