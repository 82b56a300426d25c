"""The difference of two survival probabilities at a milestone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import NotEstimableError
from analysis.survival.checks import confidence_level, number
from analysis.survival.comparisons.results import Difference, difference
from analysis.survival.comparisons.two_arms import split_arms
from analysis.survival.estimators.intervals import Transformation, scale
from analysis.survival.estimators.kaplan_meier import kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def milestone_difference(
    time: ArrayLike,
    event: ArrayLike,
    experimental: ArrayLike,
    *,
    milestone: float,
    transform: Transformation = "plain",
    level: float = 0.95,
) -> Difference:
    """Compare the Kaplan-Meier survival of two arms at a milestone (Klein et al. 2007, Stat Med 26:4505).

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``.
    event
        Whether it ended with an event, shape ``(n,)``.
    experimental
        Whether the patient is in the experimental arm, shape ``(n,)``.
    milestone
        Months at which the curves are compared.
    transform
        Scale of the difference and its normal limits, growing with the survival: ``"plain"``, ``"log"``,
        ``"log-log"`` for ``-log(-log(S))``, ``"logit"`` or ``"arcsine"``.
    level
        Two-sided confidence level.

    Returns
    -------
    Difference
        On the scale of `transform`, with unpooled Greenwood variances; `experimental` and `control` are the survivals.

    Raises
    ------
    InvalidValueError
        If the data are malformed or an arm is empty.
    NotEstimableError
        If the follow-up of an arm ends before the milestone, or its survival there is 0 or 1.
    UnknownNameError
        If there is no such transformation.

    Examples
    --------
    >>> at_six = milestone_difference([2, 3, 4, 5, 8, 9, 9], [1, 1, 1, 1, 1, 0, 0], [0, 0, 1, 0, 1, 1, 0], milestone=4)
    >>> round(at_six.estimate, 3), round(at_six.statistic, 2)
    (0.167, -0.45)
    """
    level, milestone = confidence_level(level), number("milestone", milestone)
    on = scale(transform)
    times, events, arms = split_arms(time, event, experimental)
    curves = {
        "experimental": kaplan_meier(times[arms], events[arms]),
        "control": kaplan_meier(times[~arms], events[~arms]),
    }
    survival = {name: float(curve.survival_at(milestone)) for name, curve in curves.items()}
    for name, share in survival.items():
        if not 0 < share < 1:
            raise NotEstimableError(
                f"milestone difference: got a survival of {share:g} in the {name} arm at {milestone:g} months; "
                "expected one between 0 and 1; choose a milestone within follow-up at which both arms have had events"
            )
    values = np.array([survival["experimental"], survival["control"]])
    errors = np.array([float(curve.std_error_at(milestone)) for curve in curves.values()])
    estimate = float(np.subtract(*on.forward(values)))
    std_error = float(np.hypot(*(errors * on.slope(values))))
    method = f"milestone difference at {milestone:g}, {transform}"
    return difference(method, (float(values[0]), float(values[1])), estimate, std_error, level)
