"""OneArm2stage's two-stage designs: what they have under the null hypothesis, from their own stage sizes and scores."""

from __future__ import annotations

import math

import pytest

from analysis.design import UniformAccrual
from analysis.power.single_arm import FollowUp, OneSampleLogRank, TwoStageSurvivalDesign, two_stage_survival
from analysis.power.single_arm.two_stage_survival import both_above
from tests.reference.power.adapters_single_arm_survival import weibull_pair
from tests.reference.power.r_calls import reference_calls

CALL = next(call for call in reference_calls() if call.function == "phase2.TTE")


def printed(kind: str, name: str) -> float:
    return CALL.values[f"{kind}.{name} (tool rounds to 4 dp)"]


@pytest.fixture(params=["Two_stage_Optimal", "Two_stage_minmax"])
def design(request):
    """The tool's design with its own interim time and scores."""
    call, kind = CALL.parsed, request.param
    null, truth = weibull_pair(call)
    months = printed(kind, "n") / call["rate"]
    follow_up = FollowUp(UniformAccrual(months), months + call["tf"])
    numbers = (printed(kind, name) for name in ("t1", "c1", "c"))
    return kind, TwoStageSurvivalDesign(
        OneSampleLogRank(null), null, truth, follow_up, int(printed(kind, "n")), *numbers
    )


def test_null_characteristics_agree_to_four_decimals(design):
    kind, found = design
    assert found.early_stopping_probability(found.null) == pytest.approx(printed(kind, "PS"), abs=6e-5)
    # the printed interim time and score carry an error of 5e-5 each into the expected size
    assert found.expected_n(found.null) == pytest.approx(printed(kind, "ES"), abs=2e-3)
    assert found.interim_n == printed(kind, "n1")
    assert found.follow_up.analysis_time == pytest.approx(printed(kind, "MTSL"), abs=5e-5)
    # the tool stops its search for the final score at 1e-4 of alpha
    assert found.attained_alpha == pytest.approx(CALL.parsed["alpha"], abs=1e-4)


def test_power_agrees_in_the_tools_convention_and_is_higher_in_ours(design):
    _, found = design
    interim, final = found._moments(found.truth)
    enrolled = CALL.parsed["rate"] * found.interim_time
    a = (found.interim_critical * interim.null_sd - math.sqrt(enrolled) * interim.effect) / interim.sd
    b = (found.critical * final.null_sd - math.sqrt(found.n) * final.effect) / final.sd
    assert both_above(a, b, interim.sd / final.sd) == pytest.approx(1 - CALL.parsed["beta"], abs=1e-4)
    assert found.attained_power > 1 - CALL.parsed["beta"] + 5e-4


def test_our_optimum_expects_fewer_patients():
    call = CALL.parsed
    null, truth = weibull_pair(call)
    found = two_stage_survival(
        OneSampleLogRank(null),
        null=null,
        truth=truth,
        rate=call["rate"],
        follow_up=call["tf"],
        alpha=call["alpha"],
        power=1 - call["beta"],
    )
    assert found.optimal.expected_n(null) < printed("Two_stage_Optimal", "ES")
    assert found.minimax.n <= printed("Two_stage_minmax", "n")
    assert found.minimax.expected_n(null) < printed("Two_stage_minmax", "ES")
