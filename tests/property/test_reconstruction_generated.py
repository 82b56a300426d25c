"""Reports computed from random data sets are possible by construction: they are solved, and the bands hold the data."""

import pytest
from generated_reports import evaluate, summary

SEEDS = range(5000, 5080)
MEMBERS = 20


@pytest.fixture(scope="module")
def rows():
    return [evaluate(seed, MEMBERS) for seed in SEEDS]


def test_reports_that_are_possible_are_solved(rows):
    refused = [f"{row['seed']}: {row['error']}" for row in rows if row["error"]]
    assert len(refused) <= 1, refused  # 20 members are few: of 500 members hardly a report is refused


def test_most_draws_are_distinct(rows):
    assert all(row["error"] or row["distinct"] > 0 for row in rows)
    assert sum(row.get("drawn", 0) >= 0.5 for row in rows) >= 0.85 * len(rows)
    assert sum(row.get("distinct", 0) >= 0.9 for row in rows) >= 0.9 * len(rows)


def test_the_bands_hold_the_curves_that_the_reports_were_made_from(rows):
    """Of 20 members the central 90% is what 18 of them span."""
    covered = summary(rows)["coverage"]["all"]
    assert 0.82 <= covered[90] <= 0.96
    assert 0.45 <= covered[50] <= 0.65
