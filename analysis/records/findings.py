"""What is wrong with a trial's measurements or responses: subject, visit, rule, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class DataFinding:
    """A contradiction in the data of one patient.

    Parameters
    ----------
    severity
        ``"error"``: nothing is derived for this patient and reader; ``"warning"``: it is, as `consequence` says.
    rule
        Name of the rule that is broken.
    subject, evaluator, visit
        Where.
    message
        What was found.
    consequence
        What was done, or what to do.

    Examples
    --------
    >>> DataFinding("warning", "encoding", "07", "", "WEEK 8", "not UTF-8", "read as Windows-1252").severity
    'warning'
    """

    severity: Literal["error", "warning"]
    rule: str
    subject: str
    evaluator: str
    visit: str
    message: str
    consequence: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.subject, self.evaluator, self.visit) if part)
        return f"{self.severity}: {place}: {self.rule}: {self.message}; {self.consequence}"


COLUMNS = ["severity", "rule", "subject", "evaluator", "visit", "message", "consequence"]


def as_frame(findings: Iterable[DataFinding]) -> pd.DataFrame:
    """Lay findings out as a frame, one row for each.

    Examples
    --------
    >>> from analysis.records import DataFinding
    >>> as_frame([DataFinding("error", "date", "07", "", "", "in 2204", "left out")])["rule"].tolist()
    ['date']
    """
    rows = [[getattr(finding, column) for column in COLUMNS] for finding in findings]
    return pd.DataFrame(rows, columns=COLUMNS)
