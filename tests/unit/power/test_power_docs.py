"""Numbers in the documentation are those that its examples give, or stand in the reference values."""

import doctest
import math
from pathlib import Path

import pytest

import analysis
from analysis.statistical_tests import LogRank
from analysis.survival import Exponential
from tests.large_trials import two_arm_trial
from tests.reference.power.r_calls import reference_calls

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", ["power.md", "conventions.md", "statistical-tests.md"])
def test_examples(name):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(str(DOCS / name), module_relative=False, optionflags=flags)
    assert tried > 0
    assert failed == 0


def simulated(*parts):
    """Rejection probability of lrstat's simulation with a million trials whose call contains all parts."""
    (found,) = {
        value
        for call in reference_calls()
        if call.function == "lrsim (simulated)" and "1000000" in call.text and all(part in call.text for part in parts)
        for quantity, value in call.values.items()
        if quantity.startswith("overallReject")
    }
    return found


def test_simulated_powers_that_are_quoted():
    text = (DOCS / "power.md").read_text()
    two_to_one = simulated("allocation1=2", "n=99", "plannedTime=30")
    delayed = simulated("c(1,0.55)", "rho1=0, rho2=0")
    middle = simulated("c(1,0.55)", "rho1=0.5, rho2=0.5")
    assert f"has power {two_to_one:.4f}" in text
    assert f"{delayed:.4f} for the log-rank test and {middle:.4f} for FH(0.5, 0.5)" in text
    trial = two_arm_trial(Exponential(math.log(2) / 11), hazard_ratio=0.6, n=99, accrual=18, allocation_ratio=2)
    tests = LogRank(formula="schoenfeld"), LogRank()
    schoenfeld, exact = (100 * (test.moments(trial, 30).power() - two_to_one) for test in tests)
    assert f"Schoenfeld's formula is {-schoenfeld:.1f} points off, the exact moments {exact:.2f}" in " ".join(
        text.split()
    )


def test_the_page_lists_every_name():
    text = (DOCS / "power.md").read_text().split("## A design")[0]
    for room in (analysis.power, analysis.sequential, analysis.single_arm):
        assert [name for name in room.__all__ if f"`{name}" not in text] == []
