"""How readers see a disease: measurement error shared in part, lesions they choose, progression they call late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.endpoints.codes import MISSING, NON_CR_NON_PD, PD
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints.codes import Bools, Codes, Counts, Floats
    from analysis.endpoints.tumours import Disease

VANISHED = 2.0
"""Non-nodal lesions below this true size in mm are read as absent; from here to 5 mm as too small to measure: 5 mm."""


@dataclass(frozen=True)
class Readers:
    """Two readers of the same scans: the investigator, and an independent reader.

    Parameters
    ----------
    error
        Standard deviation of the logarithm of a measured diameter.
    correlation
        Correlation of the two readers' errors on a lesion at a visit.
    other_lesion
        Probability that the independent reader follows another lesion in place of one of the investigator's targets.
    delay
        Mean months (exponential) by which a reader calls a new lesion, or non-target progression, after it is there.
    independent
        Whether there is an independent reader.
    stops_at_investigator
        Whether scans end with the investigator's progression, so that the independent reader sees no later one.

    Raises
    ------
    InvalidValueError
        If a number is outside what it can be.
    """

    error: float = 0.0
    correlation: float = 0.0
    other_lesion: float = 0.0
    delay: float = 0.0
    independent: bool = False
    stops_at_investigator: bool = True

    def __post_init__(self) -> None:
        for field, highest in (("error", np.inf), ("delay", np.inf), ("correlation", 1.0), ("other_lesion", 1.0)):
            if not 0 <= getattr(self, field) <= highest:
                raise InvalidValueError(
                    field, getattr(self, field), f"from 0 to {highest}", "give a number in that range"
                )

    def lesions(self, targets: int) -> int:
        """Lesions of a patient that any reader may follow."""
        return 2 * targets if self.independent and self.other_lesion else targets


class Scans(NamedTuple):
    """What one reader saw of a batch: (patients, visits + 1, ...), the baseline first."""

    diameter: Floats
    node: Bools
    non_target: Codes
    new: Counts


def read_disease(
    disease: Disease, readers: Readers, time: Floats, targets: int, rng: np.random.Generator
) -> list[Scans]:
    """Read a batch once by each reader: the investigator, then the independent reader if there is one."""
    patients = len(time)
    shared = rng.standard_normal((patients, time.shape[1] + 1, targets)) if readers.error else None
    scans = []
    for number in range(1 + readers.independent):
        chosen = np.broadcast_to(np.arange(targets), (patients, targets))
        if number and readers.other_lesion:
            chosen = chosen + targets * (rng.random((patients, targets)) < readers.other_lesion)
        follows_first = number == 0 or not readers.other_lesion
        node = disease.node[:, :targets] if follows_first else np.take_along_axis(disease.node, chosen, 1)
        true = (
            disease.diameter[:, :, :targets]
            if follows_first
            else np.take_along_axis(disease.diameter, chosen[:, None, :], 2)
        )
        seen = _measure(true, node, readers, shared, rng)
        called = [when + _late(readers, patients, rng) for when in (disease.new_lesion, disease.non_target)]
        new = np.zeros(seen.shape[:2], np.int64)
        new[:, 1:] = time >= called[0][:, None]
        non_target = np.full(seen.shape[:2], NON_CR_NON_PD, np.int8)
        non_target[:, 1:][time >= called[1][:, None]] = PD
        non_target[~disease.with_non_target] = MISSING
        scans.append(Scans(seen, np.ascontiguousarray(node), non_target, new))
    return scans


def _late(readers: Readers, patients: int, rng: np.random.Generator) -> Floats:
    """Months by which a reader calls a progression late."""
    return readers.delay * rng.standard_exponential(patients) if readers.delay else np.zeros(patients)


def _measure(true: Floats, node: Bools, readers: Readers, shared: Floats | None, rng: np.random.Generator) -> Floats:
    """Measured diameters in tenths of a mm: error, nothing below 2 mm, 5 mm where too small to measure."""
    seen = true.copy()
    if shared is not None:
        own = rng.standard_normal(true.shape)
        error = np.sqrt(readers.correlation) * shared + np.sqrt(1 - readers.correlation) * own
        seen *= np.exp(readers.error * error)
    seen = np.round(seen, 1)
    nodal = node[:, None, :]
    seen[(seen < 5.0) & ~nodal] = 5.0
    seen[(true < VANISHED) & ~nodal] = 0.0
    return seen


def discordance(
    investigator: Floats, investigator_event: Bools, independent: Floats, independent_event: Bools
) -> tuple[float, float]:
    """Early and late discordance rates of two readers' progressions.

    Parameters
    ----------
    investigator, independent
        Times of progression or censoring, shape (patients,).
    investigator_event, independent_event
        Whether each is a progression.

    Returns
    -------
    float, float
        EDR = (b + a3) / (a + b): share of the investigator's progressions that the independent reader sees later or
        not at all. LDR = (c + a2) / (a2 + a3 + b + c): share of discordances in which the investigator is later. NaN
        if nothing is to be divided by.

    Notes
    -----
    Amit et al., Eur J Cancer 2011;47:1772-1778. a: both progress (a2: investigator later, a3: earlier), b: only the
    investigator, c: only the independent reader.

    Examples
    --------
    >>> import numpy as np
    >>> yes = np.array([True, True, True, False])
    >>> discordance(np.array([2.0, 4, 6, 8]), yes, np.array([2.0, 6, 4, 6]), np.array([True, True, True, True]))
    (0.3333333333333333, 0.6666666666666666)
    """
    both = investigator_event & independent_event
    later = int((both & (investigator > independent)).sum())
    earlier = int((both & (investigator < independent)).sum())
    only = int((investigator_event & ~independent_event).sum())
    missed = int((independent_event & ~investigator_event).sum())
    progressions, apart = int(both.sum()) + only, later + earlier + only + missed
    return (
        (only + earlier) / progressions if progressions else float("nan"),
        (missed + later) / apart if apart else float("nan"),
    )


def adjudicate(first: Floats, second: Floats, third: Floats) -> tuple[Floats, Bools]:
    """Resolve two readings by a third: where they differ, the one that the third is nearer to, the first if neither is.

    Parameters
    ----------
    first, second, third
        Times of progression, inf without one, shape (patients,).

    Returns
    -------
    float array, bool array
        The times that stand, and who was adjudicated.

    Examples
    --------
    >>> import numpy as np
    >>> adjudicate(np.array([4.0, 6]), np.array([4.0, np.inf]), np.array([2.0, 8]))[0].tolist()
    [4.0, 6.0]
    """
    differ = first != second
    far = np.finfo(float).max
    at = [np.where(np.isinf(times), far, times) for times in (first, second, third)]
    nearer = np.abs(at[1] - at[2]) < np.abs(at[0] - at[2])
    return np.where(differ & nearer, second, first), differ
