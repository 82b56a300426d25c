"""Pointwise confidence limits of a survival probability, by named transformation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy import special

from analysis.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.survival.checks import FloatArray

Transformation: TypeAlias = Literal["plain", "log", "log-log", "logit", "arcsine"]


@dataclass(frozen=True)
class Scale:
    """A scale on which an estimated survival is closer to normal; it grows with the survival.

    Attributes
    ----------
    forward
        From a survival to the scale.
    inverse
        From the scale back to a survival.
    slope
        Derivative of `forward`.
    """

    forward: Callable[[FloatArray], FloatArray]
    inverse: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]


SCALES: dict[str, Scale] = {
    "plain": Scale(lambda s: s, lambda x: np.clip(x, 0.0, 1.0), np.ones_like),
    "log": Scale(np.log, lambda x: np.minimum(np.exp(x), 1.0), lambda s: 1 / s),
    "log-log": Scale(lambda s: -np.log(-np.log(s)), lambda x: np.exp(-np.exp(-x)), lambda s: -1 / (s * np.log(s))),
    "logit": Scale(special.logit, special.expit, lambda s: 1 / (s * (1 - s))),
    "arcsine": Scale(
        lambda s: np.arcsin(np.sqrt(s)),
        lambda x: np.sin(np.clip(x, 0.0, np.pi / 2)) ** 2,
        lambda s: 0.5 / np.sqrt(s * (1 - s)),
    ),
}


def scale(name: str) -> Scale:
    """Return the scale of this name, or an error with the names that exist."""
    if name not in SCALES:
        raise UnknownNameError("ci_type", name, SCALES)
    return SCALES[name]


def pointwise_limits(
    survival: FloatArray, std_error: FloatArray, level: float, ci_type: Transformation
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper two-sided limits; both are 1 where the survival is; at 0 the upper is unknown."""
    on = scale(ci_type)
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    margin = special.ndtri(0.5 + level / 2) * std_error * on.slope(s)
    lower, upper = on.inverse(on.forward(s) - margin), on.inverse(on.forward(s) + margin)
    return np.where(inside, lower, survival), np.where(inside, upper, np.where(survival == 1, 1.0, np.nan))
