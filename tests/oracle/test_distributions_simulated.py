"""Simulated times follow their distribution: a grid of shapes and roles, 20 quantiles, a million draws, 4 errors."""

import numpy as np
import pytest

import analysis
from analysis.design import AtTime, IllnessDeath, Look, Scenario, TrialDesign, UniformAccrual
from analysis.engine.hazards import event_times, hazard_tables
from analysis.simulation import simulated_patients
from analysis.survival import (
    Earliest,
    Exponential,
    LogLogistic,
    LogNormal,
    Mixture,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
)

DRAWS = 1_000_000
PROBABILITIES = np.linspace(0.02, 0.98, 20)
CURED = Mixture([Weibull(0.7, 8), PiecewiseExponential([0.0], [])], [0.6, 0.4])
SHAPES = {
    **{f"log-logistic {shape}": LogLogistic(shape, 6.9) for shape in (0.5, 0.8, 1.0, 1.5, 2.5, 5.0)},
    **{f"log-normal {sigma}": LogNormal(2.0, sigma) for sigma in (0.3, 0.8, 1.5, 3.0)},
    **{f"Weibull {shape}": Weibull(shape, 10) for shape in (0.2, 0.5, 0.8, 1.3, 2.5, 5.0)},
    "cured": CURED,
    "cured, heavy tail": Mixture([LogLogistic(0.6, 4), PiecewiseExponential([0.0], [])], [0.75, 0.25]),
    "two kinds": Mixture([Exponential(0.5), LogNormal(3.5, 0.4)], [0.5, 0.5]),
    "piecewise": PiecewiseExponential([0.02, 0.0, 0.4, 0.05], [3, 6, 9]),
    "first of two": Earliest([Weibull(0.5, 20), LogNormal(2.0, 0.8)]),
    "tabulated": Tabulated([2, 4, 6, 8, 12], [0.9, 0.7, 0.7, 0.4, 0.0]),
}
GRID = {
    **SHAPES,
    **{
        f"{name}, HR {ratio}": ProportionalHazards(base, ratio)
        for name, base in SHAPES.items()
        for ratio in (0.1, 0.5, 2.0, 5.0)
    },
}


def assert_follows(times, survival, at):
    """Whether the share beyond each time is that of the survival function, within 4 standard errors."""
    true, found = survival(at), np.array([(times > t).mean() for t in at])
    error = np.sqrt(np.maximum(true * (1 - true), 1 / times.size) / times.size)
    np.testing.assert_array_less(np.abs(found - true), 4 * error)


def quantiles(distribution):
    """Quantiles, but for those that floating point cannot tell from the last moment of a curve that ends."""
    times = np.unique(distribution.quantile(PROBABILITIES))
    times = times[np.isfinite(times)]
    return times[np.abs(distribution.survival(times * (1 - 1e-12)) - distribution.survival(times)) < 1e-4]


@pytest.fixture(scope="module")
def exponentials():
    return np.random.default_rng(77).exponential(size=(1, DRAWS))


def drawn(distribution, exponentials):
    times = exponentials.copy()
    event_times(hazard_tables([distribution]), np.zeros(1, np.int64), np.array([0, DRAWS]), times)
    return times[0]


@pytest.mark.parametrize("name", GRID)
def test_times_drawn_by_the_engine(name, exponentials):
    assert_follows(drawn(GRID[name], exponentials), GRID[name].survival, quantiles(GRID[name]))


def test_members_of_a_reconstruction(exponentials):
    comparison = analysis.load("bolero-2").comparison("pfs-first-line-local")
    reconstruction = analysis.reconstruct(comparison, members=3, rng=1)
    for arm in reconstruction.arms:
        for member in reconstruction.arm(arm).members:
            for curve in (member, ProportionalHazards(member, 0.6)):
                assert_follows(drawn(curve, exponentials), curve.survival, quantiles(curve))


ROLES = ("log-logistic 0.5", "log-logistic 1.5", "log-normal 3.0", "Weibull 0.2", "Weibull 5.0", "cured", "tabulated")
NEVER = Exponential(1e-12)
LATE = 1e7
"""Months after which the data are cut: what comes later is censored there."""


def patients(scenario, **options):
    design = TrialDesign(n=100_000, accrual=UniformAccrual(1), looks=(Look(AtTime(LATE)),), **options)
    return simulated_patients(design, scenario, trials=DRAWS // 100_000, rng=5)


def both(model):
    return Scenario({"control": model, "experimental": model})


@pytest.mark.parametrize("name", ROLES)
def test_time_to_dropout(name):
    at = quantiles(SHAPES[name])
    times = patients(both(NEVER), dropout=SHAPES[name])["PFS_time"].to_numpy()
    assert_follows(times, SHAPES[name].survival, at[at < LATE / 2])


@pytest.mark.parametrize("name", [role for role in ROLES if role != "cured"])
def test_delayed_entry(name):
    at = quantiles(SHAPES[name])
    starts = patients(both(NEVER), delayed_entry=SHAPES[name])["start"].to_numpy()
    assert_follows(starts, SHAPES[name].survival, at[at < LATE / 2])


@pytest.mark.parametrize("name", ROLES)
def test_illness_death(name):
    curve, death = SHAPES[name], Exponential(0.02)
    model = IllnessDeath(curve, death, curve)
    frame = patients(both(model))
    at = quantiles(death)[:12]
    assert_follows(frame["PFS_time"].to_numpy(), model.pfs_survival, at)
    assert_follows(frame["OS_time"].to_numpy(), model.os_survival, at)
