"""Which R function is answered by which function of the package, and what is out of scope.

An adapter module ``adapters_*.py`` in this folder holds ``ADAPTERS``, a dict from ``(tool, function)`` to `Adapter`.
A file ``out_of_scope*.toml`` holds ``[[rows]]`` with ``tool``, ``function``, a ``reason`` and, to take only a part,
``call_contains`` and ``quantity`` (a regular expression).
"""

from __future__ import annotations

import importlib
import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.reference.power.r_calls import RCall, ReferenceCall

HERE = Path(__file__).parent


def answer(answers: Mapping[str, Any], quantity: str) -> float:
    """Find ``name_of_tool[2] (remark)``: the second number of ``name_of_tool``, or of ``name_of``, or of ``name``.

    A name that no answer has is NaN, and so differs from every value.
    """
    found = re.fullmatch(r"(.*?)(?:\[(\d+)\])?(?: [\[(].*)?", quantity)
    assert found is not None
    name, number = found.groups()
    while name and name not in answers:
        name = name.rpartition("_")[0]
    values = np.ravel(answers.get(name, math.nan))
    if number is None:
        return float(values[0]) if values.size == 1 else math.nan
    return float(values[int(number) - 1]) if values.size >= int(number) else math.nan


@dataclass(frozen=True)
class Adapter:
    """``compute(parsed call)`` gives the quantities by name (`answer`); ``compute_text(text)`` reads whole programs.

    ``rtol`` is relative; above 1e-6 it needs the reason in ``because``. ``atol`` is for values at 0 and for the Monte
    Carlo error of simulated values. ``where`` (part of the call's text) makes it the adapter of those calls only.
    Where a tool integrates coarsely, ``as_the_tool(parsed call)`` gives what our formula comes to under the tool's own
    rule: a row that is further than ``rtol`` from the package's value passes if it is within ``rtol`` of that, and the
    package's value within ``coarse_rtol``. ``tolerance(quantity, value)`` is an absolute tolerance that depends on the
    row, such as 4 Monte Carlo standard errors.
    """

    compute: Callable[[RCall], Mapping[str, Any]] | None = None
    compute_text: Callable[[str], Mapping[str, Any]] | None = None
    rtol: float = 1e-6
    atol: float = 1e-12
    because: str = ""
    where: str = ""
    as_the_tool: Callable[[RCall], Mapping[str, Any]] | None = None
    coarse_rtol: float = 0.0
    tolerance: Callable[[str, float], float] | None = None

    def values(self, call: ReferenceCall) -> Mapping[str, Any]:
        if self.compute_text is not None:
            return self.compute_text(call.text)
        if self.compute is None:
            raise TypeError("an adapter needs compute or compute_text")
        return self.compute(call.parsed)

    def differs(self, call: ReferenceCall, quantities: Iterable[str]) -> list[str]:
        """Say of each quantity that is not reproduced what came out."""
        answers, wrong = self.values(call), []
        for quantity in quantities:
            got, value = answer(answers, quantity), call.values[quantity]
            if self._close(got, value, self.rtol):
                continue
            if self.tolerance is not None and abs(got - value) <= self.tolerance(quantity, value):
                continue
            if (
                self.as_the_tool is not None
                and self._close(got, value, self.coarse_rtol)
                and self._close(answer(self.as_the_tool(call.parsed), quantity), value, self.rtol)
            ):
                continue
            wrong.append(f"{quantity}: {got!r}, expected {value!r}: {call.text}")
        return wrong

    def _close(self, got: float, value: float, rtol: float) -> bool:
        return bool(abs(got - value) <= self.atol + rtol * abs(value))


@dataclass(frozen=True)
class OutOfScope:
    tool: str
    function: str
    reason: str
    call_contains: str | list[str] = ""
    quantity: str = ".*"

    def covers(self, call: ReferenceCall, quantity: str) -> bool:
        return (
            (self.tool, self.function) == (call.tool, call.function)
            and all(part in call.text for part in np.atleast_1d(self.call_contains))
            and re.fullmatch(self.quantity, quantity) is not None
        )


def adapters() -> dict[tuple[str, str], list[Adapter]]:
    """The adapters of each function, those of some calls only before the one for the rest."""
    found: dict[tuple[str, str], list[Adapter]] = {}
    for path in sorted(HERE.glob("adapters_*.py")):
        module = importlib.import_module(f"tests.reference.power.{path.stem}")
        for key, adapter in module.ADAPTERS.items():
            known = found.setdefault(key, [])
            if adapter.where in [other.where for other in known]:
                raise ValueError(f"{path.name}: {key} has an adapter for these calls already; keep one")
            known.append(adapter)
            known.sort(key=lambda other: other.where, reverse=True)
    return found


def adapter_of(candidates: list[Adapter], call: ReferenceCall) -> Adapter | None:
    """The first adapter for this call, if there is one."""
    return next((adapter for adapter in candidates if adapter.where in call.text), None)


def out_of_scope() -> list[OutOfScope]:
    return [
        OutOfScope(**row)
        for path in sorted(HERE.glob("out_of_scope*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["rows"]
    ]
