"""The risk table under survival curves: counts by arm at the ticks of the axis, small ones obscured where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from matplotlib.image import imread

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import choice, nonnegative
from analysis.conventions.values import value
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


CELLS: dict[str, tuple[str, ...]] = {
    "at risk": ("at risk",),
    "events": ("events",),
    "censored": ("censored",),
    "at risk (events)": ("at risk", "events"),
    "at risk (censored)": ("at risk", "censored"),
    "at risk, %": ("at risk",),
}
"""The counts that a cell of each kind of row has."""
MONTH = "month"  # row of a line that has the times of the counts


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
    times
        Months of the counts, where they are not the ticks of the axis; they stand in a line of their own.
    pictures
        A small picture for an arm, a PNG or JPEG file by name of the arm; it stands beside the arm's name.

    Raises
    ------
    InvalidValueError
        If a row is unknown, there is none, `fewest` is no count, a time is below 0, or a file is no picture.

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
    times: Sequence[float] = fields.converted(lambda name, given: _times(name, given), default=())
    pictures: Mapping[str, str] = fields.converted(lambda name, given: _pictures(name, given), default=())

    def plan(self, arms: Sequence[str], *, above: bool) -> list[Line]:
        """Say what stands in each line, from the top; long names stand in a line `above` their counts."""
        lines: list[Line] = [Line("Month", None, MONTH)] if self.times else []
        several = len(self.rows) > 1
        missing = [arm for arm in dict(self.pictures) if arm not in arms]
        if missing:
            raise InvalidValueError("pictures", missing[0], f"one of the arms {list(arms)}", "name an arm")
        if self.by == "arm":
            lines += [Line(f"{arm}, {row}" if several else arm or row, arm, row) for arm in arms for row in self.rows]
        else:
            for row in self.rows:
                lines += [Line(f"{row[0].upper()}{row[1:]}", None, None)] if several else []
                lines += [Line(arm or row, arm, row) for arm in arms]
        if not above:
            return lines
        return [
            part
            for line in lines
            for part in ((line,) if line.row is None else (line._replace(row=None), line._replace(label="")))
        ]


class Line(NamedTuple):
    """A line of the table: its label, whose arm it is of, and what its cells show; None for a line of words."""

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


def _times(field: str, given: Any) -> tuple[float, ...]:
    times = nonnegative(field, given)
    if (np.diff(times) <= 0).any():
        raise InvalidValueError(field, list(given), "strictly increasing months", "sort them, drop duplicates")
    return tuple(times.tolist())


def _pictures(field: str, given: Any) -> tuple[tuple[str, str], ...]:
    pairs = dict(given)
    for file in pairs.values():
        try:
            imread(file)
        except (OSError, SyntaxError, ValueError, TypeError) as error:
            raise InvalidValueError(field, file, "a PNG or JPEG file that can be read", "check the file") from error
    return tuple((str(arm), str(file)) for arm, file in pairs.items())


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
