"""A wrong call meets an error of this package that names it, and meets it soon."""

import contextlib
import io
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import AnalysisError, InvalidValueError, UnknownNameError, WrongCallError
from analysis.power import power
from analysis.survival import Exponential

sys.path.insert(0, str(Path(__file__).parent))
from corpus import rooms, working_calls, wrong_calls

DESIGN = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtTime(30)),))
SCENARIO = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
FEWEST = 4_000


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
