"""The table of measured accuracy in the documentation is that of the results."""

import json
import re
from pathlib import Path

import pytest

from analysis.studies.accuracy import measured

DOCS = Path(__file__).parents[3] / "docs"
TABLE = (DOCS / "reconstruction.md").read_text(encoding="utf-8")


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


def test_the_documented_table_of_bad_clicking_is_the_measured_one():
    page = (DOCS / "digitised-curves.md").read_text(encoding="utf-8")
    result = json.loads((measured.RESULTS / "bad-clicking.json").read_text(encoding="utf-8"))
    measures = {"iae_median": ".4f", "iae_p90": ".4f", "log_hazard_ratio_median": ".3f"}
    for kind, row in result.items():
        cells = ["" if row[name] is None else format(row[name], digits) for name, digits in measures.items()]
        cells += [f"{row[name]:.0%}" for name in ("refused", "error_finding")]
        assert f"| {kind} | {' | '.join(cells)} |" in page


def test_bad_clicking_stays_within_its_bounds():
    result = json.loads((measured.RESULTS / "bad-clicking.json").read_text(encoding="utf-8"))
    assert result["reading error 1%"]["iae_median"] <= 0.006
    assert result["3 stray clicks"]["iae_median"] <= 1.2 * result["clean"]["iae_median"]
    assert result["clean"]["error_finding"] == 0
    for kind in ("upside down", "upside down, in per cent", "per cent, not said", "proportions said per cent"):
        assert result[kind]["refused"] + result[kind]["error_finding"] == 1
