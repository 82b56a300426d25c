"""The analyses of one endpoint by one assessor: what each asks, of which patients, at which data cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction.algebra import log
from analysis.reconstruction.repair.board import Analyses, PackedBoxes
from analysis.reconstruction.report.partition import Partition, divide, strata_of
from analysis.reconstruction.report.requirements import COUNT_ERROR
from analysis.reconstruction.terms import AT_RISK, Equations, RatioBoxes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.report.requirements import Requirements
    from analysis.reported import ReportedComparison

LEVEL_SPREAD = 0.3  # of the log hazard ratio between levels of a factor: trials are stratified by what is prognostic


@dataclass(frozen=True)
class Analysis:
    """One analysis: what its report asks, the number of its data cut, and the subgroup that it is about.

    ``group`` is the number of a subgroup, -1 for all patients; ``inside`` is False for the complement of it;
    ``strata`` are the bits of the parts that its ratio and its test are stratified by.
    """

    required: Requirements
    cut: int = 0
    group: int = -1
    inside: bool = True
    strata: int = 0


@dataclass(frozen=True)
class ExpectedAtRisk:
    """Patients of an arm who are expected to be at risk in an analysis at a time in months, and how well it is known.

    ``patients`` has a number for each draw.
    """

    analysis: int
    arm: int
    time: float
    patients: FloatArray
    error: float


@dataclass(frozen=True)
class Told:
    """What other endpoints of the same patients say of one.

    Attributes
    ----------
    followed
        By the number of a data cut, the log of the median follow-up and how well it is known; taken where no report of
        the endpoint prints it.
    prognosis
        By the name of a part of the patients, the log of its hazard ratio to the others and how well it is known.
    at_risk
        Numbers at risk that are expected.
    """

    followed: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    prognosis: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    at_risk: tuple[ExpectedAtRisk, ...] = ()


NOTHING = Told()


@dataclass(frozen=True)
class Block:
    """The analyses of one endpoint by one assessor, all patients at the last cut first.

    ``latest`` are the longest follow-ups, in months, that a patient can have had at each cut; ``division`` says how
    many patients of each arm are in which subgroups and strata; ``told`` is what other endpoints say. ``accrual`` are
    the months in which the patients came in, None where that is not known.
    """

    analyses: tuple[Analysis, ...]
    latest: tuple[float, ...]
    division: Partition
    told: Told = NOTHING
    accrual: float | None = None

    @classmethod
    def single(cls, comparison: ReportedComparison, required: Requirements) -> Block:
        """Read one report by itself, with its strata."""
        names = [comparison.arms[k].name for k in required.order]
        division = divide(comparison, names, {}, comparison.strata if len(names) == 2 else ())
        strata = division.mask(strata_of(comparison, division))
        return cls((Analysis(required, strata=strata),), (required.longest,), division)

    @property
    def first(self) -> Requirements:
        """What the analysis of all patients at the last cut asks."""
        return self.analyses[0].required

    @property
    def arms(self) -> int:
        """Number of arms."""
        return len(self.first.arms)

    @property
    def effects(self) -> tuple[FloatArray, FloatArray]:
        """Log hazard ratio of each part to the others, for those that no analysis shows, and its standard deviation."""
        each = [self.told.prognosis.get(name, (0.0, LEVEL_SPREAD)) for name in self.division.names]
        middle, spread = np.array(each, dtype=np.float64).reshape(-1, 2).T
        return middle, spread

    @property
    def sizes(self) -> FloatArray:
        """Patients by analysis and arm, one after the other."""
        return np.array([arm.size for analysis in self.analyses for arm in analysis.required.arms], dtype=np.float64)

    def whole(self, cut: int) -> int:
        """Analysis that shows all patients at a cut; where there is none, that of the largest part of them."""
        there = [v for v, analysis in enumerate(self.analyses) if analysis.cut == cut]
        return max(there, key=lambda v: sum(arm.size for arm in self.analyses[v].required.arms))

    def of_group(self, group: int) -> int:
        """Analysis that shows a subgroup: the last one; -1 for the level of a factor, which none shows."""
        there = [v for v, analysis in enumerate(self.analyses) if analysis.group == group and analysis.inside]
        return max(there, key=lambda v: self.analyses[v].cut, default=-1)

    def codes(self) -> Analyses:
        """Cuts and subgroups, as the compiled repair reads them."""
        last = len(self.latest) - 1
        return Analyses(
            cut=np.array([analysis.cut for analysis in self.analyses]),
            group=np.array([analysis.group for analysis in self.analyses]),
            inside=np.array([analysis.inside for analysis in self.analyses]),
            strata=np.array([analysis.strata for analysis in self.analyses]),
            last=np.full(len(self.analyses), last),
        )

    def packed(self) -> PackedBoxes:
        """All boxes of all analyses and arms, one after the other."""
        boxes = [arm.boxes for analysis in self.analyses for arm in analysis.required.arms]
        starts = np.zeros((len(boxes), 4, 2), dtype=np.int64)
        for kind in range(4):
            ends = np.cumsum([box[kind].shape[0] for box in boxes])
            starts[:, kind, 1] = ends
            starts[1:, kind, 0] = ends[:-1]
        rows = [np.concatenate([box[kind] for box in boxes]) for kind in range(4)]
        return PackedBoxes(rows[0], rows[1], rows[2], rows[3], starts.reshape(len(self.analyses), self.arms, 4, 2))

    def ratios(self) -> RatioBoxes:
        """Boxes of the ratios and tests of all analyses."""
        each = [analysis.required.ratios for analysis in self.analyses]
        return RatioBoxes(np.concatenate([r.ratio for r in each]), np.concatenate([r.test for r in each]))

    def equations(self) -> tuple[Equations, FloatArray, FloatArray]:
        """Equations of all analyses, whose arms are numbered one after the other, their boxes and variances.

        Nobody is at risk beyond the longest follow-up; before it there may be numbers that are expected.
        """
        each = [analysis.required.equations for analysis in self.analyses]
        shifted = [e._replace(arm=e.arm + v * self.arms, other=e.other + v * self.arms) for v, e in enumerate(each)]
        merged = Equations(*(np.concatenate(columns) for columns in zip(*shifted, strict=True)))
        boxes = np.concatenate([analysis.required.boxes for analysis in self.analyses])
        noise = np.concatenate([analysis.required.noise for analysis in self.analyses])
        more = [
            (v * self.arms + k, self.latest[analysis.cut], 0.0, COUNT_ERROR)
            for v, analysis in enumerate(self.analyses)
            for k in range(self.arms)
            if np.isfinite(self.latest[analysis.cut])
        ]
        more += [
            (told.analysis * self.arms + told.arm, told.time, float(told.patients.mean()), told.error)
            for told in self.told.at_risk
        ]
        if not more:
            return merged, boxes, noise
        columns = np.array(more).T
        arms, times, patients, errors = columns[0].astype(np.int64), *columns[1:]
        none, zeros = np.zeros(len(more), dtype=np.int64), np.zeros(len(more))
        counts = Equations(none + AT_RISK, arms, none, times, zeros, zeros, none)
        merged = Equations(*(np.concatenate(columns) for columns in zip(merged, counts, strict=True)))
        errors = errors / (patients + 0.5) / log((self.sizes[arms] + 0.5) / (patients + 0.5))
        return merged, np.concatenate([boxes, np.stack([patients] * 2, axis=1)]), np.append(noise, np.square(errors))
