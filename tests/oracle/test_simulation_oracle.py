"""The engine against closed forms and against another simulator, within Monte Carlo error."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from analysis.conventions import WEEK
from analysis.design import (
    Assessments,
    AtEvents,
    AtTime,
    FixedAccrual,
    IllnessDeath,
    Look,
    PiecewiseAccrual,
    RampAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.simulation import simulate, simulated_patients
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    LogRank,
    MaxCombo,
    MilestoneDifference,
    ModestlyWeighted,
    RMSTDifference,
)
from analysis.survival import Ensemble
from analysis.survival.distributions import (
    Exponential,
    LogNormal,
    Mixture,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
)

DATA = Path(__file__).parents[1] / "reference" / "data"
ROWS = pd.read_csv(DATA / "reference_values.csv.gz")
LRSIM = ROWS[ROWS["function"] == "lrsim (simulated)"]
assert LRSIM["call"].nunique() == 33  # as docs/simulation.md says
FACTS = json.loads((DATA / "schedule_facts.json").read_text())
NULL = Scenario.proportional_hazards(Exponential.from_median(11), 1.0)


def argument(call, name, default=None):
    """Numbers of an argument of the R call, products and quotients with log(2) worked out."""
    found = re.search(rf"\b{name}=((?:c\([^)]*\)|[^,()]|\([^)]*\))+)", call)
    if not found:
        return default
    listed = re.match(r"c\(([^)]*)\)(.*)", found.group(1))
    terms = [term + listed.group(2) for term in listed.group(1).split(",")] if listed else [found.group(1)]
    return [number(term) for term in terms]


def number(text):
    """Work out a sum or a product such as 0.6*log(2)/11 or 18+24."""
    if "+" in text:
        return sum(number(part) for part in text.split("+"))
    value = 1.0
    for sign, factor in re.findall(r"([*/]?)([^*/]+)", text):
        inner = np.log(2) if factor == "log(2)" else float(factor)
        value = value / inner if sign == "/" else value * inner
    return value


def lrsim(call):
    """Design, scenario and test of a call of lrstat's simulator; its arrivals are Poisson, ours are uniform."""
    ratio = int(argument(call, "allocation1")[0])
    accrual = argument(call, "accrualDuration")
    intensity = argument(call, "accrualIntensity")[0]
    n = int(argument(call, "n")[0]) if argument(call, "n") else round(intensity * accrual[0])
    events, time = argument(call, "plannedEvents"), argument(call, "plannedTime")
    cuts = [AtEvents(int(d)) for d in events] if events else [AtTime(t) for t in time]
    critical = argument(call, "criticalValues") if "kMax=3" in call else [None]
    design = TrialDesign(
        n=n,
        accrual=UniformAccrual(n / intensity),
        looks=[Look(cut, efficacy_z=z) for cut, z in zip(cuts, critical, strict=True)],
        allocation={"control": 1, "experimental": ratio},
        dropout=argument(call, "gamma1", [0.0])[0],
    )
    breaks = argument(call, "piecewiseSurvivalTime", [0.0])[1:]
    arms = {"experimental": "lambda1", "control": "lambda2"}
    scenario = Scenario({arm: PiecewiseExponential(argument(call, name), breaks) for arm, name in arms.items()})
    weight = FlemingHarrington(argument(call, "rho1", [0.0])[0], argument(call, "rho2", [0.0])[0])
    return design, scenario, LogRank(weight)


@pytest.mark.parametrize("call", [pytest.param(call, id=f"{k}") for k, call in enumerate(LRSIM["call"].unique())])
def test_power_is_that_of_lrstats_simulation(call):
    design, scenario, test = lrsim(call)
    expected = {row.quantity.split(" [")[0]: row for row in LRSIM[LRSIM["call"] == call].itertuples()}
    result = simulate(design, scenario, trials=30_000 if design.n < 500 else 10_000, rng=5, tests=(test,))
    power, theirs = result.power(), expected["overallReject"]
    their_error = float(re.search(r"MCSE ([\d.]+)", theirs.quantity).group(1))
    assert abs(power.value - theirs.value) < 4 * np.hypot(power.std_error, their_error)
    stages = [expected[name].value for name in sorted(expected) if name.startswith("rejectPerStage")]
    course = result.course()
    for look, share in enumerate(stages):
        error = 4 * np.sqrt(share * (1 - share) / result.trials) + 1e-4
        assert abs((course.rejected & (course.look == look)).mean() - share) < error


