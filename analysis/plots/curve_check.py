"""The check of a digitised curve: points, reconstruction, residuals and risk table, to be looked at before use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.conventions.border import border
from analysis.errors import InvalidValueError
from analysis.plots.numbered import NumberedFigure, numbered
from analysis.plots.style import GREY, PAGE_WIDTH, STYLE, arm_colours, month_axis
from analysis.plots.survival_plot import survival_plot
from analysis.reconstruction.curve.points import JUST_BEFORE, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction import Reconstruction


@border
def curve_check(
    reconstruction: Reconstruction,
    curves: Mapping[str, ArrayLike],
    *,
    unit: Literal["proportion", "percent"] = "proportion",
    figure: Figure | SubFigure | None = None,
) -> NumberedFigure:
    """Draw what `reconstruct_curve` made of the points that it was given.

    Parameters
    ----------
    reconstruction
        What `reconstruct_curve` returned.
    curves, unit
        The points that it was given.
    figure
        An empty figure, or a part of one; by default one of the page's width.

    Returns
    -------
    NumberedFigure
        Its axes: the points on the curves, crossed where they are far off; how far each point stands from the curve, 0
        where it is anywhere on a step, those beyond the axis written at its edge; the numbers at risk as printed, with
        the reconstructed ones beside them where they differ. Numbers: ``arm``, ``time``, ``survival`` as read,
        ``residual``, in points of a percentage.

    Raises
    ------
    InvalidValueError
        If the points of an arm are missing.

    Examples
    --------
    >>> from analysis import reconstruct_curve
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> points = {"drug": [(0, 1), (2, 0.9), (4, 0.75), (6, 0.62), (9, 0.45), (12, 0.37)]}
    >>> report = ReportedComparison(endpoint="PFS", arms=[ReportedArm("drug", n=40)])
    >>> shown = curve_check(reconstruct_curve(report, points), points)
    >>> [ax.get_ylabel() for ax in shown.axes[:2]]
    ['PFS', 'Point minus curve']
    >>> shown.alt
    'Points of the digitised curve on the reconstructed one: drug 6, the farthest 0.6 points of a percentage off'
    """
    missing = [arm for arm in reconstruction.arms if arm not in curves]
    if missing:
        raise InvalidValueError("curves", list(curves), f"points of {missing[0]!r}", "give those that were digitised")
    points = {arm: np.asarray(curves[arm], dtype=np.float64) * (1.0, UNITS[unit]) for arm in reconstruction.arms}
    control = reconstruction.comparison.control
    colours = arm_colours(sorted(reconstruction.arms, key=lambda arm: arm == control))
    end = max(float(each[:, 0].max()) for each in points.values())
    rows = len(points)
    with mpl.rc_context(STYLE):
        if figure is None:
            figure = Figure(figsize=(PAGE_WIDTH, 0.85 * PAGE_WIDTH))
            figure.subplots_adjust(left=0.13, right=0.97, top=0.97, bottom=0.09)
        above, middle, below = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [5, 2, 0.6 + 0.45 * rows], "hspace": 0.12}
        )
    survival_plot(reconstruction, ax=above, end=end, level=0.9, sampling=False, annotate=(), printed=False)
    residuals = {arm: 100 * _residual(reconstruction, arm, each) for arm, each in points.items()}
    widest = 1.3 * float(np.quantile(np.abs(np.concatenate(list(residuals.values()))), 0.95))
    widest = float(np.clip(widest, 2.0, 10.0))
    for arm, each in points.items():
        residual, shown = residuals[arm], np.abs(residuals[arm]) <= widest
        middle.plot(each[shown, 0], residual[shown], ".", markersize=3.5, color=colours[arm])
        above.plot(each[shown, 0], each[shown, 1], ".", markersize=3, color="black", alpha=0.45, zorder=3)
        above.plot(each[~shown, 0], each[~shown, 1], "x", markersize=5, color=colours[arm], zorder=3)
        for (time, _), off in zip(each[~shown], residual[~shown], strict=True):
            middle.text(
                time, np.sign(off) * 0.97 * widest, f"{off:+.0f}", color=colours[arm], fontsize=7,
                ha="center", va="top" if off > 0 else "bottom",
            )  # fmt: skip
    above.set_xlabel("")
    middle.set_ylim(-widest, widest)
    middle.axhline(0, color=GREY, linewidth=0.6)
    middle.set_ylabel("Point minus curve")
    middle.yaxis.set_major_formatter(lambda y, _: f"{y:+g}%" if y else "0%")
    _risk_rows(below, reconstruction, colours, end)
    numbers = pd.concat(
        [
            pd.DataFrame({"arm": arm, "time": each[:, 0], "survival": each[:, 1], "residual": residuals[arm]})
            for arm, each in points.items()
        ]
    )
    return numbered((above, middle, below), numbers, _said(residuals))


def _said(residuals: Mapping[str, FloatArray]) -> str:
    """Say what is to be seen: how many points each arm has, and how far the farthest is from its curve."""
    arms = "; ".join(
        f"{arm} {off.size}, the farthest {np.max(np.abs(off)):.1f} points of a percentage off"
        for arm, off in residuals.items()
    )
    return f"Points of the digitised curve on the reconstructed one: {arms}"


def _residual(reconstruction: Reconstruction, arm: str, points: FloatArray) -> FloatArray:
    """Distance of each point from the step of the mean curve at its time, above it positive."""
    time = np.maximum(points[:, 0], 0.0)
    lower = reconstruction.survival_at(arm, time * (1 + JUST_BEFORE))["mean"].to_numpy()
    upper = reconstruction.survival_at(arm, time * (1 - JUST_BEFORE))["mean"].to_numpy()
    distance: FloatArray = np.maximum(points[:, 1] - upper, 0.0) + np.minimum(points[:, 1] - lower, 0.0)
    return distance


def _risk_rows(ax: Axes, reconstruction: Reconstruction, colours: Mapping[str, str], end: float) -> None:
    ax.set_ylim(len(reconstruction.arms) - 0.4, -1.1)
    ax.text(
        0.0, -0.95, "At risk as printed; reconstructed in brackets where it differs",
        transform=ax.get_yaxis_transform(), fontsize=7, color=GREY, va="center",
    )  # fmt: skip
    for row, reported in enumerate(reconstruction.comparison.arms):
        colour = colours[reported.name]
        name = ax.text(-0.03, row, reported.name, transform=ax.get_yaxis_transform(), color=colour, fontsize=6.5)
        name.set(ha="right", va="center")
        printed = reported.at_risk
        if printed is None:
            ax.text(0.02, row, "no numbers at risk given", transform=ax.get_yaxis_transform(), fontsize=7, va="center")
            continue
        own = reconstruction.time[:, reconstruction.arm_index == row]
        for tick, count in zip(printed.times, printed.counts, strict=True):
            left = float(np.count_nonzero(own >= tick * (1 - JUST_BEFORE), axis=1).mean())
            same = abs(left - count) < 0.5
            if tick <= end:
                text = f"{count}" if same else f"{count} ({left:.0f})"
                ax.text(tick, row, text, fontsize=7, ha="center", va="center", weight="normal" if same else "bold")
    for side in ("top", "left", "right"):
        ax.spines[side].set_visible(False)
    ax.set_yticks([])
    month_axis(ax, end)
