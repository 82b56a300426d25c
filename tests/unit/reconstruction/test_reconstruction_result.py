"""The result type against lifelines on the members' own patients, and its report card against doctored numbers."""

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import median_survival_times, restricted_mean_survival_time

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction import EnsembleEstimate, Reconstruction
from analysis.reported import (
    AtRisk,
    Finding,
    Landmark,
    Quartile,
    ReportedArm,
    ReportedComparison,
    ReportedInterval,
    ReportedPValue,
)
from analysis.survival.distributions import Exponential

MEMBERS, N = 7, (61, 47)  # odd: no level stretch at exactly one half, where conventions differ
ARMS = ("placebo", "everolimus")


def patients() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    arm = np.repeat([0, 1], N)
    failure = rng.exponential(np.where(arm == 0, 8.0, 14.0), (MEMBERS, arm.size)).round(1) + 0.1
    end = rng.uniform(4.0, 30.0, failure.shape).round(1)
    return arm, np.minimum(failure, end), failure <= end


def make(comparison: ReportedComparison | None = None, **fields: object) -> Reconstruction:
    arm, time, event = patients()
    if comparison is None:
        comparison = ReportedComparison(endpoint="PFS", arms=[ReportedArm(name) for name in ARMS], control=ARMS[0])
    return Reconstruction(comparison, arm, time, event, method="test", **fields)


def months(value: float) -> str:
    return "not reached" if np.isinf(value) else f"{value:.1f}"


def first_below(curve: KaplanMeierFitter, survival: float) -> float:
    steps = curve.survival_function_["KM_estimate"]
    return float(steps.index[steps <= survival][0])


def printed_of(member: int, result: Reconstruction) -> ReportedComparison:
    """What a paper would print of one member, by lifelines."""
    frame = result.ipd(member)
    arms = []
    for name in ARMS:
        own = frame[frame["arm"] == name]
        curve = KaplanMeierFitter().fit(own["time"], own["event"])
        limits = median_survival_times(curve.confidence_interval_).iloc[0]
        follow_up = KaplanMeierFitter().fit(own["time"], 1 - own["event"])
        arms.append(
            ReportedArm(
                name,
                n=len(own),
                events=int(own["event"].sum()),
                median=months(curve.median_survival_time_),
                median_ci=ReportedInterval.of([months(limit) for limit in limits], "months", "median_ci"),
                landmarks=(
                    Landmark(
                        "6",
                        f"{100 * curve.predict(6):.1f}%",
                        ci=tuple(f"{100 * p:.1f}%" for p in curve.confidence_interval_.loc[:6].iloc[-1]),
                    ),
                ),
                quartiles=(Quartile(0.25, f"{first_below(curve, 0.75):.1f}"),),
                at_risk=AtRisk((0, 6, 12), tuple(int((own["time"] >= t).sum()) for t in (0, 6, 12))),
                median_follow_up=months(follow_up.median_survival_time_),
            )
        )
    in_arm = frame["arm"] == ARMS[1]
    cox = CoxPHFitter().fit(frame, "time", "event", formula="treatment")
    lower, upper = np.exp(cox.confidence_intervals_.to_numpy()[0])
    test = logrank_test(frame["time"][in_arm], frame["time"][~in_arm], frame["event"][in_arm], frame["event"][~in_arm])
    return ReportedComparison(
        endpoint="PFS",
        arms=arms,
        control=ARMS[0],
        hazard_ratio=(f"{cox.hazard_ratios_['treatment']:.2f}", f"{lower:.2f}", f"{upper:.2f}"),
        p_value=f"{test.p_value:.4f}",
        n_total=len(frame),
        events_total=int(frame["event"].sum()),
    )


@pytest.mark.parametrize("member", range(MEMBERS))
def test_member_gives_back_what_lifelines_computes_from_it(member: int) -> None:
    comparison = printed_of(member, make())
    result = make(comparison)
    values = result.fidelity()
    assert result.faithful[member]
    assert len(values) == 2 * 13 + 6
    assert result.faithful.sum() == 1
    assert not result.faithful[np.arange(MEMBERS) != member].any()


@pytest.mark.parametrize(
    ("name", "doctored"),
    [
        ("hazard_ratio", {"hazard_ratio": ("0.99", "0.01", "1.90")}),
        ("p_value", {"p_value": "0.9999"}),
        ("p_value", {"p_value": "< 0.0000001"}),
        ("events_total", {"events_total": 3}),
        ("n_total", {"n_total": 109}),
        ("median_follow_up", {"median_follow_up": "1.0"}),
    ],
)
def test_number_that_no_member_gives_is_not_reproduced(name: str, doctored: dict[str, object]) -> None:
    comparison = replace(printed_of(0, make()), **doctored)
    row = make(comparison).fidelity().set_index("number").loc[name]
    assert row["share"] == 0
    assert not row["reproduced"]
    assert not make(comparison).faithful.any()


