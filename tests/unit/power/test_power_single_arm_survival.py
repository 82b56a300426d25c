"""Single-arm survival designs: statistics of data, formulas, two stages, words, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from analysis.conventions import from_json, replace, to_json
from analysis.design import (
    AccrualRate,
    AfterLastEntry,
    Assessments,
    AtTime,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import (
    InfeasibleDesignError,
    InvalidValueError,
    NotEstimableError,
    UnavailableError,
    UnknownNameError,
)
from analysis.power import power, sample_size
from analysis.simulation import simulate
from analysis.single_arm import two_stage_survival
from analysis.statistical_tests import LandmarkSurvival, OneSampleLogRank, RestrictedMean
from analysis.survival import Exponential, Weibull
from tests.large_trials import single_arm_trial

NULL, TRUTH = Exponential.from_median(4.0), Exponential.from_median(7.0)
LOG_RANK = OneSampleLogRank(NULL)
ASKED = {"alpha": 0.05, "power": 0.8}
MONTHS = 56 / 30.4375


def single(n=20, accrual=None, cut=None, **options):
    look = Look(AtTime(24) if cut is None else cut)
    arm = {"allocation": {"treatment": 1}, "control": None, "alpha": 0.05}
    return TrialDesign(n=n, accrual=accrual or UniformAccrual(18), looks=(look,), **(arm | options))


def under(curve):
    return Scenario({"treatment": curve})


def size(test, truth=TRUTH, design=None, asked=0.8):
    return sample_size(design or single(), under(truth), test, power=asked).n


@pytest.fixture
def arm():
    rng = np.random.default_rng(3)
    time = np.ceil(rng.exponential(6, 40) * 2) / 2
    return time, rng.random(40) < 0.7


@pytest.mark.parametrize("landmark", [3.0, 7.9])
def test_survival_at_a_landmark_is_that_of_lifelines(arm, landmark):
    time, event = arm
    fitted = KaplanMeierFitter().fit(time, event)
    found = LandmarkSurvival(landmark, 0.3).analyse(time, event)
    assert found.estimate == pytest.approx(fitted.predict(landmark), abs=1e-12)
    table = fitted.event_table
    deaths = table[(table.index <= landmark) & (table.index > 0)]
    m, d = deaths["at_risk"], deaths["observed"]
    assert found.std_error == pytest.approx(found.estimate * math.sqrt((d / (m * (m - d))).sum()), abs=1e-12)


def test_restricted_mean_is_the_area_under_the_curve(arm):
    time, event = arm
    found = RestrictedMean(8.0, 4.0).analyse(time, event)
    fitted = KaplanMeierFitter().fit(time, event)
    grid = np.arange(0, 8, 0.001) + 0.0005
    survival = fitted.predict(grid).to_numpy()
    assert found.estimate == pytest.approx(survival.mean() * 8, abs=1e-9)
    table = fitted.event_table.loc[lambda t: (t.index <= 8) & (t.index > 0)]
    left = np.array([survival[grid > t].sum() * 0.001 for t in table.index])
    m, d = table["at_risk"].to_numpy(), table["observed"].to_numpy()
    assert found.std_error**2 == pytest.approx((left**2 * d / (m * (m - d))).sum(), abs=1e-9)


def test_one_sample_log_rank_is_positive_for_a_good_treatment():
    good = LOG_RANK.analyse([10, 12, 14, 20], [1, 0, 1, 0])
    assert good.z == pytest.approx((56 * np.log(2) / 4 - 2) / np.sqrt(56 * np.log(2) / 4))
    assert good.p_one_sided < 0.01
    assert LOG_RANK.analyse([1, 1, 2], [1, 1, 1]).p_one_sided > 0.5


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [([1, 2], [1], "event"), ([1, 2], [1, 2], "event"), ([1, -2], [1, 0], "time"), ([1, np.nan], [1, 0], "time")],
)
def test_one_sample_log_rank_refuses_impossible_data(time, event, message):
    with pytest.raises(InvalidValueError, match=f"^{message}"):
        LOG_RANK.analyse(time, event)


def test_no_follow_up_at_all_determines_nothing():
    with pytest.raises(NotEstimableError, match="expect events"):
        LOG_RANK.analyse([0, 0], [0, 0])


def test_scans_make_a_landmark_see_the_last_visit():
    test = LandmarkSurvival(6, 0.3)
    seen = single_arm_trial(TRUTH, n=1, accrual=12, assessments=Assessments.every(MONTHS))
    s = float(TRUTH.survival(3 * MONTHS))
    moments = test.moments(seen, 30)
    # with full follow-up the estimate is a proportion
    assert moments.sd == pytest.approx(np.sqrt((1 - s) / s) / -np.log(s), rel=1e-9)
    assert moments.effect > test.moments(single_arm_trial(TRUTH, n=1, accrual=12), 30).effect
    # finer and finer scans are no scans
    fine = single_arm_trial(TRUTH, n=1, accrual=18, assessments=Assessments.every(0.04))
    exact = single_arm_trial(TRUTH, n=1, accrual=18)
    assert test.moments(fine, 24).sd == pytest.approx(test.moments(exact, 24).sd, rel=8e-3)


def test_scans_that_end_before_the_landmark_determine_nothing():
    """A formula said 0.91 where every curve ended at the last scan before the landmark, and no trial had a result."""
    test, scans = LandmarkSurvival(6, 0.3), Assessments.every(MONTHS)  # scans at 5.52 and 7.36 months
    short = single(n=200, accrual=UniformAccrual(6), assessments=scans, follow_up=6.5)
    with pytest.raises(InfeasibleDesignError, match=r"no visit in 6\.5 months of follow-up .* move the landmark"):
        power(short, under(TRUTH), test)
    assert simulate(short, under(TRUTH), trials=50, rng=1, tests=[test]).undetermined().value == 1.0
    longer = replace(short, follow_up=4 * MONTHS)
    simulated = simulate(longer, under(TRUTH), trials=500, rng=1, tests=[test])
    assert simulated.undetermined().value == 0.0
    assert power(longer, under(TRUTH), test).power == pytest.approx(simulated.power().value, abs=0.03)


def test_a_normal_approximation_of_few_events_is_said():
    few = power(single(n=30), under(Exponential(0.02)), LandmarkSurvival(6, 0.7))
    assert any("3.4 patients are expected with an event at the landmark" in note for note in few.notes)
    assert not power(single(n=60), under(TRUTH), LandmarkSurvival(6, 0.4)).notes
    mean = RestrictedMean(6, Exponential(0.02).rmst(6))
    null = power(single(n=30), under(Exponential(0.02)), mean)
    assert any("3.4 patients are expected with an event by tau" in note for note in null.notes)
    simulated = power(single(n=30), under(Exponential(0.02)), mean, by="simulation", trials=4000)
    assert simulated.power > 2 * null.power  # the type I error of a mean of few events


@pytest.mark.parametrize("test", [LandmarkSurvival(6, 0.4), RestrictedMean(6, 4.0)], ids=repr)
def test_formulas_of_one_arm_go_as_far_as_the_longest_follow_up(test):
    design = single(n=100, accrual=UniformAccrual(6), follow_up=6.0)
    simulated = simulate(design, under(TRUTH), trials=1000, rng=1, tests=[test]).power()
    assert power(design, under(TRUTH), test).power == pytest.approx(simulated.value, abs=0.05)


def test_dropout_costs_power_and_follow_up_gains_it():
    assert size(LOG_RANK, design=single(dropout=0.05)) > size(LOG_RANK) > size(LOG_RANK, design=single(cut=AtTime(36)))


def test_size_and_power_invert_each_other():
    test = LandmarkSurvival(6, 0.35)
    found = sample_size(single(), under(TRUTH), test, power=0.9)
    assert power(found.design, under(TRUTH), test).power >= 0.9
    assert power(replace(found.design, n=found.design.n - 1), under(TRUTH), test).power < 0.9
    at_null = power(found.design, under(Exponential(-np.log(0.35) / 6)), test).power
    assert at_null == pytest.approx(0.05, abs=1e-9)


def test_accrual_at_a_rate_lasts_as_long_as_the_patients_take():
    open_ended = single(accrual=AccrualRate(2.5), cut=AfterLastEntry(6))
    found = sample_size(open_ended, under(TRUTH), LOG_RANK, power=0.8)
    assert power(open_ended, under(TRUTH), LOG_RANK, n=found.n).power == pytest.approx(0.8, rel=1e-8)
    fixed = single(accrual=UniformAccrual(found.n / 2.5), cut=AfterLastEntry(6))
    assert size(LOG_RANK, design=fixed) == pytest.approx(found.n, rel=1e-8)


@pytest.mark.parametrize("test", [LOG_RANK, LandmarkSurvival(3, float(NULL.survival(3)))], ids=["log-rank", "landmark"])
def test_two_stage_designs_keep_what_was_asked_and_save_patients(test):
    found = two_stage_survival(test, null=NULL, truth=TRUTH, rate=3, follow_up=4, **ASKED)
    fixed = size(test, design=single(accrual=AccrualRate(3), cut=AfterLastEntry(4)))
    expected = []
    for design in found:
        under_null = power(design, under(NULL), test)
        assert under_null.power == pytest.approx(0.05, abs=1e-6)
        assert power(design, under(TRUTH), test).power >= 0.8 - 1e-6
        expected.append(under_null.expected_patients)
        assert expected[-1] < fixed
        assert design.looks[0].cut.time > test.earliest
        assert from_json(to_json(design)) == design
    assert found.minimax.n <= found.optimal.n
    assert expected[0] <= expected[1]


def test_a_simulated_trial_that_fails_at_the_interim_look_does_not_reject():
    for futility, reached in ((8.0, 0.0), (-8.0, 1.0)):
        looks = (Look(AtTime(10), futility_z=futility), Look(AtTime(24), efficacy_z=-8.0))
        design = replace(single(40), looks=looks)
        assert power(design, under(TRUTH), LOG_RANK, by="simulation", trials=200).power == reached


def test_optimal_interim_is_not_beaten_by_its_neighbours():
    best = two_stage_survival(LOG_RANK, null=NULL, truth=TRUTH, rate=3, follow_up=4, **ASKED).optimal
    first, last = best.looks
    least = power(best, under(NULL), LOG_RANK).expected_patients
    for shift in (-0.6, 0.6):
        for step in np.linspace(-0.4, 0.4, 9):
            moved = Look(AtTime(first.cut.time + shift), futility_z=first.futility_z + step)
            other = replace(best, looks=(moved, last))
            under_null = power(other, under(NULL), LOG_RANK)
            if under_null.power <= 0.05 and power(other, under(TRUTH), LOG_RANK).power >= 0.8:
                assert under_null.expected_patients >= least - 1e-3


def test_a_two_stage_design_says_its_numbers():
    design = two_stage_survival(LOG_RANK, null=NULL, truth=TRUTH, rate=3, follow_up=4, **ASKED).optimal
    text = power(design, under(TRUTH), LOG_RANK).protocol_text()
    for words in (f"{design.n} patients", f"{design.looks[0].futility_z:.4g}", "one-sample log-rank"):
        assert words in text
    assert "(" not in text.split("one-sample log-rank")[1][:20]  # words, not a line of Python


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LandmarkSurvival(6, 30), "null_survival"),
        (lambda: LandmarkSurvival(0, 0.3), "time"),
        (lambda: power(single(assessments=Assessments.every(7)), under(TRUTH), LandmarkSurvival(6, 0.3)), "time"),
        (lambda: RestrictedMean(6, 7), "null_mean"),
        (lambda: OneSampleLogRank(0.1), "null"),
        (lambda: single(n=0), "n"),
        (lambda: single(alpha=5), "alpha"),
        (lambda: two_stage_survival(LOG_RANK, null=NULL, truth=TRUTH, rate=0, follow_up=4, **ASKED), "rate"),
        (lambda: two_stage_survival(LOG_RANK, null=TRUTH, truth=TRUTH, rate=3, follow_up=4, **ASKED), "null"),
        (lambda: power(single(), under(TRUTH), LOG_RANK, by="simulation", trials=0), "trials"),
    ],
)
def test_values_out_of_range_are_named(make, message):
    with pytest.raises(InvalidValueError, match=f"^{message}: got"):
        make()


def test_unknown_words_are_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="scale: got 'cube'"):
        LandmarkSurvival(6, 0.3, "cube")
    with pytest.raises(UnknownNameError, match="variance: got 'pooled'"):
        LandmarkSurvival(6, 0.3, variance="pooled")


def test_impossible_requests_are_named():
    with pytest.raises(InfeasibleDesignError, match="not in favour"):
        size(LOG_RANK, NULL)
    with pytest.raises(InvalidValueError, match=r"power: got 0\.04"):
        size(LOG_RANK, asked=0.04)
    with pytest.raises(InfeasibleDesignError, match="analyse later"):
        power(single(accrual=UniformAccrual(12), cut=AtTime(5)), under(TRUTH), LandmarkSurvival(6, 0.3))
    missed = single(assessments=Assessments.every(2, missed=0.1))
    with pytest.raises(UnavailableError, match="simulation"):
        power(missed, under(TRUTH), LandmarkSurvival(6, 0.3))


@pytest.mark.parametrize("ratio", [0.05, 0.3])
def test_extreme_hazard_ratios_and_alpha_work(ratio):
    truth = Weibull(0.75, 5 / ratio ** (1 / 0.75))
    n = size(OneSampleLogRank(Weibull(0.75, 5)), truth, single(alpha=1e-6), asked=0.99)
    assert 1 < n < 500
