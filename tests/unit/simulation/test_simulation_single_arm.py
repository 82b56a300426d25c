"""Trials of one arm: tests against a null value, and what the engine says of a test that does not fit the arms."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from analysis.conventions import WEEK, from_json, to_json
from analysis.design import (
    AfterEntry,
    AfterLastEntry,
    Assessments,
    AtTime,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.expected.clock import expected_cut_time
from analysis.power import power
from analysis.simulation import simulate, simulated_patients
from analysis.single_arm import exact_binomial, simon_two_stage
from analysis.statistical_tests import LandmarkRate, LandmarkSurvival, LogRank, OneSampleLogRank
from analysis.survival import Exponential, kaplan_meier
from tests.large_trials import two_arm_trial

MONTHS = 4.0
AFTER_ALL = (Look(AfterLastEntry(MONTHS)),)


def single(n=30, looks=AFTER_ALL, **others):
    return TrialDesign(
        n=n, accrual=UniformAccrual(18), looks=looks, allocation={"new": 1}, control=None, alpha=0.05, **others
    )


def at_rate(rate):
    return Scenario({"new": Exponential(-np.log(rate) / MONTHS)})


@pytest.mark.parametrize(("null_rate", "true_rate"), [(0.1, 0.1), (0.1, 0.33), (0.2, 0.43), (0.3, 0.53)])
def test_power_of_the_landmark_rate_is_the_exact_binomial_power(null_rate, true_rate):
    design = exact_binomial(30, null_rate=null_rate, alpha=0.05)
    test, exact = LandmarkRate(MONTHS, null_rate), design.rejection_probability(true_rate)
    simulated = power(single(), at_rate(true_rate), test, by="simulation", trials=20_000, rng=7)
    assert abs(simulated.power - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)
    assert power(single(), at_rate(true_rate), test).power == pytest.approx(exact, rel=1e-9)


def test_z_is_the_normal_quantile_of_the_exact_p_value():
    test = LandmarkRate(MONTHS, 0.2)
    found = simulate(single(), at_rate(0.4), trials=500, rng=3, tests=(test,))
    successes = found.statistic(column="successes")
    assert set(np.unique(found.statistic(column="counted"))) == {30.0}
    np.testing.assert_allclose(
        norm.sf(found.statistic(column="z")), binom.sf(successes - 1, 30, 0.2), rtol=1e-10, atol=1e-15
    )


def test_estimate_is_unbiased_and_its_exact_interval_covers():
    frame = simulate(single(), at_rate(0.4), trials=5_000, rng=3, tests=(LandmarkRate(MONTHS, 0.2),))
    measures = frame.operating_characteristics().set_index("measure")
    assert abs(measures.loc["bias", "value"]) < 4 * measures.loc["bias", "std_error"]
    assert measures.loc["coverage", "value"] > 0.95
    assert "power" in measures.index


def test_a_patient_lost_before_the_landmark_is_a_failure():
    lost = single(dropout=0.1)
    patients = simulated_patients(lost, at_rate(0.4), trials=50, rng=5)
    free = (patients["PFS_time"] >= MONTHS - 1e-9).groupby(patients["trial"]).sum()
    found = simulate(lost, at_rate(0.4), trials=50, rng=5, tests=(LandmarkRate(MONTHS, 0.2),))
    np.testing.assert_array_equal(found.statistic(column="successes")[:, 0], free)
    assert free.mean() / 30 == pytest.approx(0.4 * np.exp(-0.1 * MONTHS), abs=0.06)


def test_the_scan_on_the_day_of_the_cut_has_happened():
    months = 16 * WEEK
    design = single(looks=(Look(AfterLastEntry(months)),), assessments=Assessments((8 * WEEK, months)))
    found = simulate(
        design, Scenario({"new": Exponential(1e-9)}), trials=2_000, rng=5, tests=(LandmarkRate(months, 0.2),)
    )
    assert (found.statistic(column="successes") == 30).all()


def test_a_progression_seen_at_the_landmark_visit_is_a_failure():
    seen = single(assessments=Assessments((2.0, MONTHS, 6.0)))
    late = single(looks=(Look(AfterLastEntry(9)),), assessments=Assessments((2.0, MONTHS, 6.0)))
    for design in (seen, late):
        found = simulate(design, at_rate(0.4), trials=4_000, rng=5, tests=(LandmarkRate(MONTHS, 0.2),))
        rate = found.statistic(column="estimate")
        assert rate.mean() == pytest.approx(0.4, abs=4 * rate.std() / np.sqrt(rate.size))


def test_an_interim_counts_only_those_who_could_reach_the_landmark():
    looks = (Look(AfterEntry(12, MONTHS)), Look(AfterLastEntry(MONTHS)))
    found = simulate(single(looks=looks), at_rate(0.4), trials=200, rng=1, tests=(LandmarkRate(MONTHS, 0.2),))
    np.testing.assert_array_equal(found.statistic(column="counted"), np.tile([12.0, 30.0], (200, 1)))


@pytest.mark.parametrize("assessments", [None, Assessments((2.0, MONTHS, 6.0))])
def test_a_simon_design_in_the_engine_has_its_exact_operating_characteristics(assessments):
    simon = simon_two_stage(null_rate=0.2, alternative_rate=0.45, alpha=0.05, power=0.8).optimal
    test = LandmarkRate(MONTHS, 0.2)
    looks = (
        Look(AfterEntry(simon.looks[0], MONTHS), futility_z=test.boundary_z(simon.futility[0] + 1, simon.looks[0])),
        Look(AfterLastEntry(MONTHS), efficacy_z=test.boundary_z(simon.critical, simon.n)),
    )
    found = simulate(
        single(simon.n, looks, assessments=assessments), at_rate(0.45), trials=20_000, rng=2, tests=(test,)
    )
    course = found.course()
    for simulated, exact in (
        (course.rejected, simon.attained_power),
        (course.futile, simon.early_stopping_probability(0.45)),
    ):
        assert abs(simulated.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / found.trials)


def test_more_patients_than_enrol_never_come():
    looks = (Look(AfterEntry(31, MONTHS)), Look(AfterLastEntry(MONTHS)))
    found = simulate(single(looks=looks), at_rate(0.4), trials=20, rng=1, tests=(LandmarkRate(MONTHS, 0.2),))
    assert not found.columns["reached"][:, 0].any()


@pytest.mark.parametrize("scale", ["log-log", "plain", "arcsine"])
def test_kaplan_meier_at_the_landmark_is_that_of_the_estimator(scale):
    design = single(looks=(Look(AtTime(16)),), dropout=0.05)
    patients = simulated_patients(design, at_rate(0.4), trials=20, rng=4)
    test = LandmarkSurvival(MONTHS, 0.2, scale)
    found = simulate(design, at_rate(0.4), trials=20, rng=4, tests=(test,))
    for trial, rows in patients.groupby("trial"):
        curve = kaplan_meier(rows["PFS_time"], rows["PFS_event"])
        assert found.statistic(column="estimate")[trial - 1, 0] == pytest.approx(curve.survival_at(MONTHS), rel=1e-12)
        assert found.statistic(column="std_error")[trial - 1, 0] == pytest.approx(curve.std_error_at(MONTHS), rel=1e-9)
        analysed = test.analyse(rows["PFS_time"], rows["PFS_event"])
        assert found.statistic()[trial - 1, 0] == pytest.approx(analysed.z, rel=1e-12)


def test_one_sample_log_rank_is_that_of_the_plain_arrays():
    design, null = single(looks=(Look(AtTime(16)),), dropout=0.05), Exponential(0.3)
    patients = simulated_patients(design, at_rate(0.4), trials=20, rng=4)
    found = simulate(design, at_rate(0.4), trials=20, rng=4, tests=(OneSampleLogRank(null),))
    for trial, rows in patients.groupby("trial"):
        expected = null.cumulative_hazard(rows["PFS_time"].to_numpy()).sum()
        z = (expected - rows["PFS_event"].sum()) / np.sqrt(expected)
        assert found.statistic()[trial - 1, 0] == pytest.approx(z, rel=1e-9)


def test_power_of_the_one_sample_log_rank_test_is_near_wus_formula():
    null, truth = Exponential.from_median(4), Scenario({"new": Exponential.from_median(5)})
    design, test = single(200, looks=(Look(AtTime(24)),)), OneSampleLogRank(null)
    simulated = power(design, truth, test, by="simulation", trials=5_000, rng=6)
    assert simulated.power == pytest.approx(power(design, truth, test).power, abs=0.02)


@pytest.mark.parametrize(
    ("design", "test"),
    [
        (single(), LogRank()),
        (TrialDesign(n=60, accrual=UniformAccrual(18), looks=(Look(AtTime(24)),)), LandmarkRate(MONTHS, 0.2)),
    ],
)
def test_a_test_that_does_not_fit_the_arms_is_named(design, test):
    scenario = Scenario(dict.fromkeys(design.arms, Exponential(0.1)))
    with pytest.raises(InvalidValueError, match=r"tests: got .*; expected .*arm"):
        simulate(design, scenario, trials=10, rng=1, tests=(test,))


def test_arms_and_control_have_to_go_together():
    common = {"n": 30, "accrual": UniformAccrual(18), "looks": (Look(AtTime(24)),)}
    with pytest.raises(InvalidValueError, match="control: got 'new'"):
        TrialDesign(**common, allocation={"new": 1}, control="new")
    with pytest.raises(InvalidValueError, match="control: got None"):
        TrialDesign(**common, control=None)
    with pytest.raises(UnknownNameError):
        TrialDesign(**common, control="placebo")


def test_a_single_arm_design_goes_through_json():
    design = single(looks=(Look(AfterEntry(12, MONTHS)), Look(AfterLastEntry(MONTHS))))
    assert from_json(to_json(design)) == design


@pytest.mark.parametrize("arguments", [(0, 0.2), (4, 20)])
@pytest.mark.parametrize("kind", [LandmarkRate, LandmarkSurvival])
def test_impossible_landmarks_are_refused(kind, arguments):
    with pytest.raises(InvalidValueError):
        kind(*arguments)


def test_a_two_arm_test_of_a_single_arm_is_refused():
    with pytest.raises(InvalidValueError, match="test: got 'log-rank'"):
        power(single(), at_rate(0.4), LogRank())


def test_an_entry_cut_is_expected_where_accrual_brings_so_many():
    design = TrialDesign(n=60, accrual=UniformAccrual(18), looks=(Look(AtTime(24)),))
    trial = two_arm_trial(Exponential(0.1), hazard_ratio=0.5, n=60, accrual=18)
    assert expected_cut_time(AfterEntry(20, 4), trial, design) == pytest.approx(6 + 4)


def test_the_exact_test_has_one_direction_only():
    with pytest.raises(InvalidValueError, match="sided=1"):
        simulate(single(sided=2), at_rate(0.4), trials=10, rng=1, tests=(LandmarkRate(MONTHS, 0.2),))


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_boundary_lies_between_its_count_and_the_one_below(count):
    boundary = LandmarkRate(MONTHS, 0.2).boundary_z(count, 30)
    assert np.isfinite(boundary)
    assert -norm.ppf(binom.sf(count - 2, 30, 0.2)) < boundary < -norm.ppf(binom.sf(count - 1, 30, 0.2))


def test_a_boundary_beyond_the_patients_is_refused():
    with pytest.raises(InvalidValueError, match="successes: got 31"):
        LandmarkRate(MONTHS, 0.2).boundary_z(31, 30)


def test_a_test_without_a_result_is_told_wherever_its_power_is_shown():
    """Power 0.0000 stood there without a word where hardly a trial could be analysed."""
    early, late = (single(100, (Look(AtTime(month)),)) for month in (MONTHS / 2, 24))
    scenario, test = at_rate(0.5), LandmarkSurvival(MONTHS, null_survival=0.4)
    result = simulate(early, scenario, trials=50, rng=1, tests=[test])
    assert result.power().value == 0.0
    assert result.undetermined().value == 0.96  # in the others the last patient had the event
    assert "no result in 96.00% of them" in repr(result)
    assert "in 96.00% of trials the data" in repr(power(early, scenario, test, by="simulation", trials=50, rng=1))
    result = simulate(late, scenario, trials=50, rng=1, tests=[test])
    assert result.undetermined().value == 0.0
    assert "no result" not in repr(result)
