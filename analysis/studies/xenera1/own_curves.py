"""XENERA-1's own two readings, reconstructed together: curves that cross, what they say, and tests that fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions import replace
from analysis.conventions.seeds import child, seed_sequence
from analysis.design import Scenario
from analysis.design.scenario import multiplied
from analysis.reconstruction import EnsembleEstimate, TrialReconstruction, reconstruct
from analysis.sequential import FutilityBounds, GroupSequentialDesign, OBrienFleming
from analysis.simulation import simulate
from analysis.statistical_tests import LogRank, MaxCombo, MilestoneDifference, RMSTDifference, TwoArmTest
from analysis.studies.assumptions import Assumption
from analysis.studies.remembered import remembered
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.plan import CONTROL, EXPERIMENTAL, READERS, SEED
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from analysis.survival import Distribution

MEMBERS = 100
MONTHS = (6.0, 9.0)
TAU = 9.0
"""Month up to which mean times are compared: both arms of both readings are followed for so long in every member."""
TRIALS = Assumption("replicates", 20_000, "per scenario", "Monte Carlo standard error at most 0.36 points")
INTERIM = Assumption("interim analysis", 0.5, "of the events", "not reported; one look at half of the events")
FUTILITY = Assumption(
    "futility", 0.0, "z of the interim, not binding", "not reported; stops where the drug looks no better"
)
EVENTS = Assumption("events of the design with an interim", 40, "", "not reported; as many as come at every ratio")
STRATUM = Assumption(
    "stratum", (0.5, 1.6), "share of patients, and their hazard against the others",
    "not reported; prior CDK4/6 inhibitor for instance",
)  # fmt: skip
AGREEMENT = Assumption(
    "agreement of the two readings", (0.0, 0.5, 0.8, 0.95), "correlation of their times",
    "not reported; 0.8 elsewhere; 0 are readings of other patients",
)  # fmt: skip
ASSUMPTIONS = (TRIALS, INTERIM, FUTILITY, EVENTS, STRATUM, AGREEMENT)


@remembered
def together(members: int = MEMBERS, seed: int = SEED) -> TrialReconstruction:
    """Reconstruct both readings as two readings of one list of patients."""
    return reconstruct([plan.by_reader(reader) for reader in READERS], members, rng=seed)


def differences() -> pd.DataFrame:
    """Tabulate what the curves say where their hazard ratio does not.

    Returns
    -------
    DataFrame
        ``reader``, ``quantity`` (survival at 6 and 9 months and the mean time free of progression up to `TAU`, each
        xentuzumab less placebo; months at which the curves cross last up to `TAU`), ``estimate``, ``lower``, ``upper``
        (median and central 90% of the members), and ``std_error``, the sampling error of the trial, averaged over the
        members.
    """
    rows = []
    for reader, comparison in READERS.items():
        values: dict[str, list[float]] = {}
        errors: dict[str, list[float]] = {}
        for _, member in together().analysis(comparison).ipd().groupby("member"):
            own = (member["time"], member["event"], member["arm"] == EXPERIMENTAL)
            tests: dict[str, TwoArmTest] = {
                f"progression-free at {month:g} months": MilestoneDifference(month) for month in MONTHS
            }
            tests[f"mean time up to {TAU:g} months"] = RMSTDifference(TAU)
            for name, test in tests.items():
                found = test.analyse(*own)
                values.setdefault(name, []).append(found.estimate)
                errors.setdefault(name, []).append(found.std_error)
            values.setdefault("curves cross last at", []).append(_last_crossing(member))
        for name, members in values.items():
            known = np.array([value for value in members if np.isfinite(value)])
            found_over = EnsembleEstimate.of(known, level=0.9)
            error = float(np.mean(errors[name])) if name in errors else np.nan
            rows.append((reader, name, found_over.estimate, found_over.lower, found_over.upper, error))
    return pd.DataFrame(rows, columns=["reader", "quantity", "estimate", "lower", "upper", "std_error"])


@remembered
def by_agreement(members: int = 20, seed: int = SEED) -> pd.DataFrame:
    """Tabulate what the two readings of a patient have in common, over the agreement that is assumed between them.

    What each reading says by itself, its curve and its ratio, does not depend on it.

    Returns
    -------
    DataFrame
        ``agreement``, ``correlation`` of the two times, ``apart`` (mean months between them), ``same_status`` (share of
        patients with an event by both or by neither), ``progressed_by_both`` (share of the investigator's events that
        the review has too) and ``faithful``, the share of members that give every printed number back; means over the
        members.
    """
    rows = []
    for agreement in AGREEMENT.value:
        result = reconstruct([plan.by_reader(r) for r in READERS], members, rng=seed, agreement=agreement)
        review, own = (result.endpoints[f"PFS {reader}"] for reader in READERS)
        times = [np.corrcoef(a, b)[0, 1] for a, b in zip(review.time, own.time, strict=True)]
        apart = float(np.abs(review.time - own.time).mean())
        same, both = float((review.event == own.event).mean()), float(review.event[own.event].mean())
        rows.append((agreement, float(np.mean(times)), apart, same, both, float(result.faithful.mean())))
    columns = ["agreement", "correlation", "apart", "same_status", "progressed_by_both", "faithful"]
    return pd.DataFrame(rows, columns=columns)


def _last_crossing(member: pd.DataFrame) -> float:
    """Last month up to `TAU` at which one arm's curve passes the other's; NaN if it never does."""
    curves = [kaplan_meier(one["time"], one["event"]) for _, one in member.groupby("arm", sort=True)]
    at = np.linspace(0.0, TAU, 481)
    sign = np.sign(curves[0].survival_at(at) - curves[1].survival_at(at))
    told = np.flatnonzero(sign != 0)
    change = told[1:][np.diff(sign[told]) != 0]
    return float(at[change[-1]]) if change.size else np.nan


TESTS: dict[str, TwoArmTest] = {
    "log-rank": LogRank(),
    f"mean time up to {TAU:g} months": RMSTDifference(TAU),
    f"progression-free at {TAU:g} months": MilestoneDifference(TAU),
    "max-combo": MaxCombo(),
}


@remembered
def power_on_own_curves(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Tabulate how often the registered design rejects if XENERA-1's own curves were the truth.

    Returns
    -------
    DataFrame
        ``reader`` whose curves are taken, ``test``, ``power`` (one-sided, for xentuzumab) with its Monte Carlo
        ``std_error``, averaged over the members.
    """
    rows = []
    for number, (reader, comparison) in enumerate(READERS.items()):
        curves = together().analysis(comparison)
        truth = Scenario({arm: curves.arm(arm) for arm in (CONTROL, EXPERIMENTAL)})
        own = child(seed_sequence(seed), number)
        result = simulate(plan.design(), truth, trials=trials, rng=own, tests=tuple(TESTS.values()))
        for name, test in TESTS.items():
            power = result.power(test.name)
            rows.append((reader, name, power.value, power.std_error))
    return pd.DataFrame(rows, columns=["reader", "test", "power", "std_error"])


