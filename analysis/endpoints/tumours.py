"""What happens to a patient's disease before anyone looks: lesions, new lesions, non-target disease, death."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.conventions.border import border, strict_border
from analysis.conventions.checks import count
from analysis.conventions.seeds import Seed, generator
from analysis.endpoints.organs import NOWHERE
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.endpoints.codes import Bools, Counts, Floats
    from analysis.endpoints.growth import GrowthLaw
    from analysis.endpoints.organs import Organs


MOST_PATIENTS = 10_000_000  # in one table


@strict_border
@dataclass(frozen=True)
class PseudoProgression:
    """Lesions that swell before they shrink, in a share of the patients.

    Parameters
    ----------
    share
        Share of patients (6% under checkpoint inhibitors, 5 to 7).
    swelling
        Relative increase of all lesions while it lasts.
    until
        Months after entry at which it ends.
    shrinkage
        Rate per month at which lesions then shrink; these patients have no new lesion and no non-target progression.

    Examples
    --------
    >>> PseudoProgression(0.05).until
    3.0
    """

    share: float
    swelling: float = 0.5
    until: float = 3.0
    shrinkage: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InvalidValueError("share", self.share, "a share of patients from 0 to 1", "give a fraction")


@strict_border
@dataclass(frozen=True)
class Tumours:
    """The disease of a population.

    Parameters
    ----------
    growth
        How lesions change: `Stein`, `Wang` or `Claret`.
    targets
        Target lesions of each patient, 1 to 5; 0 if no patient has measurable disease.
    baseline, baseline_spread
        Median diameter of a non-nodal target in mm, and sd of its logarithm; targets below 10 mm (nodes: 15) are not
        chosen.
    nodes
        Share of targets that are lymph nodes. A node shrinks to its normal size of 5 mm, not to nothing.
    new_lesions, non_target, death
        Hazards per month of the first new lesion, of unequivocal non-target progression, and of death.
    with_non_target
        Share of patients who have non-target disease.
    measurable
        Share of patients who have measurable disease; the others, with disease in bone alone for instance, have no
        target and have non-target disease.
    pseudo_progression
        Pseudo-progression; None if there is none.
    fastest
        Rate per month above which no diameter grows, whatever the law's rates say: a spread that is wide enough for
        some to progress at once has a tail that no tumour has.
    organs
        Where the measurable lesions are and how many. Each reader then chooses the targets, by size, at most 2 in an
        organ; nodes are those of the organ ``"lymph node"`` and `nodes` is not read. None: each patient has `targets`
        lesions, in no particular organ.

    Raises
    ------
    InvalidValueError
        If a number is outside what it can be.

    Examples
    --------
    >>> from analysis.endpoints import Rate, Stein
    >>> Tumours(Stein(Rate(0.05, 0.3), Rate(0.1, 0.3)), new_lesions=0.05).targets
    5
    """

    growth: GrowthLaw
    targets: int = 5
    baseline: float = 25.0
    baseline_spread: float = 0.5
    nodes: float = 0.2
    new_lesions: float = 0.0
    non_target: float = 0.0
    death: float = 0.0
    with_non_target: float = 1.0
    pseudo_progression: PseudoProgression | None = None
    fastest: float = np.inf
    organs: Organs | None = None
    measurable: float = 1.0

    def __post_init__(self) -> None:
        if not callable(getattr(self.growth, "relative", None)):
            raise InvalidValueError("growth", self.growth, "a growth law", "give Stein, Wang or Claret")
        if self.targets not in range(6):
            raise InvalidValueError("targets", self.targets, "0 to 5 target lesions", "RECIST 1.1 follows 5 at most")
        for field in ("new_lesions", "non_target", "death", "baseline_spread"):
            if not 0 <= getattr(self, field) < np.inf:
                raise InvalidValueError(
                    field, getattr(self, field), "a finite number, at least 0", "give a rate per month"
                )
        if not self.fastest > 0:
            raise InvalidValueError("fastest", self.fastest, "a rate above 0", "leave it out for no limit")
        for field in ("nodes", "with_non_target", "measurable"):
            if not 0 <= getattr(self, field) <= 1:
                raise InvalidValueError(field, getattr(self, field), "a share from 0 to 1", "give a fraction")

    @property
    def followed(self) -> int:
        """Places for the target lesions of a patient, one of them empty where nobody has any."""
        return max(self.targets, 1)


class Disease(NamedTuple):
    """True course of a batch of patients; sizes in mm, times in months."""

    diameter: Floats
    """(patients, visits + 1, lesions), the baseline first."""
    node: Bools
    new_lesion: Floats
    non_target: Floats
    death: Floats
    with_non_target: Bools
    pseudo: Bools
    organ: Counts | None
    """(patients, lesions): number of the organ, -1 where a patient has no more lesions; None without `Organs`."""


def exponential(rate: float, size: int, rng: np.random.Generator) -> Floats:
    """Exponential times; inf for a rate of 0."""
    return rng.standard_exponential(size) / rate if rate > 0 else np.full(size, np.inf)


def draw_disease(tumours: Tumours, time: Floats, lesions: int, rng: np.random.Generator) -> Disease:
    """Draw the course of patients at `time` (patients, times), with `lesions` each unless there are `Organs`."""
    patients = len(time)
    if tumours.organs is None:
        organ, node = None, rng.random((patients, lesions)) < tumours.nodes
    else:
        organ = tumours.organs.draw(patients, rng)
        node, lesions = tumours.organs.is_node(organ), organ.shape[1]
    least = np.where(node, 15.0, 10.0)
    baseline = np.maximum(
        tumours.baseline * np.exp(tumours.baseline_spread * rng.standard_normal((patients, lesions))), least
    )
    relative = tumours.growth.relative(time, lesions, rng)
    if np.isfinite(tumours.fastest):
        relative = np.minimum(relative, np.exp(tumours.fastest * time)[:, None, :])
    pseudo = np.zeros(patients, np.bool_)
    if tumours.pseudo_progression is not None:
        state = tumours.pseudo_progression
        pseudo = rng.random(patients) < state.share
        swollen = np.where(time < state.until, 1 + state.swelling, np.exp(-state.shrinkage * time))
        relative = np.where(pseudo[:, None, None], swollen[:, None, :], relative)
    if organ is not None:
        baseline[organ < 0] = 0.0
    normal = np.where(node, 5.0, 0.0)[:, :, None]
    size = normal + (baseline[:, :, None] - normal) * relative
    diameter = np.empty((patients, time.shape[1] + 1, lesions))
    diameter[:, 0] = baseline
    diameter[:, 1:] = size.transpose(0, 2, 1)
    disease = Disease(
        diameter,
        node,
        np.where(pseudo, np.inf, exponential(tumours.new_lesions, patients, rng)),
        np.where(pseudo, np.inf, exponential(tumours.non_target, patients, rng)),
        exponential(tumours.death, patients, rng),
        rng.random(patients) < tumours.with_non_target,
        pseudo,
        organ,
    )
    share = tumours.measurable if tumours.targets else 0.0
    return disease if share == 1 else _without_targets(disease, rng.random(patients) >= share)


def _without_targets(disease: Disease, which: Bools) -> Disease:
    """Take the measurable lesions of some patients away; what they have is non-target disease."""
    disease.diameter[which] = 0.0
    organ = None if disease.organ is None else np.where(which[:, None], NOWHERE, disease.organ)
    return disease._replace(organ=organ, with_non_target=disease.with_non_target | which)


@border
def baseline_lesions(tumours: Tumours, patients: int, rng: Seed) -> pd.DataFrame:
    """Tabulate the lesions that patients have at baseline: patient, lesion, organ, node, diameter (mm).

    Examples
    --------
    >>> from analysis.endpoints import Organs, Rate, Stein
    >>> growth = Stein(Rate(0.1), Rate(0.1))
    >>> lesions = baseline_lesions(Tumours(growth, organs=Organs({"liver": 0.7, "lymph node": 0.3})), 100, rng=1)
    >>> sorted(lesions["organ"].unique()), bool(lesions["diameter"].min() >= 10)
    (['liver', 'lymph node'], True)
    """
    count("patients", patients, "patients", at_most=MOST_PATIENTS)
    disease = draw_disease(tumours, np.empty((patients, 0)), tumours.followed, generator(rng))
    there = disease.diameter[:, 0] > 0
    patient, lesion = np.nonzero(there)
    names = np.array(tumours.organs.names if tumours.organs else ["not given"])
    organ = np.zeros(there.shape, int) if disease.organ is None else disease.organ
    return pd.DataFrame(
        {
            "patient": patient,
            "lesion": lesion,
            "organ": names[organ[there]],
            "node": disease.node[there],
            "diameter": disease.diameter[:, 0][there],
        }
    )
