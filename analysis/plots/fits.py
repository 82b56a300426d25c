"""Fits of other libraries as curves: lifelines and greenwood, by what they are, without importing either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import InvalidValueError
from analysis.plots.drawn import Drawn, of_estimate
from analysis.survival.estimators import KaplanMeier, kaplan_meier

if TYPE_CHECKING:
    import pandas as pd

    from analysis.conventions.scales import ScaleName

SMOOTH = 400  # points of a curve that has no steps
NONE = np.zeros(0)


def is_lifelines(source: Any) -> bool:
    """Whether it is a univariate fit of lifelines, Kaplan-Meier or parametric."""
    return hasattr(source, "event_table") and hasattr(source, "survival_function_")


def is_greenwood(source: Any) -> bool:
    """Whether it is a Kaplan-Meier estimate of greenwood."""
    return all(hasattr(source, name) for name in ("strata_", "survival_", "conf_low_", "to_frame"))


def of_lifelines(name: str, fitter: Any, level: float, scale: ScaleName, end: float | None) -> Drawn:
    """Draw a Kaplan-Meier fit anew from its patients; one that is more than that, and a parametric one, as it is."""
    if "left" in str(getattr(fitter, "_censoring_type", "")).lower():
        expected = "a fit of patients who are censored at the right"
        raise InvalidValueError("source", "a fit of left-censored times", expected, "draw it by its own plot")
    kinds = {kind.__name__ for kind in type(fitter).__mro__}
    if "ParametricUnivariateFitter" in kinds:
        last = float(np.max(fitter.event_table.index)) if end is None else end
        t = np.linspace(0.0, last, SMOOTH)
        survival = fitter.survival_function_at_times(t).to_numpy(float)
        survival[0] = 1.0
        limits = _limits(fitter, level)
        known = np.asarray(limits.index, float)
        low, high = (np.interp(t, known, limits.iloc[:, side], left=1.0, right=np.nan) for side in (0, 1))
        return Drawn(name, t, survival, low, high, is_step=False, censored=NONE)
    own = fitter.survival_function_
    time, survival = np.asarray(own.index, float), own.iloc[:, 0].to_numpy(float)
    table = fitter.event_table
    whole = all(np.all(np.mod(table[column], 1) == 0) for column in ("observed", "censored"))
    patients = _of_counts(table) if whole else None
    if patients is not None and _same(patients, time, survival):
        return of_estimate(name, patients, level, scale)
    limits = _limits(fitter, level).reindex(own.index)  # weights, late entry, another estimator
    low, high = (limits.iloc[:, side].to_numpy(float) for side in (0, 1))
    return Drawn(name, time, survival, low, high, is_step=True, censored=NONE)


def of_greenwood(name: str, fit: Any, level: float, scale: ScaleName) -> list[Drawn]:
    """Draw each curve of a Kaplan-Meier estimate of greenwood; its own limits where it has weights or late entries."""
    frame = fit.to_frame(format="pandas")
    groups = frame.groupby("strata", sort=False) if "strata" in frame.columns else [(name, frame)]
    found = []
    for label, rows in groups:
        counts = {column: rows[column].to_numpy(float) for column in ("n_risk", "n_event", "n_censor")}
        time, survival = rows["time"].to_numpy(float), rows["estimate"].to_numpy(float)
        left = counts["n_event"] + counts["n_censor"]
        alone = np.allclose(counts["n_risk"], left[::-1].cumsum()[::-1]) and np.all(np.mod(left, 1) == 0)
        if alone:
            estimate = _estimated(time, counts["n_event"], counts["n_censor"])
            found.append(of_estimate(str(label), estimate, level, scale))
            continue
        if abs(fit.conf_level - level) > 1e-9:
            raise InvalidValueError(
                "level", level, f"the level of the fit, {fit.conf_level:g}", "fit it anew, or say so"
            )
        low, high = (np.append(1.0, rows[column].to_numpy(float)) for column in ("conf_low", "conf_high"))
        curve = np.append(1.0, survival)
        found.append(Drawn(str(label), np.append(0.0, time), curve, low, high, is_step=True, censored=NONE))
    return found


def _limits(fitter: Any, level: float) -> pd.DataFrame:
    """Give a fitter's own limits, of the level that is asked for."""
    if abs(1 - fitter.alpha - level) > 1e-9:
        expected = f"the level of the fit, {1 - fitter.alpha:g}"
        raise InvalidValueError("level", level, expected, "fit it with alpha = 1 - level, or say its level")
    limits: pd.DataFrame = fitter.confidence_interval_survival_function_
    return limits


def _of_counts(table: pd.DataFrame) -> KaplanMeier | None:
    """Patients of an event table, estimated anew: so that ties and limits are those of this library."""
    later = table[table.index > 0] if table["removed"].iloc[0] == 0 else table
    counts = (later[column].to_numpy(float) for column in ("observed", "censored"))
    if not len(later):
        return None
    return _estimated(np.asarray(later.index, float), *counts)


def _estimated(time: np.ndarray, events: np.ndarray, censored: np.ndarray) -> KaplanMeier:
    number = [events.astype(int), censored.astype(int)]
    times = np.concatenate([np.repeat(time, each) for each in number])
    return kaplan_meier(times, np.repeat([True, False], [int(each.sum()) for each in number]))


def _same(patients: KaplanMeier, time: np.ndarray, survival: np.ndarray) -> bool:
    place = np.searchsorted(patients.time, time, side="right")
    return bool(np.allclose(np.append(1.0, patients.survival)[place], survival, atol=1e-9))
