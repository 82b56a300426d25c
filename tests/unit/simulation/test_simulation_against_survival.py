"""Every statistic of a run against the same test of the data sets that the run is made of, patient by patient."""

import numpy as np
import pytest

from analysis.conventions import WEEK
from analysis.design import (
    Assessments,
    AtEvents,
    AtTime,
    EarlierOf,
    IllnessDeath,
    LaterOf,
    Look,
    PiecewiseAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import NotEstimableError
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
from analysis.survival.distributions import Exponential, ProportionalHazards, Weibull

TWO_LOOKS = (Look(AtEvents(40)), Look(LaterOf(AtEvents(70), AtTime(20))))
PLAIN = TrialDesign(n=120, accrual=UniformAccrual(18), looks=TWO_LOOKS, dropout=0.01)
SCANNED = TrialDesign(
    n=120,
    accrual=PiecewiseAccrual((1, 4), (6,), 15),
    looks=TWO_LOOKS,
    dropout={"control": 0.02, "experimental": 0.01},
    assessments=Assessments.every(8 * WEEK),
    strata={"visceral": 2, "bone": 1},
    allocation={"control": 1, "experimental": 2},
)
STRATA = {"visceral": Exponential.from_median(6), "bone": Weibull(1.3, 14)}
EFFECT = {stratum: ProportionalHazards(time, (1.2, 0.5), (3,)) for stratum, time in STRATA.items()}
CASES = {
    "plain": (PLAIN, Scenario.proportional_hazards(Exponential.from_median(11), 0.6)),
    "scanned": (SCANNED, Scenario({"control": STRATA, "experimental": EFFECT})),
}
LATE, MODEST = FlemingHarrington(0, 1), ModestlyWeighted(t_star=6)
TESTS = (
    LogRank(),
    LogRank(LATE),
    LogRank(MODEST),
    LogRank(stratified=False),
    CoxHazardRatio(),
    CoxHazardRatio(ties="breslow", level=0.8, stratified=False),
    RMSTDifference(9),
    MilestoneDifference(7),
    MaxCombo(),
)


@pytest.fixture(scope="module", params=CASES)
def data(request):
    design, scenario = CASES[request.param]
    return (
        simulate(design, scenario, trials=12, rng=8, tests=TESTS),
        [simulated_patients(design, scenario, trials=12, rng=8, look=look) for look in (1, 2)],
    )


def each_trial(data):
    result, frames = data
    for look, frame in enumerate(frames):
        for trial, patients in frame.groupby("trial"):
            arrays = patients["PFS_time"], patients["PFS_event"], (patients["arm"] == "experimental").to_numpy()
            found = {
                t.name: dict(zip(t.columns, result.columns[t.name][trial - 1, look, 0, 0], strict=True)) for t in TESTS
            }
            yield arrays, patients["stratum"], found


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
def test_a_run_and_an_analysis_of_its_data_say_the_same(data, test):
    for arrays, strata, found in each_trial(data):
        columns = found[test.name]
        try:
            analysed = test.analyse(*arrays, strata=strata)
        except NotEstimableError:
            assert np.isnan(list(columns.values())).any()
            continue
        for name, value in columns.items():
            expected = analysed.details[name] if name in analysed.details else getattr(analysed, name)
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-14), name


def test_the_cuts_are_those_of_the_design(data):
    result, frames = data
    for look, frame in enumerate(frames):
        events = frame.groupby("trial")["PFS_event"].sum().to_numpy()
        assert (events == result.columns["events"][:, look, 0]).all()
        assert (frame.groupby("trial").size().to_numpy() == result.columns["enrolled"][:, look]).all()
        known = (frame["entry"] + frame["PFS_time"]).where(frame["PFS_event"]).groupby(frame["trial"]).max()
        assert (known.to_numpy() <= result.columns["calendar_time"][:, look] + 1e-9).all()
    first, second = result.columns["events"][:, :, 0].T
    assert ((first >= 40) & (first <= 44)).all()  # scans on one day may bring several events at once
    late = result.columns["calendar_time"][:, 1] > 20 + 1e-9
    assert (second >= 70).all()
    assert (second[late] <= 74).all()


