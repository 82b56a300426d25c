"""The frames behind the plots say what the derivation says; so does the simulated cohort."""

import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.design import WEEK, Assessments
from analysis.endpoints.attendance import Attendance
from analysis.endpoints.batch import derive_patients, empty
from analysis.endpoints.codes import IRECIST, MISSING, PD
from analysis.endpoints.derivation import derive
from analysis.endpoints.growth import Rate, Stein
from analysis.endpoints.readers import Readers, read_disease
from analysis.endpoints.simulated import EndpointDefinitions
from analysis.endpoints.tumours import PseudoProgression, Tumours, draw_disease
from analysis.errors import UnknownNameError
from analysis.plots import WEEKS, binomial_design, cohort
from analysis.power.single_arm import BinomialDesign

TUMOURS = Tumours(
    Stein(growth=Rate(0.06, 1.0, 0.3), shrinkage=Rate(0.11, 1.2, 0.3)),
    targets=3,
    nodes=0.0,
    new_lesions=0.08,
    non_target=0.04,
    death=0.035,
    pseudo_progression=PseudoProgression(0.06),
)
READERS = Readers(error=0.07)
ATTENDANCE = Attendance(Assessments(tuple(w * WEEK for w in (8, 16, 24, 48)), window=WEEK), until=48 * WEEK)
START = date(2000, 1, 1)

MEASURED = [
    ("S1", "2024-01-01", 100),
    ("S1", "2024-02-26", 60),
    ("S1", "2024-04-22", 90),
    ("S1", "2024-06-17", 40),
    ("S2", "2024-01-01", 50),
    ("S2", "2024-02-26", 70),
    ("S2", "2024-04-22", 80),
    ("S3", "2024-01-01", 50),
]
SUBJECTS = pd.DataFrame(
    {
        "subject": ["S1", "S2", "S3"],
        "reference": "2024-01-01",
        "death": [None, "2024-05-01", None],
        "new_therapy": ["2024-06-01", None, None],
        "discontinuation": [None, None, "2024-01-20"],
    }
)


def simulate_cohort(patients, seed):
    """Simulate one trial down to its measurements, and derive responses by iRECIST from them as for real patients."""
    month, death, scans = draw_trial(patients, seed)
    tr, subjects = measurements(month, death, scans)
    return cohort(derive(tr, subjects=subjects), criteria="iRECIST")


def draw_trial(patients, seed):
    """Draw months of the scans (inf: none), months of death, and what the reader saw."""
    rng = np.random.default_rng(seed)
    month = ATTENDANCE.draw(patients, rng)
    at = np.where(np.isfinite(month), month, 0.0)
    disease = draw_disease(TUMOURS, at, READERS.lesions(TUMOURS.targets), rng)
    [scans] = read_disease(disease, READERS, at, TUMOURS.targets, rng)
    last = ATTENDANCE.until + ATTENDANCE.assessments.window
    return month, np.where(disease.death <= last, disease.death, np.inf), scans


def measurements(month, death, scans):
    """Write scans as the measurements of a trial (TR) and its subjects; progressing disease goes on growing."""
    rows = []
    subjects = []
    for i, months in enumerate(month):
        subject = f"S{i + 1:02d}"
        subjects.append((subject, START, day(death[i])))
        progressed, new_before = False, False
        for visit, when in enumerate([0.0, *months[months <= death[i]]]):
            place = f"scan {visit}", day(when) or START
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


def day(months):
    """Date so many months after the reference date; None for inf."""
    return START + timedelta(days=round(months * WEEKS.days / WEEK)) if np.isfinite(months) else None


@pytest.fixture(scope="module")
def derivation():
    rows = [(subject, "T1", "TARGET", "LDIAM", when, mm) for subject, when, mm in MEASURED]
    return derive(
        pd.DataFrame(rows, columns=["subject", "lesion", "group", "test", "date", "value"]), subjects=SUBJECTS
    )


def test_patients_of_a_cohort_by_recist(derivation):
    patients = cohort(derivation).patients.set_index("subject")
    assert patients["best_response"].tolist() == ["PR", "PD", "MISSING"]
    assert patients["best_change"].tolist()[:2] == [pytest.approx(-40), pytest.approx(40)]
    assert np.isnan(patients["best_change"]["S3"])
    assert patients["end_day"].tolist() == [168, 121, 19]
    assert not patients["ongoing"].any()


