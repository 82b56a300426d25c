"""The default method against lrstat's simulated power, beside the textbook formulas and the other variances."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.design import UniformAccrual
from analysis.expected.numbers import time_of_events
from analysis.statistical_tests import LogRank
from analysis.survival import PiecewiseExponential
from tests.large_trials import two_arm_trial
from tests.reference.power.r_calls import reference_calls

if TYPE_CHECKING:
    from tests.reference.power.r_calls import RCall

METHODS = {
    "LogRank()": LogRank(),
    **{f"LogRank(variance={v!r})": LogRank(variance=v) for v in ("alternative", "simple", "statistic")},
    **{
        f"LogRank(formula={f!r})": LogRank(formula=f)
        for f in ("schoenfeld", "freedman", "rubinstein", "lachin-foulkes", "average hazard ratio")
    },
}


def powers(call: RCall) -> dict[str, float]:
    breaks = np.atleast_1d(call.get("piecewiseSurvivalTime", 0.0))[1:]
    duration = call.get("accrualDuration") or call["n"] / call["accrualIntensity"]
    trial = two_arm_trial(
        PiecewiseExponential(np.atleast_1d(call["lambda2"]), breaks),
        PiecewiseExponential(np.atleast_1d(call["lambda1"]), breaks),
        n=duration * call["accrualIntensity"],
        accrual=UniformAccrual(duration),
        allocation_ratio=call["allocation1"] / call["allocation2"],
        dropout=call.get("gamma1", 0.0),
    )
    time = call.get("plannedTime") or time_of_events(trial, call["plannedEvents"])
    return {name: method.moments(trial, time).power() for name, method in METHODS.items()}


@pytest.fixture(scope="module")
def errors() -> dict[str, tuple[float, float]]:
    """Root mean square and greatest error in percentage points, by method, of the unweighted designs with one look."""
    differences: dict[str, list[float]] = {name: [] for name in METHODS}
    for call in reference_calls():
        if call.function != "lrsim (simulated)":
            continue
        parsed = call.parsed
        weighted = parsed.get("rho1", 0.0) or parsed.get("rho2", 0.0)
        if weighted or parsed["kMax"] > 1 or np.array_equal(parsed["lambda1"], parsed["lambda2"]):
            continue
        (simulated,) = (value for quantity, value in call.values.items() if quantity.startswith("overallReject"))
        for name, power in powers(parsed).items():
            differences[name].append(100 * (power - simulated))
    assert len(differences["LogRank()"]) == 23
    return {name: (float(np.sqrt(np.mean(np.square(d)))), max(map(abs, d))) for name, d in differences.items()}


def test_the_default_beats_the_textbook_and_the_variances_of_the_score(errors: dict[str, tuple[float, float]]) -> None:
    better = ("LogRank()", "LogRank(variance='statistic')", "LogRank(formula='rubinstein')")
    rivals = [error for name, (error, _) in errors.items() if name not in better]
    assert errors["LogRank()"][0] < 0.6 * min(rivals)


def test_the_spread_of_the_statistic_is_the_closest_of_all(errors: dict[str, tuple[float, float]]) -> None:
    error, greatest = errors["LogRank(variance='statistic')"]
    others = [found for name, found in errors.items() if name != "LogRank(variance='statistic')"]
    assert error < 0.75 * min(mean for mean, _ in others)
    assert greatest < 0.75 * min(most for _, most in others)


def test_the_documented_errors_are_these(errors: dict[str, tuple[float, float]]) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "power.md").read_text(encoding="utf-8")
    for name, (mean, greatest) in errors.items():
        assert f"| `{name}` | {mean:.2f} | {greatest:.2f} |" in text, (name, mean, greatest)
