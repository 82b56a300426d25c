"""What a protocol fixes: arms, accrual, assessments, looks and the truth assumed for a calculation."""

from analysis.design.accrual import Accrual, FixedAccrual, PiecewiseAccrual, RampAccrual, UniformAccrual
from analysis.design.assessments import WEEK, Assessments
from analysis.design.cuts import AfterEntry, AfterLastEntry, AtEvents, AtTime, Clock, Cut, EarlierOf, LaterOf
from analysis.design.scenario import Ensemble, EventTime, IllnessDeath, Scenario
from analysis.design.serial import from_json, to_json
from analysis.design.trial import Look, TrialDesign

__all__ = [
    "WEEK",
    "Accrual",
    "AfterEntry",
    "AfterLastEntry",
    "Assessments",
    "AtEvents",
    "AtTime",
    "Clock",
    "Cut",
    "EarlierOf",
    "Ensemble",
    "EventTime",
    "FixedAccrual",
    "IllnessDeath",
    "LaterOf",
    "Look",
    "PiecewiseAccrual",
    "RampAccrual",
    "Scenario",
    "TrialDesign",
    "UniformAccrual",
    "from_json",
    "to_json",
]
