"""Power of a design, and the patients, the months or the hazard ratio that a power asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.expected import events_in_the_end, expected_events, time_of_events
from analysis.power.logrank import LogRank
from analysis.power.moments import alpha_per_side
from analysis.power.trial import Stratum, TwoArmTrial
from analysis.survival import ProportionalHazards

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.power.moments import Comparison

LONGEST = 1e4  # months: no one waits 800 years
HAZARD_RATIOS = (20.0, 0.001)  # between which a detectable one is looked for


@dataclass(frozen=True)
class AnalyticPower:
    """What a calculation gave, with what it was asked.

    Parameters
    ----------
    power
        Probability of rejection in favour of the experimental arm.
    n
        Patients of both arms.
    time
        Calendar months of the analysis.
    events
        Events expected by then, both arms.
    hazard_ratio
        Constant hazard ratio where that was solved for, else None.
    test, alpha, sided
        The test and its type I error.
    trial
        The trial as it was calculated, with what was solved for put in.
    """

    power: float
    n: float
    time: float
    events: float
    hazard_ratio: float | None
    test: Comparison
    alpha: float
    sided: int
    trial: TwoArmTrial

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        import pandas as pd

        rows = [
            ("power", f"{self.power:.4f}"),
            ("alpha", f"{self.alpha:g} ({'one' if self.sided == 1 else 'two'}-sided)"),
            ("test", repr(self.test)),
            ("patients", f"{self.n:.1f}"),
            ("allocation", f"{self.trial.allocation_ratio:g}:1"),
            ("analysis", f"{self.time:.2f} months"),
            ("expected events", f"{self.events:.1f}"),
        ]
        if self.hazard_ratio is not None:
            rows.append(("hazard ratio", f"{self.hazard_ratio:.4f}"))
        return pd.DataFrame(rows, columns=["item", "value"])

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


def analytic_power(
    trial: TwoArmTrial, time: float, test: Comparison | None = None, *, alpha: float = 0.025, sided: int = 1
) -> AnalyticPower:
    """Power of an analysis at a calendar time.

    Parameters
    ----------
    trial
        The trial.
    time
        Calendar months of the analysis; `time_of_events` for a number of events.
    test
        `LogRank` by default, the most exact method for it; see the other tests of this room.
    alpha
        Type I error of as many sides as `sided` says.
    sided
        1, or 2: `alpha` is shared by both directions; power counts rejections in favour of the experimental arm.

    Returns
    -------
    AnalyticPower

    Raises
    ------
    InvalidValueError
        If a number is impossible.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18))
    >>> round(analytic_power(trial, time=30).power, 4)
    0.524
    """
    test = LogRank() if test is None else test
    power = test.moments(trial, time).power(alpha_per_side(alpha, sided))
    events = float(expected_events(trial, time).sum())
    return AnalyticPower(power, trial.n, time, events, None, test, alpha, sided, trial)


def sample_size(
    trial: TwoArmTrial,
    time: float,
    power: float,
    test: Comparison | None = None,
    *,
    alpha: float = 0.025,
    sided: int = 1,
) -> AnalyticPower:
    """Patients for a power at a calendar time, entering over the same months in the same proportions; not rounded.

    The parameters are those of `analytic_power`.

    Raises
    ------
    InvalidValueError
        If the power is not above the type I error.
    InfeasibleDesignError
        If no number of patients has the power.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18))
    >>> round(sample_size(trial, time=30, power=0.9).n)
    257
    """
    test = LogRank() if test is None else test
    factor = test.moments(trial, time).size_factor(power, alpha_per_side(alpha, sided))
    return analytic_power(trial.with_n(trial.n * factor), time, test, alpha=alpha, sided=sided)


def study_duration(
    trial: TwoArmTrial, power: float, test: Comparison | None = None, *, alpha: float = 0.025, sided: int = 1
) -> AnalyticPower:
    """Earliest calendar time at which the trial has a power, its patients and accrual given.

    The parameters are those of `analytic_power`.

    Raises
    ------
    InvalidValueError
        If the power is not above the type I error.
    InfeasibleDesignError
        If follow-up without end does not give the power; says what it would give and how many patients would do.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.6, n=150, accrual=UniformAccrual(18))
    >>> round(study_duration(trial, power=0.8).time, 1)
    43.8
    """
    test = LogRank() if test is None else test
    _check_power(power, alpha_per_side(alpha, sided))

    def missing(time: float) -> float:
        try:
            return power - test.moments(trial, time).power(alpha_per_side(alpha, sided))
        except InfeasibleDesignError:  # nobody can have been followed to the test's horizon yet: it has no power
            return power

    times = np.concatenate([[1e-9], np.geomspace((trial.accrual.duration or 1.0) / 64, LONGEST, 60)])
    reached = next((i for i, time in enumerate(times) if missing(time) <= 0), None)
    if reached is None:
        at_most = analytic_power(trial, LONGEST, test, alpha=alpha, sided=sided)
        needed = sample_size(trial, LONGEST, power, test, alpha=alpha, sided=sided)
        raise InfeasibleDesignError(
            f"power: {power:g} is not reached with {trial.n:g} patients however long they are followed; the power with "
            f"all {at_most.events:.0f} expected events is {at_most.power:.3f}; enrol {np.ceil(needed.n):.0f}"
        )
    time = float(times[reached])
    if reached > 0 and missing(time) < 0:
        time = brentq(missing, float(times[reached - 1]), time, xtol=1e-9)
    while missing(time) == power:  # the root is the horizon itself, met from below
        time += 1e-9
    return analytic_power(trial, time, test, alpha=alpha, sided=sided)


def detectable_hazard_ratio(
    trial: TwoArmTrial,
    power: float,
    test: Comparison | None = None,
    *,
    time: float | None = None,
    events: float | None = None,
    alpha: float = 0.025,
    sided: int = 1,
) -> AnalyticPower:
    """Weakest constant hazard ratio that is detected with a power; the control arm is the trial's.

    The parameters are those of `analytic_power`; the analysis is at calendar month `time` or at a number of `events`.

    Raises
    ------
    InvalidValueError
        If the power is not above the type I error, or not exactly one of `time` and `events` is given.
    InfeasibleDesignError
        If no hazard ratio from 0.001 on is detected with the power; says what the power is there.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.power import two_arm_trial
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18))
    >>> round(detectable_hazard_ratio(trial, power=0.8, time=30).hazard_ratio, 3)
    0.48
    """
    test = LogRank() if test is None else test
    _check_power(power, alpha_per_side(alpha, sided))
    if (time is None) == (events is None):
        raise InvalidValueError("time, events", (time, events), "exactly one of them", "say when the analysis is")
    when = _when(time, events)

    def missing(log_ratio: float) -> float:
        assumed = with_hazard_ratio(trial, float(np.exp(log_ratio)))
        return power - test.moments(assumed, when(assumed)).power(alpha_per_side(alpha, sided))

    steps = np.log(np.geomspace(*HAZARD_RATIOS, 45))
    reached = next((i for i, step in enumerate(steps) if missing(float(step)) <= 0), None)
    if reached == 0:
        raise InfeasibleDesignError(
            f"power: {power:g} is exceeded at a hazard ratio of {HAZARD_RATIOS[0]:g} already; check the margin"
        )
    if reached is None:
        raise InfeasibleDesignError(
            f"power: {power:g} is not reached at any hazard ratio from {np.exp(steps[-1]):.2g} on with {trial.n:g} "
            f"patients; it is {power - missing(float(steps[-1])):.3f} there; enrol more patients or analyse later"
        )
    log_ratio = brentq(missing, float(steps[reached]), float(steps[reached - 1]), xtol=1e-12)
    found = with_hazard_ratio(trial, float(np.exp(log_ratio)))
    result = analytic_power(found, when(found), test, alpha=alpha, sided=sided)
    return replace(result, hazard_ratio=float(np.exp(log_ratio)))


def with_hazard_ratio(trial: TwoArmTrial, hazard_ratio: float) -> TwoArmTrial:
    """Give the trial whose experimental arms have the control's hazard times a ratio."""
    return replace(
        trial,
        strata=tuple(
            Stratum(
                s.control,
                replace(s.experimental, event_time=ProportionalHazards(s.control.event_time, hazard_ratio)),
            )
            for s in trial.strata
        ),
    )


def _when(time: float | None, events: float | None) -> Callable[[TwoArmTrial], float]:
    if events is None:
        return lambda _: float(time)  # type: ignore[arg-type]  # exactly one of the two is given
    return lambda assumed: LONGEST if events >= events_in_the_end(assumed) else time_of_events(assumed, events)


def _check_power(power: float, alpha: float) -> None:
    if not alpha < power < 1:
        raise InvalidValueError(
            "power", power, f"a probability between {alpha:g}, the type I error, and 1", "ask for 0.8 or 0.9"
        )
