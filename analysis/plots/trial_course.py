"""Accrual and events over calendar time, with the band in which the events of one trial lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import positive
from analysis.plots.numbered import NumberedFigure, figure_of, numbered
from analysis.plots.style import GREY, PALETTE, STYLE, month_axis
from analysis.power import ExpectedCourse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.design import Scenario, TrialDesign

POINTS = 61


@border
def trial_course(
    design: TrialDesign,
    scenario: Scenario,
    *,
    end: float | None = None,
    level: float = 0.9,
    ax: Axes | None = None,
) -> NumberedFigure:
    """Draw expected accrual and events over calendar time, and the band in which a trial's own events lie.

    Parameters
    ----------
    design, scenario
        As for `analysis.power.ExpectedCourse`.
    end
        Last calendar month; by default twice the accrual.
    level
        Of the band, see `analysis.power.ExpectedCourse.prediction`.
    ax
        Axes to draw on; by default those of a figure of its own.

    Returns
    -------
    NumberedFigure
        Numbers: ``time`` (months), ``enrolled``, ``events``, ``lower``, ``upper``.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> shown = trial_course(design, Scenario.proportional_hazards(Exponential.from_median(11), 0.6), end=30)
    >>> shown.numbers.iloc[-1].round(1).to_dict()
    {'time': 30.0, 'enrolled': 100.0, 'events': 62.9, 'lower': 55.0, 'upper': 71.0}
    """
    course = ExpectedCourse(design, scenario)
    last = 2 * design.entry.duration if end is None else positive("end", end, "months")
    months = np.linspace(0.0, last, POINTS)
    bands = [course.prediction(float(month), level) for month in months]
    events = [0.0, *(sum(course.events(float(month)).values()) for month in months[1:])]
    enrolled = [0.0, *(course.enrolled(float(month)) for month in months[1:])]
    numbers = pd.DataFrame(
        {
            "time": months, "enrolled": enrolled, "events": events,
            "lower": [band[0] for band in bands], "upper": [band[1] for band in bands],
        }
    )  # fmt: skip
    axes = figure_of(ax)
    with mpl.rc_context(STYLE):
        axes[0].plot(months, numbers["enrolled"], color=GREY)
        axes[0].fill_between(months, numbers["lower"], numbers["upper"], color=PALETTE[0], alpha=0.2, linewidth=0)
        axes[0].plot(months, numbers["events"], color=PALETTE[0])
        middle = numbers.iloc[2 * POINTS // 3]
        for name, colour in (("enrolled", GREY), ("events", PALETTE[0])):
            place = (float(middle["time"]), float(middle["upper" if name == "events" else name]))
            axes[0].annotate(
                name, place, xytext=(0, 4), textcoords="offset points", color=colour, fontsize=8, ha="right",
                va="bottom",
            )  # fmt: skip
        axes[0].set_ylim(0, 1.1 * design.n)
        axes[0].set_ylabel("Patients")
        month_axis(axes[0], last, "Months since the first patient")
    final = numbers.iloc[-1]
    alt = (
        f"By month {last:g}, {final['enrolled']:.0f} patients and {final['events']:.0f} events are expected; "
        f"{100 * level:g}% of trials have {final['lower']:.0f} to {final['upper']:.0f} events"
    )
    return numbered(axes, numbers, alt)
