"""The risk table under survival curves: counts by arm at the ticks of the axis, small ones obscured where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.transforms import ScaledTranslation

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import choice
from analysis.conventions.values import value
from analysis.errors import InvalidValueError
from analysis.plots.annotations import median_of
from analysis.plots.style import GREY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from analysis.plots.drawn import Drawn

CELLS: dict[str, tuple[str, ...]] = {
    "at risk": ("at risk",),
    "events": ("events",),
    "censored": ("censored",),
    "at risk (events)": ("at risk", "events"),
    "at risk (censored)": ("at risk", "censored"),
    "at risk, %": ("at risk",),
}
"""The counts that a cell of each kind of row has."""
ELLIPSIS = "\u2026"
HEADING = -1  # line above the table


@border
@value
class RiskTable:
    """What the table under survival curves shows, and how.

    Parameters
    ----------
    rows
        For each arm, of ``"at risk"``, ``"events"``, ``"censored"`` (cumulative), ``"at risk (events)"``,
        ``"at risk (censored)"`` (two counts in a cell), ``"at risk, %"``.
    by
        ``"arm"``: all rows of an arm together; ``"count"``: the arms together under the name of each count.
    fewest
        Counts below it, but 0, are written as ``<fewest``, and what would tell them by subtraction as an ellipsis; in
        `SurvivalFigure.counts` they are NaN. Differences between ticks still tell how many left.
    lines
        Whether a sample of each arm's line stands beside its name.
    medians
        Whether a last column has the median of each arm with its limits.
    box
        Whether the table has a frame.

    Raises
    ------
    InvalidValueError
        If a row is unknown, there is none, or `fewest` is no count.

    Examples
    --------
    >>> from analysis.plots import RiskTable, survival_plot
    >>> arms = ["old"] * 4 + ["new"] * 4
    >>> table = RiskTable(["at risk", "events"], by="count", medians=True)
    >>> shown = survival_plot(time=[2, 3, 5, 8, 4, 6, 8, 9], event=[1] * 8, arm=arms, table=table)
    >>> [text.get_text() for text in shown.risk_table.texts][:2]
    ['Numbers of patients', 'Median (95% CI)']
    """

    rows: Sequence[str] = fields.converted(lambda name, given: _rows(name, given), default=("at risk",))
    by: Literal["arm", "count"] = fields.choice(("arm", "count"), default="arm")
    fewest: int = fields.count("patients", at_least=0, default=0)
    lines: bool = fields.plain(default=False)
    medians: bool = fields.plain(default=False)
    box: bool = fields.plain(default=False)

    def plan(self, arms: Sequence[str], *, above: bool) -> list[Line]:
        """Say what stands in each line, from the top; long names stand in a line `above` their counts."""
        lines: list[Line] = []
        several = len(self.rows) > 1
        if self.by == "arm":
            lines = [Line(f"{arm}, {row}" if several else arm or row, arm, row) for arm in arms for row in self.rows]
        else:
            for row in self.rows:
                lines += [Line(f"{row[0].upper()}{row[1:]}", None, None)] if several else []
                lines += [Line(arm or row, arm, row) for arm in arms]
        if not above:
            return lines
        return [
            part
            for line in lines
            for part in ((line,) if line.arm is None else (line._replace(row=None), line._replace(label="")))
        ]


class Line(NamedTuple):
    """A line of the table: its label, whose arm it is of, and what its cells count; None for a line of words."""

    label: str
    arm: str | None
    row: str | None


def as_risk_table(given: Sequence[str] | RiskTable) -> RiskTable:
    """Take a table, or its rows alone."""
    return given if isinstance(given, RiskTable) else RiskTable(_rows("table", given))


def _rows(field: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InvalidValueError(field, given, f"a list of {', '.join(CELLS)}", f"write {field}=[{given!r}]")
    for one in given:
        choice(field, one, tuple(CELLS))
    return tuple(given)


def write_table(
    below: Axes, curves: Axes, wanted: Sequence[Drawn], colours: dict[str, str], dashes: dict[str, Any],
    table: RiskTable, end: float, points: float, level: float, *, above: bool,
) -> pd.DataFrame:  # fmt: skip
    """Write the risk table at the ticks of the axis, each arm in its colour."""
    lowest = min(curves.get_xlim()) * (1 - 1e-9)  # above 0 on a log axis
    ticks = np.array([tick for tick in curves.xaxis.get_majorticklocs() if lowest <= tick <= end * (1 + 1e-9)])
    shown = sorted({count for row in table.rows for count in CELLS[row]})
    counted = {each.name: each.counts(ticks) for each in wanted}
    of_arm = {name: obscured(counts, table.fewest, shown) for name, counts in counted.items() if counts is not None}
    by_name = {each.name: each for each in wanted}
    place: dict[str, Any] = {"transform": below.get_yaxis_transform(), "fontsize": 0.85 * points, "va": "center"}
    is_mean = any(len(each.patients) > 1 for each in wanted)
    row = table.rows[0]
    head = f"{row[0].upper()}{row[1:]}" if len(table.rows) == 1 else "Numbers of patients"
    below.text(0.0, HEADING, head + (", mean of the members" if is_mean else ""), color=GREY, ha="left", **place)
    if table.medians:
        place_of_medians = place | {"transform": place["transform"] + _points(below, 2.4 * points), "ha": "left"}
        below.text(1.0, HEADING, f"Median ({100 * level:g}% CI)", color=GREY, **place_of_medians)
    plan = table.plan(list(of_arm), above=above)
    told: set[str] = set()
    cells: list[Text] = []
    for y, line in enumerate(plan):
        colour = GREY if line.arm is None else colours[line.arm]
        beside = line.row is not None and not above
        gap = 2.2 * points if beside else 0.0
        if table.lines and line.arm is not None and line.row is not None:
            looks = {"arrowstyle": "-", "color": colour, "linestyle": dashes[line.arm], "linewidth": 1.3}
            _beside(below, "", y, 2.0 * points, 4.6 * points, arrowprops={"shrinkA": 0, "shrinkB": 0, **looks})
            gap = 5.2 * points
        if beside:
            _beside(below, line.label, y, gap, gap, color=colour, fontsize=0.85 * points)
        elif line.label:
            below.text(0.0, y, line.label, color=colour, ha="left", **place)
        if line.arm is None or line.row is None:
            continue
        counts, small = of_arm[line.arm]
        n = float(np.mean([time.size for time, _ in by_name[line.arm].patients]))
        for tick in ticks:
            text = _text(line.row, counts[tick], small[tick], n, table.fewest)
            cells.append(below.text(tick, y, text, fontsize=0.85 * points, ha="center", va="center"))
        if table.medians and line.arm not in told:
            told.add(line.arm)
            below.text(1.0, y, median_of(by_name[line.arm], level), color=colour, **place_of_medians)
    below.set_ylim(len(plan) - 0.4, -1.5)
    below.set_axis_off()
    if table.box:
        left, right = (below.transAxes + _points(below, side * 1.5 * points) for side in (-1, 1))  # beyond the counts
        corners = [(0.0, 0.0, left), (1.0, 0.0, right), (1.0, 1.0, right), (0.0, 1.0, left)]
        edge = {"shrinkA": 0, "shrinkB": 0, "arrowstyle": "-", "color": GREY, "linewidth": 0.6}
        for (*start, of), (*stop, to) in zip(corners, corners[1:] + corners[:1], strict=True):
            ends: dict[str, Any] = {"xycoords": of, "textcoords": to, "arrowprops": edge}
            below.annotate("", (start[0], start[1]), (stop[0], stop[1]), annotation_clip=False, **ends)

    def follow(ax: Axes) -> None:
        low, high = sorted(ax.get_xlim())
        for text in cells:
            text.set_visible(low - 1e-9 <= text.get_position()[0] <= high + 1e-9)

    curves.callbacks.connect("xlim_changed", follow)  # under zoom a count stays below its month, or is not shown
    return pd.DataFrame(
        [
            {"arm": name, "count": count} | dict(zip(ticks, counts.loc[count], strict=True))
            for name, (counts, _) in of_arm.items()
            for count in shown
        ]
    )


def _beside(below: Axes, text: str, y: float, gap: float, end: float, **looks: Any) -> None:
    """Write, or draw a line, at the left of the axes, between so many points from them."""
    at = below.get_yaxis_transform()
    if "arrowprops" in looks:  # a line has two ends
        start, stop = (at + _points(below, -side) for side in (gap, end))
        below.annotate(text, (0.0, y), (0.0, y), xycoords=start, textcoords=stop, annotation_clip=False, **looks)
        return
    below.annotate(
        text, (0.0, y), (-gap, 0), textcoords="offset points", xycoords=at, ha="right", va="center",
        annotation_clip=False, **looks,
    )  # fmt: skip


def _points(ax: Axes, points: float) -> ScaledTranslation:
    return ScaledTranslation(points / 72, 0, ax.figure.dpi_scale_trans)


def _text(row: str, counts: pd.Series, small: pd.Series, n: float, fewest: int) -> str:
    values = [float(counts[count]) for count in CELLS[row]]
    if row.endswith("%") and not np.isnan(values[0]):
        return f"{100 * values[0] / n:.0f}"
    cells = [_cell(v, bool(small[c]), fewest) for v, c in zip(values, CELLS[row], strict=True)]
    return cells[0] + "".join(f" ({cell})" for cell in cells[1:])


def obscured(counts: pd.DataFrame, fewest: int, shown: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide counts below `fewest`, and the next one where three counts of known sum would tell a single hidden one.

    Returns
    -------
    tuple
        The counts with NaN for what is hidden, and which of them are hidden for being small.
    """
    small = (counts > 0) & (counts < fewest)
    hidden = small.copy()
    if len(shown) == len(counts):  # at risk, events and censored sum to the patients
        for tick in counts.columns:
            if hidden[tick].sum() == 1:
                others = counts[tick][~hidden[tick]]
                hidden.loc[others[others > 0].idxmin() if (others > 0).any() else others.index[0], tick] = True
    return counts.mask(hidden), small


def _cell(count: float, small: bool, fewest: int) -> str:
    if np.isnan(count):
        return f"<{fewest}" if small else ELLIPSIS
    return f"{count:.0f}"
