"""What simulated trials showed: rates, medians and discordance, each with its Monte Carlo standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.endpoints.adjudication import readings_differ
from analysis.endpoints.disease_control import DEFINITIONS
from analysis.endpoints.readers import discordance
from analysis.endpoints.treatment import Treated
from analysis.endpoints.trial_values import (
    Estimate,
    Survival,
    durations,
    medians,
    over_trials,
    pooled_median,
    shares,
    sizes,
)
from analysis.errors import InvalidValueError
from analysis.safety.course import ENDS
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from analysis.endpoints.attendance import Attendance
    from analysis.endpoints.batch import Endpoints
    from analysis.endpoints.endpoint_definitions import EndpointDefinitions
    from analysis.endpoints.readers import Readers
    from analysis.endpoints.treatment import Treatment
    from analysis.endpoints.tumours import Tumours

CRITERIA = ("RECIST 1.1", "iRECIST")
READERS = ("investigator", "independent", "adjudicated")


@border
@dataclass(frozen=True)
class SimulatedEndpoints:
    """Endpoints of simulated trials.

    Parameters
    ----------
    endpoints
        By the investigator and, where there are such readings, by the independent reader and as adjudicated; arrays
        (criteria, trials, patients, ...).
    survival
        Overall survival.
    tumours, attendance, readers, definitions, seed, treatment
        What was simulated.
    treated
        What was seen of treatment; None if none was simulated.

    Examples
    --------
    >>> from analysis.conventions import WEEK
    >>> from analysis.design import Assessments
    >>> from analysis.endpoints import Attendance, Rate, Stein, Tumours, simulate_endpoints
    >>> tumours = Tumours(Stein(Rate(0.05, 0.3), Rate(0.1, 0.3)), new_lesions=0.05)
    >>> scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    >>> found = simulate_endpoints(tumours, scans, patients=5, trials=3, rng=1)
    >>> type(found).__name__, len(found.endpoints) > 0
    ('SimulatedEndpoints', True)
    """

    endpoints: tuple[Endpoints, ...]
    survival: Survival
    tumours: Tumours
    attendance: Attendance
    readers: Readers
    definitions: EndpointDefinitions
    seed: np.random.SeedSequence
    treatment: Treatment | None = None
    treated: Treated | None = None

    def of(self, reader: str = "investigator") -> Endpoints:
        """Endpoints by one reader.

        Raises
        ------
        InvalidValueError
            If there was no such reader.
        """
        known = READERS[: len(self.endpoints)]
        if reader not in known:
            raise InvalidValueError("reader", reader, f"one of {known}", "set it in Readers")
        return self.endpoints[known.index(reader)]

    def rates(self, reader: str = "investigator") -> pd.DataFrame:
        """Lay out rates: columns criteria, endpoint, landmark (days; NaN if none), rate, std_error."""
        seen = self.of(reader)
        rows: list[tuple[str, str, float, float, float]] = []
        for c, criteria in enumerate(CRITERIA):
            rows += [(criteria, name, np.nan, *over_trials(of)) for name, of in shares(seen, c).items()]
            for k, landmark in enumerate(self.definitions.landmarks):
                for d, name in enumerate(DEFINITIONS):
                    share = seen.control[c, :, :, k, d].mean(axis=1)
                    rows.append((criteria, name, float(landmark), *over_trials(share)))
        return pd.DataFrame(rows, columns=["criteria", "endpoint", "landmark", "rate", "std_error"])

    def median_pfs(self, criteria: str = "RECIST 1.1", reader: str = "investigator") -> Estimate:
        """Kaplan-Meier median of all patients together, in months, with its Monte Carlo standard error.

        The error is taken over 20 groups of trials; NaN with fewer than 20 trials or a median not reached.
        """
        return pooled_median(*durations(self.of(reader), CRITERIA.index(criteria))["progression-free survival"])

    def overall_survival(self, months: float) -> Estimate:
        """Share of patients alive at a time.

        Raises
        ------
        InvalidValueError
            If deaths are not known for so long.
        """
        followed = self.attendance.follow_up
        if not 0 <= months <= followed:
            raise InvalidValueError(
                "months", months, f"a time up to {followed:g}, the end of follow-up for death", "set survival_until"
            )
        return over_trials(1.0 - (self.survival.died & (self.survival.time <= months * (1 + SAME_TIME))).mean(axis=1))

    def survival_at(self, months: float, criteria: str = "RECIST 1.1", reader: str = "investigator") -> Estimate:
        """Share of all patients free of progression at a time, by Kaplan-Meier with Greenwood's error."""
        seen, c = self.of(reader), CRITERIA.index(criteria)
        curve = kaplan_meier(seen.time[c].ravel(), seen.event[c].ravel())
        return Estimate(float(curve.survival_at(months)), float(curve.std_error_at(months)))

    def discordance(self, criteria: str = "RECIST 1.1") -> dict[str, Estimate]:
        """How far two readers are apart: early and late discordance rates, shares of patients read differently.

        By progression date, by best response, and by either: what an adjudicator is asked.
        """
        first, second, c = self.of("investigator"), self.of("independent"), CRITERIA.index(criteria)
        progressed = np.isfinite(first.progression[c]), np.isfinite(second.progression[c])
        pairs = np.array(
            [
                discordance(first.time[c, t], progressed[0][t], second.time[c, t], progressed[1][t])
                for t in range(first.time.shape[1])
            ]
        )
        dates = (first.progression[c] != second.progression[c]).mean(axis=1)
        best = (first.best[c] != second.best[c]).mean(axis=1)
        either = readings_differ(first, second)[c].mean(axis=1)
        return {
            "early discordance": over_trials(pairs[:, 0]),
            "late discordance": over_trials(pairs[:, 1]),
            "progression date": over_trials(dates),
            "best response": over_trials(best),
            "progression date or best response": over_trials(either),
        }

    def measures(self, reader: str = "investigator") -> pd.DataFrame:
        """Lay out medians: columns criteria, endpoint, unit, value, std_error.

        Kaplan-Meier medians of times, of all patients together; of depth of response and tumour growth rate the mean
        over trials of each trial's median.
        """
        seen, rows = self.of(reader), list[tuple[str, str, str, float, float]]()
        for c, criteria in enumerate(CRITERIA):
            rows += [
                (criteria, f"median {name}", "months", *pooled_median(*of)) for name, of in durations(seen, c).items()
            ]
        rows += [("", f"median {name}", unit, *over_trials(medians(of))) for (name, unit), of in sizes(seen).items()]
        return pd.DataFrame(rows, columns=["criteria", "endpoint", "unit", "value", "std_error"])

    def safety(self, criteria: str = "RECIST 1.1") -> pd.DataFrame:
        """Lay out treatment and adverse events up to progression: columns endpoint, unit, value, std_error.

        Raises
        ------
        InvalidValueError
            If no treatment was simulated.
        """
        if self.treated is None:
            raise InvalidValueError("treatment", None, "a Treatment", "give treatment= to simulate_endpoints")
        seen = Treated(*(values[CRITERIA.index(criteria)] for values in self.treated))
        had = {
            "adverse event": seen.events > 0,
            "treatment interrupted": seen.interrupted > 0,
            "dose reduced": seen.reduced > 0,
            **{f"treatment ended: {word}": seen.why == code for code, word in enumerate(ENDS) if code},
            "treatment ongoing": seen.why == 0,
        }
        rows = [(name, "share", *over_trials(of.mean(axis=1))) for name, of in had.items()]
        months = seen.months.sum(axis=1)
        rows += [
            ("adverse events", "per month", *over_trials(seen.events.sum(axis=1) / months)),
            ("relative dose intensity", "share", *over_trials(seen.dose.sum(axis=1) / months)),
            ("median time on treatment", "months", *over_trials(np.median(seen.months, axis=1))),
        ]
        return pd.DataFrame(rows, columns=["endpoint", "unit", "value", "std_error"])

    def summary(self) -> pd.DataFrame:
        """Lay out every endpoint: columns reader, criteria, endpoint, landmark (days), unit, value, std_error.

        Overall survival, which no reader decides, is given at the landmarks up to which deaths are known.
        """
        frames = []
        for reader in READERS[: len(self.endpoints)]:
            rates = self.rates(reader).rename(columns={"rate": "value"}).assign(unit="share")
            frames.append(pd.concat([rates, self.measures(reader).assign(landmark=np.nan)]).assign(reader=reader))
        known = [day for day in self.definitions.landmarks if day / DAYS_PER_MONTH <= self.attendance.follow_up]
        alive = [
            ("", "", "overall survival", day, "share", *self.overall_survival(day / DAYS_PER_MONTH)) for day in known
        ]
        columns = ["reader", "criteria", "endpoint", "landmark", "unit", "value", "std_error"]
        if alive:
            frames.append(pd.DataFrame(alive, columns=columns))
        return pd.concat(frames, ignore_index=True)[columns]
