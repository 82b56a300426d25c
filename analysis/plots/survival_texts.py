"""What stands on a survival figure besides the curves: axes, lines, names of arms, risk table, annotations."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.ticker import MultipleLocator
from matplotlib.transforms import Bbox

from analysis.conventions.display import listed
from analysis.errors import InvalidValueError
from analysis.plots.style import GREY, percent_axis
from analysis.plots.time_unit import MONTHS
from analysis.reconstruction.result import Reconstruction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from analysis.plots.drawn import Drawn

LETTER = 0.56  # width of a letter, in sizes of the type
BOLD = 1.22  # times that width
TWO_ARMS = 2
MOST_TICKS = 60
LOWEST_NAME = 0.13  # survival below which there is no room for a name under a curve


def width_of(ax: Axes) -> float:
    """Width of axes in points."""
    return float(ax.get_window_extent().width) * 72 / ax.figure.dpi


def height_of(ax: Axes) -> float:
    """Height of axes in points."""
    return float(ax.get_window_extent().height) * 72 / ax.figure.dpi


def transformed(values: Any, transform: str) -> Any:
    """Give survival on the scale that is drawn."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if transform == "event":
            return 1 - values
        if transform == "cumulative hazard":
            return -np.log(values)
        if transform == "log-log":
            return np.log(-np.log(values))
    return values


def set_ticks(ax: Axes, transform: str, end: float, points: float, every: float | None) -> None:
    """Put ticks on the months: as far apart as is said, or as many as there is room for."""
    if transform == "log-log":
        return
    if every is not None:
        if end / every > MOST_TICKS:
            raise InvalidValueError(
                "every", every, f"at most {MOST_TICKS} ticks up to month {end:g}", "choose it longer"
            )
        ax.xaxis.set_major_locator(MultipleLocator(every))
        return
    widest = width_of(ax) / (2.6 * points)
    ax.xaxis.set_major_locator(MultipleLocator(MONTHS.step(end, min(9.0, widest))))


def set_axis(
    ax: Axes, wanted: Sequence[Drawn], transform: str, end: float, ylabel: str | None, source: Any,
    origin: float,
) -> None:  # fmt: skip
    """Give the axes their range and their names."""
    MONTHS.axis(ax, end, since=f"month {origin:g}" if origin else "")
    name = ylabel or (source.comparison.endpoint if isinstance(source, Reconstruction) else "Survival")
    if transform == "survival":
        percent_axis(ax, name, high=1.0)
        ax.set_ylim(0, 1.02)
    elif transform == "event":
        percent_axis(ax, ylabel or f"1 - {name}", high=1.0)
        ax.set_ylim(0, 1.02)
    elif transform == "cumulative hazard":
        ax.set_ylabel(ylabel or "Cumulative hazard")
        ax.set_ylim(bottom=0)
    else:
        first = min(float(each.time[each.survival < 1].min(initial=end)) for each in wanted)
        ax.set_xscale("log")
        ax.set_xlim(max(first * 0.8, end / 1000), end)
        ax.set_ylabel(ylabel or "log(-log S)")