ALL_TESTS = (
    LogRank(),
    LogRank(FlemingHarrington(0, 1)),
    LogRank(FlemingHarrington(1, 0)),
    LogRank(ModestlyWeighted(t_star=6)),
    CoxHazardRatio(),
    RMSTDifference(18),
    MilestoneDifference(12),
    MaxCombo((FlemingHarrington(0, 0), FlemingHarrington(0, 1))),
)


def test_type_1_error_of_every_test_at_n_1000():
    design = TrialDesign(n=1000, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),), dropout=0.005)
    result = simulate(design, NULL, trials=100_000, rng=11, tests=ALL_TESTS)
    four_errors = 4 * np.sqrt(0.025 * 0.975 / result.trials)
    for test in ALL_TESTS:
        assert result.power(test.name).value == pytest.approx(0.025, abs=four_errors), test.name
    frame = result.operating_characteristics()
    assert (frame.loc[(frame["look"] == "trial"), "measure"] == "type I error").sum() == len(ALL_TESTS)
    coverage = frame[frame["measure"] == "coverage"].set_index("test")
    assert len(coverage) == 3
    assert np.abs(coverage["value"] - 0.95).max() < 4 * np.sqrt(0.95 * 0.05 / result.trials)


@pytest.mark.parametrize(
    ("n", "ratio", "look", "expected"), [(100, 1, AtEvents(60), 0.0255), (99, 2, AtTime(30), 0.0296)]
)
def test_type_1_error_of_the_log_rank_test_at_small_n(n, ratio, look, expected):
    """Tabulated with 10^6 replicates of another simulator; the second one without dropout."""
    allocation = {"control": 1, "experimental": ratio}
    dropout = 0.005 if ratio == 1 else None
    design = TrialDesign(n=n, accrual=UniformAccrual(18), looks=(Look(look),), allocation=allocation, dropout=dropout)
    power = simulate(design, NULL, trials=300_000, rng=12).power()
    assert power.value == pytest.approx(expected, abs=4 * power.std_error + 5e-5 + 4 * 0.00017)


def test_events_at_a_calendar_time_are_those_of_the_closed_form():
    rate, loss, accrual, cut = 0.06, 0.01, 12.0, 20.0
    design = TrialDesign(
        n=200, accrual=UniformAccrual(accrual), looks=(Look(AtTime(6)), Look(AtTime(cut))), dropout=loss
    )
    scenario = Scenario({"control": Exponential(rate), "experimental": Exponential(rate)})
    result = simulate(design, scenario, trials=20_000, rng=13)
    total = rate + loss
    for look, time in enumerate((6.0, cut)):
        entered = min(time, accrual)
        waiting = (np.exp(-total * (time - entered)) - np.exp(-total * time)) / total
        expected = 200 * rate / total * (entered - waiting) / accrual
        seen = result.columns["events"][:, look, 0]
        assert seen.mean() == pytest.approx(expected, abs=4 * seen.std() / np.sqrt(result.trials))
        enrolled = result.columns["enrolled"][:, look]
        assert enrolled.mean() == pytest.approx(200 * entered / accrual, abs=4 * enrolled.std() / np.sqrt(2e4) + 1e-9)


DISTRIBUTIONS = (
    Exponential(0.07),
    Weibull(0.6, 9),
    Weibull(2.2, 9),
    LogNormal(2.0, 1.1),
    PiecewiseExponential([0.2, 0.0, 0.05], [3, 8]),
    ProportionalHazards(Weibull(1.3, 10), (1.4, 0.5), (4,)),
    Mixture([Exponential(0.2), Weibull(2, 20)], [1, 2]),
    Tabulated([2, 5, 9, 30], [0.8, 0.5, 0.45, 0.1]),
)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda d: type(d).__name__)
def test_event_times_follow_their_distribution(distribution):
    design = TrialDesign(n=20_000, accrual=UniformAccrual(1), looks=(Look(AtTime(1e6)),))
    patients = simulated_patients(design, Scenario.proportional_hazards(distribution, 0.7), trials=1, rng=14)
    for arm, true in (("control", distribution), ("experimental", ProportionalHazards(distribution, (0.7,)))):
        times = patients.loc[patients["arm"] == arm, "PFS_time"]
        assert kstest(times, lambda t, true=true: 1 - true.survival(t)).pvalue > 1e-4


