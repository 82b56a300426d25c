"""The disease behind a simulated CaboAveNEC: calibrated to what CaboAveNEC and AveNEC reported, the rest assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints.attendance import Attendance
from analysis.endpoints.calibration import Calibration, Free, Quantity, Target, calibrate, scaled
from analysis.endpoints.growth import Rate, Stein
from analysis.endpoints.readers import Readers
from analysis.endpoints.tumours import PseudoProgression, Tumours
from analysis.errors import UnknownNameError
from analysis.studies.assumptions import Assumption
from analysis.studies.caboavenec.dcr import VISITS
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIAL, MONOTHERAPY_TRIAL = "caboavenec", "avenec"
NET, NEC = "NET G3", "NEC"
STRATA = (NET, NEC)
RECIST, IRECIST = "RECIST 1.1", "iRECIST"
WEEK_16, MEDIAN_PFS, MONOTHERAPY = "combination, week-16 reading", "combination, median-PFS reading", "monotherapy"

PSEUDO_SHARE = Assumption(
    "pseudo-progression",
    0.06,
    "of patients",
    "6% (5-7) of 3,402 patients on checkpoint inhibitors, 17 studies; source not named",
)
SWELLING_UNTIL = Assumption(
    "end of the swelling", 3.0, "months", "not reported; seen at week 8, over at week 16. 4.5 months is shown beside it"
)
SWELLING = Assumption("swelling", 0.5, "of the baseline diameters", "not reported; enough for an iUPD at week 8")
SPREAD = Assumption(
    "growth between patients",
    (1.0, 3.0, 3.0),
    "sd of the log rate, in the order of the treatments",
    "chosen by trial among 1, 2 and 3; a large one lets early progression and long control go together",
)
FASTEST = Assumption(
    "fastest growth of a diameter", 0.75, "per month",
    "not reported; doubles the volume in 9 days, and is a progression at the first scan, as any faster growth is",
)  # fmt: skip
STRATUM_RATIO = Assumption(
    "NEC against NET G3", 2.0, "times faster growth, new lesions and death", "no endpoint was reported by stratum"
)
ERROR = Assumption("measurement error", 0.05, "sd of the log diameter", "not reported; one reader, 5% of a diameter")
WINDOW = Assumption("visit window", 3, "days either way", "not reported")
MISSED = Assumption("missed visits", 0.03, "of visits", "not reported; nobody leaves the study before death otherwise")
LESIONS = Assumption("target lesions", 5, "per patient", "the most that RECIST 1.1 follows; baseline median 25 mm")
NON_TARGET = Assumption(
    "non-target disease", 0.7, "of patients", "not reported; its progression is counted among the new lesions"
)
DEATH = Assumption(
    "death", "exponential", "",
    "independent of the scans; the share of CaboAveNEC alive at the data cut is taken as its survival at the median "
    "follow-up, AveNEC's printed survival at one year as a share of 60: approximate limits, as if nobody were censored",
)  # fmt: skip
MIXTURE = Assumption(
    "strata of CaboAveNEC", "12:7", "NET G3 to NEC", "as in the interim report; 19 and 11 of the 30 patients"
)
BEST_SEEN = Assumption(
    "best response", "week 8", "", "control as best response is taken as control at the first scan, by RECIST 1.1"
)
PRECEDENCE = Assumption(
    "precedence in the calibration", 4, "times the weight of the other targets",
    "a choice: the primary endpoint's rate, or the median PFS, is to be met before the best responses",
)  # fmt: skip
ASSUMPTIONS = (
    PSEUDO_SHARE, SWELLING_UNTIL, SWELLING, SPREAD, FASTEST, STRATUM_RATIO, ERROR, WINDOW, MISSED, LESIONS, NON_TARGET,
    DEATH, MIXTURE, BEST_SEEN, PRECEDENCE,
)  # fmt: skip

READERS = Readers(error=ERROR.value)
FREE: tuple[Free, ...] = ("growth", "shrinkage", "new_lesions")


@dataclass(frozen=True)
class PrintedTarget:
    """A target of the calibration, and its binomial standard error, in units of which the misfit is weighed.

    Attributes
    ----------
    printed
        The number as the report has it, or the count over a denominator derived from it.
    target
        What the simulated patients should show.
    std_error
        Binomial, as if all patients were followed; for the median PFS too, whose target is one half of them.
    """

    printed: str
    target: Target
    std_error: float


@dataclass(frozen=True)
class Treated:
    """Patients under one treatment, as one reading of the reports describes them.

    Attributes
    ----------
    name
        What they are called.
    targets
        What the calibration is held to.
    scan_weeks
        Scans of the trial that reported the targets, in weeks after entry.
    alive, alive_at
        Share alive, and the months at which; sets the hazard of death.
    strata
        Patients of NET G3 and of NEC in the report.
    spread
        Standard deviation of the logarithm of the growth rate between patients.
    """

    name: str
    targets: tuple[PrintedTarget, ...]
    scan_weeks: tuple[int, ...]
    alive: float
    alive_at: float
    strata: tuple[int, int]
    spread: float

    @property
    def death(self) -> float:
        """Hazard of death per month."""
        return float(-np.log(self.alive) / self.alive_at)


def count(trial: str, proportion: str) -> tuple[int, int]:
    """Read a printed count and its denominator.

    Examples
    --------
    >>> count("avenec", "dcr-16-weeks")
    (9, 60)
    """
    printed = report_of(trial).proportion(proportion)
    assert printed.count is not None, f"{proportion} of {trial} prints no count"
    assert printed.of is not None, f"{proportion} of {trial} prints no denominator"
    return int(printed.count.value), int(printed.of.value)


def printed_target(
    printed: str, quantity: Quantity, value: float, n: int, at: float | None, criteria: str, precedence: float = 1.0
) -> PrintedTarget:
    """Make a target of a share of n patients."""
    std_error = float(np.sqrt(value * (1 - value) / n))
    return PrintedTarget(printed, Target(quantity, value, at, criteria, std_error / precedence), std_error)


def _control(trial: str, criteria: str) -> PrintedTarget:
    """Target of disease control at week 16."""
    events, n = count(trial, "dcr-16-weeks")
    name = f"DCR at week 16 {events}/{n}"
    return printed_target(name, "control at landmark", events / n, n, 112.0, criteria, PRECEDENCE.value)


def _responses(trial: str, enrolled: int, not_evaluable: int = 0) -> tuple[PrintedTarget, PrintedTarget]:
    """Targets of objective response and of disease control as best response, by RECIST 1.1.

    The counts are printed; the denominator is derived where patients were not yet evaluable, and says so.
    """
    partial, stable = (count(trial, f"best-response-{name}")[0] for name in ("pr", "sd"))
    evaluable, control = enrolled - not_evaluable, partial + stable
    derived = f" (derived: {evaluable} = {enrolled} - {not_evaluable})" if not_evaluable else ""
    response, disease_control = f"PR {partial}/{evaluable}{derived}", f"PR or SD {control}/{evaluable}{derived}"
    return (
        printed_target(response, "objective response", partial / evaluable, evaluable, None, RECIST),
        printed_target(disease_control, "control at landmark", control / evaluable, evaluable, 56.0, RECIST),
    )


def follow_up() -> float:
    """Median follow-up of CaboAveNEC's interim report, months."""
    printed = report_of(TRIAL).comparison("os-interim").arms[0].median_follow_up
    assert printed is not None, "the interim report prints no follow-up"
    return printed.value


