"""Time until quality of life deteriorates, by the definitions that differ between trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analysis.conventions.border import strict_border
from analysis.conventions.checks import choice, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["first", "confirmed", "definitive"]
KINDS = ("first", "confirmed", "definitive")
SAME_SCORE = 1e-9
"""Points by which scores differ in rounding only: the mean of answers is seldom a round number."""


@strict_border
@dataclass(frozen=True)
class Deterioration:
    """What counts as deterioration of a score, after Anota et al. 2015 (Qual Life Res 24:5) and Bonnetain et al. 2010.

    Parameters
    ----------
    by
        Points by which a score has to be worse than the reference; 5 and 10 are usual.
    kind
        ``"first"``: the first worse score; ``"confirmed"``: one that the next score bears out, or that is the last one;
        ``"definitive"``: one after which no score recovers.
    reference
        ``"baseline"``, or the ``"best"`` score seen so far.
    recovery
        Of a definitive deterioration, what ends it: a later score that is no longer worse than the ``"reference"`` by
        `by` points, or that is better by as much than the ``"deteriorated"`` one.
    death
        Whether death is an event, or censors at the last questionnaire.

    Examples
    --------
    >>> Deterioration(by=10, kind="confirmed").reference
    'baseline'
    """

    by: float = 10.0
    kind: Kind = "definitive"
    reference: Literal["baseline", "best"] = "baseline"
    recovery: Literal["reference", "deteriorated"] = "reference"
    death: Literal["event", "censored"] = "censored"

    def __post_init__(self) -> None:
        positive("by", self.by, "points", at_most=100)
        choice("kind", self.kind, KINDS)
        choice("reference", self.reference, ("baseline", "best"))
        choice("recovery", self.recovery, ("reference", "deteriorated"))
        choice("death", self.death, ("event", "censored"))

    def found(self, scores: Sequence[float]) -> int | None:
        """Place of the deteriorated score among scores where high is good, the baseline first; None if there is none.

        Examples
        --------
        >>> Deterioration().found([60, 45, 65, 50, 40])
        3
        >>> Deterioration(kind="first").found([60, 45, 65, 50, 40])
        1
        """
        best = scores[0]
        for k, score in enumerate(scores[1:], 1):
            aim = (best if self.reference == "best" else scores[0]) - self.by + SAME_SCORE
            best = max(best, score)
            if score <= aim and self._holds(score, aim, scores[k + 1 :]):
                return k
        return None

    def _holds(self, score: float, aim: float, later: Sequence[float]) -> bool:
        if self.kind == "first":
            return True
        if self.kind == "confirmed":
            return not later or later[0] <= aim
        if self.recovery == "reference":
            return all(other <= aim for other in later)
        return all(other < score + self.by - SAME_SCORE for other in later)
