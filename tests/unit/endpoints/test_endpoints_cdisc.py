"""TR, TU and ADSL as a trial delivers them: derived tests, sums, nodes, unscheduled visits, new lesions in TU alone."""

import pandas as pd
import pytest

from analysis.endpoints import BestOverallResponse, Censoring, ProgressionFreeSurvival, derive
from analysis.errors import InvalidValueError

VISITS = [
    ("SCREENING", 1, "2024-01-02"),
    ("WEEK 8", 2, "2024-02-27"),
    ("UNSCHEDULED", 2.1, "2024-03-20"),
    ("WEEK 16", 3, "2024-04-23"),
    ("UNSCHEDULED", 3.1, "2024-05-20"),
]
ADSL = pd.DataFrame({"USUBJID": ["01", "02"], "RANDDT": "2024-01-05", "DTHDT": [None, "2024-06-01"]})


def measured(lesion, group, test, results, unit="mm"):
    rows = [("01", lesion, group, test, result, unit, *visit) for result, visit in zip(results, VISITS, strict=True)]
    names = ["USUBJID", "TRLNKID", "TRGRPID", "TRTESTCD", "TRSTRESC", "TRSTRESU", "VISIT", "VISITNUM", "TRDTC"]
    return pd.DataFrame(rows, columns=names).dropna(subset="TRSTRESC").assign(TREVAL="INVESTIGATOR")


