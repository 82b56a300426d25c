"""What a check says of reported numbers that do not agree."""

from dataclasses import dataclass
from typing import Literal

from analysis.conventions.border import border
from analysis.reported.number import Reported
from analysis.reported.summaries import ReportedInterval


@border
@dataclass(frozen=True)
class Finding:
    """Numbers of a report that contradict each other.

    Parameters
    ----------
    check
        Name of the check.
    severity
        ``"error"`` if the numbers cannot all be right; ``"warning"`` if there is an honest explanation for them.
    where
        Id of the comparison or the proportion; ``"a / b"`` where two entries disagree.
    message, values, remedy
        What is wrong, the numbers as printed, and what to do about it.
    trial
        Name of the trial.

    Examples
    --------
    >>> from analysis.reported import ReportedArm, ReportedComparison, check_comparison
    >>> arm = ReportedArm("new", median="9.1", median_ci=("9.4", "12.0"))
    >>> [found] = check_comparison(ReportedComparison("PFS", [arm]))
    >>> found.severity, found.check
    ('error', 'estimate-outside-interval')
    """

    check: str
    severity: Literal["error", "warning"]
    where: str
    message: str
    values: tuple[str, ...]
    remedy: str
    trial: str = ""

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.trial, self.where) if part)
        named = f"{place}: {self.check}" if place else self.check
        return f"{self.severity}: {named}: {self.message} [{'; '.join(self.values)}]; {self.remedy}"


def is_below(number: Reported, other: Reported) -> bool:
    """Whether all that rounds to one number is below all that rounds to the other: 76% and 77%, not 76% and 76.5%."""
    return number.value < other.value and number.upper <= other.lower + 1e-9


def excludes(interval: ReportedInterval, estimate: Reported) -> bool:
    """Whether an estimate lies outside an interval, whatever was rounded."""
    return is_below(estimate, interval.lower) or is_below(interval.upper, estimate)
