"""A trial's measurements: what is found wrong, what is derived for the others, what is explained."""

import pandas as pd
import pytest

from analysis.endpoints import (
    EORTC,
    BestOverallResponse,
    ProgressionFreeSurvival,
    derive,
    target_responses,
)
from analysis.errors import InvalidValueError, UnknownNameError

DATES = ["2024-01-01", "2024-02-26", "2024-04-22"]


def patient(subject="S1", sizes=(40.0, 24.0, 50.0), **columns):
    rows = [(subject, "T1", when, size, visit) for visit, (when, size) in enumerate(zip(DATES, sizes, strict=True), 1)]
    frame = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value", "visit_number"])
    return frame.assign(
        group="TARGET", test="LDIAM", unit="mm", visit="V" + frame["visit_number"].astype(str), **columns
    )


def extra(subject="S1", **values):
    return pd.DataFrame([{**patient(subject).iloc[1].to_dict(), **values}])


def subjects(**columns):
    return pd.DataFrame({"subject": ["S1", "S2"], "reference": "2024-01-02"}).assign(**columns)


def both(first):
    return pd.concat([first, patient("S2")], ignore_index=True)


def shifted():
    frame = patient()
    frame.loc[2, "date"] = "2024-01-15"
    return frame


BROKEN = {
    "missing baseline": lambda: pd.concat([patient(), extra(lesion="T2")]),
    "duplicate visit": lambda: pd.concat([patient(), extra(value=30.0)]),
    "unit": lambda: pd.concat([patient(), extra(lesion="T2", value=2.4, unit="cm")]),
    "dates out of order": shifted,
    "state outside the code list": lambda: pd.concat(
        [patient(), extra(lesion="N1", group="NON-TARGET", test="TUMSTATE", value="fine")]
    ),
    "unreadable date": lambda: pd.concat([patient(), extra(lesion="T2", date="soon")]),
    "diameter": lambda: pd.concat([patient(), extra(lesion="T2", value=-1.0)]),
    "group": lambda: pd.concat([patient(), extra(lesion="T2", group="OTHER")]),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_an_error_leaves_out_the_patient_alone(rule):
    derivation = derive(both(BROKEN[rule]()), subjects=subjects())
    assert {(found.subject, found.rule) for found in derivation.findings if found.severity == "error"} == {("S1", rule)}
    assert derivation.responses()["subject"].unique().tolist() == ["S2"]
    assert derivation.responses()["recist"].tolist() == ["PR", "PD"]
    assert rule in derivation.explain("S1")
    assert {subject for subject, _ in derivation.left_out} == {"S1"}
    assert repr(derivation).startswith("<responses of 1 patients, 1 left out by errors")


def test_lesion_that_changes_organ():
    tu = pd.DataFrame({"subject": ["S1", "S1", "S2"], "lesion": "T1", "organ": ["LIVER", "LUNG", "LIVER"]})
    derivation = derive(both(patient()), tu)
    assert [(found.rule, found.subject) for found in derivation.findings] == [("lesion changes organ", "S1")]
    assert derivation.responses()["subject"].unique().tolist() == ["S2"]


def test_same_value_twice_is_no_contradiction():
    assert derive(pd.concat([patient(), extra()])).findings == ()


def test_warnings_are_derived_as_they_say():
    sums = extra(lesion="T1", test="SUMDIAM", value=31.0)
    derivation = derive(pd.concat([patient(), sums]), subjects=subjects(death=["2024-03-01", None]))
    assert [(found.rule, found.visit) for found in derivation.findings] == [
        ("measurement after death", "V3"),
        ("sum contradicts lesions", "V2"),
    ]
    assert derivation.responses()["sum"].tolist() == [24.0]
    seen = ProgressionFreeSurvival().derive(derivation.histories["RECIST 1.1"]["S1", ""])
    assert (seen.reason, str(seen.end)) == ("death", "2024-03-01")


def test_nodes_are_measured_by_the_short_axis():
    long, short = patient(sizes=(40.0, 40.0, 40.0)), patient(sizes=(20.0, 9.0, 9.5)).assign(test="LPERP")
    tu = pd.DataFrame({"subject": ["S1"], "lesion": "T1", "organ": ["LYMPH NODE"]})
    derivation = derive(pd.concat([long, short]), tu)
    assert derivation.responses()["target"].tolist() == ["CR", "CR"]
    assert derive(pd.concat([long, short])).responses()["target"].tolist() == ["SD", "SD"]


def test_a_node_is_normal_below_10_mm_not_at_10():
    tu = pd.DataFrame({"subject": ["S1"], "lesion": "T1", "organ": ["LYMPH NODE"]})
    derivation = derive(patient(sizes=(20.0, 10.0, 9.9)).assign(test="LPERP"), tu)
    assert derivation.responses()["target"].tolist() == ["PR", "CR"]


def test_missing_target_is_not_evaluable_unless_the_rest_is_progression():
    second = patient(sizes=(30.0, 30.0, 30.0)).assign(lesion="T2")
    derivation = derive(pd.concat([patient(sizes=(40.0, 20.0, 120.0)), second.iloc[:1]]))
    assert derivation.responses()["target"].tolist() == ["NE", "PD"]
    assert derivation.responses()["nadir"].tolist() == [70.0, 70.0]


def test_new_lesion_and_non_target():
    new = pd.DataFrame(
        [
            {**patient().iloc[2].to_dict(), "lesion": "NEW1", "group": "NEW", "test": "TUMSTATE", "value": "PRESENT"},
            *[
                {**row, "lesion": "N1", "group": "NON-TARGET", "test": "TUMSTATE", "value": state}
                for row, state in zip(patient().to_dict("records"), ["PRESENT", "ABSENT", "ABSENT"], strict=True)
            ],
        ]
    )
    derivation = derive(pd.concat([patient(sizes=(40.0, 0.0, 0.0)), new]))
    frame = derivation.responses()
    assert frame["recist"].tolist() == ["CR", "PD"]
    assert frame["irecist"].tolist() == ["iCR", "iUPD"]
    text = derivation.explain("S1")
    assert "new lesions: NEW1" in text
    assert "iUPD by iRECIST (new lesion)" in text


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["PRESENT", "NE"], "NE"),
        (["ABSENT", "NE"], "NE"),
        (["NE", "UNEQUIVOCAL PROGRESSION"], "PD"),
        (["ABSENT", "PRESENT"], "NON-CR/NON-PD"),
        (["ABSENT", "ABSENT"], "CR"),
    ],
)
def test_non_target_disease_is_evaluable_where_every_lesion_is_unless_one_progresses(states, expected):
    rows = [
        {**row, "lesion": f"N{number}", "group": "NON-TARGET", "test": "TUMSTATE", "value": state}
        for number, seen in enumerate(states)
        for row, state in zip(patient().to_dict("records"), ["PRESENT", seen, seen], strict=True)
    ]
    assert derive(pd.DataFrame(rows)).responses()["recist"].tolist()[0] == expected


