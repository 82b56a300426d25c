"""Speed of group-sequential designs, warm, as ratios to the multivariate normal of scipy on the same machine.

    python benchmarks/designs_sequential.py

The baseline is one set of crossing probabilities of three looks by ``scipy.stats.multivariate_normal.cdf`` at its
default accuracy of 1e-5; each case is a whole design, which evaluates such a set a dozen times to 1e-11.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import multivariate_normal

from analysis.design import Scenario, TrialDesign, UniformAccrual
from analysis.power import Power, events_needed, power
from analysis.sequential import (
    BetaSpending,
    GroupSequentialDesign,
    HwangShihDeCani,
    OBrienFleming,
    crossing_probabilities,
    stagewise_inference,
)
from analysis.statistical_tests import LogRank
from analysis.survival import Exponential

if TYPE_CHECKING:
    from collections.abc import Callable

THREE, TEN = (0.4, 0.65, 1.0), tuple(k / 10 for k in range(1, 11))
UPPER = np.array([3.3569, 2.5555, 1.9901])
TRUTH = Scenario.proportional_hazards(Exponential.from_median(5), 0.74)
BETA = BetaSpending(HwangShihDeCani(-2.0))
BASELINE = "crossing of 3 looks, scipy multivariate normal"


def baseline() -> float:
    """Probability of crossing one of the three upper bounds under the null hypothesis."""
    t = np.array(THREE)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    return 1.0 - float(multivariate_normal.cdf(UPPER, np.zeros(3), correlation))


def survival_design(formula: str = "schoenfeld", **options: object) -> Power:
    """Three looks at BOLERO-2's hazard ratio, with events, hazard ratios at the bounds and calendar times."""
    boundaries = GroupSequentialDesign(THREE, **options)
    design = TrialDesign(
        n=705,
        accrual=UniformAccrual(17),
        looks=boundaries.looks(events=events_needed(0.74, allocation_ratio=2, boundaries=boundaries)),
        allocation={"control": 1, "experimental": 2},
    )
    return power(design, TRUTH, LogRank(formula=formula))


CASES: dict[str, Callable[[], object]] = {
    BASELINE: baseline,
    "crossing of 3 looks": lambda: crossing_probabilities(THREE, -np.inf, UPPER, 0.0),
    "3-look survival design": survival_design,
    "3-look survival design, beta spending": lambda: survival_design(futility=BETA),
    "3-look survival design, exact moments": lambda: survival_design("exact"),
    "10-look design": lambda: GroupSequentialDesign(TEN).inflation,
    "10-look O'Brien-Fleming design": lambda: GroupSequentialDesign(TEN, efficacy=OBrienFleming()).inflation,
    "10-look design, beta spending": lambda: GroupSequentialDesign(TEN, futility=BETA).inflation,
    "stage-wise inference at look 3": lambda: stagewise_inference(GroupSequentialDesign(THREE), 3, 2.1),
}


def measure(case: Callable[[], object], repeats: int) -> float:
    """Median seconds of a call after one that compiles."""
    case()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        case()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    """Print a line per case, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seconds = {name: measure(case, options.repeats) for name, case in CASES.items()}
    rows = [{"case": n, "milliseconds": 1e3 * s, "ratio": s / seconds[BASELINE]} for n, s in seconds.items()]
    if options.json:
        print(json.dumps({"baseline": BASELINE, "cases": rows}, indent=2))
        return
    for row in rows:
        print(f"{row['case']:50} {row['milliseconds']:9.3f} ms {row['ratio']:9.2f} x baseline")


if __name__ == "__main__":
    main()
