"""Estimators for one sample: Kaplan-Meier, numbers at risk, restricted mean."""

from analysis.survival.estimators.kaplan_meier import KaplanMeier, kaplan_meier, reverse_kaplan_meier
from analysis.survival.estimators.numbers_at_risk import NumbersAtRisk, numbers_at_risk
from analysis.survival.estimators.rmst import RMST, rmst

__all__ = ["RMST", "KaplanMeier", "NumbersAtRisk", "kaplan_meier", "numbers_at_risk", "reverse_kaplan_meier", "rmst"]
