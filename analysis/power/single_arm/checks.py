"""Checks of rates and error probabilities."""

from __future__ import annotations

from analysis.errors import InfeasibleDesignError, InvalidValueError


def check_rate(field: str, value: float) -> None:
    """Raise InvalidValueError unless ``value`` is a rate in (0, 1)."""
    if not 0 < value < 1:
        raise InvalidValueError(field, value, "a rate in (0, 1)", "give rates as fractions, not per cent")


def check_rates(null_rate: float, alternative_rate: float) -> None:
    """Raise InvalidValueError unless both are rates in (0, 1) with the alternative above the null."""
    check_rate("null_rate", null_rate)
    check_rate("alternative_rate", alternative_rate)
    if alternative_rate <= null_rate:
        raise InvalidValueError(
            "alternative_rate",
            alternative_rate,
            f"a rate above the null rate {null_rate!r}",
            "raise it, or count the failures",
        )


def check_probability(field: str, value: float) -> None:
    """Raise InvalidValueError unless ``value`` is in (0, 1)."""
    if not 0 < value < 1:
        raise InvalidValueError(field, value, "a probability in (0, 1)", "give it as a fraction")


def check_errors(alpha: float, power: float) -> None:
    """Raise unless ``alpha`` and ``power`` are probabilities with the power above alpha."""
    check_probability("alpha", alpha)
    check_probability("power", power)
    if power <= alpha:
        raise InfeasibleDesignError(
            f"power: got {power!r}; a test at one-sided alpha {alpha!r} has that power without data; ask for more"
        )
