"""Treatment in simulated trials: how it goes, what its end does to the disease, and which estimand is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from analysis.conventions.border import strict_border
from analysis.conventions.checks import choice, not_negative, one_of
from analysis.conventions.display import short_repr
from analysis.endpoints.growth import Rate
from analysis.safety.course import ADVERSE_EVENT, DISEASE, ONGOING, Course, TreatmentCourse, dose_given

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.endpoints.batch import Endpoints
    from analysis.endpoints.codes import Floats
    from analysis.endpoints.tumours import Disease

Strategy = Literal["treatment policy", "hypothetical", "while on treatment", "composite"]
STRATEGIES = ("treatment policy", "hypothetical", "while on treatment", "composite")


@strict_border
@dataclass(frozen=True)
class Treatment:
    """Treatment that can end before the disease progresses, an intercurrent event in the sense of ICH E9(R1).

    Parameters
    ----------
    course
        Adverse events and the end of treatment.
    strategy
        How the end of treatment is handled: ``"treatment policy"``, what happens after it counts as it comes;
        ``"hypothetical"``, as if treatment had gone on; ``"while on treatment"``, scans and deaths after it are not
        used; ``"composite"``, an end for an adverse event is a failure like progression.
    regrowth
        Rate per month at which lesions grow once treatment has ended; None if its end changes nothing.
    progresses
        Factor on the hazards of new lesions and of non-target progression once it has ended.

    Examples
    --------
    >>> from analysis.safety import TreatmentCourse
    >>> Treatment(TreatmentCourse(0.1, ends=0.1, longest=12), strategy="hypothetical").strategy
    'hypothetical'
    """

    course: TreatmentCourse
    strategy: Strategy = "treatment policy"
    regrowth: Rate | None = None
    progresses: float = 1.0

    def __post_init__(self) -> None:
        one_of("course", self.course, TreatmentCourse, "TreatmentCourse(adverse_events=0.1)")
        choice("strategy", self.strategy, STRATEGIES)
        if self.regrowth is not None:
            one_of("regrowth", self.regrowth, Rate, "Rate(0.2)")
        not_negative("progresses", self.progresses, "times")

    def seen_until(self, course: Course) -> Floats:
        """Month after which nothing is used of each patient, inf where everything is."""
        if self.strategy == "while on treatment":
            return course.stop
        if self.strategy == "composite":
            return np.where(course.why == ADVERSE_EVENT, course.stop, np.inf)
        return np.full(len(course.stop), np.inf)

    @property
    def is_felt(self) -> bool:
        """Whether the disease that is asked about is that after the end of treatment."""
        return self.strategy != "hypothetical" and (self.regrowth is not None or self.progresses != 1)


class Treated(NamedTuple):
    """What was seen of treatment, by criterion (RECIST 1.1, iRECIST), which decides when progression ends it.

    Attributes
    ----------
    months
        On treatment, shape (criteria, trials, patients).
    why
        Code of the reason for its end, see `analysis.safety.course.ENDS`.
    events, interrupted, reduced
        Adverse events, and those that interrupted it or lowered the dose.
    first_event
        Month of the first adverse event on treatment, inf without one.
    dose
        Months of the planned dose that were given; over `months`, the relative dose intensity.
    """

    months: Floats
    why: NDArray[np.int8]
    events: NDArray[np.int64]
    interrupted: NDArray[np.int64]
    reduced: NDArray[np.int64]
    first_event: Floats
    dose: Floats

    def __repr__(self) -> str:
        return short_repr(self)


def treatment_seen(course: Course, disease: Floats, until: float) -> Treated:
    """Follow treatment until the disease ends it, (criteria, patients) months, or follow-up at `until`."""
    parts = []
    for ended in disease:
        end = np.minimum(ended, until)
        months = np.minimum(course.stop, end)
        why = np.where(course.stop <= end, course.why, np.where(ended <= until, DISEASE, ONGOING)).astype(np.int8)
        had = course.event <= months[:, None]
        before = np.column_stack([np.ones(len(months)), course.level[:, :-1]]) if course.level.size else course.level
        parts.append(
            Treated(
                months,
                why,
                had.sum(axis=1),
                (had & (course.away > 0)).sum(axis=1),
                (had & (course.level < before)).sum(axis=1),
                np.where(had, course.event, np.inf).min(axis=1, initial=np.inf),
                dose_given(course, end),
            )
        )
    return Treated(*(np.stack(values) for values in zip(*parts, strict=True)))


def after_treatment(
    disease: Disease, month: Floats, at_stop: Floats, stop: Floats, treatment: Treatment, rng: np.random.Generator
) -> Disease:
    """Let a disease go on without treatment: lesions regrow from their size at its end, the rest comes sooner.

    Parameters
    ----------
    disease, month
        Course under treatment, and the months of its scans, (patients, visits).
    at_stop
        Diameters when treatment ended, (patients, lesions).
    stop
        Months at which it ended, inf where it did not.
    """
    diameter = disease.diameter
    if treatment.regrowth is not None:
        rate = treatment.regrowth.draw(len(month), diameter.shape[2], rng)
        since = np.maximum(month - np.where(np.isfinite(stop), stop, np.inf)[:, None], 0.0)
        grown = at_stop[:, None, :] * np.exp(np.minimum(rate[:, None, :] * since[:, :, None], 50.0))
        diameter = diameter.copy()
        diameter[:, 1:] = np.where(since[:, :, None] > 0, grown, diameter[:, 1:])

    def sooner(when: Floats) -> Floats:
        late = np.isfinite(when) & (when > stop)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(late, stop + (when - stop) / treatment.progresses, when)

    return disease._replace(
        diameter=diameter, new_lesion=sooner(disease.new_lesion), non_target=sooner(disease.non_target)
    )


def with_failures(found: Endpoints, course: Course, landmarks: Floats) -> Endpoints:
    """Count an end of treatment for an adverse event as progression, where it comes first: the composite strategy.

    Parameters
    ----------
    found
        Endpoints by one reader, (criteria, patients, ..).
    landmarks
        Months of the landmarks.
    """
    stop = np.where(course.why == ADVERSE_EVENT, course.stop, np.inf)
    fails = stop < np.where(found.event, found.time, np.inf)
    before = stop[:, None] <= landmarks  # the end of treatment comes before the landmark
    return found._replace(
        time=np.where(fails, stop, found.time),
        event=found.event | fails,
        control=found.control & ~before[None, :, :, None],
        duration_of_response=_shorter(found.duration_of_response, found.time_to_response, stop),
        disease_control=np.fmin(found.disease_control, np.where(np.isnan(found.disease_control), np.nan, stop)),
    )


def _shorter(duration: Floats, start: Floats, stop: Floats) -> Floats:
    return np.where(np.isnan(duration), np.nan, np.minimum(duration, np.maximum(stop - start, 0.0)))
