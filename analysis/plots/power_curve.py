"""Power over the effect, over the number of patients, or over both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import numeric
from analysis.conventions.values import replace
from analysis.design import Scenario, TrialDesign
from analysis.errors import InvalidValueError
from analysis.plots.numbered import NumberedFigure, figure_of, numbered
from analysis.plots.style import GREY, PALETTE, STYLE, percent_axis
from analysis.power import power

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.seeds import Seed
    from analysis.statistical_tests import OneArmTest, TwoArmTest

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
ERRORS = 2.0  # Monte Carlo standard errors of a bar


@border
def power_curve(
    design: TrialDesign,
    scenario: Scenario | Mapping[str, Scenario],
    test: OneArmTest | TwoArmTest | None = None,
    *,
    hazard_ratios: ArrayLike | None = None,
    sizes: ArrayLike | None = None,
    trials: int = 0,
    rng: Seed = 1,
    ax: Axes | None = None,
) -> NumberedFigure:
    """Draw the power of a design over the hazard ratio or over the number of patients.

    Parameters
    ----------
    design, scenario, test
        As for `analysis.power.power`; several scenarios by name give a line each.
    hazard_ratios
        Hazard ratios, experimental against control, shape ``(k,)``; they replace that of the scenario.
    sizes
        Or numbers of patients of the whole trial, shape ``(k,)``.
    trials, rng
        Replicates and seed of a simulation at each point, drawn with bars of two Monte Carlo standard errors; 0: none.
    ax
        Axes to draw on; by default those of a figure of its own.

    Returns
    -------
    NumberedFigure
        Numbers: ``scenario``, ``hazard_ratio`` or ``n``, ``by``, ``power``, ``std_error``.

    Raises
    ------
    InvalidValueError
        If not exactly one of hazard ratios and sizes is given, or one is impossible.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> shown = power_curve(
    ...     design, Scenario.proportional_hazards(Exponential.from_median(11), 0.6), hazard_ratios=[0.5, 0.6, 0.7, 1]
    ... )
    >>> shown.numbers[["hazard_ratio", "power"]].round(3).to_numpy().tolist()
    [[0.5, 0.759], [0.6, 0.524], [0.7, 0.303], [1.0, 0.025]]
    """
    if (hazard_ratios is None) == (sizes is None):
        got = "both" if sizes is not None else "neither"
        raise InvalidValueError("hazard_ratios, sizes", got, "exactly one of them", "say hazard_ratios=[0.5, 0.6, 0.7]")
    over, given = ("n", sizes) if hazard_ratios is None else ("hazard_ratio", hazard_ratios)
    at = _values(over, given)
    cases = {"": scenario} if isinstance(scenario, Scenario) else dict(scenario)
    if not cases:
        raise InvalidValueError("scenario", {}, "a scenario, or several by name", "give one at least")
    rows: list[dict[str, Any]] = []
    for name, case in cases.items():
        for value in at.tolist():
            for by in ("formula", *(["simulation"] if trials else [])):
                found = _power(design, case, test, over, value, by, trials, rng)
                rows.append(
                    {"scenario": name, over: value, "by": by, "power": found.power, "std_error": found.std_error}
                )
    numbers = pd.DataFrame(rows)
    axes = figure_of(ax)
    with mpl.rc_context(STYLE):
        _draw(axes[0], numbers, over, design)
    return numbered(axes, numbers, _said(numbers, over))


def _values(field: str, given: Any) -> NDArray[np.float64]:
    at = np.atleast_1d(numeric(field, given))
    if at.ndim != 1 or at.size < 2 or not np.isfinite(at).all() or at.min() <= 0:
        raise InvalidValueError(field, given, "at least two numbers above 0", "give a list, e.g. [0.5, 0.6, 0.7]")
    if field in ("n", "sizes") and not np.array_equal(at, np.round(at)):
        raise InvalidValueError("sizes", given, "whole numbers of patients", "round them")
    return np.unique(at)


def _power(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest | None,
    over: str,
    value: float,
    by: str,
    trials: int,
    rng: Seed,
) -> Any:
    if over == "n":
        sized = replace(design, n=round(value))
        return (
            power(sized, scenario, test)
            if by == "formula"
            else power(sized, scenario, test, by="simulation", trials=trials, rng=rng)
        )
    if design.control is None:
        raise InvalidValueError("hazard_ratios", value, "sizes for a single arm", "there is no control to compare with")
    moved = scenario.with_hazard_ratio(value, design.control)
    if by == "formula":
        return power(design, moved, test)
    return power(design, moved, test, by="simulation", trials=trials, rng=rng)


def _draw(ax: Axes, numbers: pd.DataFrame, over: str, design: TrialDesign) -> None:
    names = list(dict.fromkeys(numbers["scenario"]))
    for name, colour in zip(names, [*PALETTE] * len(names), strict=False):
        own = numbers[numbers["scenario"] == name]
        line = own[own["by"] == "formula"]
        ax.plot(line[over], line["power"], color=colour, label=str(name))
        points = own[own["by"] == "simulation"]
        if len(points):
            ax.errorbar(
                points[over], points["power"], ERRORS * points["std_error"], color=colour, fmt="o", markersize=3.5,
                linewidth=0.8,
            )  # fmt: skip
    if any(names):
        ax.legend(loc="lower right" if over == "n" else "upper right")
    ax.axhline(design.alpha, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    at, side = (1, "right") if over == "n" else (0, "left")  # where the power is far from it
    ax.annotate(
        f"alpha {design.alpha:g}", (at, design.alpha), xycoords=("axes fraction", "data"),
        xytext=(0 if at else 2, 2), textcoords="offset points", ha=side, va="bottom", fontsize=7, color=GREY,
    )  # fmt: skip
    percent_axis(ax, "Power", high=1.02)
    ax.set_xlabel("Patients" if over == "n" else "Hazard ratio")


def _said(numbers: pd.DataFrame, over: str) -> str:
    line = numbers[numbers["by"] == "formula"]
    parts = []
    for name, own in line.groupby("scenario", sort=False):
        ends = [
            f"{100 * row['power']:.0f}% at {row[over]:g} patients"
            if over == "n"
            else f"{100 * row['power']:.0f}% at a hazard ratio of {row[over]:g}"
            for row in (own.iloc[0], own.iloc[-1])
        ]  # fmt: skip
        parts.append(f"{name!s}: {' and '.join(ends)}" if name else " and ".join(ends))
    return f"Power by formula, {'; '.join(parts)}"


@border
def power_contours(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest | None = None,
    *,
    hazard_ratios: ArrayLike,
    sizes: ArrayLike,
    ax: Axes | None = None,
) -> NumberedFigure:
    """Draw lines of equal power over the hazard ratio and the number of patients.

    Parameters
    ----------
    design, scenario, test
        As for `analysis.power.power`.
    hazard_ratios, sizes
        The two axes, shapes ``(k,)`` and ``(m,)``.
    ax
        Axes to draw on; by default those of a figure of its own.

    Returns
    -------
    NumberedFigure
        Numbers: ``hazard_ratio``, ``n``, ``power`` by formula.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> shown = power_contours(design, scenario, hazard_ratios=[0.5, 0.6, 0.7], sizes=[80, 120, 160])
    >>> len(shown.numbers)
    9
    """
    ratios, patients = _values("hazard_ratios", hazard_ratios), _values("sizes", sizes)
    for field, values in (("hazard_ratios", ratios), ("sizes", patients)):
        if len(set(values)) < 2:
            raise InvalidValueError(field, values, "two different values at least", "lines need an area to run through")
    if design.control is None:
        raise InvalidValueError("design", "a single arm", "a design with a control", "draw power_curve(sizes=...)")
    grid = np.array(
        [
            [power(replace(design, n=round(n)), scenario.with_hazard_ratio(ratio, design.control), test).power
             for ratio in ratios]
            for n in patients
        ]
    )  # fmt: skip
    axes = figure_of(ax, height=4.2, width=5.6)
    with mpl.rc_context(STYLE):
        lines = axes[0].contour(ratios, patients, grid, levels=list(LEVELS), colors=PALETTE[0], linewidths=1.2)
        axes[0].clabel(lines, fmt=lambda level: f"{100 * level:.0f}%", fontsize=7)
        axes[0].set_xlabel("Hazard ratio")
        axes[0].set_ylabel("Patients")
    numbers = pd.DataFrame(
        [(r, n, grid[i, j]) for i, n in enumerate(patients) for j, r in enumerate(ratios)],
        columns=["hazard_ratio", "n", "power"],
    )
    alt = (
        f"Lines of equal power by hazard ratio ({ratios[0]:g} to {ratios[-1]:g}) and patients ({patients[0]:g} to "
        f"{patients[-1]:g}); power from {100 * grid.min():.0f}% to {100 * grid.max():.0f}%"
    )
    return numbered(axes, numbers, alt)
