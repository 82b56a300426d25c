"""The same bits on every executor, and nothing lost when one dies, is interrupted or is killed."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import numpy as np
import pytest

from analysis.design import AtEvents, Look, Scenario, TrialDesign, UniformAccrual
from analysis.errors import InvalidValueError
from analysis.simulation import SimulationError, execution, simulate
from analysis.simulation.chunks import run_chunk
from analysis.statistical_tests import CoxHazardRatio, LogRank
from analysis.survival.distributions import Exponential

DESIGN = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),), dropout=0.005)
SCENARIO = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
TRIALS = 12_000  # two full chunks and a part


def run(**options):
    options = {"trials": TRIALS, "rng": 42, "tests": (LogRank(), CoxHazardRatio())} | options
    return simulate(DESIGN, SCENARIO, **options)


@pytest.fixture(scope="module")
def reference():
    with ThreadPoolExecutor(1) as one:
        return run(executor=one)


def same(result, reference):
    for name, column in reference.columns.items():
        assert result.columns[name].dtype == column.dtype
        assert result.columns[name].tobytes() == column.tobytes(), name
    return True


def test_same_bits_on_threads(reference):
    with ThreadPoolExecutor(2) as two:
        assert same(run(executor=two), reference)
    assert same(run(), reference)


def test_same_bits_on_processes(reference):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two:
        assert same(run(executor=two), reference)


def test_same_bits_on_a_dask_cluster_of_processes(reference):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        assert same(run(executor=client.get_executor()), reference)


def test_first_replicates_do_not_depend_on_how_many_follow(reference):
    short = run(trials=777)
    for name, column in reference.columns.items():
        assert np.array_equal(short.columns[name], column[:777], equal_nan=True)


def test_chunks_are_different_and_so_are_seeds(reference):
    z = reference.statistic()[:, 0]
    assert len(np.unique(z)) > 0.99 * len(z)
    assert not np.isin(run(trials=500, rng=43).statistic()[:, 0], z).any()


def test_a_generator_and_a_seed_sequence_are_seeds_too():
    first, second = (run(trials=50, rng=np.random.default_rng(3)).statistic() for _ in range(2))
    assert np.array_equal(first, second)
    child, other = np.random.SeedSequence(3).spawn(2)
    assert np.array_equal(run(trials=50, rng=child).statistic(), run(trials=50, rng=child).statistic())
    assert not np.array_equal(run(trials=50, rng=child).statistic(), run(trials=50, rng=other).statistic())


class Dying:
    """An executor whose second chunk and everything after it break, as when a worker is killed."""

    def __init__(self):
        self.submitted = 0

    def submit(self, work, *arguments):
        self.submitted += 1
        if self.submitted > 2:
            raise BrokenProcessPool("a child process terminated abruptly")
        future = Future()
        if self.submitted == 2:
            future.set_exception(BrokenProcessPool("a child process terminated abruptly"))
        else:
            future.set_result(work(*arguments))
        return future


def test_chunks_of_a_dead_executor_are_run_again(reference):
    with pytest.warns(UserWarning, match=r"executor failed .*chunk [12] is run in this process"):
        result = run(executor=Dying())
    assert same(result, reference)


def test_a_killed_worker_is_survived(reference):
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    try:
        worker = pool.submit(os.getpid).result()
        os.kill(worker, signal.SIGKILL)
        with pytest.warns(UserWarning, match="executor failed"):
            result = run(executor=pool)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    assert same(result, reference)


class Faulty(LogRank):
    """A test with a defect."""

    def evaluate(self, sets):
        raise ZeroDivisionError("a defect of the test")


def test_a_failing_chunk_is_named():
    with pytest.raises(SimulationError, match=r"chunk 0 \(trials 0 to \d+\).*ZeroDivisionError: a defect"):
        run(tests=(Faulty(),))


def test_interruption_keeps_finished_chunks(reference, monkeypatch):
    def interrupted(plan, number, trials):
        if number == 2:
            raise KeyboardInterrupt
        return run_chunk(plan, number, trials)

    monkeypatch.setattr(execution, "run_chunk", interrupted)
    with pytest.warns(UserWarning, match=r"interrupted: .* of 12,000 replicates are kept"):
        result = run()
    assert 0 < result.trials < TRIALS
    assert np.array_equal(result.statistic(), reference.statistic()[: result.trials])


KILLED = """
    import os, signal, sys
    from analysis.simulation import execution, simulate
    from test_simulation_execution import run
    chunk = execution.run_chunk

    def killed(plan, number, trials):
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return chunk(plan, number, trials)

    execution.run_chunk = killed
    execution.AHEAD = 0
    run(checkpoint=sys.argv[1])