def test_earlier_of_two_cuts():
    design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(EarlierOf(AtEvents(60), AtTime(28))),))
    scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    columns = simulate(design, scenario, trials=500, rng=3).columns
    at_time = columns["calendar_time"][:, 0] == 28
    assert 0.2 < at_time.mean() < 0.8
    assert (columns["events"][at_time, 0, 0] <= 60).all()
    assert (columns["events"][~at_time, 0, 0] == 60).all()
    assert (columns["calendar_time"][~at_time, 0] < 28).all()


def test_delayed_entry_shrinks_the_risk_set():
    """Left truncation against lifelines' Cox model with entry times."""
    from lifelines import CoxPHFitter

    design = TrialDesign(
        n=200, accrual=UniformAccrual(12), looks=(Look(AtEvents(120)),), delayed_entry=Exponential(0.3)
    )
    scenario = Scenario.proportional_hazards(Exponential.from_median(8), 0.7)
    result = simulate(design, scenario, trials=3, rng=5, tests=(CoxHazardRatio(),))
    frame = simulated_patients(design, scenario, trials=3, rng=5)
    assert (frame["PFS_time"] > frame["start"]).all()
    for trial, patients in frame.groupby("trial"):
        arm = (patients["arm"] == "experimental").astype(float)
        table = patients[["start", "PFS_time", "PFS_event"]].assign(arm=arm)
        fit = CoxPHFitter().fit(table, "PFS_time", "PFS_event", entry_col="start")
        estimate = result.statistic(column="estimate")[trial - 1, 0]
        assert np.log(estimate) == pytest.approx(fit.params_["arm"], abs=1e-5)


def test_three_arms_are_each_compared_with_the_control():
    arms = {"control": 1, "low": 1, "high": 2}
    design = TrialDesign(n=160, accrual=UniformAccrual(12), looks=(Look(AtEvents(110)),), allocation=arms)
    base = Exponential.from_median(7)
    scenario = Scenario({"control": base, "low": base, "high": ProportionalHazards(base, (0.5,))})
    result = simulate(design, scenario, trials=5, rng=2)
    frame = simulated_patients(design, scenario, trials=5, rng=2)
    for arm in ("low", "high"):
        for trial, patients in frame[frame["arm"].isin(["control", arm])].groupby("trial"):
            expected = LogRank().analyse(
                patients["PFS_time"], patients["PFS_event"], (patients["arm"] == arm).to_numpy()
            )
            assert result.statistic(arm=arm)[trial - 1, 0] == pytest.approx(expected.z, rel=1e-9)


def test_illness_death_gives_progression_before_death():
    model = IllnessDeath(Exponential(0.1), Exponential(0.02), Exponential(0.08))
    better = IllnessDeath(Exponential(0.06), Exponential(0.02), Exponential(0.08))
    looks = (Look(AtEvents(80)), Look(AtEvents(90, "OS")))
    design = TrialDesign(n=150, accrual=UniformAccrual(12), looks=looks, dropout=0.01)
    scenario = Scenario({"control": model, "experimental": better})
    result = simulate(design, scenario, trials=200, rng=4)
    assert result.columns["events"][:, 0, 0].tolist() == [80] * 200
    assert result.columns["events"][:, 1, 1].tolist() == [90] * 200
    frame = simulated_patients(design, scenario, trials=5, rng=4)
    assert (frame["PFS_time"] <= frame["OS_time"]).all()
    assert (frame["PFS_event"] | ~frame["OS_event"]).all()
    expected = LogRank().analyse(
        *(frame[frame["trial"] == 1][c] for c in ("OS_time", "OS_event")),
        (frame[frame["trial"] == 1]["arm"] == "experimental").to_numpy(),
    )
    assert result.statistic(endpoint="OS")[0, 1] == pytest.approx(expected.z, rel=1e-9)
