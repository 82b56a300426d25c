"""A forest: ratios with their limits in rows, those that were printed beside those that were computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from analysis.conventions.border import border
from analysis.conventions.checks import numeric
from analysis.errors import InvalidValueError
from analysis.plots.style import GREY, PALETTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

TICKS = np.array([0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0])
FEWEST_TICKS = 4


@border
def forest(
    rows: Sequence[str],
    estimate: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    ax: Axes,
    *,
    printed: Sequence[bool] | None = None,
    series: Sequence[str] | None = None,
    null: float = 1.0,
) -> Axes:
    """Draw ratios on a log axis, one row for each, with the numbers at the right.

    Parameters
    ----------
    rows
        Names from top to bottom. With `series` those that come again stand in one row.
    estimate, lower, upper
        Shape ``(k,)``; a limit that is NaN, 0 or inf is not drawn, and an arrow says that it lies beyond the axis. A
        row without any of the three, all NaN, has its name alone.
    ax
        Axes to draw on.
    printed
        Which were printed: black squares. The others, computed, are blue circles.
    series
        What each row is of, shape ``(k,)``: models, readers, data cuts, side by side in a row in colours of their own.
    null
        Where there is no effect.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidValueError
        If lengths differ, an estimate is not above 0, or limits do not hold it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = forest(["all", "first line"], [0.45, 0.39], [0.38, 0.25], [0.54, 0.62], Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['0.45 (0.38–0.54)', '0.39 (0.25–0.62)']
    """
    values = [numeric(name, given) for name, given in (("estimate", estimate), ("lower", lower), ("upper", upper))]
    middle, low, high = values
    shown = [False] * len(rows) if printed is None else list(printed)
    of = [""] * len(rows) if series is None else [str(one) for one in series]
    for name, given in (("estimate", middle), ("lower", low), ("upper", high), ("printed", shown), ("series", of)):
        if len(given) != len(rows) or not len(rows):
            raise InvalidValueError(name, len(given), f"one for each of {len(rows)} rows", "give as many")
    for name, a, b, c in zip(rows, middle, low, high, strict=True):
        if np.isnan([a, b, c]).all():
            continue
        if not (0 < a < np.inf) or b > a or c < a:
            expected = "a ratio above 0 between its limits"
            raise InvalidValueError(f"estimate of {name}", (float(b), float(a), float(c)), expected, "correct it")
    names = list(rows) if series is None else list(dict.fromkeys(rows))
    kinds = list(dict.fromkeys(of))
    if series is not None and len(set(zip(rows, of, strict=True))) < len(rows):
        raise InvalidValueError("series", series, "each series once in a row", "name the rows or the series apart")
    colours = {kind: PALETTE[k % len(PALETTE)] for k, kind in enumerate(kinds)}
    known = np.concatenate(
        [middle[~np.isnan(middle)], low[(low > 0) & np.isfinite(low)], high[np.isfinite(high)], [null]]
    )
    left, right = known.min() / 1.15, known.max() * 1.15
    for row, (a, b, c, is_printed) in enumerate(zip(middle, low, high, shown, strict=True)):
        if np.isnan(a):
            continue
        place = names.index(rows[row]) + 0.8 * (kinds.index(of[row]) - (len(kinds) - 1) / 2) / len(kinds)
        place = float(row) if series is None else place
        look: dict[str, Any] = {"color": "black" if is_printed else colours[of[row]]}
        ends = [b if b > 0 else left, c if np.isfinite(c) else right]
        if not np.isnan([b, c]).any():
            ax.plot(ends, [place, place], linewidth=1.2, **look)
        for end, beyond, marker in ((left, b <= 0, "<"), (right, np.isinf(c), ">")):
            if beyond:
                ax.plot(end, place, marker=marker, markersize=4, clip_on=False, **look)
        ax.plot(a, place, marker="s" if is_printed else "o", markersize=4.5, **look)
        limits = (
            "" if np.isnan([b, c]).any() else f" ({b:.2f}\N{EN DASH}{'not reached' if np.isinf(c) else f'{c:.2f}'})"
        )
        ax.annotate(
            f"{a:.2f}{limits}", (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, **look,
        )  # fmt: skip
    ax.axvline(null, color=GREY, linewidth=0.6, zorder=0)
    ax.set_xscale("log")
    ax.set_xlim(left, right)
    ticks = TICKS[(left <= TICKS) & (right >= TICKS)]
    if len(ticks) >= FEWEST_TICKS:
        ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    if series is not None:
        for kind in kinds:
            ax.plot([], [], "o-", color=colours[kind], markersize=4.5, linewidth=1.2, label=kind)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(kinds), fontsize=8)
    ax.tick_params(axis="y", length=0)
    return ax
