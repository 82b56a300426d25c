"""The patients behind the replicates, as the frame that a statistician would be handed at the data cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import count
from analysis.engine.clock import BatchClock
from analysis.engine.patients import draw
from analysis.engine.risk_sets import snapshot
from analysis.engine.streams import chunk_state
from analysis.errors import InvalidValueError
from analysis.simulation.chunks import cut_times, plan_for

if TYPE_CHECKING:
    import pandas as pd

    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.engine.patients import Batch
    from analysis.simulation.chunks import Plan


MOST_ROWS = 50_000_000  # patients in one table


@border
def simulated_patients(
    design: TrialDesign,
    scenario: Scenario,
    *,
    trials: int,
    rng: Seed,
    look: int | None = None,
) -> pd.DataFrame:
    """Patients of the first replicates that `simulate` makes of the same seed.

    Parameters
    ----------
    design, scenario, rng
        As for `simulate`.
    trials
        Number of replicates.
    look
        The look at which the data are cut, numbered from 1; None: the last.

    Returns
    -------
    DataFrame
        One row per patient enrolled by the cut: ``trial``, ``arm``, ``stratum``, ``entry`` (calendar months), ``start``
        (months from time zero to coming under observation), and for every endpoint ``<endpoint>_time`` (months from
        time zero) and ``<endpoint>_event``. Where a schedule of assessments is kept also ``<endpoint>_left`` and
        ``<endpoint>_right``: the interval that holds the event, to infinity for the censored.

    Raises
    ------
    InvalidValueError
        If there is no such look.

    Examples
    --------
    >>> from analysis.design import AtEvents, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival.distributions import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),))
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> frame = simulated_patients(design, scenario, trials=2, rng=1)
    >>> frame.groupby("trial")["PFS_event"].sum().tolist()
    [60, 60]
    """
    import pandas as pd

    looks = len(design.looks)
    chosen = count("look", looks if look is None else look, "looks")
    if chosen > looks:
        raise InvalidValueError("look", look, f"a look from 1 to {looks}", "choose one of the design's looks")
    plan = plan_for(design, scenario, (), rng)
    frames = []
    most = max(MOST_ROWS // max(int(design.n), 1), 1)
    for first in range(0, count("trials", trials, "replicates", at_most=most), plan.batch_trials):
        if first % plan.chunk_trials == 0:
            state = chunk_state(plan.seed, first // plan.chunk_trials)
        batch = draw(plan.who, state, min(plan.batch_trials, trials - first))
        frames.append(_frame(plan, batch, chosen - 1, first))
    return pd.concat(frames, ignore_index=True)


def _frame(plan: Plan, batch: Batch, look: int, first: int) -> pd.DataFrame:
    import pandas as pd

    cut = cut_times(plan.design, BatchClock(plan.who, batch, plan.design.endpoint))[0][:, look]
    sizes = plan.design.cell_sizes
    trials = len(batch.entry)
    enrolled = (batch.entry < cut[:, None]).ravel()
    columns: dict[str, object] = {
        "trial": np.repeat(np.arange(first + 1, first + trials + 1), plan.who.n),
        "arm": np.tile(np.repeat([arm for _, arm in sizes], list(sizes.values())), trials),
        "stratum": np.tile(np.repeat([stratum for stratum, _ in sizes], list(sizes.values())), trials),
        "entry": batch.entry.ravel(),
        "start": batch.start.ravel() if batch.start.size else np.zeros(batch.entry.size),
    }
    for endpoint, seen in batch.endpoints.items():
        known = snapshot(batch, seen, cut)
        columns[f"{endpoint}_time"] = known.time.ravel()
        columns[f"{endpoint}_event"] = known.event.ravel()
        if seen.assessed:
            columns[f"{endpoint}_left"] = np.where(known.event, seen.left, known.time).ravel()
            columns[f"{endpoint}_right"] = np.where(known.event, seen.known, np.inf).ravel()
    return pd.DataFrame(columns)[enrolled]
