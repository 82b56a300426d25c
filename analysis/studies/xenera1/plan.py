"""XENERA-1 as it was registered and what has to be assumed of it: arms, calendar, control arm."""

from __future__ import annotations

from datetime import date

from analysis.conventions import WEEK
from analysis.design import Assessments, AtTime, Cut, Look, Scenario, TrialDesign, UniformAccrual
from analysis.reported import Reported, ReportedComparison, ReportedHazardRatio, ReportedTrial
from analysis.studies.assumptions import Assumption
from analysis.studies.bolero2 import curves
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.survival import Distribution, Ensemble

TRIAL, TRIAL_BEFORE = "xenera-1", "xentuzumab-phase-2"
CONTROL, EXPERIMENTAL = "placebo", "xentuzumab"
ARMS = (CONTROL, EXPERIMENTAL)
READERS = {"independent": "pfs-independent", "investigator": "pfs-investigator"}
"""Who judged progression, and the comparison that reports it."""

ACCRUAL = Assumption("accrual", 27.0, "months, uniform", "started 28 Nov 2018 and still recruiting on 23 Feb 2021")
DROPOUT = Assumption("dropout", 0.01, "per month, exponential", "not reported; about one patient in nine a year")
ASSESSMENTS = Assumption(
    "tumour assessments",
    None,
    "weeks",
    "none beside those of the control arm, which was itself read at scans every 6 weeks: its progressions are as late "
    "as scans make them",
)
ALPHA = Assumption("type I error", 0.025, "one-sided", "not reported; the confirmatory convention")
ANALYSIS = Assumption(
    "analysis",
    "registered end",
    "11 May 2022",
    "target events not reported; the trial stopped before it had followed all",
)
CONTROL_ARM = Assumption(
    "control arm",
    "BOLERO-2 central without visceral metastases, reconstructed",
    "",
    "the same treatment, read as XENERA-1's primary endpoint was, in patients as it admits: the rest of BOLERO-2 "
    "beside the visceral patients, of whom a median is printed",
)
HAZARD_RATIO = Assumption(
    "hazard ratio", 0.6, "", "an effect worth a phase III trial; not the trial's own, which is not public"
)
HAZARD_RATIOS = Assumption(
    "hazard ratios", (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), "", "from the subgroup's hope to no effect"
)
TRIALS = Assumption(
    "replicates", 200_000, "per scenario, each with draws of its own", "Monte Carlo standard error about 0.1 points"
)
ALPHA_OTHERWISE = Assumption("type I error", (0.05, 0.1, 0.2), "one-sided", "usual in randomised phase II trials")
ACCRUAL_OTHERWISE = Assumption(
    "accrual", (30.0, 36.0), "months, uniform", "longer: the registry was still recruiting at 27 months"
)
FOLLOW_UP_OTHERWISE = Assumption(
    "follow-up", (0.0, 6.0, 12.0), "months after accrual", "the number of events to be awaited is not reported"
)
DROPOUT_OTHERWISE = Assumption(
    "dropout", (0.0, 0.03), "per month, exponential", "nobody; about three patients in ten a year"
)
ASSESSMENTS_OTHERWISE = Assumption(
    "tumour assessments laid over the control arm", (8.0, 16.0), "weeks",
    "delays progressions that scans have already delayed: what counting scans twice costs",
)  # fmt: skip
ASSUMPTIONS = (ACCRUAL, DROPOUT, ASSESSMENTS, ALPHA, ANALYSIS, CONTROL_ARM, HAZARD_RATIO, HAZARD_RATIOS, TRIALS)
OTHERWISE = (ALPHA_OTHERWISE, ACCRUAL_OTHERWISE, FOLLOW_UP_OTHERWISE, DROPOUT_OTHERWISE, ASSESSMENTS_OTHERWISE)
"""What is put in place of an assumption, one at a time, to see what it does to the power."""
SEED = 2018

MEMBERS = curves.MEMBERS
"""Size of the ensembles that carry what is not known of the control arm."""


def reported() -> ReportedTrial:
    """XENERA-1 as it was reported."""
    return report_of(TRIAL)


