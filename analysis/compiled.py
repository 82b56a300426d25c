"""Where compiled kernels are kept: beside the package, in the user's cache, or, where neither can be, for a while.

Numba refuses to compile what it is to keep if it finds no place, as in a read-only installation without a home.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

NAMED = "NUMBA_CACHE_DIR"
USER_CACHES = {"darwin": "~/Library/Caches", "win32": os.environ.get("LOCALAPPDATA") or "~/AppData/Local"}


def place_for_kernels() -> Path | None:
    """Name a temporary folder to Numba if it would find no other; None if it finds one. Says so on standard error."""
    if os.environ.get(NAMED) or os.access(Path(__file__).parent / "engine", os.W_OK) or _can_be_made(_user_cache()):
        return None
    folder = tempfile.mkdtemp(prefix="trial-outcome-analysis-")
    os.environ[NAMED] = folder
    if "numba" in sys.modules:  # it has read its settings already
        sys.modules["numba"].config.CACHE_DIR = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    print(
        "trial-outcome-analysis: no folder can be written to in which compiled code could be kept, so it is compiled "
        f"anew by each process; set {NAMED} to a folder that can be",
        file=sys.stderr,
    )
    return Path(folder)


def _user_cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME") if sys.platform not in USER_CACHES else None
    return Path(os.path.expanduser(named or USER_CACHES.get(sys.platform, "~/.cache"))) / "numba"


def _can_be_made(folder: Path) -> bool:
    there = next((one for one in (folder, *folder.parents) if one.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK)
