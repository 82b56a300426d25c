"""Exposure as it is delivered: intensity, reductions, interruptions, reasons, and rows that cannot be read."""

from datetime import date

import pandas as pd
import pytest

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.safety import DosePlan, read_exposure


def adsl(**more):
    frame = pd.DataFrame({"USUBJID": ["S1", "S2"], "ARM": ["A", "A"], "TRTSDT": "2024-01-01", "TRTEDT": "2024-01-30"})
    return frame.assign(**more)


def dose(amount, start, end=None, subject="S1", **more):
    return {"USUBJID": subject, "EXDOSE": amount, "EXSTDTC": start, "EXENDTC": end} | more


WHOLE = dose(40, "2024-01-01", "2024-01-30", "S2")


def read(*rows, plan=None, subjects=None, **options):
    frame = adsl() if subjects is None else subjects
    return read_exposure(pd.DataFrame([*rows, WHOLE]), frame, plan or DosePlan(40), **options)


def of(found, subject="S1"):
    return found.subjects.set_index("subject").loc[subject]


def test_a_patient_who_takes_all_that_was_planned():
    row = of(read(dose(40, "2024-01-01", "2024-01-30")))
    assert (row["days"], row["administered"], row["relative_dose_intensity"]) == (30, 1200, 1.0)
    assert (row["reductions"], row["interruptions"], row["lowest_dose"]) == (0, 0, 40)


def test_reductions_interruptions_and_a_dose_of_0_are_told_apart():
    found = read(
        dose(40, "2024-01-01", "2024-01-10"),
        dose(0, "2024-01-11", "2024-01-13", EXADJ="ADVERSE EVENT"),
        dose(20, "2024-01-14", "2024-01-20"),
        dose(20, "2024-01-23", "2024-01-24"),
        dose(40, "2024-01-25", "2024-01-30"),
    )
    row = of(found)
    assert (row["reductions"], row["interruptions"], row["days_interrupted"]) == (1, 2, 5)
    assert row["administered"] == 16 * 40 + 9 * 20
    changes = found.changes[found.changes["subject"] == "S1"]
    assert changes[["change", "days", "reason"]].to_numpy().tolist() == [
        ["interrupted", 3, "ADVERSE EVENT"],
        ["reduced", 0, "ADVERSE EVENT"],
        ["interrupted", 2, ""],
        ["increased", 0, ""],
        ["ended", 0, "not given"],
    ]
    assert found.changes["date"].tolist()[0] == date(2024, 1, 11)


def test_an_interruption_before_the_end_of_treatment_counts_where_it_is_asked_to():
    ds = pd.DataFrame({"USUBJID": ["S1"], "DSDECOD": ["ADVERSE EVENT"], "DSSTDTC": ["2024-01-30"]})
    rows = [dose(40, "2024-01-01", "2024-01-15")]
    assert of(read(*rows, disposition=ds))["relative_dose_intensity"] == 1.0
    assert of(read(*rows, disposition=ds, until="end of treatment"))["relative_dose_intensity"] == 0.5


def test_infusions_every_two_weeks_are_counted_one_by_one():
    plan = {"Avelumab": DosePlan(800, every=14, late=3)}
    days = ["2024-01-01", "2024-01-15", "2024-02-05", "2024-02-19"]
    frame = pd.DataFrame([dose(800, day, EXTRT="AVELUMAB", EXDOSFRQ="Q2W") for day in days])
    row = of(read_exposure(frame, adsl(TRTEDT="2024-02-19"), plan))
    assert (row["administered"], row["planned"], row["interruptions"], row["days_interrupted"]) == (3200, 3200, 1, 7)
    on_time = pd.DataFrame([dose(800, day, EXTRT="AVELUMAB") for day in ("2024-01-01", "2024-01-18")])
    assert of(read_exposure(on_time, adsl(), plan))["interruptions"] == 0


def test_twice_a_day_is_twice_the_dose():
    rows = [dose(20, "2024-01-01", "2024-01-30", EXDOSFRQ="BID")]
    assert of(read(*rows))["relative_dose_intensity"] == 1.0


