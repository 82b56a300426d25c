"""CaboAveNEC: what 30 patients can show of disease control at 16 weeks on cabozantinib + avelumab."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import betabinom, binomtest

from analysis.conventions import WEEK, replace
from analysis.conventions.monte_carlo import proportion
from analysis.design import AfterLastEntry, Assessments, Look, Scenario, TrialDesign, UniformAccrual
from analysis.reported import Reported, ReportedTrial
from analysis.simulation import at_rate, average_rejection, simulate, two_stage_table
from analysis.single_arm import design_space, exact_binomial, simon_two_stage, stratified_exact
from analysis.statistical_tests import LandmarkRate
from analysis.studies.assumptions import Assumption
from analysis.studies.historical_rate import JEFFREYS, HistoricalRate
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.studies.weights import Case, weighed
from analysis.survival import Exponential

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
GAIN = Assumption("gain of the two-stage designs", 0.20, "on the null rate", "not found; the gain 30 patients can show")
POWER = Assumption("power of the two-stage designs", 0.80, "", "not found; usual in a single-arm phase II trial")
STRATUM_NULL = Assumption(
    "null rates by stratum", {"NET G3": 0.20, "NEC": 0.10}, "", "not reported by stratum; around AveNEC's 15% in all"
)
STRATUM_TARGET = Assumption(
    "target rates by stratum", {"NET G3": 0.45, "NEC": 0.30}, "", "not reported; a gain of 20 to 25 points"
)
MIXES = Assumption(
    "NET G3 and NEC", ((10, 20), (15, 15), (19, 11), (25, 5)), "patients", "the interim's 12:7 is 19:11; AveNEC's 22:38"
)
OTHERWISE = Assumption(
    "what else may be assumed",
    {
        "type I error": (0.025, 0.10, 0.20), "null rate": (0.10, 0.20), "disease control": (0.25, 0.30, 0.40, 0.45),
        "patients evaluated": (24, 27), "losses a month, as failures": (0.02, 0.05),
    },
    "", "around what is assumed here; none of them is reported",
)  # fmt: skip
GAINED = Assumption("null rate and gain", (0.15, 0.20), "", "AveNEC's disease control at week 16; the gain as above")
ASSUMPTIONS = (
    *(ALPHA, NULL_RATES, LANDMARK, VISITS, MISSING, DROPOUT, ACCRUAL, PROGRESSION, TRIALS),
    *(GAIN, POWER, STRATUM_NULL, STRATUM_TARGET, MIXES),
    *(GAINED, OTHERWISE),
)

AVENEC = HistoricalRate.reported("avenec", "dcr-16-weeks", "AveNEC, avelumab, week 16")
PEMBROLIZUMAB = HistoricalRate.reported("pembrolizumab-g3-nen", "dcr-18-weeks", "pembrolizumab, week 18")
INTERIM = HistoricalRate.reported(TRIAL, "dcr-16-weeks", "CaboAveNEC, interim, week 16")
CONTROLS = (AVENEC, PEMBROLIZUMAB)

TRUE_RATES = tuple(round(rate, 2) for rate in np.arange(0.10, 0.701, 0.05))


def reported() -> ReportedTrial:
    """CaboAveNEC as it was reported."""
    return report_of(TRIAL)


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
    return at_rate(ARM, disease_control, landmark())


@remembered
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


def case() -> Case:
    """Give what the power of the exact test rests on, as assumed."""
    null_rate, gain = GAINED.value
    return Case(planned_enrolment(), null_rate, null_rate + gain, ALPHA.value, landmark())


def what_moves_power() -> pd.DataFrame:
    """Tabulate the exact power with one assumption at a time replaced, in order of weight; see `weighed`."""
    fields = dict(zip(OTHERWISE.value, ("alpha", "null_rate", "true_rate", "n", "lost"), strict=True))
    others = [
        (what, f"{value:g}" if field == "n" else f"{100 * value:g}%", {field: value})
        for what, field in fields.items()
        for value in OTHERWISE.value[what]
    ]
    return weighed(case(), others)


def sizes(n: tuple[int, ...] = tuple(range(15, 61))) -> pd.DataFrame:
    """Tabulate the exact designs for each size and null rate; columns as of `exact_designs`."""
    return design_space(n, null_rates=NULL_RATES.value, alpha=ALPHA.value)


def historical_controls() -> pd.DataFrame:
    """Tabulate the controls' disease control at the landmark, and this trial's own interim count.

    Returns
    -------
    DataFrame
        ``control``, ``responders``, ``n``, ``rate``, and its exact (Clopper-Pearson) 95% limits ``lower``, ``upper``.
    """
    rows = []
    for control in (*CONTROLS, INTERIM):
        ci = binomtest(control.responders, control.n).proportion_ci(method="exact")
        rows.append((control.name, control.responders, control.n, control.responders / control.n, ci.low, ci.high))
    return pd.DataFrame(rows, columns=["control", "responders", "n", "rate", "lower", "upper"])


@remembered
def against_history(trials: int = TRIALS.value, seed: int = 2023) -> pd.DataFrame:
    """Rejection if the combination is no better than a historical control whose rate is known only from its count.

    Returns
    -------
    DataFrame
        ``control``, ``null_rate``, ``control_above_null`` (probability that the control's own rate is above the null
        rate), and the probability of rejection averaged over what is believed of that rate: ``exact``, ``simulated``,
        ``std_error``.
    """
    frames = []
    for control in CONTROLS:
        belief = control.posterior
        table = average_rejection(belief, NULL_RATES.value, design(), landmark(), trials=trials, rng=seed)
        table.insert(0, "control", control.name)
        table.insert(2, "control_above_null", [belief.probability_above(rate) for rate in NULL_RATES.value])
        frames.append(table)
    return pd.concat(frames, ignore_index=True)


def assurance(trials: int = TRIALS.value, seed: int = 2024) -> pd.DataFrame:
    """Average power over what the interim count of this trial leaves to believe; columns of `average_rejection`."""
    return average_rejection(INTERIM.posterior, NULL_RATES.value, design(), landmark(), trials=trials, rng=seed)


@remembered
def two_stage(trials: int = TRIALS.value, seed: int = 2026) -> pd.DataFrame:
    """Tabulate Simon's designs, from minimax to optimal, for a gain of `GAIN` on each null rate.

    Columns as of `analysis.simulation.two_stage_table`.
    """
    found = [
        simon_two_stage(null_rate=rate, alternative_rate=rate + GAIN.value, alpha=ALPHA.value, power=POWER.value)
        for rate in NULL_RATES.value
    ]
    tables = [two_stage_table(designs, design(), landmark(), trials=trials, rng=seed) for designs in found]
    return pd.concat(tables, ignore_index=True)


def after_interim() -> pd.DataFrame:
    """Tabulate what the interim count says of the end, from Jeffreys' prior.

    Returns
    -------
    DataFrame
        ``null_rate``, ``posterior`` probability that the rate is above it, and the predictive probabilities that 30
        patients will give a posterior probability above 95% (``predictive_posterior``) and that the exact test will
        reject (``predictive_exact``, from ``critical`` patients on).
    """
    so_far, n = INTERIM, planned_enrolment()
    rows = []
    for rate in NULL_RATES.value:
        belief = JEFFREYS.predictive_probability(
            so_far.responders, so_far.n, n_max=n, rate=rate, threshold=1 - ALPHA.value
        )
        critical = exact_binomial(n, null_rate=rate, alpha=ALPHA.value).critical
        left = betabinom(n - so_far.n, so_far.posterior.a, so_far.posterior.b)
        rejects = float(left.sf(critical - so_far.responders - 1))
        rows.append((rate, so_far.posterior.probability_above(rate), belief, critical, rejects))
    columns = ["null_rate", "posterior", "predictive_posterior", "critical", "predictive_exact"]
    return pd.DataFrame(rows, columns=columns)


def better_than(control: HistoricalRate) -> pd.DataFrame:
    """Posterior probability, for each count of the planned patients, that the rate is above a control's.

    Returns
    -------
    DataFrame
        ``responders``, ``probability``; both rates from Jeffreys' prior, independent.
    """
    n = planned_enrolment()
    counts = range(n + 1)
    values = [JEFFREYS.updated(count, n).probability_better(control.posterior) for count in counts]
    return pd.DataFrame({"responders": counts, "probability": values})


@remembered
def strata(trials: int = TRIALS.value, seed: int = 2027) -> pd.DataFrame:
    """Tabulate the exact stratified test over mixes of NET G3 and NEC, beside its simulation.

    Returns
    -------
    DataFrame
        ``NET G3``, ``NEC`` (patients), ``critical``, exact ``alpha`` and ``power``, each with the simulated value and
        its Monte Carlo ``..._std_error``.
    """
    names, rows = tuple(STRATUM_NULL.value), []
    null, target = tuple(STRATUM_NULL.value.values()), tuple(STRATUM_TARGET.value.values())
    test = LandmarkRate(landmark(), NULL_RATES.value[0])
    for sizes_by_stratum in MIXES.value:
        exact = stratified_exact(names, sizes_by_stratum, null_rates=null, alternative_rates=target, alpha=ALPHA.value)
        trial = replace(design(n=exact.n), strata=dict(zip(names, sizes_by_stratum, strict=True)))
        row: dict[str, float] = {**dict(zip(names, sizes_by_stratum, strict=True)), "critical": exact.critical}
        for name, rates, value in (
            ("alpha", null, exact.attained_alpha),
            ("power", target, exact.attained_power),
        ):
            curves = {s: Exponential(-np.log(rate) / landmark()) for s, rate in zip(names, rates, strict=True)}
            result = simulate(trial, Scenario({ARM: curves}), trials=trials, rng=seed, tests=(test,))
            share = proportion(result.statistic(column="successes") >= exact.critical)
            row |= {name: value, f"{name}_simulated": share.value, f"{name}_std_error": share.std_error}
        rows.append(row)
    return pd.DataFrame(rows)
