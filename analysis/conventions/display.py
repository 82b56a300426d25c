"""How values print: a repr of a few lines, a table in a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FEW = 8
"""So many items of a list are printed; of a longer one the ends."""


def is_value(kind: type) -> bool:
    """Whether a class has fields that are known: an `attrs` class or a dataclass."""
    return attrs.has(kind) or dataclasses.is_dataclass(kind)


def fields_of(thing: object) -> list[Any]:
    """List the fields of an `attrs` class or a dataclass, or of a value of one, in their order."""
    kind = thing if isinstance(thing, type) else type(thing)
    return list(attrs.fields(kind) if attrs.has(kind) else dataclasses.fields(kind))


def short_repr(thing: Any) -> str:
    """Write a value as it would be typed, long lists shortened and defaults left out.

    Examples
    --------
    >>> from analysis.survival import PiecewiseExponential
    >>> PiecewiseExponential([0.1] * 99 + [0.2], range(1, 100))
    PiecewiseExponential(rates=<100 numbers, 0.1 to 0.2>, breaks=<99 numbers, 1 to 99>)
    """
    if isinstance(thing, tuple):  # a named one
        given = thing._asdict()  # type: ignore[attr-defined]  # a named one
        return f"{type(thing).__name__}({', '.join(f'{name}={brief(part)}' for name, part in given.items())})"
    parts = []
    for field in fields_of(thing):
        if not field.repr or not field.init or field.name.startswith("_"):
            continue
        given = getattr(thing, field.name)
        if not _is_default(field, given):
            parts.append(f"{field.name}={brief(given)}")
    return f"{type(thing).__name__}({', '.join(parts)})"


def as_typed(thing: Any) -> str:
    """Write a value as `short_repr` does, and within it what knows how it was printed as that was.

    Examples
    --------
    >>> from analysis.reported import ReportedArm
    >>> ReportedArm("new", n=150, median="11.0 (9.2-13.4)")
    ReportedArm(name='new', n='150', median='11.0', median_ci='9.2-13.4')
    """
    given = {field.name: getattr(thing, field.name) for field in fields_of(thing)}
    default = {field.name for field in fields_of(thing) if _is_default(field, given[field.name])}
    parts = [f"{name}={_typed(part)}" for name, part in given.items() if name not in default and part is not None]
    return f"{type(thing).__name__}({', '.join(parts)})"


def _typed(given: Any) -> str:
    if isinstance(given, tuple):
        return f"[{', '.join(map(_typed, given))}]"
    has_words = is_value(type(given)) and "__str__" in vars(type(given))
    return repr(str(given)) if has_words else brief(given)


def _is_default(field: Any, given: Any) -> bool:
    default = field.default
    if default is attrs.NOTHING or default is dataclasses.MISSING or isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # attrs types it as a function
        return False
    if isinstance(given, np.ndarray):
        return given.size == 0 and np.size(default) == 0
    return bool(type(given) is type(default) and given == default)


def brief(given: Any) -> str:
    """Write one thing shortly."""
    if isinstance(given, np.ndarray):
        if given.ndim > 1 and given.size > FEW:
            return f"<{' x '.join(map(str, given.shape))} numbers>"
        given = given.tolist()
        if not isinstance(given, list):
            return f"{given:g}"
    if isinstance(given, bool) or given is None or isinstance(given, str):
        return repr(given)
    if isinstance(given, float):
        return f"{given:.6g}" if given != round(given, 1) else repr(given)
    if isinstance(given, Mapping):
        return "{" + ", ".join(f"{key!r}: {brief(item)}" for key, item in given.items()) + "}"
    if isinstance(given, list | tuple):
        return _brief_list(given)
    if hasattr(given, "columns"):  # a table of pandas
        return f"<{len(given)} rows of {', '.join(map(str, given.columns))}>"
    return repr(given)


def _brief_list(given: list[Any] | tuple[Any, ...]) -> str:
    if len(given) <= FEW:
        inner = ", ".join(brief(item) for item in given)
        return f"[{inner}]" if isinstance(given, list) else f"({inner}{',' if len(given) == 1 else ''})"
    if all(isinstance(item, int | float) for item in given):
        return f"<{len(given)} numbers, {min(given):g} to {max(given):g}>"
    kinds = {type(item).__name__ for item in given}
    return f"<{len(given)} of {', '.join(sorted(kinds))}>"


def html_of(thing: Any) -> str:
    """Show a value as its summary, or as its fields, one a row."""
    if hasattr(thing, "summary"):
        return html(thing.summary())
    shown = [field for field in fields_of(thing) if field.init and not field.name.startswith("_")]
    rows = "".join(
        f"<tr><th>{escape(field.name)}</th><td>{escape(brief(getattr(thing, field.name)))}</td></tr>" for field in shown
    )
    return f"<table><caption>{escape(type(thing).__name__)}</caption>{rows}</table>"


def items(result: Any) -> pd.DataFrame:
    """Tabulate the numbers and words of a result, in the order of its fields: `item`, `value`."""
    import pandas as pd  # only where a table is asked for

    given = {field.name: getattr(result, field.name) for field in fields_of(result)}
    rows = [(name.replace("_", " "), value) for name, value in given.items() if isinstance(value, str | float | int)]
    return pd.DataFrame(rows, columns=["item", "value"])


def by_time(result: Any) -> pd.DataFrame:
    """Tabulate a result whose fields are vectors over the same times, a column a field."""
    import pandas as pd

    columns = {field.name: getattr(result, field.name) for field in fields_of(result)}
    return pd.DataFrame({name: vector for name, vector in columns.items() if np.ndim(vector)})


def html(frame: pd.DataFrame, *, index: bool = False) -> str:
    """Write a table for a notebook; numbers to five digits, nothing for what is missing, long tables shortened."""
    nullable = {name: object for name, kind in frame.dtypes.items() if str(kind) == "Int64"}
    shown = frame.astype(nullable).fillna(dict.fromkeys(nullable, ""))  # pandas would write <NA>
    return str(shown.to_html(index=index, max_rows=24, float_format="{:.5g}".format, na_rep=""))


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does: ``a, b and c``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def months(time: float) -> str:
    """Write a number of months as a sentence does, to the hundredth.

    Examples
    --------
    >>> months(18.0), months(38.33417), months(0.0041)
    ('18', '38.33', '0.0041')
    """
    return f"{round(time, 2) or time:g}" if time < 1e4 else f"{time:.0f}"
