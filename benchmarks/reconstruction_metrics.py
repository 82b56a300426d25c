"""How far a reconstruction is from the patients it tries to recover, and how these distances are summed up.

IAE is the mean of ``|S_reconstructed - S_KM|`` over ``[0, the arm's last follow-up]``, one per arm; S12 the absolute
error at 12 months, one per arm followed that long; dRMST the absolute error of the difference of restricted means up
to the arms' common follow-up, in months, one per figure. Coverage is the share of the arm's follow-up over which a
pointwise band contains the Kaplan-Meier curve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconstruction_figures import Figure

LEVELS = (50, 80, 90, 95)  # percent
CELLS = 4000  # midpoint rule for integrals over time
COVERAGE_TIMES = 100


class Curves(Protocol):
    """Estimated survival curves of a figure's two arms."""

    def survival(self, arm: int, t: np.ndarray) -> np.ndarray:
        """Point estimate at `t` of arm 0 (control) or 1 (experimental)."""

    def band(self, arm: int, t: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Lower and upper pointwise limits, or None where the method has none."""


@dataclass(frozen=True)
class Score:
    """The distances of one method on one figure."""

    iae: tuple[float, ...]
    s12: tuple[float, ...]
    drmst: float
    coverage: Mapping[int, float | None] = field(default_factory=lambda: dict.fromkeys(LEVELS))
    fidelity: float | None = None  # share of members that give every printed number back
    seconds: float | None = None
    failed: str | None = None  # what went wrong


def score(figure: Figure, curves: Curves, fidelity: float | None = None, seconds: float | None = None) -> Score:
    """Compare `curves` with the patients of `figure`."""
    iae, s12 = [], []
    covered: dict[int, list[float]] = {level: [] for level in LEVELS}
    for k, arm in enumerate(figure.arms):
        t = _midpoints(arm.follow_up, CELLS)
        iae.append(float(np.mean(np.abs(curves.survival(k, t) - arm.survival(t)))))
        if arm.follow_up >= 12:
            year = np.array([12.0])
            s12.append(float(np.abs(curves.survival(k, year) - arm.survival(year))[0]))
        t = _midpoints(arm.follow_up, COVERAGE_TIMES)
        for level in LEVELS:
            band = curves.band(k, t, level / 100)
            if band is not None:
                truth = arm.survival(t)
                covered[level].append(float(np.mean((band[0] - 1e-9 <= truth) & (truth <= band[1] + 1e-9))))
    tau = figure.common_follow_up
    t = _midpoints(tau, CELLS)
    gain = [
        tau * float(np.mean(curve(1, t) - curve(0, t)))
        for curve in (curves.survival, lambda k, t: figure.arms[k].survival(t))
    ]
    return Score(
        iae=tuple(iae),
        s12=tuple(s12),
        drmst=abs(gain[0] - gain[1]),
        coverage={level: float(np.mean(shares)) if shares else None for level, shares in covered.items()},
        fidelity=fidelity,
        seconds=seconds,
    )


def failure(figure: Figure, reason: str) -> Score:
    """Score a figure on which the method failed with the largest error that a curve can have."""
    return Score(
        iae=(1.0, 1.0),
        s12=tuple(1.0 for arm in figure.arms if arm.follow_up >= 12),
        drmst=figure.common_follow_up,
        coverage=dict.fromkeys(LEVELS, 0.0),
        fidelity=0.0,
        failed=reason,
    )


def summarise(scores: Sequence[Score]) -> dict[str, float | int | None]:
    """Median and 90th percentile of the distances, mean fidelity and coverage, over all figures, failures included."""

    def quantile(values: list[float], q: float) -> float | None:
        return float(np.quantile(values, q)) if values else None

    def mean(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    iae = [x for s in scores for x in s.iae]
    drmst = [s.drmst for s in scores]
    s12 = [x for s in scores for x in s.s12]
    return {
        "figures": len(scores),
        "iae_median": quantile(iae, 0.5),
        "iae_p90": quantile(iae, 0.9),
        "drmst_median": quantile(drmst, 0.5),
        "drmst_p90": quantile(drmst, 0.9),
        "s12_median": quantile(s12, 0.5),
        "s12_p90": quantile(s12, 0.9),
        "fidelity": mean([s.fidelity for s in scores]),
        **{f"coverage_{level}": mean([s.coverage[level] for s in scores]) for level in LEVELS},
        "seconds_median": quantile([s.seconds for s in scores if s.seconds is not None], 0.5),
        "failures": sum(s.failed is not None for s in scores),
    }


def _midpoints(end: float, cells: int) -> np.ndarray:
    return (np.arange(cells) + 0.5) * (end / cells)
