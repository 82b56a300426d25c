"""What a visit did not assess: it has not grown for being measured again, and a new lesion is not gone."""

import pandas as pd
import pytest

from analysis.endpoints import derive

GROUPS = {"T": "TARGET", "N": "NEW"}
STABLE = [30.0] * 4


def seen(**lesions):
    """Derive one patient seen every 8 weeks; lesions are mm or states, None without a row."""
    dates = pd.date_range("2024-01-01", periods=len(next(iter(lesions.values()))), freq="56D")
    rows = [
        ("S1", name, when, value, GROUPS[name[0]], "TUMSTATE" if isinstance(value, str) else "DIAMETER")
        for name, values in lesions.items()
        for when, value in zip(dates.strftime("%Y-%m-%d"), values, strict=True)
        if value is not None
    ]
    frame = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value", "group", "test"])
    return derive(frame)


def irecist(**lesions):
    return seen(**lesions).responses()["irecist"].tolist()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([30.0, 80.0, 80.0], [30.0, None, 30.0], ["iUPD", "iUPD"]),
        ([30.0, 80.0, 84.9], [30.0, None, 60.0], ["iUPD", "iUPD"]),
        ([30.0, 80.0, 85.0], [30.0, None, 30.0], ["iUPD", "iCPD"]),
        ([30.0, 80.0, 85.0], [30.0, 30.0, None], ["iUPD", "iCPD"]),
        ([30.0, 80.0, None], [30.0, None, 90.0], ["iUPD", "iUPD"]),
    ],
)
def test_targets_confirm_by_growth_where_both_scans_measured_them(first, second, expected):
    assert irecist(T1=first, T2=second) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([None, 12.0, 12.0], [None, "PRESENT", 8.0], "iUPD"),
        ([None, 12.0, 17.0], [None, 8.0, None], "iCPD"),
        ([None, 12.0, "ABSENT"], [None, 8.0, 13.0], "iUPD"),
        ([None, 12.0, "NE"], [None, 8.0, 13.0], "iCPD"),
    ],
)
def test_new_lesions_confirm_by_growth_where_both_scans_measured_them(first, second, expected):
    assert irecist(T1=[30.0] * 3, N1=first, N2=second) == ["iUPD", expected]


@pytest.mark.parametrize("missed", ["NOT EVALUABLE", None])
def test_a_new_lesion_that_was_not_assessed_is_not_gone(missed):
    derivation = seen(T1=STABLE, N1=[None, "PRESENT", missed, "PRESENT"])
    assert derivation.responses()["irecist"].tolist() == ["iUPD"] * 3
    assert derivation.responses()["new_lesions"].tolist() == [1, 1, 1]
    assert derivation.explain("S1").count("new lesions: N1 as last known") == 1


@pytest.mark.parametrize("gone", ["ABSENT", 0.0])
def test_a_new_lesion_that_is_gone_stays_so_until_it_is_seen(gone):
    assert irecist(T1=STABLE, N1=[None, "PRESENT", gone, "PRESENT"]) == ["iUPD", "iSD", "iUPD"]
    assert irecist(T1=STABLE, N1=[None, "PRESENT", gone, "NE"]) == ["iUPD", "iSD", "iSD"]


def test_a_new_lesion_that_was_not_assessed_leaves_a_response_as_a_persisting_one_does():
    for state in ("PRESENT", "NE"):
        assert irecist(T1=[30.0, 30.0, 15.0], N1=[None, "PRESENT", state]) == ["iUPD", "iPR"]
        assert irecist(T1=[30.0, 30.0, 0.0], N1=[None, "PRESENT", state]) == ["iUPD", "iPR"]


def test_a_new_lesion_at_baseline_counts_at_later_visits_that_show_it():
    derivation = seen(T1=STABLE, N1=["PRESENT", None, "NE", "PRESENT"])
    assert derivation.responses()["new_lesions"].tolist() == [0, 0, 1]
    assert derivation.responses()["recist"].tolist() == ["SD", "SD", "PD"]


def test_the_frame_counts_the_new_lesions_that_decide():
    derivation = seen(T1=STABLE, N1=[None, "PRESENT", "ABSENT", "ABSENT"], N2=[None, None, "PRESENT", "PRESENT"])
    frame = derivation.responses()
    assert (frame["irecist"].tolist(), frame["new_lesions"].tolist()) == (["iUPD", "iCPD", "iCPD"], [1, 2, 2])
