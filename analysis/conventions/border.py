"""The border: a public call that fails on what it was given says which argument, what it got, and what it takes."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sized
from difflib import get_close_matches
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, get_origin

import numpy as np

from analysis.conventions.finite import is_finite
from analysis.errors import AnalysisError, InvalidValueError, UnknownNameError, WrongCallError

if TYPE_CHECKING:
    from collections.abc import Callable

Public = TypeVar("Public", bound="Callable[..., Any]")
NUMBERS = (int, float, np.integer, np.floating)
WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "True or False",
    "Seed": "a seed, as 1",
}
ARRAYS = ("ArrayLike", "FloatArray", "BoolArray", "Floats", "Bools", "Codes", "Counts")
SHORT = 60
MANY = ("Sequence", "Iterable", "Collection", "list", "tuple", "set")


def strict_border(public: Public) -> Public:
    """Guard as `border` does, and hold what a class is made of against its annotations before it is made.

    For values that would take anything in silence and fail where they are used.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @strict_border
    ... @dataclass
    ... class Visit:
    ...     subject: str
    >>> Visit(5)
    Traceback (most recent call last):
    analysis.errors.InvalidValueError: Visit: subject: got 5; expected text; give text, not int
    """
    guarded = cast("Any", public)
    made = guarded.__init__
    # an error that says nothing of its own: only what does not fit counts
    nothing = ValueError()

    @wraps(made)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        wrong = _misfit(made, (self, *args), kwargs, nothing, extremes=False)
        if wrong is not None:
            raise wrong
        made(self, *args, **kwargs)

    guarded.__init__ = checked
    return border(public)


def border(public: Public) -> Public:
    """Guard a public function, or all that is public in a class.

    A call that works is not touched. One that fails with an error of Python or NumPy is read again: if an argument is
    not of the kind that its annotation names, the error says so; else the error stands as it was.

    Raises
    ------
    InvalidValueError
        For an argument of a wrong kind.
    WrongCallError
        For a keyword that does not exist, with the nearest one, or an argument that is missing.

    Examples
    --------
    >>> @border
    ... def half(number: float) -> float:
    ...     return number / 2
    >>> half("4")
    Traceback (most recent call last):
    analysis.errors.InvalidValueError: half: number: got '4'; expected a number; give a number, not str
    >>> half(nubmer=4)
    Traceback (most recent call last):
    analysis.errors.WrongCallError: half: got a keyword 'nubmer'; expected number; did you mean number?
    """
    if inspect.isclass(public):
        for name, member in list(vars(public).items()):
            if inspect.isfunction(member) and (name == "__init__" or not name.startswith("_")):
                setattr(public, name, border(member))
            elif isinstance(member, classmethod | staticmethod) and not name.startswith("_"):
                setattr(public, name, type(member)(border(member.__func__)))
        return public

    @wraps(public)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return public(*args, **kwargs)
        except AnalysisError:
            raise
        except Exception as error:  # of any kind: what it cannot explain is raised as it was
            wrong = _misfit(public, args, kwargs, error)
            if wrong is None:
                raise
            raise wrong from error

    return cast("Public", guarded)


def _misfit(
    public: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: Exception,
    *,
    extremes: bool = True,
) -> AnalysisError | None:
    """Find what is wrong with a call that has failed."""
    signature = inspect.signature(public)
    name = public.__qualname__.removesuffix(".__init__").split(".")[-1]
    name = type(args[0]).__name__ if public.__name__ == "__init__" and args else name
    known = [one for one in signature.parameters if one not in ("self", "cls")]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    for keyword in kwargs:
        if keyword not in signature.parameters and not takes_any:
            return WrongCallError(
                name, f"a keyword {keyword!r}", known, get_close_matches(keyword, known, n=1, cutoff=0.4)
            )
    try:
        bound = signature.bind(*args, **kwargs).arguments
    except TypeError:
        count = len(args) - (next(iter(signature.parameters), "") in ("self", "cls"))
        told = f"{count} argument{'' if count == 1 else 's'}" + (f" and {', '.join(kwargs)}" if kwargs else "")
        lacking = _lacking(signature, args, kwargs)
        return WrongCallError(name, told + (f", without {', '.join(lacking)}" if lacking else ""), known, [])
    wrong = {}
    for argument, value in bound.items():
        parameter = signature.parameters[argument]
        if argument in ("self", "cls") or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        given = parameter.annotation
        if given in (parameter.empty, "Any", Any) and public.__name__ == "__init__":
            given = getattr(type(args[0]), "__annotations__", {}).get(argument, parameter.empty)
        node = _parsed(given)
        if node is not None and not _fits(value, node):
            wrong[argument] = (value, node)
    for argument, (value, node) in wrong.items():
        for other, (swapped, own) in wrong.items():
            if other != argument and _fits(value, own) and _fits(swapped, node):
                return InvalidValueError(f"{name}: {argument}", value, _words(node), f"swap {argument} and {other}")
        words = _choices(node)
        if words and isinstance(value, str):
            return UnknownNameError(f"{name}: {argument}", value, words)
        remedy = f"give {_words(node) if len(_words(node)) < SHORT else 'one of these'}, not {type(value).__name__}"
        return InvalidValueError(f"{name}: {argument}", value, _words(node), remedy)
    values = (
        {argument: value for argument, value in bound.items() if argument not in ("self", "cls")} if extremes else {}
    )
    suspects = [argument for argument, value in values.items() if _is_quoted(value, error)]
    suspects += [argument for argument, value in values.items() if _is_extreme(value)]
    suspects += [argument for argument, value in values.items() if _is_refused(value, error)]
    if not suspects:
        return None
    expected, remedy = "a value that it can be computed with", f"correct it ({type(error).__name__}: {error})"
    return InvalidValueError(f"{name}: {suspects[0]}", values[suspects[0]], expected, remedy)


def _lacking(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """Arguments that a call needs and does not give; none where it gives too many."""
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError:
        return []
    needed = [one for one in signature.parameters.values() if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    return [one.name for one in needed if one.default is one.empty and one.name not in given]


def _is_quoted(value: Any, error: Exception) -> bool:
    """Whether an error quotes a text that was given, as a word of its own."""
    return any(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", str(error)) for text in _texts(value) if text)


def _is_extreme(value: Any) -> bool:
    """Whether a value is one with which nothing can be computed: empty, not finite, below 0, or of no kind."""
    if isinstance(value, NUMBERS):
        return isinstance(value, bool) or not is_finite(value) or bool(value < 0)
    if _is_one(value):
        return True
    if isinstance(value, str | Mapping):
        return len(value) == 0
    if isinstance(value, Sized):
        parts = list(value)[:1000] if isinstance(value, Iterable) else []
        return len(value) == 0 or any(_is_extreme(part) for part in parts)
    return value is None or type(value) is object


def _is_refused(value: Any, error: Exception) -> bool:
    """Whether texts or a dictionary were given, and an error is of the kind that refuses it or what it holds."""
    if isinstance(value, Mapping):
        return isinstance(error, ValueError | TypeError | AttributeError | KeyError)
    return isinstance(error, ValueError) and bool(_texts(value))


def _texts(value: Any) -> list[str]:
    """Texts among what was given: itself, or what a list or a dictionary holds."""
    parts = [*value, *value.values()] if isinstance(value, Mapping) else [value]
    if isinstance(value, list | tuple | set):
        parts = list(value)[:1000]
    return [part for part in parts if isinstance(part, str)]


def _is_one(value: Any) -> bool:
    """Whether it is an array without an axis: it calls itself iterable and is not."""
    return isinstance(value, np.ndarray) and value.ndim == 0


@cache
def _parsed(annotation: object) -> ast.expr | None:
    if annotation is inspect.Parameter.empty:
        return None
    written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    try:
        return ast.parse(written, mode="eval").body
    except SyntaxError:
        return None


def _fits(value: Any, node: ast.expr) -> bool:
    """Whether a value is of the kind that an annotation names; what the annotation leaves open is."""
    if isinstance(node, ast.BinOp):
        return _fits(value, node.left) or _fits(value, node.right)
    if isinstance(node, ast.Constant):
        return value is None if node.value is None else _fits(value, ast.parse(str(node.value), mode="eval").body)
    if isinstance(node, ast.Attribute):
        return _is_a(value, node.attr)
    if isinstance(node, ast.Name):
        return _is_a(value, node.id)
    if isinstance(node, ast.Subscript):
        return _fits_generic(value, node)
    return True


def _fits_generic(value: Any, node: ast.Subscript) -> bool:
    base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if base in MANY:
        if isinstance(value, str) or not isinstance(value, Iterable) or _is_one(value):
            return False
        if not isinstance(value, Sized):
            return True
        inner = [part for part in parts if not (isinstance(part, ast.Constant) and part.value is Ellipsis)]
        if base == "tuple" and len(inner) > 1:
            return len(value) == len(inner)
        return all(_fits(one, inner[0]) for one in list(value)[:1000])
    if base in ("Mapping", "dict"):
        return isinstance(value, Mapping)
    if base == "Literal":
        words = [part.value for part in parts if isinstance(part, ast.Constant)]
        return any(type(value) is type(word) and value == word for word in words)
    if base in ("Callable", "type"):
        return callable(value)
    return _is_a(value, base)


def _is_a(value: Any, name: str) -> bool:
    if name == "float":
        return isinstance(value, NUMBERS) and not isinstance(value, bool)
    if name == "int":
        return isinstance(value, int | np.integer) and not isinstance(value, bool)
    if name in ARRAYS:
        try:
            return np.asarray(value).dtype.kind in "biuf" and value is not None
        except (TypeError, ValueError):
            return False
    if name in ("str", "bool"):
        return type(value) is (str if name == "str" else bool) or isinstance(value, np.bool_ if name == "bool" else str)
    if name == "None":
        return value is None
    if name == "Path":
        return isinstance(value, os.PathLike)
    if name in ("DataFrame", "Series"):
        return any(one.__name__ == name for one in type(value).__mro__)
    found = _named(name)
    if get_origin(found) is Literal:
        return any(type(value) is type(word) and value == word for word in get_args(found))
    return isinstance(value, found) if isinstance(found, tuple) and found else True


@cache
def _named(name: str) -> Any:
    """Find the classes of the package or of matplotlib, or a choice of words, by the name that an annotation has.

    Rooms have classes of one name; an annotation is not told apart from its namesakes, so any of them will do.
    """
    classes: list[type] = []
    for module in [one for key, one in sys.modules.items() if key.startswith(("analysis.", "matplotlib."))]:
        found = vars(module).get(name)
        if get_origin(found) is Literal:
            return found
        if inspect.isclass(found) and found.__module__.startswith(("analysis.", "matplotlib.")):
            classes += [] if found in classes or getattr(found, "_is_protocol", False) else [found]
    return tuple(classes)


def _choices(node: ast.expr) -> list[str]:
    """Give the words that an annotation lists, itself or by its name."""
    if isinstance(node, ast.BinOp):
        return _choices(node.left) + _choices(node.right)
    if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "Literal":
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    found = _named(node.id) if isinstance(node, ast.Name) else None
    return [word for word in get_args(found) if isinstance(word, str)] if get_origin(found) is Literal else []


def _words(node: ast.expr) -> str:
    """Say in words what an annotation asks for."""
    if isinstance(node, ast.BinOp):
        return " or ".join(dict.fromkeys([_words(node.left), _words(node.right)]))
    if isinstance(node, ast.Constant):
        return "None" if node.value is None else str(node.value)
    if isinstance(node, ast.Subscript):
        base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base in MANY:
            return f"a list of {_words(parts[0]).removeprefix('a ').removeprefix('an ')}s".replace("textss", "texts")
        if base in ("Mapping", "dict"):
            return "a dictionary"
        if base == "Literal":
            return ", ".join(repr(part.value) for part in parts if isinstance(part, ast.Constant))
        return f"a {base}"
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "another value")
    if name in ARRAYS:
        return "numbers"
    choices = get_args(_named(name)) if get_origin(_named(name)) is Literal else ()
    return ", ".join(map(repr, choices)) or WORDS.get(name, f"a {name}")
