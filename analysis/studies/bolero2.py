"""BOLERO-2: what its abstracts say of progression-free and overall survival, turned back into curves."""

from __future__ import annotations

from functools import cache

import pandas as pd

from analysis.reconstruction import Reconstruction, reconstruct
from analysis.reported import ReportedTrial, load

TRIAL = "bolero-2"

PFS = ("pfs-interim-local", "pfs-interim-central", "pfs-final-local", "pfs-final-central")
FIRST_LINE = ("pfs-first-line-local", "pfs-first-line-central")
OS = ("os-final",)

RELAXED = {"os-final": ("p_value",)}
"""What is not asked of the members, by comparison: the printed p of OS contradicts the printed interval."""


def reported() -> ReportedTrial:
    """BOLERO-2 as it was reported."""
    return load(TRIAL)


@cache
def reconstruction(comparison: str, members: int = 500, seed: int = 2012) -> Reconstruction:
    """Reconstruct one of BOLERO-2's comparisons.

    Parameters
    ----------
    comparison
        Its id in the reported data, one of `PFS`, `FIRST_LINE` and `OS`.
    members
        Size of the ensemble.
    seed
        Seed of all draws.
    """
    return reconstruct(reported().comparison(comparison), members=members, rng=seed, relax=RELAXED.get(comparison, ()))


def everolimus_median(comparison: str) -> float:
    """Return the reported median of the everolimus arm, months: XENERA-1's control is the same treatment."""
    median = reported().comparison(comparison).arm("everolimus").median
    assert median is not None, f"{comparison} prints no median"
    return median.value


def summary(comparisons: tuple[str, ...], seed: int = 2012) -> pd.DataFrame:
    """One row per number of each comparison: what was printed beside what the ensemble gives."""
    frames = [reconstruction(name, seed=seed).fidelity().assign(comparison=name) for name in comparisons]
    return pd.concat(frames, ignore_index=True)
