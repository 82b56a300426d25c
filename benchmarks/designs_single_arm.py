"""Speed of the single-arm designs, warm, as ratios against a plain NumPy enumeration in the same run."""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.single_arm import exact_binomial_power, simon_two_stage, single_stage

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = {"null_rate": 0.2, "alternative_rate": 0.35, "alpha": 0.05, "power": 0.8}
WIDE = {"null_rate": 0.1, "alternative_rate": 0.2, "alpha": 0.05, "power": 0.9}


def enumerated(
    n_max: int, *, null_rate: float, alternative_rate: float, alpha: float, power: float
) -> dict[int, float]:
    """Smallest expected size for each maximum size: every first stage and both counts, in whole arrays."""
    best: dict[int, float] = {}
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            x, r = np.arange(n1 + 1), np.arange(n)
            reject = []
            for rate in (null_rate, alternative_rate):
                joint = stats.binom.pmf(x, n1, rate)[:, None] * stats.binom.sf(r - x[:, None], n - n1, rate)
                reject.append(joint[::-1].cumsum(axis=0)[::-1][1:])
            kept = (reject[0] <= alpha) & (reject[1] >= power) & (x[:-1, None] <= r)
            if kept.any():
                r1 = int(np.flatnonzero(kept.any(axis=1)).max())
                size = n1 + stats.binom.sf(r1, n1, null_rate) * (n - n1)
                best[n] = min(best.get(n, np.inf), float(size))
    return best


def cases() -> dict[str, Callable[[], object]]:
    """Name the calls; the first part of a name says which baseline it stands against."""
    return {
        "two-stage to 100: optimal, minimax, all admissible": lambda: simon_two_stage(**REQUEST, n_max=100),
        "two-stage to 100: the same as a table": lambda: simon_two_stage(**REQUEST, n_max=100).summary(),
        "two-stage to 200: optimal, minimax, all admissible": lambda: simon_two_stage(**WIDE, n_max=200),
        "two-stage to 200: the same as a table": lambda: simon_two_stage(**WIDE, n_max=200).summary(),
        "two-stage to 100: stopping for efficacy too": lambda: simon_two_stage(
            **REQUEST, n_max=100, early_stopping="futility and efficacy"
        ),
        "single stage": lambda: single_stage(**REQUEST),
        "saw-tooth to 200": lambda: exact_binomial_power(
            np.arange(1, 201), null_rate=0.2, alternative_rate=0.35, alpha=0.05
        ),
    }


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median warm time of a call."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * median(times)


def measure(repeats: int = 30) -> list[dict[str, float | str]]:
    """Time every case, and the enumeration once; both find the same optimum."""
    start = time.perf_counter()
    best = enumerated(100, **REQUEST)
    baseline = 1000 * (time.perf_counter() - start)
    found = simon_two_stage(**REQUEST, n_max=100).optimal.expected_n(REQUEST["null_rate"])
    if abs(found - min(best.values())) > 1e-9:
        raise AssertionError(f"the search finds {found}, the enumeration {min(best.values())}")
    rows: list[dict[str, float | str]] = [{"case": "NumPy enumeration of two-stage designs to 100", "ms": baseline}]
    for name, call in cases().items():
        took = milliseconds(call, repeats)
        rows.append({"case": name, "ms": took})
        if name.startswith("two-stage to 100"):
            rows[-1]["times faster than the enumeration"] = baseline / took
    return rows


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    rows = measure()
    if parser.parse_args().json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        ratio = row.get("times faster than the enumeration")
        print(f"{row['case']:50} {row['ms']:10.3f} ms" + (f"  {ratio:8.0f} x" if ratio else ""))


if __name__ == "__main__":
    main()
