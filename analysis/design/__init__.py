"""A trial: what its protocol fixes, and the truth that is assumed for a calculation."""

from analysis.design.accrual import (
    Accrual,
    AccrualRate,
    FixedAccrual,
    PiecewiseAccrual,
    RampAccrual,
    UniformAccrual,
)
from analysis.design.assessments import Assessments
from analysis.design.cuts import AfterEntry, AfterLastEntry, AtEvents, AtTime, Cut, EarlierOf, LaterOf
from analysis.design.illness_death import IllnessDeath
from analysis.design.look import Look
from analysis.design.scenario import EventTime, Scenario
from analysis.design.trial import TrialDesign

__all__ = [
    "Accrual",
    "AccrualRate",
    "AfterEntry",
    "AfterLastEntry",
    "Assessments",
    "AtEvents",
    "AtTime",
    "Cut",
    "EarlierOf",
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
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
