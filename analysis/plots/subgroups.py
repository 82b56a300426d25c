"""Hazard ratios of subgroups in a forest, each factor with its test of interaction."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import chdtrc, ndtri

from analysis.conventions.border import border
from analysis.conventions.checks import is_missing, probability
from analysis.errors import InvalidValueError
from analysis.plots.drawn import tested
from analysis.plots.forest import forest
from analysis.plots.numbered import NumberedFigure, numbered
from analysis.plots.patients import of_patients
from analysis.plots.style import PAGE_WIDTH, STYLE
from analysis.statistical_tests import CoxHazardRatio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.plots.drawn import Drawn

ALL = "All patients"
UNKNOWN = "not known"  # a row of its own that the test of interaction leaves out
ROW = 0.24  # inches
COLUMNS = (104, 154)  # points from the axes to the columns of events
WIDEST_LABEL = 70  # letters of a line under the axis
WIDEST = 10  # letters of an arm's name above its column


@border
def subgroup_forest(
    patients: Any,
    factors: Sequence[str],
    *,
    control: str | None = None,
    time: str | None = None,
    event: str | None = None,
    arm: str | None = None,
    unit: Literal["days", "weeks", "months", "years"] | None = None,
    level: float = 0.95,
) -> NumberedFigure:
    """Draw the hazard ratio of all patients and of each subgroup, with events and patients by arm.

    The interaction of a factor with treatment is tested by the heterogeneity of its subgroups' log hazard ratios,
    Cochran's Q with one degree of freedom less than there are subgroups.

    Parameters
    ----------
    patients
        A frame of patients with two arms (pandas, polars, pyarrow), as for `survival_plot`.
    factors
        Columns of the subgroups. Patients without a value have a row of their own, outside the test.
    control
        The control arm; the last one.
    time, event, arm, unit
        As for `survival_plot`.
    level
        Two-sided confidence level.

    Returns
    -------
    NumberedFigure
        Numbers, one row per subgroup: ``factor``, ``subgroup``, ``events`` and ``patients`` of either arm (experimental
        first), ``hazard_ratio``, ``lower``, ``upper`` (NaN where the data do not determine it), ``interaction_p``.

    Raises
    ------
    InvalidValueError
        If a column is missing or there are not two arms.

    References
    ----------
    Cochran WG. The combination of estimates from different experiments. Biometrics 1954;10:101-129.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "time": [2, 3, 5, 8, 9, 4, 6, 8, 7, 1, 5, 9], "event": [1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1],
    ...     "arm": ["new", "old"] * 6, "visceral": ["yes"] * 6 + ["no"] * 6,
    ... })
    >>> shown = subgroup_forest(frame, ["visceral"], control="old")
    >>> shown.numbers[["factor", "subgroup", "events", "control_events"]].to_numpy().tolist()
    [['', 'All patients', 5, 5], ['visceral', 'no', 2, 3], ['visceral', 'yes', 3, 2]]
    """
    probability("level", level)
    frame = patients.to_pandas() if hasattr(patients, "to_pandas") else patients
    if not isinstance(frame, pd.DataFrame):
        raise InvalidValueError("patients", patients, "a frame of patients", "arrays go into one: pd.DataFrame({...})")
    if isinstance(factors, str) or not len(factors):
        raise InvalidValueError("factors", factors, "columns of the frame", "write factors=[...]")
    whole = of_patients(frame, time, event, arm, level, "log-log", unit)
    names = [each.name for each in whole]
    reference = names[-1] if control is None else str(control)
    if len(names) != 2 or reference not in names:
        raise InvalidValueError("control", f"{control} of {names}", "one of two arms", "select two arms and name one")
    other = next(name for name in names if name != reference)
    rows = [_row("", ALL, whole, other, reference, level)]
    for factor in factors:
        if factor not in frame.columns:
            raise InvalidValueError("factors", factor, f"columns of {list(frame.columns)}", "name the columns")
        unknown = is_missing(frame[factor])
        values = frame[factor][~unknown].unique().tolist()
        of_factor = []
        for value in sorted(values, key=str):
            chosen = frame[frame[factor] == value]
            curves = of_patients(chosen, time, event, arm, level, "log-log", unit)
            of_factor.append(_row(factor, str(value), curves, other, reference, level))
        p = _interaction(of_factor, level)
        if unknown.any():
            curves = of_patients(frame[unknown], time, event, arm, level, "log-log", unit)
            of_factor.append(_row(factor, UNKNOWN, curves, other, reference, level))
        rows += [row | {"interaction_p": p} for row in of_factor]
    return _drawn(rows, list(factors), other, reference, level)


def _row(
    factor: str, subgroup: str, curves: Sequence[Drawn], other: str, reference: str, level: float
) -> dict[str, Any]:  # fmt: skip
    by_name = {each.name: each for each in curves}
    counts: dict[str, int] = {}
    for prefix, name in (("", other), ("control_", reference)):
        events = by_name[name].patients[0][1] if name in by_name else np.zeros(0, bool)
        counts |= {f"{prefix}events": int(events.sum()), f"{prefix}patients": int(events.size)}
    both = other in by_name and reference in by_name
    found = tested(CoxHazardRatio(level=level), by_name[reference], by_name[other]) if both else None
    ratio = (np.nan,) * 3 if found is None else (found[0].estimate, found[0].lower, found[0].upper)
    named = dict(zip(("hazard_ratio", "lower", "upper"), ratio, strict=True))
    return {"factor": factor, "subgroup": subgroup} | counts | named | {"interaction_p": np.nan}


def _interaction(rows: Sequence[dict[str, Any]], level: float) -> float:
    """p-value of the heterogeneity of the subgroups' log ratios; NaN with fewer than two that are estimable."""
    known = [row for row in rows if np.isfinite(row["hazard_ratio"]) and row["lower"] > 0 and np.isfinite(row["upper"])]
    if len(known) < 2 or len(known) < len(rows):
        return float("nan")
    logs = np.log([row["hazard_ratio"] for row in known])
    errors = np.array([np.log(row["upper"] / row["lower"]) for row in known]) / (2 * ndtri(0.5 + level / 2))
    weights = errors**-2
    q = float(weights @ (logs - weights @ logs / weights.sum()) ** 2)
    return float(chdtrc(len(known) - 1, q))


