"""A word is said while kernels are compiled, and only then."""

import gc
import time

import pytest
from numba import njit
from numba.core.event import Listener, install_listener

from analysis import compiling
from analysis.compiling import MESSAGE, compilation_announced


@pytest.fixture
def hardly_patient(monkeypatch):
    monkeypatch.setattr(compiling, "PATIENCE", 0.001)


def kernel():
    @njit
    def within(x):
        return x + 1.0

    @njit
    def compiled(x):
        return sum([within(x + k) for k in range(4)])

    return compiled


def test_compilation_is_said_once(hardly_patient, capsys):
    with compilation_announced():
        assert kernel()(1.0) == 14.0
        kernel()(1.0)
    assert capsys.readouterr().err.splitlines() == [MESSAGE]


def test_what_is_compiled_already_takes_its_time_in_silence(hardly_patient, capsys):
    compiled = kernel()
    compiled(1.0)
    with compilation_announced():
        compiled(1.0)
        time.sleep(0.05)
    assert not capsys.readouterr().err


def test_short_compilation_is_silent_however_long_the_call(monkeypatch, capsys):
    monkeypatch.setattr(compiling, "PATIENCE", 1.5)
    with compilation_announced():
        kernel()(1.0)
        time.sleep(1.6)
    assert not capsys.readouterr().err


def test_a_kernel_that_does_not_compile_leaves_no_word_behind(monkeypatch, capsys):
    monkeypatch.setattr(compiling, "PATIENCE", 1.0)

    @njit
    def wrong(x):
        return x + "a"

    with compilation_announced():
        with pytest.raises(Exception, match="No implementation"):
            wrong(1.0)
        assert gc.isenabled()
        time.sleep(1.1)
    assert not capsys.readouterr().err


@pytest.mark.parametrize("collects", [True, False])
def test_no_garbage_is_collected_while_a_kernel_is_compiled(collects):
    seen = []

    class Seen(Listener):
        def on_start(self, event):
            pass

        def on_end(self, event):
            seen.append(gc.isenabled())

    before = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with compilation_announced():
            with install_listener("numba:run_pass", Seen()):
                kernel()(1.0)
            assert gc.isenabled() == collects
    finally:
        (gc.enable if before else gc.disable)()
    assert seen
    assert not any(seen)
