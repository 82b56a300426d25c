"""What a single-arm trial of given size can show against a historical control that is itself uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.conventions.border import border
from analysis.single_arm.single_stage import exact_binomial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.single_arm.beta_prior import BetaPrior


@border
def design_space(
    n: Sequence[int],
    *,
    null_rates: Sequence[float],
    alpha: float,
    powers: Sequence[float] = (0.8, 0.9),
    historical: BetaPrior | None = None,
    prior: BetaPrior | None = None,
) -> pd.DataFrame:
    """Tabulate the exact single-stage design for every size and null rate.

    Parameters
    ----------
    n
        Patient counts.
    null_rates
        Null rates, in (0, 1).
    alpha
        One-sided type I error rate, an upper limit.
    powers
        Powers for which the smallest true rate is given.
    historical
        What is believed of the historical control's rate, e.g. ``BetaPrior(0.5, 0.5).updated(9, 60)``.
    prior
        What is believed of the new treatment's rate.

    Returns
    -------
    DataFrame
        One row a size and null rate: ``n``, ``null_rate``, ``critical``, ``attained_alpha``, ``rate_for_power_80``,
        ...; with ``historical``: ``null_below_historical``, the probability that the historical rate is above this
        null rate, and ``alpha_historical``, the probability of rejecting if the new treatment is no better than the
        historical control, averaged over what is believed of it; with ``prior``: ``assurance``.

    Examples
    --------
    >>> from analysis.single_arm import BetaPrior
    >>> avenec = BetaPrior(0.5, 0.5).updated(9, 60)
    >>> table = design_space([30], null_rates=[0.15, 0.2], alpha=0.05, historical=avenec)
    >>> table[["critical", "attained_alpha", "rate_for_power_80", "alpha_historical"]].round(3).values.tolist()
    [[9.0, 0.028, 0.357, 0.068], [11.0, 0.026, 0.426, 0.016]]
    """
    rows = []
    for size in n:
        for null_rate in null_rates:
            design = exact_binomial(int(size), null_rate=null_rate, alpha=alpha)
            row = {
                "n": design.n,
                "null_rate": null_rate,
                "critical": design.critical,
                "attained_alpha": design.attained_alpha,
            }
            row |= {f"rate_for_power_{100 * power:g}": design.detectable_rate(power) for power in powers}
            if historical is not None:
                row["null_below_historical"] = historical.probability_above(null_rate)
                row["alpha_historical"] = design.assurance(historical)
            if prior is not None:
                row["assurance"] = design.assurance(prior)
            rows.append(row)
    return pd.DataFrame(rows)
