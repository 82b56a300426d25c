"""A trial as it was reported, with its tables."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.conventions.border import border
from analysis.reported.entries import TrialRecord

if TYPE_CHECKING:
    import pandas as pd


@border
@dataclass(frozen=True, repr=False)
class ReportedTrial(TrialRecord):
    """Everything reported of one trial; made by `load`.

    In Jupyter it displays as a table with sources.

    Examples
    --------
    >>> from analysis.reported import load
    >>> trial = load("bolero-2")
    >>> trial.name, trial.comparison("os-final").endpoint
    ('bolero-2', 'OS')
    """

    def to_frame(self) -> "pd.DataFrame":
        """Lay out every number in a tidy frame, a row a number.

        Columns: ``kind`` (comparison, proportion, fact), ``entry`` (its id), ``endpoint``, ``assessor``,
        ``population``, ``analysis``, ``arm``, ``quantity``, ``printed``, ``unit``, then ``value``, ``lower`` and
        ``upper`` in the library's units (months, proportions), ``sources``, ``status``.
        """
        from analysis.reported import tables  # pandas is imported only where a table is asked for

        return tables.tidy(self)

    def _repr_html_(self) -> str:
        from analysis.reported import tables

        return tables.as_html(self)

    def __repr__(self) -> str:
        return f"<ReportedTrial {self.name}: {', '.join(comparison.id for comparison in self.comparisons)}>"