def test_too_small_to_measure_is_5_mm():
    frame = patient().astype({"value": object})
    frame.loc[1, "value"] = "TOO SMALL TO MEASURE"
    assert derive(frame).responses()["sum"].tolist() == [5.0, 50.0]


def test_explanation_gives_measurements_and_rule():
    text = derive(patient()).explain("S1")
    assert "targets T1 24 = 24 mm" in text
    assert "target PD: 50 mm, baseline 40, nadir 24: +26 mm and +108% over the nadir" in text
    with pytest.raises(UnknownNameError, match="S9"):
        derive(patient()).explain("S9")


def test_endpoints_of_two_readers():
    derivation = derive(both(patient()), subjects=subjects())
    frame = derivation.endpoints({"BOR": BestOverallResponse(), "PFS": ProgressionFreeSurvival()})
    assert frame["value"].dropna().tolist() == ["PR", "PR"]
    assert frame["days"].dropna().tolist() == [111.0, 111.0]


def test_a_missing_column_is_named():
    with pytest.raises(InvalidValueError, match="TRDTC or ADT or date"):
        derive(patient().drop(columns="date"))


def test_reappearance_after_a_complete_response():
    assert target_responses([40, 0, 3]) == ["CR", "PR"]
    assert target_responses([40, 0, 5]) == ["CR", "PD"]
    assert target_responses([40, 0, 3], rule=EORTC) == ["CR", "PD"]


def test_a_kept_response_outlasts_a_visit_that_is_not_evaluable():
    sums = [100, 70, float("nan"), 80]
    assert target_responses(sums, rule=EORTC) == ["PR", "NE", "PR"]
    assert target_responses(sums) == ["PR", "NE", "SD"]


