"""What to do when the stages of a two-stage design end with other numbers of patients than planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import probability
from analysis.conventions.display import html
from analysis.conventions.values import replace, value
from analysis.errors import InfeasibleDesignError, InvalidValueError

if TYPE_CHECKING:
    from analysis.single_arm.design import BinomialDesign


@border
def with_attained_sizes(design: BinomialDesign, *, n1: int | None = None, n: int | None = None) -> BinomialDesign:
    """Give a two-stage design the counts that fit the stage sizes attained.

    The sizes must not depend on the responses. The first-stage count is the largest whose chance of stopping at the
    alternative rate is not above the planned one; the final count is the smallest that keeps the type I error rate.

    Parameters
    ----------
    design
        A two-stage design that stops for futility alone, with an alternative rate.
    n1, n
        Patients evaluated at the first and the last look; the planned ones if left out.

    Returns
    -------
    BinomialDesign
        With the same rates. Its attained power is whatever these sizes give.

    Raises
    ------
    InvalidValueError
        If the design is not of that form, or the sizes do not increase.
    InfeasibleDesignError
        If no count of responders at the attained size keeps alpha.

    References
    ----------
    Green SJ, Dahlberg S (1992). Planned versus attained design in phase II clinical trials. Statistics in Medicine
    11:853-862.

    Examples
    --------
    Two patients too many at the first look of Simon's optimal design for 20% against 40%:

    >>> from analysis.single_arm import BinomialDesign
    >>> design = BinomialDesign((17, 37), (3, 10), 0.2, 0.4, alpha=0.1, power=0.9)
    >>> attained = with_attained_sizes(design, n1=19)
    >>> attained.looks, attained.futility, round(attained.attained_alpha, 4), round(attained.attained_power, 4)
    ((19, 37), (3, 11), 0.0506, 0.8614)
    """
    _check_two_stage(design)
    if design.alternative_rate is None:
        raise InvalidValueError("alternative_rate", None, "the rate the design is made for", "give the design one")
    looks = (design.looks[0] if n1 is None else n1, design.n if n is None else n)
    planned_stop = stats.binom.cdf(design.futility[0], design.looks[0], design.alternative_rate)
    counts = np.arange(looks[0])
    stops = stats.binom.cdf(counts, looks[0], design.alternative_rate) <= planned_stop
    r1 = int(counts[stops].max(initial=-1))
    alpha = design.attained_alpha if design.alpha is None else design.alpha
    for r in range(max(r1, 0), looks[1]):
        attained = replace(design, looks=looks, futility=(r1, r), method=_deviation(design))
        if attained.attained_alpha <= alpha:
            return attained
    raise InfeasibleDesignError(
        f"n: got {looks[1]}; no number of responders keeps one-sided alpha {alpha!r}; evaluate more patients"
    )


@border
@value
class AdaptedSecondStage:
    """The final decision of a two-stage design whose second stage has another size than planned.

    For each number of responders in the first stage, the second stage is tested at the conditional type I error rate
    the planned design had left at that point. So the overall type I error rate is kept whatever the second stage's
    size, even if it was chosen in sight of the first stage's result (Koyama and Chen).

    Parameters
    ----------
    design
        The two-stage design as planned, stopping for futility alone.
    n2
        Patients in the second stage as it is.

    Examples
    --------
    >>> from analysis.single_arm import simon_two_stage
    >>> planned = simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8).optimal
    >>> AdaptedSecondStage(planned, 32).n2
    32
    """

    design: BinomialDesign
    n2: int = fields.count("patients")

    def __attrs_post_init__(self) -> None:
        _check_two_stage(self.design)

    def conditional_error(self, responders: int) -> float:
        """Conditional type I error rate of the planned design after this many first-stage responders."""
        self._check_goes_on(responders)
        planned_n2 = self.design.n - self.design.looks[0]
        return float(stats.binom.sf(self.design.futility[1] - responders, planned_n2, self.design.null_rate))

    def critical(self, responders: int) -> int | None:
        """Find the fewest responders of both stages that reject, given those of the first; None if no number does."""
        error = self.conditional_error(responders)
        if error >= 1:
            return responders
        needed = int(stats.binom.isf(error, self.n2, self.design.null_rate)) + 1
        # isf is a step function: rounding must not cost the count whose tail is the conditional error itself
        if needed > 0 and stats.binom.sf(needed - 2, self.n2, self.design.null_rate) <= error * (1 + 1e-12):
            needed -= 1
        return responders + needed if needed <= self.n2 else None

    def rejection_probability(self, true_rate: float) -> float:
        """Return the overall probability of rejecting, if every second stage has this size."""
        probability("true_rate", true_rate)
        table = self.summary()
        after = stats.binom.pmf(table["responders"], self.design.looks[0], true_rate)
        left = table["critical"].astype(float).fillna(np.inf) - table["responders"]
        return float(after @ stats.binom.sf(left - 1, self.n2, true_rate))

    def summary(self) -> pd.DataFrame:
        """Tabulate ``responders`` of the first stage, ``conditional_error`` and ``critical`` total of both stages."""
        first = range(self.design.futility[0] + 1, self.design.looks[0] + 1)
        return pd.DataFrame(
            {
                "responders": list(first),
                "conditional_error": [self.conditional_error(x) for x in first],
                "critical": pd.array([self.critical(x) for x in first], dtype="Int64"),
            }
        )

    def _repr_html_(self) -> str:
        return html(self.summary())

    def _check_goes_on(self, responders: int) -> None:
        low, high = self.design.futility[0] + 1, self.design.looks[0]
        if not low <= responders <= high:
            raise InvalidValueError(
                "responders", responders, f"{low} to {high}", "the design stops after the first stage"
            )


def _check_two_stage(design: BinomialDesign) -> None:
    if len(design.looks) != 2 or design.efficacy != (None,):
        raise InvalidValueError(
            "design", design.looks, "two stages without stopping for efficacy", "take one found by simon_two_stage"
        )


def _deviation(design: BinomialDesign) -> str:
    return f"{design.method}; sizes as attained, after deviation from {design.looks[0]} and {design.n}"
