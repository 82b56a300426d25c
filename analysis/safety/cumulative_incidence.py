"""Cumulative incidence of an event that competes with others: Aalen and Johansen, Gray, Fine and Gray, by greenwood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import SAME_TIME, choice, labels, not_negative, probability, tied, vector
from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError, NotEstimableError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.conventions.scales import ScaleName

CENSORED = "censored"
CENSORED_OTHERWISE = {CENSORED, "censor", "censoring", "cens", "none", "no event", "0", "0.0", "false"}
"""As others write it; taken as it is, it would be one more event that competes."""
SCALES = ("plain", "log", "log-log")
CERTAIN = 1e-9
"""Below 1, an incidence that is 1 but for rounding."""


@border
@dataclass(frozen=True)
class CumulativeIncidence:
    """Cumulative incidence by group and cause.

    Attributes
    ----------
    curves
        One row for each group, cause and distinct time: ``group``, ``cause``, ``time`` (months), ``n_risk``,
        ``estimate``, ``std_error`` (delta method), ``lower``, ``upper``; where the incidence is 1 the lower is NaN.
    gray
        Of two groups or more, Gray's (1988) test of each cause: ``cause``, ``statistic``, ``df``, ``p_value``;
        NaN where no event is seen while two groups are at risk.
    level, scale
        Of the limits: two-sided confidence level, and the scale they are computed on.

    Examples
    --------
    >>> from analysis.safety import cumulative_incidence
    >>> found = cumulative_incidence([1, 2, 3, 4], ["nausea", "death", "nausea", "censored"])
    >>> found.at(2, "nausea")["estimate"].tolist()
    [0.25]
    """

    curves: pd.DataFrame
    gray: pd.DataFrame
    level: float
    scale: str

    __repr__ = short_repr

    def at(self, time: float, cause: str) -> pd.DataFrame:
        """Give the incidence of a cause by `time` in months: one row for each group; NaN after its last time.

        Raises
        ------
        UnknownNameError
            If there is no such cause.
        """
        choice("cause", cause, list(self.curves["cause"].unique()))
        time = not_negative("time", time)
        rows = []
        for group, curve in self.curves[self.curves["cause"] == cause].groupby("group", sort=False):
            before = curve[curve["time"] <= time * (1 + SAME_TIME)]
            row = before.iloc[-1] if len(before) else None
            values = [0.0, 0.0, 0.0, 0.0] if row is None else list(row[["estimate", "std_error", "lower", "upper"]])
            if time > curve["time"].iloc[-1] * (1 + SAME_TIME):
                values = [np.nan] * 4
            rows.append([group, time, *values])
        return pd.DataFrame(rows, columns=["group", "time", "estimate", "std_error", "lower", "upper"])


@border
def cumulative_incidence(
    time: ArrayLike,
    cause: Sequence[str],
    group: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    scale: ScaleName = "log-log",
) -> CumulativeIncidence:
    """Estimate the cumulative incidence of each cause, with the others as competing events.

    Parameters
    ----------
    time
        Months to the first event of any cause or to censoring, shape ``(n,)``.
    cause
        What came first, ``"censored"`` if nothing.
    group
        Arms; one if not given.
    level
        Two-sided confidence level.
    scale
        ``"plain"`` (cmprsk), ``"log"``, or ``"log-log"``, that of R's ``survfit``.

    Returns
    -------
    CumulativeIncidence

    Raises
    ------
    InvalidValueError
        If times are no times, lengths differ, or nothing but censoring was seen.
    UnknownNameError
        If there is no such scale.

    Examples
    --------
    >>> found = cumulative_incidence([1, 2, 3, 4], ["nausea", "death", "nausea", "censored"])
    >>> found.at(3.5, "nausea")["estimate"].tolist()
    [0.5]
    """
    import greenwood

    if scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    times, causes, groups = _observed(time, cause, group)
    response, seen = _response(times, causes)
    estimator = greenwood.AalenJohansen(conf_type=scale, conf_level=probability("level", level))
    with np.errstate(over="ignore"):  # a limit beside an incidence of 1 is 0 or 1 then, as it should be
        fitted = estimator.fit(response, by=groups)
    curves = fitted.to_frame(format="pandas").rename(
        columns={"strata": "group", "conf_low": "lower", "conf_high": "upper"}
    )
    curves = curves[curves["cause"].isin(seen)].reset_index(drop=True)
    curves[["lower", "upper"]] = curves[["lower", "upper"]].where(curves["estimate"] > 0, 0.0)
    everybody = curves["estimate"] > 1 - CERTAIN
    curves.loc[everybody, ["estimate", "std_error", "lower", "upper"]] = [1.0, 0.0, np.nan, 1.0]
    tests = []
    if len(set(groups)) > 1 and len(seen) > 1:
        for one in seen:
            try:
                with np.errstate(divide="ignore", invalid="ignore"):  # at times when a group has nobody left
                    test = greenwood.grays_test(response, groups, cause=one)
                tests.append([one, test.statistic, test.df, test.p_value])
            except np.linalg.LinAlgError:  # no event while two groups are at risk
                tests.append([one, np.nan, len(set(groups)) - 1, np.nan])
    gray = pd.DataFrame(tests, columns=["cause", "statistic", "df", "p_value"])
    return CumulativeIncidence(curves, gray, level, scale)


@border
@dataclass(frozen=True)
class SubdistributionHazard:
    """What a Fine and Gray model says of one group against another.

    Attributes
    ----------
    cause, group, control
        What was compared.
    hazard_ratio, lower, upper
        Of the subdistribution hazard, ``group`` against ``control``: above 1, more of the cause. Wald limits.
    std_error
        Of the log ratio, robust (Lin and Wei).
    p_value
        Two-sided, of Wald's test.
    level
        Two-sided confidence level of the limits.

    Examples
    --------
    >>> from analysis.safety import fine_gray
    >>> causes, groups = ["nausea", "nausea", "death"] * 2, ["new", "old"] * 3
    >>> found = fine_gray([1, 2, 3, 4, 5, 6], causes, groups, of="nausea", control="old")
    >>> print(found)
    subdistribution hazard ratio of nausea, new vs old: 0.93 (95% CI 0.16 to 5.39)
    """

    cause: str
    group: str
    control: str
    hazard_ratio: float
    lower: float
    upper: float
    std_error: float
    p_value: float
    level: float

    __repr__ = short_repr

    def __str__(self) -> str:
        ratio = f"{self.hazard_ratio:.2f} ({100 * self.level:g}% CI {self.lower:.2f} to {self.upper:.2f})"
        return f"subdistribution hazard ratio of {self.cause}, {self.group} vs {self.control}: {ratio}"


@border
def fine_gray(
    time: ArrayLike, cause: Sequence[str], group: Sequence[str], *, of: str, control: str, level: float = 0.95
) -> SubdistributionHazard:
    """Compare two groups by the subdistribution hazard of one cause: Fine and Gray's model, by greenwood.

    Parameters
    ----------
    time, cause
        As for `cumulative_incidence`.
    group
        Two arms, one for each time.
    of
        The cause; the others compete.
    control
        The arm that the other is compared with.
    level
        Two-sided confidence level.

    Returns
    -------
    SubdistributionHazard

    Raises
    ------
    InvalidValueError
        If there are not two groups, or no other cause was seen.
    UnknownNameError
        If there is no such cause or arm.
    NotEstimableError
        If a group has no event of the cause, or none while both are at risk.

    Notes
    -----
    Ties by Breslow's method, weights by the censoring distribution of all patients: R's
    ``coxph(..., weight = fgwt)`` on ``survival::finegray`` data; ``cmprsk::crr`` differs a little where there are ties.

    References
    ----------
    Fine JP, Gray RJ (1999). A proportional hazards model for the subdistribution of a competing risk. JASA 94:496-509.

    Examples
    --------
    >>> found = fine_gray(
    ...     [1, 2, 3, 4, 5, 6, 7, 8], ["nausea", "death", "nausea", "censored"] * 2, ["new", "old"] * 4,
    ...     of="nausea", control="old",
    ... )
    Traceback (most recent call last):
    analysis.errors.NotEstimableError: fine_gray: got no nausea in old; expected events in both groups; ...
    """
    import greenwood

    times, causes, groups = _observed(time, cause, group)
    response, seen = _response(times, causes)
    choice("of", of, seen)
    names = list(dict.fromkeys(groups))
    control = choice("control", str(control), names)  # as the groups are read
    if len(names) != 2:
        raise InvalidValueError("group", names, "two groups", "compare two arms at a time")
    if len(seen) < 2:
        raise InvalidValueError("cause", seen, "causes that compete", "without another cause it is a Cox model")
    other = next(name for name in names if name != control)
    for name in names:
        if not any(one == of and where == name for one, where in zip(causes, groups, strict=True)):
            raise NotEstimableError(
                f"fine_gray: got no {of} in {name}; expected events in both groups; compare the cumulative incidences"
            )
    is_other = np.array([[float(name == other)] for name in groups])
    _check_overlap(times, np.array(causes), of, is_other[:, 0] == 1)
    if CENSORED not in causes:  # greenwood needs one; one who is lost before all events is at risk at none of them
        before = float(times.min()) / 2
        response, _ = _response(np.append(times, before), [*causes, CENSORED])
        is_other = np.vstack([is_other, [[0.0]]])
    model = greenwood.FineGray(of, conf_level=probability("level", level)).fit(response, is_other)
    ratio, lower, upper = (float(np.exp(value[0])) for value in (model.coef_, model.conf_low_, model.conf_high_))
    error, p_value = float(model.std_error_[0]), float(model.p_value_[0])
    return SubdistributionHazard(of, other, control, ratio, lower, upper, error, p_value, level)


def _check_overlap(times: FloatArray, causes: NDArray[np.str_], of: str, is_other: BoolArray) -> None:
    """Refuse groups of which one has all events while both are at risk: the ratio is then 0 or infinite."""
    competing = (causes != of) & (causes != CENSORED)
    seen = set()
    for time in np.unique(times[causes == of]):
        at_risk = (times >= time) | competing  # whoever had another event stays at risk
        if len(set(is_other[at_risk])) == 2:
            seen |= set(is_other[(times == time) & (causes == of)])
    if len(seen) < 2:
        raise NotEstimableError(
            f"fine_gray: got every {of} in one group while both are at risk; expected some in either; "
            "compare the cumulative incidences"
        )


def _observed(
    time: ArrayLike, cause: Sequence[str], group: Sequence[str] | None
) -> tuple[FloatArray, list[str], list[str]]:
    times = tied(vector("time", time))
    causes = [str(one) for one in labels("cause", cause, len(times))]
    groups = ["all"] * len(times) if group is None else [str(one) for one in labels("group", group, len(times))]
    meant = [one for one in causes if one != CENSORED and one.strip().casefold() in CENSORED_OTHERWISE]
    if meant:
        raise InvalidValueError("cause", meant[0], f"{CENSORED!r} or the name of an event", f"write {CENSORED!r}")
    if (times < 0).any():
        raise InvalidValueError("time", float(times.min()), "times from 0 on", "count from the first dose")
    return times, causes, groups


def _response(times: FloatArray, causes: list[str]) -> tuple[Any, list[str]]:
    import greenwood

    seen = [one for one in dict.fromkeys(causes) if one != CENSORED]
    if not seen:
        raise InvalidValueError("cause", CENSORED, "an event of any cause", "there is no incidence without events")
    # a second state keeps the response one of competing risks where only one cause was seen
    states = [CENSORED, *seen] if len(seen) > 1 else [CENSORED, *seen, "no other"]
    return greenwood.Surv(times, pd.Categorical(causes, categories=states)), seen