def test_entry_times_follow_their_pattern():
    for accrual in (UniformAccrual(18), PiecewiseAccrual((1, 0, 5), (6, 9), 15), RampAccrual(18, 12)):
        design = TrialDesign(n=20_000, accrual=accrual, looks=(Look(AtTime(100)),))
        entry = simulated_patients(design, NULL, trials=1, rng=15)["entry"]
        assert kstest(entry, accrual.enrolled_fraction).pvalue > 1e-4


def test_fixed_entry_times_are_used_once_each_and_by_chance():
    times = tuple(np.linspace(0, 10, 40))
    design = TrialDesign(n=40, accrual=FixedAccrual(times), looks=(Look(AtTime(100)),))
    patients = simulated_patients(design, NULL, trials=500, rng=15)
    assert all(np.array_equal(np.sort(entry), times) for _, entry in patients.groupby("trial")["entry"])
    early = patients.loc[patients["arm"] == "control", "entry"]
    assert early.mean() == pytest.approx(5.0, abs=4 * early.std() / np.sqrt(len(early)))


def test_dropout_differs_by_arm():
    dropout = {"control": 0.05, "experimental": Weibull(2, 10)}
    design = TrialDesign(n=20_000, accrual=UniformAccrual(1), looks=(Look(AtTime(1e6)),), dropout=dropout)
    patients = simulated_patients(design, NULL, trials=1, rng=16)
    rate = Exponential.from_median(11).rate
    control = patients[patients["arm"] == "control"]["PFS_event"].mean()
    assert control == pytest.approx(rate / (rate + 0.05), abs=4 * np.sqrt(0.25 / 10_000))
    grid = np.linspace(0, 200, 200_001)
    expected = np.trapezoid(rate * np.exp(-rate * grid) * design.dropout_of("experimental").survival(grid), grid)
    experimental = patients[patients["arm"] == "experimental"]["PFS_event"].mean()
    assert experimental == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 10_000))


@pytest.mark.parametrize("fact", FACTS["regular_grid"], ids=lambda f: f"{f['true_median']}-{f['interval']:.2f}")
def test_a_regular_schedule_has_its_exact_consequences(fact):
    n = 20_000
    scenario = Scenario.proportional_hazards(Exponential.from_median(fact["true_median"]), 1.0)
    times = {}
    for recording in ("right-endpoint", "midpoint"):
        scans = Assessments.every(fact["interval"], recording=recording)
        design = TrialDesign(n=n, accrual=UniformAccrual(1), looks=(Look(AtTime(1e4)),), assessments=scans)
        times[recording] = simulated_patients(design, scenario, trials=1, rng=17)["PFS_time"].to_numpy()
    error = 4 * times["right-endpoint"].std() / np.sqrt(n)
    assert times["right-endpoint"].mean() == pytest.approx(fact["observed_mean"], abs=error)
    true_mean = fact["observed_mean"] - fact["mean_bias"]
    assert times["midpoint"].mean() - true_mean == pytest.approx(fact["midpoint_mean_bias"], abs=error)
    visit = round(fact["observed_median_right_endpoint"] / fact["interval"])
    before, until = ((times["right-endpoint"] <= k * fact["interval"] + 1e-9).mean() for k in (visit - 1, visit))
    assert before < 0.5 < until + 4 * np.sqrt(0.25 / n)


@pytest.mark.parametrize("fact", FACTS["irregular_grid_8_16_24_48"], ids=lambda f: str(f["true_median_weeks"]))
def test_an_irregular_schedule_has_its_exact_consequences(fact):
    n = 20_000
    visits = np.array([8, 16, 24, 48]) * WEEK
    design = TrialDesign(n=n, accrual=UniformAccrual(1), looks=(Look(AtTime(1e4)),), assessments=Assessments(visits))
    scenario = Scenario.proportional_hazards(Exponential.from_median(fact["true_median_weeks"] * WEEK), 1.0)
    patients = simulated_patients(design, scenario, trials=1, rng=18)
    for visit, survival in zip(visits, fact["S_at_8_16_24_48"], strict=True):
        free = 1 - (patients["PFS_event"] & (patients["PFS_time"] <= visit + 1e-9)).mean()
        assert free == pytest.approx(survival, abs=4 * np.sqrt(0.25 / n) + 5e-5)
    after_26_weeks = 1 - (patients["PFS_event"] & (patients["PFS_time"] <= 26 * WEEK)).mean()
    assert after_26_weeks == pytest.approx(fact["pfs26w_observed_right_endpoint"], abs=4 * np.sqrt(0.25 / n) + 5e-5)


