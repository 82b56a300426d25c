"""What was reported of a trial: printed digits with their sources, and whether they agree with each other."""

from analysis.reported.comparison import ENDPOINTS, AtRisk, Landmark, Quartile, ReportedArm, ReportedComparison
from analysis.reported.files import available, data_directory, load, trial_file
from analysis.reported.number import Reported
from analysis.reported.summaries import ReportedHazardRatio, ReportedInterval, ReportedPValue
from analysis.reported.trial import Fact, KnownFinding, ReportedProportion, ReportedTrial, Source

__all__ = [
    "ENDPOINTS",
    "AtRisk",
    "Fact",
    "KnownFinding",
    "Landmark",
    "Quartile",
    "Reported",
    "ReportedArm",
    "ReportedComparison",
    "ReportedHazardRatio",
    "ReportedInterval",
    "ReportedPValue",
    "ReportedProportion",
    "ReportedTrial",
    "Source",
    "available",
    "data_directory",
    "load",
    "trial_file",
]
