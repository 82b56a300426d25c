"""The explorer: what it shows is what the library says of the same trial, and its code makes that trial."""

import numpy as np
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import InvalidValueError, UnavailableError
from analysis.explorer import Setting, explore
from analysis.power import power
from analysis.survival import Ensemble, Exponential, Weibull

CONTROL = Exponential.from_median(9)
SETTINGS = {
    "as it opens": Setting(trials=200),
    "with scans": Setting(scans=8, trials=200),
    "with an interim look": Setting(n=300, interim=0.5, alpha=0.05, trials=200),
    "with both": Setting(interim=0.6, scans=6, hazard_ratio=0.7, trials=200),
}


def test_the_power_is_that_of_the_design():
    shown = SETTINGS["with scans"].show(CONTROL)
    design = TrialDesign(
        n=100,
        accrual=UniformAccrual(18),
        looks=[Look(AtTime(30))],
        dropout=0.005,
        assessments=Assessments.every(8 * WEEK),
    )
    scenario = Scenario.proportional_hazards(CONTROL, 0.6)
    assert shown.formula.power == power(design, scenario).power
    assert shown.simulated.power == power(design, scenario, by="simulation", trials=200, rng=1).power
    assert "which sees events when they happen" in shown.words()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_code_to_copy_makes_the_trial_that_is_shown(name):
    shown = SETTINGS[name].show(CONTROL)
    place = {"control": CONTROL}
    exec(shown.code(), place)
    assert place["answer"].power == shown.formula.power
    assert place["design"] == shown.design
    assert shown.protocol_text() == place["answer"].protocol_text()


def test_an_interim_look_comes_when_its_events_are_expected():
    shown = SETTINGS["with an interim look"].show(CONTROL)
    assert shown.formula.events[0] == pytest.approx(0.5 * shown.formula.events[1], rel=1e-6)
    assert len(shown.design.looks) == 2


def test_an_ensemble_is_shown_by_some_members_and_said_so():
    whole = Ensemble(tuple(Exponential.from_median(median) for median in np.linspace(6, 12, 50)))
    shown = Setting(trials=0).show(whole)
    assert "over 13 of 50 members" in shown.words()
    assert shown.simulated is None
    assert shown.formula.lowest < shown.formula.power < shown.formula.highest
    assert len(shown.figure().axes) == 2


def test_moving_a_slider_moves_all_that_is_shown():
    widget = explore(Weibull(1.2, 14), setting=Setting(trials=100), name="mine")
    before = widget.children[1].children[1].value
    for field, value in {"n": 240, "hazard_ratio": 0.8, "month": 36.0, "interim": 0.5, "alpha": 0.1}.items():
        widget.sliders[field].value = value
    said, picture, more = widget.children[1].children
    asked = Setting(n=240, hazard_ratio=0.8, month=36.0, interim=0.5, alpha=0.1, trials=100)
    assert widget.shown.setting == asked
    assert f"Power {asked.show(Weibull(1.2, 14)).formula.power:.1%}" in said.value
    assert picture.value != before
    assert bytes(picture.value[:4]) == b"\x89PNG"
    assert "Scenario.proportional_hazards(mine, 0.8)" in more.children[0].value
    assert "240 patients are randomised" in more.children[1].value


def test_without_a_control_there_is_a_slider_for_its_median():
    widget = explore(setting=Setting(trials=0))
    widget.sliders["median"].value = 6
    assert "Exponential.from_median(6)" in widget.children[1].children[2].children[0].value
    assert "median 6 months" in widget.shown.protocol_text()


def test_what_cannot_be_is_told_in_the_widget_and_the_last_answer_stays():
    widget = explore(CONTROL, setting=Setting(trials=0))
    last = widget.shown
    widget.sliders["accrual"].min = -5
    widget.sliders["accrual"].value = -5
    assert "accrual: got -5" in widget.children[1].children[0].value
    assert widget.shown is last


@pytest.mark.parametrize(
    "call",
    [
        lambda: Setting(n=2),
        lambda: Setting(hazard_ratio=0),
        lambda: Setting(alpha=5),
        lambda: Setting(interim=50),
        lambda: Setting().show("control"),
        lambda: explore(9.0),
    ],
)
def test_wrong_settings_are_named(call):
    with pytest.raises(InvalidValueError):
        call()


def test_it_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(UnavailableError, match=r"trial-outcome-analysis\[notebooks\]"):
        explore()
