"""Operating characteristics of simulated trials, every one with its Monte Carlo standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.monte_carlo import MonteCarlo, mean, proportion, standard_deviation
from analysis.design import IllnessDeath
from analysis.survival import Distribution, Ensemble
from analysis.survival.distributions import members_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from analysis.design import EventTime
    from analysis.simulation.chunks import Test

Row = tuple[int | str, str, MonteCarlo]


def operating_characteristics(result: Any) -> pd.DataFrame:
    """Operating characteristics by test, endpoint, arm and look.

    Returns
    -------
    DataFrame
        ``test``, ``endpoint``, ``arm``, ``look`` (a number from 1, or ``"trial"`` for the trial as a whole, stopped
        where the test's boundaries stop it), ``measure``, ``value``, ``std_error``, ``lower``, ``upper`` (95%; Wilson
        for proportions), ``trials``.

        Measures of the trial: ``power`` (``type I error`` where the arm and the control are given the same event
        times), ``events``, ``duration`` and ``patients`` (expected when it stops), ``no result`` (share without a
        statistic); of each look: ``stopped for efficacy``, ``stopped for futility``, ``cut reached``, ``calendar
        time``, ``events``, ``patients``. Where the test estimates, at the look where the trial stops: ``estimate``
        (mean; geometric mean of a ratio), ``bias`` (of the log of a ratio), ``standard deviation`` (likewise),
        ``coverage`` of the interval. Bias and coverage are given where the truth is one number.
    """
    import pandas as pd

    rows = [
        (test.name, endpoint, arm, look, measure, estimate)
        for test in result.tests
        for endpoint in result.endpoints
        for arm in result.design.experimental_arms
        for look, measure, estimate in _measures(result, test, endpoint, arm)
    ]
    frame = pd.DataFrame([row[:5] for row in rows], columns=["test", "endpoint", "arm", "look", "measure"])
    for name in ("value", "std_error", "lower", "upper", "trials"):
        frame[name] = [getattr(row[5], name) for row in rows]
    return frame


def _measures(result: Any, test: Test, endpoint: str, arm: str) -> Iterator[Row]:
    course = result.course(test.name, endpoint=endpoint, arm=arm)
    every, at = np.arange(result.trials), course.look
    events = result.columns["events"][:, :, result.endpoints.index(endpoint)]
    yield "trial", _rejection_name(result, arm), proportion(course.rejected)
    yield "trial", "events", mean(events[every, at])
    yield "trial", "duration", mean(result.columns["calendar_time"][every, at])
    yield "trial", "patients", mean(result.columns["enrolled"][every, at])
    z = result.statistic(test.name, endpoint=endpoint, arm=arm)[every, at]
    yield "trial", "no result", proportion(np.isnan(z))
    if "estimate" in test.columns:
        yield from _estimation(result, test, endpoint, arm, at)
    for number in range(len(result.design.looks)):
        here = at == number
        yield number + 1, "stopped for efficacy", proportion(here & course.rejected)
        yield number + 1, "stopped for futility", proportion(here & course.futile)
        yield number + 1, "cut reached", proportion(result.columns["reached"][:, number])
        yield number + 1, "calendar time", mean(result.columns["calendar_time"][:, number])
        yield number + 1, "events", mean(events[:, number])
        yield number + 1, "patients", mean(result.columns["enrolled"][:, number])


def _rejection_name(result: Any, arm: str) -> str:
    strata, control = result.design.strata, result.design.control
    if control is None:
        return "power"
    pairs = [(result.scenario.of(arm, s), result.scenario.of(control, s)) for s in strata]
    return "type I error" if all(_same(*pair) for pair in pairs) else "power"


def _same(one: EventTime, other: EventTime) -> bool:
    """Tell whether two models give the same event times, at 99 quantiles of each of their latent times."""
    ours, theirs = _latent(one), _latent(other)
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        if a == b:
            continue
        times = b.quantile(np.linspace(0.01, 0.99, 99))
        times = times[np.isfinite(times)]
        if not np.allclose(a.survival(times), b.survival(times), rtol=1e-9):
            return False
    return True


def _latent(model: EventTime) -> list[Distribution]:
    parts = model.times if isinstance(model, IllnessDeath) else (model,)
    return [member for part in parts for member in members_of(part)]


def _estimation(result: Any, test: Test, endpoint: str, arm: str, at: np.ndarray) -> Iterator[Row]:
    every = np.arange(result.trials)
    estimate, lower, upper = (
        result.statistic(test.name, column, endpoint=endpoint, arm=arm)[every, at]
        for column in ("estimate", "lower", "upper")
    )
    ratio = test.is_ratio
    with np.errstate(divide="ignore"):
        scaled = np.log(estimate) if ratio else estimate
    average = mean(scaled)
    yield "trial", "estimate", _exponentiated(average) if ratio else average
    yield "trial", "standard deviation", standard_deviation(scaled)
    true = _truth(result, test, arm)
    if np.isfinite(true):
        yield "trial", "bias", mean(scaled - (np.log(true) if ratio else true))
        known = ~np.isnan(estimate)
        yield "trial", "coverage", proportion(((lower <= true) & (true <= upper))[known])


def _exponentiated(log: MonteCarlo) -> MonteCarlo:
    value = float(np.exp(log.value))
    return MonteCarlo(value, value * log.std_error, float(np.exp(log.lower)), float(np.exp(log.upper)), log.trials)


def _truth(result: Any, test: Test, arm: str) -> float:
    """Give what the estimate estimates, if it is the same in all strata and no ensemble or schedule blurs it."""
    if result.design.assessments is not None:
        return float("nan")
    truths = []
    for stratum in result.design.strata:
        models: list[EventTime] = [
            result.scenario.of(name, stratum) for name in (arm, result.design.control) if name is not None
        ]
        if any(isinstance(model, IllnessDeath | Ensemble) for model in models):
            return float("nan")
        truths.append(test.truth(*models))  # type: ignore[arg-type]  # distributions, as was just checked
    if len(truths) > 1 and not getattr(test, "stratified", False):
        return float("nan")
    return truths[0] if np.allclose(truths, truths[0], rtol=1e-6) else float("nan")
