"""From lesions to endpoints, as RECIST 1.1 and iRECIST derive them."""

from analysis.endpoints.disease_control import (
    ControlAsBestResponse,
    ControlAtLandmark,
    ControlUntilLandmark,
    ProgressionFreeAtLandmark,
)
from analysis.endpoints.histories import ResponseHistory
from analysis.endpoints.response import (
    BestOverallResponse,
    ClinicalBenefit,
    Confirmation,
    ConfirmedProgression,
    Derived,
    LastAssessment,
    ObjectiveResponse,
    UnconfirmedProgression,
)
from analysis.endpoints.time_to_event import (
    EVENT_OR_LAST_ASSESSMENT,
    Censoring,
    Duration,
    DurationOfDiseaseControl,
    DurationOfResponse,
    ProgressionFreeSurvival,
    TimeToResponse,
)

__all__ = [
    "EVENT_OR_LAST_ASSESSMENT",
    "BestOverallResponse",
    "Censoring",
    "ClinicalBenefit",
    "Confirmation",
    "ConfirmedProgression",
    "ControlAsBestResponse",
    "ControlAtLandmark",
    "ControlUntilLandmark",
    "Derived",
    "Duration",
    "DurationOfDiseaseControl",
    "DurationOfResponse",
    "LastAssessment",
    "ObjectiveResponse",
    "ProgressionFreeAtLandmark",
    "ProgressionFreeSurvival",
    "ResponseHistory",
    "TimeToResponse",
    "UnconfirmedProgression",
]
