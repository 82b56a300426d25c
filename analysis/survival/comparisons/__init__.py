"""Comparisons of two arms: log-rank family, hazard ratio, differences of restricted means and of milestones."""

from analysis.survival.comparisons.cox import HazardRatio, cox_hazard_ratio
from analysis.survival.comparisons.logrank import logrank
from analysis.survival.comparisons.max_combo import MaxCombo, max_combo
from analysis.survival.comparisons.milestone import milestone_difference
from analysis.survival.comparisons.results import Difference, TestResult
from analysis.survival.comparisons.rmst_difference import rmst_difference
from analysis.survival.comparisons.weights import FlemingHarrington, ModestlyWeighted, Weight

__all__ = [
    "Difference",
    "FlemingHarrington",
    "HazardRatio",
    "MaxCombo",
    "ModestlyWeighted",
    "TestResult",
    "Weight",
    "cox_hazard_ratio",
    "logrank",
    "max_combo",
    "milestone_difference",
    "rmst_difference",
]
