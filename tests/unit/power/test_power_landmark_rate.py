"""The rate of those who are counted at a landmark: how many are is drawn too, where entries are."""

import numpy as np
import pytest
from scipy.stats import binom

from analysis.conventions import replace
from analysis.design import (
    AccrualRate,
    AtTime,
    FixedAccrual,
    Look,
    PiecewiseAccrual,
    RampAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.power import power, power_summary
from analysis.statistical_tests import LandmarkRate, LandmarkSurvival
from analysis.survival import Exponential, Weibull

ARM = Scenario({"new": Exponential.from_median(12)})
TEST = LandmarkRate(15, 0.3)
DESIGN = TrialDesign(80, RampAccrual(12, 3), [Look(AtTime(18))], allocation={"new": 1}, control=None, dropout=0.01)


@pytest.mark.parametrize("accrual", [RampAccrual(12, 3), UniformAccrual(10), AccrualRate(7.0)], ids=repr)
@pytest.mark.parametrize("month", [18.0, 22.0, 40.0])
def test_the_power_is_that_of_simulated_trials_however_many_are_counted(accrual, month):
    design = replace(DESIGN, accrual=accrual, looks=[Look(AtTime(month))])
    simulated = power(design, ARM, TEST, by="simulation", trials=40_000, rng=5)
    assert power(design, ARM, TEST).power == pytest.approx(simulated.power, abs=4 * simulated.std_error)


@pytest.mark.parametrize("counted", [0.25, 0.97])
def test_the_number_that_is_counted_is_binomial(counted):
    """80 patients enter over 10 months; a quarter of them have 15 months of follow-up at month 17.5."""
    design = replace(DESIGN, accrual=UniformAccrual(10), looks=[Look(AtTime(15 + 10 * counted))], dropout=None)
    alive, expected = float(ARM.of("new").survival(15.0)), 0.0
    for number in range(1, 81):
        critical = next(count for count in range(number + 2) if binom.sf(count - 1, number, 0.3) <= design.alpha)
        expected += binom.pmf(number, 80, counted) * binom.sf(critical - 1, number, alive)
    assert power(design, ARM, TEST).power == pytest.approx(expected, rel=1e-8)  # who reaches 15 months to 1e-9 counts


def test_entries_that_are_known_say_who_is_counted():
    entries = np.linspace(0, 12, 80)
    design = replace(DESIGN, accrual=FixedAccrual(tuple(entries)), dropout=None)
    number = int((entries <= 3.0).sum())
    critical = next(count for count in range(number + 2) if binom.sf(count - 1, number, 0.3) <= design.alpha)
    expected = binom.sf(critical - 1, number, float(ARM.of("new").survival(15.0)))
    assert power(design, ARM, TEST).power == pytest.approx(expected, rel=1e-10)
    simulated = power(design, ARM, TEST, by="simulation", trials=40_000, rng=5)
    assert simulated.power == pytest.approx(expected, abs=4 * simulated.std_error)


def test_patients_who_are_lost_before_the_landmark_are_said():
    """A fifth of them count as failures: at the null rate the test hardly ever rejects."""
    at_8 = replace(DESIGN, n=300, looks=[Look(AtTime(24))], dropout=0.03)
    found = power_summary(at_8, ARM, LandmarkRate(8, 0.3), trials=10_000, rng=1)
    (by_formula,) = found.methods.values()
    (said,) = by_formula.notes
    assert said.startswith("21% of the patients would be lost before 8 months and count as failures")
    assert by_formula.power == pytest.approx(found.simulated.power, abs=4 * found.simulated.std_error)
    assert found.type_one_error.power < 0.001
    assert power(replace(at_8, dropout=0.005), ARM, LandmarkRate(8, 0.3)).notes == ()


def test_few_who_are_followed_to_a_landmark_are_said():
    """Three months of entry reach month 15: of 300 patients about 16 are at risk there, and 4% are rejected for 2.5."""
    design = replace(DESIGN, n=300, accrual=PiecewiseAccrual((2.0, 6.0), (4.0,), 12.0), dropout=None)
    arm, test = Scenario({"new": Weibull(1.4, 19.4898)}), LandmarkSurvival(15, 0.3)
    found = power_summary(design, arm, test, trials=10_000, rng=1)
    assert found.type_one_error.power > 0.03
    assert "about 16.1 patients are expected to be followed to the landmark" in found.methods[test.name].notes[0]
    assert power(replace(design, looks=[Look(AtTime(30))]), arm, test).notes == ()