def _drawn(
    rows: list[dict[str, Any]], factors: Sequence[str], other: str, reference: str, level: float
) -> NumberedFigure:
    labels, places = [ALL], [0]
    for factor in factors:
        of_factor = [row for row in rows if row["factor"] == factor]
        p = of_factor[0]["interaction_p"] if of_factor else np.nan
        labels.append(factor if np.isnan(p) else f"{factor} (interaction p {_p(p)})")
        for row in of_factor:
            places.append(len(labels))
            labels.append(f"   {row['subgroup']}")
    values = np.full((3, len(labels)), np.nan)
    for row, place in zip(rows, places, strict=True):
        values[:, place] = [row["hazard_ratio"], row["lower"], row["upper"]]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(PAGE_WIDTH, ROW * (len(labels) + 5)), layout="constrained")
        ax = forest([f"{k}" for k in range(len(labels))], values[0], values[1], values[2], figure.subplots())
        ax.set_yticks(range(len(labels)), labels, ha="left")
        longest = max(map(len, labels))
        ax.tick_params(axis="y", pad=4.6 * longest)
        look: dict[str, Any] = {"textcoords": "offset points", "xycoords": ax.get_yaxis_transform(), "fontsize": 8}
        heads = [f"Hazard ratio\n({100 * level:g}% CI)", *(_head(name) for name in (other, reference))]
        for head, offset, side in zip(heads, (5, *COLUMNS), ("left", "center", "center"), strict=True):
            ax.annotate(head, (1.0, -0.9), (offset, 0), va="bottom", ha=side, **look)
        for row, place in zip(rows, places, strict=True):
            if np.isnan(values[0, place]):
                ax.annotate("not estimable", (1.0, place), (5, 0), va="center", ha="left", **look)
            for prefix, offset in zip(("", "control_"), COLUMNS, strict=True):
                text = f"{row[f'{prefix}events']}/{row[f'{prefix}patients']}"
                ax.annotate(text, (1.0, place), (offset, 0), va="center", ha="center", **look)
        ax.set_xlabel(
            textwrap.fill(f"Hazard ratio, below 1 favours {other}; events/patients at the right", WIDEST_LABEL)
        )
    parts = [
        f"{row['factor']} {row['subgroup']} {row['hazard_ratio']:.2f}".strip()
        for row in rows
        if not np.isnan(row["hazard_ratio"])
    ]
    return numbered((ax,), pd.DataFrame(rows), f"Hazard ratios of {other} against {reference}: {', '.join(parts)}.")


def _head(name: str) -> str:
    return "\n".join(textwrap.wrap(textwrap.shorten(name, 2 * WIDEST, placeholder="\u2026"), WIDEST)) or name


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
