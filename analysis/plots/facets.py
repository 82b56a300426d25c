"""Survival curves by stratum: a panel for each, all on the same axes, in the same colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from analysis.conventions.border import border
from analysis.conventions.checks import positive
from analysis.errors import InvalidValueError
from analysis.plots.drawn import ARMS, TIMES
from analysis.plots.numbered import NumberedFigure, numbered
from analysis.plots.style import PAGE_WIDTH, STYLE
from analysis.plots.survival_plot import survival_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE = 0.2  # inches of a row of the risk table
SMALL = 7.5  # points


@border
def survival_facets(
    patients: Any,
    facet: str,
    *,
    levels: Sequence[Any] | None = None,
    columns: int = 2,
    end: float | None = None,
    arm: str | None = None,
    control: str | None = None,
    table: Sequence[str] = ("at risk",),
    **options: Any,
) -> NumberedFigure:
    """Draw the survival curves of each level of a stratum side by side, with shared axes and a risk table each.

    Parameters
    ----------
    patients
        A frame of patients (pandas, polars, pyarrow), as for `survival_plot`.
    facet
        Column that tells the panels apart.
    levels
        Which of its values, in the order of the panels; by default all, sorted.
    columns
        Panels beside each other.
    end
        Last month of all panels; by default the longest follow-up of any.
    arm, control
        Column of the arms, where it has no usual name, and the control arm: the same in every panel.
    table
        Rows of each risk table.
    **options
        Further options of `survival_plot`, the same for all panels.

    Returns
    -------
    NumberedFigure
        Numbers: the curves of all panels, with a first column ``facet``.

    Raises
    ------
    InvalidValueError
        If there is no such column or level, or an arm has no patients in a panel: its colour would be another's.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "time": [2, 3, 5, 8, 9, 4, 6, 8], "event": [1, 1, 1, 0, 1, 1, 0, 1], "arm": ["new", "old"] * 4,
    ...     "visceral": ["yes"] * 4 + ["no"] * 4,
    ... })
    >>> shown = survival_facets(frame, "visceral", control="old", annotate=[])
    >>> [ax.get_title(loc="left") for ax in shown.axes[:2]]
    ['visceral: no', 'visceral: yes']
    """
    frame = patients.to_pandas() if hasattr(patients, "to_pandas") else patients
    if not isinstance(frame, pd.DataFrame):
        raise InvalidValueError("patients", patients, "a frame of patients", "arrays go into one: pd.DataFrame({...})")
    if facet not in frame.columns:
        raise InvalidValueError("facet", facet, f"one of the columns {list(frame.columns)}", "name the column")
    missing = int(frame[facet].isna().sum())
    if missing:
        raise InvalidValueError("facet", f"{missing} rows without {facet}", "a level for each patient", "drop them")
    known = sorted(frame[facet].unique().tolist(), key=str)
    chosen = known if levels is None else list(levels)
    for level in chosen:
        if level not in known:
            raise InvalidValueError("levels", level, f"values of {facet}: {known}", "name one of them")
    if columns < 1:
        raise InvalidValueError("columns", columns, "at least 1", "say how many panels stand beside each other")
    arms = arm or next((name for name in ARMS if name in frame.columns), None)
    _every_arm_everywhere(frame, facet, chosen, arms)
    if arms is not None and not isinstance(frame[arms].dtype, pd.CategoricalDtype):
        order = sorted(frame[arms].dropna().unique().tolist(), key=lambda name: (name == control, str(name)))
        frame = frame.assign(**{arms: pd.Categorical(frame[arms], order)})  # one order of arms in all panels
    time = options.get("time") or next((name for name in TIMES if name in frame.columns), None)
    last = positive("end", end, "months") if end is not None else float(frame[time].max()) if time else None
    height, width = -(-len(chosen) // columns), min(columns, len(chosen))
    rows = len(table) * (frame[arms].nunique() if arms else 1)
    with mpl.rc_context({**STYLE, "font.size": SMALL}):
        figure = Figure(figsize=(PAGE_WIDTH, height * (2.9 + LINE * (rows + 1.5))), layout="constrained")
        grid = figure.subplots(
            2 * height, width, squeeze=False, gridspec_kw={"height_ratios": [2.9, LINE * (rows + 1.5)] * height}
        )
        curves, panels, tables, alts = [], [], [], []
        for k, level in enumerate(chosen):
            row, column = divmod(k, width)
            above, below = grid[2 * row, column], grid[2 * row + 1, column]
            below.sharex(above)
            shown = survival_plot(
                frame[frame[facet] == level], arm=arm, control=control, end=last, table=table, ax=(above, below),
                preset="85 mm", **options,
            )  # fmt: skip
            above.set_title(f"{facet}: {level}")
            curves.append(shown.curves.assign(facet=level))
            panels.append(above)
            tables.append(below)
            alts.append(f"{level}: {shown.alt}")
        for empty in range(len(chosen), height * width):
            row, column = divmod(empty, width)
            grid[2 * row, column].set_visible(False)
            grid[2 * row + 1, column].set_visible(False)
    numbers = pd.concat(curves)
    numbers = numbers[["facet", *(name for name in numbers.columns if name != "facet")]]
    return numbered((*panels, *tables), numbers, f"By {facet}. {'. '.join(alts)}")


def _every_arm_everywhere(frame: pd.DataFrame, facet: str, levels: Sequence[Any], arms: str | None) -> None:
    if arms is None:
        return
    present = set(zip(frame[facet], frame[arms], strict=True))
    for level in levels:
        for name in frame[arms].unique():
            if (level, name) not in present:
                got, expected = f"nobody of {name} in {level}", "patients of every arm in every panel"
                raise InvalidValueError(facet, got, expected, "leave the level out of levels=")