def test_relaxed_numbers_are_shown_and_not_held_against_the_members() -> None:
    comparison = replace(printed_of(0, make()), p_value="0.9999")
    result = make(comparison, relaxed=("p_value",))
    assert result.faithful[0]
    assert result.fidelity().set_index("number").loc["p_value", ["relaxed", "reproduced"]].tolist() == [True, False]


def test_one_sided_p_value_is_read_as_benefit() -> None:
    two_sided = printed_of(0, make()).p_value
    assert two_sided is not None
    halved = f"{two_sided.value.value / 2:.5f}"
    comparison = replace(printed_of(0, make()), p_value=ReportedPValue(replace(two_sided.value, text=halved), sided=1))
    row = make(comparison).fidelity().set_index("number").loc["p_value"]
    assert row["lowest"] <= two_sided.value.value / 2 + 5e-5


def test_interval_types_are_told_apart() -> None:
    comparison = printed_of(0, make())
    field = "everolimus.survival at 6 months, ci.lower"
    reproduced = {
        kind: make(comparison, scale=kind).fidelity().set_index("number").loc[field, "share"] > 0
        for kind in ("log-log", "plain", "log")
    }
    assert reproduced == {"log-log": True, "plain": False, "log": False}


def test_curves_are_the_members_kaplan_meier_curves() -> None:
    result = make()
    t = np.array([0.0, 0.1, 2.0, 3.95, 4.0, 11.0])
    for name in ARMS:
        ours = result.survival_by_member(name, t)
        for member in range(MEMBERS):
            own = result.ipd(member).query("arm == @name")
            theirs = KaplanMeierFitter().fit(own["time"], own["event"]).predict(t).to_numpy()
            np.testing.assert_allclose(ours[member], theirs, atol=1e-12)


def test_rmst_and_median_are_the_members_own() -> None:
    result = make()
    for member in range(MEMBERS):
        own = result.ipd(member).query("arm == 'placebo'")
        curve = KaplanMeierFitter().fit(own["time"], own["event"])
        assert result.rmst("placebo", 4.0).members[member] == pytest.approx(
            restricted_mean_survival_time(curve, 4.0), abs=1e-9
        )
        assert result.median("placebo").members[member] == pytest.approx(curve.median_survival_time_)
        assert result.events("placebo").members[member] == own["event"].sum()


def test_hazard_ratio_is_experimental_against_control() -> None:
    result = make()
    swapped = make(replace(result.comparison, control=ARMS[1]))
    np.testing.assert_allclose(result.hazard_ratio().members * swapped.hazard_ratio().members, 1.0, rtol=1e-6)
    assert result.hazard_ratio().estimate < 1


def test_band_holds_its_share_of_members() -> None:
    result = make()
    values = result.survival_by_member("placebo", np.array([5.0]))[:, 0]
    band = result.survival_at("placebo", [5.0], level=0.5).iloc[0]
    assert np.mean((values >= band["lower"]) & (values <= band["upper"])) >= 0.5
    assert band["mean"] == pytest.approx(values.mean())
    wider = result.survival_at("placebo", [5.0], level=0.9).iloc[0]
    assert wider["lower"] <= band["lower"] <= band["upper"] <= wider["upper"]


def test_curve_goes_on_past_the_follow_up_as_its_population() -> None:
    population = {name: tuple(Exponential(0.05 + 0.01 * m) for m in range(MEMBERS)) for name in ARMS}
    result = make(population=population)
    ends = result.time[:, : N[0]].max(axis=1)
    at = np.array([40.0, 50.0])
    values = result.survival_by_member("placebo", at)
    last = np.array([result.survival_by_member("placebo", [end])[m, 0] for m, end in enumerate(ends)])
    rates = 0.05 + 0.01 * np.arange(MEMBERS)
    np.testing.assert_allclose(values, last[:, None] * np.exp(-rates[:, None] * (at - ends[:, None])), rtol=1e-12)


def test_arm_is_an_ensemble_of_one_population_per_member() -> None:
    result = make()
    arm = result.arm("everolimus")
    assert len(arm.members) == MEMBERS
    t = np.array([3.0, 9.0])
    # a member's population passes through the points of its own curve
    np.testing.assert_allclose(arm.survival(t), result.survival_by_member("everolimus", t).mean(axis=0), atol=0.03)


