"""The risk table written: its lines at the ticks of the axis, or at times of its own, each arm in its colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.image import imread
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.transforms import ScaledTranslation

from analysis.errors import InvalidValueError
from analysis.plots.annotations import median_of
from analysis.plots.risk_table import CELLS, RiskTable, obscured
from analysis.plots.style import GREY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from analysis.plots.drawn import Drawn
    from analysis.plots.risk_table import Line

ELLIPSIS = "\u2026"
HEADING = -1  # line above the table
GAP = 2.2  # between the names and the counts; this and the next in sizes of the type
SAMPLE = (2.0, 4.6, 5.2)  # where a sample of a line begins and ends, and what stands beyond it
PICTURE = 1.2  # height of a picture


@dataclass(frozen=True)
class Writer:
    """Writes into the axes `below` those of the curves, in type of so many `points`."""

    below: Axes
    curves: Axes
    wanted: Sequence[Drawn]
    colours: dict[str, str]
    dashes: dict[str, Any]
    table: RiskTable
    points: float
    level: float
    above: bool

    def write(self, end: float) -> pd.DataFrame:
        """Write the table up to month `end`; gives the counts that it shows."""
        table, ticks = self.table, self._ticks(end)
        shown = sorted({count for row in table.rows for count in CELLS[row]})
        counted = {each.name: each.counts(ticks) for each in self.wanted}
        of_arm = {name: obscured(counts, table.fewest, shown) for name, counts in counted.items() if counts is not None}
        plan = table.plan(list(of_arm), above=self.above)
        self._heading()
        cells: list[Text] = []
        told: set[str | None] = set()
        for y, line in enumerate(plan):
            self._label(line, y, is_first=line.arm not in told)
            if line.row is None:
                continue
            if line.arm is None:
                cells += [self._cell(tick, y, f"{tick:g}", color=GREY) for tick in ticks]
                continue
            counts, small = of_arm[line.arm]
            each = next(each for each in self.wanted if each.name == line.arm)
            n = float(np.mean([time.size for time, _ in each.patients]))
            for tick in ticks:
                cells.append(self._cell(tick, y, _text(line.row, counts[tick], small[tick], n, table.fewest)))
            if table.medians and line.arm not in told:
                self._median(median_of(each, self.level), y, self.colours[line.arm])
            told.add(line.arm)
        self.below.set_ylim(len(plan) - 0.4, -1.5)
        self.below.set_axis_off()
        if table.box:
            self._box()
        self._follow(cells)
        return pd.DataFrame(
            [
                {"arm": name, "count": count} | dict(zip(ticks, counts.loc[count], strict=True))
                for name, (counts, _) in of_arm.items()
                for count in shown
            ]
        )

    def _ticks(self, end: float) -> np.ndarray:
        beyond = [time for time in self.table.times if time > end * (1 + 1e-9)]
        if beyond:
            expected = f"months up to the end of the axis, {end:g}"
            raise InvalidValueError("times", beyond[0], expected, "leave it out, or choose end= later")
        lowest = min(self.curves.get_xlim()) * (1 - 1e-9)  # above 0 on a log axis
        times = self.table.times or self.curves.xaxis.get_majorticklocs()
        return np.array([tick for tick in times if lowest <= tick <= end * (1 + 1e-9)])

    def _heading(self) -> None:
        row = self.table.rows[0]
        head = f"{row[0].upper()}{row[1:]}" if len(self.table.rows) == 1 else "Numbers of patients"
        is_mean = any(len(each.patients) > 1 for each in self.wanted)
        self._left(head + (", mean of the members" if is_mean else ""), HEADING, GREY)
        if self.table.medians:
            self._median(f"Median ({100 * self.level:g}% CI)", HEADING, GREY)

    def _label(self, line: Line, y: int, *, is_first: bool) -> None:
        """Write the name of a line; beside counts also the sample of its arm's line, and its picture."""
        colour = GREY if line.arm is None else self.colours[line.arm]
        if line.row is None:
            self._left(line.label, y, colour)
            return
        gap = 0.0
        if self.table.lines and line.arm is not None:
            start, stop, gap = SAMPLE
            looks: dict[str, Any] = {"color": colour, "linestyle": self.dashes[line.arm], "linewidth": 1.3}
            places = [self.below.get_yaxis_transform() + self._shift(-side) for side in (start, stop)]
            self._line((0.0, y), places[0], (0.0, y), places[1], looks)
        file = dict(self.table.pictures).get(line.arm or "")
        if file is not None and (is_first or self.table.by == "count"):
            gap = gap or GAP
            gap += self._picture(file, y, gap)
        if line.label:
            self.below.annotate(
                line.label, (0.0, y), (-(gap or GAP) * self.points, 0), xycoords=self.below.get_yaxis_transform(),
                textcoords="offset points", ha="right", va="center", color=colour, annotation_clip=False,
                fontsize=0.85 * self.points,
            )  # fmt: skip

    def _picture(self, file: str, y: int, gap: float) -> float:
        """Put a picture at the left of the counts; gives the room that it took, in sizes of the type."""
        image = imread(file)
        drawn = OffsetImage(image, zoom=PICTURE * self.points / image.shape[0])
        place = AnnotationBbox(
            drawn, (0.0, y), xybox=(-gap * self.points, 0), xycoords=self.below.get_yaxis_transform(),
            boxcoords="offset points", box_alignment=(1.0, 0.5), frameon=False, pad=0, annotation_clip=False,
        )  # fmt: skip
        self.below.add_artist(place)
        return float(PICTURE * image.shape[1] / image.shape[0]) + 0.5

    def _left(self, text: str, y: int, colour: str) -> None:
        place = self.below.get_yaxis_transform()
        self.below.text(0.0, y, text, color=colour, transform=place, fontsize=0.85 * self.points, va="center")

    def _median(self, text: str, y: int, colour: str) -> None:
        place = self.below.get_yaxis_transform() + self._shift(2.4)
        self.below.text(1.0, y, text, color=colour, transform=place, fontsize=0.85 * self.points, va="center")

    def _cell(self, tick: float, y: int, text: str, **looks: Any) -> Text:
        return self.below.text(tick, y, text, fontsize=0.85 * self.points, ha="center", va="center", **looks)

    def _box(self) -> None:
        left, right = (self.below.transAxes + self._shift(side * 1.5) for side in (-1, 1))  # beyond the counts
        corners = [(0.0, 0.0, left), (1.0, 0.0, right), (1.0, 1.0, right), (0.0, 1.0, left)]
        for (*start, of), (*stop, to) in zip(corners, corners[1:] + corners[:1], strict=True):
            self._line((start[0], start[1]), of, (stop[0], stop[1]), to, {"color": GREY, "linewidth": 0.6})

    def _line(self, start: tuple[float, float], of: Any, stop: tuple[float, float], to: Any, looks: Any) -> None:
        """Draw a line from a point of one system of coordinates to one of another."""
        edge = {"shrinkA": 0, "shrinkB": 0, "arrowstyle": "-", **looks}
        ends: dict[str, Any] = {"xycoords": of, "textcoords": to, "arrowprops": edge}
        self.below.annotate("", start, stop, annotation_clip=False, **ends)

    def _shift(self, sizes: float) -> ScaledTranslation:
        return ScaledTranslation(sizes * self.points / 72, 0, self.below.figure.dpi_scale_trans)

    def _follow(self, cells: Sequence[Text]) -> None:
        """Under zoom a count stays below its month, or is not shown."""

        def follow(ax: Axes) -> None:
            low, high = sorted(ax.get_xlim())
            for text in cells:
                text.set_visible(low - 1e-9 <= text.get_position()[0] <= high + 1e-9)

        self.curves.callbacks.connect("xlim_changed", follow)


def _text(row: str, counts: pd.Series, small: pd.Series, n: float, fewest: int) -> str:
    values = [float(counts[count]) for count in CELLS[row]]
    if row.endswith("%") and not np.isnan(values[0]):
        return f"{100 * values[0] / n:.0f}"
    cells = [_cell(v, bool(small[c]), fewest) for v, c in zip(values, CELLS[row], strict=True)]
    return cells[0] + "".join(f" ({cell})" for cell in cells[1:])


def _cell(count: float, small: bool, fewest: int) -> str:
    if np.isnan(count):
        return f"<{fewest}" if small else ELLIPSIS
    return f"{count:.0f}"
