"""What can be moved in the explorer, and what is shown for it: values alone, without a widget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.units import WEEK
from analysis.conventions.values import replace, value
from analysis.design import Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import UnavailableError
from analysis.plots import GREY, PALETTE, STYLE, month_axis, percent_axis
from analysis.power import ExpectedCourse, Power, power
from analysis.sequential import GroupSequentialDesign
from analysis.survival import Distribution, Ensemble, Exponential

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

MEMBERS = 16
"""Members of an ensemble that are shown and averaged over: as many as answer at once."""
POINTS = 25
CURVE_POINTS = 60
END = 1.5  # times the month of the analysis that is shown of the calendar
MONTHS_SHOWN = 36.0


@border
@value
class Setting:
    """A randomised trial as the explorer moves it.

    Parameters
    ----------
    n
        Patients, both arms together.
    hazard_ratio
        Experimental against control.
    accrual
        Months.
    month
        Calendar month of the analysis.
    dropout
        Lost per month.
    alpha
        One-sided.
    interim
        Fraction of the events at which there is an interim look for efficacy (O'Brien-Fleming by Lan and DeMets); 0:
        none.
    scans
        Weeks between two assessments; 0: events are seen when they happen.
    trials
        Of the simulation; 0: none.

    Examples
    --------
    >>> from analysis.survival import Exponential
    >>> shown = Setting(n=120, alpha=0.05, trials=0).show(Exponential.from_median(9))
    >>> shown.formula
    <power 0.7387 of the log-rank, 120 patients, 80.3 events, 30.00 months>
    """

    n: int = fields.count("patients", at_least=4, default=100)
    hazard_ratio: float = fields.positive("", default=0.6)
    accrual: float = fields.positive("months", default=18.0)
    month: float = fields.positive("months", default=30.0)
    dropout: float = fields.not_negative("losses per month", default=0.005)
    alpha: float = fields.probability(default=0.025)
    interim: float = fields.number(at_least=0, below=1, default=0.0)
    scans: float = fields.not_negative("weeks", default=0.0)
    trials: int = fields.count("trials", at_least=0, default=2000)

    def scenario(self, control: Distribution) -> Scenario:
        """Give what is assumed."""
        return Scenario.proportional_hazards(control, self.hazard_ratio)

    def design(self, control: Distribution) -> TrialDesign:
        """Give the trial; an interim look comes when its events are expected under what is assumed."""
        fixed = TrialDesign(
            n=self.n,
            accrual=UniformAccrual(self.accrual),
            looks=[Look(AtTime(self.month))],
            dropout=self.dropout,
            alpha=self.alpha,
            assessments=Assessments.every(self.scans * WEEK) if self.scans else None,
        )
        if not self.interim:
            return fixed
        course = ExpectedCourse(replace(fixed, assessments=None), self.scenario(control))
        events = self.interim * sum(course.events(self.month).values())
        boundaries = GroupSequentialDesign((self.interim, 1.0), alpha=self.alpha)
        cuts = [AtTime(course.time_of_events(events)), AtTime(self.month)]
        return replace(fixed, looks=boundaries.looks(cuts))

    def show(self, control: Distribution) -> Shown:
        """Compute everything that is shown for a control arm: a distribution, or an ensemble of them."""
        one_of("control", control, Distribution, "Exponential.from_median(9)")
        thinned = few(control)
        design, scenario = self.design(thinned), self.scenario(thinned)
        try:
            formula = power(design, scenario)
        except UnavailableError:
            formula = None
        simulated = power(design, scenario, by="simulation", trials=self.trials, rng=1) if self.trials else None
        course = ExpectedCourse(replace(design, assessments=None), scenario)
        months = np.linspace(0.0, END * self.month, POINTS)
        events = np.array([0.0, *(sum(course.events(float(month)).values()) for month in months[1:])])
        whole = len(members(control))
        return Shown(self, formula, simulated, design, scenario, whole, months, events)


@border
@value
class Shown:
    """What the explorer shows for a setting.

    Attributes
    ----------
    setting
        What was asked.
    formula, simulated
        Power by formula and by simulation; None where there is none.
    design, scenario
        The trial, and what was assumed; of an ensemble so many members as answer at once.
    members
        Of the control, all of them.
    months, events
        Expected events over the calendar, all arms together, shape ``(k,)``.

    Examples
    --------
    >>> from analysis.explorer import Setting
    >>> from analysis.survival import Exponential
    >>> Setting(trials=0).show(Exponential.from_median(9)).words()
    'Power 55.0% by formula. 67 events expected at month 30.'
    """

    setting: Setting
    formula: Power | None
    simulated: Power | None
    design: TrialDesign
    scenario: Scenario
    members: int
    months: FloatArray
    events: FloatArray

    def words(self) -> str:
        """Say the answer in a sentence or two."""
        said = []
        if self.formula is not None:
            spread = self.formula.highest - self.formula.lowest
            taken = f"{self.formula.members.size} of {self.members} members"
            over = f" ({self.formula.lowest:.0%} to {self.formula.highest:.0%} over {taken})" if spread > 0 else ""
            unseen = ", which sees events when they happen" if self.setting.scans else ""
            said.append(f"Power {self.formula.power:.1%} by formula{over}{unseen}.")
        if self.simulated is not None:
            error = 100 * self.simulated.std_error
            said.append(f"{self.simulated.power:.1%} simulated, Monte Carlo standard error {error:.1f} points.")
        at = float(np.interp(self.setting.month, self.months, self.events))
        return " ".join([*said, f"{at:.0f} events expected at month {self.setting.month:g}."])

    def protocol_text(self) -> str:
        """Write the paragraph for a protocol."""
        found = self.formula or self.simulated
        return found.protocol_text() if found is not None else ""

    def code(self, control: str = "control") -> str:
        """Write the lines of Python that make this trial, to be copied; ``control`` is what the control is called."""
        of = self.setting
        looks, imports = f"[Look(AtTime({of.month:g}))]", ""
        if of.interim:
            first = self.design.looks[0].cut
            assert isinstance(first, AtTime), "an interim look comes at its month"
            cuts = f"[AtTime({first.time!r}), AtTime({of.month:g})]"
            looks = f"GroupSequentialDesign(({of.interim:g}, 1.0), alpha={of.alpha:g}).looks({cuts})"
            imports = "from analysis.sequential import GroupSequentialDesign\n"
        scans = f" assessments=Assessments.every({of.scans:g} * WEEK)," if of.scans else ""
        return (
            "from analysis.conventions import WEEK\n"
            "from analysis.design import Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual\n"
            f"from analysis.power import power\n{imports}\n"
            "design = TrialDesign(\n"
            f"    n={of.n}, accrual=UniformAccrual({of.accrual:g}), dropout={of.dropout:g},\n"
            f"    alpha={of.alpha:g},{scans}\n"
            f"    looks={looks},\n)\n"
            f"scenario = Scenario.proportional_hazards({control}, {of.hazard_ratio:g})\n"
            "answer = power(design, scenario)"
        )

    def figure(self) -> Figure:
        """Draw the curves that are assumed, and the events over the calendar."""
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(7.2, 2.7), dpi=80)
            left, right = figure.subplots(1, 2)
            t = np.linspace(0.0, MONTHS_SHOWN, CURVE_POINTS)
            for arm, colour in (("experimental", PALETTE[0]), ("control", PALETTE[1])):
                curves = np.array([np.asarray(one.survival(t)) for one in members(self.scenario.of(arm))])
                left.plot(t, curves.mean(axis=0), color=colour, label=arm)
                if len(curves) > 1:
                    left.fill_between(t, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            percent_axis(left, "Event-free")
            month_axis(left, MONTHS_SHOWN)
            left.legend()
            right.plot(self.months, self.events, color=PALETTE[0])
            right.axvline(self.setting.month, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            right.set_ylim(0, 1.02 * self.setting.n)
            right.set_ylabel("Events expected")
            month_axis(right, float(self.months[-1]), "Months since the first patient")
            figure.subplots_adjust(left=0.09, right=0.98, top=0.97, bottom=0.19, wspace=0.25)
        return figure


def members(model: object) -> list[Distribution]:
    """List the members of an ensemble; a distribution is its own only one."""
    return list(model.members) if isinstance(model, Ensemble) else [model]  # type: ignore[list-item]  # no other here


def few(control: Distribution) -> Distribution:
    """Take some members of an ensemble, evenly: as many as can be shown at once."""
    if not isinstance(control, Ensemble) or len(control.members) <= MEMBERS:
        return control
    step = math.ceil(len(control.members) / MEMBERS)
    return Ensemble(control.members[::step])


DEFAULT = Exponential.from_median(9.0)
