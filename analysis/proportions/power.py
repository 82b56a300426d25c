"""Exact power of the comparison of two proportions: every table that can come, with its probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conventions.border import border
from analysis.conventions.checks import choice, count, number, probability
from analysis.errors import InvalidValueError
from analysis.proportions.comparison import METHODS, MOST_TABLES
from analysis.proportions.tables import binomial, fisher_tails, unconditional_tails

if TYPE_CHECKING:
    from analysis.proportions.comparison import Method


@border
def proportion_power(
    rate: float,
    patients: int,
    control_rate: float,
    control_patients: int,
    *,
    alpha: float = 0.025,
    method: Method = "conditional",
    control_responders: int | None = None,
) -> float:
    """Probability that a group's rate is found to be higher than the control group's.

    Parameters
    ----------
    rate, control_rate
        True rates, 0 to 1.
    patients, control_patients
        Sizes of the groups.
    alpha
        One-sided.
    method
        As for `compare_proportions`.
    control_responders
        Responders of a control group that is over, such as those of an earlier trial; the rate is then not used.

    Returns
    -------
    float

    Raises
    ------
    InvalidValueError
        If a rate is no share or a size no count.
    UnknownNameError
        If there is no such method.

    Examples
    --------
    >>> round(proportion_power(0.42, 30, 0.15, 60), 2)
    0.71
    >>> round(proportion_power(0.42, 30, 0.15, 60, control_responders=9), 2)
    0.78
    """
    choice("method", method, METHODS)
    shares = [number(name, value, at_least=0, at_most=1) for name, value in (("rate", rate), ("control", control_rate))]
    n, m = count("patients", patients, "patients"), count("control_patients", control_patients, "patients")
    if n * m > MOST_TABLES:
        expected = f"at most {MOST_TABLES:,} tables, the product of the sizes"
        raise InvalidValueError("patients", n, expected, "use a normal approximation for so many")
    tails = fisher_tails(n, m) if method == "conditional" else unconditional_tails(n, m)
    rejects = tails <= probability("alpha", alpha)
    if control_responders is not None:
        seen = count("control_responders", control_responders, "patients", at_least=0)
        if seen > m:
            raise InvalidValueError(
                "control_responders", seen, f"at most the {m} control patients", "correct one of them"
            )
        return float(binomial(n, shares[0]) @ rejects[:, seen])
    return float(binomial(n, shares[0]) @ rejects @ binomial(m, shares[1]))
