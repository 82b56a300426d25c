"""The words of a group-sequential design for the statistical section of a protocol."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from analysis.conventions.display import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

METHOD = (
    "Boundaries and operating characteristics were computed by recursive numerical integration (Armitage P, McPherson "
    "CK, Rowe BC, Journal of the Royal Statistical Society A 1969;132:235-244; Jennison C, Turnbull BW, Group "
    "Sequential Methods with Applications to Clinical Trials, 2000)."
)


class LookInWords(NamedTuple):
    """One look: where it is, what rejects and stops low, and the errors spent by then; infinite where there is none."""

    where: str
    upper: float
    nominal_p: float
    alpha_spent: float
    lower: float
    beta_spent: float


def sides(sided: int) -> str:
    """Name the sides of a test."""
    return "one-sided" if sided == 1 else "two-sided (symmetrically)"


def percent(share: float) -> str:
    """Write a share in per cent."""
    return f"{100 * share:.4g}%"


def looks_in_words(looks: Sequence[LookInWords], efficacy: str, futility: str, sided: int) -> list[str]:
    """Say when the looks are, by which boundaries, and what each decides."""
    if len(looks) == 1:
        sentences = [f"There is one analysis, at {looks[0].where}."]
    else:
        *interim, final = (look.where for look in looks)
        number = "An interim analysis is" if len(interim) == 1 else "Interim analyses are"
        boundaries = efficacy if sided == 2 else f"{efficacy} and {futility}"
        sentences = [f"{number} planned at {listed(interim)}, the final analysis at {final}, with {boundaries}."]
    side, statistic = ("one", "Z") if sided == 1 else ("two", "|Z|")
    for number_of, look in enumerate(looks, start=1):
        if math.isfinite(look.upper):
            sentences.append(
                f"At {look.where} the null hypothesis is rejected if the {side}-sided p-value is at most "
                f"{sided * look.nominal_p:.4g} ({statistic} at least {look.upper:.4f}; cumulative alpha "
                f"{look.alpha_spent:.4g})."
            )
        if sided == 1 and number_of < len(looks) and math.isfinite(look.lower):
            sentences.append(
                f"The trial stops there for futility if Z is at most {look.lower:.4f}, which has "
                f"probability {look.beta_spent:.4g} by then under the alternative."
            )
    return sentences
