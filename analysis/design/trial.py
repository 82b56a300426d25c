"""What a protocol fixes: arms, allocation, strata, accrual, dropout, assessments and the looks at the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis.design.checks import ByName, count, finite, not_negative, probability
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival.distributions import Distribution, Exponential

if TYPE_CHECKING:
    import pandas as pd

    from analysis.design.accrual import Accrual
    from analysis.design.assessments import Assessments
    from analysis.design.cuts import Cut


@dataclass(frozen=True)
class Look:
    """One analysis: when the data are cut and what stops the trial there.

    Boundaries are z values in the direction of benefit: a larger z favours the experimental arm more.

    Parameters
    ----------
    cut
        When the data are cut.
    efficacy_z
        Stop and reject the null hypothesis at or above this z. None: at the last look the design's alpha decides, at an
        earlier look the trial goes on whatever the data say.
    futility_z
        Stop without rejection at or below this z; None: no futility boundary.

    Raises
    ------
    InvalidValueError
        If the futility boundary is not below the efficacy boundary.
    """

    cut: Cut
    efficacy_z: float | None = None
    futility_z: float | None = None

    def __post_init__(self) -> None:
        for name in ("efficacy_z", "futility_z"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, finite(name, getattr(self, name)))
        if self.efficacy_z is not None and self.futility_z is not None and self.futility_z > self.efficacy_z:
            raise InvalidValueError(
                "futility_z", self.futility_z, f"at most efficacy_z = {self.efficacy_z:g}", "lower it"
            )


@dataclass(frozen=True)
class TrialDesign:
    """A trial as its protocol fixes it: randomised, or of a single arm.

    Parameters
    ----------
    n
        Patients to be enrolled, all arms together.
    accrual
        How they enter.
    looks
        The analyses, in order of time; the last one is final.
    allocation
        Share of patients by arm, e.g. ``{"control": 1, "experimental": 2}``; only the proportions count.
    control
        Name of the control arm; every other arm is compared with it. None for a trial of a single arm, which is tested
        against a null value.
    dropout
        Loss to follow-up from entry on: a rate per month or a distribution, for all arms or by arm; None: no loss.
    assessments
        Schedule at which progression is looked for; None: events are seen when they happen.
    strata
        Share of patients by stratum; randomisation is stratified, so each stratum has the allocation's proportions.
    delayed_entry
        Distribution of the months from time zero until a patient comes under observation (left truncation): only
        patients without the event by then are in the trial, and they enter the risk set then. None: observed from
        time zero.
    endpoint
        Name of the endpoint that `looks` count by default, ``"PFS"`` or ``"OS"``, or any other name.
    alpha
        Type I error of the final test when its look has no `efficacy_z`.
    sided
        1: rejection in favour of the experimental arm only; 2: `alpha` is shared by both directions.

    Raises
    ------
    InvalidValueError
        If a share, rate or size is impossible, a look asks for more events than there are patients, or several arms
        have no control.
    UnknownNameError
        If the control arm, or an arm that dropout is given for, is not in the allocation.

    Examples
    --------
    >>> from analysis.design import AtEvents, UniformAccrual
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=(Look(AtEvents(60)),), dropout=0.005)
    >>> design.arm_sizes
    {'control': 50, 'experimental': 50}

    A single arm:

    >>> TrialDesign(n=70, accrual=UniformAccrual(18), looks=design.looks, allocation={"new": 1}, control=None).arms
    ('new',)
    """

    n: int
    accrual: Accrual
    looks: Sequence[Look]
    allocation: Mapping[str, float] = ByName({"control": 1.0, "experimental": 1.0})
    control: str | None = "control"
    dropout: Distribution | float | Mapping[str, Distribution | float] | None = None
    assessments: Assessments | None = None
    strata: Mapping[str, float] = ByName({"all": 1.0})
    delayed_entry: Distribution | None = None
    endpoint: str = "PFS"
    alpha: float = 0.025
    sided: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", count("n", self.n, "patients"))
        object.__setattr__(self, "allocation", _shares("allocation", self.allocation, at_least=1))
        object.__setattr__(self, "strata", _shares("strata", self.strata, at_least=1))
        looks = (self.looks,) if isinstance(self.looks, Look) else tuple(self.looks)
        object.__setattr__(self, "looks", looks)
        object.__setattr__(self, "alpha", probability("alpha", self.alpha))
        self._check_control()
        if self.sided not in (1, 2):
            raise InvalidValueError("sided", self.sided, "1 or 2", "give the number of sides of the test")
        if not hasattr(self.accrual, "entry_times"):
            raise InvalidValueError("accrual", self.accrual, "an accrual pattern", "write UniformAccrual(months)")
        if self.assessments is not None and not hasattr(self.assessments, "scheduled"):
            raise InvalidValueError("assessments", self.assessments, "a schedule", "write Assessments.every(months)")
        if not all(isinstance(look, Look) for look in self.looks):
            raise InvalidValueError("looks", self.looks, "a list of looks", "write [Look(AtEvents(60))]")
        if not self.looks:
            raise InvalidValueError(
                "looks", self.looks, "at least one look", "give Look(AtEvents(...)) or Look(AtTime(...))"
            )
        self._check_looks()
        self._check_dropout()
        empty = [cell for cell, size in self.cell_sizes.items() if size == 0]
        if empty:
            raise InvalidValueError(
                "n", self.n, f"patients in every stratum and arm (none in {empty})", "enlarge the trial"
            )

    def _check_control(self) -> None:
        if (self.control is None) != (len(self.allocation) == 1):
            raise InvalidValueError(
                "control",
                self.control,
                f"{'None' if len(self.allocation) == 1 else 'the name of an arm'} with {len(self.allocation)} arm(s)",
                "a single arm has no control, several arms have one",
            )
        if self.control is not None and self.control not in self.allocation:
            raise UnknownNameError("arm", self.control, self.allocation)

    def _check_looks(self) -> None:
        everyone = dict.fromkeys((None, "PFS", "OS", self.endpoint), float(self.n))
        for number, look in enumerate(self.looks, start=1):
            if look.cut.shortfall(everyone):
                raise InvalidValueError(
                    f"looks (number {number})",
                    str(look.cut),
                    f"at most {self.n} events, one a patient",
                    "ask for fewer",
                )

    def _check_dropout(self) -> None:
        given = self.dropout if isinstance(self.dropout, Mapping) else dict.fromkeys(self.allocation, self.dropout)
        for arm in given:
            if arm not in self.allocation:
                raise UnknownNameError("arm", arm, self.allocation)
        by_arm = {arm: _loss(arm, given.get(arm)) for arm in self.allocation}
        object.__setattr__(self, "dropout", ByName({arm: loss for arm, loss in by_arm.items() if loss is not None}))

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in the order of the allocation."""
        return tuple(self.allocation)

    @property
    def experimental_arms(self) -> tuple[str, ...]:
        """Names of the arms that are tested: compared with the control, or the single arm."""
        return tuple(arm for arm in self.allocation if arm != self.control)

    @property
    def cell_sizes(self) -> dict[tuple[str, str], int]:
        """Patients by (stratum, arm): shares of `n` rounded by largest remainder, strata first."""
        sizes = {}
        for stratum, stratum_size in zip(self.strata, _apportion(self.n, self.strata), strict=True):
            for arm, size in zip(self.allocation, _apportion(stratum_size, self.allocation), strict=True):
                sizes[stratum, arm] = size
        return sizes

    @property
    def arm_sizes(self) -> dict[str, int]:
        """Patients by arm."""
        cells = self.cell_sizes
        return {arm: sum(cells[stratum, arm] for stratum in self.strata) for arm in self.allocation}

    @property
    def final_critical_z(self) -> float:
        """Critical z of the last look, in the direction of benefit."""
        given = self.looks[-1].efficacy_z
        return float(norm.isf(self.alpha / self.sided)) if given is None else given

    def dropout_of(self, arm: str) -> Distribution | None:
        """Distribution of the months from entry to loss to follow-up in an arm; None if nobody is lost."""
        by_arm: Mapping[str, Distribution] = self.dropout  # type: ignore[assignment]  # normalised in __post_init__
        return by_arm.get(arm)

    def summary(self) -> pd.DataFrame:
        """One row per item of the design: `item`, `value`."""
        import pandas as pd

        rows = [
            ("patients", f"{self.n}"),
            ("arms", ", ".join(f"{arm} {size}" for arm, size in self.arm_sizes.items())),
            ("control", self.control or "none: a single arm"),
            ("accrual", repr(self.accrual)),
            ("dropout", "; ".join(f"{arm}: {self.dropout_of(arm)}" for arm in self.arms)),
            ("assessments", repr(self.assessments) if self.assessments else "events seen when they happen"),
            ("strata", ", ".join(f"{stratum} {share:.3g}" for stratum, share in self.strata.items())),
            ("delayed entry", repr(self.delayed_entry) if self.delayed_entry else "none"),
            ("endpoint", self.endpoint),
            ("alpha", f"{self.alpha:g} ({'one' if self.sided == 1 else 'two'}-sided)"),
        ]
        for number, look in enumerate(self.looks, start=1):
            bounds = [
                f"{name} z {z:g}"
                for name, z in (("efficacy", look.efficacy_z), ("futility", look.futility_z))
                if z is not None
            ]
            rows.append((f"look {number}", ", ".join([str(look.cut), *bounds])))
        return pd.DataFrame(rows, columns=["item", "value"])

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


def _shares(field: str, given: Mapping[str, float], at_least: int) -> ByName[float]:
    shares = {name: not_negative(f"{field}[{name!r}]", share, "parts") for name, share in given.items()}
    if len(shares) < at_least:
        raise InvalidValueError(field, given, f"at least {at_least} name(s) with a share each", "name the missing ones")
    total = sum(shares.values())
    if total == 0:
        raise InvalidValueError(field, given, "shares that do not sum to 0", "give a positive share to each name")
    if 0 in shares.values():
        raise InvalidValueError(field, given, "a share above 0 for each name", "leave out names without patients")
    return ByName(shares)


def _apportion(total: int, shares: Mapping[str, float]) -> list[int]:
    exact = np.array(list(shares.values())) * total / sum(shares.values())
    sizes = np.floor(exact + 1e-9).astype(int)
    largest_remainders = np.argsort(-(exact - sizes), kind="stable")[: total - sizes.sum()]
    sizes[largest_remainders] += 1
    return [int(size) for size in sizes]


def _loss(arm: str, given: Distribution | float | None) -> Distribution | None:
    if given is None or isinstance(given, Distribution):
        return given
    rate = not_negative(f"dropout of {arm!r}", given, "losses per month")
    return Exponential(rate) if rate > 0 else None
