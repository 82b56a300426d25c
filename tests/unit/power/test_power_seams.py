"""Designs between the rooms: stretches without events, windows of power, steep hazards, cuts at events of a part."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest

from analysis.conventions import replace
from analysis.design import (
    AccrualRate,
    AtEvents,
    AtTime,
    Look,
    PiecewiseAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError
from analysis.power import (
    detectable_effect,
    power,
    power_summary,
    sample_size,
    study_duration,
)
from analysis.sequential import BetaSpending, FutilityBounds, GroupSequentialDesign, HwangShihDeCani
from analysis.simulation import simulate
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    LandmarkRate,
    LandmarkSurvival,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    OneSampleLogRank,
    RestrictedMean,
    RMSTDifference,
)
from analysis.statistical_tests.formulas import FORMULAS
from analysis.survival import (
    Ensemble,
    Exponential,
    LogLogistic,
    LogNormal,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
)

MONTHS = [2, 4, 6, 8, 12, 18, 24]
CONTROL = Tabulated(MONTHS, [0.90, 0.72, 0.60, 0.52, 0.40, 0.28, 0.20])
FLAT_CONTROL = Tabulated(MONTHS, [0.90, 0.72, 0.60, 0.60, 0.42, 0.28, 0.20])
PLATEAU = Tabulated(MONTHS, [0.92, 0.80, 0.70, 0.70, 0.55, 0.42, 0.33])
EACH_ONCE = Tabulated(MONTHS, [0.92, 0.80, 0.80, 0.70, 0.55, 0.42, 0.33])
STEADY = Tabulated(MONTHS, [0.92, 0.80, 0.70, 0.63, 0.55, 0.42, 0.33])


def at(month, n=150, **options):
    return TrialDesign(n=n, accrual=UniformAccrual(12), looks=(Look(AtTime(month)),), **options)


@pytest.mark.parametrize(
    "arms", [(CONTROL, PLATEAU), (FLAT_CONTROL, STEADY), (FLAT_CONTROL, EACH_ONCE)], ids=["one", "control", "each"]
)
def test_a_stretch_without_events_in_one_arm(arms):
    """Every formula is near the simulation, or says why it has none."""
    scenario = Scenario(dict(zip(("control", "experimental"), arms, strict=True)))
    simulated = power(at(30), scenario, by="simulation", trials=20_000).power
    for name in ("exact", *FORMULAS):
        test = LogRank(formula=name)
        if name == "generalized schoenfeld":
            with pytest.raises(InfeasibleDesignError, match="a stretch in which one arm has no events"):
                power(at(30), scenario, test)
        else:
            assert power(at(30), scenario, test).power == pytest.approx(simulated, abs=0.03), name
    assert power(at(30), scenario, CoxHazardRatio()).power == pytest.approx(simulated, abs=0.03)
    assert power_summary(at(30), scenario).summary()["power"].between(0.4, 0.65).all()


@pytest.mark.parametrize(
    ("accrual", "scenario"),
    [
        (
            UniformAccrual(12),
            Scenario(
                {
                    "control": PiecewiseExponential([0, 0.1], [2]),
                    "experimental": PiecewiseExponential([0, 0.06], [2]),
                }
            ),
        ),
        (PiecewiseAccrual((0, 10), (1,), 12), Scenario.proportional_hazards(Exponential(0.1), 0.6)),
    ],
    ids=["no event before month 2", "no accrual in the first month"],
)
@pytest.mark.parametrize("formula", ["exact", "schoenfeld", "freedman"])
def test_nothing_can_have_happened_at_the_start_of_the_search(accrual, scenario, formula):
    design, test = replace(at(30, n=200), accrual=accrual), LogRank(formula=formula)
    found = study_duration(design, scenario, test, power=0.8).time
    reached = [power(replace(design, looks=(Look(AtTime(found + d)),)), scenario, test).power for d in (-0.05, 0.0)]
    assert reached[0] < 0.8 == pytest.approx(reached[1], abs=1e-6)
    with pytest.raises(InfeasibleDesignError, match="analyse later"):
        power(replace(design, looks=(Look(AtTime(0.9)),)), scenario, test)


def test_power_that_rises_and_falls_is_found_in_its_window():
    base = Exponential.from_median(10)
    scenario = Scenario({"control": base, "experimental": ProportionalHazards(base, (0.5, 1.5), (8,))})
    months = np.arange(8, 16, 0.05)
    fine = np.array([power(at(float(month), n=413), scenario).power for month in months])
    assert 0.8 < fine.max() < 0.81
    found = study_duration(at(30, n=413), scenario, power=0.8).time
    assert found == pytest.approx(months[fine >= 0.8][0], abs=0.06)


def test_equal_medians_with_a_heavy_tail_have_no_power():
    scenario = Scenario({"control": Exponential.from_median(11), "experimental": LogLogistic(1.5, 11)})
    design = TrialDesign(n=200, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),))
    simulated = power(design, scenario, by="simulation", trials=10_000)
    assert simulated.power == pytest.approx(power(design, scenario).power, abs=4 * simulated.std_error + 0.005)
    assert simulated.power < 0.1


@pytest.mark.parametrize("ratio", [50.0, 2000.0])
def test_steep_hazards_after_a_change_point(ratio):
    """Everybody fails soon after month 6: events are those who were still there."""
    steep = PiecewiseExponential([0.02, 0.02 * ratio], [6.0])
    milder = PiecewiseExponential([0.02, 0.012 * ratio], [6.0])
    found = power(at(40, n=300), Scenario({"control": steep, "experimental": milder}))
    assert found.events[-1] == pytest.approx(300, rel=1e-6)
    both = Scenario({"control": steep, "experimental": milder})
    simulated = power(at(40, n=300), both, by="simulation", trials=10_000)
    assert found.power == pytest.approx(simulated.power, abs=4 * simulated.std_error + 0.01)


def test_looks_that_are_all_but_one_are_refused():
    with pytest.raises(InvalidValueError, match="fractions"):
        GroupSequentialDesign((0.5, 0.5 + 1e-9, 1.0))


@pytest.mark.parametrize(
    ("sided", "futility"),
    [(1, None), (2, None), (1, FutilityBounds((0.0,))), (1, BetaSpending(HwangShihDeCani(-2.0)))],
)
def test_one_sequential_design_by_formula_and_by_simulation(sided, futility):
    boundaries = GroupSequentialDesign((0.5, 1.0), alpha=0.025 * sided, sided=sided, power=0.8, futility=futility)
    design = TrialDesign(
        n=300,
        accrual=UniformAccrual(18),
        looks=boundaries.looks(events=200),
        dropout=0.005,
        alpha=0.025 * sided,
        sided=sided,
    )
    scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.68)
    by_formula, simulated = power(design, scenario), power(design, scenario, by="simulation", trials=20_000)
    assert simulated.power == pytest.approx(by_formula.power, abs=4 * simulated.std_error + 0.01)
    assert simulated.reject == pytest.approx(by_formula.reject, abs=0.02)
    assert simulated.times == pytest.approx(by_formula.times, rel=0.02)


def test_a_cut_at_the_events_of_a_part():
    strata = {"visceral": 0.5, "other": 0.5}
    slow, fast = Exponential.from_median(20), Exponential.from_median(5)
    scenario = Scenario(
        {
            arm: {"visceral": ProportionalHazards(fast, ratio), "other": ProportionalHazards(slow, ratio)}
            for arm, ratio in (("control", 1.0), ("experimental", 0.7))
        }
    )
    times = []
    for part in ({"stratum": "visceral"}, {"stratum": "other"}, {"arm": "control"}, {}):
        design = TrialDesign(n=300, accrual=UniformAccrual(12), looks=(Look(AtEvents(60, **part)),), strata=strata)
        by_formula, simulated = power(design, scenario), power(design, scenario, by="simulation", trials=2000)
        assert simulated.times[0] == pytest.approx(by_formula.times[0], rel=0.02)
        assert simulated.events[0] == pytest.approx(by_formula.events[0], rel=0.03)
        times.append(by_formula.times[0])
    assert times[3] < times[0] < times[1]


def test_a_longest_follow_up_is_the_same_by_formula_and_by_simulation():
    scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    capped = at(40, n=200, follow_up=9)
    by_formula, simulated = power(capped, scenario), power(capped, scenario, by="simulation", trials=10_000)
    assert by_formula.events[0] < 0.8 * power(at(40, n=200), scenario).events[0]
    assert simulated.events[0] == pytest.approx(by_formula.events[0], rel=0.01)
    assert simulated.power == pytest.approx(by_formula.power, abs=4 * simulated.std_error + 0.005)


def test_ensembles_go_into_every_solver():
    members = Ensemble([Exponential.from_median(m) for m in (9, 11, 14)])
    scenario = Scenario.proportional_hazards(members, 0.6)
    found = study_duration(at(30, n=220), scenario, power=0.8)
    assert found.power == pytest.approx(0.8, abs=1e-6)
    assert found.members.size == 3


@pytest.mark.parametrize("test", [MilestoneDifference(13), RMSTDifference(13)], ids=lambda test: test.name)
def test_curves_that_end_too_early_in_many_trials_are_said_by_both_ways(test):
    """Four small groups of whom few are followed so long: 0.64 was said, and 0.49 simulated, without a word."""
    curves = {"a": Weibull(1.2, 12), "b": Weibull(1.2, 8)}
    treated = {name: ProportionalHazards(curve, (0.6,)) for name, curve in curves.items()}
    scenario = Scenario({"control": curves, "experimental": treated})
    planned = partial(TrialDesign, n=100, accrual=UniformAccrual(12), strata={"a": 0.6, "b": 0.4}, dropout=0.01)
    design = planned(looks=[Look(AtTime(17))])
    by_formula, simulated = power(design, scenario, test), power(design, scenario, test, by="simulation", trials=4000)
    [note] = by_formula.notes
    said = float(re.search(r"only about (\d+)% of trials have curves up to 13 months", note)[1]) / 100
    unknown = simulate(design, scenario, trials=4000, rng=1, tests=[test]).undetermined().value
    assert 0.1 < unknown < 0.5
    assert said == pytest.approx(1 - unknown, abs=0.05)
    assert by_formula.power > simulated.power + 0.05
    assert power(planned(looks=[Look(AtTime(40))]), scenario, test).notes == ()


@pytest.mark.parametrize("strata", [None, {"a": 0.5, "b": 0.5}], ids=["whole", "strata"])
@pytest.mark.parametrize("scale", ["plain", "log-log"])
def test_a_milestone_that_nobody_may_reach_is_said_by_both_ways(scale, strata):
    """Both curves are at 0 in most trials: a power of 0.19 was said, and 0.02 simulated, without a word."""
    scenario = Scenario.proportional_hazards(Exponential.from_median(3), 0.8)
    test, design = MilestoneDifference(20, scale=scale), at(60, n=120, strata=strata or {"all": 1.0})
    [note] = power(design, scenario, test).notes
    said = float(re.search(r"only about (\d+)% of trials have a patient left at 20 months", note)[1]) / 100
    unknown = simulate(design, scenario, trials=4000, rng=1, tests=[test]).undetermined().value
    assert 0.05 < unknown < 0.99
    assert said == pytest.approx(1 - unknown, abs=0.05)
    assert power(design, scenario, MilestoneDifference(6, scale=scale)).notes == ()


@pytest.mark.parametrize("test", [LandmarkSurvival(13, 0.3), RestrictedMean(13, 6)], ids=lambda test: test.name)
def test_one_arm_of_which_few_are_followed_so_long_is_said_by_both_ways(test):
    scenario = Scenario({"treated": Weibull(1.2, 14)})
    planned = partial(TrialDesign, n=40, accrual=UniformAccrual(12), allocation={"treated": 1}, control=None)
    design = planned(looks=[Look(AtTime(14))], dropout=0.02)
    [note] = power(design, scenario, test).notes
    said = float(re.search(r"only about (\d+)% of trials", note)[1]) / 100
    unknown = simulate(design, scenario, trials=4000, rng=1, tests=[test]).undetermined().value
    assert 0.1 < unknown < 0.5
    assert said == pytest.approx(1 - unknown, abs=0.05)
    assert power(planned(n=100, looks=[Look(AtTime(40))]), scenario, test).notes == ()


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.2])
def test_a_hazard_that_rises_from_nothing_has_a_power(sigma):
    """A log-normal curve is flat at first: a polynomial through its hazard dipped below 0, and roots were NaN."""
    scenario = Scenario.proportional_hazards(LogNormal(np.log(8), sigma), 0.7)
    for test in (MaxCombo(), LogRank(FlemingHarrington(0, 0.5))):
        found = power(at(22, n=300), scenario, test)
        simulated = power(at(22, n=300), scenario, test, by="simulation", trials=4000)
        assert found.power == pytest.approx(simulated.power, abs=4 * simulated.std_error + 0.02)


def test_a_strong_effect_is_always_found_by_the_max_combo():
    """Half of the trials had no p-value, as it came out below 0: power 0.50 where it is 1."""
    scenario = Scenario.proportional_hazards(Exponential.from_median(10), 0.4)
    design = TrialDesign(n=350, accrual=UniformAccrual(9), looks=[Look(AtTime(36))])
    test = MaxCombo([FlemingHarrington(0, 0), FlemingHarrington(0, 1)])
    result = simulate(design, scenario, trials=2000, rng=1, tests=[test])
    assert result.undetermined().value == 0.0
    assert result.power().value == 1.0


def test_a_weight_where_a_test_belongs_is_told_how_to_become_one():
    scenario = Scenario.proportional_hazards(Exponential(0.1), 0.7)
    with pytest.raises(InvalidValueError, match=r"write LogRank\(FlemingHarrington\(gamma=1\.0\)\)"):
        power(at(30), scenario, FlemingHarrington(0, 1))


@pytest.mark.parametrize("test", [LogRank(), LogRank(margin=1.3), RMSTDifference(12)], ids=lambda test: test.name)
def test_a_two_sided_design_detects_benefit_where_it_detects_harm_as_well(test):
    design = at(30, n=300, sided=2, alpha=0.05)
    scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.7)
    found = detectable_effect(design, scenario, test, power=0.8)
    one_sided = detectable_effect(at(30, n=300), scenario, test, power=0.8)
    assert found.power == pytest.approx(0.8, abs=1e-6)
    assert found.hazard_ratio == pytest.approx(one_sided.hazard_ratio, rel=1e-3)


def test_a_margin_that_is_met_without_effect_is_detected_above_one():
    wide = LogRank(margin=2.0)
    found = detectable_effect(at(30, n=600), Scenario.proportional_hazards(Exponential(0.06), 1.0), wide, power=0.8)
    assert 1.0 < found.hazard_ratio < 2.0
    assert found.power == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(
    ("accrual", "cut", "message"),
    [
        (
            AccrualRate(4),
            AtTime(24),
            r"it is at most 0\.[0-9]{3} however many patients are planned; at this rate no more enter",
        ),
        (AccrualRate(4), AtEvents(30), "however many patients are planned; looks at a number of events fix"),
        (UniformAccrual(12), AtEvents(30), "however many patients are planned; looks at a number of events fix"),
    ],
)
def test_a_size_that_no_number_of_patients_reaches_says_what_stands_in_the_way(accrual, cut, message):
    design = TrialDesign(n=50, accrual=accrual, looks=[Look(cut)])
    with pytest.raises(InfeasibleDesignError, match=message):
        sample_size(design, Scenario.proportional_hazards(Exponential(0.1), 0.8), power=0.8)


@pytest.mark.parametrize(
    ("truth", "null", "share"),
    [
        (PiecewiseExponential([0.07, 0.03], [6]), Exponential(0.06), 0.5),
        (Weibull(1.5, 12), Exponential.from_median(8.4), 0.7),
        (Exponential.from_median(10), Exponential.from_median(8.8), 0.5),
    ],
    ids=["later benefit", "early benefit", "proportional"],
)
def test_one_sample_log_rank_at_a_number_of_events_has_fixed_events(truth, null, share):
    """The power at the month in which they are expected was 0.91 where 0.82 was simulated: only E varies, not O."""
    scenario, test = Scenario({"treated": truth}), OneSampleLogRank(null)
    planned = partial(TrialDesign, n=600, accrual=UniformAccrual(12), allocation={"treated": 1}, control=None)
    by_events = planned(looks=[Look(AtEvents(600 * share))])
    found = power(by_events, scenario, test)
    by_month = planned(looks=[Look(AtTime(found.times[-1]))])
    for design in (by_events, by_month):
        simulated = power(design, scenario, test, by="simulation", trials=10_000)
        assert power(design, scenario, test).power == pytest.approx(simulated.power, abs=0.025)


def test_a_rate_at_a_number_of_events_has_no_formula_before_all_have_reached_the_landmark():
    """0.11 was said where 0.16 was simulated: the later the events come, the more patients are counted."""
    scenario, test = Scenario({"treated": Exponential.from_median(6)}), LandmarkRate(6, 0.4)
    planned = partial(TrialDesign, n=150, accrual=UniformAccrual(5), allocation={"treated": 1}, control=None)
    with pytest.raises(UnavailableError, match=r"at a number of events, expected at month 8\.62, .* by=\"simulation\""):
        power(planned(looks=[Look(AtEvents(75))]), scenario, test)
    late = planned(looks=[Look(AtEvents(105))])
    simulated = power(late, scenario, test, by="simulation")
    assert power(late, scenario, test).power == pytest.approx(simulated.power, abs=0.03)


def test_a_trial_that_always_stops_early_has_no_last_look_to_speak_of():
    """Time and events of a look that no simulated trial came to are not known, and were written as nan."""
    looks = [Look(AtTime(20), efficacy_z=1.0), Look(AtTime(40), efficacy_z=2.0)]
    scenario = Scenario.proportional_hazards(Exponential.from_median(8), 0.2)
    found = power(
        TrialDesign(n=500, accrual=UniformAccrual(12), looks=looks), scenario, by="simulation", trials=200, rng=1
    )
    assert found.power == 1.0
    assert found.expected_duration == pytest.approx(20)
    assert found.expected_events == pytest.approx(found.events[0])
    for text in (found.protocol_text(), repr(found), found.summary()["value"].str.cat(sep=" ")):
        assert "nan" not in text
        assert "no trial that goes on to the last look" in text


def test_a_size_that_no_effect_has_does_not_blame_the_events():
    """The hazards cross: at the first look, which stops for futility, the arm is worse, later it is better."""
    crossing = PiecewiseExponential([0.15, 0.03], [4])
    looks = [Look(AtTime(6), efficacy_z=8.0, futility_z=0.0), Look(AtTime(30), efficacy_z=1.96)]
    design = TrialDesign(n=200, accrual=UniformAccrual(4), looks=looks)
    scenario = Scenario({"control": Exponential(0.1), "experimental": crossing})
    with pytest.raises(InfeasibleDesignError, match="a larger trial stops for futility, or sees no benefit"):
        sample_size(design, scenario, power=0.8)


@pytest.mark.parametrize("test", [LogRank, lambda **given: RMSTDifference(18.0, **given)], ids=["log-rank", "RMST"])
def test_strata_that_are_not_asked_for_are_pooled(test):
    """The course of the strata apart is not taken for that of all together: 0.86 for 0.51 by the log-rank test."""
    apart = {"a": Exponential.from_median(3), "b": Exponential.from_median(20)}
    better = {stratum: ProportionalHazards(curve, 0.6) for stratum, curve in apart.items()}
    truth = Scenario({"control": apart, "experimental": better})
    design = TrialDesign(n=200, accrual=UniformAccrual(12), looks=[Look(AtTime(30))], strata={"a": 0.5, "b": 0.5})
    for stratified in (True, False):
        of = test(stratified=stratified)
        simulated = power(design, truth, of, by="simulation", trials=2000, rng=1)
        assert abs(power(design, truth, of).power - simulated.power) < 4 * simulated.std_error
    assert power(design, truth, test(stratified=False)).power < power(design, truth, test()).power - 0.2
