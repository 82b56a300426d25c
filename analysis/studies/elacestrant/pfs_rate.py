"""Elacestrant + exemestane: the progression-free rate at 6 months against EMERALD's arms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.design import AfterLastEntry, Assessments, Look, Scenario, TrialDesign, UniformAccrual
from analysis.reconstruction import Reconstruction, reconstruct
from analysis.simulation import average_rejection, simulate, two_stage_table
from analysis.single_arm import BetaPrior, exact_binomial, simon_two_stage
from analysis.statistical_tests import LandmarkRate
from analysis.studies.assumptions import Assumption
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.studies.weights import Case, weighed
from analysis.survival import Distribution, Exponential, Mixture, ProportionalHazards, Tabulated

if TYPE_CHECKING:
    from analysis.reported import ReportedArm, ReportedTrial

TRIAL, EMERALD = "elacestrant-exemestane", "emerald"
ARM = "elacestrant-exemestane"
ELACESTRANT, STANDARD = "elacestrant", "SOC"
CONTROL = "pfs-cdk46i-12-months"
MONTHS = 6.0

POPULATION = Assumption(
    "historical control", CONTROL, "comparison of EMERALD", "pretreated with a CDK4/6 inhibitor as in this trial"
)
ALPHA = Assumption("type I error", 0.05, "one-sided", "not found; usual in a single-arm phase II trial")
SIZES = Assumption("patients", (30, 45, 60), "", "not found; the sizes of phase II trials in this setting")
SCANS = Assumption("tumour assessments", 8, "weeks", "not found; usual in this setting")
NULL_RATES = Assumption(
    "null rates", (0.25, 0.45), "", "not found; EMERALD's arms at the scan of week 24, rounded up to 5 points"
)
MISSING = Assumption("no scan at week 24", "failure", "", "not found; the usual rule for a missing status")
DROPOUT = Assumption("dropout", 0.02, "per month, exponential", "not reported; about one patient in ten by week 24")
ACCRUAL = Assumption("accrual", 18, "months, uniform", "not reported; the test at a landmark does not depend on it")
SHAPE = Assumption(
    "shape of the curve", "proportional hazards on EMERALD's elacestrant arm", "", "the nearest curve there is"
)
TRIALS = Assumption("replicates", 20_000, "per true rate", "Monte Carlo standard error at most 0.36 percentage points")
GAIN = Assumption("gain of the two-stage designs", 0.20, "on the null rate", "not found")
POWER = Assumption("power of the two-stage designs", 0.80, "", "not found; usual in a single-arm phase II trial")
NOT_AVID = Assumption(
    "patients with a site that is not avid", (0.0, 0.25, 0.5), "share", "the rule of half the lesions admits them"
)
NOT_AVID_RATIOS = Assumption("their hazard against the others", (1.5, 3.0), "ratio", "not known for this treatment")
GAINED = Assumption("patients, null rate and gain", (45, 0.25, 0.20), "", "the middle size; the gain as above")
OTHERWISE = Assumption(
    "what else may be assumed",
    {
        "type I error": (0.025, 0.10, 0.20), "null rate": (0.20, 0.30), "rate at 6 months": (0.35, 0.40, 0.50, 0.55),
        "patients": (30, 60), "losses a month, as failures": (0.02, 0.05),
    },
    "", "around what is assumed here; none of them is reported",
)  # fmt: skip
ASSUMPTIONS = (
    *(POPULATION, ALPHA, SIZES, SCANS, NULL_RATES, MISSING, DROPOUT, ACCRUAL, SHAPE, TRIALS),
    *(GAIN, POWER, NOT_AVID, NOT_AVID_RATIOS, GAINED, OTHERWISE),
)

TRUE_RATES = tuple(round(rate, 2) for rate in np.arange(0.20, 0.751, 0.05))


def reported() -> ReportedTrial:
    """Return the trial as it was registered; it has reported nothing yet."""
    return report_of(TRIAL)


def emerald() -> ReportedTrial:
    """EMERALD as it was reported."""
    return report_of(EMERALD)


def landmark() -> float:
    """Months from entry to the last scheduled scan by 6 months: the scan that decides the status at 6 months."""
    return float(Assessments.every(SCANS.value * WEEK).scheduled(MONTHS)[-1])


def printed_rates() -> pd.DataFrame:
    """Tabulate EMERALD's printed rates at 6 months beside those of an exponential curve through the printed median.

    Returns
    -------
    DataFrame
        ``population``, ``arm``, ``n``, ``median`` (months), ``printed`` rate with its interval ``lower``, ``upper``
        where one is printed, ``exponential``, and ``difference``, exponential minus printed.
    """
    rows = []
    for comparison in emerald().comparisons:
        for arm in comparison.arms:
            landmarks = [point for point in arm.landmarks if point.time.value == MONTHS]
            if not landmarks or arm.median is None or arm.n is None:
                continue
            printed, ci = landmarks[0].survival.value, landmarks[0].ci
            exponential = float(Exponential.from_median(arm.median.value).survival(MONTHS))
            limits = (np.nan, np.nan) if ci is None else (ci.lower.value, ci.upper.value)
            row = (comparison.population, arm.name, int(arm.n.value), arm.median.value)
            rows.append((*row, printed, *limits, exponential, exponential - printed))
    columns = ["population", "arm", "n", "median", "printed", "lower", "upper", "exponential", "difference"]
    return pd.DataFrame(rows, columns=columns)


def control_arm(name: str) -> ReportedArm:
    """One arm of the historical control as it was reported."""
    return emerald().comparison(CONTROL).arm(name)


@remembered
def reconstruction(arm: str, members: int = 300, seed: int = 2022) -> Reconstruction:
    """Reconstruct one arm of the historical control from its own printed numbers.

    Each arm stands alone, as the control of a single-arm trial does: the hazard ratio between the arms is not used.

    Parameters
    ----------
    arm
        `ELACESTRANT` or `STANDARD`.
    members
        Size of the ensemble.
    seed
        Seed of all draws.
    """
    alone = replace(emerald().comparison(CONTROL), arms=(control_arm(arm),), control=None, hazard_ratio=None)
    return reconstruct(alone, members=members, rng=seed)


def rates_under_scans(weeks: tuple[float, ...] = (6, 8, 9, 12)) -> pd.DataFrame:
    """Tabulate the rate that a trial finds at 6 months if it scans at these intervals.

    A progression is seen at the next scan, so the rate found at 6 months is the share free of progression at the last
    scan by then. EMERALD's curves date progression by its own scans; that delay is in these rates already.

    Returns
    -------
    DataFrame
        ``arm``, ``interval`` (weeks), ``scan`` (week of the last scan by 6 months), ``mean``, ``lower``, ``upper``
        (central 90% of the members).
    """
    frames = []
    for arm in (ELACESTRANT, STANDARD):
        for interval in weeks:
            scan = float(Assessments.every(interval * WEEK).scheduled(MONTHS)[-1])
            rate = reconstruction(arm).survival_at(arm, [scan]).drop(columns="time")
            frames.append(rate.assign(arm=arm, interval=interval, scan=round(scan / WEEK)))
    return pd.concat(frames, ignore_index=True)[["arm", "interval", "scan", "mean", "lower", "upper"]]


def design(n: int, dropout: float = 0.0) -> TrialDesign:
    """Set up a single arm of n patients, scanned as assumed, analysed once the last has had 6 months."""
    return TrialDesign(
        n=n,
        accrual=UniformAccrual(ACCRUAL.value),
        looks=(Look(AfterLastEntry(MONTHS)),),
        allocation={ARM: 1},
        control=None,
        dropout=dropout,
        assessments=Assessments.every(SCANS.value * WEEK),
        alpha=ALPHA.value,
    )


@remembered
def elacestrant_curve() -> Tabulated:
    """Mean of EMERALD's reconstructed elacestrant arms, by points a quarter of a month apart over two years."""
    months = np.arange(0.25, 24.1, 0.25)
    mean = reconstruction(ELACESTRANT).arm(ELACESTRANT).survival(months)
    return Tabulated(months, mean)