def median_pfs() -> float:
    """Median PFS of CaboAveNEC's interim report, months."""
    printed = report_of(TRIAL).comparison("pfs-interim").arms[0].median
    assert printed is not None, "the interim report prints no median"
    return printed.value


def treatments() -> Mapping[str, Treated]:
    """Describe the combination by two readings of its interim report, and the monotherapy by AveNEC's."""
    enrolled = count(TRIAL, "best-response-pr")[1]
    best = _responses(TRIAL, enrolled, count(TRIAL, "best-response-not-yet-evaluable")[0])
    alive, strata = count(TRIAL, "alive"), (count(TRIAL, "net-g3")[0], count(TRIAL, "nec")[0])
    median = f"median PFS {median_pfs() / WEEK:.1f} weeks"
    lasting = printed_target(median, "PFS rate", 0.5, enrolled, median_pfs(), IRECIST, PRECEDENCE.value)
    alone_of = count(MONOTHERAPY_TRIAL, "dcr-16-weeks")[1]
    year = report_of(MONOTHERAPY_TRIAL).comparison("os").arms[0].landmarks[0]
    combination = (VISITS.value, alive[0] / alive[1], follow_up(), strata)
    return {
        each.name: each
        for each in (
            Treated(WEEK_16, (*best, _control(TRIAL, IRECIST)), *combination, SPREAD.value[0]),
            Treated(MEDIAN_PFS, (*best, lasting), *combination, SPREAD.value[1]),
            Treated(
                MONOTHERAPY,
                (*_responses(MONOTHERAPY_TRIAL, alone_of), _control(MONOTHERAPY_TRIAL, RECIST)),
                (8, 16, 24, 36, 48),
                year.survival.value,
                year.time.value,
                (count(MONOTHERAPY_TRIAL, "net-g3")[0], count(MONOTHERAPY_TRIAL, "nec")[0]),
                SPREAD.value[2],
            ),
        )
    }


