"""Chunks on an executor: in order, a few ahead, kept on disk if asked, rerun here if the executor dies."""

from __future__ import annotations

import os
import warnings
import zlib
from collections import deque
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numba
import numpy as np

from analysis.conventions.serial import identity
from analysis.conventions.whole import written_whole
from analysis.errors import AnalysisError, InvalidValueError
from analysis.simulation.chunks import Columns, Plan, run_chunk
from analysis.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AHEAD = 2 * (os.cpu_count() or 1) + 2


class SimulationError(AnalysisError, RuntimeError):
    """A chunk of trials that could not be simulated; names the chunk, the cause is chained.

    Examples
    --------
    >>> issubclass(SimulationError, RuntimeError)
    True
    """


@dataclass(frozen=True)
class Checkpoint:
    """A folder that keeps every finished chunk, so that a killed run goes on where it was.

    Parameters
    ----------
    folder
        Where to keep them; made if need be.
    plan
        What is simulated: chunks of anything else are refused.
    """

    folder: Path
    plan: Plan

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            expected, remedy = "a folder that can be written", "choose another folder"
            raise InvalidValueError("checkpoint", str(self.folder), expected, f"{error}; {remedy}") from error
        mark = self.folder / "plan.sha256"
        if mark.exists() and mark.read_text(errors="replace") != self.mark:
            expected = "chunks of this design, scenario, tests, seed, and version of the package and its engine"
            raise InvalidValueError("checkpoint", str(mark), expected, "choose another folder")
        if not mark.exists():
            if any(self.folder.glob("chunk-*.npz")):
                expected = f"a file {mark.name} that says whose the chunks in it are"
                raise InvalidValueError("checkpoint", str(self.folder), expected, "choose another folder")
            with written_whole(mark) as draft:
                draft.write_bytes(self.mark.encode())

    @cached_property
    def mark(self) -> str:
        """Whose the chunks are: the identity of all that they are computed from."""
        plan = self.plan
        versions = {"package": __version__, "numpy": np.__version__, "numba": numba.__version__}
        return identity(plan.design, plan.who, plan.tests, plan.seed, versions)

    def load(self, number: int, trials: int) -> Columns | None:
        """Give a finished chunk with exactly these trials; None if there is none.

        Raises
        ------
        InvalidValueError
            If the file is damaged or belongs to another run.
        """
        path = self._path(number, trials)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                columns = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile, zlib.error) as error:
            raise self._damaged(path, f"{type(error).__name__}: {error}") from error
        said = columns.pop("identity", np.array(""))
        shapes = {name: ((trials, *shape), np.dtype(kind)) for name, (shape, kind) in self.plan.shapes().items()}
        if {name: (column.shape, column.dtype) for name, column in columns.items()} != shapes:
            raise self._damaged(path, "other columns than this run has")
        if str(said) != self._identity_of(number, columns):
            raise self._damaged(path, "content that is not what was written for this chunk of this run")
        return columns

    def _damaged(self, path: Path, got: str) -> InvalidValueError:
        expected, remedy = "a whole chunk of this run", "delete the file: it is computed anew"
        return InvalidValueError(f"checkpoint {path}", got, expected, remedy)

    def _identity_of(self, number: int, columns: Columns) -> str:
        return identity(self.mark, number, columns)

    def save(self, number: int, trials: int, columns: Columns) -> None:
        """Keep a finished chunk, whole or not at all."""
        path = self._path(number, trials)
        with written_whole(path) as draft, draft.open("wb") as file:
            np.savez(file, identity=np.array(self._identity_of(number, columns)), **columns)  # type: ignore[arg-type]  # numpy's stub takes the names for its own keywords

    def _path(self, number: int, trials: int) -> Path:
        return self.folder / f"chunk-{number:06d}-{trials}.npz"


def finished_chunks(
    plan: Plan, trials: int, executor: Executor | None, checkpoint: Checkpoint | None
) -> Iterator[tuple[int, Columns]]:
    """Yield (first trial, columns) of all chunks in order, whatever the order in which they are finished.

    Raises
    ------
    SimulationError
        If a chunk fails for a reason of its own.
    """
    waiting: deque[tuple[int, int, Columns | Future[Columns]]] = deque()
    with _executor(executor) as pool:
        try:
            for number, first in enumerate(range(0, trials, plan.chunk_trials)):
                size = min(plan.chunk_trials, trials - first)
                stored = checkpoint.load(number, size) if checkpoint else None
                waiting.append((number, size, stored if stored is not None else _submit(pool, plan, number, size)))
                if len(waiting) > AHEAD:
                    yield _finish(plan, *waiting.popleft(), checkpoint)
            while waiting:
                yield _finish(plan, *waiting.popleft(), checkpoint)
        finally:
            _keep_the_rest(waiting, checkpoint)


@contextmanager
def _executor(given: Executor | None) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="simulation") as threads:
        yield threads


def _submit(pool: Executor, plan: Plan, number: int, size: int) -> Future[Columns]:
    try:
        return pool.submit(run_chunk, plan, number, size)
    except Exception as error:  # it takes no work: broken, shut down, or a cluster that was closed
        done: Future[Columns] = Future()
        done.set_result(_run_here(plan, number, size, error))
        return done


def _run_here(plan: Plan, number: int, size: int, failed: Exception) -> Columns:
    """Run a chunk again in this process: if that fails too, it was the chunk, and otherwise the executor."""
    try:
        columns = run_chunk(plan, number, size)
    except Exception as error:  # whatever a test of the caller's raises is chained, with the chunk's name
        raise SimulationError(
            f"chunk {number} (trials {number * plan.chunk_trials} to {number * plan.chunk_trials + size - 1}): "
            f"got {type(error).__name__}: {error}; expected a simulated chunk; see the chained cause"
        ) from error
    warnings.warn(
        f"the executor failed ({type(failed).__name__}: {failed}); chunk {number} is run in this process", stacklevel=2
    )
    return columns


def _finish(
    plan: Plan, number: int, size: int, result: Columns | Future[Columns], checkpoint: Checkpoint | None
) -> tuple[int, Columns]:
    if not isinstance(result, dict):
        try:
            columns = result.result()
        except Exception as error:  # a cluster that is shut down raises what it likes
            columns = _run_here(plan, number, size, error)
        if checkpoint:
            checkpoint.save(number, size, columns)
        return number * plan.chunk_trials, columns
    return number * plan.chunk_trials, result


def _keep_the_rest(waiting: deque[tuple[int, int, Columns | Future[Columns]]], checkpoint: Checkpoint | None) -> None:
    """Cancel what has not begun; keep what is done."""
    for number, size, result in waiting:
        if isinstance(result, dict) or result.cancel() or not result.done():
            continue
        if checkpoint and result.exception() is None:
            checkpoint.save(number, size, result.result())
