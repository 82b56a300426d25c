"""How readers see a disease: measurement error shared in part, lesions they choose, progression they call late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions.border import border, strict_border
from analysis.conventions.checks import flags, times
from analysis.endpoints.codes import MISSING, NON_CR_NON_PD, PD
from analysis.endpoints.organs import NOWHERE, choose_targets
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints.codes import Bools, Codes, Counts, Floats
    from analysis.endpoints.tumours import Disease

VANISHED = 2.0
"""Non-nodal lesions below this true size in mm are read as absent; from here to 5 mm as too small to measure: 5 mm."""

HIGHEST = {"error": np.inf, "delay": np.inf, "unshared": np.inf, "correlation": 1.0, "other_lesion": 1.0}


@strict_border
@dataclass(frozen=True)
class Readers:
    """The readers of the same scans: the investigator, an independent reader, and one who adjudicates between them.

    Parameters
    ----------
    error
        Standard deviation of the logarithm of a measured diameter.
    correlation
        Correlation of any two readers' errors on a lesion at a visit.
    other_lesion
        Probability that another reader than the investigator passes over a lesion and follows another one in its place;
        where the disease has `Organs`, only if there is another one that may be a target.
    delay
        Mean months (exponential) by which a reader calls a new lesion, or non-target progression, after it is there.
    independent
        Whether there is an independent reader.
    stops_at_investigator
        Whether scans end with the investigator's progression, so that no other reader sees a later one.
    unshared
        Hazard per month of a progression that the investigator alone calls: on clinical grounds, or on disease that
        nobody else counts.
    adjudication
        Whether a third reader, who reads as the independent one does, decides whose reading of a patient stands where
        the two differ (see `adjudicated`).

    Raises
    ------
    InvalidValueError
        If a number is outside what it can be, or there is nothing to adjudicate.

    Notes
    -----
    With `stops_at_investigator` False and `unshared` 0 the two readers are exchangeable: they are the two readers of a
    blinded central review, and the third its adjudicator.

    Examples
    --------
    >>> Readers(error=0.2, independent=True, adjudication=True).independent
    True
    """

    error: float = 0.0
    correlation: float = 0.0
    other_lesion: float = 0.0
    delay: float = 0.0
    independent: bool = False
    stops_at_investigator: bool = True
    unshared: float = 0.0
    adjudication: bool = False

    def __post_init__(self) -> None:
        for field, highest in HIGHEST.items():
            if not 0 <= getattr(self, field) <= highest:
                raise InvalidValueError(
                    field, getattr(self, field), f"from 0 to {highest}", "give a number in that range"
                )
        if self.adjudication and not self.independent:
            raise InvalidValueError("adjudication", True, "two readers to decide between", "set independent=True")

    @property
    def count(self) -> int:
        """How many read the scans, who adjudicates included."""
        return 1 + self.independent + self.adjudication

    def lesions(self, targets: int) -> int:
        """Lesions of a patient that any reader may follow."""
        return 2 * targets if self.independent and self.other_lesion else targets


class Scans(NamedTuple):
    """What one reader saw of a batch: (patients, visits + 1, ...), the baseline first."""

    diameter: Floats
    node: Bools
    non_target: Codes
    new: Counts
    organ: Counts | None
    """(patients, targets): number of each target's organ, -1 for no target; None without `Organs`."""


def read_disease(
    disease: Disease, readers: Readers, time: Floats, targets: int, rng: np.random.Generator
) -> list[Scans]:
    """Read a batch once by each reader: the investigator, then the independent one, then who adjudicates."""
    patients, visits = time.shape
    lesions = targets if disease.organ is None else disease.organ.shape[1]
    shared = rng.standard_normal((patients, visits + 1, lesions)) if readers.error else None
    scans = []
    for number in range(readers.count):
        follow = _positions if disease.organ is None else _largest
        seen, node, organ = follow(disease, readers, shared, number, targets, rng)
        called = [when + _late(readers, patients, rng) for when in (disease.new_lesion, disease.non_target)]
        if number == 0 and readers.unshared:
            called[0] = np.minimum(called[0], rng.standard_exponential(patients) / readers.unshared)
        new = np.zeros(seen.shape[:2], np.int64)
        new[:, 1:] = time >= called[0][:, None]
        non_target = np.full(seen.shape[:2], NON_CR_NON_PD, np.int8)
        non_target[:, 1:][time >= called[1][:, None]] = PD
        has_non_target = disease.with_non_target
        if organ is not None and disease.organ is not None:
            has_non_target = has_non_target | ((disease.organ >= 0).sum(axis=1) > (organ >= 0).sum(axis=1))
        non_target[~has_non_target] = MISSING
        scans.append(Scans(seen, np.ascontiguousarray(node), non_target, new, organ))
    return scans


def _positions(
    disease: Disease, readers: Readers, shared: Floats | None, number: int, targets: int, rng: np.random.Generator
) -> tuple[Floats, Bools, None]:
    """Follow the first lesions, another reader than the investigator some of the others in their place."""
    if number and readers.other_lesion:
        chosen = np.arange(targets) + targets * (rng.random((len(disease.node), targets)) < readers.other_lesion)
        node = np.take_along_axis(disease.node, chosen, 1)
        true = np.take_along_axis(disease.diameter, chosen[:, None, :], 2)
    else:
        node, true = disease.node[:, :targets], disease.diameter[:, :, :targets]
    return _measure(true, node, readers, shared, rng), node, None


def _largest(
    disease: Disease, readers: Readers, shared: Floats | None, number: int, targets: int, rng: np.random.Generator
) -> tuple[Floats, Bools, Counts]:
    """Measure all lesions and follow those that RECIST 1.1 lets a reader choose; the others are non-target disease."""
    assert disease.organ is not None, "lesions are chosen by organ"
    avoided = np.zeros(disease.organ.shape, np.bool_)
    if number and readers.other_lesion:
        avoided = rng.random(avoided.shape) < readers.other_lesion
    every = _measure(disease.diameter, disease.node, readers, shared, rng)
    chosen = choose_targets(every[:, 0].copy(), disease.organ, disease.node, avoided, targets)
    seen = np.where((chosen >= 0)[:, None, :], np.take_along_axis(every, chosen[:, None, :], 2), 0.0)
    node = np.take_along_axis(disease.node, chosen, 1) & (chosen >= 0)
    organ = np.where(chosen >= 0, np.take_along_axis(disease.organ, chosen, 1), NOWHERE)
    return seen, node, organ


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


@border
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
    investigator, independent = times("investigator", investigator), times("independent", independent)
    for field, given in (
        ("investigator_event", investigator_event),
        ("independent", independent),
        ("independent_event", independent_event),
    ):
        if np.shape(given) != investigator.shape:
            expected = f"one for each of {investigator.size} patients"
            raise InvalidValueError(field, np.shape(given), expected, "give both readings of the same patients")
    investigator_event = flags("investigator_event", investigator_event)
    independent_event = flags("independent_event", independent_event)
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
