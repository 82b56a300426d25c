"""Weights of the log-rank test as they come out in large samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.survival import FlemingHarrington, ModestlyWeighted

if TYPE_CHECKING:
    from analysis.power.expected import RiskProcess
    from analysis.power.quadrature import FloatArray

NO_CHANGES = np.array([], dtype=np.float64)


@dataclass(frozen=True)
class NumberAtRisk:
    """Number at risk to a power: 1 is Gehan and Breslow's test, 0.5 Tarone and Ware's.

    Parameters
    ----------
    power
        Exponent, at least 0.

    Raises
    ------
    InvalidValueError
        If the exponent is negative or not finite.
    """

    power: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.power < np.inf:
            raise InvalidValueError("power", self.power, "an exponent of at least 0", "give 1 for Gehan's test")


@singledispatch
def large_sample_weight(weight: object, process: RiskProcess) -> FloatArray:
    """Give what a weight function converges to at the nodes of a stratum's course.

    The weights of `analysis.survival` are taught to large samples here; a new kind is one more function.

    Raises
    ------
    InvalidValueError
        If the kind of weight is not known.
    """
    raise InvalidValueError(
        "weight", weight, "FlemingHarrington, ModestlyWeighted or NumberAtRisk", "register it, or simulate the design"
    )


@large_sample_weight.register(type(None))
def _(weight: None, process: RiskProcess) -> FloatArray:
    return np.ones_like(process.grid.time)


@large_sample_weight.register(FlemingHarrington)
def _(weight: FlemingHarrington, process: RiskProcess) -> FloatArray:
    hazard = process.pooled_cumulative_hazard
    value: FloatArray = np.exp(-weight.rho * hazard) * (-np.expm1(-hazard)) ** weight.gamma
    return value


@large_sample_weight.register(ModestlyWeighted)
def _(weight: ModestlyWeighted, process: RiskProcess) -> FloatArray:
    early = process.grid.time < weight.t_star
    at_t_star = process.grid.integral(np.where(early, process.pooled_hazard, 0.0))
    grown = np.exp(np.where(early, process.pooled_cumulative_hazard, at_t_star))
    return np.minimum(grown, weight.w_max)


@large_sample_weight.register(NumberAtRisk)
def _(weight: NumberAtRisk, process: RiskProcess) -> FloatArray:
    value: FloatArray = process.at_risk.sum(axis=0) ** weight.power
    return value


@singledispatch
def weight_changes(weight: object) -> FloatArray:
    """Follow-up months, known beforehand, at which a weight function is not smooth."""
    return NO_CHANGES


@weight_changes.register(ModestlyWeighted)
def _(weight: ModestlyWeighted) -> FloatArray:
    return np.array([weight.t_star])