"""


def test_a_killed_run_is_resumed(reference, tmp_path, monkeypatch):
    paths = os.pathsep.join((os.path.dirname(__file__), os.getcwd()))
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)]
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, check=False)
    assert killed.returncode == -signal.SIGKILL
    finished = {path.name for path in tmp_path.glob("chunk-*.npz")}
    assert finished
    fresh = []

    def counted(plan, number, trials):
        fresh.append(number)
        return run_chunk(plan, number, trials)

    monkeypatch.setattr(execution, "run_chunk", counted)
    assert same(run(checkpoint=tmp_path), reference)
    assert len(fresh) == 3 - len(finished)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run(trials=50, checkpoint=tmp_path)
    with pytest.raises(InvalidValueError, match="checkpoint: got"):
        run(trials=50, rng=7, checkpoint=tmp_path)
    with pytest.raises(InvalidValueError, match="checkpoint: got"):
        run(trials=50, tests=(LogRank(),), checkpoint=tmp_path)


def test_stops_at_the_standard_error_asked_for(reference):
    loose = run(trials=100_000, stop_at_std_error=0.006)
    assert loose.trials < TRIALS
    assert loose.power().std_error <= 0.006
    with ThreadPoolExecutor(2) as two:
        assert same(run(trials=100_000, stop_at_std_error=0.006, executor=two), loose)


def test_a_cluster_that_was_closed_is_said_and_the_trials_are_run_here(reference):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        client = distributed.Client(cluster)
        executor = client.get_executor()
        client.close()
    with pytest.warns(UserWarning, match="the executor failed.*run in this process"):
        assert same(run(executor=executor), reference)


class Ending(Executor):
    """A cluster that is shut down after so many chunks: what it has not done ends in an error of its own."""

    def __init__(self, chunks):
        self.left = chunks

    def submit(self, function, /, *args, **kwargs):
        self.left -= 1
        done = Future()
        if self.left < 0:
            done.set_exception(ValueError("too many values to unpack (expected 3)"))
        else:
            done.set_result(function(*args, **kwargs))
        return done


@pytest.mark.parametrize("chunks", [0, 2])
def test_a_cluster_that_is_shut_down_under_way_is_said_and_the_rest_is_run_here(reference, chunks):
    with pytest.warns(UserWarning, match="the executor failed.*too many values.*run in this process"):
        assert same(run(executor=Ending(chunks)), reference)


def test_a_dask_cluster_that_is_shut_down_under_way_loses_nothing():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    alone = run(trials=200_000)
    with distributed.LocalCluster(**options) as cluster:
        client = distributed.Client(cluster)
        executor = client.get_executor()
        ending = threading.Timer(0.3, client.shutdown)
        ending.start()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the executor failed", UserWarning)
            assert same(run(trials=200_000, executor=executor), alone)
        ending.join()


def test_a_clock_that_jumps_changes_nothing(reference, monkeypatch, tmp_path):
    jumps = np.random.default_rng(1)
    monkeypatch.setattr(time, "time", lambda: 1.7e9 + jumps.normal() * 3e8)
    for _ in range(2):
        assert same(run(checkpoint=tmp_path), reference)
