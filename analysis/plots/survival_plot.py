"""The survival figure of a paper in one call: curves, limits, censor marks, risk table, and what stands beside them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.conventions.border import border
from analysis.conventions.checks import choice, not_negative, positive, probability
from analysis.errors import InvalidValueError
from analysis.plots.annotations import OF_ALL_ARMS, alternative_text, annotated
from analysis.plots.fonts import families
from analysis.plots.numbered import png_of
from analysis.plots.page import DASHES, GREYS, PRESETS, Page, Preset
from analysis.plots.risk_table import RiskTable, as_risk_table
from analysis.plots.risk_table_drawn import Writer
from analysis.plots.sources import drawn
from analysis.plots.style import STYLE, arm_colours
from analysis.plots.survival_texts import (
    LETTER,
    draw_lines,
    name_arms,
    set_axis,
    set_ticks,
    shade_means,
    transformed,
    width_of,
    write_annotations,
)
from analysis.reconstruction.result import Reconstruction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from analysis.conventions.scales import ScaleName
    from analysis.plots.drawn import Drawn
    from analysis.statistical_tests.base import TwoArmTest

Transform = Literal["survival", "event", "cumulative hazard", "log-log"]
WIDEST_NAME = 0.2  # of the figure's width, that names of arms may take beside the risk table
ANNOTATIONS = (
    "hazard ratio",
    "p-value",
    "median",
    "quantiles",
    "RMST",
    "landmarks",
    "differences",
    "follow-up",
    *OF_ALL_ARMS,
)


@border
@dataclass(frozen=True, eq=False)
class SurvivalFigure:
    """A survival figure, with the numbers that it shows; a notebook shows it as a picture.

    Attributes
    ----------
    figure
        The whole figure.
    axes
        Where the curves are; draw on it what else there is to say.
    risk_table
        Where the risk table is; None without one.
    curves
        One row for each arm and time: ``arm``, ``time``, ``survival``, ``lower``, ``upper``, as drawn.
    counts
        The risk table: ``arm``, ``count``, and a column for each tick.
    said
        What is annotated, with its values.
    alt
        A sentence in place of the figure.

    Examples
    --------
    >>> from analysis.plots import survival_plot
    >>> shown = survival_plot(time=[2, 3, 5, 8], event=[1, 1, 0, 1], annotate=["median"])
    >>> list(shown.curves.columns)
    ['arm', 'time', 'survival', 'lower', 'upper']
    """

    figure: Figure
    axes: Axes
    risk_table: Axes | None
    curves: pd.DataFrame
    counts: pd.DataFrame
    said: pd.DataFrame
    alt: str

    def __repr__(self) -> str:
        return f"<survival figure: {self.alt}>"

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return png_of(self.figure, self.alt)


@border
def survival_plot(
    source: Any = None,
    *,
    time: str | ArrayLike | None = None,
    event: str | ArrayLike | None = None,
    arm: str | ArrayLike | None = None,
    ax: Axes | tuple[Axes, Axes] | None = None,
    control: str | None = None,
    strata: str | Sequence[str] | ArrayLike | None = None,
    unit: Literal["days", "weeks", "months", "years"] | None = None,
    end: float | None = None,
    every: float | None = None,
    ylabel: str | None = None,
    transform: Transform = "survival",
    level: float = 0.95,
    scale: ScaleName = "log-log",
    limits: Literal["band", "lines", "none"] = "band",
    sampling: bool = True,
    censor_marks: bool = True,
    table: Sequence[str] | RiskTable | None = None,
    annotate: Sequence[str] = ("hazard ratio",),
    test: TwoArmTest | None = None,
    pairs: Literal["control", "all"] = "control",
    landmarks: Sequence[float] = (),
    quantiles: Sequence[float] = (),
    origin: float = 0.0,
    tau: float | None = None,
    shade: bool = False,
    labels: Literal["direct", "legend"] = "direct",
    members: int = 0,
    printed: bool = True,
    grey: bool = False,
    preset: Preset = "170 mm",
) -> SurvivalFigure:
    """Draw survival curves as a journal prints them.

    Parameters
    ----------
    source
        A frame of patients (pandas, polars, pyarrow; ADTTE as it is, with CNSR), a `KaplanMeier`, a fit of lifelines
        or greenwood, or a list of those of lifelines, a `Distribution`, a `Reconstruction`, or a dict of these by arm;
        or a frame of curves: time, mean, lower, upper, arm, and step where they are level between their times. None
        if `time` and `event` are arrays.
    time, event, arm
        Names of the columns, where they are not `time`, `event` and `arm` or those of ADTTE; or arrays, shape ``(n,)``.
    ax
        Axes to draw on, without a risk table, or two, the second one for it; by default a figure of its own with one.
    control
        The control arm of ratio and differences; the last arm, or that of the reconstruction.
    strata
        Columns of the stratification, or an array of labels, shape ``(n,)``: ratio and p-values are stratified by it.
    unit
        Unit of the times of a frame or of arrays, months by default, of ADTTE that in AVALU or in brackets in PARAM.
        The figure is in months, of 30.4375 days.
    end
        Last month shown; by default the last follow-up. Needed for a distribution.
    every
        Months between ticks, and so between counts in the table; by default as many as there is room for.
    ylabel
        What the curves are.
    transform
        ``"survival"``, ``"event"`` (1 - S), ``"cumulative hazard"`` or ``"log-log"`` (over log time).
    level, scale
        Two-sided confidence level, and type of the pointwise limits.
    limits
        How limits are drawn. Of a reconstruction the inner band is what its report leaves open, the outer one has the
        error of sampling besides; a figure of its own says so, beside what is annotated.
    sampling
        Whether a reconstruction has that outer band.
    censor_marks
        Whether censored patients are marked.
    table
        The risk table: a `RiskTable`, or its rows for each arm, of ``"at risk"``, ``"events"``, ``"censored"``
        (cumulative), ``"at risk (events)"``, ``"at risk (censored)"`` (two counts in a cell), ``"at risk, %"``; empty:
        none. By default what the preset has, or patients at risk.
    annotate
        What is written beside the curves, of ``"hazard ratio"``, ``"p-value"``, ``"median"``, ``"quantiles"``,
        ``"RMST"``, ``"landmarks"``, ``"differences"`` (of the survival at the landmarks, with limits and p),
        ``"follow-up"`` (median, reverse Kaplan-Meier), ``"p-value of all arms"`` (log-rank), ``"p-value for trend"``
        (in the order of the arms, a category's or that of the rows). It is computed from the patients, or what a
        report prints of it, and says which. Of more than two arms each is compared with the control, p-values adjusted
        as Holm did.
    pairs
        Of more than two arms: each against the control, or ``"all"`` pairs.
    test
        Test of the p-value; by default the log-rank test. Any of `analysis.statistical_tests` that compares two arms.
    landmarks
        Months at which the survival is marked and, if annotated, written.
    quantiles
        Shares of the patients, with lines to the time by which so many had the event, and, if annotated, that time:
        0.25 and 0.75 for the quartiles. The median has its line where it is annotated.
    origin
        Month from which the curves begin anew, with the patients who are followed beyond it (a landmark analysis:
        Anderson et al., J Clin Oncol 1983;1:710). All other months then count from there, and nothing is printed.
    tau
        Restriction of the RMST, months; by default the shorter of the arms' follow-ups.
    shade
        Whether the area that is the RMST is shaded up to `tau`: between two curves their difference, else under each.
    labels
        Names of the arms on the curves, or in a legend; in one also where names of three arms or more do not fit.
    members
        Number of a reconstruction's members that are drawn as thin lines.
    printed
        Whether medians and rates that a report prints are marked where they stand.
    grey
        Whether the arms differ by shade and dash alone. They differ by dash in any case.
    preset
        Size of figure and type: ``"85 mm"``, ``"170 mm"``, ``"slide"``, ``"kmunicate"`` (Morris et al., BMJ Open 2019;
        9: e030215: all three counts, under the curves); ``"nejm"``, ``"lancet"``, ``"jco"``: about the width that a
        figure has there, in the colours that go by that name. Check the journal's instructions of the day.

    Returns
    -------
    SurvivalFigure

    Raises
    ------
    InvalidValueError
        If the source cannot be drawn, a column is missing, rows are not one for each patient (several endpoints,
        members, a patient twice), or two arms are needed and are not there.

    Examples
    --------
    >>> shown = survival_plot(
    ...     time=[2, 3, 5, 8, 9, 4, 6, 8, 11, 12], event=[1, 1, 1, 0, 1, 1, 0, 1, 0, 0], arm=["old"] * 5 + ["new"] * 5,
    ...     control="old", annotate=["hazard ratio", "median"],
    ... )
    >>> shown.counts.iloc[:, :4].to_numpy().tolist()
    [['old', 'at risk', 5.0, 5.0], ['new', 'at risk', 5.0, 5.0]]
    >>> shown.said[["item", "text"]].to_numpy().tolist()[0]
    ['hazard ratio', 'HR new vs old 0.35 (95% CI 0.06 to 1.92), computed']
    >>> shown.alt.split(";")[0]
    'Survival curves: old, median 5.0 months, 0% at 9 months'
    """
    _check(transform, level, limits, annotate, labels, preset, end, every)
    choice("pairs", pairs, ("control", "all"))
    if tau is not None:
        positive("tau", tau)
    if "differences" in annotate and not len(landmarks):
        raise InvalidValueError("landmarks", landmarks, "months at which the arms are compared", "give landmarks=[6]")
    if "quantiles" in annotate and not len(quantiles):
        raise InvalidValueError("quantiles", quantiles, "shares with the event", "give quantiles=[0.25, 0.75]")
    if shade and transform not in ("survival", "event"):
        expected = '"survival" or "event", where an area is a restricted mean'
        raise InvalidValueError("transform", transform, expected, "leave shade out")
    size = PRESETS[preset]
    rows = as_risk_table(size.table if table is None else table)
    wanted = drawn(
        source, time=time, event=event, arm=arm, level=level, scale=scale, end=end, members=members,
        origin=not_negative("origin", origin), unit=unit, strata=strata,
    )  # fmt: skip
    names = [each.name for each in wanted]
    arm_colours(names)
    last = float(max(each.time[-1] for each in wanted)) if end is None else positive("end", end)
    if last <= 0:
        raise InvalidValueError("time", last, "follow-up above 0", "check the times: nobody was followed")
    if control is None:
        control = source.comparison.control if isinstance(source, Reconstruction) else None
    control = names[-1] if control is None else str(control)
    if control not in names:
        raise InvalidValueError("control", control, f"one of the arms, {names}", "name an arm")
    for p in quantiles:
        probability("quantiles", p)
    report = source if origin == 0 else None  # what was printed is of all months
    said = annotated(
        report, wanted, control, annotate, landmarks, quantiles, tau, level, test, every_pair=pairs == "all"
    )
    if not sampling:
        wanted = [replace(each, sampling=None) for each in wanted]
    has_bands = isinstance(source, Reconstruction) and limits == "band"
    bands = _bands(wanted, level) if has_bands and annotate and ax is None else ""  # else the caller has a caption
    type_size: dict[Any, float] = {"font.size": size.points, "axes.labelsize": size.points}
    small: dict[Any, float] = {"xtick.labelsize": 0.9 * size.points, "ytick.labelsize": 0.9 * size.points}
    with (
        warnings.catch_warnings(),
        mpl.rc_context(
            {**STYLE, **type_size, **small, "lines.linewidth": size.points / 6, "font.family": families(tuple(names))}
        ),
    ):
        warnings.filterwarnings("ignore", message="Glyph")  # said once, with a remedy
        told = [each.name for each in wanted if each.patients]
        has_table = bool(rows.rows) and not hasattr(ax, "plot") and bool(told)
        letters = max(map(len, names)) + (10 if len(rows.rows) > 1 and rows.by == "arm" else 0)  # ", censored"
        room = 72 * size.width if ax is None else 1.2 * width_of(ax[0] if isinstance(ax, tuple) else ax)
        above = letters * LETTER * 0.85 * size.points > WIDEST_NAME * room  # names stand above their rows
        lines = len(rows.plan(told, above=above)) if has_table else 0
        figure, axes, below = _layout(ax, size, lines)
        order = [*(name for name in names if name != control), control]
        of_journal = GREYS if grey else size.colours
        colours = dict(zip(order, of_journal, strict=False)) if len(order) <= len(of_journal) else arm_colours(order)
        dashes = dict(zip(names, DASHES, strict=False))
        curves = pd.concat(
            [_draw(axes, each, colours, dashes, transform, limits, censor_marks, last) for each in wanted]
        )
        set_axis(axes, wanted, transform, last, ylabel, source, origin)
        figure.draw_without_rendering()  # so that the size of the axes is known
        set_ticks(axes, transform, last, size.points, every)
        levels = sorted({*quantiles, *([0.5] if "median" in annotate else [])})
        lines_at = draw_lines(axes, wanted, colours, levels, landmarks, printed, transform, last)
        if shade:
            until = tau or min(float(each.time[-1]) for each in wanted)
            shade_means(axes, wanted, colours, until, transform)
        counts = pd.DataFrame()
        if below is not None:
            counts = Writer(below, axes, wanted, colours, dashes, rows, size.points, level, above).write(last)
            figure.draw_without_rendering()  # the table takes its room
        written = write_annotations(axes, said, bands, transform, size.points)
        name_arms(axes, wanted, colours, labels, transform, last, size.points, written, lines_at)
    return SurvivalFigure(
        figure, axes, below, curves.reset_index(drop=True), counts, said, alternative_text(wanted, said, bands, last)
    )


def _bands(wanted: Sequence[Drawn], level: float) -> str:
    """Say what the bands of a reconstruction are."""
    inner = f"{100 * level:g}% of the members"
    return f"Dark bands: {inner}; light: sampling as well" if wanted[0].sampling is not None else f"Bands: {inner}"


def _check(
    transform: str, level: float, limits: str, annotate: Sequence[str], labels: str, preset: str, end: float | None,
    every: float | None,
) -> None:  # fmt: skip
    choice("transform", transform, ("survival", "event", "cumulative hazard", "log-log"))
    probability("level", level)
    choice("limits", limits, ("band", "lines", "none"))
    choice("labels", labels, ("direct", "legend"))
    choice("preset", preset, tuple(PRESETS))
    if isinstance(annotate, str):
        expected = f"a list of {', '.join(ANNOTATIONS)}"
        raise InvalidValueError("annotate", annotate, expected, f"write annotate=[{annotate!r}]")
    for one in annotate:
        choice("annotate", one, ANNOTATIONS)
    for field, given in (("end", end), ("every", every)):
        if given is not None:
            positive(field, given)


def _layout(ax: Axes | tuple[Axes, Axes] | None, size: Page, rows: int) -> tuple[Figure, Axes, Axes | None]:
    if ax is not None:
        curves, below = ax if isinstance(ax, tuple) else (ax, None)
        figure = curves.get_figure(root=True)
        assert isinstance(figure, Figure), "axes belong to a figure"
        return figure, curves, below if rows else None
    line = 1.55 * size.points / 72
    foot = (rows + 1.6) * line if rows else 0.0
    figure = Figure(figsize=(size.width, size.height + foot), layout="constrained")
    if not rows:
        return figure, figure.subplots(), None
    axes, below = figure.subplots(2, 1, gridspec_kw={"height_ratios": [size.height - 2 * line, foot]}, sharex=True)
    axes.tick_params(labelbottom=True)
    return figure, axes, below


def _draw(
    ax: Axes, each: Drawn, colours: dict[str, str], dashes: dict[str, Any], transform: str, limits: str,
    censor_marks: bool, end: float,
) -> pd.DataFrame:  # fmt: skip
    """Draw one curve; gives its numbers as they are drawn."""
    kept = each.time <= end
    time = each.time[kept]
    columns = {"survival": each.survival, "lower": each.lower, "upper": each.upper}
    values = {name: transformed(column[kept], transform) for name, column in columns.items()}
    if each.is_step and time[-1] < end and each.time[-1] > end:  # on to the edge
        time = np.append(time, end)
        values = {name: np.append(column, column[-1]) for name, column in values.items()}
    colour, dash = colours[each.name], dashes[each.name]
    drawstyle = "steps-post" if each.is_step else "default"
    step: Literal["post"] | None = "post" if each.is_step else None
    if each.members is not None:
        for member in each.members:
            ax.plot(time, transformed(member[kept], transform), color=colour, linewidth=0.4, alpha=0.35, zorder=1)
    has_limits = not np.isnan(values["lower"]).all()
    if has_limits and limits == "band":
        bands = [(values["lower"], values["upper"], 0.25)]
        if each.sampling is not None:
            outer = [transformed(side[kept], transform) for side in each.sampling]
            bands.insert(0, (outer[0], outer[1], 0.13))
        for low, high, alpha in bands:
            ax.fill_between(time, low, high, step=step, color=colour, alpha=alpha, linewidth=0, zorder=1)
    elif has_limits and limits == "lines":
        for side in ("lower", "upper"):
            ax.plot(time, values[side], color=colour, linewidth=0.6, linestyle=":", drawstyle=drawstyle, zorder=2)
    ax.plot(time, values["survival"], color=colour, linestyle=dash, drawstyle=drawstyle, zorder=3, label=each.name)
    if censor_marks and each.censored.size:
        at = each.censored[each.censored <= end]
        height = transformed(np.array([each.at(t)[0] for t in at]), transform)
        ax.plot(at, height, "|", color=colour, markersize=4.5, markeredgewidth=0.7, zorder=4)
    return pd.DataFrame({"arm": each.name, "time": time} | values)
