"""Where a null hypothesis ends: arms alike or a margin apart, and one arm at its null value, for every test."""

import numpy as np
import pytest
from scipy.stats import binom

from analysis.conventions import replace
from analysis.design import AtTime, IllnessDeath, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import InfeasibleDesignError, UnavailableError
from analysis.power import power_summary
from analysis.power.large_sample import large_samples
from analysis.power.null import null_of
from analysis.statistical_tests import (
    CoxHazardRatio,
    LandmarkRate,
    LandmarkSurvival,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    OneSampleLogRank,
    QuantileDifference,
    RestrictedMean,
    RMSTDifference,
)
from analysis.survival import Ensemble, Exponential, ProportionalHazards, Weibull

CONTROL = Exponential.from_median(20)
DESIGN = TrialDesign(400, UniformAccrual(12), [Look(AtTime(36))])
SCENARIO = Scenario({"control": CONTROL, "experimental": ProportionalHazards(CONTROL, (0.7, 1.0), (6.0,))})
OF_A_RATIO = LogRank(margin=1.3), CoxHazardRatio(margin=0.8), MaxCombo(margin=1.2)
OF_A_DIFFERENCE = (
    RMSTDifference(24, margin=-1.5),
    RMSTDifference(24, margin=1.0),
    RMSTDifference(24, margin=-0.1, scale="log"),
    MilestoneDifference(18, margin=-0.1),
    QuantileDifference(margin=-4),
)


@pytest.mark.parametrize("test", OF_A_RATIO, ids=lambda test: test.name)
def test_a_margin_in_the_hazard_ratio_is_that_ratio(test):
    found = null_of(DESIGN, SCENARIO, test, arm=None)
    assert found.of("control") == CONTROL
    assert found.of("experimental") == ProportionalHazards(CONTROL, (test.margin,))


@pytest.mark.parametrize("test", OF_A_DIFFERENCE, ids=lambda test: test.name)
def test_a_margin_in_a_difference_is_brought_about_by_a_hazard_ratio(test):
    found = null_of(DESIGN, SCENARIO, test, arm=None)
    assert large_samples(DESIGN, found, test)[0].moments[-1].effect == pytest.approx(0.0, abs=1e-8)
    worse = found.of("experimental").survival(18.0) < CONTROL.survival(18.0)
    assert worse == (test.margin < 0)


def test_without_a_margin_the_arms_are_alike():
    found = null_of(DESIGN, SCENARIO, RMSTDifference(24), arm=None)
    assert found.of("experimental") == CONTROL


def test_every_member_and_stratum_is_at_the_margin():
    test = RMSTDifference(24, margin=-1.5)
    members = Ensemble([Exponential.from_median(median) for median in (12, 20, 30)])
    design = replace(DESIGN, strata={"a": 0.5, "b": 0.5})
    scenario = Scenario.proportional_hazards(members, 0.9)
    by_stratum = Scenario({arm: {"a": members, "b": Weibull(1.5, 9.0)} for arm in design.arms})
    for found, of in (
        (null_of(DESIGN, scenario, test, arm=None), DESIGN),
        (null_of(design, by_stratum, test, arm=None), design),
    ):
        effects = [one.moments[-1].effect for one in large_samples(of, found, test)]
        assert len(effects) == 3
        assert effects == pytest.approx([0.0] * 3, abs=1e-8)


@pytest.mark.parametrize("test", [LogRank(margin=1.3), RMSTDifference(24, margin=-1.5)], ids=lambda test: test.name)
def test_illness_death_models_have_no_hazard_ratio_to_be_set_apart_by(test):
    disease = IllnessDeath(Exponential(0.1), Exponential(0.01), Exponential(0.05))
    found = power_summary(DESIGN, Scenario(dict.fromkeys(DESIGN.arms, disease)), test, trials=50)
    assert found.type_one_error is None
    assert found.simulated is not None


def test_a_margin_that_no_hazard_ratio_brings_about_has_no_type_1_error():
    test = MilestoneDifference(18, margin=-0.9)
    with pytest.raises(InfeasibleDesignError, match=r"null: got that of milestone.*up to 20"):
        null_of(DESIGN, SCENARIO, test, arm=None)
    assert power_summary(DESIGN, SCENARIO, test, trials=50).type_one_error is None


@pytest.mark.parametrize("test", [LogRank(margin=1.3), RMSTDifference(24, margin=-1.5)], ids=lambda test: test.name)
def test_the_type_1_error_is_simulated_at_the_margin(test):
    """Of arms that are alike these tests reject with their power: 0.73 and 0.44."""
    found = power_summary(DESIGN, SCENARIO, test, trials=20_000, rng=5).type_one_error
    assert found.power == pytest.approx(0.025, abs=0.001 + 4 * found.std_error)
    alike = power_summary(DESIGN, Scenario.proportional_hazards(CONTROL, 1.0), test, trials=0).methods
    assert min(one.power for one in alike.values()) > 0.4
    assert np.isfinite(found.std_error)


SINGLE = TrialDesign(40, UniformAccrual(12), [Look(AtTime(24))], allocation={"new": 1}, control=None)
ASSUMED = Weibull(1.3, 10.0)


@pytest.mark.parametrize("test", [LandmarkRate(6, 0.35), LandmarkSurvival(6, 0.35), RestrictedMean(12, 5.0)], ids=repr)
def test_a_single_arm_is_brought_to_its_null_value(test):
    members = Ensemble([ASSUMED, Exponential.from_median(9)])
    by_stratum = {"a": members, "b": Exponential.from_median(4)}
    found = null_of(SINGLE, Scenario({"new": ASSUMED}), test, arm=None)
    assert test.truth(found.of("new")) == pytest.approx(test.null_value, abs=1e-8)
    assert found.of("new").baseline == ASSUMED
    found = null_of(SINGLE, Scenario({"new": members}), test, arm=None)
    assert [test.truth(one) for one in found.of("new").members] == pytest.approx([test.null_value] * 2, abs=1e-8)
    design = replace(SINGLE, strata={"a": 0.25, "b": 0.75})
    found = null_of(design, Scenario({"new": by_stratum}), test, arm=None)
    for member in range(2):
        shares = [w * test.truth(found.member(member).of("new", stratum)) for stratum, w in design.strata.items()]
        assert sum(shares) == pytest.approx(test.null_value, abs=1e-8)


def test_a_single_arm_has_the_null_distribution_of_its_test():
    null = Exponential.from_median(4)
    assert null_of(SINGLE, Scenario({"new": ASSUMED}), OneSampleLogRank(null), arm=None).of("new") == null
    found = null_of(SINGLE, Scenario({"new": ASSUMED}), OneSampleLogRank(null, margin=1.2), arm=None)
    assert found.of("new") == ProportionalHazards(null, (1.2,))


def test_the_type_1_error_of_an_exact_test_is_its_tail_at_the_critical_count():
    test = LandmarkRate(6, 0.35)
    found = power_summary(SINGLE, Scenario({"new": ASSUMED}), test, trials=40_000, rng=2).type_one_error
    least = next(count for count in range(41) if binom.sf(count - 1, 40, 0.35) <= SINGLE.alpha)
    assert found.power == pytest.approx(binom.sf(least - 1, 40, 0.35), abs=4 * found.std_error)


def test_a_test_of_one_arm_that_says_no_null_value_has_no_type_1_error():
    with pytest.raises(UnavailableError, match="no null value"):
        null_of(SINGLE, Scenario({"new": ASSUMED}), _NoNull(), arm=None)


class _NoNull:
    name, null_value = "own", float("nan")