def seen_with(**options):
    scans = Assessments.every(2.0, recording="interval-censored", **options)
    design = TrialDesign(n=20_000, accrual=UniformAccrual(1), looks=(Look(AtTime(1e4)),), assessments=scans)
    patients = simulated_patients(design, NULL, trials=1, rng=19)
    assert (patients["PFS_left"] < patients["PFS_right"]).all()
    assert (patients["PFS_time"] == patients["PFS_right"]).all()
    return patients


def test_visits_shift_within_their_window():
    right = seen_with(window=0.5)["PFS_right"]
    shift = right - np.round(right / 2.0) * 2.0
    assert shift.abs().max() <= 0.5
    assert np.quantile(shift, [0.01, 0.99]) == pytest.approx([-0.49, 0.49], abs=0.02)
    for visit in (2.0, 4.0):  # between windows the last scan has been made
        free = Exponential.from_median(11).survival(np.linspace(visit - 0.5, visit + 0.5, 1001)).mean()
        assert (right > visit + 1).mean() == pytest.approx(free, abs=4 * np.sqrt(0.25 / 20_000))


def test_visits_are_missed_as_often_as_said():
    missed = 0.3
    patients = seen_with(missed=missed)
    gap = (patients["PFS_right"] - patients["PFS_left"]) / 2.0
    later = (
        patients["PFS_left"] > 20
    )  # where the first visit no longer matters, a gap is met in proportion to its length
    for length in (1, 2, 3):
        expected = length * (1 - missed) ** 2 * missed ** (length - 1)
        error = 4 * np.sqrt(0.25 / later.sum())
        assert np.isclose(gap[later], length).mean() == pytest.approx(expected, abs=error + 0.01)


def test_overall_survival_of_an_illness_death_model():
    progression, death, after = 0.10, 0.02, 0.05
    model = IllnessDeath(Exponential(progression), Exponential(death), Exponential(after))
    markov = IllnessDeath(Exponential(progression), Exponential(death), Exponential(after), clock="entry")
    design = TrialDesign(n=40_000, accrual=UniformAccrual(1), looks=(Look(AtTime(1e5)),))
    patients = simulated_patients(design, Scenario({"control": model, "experimental": model}), trials=1, rng=20)
    again = simulated_patients(design, Scenario({"control": markov, "experimental": markov}), trials=1, rng=21)
    leaving = progression + death

    def os_cdf(t):
        direct = np.exp(-leaving * t)
        return 1 - direct - progression * (np.exp(-after * t) - direct) / (leaving - after)

    assert kstest(patients["OS_time"], os_cdf).pvalue > 1e-4
    assert kstest(again["OS_time"], os_cdf).pvalue > 1e-4  # with constant hazards both clocks agree
    assert kstest(patients["PFS_time"], lambda t: 1 - model.pfs_survival(t)).pvalue > 1e-4
    visits = np.corrcoef(patients["PFS_time"], patients["OS_time"])[0, 1]
    assert visits > 0.3


def test_an_ensemble_gives_each_trial_one_member():
    members = (Exponential(0.02), Exponential(0.2))
    design = TrialDesign(n=100, accrual=UniformAccrual(1), looks=(Look(AtTime(13)),))
    result = simulate(design, Scenario.proportional_hazards(Ensemble(members), 0.5), trials=4000, rng=22)
    events = result.columns["events"][:, 0, 0]
    slow = events < 50
    assert slow.mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 4000))
    grid = (13 - (np.arange(10_000) + 0.5) / 10_000)[:, None]
    for chosen, member in ((slow, members[0]), (~slow, members[1])):
        expected = 100 * (1 - np.exp(-member.rate * np.array([1, 0.5]) * grid)).mean()
        assert events[chosen].mean() == pytest.approx(expected, abs=4 * events[chosen].std() / np.sqrt(chosen.sum()))