def truth(rate: float) -> Distribution:
    """Give EMERALD's elacestrant curve with its hazard multiplied so that the rate at the scan of week 24 is `rate`."""
    curve = elacestrant_curve()
    return ProportionalHazards(curve, (float(np.log(rate) / np.log(curve.survival(landmark()))),))


@remembered
def power_curve(dropout: float = 0.0, trials: int = TRIALS.value, seed: int = 2025) -> pd.DataFrame:
    """Power over true rates for each size and null rate, exact and simulated under scans.

    Parameters
    ----------
    dropout
        Losses per month in the simulated trials; the exact power knows of none.
    trials
        Replicates per size and true rate.
    seed
        Seed of the simulation.

    Returns
    -------
    DataFrame
        ``n``, ``null_rate``, ``true_rate``, ``exact``, ``simulated`` with its Monte Carlo ``std_error``.
    """
    tests = tuple(LandmarkRate(landmark(), null_rate) for null_rate in NULL_RATES.value)
    rows = []
    for n in SIZES.value:
        for rate in TRUE_RATES:
            result = simulate(design(n, dropout), Scenario({ARM: truth(rate)}), trials=trials, rng=seed, tests=tests)
            for test in tests:
                exact = exact_binomial(n, null_rate=test.null_rate, alpha=ALPHA.value).rejection_probability(rate)
                power = result.power(test.name)
                rows.append((n, test.null_rate, rate, exact, power.value, power.std_error))
    return pd.DataFrame(rows, columns=["n", "null_rate", "true_rate", "exact", "simulated", "std_error"])


