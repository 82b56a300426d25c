"""Elacestrant's rate at 6 months from scans: identities between definitions, Bayes' rule, mixtures."""

import numpy as np
import pytest

from analysis.studies import elacestrant, elacestrant_scans
from analysis.studies.elacestrant_scans import SCHEDULES, cohort, rate_in_trials


@pytest.fixture(scope="module")
def by_pet():
    return elacestrant_scans.rates_by_pet().set_index(["reading", "response"])


def test_the_disease_is_calibrated_to_the_printed_rates():
    fit = elacestrant_scans.calibrated().fit
    assert fit["target"].tolist() == [0.4156, 0.2564]
    assert (np.abs(fit["simulated"] - fit["target"]) < 4 * fit["std_error"]).all()


@pytest.mark.parametrize("weeks", SCHEDULES.value)
def test_counting_the_lost_as_failures_gives_less_than_kaplan_meier(weeks):
    kaplan_meier, binomial, status = (
        rate_in_trials(cohort(weeks), definition, weeks) for definition in elacestrant_scans.DEFINITIONS
    )
    assert (binomial <= kaplan_meier + 1e-12).mean() > 0.95  # not all: the lost leave the risk set at their last scan
    assert binomial.mean() < kaplan_meier.mean() - 0.02
    assert (binomial <= status).mean() > 0.9


def test_twelve_weeks_show_more_patients_free_between_their_scans():
    at_four = {w: (cohort(w).time > 4.0).mean() for w in SCHEDULES.value}
    assert at_four[12] > at_four[8] + 0.03


def test_measurement_error_makes_false_progressions_of_frequent_scans():
    exact, seen = (
        (cohort(elacestrant_scans.ONE_WEEK, error=error).time > elacestrant.MONTHS).mean()
        for error in (0.0, elacestrant_scans.READER.value)
    )
    assert seen < exact - 0.05


def test_a_site_that_is_not_avid_lowers_the_rate_by_its_share():
    rates = elacestrant_scans.rates_by_avidity().set_index(["ratio", "share"])
    slow, fast = elacestrant.NOT_AVID_RATIOS.value
    assert rates.loc[(slow, 0.0), "rate"] == rates.loc[(fast, 0.0), "rate"]
    middle = (rates.loc[(fast, 0.0)] + rates.loc[(fast, 0.5)]) / 2
    assert abs(rates.loc[(fast, 0.25), "rate"] - middle["rate"]) < 4 * rates.loc[(fast, 0.25), "std_error"]
    assert rates.loc[(fast, 0.5), "rate"] < rates.loc[(slow, 0.5), "rate"] - 0.03


def test_an_accurate_prediction_of_the_outcome_obeys_bayes(by_pet):
    rate = float(cohort(elacestrant.SCANS.value).controlled.mean())
    positive, negative = elacestrant_scans.predictive_values(rate)
    yes, no = (by_pet.loc[("predicts the outcome", response)] for response in ("yes", "no"))
    assert abs(yes["rate"] - positive) < 4 * yes["std_error"]
    assert abs(1 - no["rate"] - negative) < 4 * no["std_error"]


def test_the_responses_make_up_all_patients(by_pet):
    rate = cohort(elacestrant.SCANS.value).controlled.mean()
    for reading in elacestrant_scans.READINGS:
        rows = by_pet.loc[reading]
        assert (rows["share"] * rows["rate"]).sum() == pytest.approx(rate)


def test_the_receptor_says_less_than_the_outcome(by_pet):
    gain = {r: by_pet.loc[(r, "yes"), "rate"] - by_pet.loc[(r, "no"), "rate"] for r in elacestrant_scans.READINGS}
    outcome, receptor = gain.values()
    assert 0.05 < receptor < outcome / 2


def test_every_assumption_has_a_reason():
    assert all(assumption.reason for assumption in elacestrant_scans.ASSUMPTIONS)
