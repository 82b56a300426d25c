"""Simulated scores have the moments that were asked, and deteriorate by the rules by which delivered ones are read."""

import itertools

import numpy as np
import pytest

from analysis.conventions import replace
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.quality_of_life import Deterioration, ScoreCourse, simulate_scores, time_to_deterioration

VISITS = np.array([2.0, 4.0, 6.0, 9.0])
NOBODY = np.full((200, 50), np.inf)
DEFINITIONS = [
    Deterioration(10, kind, reference, recovery)
    for kind, reference, recovery in itertools.product(
        ("first", "confirmed", "definitive"), ("baseline", "best"), ("reference", "deteriorated")
    )
]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: f"{one.kind} {one.reference} {one.recovery}")
def test_deterioration_is_that_of_a_delivered_trial(definition):
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 21, (1, 3000, 5)) * 5.0  # some are worse by exactly 10
    scores[..., 1:][rng.random((1, 3000, 4)) < 0.3] = np.nan
    found = time_to_deterioration(scores, VISITS, death=np.full((1, 3000), np.inf), definition=definition)
    for row, time, event in zip(scores[0], found.time[0], found.event[0], strict=True):
        filled = np.flatnonzero(~np.isnan(row[1:]))
        place = definition.found([row[0], *row[1:][filled]])
        assert event == (place is not None)
        known = VISITS[filled]
        assert time == (known[place - 1] if place is not None else known[-1] if known.size else 0.0)


def test_moments_are_those_asked_for():
    course = ScoreCourse(60, between=8, within=5, slope=-1, slopes=0.5, after_progression=6, step=0.01)
    progression = np.where(np.arange(50) < 25, 3.0, np.inf) + np.zeros((200, 1))
    scores = simulate_scores(replace(course, until="death"), VISITS, progression=progression, death=NOBODY, rng=3)
    n = 200 * 25
    for half, ill in ((slice(0, 25), True), (slice(25, 50), False)):
        for k, month in enumerate(VISITS, 1):
            own = scores[:, half, k]
            mean = 60 - month - 6 * (ill and month >= 3)
            spread = np.sqrt(8**2 + 5**2 + (0.5 * month) ** 2)
            assert abs(own.mean() - mean) < 4 * spread / np.sqrt(n)
            assert own.std() == pytest.approx(spread, rel=0.05)
    within = scores[:, 25:, 1] - scores[:, 25:, 0] + 2
    assert within.std() == pytest.approx(np.sqrt(2 * 5**2 + 1), rel=0.05)


def test_who_is_asked():
    course = ScoreCourse(60, between=8, within=5)
    progression, death = np.array([[3.0, np.inf, 4.0]]), np.array([[7.0, 5.0, np.inf]])
    asked = ~np.isnan(simulate_scores(course, VISITS, progression=progression, death=death, rng=1)[0, :, 1:])
    assert asked.tolist() == [[True, True, False, False], [True, True, False, False], [True, True, False, False]]
    alive = replace(course, until="death")
    asked = ~np.isnan(simulate_scores(alive, VISITS, progression=progression, death=death, rng=1)[0, :, 1:])
    assert asked.sum(axis=1).tolist() == [3, 2, 4]
    course = ScoreCourse(60, between=8, within=5, filled=0.8)
    filled = ~np.isnan(simulate_scores(course, VISITS, progression=NOBODY, death=NOBODY, rng=1)[..., 1:])
    assert filled.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / filled.size))


def test_scores_have_the_values_of_the_scale_and_a_seed_gives_the_same():
    course = ScoreCourse(61, between=24, within=12)
    first, again = (simulate_scores(course, VISITS, progression=NOBODY, death=NOBODY, rng=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first * 12 / 100, np.round(first * 12 / 100), atol=1e-9)
    assert first.min() == 0
    assert first.max() == 100


def test_death_is_an_event_or_censors():
    scores = [[[60, 60, np.nan, np.nan, np.nan], [60, 40, 40, 40, 40]]]
    death = [[5.0, 20.0]]
    censored = time_to_deterioration(scores, VISITS, death=death)
    assert (censored.time.tolist(), censored.event.tolist()) == ([[2.0, 2.0]], [[False, True]])
    counted = time_to_deterioration(scores, VISITS, death=death, definition=Deterioration(death="event"))
    assert (counted.time.tolist(), counted.event.tolist()) == ([[5.0, 2.0]], [[True, True]])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ScoreCourse(120, between=8, within=5), "baseline"),
        (lambda: ScoreCourse(60, between=-1, within=5), "between"),
        (lambda: ScoreCourse(60, between=8, within=5, filled=80), "filled"),
        (lambda: ScoreCourse(60, between=8, within=5, until="week 8"), "until"),
        (lambda: simulate_scores("x", VISITS, progression=NOBODY, death=NOBODY, rng=1), "course"),
        (lambda: simulate_scores(ScoreCourse(60, 8, 5), [4, 2], progression=NOBODY, death=NOBODY, rng=1), "visits"),
        (lambda: simulate_scores(ScoreCourse(60, 8, 5), VISITS, progression=NOBODY, death=NOBODY[:3], rng=1), "death"),
        (lambda: simulate_scores(ScoreCourse(60, 8, 5), VISITS, progression=[1, 2], death=[3, 4], rng=1), "table"),
        (lambda: simulate_scores(ScoreCourse(60, 8, 5), VISITS, progression=[[-1]], death=[[4]], rng=1), "progression"),
        (lambda: time_to_deterioration(np.zeros((1, 1, 3)), VISITS, death=[[4]]), "scores"),
        (lambda: time_to_deterioration(np.full((1, 1, 5), np.nan), VISITS, death=[[4]]), "a missing baseline"),
        (lambda: time_to_deterioration(np.zeros((1, 1, 5)), VISITS, death=[[4]], definition="first"), "definition"),
    ],
)
def test_what_cannot_be_simulated_is_refused(call, says):
    with pytest.raises((InvalidValueError, UnknownNameError), match=says):
        call()
