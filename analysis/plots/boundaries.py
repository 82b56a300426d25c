"""Boundaries of a group-sequential design over its looks, with the chances of crossing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.errors import InvalidValueError
from analysis.plots.numbered import NumberedFigure, figure_of, numbered
from analysis.plots.style import GREY, PALETTE, STYLE
from analysis.power import Power
from analysis.sequential import GroupSequentialDesign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EFFICACY, FUTILITY = PALETTE[0], PALETTE[1]


@border
def boundaries(planned: GroupSequentialDesign | Power, *, ax: Axes | None = None) -> NumberedFigure:
    """Draw the boundaries of a sequential design, on the scale of z; above 0 is benefit.

    Parameters
    ----------
    planned
        A group-sequential design, drawn over the information fraction; or the power of a trial with several looks,
        drawn over the expected events, with the chances under what is assumed.
    ax
        Axes to draw on; by default those of a figure of its own.

    Returns
    -------
    NumberedFigure
        Numbers, a row a look: ``look``, ``at`` (fraction or events), ``efficacy_z``, ``futility_z``, ``harm_z`` (at or
        below which a two-sided test rejects; -inf of a one-sided one), ``reject`` (either way) and ``stop_low`` (for
        futility): the chance of ending there, under the alternative of a group-sequential design.

    Raises
    ------
    InvalidValueError
        If there is one look only.

    Examples
    --------
    >>> shown = boundaries(GroupSequentialDesign((0.5, 0.75, 1.0), power=0.9))
    >>> shown.numbers[["at", "efficacy_z", "reject"]].round(3).to_numpy().tolist()
    [[0.5, 2.963, 0.258], [0.75, 2.359, 0.427], [1.0, 2.014, 0.215]]
    """
    one_of("planned", planned, (GroupSequentialDesign, Power), "GroupSequentialDesign((0.5, 1.0))")
    if isinstance(planned, Power):
        found = planned.looks()
        at, label = found["events"], "Expected events"
        upper, lower = found["efficacy_z"], found["futility_z"]
        reject, stop_low = found["reject"], found["stop_low"]
        two_sided, assumed = planned.design.sided == 2, "as assumed"
    else:
        at, label = pd.Series(planned.fractions), "Information fraction"
        crossed = planned.crossing(planned.drift)
        upper, lower = pd.Series(planned.upper), pd.Series(planned.lower)
        reject, stop_low = pd.Series(crossed.upper), pd.Series(crossed.lower)
        two_sided, assumed = planned.sided == 2, "under the alternative"
        if two_sided:  # its lower bounds reject
            reject, stop_low, lower = reject + stop_low, 0.0 * stop_low, -np.inf * upper
    if len(at) < 2:
        raise InvalidValueError("planned", "one look", "two looks or more", "a single test has no boundaries to draw")
    numbers = pd.DataFrame(
        {
            "look": np.arange(1, len(at) + 1), "at": at.astype(float), "efficacy_z": upper.astype(float),
            "futility_z": lower.astype(float), "harm_z": -upper.astype(float) if two_sided else -np.inf,
            "reject": reject.astype(float), "stop_low": stop_low.astype(float),
        }
    )  # fmt: skip
    axes = figure_of(ax)
    with mpl.rc_context(STYLE):
        _draw(axes[0], numbers, label, assumed)
    chances = [f"{100 * chance:.0f}% at look {k + 1}" for k, chance in enumerate(numbers["reject"])]
    sides = " for benefit and for harm" if two_sided else ""
    alt = f"Boundaries{sides} over {label.lower()}; chance of rejecting {assumed}: {', '.join(chances)}"
    return numbered(axes, numbers, alt)


def _draw(ax: Axes, numbers: pd.DataFrame, label: str, assumed: str) -> None:
    at = numbers["at"].to_numpy()
    upper, lower, harm = (numbers[name].to_numpy() for name in ("efficacy_z", "futility_z", "harm_z"))
    drawn = np.concatenate([upper, lower, harm, [0.0]])
    finite = drawn[np.isfinite(drawn)]
    low, high = float(finite.min()), float(finite.max())
    span = max(high - low, 1.0)
    two_sided = np.isfinite(harm).any()
    none = pd.Series(np.nan, index=numbers.index)  # the chance of rejecting, either way, stands at benefit
    for values, colour, name, chances, up in (
        (upper, EFFICACY, "reject for benefit" if two_sided else "reject", numbers["reject"], True),
        (lower, FUTILITY, "stop for futility", numbers["stop_low"], False),
        (harm, EFFICACY, "reject for harm", none, False),
    ):
        kept = np.isfinite(values)
        if not kept.any():
            continue
        ax.plot(at[kept], values[kept], color=colour, marker="o", markersize=4)
        for place, z, chance in zip(at[kept], values[kept], chances[kept].dropna(), strict=False):
            ax.annotate(
                f"{100 * chance:.1f}%", (place, z), xytext=(0, 6 if up else -6), textcoords="offset points",
                ha="center", va="bottom" if up else "top", fontsize=7, color=colour,
            )  # fmt: skip
        first = int(np.flatnonzero(kept)[0])
        ax.annotate(
            name, (at[first], values[first]), xytext=(0, 17 if up else -17), textcoords="offset points",
            ha="left" if first == 0 else "center", va="bottom" if up else "top", fontsize=8, color=colour,
            fontweight="bold",
        )  # fmt: skip
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_ylim(low - 0.3 * span, high + 0.3 * span)
    room = 0.08 * (at[-1] - at[0])
    ax.set_xlim(at[0] - room, at[-1] + room)
    ax.set_xticks(at, [f"{place:.3g}" for place in at])
    chance = "chance of ending there, rejecting either way" if two_sided else "chance of ending there"
    ax.set_xlabel(f"{label} (per cent: {chance}, {assumed})")
    ax.set_ylabel("z, above 0 is benefit")
