"""What a schedule does to exponential progression, exactly, against simulated scans."""

import json
from pathlib import Path

import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import Attendance, Rate, Stein, Tumours, simulate_endpoints

FACTS = json.loads((Path(__file__).parents[2] / "reference" / "data" / "recist" / "schedule_facts.json").read_text())
NO_CHANGE = Stein(Rate(0.0), Rate(0.0))
LOG_2 = 0.6931471805599453
PRINTED = 1e-5
"""Intervals are printed with 6 decimals; visits are up to 14 intervals away."""


def scanned(median, assessments, until, rng):
    """Stable lesions and a new one at an exponential time: progression as the scans see it."""
    tumours = Tumours(NO_CHANGE, targets=1, new_lesions=LOG_2 / median)
    return simulate_endpoints(tumours, Attendance(assessments, until), patients=500, trials=40, rng=rng)


@pytest.mark.parametrize("fact", FACTS["regular_grid"], ids=lambda f: f"{f['true_median']}-{f['interval']}")
def test_regular_visits(fact):
    d, m = fact["interval"], fact["true_median"]
    result = scanned(m, Assessments.every(d), 14 * m, rng=11)
    seen = result.of()
    assert seen.event[0].mean() > 0.999
    mean, error = seen.time[0].mean(), seen.time[0].std() / seen.time[0].size ** 0.5
    assert abs(mean - fact["observed_mean"]) < 4 * error + 14 * m * (1 - seen.event[0].mean())
    expected = fact["observed_median_right_endpoint"]
    at = result.survival_at(expected + PRINTED)
    before = result.survival_at(expected - d / 2)
    assert at.value < 0.5 + 4 * at.std_error
    assert before.value > 0.5 - 4 * before.std_error
    if m / d != int(m / d):
        assert result.median_pfs().value == pytest.approx(expected, abs=PRINTED)


@pytest.mark.parametrize("fact", FACTS["irregular_grid_8_16_24_48"], ids=lambda f: str(f["true_median_weeks"]))
def test_irregular_visits(fact):
    weeks = [8, 16, 24, 48]
    visits = Assessments([week * WEEK for week in weeks])
    result = scanned(fact["true_median_weeks"] * WEEK, visits, 48 * WEEK, rng=12)
    for week, expected in zip(weeks, fact["S_at_8_16_24_48"], strict=True):
        seen = result.survival_at(min(week * WEEK + 1e-6, result.of().time.max()))
        assert abs(seen.value - expected) < 4 * (expected * (1 - expected) / 20_000) ** 0.5 + 5e-5
    seen = result.survival_at(26 * WEEK)
    expected = fact["pfs26w_observed_right_endpoint"]
    assert abs(seen.value - expected) < 4 * (expected * (1 - expected) / 20_000) ** 0.5 + 5e-5
