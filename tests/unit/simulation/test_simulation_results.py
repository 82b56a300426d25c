"""Looks and boundaries, operating characteristics, grids, frames, and what is refused before a run."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.design import (
    Assessments,
    AtEvents,
    AtTime,
    EarlierOf,
    IllnessDeath,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InfeasibleDesignError, InvalidValueError, UnknownNameError
from analysis.simulation import simulate, simulate_grid, simulated_patients
from analysis.statistical_tests import (
    CoxHazardRatio,
    FlemingHarrington,
    LogRank,
    MaxCombo,
    RMSTDifference,
    TwoArmTest,
    Weight,
)
from analysis.survival import Ensemble
from analysis.survival.distributions import Exponential, PiecewiseExponential

CONTROL = Exponential.from_median(11)
SCENARIO = Scenario.proportional_hazards(CONTROL, 0.6)
LOOKS = (Look(AtEvents(30), efficacy_z=2.6, futility_z=0.0), Look(AtEvents(45), efficacy_z=2.3), Look(AtEvents(60)))
DESIGN = TrialDesign(n=100, accrual=UniformAccrual(18), looks=LOOKS, dropout=0.005)


@pytest.fixture(scope="module")
def result():
    return simulate(DESIGN, SCENARIO, trials=3000, rng=1, tests=(LogRank(), CoxHazardRatio()))


def test_boundaries_stop_trials_one_by_one(result):
    course = result.course()
    z = result.statistic()
    for trial in range(300):
        expected = None
        for look, (efficacy, futility) in enumerate(
            ((2.6, 0.0), (2.3, -math.inf), (DESIGN.final_critical_z, -math.inf))
        ):
            if z[trial, look] >= efficacy:
                expected = (look, True, False)
            elif z[trial, look] <= futility:
                expected = (look, False, True)
            if expected:
                break
        expected = expected or (2, False, False)
        assert (course.look[trial], course.rejected[trial], course.futile[trial]) == expected


def test_two_sided_designs_reject_in_both_directions(result):
    design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),), sided=2, alpha=0.05)
    worse = simulate(design, Scenario.proportional_hazards(CONTROL, 2.5), trials=500, rng=1)
    assert worse.power().value > 0.8
    looks = (Look(AtEvents(40), efficacy_z=2.5, futility_z=0.0), Look(AtEvents(60)))
    stopped = TrialDesign(n=100, accrual=UniformAccrual(18), looks=looks, sided=2, alpha=0.05)
    course = simulate(stopped, Scenario.proportional_hazards(CONTROL, 2.5), trials=500, rng=1).course()
    assert course.rejected.any()
    assert course.futile.any()
    assert not (course.rejected & course.futile).any()
    with pytest.raises(InvalidValueError, match="tests: got 'max-combo'"):
        simulate(design, SCENARIO, trials=10, rng=1, tests=(MaxCombo(),))


def test_operating_characteristics_are_those_of_the_columns(result):
    frame = result.operating_characteristics().set_index(["test", "look", "measure"])
    course = result.course()
    every = np.arange(result.trials)
    rows = {name: frame.loc[("log-rank", "trial", name)] for name in ("power", "events", "duration", "patients")}
    assert rows["power"]["value"] == course.rejected.mean()
    assert rows["events"]["value"] == pytest.approx(np.array([30, 45, 60])[course.look].mean())
    duration = result.columns["calendar_time"][every, course.look]
    assert rows["duration"]["value"] == pytest.approx(duration.mean())
    assert rows["duration"]["std_error"] == pytest.approx(duration.std(ddof=1) / math.sqrt(result.trials))
    power, n = rows["power"]["value"], result.trials
    centre = (power + 1.959964**2 / (2 * n)) / (1 + 1.959964**2 / n)
    half = 1.959964 / (1 + 1.959964**2 / n) * math.sqrt(power * (1 - power) / n + 1.959964**2 / (4 * n**2))
    assert (rows["power"]["lower"], rows["power"]["upper"]) == pytest.approx((centre - half, centre + half), rel=1e-6)
    stopped = [frame.loc[("log-rank", look, "stopped for efficacy"), "value"] for look in (1, 2, 3)]
    assert sum(stopped) == pytest.approx(power)
    assert frame.loc[("log-rank", 1, "stopped for futility"), "value"] == course.futile.mean() > 0
    log_hr = np.log(result.statistic("Cox HR (efron)", "estimate"))
    at = result.course("Cox HR (efron)").look
    bias = frame.loc[("Cox HR (efron)", "trial", "bias")]
    assert bias["value"] == pytest.approx((log_hr[every, at] - math.log(0.6)).mean(), rel=1e-9)
    assert bias["value"] < -3 * bias["std_error"]  # stopping for efficacy exaggerates the effect
    assert (frame["std_error"].dropna() >= 0).all()


def test_truth_is_given_only_where_it_is_one_number():
    design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtTime(40)),))
    crossing = Scenario({"control": CONTROL, "experimental": PiecewiseExponential([0.09, 0.03], [6])})
    measures = {}
    for scenario in (SCENARIO, crossing):
        result = simulate(design, scenario, trials=200, rng=1, tests=(CoxHazardRatio(), RMSTDifference(12)))
        frame = result.operating_characteristics()
        measures[scenario.name] = set(frame.loc[frame["measure"] == "bias", "test"])
    assert measures == {"HR 0.6": {"Cox HR (efron)", "RMST difference(12)"}, "scenario": {"RMST difference(12)"}}
    scanned = TrialDesign(
        n=100, accrual=UniformAccrual(18), looks=(Look(AtTime(40)),), assessments=Assessments.every(2)
    )
    frame = simulate(scanned, SCENARIO, trials=200, rng=1, tests=(CoxHazardRatio(),)).operating_characteristics()
    assert "bias" not in set(frame["measure"])


def test_summary_and_displays(result):
    assert result.summary()["measure"].tolist()[:4] == ["power", "events", "duration", "patients"]
    assert "3,000 simulated trials, HR 0.6" in repr(result)
    assert result._repr_html_().startswith("<table")
    assert result.entropy == 1
    assert set(result.versions) == {"python", "numpy", "numba", "trial-outcome-analysis"}


def test_frame_and_parquet(result, tmp_path):
    frame = result.to_frame()
    assert len(frame) == 3000 * 3
    second = frame[(frame["trial"] == 7) & (frame["look"] == 2)].iloc[0]
    assert second["events"] == 45
    assert second["log-rank: z"] == result.statistic()[6, 1]
    assert second["Cox HR (efron): estimate"] == result.statistic("Cox HR (efron)", "estimate")[6, 1]
    pytest.importorskip("pyarrow")
    result.to_parquet(tmp_path / "trials.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "trials.parquet"), frame)
    assert [path.name for path in tmp_path.iterdir()] == ["trials.parquet"]


def test_grid_is_one_tidy_frame():
    one_look = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),), dropout=0.005)
    scenarios = [Scenario.proportional_hazards(CONTROL, ratio) for ratio in (0.5, 0.7, 1.0)]
    frame = simulate_grid({"one": one_look, "three": DESIGN}, scenarios, trials=1000, rng=3)
    power = frame[(frame["look"] == "trial") & frame["measure"].isin(["power", "type I error"])]
    assert len(power) == 6
    assert power.groupby("design")["value"].apply(lambda values: (np.diff(values) < 0).all()).all()
    alone = simulate(one_look, scenarios[1], trials=1000, rng=3).power()
    chosen = power[(power["design"] == "one") & (power["scenario"] == "HR 0.7")]
    assert chosen["value"].item() == alone.value
    assert chosen["std_error"].item() == alone.std_error


def test_grid_refuses_double_names_and_generators():
    with pytest.raises(InvalidValueError, match="scenarios: got"):
        simulate_grid(DESIGN, [SCENARIO, SCENARIO], trials=10, rng=1)
    with pytest.raises(InvalidValueError, match="rng: got"):
        simulate_grid(DESIGN, [SCENARIO], trials=10, rng=np.random.default_rng(1))


def test_a_cut_out_of_reach_is_said_before_running_with_the_expected_events():
    cured = Scenario.proportional_hazards(PiecewiseExponential([0.1, 0.0], [5]), 1.0)
    design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),))
    with pytest.raises(InfeasibleDesignError, match=r"looks \(number 1\).*60 events.* (39|40)\.\d are expected"):
        simulate(design, cured, trials=10**9, rng=1)
    rescued = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(EarlierOf(AtEvents(60), AtTime(40))),))
    assert (simulate(rescued, cured, trials=50, rng=1).columns["calendar_time"] == 40).mean() > 0.95


def test_a_trial_that_falls_short_is_cut_when_nothing_more_is_to_be_learned():
    cured = Scenario.proportional_hazards(PiecewiseExponential([0.1, 0.0], [5]), 1.0)
    design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(39)),))
    result = simulate(design, cured, trials=400, rng=1)
    short = ~result.columns["reached"][:, 0]
    assert 0.2 < short.mean() < 0.8
    assert (result.columns["events"][short, 0, 0] < 39).all()
    assert np.isfinite(result.columns["calendar_time"]).all()
    assert np.isfinite(result.statistic()).all()


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("trials", {"trials": 0}),
        ("tests", {"tests": ()}),
        ("tests", {"tests": (LogRank(), LogRank())}),
        ("stop_at_std_error", {"stop_at_std_error": 0}),
    ],
)
def test_impossible_runs_are_refused(field, options):
    with pytest.raises(InvalidValueError, match=rf"^{field}: got "):
        simulate(DESIGN, SCENARIO, **({"trials": 10, "rng": 1} | options))


def test_combinations_that_do_not_go_together_are_refused():
    illness = IllnessDeath(CONTROL, CONTROL, CONTROL)
    with pytest.raises(InvalidValueError, match="illness-death models for all arms or for none"):
        simulate(DESIGN, Scenario({"control": CONTROL, "experimental": illness}), trials=10, rng=1)
    entry = IllnessDeath(CONTROL, CONTROL, CONTROL, clock="entry")
    with pytest.raises(InvalidValueError, match="one clock"):
        simulate(DESIGN, Scenario({"control": entry, "experimental": illness}), trials=10, rng=1)
    unequal = Scenario({"control": Ensemble([CONTROL] * 2), "experimental": Ensemble([CONTROL] * 3)})
    with pytest.raises(InvalidValueError, match=r"event_time: got \[2, 3\]"):
        simulate(DESIGN, unequal, trials=10, rng=1)


def test_unknown_names_are_refused(result):
    for options in ({"test": "log rank"}, {"column": "estimate"}, {"endpoint": "OS"}, {"arm": "control"}):
        with pytest.raises(UnknownNameError, match=f"{next(iter(options))}: got"):
            result.statistic(**options)


def test_a_new_weight_and_a_new_test_need_no_change_of_the_engine(result):
    class Square(Weight):
        """A weight that no kernel knows."""

        label = "square"

        def at_events(self, pooled):
            return pooled.survival_before**2

    class FirstEvent(TwoArmTest):
        """A test in plain NumPy."""

        name, columns, stratified = "first event", ("z",), True

        def evaluate(self, sets):
            return np.where(sets.n_event_experimental[sets.first[:-1]] > 0, 1.0, -1.0)[:, None]

    tests = (LogRank(Square()), LogRank(FlemingHarrington(2, 0)), FirstEvent())
    again = simulate(DESIGN, SCENARIO, trials=100, rng=1, tests=tests)
    own, compiled = (again.statistic(test.name) for test in tests[:2])
    assert own == pytest.approx(compiled, rel=1e-9)
    patients = simulated_patients(DESIGN, SCENARIO, trials=100, rng=1, look=3)
    first = patients[patients["PFS_event"]].sort_values("PFS_time").groupby("trial")["arm"].first()
    assert np.array_equal(again.statistic("first event")[:, 2] > 0, first == "experimental")


def test_progress_is_shown_when_asked_for(capsys):
    simulate(DESIGN, SCENARIO, trials=100, rng=1, progress=True)
    assert "100/100" in capsys.readouterr().err
    simulate(DESIGN, SCENARIO, trials=100, rng=1)
    assert capsys.readouterr().err == ""


def test_there_is_no_such_look():
    with pytest.raises(InvalidValueError, match="look: got 4"):
        simulated_patients(DESIGN, SCENARIO, trials=2, rng=1, look=4)