def by_reader(reader: str) -> ReportedComparison:
    """Return the reported comparison of progression-free survival as one reader judged it."""
    return reported().comparison(READERS[reader])


def hazard_ratio_of(comparison: ReportedComparison) -> ReportedHazardRatio:
    """Return the printed hazard ratio of a comparison that prints one."""
    assert comparison.hazard_ratio is not None, f"{comparison.id} prints no hazard ratio"
    return comparison.hazard_ratio


def fact_date(name: str) -> date:
    """Return a reported date."""
    value = reported().fact(name).value
    assert isinstance(value, date)
    return value


def months_from_start(name: str) -> float:
    """Months from the registered start of the trial to a reported date."""
    return (fact_date(name) - fact_date("start")).days * WEEK / 7


def calendar_end() -> float:
    """Months from the registered start of the trial to its registered end: when the data are cut here."""
    return months_from_start("end")


def fact_count(name: str) -> int:
    """Return a reported number of patients, e.g. ``"planned-enrolment"``."""
    value = reported().fact(name).value
    assert isinstance(value, Reported)
    return int(value.value)


def own_control_median(reader: str) -> tuple[float, float, float]:
    """Return the printed median of XENERA-1's control arm with its limits, months."""
    arm = by_reader(reader).arm(CONTROL)
    assert arm.median is not None, f"{reader} prints no median"
    assert arm.median_ci is not None, f"{reader} prints no interval of the median"
    return arm.median.value, arm.median_ci.lower.value, arm.median_ci.upper.value


@remembered
def control_arms() -> dict[str, Distribution]:
    """Everolimus + exemestane as it may be planned with, by name.

    An ensemble gives each simulated trial another member, and formulas are averaged over its members, so that what the
    reports leave open is part of every result. BOLERO-2's arms are reconstructed, those of all patients and those of
    patients without visceral metastases, whom XENERA-1 admits. XENERA-1's own control was known only afterwards:
    exponential curves with the printed median and its interval.
    """
    arms: dict[str, Distribution] = {}
    for reader in ("local", "central"):
        rest = curves.without_visceral(reader, MEMBERS)
        arms[f"BOLERO-2 {reader} without visceral metastases, reconstructed"] = rest.arm("everolimus")
        whole = curves.reconstruction(f"pfs-final-{reader}", members=MEMBERS)
        arms[f"BOLERO-2 {reader}, all patients, reconstructed"] = whole.arm("everolimus")
    for reader in READERS:
        median, lower, upper = own_control_median(reader)
        name = f"XENERA-1 {reader}, exponential with median {median:.1f} ({lower:.1f}\N{EN DASH}{upper:.1f})"
        arms[name] = Ensemble.of_exponentials(median, lower, upper, members=MEMBERS)
    return arms


def design(
    *,
    n: int | None = None,
    accrual: float = ACCRUAL.value,
    cut: Cut | None = None,
    dropout: float = DROPOUT.value,
    weeks: float | None = ASSESSMENTS.value,
    alpha: float = ALPHA.value,
) -> TrialDesign:
    """Set up the registered design, 1:1, with its assumptions unless others are given.

    Parameters
    ----------
    n
        Patients; by default the planned enrolment.
    accrual
        Months of uniform accrual.
    cut
        When the data are cut; by default at the registered end.
    dropout
        Losses per month.
    weeks
        Weeks between tumour assessments laid over the curves; None: the curves are as scans saw them.
    alpha
        One-sided.
    """
    return TrialDesign(
        n=fact_count("planned-enrolment") if n is None else n,
        accrual=UniformAccrual(accrual),
        looks=(Look(AtTime(calendar_end()) if cut is None else cut),),
        allocation=dict.fromkeys(ARMS, 1),
        control=CONTROL,
        dropout=dropout,
        assessments=None if weeks is None else Assessments.every(weeks * WEEK),
        alpha=alpha,
    )


def scenario(hazard_ratio: float, control: str | Distribution = CONTROL_ARM.value) -> Scenario:
    """Assume proportional hazards on one of `control_arms`, or on any distribution."""
    curve = control_arms()[control] if isinstance(control, str) else control
    return Scenario.proportional_hazards(curve, hazard_ratio, arms=ARMS)
