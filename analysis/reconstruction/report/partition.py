"""Parts that the patients of a trial are divided into: reported subgroups, and the levels of stratification factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InvalidValueError
from analysis.reported import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analysis.reported import ReportedComparison, StratificationFactor

    IntArray = NDArray[np.int64]

MOST_PARTS = 12  # each doubles the cells of the cross-classification


@dataclass(frozen=True)
class Partition:
    """Patients by arm and by what they belong to: bit k of a cell's number says whether to the k-th part.

    ``table`` (A, 2 ** parts) counts the patients of each arm in each cell. Parts overlap in proportion: no report says
    more of it.
    """

    names: tuple[str, ...]
    table: IntArray

    @classmethod
    def whole(cls, sizes: Sequence[int]) -> Partition:
        """Patients by arm that belong to nothing yet."""
        return cls((), np.array(sizes, dtype=np.int64)[:, None])

    def divided(self, name: str, sizes: Sequence[int], apart_from: Sequence[str] = ()) -> Partition:
        """Add a part of so many patients of each arm, none of whom belongs to any of some other parts."""
        cells = np.arange(self.table.shape[1])
        shut = sum(1 << self.names.index(other) for other in apart_from)
        open_ = (cells & shut) == 0
        inside = np.array([_shares(row * open_, size) for row, size in zip(self.table, sizes, strict=True)])
        return Partition((*self.names, name), np.concatenate([self.table - inside, inside], axis=1))

    def of(self, names: Sequence[str]) -> Partition:
        """Give the division by some of the parts, in another order."""
        places = [self.names.index(name) for name in names]
        cells = np.arange(self.table.shape[1])
        into = sum(((cells >> place) & 1) << bit for bit, place in enumerate(places)) + np.zeros_like(cells)
        table = np.zeros((len(self.table), 1 << len(places)), dtype=np.int64)
        for row, counts in zip(table, self.table, strict=True):
            np.add.at(row, into, counts)
        return Partition(tuple(names), table)

    def mask(self, names: Sequence[str]) -> int:
        """Give the bits of some parts."""
        return sum(1 << self.names.index(name) for name in names)


def _shares(cells: IntArray, size: int) -> IntArray:
    """Share so many patients out over cells in proportion, those with the largest remainders first."""
    exact = cells * (size / max(cells.sum(), 1))
    parts = np.floor(exact).astype(np.int64)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: size - parts.sum()]] += 1
    return np.asarray(parts)


def levels(factor: StratificationFactor) -> tuple[str, ...]:
    """Names of the parts that stand for a factor: all its levels but the last, which is who belongs to none."""
    names = tuple(f"{factor.name}, level {level}" for level in range(1, max(len(factor.n), 2)))
    return names if factor.population is None else (factor.population, *names[1:])


def divide(
    whole: ReportedComparison,
    order: Sequence[str],
    subgroups: Mapping[str, Sequence[int]],
    factors: Sequence[StratificationFactor],
) -> Partition:
    """Divide the patients of a trial by its reported subgroups and by the factors whose sizes are known.

    Parameters
    ----------
    whole
        A report on all patients.
    order
        Names of its arms, in the order of the division.
    subgroups
        By name, the patients of each arm.
    factors
        Factors of one name describe the same levels.

    Raises
    ------
    InvalidValueError
        If the levels of a factor do not add up to all patients, contradict a subgroup or another report, or there are
        too many parts.
    """
    counts = {arm.name: 0 if arm.n is None else int(arm.n.value) for arm in whole.arms}
    sizes = np.array([counts[name] for name in order], dtype=np.int64)
    found = Partition.whole(sizes.tolist())
    for name, members in subgroups.items():
        found = found.divided(name, members)
    seen: dict[str, StratificationFactor] = {}
    for factor in factors:
        if not factor.n:
            continue
        other = seen.setdefault(factor.name, factor)
        n = [int(level.value) for level in factor.n]
        if [int(level.value) for level in other.n] != n or other.population != factor.population:
            expected = f"the same levels in every report, as {[int(level.value) for level in other.n]}"
            raise InvalidValueError(f"strata[{factor.name}].n", n, expected, "describe each factor once, or alike")
        if sum(n) != sizes.sum():
            expected = (
                f"levels that add up to the {sizes.sum()} patients of {whole.id or whole.endpoint}, not to {sum(n)}"
            )
            remedy = "give a level of their own to patients of whom it is not known"
            raise InvalidValueError(f"strata[{factor.name}].n", n, expected, remedy)
        if other is not factor:
            continue
        names = levels(factor)
        left = sizes.copy()
        for place, (name, level) in enumerate(zip(names, n, strict=False)):
            if name in found.names:
                if sum(subgroups[name]) != level:
                    expected = f"{sum(subgroups[name])}, the patients of the reported subgroup {name!r}"
                    raise InvalidValueError(f"strata[{factor.name}].n", level, expected, "check both numbers")
                left -= np.array(subgroups[name])
                continue
            shares = _shares(left, level)
            left -= shares
            found = found.divided(name, shares.tolist(), names[:place])
    if len(found.names) > MOST_PARTS:
        expected = f"at most {MOST_PARTS} subgroups and levels of factors together"
        raise InvalidValueError("strata", list(found.names), expected, "leave out factors or subgroups")
    return found


def strata_of(comparison: ReportedComparison, division: Partition) -> tuple[str, ...]:
    """Names of the parts that the strata of a report are made of; none if it compares no two arms."""
    if len(comparison.arms) != 2 or (comparison.hazard_ratio is None and comparison.p_value is None):
        return ()
    return tuple(name for factor in comparison.strata for name in levels(factor) if name in division.names)


def unknown_strata(comparison: ReportedComparison, division: Partition) -> tuple[Finding, ...]:
    """Find the factors of a report of which nothing is known but their names."""
    if len(comparison.arms) != 2 or (comparison.hazard_ratio is None and comparison.p_value is None):
        return ()
    unknown = [factor.name for factor in comparison.strata if levels(factor)[0] not in division.names]
    if not unknown:
        return ()
    known = [factor.name for factor in comparison.strata if factor.name not in unknown]
    how = f"by {', '.join(known)} only" if known else "without strata"
    return (
        Finding(
            check="strata-unknown",
            severity="warning",
            where=comparison.id or comparison.endpoint,
            message=f"ratio and test were stratified; they are computed {how}, for the patients at each level are "
            "not known",
            values=tuple(unknown),
            remedy="give the patients at each level, as StratificationFactor(name, n=(406, 318)), printed or assumed",
        ),
    )
