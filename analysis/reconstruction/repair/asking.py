"""What the reports ask of the patients, as the kernels read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction.repair.board import Asked
from analysis.reconstruction.repair.layout import Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray
    from analysis.reconstruction.repair.search import Effort
    from analysis.reconstruction.report.block import Block

    IntArray = NDArray[np.int64]


def asked_of(block: Block, effort: Effort) -> Asked:
    """Give what is asked of the patients, for kernels."""
    exact = block.ratios()
    return Asked(
        analyses=block.codes(),
        boxes=block.packed(),
        ratios=exact._replace(test=exact.test + effort.reach * np.array([-1.0, 1.0, 0.0])),
        tests=exact.test,
        totals=_totals(block),
        open=np.array([arm.events is None for arm in block.first.arms]),
        latest=np.array(block.latest),
    )


def _totals(block: Block) -> IntArray:
    """Events of all arms together, where the arms' own are not printed."""
    totals = [-1] * len(block.analyses)
    for v, analysis in enumerate(block.analyses):
        total = analysis.required.events_total
        if total is not None and all(arm.events is None for arm in analysis.required.arms):
            totals[v] = total
    return np.array(totals)


def layout_of(block: Block) -> Layout:
    """Give what patients are laid out by, for kernels."""
    groups = [block.of_group(group) for group in range(len(block.division.names))]
    sizes = block.sizes.astype(np.int64).reshape(-1, block.arms)
    return Layout(
        size=sizes[0],
        interval=block.first.interval,
        latest=np.array(block.latest),
        whole=np.array([block.whole(cut) for cut in range(len(block.latest))]),
        of_group=np.array(groups, dtype=np.int64),
        table=block.division.table,
    )


def asks_for_events(block: Block) -> BoolArray:
    """Whether the events of each analysis and arm are fixed, shape (V, A): those of the first always are."""
    return np.array(
        [
            [v == 0 or analysis.required.events_total is not None or arm.events is not None for arm in required.arms]
            for v, analysis in enumerate(block.analyses)
            for required in [analysis.required]
        ]
    )
