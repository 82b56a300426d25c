"""Trials of several groups of patients, arms or strata: one call, one schedule, each group with its own disease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border, strict_border
from analysis.conventions.seeds import Seed, child, seed_sequence
from analysis.endpoints.batch import Endpoints
from analysis.endpoints.readers import Readers
from analysis.endpoints.simulated import simulate_endpoints
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.trial_values import Survival
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.statistical_tests import CoxHazardRatio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from analysis.endpoints.attendance import Attendance
    from analysis.endpoints.codes import Floats
    from analysis.endpoints.endpoint_definitions import EndpointDefinitions
    from analysis.endpoints.simulation_results import SimulatedEndpoints
    from analysis.endpoints.treatment import Treatment
    from analysis.endpoints.tumours import Tumours


@strict_border
@dataclass(frozen=True)
class SimulatedGroups:
    """Endpoints of simulated trials, group by group.

    Parameters
    ----------
    groups
        Each group's endpoints by its name, for as many trials.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours, simulate_endpoints
    >>> tumours = Tumours(Stein(Rate(0.05, 0.3), Rate(0.1, 0.3)), new_lesions=0.05)
    >>> scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    >>> one = simulate_endpoints(tumours, scans, patients=5, trials=3, rng=1)
    >>> list(SimulatedGroups({"G3": one}).groups)
    ['G3']
    """

    groups: Mapping[str, SimulatedEndpoints]

    def columns(self, name: str) -> slice:
        """Where a group's patients stand among those of a trial, groups in their order.

        Raises
        ------
        UnknownNameError
            If there is no such group.
        """
        if name not in self.groups:
            raise UnknownNameError("group", name, self.groups)
        start = 0
        for each, result in self.groups.items():
            size = result.survival.time.shape[1]
            if each == name:
                break
            start += size
        return slice(start, start + size)

    def of(self, reader: str = "investigator") -> Endpoints:
        """Endpoints of all patients of a trial by one reader; arrays (criteria, trials, patients, ...)."""
        parts = [result.of(reader) for result in self.groups.values()]
        return Endpoints(*(np.concatenate(of, axis=min(of[0].ndim - 1, 2)) for of in zip(*parts, strict=True)))

    @property
    def survival(self) -> Survival:
        """Overall survival of all patients of a trial; arrays (trials, patients)."""
        parts = [result.survival for result in self.groups.values()]
        return Survival(*(np.concatenate(of, axis=1) for of in zip(*parts, strict=True)))

    def hazard_ratios(
        self, experimental: str, control: str, *, criteria: str = "RECIST 1.1", reader: str = "investigator"
    ) -> Floats:
        """Hazard ratio of progression or death (Cox) in each trial, experimental against control; shape (trials,)."""
        seen, c = self.of(reader), CRITERIA.index(criteria)
        first, second = self.columns(control), self.columns(experimental)
        times, events = (
            np.concatenate([values[c][:, first], values[c][:, second]], axis=1) for values in (seen.time, seen.event)
        )
        size = first.stop - first.start
        arm = np.arange(times.shape[1]) >= size
        return np.array([CoxHazardRatio().analyse(*trial, arm).estimate for trial in zip(times, events, strict=True)])

    def summary(self) -> pd.DataFrame:
        """Summary of each group, with its name as first column."""
        frames = [result.summary().assign(group=name) for name, result in self.groups.items()]
        together = pd.concat(frames, ignore_index=True)
        return together[["group", *together.columns.drop("group")]]


@border
def simulate_groups(
    tumours: Mapping[str, Tumours],
    attendance: Attendance,
    *,
    patients: Mapping[str, int],
    trials: int,
    rng: Seed,
    readers: Readers | Mapping[str, Readers] | None = None,
    definitions: EndpointDefinitions | None = None,
    treatment: Treatment | None = None,
    executor: Executor | None = None,
) -> SimulatedGroups:
    """Simulate trials of several groups that share scans and definitions.

    Parameters
    ----------
    tumours
        The disease of each group, by the group's name.
    patients
        Patients of each group in each trial.
    readers
        Who reads the scans, for all groups or by name.
    attendance, trials, rng, definitions, treatment, executor
        As in `simulate_endpoints`; each group draws from a stream of its own.

    Returns
    -------
    SimulatedGroups

    Raises
    ------
    InvalidValueError
        If the names are not those of the diseases.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours
    >>> growth = Stein(Rate(0.1, 0.5), Rate(0.1, 1.0))
    >>> arms = {"placebo": Tumours(growth, new_lesions=0.1), "drug": Tumours(growth, new_lesions=0.05)}
    >>> scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    >>> trials = simulate_groups(arms, scans, patients={"placebo": 50, "drug": 50}, trials=20, rng=1)
    >>> trials.of().time.shape, bool(trials.hazard_ratios("drug", "placebo").mean() < 1)
    ((2, 20, 100), True)
    """
    by_group = dict.fromkeys(tumours, readers) if readers is None or isinstance(readers, Readers) else dict(readers)
    for field, names in (("patients", set(patients)), ("readers", set(by_group))):
        if names != set(tumours):
            raise InvalidValueError(field, sorted(names), f"the groups {sorted(tumours)}", "name the same groups")
    seed = seed_sequence(rng)
    found = {
        name: simulate_endpoints(
            disease,
            attendance,
            patients=patients[name],
            trials=trials,
            rng=child(seed, number),
            readers=by_group[name],
            definitions=definitions,
            treatment=treatment,
            executor=executor,
        )
        for number, (name, disease) in enumerate(tumours.items())
    }
    return SimulatedGroups(found)
