"""The power of a design by several methods, beside the simulation of the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.display import html
from analysis.conventions.seeds import Seed, child, seed_sequence
from analysis.conventions.values import replace, value
from analysis.errors import AnalysisError, InfeasibleDesignError, UnavailableError
from analysis.power.large_sample import Timetable, check_test, tested, timetables
from analysis.power.null import null_of
from analysis.power.power import default_test, from_members, power
from analysis.statistical_tests import LogRank
from analysis.statistical_tests.formulas import FORMULAS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.design import Scenario, TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest

SHOWN = ("exact", "schoenfeld", "freedman", "lachin-foulkes")


@value
class PowerSummary:
    """Power of a design under a scenario by several methods.

    Attributes
    ----------
    methods
        The power by formula, by the method's name; each has all looks and boundaries in it, as the simulation has.
    unavailable
        Why a method says nothing, by its name.
    simulated, type_one_error
        By simulation under the scenario, and where the null hypothesis ends: with all arms like the control, or as far
        from it as the margin of the test; a single arm at its null value, or with its null distribution. None without
        simulation; the second one also where no hazard ratio brings the margin or the null value about.
    """

    methods: dict[str, Power]
    unavailable: dict[str, str]
    simulated: Power | None
    type_one_error: Power | None

    def summary(self) -> pd.DataFrame:
        """One row per method.

        Returns
        -------
        DataFrame
            ``method``, ``power``, ``std_error`` (Monte Carlo, NaN for formulas), ``lowest`` and ``highest`` over the
            members of an ensemble (NaN without one), ``simulated minus method, points`` (of per cent), ``remark``; the
            simulation and its type I error are last.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = [
            (name, p.power, np.nan, *_range(p), "; ".join(p.notes)) for name, p in self.methods.items()
        ]
        rows += [(name, np.nan, np.nan, np.nan, np.nan, why) for name, why in self.unavailable.items()]
        simulated = np.nan
        for name, found in (("simulated", self.simulated), ("simulated type I error", self.type_one_error)):
            if found is not None:
                rows.append((name, found.power, found.std_error, np.nan, np.nan, ""))
        if self.simulated is not None:
            simulated = self.simulated.power
        frame = pd.DataFrame(rows, columns=["method", "power", "std_error", "lowest", "highest", "remark"])
        formulas = frame["method"].isin(list(self.methods))
        difference = np.where(formulas, 100 * (simulated - frame["power"]), np.nan)
        frame.insert(5, "simulated minus method, points", difference)
        return frame

    def _repr_html_(self) -> str:
        shown = self.summary()
        shown["remark"] = [remark or None for remark in shown["remark"]]
        return html(shown.dropna(axis="columns", how="all"))


@border
def power_summary(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest | None = None,
    *,
    arm: str | None = None,
    trials: int = 0,
    rng: Seed = 1,
) -> PowerSummary:
    """Power of a design by every method there is for its test, beside the simulated power and type I error.

    Parameters
    ----------
    design, scenario, test, arm
        As for `power`. Of the log-rank test exact moments, Schoenfeld, Freedman and Lachin-Foulkes are shown, each with
        the design's looks and boundaries.
    trials
        Replicates to simulate under the scenario and as many under its null; 0: none.
    rng
        Seed of the simulation; the null has a stream of its own.

    Returns
    -------
    PowerSummary

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> arms = {"control": 1, "experimental": 2}
    >>> design = TrialDesign(n=99, accrual=UniformAccrual(18), looks=[Look(AtTime(30))], allocation=arms)
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> power_summary(design, scenario).summary()[["method", "power"]].round(4)
                method   power
    0    exact moments  0.4929
    1       Schoenfeld  0.4581
    2         Freedman  0.5082
    3   Lachin-Foulkes  0.4637
    """
    chosen = default_test(design) if test is None else test
    methods: dict[str, Power] = {}
    unavailable: dict[str, str] = {}
    check_test(design, chosen)
    looks: list[Timetable] = []
    for name, variant in _variants(chosen).items():
        try:
            looks = looks or timetables(design, scenario, arm=arm)  # the same for all methods
            members = tested(looks, variant)
            methods[name] = from_members(design, scenario, variant, members, float(design.n), arm=arm)
        except AnalysisError as error:
            unavailable[name] = str(error)
    simulated = null = None
    if trials > 0:
        seed = seed_sequence(rng)
        simulated = power(design, scenario, chosen, by="simulation", arm=arm, trials=trials, rng=child(seed, 0))
        null = _under_the_null(design, scenario, chosen, arm, trials, child(seed, 1))
    return PowerSummary(methods, unavailable, simulated, null)


def _under_the_null(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest,
    arm: str | None,
    trials: int,
    rng: Seed,
) -> Power | None:
    """Simulate where the null hypothesis ends; None where nobody knows where that is."""
    try:
        null = null_of(design, scenario, test, arm=arm)
    except (InfeasibleDesignError, UnavailableError):
        return None
    return power(design, null, test, by="simulation", arm=arm, trials=trials, rng=rng)


def _range(found: Power) -> tuple[float, float]:
    """Give the lowest and highest power over the members of an ensemble; nothing without one."""
    return (found.lowest, found.highest) if found.lowest < found.highest else (np.nan, np.nan)


def _variants(test: OneArmTest | TwoArmTest) -> dict[str, OneArmTest | TwoArmTest]:
    if not isinstance(test, LogRank):
        return {test.name: test}
    titles = {"exact": "exact moments"} | {name: formula.title for name, formula in FORMULAS.items()}
    return {titles[name]: replace(test, formula=name) for name in SHOWN}
