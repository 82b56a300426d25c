"""What is checked before a run: that each cut can be expected ever to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.engine.patients import draw
from analysis.engine.streams import chunk_state
from analysis.errors import InfeasibleDesignError, UnknownNameError

if TYPE_CHECKING:
    from analysis.design import AtEvents, TrialDesign
    from analysis.engine.patients import Population

PILOT_SEED = np.random.SeedSequence(20)
PILOT_PATIENTS = 2**15


def check_reach(design: TrialDesign, who: Population) -> None:
    """Say so, with the events expected, if a cut cannot be expected ever to come, by a pilot of 32,768 patients.

    Raises
    ------
    InfeasibleDesignError
        If a look asks for more events than are expected in the end.
    """
    batch = draw(who, chunk_state(PILOT_SEED, 0), max(8, PILOT_PATIENTS // who.n))

    def expected_events(counted: AtEvents) -> float:
        endpoint = counted.endpoint or (design.endpoint if design.endpoint in batch.endpoints else who.endpoints[0])
        if endpoint not in batch.endpoints:
            raise UnknownNameError("endpoint", endpoint, batch.endpoints)
        events = batch.endpoints[endpoint].event & who.columns_of(counted.arm, counted.stratum)
        return float(events.sum(axis=1).mean())

    for number, look in enumerate(design.looks, start=1):
        why = look.cut.shortfall(expected_events)
        if why:
            raise InfeasibleDesignError(
                f"looks (number {number}): got a cut {look.cut}; expected one that can be reached, but {why}; "
                "ask for fewer events, enrol more patients, or use EarlierOf(..., AtTime(...))"
            )