def draw_lines(
    ax: Axes, wanted: Sequence[Drawn], colours: dict[str, str], quantiles: Sequence[float], landmarks: Sequence[float],
    printed: bool, transform: str, end: float,
) -> list[Bbox]:  # fmt: skip
    """Lines to quantiles and landmarks, and circles where a report prints a number; gives the places of the lines."""
    places = []
    dashed: dict[str, Any] = {"linewidth": 0.6, "linestyle": (0, (4, 3)), "zorder": 0}
    for p in quantiles:
        height = transformed(1 - p, transform)
        ax.axhline(height, color=GREY, **dashed)
        places.append(Bbox([[0, height / ax.get_ylim()[1]], [1, height / ax.get_ylim()[1]]]))
        for each in wanted:
            if each.quantile(p) <= end:
                at = each.quantile(p) / end
                places.append(Bbox([[at, 0], [at, height / ax.get_ylim()[1]]]))
                ends = [ax.get_ylim()[0], height]
                still: dict[str, Any] = {"scalex": False, "scaley": False, "color": colours[each.name]}
                ax.plot([each.quantile(p)] * 2, ends, **still, **dashed)
    for month in landmarks:
        ax.axvline(month, color=GREY, **dashed)
        places.append(Bbox([[month / end, 0], [month / end, 1]]))
    for each in wanted if printed else ():
        marks = []
        if each.reported is not None:
            median = each.reported.median
            if median is not None and median.reached and median.value <= end:
                marks.append((median.value, 0.5))
            marks += [
                (q.time.value, 1 - q.p) for q in each.reported.quartiles if q.time.reached and q.time.value <= end
            ]
            marks += [(mark.time.value, mark.survival.value) for mark in each.reported.landmarks]
        for month, survival in marks:
            ax.plot(
                month, transformed(survival, transform), "o", markersize=4, markerfacecolor="white",
                markeredgecolor=colours[each.name], zorder=5,
            )  # fmt: skip
    return places


def shade_means(
    ax: Axes, wanted: Sequence[Drawn], colours: dict[str, str], tau: float, transform: str
) -> None:  # fmt: skip
    """Shade the area that is the restricted mean: between two curves, else under each (above, if events are drawn)."""
    short = [each.name or "all patients" for each in wanted if np.isnan(each.at(tau)[0])]
    if short:
        raise InvalidValueError("tau", tau, f"months within the follow-up of {' and '.join(short)}", "choose it lower")
    times = np.unique(np.concatenate([[tau], *(each.time[each.time < tau] for each in wanted)]))
    heights = [transformed(np.array([each.at(t)[0] for t in times]), transform) for each in wanted]
    step: Literal["post"] | None = "post" if all(each.is_step for each in wanted) else None
    ax.plot([tau, tau], [0, max(height[-1] for height in heights)], color=GREY, linewidth=0.6, zorder=0)
    looks: dict[str, Any] = {"step": step, "linewidth": 0, "zorder": 0.5}
    if len(wanted) == 2:
        ax.fill_between(times, *heights, facecolor="none", edgecolor=GREY, hatch="////", **looks)
        return
    for each, height in zip(wanted, heights, strict=True):
        ax.fill_between(
            times, height, 1.0 if transform == "event" else 0.0, color=colours[each.name], alpha=0.1, **looks
        )


