"""XENERA-1's figures plot what their frames hold."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.studies.figures import FIGURES
from analysis.studies.xenera1 import figures_power as xenera1
from analysis.studies.xenera1 import plan, power, seen

TRIALS = 300


@pytest.fixture
def few_trials(monkeypatch):
    monkeypatch.setattr(power, "HAZARD_RATIOS", replace(plan.HAZARD_RATIOS, value=(0.5, 1.0)))
    grid = power.power_grid.function(TRIALS, 1)
    estimates = seen.estimates_at_events_seen(TRIALS, 1)
    monkeypatch.setattr(power, "power_grid", lambda seed: grid)
    monkeypatch.setattr(seen, "estimates_at_events_seen", lambda seed: estimates)


def test_both_are_registered():
    assert {"xenera1-power-grid", "xenera1-reported-against-design"} <= set(FIGURES)


def test_the_power_grid_has_a_panel_for_every_control_arm(few_trials):
    drawing = FIGURES["xenera1-power-grid"]()
    for ax, name in zip(drawing.figure.axes, plan.control_arms(), strict=True):
        rows = drawing.numbers[drawing.numbers["control_arm"] == name]
        assert ax.get_title(loc="left").replace("\n", " ") == name
        exact = ax.lines[1].get_ydata()
        assert np.array_equal(exact, rows["large_sample"])
        bars = ax.containers[0].lines[2][0].get_segments()
        assert [segment[:, 1].tolist() for segment in bars] == [
            pytest.approx(pair) for pair in rows[["lower", "upper"]].to_numpy().tolist()
        ]


def test_reported_ratios_stand_beside_the_simulated_ones(few_trials):
    numbers = xenera1.draw_reported_against_design(1).numbers.set_index("row")
    assert numbers.loc["Independent, reported", ["value", "lower", "upper"]].tolist() == [1.19, 0.55, 2.59]
    assert numbers.loc["26 events if HR is 0.6", "value"] == pytest.approx(0.6, rel=0.15)
    assert (numbers["quantity"] == "hazard ratio").sum() == 2 * (1 + len(seen.TRUTHS.value))
    assert (numbers["quantity"] == "median, months").sum() == len(seen.MEDIANS)
