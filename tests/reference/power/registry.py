"""Which R function is answered by which function of the package, and what is out of scope.

An adapter module ``adapters_*.py`` in this folder holds ``ADAPTERS``, a dict from ``(tool, function)`` to `Adapter`.
A file ``out_of_scope*.toml`` holds ``[[rows]]`` with ``tool``, ``function``, a ``reason`` and, to take only a part,
``call_contains`` and ``quantity`` (a regular expression).
"""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.reference.power.r_calls import RCall, ReferenceCall

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Adapter:
    """``compute(parsed call)`` gives the quantities by name; ``compute_text(text)`` for calls that are whole R programs.

    ``rtol`` is relative; above 1e-6 it needs the reason in ``because``. ``atol`` is for values at 0 and for the Monte
    Carlo error of simulated values. ``where`` (part of the call's text) makes it the adapter of those calls only.
    """

    compute: Callable[[RCall], Mapping[str, float]] | None = None
    compute_text: Callable[[str], Mapping[str, float]] | None = None
    rtol: float = 1e-6
    atol: float = 1e-12
    because: str = ""
    where: str = ""

    def values(self, call: ReferenceCall) -> Mapping[str, float]:
        if self.compute_text is not None:
            return self.compute_text(call.text)
        if self.compute is None:
            raise TypeError("an adapter needs compute or compute_text")
        return self.compute(call.parsed)


@dataclass(frozen=True)
class OutOfScope:
    tool: str
    function: str
    reason: str
    call_contains: str = ""
    quantity: str = ".*"

    def covers(self, call: ReferenceCall, quantity: str) -> bool:
        return (
            (self.tool, self.function) == (call.tool, call.function)
            and self.call_contains in call.text
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
