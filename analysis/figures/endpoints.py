"""Figures of endpoints: a simulated trial, patient by patient."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.design import WEEK, Assessments
from analysis.endpoints.attendance import Attendance
from analysis.endpoints.codes import MISSING, PD
from analysis.endpoints.derivation import derive
from analysis.endpoints.growth import Rate, Stein
from analysis.endpoints.readers import Readers, Scans, read_disease
from analysis.endpoints.simulated import simulate_endpoints
from analysis.endpoints.tumours import PseudoProgression, Tumours, draw_disease
from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, WEEKS, Cohort, cohort, swimmer, waterfall
from analysis.studies import caboavenec

if TYPE_CHECKING:
    from numpy.typing import NDArray

TUMOURS = Tumours(
    Stein(growth=Rate(0.06, 1.0, 0.3), shrinkage=Rate(0.11, 1.2, 0.3)),
    targets=3,
    nodes=0.0,
    new_lesions=0.08,
    non_target=0.04,
    death=0.035,
    pseudo_progression=PseudoProgression(0.06),
)
"""Assumed rates; with them disease control at week 16 comes near the interim report's, within 3 percentage points."""

READERS = Readers(error=0.07)
ATTENDANCE = Attendance(Assessments(tuple(w * WEEK for w in caboavenec.VISITS.value), window=WEEK), until=48 * WEEK)
TRIALS = 500
START = date(2000, 1, 1)
"""Every simulated patient's reference date; only days since it are shown."""


def draw_simulated_cohort(seed: int) -> Drawing:
    """CaboAveNEC, one simulated trial by iRECIST: best change of the target sum, and each patient's time on study."""
    n = caboavenec.planned_enrolment()
    seen = simulate_cohort(n, seed)
    figure = Figure(figsize=(PAGE_WIDTH, 8.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=[1, 1.5])
    waterfall(upper, seen.patients)
    swimmer(lower, seen.patients, seen.events, unit=WEEKS, since="first dose")
    upper.set_title(f"Simulated patients, n = {n}: not data of the trial")
    rates = simulate_endpoints(TUMOURS, ATTENDANCE, patients=n, trials=TRIALS, rng=seed, readers=READERS).rates()
    at = (
        (rates["criteria"] == "iRECIST")
        & (rates["endpoint"] == "control at landmark")
        & (rates["landmark"] == 7 * caboavenec.LANDMARK.value)
    )
    control = rates[at].iloc[0]
    figure.supxlabel(
        f"Assumed disease, one reader. Over {TRIALS} such trials {100 * control['rate']:.1f}% of patients have disease "
        f"control by iRECIST at the scan of week {caboavenec.LANDMARK.value}\n"
        f"(Monte Carlo standard error {100 * control['std_error']:.1f} percentage points). "
        "Arrow: neither confirmed progression nor death by the last scan.",
        fontsize=7, color=GREY,
    )  # fmt: skip
    numbers = pd.concat([seen.patients.assign(panel="patients"), seen.events.assign(panel="events")], ignore_index=True)
    return Drawing(figure, numbers)


def simulate_cohort(patients: int, seed: int) -> Cohort:
    """Simulate one trial down to its measurements, and derive responses by iRECIST from them as for real patients."""
    month, death, scans = draw_trial(patients, seed)
    tr, subjects = measurements(month, death, scans)
    return cohort(derive(tr, subjects=subjects), criteria="iRECIST")


def draw_trial(patients: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Scans]:
    """Draw months of the scans (inf: none), months of death, and what the reader saw."""
    rng = np.random.default_rng(seed)
    month = ATTENDANCE.draw(patients, rng)
    at = np.where(np.isfinite(month), month, 0.0)
    disease = draw_disease(TUMOURS, at, READERS.lesions(TUMOURS.targets), rng)
    [scans] = read_disease(disease, READERS, at, TUMOURS.targets, rng)
    last = ATTENDANCE.until + ATTENDANCE.assessments.window
    return month, np.where(disease.death <= last, disease.death, np.inf), scans


def measurements(
    month: NDArray[np.float64], death: NDArray[np.float64], scans: Scans
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write scans as the measurements of a trial (TR) and its subjects; progressing disease goes on growing."""
    rows: list[tuple[str, str, str, str, str, str, date]] = []
    subjects = []
    for i, months in enumerate(month):
        subject = f"S{i + 1:02d}"
        subjects.append((subject, START, _day(death[i])))
        progressed, new_before = False, False
        for visit, when in enumerate([0.0, *months[months <= death[i]]]):
            place = f"scan {visit}", _day(when) or START
            diameters = enumerate(scans.diameter[i, visit])
            rows += [(subject, f"T{k + 1}", "TARGET", "LDIAM", f"{mm:.1f}", *place) for k, mm in diameters]
            if scans.non_target[i, visit] != MISSING:
                progresses = scans.non_target[i, visit] == PD
                state = "INCREASED" if progressed else "PROGRESSION" if progresses else "PRESENT"
                rows.append((subject, "NT1", "NON-TARGET", "TUMSTATE", state, *place))
                progressed |= bool(progresses)
            if scans.new[i, visit]:
                rows.append((subject, "N1", "NEW", "TUMSTATE", "INCREASED" if new_before else "PRESENT", *place))
                new_before = True
    columns = ["subject", "lesion", "group", "test", "value", "visit", "date"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(subjects, columns=["subject", "reference", "death"])


def _day(months: float) -> date | None:
    """Date so many months after the reference date; None for inf."""
    return START + timedelta(days=round(months * WEEKS.days / WEEK)) if np.isfinite(months) else None


FIGURES = [RegisteredFigure("caboavenec-simulated-cohort", (caboavenec.TRIAL,), 2022, draw_simulated_cohort)]
