"""XENERA-1 at the level of scans: two readers who disagree, and a reading that ends with the other's progression."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import Attendance, Rate, Readers, SimulatedGroups, Stein, Tumours, simulate_endpoints
from analysis.studies.assumptions import Assumption
from analysis.studies.remembered import remembered
from analysis.studies.xenera1 import plan, seen
from analysis.survival import kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.endpoints import SimulatedEndpoints
    from analysis.endpoints.codes import Codes
    from analysis.reported import Recovered

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

READERS = ("investigator", "independent")

DISEASE = Assumption(
    "disease before calibration",
    Tumours(
        Stein(Rate(0.03, 1.2, 0.4), Rate(0.03, 1.0, 0.6)), targets=2, new_lesions=0.06, non_target=0.04, death=0.003
    ),
    "rates per month",
    "not reported; two slow targets in non-visceral disease, with new and non-target lesions beside them",
)
ERROR = Assumption(
    "measurement error", 0.1, "sd of log diameter", "not reported; about 20% either way, 95% of the time"
)
DELAY = Assumption(
    "lateness in calling a new or non-target lesion",
    1.0,
    "months, mean of each reader",
    "not reported; half a scan interval",
)
CORRELATION = Assumption("correlation of the readers' errors", 0.3, "", "not reported; the same scans, other eyes")
OTHER_LESION = Assumption("another target lesion chosen", 0.3, "probability per lesion", "not reported")
LEVELS = Assumption(
    "levels of disagreement", (0.0, 0.5, 1.0, 1.5), "times error and lateness", "from exact readers to poor ones"
)
DATES_DIFFER = Assumption(
    "date of progression differs",
    0.31,
    "share of patients",
    "12,299 patients, source not named; two readers of the same, complete scans, taken here as the share where the "
    "independent reading stops at the investigator's progression",
)
BEST_RESPONSES_DIFFER = Assumption(
    "best response differs", 0.23, "share of patients", "the same 12,299 patients, source not named"
)
ADJUDICATED = Assumption(
    "date of progression or best response differs", 0.42, "share of patients", "the share adjudicated among the same"
)
EFFECT = Assumption(
    "pace of the disease under xentuzumab", plan.HAZARD_RATIO.value, "ratio to placebo", "the effect of the power study"
)
LEAVING = Assumption(
    "reason for leaving", "independent of the disease", "", "not reported; its rate is set by the events that were seen"
)
MEASURABLE = Assumption(
    "measurable disease", (1.0, 0.75, 0.5, 0.25), "share of patients",
    "not reported; XENERA-1 admits disease in bone alone, which has no target lesion",
)  # fmt: skip
ASSESSMENTS = Assumption("tumour assessments", 8.0, "weeks", "not reported; usual in this setting")
TRIALS = Assumption("replicates", 800, "per cell", "Monte Carlo standard error of power at most 1.8 points")
ASSUMPTIONS = (
    DISEASE, ERROR, DELAY, CORRELATION, OTHER_LESION, LEVELS, DATES_DIFFER, BEST_RESPONSES_DIFFER, ADJUDICATED, EFFECT,
    LEAVING, MEASURABLE, ASSESSMENTS, plan.ACCRUAL, plan.ALPHA, TRIALS,
)  # fmt: skip

INTERVAL = ASSESSMENTS.value * WEEK
CALIBRATION_PATIENTS, CALIBRATION_TRIALS = 100, 60
TIED = 9
"""Decimals to which months are rounded, so that two patients who leave at the same scan tie exactly."""


@dataclass(frozen=True)
class Setting:
    """A disease and two readers that reproduce what the investigators of XENERA-1 reported.

    Attributes
    ----------
    level
        Level of disagreement: what `ERROR` and `DELAY` are multiplied by.
    pace
        By arm: what the rates of `DISEASE` are multiplied by, so that the investigator's median is the reported one.
    losses
        Rate per month at which patients leave before progression, so that the investigator sees the reported events.
    unshared
        By arm: rate per month of progressions that the investigator alone calls; none where an arm is not named.
    measurable
        Share of patients with measurable disease.
    """

    level: float
    pace: dict[str, float]
    losses: float
    unshared: dict[str, float] = field(default_factory=dict)
    measurable: float = 1.0


@dataclass(frozen=True)
class Cell:
    """Trials of one setting, as each reader sees them: shape (trials, patients), control arm first.

    Best responses are those of complete follow-up, all else is as observed at the analysis.
    """

    time: dict[str, Floats]
    progressed: dict[str, Bools]
    event: dict[str, Bools]
    best: dict[str, Codes]
    sizes: tuple[int, int]

    def columns(self, arm: str) -> slice:
        """Columns of an arm's patients."""
        return slice(0, self.sizes[0]) if arm == plan.CONTROL else slice(self.sizes[0], None)


