"""Quality of life as a trial will see it: scores at visits, fewer as patients progress and die; deterioration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import increasing, numeric, one_of
from analysis.conventions.display import short_repr
from analysis.conventions.seeds import Seed, seed_sequence
from analysis.conventions.values import value
from analysis.errors import InvalidValueError
from analysis.quality_of_life.deterioration import SAME_SCORE, Deterioration

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import BoolArray, FloatArray

STEP = 100 / 12
"""Distance of the values of the global health status: the mean of two items from 1 to 7."""


@border
@value
class ScoreCourse:
    """How the score of a scale runs over time, high is good.

    A patient's score is her own level, plus her own slope times the months, plus what progression takes off, plus the
    error of the single questionnaire, brought to the nearest value that the scale has.

    Parameters
    ----------
    baseline
        Mean at baseline, points.
    between
        Standard deviation of the patients' levels.
    within
        Standard deviation of one questionnaire of a patient.
    slope, slopes
        Mean change per month, and its standard deviation between patients.
    after_progression
        Points that are lost from progression on.
    filled
        Probability that a questionnaire is filled in of a patient who is asked.
    until
        How long she is asked: until ``"progression"`` (the visit that shows it included) or until ``"death"``.
    step
        Distance of the values that the scale can have; 100/12 for global health status (QL2).

    Raises
    ------
    InvalidValueError
        If a spread is negative, a probability is none or the baseline lies outside 0 to 100.

    Examples
    --------
    >>> ScoreCourse(61, between=20, within=12, after_progression=10).filled
    1.0
    """

    baseline: float = fields.number(at_least=0, at_most=100, unit="points")
    between: float = fields.not_negative("points")
    within: float = fields.not_negative("points")
    slope: float = fields.number(unit="points a month", default=0.0)
    slopes: float = fields.not_negative("points a month", default=0.0)
    after_progression: float = fields.not_negative("points", default=0.0)
    filled: float = fields.number(above=0, at_most=1, default=1.0)
    until: str = fields.choice(("progression", "death"), default="progression")
    step: float = fields.positive("points", default=STEP)


class Deteriorated(NamedTuple):
    """When each simulated patient deteriorates.

    Attributes
    ----------
    time
        Months until the score deteriorates or the patient is censored, shape ``(trials, n)``.
    event
        Whether it did (or she died, where that counts), shape ``(trials, n)``.

    Examples
    --------
    >>> found = time_to_deterioration([[[60, 60, 40]]], [2, 4], death=[[np.inf]])
    >>> found.time.tolist(), found.event.tolist()
    ([[4.0]], [[True]])
    """

    time: FloatArray
    event: BoolArray

    def __repr__(self) -> str:
        return short_repr(self)


@border
def simulate_scores(
    course: ScoreCourse,
    visits: ArrayLike,
    *,
    progression: ArrayLike,
    death: ArrayLike,
    rng: Seed,
) -> FloatArray:
    """Simulate the scores of a scale at baseline and at each visit.

    Parameters
    ----------
    course
        How scores run.
    visits
        Months of the visits after baseline, increasing, shape ``(v,)``.
    progression, death
        Months of each patient's progression and death, inf where there is none, shape ``(trials, n)``.
    rng
        Seed.

    Returns
    -------
    ndarray, shape (trials, n, 1 + v)
        Points from 0 to 100; NaN where no questionnaire was filled in. All have a baseline.

    Raises
    ------
    InvalidValueError
        If visits do not increase or the shapes differ.

    Examples
    --------
    >>> course = ScoreCourse(61, between=20, within=0, after_progression=10, until="death")
    >>> scores = simulate_scores(course, [2, 4, 6], progression=[[3, 9]], death=[[5, 9]], rng=1)
    >>> scores.shape, np.isnan(scores[0]).sum(axis=1).tolist()
    ((1, 2, 4), [1, 0])
    """
    one_of("course", course, ScoreCourse, "ScoreCourse(61, between=20, within=12)")
    months = np.array(increasing("visits", visits))
    progressed, died = _months("progression", progression), _months("death", death)
    if progressed.shape != died.shape:
        raise InvalidValueError("death", died.shape, f"the shape of progression, {progressed.shape}", "give as many")
    draw = np.random.Generator(np.random.PCG64(seed_sequence(rng)))
    shape = progressed.shape
    level = course.baseline + course.between * draw.standard_normal(shape)
    slope = course.slope + course.slopes * draw.standard_normal(shape)
    error = course.within * draw.standard_normal((*shape, 1 + months.size))
    is_filled = draw.random((*shape, months.size)) < course.filled
    at = np.append(0.0, months)
    ill = progressed[..., None] <= at
    latent = level[..., None] + slope[..., None] * at - course.after_progression * ill + error
    scores: FloatArray = np.clip(np.round(latent / course.step) * course.step, 0.0, 100.0)
    asked = died[..., None] > at[1:]
    if course.until == "progression":  # the questionnaire of the visit at which it is seen still counts
        before = np.append(0.0, months)[:-1]
        asked &= progressed[..., None] > before
    scores[..., 1:][~(asked & is_filled)] = np.nan
    return scores


@border
def time_to_deterioration(
    scores: ArrayLike, visits: ArrayLike, *, death: ArrayLike, definition: Deterioration | None = None
) -> Deteriorated:
    """Find when each simulated patient deteriorates, by the rules by which a delivered trial is read.

    Parameters
    ----------
    scores
        As `simulate_scores` gives them, shape ``(trials, n, 1 + v)``.
    visits
        Months of the visits, shape ``(v,)``.
    death
        Months of death, inf where there is none, shape ``(trials, n)``.
    definition
        What counts; `Deterioration()` if not given.

    Returns
    -------
    Deteriorated
        Who does not deteriorate is censored at her last questionnaire, at month 0 if she has none after baseline, or
        has an event at her death, if the definition counts it.

    Raises
    ------
    InvalidValueError
        If the shapes do not fit or a baseline is missing.

    Examples
    --------
    >>> found = time_to_deterioration([[[60, 45, 65, 50, 40]]], [1, 2, 3, 4], death=[[np.inf]])
    >>> found.time.tolist(), found.event.tolist()
    ([[3.0]], [[True]])
    """
    chosen: Deterioration = one_of("definition", definition or Deterioration(), Deterioration, "Deterioration(by=10)")
    months = np.array(increasing("visits", visits))
    points = np.asarray(scores, float)
    died = _months("death", death)
    if points.shape != (*died.shape, 1 + months.size):
        expected = f"{(*died.shape, 1 + months.size)}: trials, patients, the baseline and {months.size} visits"
        raise InvalidValueError("scores", points.shape, expected, "give scores, visits and deaths of the same patients")
    if np.isnan(points[..., 0]).any():
        raise InvalidValueError("scores", "a missing baseline", "a baseline of everybody", "leave the patient out")
    filled = ~np.isnan(points)
    best = np.maximum.accumulate(np.where(filled, points, -np.inf), axis=-1)
    reference = best[..., :-1] if chosen.reference == "best" else np.broadcast_to(points[..., :1], best[..., 1:].shape)
    aim = reference - chosen.by + SAME_SCORE
    later = points[..., 1:]
    known = filled[..., 1:]
    with np.errstate(invalid="ignore"):
        found = known & (later <= aim) & _holds(chosen, later, known, aim)
    any_found = found.any(axis=-1)
    last = np.where(known, months, 0.0).max(axis=-1)
    time = np.where(any_found, months[found.argmax(axis=-1)], last)
    event = any_found.copy()
    if chosen.death == "event":
        dies = ~any_found & np.isfinite(died)
        time, event = np.where(dies, died, time), event | dies
    return Deteriorated(time, event)


def _holds(definition: Deterioration, later: FloatArray, known: BoolArray, aim: FloatArray) -> BoolArray:
    """Whether what comes after each questionnaire bears its deterioration out."""
    if definition.kind == "first":
        return np.ones_like(known)
    nothing = np.full((*later.shape[:-1], 1), -np.inf)
    values = np.where(known, later, -np.inf)
    if definition.kind == "definitive":
        highest = np.maximum.accumulate(values[..., ::-1], axis=-1)[..., ::-1]
        after = np.concatenate([highest[..., 1:], nothing], axis=-1)
        recovered = after > aim if definition.recovery == "reference" else after >= later + definition.by - SAME_SCORE
        return np.asarray(~recovered)
    after = nothing[..., 0]
    borne_out = np.empty_like(known)
    for k in reversed(range(later.shape[-1])):  # the next questionnaire that was filled in
        borne_out[..., k] = after <= aim[..., k]
        after = np.where(known[..., k], later[..., k], after)
    return borne_out


def _months(field: str, given: ArrayLike) -> FloatArray:
    months = np.asarray(given, float)
    if months.ndim != 2 or np.isnan(months).any() or (months < 0).any():
        numeric(field, given)
        raise InvalidValueError(field, f"shape {months.shape}", "months from 0 on, (trials, patients)", "give a table")
    return months
