"""Where a patient's lesions are, and which of them a reader follows: at most 5, at most 2 in an organ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.border import strict_border
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.endpoints.codes import Bools, Counts, Floats

NODES = "lymph node"
"""The organ whose lesions are measured by their short axis; all nodes together are one organ."""

PER_ORGAN = 2
NOWHERE = -1


@strict_border
@dataclass(frozen=True)
class Organs:
    """How many measurable lesions patients have, and in which organs.

    Parameters
    ----------
    shares
        Share of the lesions that lie in each organ; they add to 1. ``"lymph node"`` is nodal.
    lesions
        Mean number of a patient's measurable lesions, one and a Poisson number more.
    most
        Largest number.

    Raises
    ------
    InvalidValueError
        If the shares do not add to 1, or the mean is not from 1 to the largest number.

    Examples
    --------
    >>> Organs({"liver": 0.6, "lung": 0.2, "lymph node": 0.2}, lesions=6.0).names
    ('liver', 'lung', 'lymph node')
    """

    shares: Mapping[str, float]
    lesions: float = 5.0
    most: int = 10

    def __post_init__(self) -> None:
        total = sum(self.shares.values())
        if not self.shares or min(self.shares.values()) < 0 or abs(total - 1.0) > 1e-9:
            raise InvalidValueError("shares", dict(self.shares), "shares that add to 1", "give each organ its share")
        if not 1 <= self.lesions <= self.most:
            raise InvalidValueError("lesions", self.lesions, f"a mean from 1 to {self.most}", "give a mean number")

    @property
    def names(self) -> tuple[str, ...]:
        """Organs, in the order of their numbers."""
        return tuple(self.shares)

    def draw(self, patients: int, rng: np.random.Generator) -> Counts:
        """Draw the organ of each lesion, shape (patients, most); -1 where a patient has no more lesions."""
        number = np.minimum(1 + rng.poisson(self.lesions - 1.0, patients), self.most)
        upper = np.cumsum(list(self.shares.values()))[:-1]
        organ = np.searchsorted(upper, rng.random((patients, self.most)), side="right")
        return np.where(np.arange(self.most) < number[:, None], organ, NOWHERE)

    def is_node(self, organ: Counts) -> Bools:
        """Whether each lesion is a lymph node."""
        nodal = self.names.index(NODES) if NODES in self.shares else NOWHERE - 1
        found: Bools = organ == nodal
        return found


@njit(cache=True, nogil=True)
def choose_targets(measured: Floats, organ: Counts, node: Bools, avoided: Bools, targets: int) -> Counts:
    """Choose each patient's target lesions: the largest measured first, at most 2 in an organ.

    Parameters
    ----------
    measured
        Baseline diameters as the reader measured them, shape (patients, lesions).
    organ, node
        Number of the organ (-1: no lesion) and whether it is a node.
    avoided
        Lesions that the reader follows only if there is no other.
    targets
        Targets at most.

    Returns
    -------
    integer array
        Lesions chosen, shape (patients, targets), in order of size; -1 for none. A lesion measured below 10 mm (node:
        15 mm) is not chosen, unless a patient has no other.
    """
    patients = len(measured)
    chosen = np.full((patients, targets), -1)
    for i in range(patients):
        order, taken = np.argsort(-measured[i]), 0
        for wanted in range(3):
            for lesion in order:
                if taken == targets or organ[i, lesion] < 0 or (wanted == 2 and taken > 0):
                    continue
                too_small = measured[i, lesion] < (15.0 if node[i, lesion] else 10.0)
                if wanted < 2 and (too_small or avoided[i, lesion] != (wanted == 1)):
                    continue
                beside = 0
                for k in range(taken):
                    beside += organ[i, chosen[i, k]] == organ[i, lesion]
                if beside < PER_ORGAN:
                    chosen[i, taken] = lesion
                    taken += 1
    return chosen
