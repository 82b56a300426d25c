"""Designs and scenarios as JSON: every object is its fields and its ``kind``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from analysis.design.accrual import FixedAccrual, PiecewiseAccrual, RampAccrual, UniformAccrual
from analysis.design.assessments import Assessments
from analysis.design.cuts import AfterEntry, AfterLastEntry, AtEvents, AtTime, EarlierOf, LaterOf
from analysis.design.scenario import Ensemble, IllnessDeath, Scenario
from analysis.design.trial import Look, TrialDesign
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival import distributions

KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(UniformAccrual, PiecewiseAccrual, RampAccrual, FixedAccrual),
        *(AtEvents, AtTime, AfterEntry, AfterLastEntry, LaterOf, EarlierOf),
        *(Assessments, Look, TrialDesign, IllnessDeath, Ensemble, Scenario),
        *(
            distributions.Exponential,
            distributions.PiecewiseExponential,
            distributions.Weibull,
            distributions.LogLogistic,
        ),
        *(distributions.LogNormal, distributions.Tabulated, distributions.ProportionalHazards, distributions.Mixture),
    )
}


def to_json(thing: object, *, indent: int | None = 2) -> str:
    """Write a design, a scenario or a part of one as JSON.

    Parameters
    ----------
    thing
        An object of this room, or a distribution of `analysis.survival`.
    indent
        Spaces of indentation; None for one line.

    Returns
    -------
    str
        JSON in which each object is its fields and its ``kind``; numbers keep every bit.

    Raises
    ------
    InvalidValueError
        If the thing, or a part of it, is of a kind that cannot be written.

    Examples
    --------
    >>> from analysis.design import AtEvents, Look, TrialDesign, UniformAccrual
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),))
    >>> from_json(to_json(design)) == design
    True
    """
    return json.dumps(_plain(thing), indent=indent, allow_nan=False)


def from_json(text: str) -> Any:
    """Read back what `to_json` wrote; every value is checked again.

    Parameters
    ----------
    text
        JSON text.

    Returns
    -------
    object
        An object equal to the one that was written.

    Raises
    ------
    UnknownNameError
        If a ``kind`` is not known.
    InvalidValueError
        If the text is not JSON, a field is not one of its kind, or a value is impossible.
    """
    try:
        return _restored(json.loads(text))
    except json.JSONDecodeError as error:
        raise InvalidValueError("text", text[:40], "JSON as to_json writes it", str(error)) from error


def _plain(thing: object) -> Any:
    if is_dataclass(thing) and type(thing).__name__ in KINDS:
        public = {field.name: getattr(thing, field.name) for field in fields(thing) if not field.name.startswith("_")}
        return {"kind": type(thing).__name__} | {name: _plain(value) for name, value in public.items()}
    if isinstance(thing, Mapping):
        return {name: _plain(value) for name, value in thing.items()}
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    if isinstance(thing, tuple | list):
        return [_plain(value) for value in thing]
    if thing is None or isinstance(thing, str | int | float):
        return thing
    raise InvalidValueError("thing", thing, f"one of {', '.join(KINDS)} or a plain value", "describe it by these")


def _restored(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_restored(value) for value in plain)
    if not isinstance(plain, dict):
        return plain
    values = {name: _restored(value) for name, value in plain.items() if name != "kind"}
    if "kind" not in plain:
        return values
    if plain["kind"] not in KINDS:
        raise UnknownNameError("kind", plain["kind"], KINDS)
    kind = KINDS[plain["kind"]]
    known = [field.name for field in fields(kind) if not field.name.startswith("_")]
    for name in values:
        if name not in known:
            raise InvalidValueError(f"{plain['kind']}.{name}", values[name], f"fields {known}", "remove or rename it")
    return kind(**values)
