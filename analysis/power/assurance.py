"""Assurance: power averaged over what is believed of the effect before the trial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import ndtr

from analysis.errors import InvalidValueError, NotEstimableError
from analysis.power.moments import critical_z

if TYPE_CHECKING:
    from analysis.power.group_sequential import GroupSequentialDesign
    from analysis.power.priors import Prior

RARE = 1e-9  # chance below which rounding decides what is conditional on it


def assurance(design: GroupSequentialDesign, prior: Prior) -> float:
    """Probability of rejecting in favour of the experimental arm, averaged over the prior (O'Hagan et al. 2005).

    Parameters
    ----------
    design
        The design; futility bounds count.
    prior
        Distribution of the drift, E[Z] at the last look.

    Examples
    --------
    >>> from analysis.power import GroupSequentialDesign, NormalPrior
    >>> round(assurance(GroupSequentialDesign((1.0,)), NormalPrior(3.2415, 1.0)), 4)
    0.8176
    """
    drifts, weights = prior.nodes()
    return float(weights @ [design.crossing(drift).upper.sum() for drift in drifts])


def conditional_assurance(design: GroupSequentialDesign, look: int, prior: Prior) -> float:
    """Assurance when all that is known is that no bound was crossed up to a look.

    Parameters
    ----------
    design
        The design.
    look
        The last look that was passed, from 1 and before the last.
    prior
        Distribution of the drift before the trial.

    Raises
    ------
    InvalidValueError
        If the look is not an interim look.
    NotEstimableError
        If the prior all but excludes that the look was passed.
    """
    if look not in range(1, len(design.fractions)):
        expected = f"an interim look, 1 to {len(design.fractions) - 1}"
        raise InvalidValueError("look", look, expected, "condition on a look that is followed by another")
    going_on, success = 0.0, 0.0
    for drift, weight in zip(*prior.nodes(), strict=True):
        crossed = design.crossing(float(drift))
        success += weight * float(crossed.upper[look:].sum())
        going_on += weight * (1.0 - float((crossed.upper + crossed.lower)[:look].sum()))
    if going_on < RARE:
        raise NotEstimableError(
            f"conditional assurance: got a chance of {max(going_on, 0.0):.1g} to pass look {look} with this prior; "
            f"expected at least {RARE:g}; take a prior that does not exclude what was seen"
        )
    return float(success / going_on)


def normal_assurance(mean: float, sd: float, standard_error: float, *, alpha: float, sided: int = 1) -> float:
    """Closed-form assurance of a single test with a normal prior.

    Parameters
    ----------
    mean, sd
        Prior mean and standard deviation of the effect, positive in favour of the experimental arm (for a hazard ratio
        minus its log).
    standard_error
        Standard error that the estimate will have, for 1:1 and D events about ``sqrt(4 / D)``.
    alpha, sided
        Type I error and the number of sides it is for.

    Notes
    -----
    ``Phi((mean - z standard_error) / sqrt(standard_error^2 + sd^2))``; O'Hagan, Stevens and Campbell, Pharm Stat
    2005;4:187-201.

    Examples
    --------
    >>> from math import log, sqrt
    >>> round(normal_assurance(-log(0.6), 0.1, sqrt(4 / 60), alpha=0.025), 6)
    0.506865
    """
    if not (sd >= 0 and standard_error > 0):
        expected = "a prior sd of 0 or more and a standard error above 0"
        raise InvalidValueError("sd, standard_error", (sd, standard_error), expected, "give both on the effect's scale")
    critical = critical_z(alpha, sided) * standard_error
    return float(ndtr((mean - critical) / math.hypot(standard_error, sd)))
