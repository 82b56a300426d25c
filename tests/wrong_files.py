"""A TOML file with each of its fields and tables replaced by each of a few wrong things."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG = (5, -1, "x", True, [], [1], {}, {"a": 1}, float("nan"), {"kind": 5}, {"kind": []})


def changed(text: str) -> Iterator[str]:
    """Give the files, one after the other."""
    plain = tomllib.loads(text)
    for path in _places(plain):
        for wrong in WRONG:
            file = copy.deepcopy(plain)
            inner: Any = file
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = wrong
            yield "\n".join(f"{key} = {_in_toml(part)}" for key, part in file.items())


def _places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*path, key))


def _in_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_in_toml(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_in_toml, value)) + "]"
    return "nan" if value != value else json.dumps(value)
