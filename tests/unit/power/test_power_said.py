"""What a power says of what it rests on: alpha, arms, margins, looks, the events of a size, curves of few events."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analysis.conventions import replace
from analysis.design import (
    AtEvents,
    AtTime,
    LaterOf,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnavailableError
from analysis.power import (
    assurance,
    detectable_effect,
    hazard_ratio_at_events,
    power,
    sample_size,
    study_duration,
)
from analysis.sequential import GroupSequentialDesign, NormalPrior
from analysis.simulation import simulate
from analysis.statistical_tests import (
    CoxHazardRatio,
    LogRank,
    MilestoneDifference,
    OneSampleLogRank,
    RMSTDifference,
)
from analysis.survival import (
    Ensemble,
    Exponential,
    ProportionalHazards,
    Weibull,
)


def at(month, n=150, **options):
    return TrialDesign(n=n, accrual=UniformAccrual(12), looks=(Look(AtTime(month)),), **options)


@pytest.mark.parametrize(
    ("looks", "alpha", "spent"),
    [
        (GroupSequentialDesign((0.4, 0.7, 1.0), alpha=0.05).looks(events=200), 0.025, 0.05),
        ((Look(AtEvents(100), 2.2), Look(AtEvents(200))), 0.025, None),
        ((Look(AtTime(30), efficacy_z=1.6),), 0.025, 0.0548),
        (GroupSequentialDesign((0.4, 0.7, 1.0), alpha=0.05).looks(events=200), 0.05, 0),
        (GroupSequentialDesign((0.5, 1.0)).looks(events=200), 0.025, 0),
    ],
)
def test_boundaries_that_spend_more_than_alpha_are_said(looks, alpha, spent):
    """Boundaries made for 5% in a design that says 2.5% gave the power of 5%, and a protocol that said 2.5%."""
    design = TrialDesign(n=300, accrual=UniformAccrual(18), looks=looks, alpha=alpha)
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.7)
    found = power(design, scenario)
    if spent == 0:
        assert found.notes == ()
        return
    said = float(re.search(r"the looks reject with probability (0\.\d+), and alpha is 0.025", found.protocol_text())[1])
    if spent is not None:
        assert said == pytest.approx(spent, rel=0.005)
    null = power(design, Scenario.proportional_hazards(Exponential.from_median(9), 1), by="simulation")
    assert said == pytest.approx(null.power, abs=4 * null.std_error + 0.002)


def test_an_analysis_before_the_last_patient_entered_says_how_many_had():
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.7)
    for by in ("formula", "simulation"):
        said = power(at(8, n=300), scenario, by=by, trials=500).protocol_text()
        assert re.search(r"With 200 of 300 patients and 4\d events expected at month 8.0", said), said
    assert "With 300 patients and" in power(at(30, n=300), scenario).protocol_text()


@pytest.mark.parametrize("hazard_ratio", [0.5, 0.55, 0.6, 0.65, 0.7])  # sizes that are no whole number of patients
def test_a_size_of_which_all_have_entered_does_not_say_that_one_had_not(hazard_ratio):
    """The paragraph of a sample size said "With 173 of 174 patients" of 173.3 that had all entered."""
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), hazard_ratio)
    found = sample_size(at(30, n=100), scenario, power=0.8)
    assert f"With {found.design.n} patients and" in found.protocol_text()


def test_looks_out_of_order_are_named_as_such():
    design = TrialDesign(n=300, accrual=UniformAccrual(18), looks=[Look(AtEvents(150)), Look(AtTime(10))])
    with pytest.raises(InfeasibleDesignError, match="2 that are all expected at month 20"):
        power(design, Scenario.proportional_hazards(Exponential.from_median(9), 0.7))


@pytest.mark.parametrize(
    ("test", "kind"),
    [
        (LogRank(margin=1.3), "non-inferiority"),
        (LogRank(margin=0.8), "superiority by more than that"),
        (CoxHazardRatio(margin=0.8), "superiority by more than that"),
        (RMSTDifference(12, margin=-1), "non-inferiority"),
        (RMSTDifference(12, margin=1), "superiority by more than that"),
        (MilestoneDifference(12, margin=0.1), "superiority by more than that"),
    ],
    ids=lambda value: str(getattr(value, "name", value)),
)
def test_a_margin_on_the_other_side_is_not_called_non_inferiority(test, kind):
    """A loss of a month that is allowed is -1; 1 asks for a month more, and a protocol has to say so."""
    assert test.in_words.endswith(f"({kind})")


def test_a_belief_about_the_ratio_itself_is_noticed():
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 1.0)
    [note] = assurance(at(30, n=300), scenario, NormalPrior(0.7, 0.1)).notes
    assert "about a hazard ratio of 2.01, which is harm" in note
    [note] = assurance(at(30, n=300), scenario, NormalPrior(np.log(0.7), 0.1)).notes
    assert note.endswith("about a hazard ratio of 0.7")


@pytest.mark.parametrize("by", ["formula", "simulation"])
def test_of_several_arms_the_paragraph_says_which_is_compared(by):
    """300 patients in three arms, and a power without a word of whose it is."""
    control = Exponential.from_median(9)
    arms = {"old": control, "a": ProportionalHazards(control, 0.7), "b": ProportionalHazards(control, 0.6)}
    design = at(30, n=300, allocation=dict.fromkeys(arms, 1), control="old")
    found = power(design, Scenario(arms), arm="b", by=by, trials=200)
    assert "of b against old, at that level for this one of 2 comparisons." in found.protocol_text()
    assert "of b against old" in repr(found)
    assert found.summary().set_index("item")["value"]["test"] == "log-rank of b against old"
    assert any("events are those of" in note for note in found.notes)
    two = power(at(30, n=300), Scenario.proportional_hazards(control, 0.7), arm="experimental", by=by, trials=200)
    assert two.arm is None


@pytest.mark.parametrize("ratio", [0.7, 1.0, 1.4])
@pytest.mark.parametrize("futility", [1.0, -1.0, -2.5])
def test_a_two_sided_test_with_futility_is_the_simulated_one(futility, ratio):
    """The formula left futility out, the simulation stopped at it: 0.71 beside 0.65."""
    looks = [Look(AtEvents(60), 2.2, futility), Look(AtEvents(120), 2.4, futility), Look(AtEvents(200), 1.97)]
    design = TrialDesign(n=300, accrual=UniformAccrual(18), looks=looks, sided=2, alpha=0.06)
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), ratio)
    exact, simulated = power(design, scenario), power(design, scenario, by="simulation", trials=20_000)
    assert exact.power == pytest.approx(simulated.power, abs=0.01 + 4 * simulated.std_error)
    assert exact.reject == pytest.approx(simulated.reject, abs=0.02)
    assert exact.stop_low == pytest.approx(simulated.stop_low, abs=0.02)


def test_both_directions_of_a_two_sided_test_are_rejections_at_a_look():
    looks = GroupSequentialDesign((0.5, 1.0), alpha=0.4, sided=2).looks(events=200)
    design = TrialDesign(n=300, accrual=UniformAccrual(18), looks=looks, alpha=0.4, sided=2)
    null = Scenario.proportional_hazards(Exponential.from_median(9), 1.0)
    exact, simulated = power(design, null), power(design, null, by="simulation")
    assert exact.reject == pytest.approx(simulated.reject, abs=0.02)
    assert exact.stop_low.tolist() == simulated.stop_low.tolist() == [0, 0]
    assert "rejects at |z| of at least" in exact.protocol_text()
    text = GroupSequentialDesign((0.5, 1.0), alpha=0.05, sided=2).protocol_text()
    assert (
        "rejected if the two-sided p-value is at most 0.003051 (|Z| at least 2.9626; cumulative alpha 0.003051)" in text
    )


def test_the_ratio_at_a_bound_is_that_of_the_arms_that_are_compared():
    """The bound's ratio of a 1:3 comparison was that of the design's first arm, allocated 1:1."""
    control = Exponential.from_median(9)
    scenario = Scenario({"old": control, "a": control, "b": ProportionalHazards(control, 0.6)})
    design = at(30, n=500, allocation={"old": 1, "a": 1, "b": 3}, control="old")
    shown = power(design, scenario, arm="b").looks().iloc[0]
    assert shown["efficacy_hazard_ratio"] == pytest.approx(
        hazard_ratio_at_events(shown["events"], z=shown["efficacy_z"], allocation_ratio=3), rel=1e-6
    )


def test_looks_between_which_a_test_learns_nothing_are_named():
    """Everybody has been followed to the restriction by the second look: the array of informations was the message."""
    looks = [Look(AtTime(12)), Look(AtTime(25)), Look(AtTime(30))]
    design = TrialDesign(n=200, accrual=UniformAccrual(10), looks=looks)
    with pytest.raises(UnavailableError, match="no more at look 3, expected at month 30, than at look 2, at month 25"):
        power(design, Scenario.proportional_hazards(Exponential.from_median(9), 0.7), RMSTDifference(8))


@pytest.mark.parametrize("sided", [1, 2])
def test_an_effect_so_strong_that_its_events_never_come_is_not_where_benefit_begins(sided):
    """Two-sided, 150 events: "not reached at any hazard ratio, it is 1.000 at most", and 0.67 has the power."""
    design = at(30, n=300, dropout=0.01, sided=sided, alpha=0.025 * sided)
    design = replace(design, looks=(Look(AtEvents(150)),))
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 1.0)
    found = detectable_effect(design, scenario, power=0.7)
    assert found.hazard_ratio == pytest.approx(0.6656, abs=1e-3)
    assert found.power == pytest.approx(0.7, abs=1e-6)


def test_sizes_between_the_doubled_ones_are_tried_before_none_is_said_to_do():
    """With too many patients 150 events come before anybody is followed to the milestone, with few power is small."""
    design = TrialDesign(n=300, accrual=UniformAccrual(12), looks=[Look(AtEvents(150))], dropout=0.01)
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.6)
    found = sample_size(design, scenario, MilestoneDifference(8), power=0.78)
    assert 256 < found.n < 512
    assert found.power == pytest.approx(0.78, abs=1e-6)
    with pytest.raises(InfeasibleDesignError, match=r"at most 0\.7[0-9]{2} however many"):
        sample_size(design, scenario, MilestoneDifference(8), power=0.9)


def test_a_size_that_the_events_fix_says_so():
    design = TrialDesign(n=300, accrual=UniformAccrual(12), looks=[Look(AtEvents(150))], dropout=0.01)
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.6)
    found = sample_size(design, scenario, power=0.5)
    assert found.power > 0.8
    assert "the power is above 0.5: fewer patients never have the events" in found.notes[-1]
    assert sample_size(at(30), scenario, power=0.5).notes == ()


def test_a_last_look_beyond_any_trial_is_said():
    design = TrialDesign(n=180, accrual=UniformAccrual(12), looks=[Look(AtEvents(170))])
    found = power(design, Scenario.proportional_hazards(Weibull(0.4, 40), 0.6))
    assert any("the last look is expected after" in note for note in found.notes)


def test_two_curves_of_few_events_are_said():
    """Survival of 95% and 97% with 30 patients in each arm: 0.07 by formula, none simulated, on the log-log scale."""
    scenario = Scenario.proportional_hazards(Exponential.from_median(81), 0.5)
    test = MilestoneDifference(6, scale="log-log")
    few = power(at(20, n=60), scenario, test)
    assert any("0.8 patients are expected with an event by month 6 in one arm" in note for note in few.notes)
    assert few.power > power(at(20, n=60), scenario, test, by="simulation", trials=2000).power + 0.03
    assert any("in one arm" in note for note in power(at(20, n=60), scenario, RMSTDifference(6)).notes)
    assert power(at(20, n=1000), scenario, test).notes == ()


def test_an_ensemble_of_losses_is_averaged_over_by_formula_and_simulation():
    """The formula took its mean curve: 0.766 beside 0.724."""
    lost = Ensemble([Exponential(0.001), Exponential(0.1)])
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.6)
    exact = power(at(30, n=200, dropout=lost), scenario)
    apart = [power(at(30, n=200, dropout=rate), scenario).power for rate in (0.001, 0.1)]
    assert exact.members == pytest.approx(apart)
    simulated = power(at(30, n=200, dropout=lost), scenario, by="simulation")
    assert exact.power == pytest.approx(simulated.power, abs=0.01 + 4 * simulated.std_error)
    uneven = Scenario.proportional_hazards(Ensemble([Exponential.from_median(m) for m in (8, 9, 10)]), 0.6)
    for by in ("formula", "simulation"):
        with pytest.raises(InvalidValueError, match="as many members"):
            power(at(30, n=200, dropout=lost), uneven, by=by)


def test_the_paragraph_of_an_ensemble_has_its_spread():
    control = Ensemble([Exponential.from_median(median) for median in (7, 9, 12)])
    found = power(at(30, n=200), Scenario.proportional_hazards(control, 0.6))
    assert "control: one of 3 curves, with medians from 7 to 12 months;" in found.protocol_text()
    low, high = (f"{100 * power:.1f}%" for power in (found.lowest, found.highest))
    assert f"on average, {low} to {high} over the curves assumed." in found.protocol_text()


def test_a_size_whose_events_come_before_its_patients_says_so():
    scenario = Scenario({"control": Exponential(0.0966), "experimental": Weibull(1.1, 12)})
    looks = GroupSequentialDesign((0.5, 1.0)).looks(events=150)
    found = sample_size(replace(at(24), looks=looks), scenario, power=0.9)
    assert found.enrolled[-1] < found.n / 2
    assert any(re.search(r"when \d+ of \d+ patients have entered; ask for more events", note) for note in found.notes)
    assert "e+0" not in repr(found)
    assert not power(at(24), scenario).notes


def test_a_paragraph_says_that_patients_come_under_observation_late():
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.7)
    late = at(24, n=100, delayed_entry=Exponential.from_median(2))
    said = power(late, scenario, by="simulation", trials=200).protocol_text()
    assert "only if they had no event by then: exponential with median 2 months." in said
    assert "under observation" not in at(24, n=100).protocol_text()


def test_a_paragraph_reads_as_a_protocol_does():
    """Dropout of two arms, a cut of two, strata that do not differ, a time that was solved for."""
    arms = {"control": 1, "experimental": 2}
    design = TrialDesign(
        n=300,
        accrual=UniformAccrual(20),
        looks=[Look(LaterOf(AtEvents(200), AtTime(30)))],
        allocation=arms,
        strata={"visceral": 0.6, "other": 0.4},
        dropout={"control": 0.01, "experimental": 0.005},
    )
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.7)
    said = power(design, scenario).protocol_text()
    assert "is assumed at 0.01 per month (control) and at 0.005 per month (experimental)." in said
    assert "analysed once, at the later of 200 events and 30 months, at a one-sided" in said
    assert "tested by the log-rank test, stratified." in said
    assert "stratified." not in power(design, scenario, LogRank(stratified=False)).protocol_text()
    solved = study_duration(replace(design, looks=[Look(AtTime(30))]), scenario, power=0.7)
    assert f"at {solved.time:.2f} months" in solved.protocol_text()
    alone = TrialDesign(
        n=40, accrual=UniformAccrual(20), looks=[Look(AtTime(30))], allocation={"drug": 1}, control=None
    )
    test = OneSampleLogRank(Exponential.from_median(4))
    told = power(alone, Scenario({"drug": Exponential.from_median(7)}), test).protocol_text()
    assert "the one-sample log-rank test against a curve that is exponential with median 4 months." in told


def test_an_interim_look_without_a_boundary_decides_nothing():
    design = TrialDesign(n=100, accrual=UniformAccrual(12), looks=[Look(AtTime(20)), Look(AtTime(30))])
    assert "over all: at 20 months (nothing is decided); and at 30 months." in design.protocol_text()
    bounded = TrialDesign(n=100, accrual=UniformAccrual(12), looks=[Look(AtTime(20), futility_z=0), Look(AtTime(30))])
    assert "nothing is decided" not in bounded.protocol_text()


def test_a_cut_that_counts_one_arm_is_short_of_its_events():
    """200 events of 200 patients were expected, it said, of 100 in one arm that never come."""
    scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.7)
    design = TrialDesign(n=200, accrual=UniformAccrual(12), looks=[Look(AtEvents(90, arm="control"))], dropout=0.02)
    with pytest.raises(InfeasibleDesignError, match=r"90 events are asked for and 79\.\d are expected"):
        power(design, scenario)


def test_one_of_several_arms_has_to_be_named():
    """By simulation the power of the first was given, without a word."""
    median = Exponential.from_median
    scenario = Scenario({"control": median(9), "low": median(12), "high": median(15)})
    allocation = {"control": 1, "low": 1, "high": 1}
    design = TrialDesign(n=90, accrual=UniformAccrual(12), looks=[Look(AtTime(24))], allocation=allocation)
    for by in ("formula", "simulation"):
        with pytest.raises(InvalidValueError, match="expected one of low, high; say which arm to compare"):
            power(design, scenario, by=by, trials=100)
    run = simulate(design, scenario, trials=100_000, rng=1, stop_at_std_error=0.02)
    assert run.trials < 100_000
    assert max(run.power(arm=arm).std_error for arm in ("low", "high")) <= 0.02
    with pytest.raises(InvalidValueError, match="expected one of low, high"):
        run.power()