def treated() -> tuple[int, int]:
    """Patients treated with placebo and with xentuzumab."""
    counts = [plan.by_reader("independent").arm(arm).n for arm in plan.ARMS]
    assert all(count is not None for count in counts), "XENERA-1 prints the patients of each arm"
    control, experimental = (int(count.value) for count in counts if count is not None)
    return control, experimental


def disease(pace: float, measurable: float = 1.0) -> Tumours:
    """Multiply every rate of progression, that of growing lesions included."""
    start = DISEASE.value
    rates = {name: getattr(start, name) * pace for name in ("new_lesions", "non_target", "death")}
    return replace(start, growth=start.growth.scaled(pace, 1.0), measurable=measurable, **rates)


def two_readers(level: float, *, stops: bool = True, unshared: float = 0.0) -> Readers:
    """Give two readers of a level of disagreement; `stops`: nothing is read after the investigator's progression.

    `unshared`: rate per month of progressions that the investigator alone calls.
    """
    return Readers(
        error=level * ERROR.value,
        correlation=CORRELATION.value,
        other_lesion=OTHER_LESION.value,
        delay=level * DELAY.value,
        independent=True,
        stops_at_investigator=stops,
        unshared=unshared,
    )


def scanned(
    pace: float, readers: Readers, patients: int, trials: int, seed: int, measurable: float = 1.0
) -> SimulatedEndpoints:
    """Simulate one arm, scanned to the end of the calendar without losses."""
    attendance = Attendance(Assessments.every(INTERVAL), until=plan.calendar_end())
    return simulate_endpoints(
        disease(pace, measurable),
        attendance,
        patients=patients,
        trials=trials,
        rng=np.random.SeedSequence(seed),
        readers=readers,
    )


def reported_median(reader: str, arm: str) -> float:
    """Return a printed median in months."""
    median = plan.by_reader(reader).arm(arm).median
    assert median is not None, f"{reader} prints no median"
    return median.value


def recovered_events(reader: str) -> Recovered:
    """Recover the events from the printed interval of the hazard ratio; the report does not print them."""
    return seen.events_seen(reader)


def step_at_median(time: Floats, event: Bools, median: float) -> float:
    """Give the middle of the step that the survival curve takes at the scan of a median.

    It is one half if the median falls on this scan for every sample but the smallest.
    """
    curve = kaplan_meier(time.ravel(), event.ravel())
    scan = round(median / INTERVAL) * INTERVAL
    return float(curve.survival_at(scan - INTERVAL / 2) + curve.survival_at(scan + INTERVAL / 2)) / 2


def pace_for(median: float, readers: Readers, seed: int, measurable: float = 1.0) -> float:
    """Find the pace at which the investigator's median is the given one; the same draws at every step."""

    def miss(log_pace: float) -> float:
        result = scanned(np.exp(log_pace), readers, CALIBRATION_PATIENTS, CALIBRATION_TRIALS, seed, measurable)
        found = result.of("investigator")
        return step_at_median(found.time[0], found.event[0], median) - 0.5

    return float(np.exp(brentq(miss, np.log(0.05), np.log(5.0), xtol=0.01)))


def expected_events(time: Floats, event: Bools, losses: float) -> float:
    """Share of patients whose event is seen before they are lost or the data are cut."""
    entered = np.clip((plan.calendar_end() - time) / plan.ACCRUAL.value, 0.0, 1.0)
    return float((event * entered * np.exp(-losses * time)).mean())


@remembered
def setting(level: float, seed: int = plan.SEED) -> Setting:
    """Calibrate disease and losses to the investigators' medians and events, for a level of disagreement."""
    return setting_for(level, {}, seed)


