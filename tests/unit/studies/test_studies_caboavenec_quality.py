"""CaboAveNEC's quality of life and its marker: what follows from the assumptions, and what the words say of it."""

import numpy as np
import pytest

from analysis.studies.caboavenec import definitions, markers, quality, words


def test_what_is_seen_is_what_was_lost_while_everybody_is_asked():
    table = quality.by_visit()
    alive = table[table["asked"] == "death"]
    # scores end at 0: a patient near it cannot lose all
    assert (alive["change"] - alive["everybody"]).between(-4 * alive["std_error"].max(), 0.6).all()
    lossless = table[table["loss"] == 0]
    assert (lossless["everybody"] == 0).all()
    assert (lossless["change"].abs() < 4 * lossless["std_error"]).all()


def test_questionnaires_that_end_with_progression_hide_its_cost():
    table = quality.by_visit().set_index(["asked", "loss", "week"])["change"]
    for loss in quality.LOSSES.value[1:]:
        hidden = [table["progression", loss, week] - table["death", loss, week] for week in (24, 48)]
        assert min(hidden) > 1
    patients = quality.by_visit().set_index(["asked", "loss", "week"])["patients"]
    assert patients["progression", 10.0, 48] < 0.5 * patients["death", 10.0, 48]


def test_stricter_definitions_find_fewer_and_losses_find_more():
    table = quality.deterioration().pivot(index="definition", columns=["asked", "loss"], values="deteriorated")
    order = table.loc[["definitive, 10 points", "confirmed, 10 points", "first, 10 points"]].to_numpy()
    assert (np.diff(order, axis=0) >= 0).all()
    for asked in quality.ASKED.value:
        assert (np.diff(table[asked].to_numpy(), axis=1) > 0).all()


def test_the_marker_keeps_the_rate_and_the_error():
    table = markers.association()
    rate = definitions.reported_control()[0]
    together = table["positive"] * table["rate_positive"] + (1 - table["positive"]) * table["rate_negative"]
    np.testing.assert_allclose(together, rate)
    odds = [p / (1 - p) for p in (table["rate_positive"], table["rate_negative"])]
    np.testing.assert_allclose(odds[0] / odds[1], table["odds_ratio"])
    assert (table.loc[table["odds_ratio"] == 1, "significant"] <= 0.05).all()
    for _, own in table.groupby("positive"):
        assert own["significant"].is_monotonic_increasing


def test_the_words_have_the_numbers_of_the_tables():
    table = markers.association().set_index(["positive", "odds_ratio"])["significant"]
    assert f"{table.loc[(0.5, 10.0)]:.0%}" in words.marker()
    seen = quality.by_visit().query("asked == 'death' and loss == 20 and week == 48")["change"].iloc[0]
    assert f"until death {-seen:.0f}." in words.quality_of_life()


@pytest.mark.parametrize("assumption", [*quality.ASSUMPTIONS, *markers.ASSUMPTIONS], ids=lambda one: one.name)
def test_nothing_is_assumed_without_a_reason(assumption):
    assert "not" in assumption.reason or "no share" in assumption.reason
