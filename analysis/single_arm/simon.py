"""Two-stage binomial designs: optimal, minimax, and all admissible between them."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import error_rates, rates
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.single_arm.design import BinomialDesign
from analysis.single_arm.single_stage import normal_approximation_n
from analysis.single_arm.two_stage_search import search_futility, search_futility_efficacy

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 1000

EarlyStopping = Literal["futility", "futility and efficacy"]
Minimise = Literal["null", "alternative"]


@value
class TwoStageDesigns:
    """All admissible two-stage designs of one request, from minimax to optimal.

    A design is admissible if it minimises ``w * n + (1 - w) * expected n`` for some weight ``w`` in [0, 1]: the
    minimax design for w near 1, the optimal one for w near 0.

    Parameters
    ----------
    admissible
        The designs, by increasing maximum size.
    weight_bounds
        The weights at which the admissible design changes: 1, the inner bounds, 0.
    searched_to
        The largest maximum size that was looked at.
    complete
        True if no larger size can have a smaller expected size: the optimal design is the optimum over all sizes.
        False if that is not known: the optimal design is the best of up to ``searched_to`` patients.
    """

    admissible: tuple[BinomialDesign, ...]
    weight_bounds: tuple[float, ...]
    searched_to: int
    complete: bool

    @property
    def minimax(self) -> BinomialDesign:
        """The design with the smallest maximum size and, among these, the smallest expected size."""
        return self.admissible[0]

    @property
    def optimal(self) -> BinomialDesign:
        """The design with the smallest expected size."""
        return self.admissible[-1]

    def at_weight(self, weight: float) -> BinomialDesign:
        """Choose the admissible design for a weight in [0, 1] on the maximum size against the expected size."""
        if not 0 <= weight <= 1:
            raise InvalidValueError(
                "weight", weight, "a weight in [0, 1]", "0 is the optimal design, 1 the minimax design"
            )
        lower = np.array(self.weight_bounds[1:])
        return self.admissible[int(np.argmax(weight >= lower))]

    def summary(self) -> pd.DataFrame:
        """Tabulate the admissible designs: counts, expected size, early stopping, attained error rates, weights."""
        designs = self.admissible
        null, alternative = designs[0].null_rate, float(designs[0].alternative_rate or 1)
        return pd.DataFrame(
            {
                "design": [d.method.split(",")[1].strip() for d in designs],
                "r1": [d.futility[0] for d in designs],
                "n1": [d.looks[0] for d in designs],
                "e1": pd.array([d.efficacy[0] for d in designs], dtype="Int64"),
                "r": [d.futility[1] for d in designs],
                "n": [d.n for d in designs],
                "expected_n_null": [d.expected_n(null) for d in designs],
                "expected_n_alternative": [d.expected_n(alternative) for d in designs],
                "p_stop_early_null": [d.early_stopping_probability(null) for d in designs],
                "attained_alpha": [d.attained_alpha for d in designs],
                "attained_power": [d.attained_power for d in designs],
                "weight_lower": self.weight_bounds[1:],
                "weight_upper": self.weight_bounds[:-1],
            }
        )

    def _repr_html_(self) -> str:
        return html(self.summary(), index=True)


@border
def simon_two_stage(
    *,
    null_rate: float,
    alternative_rate: float,
    alpha: float,
    power: float,
    n_max: int | None = None,
    early_stopping: EarlyStopping = "futility",
    minimise: Minimise = "null",
) -> TwoStageDesigns:
    """Find Simon's two-stage designs, optimal, minimax and all admissible, by complete search with exact error rates.

    Parameters
    ----------
    null_rate, alternative_rate
        Response rates in (0, 1), the alternative above the null.
    alpha
        One-sided type I error rate, an upper limit.
    power
        Power at the alternative rate, a lower limit.
    n_max
        Most patients allowed. Without it the search for designs that stop for futility goes on until no larger size
        can have a smaller expected size, and the search for designs that also stop for efficacy to twice the
        single-stage size.
    early_stopping
        ``"futility"``: Simon's designs. ``"futility and efficacy"``: the first stage can also reject the null
        hypothesis.
    minimise
        Rate at which the expected size is minimised; ``"alternative"`` only with early stopping for efficacy.

    Returns
    -------
    TwoStageDesigns
        With ``optimal``, ``minimax``, ``admissible`` and ``summary()``.

    Raises
    ------
    InvalidValueError
        If a rate or a probability is outside (0, 1), or a named option is unknown.
    InfeasibleDesignError
        If the power is not above alpha, or no design of at most ``n_max`` patients exists; says the smallest n that
        has one.

    Notes
    -----
    Of designs that agree in the maximum and the expected size, the one with the smaller first stage is kept, then the
    one with the smaller final count, which has the higher power.

    References
    ----------
    Simon R (1989). Optimal two-stage designs for phase II clinical trials. Controlled Clinical Trials 10:1-10.

    Jung SH, Lee T, Kim K, George SL (2004). Admissible two-stage designs for phase II cancer clinical trials.
    Statistics in Medicine 23:561-569.

    Mander AP, Thompson SG (2010). Two-stage designs optimal under the alternative hypothesis for phase II cancer
    clinical trials. Contemporary Clinical Trials 31:572-578.

    Examples
    --------
    >>> found = simon_two_stage(null_rate=0.1, alternative_rate=0.3, alpha=0.05, power=0.8)
    >>> found.optimal.looks, found.optimal.futility
    ((10, 29), (1, 5))
    >>> found.minimax.looks, found.minimax.futility
    ((15, 25), (1, 5))
    """
    rates(null_rate, alternative_rate)
    error_rates(alpha, power)
    if early_stopping not in ("futility", "futility and efficacy"):
        raise InvalidValueError("early_stopping", early_stopping, "'futility' or 'futility and efficacy'", "choose one")
    if minimise not in ("null", "alternative"):
        raise InvalidValueError("minimise", minimise, "'null' or 'alternative'", "choose one")
    if n_max is not None and n_max < 2:
        raise InvalidValueError("n_max", n_max, "at least 2 patients", "raise it")
    efficacy = early_stopping == "futility and efficacy"
    if minimise == "alternative" and not efficacy:
        raise InvalidValueError(
            "minimise", minimise, "'null' without stopping for efficacy", "set early_stopping='futility and efficacy'"
        )
    request = (null_rate, alternative_rate, alpha, power)
    single = ceil(
        normal_approximation_n(null_rate=null_rate, alternative_rate=alternative_rate, alpha=alpha, power=power)
    )
    complete = False
    if efficacy:
        searched = n_max or 2 * single + 20
        rows, expected = search_futility_efficacy(*request, searched, minimise == "alternative")
    else:
        searched = n_max or min(2 * single + 20, LARGEST)
        rows, expected, complete = search_futility(*request, searched)
        while n_max is None and not complete and searched < LARGEST:
            searched = min(2 * searched, LARGEST)
            rows, expected, complete = search_futility(*request, searched)
    feasible = rows[:, 0] > 0
    if not feasible.any():
        raise _infeasible(n_max, *request)
    return _admissible(rows[feasible], expected[feasible], request, len(rows) - 1, bool(complete))


def _admissible(
    rows: NDArray[np.int64],
    expected: NDArray[np.float64],
    request: tuple[float, float, float, float],
    searched_to: int,
    complete: bool,
) -> TwoStageDesigns:
    """Keep the designs on the lower convex hull of maximum and expected size (Jung et al. 2004)."""
    n = rows[:, -1]
    kept, bounds = [0], [1.0]
    last = int(np.argmin(expected))
    while kept[-1] != last:
        at = kept[-1]
        later = np.arange(at + 1, last + 1)
        gain = expected[at] - expected[later]
        weight = np.where(gain > 0, gain / (np.abs(gain) + n[later] - n[at]), -1.0)
        following = int(later[np.flatnonzero(weight == weight.max())[-1]])
        kept.append(following)
        bounds.append(float(weight.max()))
    null_rate, alternative_rate, alpha, power = request
    designs = []
    for at in kept:
        n1, r1, *e1, r, total = (int(value) for value in rows[at])
        kinds = ["minimax"] * (at == 0) + ["optimal"] * (at == last) or ["admissible"]
        method = f"Simon two-stage, {' and '.join(kinds)}" + (", stopping early for efficacy too" if e1 else "")
        stop = (e1[0] if e1 and e1[0] <= n1 else None,)
        designs.append(BinomialDesign((n1, total), (r1, r), null_rate, alternative_rate, stop, alpha, power, method))
    return TwoStageDesigns(tuple(designs), (*bounds, 0.0), searched_to, complete)


def _infeasible(n_max: int | None, p0: float, p1: float, alpha: float, power: float) -> InfeasibleDesignError:
    asked = f"rates {p0!r} and {p1!r}, one-sided alpha {alpha!r} and power {power!r}"
    if n_max is None:
        return InfeasibleDesignError(f"no two-stage design of up to {LARGEST} patients has {asked}; give n_max")
    rows, _, _ = search_futility(p0, p1, alpha, power, LARGEST)
    sizes = rows[rows[:, 0] > 0, 3]
    least = f"the smallest has {sizes[0]}" if len(sizes) else f"nor of up to {LARGEST}: move the rates apart"
    return InfeasibleDesignError(f"n_max: got {n_max}; no two-stage design of that size has {asked}; {least}")
