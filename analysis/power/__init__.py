"""Power, sample size, duration, detectable effect and assurance of a design, by formula or by simulation."""

from analysis.power.assurance import assurance, normal_assurance
from analysis.power.course import ExpectedCourse
from analysis.power.duration import study_duration
from analysis.power.effect import detectable_effect
from analysis.power.events import events_needed, hazard_ratio_at_events, power_at_events
from analysis.power.power import power
from analysis.power.result import Power
from analysis.power.size import sample_size
from analysis.power.summary import power_summary

__all__ = [
    "ExpectedCourse",
    "Power",
    "assurance",
    "detectable_effect",
    "events_needed",
    "hazard_ratio_at_events",
    "normal_assurance",
    "power",
    "power_at_events",
    "power_summary",
    "sample_size",
    "study_duration",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
