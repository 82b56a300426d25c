"""Baselines: what can be drawn from the medians and the hazard ratio with a parametric curve per arm.

All three take the same printed numbers. Where a median was not reached, the total number of events within the median
follow-up stands in for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize, minimize_scalar

if TYPE_CHECKING:
    from reconstruction_figures import Figure

Shape = Callable[[np.ndarray, float, float], np.ndarray]  # S(t; median, k)


@dataclass(frozen=True)
class ParametricCurves:
    """Two curves of one family that share their shape `k`."""

    family: Shape
    medians: tuple[float, float]
    k: float

    def survival(self, arm: int, t: np.ndarray) -> np.ndarray:
        """Point estimate at `t`."""
        return self.family(t, self.medians[arm], self.k)

    def band(self, arm: int, t: np.ndarray, level: float) -> None:
        """None: the baselines do not say how wrong they may be."""


def weibull(t: np.ndarray, median: float, k: float) -> np.ndarray:
    return np.exp(-np.log(2) * (t / median) ** k)


def log_logistic(t: np.ndarray, median: float, k: float) -> np.ndarray:
    return 1 / (1 + (t / median) ** k)


def exponential(figure: Figure) -> ParametricCurves:
    """One exponential per arm, through its median.

    An arm whose median was not reached follows from the other arm's by the hazard ratio; where neither was reached,
    the rate is the one that gives the printed events within the median follow-up.
    """
    hr = float(figure.hazard_ratio)
    control, experimental = (None if arm.median is None else float(arm.median) for arm in figure.printed)
    if control is None:
        control = experimental * hr if experimental is not None else _control_median_from_events(figure, hr)
    return ParametricCurves(weibull, (control, control / hr if experimental is None else experimental), 1.0)


def weibull_map(figure: Figure) -> ParametricCurves:
    """Weibull arms with a shared shape: most probable under a weak prior on the shape, log k ~ N(log 1.3, 0.3)."""
    return _fit(figure, weibull, centre=np.log(1.3), spread=0.3)


def log_logistic_penalised(figure: Figure) -> ParametricCurves:
    """Log-logistic arms with a shared shape, log k penalised towards log 2 with a spread of 0.2."""
    return _fit(figure, log_logistic, centre=np.log(2.0), spread=0.2)


BASELINES: dict[str, Callable[[Figure], ParametricCurves]] = {
    "exponential": exponential,
    "weibull_map": weibull_map,
    "log_logistic": log_logistic_penalised,
}


def _fit(figure: Figure, family: Shape, centre: float, spread: float) -> ParametricCurves:
    start = exponential(figure)
    log_hr = np.log(float(figure.hazard_ratio))
    log_hr_error = np.log(float(figure.hazard_ratio_upper) / float(figure.hazard_ratio_lower)) / (2 * 1.96)

    def minus_log_posterior(x: np.ndarray) -> float:
        curves = ParametricCurves(family, (float(np.exp(x[0])), float(np.exp(x[1]))), float(np.exp(x[2])))
        misfit = ((x[2] - centre) / spread) ** 2 + ((_cox_log_hr(figure, curves) - log_hr) / log_hr_error) ** 2
        for arm, log_median in zip(figure.printed, x[:2], strict=True):
            if arm.median is not None:
                misfit += ((log_median - np.log(float(arm.median))) / 0.02) ** 2
        if not figure.medians_reached:
            misfit += (_expected_events(figure, curves) - figure.events) ** 2 / figure.events
        return 0.5 * float(misfit)

    fitted = minimize(minus_log_posterior, [*np.log(start.medians), centre], method="Nelder-Mead").x
    return ParametricCurves(family, (float(np.exp(fitted[0])), float(np.exp(fitted[1]))), float(np.exp(fitted[2])))


def _expected_events(figure: Figure, curves: ParametricCurves) -> float:
    return float(
        sum(
            arm.n * (1 - curves.survival(k, np.array(float(arm.median_follow_up))))
            for k, arm in enumerate(figure.printed)
        )
    )


def _control_median_from_events(figure: Figure, hr: float) -> float:
    def misfit(log_median: float) -> float:
        control = float(np.exp(log_median))
        return (_expected_events(figure, ParametricCurves(weibull, (control, control / hr), 1.0)) - figure.events) ** 2

    return float(np.exp(minimize_scalar(misfit, bounds=(-2.0, 10.0), method="bounded").x))


def _cox_log_hr(figure: Figure, curves: ParametricCurves) -> float:
    """Return the log hazard ratio that Cox regression estimates in large samples, followed up to the printed medians.

    Solves the expected score equation (Struthers and Kalbfleisch, Biometrika 1986) by Newton's method.
    """
    t = np.linspace(0.0, max(float(arm.median_follow_up) for arm in figure.printed), 201)
    S = np.array([curves.survival(k, t) for k in (0, 1)])
    at_risk = np.array([[arm.n] for arm in figure.printed]) * (S[:, 1:] + S[:, :-1]) / 2
    deaths = np.array([[arm.n] for arm in figure.printed]) * -np.diff(S)
    beta = 0.0
    for _ in range(8):
        share = at_risk[1] * np.exp(beta) / np.maximum(at_risk[0] + at_risk[1] * np.exp(beta), 1e-300)
        score = (deaths[1] - deaths.sum(axis=0) * share).sum()
        information = (deaths.sum(axis=0) * share * (1 - share)).sum()
        beta += float(np.clip(score / max(information, 1e-12), -1.0, 1.0))
    return beta
