"""What readers see of a known disease: their errors, their lesions, their delay; and how that disease is drawn."""

import numpy as np
import pytest

from analysis.endpoints import Claret, Organs, PseudoProgression, Rate, Readers, Stein, Tumours, Wang
from analysis.endpoints.codes import MISSING, NON_CR_NON_PD, PD
from analysis.endpoints.organs import choose_targets
from analysis.endpoints.readers import read_disease
from analysis.endpoints.tumours import draw_disease

STABLE = Stein(Rate(0.0), Rate(0.0))
PATIENTS = 4000
ONE_VISIT = np.full((PATIENTS, 1), 1.0)


def read(tumours, readers, targets=1, **changed):
    """Draw a disease that is seen at baseline and at one month, and read it."""
    rng = np.random.default_rng(5)
    disease = draw_disease(tumours, ONE_VISIT, readers.lesions(targets), rng)._replace(**changed)
    return disease, read_disease(disease, readers, ONE_VISIT, targets, rng)


def test_errors_of_two_readers_are_as_wide_and_as_correlated_as_asked_for():
    tumours = Tumours(STABLE, baseline=100.0, baseline_spread=0.0, nodes=0.0)
    for correlation in (0.0, 0.5, 0.9):
        _, scans = read(tumours, Readers(0.1, correlation, independent=True))
        first, second = (np.log(seen.diameter / 100.0).ravel() for seen in scans)
        for errors in (first, second):
            assert errors.std() == pytest.approx(0.1, abs=4 * 0.1 / np.sqrt(2 * errors.size))
        error = (1 - correlation**2) / np.sqrt(first.size)
        assert np.corrcoef(first, second)[0, 1] == pytest.approx(correlation, abs=4 * error)


def test_new_lesions_and_non_target_progression_are_called_late_by_the_same_delay():
    there = np.zeros(PATIENTS)
    _, [seen] = read(Tumours(STABLE), Readers(delay=2.0), new_lesion=there, non_target=there)
    expected = 1 - np.exp(-1 / 2)
    for called in (seen.new[:, 1] > 0, seen.non_target[:, 1] == PD):
        assert called.mean() == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(PATIENTS))
    _, [seen] = read(Tumours(STABLE), Readers(), new_lesion=there, non_target=there)
    assert (seen.new[:, 1] > 0).all()
    assert (seen.non_target[:, 1] == PD).all()


def test_the_other_reader_alone_follows_other_lesions():
    disease, (first, second) = read(Tumours(STABLE), Readers(other_lesion=0.3, independent=True), targets=3)
    np.testing.assert_array_equal(first.diameter, np.round(disease.diameter[:, :, :3], 1))
    others = (second.diameter[:, 0] == np.round(disease.diameter[:, 0, 3:], 1)) & (
        second.diameter[:, 0] != first.diameter[:, 0]
    )
    same = second.diameter[:, 0] == first.diameter[:, 0]
    assert (others | same).all()
    # two lesions below the smallest size of a target, raised to it, look the same
    assert 0.22 < others.mean() < 0.3 + 4 * 0.5 / np.sqrt(3 * PATIENTS)


def test_the_other_reader_alone_passes_over_the_largest_of_an_organ():
    tumours = Tumours(STABLE, organs=Organs({"liver": 0.7, "lymph node": 0.3}, lesions=6.0))
    disease, (first, second) = read(tumours, Readers(other_lesion=0.3, independent=True), targets=5)
    measured = np.round(disease.diameter[:, 0], 1)
    nothing = np.zeros(measured.shape, bool)
    largest = choose_targets(measured, disease.organ, disease.node, nothing, 5)
    expected = np.where(largest >= 0, np.take_along_axis(measured, largest, 1), 0.0)
    np.testing.assert_array_equal(first.diameter[:, 0], expected)
    assert 0.1 < (second.diameter[:, 0] != expected).any(axis=1).mean() < 1.0


def test_lesions_that_a_reader_does_not_follow_are_non_target_disease():
    organs = Organs({"liver": 0.7, "lung": 0.3}, lesions=3.0)
    disease, [seen] = read(Tumours(STABLE, organs=organs, with_non_target=0.0), Readers(), targets=5)
    left = (disease.organ >= 0).sum(axis=1) > (seen.organ >= 0).sum(axis=1)
    assert 0.1 < left.mean() < 0.9
    np.testing.assert_array_equal(seen.non_target == NON_CR_NON_PD, np.repeat(left[:, None], 2, axis=1))
    _, [seen] = read(Tumours(STABLE, organs=organs, with_non_target=1.0), Readers(), targets=5)
    assert (seen.non_target == NON_CR_NON_PD).all()


def test_patients_without_non_target_disease_have_no_progression_of_it():
    there = np.zeros(PATIENTS)
    disease, [seen] = read(Tumours(STABLE, with_non_target=0.3), Readers(), non_target=there)
    assert disease.with_non_target.mean() == pytest.approx(0.3, abs=4 * 0.5 / np.sqrt(PATIENTS))
    assert (seen.non_target[disease.with_non_target] == [NON_CR_NON_PD, PD]).all()
    assert (seen.non_target[~disease.with_non_target] == MISSING).all()


