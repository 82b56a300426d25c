"""BOLERO-2: what its abstracts say of progression-free and overall survival, turned back into curves."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from analysis.reconstruction import Reconstruction, reconstruct
from analysis.reported import ReportedTrial, load

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIAL = "bolero-2"

PFS = ("pfs-interim-local", "pfs-interim-central", "pfs-final-local", "pfs-final-central")
FIRST_LINE = ("pfs-first-line-local", "pfs-first-line-central")
OS = ("os-final",)

FINAL_PFS = ("pfs-final-local", "pfs-final-central")
SEED = 2012

RELAXED = {
    "os-final": ("p_value",),
    "pfs-final-local": ("median_follow_up",),
    "pfs-final-central": ("median_follow_up",),
}
"""What is not asked of the members: the printed p of OS contradicts the printed interval; the median follow-up is
printed without saying how it was measured, and a central review ends where the local investigator saw progression."""


def reported() -> ReportedTrial:
    """BOLERO-2 as it was reported."""
    return load(TRIAL)


@cache
def reconstruction(comparison: str, members: int = 500, seed: int = SEED) -> Reconstruction:
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


def known_findings() -> pd.DataFrame:
    """List the contradictions of the report that are known, one row each, with their explanation."""
    rows = [(known.where, known.check, known.explanation) for known in reported().known_findings]
    return pd.DataFrame(rows, columns=["where", "check", "explanation"])


def fidelity(comparisons: Sequence[str]) -> pd.DataFrame:
    """One row per printed number of each comparison: what was printed beside what the members give."""
    frames = {name: reconstruction(name).fidelity() for name in comparisons}
    return pd.concat(frames, names=["comparison"]).reset_index(level=0)


def landmarks(comparisons: Sequence[str], months: Sequence[float]) -> pd.DataFrame:
    """Survival at landmarks that were not printed, by comparison and arm: ensemble mean and central 90%."""
    frames = {
        (name, arm): reconstruction(name).survival_at(arm, months)
        for name in comparisons
        for arm in reconstruction(name).arms
    }
    return pd.concat(frames, names=["comparison", "arm"]).droplevel(2).reset_index()


def events(comparisons: Sequence[str]) -> pd.DataFrame:
    """Numbers of events by comparison and arm that the printed numbers imply: median of the members and central 90%."""
    rows = []
    for name in comparisons:
        for arm in reconstruction(name).arms:
            count = reconstruction(name).events(arm)
            rows.append((name, arm, count.estimate, count.lower, count.upper))
    return pd.DataFrame(rows, columns=["comparison", "arm", "events", "lower", "upper"])
