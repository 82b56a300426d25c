"""Arms on a plot: named by anything, and not more than colours tell apart."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import InvalidValueError
from analysis.plots import survival_curves


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
