"""Patients of a batch of trials: entry, event, loss, and what is known of them when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.design import IllnessDeath
from analysis.engine.hazards import HazardTables, event_times, event_times_after, hazard_tables
from analysis.engine.streams import fill_uniform, unit_exponentials
from analysis.engine.visits import Observations, Visits, see_progression, visits_of
from analysis.errors import InvalidValueError
from analysis.survival import PiecewiseExponential

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.design import Accrual, Scenario, TrialDesign

    Floats = NDArray[np.float64]

NEVER = PiecewiseExponential([0.0], [])
NO_VISITS = Visits(np.array([np.inf]), np.inf, 0.0, 0.0, False)


class Batch(NamedTuple):
    """Patients of several trials, arrays of shape (trials, n), in months.

    `entry` is on the calendar, `origin` the calendar time of each patient's time zero, `start` the months from there
    to the entry (shape (0, 0) if there is no delayed entry).
    """

    entry: Floats
    origin: Floats
    start: Floats
    endpoints: dict[str, Observations]


@dataclass(frozen=True)
class Population:
    """Everything that patients are drawn from, ready for compiled code; picklable.

    Columns are ordered by stratum, then arm: cell c, named by `cells`, holds columns bounds[c] to bounds[c + 1].
    """

    n: int
    cells: tuple[tuple[str, str], ...]
    bounds: NDArray[np.int64]
    accrual: Accrual
    latent: tuple[HazardTables, ...]
    members: int
    loss: HazardTables | None
    delay: HazardTables | None
    visits: Visits | None
    endpoints: tuple[str, ...]
    clock_at_progression: bool
    follow_up: float

    @property
    def width(self) -> int:
        """Uniform numbers that one trial takes."""
        kinds = 1 + len(self.latent) + (self.loss is not None) + (self.delay is not None) + (self.visits is not None)
        return self.n * kinds + (self.members > 1)

    def columns_of(self, arm: str | None, stratum: str | None) -> NDArray[np.bool_]:
        """Mark the columns of an arm, of a stratum; None for all; shape (n,)."""
        chosen = [arm in (None, a) and stratum in (None, s) for s, a in self.cells]
        return np.repeat(chosen, np.diff(self.bounds))


def population(design: TrialDesign, scenario: Scenario) -> Population:
    """Prepare a design under a scenario for drawing.

    Raises
    ------
    UnknownNameError
        If arms or strata of the two do not match.
    InvalidValueError
        If some arms are given as illness-death models and others are not, ensembles differ in size, or what is asked
        for together does not go together.
    """
    scenario.check(design)
    cells = list(design.cell_sizes)
    models = [scenario.of(arm, stratum) for stratum, arm in cells]
    illness_death = [model for model in models if isinstance(model, IllnessDeath)]
    if illness_death and len(illness_death) < len(models):
        raise InvalidValueError("scenario", scenario.name, "illness-death models for all arms or for none", "complete")
    if len({model.clock for model in illness_death}) > 1:
        raise InvalidValueError("scenario", scenario.name, "one clock for all illness-death models", "choose one")
    if design.delayed_entry is not None and (design.assessments is not None or illness_death):
        expected = "no assessments and no illness-death model with it"
        raise InvalidValueError("delayed_entry", design.delayed_entry, expected, "drop one of them")
    latent = tuple(
        hazard_tables(times)  # one table a cell, or three kinds of them
        for times in zip(*[m.times if isinstance(m, IllnessDeath) else (m,) for m in models], strict=True)
    )
    losses = [design.dropout_of(arm) for _, arm in cells]
    loss = hazard_tables([lost or NEVER for lost in losses]) if any(losses) else None
    delay = hazard_tables([design.delayed_entry] * len(cells)) if design.delayed_entry else None
    sizes = {tables.members for tables in (*latent, loss, delay) if tables is not None} - {1}
    if len(sizes | ({scenario.members} - {1})) > 1:
        expected = "ensembles with as many members in event times, dropout and delayed entry"
        raise InvalidValueError("scenario", sorted(sizes), expected, "align them")
    return Population(
        n=design.n,
        cells=tuple(cells),
        bounds=np.concatenate(([0], np.cumsum(list(design.cell_sizes.values())))),
        accrual=design.entry,
        latent=latent,
        members=max(sizes, default=1),
        loss=loss,
        delay=delay,
        visits=visits_of(design.assessments) if design.assessments else None,
        endpoints=("PFS", "OS") if illness_death else (design.endpoint,),
        clock_at_progression=any(model.clock == "progression" for model in illness_death),
        follow_up=np.inf if design.follow_up is None else design.follow_up,
    )


def draw(who: Population, state: NDArray[np.uint64], trials: int) -> Batch:
    """Draw the next `trials` trials of a stream, which is advanced."""
    uniform = np.empty((trials, who.width))
    fill_uniform(state, uniform.ravel())
    first = iter(range(0, who.width, who.n))
    member = np.zeros(trials, np.int64)
    if who.members > 1:
        member = (uniform[:, -1] * who.members).astype(np.int64)
    entry = who.accrual.entry_times(_columns(uniform, next(first), who.n))
    start = np.empty((0, 0))
    if who.delay is not None:
        start = _exponentials(uniform, next(first), who.n)
        event_times(who.delay, member, who.bounds, start)
    latent = [_exponentials(uniform, next(first), who.n) for _ in who.latent]
    for tables, times in zip(who.latent[:2], latent, strict=False):
        if start.size:
            event_times_after(tables, member, who.bounds, start, times)
        else:
            event_times(tables, member, who.bounds, times)
    loss = None
    if who.loss is not None:
        loss = _exponentials(uniform, next(first), who.n)
        event_times(who.loss, member, who.bounds, loss)
    if who.follow_up < np.inf:
        loss = np.full_like(entry, who.follow_up) if loss is None else np.minimum(loss, who.follow_up)
    if loss is not None and start.size:
        loss += start
    seed = np.empty((0, 0), np.uint64)
    if who.visits is not None:
        seed = _columns(uniform, next(first), who.n).view(np.uint64)
    origin = entry - start if start.size else entry
    return Batch(entry, origin, start, _endpoints(who, latent, loss, seed, member))


def _columns(uniform: Floats, first: int, n: int) -> Floats:
    return np.ascontiguousarray(uniform[:, first : first + n])


def _exponentials(uniform: Floats, first: int, n: int) -> Floats:
    out = np.empty((len(uniform), n))
    unit_exponentials(uniform, first, out)
    return out


def _endpoints(
    who: Population, latent: list[Floats], loss: Floats | None, seed: NDArray[np.uint64], member: NDArray[np.int64]
) -> dict[str, Observations]:
    if len(latent) == 1:
        if who.visits is not None:
            return {who.endpoints[0]: _seen_at_visits(who.visits, seed, latent[0], np.empty((0, 0)), loss)}
        return {who.endpoints[0]: _seen_at_once(latent[0], loss)}
    progression, death, after = latent  # the last one still in unit exponentials: it starts at progression
    tables = who.latent[2]
    if who.clock_at_progression:
        event_times(tables, member, who.bounds, after)
        after += progression
    else:
        event_times_after(tables, member, who.bounds, progression, after)
    died = np.where(death <= progression, death, after)
    if who.visits is not None:
        pfs = _seen_at_visits(who.visits, seed, np.where(progression < death, progression, np.inf), died, loss)
    else:
        pfs = _seen_at_once(np.minimum(progression, death), loss)
    return {"PFS": pfs, "OS": _seen_at_once(died, loss)}


def _seen_at_once(time: Floats, loss: Floats | None) -> Observations:
    event = np.isfinite(time) if loss is None else time <= loss
    observed = time if loss is None else np.minimum(time, loss)
    return Observations(observed, observed, observed, event, False, NO_VISITS, np.empty((0, 0), np.uint64))


def _seen_at_visits(
    visits: Visits, seed: NDArray[np.uint64], progression: Floats, death: Floats, loss: Floats | None
) -> Observations:
    time, known, left = np.empty_like(progression), np.empty_like(progression), np.empty_like(progression)
    seen = Observations(time, known, left, np.empty(progression.shape, np.bool_), True, visits, seed)
    see_progression(progression, death, np.full_like(progression, np.inf) if loss is None else loss, seen)
    return seen
