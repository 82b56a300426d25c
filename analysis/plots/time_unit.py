"""Units of a time axis: how many days they are, where their ticks stand, what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.ticker import MultipleLocator

from analysis.conventions.border import border
from analysis.conventions.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@border
@dataclass(frozen=True)
class TimeUnit:
    """A unit that time is shown in.

    Parameters
    ----------
    name
        As written on the axis.
    days
        Days in one unit.
    steps
        Distances that ticks may have, increasing.

    Examples
    --------
    >>> from analysis.plots import MONTHS
    >>> MONTHS.name, MONTHS.days
    ('Months', 30.4375)
    """

    name: str
    days: float
    steps: tuple[int, ...]

    def axis(self, ax: Axes, end: float, since: str = "") -> None:
        """Show 0 to `end` on the x axis with at most ten ticks, and write the unit and what it is counted from."""
        step = next((step for step in self.steps if end / step <= 9), 2 * self.steps[-1])
        ax.set_xlim(0, end)
        ax.xaxis.set_major_locator(MultipleLocator(step))
        ax.set_xlabel(f"{self.name} since {since}" if since else self.name)


MONTHS = TimeUnit("Months", DAYS_PER_MONTH, (1, 2, 3, 6, 12, 24))
WEEKS = TimeUnit("Weeks", 7.0, (1, 2, 4, 8, 12, 24, 48))
