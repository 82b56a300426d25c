"""The difference of two quantiles: what its formula does not know is said, and its level does not jump with n."""

import re

import pytest

from analysis.conventions import replace
from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.power import power, power_summary
from analysis.statistical_tests import QuantileDifference
from analysis.survival import Exponential, LogLogistic, PiecewiseExponential, ProportionalHazards

CONTROL = Exponential.from_median(8)


def at(month, n=150, **options):
    return TrialDesign(n=n, accrual=UniformAccrual(12), looks=(Look(AtTime(month)),), **options)


def test_quantiles_that_trials_do_not_determine_are_said_by_both_ways():
    """Events so late that most trials cannot tell when 30% have had one: a power in silence would be wrong."""
    scenario = Scenario.proportional_hazards(Exponential(0.041), 0.51)
    design, test = at(19, n=200), QuantileDifference(0.3)
    by_formula, simulated = power(design, scenario, test), power(design, scenario, test, by="simulation", trials=2000)
    assert by_formula.power > simulated.power + 0.2
    assert "of trials determine both quantiles" in by_formula.protocol_text().replace("Only about", "only about")
    assert "do not determine the statistic" in simulated.summary()["value"].str.cat(sep=" ")
    late, weaker = at(60, n=500), Scenario.proportional_hazards(Exponential(0.041), 0.7)
    assert power(late, weaker, test).notes == ()
    by_simulation = power(late, weaker, test, by="simulation").power
    assert power(late, weaker, test).power == pytest.approx(by_simulation, abs=0.03)


@pytest.mark.parametrize("strata", [{"all": 1.0}, {"a": 0.5, "b": 0.5}])
def test_few_events_by_a_quantile_are_said(strata):
    design, scenario = at(36, n=76 * len(strata), strata=strata), Scenario.proportional_hazards(CONTROL, 0.55)
    where = "one arm of a stratum" if len(strata) == 2 else "one arm"
    said = power(design, scenario, QuantileDifference()).notes[0]
    assert f"with an event by the quantile in {where}, too few for the normal approximation" in said
    assert power(replace(design, n=4 * design.n), scenario, QuantileDifference()).notes == ()


@pytest.mark.parametrize("p", [0.3, 0.5, 0.75])
@pytest.mark.parametrize("events", [60, 80, 100])
def test_power_and_type_1_error_of_a_quantile_do_not_jump_with_the_number_of_patients(p, events):
    """As whole steps the interval behind the error made 0.43 of a power of 0.53, and 0.017 to 0.043 of alpha."""
    design, test = at(90, n=int(2 * events / p)), QuantileDifference(p)
    found = power_summary(design, Scenario.proportional_hazards(Exponential(0.041), 0.7), test, trials=10_000, rng=1)
    (by_formula,) = found.methods.values()
    assert by_formula.power == pytest.approx(found.simulated.power + 0.01, abs=0.01 + 4 * found.simulated.std_error)
    assert found.type_one_error.power == pytest.approx(0.029, abs=0.003 + 4 * found.type_one_error.std_error)


def test_a_hazard_that_changes_near_a_quantile_is_said():
    """The experimental curve comes down to 75% at 3.7 months; at 4 months the hazard falls."""
    control = PiecewiseExponential([0.12, 0.05], [4.0])
    scenario = Scenario({"control": control, "experimental": ProportionalHazards(control, 0.65)})
    design, test = at(36, n=700), QuantileDifference(0.25)
    by_formula, simulated = (power(design, scenario, test, by=by) for by in ("formula", "simulation"))
    assert by_formula.power > simulated.power + 0.05
    said = r"within two standard errors of a quantile the mean hazard is 0\.\d{3} times that at it"
    assert re.match(said, by_formula.notes[0])
    assert power(design, scenario, QuantileDifference(0.5)).notes == ()


@pytest.mark.parametrize(("events", "least", "most"), [(40, 0.0, 0.05), (10, 0.07, 0.13)])
def test_the_events_that_are_enough_keep_the_formula_near_the_simulation(events, least, most):
    """Two strata of log-logistic times: with ten events by the median in each arm the formula is far too hopeful."""
    control = LogLogistic(1.5, 8.0)
    scenario = Scenario(
        {"control": control, "experimental": ProportionalHazards(control, 0.7 if events == 40 else 0.56)}
    )
    design = at(60, n=int(8.4 * events), strata={"a": 0.5, "b": 0.5})
    found = power_summary(design, scenario, QuantileDifference(), trials=10_000, rng=1)
    (by_formula,) = found.methods.values()
    assert least < by_formula.power - found.simulated.power < most
    assert bool(by_formula.notes) == (events < 40)
