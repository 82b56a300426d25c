"""Event times made of others: PFS of an illness-death model, and what is made of an ensemble's members."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.conventions import replace
from analysis.design import (
    Assessments,
    AtTime,
    IllnessDeath,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError
from analysis.power import power
from analysis.statistical_tests import LogRank, MilestoneDifference, RMSTDifference
from analysis.survival import Earliest, Ensemble, Exponential, Mixture, ProportionalHazards, Weibull

PROGRESSING = IllnessDeath(Exponential.from_median(11), Exponential(0.05), Exponential.from_median(10))
LESS = IllnessDeath(Weibull(1.1, 17), Exponential(0.02), Exponential.from_median(10))


@pytest.mark.parametrize("test", [LogRank(), RMSTDifference(12), MilestoneDifference(9)], ids=lambda test: test.name)
def test_pfs_of_an_illness_death_model_has_the_power_that_is_simulated(test):
    design = TrialDesign(n=240, accrual=UniformAccrual(12), looks=(Look(AtTime(24)),), dropout=0.01)
    scenario = Scenario({"control": PROGRESSING, "experimental": LESS})
    simulated = power(design, scenario, test, by="simulation", trials=4_000, rng=1)
    assert abs(power(design, scenario, test).power - simulated.power) < 0.01 + 3 * simulated.std_error
    for other in (replace(design, endpoint="OS"), replace(design, assessments=Assessments.every(2))):
        with pytest.raises(InvalidValueError, match=r"by=.simulation."):
            power(other, scenario, test)


UNKNOWN = Ensemble([Exponential.from_median(months) for months in (4, 8, 16, 30)])


@pytest.mark.parametrize(
    ("made", "of_member"),
    [
        (ProportionalHazards(UNKNOWN, 0.6), lambda one: ProportionalHazards(one, 0.6)),
        (ProportionalHazards(UNKNOWN, (1, 0.5), (3,)), lambda one: ProportionalHazards(one, (1, 0.5), (3,))),
        (
            Mixture([UNKNOWN, ProportionalHazards(UNKNOWN, 0.3)]),
            lambda one: Mixture([one, ProportionalHazards(one, 0.3)]),
        ),
        (Earliest([UNKNOWN, Exponential(0.02)]), lambda one: Earliest([one, Exponential(0.02)])),
    ],
    ids=["ratio", "delayed", "some", "first"],
)
def test_what_is_made_of_an_ensemble_is_made_of_each_member(made, of_member):
    design = TrialDesign(n=200, accrual=UniformAccrual(12), looks=(Look(AtTime(24)),))
    scenario = Scenario({"control": UNKNOWN, "experimental": made})
    each = Ensemble([of_member(one) for one in UNKNOWN.members])
    assert scenario.of("experimental") == each
    right = [power(design, Scenario({"control": one, "experimental": of_member(one)})).power for one in UNKNOWN.members]
    np.testing.assert_allclose(power(design, scenario).members, right, rtol=1e-12)
    model = IllnessDeath(made, Exponential(0.01), Exponential(0.1))
    assert model.progression == each
    said = "one of 4 curves times hazard ratio 1, from month 3 0.5, with medians"
    assert (said in power(design, scenario).protocol_text()) == (
        made.kind == "one of 4 curves times hazard ratio 1, from month 3 0.5,"
    )


def test_ensembles_of_several_sizes_in_one_distribution_are_refused():
    with pytest.raises(InvalidValueError, match="ensembles of one size"):
        Scenario({"control": Mixture([UNKNOWN, Ensemble([Exponential(0.1)] * 3)])})
