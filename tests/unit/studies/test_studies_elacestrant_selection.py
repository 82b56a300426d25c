"""Selection by FES-PET: Bayes' rule, an independent simulation of lesions, and rates that mix as they should."""

import numpy as np
import pytest

from analysis.studies.elacestrant import pet, selection
from analysis.studies.remembered import FOLDER


def test_predictive_values_are_bayes_and_screening_is_negative_binomial():
    table = selection.by_patient().set_index("prevalence")
    assert table.loc[0.8, "positive_predictive_value"] == pytest.approx(0.86 * 0.8 / (0.86 * 0.8 + 0.14 * 0.2))
    assert table.loc[0.8, "negative_predictive_value"] == pytest.approx(0.86 * 0.2 / (0.86 * 0.2 + 0.14 * 0.8))
    rng = np.random.default_rng(1)
    enter = table.loc[0.7, "enter"]
    screened = 45 + rng.negative_binomial(45, enter, 100_000)
    assert table.loc[0.7, "screened"] == pytest.approx(screened.mean(), rel=0.005)
    assert (screened <= table.loc[0.7, "screened_90"]).mean() >= 0.9
    assert (screened <= table.loc[0.7, "screened_90"] - 1).mean() < 0.9


@pytest.mark.parametrize(("prevalence", "lesions", "likeness"), [(0.7, 4, 0.3), (0.9, 2, 0.9), (0.8, 6, 0.6)])
def test_the_rule_at_lesion_level_is_what_simulated_lesions_give(prevalence, lesions, likeness):
    rng = np.random.default_rng(2)
    n, size = 200_000, 1 / likeness - 1
    own = rng.beta(prevalence * size, (1 - prevalence) * size, n)
    express = rng.random((n, lesions)) < own[:, None]
    avid = express == (rng.random((n, lesions)) < 0.86)
    enters = avid.mean(axis=1) >= 0.5
    table = selection.by_lesion().set_index(["prevalence", "lesions", "likeness"]).loc[(prevalence, lesions, likeness)]
    assert table["enter"] == pytest.approx(enters.mean(), abs=0.005)
    assert table["fulfil"] == pytest.approx((express.mean(axis=1) >= 0.5)[enters].mean(), abs=0.005)
    assert table["all_express"] == pytest.approx(express.all(axis=1)[enters].mean(), abs=0.005)
    assert table["none_express"] == pytest.approx((~express).all(axis=1)[enters].mean(), abs=0.005)
    assert table["wrongly_out"] == pytest.approx((express.mean(axis=1) >= 0.5)[~enters].mean(), abs=0.015)


def test_selection_raises_the_rate_and_by_no_more_than_the_groups_differ():
    table = selection.rate_under_selection()
    assert (table["difference"] > 0).all()
    assert (table["selected"] <= table["selected"].max()).all()
    assert (table["std_error"] < 0.01).all()


def test_an_early_fall_of_uptake_says_more_the_less_it_scatters(monkeypatch):
    monkeypatch.setenv(FOLDER, "")  # an answer that is kept rests on the code, not on what is changed below

    def gain():
        pet.rates_by_pet.cache_clear()
        rates = pet.rates_by_pet().set_index(["reading", "positive"])["rate"]
        return rates["early fall of uptake", "yes"] - rates["early fall of uptake", "no"]

    as_assumed = gain()
    monkeypatch.setattr(pet, "SPREAD", pet.SPREAD.__class__("scatter", 1.5, "", "large"))
    scattered = gain()
    pet.rates_by_pet.cache_clear()
    assert as_assumed > scattered > 0
