"""Arms on a plot: named by anything, and not more than colours tell apart."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import InvalidValueError
from analysis.plots import survival_curves
from analysis.survival import kaplan_meier


def curves(names):
    time = np.linspace(0, 24, 25)
    one = {"time": time, "mean": np.exp(-time / 9), "lower": np.exp(-time / 8), "upper": np.exp(-time / 10)}
    return pd.concat([pd.DataFrame({"arm": name} | one) for name in names], ignore_index=True)


def test_arms_may_be_numbered():
    figure, axes = plt.subplots()
    survival_curves(axes, curves([0, 1]), end=24, ylabel="Progression-free")
    assert len(axes.lines) == 2
    plt.close(figure)


def test_more_arms_than_colours_are_refused():
    figure, axes = plt.subplots()
    survival_curves(axes, curves([f"arm {k}" for k in range(7)]), end=24, ylabel="Progression-free")
    with pytest.raises(InvalidValueError, match="arms: got '8 arms'; expected at most 7"):
        survival_curves(axes, curves([f"arm {k}" for k in range(8)]), end=24, ylabel="Progression-free")
    plt.close(figure)


def test_data_in_hand_are_drawn_as_steps():
    time, event, arm = np.array([2, 3, 5, 4, 7, 9.0]), np.array([1, 0, 1, 1, 1, 0]), np.array(["a"] * 3 + ["b"] * 3)
    figure, axes = plt.subplots()
    by_arm = {name: kaplan_meier(time[arm == name], event[arm == name]).curve(scale="log-log") for name in ("a", "b")}
    survival_curves(axes, by_arm, end=10, ylabel="Progression-free")
    for line, name in zip(axes.lines, ("a", "b"), strict=True):
        x, y = line.get_data()
        estimated = kaplan_meier(time[arm == name], event[arm == name])
        assert y[-1] == estimated.survival[-1]
        at = np.array([0.5, 2.5, 6.0, 8.0])
        at = at[at <= x.max()]
        # the last point not after a month is the curve there, for right-continuous steps
        np.testing.assert_allclose(y[np.searchsorted(x, at, side="right") - 1], estimated.survival_at(at))
    plt.close(figure)
