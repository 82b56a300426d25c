"""A single-arm design on a binary endpoint as a value: its decision rule and its exact operating characteristics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd
from scipy import optimize, stats

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import count, probability, rates
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.single_arm.outcomes import outcomes
from analysis.single_arm.words import binomial_paragraph

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray
    from analysis.single_arm.beta_prior import BetaPrior


def _counts(name: str, given: Any) -> tuple[int, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidValueError(name, given, "counts of patients, one a look", f"write {name}=(10, 29)")
    return tuple(count(name, n, "patients", at_least=-1) for n in given)


@border
@value
class BinomialDesign:
    """A single-arm design in one or more stages, decided by the number of responders.

    At look ``k``, with ``looks[k]`` patients evaluated, the trial stops without rejecting the null hypothesis if at
    most ``futility[k]`` have responded, and stops and rejects it if at least ``efficacy[k]`` have. At the last look
    it rejects if more than ``futility[-1]`` have responded. The test is one-sided: a high rate is good.

    Parameters
    ----------
    looks
        Patients evaluated at each look, cumulative, strictly increasing.
    futility
        As many counts: the largest number of responders that stops the trial; -1 where the look cannot stop it.
    null_rate
        The response rate not worth pursuing, in (0, 1).
    alternative_rate
        The response rate the design is made for, in (null_rate, 1), or None.
    efficacy
        One entry for each look but the last: the smallest number of responders that stops the trial and rejects; None
        where the look cannot. Left out: no look but the last can reject.
    alpha, power
        What the design was asked for: the one-sided type I error rate, and the power at ``alternative_rate``; None if
        nothing was asked. What it attains is in ``attained_alpha`` and ``attained_power``.
    method
        How the design was found, in words, for its protocol text.

    Raises
    ------
    InvalidValueError
        If the looks do not increase, the counts do not leave a way to each look, or a rate is outside (0, 1).

    Examples
    --------
    Simon's optimal design for 10% against 30%:

    >>> design = BinomialDesign(looks=(10, 29), futility=(1, 5), null_rate=0.1, alternative_rate=0.3)
    >>> round(design.attained_alpha, 4), round(design.attained_power, 4), round(design.expected_n(0.1), 2)
    (0.0471, 0.8051, 15.01)
    """

    looks: Sequence[int] = fields.converted(_counts)
    futility: Sequence[int] = fields.converted(_counts)
    null_rate: float = fields.probability()
    alternative_rate: float | None = fields.probability(default=None, optional=True)
    efficacy: Sequence[int | None] = ()
    alpha: float | None = fields.probability(default=None, optional=True)
    power: float | None = fields.probability(default=None, optional=True)
    method: str = "exact binomial"

    def __attrs_post_init__(self) -> None:
        efficacy = tuple(self.efficacy) or (None,) * (len(self.looks) - 1)
        object.__setattr__(self, "efficacy", tuple(None if e is None else int(e) for e in efficacy))
        _check_looks(self)
        if self.alternative_rate is not None:
            rates(self.null_rate, self.alternative_rate)

    @property
    def n(self) -> int:
        """The largest number of patients the design can take."""
        return self.looks[-1]

    @property
    def critical(self) -> int:
        """The smallest number of responders that rejects the null hypothesis at the last look."""
        return self.futility[-1] + 1

    @property
    def attained_alpha(self) -> float:
        """The probability of rejecting the null hypothesis at the null rate: the one-sided type I error rate."""
        return self.rejection_probability(self.null_rate)

    @property
    def attained_power(self) -> float:
        """The probability of rejecting the null hypothesis at the alternative rate."""
        if self.alternative_rate is None:
            raise InvalidValueError(
                "alternative_rate", None, "a rate above the null rate", "give one, or call rejection_probability(rate)"
            )
        return self.rejection_probability(self.alternative_rate)

    @overload
    def rejection_probability(self, true_rate: float) -> float: ...
    @overload
    def rejection_probability(self, true_rate: FloatArray) -> FloatArray: ...
    def rejection_probability(self, true_rate: float | FloatArray) -> float | FloatArray:
        """Probability that the design rejects the null hypothesis, exact.

        Parameters
        ----------
        true_rate
            The true response rate or rates, in [0, 1].

        Returns
        -------
        float or ndarray
            As many probabilities as rates.
        """
        found = outcomes(self)
        return _like(true_rate, found.probability(true_rate) @ found.rejects)

    @overload
    def expected_n(self, true_rate: float) -> float: ...
    @overload
    def expected_n(self, true_rate: FloatArray) -> FloatArray: ...
    def expected_n(self, true_rate: float | FloatArray) -> float | FloatArray:
        """Return the expected number of patients, exact, for one or more true response rates."""
        found = outcomes(self)
        return _like(true_rate, found.probability(true_rate) @ found.n)

    @overload
    def early_stopping_probability(self, true_rate: float) -> float: ...
    @overload
    def early_stopping_probability(self, true_rate: FloatArray) -> FloatArray: ...
    def early_stopping_probability(self, true_rate: float | FloatArray) -> float | FloatArray:
        """Return the probability of stopping before the last look (Simon's PET), exact, for each true response rate."""
        found = outcomes(self)
        return _like(true_rate, found.probability(true_rate) @ (found.n < self.n))

    def operating_characteristics(self, true_rates: ArrayLike) -> pd.DataFrame:
        """Exact operating characteristics over true response rates.

        Parameters
        ----------
        true_rates
            True response rates, in [0, 1], shape (m,).

        Returns
        -------
        DataFrame
            One row a rate: ``true_rate``, ``p_reject``, ``p_stop_futility`` and ``p_stop_efficacy`` (before the last
            look), ``expected_n``.
        """
        rates = np.atleast_1d(np.asarray(true_rates, dtype=float))
        found = outcomes(self)
        probability, early = found.probability(rates), found.n < self.n
        return pd.DataFrame(
            {
                "true_rate": rates,
                "p_reject": probability @ found.rejects,
                "p_stop_futility": probability @ (early & ~found.rejects),
                "p_stop_efficacy": probability @ (early & found.rejects),
                "expected_n": probability @ found.n,
            }
        )

    def detectable_rate(self, power: float) -> float:
        """Smallest true response rate at which the design has the power asked for.

        Raises
        ------
        InfeasibleDesignError
            If ``power`` is not above the attained type I error rate.
        """
        probability("power", power)
        if power <= self.attained_alpha:
            raise InfeasibleDesignError(
                f"power: got {power!r}; the design rejects with probability {self.attained_alpha:.4g} at its null rate "
                f"{self.null_rate!r}; ask for more than that"
            )
        if self.rejection_probability(1.0) < power:
            raise InfeasibleDesignError(
                f"critical: {self.critical} responders of {self.n} cannot occur; lower it or raise n"
            )
        return float(optimize.brentq(lambda p: self.rejection_probability(p) - power, self.null_rate, 1.0, xtol=1e-12))

    def assurance(self, prior: BetaPrior) -> float:
        """Probability that the design rejects, averaged over a prior of the true response rate; exact.

        With a posterior of the historical control's rate as the prior it is the type I error rate that the uncertainty
        of the historical control leaves.

        References
        ----------
        O'Hagan A, Stevens JW, Campbell MJ (2005). Assurance in clinical trial design. Pharmaceutical
        Statistics 4:187-201.

        Examples
        --------
        >>> from analysis.single_arm import BetaPrior
        >>> design = BinomialDesign(looks=(30,), futility=(8,), null_rate=0.15)
        >>> round(design.assurance(BetaPrior(9.5, 51.5)), 3)
        0.068
        """
        found = outcomes(self)
        marginal = found.weight * stats.betabinom.pmf(found.responders, found.n, prior.a, prior.b)
        return float(marginal @ found.rejects)

    def summary(self) -> pd.DataFrame:
        """Return the decision rule, one row a look, with the probability of each decision at both rates."""
        found = outcomes(self)
        rows: dict[str, Any] = {
            "patients": self.looks,
            "stop_if_at_most": self.futility,
            "reject_if_at_least": (*self.efficacy, self.critical),
        }
        rates = {"null": self.null_rate} | (
            {} if self.alternative_rate is None else {"alternative": self.alternative_rate}
        )
        for name, rate in rates.items():
            probability = found.probability(rate)[0]
            rows[f"p_stop_{name}"] = [probability[(found.n == n) & ~found.rejects].sum() for n in self.looks]
            rows[f"p_reject_{name}"] = [probability[(found.n == n) & found.rejects].sum() for n in self.looks]
        return pd.DataFrame(rows, index=pd.RangeIndex(1, len(self.looks) + 1, name="look"))

    def protocol_text(self) -> str:
        """Write the design as a paragraph for a protocol's statistical section, with its numbers and references."""
        return binomial_paragraph(self)

    def _repr_html_(self) -> str:
        return html(self.summary(), index=True)


def _like(given: float | FloatArray, values: FloatArray) -> float | FloatArray:
    return float(values[0]) if np.ndim(given) == 0 else values


def _check_looks(design: BinomialDesign) -> None:
    looks, futility, efficacy = design.looks, design.futility, design.efficacy
    if not looks or looks[0] < 1 or any(np.diff(looks) <= 0):
        raise InvalidValueError(
            "looks", looks, "positive, strictly increasing patient counts", "give cumulative counts"
        )
    if len(futility) != len(looks):
        raise InvalidValueError(
            "futility", futility, f"{len(looks)} counts, one a look", "use -1 for a look without stopping"
        )
    if len(efficacy) != len(looks) - 1:
        raise InvalidValueError(
            "efficacy",
            efficacy,
            f"{len(looks) - 1} counts, one for each look but the last",
            "use None for a look without it",
        )
    if any(not -1 <= r <= n for r, n in zip(futility, looks, strict=True)) or any(np.diff(futility) < 0):
        raise InvalidValueError(
            "futility", futility, "counts from -1 to the patients of the look, not decreasing", "correct it"
        )
    for k, bound in enumerate(efficacy):
        if bound is not None and not futility[k] + 1 < bound <= looks[k]:
            raise InvalidValueError(
                f"efficacy[{k}]",
                bound,
                f"a count from {futility[k] + 2} to {looks[k]}",
                "leave a number of responders to go on",
            )
