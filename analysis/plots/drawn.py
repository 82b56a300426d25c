"""One curve of a survival figure with its numbers, whatever it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions.checks import SAME_TIME
from analysis.errors import NotEstimableError

if TYPE_CHECKING:
    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.conventions.scales import ScaleName
    from analysis.reported import ReportedArm
    from analysis.statistical_tests import TestResult, TwoArmTest
    from analysis.survival.estimators import KaplanMeier


@dataclass(frozen=True, eq=False)
class Drawn:
    """One curve.

    Attributes
    ----------
    name
        Of its arm.
    time, survival, lower, upper
        The curve from time 0 and its limits, shape ``(k,)``; NaN limits where there are none.
    is_step
        Whether the curve is level between its times.
    censored
        Times of the censored patients, to be marked.
    estimate
        The Kaplan-Meier estimate that is drawn, where it is one of patients.
    sampling
        Limits that have the error of sampling besides, (lower, upper), where ``lower`` and ``upper`` are those of a
        reconstruction.
    members
        Curves of single members at ``time``, shape ``(m, k)``.
    patients
        Times and event flags: one list, or one for each member.
    reported
        The printed numbers of the arm.
    strata
        Stratum of each of the `patients`, where they have some, shape ``(n,)``.
    scale
        Type of the limits of the `estimate`.
    """

    name: str
    time: FloatArray
    survival: FloatArray
    lower: FloatArray
    upper: FloatArray
    is_step: bool
    censored: FloatArray
    patients: tuple[tuple[FloatArray, BoolArray], ...] = ()
    estimate: KaplanMeier | None = None
    sampling: tuple[FloatArray, FloatArray] | None = None
    members: FloatArray | None = None
    reported: ReportedArm | None = None
    strata: Any = None
    scale: ScaleName = "log-log"

    def counts(self, ticks: FloatArray) -> pd.DataFrame | None:
        """Numbers at risk just before each tick, of events and of censored patients by then; means over the members."""
        if not self.patients:
            return None
        rows = np.zeros((3, ticks.size))
        for time, event in self.patients:
            rows[0] += (time[:, None] >= ticks * (1 - SAME_TIME)).sum(axis=0)
            gone = time[:, None] < ticks * (1 - SAME_TIME)
            rows[1] += (gone & event[:, None]).sum(axis=0)
            rows[2] += (gone & ~event[:, None]).sum(axis=0)
        rows /= len(self.patients)
        return pd.DataFrame(rows, index=["at risk", "events", "censored"], columns=ticks)

    def at(self, t: float) -> tuple[float, float, float]:
        """Survival at `t` with its limits, as drawn; NaN past the end of a curve that has not come down to 0."""
        if t > self.time[-1] * (1 + SAME_TIME) and self.survival[-1] > 0:
            return np.nan, np.nan, np.nan
        if self.is_step:
            k = int(np.searchsorted(self.time, t * (1 + SAME_TIME), side="right")) - 1
            return float(self.survival[k]), float(self.lower[k]), float(self.upper[k])
        values = (np.interp(t, self.time, each) for each in (self.survival, self.lower, self.upper))
        survival, lower, upper = values
        return float(survival), float(lower), float(upper)

    def quantile(self, p: float) -> float:
        """Time by which a share `p` has failed on the drawn curve; inf if it does not come down so far."""
        if self.estimate is not None:
            return self.estimate.quantile(p)
        below = np.flatnonzero(self.survival <= 1 - p)
        if not below.size:
            return np.inf
        k = int(below[0])
        if self.is_step or k == 0:
            return float(self.time[k])
        return float(np.interp(p - 1, -self.survival[k - 1 : k + 1], self.time[k - 1 : k + 1]))

    def median(self) -> float:
        """Time at which the drawn curve comes to one half; inf if it does not."""
        return self.quantile(0.5)


def of_estimate(name: str, curve: KaplanMeier, level: float, scale: ScaleName) -> Drawn:
    """Draw an estimate and the patients whom it tells."""
    lower, upper = curve.pointwise_limits(level, scale=scale)
    counts = [curve.n_event.astype(int), curve.n_censor.astype(int)]
    time = np.concatenate([np.repeat(curve.time, count) for count in counts])
    event = np.repeat([True, False], [int(count.sum()) for count in counts])
    return Drawn(
        name=name,
        time=np.append(0.0, curve.time),
        survival=np.append(1.0, curve.survival),
        lower=np.append(1.0, lower),
        upper=np.append(1.0, upper),
        is_step=True,
        censored=curve.time[curve.n_censor > 0],
        patients=((time, event),),
        estimate=curve,
        scale=scale,
    )


def tested(test: TwoArmTest, against: Drawn, other: Drawn) -> list[TestResult] | None:
    """Test an arm against another, stratified where they have strata: once, or for each member of a reconstruction.

    None where the data do not determine the statistic.
    """
    strata = None if against.strata is None else np.concatenate([against.strata, other.strata])
    results = []
    for (time0, event0), (time1, event1) in zip(against.patients, other.patients, strict=False):
        data = np.concatenate([time0, time1]), np.concatenate([event0, event1])
        try:
            results.append(test.analyse(*data, np.repeat([False, True], [time0.size, time1.size]), strata=strata))
        except NotEstimableError:
            return None
    return results
