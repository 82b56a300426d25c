"""The page on the reported data says what the schema is, and its examples run."""

import doctest
import re
from dataclasses import fields
from pathlib import Path

import pytest

import analysis
from analysis.reported import (
    ENDPOINTS,
    Fact,
    KnownFinding,
    ReportedArm,
    ReportedComparison,
    ReportedProportion,
    Source,
    comparison_checks,
    load,
    review,
    trial_checks,
)
from analysis.reported.arm import AtRisk, Landmark, Quartile
from analysis.reported.number import STATUSES, UNITS, WORDS
from analysis.reported.summaries import SCALES_TRIED

PAGE = Path(analysis.__file__).parents[1] / "docs" / "reported-data.md"


def test_the_python_of_the_page_runs():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0


def test_the_example_file_loads_and_contradicts_nothing(tmp_path):
    [example] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    trial = load("example", tmp_path)
    assert trial.comparison("pfs-final").arm("old").median_ci.scale == "log-log"
    assert review(trial).new == ()


@pytest.mark.parametrize(
    "table",
    [Source, ReportedComparison, ReportedArm, Landmark, Quartile, AtRisk, ReportedProportion, Fact, KnownFinding],
)
def test_every_field_is_on_the_page(table):
    page = PAGE.read_text(encoding="utf-8")
    names = {field.name for field in fields(table)} - {"key"}
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_word_of_the_schema_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    modules = (comparison_checks, trial_checks)
    checks = {
        name
        for module in modules
        for name in re.findall(r'Finding\(\s*"([a-z-]+)"', Path(module.__file__).read_text(encoding="utf-8"))
    }
    assert len(checks) == 14
    for word in (*UNITS, *STATUSES, *SCALES_TRIED, *checks):
        assert f"`{word}`" in page
    for word in (*WORDS, *ENDPOINTS):
        assert word in page
