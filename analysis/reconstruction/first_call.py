"""Says what the first reconstruction of an installation is waiting for."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

from analysis.reconstruction.solve.conditioning import condition

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 3.0  # seconds of silence
MESSAGE = "reconstruct: compiling its kernels, once per installation; this takes a minute or two"


@contextmanager
def compilation_announced() -> Iterator[None]:
    """Print a line to the standard error if the kernels are still being compiled after a few seconds."""

    def announce() -> None:
        if not condition.signatures:  # the first kernel that is needed; loaded from the cache it is there at once
            print(MESSAGE, file=sys.stderr, flush=True)

    timer = Timer(PATIENCE, announce)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
