"""Files that are written whole or not at all, by however many processes at once."""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_BEHIND = 60.0  # seconds after which a lock whose process cannot be asked for is one left behind


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a name of one's own beside a file; what is written there becomes the file once the block has ended.

    An interruption, a full disk or an error leaves what was there before, and nothing besides.

    Raises
    ------
    InvalidValueError
        If it cannot be written there.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> with written_whole(folder / "power.csv") as draft:
    ...     _ = draft.write_text("hazard_ratio,power")
    >>> [file.name for file in folder.iterdir()]
    ['power.csv']
    """
    target = Path(path)
    draft = target.with_name(f".{target.stem}.{uuid4().hex[:12]}{target.suffix}")
    try:
        yield draft
        draft.replace(target)
    except OSError as error:
        expected, remedy = "a file that can be written", "choose another folder, or make room"
        said = error.strerror or str(error)
        raise InvalidValueError("path", str(target), expected, f"{said}; {remedy}") from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a file alone while it is read, changed and written, however many processes want to."""
    lock = path.with_name(f".{path.name}.lock")
    while True:
        try:
            with lock.open("x", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {platform.node()}")
            break
        except FileExistsError:
            _wait_for(lock)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _wait_for(lock: Path) -> None:
    try:
        age, holder = abs(time.time() - lock.stat().st_mtime), lock.read_text("utf-8")
    except FileNotFoundError:
        return
    gone = _is_gone(holder)
    if gone or (gone is None and age > LEFT_BEHIND):
        lock.unlink(missing_ok=True)
    else:
        time.sleep(0.02)


def _is_gone(holder: str) -> bool | None:
    """Whether the process that holds a lock has ended; None where that is not known: one of another machine."""
    process, _, machine = holder.partition(" ")
    if not process.isdigit() or machine != platform.node() or os.name != "posix":
        return None
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is another user's
        return False
    return False
