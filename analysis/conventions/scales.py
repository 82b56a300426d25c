"""Scales of a survival probability on which its estimate is closer to normal; the keyword is `scale` everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from scipy import special

from analysis.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

ScaleName: TypeAlias = Literal["plain", "log", "log-log", "logit", "arcsine"]
RatioScale: TypeAlias = Literal["plain", "log"]


@dataclass(frozen=True)
class Scale:
    """A scale that grows with the survival.

    Attributes
    ----------
    forward
        From a survival to the scale.
    inverse
        From the scale back to a survival.
    slope
        Derivative of `forward`.
    """

    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]
    slope: Callable[[Any], Any]


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
        raise UnknownNameError("scale", name, SCALES)
    return SCALES[name]
