"""A read-only mapping by the names of arms, strata and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

Value = TypeVar("Value")


class ByName(Mapping[str, Value]):
    """A read-only, hashable mapping from names to values, in the order given.

    Examples
    --------
    >>> arms = ByName({"control": 1.0, "new": 2.0})
    >>> arms["new"], list(arms), hash(arms) == hash(ByName({"control": 1.0, "new": 2.0}))
    (2.0, ['control', 'new'], True)
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> Value:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)
