"""What is reported of a trial: its comparisons, proportions and design facts, each under its source."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from analysis.conventions.border import border
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reported.arm import FORBID
from analysis.reported.comparison import ReportedComparison
from analysis.reported.number import Reported
from analysis.reported.reading import Count, Quantity, Share, ShareInterval, Time
from analysis.reported.summaries import ReportedInterval
from analysis.reported.timeline import TrialTimeline


@border
@dataclass(frozen=True)
class Source:
    """Where numbers were read: an abstract, an article, a registry record, a news item.

    Examples
    --------
    >>> from analysis.reported import load
    >>> load("bolero-2").sources[0].kind
    'abstract'
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    key: str
    citation: str
    kind: str
    doi: str | None = None
    pmid: int | None = None
    pmcid: str | None = None
    note: str | None = None


@border
@dataclass(frozen=True)
class ReportedProportion:
    """Patients with a response or another property: a count, a share of a denominator, or both.

    Parameters
    ----------
    quantity
        What was counted: ``"ORR"``, ``"DCR"``, ``"CBR"``, ``"PR"``, ...
    arm, population, assessor, criteria
        Of whom, judged by whom and by which rules.
    time
        Landmark of the assessment; None for the best response.
    count, of
        Numerator and denominator.
    share, ci
        The proportion as printed, and its confidence interval.

    Examples
    --------
    >>> from analysis.reported import load
    >>> found = load("bolero-2").proportions[0]
    >>> found.quantity, found.arm is None
    ('ORR', False)
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    id: str
    quantity: str
    sources: tuple[str, ...]
    status: str
    arm: str | None = None
    population: str | None = None
    assessor: str | None = None
    criteria: str | None = None
    time: Time | None = None
    count: Count | None = None
    of: Count | None = None
    share: Share | None = None
    ci: ShareInterval | None = None
    time_unit: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if self.count is None and self.share is None:
            raise InvalidValueError("share", None, "a count, a share, or both", "remove an entry that says nothing")

    def numbers(self) -> Iterator[tuple[str, Reported]]:
        """Yield all numbers of the entry, each with the name of its field."""
        for name in ("count", "of", "share"):
            if (number := getattr(self, name)) is not None:
                yield name, number
        if isinstance(self.ci, ReportedInterval):
            yield "ci.lower", self.ci.lower
            yield "ci.upper", self.ci.upper


@border
@dataclass(frozen=True)
class Fact:
    """One printed fact of the design or conduct: a number with its unit, a date, or a text.

    Examples
    --------
    >>> from analysis.reported import load
    >>> fact = load("bolero-2").facts[0]
    >>> fact.id, len(fact.sources) > 0
    ('randomised', True)
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    id: str
    value: Quantity
    sources: tuple[str, ...]
    status: str
    note: str | None = None

    def numbers(self) -> Iterator[tuple[str, Reported]]:
        """Yield the number, if the fact is one."""
        if isinstance(self.value, Reported):
            yield "value", self.value


@border
@dataclass(frozen=True)
class KnownFinding:
    """A finding that has been looked at, with the reason why the numbers stay as they are.

    Examples
    --------
    >>> from analysis.reported import load
    >>> known = load("bolero-2").known_findings[0]
    >>> known.check, known.where
    ('p-against-interval', 'os-final')
    """

    __pydantic_config__: ClassVar[ConfigDict] = FORBID
    check: str
    where: str
    explanation: str


@dataclass(frozen=True, repr=False)
class TrialRecord:
    """Everything reported of one trial, as it is looked up and checked."""

    name: str
    title: str
    arms: dict[str, str]
    registrations: tuple[str, ...]
    phase: str | None
    summary: str
    sources: tuple[Source, ...]
    comparisons: tuple[ReportedComparison, ...]
    proportions: tuple[ReportedProportion, ...] = ()
    facts: tuple[Fact, ...] = ()
    known_findings: tuple[KnownFinding, ...] = ()
    timeline: TrialTimeline | None = None

    def comparison(self, id: str) -> ReportedComparison:
        """Find the comparison of that id; `UnknownNameError` with the nearest ids if there is none."""
        for comparison in self.comparisons:
            if comparison.id == id:
                return comparison
        raise UnknownNameError(f"comparison of {self.name}", id, [comparison.id for comparison in self.comparisons])

    def fact(self, id: str) -> Fact:
        """Find the fact of that id; `UnknownNameError` with the nearest ids if there is none."""
        for fact in self.facts:
            if fact.id == id:
                return fact
        raise UnknownNameError(f"fact of {self.name}", id, [fact.id for fact in self.facts])

    def proportion(self, id: str) -> ReportedProportion:
        """Find the proportion of that id; `UnknownNameError` with the nearest ids if there is none."""
        for proportion in self.proportions:
            if proportion.id == id:
                return proportion
        raise UnknownNameError(f"proportion of {self.name}", id, [proportion.id for proportion in self.proportions])
