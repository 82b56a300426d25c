"""What a figure is for: its size, its type, its colours and the table that is usual there."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Preset = Literal["85 mm", "170 mm", "slide", "kmunicate", "nejm", "lancet", "jco"]
MM = 1 / 25.4


class Page(NamedTuple):
    """Size of a figure in inches, of its type in points, its colours where they are a journal's, and its table."""

    width: float
    height: float
    points: float
    colours: tuple[str, ...] = ()
    table: tuple[str, ...] = ("at risk",)


PRESETS = {
    "85 mm": Page(85 * MM, 80 * MM, 6.5),
    "170 mm": Page(170 * MM, 115 * MM, 8.0),
    "slide": Page(10.0, 5.6, 14.0),
    "kmunicate": Page(170 * MM, 130 * MM, 8.0, table=("at risk", "events", "censored")),
    "nejm": Page(140 * MM, 105 * MM, 7.5, ("#BC3C29", "#0072B5", "#E18727", "#20854E")),
    "lancet": Page(154 * MM, 110 * MM, 8.0, ("#00468B", "#ED0000", "#42B540", "#0099B4"), ("at risk (censored)",)),
    "jco": Page(89 * MM, 84 * MM, 6.5, ("#0073C2", "#EFC000", "#868686", "#CD534C")),
}
"""The journals' colours are those of the palettes of these names in ggsci (Xiao N, CRAN)."""
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1.5, 1.5)),
    (0, (6, 2, 1.5, 2)),
    (0, (3, 1)),
    (0, (8, 2)),
    (0, (1, 3)),
)
GREYS = ("#000000", "#767676", "#3f3f3f", "#9a9a9a", "#5a5a5a", "#b0b0b0", "#222222")
