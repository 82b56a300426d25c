"""Responses from lesions: tables 1 and 2 of RECIST 1.1, table 2 of iRECIST, two EORTC examples, CDISC data."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from analysis.endpoints import COMMON, EORTC, ResponseRule, derive, irecist_responses, overall, target_responses
from analysis.endpoints.accepted_records import ACCEPTED

PAPER = json.loads((Path(__file__).parents[1] / "data" / "recist" / "irecist_paper_tables.json").read_text())


def test_eortc_examples():
    kept, halved = PAPER["faq_examples"]
    sums = [kept["baseline_sum"], *kept["sums"]]
    assert target_responses(sums, rule=EORTC) == kept["RECIST"]
    assert target_responses(sums, rule=COMMON) == ["PR", "PR", "SD", "SD", "SD"]
    days = [56 * visit for visit in range(1, 6)]
    non_target = ["NON-CR/NON-PD"] * 5
    targets = target_responses(sums, rule=EORTC)
    assert irecist_responses(targets, non_target, [0] * 5, days=days) == kept["iRECIST"]
    for rule in (COMMON, EORTC):
        assert target_responses([halved["baseline_sum"], *halved["sums"]], rule=rule) == halved["RECIST"]


NONE = "NON-CR/NON-PD"
ROWS = [
    # the row of table 2; category responses and new lesions at iUPD and at the next visit; what confirms there
    (5, ("PD", "PD", 1), ("PD", "PD", 1), {"new_sums": [10.0, 15.0]}),
    (5, ("PD", "PD", 1), ("PD", "PD", 1), {"new_growth": [False, True]}),
    (5, ("PD", "PD", 1), ("PD", "PD", 1), {"new": [1, 2]}),
    (6, ("SD", "PD", 0), ("SD", "PD", 0), {"non_target_growth": [False, True]}),
    (6, ("CR", "PD", 0), ("CR", "PD", 0), {"non_target_growth": [False, True]}),
    (7, ("PD", NONE, 0), ("PD", NONE, 0), {"sums": [60.0, 65.0]}),
    (7, ("PD", "CR", 0), ("PD", "CR", 0), {"sums": [60.0, 65.0]}),
    (8, ("PD", "PD", 0), ("PD", "PD", 0), {"sums": [60.0, 65.0]}),
    (8, ("PD", "PD", 0), ("PD", "PD", 0), {"non_target_growth": [False, True]}),
    (9, ("PD", "PD", 1), ("PD", "PD", 1), {"sums": [60.0, 65.0]}),
    (9, ("PD", "PD", 1), ("PD", "PD", 1), {"non_target_growth": [False, True]}),
    (10, ("SD", NONE, 1), ("SD", NONE, 1), {"new": [1, 2]}),
    (10, ("SD", NONE, 1), ("SD", NONE, 1), {"new_sums": [8.0, 13.0]}),
    # a category that had not progressed before confirms by progressing
    (6, ("SD", "PD", 0), ("PD", "PD", 0), {}),
    (7, ("PD", NONE, 0), ("PD", "PD", 0), {}),
    (7, ("PD", NONE, 0), ("PD", NONE, 1), {}),
]
SMALLER = {"sums": [60.0, 64.9], "new_sums": [10.0, 14.9]}


def responses(first, second, **changed):
    new = changed.pop("new", [first[2], second[2]])
    return irecist_responses([first[0], second[0]], [first[1], second[1]], new, days=[56, 98], **changed)


@pytest.mark.parametrize(("row", "first", "second", "change"), ROWS)
def test_seymour_table_2_confirms(row, first, second, change):
    assert PAPER["timepoint_table2"][row - 1]["prior_iUPD"].startswith("iCPD if")
    assert responses(first, second, **change) == ["iUPD", "iCPD"]
    if first == second:
        unchanged = {name: values for name, values in SMALLER.items() if name in change}
        assert responses(first, second, **unchanged) == ["iUPD", "iUPD"]


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_seymour_table_2_resets(row):
    row = PAPER["timepoint_table2"][row]
    target, non_target = row["target"], row["non_target"]
    assert irecist_responses([target], [non_target], [0], days=[56]) == [row["no_prior_iUPD"]]
    after = irecist_responses(["PD", target], [non_target] * 2, [0, 0], days=[56, 98])
    assert after == ["iUPD", row["prior_iUPD"]]
    again = irecist_responses(["PD", target, "PD"], [non_target] * 3, [0, 0, 0], days=[56, 98, 140], sums=[60, 40, 90])
    assert again[-1] == "iUPD"


@pytest.mark.parametrize(
    ("target", "non_target", "new", "expected"),
    [
        ("CR", "CR", False, "CR"),
        ("CR", NONE, False, "PR"),
        ("CR", "NE", False, "PR"),
        ("PR", NONE, False, "PR"),
        ("PR", "NE", False, "PR"),
        ("SD", "NE", False, "SD"),
        ("NE", NONE, False, "NE"),
        ("PD", "CR", False, "PD"),
        ("NE", "PD", False, "PD"),
        ("CR", "CR", True, "PD"),
        (None, "CR", False, "CR"),
        (None, NONE, False, NONE),
        (None, "NE", False, "NE"),
        (None, "PD", False, "PD"),
        ("CR", None, False, "CR"),
        ("PR", None, False, "PR"),
    ],
)
def test_eisenhauer_tables_1_and_2(target, non_target, new, expected):
    assert overall(target, non_target, new) == expected


def test_responses_of_cdisc_measurements():
    if "REFERENCE_DATA" not in os.environ:
        pytest.skip("REFERENCE_DATA names no folder: the measurements are read in place")
    folder = Path(os.environ["REFERENCE_DATA"]) / "recist"
    tr, tu, rs = (pd.read_csv(folder / f"{domain}_onco_recist.csv") for domain in ("tr", "tu", "rs"))
    derivation = derive(tr, tu)
    got = derivation.responses().set_index(["subject", "evaluator", "visit"])["recist"]
    readers = (rs["RSEVAL"] + " " + rs["RSEVALID"].fillna("")).str.strip()
    keys = pd.MultiIndex.from_arrays([rs["USUBJID"], readers, rs["VISIT"]])
    expected = pd.Series(rs["RSSTRESC"].to_numpy(), index=keys)
    assert len(expected) == len(got) == 36
    assert (got.reindex(expected.index) == expected).all()
    assert {found.rule for found in derivation.findings} == {"partial date"}


def test_accepted_measurements_of_cdisc_give_the_responses_that_were_accepted():
    if "REFERENCE_DATA" not in os.environ:
        pytest.skip("REFERENCE_DATA names no folder: the measurements are read in place")
    folder = Path(os.environ["REFERENCE_DATA"]) / "recist"
    tr, tu, rs = (pd.read_csv(folder / f"{domain}_onco_recist.csv") for domain in ("tr", "tu", "rs"))
    got = {key[0]: history for key, history in derive(tr, tu).histories["RECIST 1.1"].items() if key[1] == ACCEPTED}
    recorded = rs[rs["RSACPTFL"] == "Y"].sort_values("RSDTC")
    assert set(got) == set(recorded["USUBJID"])
    for subject, rows in recorded.groupby("USUBJID"):
        assert list(got[subject].responses) == rows["RSSTRESC"].tolist()


def test_new_lesions_known_when_the_bar_is_reset_are_no_longer_new():
    days = [56, 98, 140, 182]
    seen = irecist_responses(["SD", "PR", "PR", "PR"], [NONE] * 4, [1, 1, 1, 2], days=days)
    assert seen == ["iUPD", "iPR", "iPR", "iUPD"]
    more = irecist_responses(["SD", "PR", "PR", "PR"], [NONE] * 4, [1, 1, 2, 3], days=days)
    assert more == ["iUPD", "iPR", "iUPD", "iCPD"]
    assert irecist_responses(["SD", "CR"], ["CR"] * 2, [1, 1], days=days[:2]) == ["iUPD", "iPR"]
    assert irecist_responses(["SD", "SD"], ["CR"] * 2, [1, 1], days=days[:2]) == ["iUPD", "iUPD"]


def test_a_visit_too_early_confirms_nothing():
    for day, expected in ((83, "iUPD"), (84, "iCPD")):
        assert irecist_responses(["PD"] * 2, [NONE] * 2, [0, 0], days=[56, day], sums=[60, 70])[-1] == expected


def test_a_visit_too_late_starts_afresh_where_the_window_has_an_end():
    late = {"days": [56, 113, 150], "sums": [60, 70, 80]}
    categories = ["PD"] * 3, [NONE] * 3, [0] * 3
    assert irecist_responses(*categories, **late) == ["iUPD", "iCPD", "iCPD"]
    eight_weeks = ResponseRule(confirm_until=56)
    assert irecist_responses(*categories, **late, rule=eight_weeks) == ["iUPD", "iUPD", "iCPD"]
    on_time = {**late, "days": [56, 112, 150]}
    assert irecist_responses(*categories, **on_time, rule=eight_weeks) == ["iUPD", "iCPD", "iCPD"]
    still = {"days": [56, 113, 150], "sums": [60, 70, 74]}
    assert irecist_responses(*categories, **still, rule=eight_weeks) == ["iUPD", "iUPD", "iUPD"]


def test_a_visit_that_is_not_evaluable_between_leaves_iupd_to_be_confirmed():
    categories = ["PD", "NE", "PD"], [NONE] * 3, [0] * 3
    sums = [60, float("nan"), 65]
    assert irecist_responses(*categories, days=[56, 98, 140], sums=sums) == ["iUPD", "NE", "iCPD"]


def test_a_confirmation_before_a_reset_does_not_confirm_what_comes_after_it():
    seen = irecist_responses(
        ["PD", "PD", "PR", "PD", "PD"],
        [NONE] * 5,
        [0] * 5,
        days=[56, 98, 140, 182, 300],
        sums=[60, 70, 40, 60, 70],
        rule=ResponseRule(confirm_until=56),
    )
    assert seen == ["iUPD", "iCPD", "iPR", "iUPD", "iUPD"]


def test_what_had_progressed_when_iupd_started_afresh_has_to_grow_to_confirm_it():
    late = {"days": [56, 113, 150], "rule": ResponseRule(confirm_until=56)}
    categories = ["SD", "PD", "PD"], [NONE] * 3, [1] * 3
    assert irecist_responses(*categories, **late, sums=[50, 65, 69.9]) == ["iUPD", "iUPD", "iUPD"]
    assert irecist_responses(*categories, **late, sums=[50, 65, 70]) == ["iUPD", "iUPD", "iCPD"]
