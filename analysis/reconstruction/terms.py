"""The words that report, solver and repair share: kinds of equations, intervals of hazards, boxes of an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray

    IntArray = NDArray[np.int64]

(
    QUANTILE,
    LIMIT,
    SURVIVAL,
    AT_RISK,
    EVENTS,
    FOLLOW_UP,
    SCORE,
    INFORMATION,
    BEYOND,
    LANDMARK_ERROR,
    TEST,
    TEST_BEYOND,
    LEFT,
) = range(13)
"""Kinds of equations, one for each kind of number that a report prints."""
LOG_LOG, LOG, PLAIN = range(3)
"""Types of confidence limits of S."""


class Frame(NamedTuple):
    """What a state is about: the intervals of its log hazards and the patients of its arms.

    ``edges`` (J,) are the starts of the intervals of the event hazards in units of ``m``, ``lengths`` (L,) those of the
    censoring hazards in units of ``f``, ``sizes`` (A,) the patients of each arm.
    """

    edges: FloatArray
    lengths: FloatArray
    sizes: FloatArray


class Equations(NamedTuple):
    """The printed numbers as equations, one entry each, all of shape (E,).

    ``kind`` is one of the constants of this module; ``arm`` the arm, ``other`` the control of a ratio or the last of
    the arms whose events are counted; ``time`` in months, ``level`` of survival, ``z`` and ``form`` of a limit.
    """

    kind: IntArray
    arm: IntArray
    other: IntArray
    time: FloatArray
    level: FloatArray
    z: FloatArray
    form: IntArray


class Boxes(NamedTuple):
    """What the statistics of one arm must be, to their rounding.

    ``quantiles`` (Q, 6): level of S, z, type, lower and upper edge of the box, 1 if reached; ``follow_up`` (F, 4): the
    same without z and type, for the reverse curve; ``ticks`` (T, 2): time and number at risk; ``landmarks`` (M, 9):
    time, lower and upper edge for S, z, type, edges for the limits (NaN if none).
    """

    quantiles: FloatArray
    follow_up: FloatArray
    ticks: FloatArray
    landmarks: FloatArray


class RatioBoxes(NamedTuple):
    """What the comparison of two arms must give, per analysis.

    ``ratio`` (V, 7): edges of the boxes of the log hazard ratio and of its lower and upper limit, and z; ``test``
    (V, 3): least and greatest log-rank statistic, above 0 for benefit, and 1 if its sign is open.
    """

    ratio: FloatArray
    test: FloatArray
