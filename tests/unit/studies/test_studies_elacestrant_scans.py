"""Elacestrant's rate at 6 months from scans: identities between definitions, Bayes' rule, mixtures."""

import numpy as np
import pytest

from analysis.single_arm import exact_binomial
from analysis.studies.elacestrant import definitions, pet, pfs_rate, scans
from analysis.studies.elacestrant.scans import SCHEDULES, cohort, rate_in_trials


@pytest.fixture(scope="module")
def by_pet():
    return pet.rates_by_pet().set_index(["reading", "positive"])


def test_the_disease_is_calibrated_to_the_printed_rates():
    fit = scans.calibrated().fit
    assert fit["target"].tolist() == [0.4156, 0.2564]
    assert (np.abs(fit["simulated"] - fit["target"]) < 4 * fit["std_error"]).all()


@pytest.mark.parametrize("weeks", SCHEDULES.value)
def test_counting_the_lost_as_failures_gives_less_than_kaplan_meier(weeks):
    kaplan_meier, binomial, status = (
        rate_in_trials(cohort(weeks), definition, weeks) for definition in scans.DEFINITIONS
    )
    assert (binomial <= kaplan_meier + 1e-12).mean() > 0.95  # not all: the lost leave the risk set at their last scan
    assert binomial.mean() < kaplan_meier.mean() - 0.02
    assert (binomial <= status).mean() > 0.9


def test_twelve_weeks_show_more_patients_free_between_their_scans():
    at_four = {w: (cohort(w).time > 4.0).mean() for w in SCHEDULES.value}
    assert at_four[12] > at_four[8] + 0.03


def test_measurement_error_makes_false_progressions_of_frequent_scans():
    exact, seen = (
        (cohort(scans.ONE_WEEK, error=error).time > pfs_rate.MONTHS).mean() for error in (0.0, scans.READER.value)
    )
    assert seen < exact - 0.05


def test_a_site_that_is_not_avid_lowers_the_rate_by_its_share():
    rates = scans.rates_by_avidity().set_index(["ratio", "share"])
    slow, fast = pfs_rate.NOT_AVID_RATIOS.value
    assert rates.loc[(slow, 0.0), "rate"] == rates.loc[(fast, 0.0), "rate"]
    middle = (rates.loc[(fast, 0.0)] + rates.loc[(fast, 0.5)]) / 2
    assert abs(rates.loc[(fast, 0.25), "rate"] - middle["rate"]) < 4 * rates.loc[(fast, 0.25), "std_error"]
    assert rates.loc[(fast, 0.5), "rate"] < rates.loc[(slow, 0.5), "rate"] - 0.03


def test_an_accurate_prediction_of_the_outcome_obeys_bayes(by_pet):
    rate = float(cohort(pfs_rate.SCANS.value).controlled.mean())
    positive, negative = pet.predictive_values(rate)
    yes, no = (by_pet.loc[(pet.READINGS[0], response)] for response in ("yes", "no"))
    assert abs(yes["rate"] - positive) < 4 * yes["std_error"]
    assert abs(1 - no["rate"] - negative) < 4 * no["std_error"]


def test_the_responses_make_up_all_patients(by_pet):
    rate = cohort(pfs_rate.SCANS.value).controlled.mean()
    for reading in pet.READINGS:
        rows = by_pet.loc[reading]
        assert (rows["share"] * rows["rate"]).sum() == pytest.approx(rate)


def test_the_receptor_says_less_than_the_outcome(by_pet):
    gain = {r: by_pet.loc[(r, "yes"), "rate"] - by_pet.loc[(r, "no"), "rate"] for r in pet.READINGS}
    outcome, receptor, fall = gain.values()
    assert 0 < fall < outcome
    assert 0.05 < receptor < outcome / 2


def test_every_assumption_has_a_reason():
    assert all(assumption.reason for assumption in scans.ASSUMPTIONS)


def test_a_pace_gives_the_rate_it_was_found_for():
    pace = definitions.pace_at(0.25)
    exact = scans.stratum(pace, scans.ONE_WEEK, 0.0)
    rate = (exact.time > pfs_rate.MONTHS).mean()
    assert abs(rate - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 8000)


def test_counts_reject_exactly_from_the_critical_one():
    of = cohort(8)
    for definition in scans.DEFINITIONS[1:]:
        counts = np.rint(rate_in_trials(of, definition, 8) * of.time.shape[1])
        critical = exact_binomial(45, null_rate=0.25, alpha=0.05).critical
        found = definitions.rejects(of, definition, 8, 0.25)
        assert counts[found].min() == critical
        assert counts[~found].max() == critical - 1


def test_kaplan_meier_without_losses_is_the_test_of_a_proportion(monkeypatch):
    monkeypatch.setattr(scans, "months_to_loss", lambda of, seed: np.full(of.time.shape, np.inf))
    of = cohort(8)
    rate = (of.time.round(9) > pfs_rate.MONTHS).mean(axis=1)
    z = (rate - 0.25) / np.sqrt(rate * (1 - rate) / of.time.shape[1])
    np.testing.assert_array_equal(definitions.rejects(of, "Kaplan-Meier", 8, 0.25), z > 1.6448536269514722)


def test_losses_counted_as_failures_cost_power_and_keep_the_error_low():
    table = definitions.operating_characteristics()
    assert len(table) == 2 * 2 * 2 * 3
    null, effect = (table[(table["truth"] == table["null_rate"]) == same] for same in (True, False))
    by_count, by_curve = (null[(null["definition"] == "Kaplan-Meier") == curve] for curve in (False, True))
    assert (by_count["upper"] < 0.05).all()
    assert (by_curve.loc[by_curve["null_rate"] == 0.45, "lower"] > 0.05).all()
    power = effect.pivot(index=["null_rate", "weeks"], columns="definition", values="rejects")
    cost = power.sub(power["Kaplan-Meier"], axis=0).drop(columns="Kaplan-Meier")
    assert (cost < -0.1).all(axis=None)
    assert (cost.loc[0.45] < cost.loc[0.25] - 0.1).all(axis=None)
    by_schedule = power.xs(8, level="weeks") - power.xs(12, level="weeks")
    assert by_schedule.abs().max(axis=None) < cost.abs().min(axis=None)
