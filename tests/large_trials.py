"""Trials in large samples, in a line each: fractional patients, arms with exact shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.design import UniformAccrual
from analysis.expected.trial import Arm, ExpectedTrial, Stratum
from analysis.survival import Distribution, Exponential, ProportionalHazards

if TYPE_CHECKING:
    from analysis.design import Accrual, Assessments


def loss(given: Any) -> Distribution | None:
    """Dropout as a distribution; tools write no loss as 1e-300."""
    if given is None or isinstance(given, Distribution):
        return given
    return Exponential(given) if given > 1e-200 else None


def stratified_trial(
    cells: list[tuple[float, Distribution, Distribution]],
    *,
    n: float,
    accrual: Accrual | float,
    allocation_ratio: float = 1.0,
    dropout: Any = None,
    follow_up: float = float("inf"),
) -> ExpectedTrial:
    """Two arms of n patients in strata of a share, a control and an experimental distribution each."""
    by_arm = dropout if isinstance(dropout, Mapping) else {"control": dropout, "experimental": dropout}
    lost = [loss(by_arm.get(arm)) for arm in ("control", "experimental")]
    whole = sum(share for share, *_ in cells)
    strata = []
    for share, *curves in cells:
        sizes = [n * share / whole * part / (1 + allocation_ratio) for part in (1, allocation_ratio)]
        strata.append(Stratum(tuple(Arm(*arm, follow_up) for arm in zip(sizes, curves, lost, strict=True))))
    return ExpectedTrial(tuple(strata), accrual if not isinstance(accrual, int | float) else UniformAccrual(accrual))


def two_arm_trial(
    control: Distribution, experimental: Distribution | None = None, *, hazard_ratio: float = 1.0, **rest: Any
) -> ExpectedTrial:
    """Two arms without strata; the keywords are those of `stratified_trial`."""
    other = ProportionalHazards(control, hazard_ratio) if experimental is None else experimental
    return stratified_trial([(1.0, control, other)], **rest)


def single_arm_trial(
    truth: Distribution,
    *,
    n: float,
    accrual: Accrual | float,
    dropout: Any = None,
    assessments: Assessments | None = None,
) -> ExpectedTrial:
    """One arm of n patients."""
    pattern = accrual if not isinstance(accrual, int | float) else UniformAccrual(accrual)
    return ExpectedTrial((Stratum((Arm(n, truth, loss(dropout)),)),), pattern, assessments)
