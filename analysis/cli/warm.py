"""``trial-analysis warm``: compile every kernel once, so that no first call waits; for images and clusters."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

import typer
from tqdm import tqdm

from analysis import compiling
from analysis.cli.shell import command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "warm")(warm)


def warm() -> int:
    """Compile every kernel, so that no first call waits.

    A minute or two on two processors; for images and clusters.
    """
    start = time.perf_counter()
    workers = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(_timed, work) for work in (_comparisons, _designs, _endpoints, _points, _reconstruction)]
        for task in tqdm(as_completed(tasks), total=len(tasks), unit="kind", disable=not sys.stderr.isatty()):
            kind, seconds = task.result()
            print(f"{kind:40s} {seconds:5.1f} s", flush=True)
    print(f"{'all':40s} {time.perf_counter() - start:5.1f} s")
    return 0


def _timed(work: Callable[[], str]) -> tuple[str, float]:
    """Do a piece of work in a process of its own; gives its name and its seconds."""
    compiling.PATIENCE = 3600.0  # who warms knows what is waited for
    begun = time.perf_counter()
    with compiling.compilation_announced():
        return work(), time.perf_counter() - begun


def _reconstruction() -> str:
    from analysis import load, reconstruct

    trial = load("bolero-2")
    of_two_cuts = ("pfs-interim-local", "pfs-interim-central", "pfs-final-local")
    reconstruct([trial.comparison(one) for one in of_two_cuts], members=2, rng=1)
    return "reconstruction"


def _comparisons() -> str:
    """Half of the reconstruction's kernels, which can be compiled without members while the others are."""
    import numpy as np

    from analysis import load
    from analysis.reconstruction.from_report import SCALES_TRIED
    from analysis.reconstruction.repair.asking import asked_of, layout_of
    from analysis.reconstruction.repair.engine import EFFORTS
    from analysis.reconstruction.repair.members import meet_comparisons, new_boards, walk_arms
    from analysis.reconstruction.report.block import Block
    from analysis.reconstruction.report.requirements import read_requirements

    report = load("bolero-2").comparison("pfs-final-local")
    block, effort = Block.single(report, read_requirements(report, SCALES_TRIED[0])), EFFORTS[0]
    boards = new_boards(0, layout_of(block).size, cuts=1)
    wanted, rng_states = np.empty((0, 1, block.arms), np.int64), np.empty((0, 1), np.uint64)
    for kernel in (meet_comparisons, walk_arms):
        kernel(boards, asked_of(block, effort), wanted, effort, rng_states, np.empty(0))
    return "reconstruction, comparisons"


def _points() -> str:
    from analysis import reconstruct_curve
    from analysis.reported import AtRisk, Reported, ReportedArm, ReportedComparison

    n, events = Reported("40", "count"), Reported("24", "count")
    arm = ReportedArm("drug", n=n, events=events, at_risk=AtRisk((0, 6, 12), (40, 24, 9)))
    points = [(0, 1), (2, 0.9), (4, 0.75), (6, 0.62), (9, 0.45), (12, 0.37), (15, 0.32)]
    reconstruct_curve(ReportedComparison("PFS", (arm,)), {"drug": points}, members=2)
    return "digitised curves"


def _designs() -> str:
    from analysis.conventions import WEEK
    from analysis.design import Assessments, AtEvents, AtTime, Look, Scenario, TrialDesign, UniformAccrual
    from analysis.sequential import AlphaSpending, GroupSequentialDesign, LanDeMetsOBrienFleming
    from analysis.simulation import simulate
    from analysis.single_arm import simon_two_stage
    from analysis.statistical_tests import (
        CoxHazardRatio,
        FlemingHarrington,
        LogRank,
        MaxCombo,
        MilestoneDifference,
        QuantileDifference,
        RMSTDifference,
    )
    from analysis.survival import Exponential

    design = TrialDesign(
        n=20,
        accrual=UniformAccrual(6),
        looks=(Look(AtEvents(5)), Look(AtTime(12))),
        assessments=Assessments.every(8 * WEEK),
        dropout=0.01,
    )
    scenario = Scenario.proportional_hazards(Exponential(0.1), 0.6)
    weighted = LogRank(weight=FlemingHarrington(0, 1))
    of_curves = (RMSTDifference(6), MilestoneDifference(6), QuantileDifference())
    simulate(design, scenario, trials=2, rng=1, tests=(LogRank(), weighted, MaxCombo(), CoxHazardRatio(), *of_curves))
    GroupSequentialDesign((0.5, 1.0), efficacy=AlphaSpending(LanDeMetsOBrienFleming())).looks(events=40)
    simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8)
    return "designs and simulated trials"


def _endpoints() -> str:
    from analysis import endpoints as of
    from analysis.conventions import WEEK
    from analysis.design import Assessments

    tumours = of.Tumours(of.Stein(of.Rate(0.1, 0.5), of.Rate(0.1, 0.5)), new_lesions=0.1)
    scans = of.Attendance(Assessments.every(8 * WEEK), until=12.0)
    readers = of.Readers(error=0.1, independent=True, adjudication=True)
    simulated = of.simulate_endpoints(tumours, scans, patients=5, trials=2, rng=1, readers=readers)
    derivation = of.derive(*of.simulated_measurements(simulated, trial=0))
    derivation.endpoints({"BOR": of.BestOverallResponse(), "PFS": of.ProgressionFreeSurvival()})
    return "endpoints"
