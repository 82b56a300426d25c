"""Adverse events and exposure, from the tables that a trial delivers."""

from analysis.safety.adverse_event_tables import read_adverse_events
from analysis.safety.adverse_events import AdverseEvents
from analysis.safety.course import Course, TreatmentCourse, dose_given
from analysis.safety.cumulative_incidence import (
    CumulativeIncidence,
    SubdistributionHazard,
    cumulative_incidence,
    fine_gray,
)
from analysis.safety.exposure import DosePlan, Exposure
from analysis.safety.exposure_tables import read_exposure
from analysis.safety.treated import Treated, read_treated

__all__ = [
    "AdverseEvents",
    "Course",
    "CumulativeIncidence",
    "DosePlan",
    "Exposure",
    "SubdistributionHazard",
    "Treated",
    "TreatmentCourse",
    "cumulative_incidence",
    "dose_given",
    "fine_gray",
    "read_adverse_events",
    "read_exposure",
    "read_treated",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
