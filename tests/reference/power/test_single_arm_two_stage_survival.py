"""OneArm2stage's two-stage designs: what they have under the null hypothesis, from their own stage sizes and scores."""

from __future__ import annotations

import math

import pytest

from analysis.design import AccrualRate, AtTime, Look, Scenario, TrialDesign
from analysis.power import power
from analysis.single_arm import two_stage_survival
from analysis.single_arm.two_stage_survival import both_above
from analysis.statistical_tests import OneSampleLogRank
from tests.large_trials import single_arm_trial
from tests.reference.power.adapters_single_arm_survival import weibull_pair
from tests.reference.power.r_calls import reference_calls

CALL = next(call for call in reference_calls() if call.function == "phase2.TTE")
NULL, TRUTH = weibull_pair(CALL.parsed)
RATE = CALL.parsed["rate"]
UNDER_NULL, UNDER_TRUTH = (Scenario({"treatment": curve}) for curve in (NULL, TRUTH))


def printed(kind: str, name: str) -> float:
    return CALL.values[f"{kind}.{name} (tool rounds to 4 dp)"]


@pytest.fixture(params=["Two_stage_Optimal", "Two_stage_minmax"])
def design(request):
    """The tool's design with its own interim time and scores."""
    kind = request.param
    n, interim, c1, c = (printed(kind, name) for name in ("n", "t1", "c1", "c"))
    looks = [Look(AtTime(interim), futility_z=c1), Look(AtTime(n / RATE + CALL.parsed["tf"]), efficacy_z=c)]
    return kind, TrialDesign(
        n=int(n), accrual=AccrualRate(RATE), looks=looks, allocation={"treatment": 1}, control=None
    )


def test_null_characteristics_agree_to_four_decimals(design):
    kind, found = design
    under_null = power(found, UNDER_NULL, OneSampleLogRank(NULL))
    assert under_null.stop_low[0] == pytest.approx(printed(kind, "PS"), abs=6e-5)
    # the printed interim time and score carry an error of 5e-5 each into the expected size
    assert under_null.expected_patients == pytest.approx(printed(kind, "ES"), abs=2e-3)
    assert math.ceil(under_null.enrolled[0]) == printed(kind, "n1")
    assert under_null.time == pytest.approx(printed(kind, "MTSL"), abs=5e-5)
    # the tool stops its search for the final score at 1e-4 of alpha
    assert under_null.power == pytest.approx(CALL.parsed["alpha"], abs=1e-4)


def test_power_agrees_in_the_tools_convention_and_is_higher_in_ours(design):
    _, found = design
    test, trial = OneSampleLogRank(NULL), single_arm_trial(TRUTH, n=found.n, accrual=found.n / RATE)
    interim, final = (test.moments(trial, look.cut.time) for look in found.looks)
    # the tool multiplies the interim mean per planned patient by the root of the patients enrolled, not planned
    enrolled = RATE * found.looks[0].cut.time
    a = (found.looks[0].futility_z * interim.null_sd - math.sqrt(enrolled / found.n) * interim.effect) / interim.sd
    b = (found.looks[1].efficacy_z * final.null_sd - final.effect) / final.sd
    assert both_above(a, b, interim.sd / final.sd) == pytest.approx(1 - CALL.parsed["beta"], abs=1e-4)
    assert power(found, UNDER_TRUTH, test).power > 1 - CALL.parsed["beta"] + 5e-4


def test_our_optimum_expects_fewer_patients():
    call = CALL.parsed
    found = two_stage_survival(
        OneSampleLogRank(NULL),
        null=NULL,
        truth=TRUTH,
        rate=RATE,
        follow_up=call["tf"],
        alpha=call["alpha"],
        power=1 - call["beta"],
    )
    expected = [power(design, UNDER_NULL, OneSampleLogRank(NULL)).expected_patients for design in found]
    assert expected[0] < printed("Two_stage_Optimal", "ES")
    assert found.minimax.n <= printed("Two_stage_minmax", "n")
    assert expected[1] < printed("Two_stage_minmax", "ES")
