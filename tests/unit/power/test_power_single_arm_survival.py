"""Single-arm survival designs: data statistics, curves, JSON, words, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from analysis.design import Assessments, UniformAccrual
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.single_arm import (
    FollowUp,
    Landmark,
    OneSampleLogRank,
    RestrictedMean,
    SurvivalDesign,
    TwoStageSurvivalDesign,
    one_sample_logrank,
    simulated_rejection,
    survival_accrual_duration,
    survival_design,
    survival_sample_size,
    two_stage_survival,
)
from analysis.power.single_arm.many_curves import kaplan_meier_rows
from analysis.survival import Exponential, PiecewiseExponential, Weibull

NULL, TRUTH = Exponential.from_median(4.0), Exponential.from_median(7.0)
SCHEDULE = FollowUp(UniformAccrual(18), 24)
LOG_RANK = OneSampleLogRank(NULL)
ASKED = {"alpha": 0.05, "power": 0.8}
SINGLE = SurvivalDesign(LOG_RANK, TRUTH, SCHEDULE, 20, 0.05)


@pytest.fixture
def arm():
    rng = np.random.default_rng(3)
    time = np.ceil(rng.exponential(6, 40) * 2) / 2
    return time, rng.random(40) < 0.7


def test_curves_of_many_arms_are_those_of_lifelines(arm):
    time, event = arm
    fitted = KaplanMeierFitter().fit(time, event)
    curves = kaplan_meier_rows(np.vstack([time, time[::-1]]), np.vstack([event, event[::-1]]))
    for landmark in (0.25, 3.0, 7.9):
        survival, variance = curves.at(landmark)
        assert survival == pytest.approx([fitted.predict(landmark)] * 2, abs=1e-12)
        table = fitted.event_table
        deaths = table[(table.index <= landmark) & (table.index > 0)]
        m, d = deaths["at_risk"], deaths["observed"]
        assert variance == pytest.approx([(d / (m * (m - d))).sum()] * 2, abs=1e-12)


def test_restricted_mean_of_many_arms(arm):
    time, event = arm
    mean, variance = kaplan_meier_rows(time[None], event[None]).restricted_mean(8.0)
    fitted = KaplanMeierFitter().fit(time, event)
    grid = np.arange(0, 8, 0.001) + 0.0005
    survival = fitted.predict(grid).to_numpy()
    assert mean[0] == pytest.approx(survival.mean() * 8, abs=1e-9)
    table = fitted.event_table.loc[lambda t: (t.index <= 8) & (t.index > 0)]
    left = np.array([survival[grid > t].sum() * 0.001 for t in table.index])
    m, d = table["at_risk"].to_numpy(), table["observed"].to_numpy()
    assert variance[0] == pytest.approx((left**2 * d / (m * (m - d))).sum(), abs=1e-9)


def test_one_sample_log_rank_statistic_is_negative_for_a_good_treatment():
    good = one_sample_logrank([10, 12, 14, 20], [1, 0, 1, 0], NULL)
    assert good.statistic == pytest.approx((2 - 56 * np.log(2) / 4) / np.sqrt(56 * np.log(2) / 4))
    assert good.p_one_sided < 0.01
    assert one_sample_logrank([1, 1, 2], [1, 1, 1], NULL).p_one_sided > 0.5


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([1, 2], [1], "event"),
        ([1, 2], [1, 2], "event"),
        ([1, -2], [1, 0], "time"),
        ([1, np.nan], [1, 0], "time"),
        ([0, 0], [0, 0], "time"),
    ],
)
def test_one_sample_log_rank_refuses_impossible_data(time, event, message):
    with pytest.raises(InvalidValueError, match=f"^{message}"):
        one_sample_logrank(time, event, NULL)


def test_scans_make_a_landmark_see_the_last_visit():
    every_eight_weeks = Assessments.every(56 / 30.4375)
    test = Landmark(6, 0.3, assessments=every_eight_weeks)
    assert test.observed_survival(TRUTH) == pytest.approx(float(TRUTH.survival(3 * 56 / 30.4375)))
    assert test.observed_survival(TRUTH) > Landmark(6, 0.3).observed_survival(TRUTH)
    # with full follow-up the estimate is a proportion
    moments = test.moments(TRUTH, FollowUp(UniformAccrual(12), 30))
    s = test.observed_survival(TRUTH)
    assert moments.sd == pytest.approx(np.sqrt((1 - s) / s) / -np.log(s), rel=1e-9)
    # finer and finer scans are no scans
    fine = Landmark(6, 0.3, assessments=Assessments.every(0.01)).moments(TRUTH, SCHEDULE)
    exact = Landmark(6, 0.3).moments(TRUTH, SCHEDULE)
    assert fine.sd == pytest.approx(exact.sd, rel=2e-3)


def test_dropout_costs_power_and_follow_up_gains_it():
    base = survival_sample_size(OneSampleLogRank(NULL), TRUTH, SCHEDULE, alpha=0.05, power=0.8)
    lossy = FollowUp(SCHEDULE.accrual, SCHEDULE.analysis_time, Exponential(0.05))
    longer = FollowUp(SCHEDULE.accrual, 36)
    assert survival_sample_size(OneSampleLogRank(NULL), TRUTH, lossy, alpha=0.05, power=0.8) > base
    assert survival_sample_size(OneSampleLogRank(NULL), TRUTH, longer, alpha=0.05, power=0.8) < base


def test_size_and_power_invert_each_other():
    design = survival_design(Landmark(6, 0.35), TRUTH, SCHEDULE, alpha=0.05, power=0.9)
    assert design.attained_power >= 0.9
    smaller = SurvivalDesign(design.test, TRUTH, SCHEDULE, design.n - 1, 0.05)
    assert smaller.attained_power < 0.9
    assert design.power_at(Exponential(-np.log(0.35) / 6)) == pytest.approx(0.05, abs=1e-9)


def test_accrual_duration_gives_the_number_it_needs():
    months = survival_accrual_duration(OneSampleLogRank(NULL), TRUTH, rate=2.5, follow_up=6, alpha=0.05, power=0.8)
    n = survival_sample_size(
        OneSampleLogRank(NULL), TRUTH, FollowUp(UniformAccrual(months), months + 6), alpha=0.05, power=0.8
    )
    assert n == pytest.approx(2.5 * months, rel=1e-8)


@pytest.mark.parametrize(
    "test", [OneSampleLogRank(NULL), Landmark(3, float(NULL.survival(3)))], ids=["log-rank", "landmark"]
)
def test_two_stage_designs_keep_what_was_asked_and_save_patients(test):
    found = two_stage_survival(test, null=NULL, truth=TRUTH, rate=3, follow_up=4, alpha=0.05, power=0.8)
    months = survival_accrual_duration(test, TRUTH, rate=3, follow_up=4, alpha=0.05, power=0.8)
    for design in found:
        assert design.attained_alpha == pytest.approx(0.05, abs=1e-6)
        assert design.attained_power >= 0.8 - 1e-6
        assert design.expected_n(NULL) < 3 * months
        assert design.interim_time > test.earliest
    assert found.minimax.n <= found.optimal.n
    assert found.optimal.expected_n(NULL) <= found.minimax.expected_n(NULL)


def test_a_simulated_trial_that_fails_at_the_interim_look_does_not_reject():
    hopeless = TwoStageSurvivalDesign(LOG_RANK, NULL, TRUTH, SCHEDULE, 40, 10.0, 8.0, -8.0)
    certain = TwoStageSurvivalDesign(LOG_RANK, NULL, TRUTH, SCHEDULE, 40, 10.0, -8.0, -8.0)
    assert simulated_rejection(hopeless, TRUTH, trials=200, rng=1).estimate == 0
    assert simulated_rejection(certain, TRUTH, trials=200, rng=1).estimate == 1


def test_optimal_interim_is_not_beaten_by_its_neighbours():
    test = OneSampleLogRank(NULL)
    best = two_stage_survival(test, null=NULL, truth=TRUTH, rate=3, follow_up=4, alpha=0.05, power=0.8).optimal
    for shift in (-0.6, 0.6):
        for step in np.linspace(-0.4, 0.4, 9):
            other = TwoStageSurvivalDesign(
                test,
                NULL,
                TRUTH,
                best.follow_up,
                best.n,
                best.interim_time + shift,
                best.interim_critical + step,
                best.critical,
            )
            if other.attained_alpha <= 0.05 and other.attained_power >= 0.8:
                assert other.expected_n(NULL) >= best.expected_n(NULL) - 1e-3


def test_designs_round_trip_through_json_and_say_their_numbers():
    single = survival_design(
        Landmark(6, 0.3, assessments=Assessments.every(2)),
        PiecewiseExponential([0.1, 0.05], [3]),
        FollowUp(UniformAccrual(12), 20, Exponential(0.01)),
        alpha=0.05,
        power=0.8,
    )
    two = TwoStageSurvivalDesign(OneSampleLogRank(NULL), NULL, TRUTH, SCHEDULE, 40, 10.0, 0.1, 1.6)
    for design in (single, two):
        assert type(design).from_json(design.to_json()) == design
        for number in (f"{design.n} patients", f"{design.attained_power:.4f}"):
            assert number in design.protocol_text()
        assert len(design.summary()) >= 2
    with pytest.raises(InvalidValueError, match="kind"):
        SurvivalDesign.from_json(two.to_json())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FollowUp(UniformAccrual(12), 0), "analysis_time"),
        (lambda: Landmark(6, 30), "null_survival"),
        (lambda: Landmark(0, 0.3), "time"),
        (lambda: Landmark(6, 0.3, "cube"), "scale"),
        (lambda: Landmark(6, 0.3, variance="pooled"), "variance"),
        (lambda: Landmark(6, 0.3, assessments=Assessments.every(2, missed=0.1)), "assessments"),
        (lambda: Landmark(6, 0.3, assessments=Assessments.every(7)).moments(TRUTH, SCHEDULE), "time"),
        (lambda: Landmark(6, 0.3).moments(TRUTH, FollowUp(UniformAccrual(12), 5)), "analysis_time"),
        (lambda: RestrictedMean(6, 7), "null_rmst"),
        (lambda: SurvivalDesign(OneSampleLogRank(NULL), TRUTH, SCHEDULE, 0, 0.05), "n"),
        (lambda: SurvivalDesign(OneSampleLogRank(NULL), TRUTH, SCHEDULE, 20, 5), "alpha"),
        (lambda: TwoStageSurvivalDesign(OneSampleLogRank(NULL), NULL, TRUTH, SCHEDULE, 40, 30, 0, 1.6), "interim_time"),
        (lambda: two_stage_survival(LOG_RANK, null=NULL, truth=TRUTH, rate=0, follow_up=4, **ASKED), "rate"),
        (lambda: two_stage_survival(LOG_RANK, null=TRUTH, truth=TRUTH, rate=3, follow_up=4, **ASKED), "null"),
        (lambda: simulated_rejection(SINGLE, TRUTH, trials=0, rng=1), "trials"),
    ],
)  # fmt: skip
def test_values_out_of_range_are_named(make, message):
    with pytest.raises(InvalidValueError, match=f"^{message}: got"):
        make()


def test_impossible_requests_are_named():
    with pytest.raises(InfeasibleDesignError, match="not in favour"):
        survival_sample_size(OneSampleLogRank(NULL), NULL, SCHEDULE, alpha=0.05, power=0.8)
    with pytest.raises(InfeasibleDesignError, match="ask for more"):
        survival_sample_size(OneSampleLogRank(NULL), TRUTH, SCHEDULE, alpha=0.05, power=0.04)


@pytest.mark.parametrize("ratio", [0.05, 0.3])
def test_extreme_hazard_ratios_and_alpha_work(ratio):
    truth = Weibull(0.75, 5 / ratio ** (1 / 0.75))
    n = survival_sample_size(OneSampleLogRank(Weibull(0.75, 5)), truth, SCHEDULE, alpha=1e-6, power=0.99)
    assert 1 < n < 500
