"""Reconstruction from drawn curves: printed numbers come back, what is wrong is said, real patients are met."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter, datasets

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction import Reconstruction, reconstruct_curve
from analysis.reported import AtRisk, ReportedArm, ReportedComparison
from analysis.survival import kaplan_meier

POINTS = 150


def drawn(time: np.ndarray, event: np.ndarray, points: int = POINTS) -> np.ndarray:
    """Points along the Kaplan-Meier curve, by lifelines, read to 0.1 percent."""
    at = np.linspace(0, time.max(), points)
    return np.column_stack([at, KaplanMeierFitter().fit(time, event).predict(at).to_numpy().round(3)])


def counts(time: np.ndarray, ticks: np.ndarray) -> AtRisk:
    return AtRisk(tuple(ticks), tuple(int((time >= tick).sum()) for tick in ticks))


def one_arm(points: object, **options: object) -> Reconstruction:
    known = {key: options.pop(key) for key in ("n", "events", "at_risk") if key in options}
    comparison = ReportedComparison(endpoint="OS", arms=[ReportedArm("drug", **known)])
    return reconstruct_curve(comparison, {"drug": points}, members=5, **options)


def checks(result: Reconstruction) -> list[str]:
    return [finding.check for finding in result.findings]


def two_groups(
    frame: pd.DataFrame, time: str, event: str, group: pd.Series
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return frame[time].to_numpy(float), frame[event].to_numpy(bool), group.to_numpy(bool)


def lung() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = datasets.load_lung()
    time, event, group = two_groups(frame, "time", "status", frame["sex"] == 2)
    return time / 30.4375, event, group


def gbsg2() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = datasets.load_gbsg2()
    time, event, group = two_groups(frame, "time", "cens", frame["horTh"] == "yes")
    return time / 30.4375, event, group


def waltons() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = datasets.load_waltons()
    return two_groups(frame, "T", "E", frame["group"] == "miR-137")


def leukemia() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = datasets.load_leukemia()
    return two_groups(frame, "t", "status", frame["Rx"] == 0)


@pytest.mark.parametrize("load", [lung, gbsg2, waltons, leukemia])
def test_real_patients_are_recovered_from_their_curves(
    load: Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    time, event, group = load()
    ticks = np.linspace(0, time.max(), 7).round(1)
    rows = {"control": ~group, "experimental": group}
    comparison = ReportedComparison(
        endpoint="OS",
        arms=[
            ReportedArm(name, n=int(own.sum()), events=int(event[own].sum()), at_risk=counts(time[own], ticks))
            for name, own in rows.items()
        ],
        control="control",
    )
    result = reconstruct_curve(comparison, {name: drawn(time[own], event[own]) for name, own in rows.items()}, rng=1)
    assert result.faithful.all()
    assert result.findings == ()
    for name, own in rows.items():
        truth = KaplanMeierFitter().fit(time[own], event[own])
        grid = (np.arange(2000) + 0.5) / 2000 * time[own].max()
        error = np.abs(result.survival_at(name, grid)["mean"] - truth.predict(grid).to_numpy())
        assert error.mean() < 0.005
        step = 1.5 * time[own].max() / POINTS
        assert result.median(name).estimate == pytest.approx(truth.median_survival_time_, abs=step)
    frame = pd.DataFrame({"time": time, "event": event, "group": group})
    cox = CoxPHFitter().fit(frame, "time", "event")
    tolerance = 0.15 * cox.standard_errors_["group"]
    assert np.log(result.hazard_ratio().estimate) == pytest.approx(cox.params_["group"], abs=tolerance)


STEEP = np.column_stack([np.linspace(0, 10, 41), np.exp(-0.12 * np.linspace(0, 10, 41))])


@pytest.mark.parametrize("events", [22, 24, 26])
@pytest.mark.parametrize("ticks", [(0.0, 5.0), (0.0, 3.0, 10.0), (0.0, 3.0, 6.1, 12.0)])
def test_numbers_at_risk_and_events_come_back_exactly(events: int, ticks: tuple[float, ...]) -> None:
    at_risk = AtRisk(ticks, (40, 27, 17, 0)[: len(ticks)] if len(ticks) != 3 else (40, 27, 4))
    result = one_arm(STEEP, at_risk=at_risk, events=events)
    assert result.faithful.all()
    assert (result.event.sum(axis=1) == events).all()
    for tick, count in zip(at_risk.times, at_risk.counts, strict=True):
        assert ((result.time >= tick).sum(axis=1) == count).all()


@pytest.mark.parametrize("seed", range(6))
def test_every_member_follows_the_points_as_closely_as_whole_patients_can(seed: int) -> None:
    result = one_arm(STEEP, n=200, at_risk=AtRisk((0, 5), (200, 109)), precision=0.0, rng=seed)
    curves = result.survival_by_member("drug", STEEP[:, 0])
    left = (result.time[:, :, None] >= STEEP[:, 0]).sum(axis=1)
    patients = np.abs(curves - STEEP[:, 1]) * left / curves
    assert (patients < 2).all()
    assert (patients <= 1).mean() > 0.85


def test_nobody_fails_where_the_curve_is_level() -> None:
    points = [(0, 1), (2, 0.9), (4, 0.7), (4.5, 0.7), (12, 0.7), (30, 0.7)]
    result = one_arm(points, n=50, events=30)
    assert not (result.event & (result.time > 4)).any()
    assert "number not given back" in checks(result)
    assert result.time.max() == 30


def test_a_step_on_a_tick_comes_after_the_patients_who_are_counted_there() -> None:
    points = [(0, 1), (6, 1), (6, 0.8), (12, 0.8)]
    result = one_arm(points, n=100, events=18, at_risk=AtRisk((0, 6), (100, 90)))
    assert result.time[result.event] == pytest.approx(6.0)
    assert ((result.time >= 6).sum(axis=1) == 90).all()
    np.testing.assert_array_equal(result.survival_at("drug", [3.0, 5.999, 6.0])["mean"], [1.0, 1.0, 0.8])
    assert not checks(result)


@pytest.mark.parametrize("at_risk", [AtRisk((0, 3), (100, 80)), AtRisk((0, 2, 3), (100, 100, 80))])
def test_both_ends_of_a_step_are_followed(at_risk: AtRisk) -> None:
    result = one_arm([(0, 1), (2, 1), (2, 0.8), (6, 0.8)], n=100, events=20, at_risk=at_risk)
    assert result.faithful.all()
    assert not checks(result)


@pytest.mark.parametrize(("with_table", "off"), [(True, 0.03), (False, 0.4)])  # without them all 120 were events
def test_a_curve_that_comes_down_to_0_does_so_with_its_last_patient(*, with_table: bool, off: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        event_time, left = 14 * rng.weibull(1.2, 120), rng.uniform(0, 35, 120)
        time, event = np.minimum(event_time, left), event_time <= left
        event[np.argmax(time)] = True
        at = np.linspace(0, time.max(), 120)
        points = np.column_stack([at, np.round(kaplan_meier(time, event).survival_at(at), 3)])
        ticks = tuple(np.arange(0, time.max(), 3.0).tolist())
        table = AtRisk(ticks, tuple(int((time >= tick).sum()) for tick in ticks)) if with_table else None
        found = one_arm(points, n=120, at_risk=table).event.sum(axis=1)
        assert abs(found / event.sum() - 1).max() < off
        assert 120 / event.sum() - 1 > 0.36
        assert (found <= 105).all()


def test_the_axis_beyond_a_curve_that_reached_0_is_not_a_curve() -> None:
    points = [(0, 1), (4, 1), (4, 0.5), (8, 0.5), (8, 0), (12, 0)]
    for at_risk in (AtRisk((0, 4, 8.5, 12), (10, 5, 0, 0)), AtRisk((0, 4, 8, 12), (10, 10, 5, 0)), None):
        result = one_arm(points, n=10, events=10, at_risk=at_risk)
        np.testing.assert_array_equal(result.time, np.tile([4.0] * 5 + [8.0] * 5, (len(result.time), 1)))
        assert (result.survival_at("drug", [9.0, 11.0])["mean"] == 0).all()


def test_step_is_kept_at_its_time() -> None:
    points = [(0, 1), (3, 1), (3, 0.8), (7, 0.8), (7, 0.5), (9, 0.5)]
    result = one_arm(points, n=10, events=5, at_risk=AtRisk((0, 3, 7), (10, 10, 8)), precision=0.0)
    for time, event in zip(result.time, result.event, strict=True):
        np.testing.assert_array_equal(time[event], [3, 3, 7, 7, 7])


def test_curve_that_comes_down_to_zero_leaves_nobody() -> None:
    result = one_arm([(0, 1), (2, 0.6), (4, 0.2), (6, 0)], n=20)
    assert (result.survival_by_member("drug", [6.0]) == 0).all()
    assert "events missing" in checks(result)


def test_percent_is_read_when_it_is_said() -> None:
    proportion, percent = one_arm(STEEP, n=30, events=20), one_arm(STEEP * [1, 100], n=30, events=20, unit="percent")
    np.testing.assert_allclose(percent.time, proportion.time)
    with pytest.raises(InvalidValueError, match="unit='percent'"):
        one_arm(STEEP * [1, 100], n=30)
    with pytest.raises(InvalidValueError, match="unit"):
        one_arm(STEEP, n=30, unit="per cent")


def test_disordered_points_are_put_in_order_and_said() -> None:
    order = np.random.default_rng(1).permutation(len(STEEP))
    doubled = np.vstack([STEEP[order], STEEP[5:8]])
    result = one_arm(doubled, n=30, events=20)
    np.testing.assert_array_equal(result.time, one_arm(STEEP, n=30, events=20).time)
    assert checks(result)[:2] == ["points out of order", "duplicated points"]


def test_rising_and_missing_points_and_points_off_the_axes_are_said() -> None:
    points = [(0, 0.99), (1, 0.9), (2, 0.903), (3, np.nan), (4, 0.3), (5, 0.1), (6, -0.01)]
    result = one_arm(points, n=30)
    assert checks(result)[:3] == ["missing points", "points off the axes", "rising points"]
    assert (np.diff(result.survival_by_member("drug", np.arange(0, 6, 0.1))) <= 0).all()


def test_missing_numbers_are_recovered_and_said() -> None:
    comparison = ReportedComparison(
        endpoint="PFS",
        arms=[ReportedArm("a", at_risk=AtRisk((0, 5), (60, 25))), ReportedArm("b", n=60)],
        control="a",
        events_total=74,
    )
    result = reconstruct_curve(comparison, {"a": STEEP, "b": STEEP}, members=3)
    assert checks(result) == ["numbers at risk missing", "events missing"]
    assert (result.event.sum(axis=1) == 74).all()
    known = replace(comparison, arms=(replace(comparison.arms[0], events=40), comparison.arms[1]))
    of_each = reconstruct_curve(known, {"a": STEEP, "b": STEEP}, members=3)
    assert of_each.events("b").members.tolist() == [34.0, 34.0, 34.0]


def test_risk_table_that_contradicts_the_curve_is_said_and_does_not_loop() -> None:
    result = one_arm(STEEP, n=100, at_risk=AtRisk((0, 5, 8), (100, 95, 94)))
    assert "curve not followed" in checks(result)
    assert ((result.time >= 5).sum(axis=1) == 95).all()


@pytest.mark.parametrize(("points", "n", "events"), [(STEEP, 40, 31), ([(0, 1), (5, 0.95), (10, 0.93)], 100, 60)])
def test_more_events_than_the_curve_allows_are_said_and_not_made(points: object, n: int, events: int) -> None:
    result = one_arm(points, n=n, events=events, at_risk=AtRisk((0, 5), (n, n // 2)))
    assert "number not given back" in checks(result)
    assert not result.faithful.any()
    assert (result.event.sum(axis=1) < events).all()


def test_patients_at_risk_after_the_last_point_are_said() -> None:
    result = one_arm(STEEP, n=40, at_risk=AtRisk((0, 6, 12), (40, 20, 5)))
    assert "curve ends early" in checks(result)
    assert ((result.time >= 12).sum(axis=1) == 5).all()


def test_same_seed_same_members_and_another_seed_others() -> None:
    first, again, other = (one_arm(STEEP, n=40, events=25, rng=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.time, again.time)
    assert not np.array_equal(first.time, other.time)
    assert first.seed == 4
    assert np.unique(first.time, axis=0).shape[0] == 5  # members differ


@pytest.mark.parametrize(
    ("points", "options", "field"),
    [
        (STEEP, {}, "arms['drug'].n"),
        (STEEP[:, 0], {"n": 5}, "curves['drug']"),
        (np.zeros((0, 2)), {"n": 5}, "curves['drug']"),
        ([(0, 1)], {"n": 5}, "curves['drug']"),
        (STEEP - [0, 1], {"n": 5}, "curves['drug']"),
        (STEEP, {"n": 5, "precision": 0.5}, "precision"),
        (STEEP, {"at_risk": AtRisk((1, 5), (9, 2)), "n": 5}, "arms['drug'].at_risk"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(points: object, options: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        one_arm(points, **options)
    assert caught.value.field == field


def test_arms_without_curve_and_curves_without_arm_are_refused() -> None:
    comparison = ReportedComparison(endpoint="OS", arms=[ReportedArm("drug", n=5)])
    with pytest.raises(InvalidValueError, match="curves"):
        reconstruct_curve(comparison, {})
    with pytest.raises(UnknownNameError, match="drug"):
        reconstruct_curve(comparison, {"drug": STEEP, "drgu": STEEP})
    with pytest.raises(InvalidValueError, match="members"):
        reconstruct_curve(comparison, {"drug": STEEP}, members=0)


def test_the_last_patients_of_a_small_arm_are_whole_ones_too() -> None:
    """Fifteen patients, nine events, a curve that comes down to 0: steps are larger than a fifteenth at its end."""
    time = [0.057, 1.087, 1.896, 2.385, 1.726, 2.620, 2.959, 3.103, 2.761, 2.009, 7.113, 3.508, 2.285, 2.902, 0.658]
    event = [0, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0]
    at = np.linspace(0, 7.113, 20)
    survival = kaplan_meier(time, event).survival_at(at).round(4)
    arm = ReportedArm("drug", n=15, events=9, at_risk=AtRisk((0, 7.5), (15, 0)))
    report = ReportedComparison(endpoint="OS", arms=[arm])
    result = reconstruct_curve(report, {"drug": np.column_stack([at, survival])}, members=4)
    assert result.event.sum(axis=1).tolist() == [9] * 4


def test_events_between_two_points_are_anywhere_between_them():
    """Spread evenly, half of them were always in the first half: bands held the patients' own curve too seldom."""
    comparison = ReportedComparison(endpoint="OS", arms=[ReportedArm("drug", n=40, events=20)])
    result = reconstruct_curve(comparison, {"drug": [(0, 1), (10, 0.5), (20, 0.5)]}, members=600, rng=1)
    ipd = pd.concat([result.ipd(member).assign(member=member) for member in range(600)])
    times = ipd.loc[ipd["event"] == 1, "time"].to_numpy().reshape(600, 20)
    assert ((times > 0) & (times <= 10)).all()
    for part in (2.0, 5.0, 9.0):  # each is there with a chance of its own
        early, chance = (times <= part).sum(axis=1), part / 10
        assert early.mean() == pytest.approx(20 * chance, abs=4 * np.sqrt(20 * chance * (1 - chance) / 600))
        assert early.std() == pytest.approx(np.sqrt(20 * chance * (1 - chance)), rel=0.12)


def test_numbers_at_risk_tell_where_between_two_points_a_curve_falls():
    """A line between the points left alive whom the table had lost: they were censored, and events were missing."""
    rng = np.random.default_rng(1)
    time = np.concatenate([1.84 + 0.01 * rng.random(120), 2.2 + rng.exponential(6, 80)])  # most at the first scan
    event = np.ones(200, dtype=bool)
    event[-10:] = False
    result = one_arm(drawn(time, event, 25), n=200, events=190, at_risk=counts(time, np.arange(0, time.max(), 2.0)))
    assert checks(result) == []
    early = result.ipd(0).query("time < 2")
    assert early["event"].sum() == pytest.approx(120, abs=10)
