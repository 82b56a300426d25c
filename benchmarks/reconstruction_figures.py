"""Two-arm figures of a benchmark file: the patients behind them, and what a paper would have printed of them.

The two files have the form of the reconstruction benchmark: one row of statistics per figure (``--summaries``) and
its patients (``--ipd``: ``id, arm, arm_index, time_months, event``). Everything here is rounded as a paper rounds:
medians and follow-up to 0.1 month, hazard ratios to 0.01, survival rates to 0.1 percent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

Tier = Literal["summary", "window", "rates", "risk", "curve"]
TIERS: tuple[Tier, ...] = get_args(Tier)
LANDMARKS = (6, 12)  # months
POINTS = 150  # digitised points per arm in the tier `curve`


@dataclass(frozen=True)
class Arm:
    """The patients of one arm, and its Kaplan-Meier curve as a right-continuous step function."""

    name: str
    time: np.ndarray  # months, one per patient
    event: np.ndarray  # bool, one per patient

    @property
    def n(self) -> int:
        """Patients."""
        return self.time.size

    @property
    def follow_up(self) -> float:
        """The last time at which the arm was observed: the end of its curve."""
        return float(self.time.max())

    def survival(self, t: np.ndarray) -> np.ndarray:
        """Kaplan-Meier estimate at `t`."""
        order = np.lexsort((~self.event, self.time))
        steps = np.cumprod(1 - self.event[order] / (self.n - np.arange(self.n)))
        return np.r_[1.0, steps][np.searchsorted(self.time[order], t, side="right")]


@dataclass(frozen=True)
class PrintedArm:
    """What the paper printed of an arm, digit for digit; None where a limit or the median was not reached."""

    name: str
    n: int
    events: int
    median: str | None
    median_lower: str | None
    median_upper: str | None
    median_follow_up: str
    rates: dict[int, str]  # percent surviving, by month
    at_risk: dict[float, int]  # number at risk, by month


@dataclass(frozen=True)
class Figure:
    """A figure: its paper, the truth behind it and what the paper printed of it."""

    id: str
    pmid: str
    endpoint: str
    arms: tuple[Arm, Arm]  # control, experimental
    printed: tuple[PrintedArm, PrintedArm]
    hazard_ratio: str
    hazard_ratio_lower: str
    hazard_ratio_upper: str

    @property
    def medians_reached(self) -> bool:
        """Whether both arms' medians were reached."""
        return all(arm.median is not None for arm in self.printed)

    @property
    def common_follow_up(self) -> float:
        """Months up to which both arms were observed."""
        return min(arm.follow_up for arm in self.arms)

    @property
    def events(self) -> int:
        """Events of both arms."""
        return sum(arm.events for arm in self.printed)


def digitise(arm: Arm, points: int = POINTS) -> np.ndarray:
    """Points ``(time, survival)`` evenly spaced along the curve, read to 0.1 percent as from a good scan."""
    time = np.linspace(0.0, arm.follow_up, points)
    return np.column_stack([time, arm.survival(time).round(3)])


def read_figures(summaries: str, ipd: str) -> list[Figure]:
    """All figures of a benchmark, in the order of the summaries."""
    rows = pd.read_csv(summaries, dtype={"pmid": str})
    patients = dict(iter(pd.read_csv(ipd).groupby("id")))
    return [_figure(row, patients[row["id"]]) for _, row in rows.iterrows()]


def folds_by_paper(figures: list[Figure], folds: int) -> Iterator[tuple[list[Figure], list[Figure]]]:
    """Pairs ``(training, held out)``; the figures of a paper, whatever their number, are held out together."""
    papers = sorted({figure.pmid for figure in figures})
    fold_of = {paper: i % folds for i, paper in enumerate(np.random.default_rng(0).permutation(papers))}
    for fold in range(folds):
        yield (
            [figure for figure in figures if fold_of[figure.pmid] != fold],
            [figure for figure in figures if fold_of[figure.pmid] == fold],
        )


def _figure(row: pd.Series, patients: pd.DataFrame) -> Figure:
    arms = [_arm(row, patients, k) for k in (0, 1)]
    return Figure(
        id=row["id"],
        pmid=row["pmid"],
        endpoint=row["endpoint"],
        arms=(arms[0], arms[1]),
        printed=(_printed(row, 0, arms[0]), _printed(row, 1, arms[1])),
        hazard_ratio=f"{row['hr_arm1_vs_arm0']:.2f}",
        hazard_ratio_lower=f"{row['hr_lo']:.2f}",
        hazard_ratio_upper=f"{row['hr_hi']:.2f}",
    )


def _arm(row: pd.Series, patients: pd.DataFrame, k: int) -> Arm:
    own = patients[patients["arm_index"] == k]
    return Arm(str(row[f"arm{k}_name"]), own["time_months"].to_numpy(float), own["event"].to_numpy(bool))


def _printed(row: pd.Series, k: int, arm: Arm) -> PrintedArm:
    def months(column: str) -> str | None:
        value = row[f"arm{k}_{column}"]
        return None if pd.isna(value) else f"{value:.1f}"

    ticks = [float(t) for t in str(row["risk_times_months"]).split(";")]
    counts = [int(count) for count in str(row[f"arm{k}_nrisk"]).split(";")]
    return PrintedArm(
        name=arm.name,
        n=int(row[f"arm{k}_n"]),
        events=int(row[f"arm{k}_events"]),
        median=months("median"),
        median_lower=months("med_lo_loglog"),
        median_upper=months("med_hi_loglog"),
        median_follow_up=f"{row[f'arm{k}_med_fu_revkm']:.1f}",
        rates={t: f"{100 * float(arm.survival(np.array(t))):.1f}" for t in LANDMARKS if t <= arm.follow_up},
        at_risk=dict(zip(ticks, counts, strict=True)),
    )
