"""The named errors of the package: each says what was wrong, with the value, and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


LONGEST_VALUE = 300


def _shown(value: object) -> str:
    """Show a value in a message: in one line, its middle left out where it is long."""
    text = " ".join(repr(value).split())
    half = LONGEST_VALUE // 2
    return text if len(text) <= LONGEST_VALUE else f"{text[:half]} ... {text[-half:]}"


class AnalysisError(Exception):
    """Base of every error that this package raises on purpose."""


class InvalidValueError(AnalysisError, ValueError):
    """A value that cannot be used.

    Parameters
    ----------
    field
        Name of the argument or the field, as the caller wrote it.
    got
        The offending value.
    expected
        What would have been accepted.
    remedy
        What to do about it.
    """

    def __init__(self, field: str, got: object, expected: str, remedy: str) -> None:
        self.field, self.got, self.expected, self.remedy = field, got, expected, remedy
        super().__init__(f"{field}: got {_shown(got)}; expected {expected}; {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.field, self.got, self.expected, self.remedy)


class WrongCallError(AnalysisError, TypeError):
    """A call that does not go together with what is called: a keyword that it does not have, too few arguments.

    Parameters
    ----------
    name
        What was called.
    got
        What was given, in words.
    known
        Its arguments.
    nearest
        The argument that was meant, if one is near.
    """

    def __init__(self, name: str, got: str, known: list[str], nearest: list[str]) -> None:
        self.name, self.got, self.known, self.nearest = name, got, known, nearest
        remedy = f"did you mean {nearest[0]}?" if nearest else f"see help({name})"
        super().__init__(f"{name}: got {got}; expected {', '.join(known)}; {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.name, self.got, self.known, self.nearest)


class UnknownNameError(AnalysisError, LookupError):
    """A name that is not in the list of known names; the nearest ones are offered.

    Parameters
    ----------
    kind
        What the name stands for, e.g. ``"trial"``.
    name
        The name that was asked for.
    known
        All names that exist.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        nearest = get_close_matches(str(name), self.known, n=3, cutoff=0.4) or self.known
        offered = nearest if isinstance(name, str) else map(repr, nearest)  # a number is not the text that it reads as
        super().__init__(f"{kind}: got {name!r}; expected a known {kind}; did you mean {', '.join(offered)}?")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.kind, self.name, self.known)


class ReportedDataError(AnalysisError, ValueError):
    """A file of reported numbers that cannot be read; names the file, the field, the value and the remedy."""


class InfeasibleReportError(AnalysisError, ValueError):
    """Reported numbers that no data set can reproduce together; names them and how far apart they are."""


class InfeasibleDesignError(AnalysisError, ValueError):
    """A design that cannot exist or a request that cannot be met; says what would be possible."""


class NotEstimableError(AnalysisError, ValueError):
    """A statistic that the data do not determine; says which, why, and what could be asked instead."""


class UnavailableError(AnalysisError):
    """Something that a value cannot do; says what it is and what can be done instead."""


class LostZeroWarning(UserWarning):
    """A number was given as a float that may have lost a printed zero: ``0.5`` for 0.50."""


class MissingLettersWarning(UserWarning):
    """A figure has letters that no installed font has: boxes stand in their place."""
