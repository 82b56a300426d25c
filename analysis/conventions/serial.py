"""One serialiser: values as JSON and back, and the identity of a value over every number in it.

In JSON a value is its fields and its ``kind``, the room and the public name that it has there: ``"survival.Weibull"``.
Numbers keep every bit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pkgutil
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.by_name import ByName
from analysis.conventions.display import fields_of, is_value
from analysis.errors import InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKAGE = __name__.split(".")[0]
KIND_FIELD = "kind_"
MAPPING, NUMBER, DATE, ARRAY, TABLE = "mapping", "number", "date", "array", "table"


@border
def to_json(thing: object, *, indent: int | None = 2) -> str:
    """Write a design, a scenario, a distribution, a test or another public value as JSON.

    Parameters
    ----------
    thing
        A public value of the package, or a list, a mapping or a number.
    indent
        Spaces of indentation; None for one line.

    Returns
    -------
    str
        JSON in which each value is its ``kind`` and its fields.

    Raises
    ------
    InvalidValueError
        If the thing, or a part of it, is not a public value of the package.

    Examples
    --------
    >>> from analysis.survival import Weibull
    >>> print(to_json(Weibull(1.2, 10), indent=None))
    {"kind": "survival.Weibull", "shape": 1.2, "scale": 10.0}
    >>> from_json(to_json(Weibull(1.2, 10))) == Weibull(1.2, 10)
    True
    """
    return json.dumps(to_plain(thing), indent=indent, allow_nan=False)


def from_json(text: str) -> Any:
    """Read back what `to_json` wrote; every value is checked again.

    Raises
    ------
    UnknownNameError
        If a ``kind`` is not known.
    InvalidValueError
        If the text is not JSON, a field is not one of its kind, or a value is impossible.

    Examples
    --------
    >>> from_json('{"kind": "survival.Weibull", "shape": 1.2, "scale": 10.0}')
    Weibull(shape=1.2, scale=10.0)
    """
    try:
        plain = json.loads(text)
    except (TypeError, json.JSONDecodeError) as error:
        raise InvalidValueError("text", str(text)[:40], "JSON as to_json writes it", str(error)) from error
    return from_plain(plain)


def identity(*things: object) -> str:
    """Give the SHA-256 of things over every number in them: what differs in any bit has another identity.

    Public values, dataclasses, arrays, numbers, words, lists and mappings have one, and so have values of one's own
    that are dataclasses or `attrs` classes.

    Raises
    ------
    InvalidValueError
        If a part has no fields to be told apart by.

    Examples
    --------
    >>> from analysis.survival import Tabulated
    >>> one, other = Tabulated([6, 12], [0.8, 0.4]), Tabulated([6, 12], [0.8, 0.4000000001])
    >>> identity(one) == identity(other), identity(one) == identity(Tabulated([6, 12], [0.8, 0.4]))
    (False, True)
    """
    digest = hashlib.sha256()
    for part in _parts(things):
        digest.update(part)
    return digest.hexdigest()


def _parts(thing: object) -> Iterator[bytes]:
    """Walk through a thing; every part is preceded by what it is and how long it is, so that no two walks agree."""
    if thing is None or isinstance(thing, bool | str | int):
        text = f"{type(thing).__name__}:{thing}".encode()
        yield struct.pack("<q", len(text)) + text
    elif isinstance(thing, float):
        yield b"float" + struct.pack("<d", thing)
    elif isinstance(thing, np.ndarray | np.generic):
        array = np.ascontiguousarray(thing)
        yield from _parts(f"array {array.dtype.str} {array.shape}")
        yield array.tobytes()
    elif isinstance(thing, Mapping):
        yield from _parts(f"mapping of {len(thing)}")
        for name, part in thing.items():
            yield from _parts(name)
            yield from _parts(part)
    elif isinstance(thing, list | tuple):
        yield from _parts(f"{type(thing).__name__} of {len(thing)}")
        for part in thing:
            yield from _parts(part)
    elif isinstance(thing, np.random.SeedSequence):
        yield from _parts(("seed", _entropy(thing.entropy), tuple(thing.spawn_key), thing.pool_size))
    else:
        yield from _fields(thing)


def _entropy(entropy: Any) -> Any:
    return entropy if entropy is None or isinstance(entropy, int) else tuple(int(part) for part in entropy)


def _fields(thing: object) -> Iterator[bytes]:
    if not is_value(type(thing)):
        expected, remedy = "a value with fields, to be told apart by", "make its class a frozen dataclass"
        raise InvalidValueError("identity", thing, expected, remedy)
    fields = fields_of(thing)
    yield from _parts(f"{type(thing).__module__}.{type(thing).__qualname__} with {len(fields)} fields")
    for field in fields:
        yield from _parts(field.name)
        yield from _parts(getattr(thing, field.name))


def kind_of(thing: object) -> str | None:
    """Give the room and the public name of a value's class; None if it is not public."""
    parts = type(thing).__module__.split(".")
    if parts[0] != PACKAGE or len(parts) < 2:
        return None
    name = type(thing).__name__
    return f"{parts[1]}.{name}" if name in _public(parts[1]) else None