def test_ipd_goes_into_lifelines_as_it_is() -> None:
    result = make()
    one, everyone = result.ipd(2), result.ipd()
    assert list(one.columns) == ["arm", "treatment", "time", "event"]
    assert one.shape == (sum(N), 4)
    assert everyone.shape == (MEMBERS * sum(N), 5)
    assert set(one.loc[one["arm"] == result.comparison.control, "treatment"]) == {0}
    again = everyone[everyone["member"] == 2].drop(columns="member").reset_index(drop=True)
    assert again.equals(one)
    cox = CoxPHFitter().fit(one, "time", "event", formula="treatment")
    assert cox.hazard_ratios_["treatment"] == pytest.approx(result.hazard_ratio().members[2], rel=1e-5)


def test_patients_stay_the_same_under_sorting() -> None:
    _, time, event = patients()
    result = make()
    for name, rows in zip(ARMS, (slice(0, N[0]), slice(N[0], None)), strict=True):
        ours = result.ipd(1)[result.ipd(1)["arm"] == name]
        theirs = sorted(zip(time[1, rows], event[1, rows].astype(int), strict=True))
        assert sorted(zip(ours["time"], ours["event"], strict=True)) == theirs


def test_result_is_frozen_read_only_and_travels() -> None:
    result = make(findings=(Finding("check", "warning", "placebo", "message <1>", ("1",), "remedy"),), seed=5)
    with pytest.raises(FrozenInstanceError):
        result.method = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.time[0, 0] = 1.0
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.time, result.time)
    html = result._repr_html_()
    assert "everolimus" in html
    assert "message &lt;1&gt;" in html
    assert "seed: 5" in html


def test_summary_puts_the_printed_beside_the_ensemble() -> None:
    result = make(printed_of(0, make()))
    frame = result.summary().set_index(["arm", "quantity"])
    assert frame.loc[("placebo", "events"), "reported"] == str(result.comparison.arms[0].events)
    assert frame.loc[("", "hazard ratio"), "estimate"] == result.hazard_ratio().estimate
    assert (frame["lower"] <= frame["upper"]).all()
    arms = tuple(replace(arm, median_ci=("1.25", "NE")) for arm in result.comparison.arms)
    limited = replace(result, comparison=replace(result.comparison, arms=arms)).shown()
    assert limited["reported"][1] == f"{arms[0].median} (95% CI 1.25-not estimable)"
    assert limited["estimate"][0] == f"{result.events(arms[0].name).estimate:.0f}"
    assert limited["estimate"][1] == f"{result.median(arms[0].name).estimate:.2f}"


def test_a_median_that_members_do_not_reach_is_shown_as_such() -> None:
    result = make()
    nobody = replace(result, event=np.zeros_like(result.event))
    assert nobody.shown()["estimate"].tolist()[1] == "not reached"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time": np.ones((2, 108))}, "arm_index, time, event"),
        ({"time": -np.ones((MEMBERS, 108))}, "time"),
        ({"time": np.full((MEMBERS, 108), np.nan)}, "time"),
        ({"arm_index": np.zeros(108, dtype=int)}, "arm_index"),
        ({"arm_index": np.repeat([1, 0], N)}, "arm_index"),
    ],
)
def test_members_that_do_not_fit_are_refused(change: dict[str, np.ndarray], field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        replace(make(), **change)
    assert caught.value.field == field


def test_unknown_arms_levels_and_horizons_are_refused() -> None:
    result = make()
    for call in (result.median, result.curve, result.events, result.arm):
        with pytest.raises(UnknownNameError, match="everolimus"):
            call("everolimu")
    with pytest.raises(InvalidValueError, match="level"):
        result.curve("placebo", level=90)
    with pytest.raises(InvalidValueError, match="tau"):
        result.rmst("placebo", 0)
    single = Reconstruction(
        ReportedComparison(endpoint="OS", arms=[ReportedArm("one")]),
        np.zeros(4),
        np.ones((1, 4)),
        np.ones((1, 4)),
        "test",
    )
    with pytest.raises(InvalidValueError, match="two arms"):
        single.hazard_ratio()


def test_ensemble_interval_counts_members_that_are_not_reached() -> None:
    estimate = EnsembleEstimate.of([5.0, 6.0, np.inf, 7.0], level=0.9)
    assert (estimate.estimate, estimate.lower, estimate.upper) == (6.5, 5.0, np.inf)
