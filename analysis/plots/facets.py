"""Survival curves by stratum: a panel for each, all on the same axes, in the same colours."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from analysis.conventions.border import border
from analysis.conventions.checks import count, labels, positive
from analysis.errors import InvalidValueError
from analysis.plots.numbered import NumberedFigure, numbered
from analysis.plots.patients import ARMS
from analysis.plots.risk_table import RiskTable, as_risk_table
from analysis.plots.sources import drawn
from analysis.plots.style import PAGE_WIDTH, STYLE
from analysis.plots.survival_plot import survival_plot
from analysis.plots.survival_texts import BOLD, LETTER

if TYPE_CHECKING:
    from collections.abc import Sequence

YLABEL = 0.6  # inches beside the axes of a panel
LINE = 0.2  # inches of a row of the risk table
SMALL = 7.5  # points


@border
def survival_facets(
    patients: Any,
    facet: str | tuple[str, str],
    *,
    levels: Sequence[Any] | None = None,
    columns: int = 2,
    everybody: bool = False,
    end: float | None = None,
    arm: str | None = None,
    control: str | None = None,
    table: Sequence[str] | RiskTable = ("at risk",),
    **options: Any,
) -> NumberedFigure:
    """Draw the survival curves of each level of a stratum side by side, with shared axes and a risk table each.

    Parameters
    ----------
    patients
        A frame of patients (pandas, polars, pyarrow), as for `survival_plot`.
    facet
        Column that tells the panels apart; or two, of the rows and of the columns of the panels.
    levels
        Which of its values, in the order of the panels; by default all, sorted. Of one column only.
    columns
        Panels beside each other; of two columns as many as the second one has levels.
    everybody
        Whether a last panel has the patients of all panels, its ratio and p-value stratified by the panels.
    end
        Last month of all panels; by default the longest follow-up of any.
    arm, control
        Column of the arms, where it has no usual name, and the control arm: the same in every panel.
    table
        Rows of each risk table, or a `RiskTable`.
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
    by = [facet] if isinstance(facet, str) else list(facet)
    if not 1 <= len(by) <= 2:
        raise InvalidValueError("facet", facet, "one column, or two", "cross further ones to one column")
    known = [_levels_of(frame, one) for one in by]
    if levels is not None and len(by) > 1:
        raise InvalidValueError("levels", levels, "levels of one column", "select the rows of the frame")
    for level in levels or ():
        if level not in known[0]:
            raise InvalidValueError("levels", level, f"values of {by[0]}: {known[0]}", "name one of them")
    count("columns", columns, "panels")
    panels_of = list(itertools.product(*known)) if levels is None else [(level,) for level in levels]
    chosen = pd.Series(list(zip(*(frame[one] for one in by), strict=True)), index=frame.index)
    columns = len(known[1]) if len(by) > 1 else columns
    arms = arm or next((name for name in ARMS if name in frame.columns), None)
    _every_arm_everywhere(frame, " and ".join(by), chosen, panels_of, arms)
    if arms is not None and not isinstance(frame[arms].dtype, pd.CategoricalDtype):
        order = sorted(frame[arms].dropna().unique().tolist(), key=lambda name: (name == control, str(name)))
        frame = frame.assign(**{arms: pd.Categorical(frame[arms], order)})  # one order of arms in all panels
    time, event, unit = (options.get(name) for name in ("time", "event", "unit"))
    shown_patients = frame[chosen.isin(panels_of)]
    whole = drawn(
        shown_patients, time=time, event=event, arm=arms or False, level=0.95, scale="log-log", end=None, unit=unit
    )
    last = max(float(each.time[-1]) for each in whole) if end is None else positive("end", end, "months")
    panels_shown: list[tuple[str, pd.DataFrame, dict[str, Any]]] = [
        (", ".join(f"{one}: {level}" for one, level in zip(by, panel, strict=True)), frame[chosen == panel], {})
        for panel in panels_of
    ]
    if everybody:
        panels_shown.append(("All patients", shown_patients, {"strata": by}))
    width = min(columns, len(panels_shown))
    height = -(-len(panels_shown) // width)
    risk_table = as_risk_table(table)
    letters = max(int((PAGE_WIDTH / width - YLABEL) * 72 / (LETTER * BOLD * STYLE["axes.titlesize"])), 8)
    rows = len(risk_table.plan([each.name for each in whole], above=False))
    with mpl.rc_context({**STYLE, "font.size": SMALL}):
        figure = Figure(figsize=(PAGE_WIDTH, height * (2.9 + LINE * (rows + 1.5))), layout="constrained")
        grid = figure.subplots(
            2 * height, width, squeeze=False, gridspec_kw={"height_ratios": [2.9, LINE * (rows + 1.5)] * height}
        )
        curves, panels, tables, alts = [], [], [], []
        for k, (title, patients_shown, own) in enumerate(panels_shown):
            row, column = divmod(k, width)
            above, below = grid[2 * row, column], grid[2 * row + 1, column]
            below.sharex(above)
            shown = survival_plot(
                patients_shown, arm=arm, control=control, end=last, table=risk_table, ax=(above, below),
                preset="85 mm", **(options | own),
            )  # fmt: skip
            above.set_title(textwrap.fill(title, letters))
            level = title.removeprefix(f"{by[0]}: ") if len(by) == 1 else title
            curves.append(shown.curves.assign(facet=level))
            panels.append(above)
            tables.append(below)
            alts.append(f"{level}: {shown.alt}")
        for empty in range(len(panels_shown), height * width):
            row, column = divmod(empty, width)
            grid[2 * row, column].set_visible(False)
            grid[2 * row + 1, column].set_visible(False)
    numbers = pd.concat(curves)
    numbers = numbers[["facet", *(name for name in numbers.columns if name != "facet")]]
    return numbered((*panels, *tables), numbers, f"By {' and '.join(by)}. {'. '.join(alts)}")


def _levels_of(frame: pd.DataFrame, facet: str) -> list[Any]:
    if facet not in frame.columns:
        raise InvalidValueError("facet", facet, f"one of the columns {list(frame.columns)}", "name the column")
    labels(facet, frame[facet], len(frame))
    return sorted(frame[facet].unique().tolist(), key=str)


def _every_arm_everywhere(
    frame: pd.DataFrame, facet: str, chosen: pd.Series, panels: Sequence[Any], arms: str | None
) -> None:
    everywhere = [""] if arms is None else list(frame[arms].unique())
    present = set(zip(chosen, [""] * len(frame) if arms is None else frame[arms], strict=True))
    for panel in panels:
        for name in everywhere:
            if (panel, name) not in present:
                level = ", ".join(map(str, panel))
                got, expected = f"nobody of {name or 'the patients'} in {level}", "patients of every arm in every panel"
                raise InvalidValueError(facet, got, expected, "leave the level out of levels=, or the rows out")
