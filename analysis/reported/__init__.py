"""What was reported of a trial: printed digits with their sources, and whether they agree with each other."""

from analysis.reported.arm import AtRisk, Landmark, Quartile, ReportedArm
from analysis.reported.comparison import ENDPOINTS, ReportedComparison, StratificationFactor
from analysis.reported.entries import Fact, KnownFinding, ReportedProportion, Source
from analysis.reported.files import available, data_directory, load, trial_file
from analysis.reported.finding import Finding
from analysis.reported.findings import Review, check, check_comparison, review
from analysis.reported.number import Reported
from analysis.reported.recovered import Recovered, events_from_ci, least_events, log_ratio_std_error
from analysis.reported.summaries import ReportedHazardRatio, ReportedInterval, ReportedPValue
from analysis.reported.timeline import TrialTimeline
from analysis.reported.trial import ReportedTrial

__all__ = [
    "ENDPOINTS",
    "AtRisk",
    "Fact",
    "Finding",
    "KnownFinding",
    "Landmark",
    "Quartile",
    "Recovered",
    "Reported",
    "ReportedArm",
    "ReportedComparison",
    "ReportedHazardRatio",
    "ReportedInterval",
    "ReportedPValue",
    "ReportedProportion",
    "ReportedTrial",
    "Review",
    "Source",
    "StratificationFactor",
    "TrialTimeline",
    "available",
    "check",
    "check_comparison",
    "data_directory",
    "events_from_ci",
    "least_events",
    "load",
    "log_ratio_std_error",
    "review",
    "trial_file",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