def case() -> Case:
    """Give what the power of the exact test rests on, as assumed."""
    n, null_rate, gain = GAINED.value
    return Case(n, null_rate, null_rate + gain, ALPHA.value, landmark())


def what_moves_power() -> pd.DataFrame:
    """Tabulate the exact power with one assumption at a time replaced, in order of weight; see `weighed`."""
    base = case()
    fields = dict(zip(OTHERWISE.value, ("alpha", "null_rate", "true_rate", "n", "lost"), strict=True))
    others: list[tuple[str, str, dict[str, float]]] = [
        (what, f"{value:g}" if field == "n" else f"{100 * value:g}%", {field: value})
        for what, field in fields.items()
        for value in OTHERWISE.value[what]
    ]
    for share in NOT_AVID.value[1:]:
        for ratio in NOT_AVID_RATIOS.value:
            rate = (1 - share) * base.true_rate + share * base.true_rate**ratio
            others.append(("patients with a site not avid", f"{share:.0%}, hazard x {ratio:g}", {"true_rate": rate}))
    return weighed(base, others)


def history() -> dict[str, BetaPrior]:
    """Give what EMERALD leaves to believe of its rates at 6 months, by arm, where an interval was printed.

    Only for patients with an ESR1 mutation was one; each becomes the beta distribution of that mean and width.
    """
    table = printed_rates().dropna(subset=["lower"]).set_index("arm")
    return {
        str(arm): BetaPrior.from_interval(row["printed"], row["lower"], row["upper"]) for arm, row in table.iterrows()
    }


@remembered
def against_history(trials: int = TRIALS.value, seed: int = 2026) -> pd.DataFrame:
    """Rejection if the combination is no better than an arm of EMERALD whose rate is known with its interval only.

    Returns
    -------
    DataFrame
        ``control``, ``n``, ``null_rate``, and the probability of rejection averaged over what is believed of the
        control's rate: ``exact``, ``simulated``, ``std_error``.
    """
    frames = []
    for arm, belief in history().items():
        for n in SIZES.value:
            table = average_rejection(belief, NULL_RATES.value, design(n), landmark(), trials=trials, rng=seed)
            frames.append(table.assign(control=arm, n=n))
    return pd.concat(frames, ignore_index=True)[["control", "n", "null_rate", "exact", "simulated", "std_error"]]


@remembered
def two_stage(trials: int = TRIALS.value, seed: int = 2027) -> pd.DataFrame:
    """Tabulate Simon's designs for a gain of `GAIN` on each null rate; columns of `simulation.two_stage_table`."""
    found = [
        simon_two_stage(null_rate=rate, alternative_rate=rate + GAIN.value, alpha=ALPHA.value, power=POWER.value)
        for rate in NULL_RATES.value
    ]
    planned = design(SIZES.value[0])
    tables = [two_stage_table(designs, planned, landmark(), trials=trials, rng=seed) for designs in found]
    return pd.concat(tables, ignore_index=True)


@remembered
def avidity(rate: float = 0.6, trials: int = TRIALS.value, seed: int = 2028) -> pd.DataFrame:
    """Power if some patients have sites that are not avid, over their share and the hazard ratio against the others.

    Parameters
    ----------
    rate
        True rate at the landmark of patients whose every site is avid.
    trials, seed
        Replicates and seed of the simulation.

    Returns
    -------
    DataFrame
        ``share`` with a site that is not avid, ``hazard_ratio``, ``rate`` of all patients together, and for the first
        null rate and each size ``n`` the power: ``exact``, ``simulated``, ``std_error``.
    """
    test, rows = LandmarkRate(landmark(), NULL_RATES.value[0]), []
    for share in NOT_AVID.value:
        for hazard_ratio in NOT_AVID_RATIOS.value:
            avid = truth(rate)
            curve = Mixture((avid, ProportionalHazards(avid, (hazard_ratio,))), (1 - share, share))
            overall = float(curve.survival(landmark()))
            for n in SIZES.value:
                exact = exact_binomial(n, null_rate=test.null_rate, alpha=ALPHA.value).rejection_probability(overall)
                power = simulate(design(n), Scenario({ARM: curve}), trials=trials, rng=seed, tests=(test,)).power()
                rows.append((share, hazard_ratio, overall, n, exact, power.value, power.std_error))
    columns = ["share", "hazard_ratio", "rate", "n", "exact", "simulated", "std_error"]
    return pd.DataFrame(rows, columns=columns)
