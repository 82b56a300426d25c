"""BOLERO-2: its analyses are of the same patients, and the label's intervals are where the members put them."""

import numpy as np
import pytest

from analysis.studies.bolero2 import curves

MEMBERS = 12


@pytest.fixture(scope="module")
def trial():
    return curves.together(MEMBERS)


def test_all_analyses_come_back_from_one_list_of_patients(trial):
    assert set(trial.analyses) == set(curves.TOGETHER)
    assert trial.faithful.all()
    for assessor in ("local", "central"):
        early, late = (trial.analysis(f"pfs-{cut}-{assessor}") for cut in ("interim", "final"))
        assert (early.event.sum(axis=1) < late.event.sum(axis=1)).all()
        at_risk = [(one.time >= 8).sum(axis=1) for one in (early, late)]
        assert (at_risk[0] < at_risk[1]).all()  # 230 and 143 when each was reconstructed by itself


def test_no_median_rests_on_the_last_patients_at_risk(trial):
    interim = trial.analysis("pfs-interim-central")  # nothing but medians and a ratio is printed
    for k, name in enumerate(interim.arms):
        time = interim.time[:, interim.arm_index == k]
        at_risk = (time >= interim.median(name).members[:, None]).sum(axis=1)
        assert at_risk.min() > 5  # of 485 and 239; in a quarter of the members when it was not asked for


def test_nobody_is_followed_past_the_cut_offs(trial):
    timeline = curves.timeline()
    assert timeline.cutoffs["interim"] == pytest.approx(20.27, abs=0.01)
    assert timeline.cutoffs["final"] - timeline.cutoffs["interim"] == pytest.approx(18 - 7.5)
    for name, one in trial.analyses.items():
        month = timeline.cutoff_of(curves.reported().comparison(name))
        if month is not None:
            assert one.time.max() <= month + 1e-6
    assert trial.endpoints["OS"].time.max() < 52.1


def test_the_first_line_is_part_of_all_patients(trial):
    table = {
        inside: trial.part("PFS local", curves.FIRST_LINE_PATIENTS, inside=inside).arm_index.size
        for inside in (True, False)
    }
    assert table == {True: 137, False: 587}
    assert trial.interaction("PFS local", curves.FIRST_LINE_PATIENTS).estimate < 1


def test_the_label_prints_intervals_where_members_that_do_not_know_them_put_them():
    table = curves.label_intervals()
    assert len(table) == 8
    assert np.all((table["members, lower"] <= table["label"]) & (table["label"] <= table["members, upper"]))


def test_the_asian_patients_and_the_others_are_all_patients(trial):
    inside, outside = (trial.part("PFS local", curves.ASIAN_PATIENTS, inside=inside) for inside in (True, False))
    assert (inside.arm_index.size, outside.arm_index.size) == (143, 581)
    assert outside.hazard_ratio().members == pytest.approx(trial.analysis(curves.NON_ASIAN).hazard_ratio().members)


def test_the_numbers_of_the_non_asian_patients_are_where_members_that_do_not_know_them_put_them():
    table = curves.non_asian_beforehand()
    assert table["printed"].tolist() == [7.33, 2.83, 0.41]
    assert np.all((table["members, lower"] <= table["printed"]) & (table["printed"] <= table["members, upper"]))
