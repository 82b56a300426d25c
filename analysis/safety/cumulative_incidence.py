"""Cumulative incidence of an event that competes with others: Aalen and Johansen's estimator, by greenwood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import choice, not_negative, probability, tied, vector
from analysis.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from analysis.conventions.scales import ScaleName

CENSORED = "censored"
SCALES = ("plain", "log", "log-log")


@border
@dataclass(frozen=True)
class CumulativeIncidence:
    """Cumulative incidence by group and cause.

    Attributes
    ----------
    curves
        One row for each group, cause and distinct time: ``group``, ``cause``, ``time`` (months), ``n_risk``,
        ``estimate``, ``std_error`` (delta method), ``lower``, ``upper``.
    gray
        Of two groups or more, Gray's (1988) test of each cause: ``cause``, ``statistic``, ``df``, ``p_value``.
    level, scale
        Of the limits: two-sided confidence level, and the scale they are computed on.
    """

    curves: pd.DataFrame
    gray: pd.DataFrame
    level: float
    scale: str

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
            before = curve[curve["time"] <= time]
            row = before.iloc[-1] if len(before) else None
            values = [0.0, 0.0, 0.0, 0.0] if row is None else list(row[["estimate", "std_error", "lower", "upper"]])
            if time > curve["time"].iloc[-1]:
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
    times = tied(vector("time", time))
    causes = [str(one) for one in cause]
    groups = ["all"] * len(times) if group is None else [str(one) for one in group]
    for name, values in (("cause", causes), ("group", groups)):
        if len(values) != len(times):
            raise InvalidValueError(name, len(values), f"{len(times)} values, one for each time", "give one each")
    if (times < 0).any():
        raise InvalidValueError("time", float(times.min()), "times from 0 on", "count from the first dose")
    seen = [one for one in dict.fromkeys(causes) if one != CENSORED]
    if not seen:
        raise InvalidValueError("cause", CENSORED, "an event of any cause", "there is no incidence without events")
    # a second state keeps the response one of competing risks where only one cause was seen
    states = [CENSORED, *seen] if len(seen) > 1 else [CENSORED, *seen, "no other"]
    response = greenwood.Surv(times, pd.Categorical(causes, categories=states))
    fitted = greenwood.AalenJohansen(conf_type=scale, conf_level=probability("level", level)).fit(response, by=groups)
    curves = fitted.to_frame(format="pandas").rename(
        columns={"strata": "group", "conf_low": "lower", "conf_high": "upper"}
    )
    curves = curves[curves["cause"].isin(seen)].reset_index(drop=True)
    curves[["lower", "upper"]] = curves[["lower", "upper"]].where(curves["estimate"] > 0, 0.0)
    tests = []
    if len(set(groups)) > 1 and len(seen) > 1:
        for one in seen:
            test = greenwood.grays_test(response, groups, cause=one)
            tests.append([one, test.statistic, test.df, test.p_value])
    gray = pd.DataFrame(tests, columns=["cause", "statistic", "df", "p_value"])
    return CumulativeIncidence(curves, gray, level, scale)
