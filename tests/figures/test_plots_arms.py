"""Arms on a plot: named by anything, and not more than colours tell apart."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InvalidValueError
from analysis.plots import survival_plot


def curves(names):
    time = np.linspace(0, 24, 25)
    one = {"time": time, "mean": np.exp(-time / 9), "lower": np.exp(-time / 8), "upper": np.exp(-time / 10)}
    return pd.concat([pd.DataFrame({"arm": name} | one) for name in names], ignore_index=True)


def test_curves_that_are_points_are_drawn_as_they_are():
    frame = curves([0, 1])
    shown = survival_plot(frame, annotate=[])
    assert shown.risk_table is None
    np.testing.assert_allclose(shown.curves["survival"], frame["mean"])
    np.testing.assert_allclose(shown.curves[["lower", "upper"]], frame[["lower", "upper"]])


def test_more_arms_than_colours_are_refused():
    assert len(survival_plot(curves([f"arm {k}" for k in range(7)]), annotate=[]).axes.lines) == 7
    with pytest.raises(InvalidValueError, match="arms: got '8 arms'; expected at most 7"):
        survival_plot(curves([f"arm {k}" for k in range(8)]), annotate=[])
