"""Simulate a design under a scenario, or a grid of both."""

from __future__ import annotations

import platform
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from analysis.compiling import compilation_announced
from analysis.conventions.border import border
from analysis.conventions.checks import count, number
from analysis.conventions.monte_carlo import proportion
from analysis.errors import InvalidValueError
from analysis.simulation.chunks import Columns, Plan, plan_for
from analysis.simulation.execution import Checkpoint, finished_chunks
from analysis.simulation.results import SimulatedTrials
from analysis.statistical_tests import LogRank, OneArmTest, TwoArmTest
from analysis.version import __version__

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd
    from tqdm import tqdm

    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign


@border
def simulate(
    design: TrialDesign,
    scenario: Scenario,
    *,
    trials: int,
    rng: Seed,
    tests: Sequence[OneArmTest | TwoArmTest] = (LogRank(),),
    executor: Executor | None = None,
    stop_at_std_error: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | None = None,
) -> SimulatedTrials:
    """Simulate a design under a scenario.

    Parameters
    ----------
    design
        The trial's design.
    scenario
        The truth that is assumed.
    trials
        Number of replicates; with `stop_at_std_error` the greatest number.
    rng
        Seed, ``SeedSequence`` or ``Generator``. The same seed gives the same bits on any number of threads, processes
        or machines; the first replicates do not depend on how many follow.
    tests
        Tests to compute on every replicate; the first is the one that `stop_at_std_error` looks at.
    executor
        Any `concurrent.futures.Executor`; None: one thread per processor.
    stop_at_std_error
        Stop once the Monte Carlo standard error of the first test's power is at most this, for every experimental arm;
        judged after every chunk, in order, so that the number of replicates does not depend on the executor.
    checkpoint
        Folder that keeps every finished chunk; a run with the same design, scenario, tests and seed goes on from there.
    progress
        Show a progress bar; None: only in a terminal.

    Returns
    -------
    SimulatedTrials
        The replicates. After Ctrl-C these are the replicates of the finished chunks, and a warning says so.

    Raises
    ------
    InvalidValueError
        If a number or a combination is impossible.
    UnknownNameError
        If the scenario's arms or strata are not those of the design.
    InfeasibleDesignError
        If a cut cannot be expected ever to come; says how many events are expected.
    SimulationError
        If a chunk fails; names it.

    Examples
    --------
    >>> from analysis.design import AtEvents, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),), dropout=0.005)
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> result = simulate(design, scenario, trials=10_000, rng=1)
    >>> abs(result.power().value - 0.50) < 0.02
    True
    """
    _check_tests(tests)
    plan = plan_for(design, scenario, tests, rng)
    trials = count("trials", trials, "replicates")
    target = None if stop_at_std_error is None else number("stop_at_std_error", stop_at_std_error, above=0, below=1)
    kept = Checkpoint(Path(checkpoint), plan) if checkpoint is not None else None
    columns: Columns = {name: np.empty((trials, *shape), kind) for name, (shape, kind) in plan.shapes().items()}
    done = 0
    with compilation_announced(), _bar(trials, progress) as bar:
        try:
            for first, chunk in finished_chunks(plan, trials, executor, kept):
                done = first + len(chunk["reached"])
                for name, column in columns.items():
                    column[first:done] = chunk[name]
                bar.update(done - first)
                if target is not None and _power_error(plan, scenario, columns, done) <= target:
                    break
        except KeyboardInterrupt:
            if done == 0:
                raise
            warnings.warn(f"interrupted: {done:,} of {trials:,} replicates are kept", stacklevel=2)
    return _result(plan, scenario, {name: column[:done] for name, column in columns.items()})


@border
def simulate_grid(
    designs: TrialDesign | Mapping[str, TrialDesign],
    scenarios: Sequence[Scenario],
    *,
    trials: int,
    rng: int | np.random.SeedSequence,
    tests: Sequence[OneArmTest | TwoArmTest] = (LogRank(),),
    executor: Executor | None = None,
    stop_at_std_error: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Operating characteristics of every design under every scenario, in one tidy frame.

    All cells use the same random numbers, so differences between them are more precise than each of them.

    Parameters
    ----------
    designs
        One design, or several by name.
    scenarios
        Scenarios, told apart by their names.
    trials, rng, tests, executor, stop_at_std_error, progress
        As for `simulate`; `rng` is a seed or a ``SeedSequence``, since a generator would give each cell another.
    checkpoint
        Folder; each cell keeps its chunks in a folder of its own inside.

    Returns
    -------
    DataFrame
        ``design`` and ``scenario`` before the columns of `SimulatedTrials.operating_characteristics`.

    Raises
    ------
    InvalidValueError
        If two scenarios share a name, or `rng` is a generator; else as `simulate`.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> grid = simulate_grid(design, [scenario, scenario.null()], trials=100, rng=1)
    >>> sorted(grid["scenario"].unique())
    ['HR 0.6', 'HR 0.6, null']
    """
    import pandas as pd

    names = [scenario.name for scenario in scenarios]
    if not names or len(set(names)) < len(names):
        raise InvalidValueError("scenarios", names, "scenarios with names of their own", "pass name=... to each")
    if isinstance(rng, np.random.Generator):
        raise InvalidValueError("rng", rng, "a seed or a SeedSequence", "draw one from the generator first")
    by_name = designs if isinstance(designs, Mapping) else {"design": designs}
    frames = []
    for row, (name, design) in enumerate(by_name.items()):
        for position, scenario in enumerate(scenarios):
            result = simulate(
                design,
                scenario,
                trials=trials,
                rng=rng,
                tests=tests,
                executor=executor,
                stop_at_std_error=stop_at_std_error,
                checkpoint=None if checkpoint is None else Path(checkpoint) / f"{row:03d}-{position:03d}",
                progress=progress,
            )
            frame = result.operating_characteristics()
            frame.insert(0, "scenario", scenario.name)
            frame.insert(0, "design", name)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _check_tests(tests: Sequence[OneArmTest | TwoArmTest]) -> None:
    if isinstance(tests, OneArmTest | TwoArmTest):
        raise InvalidValueError("tests", tests, "a list of tests", "write tests=[...]")
    names = [getattr(test, "name", repr(test)) for test in tests]
    if not names or len(set(names)) < len(names):
        expected, remedy = "at least one test, none of them twice", "drop or rename the double one"
        raise InvalidValueError("tests", names, expected, remedy)


def _bar(trials: int, progress: bool | None) -> tqdm[NoReturn]:
    if not (sys.stderr.isatty() if progress is None else progress):
        from tqdm import tqdm  # the other one warns in a notebook without widgets, shown or not

        return tqdm(total=trials, disable=True)
    from tqdm.auto import tqdm as shown

    return shown(total=trials, unit="trial")


def _power_error(plan: Plan, scenario: Scenario, columns: Columns, done: int) -> float:
    so_far = _result(plan, scenario, {name: column[:done] for name, column in columns.items()})
    return max(proportion(so_far.course(arm=arm).rejected).std_error for arm in plan.design.experimental_arms)


def _result(plan: Plan, scenario: Scenario, columns: Columns) -> SimulatedTrials:
    import numba

    versions = {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__}
    versions["trial-outcome-analysis"] = __version__
    return SimulatedTrials(
        plan.design,
        scenario,
        plan.tests,
        plan.seed.entropy,
        tuple(plan.seed.spawn_key),
        columns,
        plan.who.endpoints,
        versions,
    )
