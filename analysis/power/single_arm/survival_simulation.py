"""Simulated rejection probability of single-arm survival designs, to stand beside the normal approximation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.power.single_arm.survival_tests import FollowUp, OneSampleTest
    from analysis.survival import Distribution, Seed

# Trials drawn from one stream; fixed, so that a seed gives the same bits however the work is shared out.
CHUNK = 1000


class SimulatedDesign(Protocol):
    """A single-arm survival design that decides on standardised scores at one or more looks."""

    @property
    def test(self) -> OneSampleTest:
        """The test."""

    @property
    def follow_up(self) -> FollowUp:
        """Accrual, time of the last look, dropout."""

    @property
    def n(self) -> int:
        """Patients planned."""

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Months and critical score of each look: the trial rejects if it exceeds all of them."""


@dataclass(frozen=True)
class SimulatedProbability:
    """A probability estimated by simulation.

    Parameters
    ----------
    estimate
        Share of simulated trials.
    mc_error
        Its Monte Carlo standard error.
    trials
        Trials simulated.
    """

    estimate: float
    mc_error: float
    trials: int


def simulated_rejection(
    design: SimulatedDesign, truth: Distribution, *, trials: int = 10_000, rng: Seed
) -> SimulatedProbability:
    """Simulate the probability that a single-arm survival design rejects its null hypothesis.

    Parameters
    ----------
    design
        A ``SurvivalDesign`` or ``TwoStageSurvivalDesign``.
    truth
        Distribution of the event time; the null distribution gives the type I error rate.
    trials
        Trials simulated.
    rng
        Seed, ``SeedSequence`` or ``Generator``.

    Returns
    -------
    SimulatedProbability

    Examples
    --------
    The one-sample log-rank test of about fifty patients is conservative:

    >>> from analysis.design import UniformAccrual
    >>> from analysis.power.single_arm import FollowUp, OneSampleLogRank, SurvivalDesign
    >>> from analysis.survival import Exponential
    >>> null, truth = Exponential.from_median(5.5), Exponential.from_median(8.25)
    >>> design = SurvivalDesign(OneSampleLogRank(null), truth, FollowUp(UniformAccrual(18), 30), n=49, alpha=0.05)
    >>> simulated_rejection(design, null, trials=4000, rng=1).estimate < 0.05
    True
    """
    if trials < 1:
        raise InvalidValueError("trials", trials, "a positive number of trials", "raise it")
    streams = np.random.default_rng(rng).spawn(-(-trials // CHUNK))
    sizes = [min(CHUNK, trials - CHUNK * k) for k in range(len(streams))]
    rejected = sum(
        int(_rejects(design, truth, size, stream).sum()) for size, stream in zip(sizes, streams, strict=True)
    )
    share = rejected / trials
    return SimulatedProbability(share, sqrt(share * (1 - share) / trials), trials)


def _rejects(design: SimulatedDesign, truth: Distribution, trials: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    shape = (trials, design.n)
    entry = design.follow_up.accrual.entry_times(rng.random(shape))
    event = truth.sample(shape, rng)
    dropout = design.follow_up.dropout
    lost = np.full(shape, np.inf) if dropout is None else dropout.sample(shape, rng)
    rejects = np.ones(trials, dtype=bool)
    for time, critical in design.bounds:
        followed = np.minimum(np.clip(time - entry, 0.0, None), lost)
        at_look = replace(design.follow_up, analysis_time=time)
        rejects &= design.test.scores(event, followed, at_look) > critical
    return rejects