@remembered
def setting_of(level: float, measurable: float, seed: int = plan.SEED) -> Setting:
    """Calibrate as `setting` does, where a share of the patients has measurable disease."""
    return setting_for(level, {}, seed, measurable)


def setting_for(level: float, unshared: dict[str, float], seed: int = plan.SEED, measurable: float = 1.0) -> Setting:
    """Calibrate as `setting` does, with progressions that the investigator alone calls at the given rates."""
    readers = {arm: two_readers(level, unshared=unshared.get(arm, 0.0)) for arm in plan.ARMS}
    pace = {arm: pace_for(reported_median("investigator", arm), readers[arm], seed, measurable) for arm in plan.ARMS}
    arms = [
        scanned(pace[arm], readers[arm], CALIBRATION_PATIENTS, CALIBRATION_TRIALS, seed, measurable).of("investigator")
        for arm in plan.ARMS
    ]
    time, event = np.concatenate([a.time[0] for a in arms]), np.concatenate([a.event[0] for a in arms])
    share = recovered_events("investigator").estimate / sum(treated())
    losses = brentq(lambda rate: expected_events(time, event, rate) - share, 0.0, 1.0, xtol=1e-4)
    return Setting(level, pace, float(losses), unshared, measurable)


@remembered
def calibrated(seed: int = plan.SEED) -> Setting:
    """Find the level at which the readers date progression differently as often as in other trials.

    There both readers saw all scans; here the independent reading stops at the investigator's progression. That the
    share is the same nevertheless is an assumption, `DATES_DIFFER`.
    """

    def miss(level: float) -> float:
        return (
            float(date_differs(simulated_trials(setting(level, seed), trials=200, seed=seed)).mean())
            - DATES_DIFFER.value
        )

    return setting(float(brentq(miss, LEVELS.value[0], LEVELS.value[-1], xtol=0.02)), seed)


def simulated_trials(
    of: Setting, *, effect: float | None = None, stops: bool = True, trials: int = TRIALS.value, seed: int = plan.SEED
) -> Cell:
    """Simulate XENERA-1: patients enter over the accrual, leave or are cut, and are scanned until then.

    Parameters
    ----------
    of
        Disease, readers and losses.
    effect
        Pace of the disease under xentuzumab relative to placebo; None: that of the reported medians.
    stops
        Whether the independent reading ends with the investigator's progression.
    trials, seed
        Replicates and seed; the draws are others than those of the calibration.
    """
    sizes = treated()
    pace = dict(of.pace) if effect is None else {plan.CONTROL: of.pace[plan.CONTROL]}
    pace.setdefault(plan.EXPERIMENTAL, of.pace[plan.CONTROL] * (effect or 1.0))
    readers = {arm: two_readers(of.level, stops=stops, unshared=of.unshared.get(arm, 0.0)) for arm in plan.ARMS}
    arms = SimulatedGroups(
        {
            arm: scanned(pace[arm], readers[arm], size, trials, seed + 1 + number, of.measurable)
            for number, (arm, size) in enumerate(zip(plan.ARMS, sizes, strict=True))
        }
    )
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    shape = (trials, sum(sizes))
    followed = plan.calendar_end() - plan.ACCRUAL.value * rng.random(shape)
    until = np.minimum(followed, rng.standard_exponential(shape) / of.losses)
    time, progressed, event, best = {}, {}, {}, {}
    for reader in READERS:
        found = arms.of(reader)
        known = found.time[0] <= until
        last_scan = np.floor(until / INTERVAL) * INTERVAL
        time[reader] = np.where(known, found.time[0], last_scan).round(TIED)
        event[reader] = found.event[0] & known
        progressed[reader] = np.isfinite(found.progression[0]) & known
        best[reader] = found.best[0]
    return Cell(time, progressed, event, best, sizes)


def date_differs(cell: Cell) -> Bools:
    """Whether the readers date a patient's progression differently, one not seeing it included."""
    at = [np.where(cell.progressed[reader], cell.time[reader], np.inf) for reader in READERS]
    differs: Bools = at[0] != at[1]
    return differs


def best_differs(cell: Cell) -> Bools:
    """Whether the readers give a patient different best responses."""
    differs: Bools = cell.best[READERS[0]] != cell.best[READERS[1]]
    return differs
