"""The Kaplan-Meier estimator, with its quantiles and confidence limits by named rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import number, observations, probability
from analysis.conventions.display import by_time, html, short_repr
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival.estimators.intervals import pointwise_limits
from analysis.survival.estimators.numbers_at_risk import counts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray
    from analysis.conventions.scales import ScaleName

PLATEAU_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
QuantileRule = Literal["midpoint", "first", "last"]


@border
@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """A Kaplan-Meier curve at the distinct times of its data.

    Attributes
    ----------
    time
        Distinct times of events and censorings, months, increasing, shape ``(k,)``.
    n_risk, n_event, n_censor
        Numbers at risk just before, of events and of censored patients at each time, shape ``(k,)``. A patient
        censored at the time of an event counts as at risk for it.
    survival
        Estimated probability of an event after each time.
    std_error
        Greenwood's standard error of the survival; NaN where the survival is 0.
    timefix
        Whether times that are equal but for floating point are one time, as in R's survival.

    Examples
    --------
    >>> from analysis.survival import kaplan_meier
    >>> curve = kaplan_meier([2, 3, 5, 8], [1, 1, 0, 1])
    >>> curve.median(), curve.survival_at([2.5, 6]).tolist()
    (5.5, [0.75, 0.5])
    """

    time: FloatArray
    n_risk: FloatArray
    n_event: FloatArray
    n_censor: FloatArray
    survival: FloatArray
    std_error: FloatArray
    timefix: bool = True

    __repr__ = short_repr

    def survival_at(self, t: ArrayLike) -> FloatArray:
        """Survival at `t` in months; NaN after the last time, unless the curve has come down to 0."""
        return self._at(t, self.survival, 1.0)

    def std_error_at(self, t: ArrayLike) -> FloatArray:
        """Greenwood's standard error of the survival at `t`."""
        return self._at(t, self.std_error, 0.0)

    def quantile(self, p: float, *, rule: QuantileRule = "midpoint") -> float:
        """Time by which a share `p` has failed, in months.

        Parameters
        ----------
        p
            Share that has failed, above 0 and below 1; 0.5 is the median.
        rule
            What to do where the curve is level at exactly ``1 - p``: ``"midpoint"`` of the level stretch (R's
            ``survfit``), its ``"first"`` time (lifelines), or its ``"last"``, the next event (statsmodels). A level
            stretch without a later event ends at the last time.

        Returns
        -------
        float
            The quantile; inf where the curve does not come down so far.

        Raises
        ------
        InvalidValueError
            If `p` is not between 0 and 1.
        UnknownNameError
            If there is no such rule.
        """
        return _crossing(self.time, self.survival, 1 - number("p", p, above=0, below=1), rule)

    def median(self, *, rule: QuantileRule = "midpoint") -> float:
        """Median in months; see `quantile`."""
        return self.quantile(0.5, rule=rule)

    def pointwise_limits(self, level: float = 0.95, *, scale: ScaleName) -> tuple[FloatArray, FloatArray]:
        """Pointwise confidence limits at each time.

        Parameters
        ----------
        level
            Two-sided confidence level.
        scale
            ``"log"`` (default of R's ``survfit``), ``"log-log"`` (default of SAS and lifelines), ``"plain"``,
            ``"logit"`` or ``"arcsine"``.

        Returns
        -------
        lower, upper : ndarray
            Limits, shape ``(k,)``; both 1 before the first event; where the survival is 0 the lower is 0,
            the upper NaN.
        """
        return pointwise_limits(self.survival, self.std_error, probability("level", level), scale)

    def curve(self, level: float = 0.95, *, scale: ScaleName) -> pd.DataFrame:
        """Give the steps of the curve and of its pointwise limits, for a plot.

        Parameters
        ----------
        level, scale
            As for `pointwise_limits`.

        Returns
        -------
        DataFrame
            ``time`` from 0, ``mean`` (the estimate), ``lower``, ``upper``; two rows at each time, before it and after.

        Examples
        --------
        >>> kaplan_meier([2, 3, 5], [1, 0, 1]).curve(scale="log-log")[["time", "mean"]].round(2).to_numpy().tolist()
        [[0.0, 1.0], [2.0, 1.0], [2.0, 0.67], [3.0, 0.67], [3.0, 0.67], [5.0, 0.67], [5.0, 0.0]]
        """
        import pandas as pd

        columns = {"mean": self.survival}
        columns["lower"], columns["upper"] = self.pointwise_limits(level, scale=scale)
        time = np.concatenate([[0.0], np.repeat(self.time, 2)])
        steps = {name: np.repeat(np.concatenate([[1.0], values]), 2)[:-1] for name, values in columns.items()}
        return pd.DataFrame({"time": time} | steps)

    def limits_at(self, t: float, level: float = 0.95, *, scale: ScaleName) -> tuple[float, float]:
        """Pointwise confidence limits of the survival at `t` in months."""
        survival, error = np.atleast_1d(self.survival_at(t)), np.atleast_1d(self.std_error_at(t))
        lower, upper = pointwise_limits(survival, error, probability("level", level), scale)
        return float(lower[0]), float(upper[0])

    def quantile_ci(
        self, p: float, level: float = 0.95, *, scale: ScaleName, rule: QuantileRule = "midpoint"
    ) -> tuple[float, float]:
        """Confidence limits of a quantile, where the pointwise limits cross ``1 - p`` (Brookmeyer and Crowley 1982).

        Parameters
        ----------
        p
            Share that has failed.
        level
            Two-sided confidence level.
        scale
            Scale of the limits, as for `pointwise_limits`.
        rule
            As for `quantile`.

        Returns
        -------
        lower, upper : float
            Months; inf where the limit is not reached.
        """
        lower, upper = self.pointwise_limits(level, scale=scale)
        target = 1 - number("p", p, above=0, below=1)
        return _crossing(self.time, lower, target, rule), _crossing(self.time, upper, target, rule)

    def median_ci(
        self, level: float = 0.95, *, scale: ScaleName, rule: QuantileRule = "midpoint"
    ) -> tuple[float, float]:
        """Confidence limits of the median in months; see `quantile_ci`."""
        return self.quantile_ci(0.5, level, scale=scale, rule=rule)

    def summary(self) -> pd.DataFrame:
        """One row per distinct time: `time`, `n_risk`, `n_event`, `n_censor`, `survival`, `std_error`."""
        return by_time(self)

    def _repr_html_(self) -> str:
        return html(self.summary())

    def _at(self, t: ArrayLike, values: FloatArray, at_start: float) -> FloatArray:
        t = np.asarray(t, dtype=np.float64)
        if not (t >= 0).all():
            raise InvalidValueError("t", t.tolist(), "months from 0 on", "leave out what is missing or below 0")
        if self.timefix:  # a time that is one of the curve's but for floating point
            nearest = self.time[np.searchsorted((self.time[1:] + self.time[:-1]) / 2, t)]
            t = np.where(np.abs(t - nearest) <= PLATEAU_TOLERANCE * self.time.mean(), nearest, t)
        steps = np.concatenate([[at_start], values])
        known = (t <= self.time[-1]) | ((self.survival[-1] == 0) & ~np.isnan(t))
        return np.where(known, steps[np.searchsorted(self.time, t, side="right")], np.nan)[()]


