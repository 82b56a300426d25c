"""What simulated trials showed: rates, medians and discordance, each with its Monte Carlo standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.endpoints.codes import CR, NON_CR_NON_PD, PR, SD
from analysis.endpoints.readers import discordance
from analysis.errors import InvalidValueError
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from analysis.endpoints.attendance import Attendance
    from analysis.endpoints.batch import Endpoints
    from analysis.endpoints.codes import Floats
    from analysis.endpoints.readers import Readers
    from analysis.endpoints.simulated import EndpointDefinitions
    from analysis.endpoints.tumours import Tumours

CRITERIA = ("RECIST 1.1", "iRECIST")
READERS = ("investigator", "independent")
DEFINITIONS = ("control at landmark", "control until landmark", "progression-free at landmark")
CONTROL = (CR, PR, SD, NON_CR_NON_PD)


class Estimate(NamedTuple):
    """A simulated value and its Monte Carlo standard error."""

    value: float
    std_error: float


def over_trials(values: Floats) -> Estimate:
    """Mean over trials, with the standard error of the mean; NaN with fewer than two trials."""
    known = values[~np.isnan(values)]
    error = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return Estimate(float(known.mean()) if known.size else float("nan"), error)


@dataclass(frozen=True)
class SimulatedEndpoints:
    """Endpoints of simulated trials.

    Parameters
    ----------
    endpoints
        By the investigator and, if there is one, by the independent reader; arrays (criteria, trials, patients, ...).
    tumours, attendance, readers, definitions, seed
        What was simulated.
    """

    endpoints: tuple[Endpoints, ...]
    tumours: Tumours
    attendance: Attendance
    readers: Readers
    definitions: EndpointDefinitions
    seed: np.random.SeedSequence

    def of(self, reader: str = "investigator") -> Endpoints:
        """Endpoints by one reader.

        Raises
        ------
        InvalidValueError
            If there was no such reader.
        """
        known = READERS[: len(self.endpoints)]
        if reader not in known:
            raise InvalidValueError("reader", reader, f"one of {known}", "simulate with Readers(independent=True)")
        return self.endpoints[known.index(reader)]

    def rates(self, reader: str = "investigator") -> pd.DataFrame:
        """Lay out rates: columns criteria, endpoint, landmark (days; NaN if none), rate, std_error."""
        seen = self.of(reader)
        rows: list[tuple[str, str, float, float, float]] = []
        for c, criteria in enumerate(CRITERIA):
            binary = {
                "objective response": seen.response[c],
                "confirmed response": np.isin(seen.confirmed_best[c], (CR, PR)),
                "disease control as best response": np.isin(seen.best[c], CONTROL),
            }
            rows += [(criteria, name, np.nan, *over_trials(of.mean(axis=1))) for name, of in binary.items()]
            for k, landmark in enumerate(self.definitions.landmarks):
                for d, name in enumerate(DEFINITIONS):
                    share = seen.control[c, :, :, k, d].mean(axis=1)
                    rows.append((criteria, name, float(landmark), *over_trials(share)))
        return pd.DataFrame(rows, columns=["criteria", "endpoint", "landmark", "rate", "std_error"])

    def median_pfs(self, criteria: str = "RECIST 1.1", reader: str = "investigator") -> Estimate:
        """Kaplan-Meier median of all patients together, in months, with its Monte Carlo standard error.

        The error is taken over 20 groups of trials; NaN with fewer than 20 trials or a median not reached.
        """
        seen, c = self.of(reader), CRITERIA.index(criteria)
        time, event = seen.time[c], seen.event[c]
        groups = np.array_split(np.arange(len(time)), 20) if len(time) >= 20 else []
        medians = np.array([kaplan_meier(time[g].ravel(), event[g].ravel()).quantile(0.5) for g in groups])
        error = (
            float(medians.std(ddof=1) / np.sqrt(len(medians)))
            if len(medians) and np.isfinite(medians).all()
            else np.nan
        )
        return Estimate(float(kaplan_meier(time.ravel(), event.ravel()).quantile(0.5)), error)

    def survival_at(self, months: float, criteria: str = "RECIST 1.1", reader: str = "investigator") -> Estimate:
        """Share of all patients free of progression at a time, by Kaplan-Meier with Greenwood's error."""
        seen, c = self.of(reader), CRITERIA.index(criteria)
        curve = kaplan_meier(seen.time[c].ravel(), seen.event[c].ravel())
        at = int(np.searchsorted(curve.time, months, side="right")) - 1
        return Estimate(float(curve.survival_at(months)), float(curve.std_error[at]) if at >= 0 else 0.0)

    def discordance(self, criteria: str = "RECIST 1.1") -> dict[str, Estimate]:
        """Early and late discordance rates, and the share of patients whose progression or best response differs."""
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
        return {
            "early discordance": over_trials(pairs[:, 0]),
            "late discordance": over_trials(pairs[:, 1]),
            "progression date": over_trials(dates),
            "best response": over_trials(best),
        }

    def summary(self) -> pd.DataFrame:
        """Rates of every reader, with the reader as first column."""
        frames = [self.rates(reader).assign(reader=reader) for reader in READERS[: len(self.endpoints)]]
        together = pd.concat(frames, ignore_index=True)
        return together[["reader", "criteria", "endpoint", "landmark", "rate", "std_error"]]
