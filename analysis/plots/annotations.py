"""What is written beside survival curves: each item with its values, and whether it was printed or computed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidValueError, NotEstimableError
from analysis.plots.drawn import tested
from analysis.reconstruction.result import Reconstruction
from analysis.statistical_tests import CoxHazardRatio, LogRank, LogRankOfArms, MilestoneDifference, RMSTDifference
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.plots.drawn import Drawn
    from analysis.reported import Reported
    from analysis.statistical_tests.base import TwoArmTest


OF_ALL_ARMS = ("p-value of all arms", "p-value for trend")


def annotated(
    source: Any, wanted: Sequence[Drawn], control: str, annotate: Sequence[str], landmarks: Sequence[float],
    quantiles: Sequence[float], tau: float | None, level: float, test: TwoArmTest | None, *, every_pair: bool,
) -> pd.DataFrame:  # fmt: skip
    """Find what is annotated: the item, its words, and whether it was printed or computed."""
    rows: list[dict[str, Any]] = []
    percent = f"{100 * level:g}%"
    comparison = source.comparison if isinstance(source, Reconstruction) else None
    against = next(each for each in wanted if each.name == control)
    others = [each for each in wanted if each.name != control]
    pairs = [(other, against) for other in others]
    if every_pair:
        pairs += [(later, earlier) for earlier, later in itertools.combinations(others, 2)]
    for item in annotate:
        if item == "median":
            rows += [{"item": item, "arm": each.name} | _median(each, level, percent) for each in wanted]
        elif item == "quantiles":
            rows += [{"item": item, "arm": each.name} | _quantile(each, p, level) for p in quantiles for each in wanted]
        elif item == "follow-up":
            rows += [{"item": item, "arm": each.name} | _follow_up(each) for each in wanted]
        elif item == "landmarks":
            for month in landmarks:
                for each in wanted:
                    text = _rate(each, month, percent)
                    rows.append({"item": item, "arm": each.name, "text": text, "origin": "computed"})
        elif item in OF_ALL_ARMS:
            rows.append({"item": item, "arm": ""} | _of_all_arms(item, wanted))
        elif others:
            own = item == "p-value" and test is not None  # not the paper's test
            printed = None if own else _printed(item, others, against, comparison)
            found = _compared(item, pairs, landmarks, tau, level, test or LogRank()) if printed is None else [printed]
            rows += [{"item": item, "arm": ""} | row for row in found]
        elif item in annotate and annotate != ("hazard ratio",):
            raise InvalidValueError("annotate", item, "two arms", "draw two arms, or leave it out")
    return pd.DataFrame(rows, columns=["item", "arm", "text", "origin"])


def _rate(each: Drawn, month: float, percent: str) -> str:
    """Survival at a month, with its limits where there are some; none past the end of follow-up."""
    value, low, high = (100 * x for x in each.at(month))
    if np.isnan(value):
        return f"{each.name} followed for {each.time[-1]:.3g} months, not for {month:g}".strip()
    limits = "" if np.isnan(low) or np.isnan(high) else f" ({percent} CI {low:.0f} to {high:.0f})"
    return f"{each.name} {value:.0f}%{limits} at {month:g} months".strip()


def _printed_time(printed: Reported) -> str:
    """Write a time as printed; in months as well, which the axis has, if it was printed in another unit."""
    other = f" ({printed.value:.1f} months)" if printed.reached and printed.unit != "months" else ""
    return f"{printed.with_unit}{other}"


def _median(each: Drawn, level: float, percent: str) -> dict[str, str]:
    printed = None if each.reported is None else each.reported.median
    name = f"{each.name} " if each.name else ""
    if printed is not None:
        return {"text": f"{name}{_printed_time(printed)}, printed", "origin": "printed"}
    value, limits = _quantile_and_limits(each, 0.5, level)
    months = value if value == "not reached" else f"{value} months"
    return {"text": f"{name}{months}" + (f" ({percent} CI {limits})" if limits else ""), "origin": "computed"}


def _quantile(each: Drawn, p: float, level: float) -> dict[str, str]:
    """Word the time by which a share has failed; what a report prints of it, if it does."""
    name = f"{each.name} " if each.name else ""
    start = f"{name}{100 * p:.3g}%"
    printed = None if each.reported is None else next((q for q in each.reported.quartiles if q.p == p), None)
    if printed is not None:
        by = "by " if printed.time.reached else ""
        return {"text": f"{start} {by}{_printed_time(printed.time)}, printed", "origin": "printed"}
    value, limits = _quantile_and_limits(each, p, level)
    months = value if value == "not reached" else f"by {value} months"
    return {"text": f"{start} {months}" + (f" ({100 * level:g}% CI {limits})" if limits else ""), "origin": "computed"}


def _quantile_and_limits(each: Drawn, p: float, level: float) -> tuple[str, str]:
    quantile = each.quantile(p)
    value = f"{quantile:.1f}" if np.isfinite(quantile) else "not reached"
    if each.estimate is None:
        return value, ""
    low, high = (
        f"{x:.1f}" if np.isfinite(x) else "not reached" for x in each.estimate.quantile_ci(p, level, scale=each.scale)
    )
    return value, f"{low} to {high}"


def median_of(each: Drawn, level: float) -> str:
    """Word a median with its limits, as a cell; what a report prints of it, if it does."""
    printed = None if each.reported is None else each.reported.median
    if printed is not None:
        return f"{_printed_time(printed).removesuffix(' months')}, printed"
    value, limits = _quantile_and_limits(each, 0.5, level)
    return f"{value} ({limits})" if limits else value


def _follow_up(each: Drawn) -> dict[str, str]:
    """Median follow-up by the reverse Kaplan-Meier estimate (Schemper & Smith, Control Clin Trials 1996;17:343)."""
    printed = None if each.reported is None else each.reported.median_follow_up
    if printed is not None:
        return {"text": f"follow-up {each.name} {_printed_time(printed)}, printed", "origin": "printed"}
    if not each.patients:
        raise InvalidValueError("annotate", "follow-up", "patients", "leave it out for curves without patients")
    median = float(np.median([kaplan_meier(time, ~event).median() for time, event in each.patients]))
    value = f"{median:.1f} months" if np.isfinite(median) else "not reached"
    text = " ".join(part for part in ("follow-up", each.name, value) if part)
    return {"text": text + _members(len(each.patients)), "origin": "computed"}


def _printed(item: str, others: Sequence[Drawn], against: Drawn, comparison: Any) -> dict[str, str] | None:
    """Give a printed ratio or p-value; of several arms it is of all together against the control."""
    if comparison is None:
        return None
    versus = f"{' and '.join(each.name for each in others)} vs {against.name}"
    if item == "hazard ratio" and comparison.hazard_ratio is not None:
        return {"text": f"HR {versus} {comparison.hazard_ratio}, printed", "origin": "printed"}
    if item == "p-value" and comparison.p_value is not None:
        return {"text": f"p {comparison.p_value}, printed", "origin": "printed"}
    return None


def _compared(
    item: str, pairs: Sequence[tuple[Drawn, Drawn]], landmarks: Sequence[float], tau: float | None, level: float,
    test: TwoArmTest,
) -> list[dict[str, str]]:  # fmt: skip
    """Compare the arms of each pair, from the patients; several p-values are adjusted as Holm did."""
    found = []
    for other, against in pairs:
        members = min(len(against.patients), len(other.patients))
        if not members:
            raise InvalidValueError("annotate", item, "patients in both arms", "leave it out for distributions")
        until = tau or min(float(np.min([time.max() for time, _ in each.patients])) for each in (other, against))
        tests: dict[str, list[TwoArmTest]] = {
            "hazard ratio": [CoxHazardRatio(level=level)],
            "p-value": [test],
            "RMST": [RMSTDifference(until, level=level)],
            "differences": [MilestoneDifference(month, level=level) for month in landmarks],
        }
        versus = f"{other.name} vs {against.name}"
        for one in tests[item]:
            results = tested(one, against, other)
            values = [(each.estimate, each.lower, each.upper, each.p_two_sided) for each in results or ()]
            middle = np.median(values, axis=0).tolist() if values else None
            found.append((versus, one, middle, members, against.strata is not None))
    adjusted = iter(holm([result[3] for _, _, result, _, _ in found if result is not None]))
    rows = []
    for versus, one, result, members, has_strata in found:
        if result is None:
            text = f"{item} {versus} not estimable"
        else:
            text = _said(item, versus, one, result, level, next(adjusted), several=len(pairs) > 1)
            kept = has_strata and one.stratified and item in ("hazard ratio", "p-value")
            text += (", stratified" if kept else "") + ", computed" + _members(members)
        rows.append({"text": text, "origin": "computed"})
    return rows


def _of_all_arms(item: str, wanted: Sequence[Drawn]) -> dict[str, str]:
    """Compare all arms at once: against any difference, or a trend in their order with the scores 0, 1, 2, .."""
    if len(wanted) < 2 or any(len(each.patients) != 1 for each in wanted):
        raise InvalidValueError("annotate", item, "patients in two arms or more", "leave it out")
    sizes = [each.patients[0][0].size for each in wanted]
    time, event = (np.concatenate([each.patients[0][k] for each in wanted]) for k in (0, 1))
    strata = None if wanted[0].strata is None else np.concatenate([each.strata for each in wanted])
    test = LogRankOfArms(scores=tuple(range(len(wanted))) if item == "p-value for trend" else None)
    try:
        p = test.analyse(time, event, np.repeat(np.arange(len(wanted)), sizes), strata=strata).p_value
    except NotEstimableError:
        return {"text": f"{test.name} not estimable", "origin": "computed"}
    within = "" if strata is None else ", stratified"
    return {"text": f"{test.name} p {_words(p)}{within}, computed", "origin": "computed"}


def _said(
    item: str, versus: str, test: TwoArmTest, result: Sequence[float], level: float, adjusted: float,
    *, several: bool,
) -> str:  # fmt: skip
    """Word one comparison; `several` are told apart by the names of their arms."""
    estimate, low, high, p = result
    percent = f"{100 * level:g}% CI"
    if item == "hazard ratio":
        return f"HR {versus} {estimate:.2f} ({percent} {low:.2f} to {high:.2f})"
    if item == "p-value":
        return f"{test.name} {versus} p {_words(adjusted)}, Holm" if several else f"{test.name} p {_words(adjusted)}"
    if isinstance(test, RMSTDifference):
        name = f" {versus}" if several else ""
        return f"RMST difference{name} {estimate:+.1f} months ({percent} {low:.1f} to {high:.1f}) up to {test.tau:.3g}"
    assert isinstance(test, MilestoneDifference)
    limits = f"({percent} {100 * low:+.0f} to {100 * high:+.0f})"
    return f"{versus} at {test.milestone:g} months {100 * estimate:+.0f} points {limits}, p {_words(p)}"


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm, Scand J Stat 1979;6:65)."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(np.asarray(p_values)[order] * np.arange(len(order), 0, -1))
    return [float(p) for p in np.minimum(adjusted, 1.0)]


def _words(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _members(number: int) -> str:
    return "" if number == 1 else f", median of {number} members"


def alternative_text(wanted: Sequence[Drawn], said: pd.DataFrame, bands: str, end: float) -> str:
    """Say in a sentence what the figure shows."""
    arms = []
    for each in wanted:
        at = min(end, float(each.time[-1]))
        median = each.median()
        reached = f"median {median:.1f} months" if np.isfinite(median) else "median not reached"
        arms.append(f"{each.name or 'all patients'}, {reached}, {100 * each.at(at)[0]:.0f}% at {at:.0f} months")
    return f"Survival curves: {'; '.join([*arms, *said['text'], *([bands] if bands else [])])}."
