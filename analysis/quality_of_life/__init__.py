"""EORTC QLQ-C30: scored as its manual says, its change from baseline, its deterioration; and simulated."""

from analysis.quality_of_life.deterioration import Deterioration
from analysis.quality_of_life.questionnaires import QualityOfLife, read_qlq_c30
from analysis.quality_of_life.scales import QLQ_C30, Scale, score_qlq_c30
from analysis.quality_of_life.simulated import Deteriorated, ScoreCourse, simulate_scores, time_to_deterioration

__all__ = [
    "QLQ_C30",
    "Deteriorated",
    "Deterioration",
    "QualityOfLife",
    "Scale",
    "ScoreCourse",
    "read_qlq_c30",
    "score_qlq_c30",
    "simulate_scores",
    "time_to_deterioration",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
