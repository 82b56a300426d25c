"""A historical control's count at a landmark, read from the reported data."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.single_arm import BetaPrior
from analysis.studies.reports import report_of

JEFFREYS = BetaPrior(0.5, 0.5)


@dataclass(frozen=True)
class HistoricalRate:
    """A control's count at a landmark, read from the reported data.

    Attributes
    ----------
    name
        What to call it in tables.
    responders, n
        The count.
    """

    name: str
    responders: int
    n: int

    @classmethod
    def reported(cls, trial: str, proportion_id: str, name: str) -> HistoricalRate:
        """Read the count of a trial's reported proportion."""
        found = report_of(trial).proportion(proportion_id)
        assert found.count is not None, f"{trial}: {proportion_id} prints no count"
        assert found.of is not None, f"{trial}: {proportion_id} prints no denominator"
        return cls(name, int(found.count.value), int(found.of.value))

    @property
    def posterior(self) -> BetaPrior:
        """What the count leaves to believe of the rate, from Jeffreys' prior."""
        return JEFFREYS.updated(self.responders, self.n)
