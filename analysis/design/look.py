"""One analysis of a trial: when the data are cut, and what is decided there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.values import value
from analysis.design.cuts import Cut
from analysis.errors import InvalidValueError

MISTAKEN_FOR_P = 0.2
"""A boundary this close above 0 rejects in four trials of ten without an effect: it is a p-value by mistake."""


def _z(name: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or math.isnan(given):
        raise InvalidValueError(name, given, "a z value", "give a number; inf for a boundary that is never crossed")
    if name == "efficacy_z" and 0 < given <= MISTAKEN_FOR_P:
        expected, remedy = "a z value such as 1.96", f"if it is a p-value, its z is {-float(ndtri(given)):.4f}"
        raise InvalidValueError(name, given, expected, remedy)
    return float(given)


@border
@value
class Look:
    """One analysis: when the data are cut and what stops the trial there.

    Boundaries are z values in the direction of benefit: a larger z favours the experimental arm more.

    Parameters
    ----------
    cut
        When the data are cut.
    efficacy_z
        Stop and reject the null hypothesis at or above this z; inf: never here. None: at the last look the design's
        alpha decides, at an earlier look the trial goes on whatever the data say.
    futility_z
        Stop without rejection at or below this z; None or -inf: no futility boundary.
    rule
        What gave the boundaries, as a protocol names it; empty if they were given as numbers.

    Raises
    ------
    InvalidValueError
        If the futility boundary is above the efficacy boundary, or a p-value is given for a z.

    Examples
    --------
    >>> from analysis.design import AtEvents
    >>> print(Look(AtEvents(60), efficacy_z=2.96, futility_z=0))
    at 60 events, rejects at z of at least 2.96, stops at z of at most 0
    """

    cut: Cut = fields.converted(lambda name, given: one_of(name, given, Cut, "AtEvents(60) or AtTime(24)"))
    efficacy_z: float | None = fields.converted(_z, default=None, optional=True)
    futility_z: float | None = fields.converted(_z, default=None, optional=True)
    rule: str = fields.converted(lambda name, given: one_of(name, given, str, '""'), default="", repr=False)

    def __attrs_post_init__(self) -> None:
        if self.efficacy_z is not None and self.futility_z is not None and self.futility_z > self.efficacy_z:
            expected = f"at most efficacy_z = {self.efficacy_z:g}"
            raise InvalidValueError("futility_z", self.futility_z, expected, "lower it")

    def __str__(self) -> str:
        return self.in_words("z")

    def in_words(self, statistic: str) -> str:
        """Say when the look is and what it decides, by ``z``, or ``|z|`` where harm rejects as well."""
        bounds = ((f"rejects at {statistic} of at least", self.efficacy_z), ("stops at z of at most", self.futility_z))
        told = [f"{words} {z:.4g}" for words, z in bounds if z is not None and math.isfinite(z)]
        return ", ".join([str(self.cut), *told])
