"""Assurance: power averaged over what is believed of the effect before the trial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import ndtr, ndtri

from analysis.conventions.border import border
from analysis.conventions.checks import choice, number, one_of
from analysis.conventions.seeds import Seed, child, seed_sequence
from analysis.conventions.values import replace
from analysis.design import Scenario
from analysis.errors import InvalidValueError
from analysis.power.effect import with_effect
from analysis.power.large_sample import check_test, large_samples
from analysis.power.power import TRIALS, By, default_test, from_members, power
from analysis.sequential.priors import NormalPrior, PointsPrior, Prior
from analysis.statistical_tests.moments import critical_z
from analysis.survival import Ensemble, ProportionalHazards
from analysis.survival.distributions import members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.conventions.checks import FloatArray
    from analysis.design import TrialDesign
    from analysis.power.result import Power
    from analysis.statistical_tests import OneArmTest, TwoArmTest

RATIO_RANGE = (0.02, 4.0)
"""Hazard ratios between which the power is computed; beyond them it is that at the ends."""
REACH, COARSE, FINE = 6.0, 9, 24_001
"""Standard deviations of a normal belief that are averaged over, hazard ratios to begin with, steps of the average."""
TOLERANCE = 1e-4
"""By which one interval between computed powers may be off."""
BELIEF = "at the limits of the central 95% of the belief"
MEMBERS = 200
"""Equally likely hazard ratios that stand for a prior in a simulation."""


@border
def assurance(
    design: TrialDesign,
    scenario: Scenario,
    prior: Prior,
    test: OneArmTest | TwoArmTest | None = None,
    *,
    by: By = "formula",
    arm: str | None = None,
    trials: int = TRIALS,
    rng: Seed = 1,
) -> Power:
    """Probability that a design rejects, averaged over what is believed of the hazard ratio.

    Parameters
    ----------
    design, test, by, arm, trials, rng
        As for `power`.
    scenario
        The control; its other arms do not matter. An ensemble's uncertainty is averaged over as well.
    prior
        Belief about the log hazard ratio, below 0 in favour of the experimental arm: `NormalPrior` or `PointsPrior`.

    Returns
    -------
    Power
        Its ``power`` is the assurance, in either direction where the design is two-sided; ``members`` are the powers at
        the limits of the prior's central 95%.

    Raises
    ------
    InvalidValueError
        If the prior is none, or flat.

    References
    ----------
    O'Hagan A, Stevens JW, Campbell MJ (2005). Assurance in clinical trial design. Pharmaceutical Statistics 4:187-201.

    Examples
    --------
    >>> from math import log
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.sequential import NormalPrior
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 1.0)
    >>> round(assurance(design, scenario, NormalPrior(log(0.6), 0.2)).power, 3)
    0.514
    """
    chosen = default_test(design) if test is None else test
    check_test(design, chosen)
    one_of("prior", prior, (NormalPrior, PointsPrior), "NormalPrior(log(0.6), 0.2)")
    if isinstance(prior, NormalPrior) and not math.isfinite(prior.sd):
        raise InvalidValueError("prior", prior, "a belief with a finite standard deviation", "say how sure one is")
    if choice("by", by, ("formula", "simulation")) == "simulation":
        believed = believed_scenario(design, scenario, prior, rng)
        return power(design, believed, chosen, by="simulation", arm=arm, trials=trials, rng=rng)

    def at(log_ratio: float) -> float:
        truth = with_effect(design, scenario, math.exp(log_ratio))
        members = large_samples(design, truth, chosen, arm=arm)
        return from_members(design, truth, chosen, members, float(design.n)).power

    edges = np.log(RATIO_RANGE)
    if isinstance(prior, NormalPrior):
        averaged, central = _averaged(at, prior, edges)
        typical = prior.mean
    else:
        nodes, weights = prior.nodes()
        found = [at(float(node)) for node in np.clip(nodes, *edges)]
        averaged, central = float(weights @ found), (min(found), max(found))
        typical = float(nodes @ weights)
    middle = math.exp(float(np.clip(typical, *edges)))
    truth = with_effect(design, scenario, middle)
    members = large_samples(design, truth, chosen, arm=arm)
    result = from_members(design, truth, chosen, members, float(design.n), arm=arm)
    note = f"the power is averaged over {prior!r} of the log hazard ratio, about a hazard ratio of {middle:.3g}"
    if typical > 0:
        note += ", which is harm (a belief about a ratio of 0.7 is one about log(0.7), below 0)"
    return replace(result, power=averaged, members=np.array(central), notes=(*result.notes, note), spread=BELIEF)


def _averaged(at: Callable[[float], float], prior: NormalPrior, edges: FloatArray) -> tuple[float, tuple[float, float]]:
    """Average a power over a normal belief, and give it at the limits of the belief's central 95%.

    The power is computed where it is needed: an interval is halved as long as the curve through its ends, times the
    belief in it, is off in its middle by more than `TOLERANCE`. A large trial's power rises within a small part of a
    vague belief, where nodes that are laid out for the belief alone step over it.
    """
    low, high = np.clip([prior.mean - REACH * prior.sd, prior.mean + REACH * prior.sd], *edges)
    if low == high:
        only = at(float(low))
        return only, (only, only)
    grid = np.linspace(low, high, COARSE)
    if low < 0.0 < high:  # where a two-sided power is least
        grid = np.unique(np.append(grid, 0.0))
    values = np.array([at(float(x)) for x in grid])
    open_ = grid[:-1]
    while open_.size:
        curve = CubicSpline(grid, values)
        left = np.searchsorted(grid, open_)
        middle = (grid[left] + grid[left + 1]) / 2
        found = np.array([at(float(x)) for x in middle])
        belief = np.diff(ndtr((np.array([grid[left], grid[left + 1]]) - prior.mean) / prior.sd), axis=0)[0]
        off = (np.abs(found - curve(middle)) * belief > TOLERANCE) & (middle > grid[left])
        open_ = np.sort(np.concatenate([grid[left][off], middle[off]]))
        values = np.insert(values, left + 1, found)
        grid = np.insert(grid, left + 1, middle)
    curve = CubicSpline(grid, values)
    deviates = np.linspace(-REACH, REACH, FINE)
    weights = np.exp(-0.5 * deviates**2)
    power_of = curve(np.clip(prior.mean + prior.sd * deviates, grid[0], grid[-1]))
    ends = curve(np.clip(prior.mean + prior.sd * ndtri([0.975, 0.025]), grid[0], grid[-1]))
    return float(weights @ power_of / weights.sum()), (float(ends[0]), float(ends[1]))


def believed_scenario(design: TrialDesign, scenario: Scenario, prior: Prior, rng: Seed) -> Scenario:
    """Give the scenario in which the hazard ratio is as uncertain as a prior says, and the control as it is.

    Each member joins one curve of the control with one hazard ratio at the prior's even quantiles, in an order drawn at
    random, so that a simulation takes another hazard ratio in each trial.
    """
    control = design.control if design.control is not None else design.arms[0]
    curves = list(members_of(_distribution(scenario, control)))
    size = max(MEMBERS, len(curves)) // len(curves) * len(curves)
    curves = curves * (size // len(curves))
    ratios = np.exp(_quantiles(prior, size))
    stream = np.random.default_rng(child(seed_sequence(rng), 0))
    treated = [
        ProportionalHazards(curve, (float(ratio),))
        for curve, ratio in zip(curves, stream.permutation(ratios), strict=True)
    ]
    other = Ensemble(treated)
    by_arm = {arm: Ensemble(curves) if arm == design.control else other for arm in design.arms}
    return Scenario(by_arm, f"{scenario.name}, averaged over a prior")


def _distribution(scenario: Scenario, arm: str) -> Any:
    given = scenario.of(arm)
    if not hasattr(given, "cumulative_hazard"):
        raise InvalidValueError("scenario", given, "a distribution of the control", "write both arms out")
    return given


def _quantiles(prior: Prior, size: int) -> np.ndarray:
    even = (np.arange(size) + 0.5) / size
    if isinstance(prior, NormalPrior):
        return np.asarray(prior.mean + prior.sd * ndtri(even))
    values, weights = prior.nodes()
    order = np.argsort(values)
    at = np.searchsorted(np.cumsum(weights[order]), even)
    return np.asarray(values[order][np.minimum(at, len(values) - 1)])


@border
def normal_assurance(mean: float, sd: float, std_error: float, *, alpha: float, sided: int = 1) -> float:
    """Closed-form assurance of a single test with a normal prior.

    Parameters
    ----------
    mean, sd
        Prior mean and standard deviation of the effect, positive in favour of the experimental arm (for a hazard ratio
        minus its log).
    std_error
        Standard error that the estimate will have, for 1:1 and D events about ``sqrt(4 / D)``.
    alpha, sided
        Type I error and the number of sides it is for.

    Notes
    -----
    ``Phi((mean - z std_error) / sqrt(std_error^2 + sd^2))``; O'Hagan, Stevens and Campbell, Pharm Stat 2005;4:187-201.

    Examples
    --------
    >>> from math import log, sqrt
    >>> round(normal_assurance(-log(0.6), 0.1, sqrt(4 / 60), alpha=0.025), 6)
    0.506865
    """
    mean, sd = number("mean", mean), number("sd", sd, at_least=0)
    std_error = number("std_error", std_error, above=0)
    critical = critical_z(alpha, sided) * std_error
    return float(ndtr((mean - critical) / math.hypot(std_error, sd)))
