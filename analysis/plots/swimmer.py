"""Swimmer plot: each patient's time on study, with what happened in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.conventions.border import border
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots.responses import best_response_legend, look, require, require_one_row_each
from analysis.plots.style import PALETTE
from analysis.plots.time_unit import MONTHS, TimeUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Mark:
    """Marker of an event: its shape, its fill, and its name in the legend."""

    marker: str
    fill: str
    name: str


MARKS: Mapping[str, Mark] = {
    "response": Mark("^", "white", "first response"),
    "PD": Mark("D", PALETTE[1], "PD"),
    "iUPD": Mark("D", "white", "iUPD"),
    "iCPD": Mark("D", PALETTE[1], "iCPD"),
    "new therapy": Mark("s", PALETTE[3], "new therapy"),
    "discontinuation": Mark("|", "black", "discontinuation"),
    "death": Mark("X", "black", "death"),
}


@border
def swimmer(
    ax: Axes,
    patients: pd.DataFrame,
    events: pd.DataFrame,
    *,
    unit: TimeUnit = MONTHS,
    since: str = "reference date",
) -> None:
    """Draw a bar for each patient's time on study, the longest on top, with marked events and an arrow if it goes on.

    Parameters
    ----------
    ax
        Where to draw.
    patients
        One row for each patient. Columns ``subject``, ``end_day`` (days on study), ``ongoing`` (whether observation
        goes on), ``best_response`` (a term of RECIST 1.1 or iRECIST).
    events
        One row for each event. Columns ``subject``, ``day``, ``event``: one of ``"response"`` (the first one),
        ``"PD"``, ``"iUPD"``, ``"iCPD"``, ``"new therapy"``, ``"discontinuation"``, ``"death"``.
    unit, since
        Unit of the time axis, and what it is counted from.

    Raises
    ------
    InvalidValueError
        If a column is missing, a subject stands there twice, an event lies after the patient's end or its subject is
        not among the patients.
    UnknownNameError
        If a response or an event is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis.endpoints import derive
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> from analysis.plots import cohort
    >>> seen = cohort(derive(tr))
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> swimmer(ax, seen.patients, seen.events)
    >>> len(ax.patches) > 0
    True
    """
    require(patients, ("subject", "end_day", "ongoing", "best_response"), "patients")
    require(events, ("subject", "day", "event"), "events")
    require_one_row_each(patients)
    _check(patients, events)
    ordered = patients.sort_values(["end_day", "subject"], ascending=[True, False])
    row = {subject: position for position, subject in enumerate(ordered["subject"])}
    looks = [look(str(response)) for response in ordered["best_response"]]
    time = ordered["end_day"] / unit.days
    bars = ax.barh(
        range(len(ordered)),
        time,
        height=0.72,
        color=[each.colour for each in looks],
        edgecolor=[each.line for each in looks],
        linewidth=0.8,
    )
    for bar, each in zip(bars, looks, strict=True):
        bar.set_hatch(each.hatch)
    end = float(time.max()) if len(ordered) else 1.0
    going = [row[subject] for subject in ordered["subject"][ordered["ongoing"].astype(bool)]]
    for position in going:
        start = float(time.iloc[position])
        tip, tail = (start + 0.055 * end, position), (start + 0.01 * end, position)
        ax.annotate("", tip, tail, arrowprops={"arrowstyle": "-|>", "color": "black"})
    handles = []
    for name, mark in MARKS.items():
        at = events[events["event"] == name]
        if len(at):
            handles += ax.plot(
                at["day"] / unit.days,
                [row[subject] for subject in at["subject"]],
                linestyle="none",
                marker=mark.marker,
                markersize=5,
                markerfacecolor=mark.fill,
                markeredgecolor="black",
                markeredgewidth=0.8,
                label=mark.name,
                clip_on=False,
            )
    unit.axis(ax, 1.07 * end, since)
    ax.set_yticks(range(len(ordered)), list(ordered["subject"]), fontsize=6.5)
    ax.set_ylim(-0.7, len(ordered) - 0.3)
    ax.tick_params(axis="y", length=0)
    best_response_legend(ax, map(str, ordered["best_response"]))
    if going:
        handles += ax.plot([], [], linestyle="none", marker=r"$\rightarrow$", markersize=9, color="k", label="ongoing")
    if handles:
        ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(handles), handletextpad=0.2)


def _check(patients: pd.DataFrame, events: pd.DataFrame) -> None:
    """Raise for an event that is not known, has no patient or lies after the patient's end."""
    end = dict(zip(patients["subject"], patients["end_day"], strict=True))
    for subject, day, event in events[["subject", "day", "event"]].itertuples(index=False):
        if event not in MARKS:
            raise UnknownNameError("event", str(event), MARKS)
        if subject not in end:
            raise InvalidValueError("events", subject, "a subject among the patients", "add its row to patients")
        if not 0 <= day <= end[subject]:
            expected = f"a day from 0 to {end[subject]:g}, the end of {subject}"
            raise InvalidValueError(f"events, {event}", day, expected, "correct the day or the patient's end_day")
