"""The frames behind the plots say what the derivation says; so does the simulated cohort."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.endpoints.batch import derive_patients, empty
from analysis.endpoints.codes import IRECIST
from analysis.endpoints.derivation import derive
from analysis.endpoints.simulated import EndpointDefinitions, simulate_endpoints
from analysis.errors import UnknownNameError
from analysis.figures.endpoints import (
    ATTENDANCE,
    FIGURES,
    READERS,
    TUMOURS,
    draw_trial,
    simulate_cohort,
)
from analysis.plots import binomial_design, cohort
from analysis.power.single_arm import BinomialDesign
from analysis.studies import caboavenec

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


def test_the_assumed_disease_control_is_near_the_interim_report():
    result = simulate_endpoints(TUMOURS, ATTENDANCE, patients=30, trials=1000, rng=5, readers=READERS)
    rates = result.rates()
    at = (rates["criteria"] == "iRECIST") & (rates["endpoint"] == "control at landmark") & (rates["landmark"] == 112)
    assert rates[at]["rate"].item() == pytest.approx(5 / 12, abs=0.03)


def test_the_figure_says_that_it_is_simulated_and_shows_every_patient():
    assert [figure.name for figure in FIGURES] == ["caboavenec-simulated-cohort"]
    drawing = FIGURES[0]()
    upper, lower = drawing.figure.axes
    n = caboavenec.planned_enrolment()
    assert upper.get_title(loc="left") == f"Simulated patients, n = {n}: not data of the trial"
    shown = drawing.numbers[drawing.numbers["panel"] == "patients"]
    assert len(shown) == len(lower.get_yticklabels()) == n
    assert len(upper.patches) == shown["best_change"].notna().sum()


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
