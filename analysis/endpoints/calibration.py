"""Find the disease and the readers that reproduce reported figures: PFS, disease control, response, discordance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from analysis.conventions.border import border, strict_border
from analysis.conventions.checks import count
from analysis.conventions.display import short_repr
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.options import as_number, check_name
from analysis.endpoints.readers import Readers
from analysis.endpoints.simulated import simulate_endpoints
from analysis.endpoints.trial_values import Estimate
from analysis.endpoints.tumours import MOST_PATIENTS
from analysis.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.endpoints.attendance import Attendance
    from analysis.endpoints.simulation_results import SimulatedEndpoints
    from analysis.endpoints.tumours import Tumours

Free = Literal["growth", "shrinkage", "new_lesions", "non_target", "death", "error", "delay", "unshared"]
Quantity = Literal[
    "median PFS",
    "PFS rate",
    "overall survival",
    "control at landmark",
    "control until landmark",
    "progression-free at landmark",
    "objective response",
    "confirmed response",
    "disease control as best response",
    "early discordance",
    "late discordance",
    "discordant progression date",
    "discordant best response",
]
READING = ("error", "delay", "unshared")
"""Free parameters of the readers."""
MONTHLY = ("PFS rate", "overall survival")
"""Quantities that are read at a month."""
DISCORDANCE = {
    "early discordance": "early discordance",
    "late discordance": "late discordance",
    "discordant progression date": "progression date",
    "discordant best response": "best response",
}


@strict_border
@dataclass(frozen=True)
class Target:
    """A figure to be reproduced.

    Parameters
    ----------
    quantity
        What it is. Rates are shares, the median PFS is in months.
    value
        Its value: a share from 0 to 1, or a median above 0.
    at
        Landmark in days (one of the definitions') for control, in months for the PFS rate and overall survival.
    criteria
        ``"RECIST 1.1"`` or ``"iRECIST"``.
    reader
        Who reads it, but for survival and discordance.
    scale
        The difference that counts as one unit of misfit, in the unit of the value; above 0.

    Raises
    ------
    UnknownNameError
        If the quantity is not known.
    InvalidValueError
        If the value is not a share from 0 to 1, or no median above 0; if the PFS rate or overall survival is asked for
        without a month above 0, or the scale is not above 0.

    Notes
    -----
    Scans make the median PFS jump from one visit to the next; a rate of PFS moves smoothly and is the better target.

    Examples
    --------
    >>> Target("disease control as best response", 0.35).scale
    0.02
    """

    quantity: Quantity
    value: float
    at: float | None = None
    criteria: str = "RECIST 1.1"
    scale: float = 0.02
    reader: str = "investigator"

    def __post_init__(self) -> None:
        check_name(self, "quantity", get_args(Quantity))
        value = as_number(self.value)
        if self.quantity == "median PFS":
            if not 0 < value < np.inf:
                raise InvalidValueError("value", self.value, "a median above 0", "give months")
        elif not 0 <= value <= 1:
            raise InvalidValueError("value", self.value, "a share from 0 to 1", "give a fraction: 0.5 for 50%")
        if self.quantity in MONTHLY and not 0 < as_number(self.at) < np.inf:
            raise InvalidValueError("at", self.at, f"a month above 0 for {self.quantity}", "say when it is read")
        if not 0 < as_number(self.scale) < np.inf:
            raise InvalidValueError("scale", self.scale, "a difference above 0", "say what is one unit of misfit")

    def simulated(self, result: SimulatedEndpoints) -> Estimate:
        """Read the figure off simulated trials.

        Raises
        ------
        InvalidValueError
            If the landmark is not one of the definitions'.
        """
        if self.quantity == "median PFS":
            return result.median_pfs(self.criteria, self.reader)
        if self.quantity == "PFS rate":
            return result.survival_at(as_number(self.at), self.criteria, self.reader)
        if self.quantity == "overall survival":
            return result.overall_survival(as_number(self.at))
        if self.quantity in DISCORDANCE:
            return result.discordance(self.criteria)[DISCORDANCE[self.quantity]]
        rates = result.rates(self.reader)
        chosen = rates[(rates["criteria"] == self.criteria) & (rates["endpoint"] == self.quantity)]
        if self.at is not None:
            chosen = chosen[chosen["landmark"] == self.at]
        if len(chosen) != 1:
            raise InvalidValueError(
                "at", self.at, "a landmark of the definitions for a rate at one", "add the landmark"
            )
        return Estimate(float(chosen["rate"].iloc[0]), float(chosen["std_error"].iloc[0]))


@border
@dataclass(frozen=True)
class Calibration:
    """What was found, and how near it comes.

    Parameters
    ----------
    tumours, readers
        The calibrated disease and readers.
    fit
        One row for each target: quantity, at, criteria, target, scale, simulated, std_error (Monte Carlo).
    factors
        By what each free parameter was multiplied.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours, simulate_endpoints
    >>> tumours = Tumours(Stein(Rate(0.05, 0.3), Rate(0.1, 0.3)), new_lesions=0.05)
    >>> scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    >>> from analysis.endpoints import Target, calibrate
    >>> targets = [Target("PFS rate", 0.5, at=6)]
    >>> found = calibrate(tumours, scans, targets, ["growth"], rng=1, patients=100, evaluations=10)
    >>> list(found.factors)
    ['growth']
    """

    tumours: Tumours
    readers: Readers
    fit: pd.DataFrame
    factors: dict[str, float]

    def __repr__(self) -> str:
        return short_repr(self)

    @property
    def misfit(self) -> float:
        """Largest absolute difference from a target, in units of that target's scale; NaN if a figure has no value."""
        differences = (self.fit["simulated"] - self.fit["target"]) / self.fit["scale"]
        return float(differences.abs().max(skipna=False))


def scaled(tumours: Tumours, readers: Readers, factors: dict[str, float]) -> tuple[Tumours, Readers]:
    """Multiply parameters of the disease and of the readers."""
    growth = tumours.growth.scaled(factors.get("growth", 1.0), factors.get("shrinkage", 1.0))
    hazards = {name: getattr(tumours, name) * factors.get(name, 1.0) for name in ("new_lesions", "non_target", "death")}
    reading = {name: getattr(readers, name) * factors.get(name, 1.0) for name in READING}
    return replace(tumours, growth=growth, **hazards), replace(readers, **reading)


@border
def calibrate(
    tumours: Tumours,
    attendance: Attendance,
    targets: Sequence[Target],
    free: Sequence[Free],
    *,
    rng: int,
    readers: Readers | None = None,
    definitions: EndpointDefinitions | None = None,
    patients: int = 4000,
    evaluations: int = 120,
) -> Calibration:
    """Multiply the free parameters until the simulated figures are the reported ones.

    Parameters
    ----------
    tumours, attendance, readers, definitions
        Where to start; a free parameter has to be above 0 there.
    targets, free
        The figures, and the parameters to move: at least as many figures as parameters.
    rng
        Seed; the same draws are used at every evaluation, and fresh ones (the next seed) for the reported fit.
    patients
        Patients simulated at each evaluation.
    evaluations
        Simulations at most.

    Returns
    -------
    Calibration

    Raises
    ------
    UnknownNameError
        If a free parameter is not known.
    InvalidValueError
        If there are more parameters than targets, or a free parameter starts at 0.

    Notes
    -----
    Nelder-Mead on the logarithms of the factors, sum of squared differences in units of each target's scale. Look at
    ``misfit`` and ``fit`` of what is returned: a target that cannot be reached is not an error.

    Examples
    --------
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours
    >>> tumours = Tumours(Stein(Rate(0.1, 0.6), Rate(0.1, 1.0)), death=0.03)
    >>> scans = Attendance(Assessments.every(2), until=12)
    >>> targets = [Target("PFS rate", 0.4, at=6)]
    >>> found = calibrate(tumours, scans, targets, ["growth"], rng=1, patients=200, evaluations=20)
    >>> print(found.fit[["target", "simulated", "std_error"]].round(2).to_string(index=False))
     target  simulated  std_error
        0.4       0.46       0.04
    >>> round(found.factors["growth"], 2), round(found.misfit, 1)
    (0.66, 3.2)

    The difference is below two Monte Carlo standard errors of 200 patients; more patients give a finer fit.
    """
    readers, definitions = readers or Readers(), definitions or EndpointDefinitions()
    if not 0 < len(free) <= len(targets):
        raise InvalidValueError("free", list(free), f"1 to {len(targets)} parameters", "free fewer, or add targets")
    start = {"new_lesions": tumours.new_lesions, "non_target": tumours.non_target, "death": tumours.death}
    start |= {name: getattr(readers, name) for name in READING}
    for name in free:
        if name not in get_args(Free):
            raise UnknownNameError("free parameter", str(name), get_args(Free))
        if start.get(name, 1.0) <= 0:
            raise InvalidValueError(name, start[name], "a start above 0", "a factor cannot move 0")
    groups = max(count("patients", patients, "patients", at_most=MOST_PATIENTS) // 100, 1)
    count("evaluations", evaluations, "evaluations")

    def run(factors: dict[str, float], seed: int) -> SimulatedEndpoints:
        disease, reading = scaled(tumours, readers, factors)
        return simulate_endpoints(
            disease, attendance, patients=100, trials=groups, rng=seed, readers=reading, definitions=definitions
        )

    def loss(log: np.ndarray) -> float:
        result = run({str(name): float(x) for name, x in zip(free, np.exp(log), strict=True)}, rng)
        return float(sum(((t.simulated(result).value - t.value) / t.scale) ** 2 for t in targets))

    first = np.vstack([np.zeros(len(free)), 0.5 * np.eye(len(free))])
    found = minimize(
        loss,
        np.zeros(len(free)),
        method="Nelder-Mead",
        options={"maxfev": evaluations, "initial_simplex": first, "xatol": 1e-3, "fatol": 1e-3},
    )
    factors = {str(name): float(x) for name, x in zip(free, np.exp(found.x), strict=True)}
    result = run(factors, rng + 1)
    rows = [(t.quantity, t.at, t.criteria, t.value, t.scale, *t.simulated(result)) for t in targets]
    fit = pd.DataFrame(rows, columns=["quantity", "at", "criteria", "target", "scale", "simulated", "std_error"])
    return Calibration(*scaled(tumours, readers, factors), fit, factors)
