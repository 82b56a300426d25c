"""What each simulated trial reports: shares, medians, and their Monte Carlo errors by hand."""

import numpy as np
import pytest

from analysis.endpoints.batch import empty
from analysis.endpoints.codes import CPD, CR, MISSING, NE, NON_CR_NON_PD, PD, PR, SD
from analysis.endpoints.trial_values import medians, over_trials, pooled_median, shares


def test_an_error_over_trials_is_that_of_a_mean():
    found = over_trials(np.array([0.2, 0.4, np.nan, 0.6, 0.8]))
    assert found.value == pytest.approx(0.5)
    assert found.std_error == pytest.approx(np.std([0.2, 0.4, 0.6, 0.8], ddof=1) / 2)
    assert np.isnan(over_trials(np.array([0.3])).std_error)


def test_the_error_of_a_pooled_median_is_that_of_the_mean_of_20_groups():
    time = np.repeat(np.arange(1.0, 21.0)[:, None], 5, axis=1)
    all_of_them = np.ones(time.shape, bool)
    found = pooled_median(time, all_of_them, all_of_them)
    assert 10 <= found.value <= 11
    assert found.std_error == pytest.approx(np.arange(1, 21).std(ddof=1) / np.sqrt(20))
    assert np.isnan(pooled_median(time[:19], all_of_them[:19], all_of_them[:19]).std_error)


def test_every_best_response_is_counted_once():
    best = np.array([CR, PR, SD, NON_CR_NON_PD, PD, CPD, NE, MISSING], np.int8)
    confirmed = np.array([CR, SD, SD, NON_CR_NON_PD, PD, CPD, NE, MISSING], np.int8)
    seen = empty(len(best), 0)._replace(
        best=best[None, None], confirmed_best=confirmed[None, None], response=np.isin(best, (CR, PR))[None, None]
    )
    assert {name: float(of[0]) * 8 for name, of in shares(seen, 0).items()} == {
        "objective response": 2,
        "confirmed response": 1,
        "disease control as best response": 4,
        "best response CR": 1,
        "best response PR": 1,
        "best response SD": 2,
        "best response PD": 2,
        "best response NE": 2,
    }


def test_a_median_is_taken_over_the_patients_who_have_a_value():
    assert medians(np.array([[1.0, np.nan, 5.0], [2.0, 3.0, 4.0]])).tolist() == [3.0, 3.0]
    assert np.isnan(medians(np.array([[np.nan, np.nan]]))).tolist() == [True]
