"""Where compiled kernels are kept: beside the package, in the user's cache, or, where neither can be, for a while.

Numba recognises a kernel by its own file and not by the kernels and constants of other files that it was compiled with:
after an edit, or an update in place, it would go on with what those were. Kernels are therefore kept in a folder that
is named by the text of all files that they are compiled from. Numba also refuses to compile what it is to keep if it
finds no place, as in a read-only installation without a home.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

NAMED = "NUMBA_CACHE_DIR"
USER_CACHES = {"darwin": "~/Library/Caches", "win32": os.environ.get("LOCALAPPDATA") or "~/AppData/Local"}
PACKAGE = Path(__file__).parent
ROOMS = (
    "conventions",
    "endpoints",
    "engine",
    "expected",
    "reconstruction",
    "sequential",
    "simulation",
    "single_arm",
    "statistical_tests",
    "survival",
)
"""Rooms that have kernels, or what kernels are compiled with."""
PREFIX = "kernels-"
UNUSED = 30 * 86400.0  # seconds after which the kernels of other code are thrown away


def place_for_kernels() -> Path:
    """Name to Numba the folder of this code's kernels; says so on standard error if it is only a temporary one."""
    root = _root()
    if root is None:
        root = Path(tempfile.mkdtemp(prefix="trial-outcome-analysis-"))
        atexit.register(shutil.rmtree, str(root), ignore_errors=True)
        print(
            "trial-outcome-analysis: no folder can be written to in which compiled code could be kept, so it is "
            f"compiled anew by each process; set {NAMED} to a folder that can be",
            file=sys.stderr,
        )
    folder = root / f"{PREFIX}{text_of_kernels()}"
    os.environ[NAMED] = str(folder)
    if "numba" in sys.modules:  # it has read its settings already
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    _throw_away_unused(folder)
    return folder


def text_of_kernels() -> str:
    """Identify the text that kernels are compiled from: of every file of `ROOMS`."""
    text = hashlib.blake2b(digest_size=8)
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            content = path.read_bytes()
            text.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)} ".encode() + content)
    return text.hexdigest()


def _root() -> Path | None:
    """Folder in which the kernels of this and of other code are: as the user names it, or the first that can be."""
    if named := os.environ.get(NAMED):
        folder = Path(named)
        return folder.parent if folder.name.startswith(PREFIX) else folder  # of a process that this one was started by
    return next((folder for folder in (PACKAGE / "__pycache__", _user_cache()) if _can_be_made(folder)), None)


def _user_cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME") if sys.platform not in USER_CACHES else None
    caches = Path(os.path.expanduser(named or USER_CACHES.get(sys.platform, "~/.cache")))
    return caches / "trial-outcome-analysis"


def _can_be_made(folder: Path) -> bool:
    there = next((one for one in (folder, *folder.parents) if one.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK)


def _throw_away_unused(folder: Path) -> None:
    """Mark the folder as used today, and remove those that were not for long."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        for other in folder.parent.glob(f"{PREFIX}*"):
            if other != folder and time.time() - other.stat().st_mtime > UNUSED:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:  # read-only, or another process was there first: Numba says what it cannot do
        return
