"""Laws that any derivation obeys."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.endpoints import (
    EORTC,
    BestOverallResponse,
    Confirmation,
    ControlAtLandmark,
    ControlUntilLandmark,
    ObjectiveResponse,
    ProgressionFreeSurvival,
    ResponseHistory,
    target_responses,
)

START = date(2024, 1, 1)
RANK = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "MISSING"]
sums = st.lists(st.integers(0, 900).map(lambda tenths: tenths / 10), min_size=1, max_size=8)
responses = st.lists(st.sampled_from(RANK[:6]), max_size=8)
irecist = st.lists(st.sampled_from(["iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iUPD", "NE"]), max_size=8)


def history(terms, criteria="RECIST 1.1", step=35):
    return ResponseHistory("S", START, [START + timedelta(step * (i + 1)) for i in range(len(terms))], terms, criteria)


@given(sums, st.floats(10, 90))
@settings(deadline=None)
def test_targets_do_not_depend_on_what_comes_later(seen, baseline):
    whole = target_responses([baseline, *seen])
    assert target_responses([baseline, *seen[:-1]]) == whole[:-1]


@given(sums, st.integers(100, 900))
@settings(deadline=None)
def test_progression_needs_5_mm_and_20_per_cent(seen, baseline):
    baseline /= 10
    for rule in (EORTC,):
        codes = target_responses([baseline, *seen], rule=rule)
        kept, cr = [baseline], False
        for size, code in zip(seen, codes, strict=True):
            nadir = min(kept)
            grown = size - nadir >= 5 - 1e-6 and size >= 1.2 * nadir - 1e-6
            assert (code == "PD") == (size > 0 and (grown or cr))
            cr |= code == "CR"
            kept.append(size)


@given(responses)
@settings(deadline=None)
def test_confirmation_never_improves_the_best_response(terms):
    seen = history(terms)
    plain, confirmed = BestOverallResponse().derive(seen).value, BestOverallResponse(Confirmation()).derive(seen).value
    assert RANK.index(confirmed) >= RANK.index(plain)
    assert (confirmed in RANK[:2]) <= (ObjectiveResponse(Confirmation()).derive(seen).value == "Y")


@given(responses, st.sampled_from([56, 112, 168]))
@settings(deadline=None)
def test_control_at_a_landmark_lasts_until_it(terms, landmark):
    seen = history(terms, step=28)
    if ControlAtLandmark(landmark).derive(seen).value == "Y":
        assert ControlUntilLandmark(landmark).derive(seen).value == "Y"


@given(irecist)
@settings(max_examples=200, deadline=None)
def test_irecist_never_progresses_before_recist(terms):
    names = {"iUPD": "PD", "NON-iCR/NON-iUPD": "NON-CR/NON-PD"}
    plain = [names.get(term, term.removeprefix("i")) for term in terms]
    first = ProgressionFreeSurvival().derive(history(terms, "iRECIST"))
    second = ProgressionFreeSurvival().derive(history(plain))
    if first.event:
        assert second.event
        assert first.days >= second.days
    assert np.isfinite(first.days)
