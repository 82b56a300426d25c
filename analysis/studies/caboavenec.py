"""CaboAveNEC: what 30 patients can show of disease control at 16 weeks on cabozantinib + avelumab."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from analysis.design import WEEK, AfterLastEntry, Assessments, Look, Scenario, TrialDesign, UniformAccrual
from analysis.power.single_arm import design_space, exact_binomial
from analysis.reported import Reported, ReportedTrial, load
from analysis.simulation import LandmarkRate, simulate
from analysis.studies.assumptions import Assumption
from analysis.survival.distributions import Exponential

TRIAL = "caboavenec"
ARM = "cabozantinib-avelumab"

ALPHA = Assumption("type I error", 0.05, "one-sided", "not found; usual in a single-arm phase II trial")
NULL_RATES = Assumption(
    "null rates", (0.10, 0.15, 0.20, 0.25, 0.30), "", "not found; they span the historical controls' disease control"
)
LANDMARK = Assumption(
    "status that counts", 16, "weeks", "the registered endpoint; progression seen at week 16, iUPD too, is a failure"
)
VISITS = Assumption(
    "tumour assessments", (8, 16, 24, 48), "weeks", "the registered times of the outcome measures, taken as the scans"
)
MISSING = Assumption("no scan at week 16", "failure", "", "not found; the usual rule for a missing status")
DROPOUT = Assumption("dropout", 0.02, "per month, exponential", "not reported; one patient in fourteen by week 16")
ACCRUAL = Assumption("accrual", 18, "months, uniform", "not reported; the test at a landmark does not depend on it")
PROGRESSION = Assumption(
    "time to progression", "exponential", "", "only the share progression-free at the scan of week 16 enters the test"
)
TRIALS = Assumption("replicates", 20_000, "per true rate", "Monte Carlo standard error at most 0.36 percentage points")
ASSUMPTIONS = (ALPHA, NULL_RATES, LANDMARK, VISITS, MISSING, DROPOUT, ACCRUAL, PROGRESSION, TRIALS)

TRUE_RATES = tuple(round(rate, 2) for rate in np.arange(0.10, 0.701, 0.05))


def reported() -> ReportedTrial:
    """CaboAveNEC as it was reported."""
    return load(TRIAL)


def planned_enrolment() -> int:
    """Patients that the registered design planned."""
    planned = reported().fact("planned-enrolment").value
    assert isinstance(planned, Reported)
    return int(planned.value)


def landmark() -> float:
    """Months from entry to the scan that counts."""
    return LANDMARK.value * WEEK


def exact_designs(n: int | None = None) -> pd.DataFrame:
    """Tabulate the exact binomial test of n patients (None: as planned) for each null rate.

    Returns
    -------
    DataFrame
        ``n``, ``null_rate``, ``critical`` (reject from so many with disease control), ``attained_alpha`` (one-sided),
        and the true rates at which the power is 80% and 90%.
    """
    return design_space([n or planned_enrolment()], null_rates=NULL_RATES.value, alpha=ALPHA.value)


def design(dropout: float = 0.0, n: int | None = None) -> TrialDesign:
    """Set up the registered design: one arm, scans as registered, analysed once the last patient's week 16 has come."""
    return TrialDesign(
        n=n or planned_enrolment(),
        accrual=UniformAccrual(ACCRUAL.value),
        looks=(Look(AfterLastEntry(landmark())),),
        allocation={ARM: 1},
        control=None,
        dropout=dropout,
        assessments=Assessments(tuple(week * WEEK for week in VISITS.value)),
        alpha=ALPHA.value,
    )


def scenario(disease_control: float) -> Scenario:
    """Give patients of whom a share is without progression at week 16."""
    return Scenario({ARM: Exponential(-np.log(disease_control) / landmark())}, f"disease control {disease_control:g}")


@cache
def power_curve(dropout: float = 0.0, trials: int = TRIALS.value, seed: int = 2022) -> pd.DataFrame:
    """Power over true rates for each null rate, exact and simulated.

    Parameters
    ----------
    dropout
        Losses per month in the simulated trials; the exact power knows of none.
    trials
        Replicates per true rate; the tests against all null rates are made on the same ones.
    seed
        Seed of the simulation.

    Returns
    -------
    DataFrame
        ``null_rate``, ``true_rate``, ``exact``, ``simulated`` with its Monte Carlo ``std_error``.
    """
    tests = tuple(LandmarkRate(landmark(), null_rate) for null_rate in NULL_RATES.value)
    planned, rows = design(dropout), []
    for true_rate in TRUE_RATES:
        result = simulate(planned, scenario(true_rate), trials=trials, rng=seed, tests=tests)
        for test in tests:
            exact = exact_binomial(planned.n, null_rate=test.null_rate, alpha=ALPHA.value)
            power = result.power(test.name)
            rows.append(
                (test.null_rate, true_rate, exact.rejection_probability(true_rate), power.value, power.std_error)
            )
    return pd.DataFrame(rows, columns=["null_rate", "true_rate", "exact", "simulated", "std_error"])


def sizes(n: tuple[int, ...] = tuple(range(15, 61))) -> pd.DataFrame:
    """Tabulate the exact designs for each size and null rate; columns as of `exact_designs`."""
    return design_space(n, null_rates=NULL_RATES.value, alpha=ALPHA.value)
