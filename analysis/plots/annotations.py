"""What is written beside survival curves: each item with its values, and whether it was printed or computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.errors import InvalidValueError, NotEstimableError
from analysis.reconstruction.result import Reconstruction
from analysis.statistical_tests import CoxHazardRatio, LogRank, RMSTDifference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.plots.drawn import Drawn


def annotated(
    source: Any, wanted: Sequence[Drawn], control: str, annotate: Sequence[str], landmarks: Sequence[float],
    tau: float | None, level: float,
) -> pd.DataFrame:  # fmt: skip
    """Find what is annotated: the item, its words, and whether it was printed or computed."""
    rows: list[dict[str, Any]] = []
    percent = f"{100 * level:g}%"
    comparison = source.comparison if isinstance(source, Reconstruction) else None
    for item in annotate:
        if item == "median":
            rows += [{"item": item, "arm": each.name} | _median(each, level, percent) for each in wanted]
        elif item == "landmarks":
            for month in landmarks:
                for each in wanted:
                    text = _rate(each, month, percent)
                    rows.append({"item": item, "arm": each.name, "text": text, "origin": "computed"})
        elif len(wanted) == 2:
            rows.append({"item": item, "arm": ""} | _compared(item, wanted, control, comparison, tau, level, percent))
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


def _median(each: Drawn, level: float, percent: str) -> dict[str, str]:
    printed = None if each.reported is None else each.reported.median
    if printed is not None:
        months = f"{printed.text} months" if printed.reached else "not reached"
        return {"text": f"{each.name} {months}, printed".strip(), "origin": "printed"}
    name = f"{each.name} " if each.name else ""
    median = each.median()
    value = f"{median:.1f} months" if np.isfinite(median) else "not reached"
    if each.estimate is None:
        return {"text": f"{name}{value}", "origin": "computed"}
    low, high = each.estimate.median_ci(level, scale="log-log")
    upper = f"{high:.1f}" if np.isfinite(high) else "not reached"
    return {"text": f"{name}{value} ({percent} CI {low:.1f} to {upper})", "origin": "computed"}


def _compared(
    item: str, wanted: Sequence[Drawn], control: str, comparison: Any, tau: float | None, level: float, percent: str
) -> dict[str, str]:
    """Compare two arms: as printed, if a report prints it, else from the patients."""
    other = next(each for each in wanted if each.name != control)
    against = next(each for each in wanted if each.name == control)
    versus = f"{other.name} vs {against.name}"
    if item == "hazard ratio" and comparison is not None and comparison.hazard_ratio is not None:
        return {"text": f"HR {versus} {comparison.hazard_ratio}, printed", "origin": "printed"}
    if item == "p-value" and comparison is not None and comparison.p_value is not None:
        return {"text": f"p {comparison.p_value}, printed", "origin": "printed"}
    values = []
    for (time0, event0), (time1, event1) in zip(against.patients, other.patients, strict=False):
        data = np.concatenate([time0, time1]), np.concatenate([event0, event1])
        treated = np.repeat([False, True], [len(time0), len(time1)])
        until = tau or float(min(time0.max(), time1.max()))
        tests = {"hazard ratio": CoxHazardRatio(level=level), "p-value": LogRank(), "RMST": RMSTDifference(until)}
        try:
            values.append(tests[item].analyse(*data, treated))
        except NotEstimableError:
            return {"text": f"{item} {versus} not estimable", "origin": "computed"}
    if not values:
        raise InvalidValueError("annotate", item, "patients in both arms", "leave it out for distributions")
    of_all = "computed" if len(values) == 1 else f"computed, median of {len(values)} members"
    estimate, low, high = (
        float(np.median([getattr(v, name) for v in values])) for name in ("estimate", "lower", "upper")
    )
    if item == "hazard ratio":
        text = f"HR {versus} {estimate:.2f} ({percent} CI {low:.2f} to {high:.2f}), {of_all}"
    elif item == "p-value":
        p = float(np.median([v.p_two_sided for v in values]))
        text = f"log-rank p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}, {of_all}"
    else:
        until = tau or float(min(each.patients[0][0].max() for each in wanted))
        text = f"RMST difference {estimate:+.1f} months (95% CI {low:.1f} to {high:.1f}) up to {until:.3g}, {of_all}"
    return {"text": text, "origin": "computed"}


def alternative_text(wanted: Sequence[Drawn], said: pd.DataFrame, end: float) -> str:
    """Say in a sentence what the figure shows."""
    arms = []
    for each in wanted:
        at = min(end, float(each.time[-1]))
        median = each.median()
        reached = f"median {median:.1f} months" if np.isfinite(median) else "median not reached"
        arms.append(f"{each.name or 'all patients'}, {reached}, {100 * each.at(at)[0]:.0f}% at {at:.0f} months")
    extra = f"; {'; '.join(said['text'])}" if not said.empty else ""
    return f"Survival curves: {'; '.join(arms)}{extra}."
