"""A tornado: how far an answer moves when one assumption at a time is replaced, the weightiest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import number, numeric
from analysis.errors import InvalidValueError
from analysis.plots.style import GREY, PALETTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

LOWER, HIGHER = PALETTE[1], PALETTE[0]
NOTE: dict[str, Any] = {"fontsize": 7, "color": GREY, "va": "center"}
LONGEST = 40
"""Letters of what is written at the end of a bar; beyond, only the farthest is named."""
ROOM = 0.55
"""Room for that on either side, as a share of the range of the answers."""


@border
def tornado(
    replaced: Sequence[str],
    by: Sequence[str],
    values: ArrayLike,
    base: float,
    ax: Axes,
    *,
    std_error: ArrayLike | None = None,
) -> Axes:
    """Draw a bar for each assumption from the base value to what it becomes; one row for each assumption.

    Parameters
    ----------
    replaced
        The assumption that each value has replaced; values of one name share a row.
    by
        What it was replaced by, written at the end of the bar.
    values
        The answer then, shape ``(k,)``.
    base
        The answer as assumed.
    ax
        Axes to draw on.
    std_error
        Monte Carlo standard error of each value; bars of twice as much are drawn at the ends.

    Returns
    -------
    Axes
        Rows from the weightiest, on top, to the lightest.

    Raises
    ------
    InvalidValueError
        If lengths differ, nothing is given, or a value is no number.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = tornado(["alpha", "alpha", "dropout"], ["10%", "20%", "3%"], [0.7, 0.8, 0.45], 0.5, Figure().subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['alpha', 'dropout']
    """
    answers = numeric("values", values)
    errors = np.zeros(answers.size) if std_error is None else numeric("std_error", std_error)
    for name, given in (("replaced", replaced), ("by", by), ("std_error", errors)):
        if len(given) != answers.size or not answers.size:
            raise InvalidValueError(name, len(given), f"one for each of {answers.size} values", "give as many")
    if not np.isfinite(answers).all():
        raise InvalidValueError("values", answers.tolist(), "finite numbers", "leave out what is not known")
    base = number("base", base)
    weight = {name: max(abs(answers[k] - base) for k, one in enumerate(replaced) if one == name) for name in replaced}
    rows = sorted(weight, key=lambda name: -weight[name])
    for place, name in enumerate(rows):
        own = [k for k, one in enumerate(replaced) if one == name]
        for side in (-1, 1):
            there = [k for k in own if (answers[k] - base) * side > 0 or (answers[k] == base and side == 1)]
            there.sort(key=lambda k: abs(answers[k] - base))
            for k in reversed(there):  # the longest first, so that the shorter ones show in front of it
                strength = (there.index(k) + 1) / len(there)
                colour = LOWER if side < 0 else HIGHER
                ax.barh(place, answers[k] - base, left=base, height=0.62, color=colour, alpha=1 - 0.6 * strength + 0.05)
            if there:
                text = ", ".join(by[k] for k in there[::side])  # from left to right, as the bars are
                if len(there) > 1 and len(text) > LONGEST:
                    text = f"{by[there[-1]]}; {len(there) - 1} nearer"
                ax.annotate(
                    text, (answers[there[-1]], place),
                    xytext=(4 * side, 0), textcoords="offset points", ha="left" if side > 0 else "right", **NOTE,
                )  # fmt: skip
        for k in own:
            if errors[k] > 0:
                ax.plot(
                    [answers[k] - 2 * errors[k], answers[k] + 2 * errors[k]], [place] * 2, color="black", linewidth=0.8
                )
    low, high = min(base, answers.min()), max(base, answers.max())
    room = ROOM * (high - low or abs(base) or 1.0)
    ax.set_xlim(low - room, high + room)
    ax.axvline(base, color="black", linewidth=0.8)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax
