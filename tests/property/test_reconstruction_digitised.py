"""What holds for any trial whose curve was drawn: its counts come back exactly, and units do not matter."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.reconstruction import reconstruct_curve
from analysis.reported import AtRisk, ReportedArm, ReportedComparison
from analysis.survival.estimators import kaplan_meier


@st.composite
def trials(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(15, 300))
    failure = rng.weibull(draw(st.floats(0.6, 2.5)), n) * draw(st.floats(3.0, 60.0))
    censoring = rng.uniform(draw(st.floats(0.0, 12.0)), draw(st.floats(13.0, 90.0)), n)
    return np.minimum(failure, censoring), failure <= censoring, draw(st.integers(20, 200)), draw(st.integers(2, 12))


def reconstruct(trial: tuple[np.ndarray, np.ndarray, int, int], scale: float = 1.0, percent: bool = False):
    time, event, points, ticks = trial
    end = time.max()
    at = np.linspace(0, end, points)
    survival = kaplan_meier(time, event).survival_at(np.minimum(at, end)).round(4)
    axis = np.linspace(0, end * 1.05, ticks)
    risk = AtRisk(tuple(axis * scale), tuple(int((time >= tick).sum()) for tick in axis))
    arm = ReportedArm("drug", n=time.size, events=int(event.sum()), at_risk=risk)
    drawn = np.column_stack([at * scale, survival * (100 if percent else 1)])
    return reconstruct_curve(
        ReportedComparison(endpoint="OS", arms=[arm]),
        {"drug": drawn},
        unit="percent" if percent else "proportion",
        members=4,
        rng=1,
    ), drawn


@settings(max_examples=60, deadline=None)
@given(trials())
def test_counts_of_a_real_trial_come_back_or_are_said(trial: tuple[np.ndarray, np.ndarray, int, int]) -> None:
    result, drawn = reconstruct(trial)
    fidelity = result.fidelity().set_index("number")
    assert fidelity.drop(index="drug.events")["reproduced"].all()
    if not fidelity.loc["drug.events", "reproduced"]:
        assert "number not given back" in [finding.check for finding in result.findings]
    assert (np.abs(result.event.sum(axis=1) - trial[1].sum()) <= 2).all()
    assert (result.time <= drawn[-1, 0]).all()
    assert (result.time.max(axis=1) == drawn[-1, 0]).all()


@settings(max_examples=30, deadline=None)
@given(trials(), st.sampled_from([12.0, 1 / 30.4375]))
def test_scaling_time_scales_the_patients(trial: tuple[np.ndarray, np.ndarray, int, int], scale: float) -> None:
    one, other = reconstruct(trial)[0], reconstruct(trial, scale)[0]
    np.testing.assert_allclose(other.time, one.time * scale, rtol=1e-9)
    np.testing.assert_array_equal(other.event, one.event)


@settings(max_examples=60, deadline=None)
@given(trials())
def test_percent_and_proportion_give_the_same_patients(trial: tuple[np.ndarray, np.ndarray, int, int]) -> None:
    one, other = reconstruct(trial)[0], reconstruct(trial, percent=True)[0]
    np.testing.assert_allclose(other.time, one.time, rtol=1e-6)
    np.testing.assert_array_equal(other.event, one.event)