def test_a_patient_goes_on_until_progression_is_confirmed():
    rows = [("S1", "T1", "TARGET", "LDIAM", when, mm) for _, when, mm in MEASURED[4:6]]
    tr = pd.DataFrame(rows, columns=["subject", "lesion", "group", "test", "date", "value"])
    assert cohort(derive(tr), criteria="iRECIST").patients["ongoing"].tolist() == [True]
    assert cohort(derive(tr), criteria="RECIST 1.1").patients["ongoing"].tolist() == [False]


def test_events_of_a_cohort_by_both_criteria(derivation):
    recist = cohort(derivation).events
    assert recist[recist["subject"] == "S2"].to_numpy().tolist() == [["S2", 56, "PD"], ["S2", 121, "death"]]
    irecist = cohort(derivation, criteria="iRECIST").events
    assert irecist[irecist["subject"] == "S2"]["event"].tolist() == ["iUPD", "iCPD", "death"]
    assert irecist[irecist["subject"] == "S1"].to_numpy().tolist() == [
        ["S1", 56, "response"], ["S1", 112, "iUPD"], ["S1", 152, "new therapy"],
    ]  # fmt: skip
    assert irecist[irecist["subject"] == "S3"].to_numpy().tolist() == [["S3", 19, "discontinuation"]]


def test_an_unknown_reader_or_criterion_is_named(derivation):
    with pytest.raises(UnknownNameError, match="evaluator: got 'INVESTIGATOR'"):
        cohort(derivation, evaluator="INVESTIGATOR")
    with pytest.raises(UnknownNameError, match="criteria: got 'irecist'"):
        cohort(derivation, criteria="irecist")


def test_the_published_test_subjects_give_one_row_each():
    folder = os.environ.get("REFERENCE_DATA")
    if folder is None:
        pytest.skip("REFERENCE_DATA does not name the folder of the published test subjects")
    tr, tu = (pd.read_csv(Path(folder) / "recist" / f"{name}_onco_recist.csv") for name in ("tr", "tu"))
    seen = cohort(derive(tr, tu), evaluator="INVESTIGATOR")
    assert seen.patients["best_response"].tolist() == ["CR", "NON-CR/NON-PD", "PR", "SD"]
    assert seen.patients["best_change"].round(1).tolist()[2:] == [-57.7, -2.2]
    assert seen.events.to_numpy().tolist() == [
        ["01-701-1015", 63, "response"], ["01-701-1118", 42, "response"], ["01-701-1130", 63, "PD"],
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2022])
def test_a_simulated_cohort_has_the_simulators_own_endpoints(seed):
    n = 200
    month, death, scans = draw_trial(n, seed)
    out = empty(n, 4)
    last = np.full(n, ATTENDANCE.until + ATTENDANCE.assessments.window)
    derive_patients(*scans, month, death, last, EndpointDefinitions().compiled, out)
    patients = simulate_cohort(n, seed).patients
    assert patients["best_response"].tolist() == [IRECIST.term(int(code)) for code in out.best[1]]


def test_a_two_stage_design_is_drawn_with_its_counts_and_exact_probabilities():
    design = BinomialDesign(looks=(10, 29), futility=(1, 5), null_rate=0.1, alternative_rate=0.3)
    ax = Figure().subplots()
    binomial_design(ax, design, outcome="responders")
    spans = [(bar.get_x() + bar.get_width() / 2, bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches]
    assert spans == [
        (10, -0.5, 1.5), (10, 1.5, 10.5), (29, -0.5, 5.5), (29, 5.5, 29.5),
    ]  # fmt: skip
    words = [text.get_text() for text in ax.texts]
    stop, go_on, accept, reject = [text for text in words if "null:" not in text and "alternative:" not in text]
    assert stop == "stop if 1 or fewer\nprobability 0.736 at 10%, 0.149 at 30%"
    assert go_on == "go on with 2 to 10"
    assert accept.startswith("do not reject if 5 or fewer\n")
    assert f"{design.attained_alpha:.3f} at 10%, {design.attained_power:.3f} at 30%" in reject


def test_a_look_that_can_reject_is_drawn_so():
    design = BinomialDesign(looks=(10, 29), futility=(-1, 5), null_rate=0.1, efficacy=(6,))
    ax = Figure().subplots()
    binomial_design(ax, design)
    first = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches if bar.get_x() < 15]
    assert first == [(-0.5, 5.5), (5.5, 10.5)]
    assert any("reject the null if 6 or more" in text.get_text() for text in ax.texts)
