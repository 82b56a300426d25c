"""Public values speak: a repr of at most 20 lines, an HTML display, and designs in words."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import analysis
from analysis.conventions import from_json, identity, replace, to_json
from analysis.conventions.display import fields_of, is_value
from analysis.conventions.monte_carlo import proportion
from analysis.design import (
    AccrualRate,
    AfterLastEntry,
    Assessments,
    AtEvents,
    AtTime,
    EarlierOf,
    IllnessDeath,
    Look,
    PiecewiseAccrual,
    RampAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.power import ExpectedCourse, assurance, power, power_summary
from analysis.proportions import compare_proportions
from analysis.quality_of_life import Deteriorated
from analysis.reconstruction import EnsembleEstimate
from analysis.reported import ReportedArm, ReportedComparison, events_from_ci, load
from analysis.safety import cumulative_incidence, fine_gray
from analysis.sequential import BetaSpending, GroupSequentialDesign, HwangShihDeCani, NormalPrior, OBrienFleming
from analysis.simulation import simulate
from analysis.simulation.results import Course
from analysis.single_arm import BetaPrior, exact_binomial, infer, simon_two_stage, stratified_exact
from analysis.statistical_tests import CoxHazardRatio, LogRank, MaxCombo
from analysis.survival import (
    Ensemble,
    Exponential,
    LogLogistic,
    Mixture,
    PiecewiseExponential,
    ProportionalHazards,
    Tabulated,
    Weibull,
    kaplan_meier,
    rmst,
)

LOOKS = GroupSequentialDesign((0.4, 0.7, 1.0), futility=BetaSpending(HwangShihDeCani(-2.0)))
DESIGN = TrialDesign(
    n=300,
    accrual=PiecewiseAccrual((1, 4), (6,), 15),
    looks=LOOKS.looks(events=180),
    strata={"visceral": 1, "other": 2},
    dropout=0.005,
    assessments=Assessments.every(2),
)
MANY = Ensemble([Tabulated(range(1, 40), [0.97**k for k in range(1, 40)])] * 500)
SCENARIO = Scenario.proportional_hazards(MANY, 0.6)
ONE = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
FIXED = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),))
DATA = ([2, 3, 4, 5, 6, 9], [1, 1, 1, 1, 1, 0], [0, 1, 0, 0, 1, 1])

VALUES = {
    "distribution": LogLogistic(1.5, 6.9),
    "mixture": Mixture([Exponential(0.1)] * 200),
    "ensemble": MANY,
    "hazard ratios": ProportionalHazards(MANY.members[0], (1, 0.5), (3,)),
    "tabulated": MANY.members[0],
    "piecewise": PiecewiseExponential([0.1] * 200, range(1, 200)),
    "illness-death": IllnessDeath(Exponential(0.1), Exponential(0.02), Exponential(0.1)),
    "accrual": RampAccrual(18, 6),
    "accrual rate": AccrualRate(8),
    "cut": EarlierOf(AtEvents(60), AfterLastEntry(12)),
    "design": DESIGN,
    "scenario": SCENARIO,
    "boundaries": LOOKS,
    "shape": OBrienFleming(),
    "prior": NormalPrior(0.1, 0.2),
    "beta prior": BetaPrior(1, 2),
    "one stage": exact_binomial(30, null_rate=0.15, alpha=0.05),
    "two stages": simon_two_stage(null_rate=0.1, alternative_rate=0.3, alpha=0.05, power=0.8),
    "strata": stratified_exact(["a", "b"], [15, 15], null_rates=[0.2, 0.1], alpha=0.05),
    "test": MaxCombo(),
    "kaplan-meier": kaplan_meier(DATA[0], DATA[1]),
}


def results():
    yield "power", power(FIXED, ONE)
    yield (
        "power of looks over an ensemble",
        power(DESIGN, Scenario.proportional_hazards(Ensemble(MANY.members[:9]), 0.6)),
    )
    yield "assurance", assurance(FIXED, ONE, NormalPrior(-0.4, 0.2))
    yield "summary", power_summary(FIXED, ONE)
    yield "course", ExpectedCourse(FIXED, ONE)
    yield "simulated", simulate(FIXED, ONE, trials=50, rng=1)
    yield "analysed", CoxHazardRatio().analyse(*DATA)
    yield "inference", infer(exact_binomial(30, null_rate=0.15, alpha=0.05), 10, 30)
    report = analysis.load("bolero-2")
    yield "trial", report
    yield "comparison", report.comparison("pfs-first-line-local")
    yield "reconstruction", analysis.reconstruct(report.comparison("pfs-first-line-local"), members=5, rng=1)


@pytest.mark.parametrize("name", VALUES)
def test_values_are_short_and_come_back_from_json(name):
    value = VALUES[name]
    assert len(repr(value).splitlines()) <= 20
    assert len(repr(value)) < 2000
    if name not in ("two stages", "kaplan-meier"):  # results of a search and of data
        assert from_json(to_json(value)) == value
        assert identity(from_json(to_json(value))) == identity(value)


@pytest.mark.parametrize(
    "name", ["design", "scenario", "boundaries", "one stage", "two stages", "strata", "kaplan-meier"]
)
def test_values_show_as_tables(name):
    html = VALUES[name]._repr_html_()
    assert "<table" in html
    assert html.count("<tr") < 100


def test_results_are_short_and_show_as_tables():
    for name, value in results():
        assert len(repr(value).splitlines()) <= 20, name
        assert len(str(value).splitlines()) <= 20 or name == "trial", name
        assert "<table" in value._repr_html_(), name


@pytest.mark.parametrize("value", [DESIGN, FIXED, LOOKS, power(FIXED, ONE), power(FIXED, ONE, LogRank(margin=1.2))])
def test_designs_are_written_as_prose(value):
    text = value.protocol_text()
    assert text.endswith(".")
    assert "(" not in text.split(" ")[0]
    assert not any(word in text for word in ("TrialDesign", "Exponential(", "None", "nan", "inf "))


def test_the_text_of_a_power_names_its_method():
    text = power(FIXED, ONE).protocol_text()
    assert "exponential with a median of 11" in text or "median 11" in text
    assert "Yung G, Liu Y" in text


def test_any_value_is_changed_by_replace_and_checked_again():
    report = ReportedComparison("PFS", [ReportedArm("new", n=30, median="9.1")])
    assert replace(report, endpoint="OS").endpoint == "OS"
    assert replace(Weibull(1.2, 10), scale=12).scale == 12
    with pytest.raises(UnknownNameError, match="did you mean shape"):
        replace(Weibull(1.2, 10), shpae=1)
    with pytest.raises(InvalidValueError, match="shape"):
        replace(Weibull(1.2, 10), shape=-1)
    for wrong in (5, Weibull, "x"):
        with pytest.raises(InvalidValueError, match="a value with fields"):
            replace(wrong, shape=1)


ARRAYS = re.compile(r"Array|DataFrame|Floats|Bools|Codes|Counts")


def public_classes():
    """Every class that a room names as public."""
    for found in pkgutil.walk_packages(analysis.__path__, "analysis."):
        if not re.search(r"\.(cli|studies|engine)\b", found.name):
            room = importlib.import_module(found.name)
            for name in getattr(room, "__all__", ()):
                if inspect.isclass(kind := getattr(room, name)):
                    yield kind


def arrays_shown(kind):
    """Fields of arrays and tables that a generated repr would write out."""
    fields = {name: str(of) for name, of in vars(kind).get("__annotations__", {}).items() if ARRAYS.search(str(of))}
    shown = {field.name for field in fields_of(kind) if field.repr} if is_value(kind) else set(fields)
    return shown & set(fields)


def test_no_public_value_writes_its_arrays_out():
    """The course of 500 simulated trials was 150 lines of True and False."""
    checked = [kind for kind in dict.fromkeys([*public_classes(), Course]) if arrays_shown(kind)]
    assert len(checked) > 12
    package = Path(analysis.__file__).parent
    of_their_own = [kind for kind in checked if Path(inspect.getfile(kind.__repr__)).is_relative_to(package)]
    assert checked == of_their_own


def test_what_is_missing_is_blank_in_a_table():
    assert "<NA>" not in simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8)._repr_html_()
    shown = power_summary(FIXED, ONE)._repr_html_()
    assert "NaN" not in shown
    assert not any(column in shown for column in ("lowest", "remark", "std_error"))


def test_arrays_are_told_by_their_shape():
    shown = repr(Deteriorated(np.zeros((500, 30)), np.zeros((500, 30), bool)))
    assert shown == "Deteriorated(time=<500 x 30 numbers>, event=<500 x 30 numbers>)"


def test_results_are_short_and_round_where_they_are_shown():
    """A curve of 50 patients took 2,865 letters, a power 16 digits."""
    time, event = np.arange(1.0, 61.0) / 7, np.arange(60) % 3 > 0
    cause = np.where(event, "nausea", "censored")
    shown = [
        repr(kaplan_meier(time, event)),
        repr(rmst(time, event, 5.0)),
        repr(cumulative_incidence(time, cause)),
        repr(proportion(event)),
        repr(EnsembleEstimate.of(time, level=0.9)),
        repr(events_from_ci(load("xenera-1").comparison("pfs-independent").hazard_ratio)),
        repr(compare_proportions(12, 30, 9, 60)),
        repr(fine_gray(time, np.where(cause == "nausea", cause, "death"), np.arange(60) % 2, of="nausea", control=0)),
    ]
    assert max(map(len, shown)) < 350
    assert not any(re.search(r"\d\.\d{9}", text) for text in shown)
    assert shown[0].startswith("KaplanMeier(time=<60 numbers, 0.142857 to 8.57143>")
