"""What a protocol plans of a treatment, and how much of it patients had: how long, what was reduced or interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions import DAYS_PER_MONTH
from analysis.conventions.border import border, strict_border
from analysis.conventions.checks import count, positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.records.findings import DataFinding
    from analysis.safety.treated import Treated


@strict_border
@dataclass(frozen=True)
class DosePlan:
    """What a protocol plans of one treatment.

    Parameters
    ----------
    dose
        Of one administration.
    every
        Days from one administration to the next; 1 for a treatment taken every day, 14 for every two weeks.
    unit
        As the table writes it.
    late
        Days by which an administration can come later than planned without being an interruption.

    Examples
    --------
    >>> DosePlan(800, every=14, late=3).unit
    'mg'
    """

    dose: float
    every: int = 1
    unit: str = "mg"
    late: int = 0

    def __post_init__(self) -> None:
        positive("dose", self.dose, self.unit)
        count("every", self.every, "days")
        count("late", self.late, "days", at_least=0)


@border
@dataclass(frozen=True)
class Exposure:
    r"""The exposure of the treated patients of a trial.

    Attributes
    ----------
    subjects
        One row for each patient and treatment: ``subject``, ``arm``, ``treatment``, ``first_dose``, ``last_dose``,
        ``days`` (both counted), ``administered`` and ``planned`` amounts, ``relative_dose_intensity`` (administered
        over planned, as a share), ``reductions``, ``lowest_dose``, ``interruptions``, ``days_interrupted``, ``ended``,
        ``reason``.
    changes
        One row for each change: ``subject``, ``treatment``, ``date``, ``change`` (``"started below plan"``,
        ``"reduced"``, ``"increased"``, ``"interrupted"``, ``"ended"``), ``dose``, ``days``, ``reason``.
    treated
        All treated patients by subject.
    findings
        What is wrong with the tables.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from analysis.endpoints import read_study
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "adsl.csv").write_text(
    ...     "USUBJID,TRT01A,TRTSDT,TRTEDT,RANDDT\n1,drug,2024-01-10,2024-06-10,2024-01-09\n"
    ...     "2,placebo,2024-01-10,2024-06-10,2024-01-09\n"
    ... )
    >>> rows = "USUBJID,EXTRT,EXDOSE,EXDOSU,EXSTDTC,EXENDTC\n1,DRUG,10,mg,2024-01-10,2024-06-10\n"
    >>> _ = (folder / "ex.csv").write_text(rows)
    >>> from analysis.safety import DosePlan
    >>> read_study(folder).exposure({"DRUG": DosePlan(10)}).subjects.shape[0]
    1
    """

    subjects: pd.DataFrame = field(repr=False)
    changes: pd.DataFrame = field(repr=False)
    treated: Mapping[str, Treated] = field(repr=False)
    findings: tuple[DataFinding, ...] = field(repr=False)

    def summary(self) -> pd.DataFrame:
        """One row for each arm and treatment.

        Returns
        -------
        DataFrame
            ``arm``, ``treatment``, ``patients``; medians and quartiles of the months of treatment and of the relative
            dose intensity; patients with a reduction, with an interruption, and the number of both; patients whose
            treatment has ended.
        """
        rows = []
        for (arm, treatment), here in self.subjects.groupby(["arm", "treatment"], sort=False):
            months = here["days"] / DAYS_PER_MONTH
            rows.append(
                {
                    "arm": arm,
                    "treatment": treatment,
                    "patients": len(here),
                    **_quartiles("months", months),
                    **_quartiles("relative_dose_intensity", here["relative_dose_intensity"]),
                    "patients_reduced": int((here["reductions"] > 0).sum()),
                    "reductions": int(here["reductions"].sum()),
                    "patients_interrupted": int((here["interruptions"] > 0).sum()),
                    "interruptions": int(here["interruptions"].sum()),
                    "ended": int(here["ended"].sum()),
                }
            )
        return pd.DataFrame(rows)

    def reasons(self) -> pd.DataFrame:
        """Patients by why a treatment ended: ``arm``, ``treatment``, ``reason``, ``patients``, ``of``."""
        ended = self.subjects[self.subjects["ended"]]
        found = ended.groupby(["arm", "treatment", "reason"], sort=False).size().rename("patients").reset_index()
        of = self.subjects.groupby(["arm", "treatment"], sort=False).size().rename("of").reset_index()
        return found.merge(of, on=["arm", "treatment"]).sort_values("patients", ascending=False, ignore_index=True)


def _quartiles(name: str, values: pd.Series[float]) -> dict[str, float]:
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {name: float(middle), f"{name}_q1": float(low), f"{name}_q3": float(high)}
