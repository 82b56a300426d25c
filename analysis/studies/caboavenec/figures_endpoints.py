"""Figures of CaboAveNEC simulated down to the scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis.endpoints import derive
from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import (
    GREY,
    PAGE_WIDTH,
    PALETTE,
    cohort,
    label_line,
    percent_axis,
    response_bars,
    response_counts,
    spider,
    swimmer,
    waterfall,
)
from analysis.plots.time_unit import WEEKS
from analysis.studies.caboavenec import definitions, scans
from analysis.studies.caboavenec.disease import MEDIAN_PFS, NEC, NET, SWELLING_UNTIL, WEEK_16

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.endpoints.codes import Criteria

NOTE = {"fontsize": 7, "color": GREY}
BLUE, ORANGE, GREEN = PALETTE[:3]
COLOURS = {"RECIST 1.1": ORANGE, "iRECIST": BLUE}
CRITERIA: tuple[Criteria, ...] = ("RECIST 1.1", "iRECIST")
MARKERS = {"control at landmark": "o", "control until landmark": "s", "progression-free at landmark": "^"}
WEEK_TICKS = list(scans.WEEKS)


def draw_endpoints(seed: int) -> Drawing:
    """CaboAveNEC simulated, disease control over the visits by criteria, definition and stratum."""
    figure = Figure(figsize=(PAGE_WIDTH, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    tables = {name: scans.disease_control(name, seed=seed) for name in (WEEK_16, MEDIAN_PFS)}
    titles = ("If week 16 is right", "If the median is right")
    for ax, (name, table), title in zip(axes[:2], tables.items(), titles, strict=True):
        _draw_visits(ax, table[table["stratum"] == scans.ALL], title)
        _draw_reported(ax, name)
    _draw_strata(axes[2], tables[WEEK_16])
    for ax in axes[1:]:
        ax.set_ylabel("")
    axes[0].legend(handles=[
        axes[0].plot([], [], marker=marker, color=GREY, linestyle="none", markersize=4, label=name)[0]
        for name, marker in MARKERS.items()
    ], loc="upper right", fontsize=7, handletextpad=0.1)  # fmt: skip
    figure.supxlabel(
        f"Simulated: {scans.TRIALS.value:,} trials of 30 patients, Monte Carlo errors within the marks. "
        "Shaded: \N{PLUS-MINUS SIGN}1 standard deviation of one\ntrial, control at landmark. Diamond: reported, with "
        "exact 95% interval. An iUPD at a landmark scan is a failure. Third panel: iRECIST.",
        **NOTE,
    )
    numbers = pd.concat(tables, names=["treatment"]).reset_index(level=0)
    return Drawing(figure, numbers.reset_index(drop=True))


def _draw_visits(ax: Axes, table: pd.DataFrame, title: str) -> None:
    for criteria, rows in table.groupby("criteria"):
        colour = COLOURS[str(criteria)]
        shift = {"iRECIST": 0.5, "RECIST 1.1": -0.5}[str(criteria)]
        for definition, marker in MARKERS.items():
            seen = rows[rows["definition"] == definition]
            ax.errorbar(
                seen["week"] + shift, seen["rate"], 2 * seen["std_error"], fmt=marker, ms=3.5, lw=0.8, color=colour,
                markerfacecolor="white",
            )  # fmt: skip
        first = rows[rows["definition"] == "control at landmark"]
        ax.plot(first["week"] + shift, first["rate"], color=colour, lw=1)
        low, high = first["rate"] - first["trial_sd"], first["rate"] + first["trial_sd"]
        ax.fill_between(first["week"] + shift, low, high, color=colour, alpha=0.12, lw=0)
        at = first[first["week"] == 24].iloc[0]
        up = criteria == "iRECIST"
        ax.text(26, at["rate"] + (0.06 if up else -0.19), str(criteria), color=colour, fontsize=8)
    _week_axis(ax, title)


def _draw_reported(ax: Axes, name: str) -> None:
    if name != WEEK_16:
        return
    rate, lower, upper = definitions.reported_control()
    ax.errorbar(16, rate, [[rate - lower], [upper - rate]], fmt="D", ms=4, lw=0.8, color="black", capsize=2, zorder=0.5)


def _draw_strata(ax: Axes, table: pd.DataFrame) -> None:
    chosen = table[(table["criteria"] == "iRECIST") & (table["definition"] == "control at landmark")]
    for stratum, colour in ((NET, GREEN), (NEC, PALETTE[3])):
        rows = chosen[chosen["stratum"] == stratum]
        ax.errorbar(rows["week"], rows["rate"], 2 * rows["std_error"], fmt="o-", ms=3.5, lw=1, color=colour)
        ax.fill_between(
            rows["week"],
            rows["rate"] - rows["trial_sd"],
            rows["rate"] + rows["trial_sd"],
            color=colour,
            alpha=0.12,
            lw=0,
        )
        at = rows[rows["week"] == 8].iloc[0]
        ax.text(9, at["rate"] + 0.03, stratum, color=colour, fontsize=8)
    _week_axis(ax, "Strata, if week 16 is right")


def _week_axis(ax: Axes, title: str) -> None:
    percent_axis(ax, "Disease control")
    ax.set_xlim(4, 52)
    ax.set_xticks(WEEK_TICKS)
    ax.set_xlabel("Weeks since first dose")
    ax.set_title(title, fontsize=9)


def draw_pseudo_progression(seed: int) -> Drawing:
    """CaboAveNEC simulated, iRECIST against RECIST 1.1 at week 16 over the share of pseudo-progression."""
    table = definitions.pseudo_progression(seed=seed)
    figure = Figure(figsize=(PAGE_WIDTH, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    lines = {
        (SWELLING_UNTIL.value, "failure"): (BLUE, "swelling over by week 16"),
        (definitions.LASTING, "resolved later"): (GREEN, "still there at week 16,\nlater scans decide"),
        (definitions.LASTING, "failure"): (ORANGE, "still there at week 16,\niUPD is a failure"),
    }
    for (until, rule), (colour, label) in lines.items():
        rows = table[(table["swelling_until"] == until) & (table["iupd"] == rule)]
        left.errorbar(rows["share"], rows["difference"], 2 * rows["std_error"], fmt="o-", ms=3, lw=1.2, color=colour)
        label_line(left, rows["share"].iloc[-1], rows["difference"].iloc[-1], label, colour, fontsize=7)
        right.errorbar(
            rows["share"], rows["irecist_rejects"], 2 * rows["irecist_rejects_std_error"], fmt="o-", ms=3, lw=1.2,
            color=colour,
        )  # fmt: skip
    rows = table[(table["swelling_until"] == SWELLING_UNTIL.value) & (table["iupd"] == "failure")]
    right.errorbar(
        rows["share"], rows["recist_rejects"], 2 * rows["recist_rejects_std_error"], fmt="s--", ms=3, lw=1, color=GREY
    )
    last = rows.iloc[-1]
    label_line(right, last["share"] + 0.004, last["recist_rejects"], "RECIST 1.1", GREY, fontsize=7)
    for ax in (left, right):
        percent_axis(ax, "Patients with pseudo-progression", axis="x", low=0, high=0.155)
        ax.set_xticks(list(definitions.SHARES))
    percent_axis(left, "iRECIST minus RECIST 1.1 at week 16,\npercentage points", low=-0.01, high=0.15)
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
    percent_axis(right, f"Trials that reject {definitions.null_rate():.0%}", low=0.7, high=1)
    left.set_title("Disease control")
    right.set_title("The test")
    figure.supxlabel(
        f"Simulated: {scans.TRIALS.value:,} trials of 30 patients each, bars \N{PLUS-MINUS SIGN}2 Monte "
        "Carlo standard errors; combination calibrated to the\nreported control at week 16. Status at the scan of week "
        "16, exact test, one-sided alpha at most 5%.\nDashes: RECIST 1.1 with swelling over by week 16.",
        **NOTE,
    )
    return Drawing(figure, table)


def draw_simulated_trial(seed: int) -> Drawing:
    """CaboAveNEC, one simulated trial of 30 patients by iRECIST: best change, and time to progression."""
    patients, events = scans.one_trial(seed=seed)
    figure = Figure(figsize=(PAGE_WIDTH, 8.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=[1, 1.25])
    waterfall(top, patients, cap=300)
    swimmer(bottom, patients, events, unit=WEEKS, since="first dose")
    top.set_title("One simulated trial")
    figure.supxlabel(
        "Simulated patients, not the trial's. Change up to progression by RECIST 1.1: a bar of iPR above 0 shrank "
        "after it.\nLanes end at progression (dated at iUPD), at death or at the last scan; arrows: no progression "
        "at the last scan.",
        **NOTE,
    )
    kinds = {"patient": patients, "event": events}
    return Drawing(figure, pd.concat(kinds, names=["row"]).reset_index(level=0).reset_index(drop=True))


def draw_course(seed: int) -> Drawing:
    """CaboAveNEC, the same simulated trial over time: change of the target sum, and responses by both criteria."""
    measured = scans.measured_trial(seed=seed)
    derivation = derive(*measured)
    seen = {name: cohort(derivation, evaluator="investigator", criteria=name) for name in CRITERIA}
    schedule = {f"week {week}": 7.0 * week for week in scans.WEEKS}
    counts = {name: response_counts(of.patients, of.visits, of.events, schedule=schedule) for name, of in seen.items()}
    figure = Figure(figsize=(PAGE_WIDTH, 7.2), layout="constrained")
    axes = figure.subplot_mosaic([["change", "change"], list(CRITERIA)])
    irecist = seen["iRECIST"]
    ends = irecist.events[irecist.events["event"] == "iCPD"].set_index("subject")["day"]
    followed = irecist.visits[irecist.visits["day"] <= irecist.visits["subject"].map(ends).fillna(np.inf)]
    spider(axes["change"], followed, irecist.patients, unit=WEEKS, since="first dose", cap=200)
    axes["change"].set_title("One simulated trial: targets")
    for name in CRITERIA:
        response_bars(axes[name], counts[name])
        axes[name].set_title(name, pad=14)
        axes[name].set_xticks(range(len(schedule)), [str(week) for week in scans.WEEKS])
        axes[name].set_xlabel(WEEKS.name)
    figure.supxlabel(
        "Simulated patients, not the trial's, S01 to S30. Lines end at iCPD. Bars: a patient stays in PD or iCPD "
        "until death;\nan iUPD can be resolved.",
        **NOTE,
    )
    tables = {"visit": followed, **{str(name): of for name, of in counts.items()}}
    return Drawing(figure, pd.concat(tables, names=["row"]).reset_index(level=0).reset_index(drop=True))


TRIALS = scans.TRIALS_USED
FIGURES = [
    RegisteredFigure("caboavenec-endpoints", TRIALS, scans.SEED, draw_endpoints),
    RegisteredFigure("caboavenec-pseudoprogression", TRIALS, scans.SEED, draw_pseudo_progression),
    RegisteredFigure("caboavenec-simulated-trial", TRIALS, scans.SEED, draw_simulated_trial),
    RegisteredFigure("caboavenec-simulated-course", TRIALS, scans.SEED, draw_course),
]
