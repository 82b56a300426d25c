"""Depth of response, tumour growth rate, the summary over patients, and the trace of an endpoint."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis.endpoints import (
    BestOverallResponse,
    DepthOfResponse,
    DurationOfResponse,
    ObjectiveResponse,
    ProgressionFreeSurvival,
    ResponseHistory,
    Sizes,
    TumourGrowthRate,
    derive,
    tumour_growth_rate,
)
from analysis.errors import InvalidValueError

DATES = ["2024-01-01", "2024-02-26", "2024-04-22", "2024-06-17"]
BEST = {"depth": DepthOfResponse(), "growth": TumourGrowthRate(), "later growth": TumourGrowthRate(from_day=70)}


def trial(**patients):
    rows = [
        (subject, "T1", when, size)
        for subject, sizes in patients.items()
        for when, size in zip(DATES, sizes, strict=True)
        if size is not None
    ]
    return pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")


def measured(sizes, **columns):
    frame = derive(trial(S1=sizes).assign(**columns)).endpoints(BEST).set_index("endpoint")
    return frame["per_cent"].round(6).to_dict()


def test_depth_and_growth_are_those_of_their_formulas():
    grown = [tumour_growth_rate(50, size, days / 30.4375) for size, days in ((40, 56), (30, 112))]
    assert measured([50, 40, 30, 45]) == pytest.approx(dict(zip(BEST, [-40, *grown], strict=True)), abs=1e-6)


def test_what_comes_after_progression_does_not_deepen_the_response():
    assert measured([50, 40, 60, 10])["depth"] == -20


def test_a_measure_that_does_not_exist_has_no_row():
    assert set(measured([50, 0, 0, 0])) == {"depth"}
    state = trial(S1=[50, 40, 30, 45]).assign(group="NON-TARGET", test="TUMSTATE", value="PRESENT")
    assert derive(state).endpoints(BEST).empty


def test_incomplete_sums_are_passed_over():
    both = pd.concat([trial(S1=[50, 40, 30, 45]), trial(S1=[50, None, 50, 50]).assign(lesion="T2")])
    frame = derive(both).endpoints(BEST).set_index("endpoint")
    assert frame.loc["depth", "per_cent"] == pytest.approx(-20)
    assert frame.loc["growth", "per_cent"] == frame.loc["later growth", "per_cent"]
    assert str(frame.loc["growth", "date"]) == "2024-04-22"


def test_sizes_follow_a_history_that_is_cut():
    scans = [date(2024, 2, 26), date(2024, 4, 22)]
    sizes = Sizes(50.0, date(2024, 1, 1), (40.0, 30.0))
    seen = ResponseHistory("S1", date(2024, 1, 1), scans, ["SD", "PR"], sizes=sizes)
    assert DepthOfResponse().derive(seen.until(scans[0])).per_cent == pytest.approx(-20)
    with pytest.raises(InvalidValueError, match="sizes"):
        ResponseHistory("S1", date(2024, 1, 1), scans, ["SD", "PR"], sizes=Sizes(50.0, date(2024, 1, 1), (40.0,)))


def sized(sums, therapy=None, baseline=date(2024, 1, 1)):
    scans = [date(2024, 2, 26), date(2024, 4, 22)]
    sizes = Sizes(50.0, baseline, sums)
    return ResponseHistory("S1", date(2024, 1, 1), scans, ["SD", "PR"], new_therapy=therapy, sizes=sizes)


def test_what_comes_after_a_new_therapy_is_no_measure_of_size():
    assert DepthOfResponse().derive(sized((40.0, 30.0), therapy=date(2024, 4, 22))).per_cent == pytest.approx(-20)
    assert DepthOfResponse().derive(sized((40.0, 30.0), therapy=date(2024, 4, 23))).per_cent == pytest.approx(-40)
    assert TumourGrowthRate(70).derive(sized((40.0, 30.0), therapy=date(2024, 4, 22))) is None
    assert TumourGrowthRate(70).derive(sized((40.0, 30.0), therapy=date(2024, 4, 23))).index == 1


def test_growth_starts_at_the_baseline_scan_and_counts_from_the_day_that_is_asked_for():
    seen = sized((40.0, 30.0), baseline=date(2023, 12, 18))  # 14 days before the reference date
    expected = tumour_growth_rate(50, 40, 70 / 30.4375)
    assert TumourGrowthRate().derive(seen).per_cent == pytest.approx(expected)
    assert [TumourGrowthRate(day).derive(seen).index for day in (56, 57, 112)] == [0, 1, 1]
    assert TumourGrowthRate(113).derive(seen) is None


def test_a_summary_has_rates_medians_and_sizes():
    derivation = derive(trial(S1=[50, 30, 30, 30], S2=[50, 50, 70, 70], S3=[50, 45, 45, 45], S4=[50, 80, 80, 80]))
    endpoints = {"BOR": BestOverallResponse(), "ORR": ObjectiveResponse(), "PFS": ProgressionFreeSurvival(), **BEST}
    frame = derivation.summary(endpoints).set_index(["endpoint", "category"])
    rates = frame.loc["BOR"]
    assert dict(zip(rates.index, rates["count"], strict=True)) == {"PD": 1, "PR": 1, "SD": 2}
    assert frame.loc["ORR"].index.tolist() == ["Y"]
    response = frame.loc[("ORR", "Y")]
    assert (response["patients"], response["count"], response["estimate"]) == (4, 1, 25.0)
    assert [response["lower"], response["upper"]] == pytest.approx([0.6309, 80.5880], abs=1e-3)
    time = frame.loc["PFS"].iloc[0]
    level = [113, 169]  # days at which the curve is 0.5, the first day counted
    assert (time["count"], time["estimate"]) == (2, pytest.approx(np.mean(level) / 30.4375))
    assert frame.loc["depth"].iloc[0]["estimate"] == pytest.approx(np.median([-40, 0, -10, 60]))
    with pytest.raises(InvalidValueError, match="level: got 95"):
        derivation.summary(endpoints, level=95)


def test_an_endpoint_is_traced_to_what_decides_it():
    adsl = pd.DataFrame({"subject": ["S1", "S2"], "reference": "2024-01-02", "death": ["2024-07-01", None]})
    endpoints = {
        "BOR": BestOverallResponse(),
        "PFS": ProgressionFreeSurvival(),
        "depth": DepthOfResponse(),
        "DoR": DurationOfResponse(),
    }
    derivation = derive(trial(S1=[50, 30, 30, 30]), subjects=adsl)
    text = derivation.explain("S1", endpoints=endpoints)
    assert "by RECIST 1.1, reference date 2024-01-02, death 2024-07-01" in text
    assert "BOR: PR on 2024-02-26, where the response was PR" in text
    assert "PFS: 181 days from 2024-01-02 to 2024-07-01, death" in text
    assert "depth: -40% on 2024-02-26, where the response was PR" in text
    other = derivation.explain("S2", endpoints=endpoints, criteria="iRECIST")
    assert "no assessment that counts" in other
    assert "PFS: 0 days from 2024-01-02 to 2024-01-02, censored: reference date" in other
    assert "DoR: does not exist for this patient" in other