def _public(room: str) -> list[str]:
    try:
        module = import_module(f"{PACKAGE}.{room}")
    except ImportError:
        return []
    return list(getattr(module, "__all__", []))


def to_plain(thing: object, kept: Callable[[NDArray[Any]], Any] | None = None) -> Any:
    """Give a value as JSON has it; ``kept`` says what stands for an array, by default the list of its numbers."""
    if thing is None or isinstance(thing, bool | str | int):
        return thing
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else {"kind": NUMBER, "value": str(thing)}
    if isinstance(thing, np.generic):
        return to_plain(thing.item(), kept)
    if isinstance(thing, np.ndarray):
        return kept(thing) if kept else [to_plain(item) for item in thing.tolist()]
    if isinstance(thing, date):
        return {"kind": DATE, "value": thing.isoformat()}
    if isinstance(thing, tuple | list):
        return [to_plain(item, kept) for item in thing]
    if isinstance(thing, Mapping):
        return {"kind": MAPPING, "values": {name: to_plain(item, kept) for name, item in thing.items()}}
    if isinstance(thing, pd.DataFrame) and kept:
        if not thing.index.equals(pd.RangeIndex(len(thing))):
            raise InvalidValueError("thing", "a table with an index", "rows numbered from 0", "call reset_index first")
        return {"kind": TABLE, "columns": [[name, _column(thing[name], kept)] for name in thing]}
    kind = kind_of(thing)
    if kind is None:
        raise InvalidValueError("thing", thing, "a public value of the package", "describe it by these")
    names = [field.name for field in fields_of(thing) if field.init]
    return {"kind": kind, **{_written(name): to_plain(getattr(thing, name), kept) for name in names}}


def from_plain(plain: Any, array: Callable[[dict[str, Any]], NDArray[Any]] | None = None) -> Any:
    """Give back the value that `to_plain` wrote; ``array`` finds the arrays that were kept apart."""
    if isinstance(plain, list):
        return tuple(from_plain(item, array) for item in plain)
    if not isinstance(plain, dict):
        return plain
    kind = plain.get("kind")
    if kind == ARRAY and array:
        return array(plain)
    if kind == TABLE:
        return pd.DataFrame({name: from_plain(column, array) for name, column in plain["columns"]})
    if kind in (MAPPING, NUMBER, DATE):
        return _simple(kind, plain, array)
    made = _class(kind)
    values = {name: from_plain(item, array) for name, item in plain.items() if name != "kind"}
    known = [_written(field.name) for field in fields_of(made) if field.init]
    for name in values:
        if name not in known:
            raise InvalidValueError(f"{kind}.{name}", values[name], f"fields {known}", "remove or rename it")
    try:
        return made(**{"kind" if name == KIND_FIELD else name: given for name, given in values.items()})
    except TypeError as error:
        raise InvalidValueError(str(kind), sorted(values), f"fields {known}", "give the missing ones") from error


