"""BOLERO-2: what its abstracts say of progression-free and overall survival, turned back into curves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.reconstruction import EnsembleEstimate, Reconstruction, TrialReconstruction, reconstruct
from analysis.reported import Reported, ReportedArm, ReportedComparison, ReportedTrial, TrialTimeline
from analysis.studies.assumptions import Assumption
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.survival.estimators import kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIAL = "bolero-2"

PFS = ("pfs-interim-local", "pfs-interim-central", "pfs-final-local", "pfs-final-central")
FIRST_LINE = ("pfs-first-line-local", "pfs-first-line-central")
VISCERAL = ("pfs-visceral",)
ASIAN, NON_ASIAN = "pfs-asian", "pfs-non-asian"
OS = ("os-final",)
TOGETHER = (*PFS, *FIRST_LINE, *VISCERAL, ASIAN, NON_ASIAN, *OS)
"""The analyses of the same patients, reconstructed together."""

FINAL_PFS = ("pfs-final-local", "pfs-final-central")
VISCERAL_PATIENTS = "visceral metastases"
VISCERAL_BY_ARM = Assumption(
    "patients with visceral metastases by arm", (272, 134), "everolimus, placebo",
    "406 are printed together; shared out as patients were randomised, 2:1, within strata of visceral disease",
)  # fmt: skip
ASIAN_PATIENTS, OTHER_PATIENTS = "Asian", "non-Asian"
FIRST_LINE_PATIENTS = "first line: last therapy adjuvant or neoadjuvant"
SEED = 2012
MEMBERS = 200

RELAXED = {
    "os-final": ("p_value", "median_follow_up"),
    "pfs-interim-local": ("median_follow_up",),
    "pfs-final-local": ("median_follow_up",),
    "pfs-final-central": ("median_follow_up",),
}
"""What is not asked of the members: the printed p of OS contradicts the printed interval; the median follow-ups are
printed without saying how they were measured, and a central review ends where the local reader saw progression."""


def reported() -> ReportedTrial:
    """BOLERO-2 as it was reported."""
    return report_of(TRIAL)


def timeline() -> TrialTimeline:
    """BOLERO-2 in time: the printed start and OS cut-off, and PFS cut-offs that were not printed.

    They are assumed: half of the patients had entered so long before the OS cut-off as the median follow-up of OS says,
    and each PFS analysis was cut so long after that as its own median follow-up says.
    """
    trial = reported()
    assert trial.timeline is not None, "BOLERO-2's file says when the first patient came in"
    final = trial.comparison("os-final")
    assert final.cutoff is not None, "the OS cut-off is printed"
    half_entered = trial.timeline.month(final.cutoff) - _followed("os-final")
    cutoffs = {
        "interim": half_entered + _followed("pfs-interim-local"),
        "final": half_entered + _followed("pfs-final-local"),
    }
    return replace(trial.timeline, cutoffs=cutoffs)


def _followed(comparison: str) -> float:
    months = reported().comparison(comparison).median_follow_up
    assert months is not None, f"{comparison} prints a median follow-up"
    return months.value


@remembered
def together(members: int = MEMBERS, seed: int = SEED) -> TrialReconstruction:
    """Reconstruct all analyses of `TOGETHER`: every member is one list of patients.

    Parameters
    ----------
    members
        Size of the ensemble.
    seed
        Seed of all draws.
    """
    comparisons = [_with_sizes(name) for name in TOGETHER]
    complements = {ASIAN_PATIENTS: OTHER_PATIENTS}
    return reconstruct(comparisons, members, rng=seed, relax=RELAXED, timeline=timeline(), complements=complements)


def _with_sizes(name: str) -> ReportedComparison:
    """Give a report with the patients of each arm; those of the visceral patients are assumed."""
    printed = reported().comparison(name)
    if name in VISCERAL:
        sizes = dict(zip(("everolimus", "placebo"), VISCERAL_BY_ARM.value, strict=True))
    elif name == NON_ASIAN:
        whole, part = (reported().comparison(one) for one in (FINAL_PFS[0], ASIAN))
        sizes = {arm.name: _patients(arm) - _patients(part.arm(arm.name)) for arm in whole.arms}
    else:
        return printed
    arms = [replace(arm, n=Reported(str(sizes[arm.name]), "count")) for arm in printed.arms]
    return replace(printed, arms=tuple(arms))


def _patients(arm: ReportedArm) -> int:
    assert arm.n is not None, f"{arm.name} prints its patients"
    return int(arm.n.value)


def without_visceral(reader: str, members: int = MEMBERS, seed: int = SEED) -> Reconstruction:
    """Give PFS of the patients without visceral metastases, whom no report shows: the rest of the same patients.

    Parameters
    ----------
    reader
        ``"local"`` or ``"central"``. The visceral patients were reported by local reading; the central one of the rest
        follows from the dependence of the two readings that is assumed.
    members, seed
        As for `together`.
    """
    return together(members, seed).part(f"PFS {reader}", VISCERAL_PATIENTS, inside=False)


def reconstruction(comparison: str, members: int = MEMBERS, seed: int = SEED) -> Reconstruction:
    """Give one analysis of the patients that all of `TOGETHER` are of."""
    return together(members, seed).analysis(comparison)


@remembered
def by_itself(comparison: str, members: int = MEMBERS, seed: int = SEED) -> Reconstruction:
    """Reconstruct one comparison from its own numbers only."""
    return reconstruct(reported().comparison(comparison), members=members, rng=seed, relax=RELAXED.get(comparison, ()))


def joint_knowledge(comparisons: Sequence[str], months: Sequence[float]) -> pd.DataFrame:
    """Width of the 90% band at landmarks, of each comparison by itself and together with the others."""
    rows = []
    for name in comparisons:
        for arm in by_itself(name).arms:
            for how, result in (("by itself", by_itself(name)), ("together", reconstruction(name))):
                band = result.survival_at(arm, months)
                widths = dict(zip(months, band["upper"] - band["lower"], strict=True))
                rows.append({"comparison": name, "arm": arm, "reconstructed": how} | widths)
    return pd.DataFrame(rows)


def first_line_against_rest() -> pd.DataFrame:
    """Hazard ratio of PFS in the first-line subgroup, in all others, and their ratio: median and central 90%."""
    trial = together()
    rows = []
    for assessor in ("PFS local", "PFS central"):
        values = {
            "first line": trial.part(assessor, FIRST_LINE_PATIENTS).hazard_ratio(),
            "all others": trial.part(assessor, FIRST_LINE_PATIENTS, inside=False).hazard_ratio(),
            "ratio": trial.interaction(assessor, FIRST_LINE_PATIENTS),
        }
        rows += [(assessor, part, value.estimate, value.lower, value.upper) for part, value in values.items()]
    return pd.DataFrame(rows, columns=["endpoint", "patients", "hazard ratio", "lower", "upper"])


def subgroup_ratios() -> pd.DataFrame:
    """Tabulate hazard ratios of PFS by local reading: printed ones, and those that the members give of other parts.

    Returns
    -------
    DataFrame
        ``patients``, ``printed`` (whether it was), ``estimate``, ``lower``, ``upper``: of a printed ratio its 95%
        confidence interval; of a computed one the median and the central 90% of the members, what the reports leave
        open, without sampling error.
    """
    rows: list[tuple[str, bool, float, float, float]] = []
    printed = {
        "all, final": "pfs-final-local",
        "first line": "pfs-first-line-local",
        "Asian": "pfs-asian",
        "non-Asian": "pfs-non-asian",
    }
    for patients, name in printed.items():
        ratio = reported().comparison(name).hazard_ratio
        assert ratio is not None, f"{name} prints a hazard ratio"
        assert ratio.ci is not None, f"{name} prints its interval"
        rows.append((patients, True, ratio.estimate.value, ratio.ci.lower.value, ratio.ci.upper.value))
    parts = (("not first line", FIRST_LINE_PATIENTS, False), ("visceral metastases", VISCERAL_PATIENTS, True))
    for patients, subgroup, inside in (*parts, ("no visceral metastases", VISCERAL_PATIENTS, False)):
        found = together().part("PFS local", subgroup, inside=inside).hazard_ratio()
        rows.append((patients, False, found.estimate, found.lower, found.upper))
    return pd.DataFrame(rows, columns=["patients", "printed", "estimate", "lower", "upper"])


def label_intervals() -> pd.DataFrame:
    """Compare limits of the medians that the label prints with what the members say that do not know them.

    One row per limit: as printed, and the median and central 90% of the members of each final analysis by itself,
    reconstructed without any interval of a median.
    """
    rows = []
    for name in FINAL_PFS:
        comparison = reported().comparison(name)
        hidden = [f"{arm.name}.median_ci" for arm in comparison.arms]
        blind = reconstruct(comparison, MEMBERS, rng=SEED, relax=[*RELAXED[name], *hidden])
        for arm in comparison.arms:
            assert arm.median_ci is not None, "the label prints these"
            patients = blind.ipd().query("arm == @arm.name").groupby("member")
            limits = np.array(
                [kaplan_meier(one["time"], one["event"]).quantile_ci(0.5, scale="log-log") for _, one in patients]
            )
            for side, printed in enumerate((arm.median_ci.lower, arm.median_ci.upper)):
                found = EnsembleEstimate.of(limits[:, side], level=0.9)
                rows.append(
                    (name, arm.name, ("lower", "upper")[side], printed.value, found.estimate, found.lower, found.upper)
                )
    return pd.DataFrame(
        rows, columns=["comparison", "arm", "limit", "label", "members", "members, lower", "members, upper"]
    )


def non_asian_beforehand() -> pd.DataFrame:
    """Compare what is printed of the non-Asian patients with members that know all patients and the Asian ones alone.

    One row per printed number: as printed, and the median and central 90% of the members, by final local reading.
    """
    known = [_with_sizes(name) for name in (FINAL_PFS[0], ASIAN)]
    relaxed = {FINAL_PFS[0]: RELAXED[FINAL_PFS[0]]}
    blind = reconstruct(known, MEMBERS, rng=SEED, relax=relaxed, timeline=timeline())
    rest = blind.part("PFS local", ASIAN_PATIENTS, inside=False)
    printed = reported().comparison(NON_ASIAN)
    found = {f"median, {arm.name}": (arm.median, rest.median(arm.name)) for arm in printed.arms}
    if printed.hazard_ratio is not None:
        found["hazard ratio"] = printed.hazard_ratio.estimate, rest.hazard_ratio()
    rows = [
        (name, number.value, said.estimate, said.lower, said.upper) for name, (number, said) in found.items() if number
    ]
    return pd.DataFrame(rows, columns=["quantity", "printed", "members", "members, lower", "members, upper"])


def known_findings() -> pd.DataFrame:
    """List the contradictions of the report that are known, one row each, with their explanation."""
    rows = [(known.where, known.check, known.explanation) for known in reported().known_findings]
    return pd.DataFrame(rows, columns=["where", "check", "explanation"])


def fidelity(comparisons: Sequence[str]) -> pd.DataFrame:
    """One row per printed number of each comparison: what was printed beside what the members give."""
    frames = {name: reconstruction(name).fidelity() for name in comparisons}
    return pd.concat(frames, names=["comparison"]).reset_index(level=0)


def landmarks(comparisons: Sequence[str], months: Sequence[float]) -> pd.DataFrame:
    """Survival at landmarks that were not printed, by comparison and arm: ensemble mean and central 90%."""
    frames = {
        (name, arm): reconstruction(name).survival_at(arm, months)
        for name in comparisons
        for arm in reconstruction(name).arms
    }
    return pd.concat(frames, names=["comparison", "arm"]).droplevel(2).reset_index()


def events(comparisons: Sequence[str]) -> pd.DataFrame:
    """Numbers of events by comparison and arm that the printed numbers imply: median of the members and central 90%."""
    rows = []
    for name in comparisons:
        for arm in reconstruction(name).arms:
            count = reconstruction(name).events(arm)
            rows.append((name, arm, count.estimate, count.lower, count.upper))
    return pd.DataFrame(rows, columns=["comparison", "arm", "events", "lower", "upper"])