def test_small_lesions_are_read_as_5_mm_and_below_2_mm_as_absent_but_nodes_as_they_are():
    true = [4.94, 2.0, 1.9]
    diameter = np.full((PATIENTS, 2, 3), 30.0)
    diameter[:, 1] = true
    for nodal, expected in ((False, [5.0, 5.0, 0.0]), (True, [4.9, 2.0, 1.9])):
        node = np.full((PATIENTS, 3), nodal)
        _, [seen] = read(Tumours(STABLE), Readers(), targets=3, diameter=diameter, node=node)
        assert (seen.diameter[:, 1] == expected).all()


def test_targets_measure_at_least_10_mm_and_nodes_15_mm():
    measured, organ, nothing = np.array([[30.0, 10.0, 9.9]]), np.array([[0, 1, 2]]), np.zeros((1, 3), bool)
    assert choose_targets(measured, organ, nothing, nothing, 5).tolist() == [[0, 1, -1, -1, -1]]
    nodes = np.array([[30.0, 15.0, 14.9]])
    assert choose_targets(nodes, organ, ~nothing, nothing, 5).tolist() == [[0, 1, -1, -1, -1]]


def test_a_node_shrinks_to_5_mm_and_another_lesion_to_nothing():
    shrinking = Stein(Rate(0.0), Rate(50.0))
    for nodes, end in ((1.0, 5.0), (0.0, 0.0)):
        disease, _ = read(Tumours(shrinking, nodes=nodes), Readers())
        np.testing.assert_allclose(disease.diameter[:, 1], end, atol=1e-9)
    growing, _ = read(Tumours(Wang(Rate(1.0), Rate(0.0)), nodes=1.0), Readers())
    np.testing.assert_allclose(growing.diameter[:, 1] - 5, 2 * (growing.diameter[:, 0] - 5))


def test_pseudo_progression_is_the_only_one_of_its_patients():
    state = PseudoProgression(0.4, swelling=0.5, until=3.0, shrinkage=0.2)
    tumours = Tumours(STABLE, nodes=0.0, new_lesions=5.0, non_target=5.0, death=5.0, pseudo_progression=state)
    rng = np.random.default_rng(2)
    disease = draw_disease(tumours, np.tile([2.9, 3.0, 6.0], (PATIENTS, 1)), 2, rng)
    assert disease.pseudo.mean() == pytest.approx(0.4, abs=4 * 0.5 / np.sqrt(PATIENTS))
    for progression in (disease.new_lesion, disease.non_target):
        np.testing.assert_array_equal(np.isinf(progression), disease.pseudo)
    assert np.isfinite(disease.death).all()
    relative = disease.diameter[:, 1:] / disease.diameter[:, :1]
    expected = np.array([1.5, np.exp(-0.6), np.exp(-1.2)])[:, None]
    np.testing.assert_allclose(relative[disease.pseudo] - expected, 0.0, atol=1e-12)
    np.testing.assert_allclose(relative[~disease.pseudo], 1.0)


def test_rates_vary_between_patients_and_between_the_lesions_of_one():
    rng, lesions = np.random.default_rng(3), 5
    of_patients = np.log(Rate(2.0, between_patients=0.5).draw(PATIENTS, lesions, rng) / 2.0)
    assert np.ptp(of_patients, axis=1).max() < 1e-12
    assert of_patients[:, 0].std() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2 * PATIENTS))
    of_lesions = np.log(Rate(2.0, between_lesions=0.5).draw(PATIENTS, lesions, rng) / 2.0)
    assert of_lesions.std() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2 * PATIENTS * lesions))
    assert abs(np.corrcoef(of_lesions[:, 0], of_lesions[:, 1])[0, 1]) < 4 / np.sqrt(PATIENTS)


def test_scaling_a_law_multiplies_its_growth_and_its_shrinkage():
    growth, shrinkage, resistance = Rate(0.1, 0.5), Rate(0.3, 0.6, 0.2), Rate(0.2)
    doubled, tripled = Rate(0.2, 0.5), Rate(0.3 * 3, 0.6, 0.2)
    assert Stein(growth, shrinkage).scaled(2, 3) == Stein(doubled, tripled)
    assert Wang(growth, shrinkage).scaled(2, 3) == Wang(doubled, tripled)
    assert Claret(growth, shrinkage, resistance).scaled(2, 3) == Claret(doubled, tripled, resistance)


def test_without_resistance_the_effect_lasts():
    time, rng = np.array([[1.0, 4.0]]), np.random.default_rng(1)
    sizes = Claret(Rate(0.1), Rate(0.3), Rate(0.0)).relative(time, 1, rng)
    np.testing.assert_allclose(sizes[0, 0], np.exp((0.1 - 0.3) * time[0]))
