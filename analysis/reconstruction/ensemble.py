"""A number with its spread over the members of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray


MOST_MEMBERS = 100_000
"""Members that a reconstruction can have: memory, not need, is the limit."""


@border
@dataclass(frozen=True)
class EnsembleEstimate:
    """The median over the members, and the central interval that holds a share `level` of them.

    Attributes
    ----------
    estimate
        Median over the members.
    lower, upper
        Central interval over the members; what the report leaves open, not the sampling error of the trial.
    level
        Share of the members in the interval.
    members
        The value in each member, shape ``(members,)``.

    Examples
    --------
    >>> EnsembleEstimate.of([7.6, 7.8, 8.1], level=0.5)
    EnsembleEstimate(estimate=7.8, lower=7.6, upper=8.1, level=0.5)
    """

    estimate: float
    lower: float
    upper: float
    level: float
    members: FloatArray = field(repr=False, compare=False)

    __repr__ = short_repr

    @classmethod
    def of(cls, values: ArrayLike, level: float) -> Self:
        """Summarise the values of the members; members may be infinite (a median not reached).

        Raises
        ------
        InvalidValueError
            If `level` is not between 0 and 1.
        """
        members = np.array(values, dtype=np.float64)
        members.flags.writeable = False
        lower, estimate, upper = central(members, level)
        return cls(float(estimate), float(lower), float(upper), level, members)


def central(values: FloatArray, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lower limit, median and upper limit over the first axis.

    The limits are order statistics, the next ones outwards, so that the interval holds at least a share `level` of
    the members, infinite ones included.
    """
    if not 0 < level < 1:
        raise InvalidValueError("level", level, "a share between 0 and 1", "write 90% as 0.9")
    lower = np.quantile(values, (1 - level) / 2, axis=0, method="lower")
    upper = np.quantile(values, (1 + level) / 2, axis=0, method="higher")
    return lower, np.median(values, axis=0), upper
