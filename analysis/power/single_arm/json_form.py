"""A design as JSON and back: its fields as they are, and its class as the ``kind``."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.design import from_json, to_json
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import DataclassInstance

Design = TypeVar("Design", bound="DataclassInstance")


def write_design(design: DataclassInstance, own: Iterable[type] = ()) -> str:
    """Write a design as a JSON object, ``kind`` first.

    Parameters
    ----------
    design
        A frozen dataclass of numbers, words, tuples, objects of `analysis.design`, distributions, and classes of
        ``own``.
    own
        Further classes that its fields may hold.
    """
    return json.dumps(_plain(design, (type(design), *own)), indent=2, allow_nan=False)


def read_design(text: str, design_class: type[Design], own: Iterable[type] = ()) -> Design:
    """Read the design of this class that ``write_design`` wrote; every class checks its values again.

    Raises
    ------
    InvalidValueError
        If the text is no JSON object, is of another kind, or names a field the design does not have.
    """
    try:
        values: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidValueError("text", text[:40], "a JSON object", f"correct line {error.lineno}") from error
    found = values.get("kind") if isinstance(values, dict) else None
    if found != design_class.__name__:
        raise InvalidValueError(
            "kind", found, repr(design_class.__name__), "read this text with the class of its own kind"
        )
    design: Design = _restored(values, {kind.__name__: kind for kind in (design_class, *own)})
    return design


def _plain(thing: Any, own: tuple[type, ...]) -> Any:
    if is_dataclass(thing) and isinstance(thing, own):
        values = {field.name: getattr(thing, field.name) for field in fields(thing)}
        return {"kind": type(thing).__name__} | {name: _plain(value, own) for name, value in values.items()}
    if isinstance(thing, tuple):
        return [_plain(item, own) for item in thing]
    return json.loads(to_json(thing)) if is_dataclass(thing) else thing


def _restored(plain: Any, own: dict[str, type]) -> Any:
    if isinstance(plain, list):
        return tuple(_restored(item, own) for item in plain)
    if not isinstance(plain, dict):
        return plain
    if plain["kind"] not in own:
        return from_json(json.dumps(plain))
    kind = own[plain["kind"]]
    values = {name: _restored(value, own) for name, value in plain.items() if name != "kind"}
    unknown = sorted(values.keys() - {field.name for field in fields(kind)})
    if unknown:
        raise InvalidValueError("fields", unknown, f"fields of {kind.__name__}", "remove them")
    return kind(**values)
