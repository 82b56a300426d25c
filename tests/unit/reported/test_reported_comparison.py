"""A comparison is built in Python as it would be written down, and refuses what cannot be."""

import pytest

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reported import (
    AtRisk,
    Landmark,
    Quartile,
    Reported,
    ReportedArm,
    ReportedComparison,
    ReportedHazardRatio,
    ReportedInterval,
    ReportedPValue,
)


def two_arms(**changes):
    made = {
        "endpoint": "PFS",
        "arms": [ReportedArm("new", n=100, median="7.8"), ReportedArm("old", n=50, median="3.2")],
        "control": "old",
        "hazard_ratio": ("0.45", "0.38", "0.54"),
        "p_value": "< 0.0001",
    }
    return ReportedComparison(**{**made, **changes})


def test_digits_become_reported_numbers():
    comparison = two_arms(median_follow_up=18, events_total=120)
    assert comparison.experimental is comparison.arms[0]
    assert comparison.arm("old").median == Reported("3.2", "months")
    assert comparison.hazard_ratio.ci.upper == Reported("0.54", "ratio")
    assert comparison.hazard_ratio.ci.level == 0.95
    assert comparison.p_value.value.upper == 0.0001
    assert comparison.p_value.sided is None
    assert (comparison.median_follow_up.half_width, comparison.events_total.value) == (0.5, 120.0)


def test_every_number_is_listed_once_with_its_place():
    arm = ReportedArm(
        "new",
        n=10,
        events=4,
        median=7.8,
        median_ci=(6.0, "not reached"),
        landmarks=[Landmark(12, "40%", ci=("30%", "51%")), Landmark(6, "60%")],
        quartiles=[Quartile(0.75, 20.0, ci=(15.0, 30.0))],
        at_risk=AtRisk((0, 6), (10, 6)),
        median_follow_up=9,
    )
    comparison = ReportedComparison("OS", [arm], n_total=10, assessment_interval=Reported("6", "weeks"))
    places = dict(comparison.numbers())
    assert len(places) == 17
    assert places["new.survival at 12 months, ci.upper"] == Reported("51", "percent")
    assert places["new.median_ci.upper"].relation == "not reached"
    assert places["new.at risk at 6 months"].value == 6.0
    assert [landmark.time.value for landmark in arm.landmarks] == [6.0, 12.0]


def test_interval_and_p_value_objects_are_taken_as_they_are():
    ratio = ReportedHazardRatio(
        Reported("0.45", "ratio"), ReportedInterval(Reported("0.38", "ratio"), Reported("0.54", "ratio"), level=0.9)
    )
    p_value = ReportedPValue(Reported("0.01", "p-value"), sided=1, test="log-rank")
    comparison = two_arms(hazard_ratio=ratio, p_value=p_value)
    assert comparison.hazard_ratio is ratio
    assert comparison.p_value is p_value
    assert str(ratio) == "0.45 (90% CI 0.38-0.54)"
    assert str(p_value) == "0.01, 1-sided"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"endpoint": "pfs"}, "endpoint: got 'pfs'; expected one of OS, PFS"),
        ({"arms": []}, "arms: got .*; expected at least one arm"),
        ({"arms": [ReportedArm("old"), ReportedArm("old")]}, "each name once"),
        ({"control": None}, "control: got None; expected one of new, old"),
        ({"control": "placebo"}, "control: got 'placebo'"),
        ({"hazard_ratio": 0}, "hazard_ratio: got '0'; expected a ratio above 0"),
        ({"hazard_ratio": ("0.45", "0.38")}, r"expected \(estimate, lower, upper\)"),
        ({"hazard_ratio": ("0.45", "0.54", "0.38")}, "a lower limit below the upper one"),
        ({"p_value": "about 0.1"}, "p_value: got 'about 0.1'"),
        ({"median_follow_up": -3}, "median_follow_up: got -3"),
        ({"arms": [ReportedArm("a"), ReportedArm("b"), ReportedArm("old")]}, "expected two arms"),
    ],
)
def test_what_cannot_be_is_refused_by_field(changes, says):
    with pytest.raises(InvalidValueError, match=says):
        two_arms(**changes)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ReportedArm("a", n=0), "at least one patient in arm 'a'"),
        (lambda: ReportedArm("a", median_ci=7), r"median_ci: got 7; expected a pair"),
        (lambda: Quartile(0.5, 3), "p: got 0.5; expected 0.25 or 0.75"),
        (lambda: AtRisk((0, 6), (10,)), "2 times, 1 counts"),
        (lambda: AtRisk((6, 6), (10, 9)), "increasing times"),
        (lambda: AtRisk((0, 6), (10, 11)), "counts that never grow"),
        (lambda: ReportedPValue(Reported("0.1", "p-value"), sided=3), "sided: got 3; expected 1 or 2"),
        (lambda: ReportedInterval(Reported("1", "ratio"), Reported("2", "ratio"), level=95), "write 95% as 0.95"),
        (lambda: ReportedInterval(Reported("1", "ratio"), Reported("2", "ratio"), scale="exact"), "scale: got"),
    ],
)
def test_parts_refuse_what_cannot_be(make, says):
    with pytest.raises(InvalidValueError, match=says):
        make()


def test_an_unknown_arm_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean new"):
        two_arms().arm("neww")


def test_experimental_needs_two_arms():
    with pytest.raises(InvalidValueError, match="ask for an arm by its name"):
        _ = ReportedComparison("OS", [ReportedArm("only")]).experimental
