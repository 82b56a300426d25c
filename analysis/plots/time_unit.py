"""Units of a time axis: how many days they are, where their ticks stand, what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.ticker import MultipleLocator

from analysis.conventions.border import border
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.errors import InvalidValueError

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

    def step(self, end: float, most: float = 9.0) -> float:
        """Give the distance of ticks, so that 0 to `end` has at most so many; past the last step its multiples."""
        for factor in (1, *(times * 10**power for power in range(300) for times in (2, 5, 10))):
            for step in self.steps if factor == 1 else self.steps[-1:]:
                if end / (factor * step) <= most:
                    return float(factor * step)
        raise InvalidValueError("end", end, "a time that can be shown", "check the unit of the times")

    def axis(self, ax: Axes, end: float, since: str = "") -> None:
        """Show 0 to `end` on the x axis with at most ten ticks, and write the unit and what it is counted from."""
        ax.set_xlim(0, end)
        ax.xaxis.set_major_locator(MultipleLocator(self.step(end)))
        ax.set_xlabel(f"{self.name} since {since}" if since else self.name)


MONTHS = TimeUnit("Months", DAYS_PER_MONTH, (1, 2, 3, 6, 12, 24))
WEEKS = TimeUnit("Weeks", 7.0, (1, 2, 4, 8, 12, 24, 48))
