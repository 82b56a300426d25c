"""How many of very many wrong calls end in a bare error, or do not end.

    python benchmarks/wrong_calls.py [--calls 100000] [--seed 1] [--json]

Every call is one of the documentation's examples with one argument, or two, put wrong: by another type, a number that
cannot be meant, an empty or a nested list, the value of another argument. An error of this package is right, and so
is a result: whether a value can be meant is asked in `tests/property/wrong_calls`. A bare error, or more than 5 s, is
not.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import signal
import sys
import time
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from analysis.errors import AnalysisError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "property" / "wrong_calls"))
from corpus import WRONG, Call, working_calls

SECONDS = 5
MEMORY = 8 * 2**30  # bytes
VALUES: list[Any] = [
    *WRONG.values(),
    *(0, 1, -0.0, 0.5, 1.5, 80.5, 1e-300, 1e300, -1e300, 10**400, 2**63, 1e9, 1j, b"ab", range(3), {1, 2}, (), (1, 2)),
    *("0.6", "85%", "7 months", "< 0.001", "NR", "\N{GREEK SMALL LETTER ALPHA}", "a\nb", "x" * 2000, "2024-01-10"),
    *([0], [1, 2], [1, "a"], [[1, 2], [3]], [None], [True, False], [1e300], [-1, 2], [2, 1], [1, 1]),
    *(np.nan, np.inf, np.float32(0.3), np.int8(-3), np.bool_(True), np.datetime64("2024-01-10")),
    *(np.zeros(0), np.zeros(3), np.zeros((2, 2)), np.array([np.nan, 1.0]), np.array(["a"]), np.array(None)),
    *(date(2024, 1, 10), pd.Timestamp("2024-01-10"), pd.NA, pd.NaT, pd.Series([1.0]), pd.DataFrame({"a": [1]})),
    *(int, len, Exception("x"), Ellipsis, NotImplemented, lambda: 3),
]


def main() -> None:
    """Make the calls and say what they ended in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    mpl.use("agg")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    rng = np.random.default_rng(chosen.seed)
    calls = list(working_calls())
    ended = {"error of this package": 0, "result": 0, "bare": 0, "too long": 0}
    wrong: dict[str, str] = {}
    start = time.perf_counter()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for number in range(chosen.calls):
            call = calls[rng.integers(len(calls))]
            args, kwargs, label = _put_wrong(call, calls, rng)
            how, said = _ended(call, args, kwargs)
            ended[how] += 1
            if how in ("bare", "too long"):
                wrong.setdefault(f"{call.name}, {label}: {said}"[:300], how)
            if number % 5000 == 0:
                import matplotlib.pyplot as plt

                plt.close("all")
                print(number, ended, file=sys.stderr, flush=True)
    seconds = time.perf_counter() - start
    if chosen.json:
        print(json.dumps({"calls": chosen.calls, "seconds": seconds, **ended, "wrong": list(wrong)}))
        return
    print(f"{chosen.calls:,} calls in {seconds:.0f} s: " + ", ".join(f"{n:,} {how}" for how, n in ended.items()))
    for what, how in wrong.items():
        print(f"{how}: {what}")


def _put_wrong(call: Call, calls: list[Call], rng: np.random.Generator) -> tuple[list[Any], dict[str, Any], str]:
    """Put one argument wrong, or two: by a value of the list, or by one that another call has."""
    args, kwargs = list(call.args), dict(call.kwargs)
    places: list[Any] = [*range(len(args)), *kwargs]
    said = []
    for _ in range(1 + (rng.random() < 0.3)):
        if not places:
            break
        place = places[rng.integers(len(places))]
        if rng.random() < 0.25:
            other = calls[rng.integers(len(calls))]
            pool = [*other.args, *other.kwargs.values()]
            value = pool[rng.integers(len(pool))] if pool else None
        else:
            value = VALUES[rng.integers(len(VALUES))]
        said.append(f"{place}={_shown(value)}")
        if isinstance(place, int):
            args[place] = value
        else:
            kwargs[place] = value
    return args, kwargs, " ".join(said)


def _ended(call: Call, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str]:
    signal.alarm(SECONDS)
    try:
        call.function(*args, **kwargs)
    except AnalysisError:
        return "error of this package", ""
    except _TooLongError:
        return "too long", f"more than {SECONDS} s"
    except Exception as error:  # what must not be
        return "bare", f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    return "result", ""


def _shown(value: Any) -> str:
    try:
        return repr(value)[:60]
    except Exception:  # a value that cannot be shown
        return type(value).__name__


class _TooLongError(BaseException):
    """A call that did not come back in time."""


def _too_long(*_: object) -> None:
    raise _TooLongError


if __name__ == "__main__":
    main()