def _written(name: str) -> str:
    """Give the name that a field has in JSON: one that is called ``kind`` makes way for that of its value."""
    return KIND_FIELD if name == "kind" else name


def _simple(kind: str, plain: dict[str, Any], array: Callable[[dict[str, Any]], NDArray[Any]] | None) -> Any:
    try:
        if kind == MAPPING:
            return ByName({name: from_plain(item, array) for name, item in plain["values"].items()})
        return float(plain["value"]) if kind == NUMBER else date.fromisoformat(plain["value"])
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise InvalidValueError("text", plain, f"a {kind} as to_json writes it", str(error)) from error


def _column(column: pd.Series[Any], kept: Callable[[NDArray[Any]], Any]) -> Any:
    return to_plain(column.to_numpy(), kept) if column.dtype.kind in "fiub" else to_plain(list(column), kept)


def _class(kind: object) -> Any:
    room, _, name = str(kind).partition(".")
    known = _public(room) if room.isidentifier() and name.isidentifier() else []
    made = getattr(import_module(f"{PACKAGE}.{room}"), name) if name in known else None
    if not isinstance(made, type) or not is_value(made):
        raise UnknownNameError("kind", kind, [f"{room}.{other}" for other in known] or ["survival.Weibull"])
    return made


def json_schema() -> dict[str, Any]:
    """Give the JSON schema (draft 2020-12) of what `to_json` writes: every public value by its ``kind``.

    Returns
    -------
    dict
        ``$defs`` has a schema for each kind; a document is a value of one of them, or a list, a mapping or a plain
        value. A validator's errors say where in the value they are.

    Examples
    --------
    >>> schema = json_schema()
    >>> schema["$defs"]["survival.Weibull"]["required"]
    ['kind', 'shape', 'scale']
    """
    kinds = {f"{room}.{name}": made for room in _rooms() for name, made in _values_of(room).items()}
    anything = {"$ref": "#/$defs/value"}
    known = (MAPPING, NUMBER, DATE, *kinds)
    defined: dict[str, Any] = {
        "value": {"items": anything, "if": {"type": "object"}, "then": {"$ref": "#/$defs/object"}},
        "object": {  # by its kind: to try any of all kinds at every depth takes long, and its error does not say where
            "required": ["kind"],
            "properties": {"kind": {"enum": list(known)}},
            "allOf": [{"if": _is(kind), "then": {"$ref": f"#/$defs/{kind}"}} for kind in known],
        },
        MAPPING: _object(MAPPING, {"values": {"type": "object", "additionalProperties": anything}}, ["values"]),
        NUMBER: _object(NUMBER, {"value": {"enum": ["inf", "-inf", "nan"]}}, ["value"]),
        DATE: _object(DATE, {"value": {"type": "string", "format": "date"}}, ["value"]),
    }
    for kind, made in kinds.items():
        given = [field for field in fields_of(made) if field.init]
        needed = [_written(field.name) for field in given if not _has_default(field)]
        defined[kind] = _object(kind, {_written(field.name): anything for field in given}, needed)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/value", "$defs": defined}


def _is(kind: str) -> dict[str, Any]:
    return {"properties": {"kind": {"const": kind}}, "required": ["kind"]}


def _object(kind: str, properties: dict[str, Any], needed: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"kind": {"const": kind}, **properties},
        "required": ["kind", *needed],
        "additionalProperties": False,
    }


def _has_default(field: Any) -> bool:
    factory = getattr(field, "default_factory", dataclasses.MISSING)
    return field.default not in (attrs.NOTHING, dataclasses.MISSING) or factory is not dataclasses.MISSING


def _rooms() -> list[str]:
    package = import_module(PACKAGE)
    return sorted(found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg)


def _values_of(room: str) -> dict[str, Any]:
    module = import_module(f"{PACKAGE}.{room}")
    made = {name: getattr(module, name) for name in _public(room)}
    return {name: kind for name, kind in made.items() if isinstance(kind, type) and is_value(kind)}