def test_reasons_come_from_disposition_and_else_from_the_subjects():
    ds = pd.DataFrame(
        {
            "USUBJID": ["S1", "S1", "S1"],
            "DSCAT": ["PROTOCOL MILESTONE", "DISPOSITION EVENT", "DISPOSITION EVENT"],
            "DSSCAT": [None, "TREATMENT", "STUDY PARTICIPATION"],
            "DSDECOD": ["RANDOMIZED", "PROGRESSIVE DISEASE", "DEATH"],
            "DSSTDTC": ["2024-01-01", "2024-01-30", "2024-05-01"],
        }
    )
    found = read(dose(40, "2024-01-01", "2024-01-30"), subjects=adsl(DCTREAS=["LOST", "ADVERSE EVENT"]), disposition=ds)
    assert found.subjects["reason"].tolist() == ["PROGRESSIVE DISEASE", "ADVERSE EVENT"]
    assert found.reasons()[["reason", "patients", "of"]].to_numpy().tolist() == [
        ["PROGRESSIVE DISEASE", 1, 2],
        ["ADVERSE EVENT", 1, 2],
    ]


def test_a_last_record_without_an_end_goes_on_to_the_cut_off():
    subjects = adsl(TRTEDT=[None, "2024-01-30"])
    row = of(read(dose(40, "2024-01-01"), subjects=subjects, cutoff=date(2024, 1, 20)))
    assert (row["days"], row["ended"], row["reason"]) == (20, False, "")


def test_a_last_dose_on_the_day_of_the_cut_off_has_not_ended_treatment():
    subjects = adsl(DCUTDT=["2024-01-30", "2024-03-01"])
    found = read(dose(40, "2024-01-01", "2024-01-30"), subjects=subjects)
    assert found.subjects["ended"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([dose(40, "2024-01-01", "2024-01-15"), dose(20, "2024-01-15", "2024-01-30")], "overlapping doses"),
        ([dose(0.04, "2024-01-01", "2024-01-30", EXDOSU="g")], "unit"),
        ([dose("forty", "2024-01-01", "2024-01-30")], "dose"),
        ([dose(-40, "2024-01-01", "2024-01-30")], "dose"),
        ([dose(float("inf"), "2024-01-01", "2024-01-30")], "dose"),
        ([dose(40, "2024-01", "2024-01-30")], "partial date"),
        ([dose(40, "soon", "2024-01-30")], "unreadable date"),
        ([dose(40, "2024-01-30", "2024-01-01")], "dates out of order"),
        ([dose(40, "2024-01-01", "2024-01-30", EXDOSFRQ="Q3D")], "frequency"),
        ([dose(40, "2024-01-01"), dose(20, "2024-01-15", "2024-01-30")], "no end"),
        ([dose(0, "2024-01-01", "2024-01-30")], "without exposure"),
        ([], "without exposure"),
        ([dose(40, "2024-01-01", "2024-01-30", "S9")], "unknown subject"),
    ],
)
def test_what_cannot_be_read_leaves_the_patient_out_with_a_finding_and_the_others_go_on(rows, rule):
    found = read(*rows)
    assert rule in [one.rule for one in found.findings]
    assert found.subjects["subject"].tolist() == ["S2"]
    assert found.summary()["patients"].tolist() == [1]


def test_a_treatment_that_is_not_planned_is_named():
    plan = {"CABOZANTINIB": DosePlan(40)}
    found = read_exposure(pd.DataFrame([dose(40, "2024-01-01", "2024-01-30", EXTRT="CABO")]), adsl(), plan)
    assert "unplanned treatment" in [one.rule for one in found.findings]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: DosePlan(0), InvalidValueError),
        (lambda: DosePlan(40, every=0.5), InvalidValueError),
        (lambda: read(plan=40), InvalidValueError),
        (lambda: read(until="cut-off"), UnknownNameError),
        (lambda: read_exposure(pd.DataFrame({"USUBJID": []}), adsl(), DosePlan(40)), InvalidValueError),
    ],
)
def test_wrong_calls_are_refused_by_name(call, error):
    with pytest.raises(error, match="expected"):
        call()
