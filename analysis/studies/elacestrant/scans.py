"""Elacestrant + exemestane at the level of scans: what the rate at 6 months is, and what FES-PET says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.conventions.monte_carlo import MonteCarlo, mean
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    Calibration,
    EndpointDefinitions,
    Rate,
    Readers,
    Stein,
    Target,
    Tumours,
    calibrate,
    simulate_endpoints,
)
from analysis.studies.assumptions import Assumption
from analysis.studies.elacestrant import pfs_rate
from analysis.studies.remembered import remembered
from analysis.survival import kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

DISEASE = Assumption(
    "disease before calibration",
    Tumours(
        Stein(Rate(0.05, 2.5, 0.3), Rate(0.03, 1.0, 0.5)), targets=2, new_lesions=0.02, non_target=0.01, death=0.005
    ),
    "rates per month",
    "not reported; patients differ much, so that some progress at the first scan and others stay for long",
)
READER = Assumption("measurement error", 0.07, "sd of log diameter", "not reported; one reader, about 14% either way")
SCHEDULES = Assumption("schedules compared", (8, 12), "weeks between scans", "both have a scan at week 24")
PATIENTS = Assumption("patients", pfs_rate.SIZES.value[1], "", "the middle one of the sizes that are explored")
NOT_AVID = Assumption("patients with a site that is not avid", 0.25, "share", "the middle one of those explored")
NOT_AVID_RATIO = Assumption("pace of their disease", 3.0, "ratio to the others", "the larger of those explored")
ACCURACY = Assumption(
    "FES-PET, sensitivity and specificity", 0.86, "both", "a seed of the project, found for the oestrogen receptor"
)
TRIALS = Assumption("replicates", 1_000, "trials", "Monte Carlo standard error of a rate at most 0.3 points")
ASSUMPTIONS = (
    *(DISEASE, READER, SCHEDULES, PATIENTS, NOT_AVID, NOT_AVID_RATIO, ACCURACY, TRIALS),
    *(pfs_rate.POPULATION, pfs_rate.DROPOUT),
)

SEED, FOLLOW_UP, WEEK_24, ONE_WEEK = 2026, 18.0, 168, 1
TIED = 9
"""Decimals to which months are rounded, so that two patients who leave at the same scan tie exactly."""
DEFINITIONS = ("Kaplan-Meier", "binomial", "scan status")


@dataclass(frozen=True)
class Cohort:
    """Simulated trials: arrays of shape (trials, patients), times in months.

    Attributes
    ----------
    time, event
        Progression-free survival as observed, without losses.
    controlled
        Disease control at the scan of week 24.
    avid
        Whether all sites of a patient are FES-avid.
    """

    time: Floats
    event: Bools
    controlled: Bools
    avid: Bools


def attendance(weeks: float) -> Attendance:
    """Scan every so many weeks, on time."""
    return Attendance(Assessments.every(weeks * WEEK), until=FOLLOW_UP)


def definitions() -> EndpointDefinitions:
    """Judge disease control at week 24, two weeks either way."""
    return EndpointDefinitions(landmarks=(WEEK_24,))


@remembered
def calibrated(seed: int = SEED) -> Calibration:
    """Find the disease whose scans show the rates that EMERALD printed for elacestrant."""
    arm = pfs_rate.control_arm(pfs_rate.ELACESTRANT)
    targets = [
        Target("PFS rate", point.survival.value, at=point.time.value)
        for point in arm.landmarks
        if point.time.value < FOLLOW_UP
    ]
    return calibrate(
        DISEASE.value,
        attendance(pfs_rate.SCANS.value),
        targets,
        ("growth", "new_lesions"),
        rng=seed,
        readers=Readers(error=READER.value),
        definitions=definitions(),
        evaluations=60,
    )


def disease(pace: float, seed: int = SEED) -> Tumours:
    """Multiply every rate of progression of the calibrated disease."""
    start = calibrated(seed).tumours
    rates = {name: getattr(start, name) * pace for name in ("new_lesions", "non_target", "death")}
    return replace(start, growth=start.growth.scaled(pace, 1.0), **rates)


@remembered
def stratum(pace: float, weeks: float, error: float, seed: int = SEED) -> Cohort:
    """Simulate trials of patients with one pace of disease, read with a measurement error."""
    result = simulate_endpoints(
        disease(pace, seed),
        attendance(weeks),
        patients=PATIENTS.value,
        trials=TRIALS.value,
        rng=seed + round(100 * pace),
        readers=Readers(error=error),
        definitions=definitions(),
    )
    seen = result.of()
    everybody = np.full(seen.time[0].shape, pace == 1.0)
    return Cohort(seen.time[0], seen.event[0], seen.control[0, :, :, 0, 0], everybody)


@remembered
def cohort(
    weeks: float,
    share: float = NOT_AVID.value,
    ratio: float = NOT_AVID_RATIO.value,
    error: float = READER.value,
    seed: int = SEED,
) -> Cohort:
    """Simulate trials in which each patient has a site that is not avid with probability `share`.

    Parameters
    ----------
    weeks
        Weeks between scans.
    share
        Share of patients with a site that is not avid: the rule of half the lesions admits them.
    ratio
        Pace of their disease against that of the others.
    error
        Measurement error, sd of the logarithm of a diameter.
    seed
        Seed.
    """
    avid, other = stratum(1.0, weeks, error, seed), stratum(ratio, weeks, error, seed)
    is_avid = np.random.default_rng(seed).random(avid.time.shape) >= share
    return Cohort(
        np.where(is_avid, avid.time, other.time),
        np.where(is_avid, avid.event, other.event),
        np.where(is_avid, avid.controlled, other.controlled),
        is_avid,
    )


def rate_in_trials(of: Cohort, definition: str, weeks: float, seed: int = SEED) -> Floats:
    """Rate at 6 months in each trial, with losses, by one definition; shape (trials,).

    Kaplan-Meier: patients lost are censored at their last scan. Binomial: no progression or death by 6 months, the last
    scan by then being the evidence; lost by then is failure. Scan status: disease control at the scan of week 24; no
    scan is failure.
    """
    lost = months_to_loss(of, seed)
    deciding = float(Assessments.every(weeks * WEEK).scheduled(pfs_rate.MONTHS)[-1])
    if definition == "Kaplan-Meier":
        pairs = zip(*with_losses(of, weeks, seed), strict=True)
        return np.array([float(kaplan_meier(t, e).survival_at(pfs_rate.MONTHS)) for t, e in pairs])
    if definition == "binomial":
        free = (of.time > pfs_rate.MONTHS) & (lost > pfs_rate.MONTHS)
        return np.asarray(free.mean(axis=1))
    return np.asarray((of.controlled & (lost > deciding)).mean(axis=1))


def months_to_loss(of: Cohort, seed: int = SEED) -> Floats:
    """Draw when each patient is lost, shape (trials, patients)."""
    return np.random.default_rng(seed + 1).exponential(1 / pfs_rate.DROPOUT.value, of.time.shape)


def with_losses(of: Cohort, weeks: float, seed: int = SEED) -> tuple[Floats, Bools]:
    """Censor the patients who are lost at their last scan: times and events, shape (trials, patients)."""
    lost, interval = months_to_loss(of, seed), weeks * WEEK
    known = of.time <= lost
    time: Floats = np.where(known, of.time, np.floor(lost / interval) * interval)
    return time.round(TIED), of.event & known


@remembered
def rates_by_definition(seed: int = SEED) -> pd.DataFrame:
    """Tabulate the rate at 6 months by definition and schedule, beside that of weekly scans without losses.

    Returns
    -------
    DataFrame
        ``weeks``, ``definition``, ``rate`` (mean over trials) with its Monte Carlo ``std_error``, ``lower`` and
        ``upper`` (central 95% of the trials), ``continuous_reading`` with its Monte Carlo
        ``continuous_reading_std_error``: what simulated weekly scans without measurement error show of the same
        disease, nobody lost.
    """
    continuous = mean((cohort(ONE_WEEK, error=0.0, seed=seed).time > pfs_rate.MONTHS).mean(axis=1))
    reference = (continuous.value, continuous.std_error)
    rows = []
    for weeks in SCHEDULES.value:
        for definition in DEFINITIONS:
            rates = rate_in_trials(cohort(weeks, seed=seed), definition, weeks, seed)
            found = mean(rates)
            rows.append(
                (weeks, definition, found.value, found.std_error, *np.quantile(rates, (0.025, 0.975)), *reference)
            )
    columns = ["weeks", "definition", "rate", "std_error", "lower", "upper"]
    return pd.DataFrame(rows, columns=[*columns, "continuous_reading", "continuous_reading_std_error"])


@remembered
def rates_by_avidity(seed: int = SEED) -> pd.DataFrame:
    """Tabulate the rate at 6 months by the share of patients with a site that is not avid and by their pace.

    Returns
    -------
    DataFrame
        ``share``, ``ratio``, ``rate`` (disease control at week 24, nobody lost) with its Monte Carlo ``std_error``.
    """
    rows = []
    for ratio in pfs_rate.NOT_AVID_RATIOS.value:
        for share in pfs_rate.NOT_AVID.value:
            found = mean(cohort(pfs_rate.SCANS.value, share, ratio, seed=seed).controlled.mean(axis=1))
            rows.append((share, ratio, found.value, found.std_error))
    return pd.DataFrame(rows, columns=["share", "ratio", "rate", "std_error"])


WEIGHED = Assumption(
    "values otherwise",
    {
        "measurement error": (0.0, 0.14),
        "patients with a site that is not avid": (0.0, 0.5),
        "pace of their disease": (1.5, 6.0),
        "weeks between scans": (12,),
    },
    "sd of a log, share, ratio, weeks",
    "about half and twice what is assumed, or none",
)


@remembered
def what_moves_rate(seed: int = SEED) -> pd.DataFrame:
    """Tabulate the rate at 6 months with one assumption at a time replaced, in order of weight.

    Returns
    -------
    DataFrame
        ``replaced``, ``by``, ``rate`` (mean over trials, by scan status) with its Monte Carlo ``std_error``,
        ``difference`` from the first row, which is as assumed, with its ``difference_std_error``.
    """
    names = dict(zip(WEIGHED.value, ("error", "share", "ratio", "weeks"), strict=True))
    weeks, status = pfs_rate.SCANS.value, DEFINITIONS[-1]

    def rate(definition: str = status, **given: Any) -> MonteCarlo:
        every = given.pop("weeks", weeks)
        return mean(rate_in_trials(cohort(every, seed=seed, **given), definition, every, seed))

    base = rate()
    cases: list[tuple[str, Any]] = [(what, value) for what, values in WEIGHED.value.items() for value in values]
    rows = [(what, f"{value:g}", rate(**{names[what]: value})) for what, value in cases]
    rows += [("definition", name, rate(name)) for name in DEFINITIONS[:-1]]
    unlost = mean(cohort(weeks, seed=seed).controlled.mean(axis=1))
    rows.append(("losses", "none", unlost))
    table = [("as assumed", "", base.value, base.std_error, 0.0, 0.0)]
    for what, how, found in rows:
        error = float(np.hypot(found.std_error, base.std_error))
        table.append((what, how, found.value, found.std_error, found.value - base.value, error))
    table[1:] = sorted(table[1:], key=lambda row: -abs(row[4]))
    columns = ["replaced", "by", "rate", "std_error", "difference", "difference_std_error"]
    return pd.DataFrame(table, columns=columns)


def curves(seed: int = SEED, end: float = 12.0) -> pd.DataFrame:
    """Tabulate progression-free survival as each schedule sees it, nobody lost; weekly scans without error.

    Returns
    -------
    DataFrame
        ``weeks``, ``time`` in months, a row a day, ``survival`` from then to the next.
    """
    times = np.append(np.arange(0.0, end, WEEK / 7), end)
    frames = []
    schedules = {ONE_WEEK: 0.0} | dict.fromkeys(SCHEDULES.value, READER.value)
    for weeks, error in schedules.items():
        seen = cohort(weeks, error=error, seed=seed)
        survival = kaplan_meier(seen.time.ravel().round(TIED), seen.event.ravel()).survival_at(times.round(TIED))
        frames.append(pd.DataFrame({"weeks": weeks, "time": times, "survival": survival}))
    return pd.concat(frames, ignore_index=True)