@border
def kaplan_meier(time: ArrayLike, event: ArrayLike, *, timefix: bool = True) -> KaplanMeier:
    """Estimate the survival of one sample (Kaplan and Meier 1958) with Greenwood's standard error.

    Parameters
    ----------
    time
        Follow-up in months, shape ``(n,)``; 0 is allowed.
    event
        Whether it ended with an event (True) or was censored, shape ``(n,)``.
    timefix
        Whether times that are equal but for floating point are tied, as in R's survival.

    Returns
    -------
    KaplanMeier
        The curve at the distinct times.

    Raises
    ------
    InvalidValueError
        If a time is negative or missing, an indicator is neither true nor false, or there are no patients.

    Examples
    --------
    >>> curve = kaplan_meier(time=[2, 3, 3, 5, 8], event=[1, 1, 0, 1, 0])
    >>> curve.median()
    5.0
    >>> [round(limit, 2) for limit in curve.median_ci(scale="log-log")]
    [2.0, inf]
    """
    distinct, n_risk, n_event, n_censor = counts(*observations(time, event, timefix=timefix))
    survival: FloatArray = np.cumprod(1 - n_event / n_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        std_error: FloatArray = survival * np.sqrt(np.cumsum(n_event / (n_risk * (n_risk - n_event)), dtype=np.float64))
    return KaplanMeier(distinct, n_risk, n_event, n_censor, survival, std_error, timefix)


@border
def reverse_kaplan_meier(time: ArrayLike, event: ArrayLike, *, timefix: bool = True) -> KaplanMeier:
    """Estimate the distribution of follow-up: censoring is the event, an event is censored (Schemper and Smith 1996).

    Its median is the median follow-up. At a tie of the two, censoring comes first, as in
    ``survfit(Surv(time, 1 - event) ~ 1)``.

    Parameters
    ----------
    time, event, timefix
        As for `kaplan_meier`.

    Returns
    -------
    KaplanMeier
        The curve of follow-up; its ``n_event`` counts censored patients.

    Examples
    --------
    >>> reverse_kaplan_meier(time=[2, 3, 6, 8], event=[1, 0, 0, 0]).median()
    6.0
    """
    times, events = observations(time, event, timefix=timefix)
    return replace(kaplan_meier(times, ~events, timefix=False), timefix=timefix)


def _crossing(time: FloatArray, curve: FloatArray, target: float, rule: str) -> float:
    rules = {"midpoint": 0.5, "first": 0.0, "last": 1.0}
    if rule not in rules:
        raise UnknownNameError("rule", rule, rules)
    down = np.flatnonzero(curve <= target + PLATEAU_TOLERANCE)
    if not down.size:
        return np.inf
    first = float(time[down[0]])
    if abs(curve[down[0]] - target) > PLATEAU_TOLERANCE:
        return first
    below = np.flatnonzero(curve < target - PLATEAU_TOLERANCE)
    end = float(time[below[0]]) if below.size else float(time[-1])
    return first + rules[rule] * (end - first)
