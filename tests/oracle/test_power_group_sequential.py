"""Crossing and adjusted inference against simulated Brownian motion, within 4 Monte Carlo standard errors."""

import numpy as np
import pytest

from analysis.sequential import (
    BetaSpending,
    GroupSequentialDesign,
    LanDeMetsOBrienFleming,
    Pocock,
    stagewise_inference,
)

FRACTIONS = (0.25, 0.5, 0.8, 1.0)


def paths(trials, drift, seed):
    """Z at the looks, shape (trials, 4)."""
    t = np.array(FRACTIONS)
    steps = np.diff(np.r_[0.0, t])
    noise = np.random.default_rng(seed).standard_normal((trials, t.size)) * np.sqrt(steps)
    return np.cumsum(noise + drift * steps, axis=1) / np.sqrt(t)


@pytest.mark.parametrize("effect", [0.0, 0.6, 1.0])
def test_crossing_probabilities(effect):
    design = GroupSequentialDesign(FRACTIONS, power=0.8, futility=BetaSpending(LanDeMetsOBrienFleming()))
    drift, trials = effect * design.drift, 400_000
    z = paths(trials, drift, seed=20)
    up, low = z >= design.upper, z < design.lower
    first = np.argmax(up | low, axis=1)
    crossed = design.crossing(drift)
    for k in range(4):
        for exact, hit in ((crossed.upper[k], up), (crossed.lower[k], low)):
            simulated = np.mean((first == k) & hit[:, k])
            error = np.sqrt(max(exact, 1e-9) * (1 - exact) / trials)
            assert abs(simulated - exact) < 4 * error + 2 / trials


def test_stagewise_estimate_is_median_unbiased_and_its_interval_covers():
    design, drift, trials = GroupSequentialDesign(FRACTIONS, efficacy=Pocock()), 2.5, 500
    z = paths(trials, drift, seed=21)
    up = z >= design.upper
    look = np.where(up.any(axis=1), np.argmax(up, axis=1), 3)
    results = [
        stagewise_inference(design, int(k) + 1, float(row[k]), level=0.8) for k, row in zip(look, z, strict=True)
    ]
    below = np.mean([r.estimate < drift for r in results])
    covered = np.mean([r.lower <= drift <= r.upper for r in results])
    assert abs(below - 0.5) < 4 * np.sqrt(0.25 / trials)
    assert abs(covered - 0.8) < 4 * np.sqrt(0.16 / trials)
