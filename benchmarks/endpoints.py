"""How fast endpoints are derived: simulated trials down to the scan, and one real trial's measurements.

    python benchmarks/endpoints.py [--json] [--trials 10000]

Both stand as ratios to a named baseline of the same run: drawing as many normal deviates with numpy, and reading the
same frame into rows with pandas. Compilation is not counted; the derivation is the median of several runs.
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    BestOverallResponse,
    ProgressionFreeSurvival,
    PseudoProgression,
    Rate,
    Readers,
    Stein,
    Treatment,
    Tumours,
    derive,
    simulate_endpoints,
    simulated_measurements,
)
from analysis.endpoints.simulated_measurements import SimulatedMeasurements
from analysis.safety import TreatmentCourse

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENTS, LESIONS, VISITS = 30, 5, 5
RUNS = 9
TUMOURS = Tumours(
    Stein(Rate(0.12, 0.6, 0.3), Rate(0.08, 1.0, 0.3)),
    targets=LESIONS,
    new_lesions=0.12,
    non_target=0.03,
    death=0.04,
    pseudo_progression=PseudoProgression(0.06),
)
TREATMENT = Treatment(
    TreatmentCourse(0.15, frailty=0.5, interrupts=0.5, reduces=0.3, ends=0.1, longest=12.0), regrowth=Rate(0.2, 0.5)
)
SCANS = Attendance(Assessments([8 * WEEK, 16 * WEEK, 24 * WEEK, 36 * WEEK, 48 * WEEK], window=0.1), until=48 * WEEK)


def seconds(work: Callable[[], object], runs: int = 1) -> float:
    """Wall-clock seconds of a call, the median of some runs."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def used(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a call, and the most bytes that Python held while it ran again."""
    taken = seconds(work)
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken, float(most)


def measured_trial(patients: int) -> SimulatedMeasurements:
    """Lay out one trial as it is delivered: targets with their sums, non-target and new lesions, by two readers."""
    readers = Readers(error=0.05, independent=True, stops_at_investigator=False)
    result = simulate_endpoints(TUMOURS, SCANS, patients=patients, trials=1, rng=1, readers=readers)
    measured = simulated_measurements(result)
    targets = measured.tr[measured.tr["group"] == "TARGET"].astype({"value": float})
    sums = targets.groupby(["subject", "evaluator", "visit", "date"], as_index=False)["value"].sum().round(1)
    return measured._replace(tr=pd.concat([measured.tr, sums.assign(group="TARGET", test="SUMDIAM")]))


def run(trials: int) -> dict[str, float]:
    """Measure everything once; the first calls compile."""

    def simulated(count: int, treatment: Treatment | None = None) -> object:
        readers = Readers(error=0.05)
        return simulate_endpoints(
            TUMOURS, SCANS, patients=PATIENTS, trials=count, rng=1, readers=readers, treatment=treatment
        )

    def derived(trial: SimulatedMeasurements) -> object:
        derivation = derive(*trial)
        return derivation.endpoints({"BOR": BestOverallResponse(), "PFS": ProgressionFreeSurvival()})

    measured = measured_trial(250)
    simulated(2, TREATMENT)
    derived(measured._replace(tr=measured.tr.head(60)))
    draws = trials * PATIENTS * LESIONS * (VISITS + 1)
    simulation, normals = (
        seconds(lambda: simulated(trials)),
        seconds(lambda: np.random.default_rng(1).normal(size=draws)),
    )
    with_treatment = seconds(lambda: simulated(trials, TREATMENT))
    many, twice = measured_trial(2500), measured_trial(5000)
    (half, half_memory), (whole, memory) = used(lambda: derived(many)), used(lambda: derived(twice))
    investigator = SimulatedMeasurements(
        *(frame[frame["evaluator"] == "investigator"] for frame in measured[:2]), measured.subjects
    )
    two, one = seconds(lambda: derived(measured), RUNS), seconds(lambda: derived(investigator), RUNS)
    reading = seconds(lambda: list(measured.tr.itertuples()), RUNS)
    return {
        "trials": trials,
        "simulation_seconds": simulation,
        "simulation_over_normal_draws": simulation / normals,
        "with_treatment_over_without": with_treatment / simulation,
        "derivation_of_250_patients_seconds": one,
        "derivation_by_two_readers_seconds": two,
        "rows_of_250_patients_by_two_readers": len(measured.tr),
        "derivation_over_reading_rows": two / reading,
        "derivation_of_5000_by_two_readers_seconds": whole,
        "time_of_5000_over_2500": whole / half,
        "memory_of_5000_over_2500": memory / half_memory,
        "memory_of_5000_megabytes": memory / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    result = run(options.trials)
    print(
        json.dumps(result) if options.json else "\n".join(f"{name:42s} {value:10.3g}" for name, value in result.items())
    )


if __name__ == "__main__":
    main()
