"""Adverse events by arm as dots, and beside them the difference between the arms with its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import count, one_of
from analysis.errors import InvalidValueError
from analysis.plots.numbered import NumberedFigure, figure_of, numbered
from analysis.plots.style import GREY, STYLE, arm_colours, percent_axis
from analysis.safety import AdverseEvents

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW = 0.24  # inches
LONGEST = 34  # letters of a term


@border
def adverse_event_dots(
    events: AdverseEvents,
    *,
    control: str | None = None,
    by: Any = "term",
    grade: int = 0,
    most: int = 15,
    level: float = 0.95,
) -> NumberedFigure:
    r"""Draw the share of patients with each adverse event, and the difference between two arms.

    Parameters
    ----------
    events
        The adverse events of a trial.
    control
        Control arm of the differences; None, or a single arm: shares alone, with exact limits.
    by, grade
        Groups of events and lowest grade, as for `AdverseEvents.incidence`.
    most
        Number of groups shown: the most frequent.
    level
        Of the limits, two-sided.

    Returns
    -------
    NumberedFigure
        Numbers: those of `AdverseEvents.incidence`, and of `AdverseEvents.compare` with a control.

    Raises
    ------
    InvalidValueError
        If there is no event to draw.
    UnknownNameError
        If there is no such control.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from analysis.endpoints import read_study
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "adsl.csv").write_text(
    ...     "USUBJID,TRT01A,TRTSDT,TRTEDT,RANDDT\n1,drug,2024-01-10,2024-06-10,2024-01-09\n"
    ...     "2,placebo,2024-01-10,2024-06-10,2024-01-09\n"
    ... )
    >>> rows = "USUBJID,AEDECOD,AESTDTC,AETOXGR\n1,Stomatitis,2024-02-01,3\n2,Rash,2024-02-01,1\n"
    >>> _ = (folder / "ae.csv").write_text(rows)
    >>> events = read_study(folder).adverse_events()
    >>> adverse_event_dots(events, control="placebo").numbers["term"].unique().tolist()
    ['Rash', 'Stomatitis']
    """
    one_of("events", events, AdverseEvents, "read_adverse_events(...)")
    count("most", most, "groups of events, at least 1")
    found = events.incidence(by, grade=grade, level=level)
    if found.empty:
        raise InvalidValueError("events", "no event of this grade", "an event to draw", "lower the grade")
    key = "term" if "term" in found.columns else "soc" if "soc" in found.columns else None
    names = found[key].astype(str) if key else found["arm"].map(lambda arm: "any event")
    frame = found.assign(name=names)
    order = frame.groupby("name", sort=False)["share"].max().sort_values(ascending=False, kind="stable").index[:most]
    against = events.compare(control, by, grade=grade, level=level) if control is not None else None
    height = 1.1 + ROW * len(order)
    with mpl.rc_context(STYLE):
        axes = figure_of(None, height=height, columns=1 if against is None else 2)
        _shares(axes[0], frame, list(order), limits=against is None)
        if against is not None:
            axes[1].sharey(axes[0])
            columns = against.assign(name=against[key].astype(str) if key else "any event").set_index("name")
            _differences(axes[1], columns.loc[list(order)], control or "")
    numbers = frame[frame["name"].isin(order)].drop(columns="name")
    if against is not None:
        joined = [column for column in ("soc", "term") if column in against.columns]
        others = [c for c in against.columns if c.startswith("difference") or c in ("p_value", *joined)]
        numbers = numbers.merge(against[others], on=joined, how="left") if joined else numbers
    top = frame[frame["name"] == order[0]]
    shares = ", ".join(f"{row['arm']} {100 * row['share']:.0f}%" for row in top.to_dict("records"))
    return numbered(axes, numbers, f"Patients with adverse events; most frequent: {order[0]} ({shares})")


def _shares(ax: Axes, frame: pd.DataFrame, order: list[str], *, limits: bool) -> None:
    arms = list(dict.fromkeys(frame["arm"]))
    colours = arm_colours(arms)
    for arm in arms:
        own = frame[(frame["arm"] == arm) & frame["name"].isin(order)]
        rows = [order.index(name) for name in own["name"]]
        ax.plot(own["share"], rows, "o", color=colours[arm], markersize=5, label=str(arm))
        if limits:
            ax.hlines(rows, own["lower"], own["upper"], color=colours[arm], linewidth=1.0)
    ax.set_yticks(range(len(order)), [name if len(name) <= LONGEST else f"{name[: LONGEST - 2]}.." for name in order])
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.grid(axis="y", color="#E5E5E5", linewidth=0.6)
    percent_axis(ax, "Patients", axis="x", high=1.0)
    ax.tick_params(axis="y", length=0)
    if len(arms) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(arms), borderaxespad=0.2)


def _differences(ax: Axes, rows: pd.DataFrame, control: str) -> None:
    place = np.arange(len(rows))
    low, high = rows["difference_lower"].to_numpy(), rows["difference_upper"].to_numpy()
    ax.hlines(place, low, high, color="black", linewidth=1.0)
    ax.plot(rows["difference"], place, "s", color="black", markersize=3.5)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.grid(axis="y", color="#E5E5E5", linewidth=0.6)
    ax.tick_params(axis="y", labelleft=False, length=0)
    reach = 1.05 * float(np.nanmax(np.abs([low, high])))
    percent_axis(ax, f"Difference from {control}", axis="x", low=-reach, high=reach)
