"""Patients without measurable disease: no target, non-target disease that decides."""

import numpy as np
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    Organs,
    Rate,
    Readers,
    Stein,
    Tumours,
    derive,
    simulate_endpoints,
    simulated_measurements,
)
from analysis.endpoints.codes import CR, NON_CR_NON_PD, PD, PR, SD
from analysis.errors import InvalidValueError

SCANS = Attendance(Assessments.every(8 * WEEK), until=12.0)
GROWTH = Stein(Rate(0.1, 0.5), Rate(0.3, 0.5))


def simulate(readers=None, trials=50, **options):
    tumours = Tumours(GROWTH, new_lesions=0.05, non_target=0.05, death=0.02, **options)
    return simulate_endpoints(tumours, SCANS, patients=40, trials=trials, rng=2, readers=readers or Readers(error=0.1))


@pytest.mark.parametrize("nobody", [{"targets": 0}, {"measurable": 0.0}, {"measurable": 0.0, "with_non_target": 0.2}])
def test_without_measurable_disease_nobody_responds_and_progression_is_that_of_the_rest(nobody):
    result = simulate(**nobody)
    best = result.of().best[0]
    assert not np.isin(best, (CR, PR, SD)).any()
    assert np.isin(best, (NON_CR_NON_PD, PD)).mean() > 0.9
    assert np.isnan(result.of().depth).all()
    assert result.of().event[0].mean() > 0.5


def test_all_measurable_changes_no_bit():
    for first, second in zip(simulate().of(), simulate(measurable=1.0).of(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_share_is_that_share():
    best = simulate(measurable=0.4, trials=300).of().best[0]
    without = np.isnan(simulate(measurable=0.4, trials=300).of().depth).mean()
    assert without > 0.55
    assert 0.3 < np.isin(best, (NON_CR_NON_PD,)).mean() < 0.6


def test_organs_and_two_readers_go_with_it():
    readers = Readers(error=0.1, other_lesion=0.5, independent=True)
    organs = Organs({"liver": 0.6, "lymph node": 0.4}, lesions=4.0)
    for options in ({"organs": organs, "measurable": 0.3}, {"measurable": 0.3}, {"targets": 0}):
        result = simulate(readers, **options)
        assert np.isfinite(result.of("independent").time).all()


def test_measurements_of_such_patients_are_derived_alike():
    result = simulate(trials=2, measurable=0.5)
    derivation = derive(*simulated_measurements(result, 1))
    assert not [finding for finding in derivation.findings if finding.severity == "error"]
    assert derivation.histories["RECIST 1.1"]


@pytest.mark.parametrize("options", [{"targets": 6}, {"targets": -1}, {"targets": 1.5}, {"measurable": 40}])
def test_what_no_patient_can_have_is_refused(options):
    with pytest.raises(InvalidValueError):
        simulate(**options)
