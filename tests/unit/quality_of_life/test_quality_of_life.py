"""QLQ-C30: scored as the manual says, read as delivered, and its deterioration by each definition."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.quality_of_life import QLQ_C30, Deterioration, read_qlq_c30, score_qlq_c30


def answers(**items):
    row = dict.fromkeys(range(1, 31), 1) | {29: 4, 30: 4}
    return pd.DataFrame([row | {int(name[1:]): value for name, value in items.items()}])


def test_every_item_belongs_to_one_scale():
    assert sorted(item for scale in QLQ_C30.values() for item in scale.items) == list(range(1, 31))


@pytest.mark.parametrize(
    ("items", "scale", "score"),
    [
        ({"i1": 2, "i2": 3, "i3": 1, "i4": 2, "i5": 1}, "PF2", 100 * (1 - 0.8 / 3)),  # raw 1.8
        ({"i6": 4, "i7": 4}, "RF2", 0),
        ({"i10": 4, "i12": 3, "i18": 2}, "FA", 200 / 3),
        ({"i29": 7, "i30": 6}, "QL2", 100 * 5.5 / 6),
        ({"i21": 4, "i22": None, "i23": None, "i24": 2}, "EF", 100 * (1 - 2 / 3)),  # half of four answered
        ({"i21": None, "i22": None, "i23": None, "i24": 2}, "EF", np.nan),
        ({"i1": None, "i2": None, "i3": 3, "i4": 3, "i5": 3}, "PF2", 100 / 3),
        ({"i1": None, "i2": None, "i3": None, "i4": 3, "i5": 3}, "PF2", np.nan),
        ({"i29": None, "i30": 1}, "QL2", 0),
        ({"i8": None}, "DY", np.nan),
    ],
)
def test_scales_are_scored_as_the_manual_says(items, scale, score):
    assert score_qlq_c30(answers(**items))[scale].iloc[0] == pytest.approx(score, nan_ok=True)


def test_the_summary_score_leaves_out_global_health_and_finances_and_needs_all_others():
    assert score_qlq_c30(answers(i28=4, i29=1))["SumSc"].iloc[0] == 100
    assert score_qlq_c30(answers(i9=4, i19=4))["SumSc"].iloc[0] == pytest.approx(100 * 12 / 13)
    assert np.isnan(score_qlq_c30(answers(i16=None))["SumSc"].iloc[0])


@pytest.mark.parametrize("wrong", [{"i1": 5}, {"i1": 0}, {"i29": 8}, {"i3": 2.5}, {"i3": "often"}])
def test_an_answer_that_the_questionnaire_does_not_have_is_refused(wrong):
    with pytest.raises(InvalidValueError, match="item"):
        score_qlq_c30(answers(**wrong).astype(object))


@pytest.mark.parametrize(
    ("scores", "definition", "place"),
    [
        ([60, 50, 60], Deterioration(kind="first"), 1),
        ([60, 51, 60], Deterioration(kind="first"), None),
        ([60, 51, 60], Deterioration(5, "first"), 1),
        ([60, 50, 60, 50, 50], Deterioration(kind="confirmed"), 3),
        ([60, 60, 50], Deterioration(kind="confirmed"), 2),
        ([60, 50, 50, 60], Deterioration(), None),
        ([60, 50, 55, 50], Deterioration(), 3),
        ([60, 30, 55, 30], Deterioration(), 3),
        ([60, 30, 45, 30], Deterioration(), 1),
        ([60, 30, 45, 30], Deterioration(recovery="deteriorated"), 2),
        ([60, 80, 65, 65], Deterioration(), None),
        ([60, 80, 65, 65], Deterioration(reference="best"), 2),
        ([60], Deterioration(), None),
    ],
)
def test_deterioration_by_each_definition(scores, definition, place):
    assert definition.found(scores) == place


def adsl():
    return pd.DataFrame(
        {
            "USUBJID": ["S1", "S2", "S3"],
            "TRT01P": ["drug", "drug", "placebo"],
            "RANDDT": "2024-01-10",
            "DTHDT": [None, "2024-04-01", None],
        }
    )


def filled(subject, day, visit, global_health, **more):
    return [
        {"USUBJID": subject, "QSTESTCD": f"EOR01{item}", "QSSTRESC": str(value), "VISIT": visit, "QSDTC": day} | more
        for item, value in ((29, global_health), (30, global_health))
    ]


def read(*parts, **options):
    return read_qlq_c30(pd.DataFrame([row for part in parts for row in part]), adsl(), **options)


BASELINE = [filled(f"S{k}", "2024-01-08", "BASELINE", 5) for k in (1, 2, 3)]


def rules(found):
    return [one.rule for one in found.findings]


def test_change_from_baseline_by_visit_and_arm():
    found = read(
        *BASELINE,
        filled("S1", "2024-03-06", "WEEK 8", 3),
        filled("S2", "2024-03-07", "week 8", 4),
        filled("S3", "2024-03-05", "WEEK 8", 6),
    )
    table = found.change()
    assert table[["arm", "visit", "patients", "better", "worse"]].to_numpy().tolist() == [
        ["drug", "WEEK 8", 2, 0, 2],
        ["placebo", "WEEK 8", 1, 1, 0],
    ]
    assert table["mean"].tolist() == pytest.approx([-25.0, 100 / 6])
    assert found.compliance()["share"].tolist() == [1.0] * 4


def test_time_to_deterioration_and_what_death_and_silence_do():
    found = read(*BASELINE, filled("S1", "2024-03-06", "WEEK 8", 3), filled("S2", "2024-03-07", "WEEK 8", 5))
    table = found.time_to_deterioration().set_index("subject")
    assert table["reason"].to_dict() == {"S1": "deterioration", "S2": "last questionnaire", "S3": "no questionnaire"}
    assert table.loc["S1", "time"] == pytest.approx(57 / 30.4375)
    assert table.loc["S3", "time"] == pytest.approx(1 / 30.4375)
    dead = found.time_to_deterioration(definition=Deterioration(death="event")).set_index("subject")
    assert dead.loc["S2", ["event", "reason"]].tolist() == [1, "death"]


def test_the_last_score_of_a_scale_up_to_the_reference_date_is_its_baseline():
    found = read(
        filled("S1", "2023-12-20", "SCREENING", 7),
        [{"USUBJID": "S1", "QSTESTCD": "EOR0108", "QSSTRESC": "2", "VISIT": "SCREENING", "QSDTC": "2023-12-20"}],
        filled("S1", "2024-01-10", "DAY 1", 4),
        filled("S1", "2024-03-06", "WEEK 8", 4),
        [{"USUBJID": "S1", "QSTESTCD": "EOR0108", "QSSTRESC": "4", "VISIT": "WEEK 8", "QSDTC": "2024-03-06"}],
    )
    assert found.scores.set_index("visit")["baseline"].to_dict() == {"SCREENING": True, "DAY 1": True, "WEEK 8": False}
    assert found.change("QL2")["mean"].tolist() == [0.0]
    assert found.change("DY")["mean"].tolist() == pytest.approx([200 / 3])
    assert found.time_to_deterioration("DY")["reason"].tolist() == ["deterioration"]
    assert found.time_to_deterioration("QL2")["reason"].tolist() == ["last questionnaire"]


def test_the_baseline_may_be_some_days_late_where_that_is_allowed():
    late = read(filled("S1", "2024-01-12", "DAY 1", 4))
    assert rules(late) == ["no baseline"]
    assert late.time_to_deterioration().empty
    assert read(filled("S1", "2024-01-12", "DAY 1", 4), baseline_until=3).findings == ()


def test_an_unscheduled_visit_on_two_dates_has_two_questionnaires():
    found = read(*BASELINE, filled("S1", "2024-02-01", "UNSCHEDULED", 3), filled("S1", "2024-03-01", "UNSCHEDULED", 5))
    assert found.findings == ()
    assert found.scores["QL2"].tolist()[:3] == pytest.approx([200 / 3, 100 / 3, 200 / 3])
    assert found.change()[["patients", "mean"]].to_numpy().tolist() == [[1, 0]]
    assert found.time_to_deterioration(definition=Deterioration(kind="first"))["event"].tolist() == [1, 0, 0]


def test_a_questionnaire_that_takes_two_days_is_one():
    first, second = filled("S1", "2024-03-06", "WEEK 8", 3)
    found = read(*BASELINE, [first, second | {"QSDTC": "2024-03-07"}])
    assert found.scores["days"].tolist()[:2] == [-2, 57]
    assert found.change()["mean"].tolist() == pytest.approx([-100 / 3])


def test_scores_that_differ_by_the_threshold_but_for_rounding_deteriorate():
    """Two thirds of the way from 1 to 4 is 25 points below eleven twelfths, which no binary fraction is."""
    better = score_qlq_c30(answers(i21=1, i22=1, i23=1, i24=2))["EF"].iloc[0]
    worse = score_qlq_c30(answers(i21=2, i22=2, i23=2, i24=2))["EF"].iloc[0]
    assert worse > better - 25
    assert Deterioration(by=25).found([better, worse]) == 1
    assert Deterioration(by=25, recovery="deteriorated").found([better, worse, better]) is None


def test_codes_of_two_questionnaires_need_a_category():
    breast = filled("S1", "2024-01-08", "BASELINE", 3, QSTESTCD="EOR0801")
    with pytest.raises(InvalidValueError, match="QSCAT"):
        read(*BASELINE, breast)


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        (filled("S1", "2024-01-08", "BASELINE", 8), "answer"),
        (filled("S1", "2024-01-08", "BASELINE", "often"), "answer"),
        (filled("S1", "2024-01-08", "BASELINE", 3) + filled("S1", "2024-01-08", "BASELINE", 4), "duplicate answer"),
        (filled("S1", None, "BASELINE", 3), "undated questionnaire"),
        (filled("S7", "2024-01-08", "BASELINE", 3), "unknown subject"),
        (filled("S1", "2024-01-08", "BASELINE", 3, QSTESTCD="EORALL"), "unknown item"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(rows, rule):
    assert rule in rules(read(rows, filled("S2", "2024-01-08", "BASELINE", 5)))


def test_two_equal_answers_are_one_and_other_questionnaires_are_passed_over():
    twice = filled("S1", "2024-01-08", "BASELINE", 3, QSCAT="EORTC QLQ-C30 V3.0")
    other = filled("S1", "2024-01-08", "BASELINE", 1, QSCAT="EORTC QLQ-BR23")
    found = read(twice, twice, other)
    assert found.findings == ()
    assert found.scores["QL2"].tolist() == pytest.approx([100 / 3])


def test_what_was_not_done_is_missing():
    found = read(filled("S1", "2024-01-08", "BASELINE", 3), filled("S1", "2024-03-06", "WEEK 8", "", QSSTAT="NOT DONE"))
    assert found.scores["visit"].tolist() == ["BASELINE"]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: Deterioration(by=0), InvalidValueError),
        (lambda: Deterioration(kind="last"), UnknownNameError),
        (lambda: read(*BASELINE).change("QL"), UnknownNameError),
        (lambda: read(*BASELINE).time_to_deterioration(definition=10), InvalidValueError),
        (lambda: score_qlq_c30(pd.DataFrame({1: [1]})), InvalidValueError),
        (lambda: read_qlq_c30(pd.DataFrame({"USUBJID": []}), adsl()), InvalidValueError),
    ],
)
def test_wrong_calls_are_refused_by_name(call, error):
    with pytest.raises(error, match="expected"):
        call()
