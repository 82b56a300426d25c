"""EORTC QLQ-C30: scored as its manual says, its change from baseline, and the time until it deteriorates."""

from analysis.quality_of_life.deterioration import Deterioration
from analysis.quality_of_life.questionnaires import QualityOfLife, read_qlq_c30
from analysis.quality_of_life.scales import QLQ_C30, Scale, score_qlq_c30

__all__ = ["QLQ_C30", "Deterioration", "QualityOfLife", "Scale", "read_qlq_c30", "score_qlq_c30"]
