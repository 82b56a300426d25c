"""Estimate, interval and p-value after a binomial design in one or more stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize

from analysis.conventions.border import border
from analysis.conventions.checks import choice, probability
from analysis.conventions.values import value
from analysis.errors import InvalidValueError
from analysis.single_arm.outcomes import Outcomes, outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.single_arm.design import BinomialDesign

Interval = Literal["exact", "koyama-chen"]


@value
class BinomialInference:
    """What a completed single-arm trial says about the response rate, given the design it was run by.

    Parameters
    ----------
    responders, n
        What was observed.
    rejects
        Whether the design rejects its null hypothesis.
    observed_rate
        Responders over patients: biased downwards after a design that stops for futility.
    umvue
        The uniformly minimum-variance unbiased estimate.
    median_unbiased
        The rate at which an outcome as strong as this one or stronger has probability one half.
    p_one_sided
        Probability at the null rate of an outcome as strong as this one or stronger.
    lower, upper, level, interval
        Two-sided confidence interval, its level, and its construction.
    """

    responders: int
    n: int
    rejects: bool
    observed_rate: float
    umvue: float
    median_unbiased: float
    p_one_sided: float
    lower: float
    upper: float
    level: float
    interval: Interval


@border
def infer(
    design: BinomialDesign, responders: int, n: int, *, level: float = 0.95, interval: Interval = "exact"
) -> BinomialInference:
    """Analyse the outcome of a single-arm trial in agreement with its design.

    Outcomes are ordered by stage (Jennison and Turnbull): a stop for futility is weaker than any later outcome, the
    earlier the weaker; a stop for efficacy stronger than any later outcome; within a stage, more responders are
    stronger.

    Parameters
    ----------
    design
        The design the trial was run by.
    responders, n
        Responders among the patients evaluated when the trial ended; ``n`` is one of the design's looks.
    level
        Two-sided confidence level: each tail has probability ``(1 - level) / 2``. clinfun's
        ``twostage.inference(alpha=a)`` is ``level=1 - 2 * a``.
    interval
        ``"exact"``: each limit is the rate at which the observed outcome and all beyond it have the tail probability,
        so that the coverage is never below the level (Jung and Kim; Clopper and Pearson if the design has one look).
        ``"koyama-chen"``: the upper limit is the rate at which the p-value is one minus the tail probability;
        narrower, and its coverage can fall below the level (Koyama and Chen, clinfun, OneArmPhaseTwoStudy).

    Returns
    -------
    BinomialInference

    Raises
    ------
    InvalidValueError
        If the design cannot end with this outcome.

    References
    ----------
    Jung SH, Kim KM (2004). On the estimation of the binomial probability in multistage clinical trials. Statistics in
    Medicine 23:881-896.

    Koyama T, Chen H (2008). Proper inference from Simon's two-stage designs. Statistics in Medicine 27:3145-3154.

    Examples
    --------
    >>> from analysis.single_arm import BinomialDesign
    >>> design = BinomialDesign(looks=(17, 37), futility=(3, 10), null_rate=0.2)
    >>> found = infer(design, 12, 37, level=0.9)
    >>> round(found.umvue, 4), round(found.p_one_sided, 4), round(found.lower, 4), round(found.upper, 4)
    (0.3377, 0.0488, 0.2007, 0.476)
    """
    probability("level", level)
    choice("interval", interval, ("exact", "koyama-chen"))
    found = outcomes(design)
    at = np.flatnonzero((found.n == n) & (found.responders == responders))
    if at.size == 0:
        possible = sorted(int(x) for x in found.responders[found.n == n])
        expected = f"an end of the design: after {n} patients one of {possible}" if possible else f"n in {design.looks}"
        raise InvalidValueError("responders, n", (responders, n), expected, "check the counts against the design")
    rank = _strength(found)
    as_strong, stronger = rank >= rank[at[0]], rank > rank[at[0]]
    tail = (1 - level) / 2
    beyond = stronger if interval == "exact" else as_strong
    return BinomialInference(
        responders=responders,
        n=n,
        rejects=bool(found.rejects[at[0]]),
        observed_rate=responders / n,
        umvue=float(found.umvue[at[0]]),
        median_unbiased=_rate_with(found, as_strong, 0.5),
        p_one_sided=min(float(found.probability(design.null_rate)[0] @ as_strong), 1.0),
        lower=_rate_with(found, as_strong, tail),
        upper=_rate_with(found, beyond, 1 - tail),
        level=level,
        interval=interval,
    )


def _strength(found: Outcomes) -> NDArray[np.int64]:
    """Rank of each outcome in the stage-wise ordering, the weakest first."""
    early = found.n < found.n.max()
    block = np.where(~early, 1, np.where(found.rejects, 2, 0))
    stage = np.where(block == 2, -found.n, found.n)
    rank = np.empty(found.n.size, np.int64)
    rank[np.lexsort((found.responders, stage, block))] = np.arange(found.n.size)
    return rank


def _rate_with(found: Outcomes, members: NDArray[np.bool_], probability: float) -> float:
    """Rate at which these outcomes, the strongest ones, have the probability; 0 or 1 if they are all or none."""
    if members.all():
        return 0.0
    if not members.any():
        return 1.0
    return float(
        optimize.brentq(
            lambda rate: found.probability(rate)[0] @ members - probability, 0.0, 1.0, xtol=1e-13, rtol=1e-13
        )
    )
