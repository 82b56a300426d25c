"""Read the R calls that the reference values were made with, without R."""

from __future__ import annotations

import ast
import csv
import gzip
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DATA = Path(__file__).resolve().parents[1] / "data"


@dataclass(frozen=True)
class RCall:
    """One call of an R function: ``name`` without the package, arguments as numbers, arrays, strings and calls."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __getitem__(self, keyword: str) -> Any:
        return self.kwargs[keyword]

    def get(self, keyword: str, default: Any = None) -> Any:
        return self.kwargs.get(keyword, default)


def _vectorised(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(np.asarray(x, float))[()]


def _combine(*parts: Any) -> np.ndarray:
    return np.concatenate([np.atleast_1d(part) for part in parts])


def _sequence(start: float, stop: float, by: float = 1.0) -> np.ndarray:
    return np.arange(int(np.floor((stop - start) / by + 1e-9)) + 1) * by + start


def _repeat(value: Any, times: float) -> np.ndarray:
    return np.tile(np.atleast_1d(value), int(times))


def _matrix(values: Any, nrow: float = 1, **_: Any) -> np.ndarray:
    return np.atleast_1d(values).reshape((int(nrow), -1), order="F")


R_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "c": _combine,
    "log": _vectorised(np.log),
    "exp": _vectorised(np.exp),
    "sqrt": _vectorised(np.sqrt),
    "max": max,
    "min": min,
    "qnorm": _vectorised(np.vectorize(NormalDist().inv_cdf)),
    "pnorm": _vectorised(np.vectorize(NormalDist().cdf)),
    "seq": _sequence,
    "rep": _repeat,
    "matrix": _matrix,
    "list": lambda **items: dict(items),
}
R_CONSTANTS = {"NULL": None, "NA": None, "TRUE": True, "FALSE": False, "Inf": np.inf}


def _evaluate(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        case ast.Name(id=name):
            return R_CONSTANTS.get(name, name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _evaluate(left), _evaluate(right)
            if isinstance(a, RCall) or isinstance(b, RCall):
                return RCall(type(op).__name__, (a, b), {})
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.Div():
                    return a / b
                case ast.Pow():
                    return a**b
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            values = tuple(_evaluate(arg) for arg in args)
            named = {str(k.arg).strip("_"): _evaluate(k.value) for k in keywords}
            return R_FUNCTIONS[name](*values, **named) if name in R_FUNCTIONS else RCall(name, values, named)
        case ast.Attribute(value=value):  # `$part` of a result: the adapter knows which
            return _evaluate(value)
    raise ValueError(f"cannot read {ast.unparse(node)!r} as R")


def parse(text: str) -> RCall:
    """Parse an R call.

    ``package::``, ``set.seed`` and a remark in brackets at the end are dropped; a dot in a name becomes an underscore.
    """
    code = re.sub(r"^\{set\.seed\(\d+\);\s*(.*)\}$", r"\1", text.strip())
    code = re.sub(r"\s*\[[^\[\]]*\]$", "", re.sub(r"\b\w+::", "", code).replace("^", "**"))
    code = re.sub(r"\.(?=[A-Za-z])", "_", code).replace("$", ".")  # mean.approx -> mean_approx
    code = re.sub(r"\blambda=", "lambda_=", code)
    code = re.sub(r"(?<![\w.])(\d+):(\d+)", r"seq(\1,\2)", code)
    result = _evaluate(ast.parse(code, mode="eval").body)
    return result if isinstance(result, RCall) else RCall("value", (result,), {})


@dataclass(frozen=True)
class ReferenceCall:
    """One call in the file with every value it gave: ``values[quantity]``."""

    tool: str
    version: str
    function: str
    text: str
    values: Mapping[str, float]

    @property
    def parsed(self) -> RCall:
        return parse(self.text)


def reference_calls() -> Iterator[ReferenceCall]:
    """Every call of ``reference_values.csv.gz``, in the order of the file."""
    with gzip.open(DATA / "reference_values.csv.gz", "rt", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: [row[k] for k in ("tool", "version", "function", "call")])
    for (tool, version, function, call), group in groupby(
        rows, key=lambda row: (row["tool"], row["version"], row["function"], row["call"])
    ):
        yield ReferenceCall(tool, version, function, call, {row["quantity"]: float(row["value"]) for row in group})