def test_bounds_are_inclusive():
    assert target_responses([60, 42]) == ["PR"]
    assert target_responses([60, 42.1]) == ["SD"]
    assert target_responses([50, 50, 60, 59.9]) == ["SD", "PD", "SD"]
    assert target_responses([10, 14.9]) == ["SD"]
    assert target_responses([10, 15]) == ["PD"]


KINDS = {
    "category": lambda frame: frame.astype({"group": "category", "test": "category", "subject": "category"}),
    "timestamps": lambda frame: frame.assign(date=pd.to_datetime(frame["date"])),
    "dates": lambda frame: frame.assign(date=pd.to_datetime(frame["date"]).dt.date),
    "string": lambda frame: frame.astype({"subject": "string", "value": "string"}),
    "nullable": lambda frame: frame.convert_dtypes(),
    "numbers as subjects": lambda frame: frame.assign(subject=1.0),
    "repeated index": lambda frame: frame.set_axis([5, 5, 9]),
    "numbers as text": lambda frame: frame.assign(visit_number=["1", "2", "3"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_any_kind_are_read(kind):
    derivation = derive(KINDS[kind](patient()))
    assert derivation.findings == ()
    assert derivation.responses()["recist"].tolist() == ["PR", "PD"]


PD, STABLE = "UNEQUIVOCAL PROGRESSION", "PRESENT"
NON_TARGETS = {
    "none has grown": ([PD, PD, PD], [STABLE, STABLE, STABLE], ["iUPD", "iUPD", "iUPD"]),
    "a further increase": ([PD, PD, PD], [STABLE, STABLE, "INCREASED"], ["iUPD", "iUPD", "iCPD"]),
    "another progresses": ([PD, PD, PD], [STABLE, STABLE, PD], ["iUPD", "iUPD", "iCPD"]),
    "another progresses, not assessed before": ([PD, PD, PD], [STABLE, None, PD], ["iUPD", "iUPD", "iCPD"]),
    "another progresses, not assessed at iUPD": ([PD, PD, PD], ["NE", PD, PD], ["iUPD", "iCPD", "iCPD"]),
    "progressing at iUPD, not evaluable since": ([PD, PD, PD], [PD, "NE", PD], ["iUPD", "iUPD", "iUPD"]),
    "progressing at iUPD, smaller since": ([PD, PD, PD], [PD, "DECREASED", PD], ["iUPD", "iUPD", "iUPD"]),
    "after a reset the bar is the new iUPD": (
        [PD, STABLE, PD, PD],
        [STABLE, STABLE, PD, PD],
        ["iUPD", "iSD", *["iUPD"] * 2],
    ),
}


@pytest.mark.parametrize("case", NON_TARGETS)
def test_growth_of_non_targets_is_against_the_iupd_scan(case):
    first, second, expected = NON_TARGETS[case]
    dates = pd.date_range("2024-01-01", periods=len(first) + 1, freq="56D").strftime("%Y-%m-%d")
    lesions = {"T1": [40.0] * len(dates), "N1": [STABLE, *first], "N2": [STABLE, *second]}
    rows = [("S1", name, *seen) for name, values in lesions.items() for seen in zip(dates, values, strict=True)]
    frame = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).dropna(subset="value")
    target = frame["lesion"] == "T1"
    frame["group"], frame["test"] = (
        target.map({True: "TARGET", False: "NON-TARGET"}),
        target.map({True: "LDIAM", False: "TUMSTATE"}),
    )
    derivation = derive(frame)
    assert derivation.responses()["irecist"].tolist() == expected
    assert ("further non-target growth since the iUPD scan" in derivation.explain("S1")) == ("iCPD" in expected)


@pytest.mark.parametrize(
    ("organs", "crowded"),
    [
        (
            ["AXILLARY LYMPH NODE", "INGUINAL LYMPH NODE", "MEDIASTINAL LYMPH NODE"],
            ["3 targets, more than 2 in lymph node"],
        ),
        (["AXILLARY LYMPH NODE", "INGUINAL LYMPH NODE", "LIVER"], []),
        (["LIVER", "LIVER", "LIVER"], ["3 targets, more than 2 in LIVER"]),
    ],
)
def test_lymph_nodes_are_one_organ(organs, crowded):
    targets = ["T1", "T2", "T3"]
    tr = pd.concat([patient().assign(lesion=lesion, test="DIAMETER") for lesion in targets])
    findings = derive(tr, pd.DataFrame({"subject": "S1", "lesion": targets, "organ": organs})).findings
    assert [found.message for found in findings if found.rule == "too many targets"] == crowded
