"""Answers computed once in a process, however they are asked for."""

from __future__ import annotations

from functools import update_wrapper
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class remembered(Generic[Given, Answer]):  # noqa: N801  # a decorator, written as one
    """Keep a function's answers: a default that is written out is the same question as one that is not.

    `functools.cache` takes ``f()`` and ``f(seed=1)`` for two questions, and would compute the answer twice.

    Examples
    --------
    >>> @remembered
    ... def squared(x: int, power: int = 2) -> int:
    ...     print("computed")
    ...     return x**power
    >>> squared(3), squared(3, 2), squared(x=3, power=2)
    computed
    (9, 9, 9)
    """

    def __init__(self, function: Callable[Given, Answer]) -> None:
        self.function, self.signature = function, signature(function)
        self.answers: dict[tuple[tuple[str, Any], ...], Answer] = {}
        update_wrapper(self, function)

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """Give the answer, computed where it was not asked for before."""
        asked = self.signature.bind(*args, **kwargs)
        asked.apply_defaults()
        key = tuple(asked.arguments.items())
        if key not in self.answers:
            self.answers[key] = self.function(*args, **kwargs)
        return self.answers[key]

    def cache_clear(self) -> None:
        """Forget all answers."""
        self.answers.clear()
