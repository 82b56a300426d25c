"""A wrong call meets an error of this package that names it, and meets it soon."""

import contextlib
import io
import sys
import warnings
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.design import Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.endpoints import (
    Attendance,
    EndpointDefinitions,
    Protocol,
    Sizes,
    adjudicate,
    discordance,
    overall,
    response_terms,
    summarise,
)
from analysis.errors import AnalysisError, InvalidValueError, UnknownNameError, WrongCallError
from analysis.plots import power_contours, survival_plot
from analysis.power import power
from analysis.reported import ReportedArm, ReportedComparison, TrialTimeline
from analysis.sequential import (
    GroupSequentialDesign,
    NormalPrior,
    PointsPrior,
    UserSpending,
    conditional_power,
    crossing_probabilities,
    repeated_inference,
    stagewise_inference,
)
from analysis.simulation import at_rate
from analysis.single_arm import AdaptedSecondStage, bop2, exact_binomial_power, simon_two_stage
from analysis.survival import Exponential

sys.path.insert(0, str(Path(__file__).parent))
from corpus import rooms, working_calls, wrong_calls

DESIGN = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),))
SCENARIO = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
FEWEST = 4_000
TWO_STAGE = simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8).optimal


def test_no_wrong_call_ends_in_a_bare_error():
    bare, tried = [], 0
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for call in working_calls():
            for label, args, kwargs in wrong_calls(call):
                tried += 1
                try:
                    call.function(*args, **kwargs)
                except AnalysisError:
                    pass
                except Exception as error:  # what must not be
                    bare.append(f"{call.name}, {label}: {type(error).__name__}: {error}")
    plt.close("all")
    assert tried > FEWEST
    assert bare == []


def test_no_number_takes_a_text_an_object_or_nan_in_silence():
    taken = []
    kinds = ("text", "empty text", "an object", "a dictionary", "NaN", "list of NaN", "list of text", "empty list")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for call in working_calls():
            for label, args, kwargs in wrong_calls(call):
                kind = max((one for one in kinds if label.endswith(f" {one}")), key=len, default=None)
                where = None if kind is None else label.removesuffix(f" {kind}")
                if where is None or not _is_number(call, where):
                    continue
                with contextlib.suppress(AnalysisError):
                    call.function(*args, **kwargs)
                    taken.append(f"{call.name}, {label}")
    plt.close("all")
    assert [one for one in taken if one not in NOT_KNOWN] == []


NOT_KNOWN = {"Measured, argument 1 NaN", "Sizes, argument 1 NaN"}
"""NaN stands for a size that is not known."""


def _is_number(call, where):
    place = int(where.split()[1]) - 1 if where.startswith("argument ") else where
    given = call.args[place] if isinstance(place, int) else call.kwargs[place]
    return isinstance(given, int | float | np.number) and not isinstance(given, bool)


def test_the_corpus_covers_the_rooms_that_users_call():
    called = {call.function.__module__.split(".")[1] for call in working_calls()}
    assert set(rooms()) - called <= {"simulation"} | {"statistical_tests"}


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: power(SCENARIO, DESIGN), InvalidValueError, "swap"),
        (lambda: power(DESIGN), WrongCallError, "expected design, scenario"),
        (lambda: power(DESIGN, SCENARIO, by="simulate"), UnknownNameError, "did you mean simulation"),
        (lambda: TrialDesign(n=100, acrual=UniformAccrual(18), looks=DESIGN.looks), WrongCallError, "mean accrual"),
        (lambda: Exponential("0.1"), InvalidValueError, "give a number, not str"),
    ],
)
def test_the_error_says_what_was_meant(call, error, said):
    with pytest.raises(error, match=said):
        call()


YES = np.array([True, True])


@pytest.mark.parametrize(
    "call",
    [
        lambda: adjudicate([4.0, np.nan], [4.0, 6.0], [2.0, 8.0]),
        lambda: adjudicate([4.0, 6.0], [4.0, -6.0], [2.0, 8.0]),
        lambda: discordance(np.array([np.nan, 4.0]), YES, np.array([2.0, 6.0]), YES),
        lambda: discordance(np.array([2.0, 4.0]), np.array([-1, 2]), np.array([2.0, 6.0]), YES),
        lambda: overall("CR", "CR", new_lesion="no"),
        lambda: crossing_probabilities([1, 2], -np.inf, [2.8, 1.98], np.nan),
        lambda: conditional_power(GroupSequentialDesign((0.5, 1.0)), True, 1.0, drift=3.0),
        lambda: repeated_inference(GroupSequentialDesign((0.5, 1.0)), True, 2.2),
        lambda: NormalPrior(0.0, True),
        lambda: at_rate(5, 0.4, 6),
        lambda: AdaptedSecondStage(TWO_STAGE, np.inf),
        lambda: Sizes(-5.0, date(2024, 1, 1), (30.0,)),
        lambda: Sizes(50.0, date(2024, 1, 1), (-30.0,)),
        lambda: Protocol(stable_from="six weeks"),
        lambda: EndpointDefinitions(landmarks=112),
        lambda: TrialTimeline("June 2009"),
        lambda: ReportedArm(5, n=30),
        lambda: ReportedComparison("OS", [ReportedArm("drug", n=30)], id=5),
    ],
)
def test_values_that_were_once_taken_are_refused(call):
    with pytest.raises(AnalysisError):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: Exponential(10**400),
        lambda: TrialDesign(n=10**400, accrual=UniformAccrual(18), looks=DESIGN.looks),
        lambda: survival_plot(time=[1, 2, 3], event=[1, 1, 0], arm=[1, 2]),
        lambda: survival_plot(time=[1, 2, 3], event=[1, 1, 0], arm=1.5),
        lambda: survival_plot(time=[1, 2, 3], event=[1, 1, 0], annotate=np.array(None)),
        lambda: response_terms(np.array([61])),
        lambda: Attendance(Assessments.every(2), until=1e300),
        lambda: discordance(np.array([4.0, 6.0]), YES, np.array([2.0, 6.0, 8.0]), YES),
        lambda: adjudicate([4.0, 6.0], [4.0, 6.0], [2.0, 8.0, 9.0]),
        lambda: crossing_probabilities([1, 2], [0, 0, 0], [2.8, 1.98], 0.0),
        lambda: stagewise_inference(GroupSequentialDesign((0.5, 1.0)), 1, -1e300),
        lambda: UserSpending((0.5, 1.0), {0.1, 1.0}),
        lambda: PointsPrior([0.0, 1.0], b"ab"),
        lambda: bop2(looks=[0], null_rate=0.2, alternative_rate=0.4, alpha=0.1),
        lambda: exact_binomial_power(1e300, null_rate=0.2, alternative_rate=0.4, alpha=0.05),
        lambda: summarise(pd.DataFrame({"a": [1]})),
        lambda: power_contours(DESIGN, SCENARIO, hazard_ratios=[1, 1], sizes=[80, 120]),
    ],
)
def test_calls_that_once_ended_in_a_bare_error_or_did_not_end(call):
    with pytest.raises(AnalysisError):
        call()


def test_a_time_in_the_wrong_unit_is_drawn_with_a_few_ticks():
    shown = survival_plot(time=[1e9, 2e9, 3e9], event=[1, 1, 0])
    shown.figure.draw_without_rendering()
    assert 2 <= len(shown.axes.get_xticks()) <= 12
