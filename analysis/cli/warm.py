"""``trial-analysis warm``: compile every kernel once, so that no first call waits; for images and clusters."""

import sys
import time
from collections.abc import Callable

import typer
from tqdm import tqdm

from analysis.cli.shell import command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "warm")(warm)


def warm() -> int:
    """Compile every kernel: no first call waits.

    A minute or two; for images and clusters.
    """
    start = time.perf_counter()
    for kind, work in tqdm(_work().items(), unit="kind", disable=not sys.stderr.isatty()):
        begun = time.perf_counter()
        work()
        print(f"{kind:40s} {time.perf_counter() - begun:5.1f} s")
    print(f"{'all':40s} {time.perf_counter() - start:5.1f} s")
    return 0


def _work() -> dict[str, Callable[[], object]]:
    """Give the smallest piece of each kind of compiled work."""
    from analysis import load, reconstruct
    from analysis.conventions import WEEK
    from analysis.design import Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual
    from analysis.endpoints import Attendance, Rate, Readers, Stein, Tumours, simulate_endpoints
    from analysis.simulation import simulate
    from analysis.statistical_tests import CoxHazardRatio, LogRank, MaxCombo, RMSTDifference
    from analysis.survival import Exponential

    report = load("bolero-2").comparison("pfs-first-line-local")
    design = TrialDesign(
        n=20,
        accrual=UniformAccrual(6),
        looks=(Look(AtTime(12)),),
        assessments=Assessments.every(8 * WEEK),
        dropout=0.01,
    )
    scenario = Scenario.proportional_hazards(Exponential(0.1), 0.6)
    tests = (LogRank(), MaxCombo(), RMSTDifference(6), CoxHazardRatio())
    tumours = Tumours(Stein(Rate(0.1, 0.5), Rate(0.1, 0.5)), new_lesions=0.1)
    scans = Attendance(Assessments.every(8 * WEEK), until=12.0)
    readers = Readers(error=0.1, independent=True, adjudication=True)
    return {
        "reconstruction": lambda: reconstruct(report, members=2, rng=1).faithful,
        "simulation of trials": lambda: simulate(design, scenario, trials=2, rng=1, tests=tests),
        "endpoints": lambda: simulate_endpoints(tumours, scans, patients=5, trials=2, rng=1, readers=readers),
    }
