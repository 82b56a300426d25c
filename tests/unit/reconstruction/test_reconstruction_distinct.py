"""What a caller of `reconstruct` is told: few distinct members, a wrong argument."""

import numpy as np
import pytest

from analysis.errors import InvalidValueError
from analysis.reconstruction import from_report, reconstruct
from analysis.reported import ReportedArm, ReportedComparison

REPORT = ReportedComparison(
    endpoint="PFS",
    arms=[ReportedArm("new", n=60, median="8.0"), ReportedArm("old", n=60, median="5.0")],
    control="old",
    hazard_ratio="0.70",
)


def test_an_easy_report_needs_no_warning():
    result = reconstruct(REPORT, members=20, rng=1)
    assert result.diagnostics["distinct members"] >= 10
    assert [finding.check for finding in result.findings] == []


def test_too_few_distinct_members_are_a_finding(monkeypatch):
    monkeypatch.setattr(from_report, "ENOUGH_DISTINCT", 1.5)
    [finding] = reconstruct(REPORT, members=20, rng=1).findings
    assert finding.check == "few-distinct-members"
    assert "of 20 draws" in finding.message


@pytest.mark.parametrize("rng", [1, 2])
def test_repeated_members_fill_the_ensemble(rng):
    result = reconstruct(REPORT, members=20, rng=rng)
    assert result.members == 20
    assert result.faithful.all()


def test_a_name_in_place_of_a_comparison_is_refused():
    with pytest.raises(InvalidValueError, match="comparison\\(id\\)"):
        reconstruct("bolero-2")


def test_one_number_to_relax_needs_no_list():
    one, listed = (reconstruct(REPORT, members=5, rng=1, relax=relax) for relax in ("hazard_ratio", ["hazard_ratio"]))
    assert np.array_equal(one.time, listed.time)
    assert "hazard_ratio" in one.relaxed
