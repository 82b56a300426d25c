"""XENERA-1's answers: known special cases, formulas against simulation, and sentences that say what the frames hold."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from analysis.design import AtEvents, AtTime
from analysis.power import events_needed, power_at_events
from analysis.power.assurance import believed_scenario
from analysis.sequential import NormalPrior
from analysis.simulation import simulate
from analysis.statistical_tests import LogRank
from analysis.studies import xenera1
from analysis.studies.xenera1 import assurance, confirmation, plan, power, seen, words
from analysis.survival import Ensemble, Exponential

TRIALS = 2_000
EXPONENTIAL = Exponential.from_median(11.0)


def within(value, expected, std_error, slack=0.0):
    return abs(value - expected) < 4 * std_error + slack


def test_the_design_is_the_registered_one():
    design = plan.design()
    assert design.arm_sizes == {"placebo": 50, "xentuzumab": 50}
    assert plan.calendar_end() == pytest.approx(1260 / 30.4375)  # 28 Nov 2018 to 11 May 2022
    assert design.looks[0].cut == AtTime(plan.calendar_end())
    assert plan.months_from_start("still-recruiting") <= plan.ACCRUAL.value


def test_control_arms_have_the_printed_medians():
    arms = plan.control_arms()
    for reader, printed in (("local", 7.8), ("central", 11.0)):
        name = f"BOLERO-2 {reader}, all patients, reconstructed"
        medians = [member.median for member in arms[name].members]
        assert len(set(medians)) > plan.MEMBERS / 2
        assert np.quantile(medians, 0.05) < printed < np.quantile(medians, 0.95)
        rest = [
            member.median for member in arms[f"BOLERO-2 {reader} without visceral metastases, reconstructed"].members
        ]
        assert np.median(rest) > printed  # the visceral patients' printed median lies below that of all


def test_an_exponential_ensemble_has_the_interval_of_its_median():
    medians = [member.median for member in Ensemble.of_exponentials(9.2, 5.6, 14.4, members=2000).members]
    assert np.median(medians) == pytest.approx(9.2, rel=1e-3)
    low, high = np.quantile(medians, (0.025, 0.975))
    assert high / low == pytest.approx(14.4 / 5.6, rel=0.01)


def test_formulas_agree_with_the_simulation_where_progression_is_seen_at_once():
    for ratio in (0.4, 0.6, 1.0):
        cell = power.power_of(plan.design(weeks=None), EXPONENTIAL, ratio, TRIALS, seed=1)
        assert within(cell["power"], cell["large_sample"], cell["std_error"], slack=0.01)
        assert within(cell["power"], cell["schoenfeld"], cell["std_error"], slack=0.015)
        assert within(cell["events"], _expected_events(ratio), 5 / np.sqrt(TRIALS))


def _expected_events(ratio):
    """Integrate P(event by the cut) over uniform entry for exponential times with dropout."""
    entry = (np.arange(100_000) + 0.5) / 100_000 * 27
    follow_up, lost, total = plan.calendar_end() - entry, 0.01, 0.0
    for rate in (np.log(2) / 11, ratio * np.log(2) / 11):
        total += 50 * np.mean(rate / (rate + lost) * (1 - np.exp(-(rate + lost) * follow_up)))
    return total


def test_power_over_an_ensemble_spreads_with_its_curves():
    cell = power.power_of(plan.design(), plan.CONTROL_ARM.value, 0.6, TRIALS, seed=1)
    assert cell["large_sample_lower"] < cell["large_sample"] < cell["large_sample_upper"]
    single = power.power_of(plan.design(), EXPONENTIAL, 0.6, TRIALS, seed=1)
    assert single["large_sample_lower"] == pytest.approx(single["large_sample_upper"])


def test_each_design_replaces_one_assumption():
    base, designs = plan.design(), power.designs()
    fields = ("n", "accrual", "looks", "dropout", "assessments", "alpha")
    for (what, _), other in designs.items():
        changed = [field for field in fields if getattr(other, field) != getattr(base, field)]
        assert len(changed) == (what != "as assumed"), what
    assert len(designs) == 14


def test_an_effect_of_06_asks_for_more_events_than_there_are_patients():
    assert np.ceil(events_needed(0.6, 0.8)) == 121 > plan.design().n
    assert np.isinf(power.months_to_events(plan.design(), EXPONENTIAL, 0.6, 99)).all()
    months = power.months_to_events(plan.design(weeks=None), EXPONENTIAL, 0.5, 50)
    assert within(_expected_events_at(float(months[0])), 50, 1e-3)


def _expected_events_at(month):
    entry = (np.arange(100_000) + 0.5) / 100_000 * 27
    follow_up, total = np.maximum(month - entry, 0), 0.0
    for rate in (np.log(2) / 11, 0.5 * np.log(2) / 11):
        total += 50 * np.mean(rate / (rate + 0.01) * (1 - np.exp(-(rate + 0.01) * follow_up)))
    return total


def test_events_behind_the_intervals():
    independent, investigator = seen.events_seen("independent"), seen.events_seen("investigator")
    assert independent.estimate == pytest.approx(4 / (np.log(2.59 / 0.55) / (2 * ndtri(0.975))) ** 2, rel=1e-3)
    assert round(independent.estimate) == 26
    assert round(investigator.estimate) == 46
    assert independent.lower < independent.estimate < independent.upper < investigator.lower


def test_estimates_at_the_events_seen():
    table = seen.estimates_at_events_seen(TRIALS, 1)
    for row in table.itertuples():
        assert within(row.above_1, row.above_1_normal, row.above_1_std_error, slack=0.015)
        assert row.lower < row.median < row.upper
        assert row.above_reported < row.above_1
    null = table[table["true_hazard_ratio"] == 1.0]
    assert null["above_1_normal"].tolist() == [0.5, 0.5]
    spread = np.log(table["upper"] / table["lower"]) / (2 * ndtri(0.975))
    assert spread.to_numpy() == pytest.approx(2 / np.sqrt(table["events"].to_numpy()), rel=0.12)


def test_power_at_the_events_seen():
    for row in seen.power_at_events_seen(TRIALS, 1).itertuples():
        assert row.schoenfeld_lower <= row.schoenfeld <= row.schoenfeld_upper
        assert within(row.power, row.schoenfeld, row.std_error, slack=0.03)


def test_the_detectable_ratio_has_its_power():
    for row in seen.detectable_at_events_seen().itertuples():
        assert power_at_events(row.events, row.detectable_80) == pytest.approx(0.8)
        assert power_at_events(row.events, row.detectable_90) == pytest.approx(0.9)
        assert power_at_events(row.events, row.significant_below) == pytest.approx(0.5)


def test_false_progressions_attenuate_the_ratio():
    """Two competing exponential times, true and false, on each arm: the ratio of the rates of whichever is first."""
    rng, false, ratio = np.random.default_rng(1), 0.4, 0.6
    true_times = Exponential((1 - false) * 0.1), Exponential((1 - false) * 0.1 * ratio)
    rates = []
    for curve in true_times:
        first = np.minimum(curve.sample(400_000, rng), Exponential(false * 0.1).sample(400_000, rng))
        rates.append(1 / first.mean())
    assert rates[1] / rates[0] == pytest.approx(confirmation.attenuated(ratio, false), rel=0.01)


def test_unconfirmed_progressions_cost_power():
    table = confirmation.discordance_cost(TRIALS, 1).set_index(["confirmed", "unconfirmed"])
    share = confirmation.confirmed_share()
    full = table.loc[(1.0, "none")]
    assert table.loc[(share, "lost or false")]["power"] < full["power"] - 4 * full["std_error"]
    assert table.loc[(share, "false")]["power"] < full["power"] - 4 * full["std_error"]
    assert table.loc[(0.8, "false")]["hazard_ratio"] == pytest.approx(0.8 * 0.6 + 0.2)
    assert ((table["power"] - table["schoenfeld"]).abs() < 4 * table["std_error"] + 0.03).all()


def test_shrinkage_runs_from_pooling_to_none():
    part = assurance.from_report("part", "pfs-non-visceral")
    whole = assurance.from_report("whole", "pfs")
    rest = assurance.rest_of(whole, part)
    pooled, apart = assurance.shrunk(part, rest, 0.0), assurance.shrunk(part, rest, 1e3)
    assert (pooled.mean, pooled.sd) == pytest.approx((whole.mean, whole.sd))
    assert (apart.mean, apart.sd) == pytest.approx((part.mean, part.sd), rel=1e-4)
    assert np.exp(rest.mean) > 1  # the others must have done worse than all together


def test_shrinkage_is_the_posterior_of_two_exchangeable_subgroups():
    part, rest, tau = assurance.Belief("part", -1.5, 0.7), assurance.Belief("rest", 0.2, 0.3), 0.4
    # Normal model of (part, rest, common), the common effect with a flat prior: posterior by its precision matrix.
    precision = np.diag([part.sd**-2 + tau**-2, rest.sd**-2 + tau**-2, 2 * tau**-2])
    precision[:2, 2] = precision[2, :2] = -(tau**-2)
    covariance = np.linalg.inv(precision)
    mean = covariance @ [part.mean * part.sd**-2, rest.mean * rest.sd**-2, 0.0]
    shrunk = assurance.shrunk(part, rest, tau)
    assert (shrunk.mean, shrunk.sd) == pytest.approx((mean[0], covariance[0, 0] ** 0.5))


def test_beliefs_are_the_printed_ones():
    by_name = {belief.name: belief for belief in assurance.beliefs()}
    printed = by_name["non-visceral subgroup, as printed"]
    assert printed.quantile(0.5) == pytest.approx(0.21)
    assert printed.quantile(0.975) / printed.quantile(0.025) == pytest.approx(0.98 / 0.05)
    assert by_name["sceptic"].quantile(0.05) == pytest.approx(0.6)
    shrunk, interacting = (by_name[name].quantile(0.5) for name in (assurance.SHRUNK, assurance.SHRUNK_BY_INTERACTION))
    assert printed.quantile(0.5) < shrunk < by_name["all patients of the phase II"].quantile(0.5)
    assert shrunk < interacting


def test_the_rest_has_the_printed_p_of_the_interaction():
    part, whole = assurance.from_report("part", "pfs-non-visceral"), assurance.from_report("whole", "pfs")
    rest = assurance.rest_by_interaction(part, assurance.rest_of(whole, part), assurance.interaction_p_value())
    assert rest.quantile(0.5) == pytest.approx(1.54, abs=0.005)
    z = (rest.mean - part.mean) / np.hypot(rest.sd, part.sd)
    assert z == pytest.approx(ndtri(1 - 0.0141 / 2))


def test_assurance_of_a_certain_effect_is_its_power():
    certain = assurance.Belief("certain", np.log(0.6), 1e-4)
    exact = power.power_of(plan.design(), plan.CONTROL_ARM.value, 0.6, TRIALS, seed=1)["large_sample"]
    assert assurance.large_sample_assurance(certain) == pytest.approx(exact, abs=2e-3)


def test_assurance_agrees_with_the_simulation():
    belief = assurance.beliefs()[1]
    prior = NormalPrior(belief.mean, belief.sd)
    scenario = believed_scenario(plan.design(), plan.scenario(1.0), prior, rng=1)
    control, treated = scenario.of("placebo").members, scenario.of("xentuzumab").members
    ratios = [t.cumulative_hazard(6.0) / c.cumulative_hazard(6.0) for t, c in zip(treated, control, strict=True)]
    assert np.quantile(ratios, (0.1, 0.5, 0.9)) == pytest.approx(
        [belief.quantile(p) for p in (0.1, 0.5, 0.9)], rel=0.02
    )
    result = simulate(plan.design(weeks=None), scenario, trials=TRIALS, rng=1, tests=(LogRank(),)).power()
    assert within(result.value, assurance.large_sample_assurance(belief), result.std_error, slack=0.015)


def test_printed_medians():
    medians = seen.reported_medians().set_index("arm")
    assert medians.loc["XENERA-1 placebo, independent", ["median", "lower", "upper"]].tolist() == [11.0, 7.7, 19.5]
    assert medians.loc["BOLERO-2 everolimus, local", "median"] == 7.8
    assert np.isinf(medians.loc["Phase II xentuzumab, all patients", "upper"])
    assert medians.loc["BOLERO-2 everolimus, central", ["lower", "upper"]].tolist() == [9.7, 15.0]


def test_every_assumption_is_listed_with_its_reason():
    table = xenera1.assumptions()
    assert {"accrual", "dropout", "tumour assessments", "type I error", "sceptical prior"} <= set(table["assumption"])
    assert (table["reason"].str.len() > 10).all()


def test_events_are_those_of_the_cut():
    result = seen.trials_at_events(26, 0.6, TRIALS, 1)
    assert result.design.looks[0].cut == AtEvents(26)
    assert (result.columns["events"][:, 0] >= 26).all()


def test_sentences_say_what_the_frames_hold(monkeypatch):
    table = seen.power_at_events_seen(TRIALS, 1)
    monkeypatch.setattr(words, "power_at_events_seen", lambda: table)
    text, row = words.power_seen(), table.iloc[0]
    assert f"{100 * row['schoenfeld']:.1f}% by Schoenfeld" in text
    assert f"{100 * row['power']:.1f}% \N{PLUS-MINUS SIGN} {100 * row['std_error']:.1f} simulated" in text
    assert "about 26 events" in text
    assert "about 46 events" in text


def test_the_sentences_hold_where_a_number_alone_would_not_say_so():
    wanted = power.events_and_when(0.8, TRIALS, 1).set_index("hazard_ratio")
    assert np.isinf(wanted.loc[plan.HAZARD_RATIO.value, "month"])  # "no follow-up is long enough"
    assert within(wanted.loc[0.4, "power"], 0.8, wanted.loc[0.4, "std_error"], slack=0.03)
    due = seen.when_events_seen_were_due(TRIALS, 1)
    assert (due["simulated"] < plan.months_from_start("still-recruiting")).all()  # "were due early"
    assert ((due["simulated"] - due["month"]).abs() < 1.0).all()
    agreement = confirmation.agreement_of_estimates()
    assert abs(agreement["reported"]) < 2 * agreement["std_deviation"]  # "do not contradict each other"


def test_what_moves_power_is_in_order_of_weight_and_every_cell_has_draws_of_its_own():
    table = power.what_moves_power(TRIALS, 1)
    assert table["replaced"].iloc[0] == "as assumed"
    assert table["difference"].abs().iloc[1:].is_monotonic_decreasing
    assert table["replaced"].iloc[1] == "type I error"
    alphas = table[table["replaced"] == "type I error"].set_index("by")["power"]
    assert alphas["0.2 one-sided"] > alphas["0.1 one-sided"] > alphas["0.05 one-sided"] > table["power"].iloc[0]
    again = power.power_of(plan.design(), plan.CONTROL_ARM.value, 0.6, TRIALS, 1)
    assert again["events"] != table["events"].iloc[0]


def test_the_sentence_on_assumptions_leaves_out_what_cannot_be_told_apart(monkeypatch):
    rows = [
        ("as assumed", "", 0.54, 0.0),
        ("type I error", "0.2 one-sided", 0.88, 0.34),
        ("type I error", "0.05 one-sided", 0.65, 0.11),
        ("assessments laid over the curves", "16 weeks", 0.52, -0.02),
        ("dropout", "0.03 per month", 0.541, 0.001),
    ]
    frame = pd.DataFrame(rows, columns=["replaced", "by", "power", "difference"]).assign(difference_std_error=0.002)
    monkeypatch.setattr(words, "what_moves_power", lambda: frame)
    said = words.assumptions_that_matter()
    assert "type I error 0.2 one-sided (+34.0" in said
    assert "0.05 one-sided" not in said
    assert "dropout" not in said
    assert "-2.0 \N{PLUS-MINUS SIGN} 0.2 points at 16 weeks" in said


def test_the_verdict_reads_the_intervals(monkeypatch):
    table = seen.power_at_events_seen(TRIALS, 1)
    monkeypatch.setattr(words, "power_at_events_seen", lambda: table)
    independent, investigator, subgroup, weak = words.verdict().splitlines()
    assert "from 0.55 to 2.59 holds true hazard ratios of 0.6, 0.8, 1." in independent
    assert "holds true hazard ratios of 0.8, 1. It leaves out 0.6." in investigator
    assert "0.21, which the trial was started on, lies outside both intervals" in subgroup
    assert f"{100 * table['power'].iloc[1]:.1f}% " in weak
