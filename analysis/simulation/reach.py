"""What is checked before a run: that each cut can be expected ever to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InfeasibleDesignError
from analysis.simulation.patients import draw
from analysis.simulation.streams import chunk_state

if TYPE_CHECKING:
    from analysis.design import TrialDesign
    from analysis.simulation.patients import Population

PILOT_SEED = np.random.SeedSequence(20)
PILOT_PATIENTS = 2**15


def expected_events(design: TrialDesign, who: Population) -> dict[str | None, float]:
    """Events expected per trial in the end, by endpoint (None: the design's), from a pilot of 32,768 patients."""
    trials = max(8, PILOT_PATIENTS // who.n)
    batch = draw(who, chunk_state(PILOT_SEED, 0), trials)
    expected: dict[str | None, float] = {
        endpoint: float(seen.event.sum(axis=1).mean()) for endpoint, seen in batch.endpoints.items()
    }
    expected[None] = expected[design.endpoint if design.endpoint in expected else who.endpoints[0]]
    return expected


def check_reach(design: TrialDesign, who: Population) -> None:
    """Say so, with the events expected, if a cut cannot be expected ever to come.

    Raises
    ------
    InfeasibleDesignError
        If a look asks for more events than are expected in the end.
    """
    expected = expected_events(design, who)
    for number, look in enumerate(design.looks, start=1):
        why = look.cut.shortfall(expected)
        if why:
            raise InfeasibleDesignError(
                f"looks (number {number}): got a cut {look.cut}; expected one that can be reached, but {why}; "
                "ask for fewer events, enrol more patients, or use EarlierOf(..., AtTime(...))"
            )
