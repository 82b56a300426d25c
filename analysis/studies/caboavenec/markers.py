"""CaboAveNEC's markers: which association of PD-L1 with disease control 30 patients could show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import binom, fisher_exact

from analysis.studies.assumptions import Assumption
from analysis.studies.caboavenec import dcr, definitions
from analysis.studies.remembered import remembered

POSITIVE = Assumption("patients with PD-L1", (0.1, 0.25, 0.5), "of all", "no share was read in a source; varied")
ODDS = Assumption("odds of disease control with PD-L1", (1.0, 3.0, 10.0), "times those without", "not reported; varied")
ASSUMPTIONS = (POSITIVE, ODDS)


@remembered
def association() -> pd.DataFrame:
    """Tabulate the power of Fisher's exact test of PD-L1 against disease control at week 16.

    The rate of all is the reported one; how many of the planned patients are positive is chance.

    Returns
    -------
    DataFrame
        ``positive`` (share of patients), ``odds_ratio``, ``rate_positive``, ``rate_negative``, and ``significant``: the
        probability of a two-sided p below 5%, exact; at an odds ratio of 1 the test's error.
    """
    n, rate = dcr.planned_enrolment(), definitions.reported_control()[0]
    rejected = {k: _rejected(k, n - k) for k in range(n + 1)}
    rows = []
    for share in POSITIVE.value:
        for ratio in ODDS.value:
            with_, without = _rates(rate, share, ratio)
            power = 0.0
            for k, table in rejected.items():
                first = binom.pmf(np.arange(k + 1), k, with_)
                second = binom.pmf(np.arange(n - k + 1), n - k, without)
                power += float(binom.pmf(k, n, share)) * float(first @ table @ second)
            rows.append((share, ratio, with_, without, power))
    return pd.DataFrame(rows, columns=["positive", "odds_ratio", "rate_positive", "rate_negative", "significant"])


def _rates(rate: float, share: float, ratio: float) -> tuple[float, float]:
    """Give the rates with and without the marker, of which the mean is `rate` and the odds ratio as given."""

    def with_marker(without: float) -> float:
        odds = ratio * without / (1 - without)
        return odds / (1 + odds)

    without = float(brentq(lambda p: share * with_marker(p) + (1 - share) * p - rate, 1e-9, 1 - 1e-9))
    return with_marker(without), without


def _rejected(first: int, second: int) -> np.ndarray:
    """Whether each pair of counts has a two-sided p below 5%; shape (first + 1, second + 1)."""
    return np.array(
        [
            [fisher_exact([[a, first - a], [b, second - b]]).pvalue < 0.05 for b in range(second + 1)]
            for a in range(first + 1)
        ]
    )
