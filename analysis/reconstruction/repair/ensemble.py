"""Members with the patients of each analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction.repair.board import stratum
from analysis.survival.estimators import reverse_kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reconstruction.repair.members import Drawn
    from analysis.reconstruction.report.block import Block

    IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Ensemble:
    """Members of one reconstruction, arms one after the other in the order of the requirements.

    ``drawn.miss`` is 0 for a member that gives every required number back, and otherwise says how far off it is.
    """

    block: Block
    drawn: Drawn
    states: FloatArray
    attempts: int

    def patients(
        self, analysis: int, members: NDArray[np.intp]
    ) -> tuple[list[FloatArray], list[BoolArray], list[IntArray]]:
        """Give times, event flags and strata of the patients of an analysis in some members, arm by arm."""
        one = self.block.analyses[analysis]
        start, times, events, strata = 0, [], [], []
        for size, own in zip((arm.size for arm in self.block.first.arms), one.required.arms, strict=True):
            rows = slice(start, start + size)
            time, event = self.drawn.time[members, rows], self.drawn.event[members, rows]
            for cut in range(len(self.block.latest) - 2, one.cut - 1, -1):
                limit = self.drawn.limit[members, cut, rows]
                event = event & ~(limit < time)
                time = np.minimum(time, limit)
            bits = self.drawn.group[members, rows]
            own_stratum = stratum.py_func(bits, one.strata)
            if one.group >= 0:
                chosen = ((bits >> one.group) & 1 == 1) == one.inside
                time, event, own_stratum = (each[chosen].reshape(-1, own.size) for each in (time, event, own_stratum))
            times.append(time)
            events.append(event)
            strata.append(own_stratum)
            start += size
        return times, events, strata


def follow_up_missed(block: Block, drawn: Drawn) -> FloatArray:
    """How far the median follow-up of all arms together is from where it is printed, by member, over all analyses."""
    missed = np.zeros(drawn.miss.size)
    for v, analysis in enumerate(block.analyses):
        if analysis.required.follow_up_of_all is not None:
            times, events, _ = Ensemble(block, drawn, np.empty(0), 0).patients(v, np.arange(missed.size))
            missed += _outside_follow_up(times, events, analysis.required.follow_up_of_all)
    return missed


def _outside_follow_up(times: list[FloatArray], events: list[BoolArray], box: tuple[float, float]) -> FloatArray:
    """How far the reverse Kaplan-Meier median of all arms together is from its box, in months, by member."""
    out = np.empty(len(times[0]))
    for i in range(out.size):
        time = np.concatenate([arm[i] for arm in times])
        event = np.concatenate([arm[i] for arm in events])
        median = reverse_kaplan_meier(time, event).median()
        out[i] = min(max(box[0] - median, median - box[1], 0.0), box[1])
    return out
