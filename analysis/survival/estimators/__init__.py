"""Estimators for one sample: Kaplan-Meier, numbers at risk, restricted mean."""

from analysis.survival.estimators.intervals import Transformation
from analysis.survival.estimators.kaplan_meier import KaplanMeier, kaplan_meier, reverse_kaplan_meier
from analysis.survival.estimators.risk_sets import AtRisk, at_risk
from analysis.survival.estimators.rmst import RMST, rmst

__all__ = ["RMST", "AtRisk", "KaplanMeier", "Transformation", "at_risk", "kaplan_meier", "reverse_kaplan_meier", "rmst"]
