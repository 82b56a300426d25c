"""The words of a group-sequential design for the statistical section of a protocol."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.power.group_sequential import GroupSequentialDesign
    from analysis.power.sequential_survival import SequentialSurvivalDesign

_METHOD = (
    "Boundaries and operating characteristics were computed by recursive numerical integration (Armitage P, McPherson "
    "CK, Rowe BC, Journal of the Royal Statistical Society A 1969;132:235-244; Jennison C, Turnbull BW, Group "
    "Sequential Methods with Applications to Clinical Trials, 2000)."
)
_SCHOENFELD = "Events follow Schoenfeld DA, Biometrika 1981;68:316-319."


def group_sequential_paragraph(design: GroupSequentialDesign) -> str:
    """Write a design as a paragraph: test, looks, boundaries, power, expected information, method.

    Parameters
    ----------
    design
        The design.
    """
    unit = [f"{_percent(t)} of the information" for t in design.fractions]
    sentences = [
        f"The primary hypothesis is tested {_sides(design.sided)} at a total significance level of {design.alpha:g}.",
        _looks(design, unit),
        *_decisions(design, unit, None),
        f"The design has {_percent(design.power)} power when the expected test statistic at the last analysis is "
        f"{design.drift:.3f}, which takes {design.inflation:.4f} times the information of a trial without interim "
        f"analyses.",
        f"The expected information at the end of the trial is {_percent(design.expected_fraction(design.drift))} of "
        f"the maximum under the alternative and {_percent(design.expected_fraction(0.0))} under the null hypothesis.",
        _METHOD,
    ]
    return " ".join(sentences)


def sequential_survival_paragraph(plan: SequentialSurvivalDesign) -> str:
    """Write a design in events as a paragraph: the same, with events and hazard ratios at the bounds.

    Parameters
    ----------
    plan
        The design in events; numbers of events are printed rounded up.
    """
    design = plan.design
    unit = [f"{_whole(d)} events ({_percent(t)})" for d, t in zip(plan.events_at_looks, design.fractions, strict=True)]
    null = "" if plan.margin == 1 else f" of a hazard ratio of {plan.margin:g} or more"
    sentences = [
        f"The arms are compared by a log-rank test of the null hypothesis{null}, {_sides(design.sided)}, at a total "
        f"significance level of {design.alpha:g}.",
        f"With patients randomised {plan.allocation_ratio:g}:1 (experimental to control), {_whole(plan.events)} events "
        f"give a power of {_percent(plan.power())} at a hazard ratio of {plan.hazard_ratio:g}.",
        _looks(design, unit),
        *_decisions(design, unit, plan),
        f"The expected number of events at the end of the trial is {plan.expected_events():.1f} at a hazard ratio of "
        f"{plan.hazard_ratio:g} and {plan.expected_events(plan.margin):.1f} at {plan.margin:g}.",
        _SCHOENFELD,
        _METHOD,
    ]
    return " ".join(sentences)


def _sides(sided: int) -> str:
    return "one-sided" if sided == 1 else "two-sided (symmetrically)"


def _looks(design: GroupSequentialDesign, unit: list[str]) -> str:
    if len(unit) == 1:
        return f"There is one analysis, at {unit[0]}."
    *interim, final = unit
    number = "An interim analysis is" if len(interim) == 1 else "Interim analyses are"
    futility = "" if design.sided == 2 else f" and {design.futility.description}"
    boundaries = f"{design.efficacy.description}{futility}"
    return f"{number} planned at {_listed(interim)}, the final analysis at {final}, with {boundaries}."


def _decisions(design: GroupSequentialDesign, unit: list[str], plan: SequentialSurvivalDesign | None) -> list[str]:
    sentences = []
    for k, where in enumerate(unit):
        z, p = design.upper[k], design.nominal_p[k]
        if math.isfinite(z):
            estimate = (
                "" if plan is None else f", estimated hazard ratio about {plan.efficacy_hazard_ratios[k]:.3f} or less"
            )
            sentences.append(
                f"At {where} the null hypothesis is rejected if the one-sided p-value is at most {p:.4g} (Z at least "
                f"{z:.4f}{estimate}; cumulative alpha {design.alpha_spent[k]:.4g})."
            )
        last = k + 1 == len(unit)
        if design.sided == 1 and not last and math.isfinite(design.lower[k]):
            estimate = (
                "" if plan is None else f", estimated hazard ratio about {plan.futility_hazard_ratios[k]:.3f} or more"
            )
            sentences.append(
                f"The trial stops there for futility if Z is at most {design.lower[k]:.4f}{estimate}, which has "
                f"probability {design.beta_spent[k]:.4g} by then under the alternative."
            )
    return sentences


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _whole(events: float) -> int:
    return math.ceil(events - 1e-6)


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"
