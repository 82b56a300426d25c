"""What a calculation of power gave, with what it was asked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from analysis.conventions.border import border
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.power.events import hazard_ratio_at_z
from analysis.statistical_tests import LogRank, OneArmTest, TwoArmTest
from analysis.statistical_tests.formulas import FORMULAS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.conventions.checks import FloatArray
    from analysis.design import Scenario, TrialDesign

MEMBERS = "over the members"
"""What the powers of a `Power` are, if its scenario has ensembles."""
NEVER = "no trial that goes on to the last look"


@border
@value
class Power:
    """The power of a design, or the design that a power asks for.

    Attributes
    ----------
    power
        Probability of rejecting the null hypothesis at any look (in either direction where the design is two-sided);
        over a scenario with ensembles the mean over their members.
    std_error
        Its Monte Carlo standard error; 0 for a formula.
    by
        ``"formula"`` or ``"simulation"``.
    members
        Power under each member of the scenario's ensembles, or under the one truth; none by simulation.
    spread
        What ``members`` are: the truths that were averaged over, or, of an assurance, the limits of a belief.
    design, scenario, test
        What was calculated, with what was solved for put in.
    n
        Patients of the whole trial, not rounded.
    times, events, enrolled
        Expected calendar months of the looks, events of the arms that are compared (by simulation of all arms) and
        patients by then; of the trials that go on to the look.
    reject, stop_low
        Probability of ending at each look with a rejection, for futility.
    arm
        The arm that is compared with the control, where the design has several experimental arms; else None.
    hazard_ratio
        The constant hazard ratio that was solved for; None if none was.
    notes
        What the calculation leaves out.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> from analysis.power import power
    >>> found = power(design, scenario)
    >>> round(found.power, 3), found.by, round(found.expected_events, 1)
    (0.524, 'formula', 62.9)
    """

    power: float
    std_error: float
    by: str
    members: FloatArray
    design: TrialDesign
    scenario: Scenario
    test: OneArmTest | TwoArmTest
    n: float
    times: FloatArray
    events: FloatArray
    enrolled: FloatArray
    reject: FloatArray
    stop_low: FloatArray
    arm: str | None = None
    hazard_ratio: float | None = None
    notes: tuple[str, ...] = ()
    spread: str = MEMBERS

    @property
    def lowest(self) -> float:
        """Least power over the members; NaN by simulation."""
        return float(self.members.min()) if self.members.size else math.nan

    @property
    def highest(self) -> float:
        """Greatest power over the members; NaN by simulation."""
        return float(self.members.max()) if self.members.size else math.nan

    @property
    def members_std_error(self) -> float:
        """By how much another draw of as many members would move their mean: its standard error; NaN where none are.

        Members that are alike are one member that weighs more: the spread of the distinct powers over the square root
        of Kish's effective number of them. A simulation's own `std_error` knows only of its trials. Members that are no
        draws, as those of `Ensemble.of_exponentials`, leave less open than this says.
        """
        powers, times = np.unique(self.members, return_counts=True)
        if powers.size == 0 or self.spread != MEMBERS:
            return math.nan
        if powers.size == 1:
            return 0.0
        share = times / times.sum()
        effective = 1.0 / (share @ share)
        return float(np.sqrt(share @ (powers - share @ powers) ** 2 / (effective - 1.0)))

    @property
    def time(self) -> float:
        """Expected calendar months of the last look."""
        return float(self.times[-1])

    @property
    def _ends_late(self) -> bool:
        """Whether any trial goes on to the last look; all do in large samples."""
        return math.isfinite(self.time)

    @property
    def stopping(self) -> FloatArray:
        """Probability that the trial ends at each look; the last look ends it in any case."""
        ending = self.reject + self.stop_low
        return np.append(ending[:-1], max(0.0, 1.0 - float(ending[:-1].sum())))

    @property
    def expected_duration(self) -> float:
        """Expected calendar months until the trial ends."""
        return self._at_the_end(self.times)

    @property
    def expected_events(self) -> float:
        """Expected events when the trial ends."""
        return self._at_the_end(self.events)

    @property
    def expected_patients(self) -> float:
        """Expected patients enrolled when the trial ends."""
        return self._at_the_end(self.enrolled)

    def _at_the_end(self, by_look: FloatArray) -> float:
        """Mean over the looks at which trials end; none is known of a look that no simulated trial came to."""
        ending = self.stopping > 0
        return float(self.stopping[ending] @ by_look[ending])

    def looks(self) -> pd.DataFrame:
        """One row per look.

        Returns
        -------
        DataFrame
            ``look``, ``time`` (months), ``events``, ``enrolled``, ``efficacy_z``, ``nominal_p`` (one-sided),
            ``futility_z``, for a log-rank test ``efficacy_hazard_ratio`` and ``futility_hazard_ratio`` (the estimates
            at the bounds, by Schoenfeld's variance), ``reject`` and ``stop_low``, the probabilities of ending there.
        """
        import pandas as pd

        frame = pd.DataFrame(
            {
                "look": np.arange(1, self.times.size + 1),
                "time": self.times,
                "events": self.events,
                "enrolled": self.enrolled,
                "efficacy_z": self.design.efficacy_bounds,
                "nominal_p": ndtr(-np.array(self.design.efficacy_bounds)),
                "futility_z": self.design.futility_bounds,
            }
        )
        of_all = self.by == "simulation" and len(self.design.experimental_arms) > 1
        if isinstance(self.test, LogRank) and self.design.control is not None and not of_all:
            frame["efficacy_hazard_ratio"] = self._hazard_ratios(self.design.efficacy_bounds)
            frame["futility_hazard_ratio"] = self._hazard_ratios(self.design.futility_bounds)
        frame["reject"], frame["stop_low"] = self.reject, self.stop_low
        return frame

    def _hazard_ratios(self, bounds: tuple[float, ...]) -> list[float]:
        sizes = self.design.arm_sizes
        control = sizes[self.design.control] if self.design.control else 0
        ratio = sizes[self.arm or self.design.experimental_arms[0]] / control
        margin = getattr(self.test, "margin", 1.0)
        at = zip(bounds, self.events.tolist(), strict=True)
        return [hazard_ratio_at_z(z, d, allocation_ratio=ratio, margin=margin) if d > 0 else math.nan for z, d in at]

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        import pandas as pd

        error = f" (Monte Carlo standard error {self.std_error:.4f})" if self.by == "simulation" else ""
        side = "one" if self.design.sided == 1 else "two"
        rows = [("power", f"{self.power:.4f}{error}"), ("by", self._method)]
        if self.highest > self.lowest:
            drawn = self.spread == MEMBERS
            own = f", standard error of their mean {self.members_std_error:.4f}" if drawn else ""
            rows.append((self.spread, f"{self.lowest:.4f} to {self.highest:.4f}{own}"))
        rows += [
            ("test", self.test.name + self._of_arms),
            ("alpha", f"{self.design.alpha:g} ({side}-sided)"),
            ("patients", f"{round(self.n, 1):.10g}"),
            ("analysis", f"{self.time:.2f} months" if self._ends_late else NEVER),
            ("events", f"{self.events[-1]:.1f}" if self._ends_late else NEVER),
        ]
        if self.times.size > 1:
            rows += [("expected duration", f"{self.expected_duration:.2f} months")]
            rows += [("expected events", f"{self.expected_events:.1f}")]
        if self.hazard_ratio is not None:
            rows.append(("hazard ratio", f"{self.hazard_ratio:.4f}"))
        rows += [("note", note) for note in self.notes]
        return pd.DataFrame(rows, columns=["item", "value"])

    @property
    def _method(self) -> str:
        if self.by == "simulation":
            return "simulation"
        formula = getattr(self.test, "formula", "exact")
        return f"formula ({FORMULAS[formula].title})" if formula in FORMULAS else "formula"

    def protocol_text(self) -> str:
        """Write design, assumptions, test and power as a paragraph for a protocol, with its references."""
        models = self.scenario.models()
        assumed = "; ".join(
            f"{arm}{'' if stratum == 'all' else f' ({stratum})'}: {model.description}" for arm, stratum, model in models
        )
        stratified = ", stratified" if len(self.design.strata) > 1 and getattr(self.test, "stratified", False) else ""
        alone = f", at that level for this one of {len(self.design.experimental_arms)} comparisons" if self.arm else ""
        named = "" if self.scenario.name == "scenario" else f" ({self.scenario.name})"
        sentences = [
            self.design.protocol_text(),
            f"The null hypothesis is tested by {self.test.in_words}{stratified}{self._of_arms}{alone}.",
            f"Event times are assumed as follows{named}: {assumed}.",
        ]
        if self.times.size > 1:
            sentences.append(
                f"The trial is expected to end after {self.expected_duration:.1f} months with "
                f"{self.expected_events:.0f} events."
            )
        what = f"{100 * self.power:.1f}%"
        planned = math.ceil(self.n - 1e-6)
        is_early = self._ends_late and self.enrolled[-1] < self.n - 0.5  # of a size that need not be whole
        entered = f"{self.enrolled[-1]:.0f} of {planned}" if is_early else f"{planned}"
        when = f"{entered} patients and " + (
            f"{self.events[-1]:.0f} events expected at month {self.time:.1f}" if self._ends_late else NEVER
        )
        if self.by == "simulation":
            sentences.append(
                f"With {when} the power is {what} (by simulation, Monte Carlo standard error "
                f"{100 * self.std_error:.2f} percentage points)."
            )
        else:
            if self.highest > self.lowest:
                where = "over the curves assumed" if self.spread == MEMBERS else self.spread
                what += f" on average, {100 * self.lowest:.1f}% to {100 * self.highest:.1f}% {where}"
            sentences.append(f"With {when} the power is {what}.")
        if self.hazard_ratio is not None:
            sentences.append(f"This is the power at a hazard ratio of {self.hazard_ratio:.3f}.")
        sentences += [f"{note[0].upper()}{note[1:]}." for note in self.notes]
        if self.test.reference and self.by == "formula":
            sentences.append(f"Method: {self.test.reference}.")
        return " ".join(sentences)

    @property
    def _of_arms(self) -> str:
        return f" of {self.arm} against {self.design.control}" if self.arm else ""

    def __repr__(self) -> str:
        error = f" (Monte Carlo SE {self.std_error:.4f})" if self.by == "simulation" else ""
        solved = f", hazard ratio {self.hazard_ratio:.4f}" if self.hazard_ratio is not None else ""
        noted = "".join(f"; {note}" for note in self.notes)
        return (
            f"<power {self.power:.4f}{error} of the {self.test.name}{self._of_arms}, {round(self.n, 1):.10g} patients, "
            + (f"{self.events[-1]:.1f} events, {self.time:.2f} months" if self._ends_late else NEVER)
            + f"{solved}{noted}>"
        )

    def _repr_html_(self) -> str:
        tables = html(self.summary())
        return tables + html(self.looks()) if self.times.size > 1 else tables
