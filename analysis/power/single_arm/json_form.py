"""A design as JSON and back: its fields as they are, after a ``kind`` that names them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Design = TypeVar("Design", bound="DataclassInstance")


def write_design(design: DataclassInstance, kind: str) -> str:
    """Write the fields of a design as a JSON object, ``kind`` first."""
    text: str = json.dumps({"kind": kind, **asdict(design)})
    return text


def read_design(text: str, kind: str, design_class: type[Design]) -> Design:
    """Read the design of this kind that ``write_design`` wrote; its class checks the values.

    Raises
    ------
    InvalidValueError
        If the text is no JSON object, is of another kind, or names a field the design does not have.
    """
    try:
        values: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidValueError("text", text[:40], "a JSON object", f"correct line {error.lineno}") from error
    found = values.pop("kind", None) if isinstance(values, dict) else None
    if found != kind:
        raise InvalidValueError("kind", found, repr(kind), "read this text with the class of its own kind")
    unknown = sorted(values.keys() - {field.name for field in fields(design_class)})
    if unknown:
        raise InvalidValueError("fields", unknown, f"fields of {design_class.__name__}", "remove them")
    return design_class(**{name: _tuples(value) for name, value in values.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