def treatment(name: str) -> Treated:
    """Find a treatment by its name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    known = treatments()
    if name not in known:
        raise UnknownNameError("treatment", name, known)
    return known[name]


def scans(weeks: tuple[int, ...] = VISITS.value) -> Attendance:
    """Schedule scans, with the assumed window and missed visits; deaths are known for twice as long."""
    times = tuple(week * WEEK for week in weeks)
    kept = Assessments(times, window=WINDOW.value / 7 * WEEK, missed=MISSED.value)
    return Attendance(kept, until=times[-1], survival_until=2 * times[-1])


def pseudo_progression(share: float, until: float = SWELLING_UNTIL.value) -> PseudoProgression:
    """Describe pseudo-progression in a share of the patients."""
    return PseudoProgression(share, swelling=SWELLING.value, until=until)


@remembered
def calibrated(name: str, seed: int = 16) -> Calibration:
    """Move growth, shrinkage and new lesions until one population shows a treatment's targets."""
    treated = treatment(name)
    start = Tumours(
        Stein(Rate(0.1, treated.spread, 0.3), Rate(0.1, 1.0, 0.3)),
        targets=LESIONS.value,
        new_lesions=0.05,
        death=treated.death,
        with_non_target=NON_TARGET.value,
        pseudo_progression=pseudo_progression(PSEUDO_SHARE.value),
        fastest=FASTEST.value,
    )
    targets = [each.target for each in treated.targets]
    schedule = scans(treated.scan_weeks)
    return calibrate(start, schedule, targets, FREE, rng=seed, readers=READERS, patients=2000, evaluations=90)


def disease(
    name: str, stratum: str, *, share: float = PSEUDO_SHARE.value, until: float = SWELLING_UNTIL.value,
    ratio: float = STRATUM_RATIO.value,
) -> Tumours:  # fmt: skip
    """Give the disease of a stratum: the calibrated one, slower in NET G3 and faster in NEC.

    The two factors are ``ratio`` apart, and their geometric mean over the reported patients is 1.
    """
    if stratum not in STRATA:
        raise UnknownNameError("stratum", stratum, STRATA)
    net, nec = treatment(name).strata
    power = -nec / (net + nec) if stratum == NET else net / (net + nec)
    factor = float(ratio**power)
    factors = dict.fromkeys(("growth", "new_lesions", "death"), factor)
    tumours, _ = scaled(calibrated(name).tumours, READERS, factors)
    return replace(tumours, pseudo_progression=pseudo_progression(share, until))


def parameters() -> pd.DataFrame:
    """Tabulate what the calibration found: median rates per month of growth and shrinkage, hazards per month."""
    rows = []
    for name in treatments():
        found = calibrated(name).tumours
        rows.append((name, *attrgetter(*PATHS)(found)))
    return pd.DataFrame(rows, columns=["treatment", "growth", "shrinkage", "new_lesions", "death"])


PATHS = ("growth.growth.median", "growth.shrinkage.median", "new_lesions", "death")
