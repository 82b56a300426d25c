"""Trials per second of the engine, beside loops over single trials in NumPy, SciPy and lifelines.

The speed of a shared machine drifts, so the engine and the NumPy loop run in turn and the median of the paired ratios
is quoted. Run ``python benchmarks/simulation.py`` for a table, with ``--json`` for one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analysis.design import AtEvents, Look, Scenario, TrialDesign, UniformAccrual
from analysis.simulation import simulate
from analysis.statistical_tests import LogRank
from analysis.survival import Exponential

if TYPE_CHECKING:
    from collections.abc import Callable

CRITICAL_Z = 1.959964
ROUNDS = 7
SECONDS = 0.4


@dataclass(frozen=True)
class Case:
    """One design: sizes in patients and events, times in months, dropout per month."""

    n: int
    allocation: int
    accrual: float
    events: int
    hazard_ratio: float
    control_median: float
    dropout: float
    replicates: int

    def design(self) -> tuple[TrialDesign, Scenario]:
        """Give the same for the engine."""
        design = TrialDesign(
            n=self.n,
            allocation={"control": 1, "experimental": self.allocation},
            accrual=UniformAccrual(self.accrual),
            looks=(Look(AtEvents(self.events)),),
            dropout=self.dropout,
        )
        return design, Scenario.proportional_hazards(Exponential.from_median(self.control_median), self.hazard_ratio)


CASES = {
    "A": Case(100, 1, 18, 60, 0.6, 11, 0.005, replicates=1_000_000),
    "B": Case(723, 2, 17, 528, 0.74, 5, 0.005, replicates=100_000),
    "C": Case(5000, 1, 24, 3500, 0.8, 11, 0.005, replicates=10_000),
}


def cut_data(rng: np.random.Generator, case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Generate one trial and cut it at its events: times, events, arms of the enrolled."""
    experimental = np.zeros(case.n, np.int8)
    experimental[: case.n * case.allocation // (1 + case.allocation)] = 1
    entry = rng.random(case.n) * case.accrual
    hazard = np.where(experimental == 1, case.hazard_ratio, 1) * np.log(2) / case.control_median
    survival = rng.exponential(1, case.n) / hazard
    lost = rng.exponential(1 / case.dropout, case.n)
    observed = np.minimum(survival, lost)
    event = survival <= lost
    calendar = entry + observed
    cut = np.partition(calendar[event], case.events - 1)[case.events - 1]
    enrolled = entry < cut
    return (
        np.minimum(observed, cut - entry)[enrolled],
        (event & (calendar <= cut))[enrolled],
        experimental[enrolled],
    )


def numpy_trial(rng: np.random.Generator, case: Case) -> float:
    """One trial, its log-rank z by sorting and cumulative sums: the baseline."""
    time_, event, group = cut_data(rng, case)
    order = np.argsort(time_)
    event, group = event[order], group[order]
    at_risk = np.arange(len(group), 0, -1)
    p = np.cumsum(group[::-1])[::-1] / at_risk
    return (event * (group - p)).sum() / np.sqrt((event * p * (1 - p)).sum())


def scipy_trial(rng: np.random.Generator, case: Case) -> float:
    """One trial, tested by `scipy.stats.logrank`."""
    from scipy.stats import CensoredData, logrank

    time_, event, group = cut_data(rng, case)
    arms = [CensoredData.right_censored(time_[group == arm], ~event[group == arm]) for arm in (1, 0)]
    return float(logrank(*arms).statistic)


def lifelines_trial(rng: np.random.Generator, case: Case) -> float:
    """One trial, tested by `lifelines.statistics.logrank_test`."""
    from lifelines.statistics import logrank_test

    time_, event, group = cut_data(rng, case)
    in_arm = group == 1
    result = logrank_test(time_[in_arm], time_[~in_arm], event[in_arm], event[~in_arm])
    return float(result.test_statistic)


def loop_rate(trial: Callable[[np.random.Generator, Case], float], case: Case, seconds: float, seed: int) -> float:
    """Trials per second of a loop that runs for about `seconds`."""
    rng, done, start = np.random.default_rng(seed), 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds or done < 3:
        trial(rng, case)
        done += 1
    return done / spent


def engine_rate(case: Case, trials: int, threads: int, seed: int) -> float:
    """Trials per second of the engine on a number of threads."""
    design, scenario = case.design()
    with ThreadPoolExecutor(threads) as pool:
        pool.submit(int).result()
        start = time.perf_counter()
        simulate(design, scenario, trials=trials, rng=seed, tests=(LogRank(),), executor=pool, progress=False)
        return trials / (time.perf_counter() - start)


def measure(case: Case) -> dict[str, float]:
    """Paired rounds of engine and loops for one design."""
    engine_rate(case, 1000, 1, seed=0)  # compiled, or read from the cache, before anything is timed
    trials = int(max(100, engine_rate(case, max(200, 200_000 // case.n), 1, seed=0) * 2 * SECONDS))
    one, two, loop = [], [], []
    for seed in range(1, ROUNDS + 1):
        loop.append(loop_rate(numpy_trial, case, SECONDS, seed))
        one.append(engine_rate(case, trials, 1, seed))
        two.append(engine_rate(case, trials, 2, seed))
    design, scenario = case.design()
    power = simulate(design, scenario, trials=10_000_000 // case.n, rng=1).power()
    return {
        "trials_per_second": statistics.median(one),
        "numpy_trials_per_second": statistics.median(loop),
        "scipy_trials_per_second": loop_rate(scipy_trial, case, SECONDS, 1),
        "lifelines_trials_per_second": loop_rate(lifelines_trial, case, SECONDS, 1),
        "ratio": statistics.median(engine / plain for engine, plain in zip(one, loop, strict=True)),
        "thread_speedup": statistics.median(both / single for both, single in zip(two, one, strict=True)),
        "power": power.value,
        "power_std_error": power.std_error,
        "peak_mib": peak_mib(case),
    }


def peak_mib(case: Case) -> float:
    """Peak memory, in MiB, of a process of its own that simulates the case's replicates."""
    name = next(key for key, value in CASES.items() if value == case)
    command = [sys.executable, __file__, "--memory-of", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def growth() -> dict[str, dict[str, float]]:
    """Microseconds per replicate as n grows, and per replicate as their number grows, for designs like A."""
    by_n, by_replicates = {}, {}
    for n in (50, 100, 200, 500, 1000, 2000, 5000, 10_000):
        case = Case(n, 1, 18, int(0.6 * n), 0.6, 11, 0.005, replicates=0)
        engine_rate(case, 100, 1, seed=0)
        by_n[str(n)] = 1e6 / engine_rate(case, max(100, 20_000_000 // n // 10), 1, seed=1)
    for replicates in (1000, 10_000, 100_000, 1_000_000):
        by_replicates[str(replicates)] = 1e6 / engine_rate(CASES["A"], replicates, 1, seed=1)
    return {"microseconds_by_n": by_n, "microseconds_by_replicates": by_replicates}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--memory-of", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        case = CASES[arguments.memory_of]
        design, scenario = case.design()
        simulate(design, scenario, trials=case.replicates, rng=1, progress=False)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    measured: dict[str, object] = {name: measure(case) for name, case in CASES.items()}
    measured["peak_mib"] = measured["A"]["peak_mib"]  # type: ignore[index]  # a million replicates of n = 100
    measured["growth"] = growth()
    if arguments.json:
        print(json.dumps(measured, indent=2))
        return
    for name in CASES:
        row = measured[name]
        print(name, "  ".join(f"{key} {value:,.4g}" for key, value in row.items()))  # type: ignore[attr-defined]
    for key, values in measured["growth"].items():  # type: ignore[attr-defined]
        print(key, "  ".join(f"{size}: {value:.3g}" for size, value in values.items()))


if __name__ == "__main__":
    main()