@remembered
def with_interim(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Tabulate a design with one interim look for futility, over true hazard ratios.

    Returns
    -------
    DataFrame
        ``hazard_ratio``, ``power`` with its Monte Carlo ``std_error`` and ``without_interim`` (as many events, no
        interim), ``stops`` (share of trials that stop for futility) with ``stops_std_error``, ``events`` on average.
    """
    fractions = (INTERIM.value, 1.0)
    design = GroupSequentialDesign(
        fractions, alpha=plan.ALPHA.value, efficacy=OBrienFleming(), futility=FutilityBounds((FUTILITY.value,))
    )
    fixed = plan.design(cut=design.looks(events=EVENTS.value)[-1].cut)
    looks = tuple(design.looks(events=EVENTS.value))
    rows = []
    for number, ratio in enumerate((0.4, 0.5, 0.6, 0.8, 1.0)):
        scenario = plan.scenario(ratio)
        streams = [child(child(seed_sequence(seed), 10 + k), number) for k in range(2)]
        interim = simulate(replace(fixed, looks=looks), scenario, trials=trials, rng=streams[0])
        alone = simulate(fixed, scenario, trials=trials, rng=streams[1]).power()
        course = interim.course()
        share = float((course.futile & (course.look == 0)).mean())
        error = float(np.sqrt(share * (1 - share) / trials))
        events = interim.columns["events"][:, :, 0][np.arange(trials), course.look].mean()
        found = interim.power()
        rows.append((ratio, found.value, found.std_error, alone.value, share, error, float(events)))
    columns = ["hazard_ratio", "power", "std_error", "without_interim", "stops", "stops_std_error", "events"]
    return pd.DataFrame(rows, columns=columns)


@remembered
def stratified(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Tabulate what a stratified test gains where a stratum has another prognosis.

    Returns
    -------
    DataFrame
        ``test`` (``"stratified"``, ``"not stratified"``), ``power`` at the hazard ratio assumed, with its Monte Carlo
        ``std_error``, both on the same trials.
    """
    share, factor = STRATUM.value
    control = plan.control_arms()[plan.CONTROL_ARM.value]
    curves: dict[str, dict[str, Distribution]] = {arm: {} for arm in plan.ARMS}
    for stratum, times in (("not pretreated", factor**-share), ("pretreated", factor ** (1 - share))):
        for arm, effect in zip(plan.ARMS, (1.0, plan.HAZARD_RATIO.value), strict=True):
            curves[arm][stratum] = multiplied(control, times * effect)
    n = plan.design().n
    sizes = {"not pretreated": n - round(share * n), "pretreated": round(share * n)}
    design = replace(plan.design(), strata=sizes)
    tests = {"stratified": LogRank(), "not stratified": LogRank(stratified=False)}
    result = simulate(design, Scenario(curves), trials=trials, rng=seed, tests=tuple(tests.values()))
    rows = [(name, result.power(test.name).value, result.power(test.name).std_error) for name, test in tests.items()]
    return pd.DataFrame(rows, columns=["test", "power", "std_error"])
