"""The power of one design by every method side by side, with the simulated one that they approximate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.power.approximations import Freedman, Schoenfeld
from analysis.power.expected import expected_events
from analysis.power.logrank import LogRank
from analysis.power.moments import alpha_per_side
from analysis.power.null_information import LachinFoulkes
from analysis.power.of_design import control_arm, expected_cut_time, two_arm_trials

if TYPE_CHECKING:
    import pandas as pd

    from analysis.design import Scenario, TrialDesign
    from analysis.power.moments import Comparison
    from analysis.simulation import InLoopTest, SimulatedTrials

METHODS: dict[str, Comparison] = {
    "log-rank, exact moments": LogRank(),
    "Schoenfeld": Schoenfeld(),
    "Freedman": Freedman(),
    "Lachin-Foulkes": LachinFoulkes(),
}


@dataclass(frozen=True, eq=False)
class PowerSummary:
    """Power of a design's final analysis under a scenario, analytic and simulated.

    Parameters
    ----------
    design, scenario
        What was asked.
    analytic
        Power by method: the mean over the members of the scenario's ensembles.
    lowest, highest
        The least and the greatest power over the members, by method.
    time, events
        Expected calendar months and events of the final analysis (mean over members).
    simulated, null
        Simulated trials under the scenario and with all arms like the control; None without simulation.
    """

    design: TrialDesign
    scenario: Scenario
    analytic: dict[str, float]
    lowest: dict[str, float]
    highest: dict[str, float]
    time: float
    events: float
    simulated: SimulatedTrials | None
    null: SimulatedTrials | None

    def summary(self) -> pd.DataFrame:
        """One row per method.

        Returns
        -------
        DataFrame
            ``method``, ``power``, ``std_error`` (Monte Carlo, NaN for formulas), ``lowest`` and ``highest`` over the
            members of an ensemble, ``simulated minus method`` in percentage points; the attained type I error is last.
        """
        import pandas as pd

        rows = [(name, p, np.nan, self.lowest[name], self.highest[name]) for name, p in self.analytic.items()]
        simulated = np.nan
        if self.simulated is not None and self.null is not None:
            power, error = self.simulated.power(), self.null.power()
            simulated = power.value
            rows.append(("simulated", power.value, power.std_error, np.nan, np.nan))
            rows.append(("simulated type I error", error.value, error.std_error, np.nan, np.nan))
        frame = pd.DataFrame(rows, columns=["method", "power", "std_error", "lowest", "highest"])
        formulas = frame["method"].isin(list(self.analytic))
        frame["simulated minus method"] = np.where(formulas, 100 * (simulated - frame["power"]), np.nan)
        return frame

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


def power_summary(
    design: TrialDesign,
    scenario: Scenario,
    *,
    arm: str | None = None,
    methods: dict[str, Comparison] | None = None,
    trials: int = 0,
    rng: int | np.random.SeedSequence = 0,
    test: InLoopTest | None = None,
) -> PowerSummary:
    """Power of a design's final analysis by several methods, beside the simulated power and type I error.

    Parameters
    ----------
    design
        The trial; interim looks are ignored by the formulas.
    scenario
        What is assumed; the power over an ensemble is the mean over its members.
    arm
        Experimental arm; the only one by default.
    methods
        Tests by name; by default exact moments of the log-rank test, Schoenfeld, Freedman and Lachin-Foulkes.
    trials
        Replicates to simulate under the scenario and as many under its null; 0: none.
    rng
        Seed or ``SeedSequence`` of the simulation; the null has a stream of its own.
    test
        Test of the simulation; its log-rank test by default.

    Returns
    -------
    PowerSummary

    Raises
    ------
    InvalidValueError, UnknownNameError, InfeasibleDesignError
        As `two_arm_trials` and `expected_cut_time`.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> arms = {"control": 1, "experimental": 2}
    >>> design = TrialDesign(n=99, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),), allocation=arms)
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> power_summary(design, scenario).summary()[["method", "power"]].round(4)
                        method   power
    0  log-rank, exact moments  0.4929
    1               Schoenfeld  0.4581
    2                 Freedman  0.5082
    3           Lachin-Foulkes  0.4637
    """
    methods = METHODS if methods is None else methods
    alpha = alpha_per_side(design.alpha, design.sided)
    members = two_arm_trials(design, scenario, arm=arm)
    times = [expected_cut_time(design.looks[-1].cut, trial, design.endpoint) for trial in members]
    powers = {
        name: [test_.moments(trial, time).power(alpha) for trial, time in zip(members, times, strict=True)]
        for name, test_ in methods.items()
    }
    events = [float(expected_events(trial, time).sum()) for trial, time in zip(members, times, strict=True)]
    simulated = null = None
    if trials > 0:
        from analysis.simulation import LogRank as SimulatedLogRank
        from analysis.simulation import simulate

        seeds = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
        tests = (SimulatedLogRank() if test is None else test,)
        under_scenario, under_null = seeds.spawn(2)
        simulated = simulate(design, scenario, trials=trials, rng=under_scenario, tests=tests)
        null = simulate(design, scenario.null(control_arm(design)), trials=trials, rng=under_null, tests=tests)
    return PowerSummary(
        design,
        scenario,
        {name: float(np.mean(values)) for name, values in powers.items()},
        {name: float(np.min(values)) for name, values in powers.items()},
        {name: float(np.max(values)) for name, values in powers.items()},
        float(np.mean(times)),
        float(np.mean(events)),
        simulated,
        null,
    )
