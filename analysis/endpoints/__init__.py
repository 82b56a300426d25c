"""From lesions to endpoints, as RECIST 1.1 and iRECIST derive them."""

from analysis.endpoints.adjudication import adjudicate
from analysis.endpoints.arrays import derive_arrays, response_terms
from analysis.endpoints.assessment import COMMON, EORTC, ResponseRule, irecist_responses, overall, target_responses
from analysis.endpoints.attendance import Attendance
from analysis.endpoints.calibration import Calibration, Target, calibrate
from analysis.endpoints.derivation import Derivation, derive
from analysis.endpoints.disease_control import (
    ControlAsBestResponse,
    ControlAtLandmark,
    ControlUntilLandmark,
    ProgressionFreeAtLandmark,
)
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.endpoint_tables import derive_endpoints, summarise
from analysis.endpoints.groups import SimulatedGroups, simulate_groups
from analysis.endpoints.growth import Claret, Rate, Stein, Wang
from analysis.endpoints.histories import ResponseHistory, Sizes
from analysis.endpoints.organs import Organs
from analysis.endpoints.overall_survival import overall_survival
from analysis.endpoints.protocol import Protocol
from analysis.endpoints.readers import Readers, discordance
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
from analysis.endpoints.response_tables import read_responses
from analysis.endpoints.simulated import simulate_endpoints
from analysis.endpoints.simulated_measurements import simulated_measurements
from analysis.endpoints.simulation_results import SimulatedEndpoints
from analysis.endpoints.size_measures import DepthOfResponse, Measured, TumourGrowthRate, tumour_growth_rate
from analysis.endpoints.study import DerivedStudy, Study, read_study
from analysis.endpoints.time_to_event import (
    EVENT_OR_LAST_ASSESSMENT,
    Censoring,
    Duration,
    DurationOfDiseaseControl,
    DurationOfResponse,
    ProgressionFreeSurvival,
    TimeToResponse,
)
from analysis.endpoints.treatment import Treatment
from analysis.endpoints.trial_values import Estimate, Survival
from analysis.endpoints.tumours import PseudoProgression, Tumours, baseline_lesions

__all__ = [
    "COMMON",
    "EORTC",
    "EVENT_OR_LAST_ASSESSMENT",
    "Attendance",
    "BestOverallResponse",
    "Calibration",
    "Censoring",
    "Claret",
    "ClinicalBenefit",
    "Confirmation",
    "ConfirmedProgression",
    "ControlAsBestResponse",
    "ControlAtLandmark",
    "ControlUntilLandmark",
    "DepthOfResponse",
    "Derivation",
    "Derived",
    "DerivedStudy",
    "Duration",
    "DurationOfDiseaseControl",
    "DurationOfResponse",
    "EndpointDefinitions",
    "Estimate",
    "LastAssessment",
    "Measured",
    "ObjectiveResponse",
    "Organs",
    "ProgressionFreeAtLandmark",
    "ProgressionFreeSurvival",
    "Protocol",
    "PseudoProgression",
    "Rate",
    "Readers",
    "ResponseHistory",
    "ResponseRule",
    "SimulatedEndpoints",
    "SimulatedGroups",
    "Sizes",
    "Stein",
    "Study",
    "Survival",
    "Target",
    "TimeToResponse",
    "Treatment",
    "TumourGrowthRate",
    "Tumours",
    "UnconfirmedProgression",
    "Wang",
    "adjudicate",
    "baseline_lesions",
    "calibrate",
    "derive",
    "derive_arrays",
    "derive_endpoints",
    "discordance",
    "irecist_responses",
    "overall",
    "overall_survival",
    "read_responses",
    "read_study",
    "response_terms",
    "simulate_endpoints",
    "simulate_groups",
    "simulated_measurements",
    "summarise",
    "target_responses",
    "tumour_growth_rate",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