def name_arms(
    ax: Axes, wanted: Sequence[Drawn], colours: dict[str, str], labels: str, transform: str, end: float, points: float,
    said: Text | None, lines: Sequence[Bbox],
) -> None:  # fmt: skip
    """Name the arms: on the curves, where they are farthest apart and nothing else stands.

    In a legend if asked, or where a name of three arms or more would stand on a curve.
    """
    if len(wanted) == 1 and not wanted[0].name:
        return
    if labels == "legend" or len(wanted) > 4 or transform in ("cumulative hazard", "log-log"):
        ax.legend(loc="best", fontsize=0.9 * points)
        return
    grid = np.linspace(0.12, 0.8, 35) * min(end, *(each.time[-1] for each in wanted))
    heights = np.array([[each.at(t)[0] if t <= each.time[-1] else np.nan for t in grid] for each in wanted])
    order = np.argsort(-np.nanmean(heights, axis=1))
    gap = np.full(grid.size, np.inf) if len(wanted) == 1 else np.min(-np.diff(heights[order], axis=0), axis=0)
    widest_first = np.argsort(-np.where(np.isnan(heights).any(axis=0), -np.inf, gap), kind="stable")
    letter, line = BOLD * LETTER * 0.95 * points / width_of(ax), 1.5 * 0.95 * points / height_of(ax)
    taken = [] if said is None else [said.get_window_extent().transformed(ax.transAxes.inverted())]
    chosen = []
    for rank, k in enumerate(order):
        each = wanted[k]
        width = letter * len(each.name) * end
        above = rank == 0  # S is highest; a name is beside its curve, on the side where no other one is
        up = above == (transform == "survival")
        places = []
        for at in grid[widest_first]:
            start = min(at, end - width) if above else at - width
            if start < 0.01 * end:
                continue
            height = each.at(min(start if above else start + width, float(each.time[-1])))[0]
            if not above and height < LOWEST_NAME:
                continue
            y = float(transformed(height, transform)) / ax.get_ylim()[1]
            low = y + 5 / height_of(ax) if up else y - 5 / height_of(ax) - line
            places.append((start, height, Bbox.from_bounds(start / end, low, width / end, line)))
        free = [place for place in places if not any(place[2].overlaps(box) for box in taken)]
        free = [place for place in free if not any(place[2].overlaps(box) for box in lines)] or free
        inside = [place for place in free if place[2].y1 <= 1]  # above the axes is the title
        clear = [place for place in inside if not _crossed(place[2], wanted, transform, ax, end)]
        if not clear and len(wanted) > TWO_ARMS:
            ax.legend(loc="best", fontsize=0.9 * points)
            return
        beside = 0.01 * end, each.at(0.01 * end)[0], Bbox.from_bounds(0, 0, 0, 0)
        start, height, box = (clear or inside or free or places or [beside])[0]
        taken.append(box)
        chosen.append((each.name, start, height, up))
    for name, start, height, up in chosen:
        ax.annotate(
            name, (start, float(transformed(height, transform))), xytext=(0, 5 if up else -5),
            textcoords="offset points", ha="left", va="bottom" if up else "top", color=colours[name],
            fontsize=0.95 * points, fontweight="bold",
        )  # fmt: skip


def _crossed(box: Bbox, wanted: Sequence[Drawn], transform: str, ax: Axes, end: float) -> bool:
    """Whether a curve runs through a place, both in shares of the axes."""
    ends = np.array([box.x0, box.x1]) * end
    heights = np.array([[each.at(t)[0] for t in ends] for each in wanted])
    drawn = transformed(heights, transform) / ax.get_ylim()[1]  # between its ends a curve only falls, or only rises
    return bool(((drawn.max(axis=1) > box.y0) & (drawn.min(axis=1) < box.y1)).any())


def write_annotations(ax: Axes, said: pd.DataFrame, bands: str, transform: str, points: float) -> Text | None:
    """Write what is annotated, and what the bands are, into a corner; printed medians of several arms on one line."""
    if said.empty and not bands:
        return None
    lines = []
    for item, rows in said.groupby("item", sort=False):
        if item == "median" and len(rows) > 1 and set(rows["origin"]) == {"printed"}:
            whole = [text.removesuffix(", printed") for text in rows["text"]]
            values = [text.removeprefix(f"{arm} ") for arm, text in zip(rows["arm"], whole, strict=True)]
            *first, last = values
            if last.endswith(" months"):
                first = [value.removesuffix(" months") for value in first]
            lines.append(f"Median {listed([*first, last])}, printed")
        else:
            lines += [f"Median {text}" if item == "median" else str(text) for text in rows["text"]]
    lines += [bands] if bands else []
    letters = max(int(0.66 * width_of(ax) / (LETTER * 0.85 * points)), 18)
    lines = [re.sub(" p ([=<]) ", " p\u00a0\\1\u00a0", line) for line in lines]  # a p-value is not broken
    lines = [part for line in lines for part in textwrap.wrap(line, letters)]
    at = (0.99, 0.99, "right", "top")
    if transform != "survival":
        at = (0.01, 0.99, "left", "top") if transform == "event" else (0.99, 0.03, "right", "bottom")
    over_lines = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
    box = over_lines if transform in ("cumulative hazard", "log-log") else None  # there lines run into the corner
    return ax.text(
        at[0], at[1], "\n".join(lines), bbox=box, transform=ax.transAxes, ha=at[2], va=at[3], fontsize=0.85 * points,
        zorder=6, linespacing=1.4,
    )  # fmt: skip
