"""Wrong calls: what the examples of the documentation call, with one argument at a time put wrong."""

import ast
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import analysis

WITHOUT = ("studies", "cli", "figures", "engine", "expected", "conventions", "records")
"""Rooms whose functions are not called by users, or draw the repository's own figures."""
WRONG: dict[str, Any] = {
    "None": None,
    "NaN": float("nan"),
    "infinite": float("inf"),
    "negative": -1,
    "text": "abc",
    "empty text": "",
    "empty list": [],
    "true": True,
    "an object": object(),
    "a dictionary": {"a": 1},
    "list of NaN": [float("nan")],
    "list of text": ["a", "b"],
}


class Call(NamedTuple):
    """A call that works: what is called, and with what."""

    name: str
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def rooms() -> list[str]:
    return [m.name for m in pkgutil.iter_modules(analysis.__path__) if m.ispkg and m.name not in WITHOUT]


def public_names() -> set[str]:
    return {name for room in rooms() for name in importlib.import_module(f"analysis.{room}").__all__}


def working_calls() -> Iterator[Call]:
    """Every call of a public function or class in the examples of its room, with its arguments evaluated."""
    known, finder = public_names(), doctest.DocTestFinder(exclude_empty=True)
    for room in rooms():
        package = importlib.import_module(f"analysis.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"analysis.{room}."):
            for test in finder.find(importlib.import_module(found.name)):
                names = dict(test.globs)
                for example in test.examples:
                    yield from _calls_of(example.source, names, known)
                    try:
                        exec(compile(example.source, "example", "exec"), names)  # the next example may need its names
                    except Exception:  # an example that shows an error
                        break


def _calls_of(source: str, names: dict[str, Any], known: set[str]) -> Iterator[Call]:
    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), "example", "eval"), names)

    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in node.args):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in known:
            continue
        try:
            args = tuple(value(arg) for arg in node.args)
            kwargs = {keyword.arg: value(keyword.value) for keyword in node.keywords if keyword.arg}
            function = value(node.func)
            if not (isinstance(function, type) and issubclass(function, tuple)):  # those the library makes itself
                yield Call(name, function, args, kwargs)
        except Exception:  # an argument that is a name of a comprehension
            continue


def wrong_calls(call: Call) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """The call with each argument put wrong in every way, and with a keyword that does not exist."""
    for place in range(len(call.args)):
        for label, wrong in WRONG.items():
            yield f"argument {place + 1} {label}", (*call.args[:place], wrong, *call.args[place + 1 :]), call.kwargs
    for keyword in call.kwargs:
        for label, wrong in WRONG.items():
            yield f"{keyword} {label}", call.args, call.kwargs | {keyword: wrong}
    yield "an unknown keyword", call.args, call.kwargs | {"no_such_keyword": 1}
