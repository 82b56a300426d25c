"""The frames behind the plots say what the derivation says; so does the simulated cohort."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    Organs,
    PseudoProgression,
    Rate,
    Readers,
    Stein,
    Tumours,
    derive,
    simulate_endpoints,
    simulated_measurements,
)
from analysis.endpoints.codes import IRECIST, RECIST
from analysis.errors import UnknownNameError
from analysis.plots import binomial_design, cohort
from analysis.single_arm import BinomialDesign

TUMOURS = Tumours(
    Stein(growth=Rate(0.06, 1.0, 0.3), shrinkage=Rate(0.11, 1.2, 0.3)),
    targets=3,
    nodes=0.0,
    new_lesions=0.08,
    non_target=0.04,
    death=0.035,
    pseudo_progression=PseudoProgression(0.06),
)
READERS = Readers(error=0.07, correlation=0.5, other_lesion=0.2, independent=True)
ATTENDANCE = Attendance(Assessments(tuple(w * WEEK for w in (8, 16, 24, 48)), window=WEEK), until=48 * WEEK)

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


@pytest.mark.parametrize("organs", [None, Organs({"liver": 0.6, "lung": 0.2, "lymph node": 0.2}, lesions=6.0)])
@pytest.mark.parametrize("seed", [1, 2022])
def test_a_simulated_cohort_has_the_simulators_own_endpoints(seed, organs):
    tumours = replace(TUMOURS, organs=organs, nodes=0.2)
    result = simulate_endpoints(tumours, ATTENDANCE, patients=100, trials=90, rng=seed, readers=READERS)
    for trial in (0, 89):
        derivation = derive(*simulated_measurements(result, trial))
        assert not any(finding.severity == "error" for finding in derivation.findings)
        for number, reader in enumerate(("investigator", "independent")):
            seen = result.endpoints[number]
            for c, criteria in enumerate(("RECIST 1.1", "iRECIST")):
                patients = cohort(derivation, evaluator=reader, criteria=criteria).patients
                terms = (RECIST, IRECIST)[c]
                assert patients["best_response"].tolist() == [terms.term(int(code)) for code in seen.best[c, trial]]
            changes = cohort(derivation, evaluator=reader).patients["best_change"]
            np.testing.assert_allclose(changes, seen.depth[trial], atol=0.01)


def test_no_target_is_one_too_many_where_lesions_have_organs():
    tumours = replace(TUMOURS, targets=5, organs=Organs({"liver": 0.7, "lung": 0.2, "lymph node": 0.1}, lesions=8.0))
    result = simulate_endpoints(tumours, ATTENDANCE, patients=200, trials=1, rng=3, readers=READERS)
    measured = simulated_measurements(result)
    targets = measured.tu.groupby(["subject", "evaluator"])
    assert targets.size().max() == 5
    assert targets["organ"].value_counts().max() == 2
    assert not any(finding.rule in ("too many targets", "target too small") for finding in derive(*measured).findings)
    first, second = (measured.tu[measured.tu["evaluator"] == reader] for reader in ("investigator", "independent"))
    assert first["organ"].tolist() != second["organ"].tolist()


def test_a_two_stage_design_is_drawn_with_its_counts_and_exact_probabilities():
    design = BinomialDesign(looks=(10, 29), futility=(1, 5), null_rate=0.1, alternative_rate=0.3)
    shown = binomial_design(design, outcome="responders")
    ax = shown.axes[0]
    assert shown.alt == (
        "Exact test of 10% against 30%: of 10 patients, 1 responder or fewer stop; "
        "of 29 patients, 5 responders or fewer do not reject, 6 or more reject"
    )
    assert shown.numbers["p_reject_null"].sum() == pytest.approx(design.attained_alpha)
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
    ax = binomial_design(design).axes[0]
    first = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches if bar.get_x() < 15]
    assert first == [(-0.5, 5.5), (5.5, 10.5)]
    assert any("reject the null if 6 or more" in text.get_text() for text in ax.texts)
