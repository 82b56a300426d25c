"""What goes on while kernels are compiled: a word, so that nobody waits in silence, and no collection of garbage."""

from __future__ import annotations

import gc
import sys
from threading import Timer
from typing import TYPE_CHECKING

from numba.core.event import Listener, install_listener

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numba.core.event import Event

PATIENCE = 3.0  # seconds of silence
MESSAGE = (
    "trial-outcome-analysis: compiling kernels, once per installation; this may take a minute or two "
    "(trial-analysis warm does it beforehand)"
)


def compilation_announced() -> AbstractContextManager[object]:
    """Print a line to the standard error, once, where a kernel is compiled for more than a few seconds.

    Python collects no garbage meanwhile: it would look through all that Numba builds up, and find little.
    """
    return install_listener("numba:compile", _Announcer())


class _Announcer(Listener):
    """Hears when a kernel is compiled, and of those that it needs in between; kernels in the cache are not compiled."""

    def __init__(self) -> None:
        self.inside = 0
        self.said = False
        self.timer: Timer | None = None
        self.collects = False

    def on_start(self, event: Event) -> None:
        self.inside += 1
        if self.inside == 1:
            self.collects = gc.isenabled()
            gc.disable()
        if self.inside == 1 and not self.said:
            self.timer = Timer(PATIENCE, self._say)
            self.timer.daemon = True
            self.timer.start()

    def on_end(self, event: Event) -> None:
        self.inside = max(self.inside - 1, 0)
        if self.inside == 0 and self.collects:
            gc.enable()
        if self.inside == 0 and self.timer is not None:
            self.timer.cancel()

    def _say(self) -> None:
        self.said = True
        print(MESSAGE, file=sys.stderr, flush=True)
