"""The table of measured accuracy in the documentation is that of the results."""

import re
from pathlib import Path

import pytest

from analysis.studies.accuracy import measured

TABLE = (Path(__file__).parents[3] / "docs" / "reconstruction.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tier", measured.TIERS)
@pytest.mark.parametrize("medians", ["reached", "not reached"])
def test_the_documented_figures_are_the_measured_ones(tier, medians):
    result = measured.measured(tier)
    part = result if medians == "reached" else result["not_reached"]
    ratio = part["drmst_median"] / part["baselines"]["exponential"]["drmst_median"]
    [row] = re.findall(rf"^\| {tier} \| {medians} \| (.*) \|$", TABLE, flags=re.MULTILINE)
    assert row.split(" | ") == [
        f"{part['figures']}", f"{part['iae_median']:.4f} ({part['iae_p90']:.4f})", f"{ratio:.2f}",
        f"{part['s12_median']:.4f}", f"{part['coverage_90']:.0%}", f"{part['fidelity']:.1%}", f"{part['failures']}",
    ]  # fmt: skip


def test_results_that_were_not_measured_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(measured, "RESULTS", tmp_path / "results")
    with pytest.raises(measured.NotMeasuredError, match="--tier risk"):
        measured.measured("risk")