def identified(*rows, **columns):
    names = ["USUBJID", "TULNKID", "TULOC", "TUORRES", "VISIT", "VISITNUM", "TUDTC"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


TU = identified(
    ("01", "T01", "LIVER", "TARGET", *VISITS[0]),
    ("01", "T02", "LYMPH NODE", "TARGET", *VISITS[0]),
    ("01", "NT01", "BONE", "NON-TARGET", *VISITS[0]),
    ("01", "NT02", "LYMPH NODE", "NON-TARGET", *VISITS[0]),
)
NEW = ("01", "NEW01", "LUNG", "NEW", *VISITS[3])


def trial():
    return pd.concat(
        [
            measured("T01", "TARGET", "LDIAM", ["30", "20", "18", "12", "12"]),
            measured("T02", "TARGET", "LDIAM", ["40", "40", "40", "40", "40"]),
            measured("T02", "TARGET", "SDIAM", ["16", "12", "11", "9", "9"]),
            measured(None, "TARGET", "SUMDIAM", ["46", "32", "29", "21", "21"]),
            measured(None, "TARGET", "PCBSD", [None, "-30.4", "-37.0", "-54.3", "-54.3"], "%"),
            measured("NT01", "Non-Target", "TUMSTATE", ["PRESENT"] * 5, None),
            measured("NT02", "NON TARGET", "LDIAM", ["8"] * 5),
        ],
        ignore_index=True,
    )


def test_a_delivered_trial_is_read_without_a_finding():
    derivation = derive(trial().sample(frac=1, random_state=1), TU, ADSL)
    assert derivation.findings == ()
    frame = derivation.responses()
    assert frame["visit"].tolist() == ["WEEK 8", "UNSCHEDULED 2.1", "WEEK 16", "UNSCHEDULED 3.1"]
    assert frame["sum"].tolist() == [32.0, 29.0, 21.0, 21.0]
    assert frame["target"].tolist() == ["PR"] * 4
    assert frame["non_target"].tolist() == ["NON-CR/NON-PD"] * 4


@pytest.mark.parametrize("columns", [{}, {"TUEVAL": "INVESTIGATOR"}])
def test_a_new_lesion_that_stands_in_tu_alone_is_there_from_then_on(columns):
    derivation = derive(trial(), pd.concat([TU, identified(NEW)]).assign(**columns), ADSL)
    assert derivation.responses()["recist"].tolist() == ["PR", "PR", "PD", "PD"]
    assert derivation.responses()["new_lesions"].tolist() == [0, 0, 1, 1]
    assert "new lesions: NEW01" in derivation.explain("01")


def test_a_new_lesion_in_tu_takes_its_date_from_the_visit_and_its_visit_from_the_date():
    for missing in ("TUDTC", ["VISIT", "VISITNUM"]):
        tu = pd.concat([TU, identified(NEW)]).drop(columns=missing)
        assert derive(trial(), tu, ADSL).responses()["new_lesions"].tolist() == [0, 0, 1, 1]


def test_a_new_lesion_that_tr_follows_is_read_from_tr():
    followed = measured("NEW01", "NEW", "TUMSTATE", [None, None, None, "UNEQUIVOCAL", "ABSENT"], None)
    derivation = derive(pd.concat([trial(), followed]), pd.concat([TU, identified(NEW)]), ADSL)
    assert derivation.findings == ()
    assert derivation.responses()["new_lesions"].tolist() == [0, 0, 1, 0]
    assert derivation.responses()["recist"].tolist() == ["PR", "PR", "PD", "PD"]  # by RECIST 1.1 it stays one
    another = measured("NEW02", "NEW", "LDIAM", [None, None, None, None, "8"])
    text = derive(pd.concat([trial(), followed, another]), TU, ADSL).explain("01")
    assert [line.strip() for line in text.splitlines() if "  new lesions:" in line] == [
        "new lesions: NEW01",
        "new lesions: NEW02",
    ]


@pytest.mark.parametrize(
    ("states", "counts", "consequence"),
    [
        ([None, None, "EQUIVOCAL", "EQUIVOCAL", None], [0, 0, 0, 0], "it does not count"),
        ([None, None, "EQUIVOCAL", "UNEQUIVOCAL", "PRESENT"], [0, 1, 1, 1], "it counts from here"),
        ([None, "UNEQUIVOCAL", "EQUIVOCAL", None, None], [1, 1, 1, 1], "it stands as last known"),
        ([None, "ABSENT", "EQUIVOCAL", None, None], [0, 0, 0, 0], "it does not count"),
    ],
)
def test_an_equivocal_new_lesion_counts_once_it_is_sure(states, counts, consequence):
    derivation = derive(pd.concat([trial(), measured("NEW01", "NEW", "TUMSTATE", states, None)]), TU, ADSL)
    assert derivation.responses()["new_lesions"].tolist() == counts
    assert {(found.rule, found.consequence) for found in derivation.findings} == {("equivocal new lesion", consequence)}
    assert derivation.explain("01").count("new lesions: NEW01") == sum(counts)


def test_an_equivocal_new_lesion_is_settled_by_date_whatever_the_order_of_the_rows():
    states = [None, "UNEQUIVOCAL", "ABSENT", "EQUIVOCAL", "PRESENT"]
    tr = pd.concat([trial(), measured("NEW01", "NEW", "TUMSTATE", states, None)], ignore_index=True)
    for rows in (tr, tr.iloc[::-1]):
        derivation = derive(rows, TU, ADSL)
        assert derivation.responses()["new_lesions"].tolist() == [1, 0, 1, 1]
        assert [found.consequence for found in derivation.findings] == ["it counts from here"]


def by_irecist(sizes, **states):
    new = [measured(lesion, "NEW", "TUMSTATE", seen, None) for lesion, seen in states.items()]
    return (
        derive(pd.concat([measured("T01", "TARGET", "LDIAM", sizes), *new]), None, ADSL).responses()["irecist"].tolist()
    )


def test_another_new_lesion_confirms_though_the_first_one_is_gone():
    first, second = [None, "PRESENT", "ABSENT", "ABSENT", "ABSENT"], [None, None, "PRESENT", "PRESENT", "PRESENT"]
    stable = ["30"] * 5
    assert by_irecist(stable, NEW01=first) == ["iUPD", "iSD", "iSD", "iSD"]
    # 22 days after iUPD are too early to confirm, 56 are not
    assert by_irecist(stable, NEW01=first, NEW02=second) == ["iUPD", "iUPD", "iCPD", "iCPD"]


@pytest.mark.parametrize("state", ["INCREASED", "PROGRESSION", "UNEQUIVOCAL PROGRESSION"])
def test_a_new_lesion_that_was_not_measured_confirms_by_growing(state):
    stable = ["30"] * 5
    assert by_irecist(stable, NEW01=[None, "PRESENT", None, state, None])[:3] == ["iUPD", "iUPD", "iCPD"]
    assert by_irecist(stable, NEW01=[None, "PRESENT", None, "STABLE", None])[:3] == ["iUPD"] * 3


def test_another_new_lesion_after_a_response_is_a_progression_afresh():
    first, second = [None, "PRESENT", "PRESENT", "ABSENT", "ABSENT"], [None, None, None, None, "PRESENT"]
    assert by_irecist(["30", "25", "18", "18", "18"], NEW01=first) == ["iUPD", "iPR", "iPR", "iPR"]
    assert by_irecist(["30", "25", "18", "18", "18"], NEW01=first, NEW02=second) == ["iUPD", "iPR", "iPR", "iUPD"]


def test_a_new_lesion_at_baseline_is_said():
    there = measured("NEW01", "NEW", "TUMSTATE", ["PRESENT", "ABSENT", "ABSENT", "ABSENT", "ABSENT"], None)
    derivation = derive(pd.concat([trial(), there]), TU, ADSL)
    assert [(found.rule, found.visit) for found in derivation.findings] == [("new lesion at baseline", "SCREENING")]
    assert derivation.responses()["recist"].tolist() == ["PR"] * 4


def test_a_subject_without_measurements_counts():
    frame = derive(trial(), TU, ADSL).endpoints(
        {
            "BOR": BestOverallResponse(),
            "PFS": ProgressionFreeSurvival(),
            "FDA": ProgressionFreeSurvival(Censoring.fda(126)),
        }
    )
    second = frame[frame["subject"] == "02"].set_index("endpoint")
    assert second.loc["BOR", "value"] == "MISSING"
    assert (second.loc["PFS", "days"], second.loc["PFS", "reason"]) == (148, "death")
    assert (second.loc["FDA", "days"], second.loc["FDA", "reason"]) == (0, "no baseline")


def test_a_subject_that_stands_there_twice_does_not_count():
    twice = pd.concat([ADSL, ADSL.iloc[1:].assign(RANDDT="2024-02-05")])
    derivation = derive(trial(), TU, twice)
    assert [(found.rule, found.subject) for found in derivation.findings] == [("duplicate subject", "02")]
    assert {subject for subject, _ in derivation.histories["RECIST 1.1"]} == {"01"}


def test_without_labels_a_visit_number_holds_a_visit_together():
    tr = trial().drop(columns="VISIT")
    tr["TRDTC"] = tr["TRDTC"].mask((tr["TRLNKID"] == "T02") & (tr["VISITNUM"] == 2), "2024-02-28")
    frame = derive(tr, TU, ADSL).responses()
    assert frame["visit"].tolist() == ["VISIT 2", "VISIT 2.1", "VISIT 3", "VISIT 3.1"]
    assert frame["sum"].tolist() == [32.0, 29.0, 21.0, 21.0]


def row(**values):
    return pd.DataFrame([{**trial().iloc[1].to_dict(), **values}])


ERRORS = {
    "unreadable diameter": (row(TRLNKID="T03", TRSTRESC="12 mm"), "T03 is '12 MM'"),
    "diameter": (row(TRLNKID="T03", TRSTRESC="inf"), "T03 is inf mm"),
    "lesion without a name": (row(TRLNKID=None, TRTESTCD="DIAMETER"), "DIAMETER without its name"),
    "lesion changes group": (row(TRLNKID="NT01"), "NT01 is TARGET at WEEK 8 and NON-TARGET here"),
    "unit": (row(TRLNKID="T03", TRSTRESU="cm"), "T03 is 20 cm, others are in mm"),
    "duplicate visit": (row(TRDTC="2024-02-28"), "stands on 2024-02-27 and 2024-02-28"),
}


@pytest.mark.parametrize("rule", ERRORS)
def test_errors_are_named_at_their_visit(rule):
    rows, message = ERRORS[rule]
    at_front = rule == "lesion changes group"
    derivation = derive(pd.concat([rows, trial()] if at_front else [trial(), rows]), TU, ADSL)
    errors = [found for found in derivation.findings if found.severity == "error"]
    assert {found.rule for found in errors} == {rule}
    assert any(message in found.message for found in errors)
    assert all(found.subject == "01" and found.visit for found in errors)
    assert derivation.responses().empty


def test_a_lesion_that_changes_organ_is_named_at_its_visit():
    moved = identified(("01", "T01", "LUNG", "TARGET", *VISITS[1]))
    same = identified(("01", "T01", "liver ", "TARGET", *VISITS[1]), ("01", "T02", None, "TARGET", *VISITS[1]))
    [found] = derive(trial(), pd.concat([TU, moved]), ADSL).findings
    assert (found.rule, found.visit) == ("lesion changes organ", "WEEK 8")
    assert derive(trial(), pd.concat([TU, same]), ADSL).findings == ()
    located = trial().assign(TRLOC=["LIVER", "LIVER", "LUNG", *["LIVER"] * 31][: len(trial())])
    found = derive(located, None, ADSL).findings[0]
    assert (found.rule, found.visit) == ("lesion changes organ", "UNSCHEDULED 2.1")


def test_a_target_without_location_is_said():
    [found] = derive(trial(), TU.iloc[[1, 2, 3]], ADSL).findings
    assert (found.rule, found.message) == ("lesion without location", "target T01 has no location in TU")


def test_an_unknown_test_is_said_and_not_used():
    derivation = derive(pd.concat([trial(), row(TRTESTCD="COLOUR", TRSTRESC="7")]), TU, ADSL)
    assert [(found.severity, found.rule) for found in derivation.findings] == [("warning", "test")]
    assert derivation.responses()["sum"].tolist() == [32.0, 29.0, 21.0, 21.0]


def test_sums_without_lesions_are_not_derived():
    sums = trial()[trial()["TRTESTCD"] == "SUMDIAM"]
    [found] = [found for found in derive(sums, None, ADSL).findings if found.severity == "error"]
    assert found.rule == "sum without lesions"


def test_a_unit_is_that_of_the_result_that_is_read():
    tr = trial().rename(columns={"TRSTRESC": "TRORRES"}).assign(TRORRESU="cm")
    assert {found.rule for found in derive(tr, TU, ADSL).findings} == {"unit"}


@pytest.mark.parametrize("frame", [None, "tr.csv", [1, 2]])
def test_what_is_no_frame_is_named(frame):
    with pytest.raises(InvalidValueError, match=r"tr: got '(NoneType|str|list)'; expected a pandas DataFrame"):
        derive(frame)


def test_an_empty_frame_derives_nothing():
    derivation = derive(trial().head(0), TU.head(0), ADSL)
    assert derivation.findings == ()
    assert "recist" in derivation.responses()
    assert derivation.endpoints({"BOR": BestOverallResponse()})["value"].tolist() == ["MISSING"] * 2
