"""Trials of several groups: each as if simulated alone, hazard ratios as the disease makes them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    PseudoProgression,
    Rate,
    Readers,
    Stein,
    Target,
    Tumours,
    calibrate,
    simulate_endpoints,
    simulate_groups,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.statistical_tests import CoxHazardRatio

STABLE = Stein(Rate(0.0), Rate(0.0))
ARMS = {"control": Tumours(STABLE, new_lesions=0.1), "experimental": Tumours(STABLE, new_lesions=0.06)}
SCANS = Attendance(Assessments.every(1.0), 60.0)
SIZES = {"control": 60, "experimental": 40}


@pytest.fixture(scope="module")
def arms():
    return simulate_groups(ARMS, SCANS, patients=SIZES, trials=50, rng=3, readers=Readers(independent=True))


def test_a_group_is_simulated_as_it_is_alone(arms):
    stream = np.random.SeedSequence(3).spawn(2)[1]
    alone = simulate_endpoints(
        ARMS["experimental"], SCANS, patients=40, trials=50, rng=stream, readers=Readers(independent=True)
    )
    columns = arms.columns("experimental")
    assert columns == slice(60, 100)
    for joined, part in zip(arms.of("independent"), alone.of("independent"), strict=True):
        np.testing.assert_array_equal(joined[..., columns] if joined.ndim == 2 else joined[:, :, columns], part)
    np.testing.assert_array_equal(arms.survival.time[:, columns], alone.survival.time)
    assert set(arms.summary()["group"]) == set(ARMS)


def test_the_same_bits_on_threads(arms):
    with ThreadPoolExecutor(2) as threads:
        there = simulate_groups(
            ARMS, SCANS, patients=SIZES, trials=50, rng=3, readers=Readers(independent=True), executor=threads
        )
    for here, other in zip(arms.of(), there.of(), strict=True):
        np.testing.assert_array_equal(here, other)


def test_hazard_ratios_are_those_of_the_hazards(arms):
    ratios = arms.hazard_ratios("experimental", "control")
    logs = np.log(ratios)
    assert abs(logs.mean() - np.log(0.6)) < 4 * logs.std(ddof=1) / np.sqrt(len(logs)) + 0.03  # ties of monthly scans
    seen = arms.of()
    arm = np.arange(100) >= 60
    assert ratios[7] == CoxHazardRatio().analyse(seen.time[0, 7], seen.event[0, 7], arm).estimate
    np.testing.assert_allclose(arms.hazard_ratios("control", "experimental"), 1 / ratios, rtol=1e-6)


def test_each_group_has_the_readers_of_its_name():
    readers = {"experimental": Readers(unshared=0.2), "control": Readers()}
    quiet = {name: Tumours(STABLE) for name in ARMS}
    seen = simulate_groups(quiet, SCANS, patients=SIZES, trials=10, rng=3, readers=readers)
    events = {name: seen.of().event[0][:, seen.columns(name)].mean() for name in ARMS}
    assert events["control"] == 0.0
    assert events["experimental"] > 0.99


def test_a_hazard_ratio_is_by_the_criterion_that_is_asked_for():
    swelling = replace(ARMS["experimental"], pseudo_progression=PseudoProgression(0.5))
    seen = simulate_groups({**ARMS, "experimental": swelling}, SCANS, patients=SIZES, trials=3, rng=3)
    both, arm = seen.of(), np.arange(100) >= 60
    for c, criteria in enumerate(("RECIST 1.1", "iRECIST")):
        ratios = seen.hazard_ratios("experimental", "control", criteria=criteria)
        for trial, ratio in enumerate(ratios):
            assert ratio == CoxHazardRatio().analyse(both.time[c, trial], both.event[c, trial], arm).estimate
    assert (ratios < seen.hazard_ratios("experimental", "control")).all()


def test_groups_that_are_not_there_are_named(arms):
    with pytest.raises(UnknownNameError, match="placebo"):
        arms.columns("placebo")
    with pytest.raises(InvalidValueError, match="patients"):
        simulate_groups(ARMS, SCANS, patients={"control": 60}, trials=1, rng=3)
    with pytest.raises(InvalidValueError, match="readers"):
        simulate_groups(ARMS, SCANS, patients=SIZES, trials=1, rng=3, readers={"control": Readers()})


def test_calibration_to_two_readers_and_to_survival():
    """Known answers: deaths and calls of the investigator are exponential, and nobody else sees a progression."""
    tumours, scans = Tumours(STABLE, death=0.02), Attendance(Assessments.every(1.0), 12.0, survival_until=24.0)
    targets = [
        Target("overall survival", 0.5, at=20.0),
        Target("PFS rate", 0.3, at=12.0),
        Target("early discordance", 1.0, scale=1.0),
    ]
    readers = Readers(unshared=0.1, independent=True)
    found = calibrate(tumours, scans, targets, ["death", "unshared"], rng=2, readers=readers, evaluations=60)
    death = np.log(2) / 20
    assert found.tumours.death == pytest.approx(death, rel=0.06)
    assert found.readers.unshared == pytest.approx(-np.log(0.3) / 12 - death, rel=0.06)
    alone = Target("PFS rate", 0.0, at=12.0, reader="independent")
    result = simulate_endpoints(found.tumours, scans, patients=100, trials=40, rng=1, readers=found.readers)
    assert alone.simulated(result).value > Target("PFS rate", 0.0, at=12.0).simulated(result).value + 0.1
