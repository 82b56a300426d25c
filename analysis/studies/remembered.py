"""Answers computed once: in a process, and between processes as long as nothing that they rest on has changed."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from functools import cache, update_wrapper
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import pandas as pd

from analysis.conventions import from_file, identity, to_file
from analysis.conventions.whole import alone
from analysis.errors import AnalysisError
from analysis.reported import data_directory

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

FOLDER = "TRIAL_ANALYSIS_CACHE"  # names the folder of kept answers; empty: none are kept
WORTH_KEEPING = 1.0  # seconds that an answer took
UNUSED = 30 * 86400.0  # seconds after which the answers of other code are thrown away
LIBRARIES = ("greenwood", "numba", "numpy", "pandas", "scipy")


class remembered(Generic[Given, Answer]):  # noqa: N801  # a decorator, written as one
    """Keep a function's answers: a default that is written out is the same question as one that is not.

    `functools.cache` takes ``f()`` and ``f(seed=1)`` for two questions, and would compute the answer twice.

    Tables and public values that took longer than a second are also kept in a folder, by default
    ``~/.cache/trial-outcome-analysis``, so that the figures, the notebooks and the tests share them. An answer is
    found again only where the arguments, all of the package's code, all reported data and the versions of Python and
    of the libraries are the same in every byte. A file that is damaged is computed anew.

    Examples
    --------
    >>> @remembered
    ... def squared(x: int, power: int = 2) -> int:
    ...     print("computed")
    ...     return x**power
    >>> squared(3), squared(3, 2), squared(x=3, power=2)
    computed
    (9, 9, 9)
    """

    def __init__(self, function: Callable[Given, Answer]) -> None:
        self.function, self.signature = function, signature(function)
        self.answers: dict[tuple[tuple[str, Any], ...], Answer] = {}
        update_wrapper(self, function)

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """Give the answer, computed where it was not asked for before."""
        asked = self.signature.bind(*args, **kwargs)
        asked.apply_defaults()
        key = tuple(asked.arguments.items())
        if key not in self.answers:
            self.answers[key] = self._found_or_computed(key, *args, **kwargs)
        return self.answers[key]

    def cache_clear(self) -> None:
        """Forget the answers of this process."""
        self.answers.clear()

    def _found_or_computed(
        self, key: tuple[tuple[str, Any], ...], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer:
        path = self._file(key)
        if path is None:
            return self.function(*args, **kwargs)
        with alone(path):  # another process may be at the same question: its answer is waited for
            if path.is_file():
                try:
                    return from_file(path)  # type: ignore[no-any-return]
                except AnalysisError:
                    path.unlink(missing_ok=True)
            start = time.perf_counter()
            answer = self.function(*args, **kwargs)
            if time.perf_counter() - start > WORTH_KEEPING:
                _keep(answer, path)
            return answer

    def _file(self, key: tuple[tuple[str, Any], ...]) -> Path | None:
        """Say where an answer is kept; None where none is, or the question cannot be told from others."""
        folder = _folder()
        if folder is None:
            return None
        try:
            asked = identity(f"{self.function.__module__}.{self.function.__qualname__}", key)
            own = folder / _code()
            if not own.is_dir():
                own.mkdir(parents=True, exist_ok=True)
                _throw_away(own)
        except (AnalysisError, OSError):
            return None
        return own / f"{self.function.__name__}-{asked[:24]}.npz" if os.access(own, os.W_OK) else None


def _keep(answer: object, path: Path) -> None:
    """Write an answer if it comes back the same; nothing is kept that does not, or where nothing can be written."""
    try:
        to_file(answer, path)
        if isinstance(answer, pd.DataFrame):
            back = from_file(path)
            if not (answer.equals(back) and answer.dtypes.equals(back.dtypes)):
                path.unlink()
    except (AnalysisError, OSError):
        return


def _throw_away(own: Path) -> None:
    """Remove the answers of other code that nobody has asked for in a month."""
    for folder in own.parent.iterdir():
        if folder != own and folder.is_dir() and time.time() - folder.stat().st_mtime > UNUSED:
            shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path | None:
    named = os.environ.get(FOLDER)
    if named is not None:
        return Path(named) if named else None
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trial-outcome-analysis"
    except RuntimeError:  # nobody's home
        return None


@cache
def _code() -> str:
    """Give the identity of everything that an answer rests on besides its arguments."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for root in (package, data_directory()):
        for path in sorted(root.rglob("*")):
            if path.suffix in {".py", ".json", ".toml", ".csv"}:
                content = path.read_bytes()
                digest.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    versions = [platform.python_version(), platform.machine(), *(f"{name} {version(name)}" for name in LIBRARIES)]
    digest.update(" ".join(versions).encode())
    return digest.hexdigest()[:24]
