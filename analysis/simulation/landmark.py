"""Exact designs of a rate at a landmark, run on the replicate engine: what stands beside the exact numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import beta

from analysis.conventions.border import border
from analysis.conventions.checks import one_of, positive, probability
from analysis.conventions.monte_carlo import mean, proportion
from analysis.conventions.values import replace
from analysis.design import AfterEntry, AfterLastEntry, Look, Scenario
from analysis.simulation.run import simulate
from analysis.single_arm import exact_binomial
from analysis.statistical_tests import LandmarkRate
from analysis.survival import Ensemble, Exponential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.seeds import Seed
    from analysis.design import TrialDesign
    from analysis.single_arm import BetaPrior, BinomialDesign
    from analysis.single_arm.simon import TwoStageDesigns

MEMBERS = 1000
"""Equally likely rates that stand for a beta distribution in a simulation."""


@border
def at_rate(arm: str, rate: float, landmark: float) -> Scenario:
    """Give an exponential time to progression with a share `rate` free of it at `landmark`, months.

    Examples
    --------
    >>> round(float(at_rate("new", 0.4, 6).of("new").survival(6)), 6)
    0.4
    """
    one_of("arm", arm, str, "'new'")
    probability("rate", rate)
    positive("landmark", landmark)
    return Scenario({arm: Exponential(-np.log(rate) / landmark)}, f"rate {rate:g}")


@border
def two_stage_table(
    designs: TwoStageDesigns, trial: TrialDesign, landmark: float, *, trials: int, rng: Seed
) -> pd.DataFrame:
    """Tabulate admissible two-stage designs: exact characteristics, beside those simulated while accrual goes on.

    Parameters
    ----------
    designs
        The designs.
    trial
        One arm, its accrual, dropout and scans; its size and looks are replaced by the designs'.
    landmark
        Months from entry to the status that counts.
    trials, rng
        Replicates of each design under each hypothesis, and their seed.

    Returns
    -------
    DataFrame
        One row a design: its counts, and for each of ``alpha``, ``power`` and ``stop_early_null`` the exact value, the
        simulated one and its Monte Carlo ``..._std_error``; ``expected_n_null`` evaluated, and ``enrolled_null``, the
        patients enrolled on average by the time the trial stops, since it goes on enrolling while it waits.

    Examples
    --------
    >>> from analysis.design import AfterLastEntry, Look, TrialDesign, UniformAccrual
    >>> looks = [Look(AfterLastEntry(6))]
    >>> trial = TrialDesign(n=30, accrual=UniformAccrual(12), looks=looks, allocation={"new": 1}, control=None)
    >>> from analysis.single_arm import simon_two_stage
    >>> found = simon_two_stage(null_rate=0.15, alternative_rate=0.35, alpha=0.05, power=0.8)
    >>> table = two_stage_table(found, trial, 4, trials=100, rng=1)
    >>> len(table) > 0
    True
    """
    return pd.DataFrame([_two_stage_row(design, trial, landmark, trials, rng) for design in designs.admissible])


def _two_stage_row(
    design: BinomialDesign, trial: TrialDesign, landmark: float, trials: int, rng: Seed
) -> dict[str, object]:
    null_rate, target, arm = design.null_rate, float(design.alternative_rate or np.nan), trial.arms[0]
    test = LandmarkRate(landmark, null_rate)
    (first, last), (stop, _) = design.looks, design.futility
    looks = (
        Look(AfterEntry(first, landmark), futility_z=test.boundary_z(stop + 1, first)),
        Look(AfterLastEntry(landmark), efficacy_z=test.boundary_z(design.critical, last)),
    )
    planned = replace(trial, n=last, looks=looks)
    null, effect = (
        simulate(planned, at_rate(arm, rate, landmark), trials=trials, rng=rng, tests=(test,))
        for rate in (null_rate, target)
    )
    course = null.course()
    futile, alpha, power = proportion(course.futile), null.power(), effect.power()
    enrolled = mean(null.columns["enrolled"][np.arange(trials), course.look])
    return {
        "design": design.method.split(",")[1].strip(),
        "null_rate": null_rate,
        "target": target,
        "n1": first,
        "stop_at_most": stop,
        "n": last,
        "reject_from": design.critical,
        "alpha": design.attained_alpha,
        "alpha_simulated": alpha.value,
        "alpha_std_error": alpha.std_error,
        "power": design.attained_power,
        "power_simulated": power.value,
        "power_std_error": power.std_error,
        "stop_early_null": design.early_stopping_probability(null_rate),
        "stop_early_null_simulated": futile.value,
        "stop_early_null_std_error": futile.std_error,
        "expected_n_null": design.expected_n(null_rate),
        "enrolled_null": enrolled.value,
        "enrolled_null_std_error": enrolled.std_error,
    }


@border
def average_rejection(
    belief: BetaPrior, null_rates: Sequence[float], trial: TrialDesign, landmark: float, *, trials: int, rng: Seed
) -> pd.DataFrame:
    """Average the probability of rejection over what is believed of the true rate, exact and simulated.

    Parameters
    ----------
    belief
        Of the true rate: a historical control's posterior gives the type I error rate that its uncertainty leaves, a
        prior of the new treatment the assurance.
    null_rates
        Null rates.
    trial, landmark, trials, rng
        As in `two_stage_table`; each simulated trial takes another rate.

    Returns
    -------
    DataFrame
        ``null_rate``, ``exact``, ``simulated``, ``std_error``.

    Examples
    --------
    >>> from analysis.design import AfterLastEntry, Look, TrialDesign, UniformAccrual
    >>> looks = [Look(AfterLastEntry(6))]
    >>> trial = TrialDesign(n=30, accrual=UniformAccrual(12), looks=looks, allocation={"new": 1}, control=None)
    >>> from analysis.single_arm import BetaPrior
    >>> table = average_rejection(BetaPrior(9, 51), [0.15], trial, 4, trials=200, rng=1)
    >>> list(table.columns)
    ['null_rate', 'exact', 'simulated', 'std_error']
    """
    rates = beta.ppf((np.arange(MEMBERS) + 0.5) / MEMBERS, belief.a, belief.b)
    scenario = Scenario({trial.arms[0]: Ensemble([Exponential(-np.log(rate) / landmark) for rate in rates])})
    tests = [LandmarkRate(landmark, rate) for rate in null_rates]
    result = simulate(trial, scenario, trials=trials, rng=rng, tests=tests)
    rows = []
    for test in tests:
        exact = exact_binomial(trial.n, null_rate=test.null_rate, alpha=trial.alpha).assurance(belief)
        power = result.power(test.name)
        rows.append((test.null_rate, exact, power.value, power.std_error))
    return pd.DataFrame(rows, columns=["null_rate", "exact", "simulated", "std_error"])
