"""Endpoints of a trial's patients, summarised by reader: rates, medians of times, medians of sizes."""

from __future__ import annotations

import pandas as pd
from scipy.stats import binomtest

from analysis.endpoints.codes import DAYS_PER_MONTH
from analysis.endpoints.options import as_number
from analysis.errors import InvalidValueError
from analysis.survival import kaplan_meier

COLUMNS = ["evaluator", "endpoint", "category", "patients", "count", "statistic", "estimate", "lower", "upper"]


def summarise(endpoints: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Summarise endpoints over patients.

    Parameters
    ----------
    endpoints
        As `Derivation.endpoints` lays them out.
    level
        Two-sided confidence level.

    Returns
    -------
    pandas.DataFrame
        Columns evaluator, endpoint, category, patients, count, statistic, estimate, lower, upper. A response endpoint
        has a row for each category, ``"Y"`` alone where it asks a question: the `count` of patients in it, and their
        rate in per cent with exact (Clopper-Pearson) limits. A time has its number of events as `count`, and its
        Kaplan-Meier median in months with log-log limits. A size has its median in per cent with its quartiles.

    Raises
    ------
    InvalidValueError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> frame = pd.DataFrame({"evaluator": "", "endpoint": "ORR", "value": ["Y", "N", "N", "N"]})
    >>> summarise(frame.assign(per_cent=None, days=None, event=None))[["count", "estimate"]].values.tolist()
    [[1.0, 25.0]]
    """
    if not 0 < as_number(level) < 1:
        raise InvalidValueError("level", level, "a level between 0 and 1", "give 0.95 for 95%")
    rows: list[tuple[object, ...]] = []
    for (evaluator, endpoint), of in endpoints.groupby(["evaluator", "endpoint"], sort=False):
        value, size, days = of["value"].dropna(), of["per_cent"].dropna().astype(float), of["days"].dropna()
        if len(value):
            yes_or_no = set(value) <= {"Y", "N"}
            for category in ("Y",) if yes_or_no else sorted(set(value)):
                count = int((value == category).sum())
                limits = binomtest(count, len(value)).proportion_ci(level, method="exact")
                rate = (100 * count / len(value), 100 * limits.low, 100 * limits.high)
                rows.append((evaluator, endpoint, category, len(value), count, "rate, per cent", *rate))
        if len(size):
            middle, low, high = size.quantile([0.5, 0.25, 0.75])
            statistic = "median and quartiles, per cent"
            rows.append((evaluator, endpoint, None, len(size), len(size), statistic, middle, low, high))
        if len(days):
            event = of.loc[days.index, "event"].astype(bool)
            curve = kaplan_meier(days.astype(float) / DAYS_PER_MONTH, event)
            limits = curve.median_ci(level, ci_type="log-log")
            statistic = "median, months"
            rows.append((evaluator, endpoint, None, len(days), int(event.sum()), statistic, curve.median(), *limits))
    return pd.DataFrame(rows, columns=COLUMNS)
