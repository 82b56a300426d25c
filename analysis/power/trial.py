"""Two arms as a power calculation sees them: how many patients, when they enter, fail and are lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from analysis.design import FixedAccrual, PiecewiseAccrual, RampAccrual, UniformAccrual
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival import Distribution, Exponential, ProportionalHazards

if TYPE_CHECKING:
    from analysis.design import Accrual
    from analysis.power.quadrature import FloatArray

NO_CHANGES = np.array([], dtype=np.float64)


@dataclass(frozen=True)
class Arm:
    """One arm, or the part of it in one stratum.

    Parameters
    ----------
    n
        Patients, above 0; a calculation may ask for a fraction of one.
    event_time
        Distribution of the months from entry to the event.
    dropout
        Distribution of the months from entry to loss to follow-up, or a rate per month; None: nobody is lost.

    Raises
    ------
    InvalidValueError
        If `n` is not above 0 or a dropout rate is negative.
    """

    n: float
    event_time: Distribution
    dropout: Distribution | float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.n < np.inf:
            raise InvalidValueError("n", self.n, "patients in every arm and stratum", "give a finite number above 0")
        if self.dropout is not None and not isinstance(self.dropout, Distribution):
            if not 0 <= self.dropout < np.inf:
                raise InvalidValueError("dropout", self.dropout, "losses per month of at least 0", "give a rate")
            object.__setattr__(self, "dropout", Exponential(self.dropout) if self.dropout > 0 else None)

    @property
    def loss(self) -> Distribution | None:
        """Distribution of the time to loss."""
        return self.dropout  # type: ignore[return-value]  # a rate became a distribution in __post_init__

    @property
    def change_points(self) -> FloatArray:
        """Follow-up times at which a hazard of the arm may jump."""
        lost = NO_CHANGES if self.loss is None else self.loss.change_points
        return np.concatenate([self.event_time.change_points, lost])

    def retention(self, t: FloatArray) -> FloatArray | float:
        """Probability that a patient is not lost by `t` months."""
        return 1.0 if self.loss is None else self.loss.survival(t)


@dataclass(frozen=True)
class Stratum:
    """The two arms of a stratum; a trial without strata has one."""

    control: Arm
    experimental: Arm

    @property
    def change_points(self) -> FloatArray:
        """Follow-up times at which a hazard of the stratum may jump."""
        return np.concatenate([self.control.change_points, self.experimental.change_points])


@dataclass(frozen=True)
class TwoArmTrial:
    """A randomised comparison of two arms, stratified or not.

    Parameters
    ----------
    strata
        Control and experimental arm by stratum.
    accrual
        How patients enter, the same in all strata and arms.

    Raises
    ------
    InvalidValueError
        If there is no stratum.

    Examples
    --------
    >>> from analysis.design import UniformAccrual
    >>> from analysis.survival import Exponential
    >>> trial = two_arm_trial(
    ...     Exponential.from_median(11), hazard_ratio=0.6, n=100, accrual=UniformAccrual(18), dropout=0.005
    ... )
    >>> trial.n
    100.0
    """

    strata: tuple[Stratum, ...]
    accrual: Accrual

    def __post_init__(self) -> None:
        if not self.strata:
            raise InvalidValueError("strata", self.strata, "at least one stratum", "give the two arms")

    @property
    def n(self) -> float:
        """Patients, all arms and strata together."""
        return sum(stratum.control.n + stratum.experimental.n for stratum in self.strata)

    @property
    def n_experimental(self) -> float:
        """Patients in the experimental arm."""
        return sum(stratum.experimental.n for stratum in self.strata)

    @property
    def allocation_ratio(self) -> float:
        """Experimental patients per control patient."""
        return self.n_experimental / (self.n - self.n_experimental)

    def with_n(self, n: float) -> TwoArmTrial:
        """Return the same trial with `n` patients in all, in the same proportions and the same accrual time."""
        factor = n / self.n
        return replace(
            self,
            strata=tuple(
                Stratum(
                    replace(s.control, n=s.control.n * factor), replace(s.experimental, n=s.experimental.n * factor)
                )
                for s in self.strata
            ),
        )


def two_arm_trial(
    control: Distribution,
    experimental: Distribution | None = None,
    *,
    n: float,
    accrual: Accrual,
    hazard_ratio: float | None = None,
    allocation_ratio: float = 1.0,
    dropout: Distribution | float | Mapping[str, Distribution | float] | None = None,
) -> TwoArmTrial:
    """Build an unstratified trial.

    Parameters
    ----------
    control
        Event times of the control arm.
    experimental
        Event times of the experimental arm; or give `hazard_ratio`.
    n
        Patients, both arms together.
    accrual
        How they enter.
    hazard_ratio
        Constant hazard ratio, experimental against control; below 1 favours the experimental arm.
    allocation_ratio
        Experimental patients per control patient.
    dropout
        Loss to follow-up: a distribution or a rate per month, for both arms or by arm (``"control"``,
        ``"experimental"``).

    Returns
    -------
    TwoArmTrial

    Raises
    ------
    InvalidValueError
        If neither or both of `experimental` and `hazard_ratio` are given, or a number is impossible.
    UnknownNameError
        If dropout is given for an arm of another name.
    """
    if (experimental is None) == (hazard_ratio is None):
        raise InvalidValueError(
            "experimental, hazard_ratio", (experimental, hazard_ratio), "exactly one of them", "give one of the two"
        )
    if not 0 < allocation_ratio < np.inf:
        raise InvalidValueError("allocation_ratio", allocation_ratio, "a number above 0", "give 2 for 2:1")
    if experimental is None:
        experimental = ProportionalHazards(control, hazard_ratio)  # type: ignore[arg-type]  # not None, see above
    lost = dropout if isinstance(dropout, Mapping) else {"control": dropout, "experimental": dropout}
    for arm in lost:
        if arm not in ("control", "experimental"):
            raise UnknownNameError("arm", arm, ("control", "experimental"))
    n_experimental = n * allocation_ratio / (1 + allocation_ratio)
    stratum = Stratum(
        Arm(n - n_experimental, control, lost.get("control")),
        Arm(n_experimental, experimental, lost.get("experimental")),
    )
    return TwoArmTrial((stratum,), accrual)


@singledispatch
def entry_rate_changes(accrual: Accrual) -> FloatArray:
    """Calendar times at which the rate of entry may jump, the end of accrual among them.

    A pattern that is not registered here is taken to be smooth between 65 equally spaced times.
    """
    return np.linspace(0, accrual.duration, 65)


@entry_rate_changes.register(UniformAccrual)
def _(accrual: UniformAccrual) -> FloatArray:
    return np.array([accrual.duration])


@entry_rate_changes.register(PiecewiseAccrual)
def _(accrual: PiecewiseAccrual) -> FloatArray:
    return np.array([*accrual.breaks, accrual.duration])


@entry_rate_changes.register(RampAccrual)
def _(accrual: RampAccrual) -> FloatArray:
    return np.array([accrual.ramp, accrual.duration])


@entry_rate_changes.register(FixedAccrual)
def _(accrual: FixedAccrual) -> FloatArray:
    return np.array(accrual.times)
