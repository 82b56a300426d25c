"""XENERA-1's own curves, its interim look and strata; BOLERO-4; the conclusions that open the notebooks."""

import re

import numpy as np
import pytest

from analysis.sequential import FutilityBounds, GroupSequentialDesign, OBrienFleming
from analysis.studies.bolero2 import curves as bolero2
from analysis.studies.bolero4 import curves as bolero4
from analysis.studies.caboavenec import words as caboavenec
from analysis.studies.elacestrant import words as elacestrant
from analysis.studies.xenera1 import own_curves, plan
from analysis.survival import kaplan_meier


def test_both_readings_are_of_the_same_patients_and_give_their_numbers_back():
    trial = own_curves.together()
    assert bool(trial.faithful.all())
    patients = trial.patients(0)
    assert len(patients) == 101
    assert trial.diagnostics["distinct members"] > 20


def test_the_differences_are_those_of_the_curves():
    table = own_curves.differences().set_index(["reader", "quantity"])
    member = own_curves.together().analysis("pfs-investigator").ipd(member=3)
    at_6 = {arm: float(kaplan_meier(one["time"], one["event"]).survival_at(6.0)) for arm, one in member.groupby("arm")}
    row = table.loc[("investigator", "progression-free at 6 months")]
    assert row["lower"] - 0.1 <= at_6["xentuzumab"] - at_6["placebo"] <= row["upper"] + 0.1
    assert (table["lower"] <= table["estimate"]).all()
    crossing = table.xs("curves cross last at", level="quantity")
    assert ((crossing["estimate"] > 0) & (crossing["estimate"] <= own_curves.TAU)).all()


def test_an_interim_for_futility_stops_as_its_formula_says():
    table = own_curves.with_interim(5_000).set_index("hazard_ratio")
    null = table.loc[1.0]
    assert null["stops"] == pytest.approx(0.5, abs=4 * null["stops_std_error"] + 0.01)  # z of 0 at the interim
    assert null["power"] == pytest.approx(plan.ALPHA.value, abs=0.01)
    assert (table["power"] <= table["without_interim"] + 0.03).all()
    assert table["stops"].is_monotonic_increasing
    design = GroupSequentialDesign((0.5, 1.0), efficacy=OBrienFleming(), futility=FutilityBounds((0.0,)))
    assert design.lower[0] == 0


def test_regard_to_a_stratum_does_not_cost_power():
    table = own_curves.stratified(5_000).set_index("test")
    assert table.loc["stratified", "power"] > table.loc["not stratified", "power"] - 0.01


def test_bolero_4_has_its_printed_rates_and_no_median():
    table = bolero4.landmarks().set_index("time")
    assert table.loc[6.0, "mean"] == pytest.approx(0.836, abs=0.0006)
    assert table.loc[12.0, "mean"] == pytest.approx(0.714, abs=0.0006)
    assert table["mean"].is_monotonic_decreasing
    (row,) = bolero4.mean_time().itertuples()
    assert 12 * 0.714 < row.estimate < 12
    assert row.upper - row.lower < 2 * row.std_error  # the report leaves less open than the trial's own error


def test_subgroup_ratios_lie_on_both_sides_of_the_whole():
    table = bolero2.subgroup_ratios().set_index("patients")
    whole = table.loc["all, final", "estimate"]
    for part, rest in (("first line", "not first line"), ("no visceral metastases", "visceral metastases")):
        low, high = sorted([table.loc[part, "estimate"], table.loc[rest, "estimate"]])
        assert low - 0.03 < whole < high + 0.03
    assert np.isfinite(table[["lower", "upper"]].to_numpy()).all()


@pytest.mark.parametrize(
    "say", [caboavenec.disease_control, caboavenec.endpoints, elacestrant.rate, elacestrant.reading]
)
def test_conclusions_are_at_most_five_sentences_without_holes(say):
    text = say()
    sentences = re.findall(r"[.!?](?= [A-Z]|$)", text)
    assert len(sentences) <= 6
    assert "nan" not in text
    assert "{" not in text


def test_what_the_readings_share_grows_with_their_agreement():
    table = own_curves.by_agreement()
    assert (table["faithful"] == 1).all()
    assert table["correlation"].is_monotonic_increasing
    assert table["apart"].is_monotonic_decreasing
    independent, assumed = table.iloc[0], table[table["agreement"] == 0.8].iloc[0]
    assert abs(independent["correlation"]) < 0.1
    assert assumed["correlation"] > 0.55
    assert assumed["progressed_by_both"] > independent["progressed_by_both"] + 0.1
