"""Power of a design under a scenario, by formula or by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.checks import choice, positive
from analysis.conventions.values import replace
from analysis.errors import InvalidValueError
from analysis.power.large_sample import LargeSample, check_test, large_samples
from analysis.power.result import Power
from analysis.simulation import simulate
from analysis.statistical_tests import IntervalCensoredHazardRatio, LandmarkRate, LandmarkSurvival, LogRank

if TYPE_CHECKING:
    from analysis.conventions.seeds import Seed
    from analysis.design import Scenario, TrialDesign
    from analysis.statistical_tests import OneArmTest, TwoArmTest

By: TypeAlias = Literal["formula", "simulation"]
TRIALS = 10_000
LATE = 240.0  # months
EARLY = 0.5  # of the patients, who have entered by the last look
OVERSPENT = 1.02  # times alpha that bounds may spend, printed with few digits as they often are
KNOW_ASSESSMENTS = (LandmarkRate, LandmarkSurvival, IntervalCensoredHazardRatio)


@border
def power(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest | None = None,
    *,
    by: By = "formula",
    arm: str | None = None,
    n: float | None = None,
    trials: int = TRIALS,
    rng: Seed = 1,
    **simulation: Any,
) -> Power:
    """Probability that a design rejects its null hypothesis.

    Parameters
    ----------
    design
        The trial: one arm or several, one look or a group-sequential design's.
    scenario
        What is assumed; the power over ensembles is the mean over their members.
    test
        The test; the log-rank test by default where there is a control.
    by
        ``"formula"``: from the test's large-sample moments, or its exact distribution. ``"simulation"``: by simulated
        trials, with everything that the design says.
    arm
        Experimental arm; the only one by default.
    n
        Patients of the whole trial; the design's by default. A formula takes fractions.
    trials, rng
        Replicates and seed of the simulation.
    **simulation
        Further arguments of `simulate`: ``executor``, ``checkpoint``, ``progress``, ``stop_at_std_error``.

    Returns
    -------
    Power

    Raises
    ------
    InvalidValueError, UnknownNameError
        If a number or a name is impossible, or the test does not fit the design.
    InfeasibleDesignError
        If a look cannot be expected ever to come, or nothing can have happened by then.
    UnavailableError
        If there is no formula; says how to simulate.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> round(power(design, scenario).power, 4)
    0.524
    >>> simulated = power(design, scenario, by="simulation", trials=20_000)
    >>> abs(simulated.power - 0.524) < 4 * simulated.std_error
    True
    """
    chosen = default_test(design) if test is None else test
    check_test(design, chosen)
    if choice("by", by, ("formula", "simulation")) == "simulation":
        sized = design if n is None else replace(design, n=round(positive("n", n, "patients")))
        return _simulated(sized, scenario, chosen, arm, trials, rng, simulation)
    if simulation:
        raise InvalidValueError(next(iter(simulation)), "given", 'by="simulation" with it', "leave it out")
    members = large_samples(design, scenario, chosen, arm=arm, n=n if n is None else positive("n", n, "patients"))
    return from_members(design, scenario, chosen, members, float(design.n if n is None else n), arm=arm)


def default_test(design: TrialDesign) -> LogRank:
    """Give the log-rank test to a design of two arms; one arm needs a test that names its null value."""
    if design.control is None:
        expected = "a test of one arm against a null value"
        raise InvalidValueError("test", None, expected, "give e.g. OneSampleLogRank(null) or LandmarkRate(6, 0.15)")
    return LogRank()


def from_members(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest,
    members: list[LargeSample],
    n: float,
    *,
    arm: str | None = None,
    hazard_ratio: float | None = None,
) -> Power:
    """Sum up a calculation by formula over the truths of a scenario."""
    ends = [member.ends(design) for member in members]
    each = np.array([end.power for end in ends])
    several = len(design.experimental_arms) > 1

    def mean(rows: list[Any]) -> np.ndarray:
        return np.asarray(np.mean(rows, axis=0) if len(rows) > 1 else rows[0])

    return Power(
        power=float(each.mean()),
        std_error=0.0,
        by="formula",
        members=each,
        design=design,
        scenario=scenario,
        test=test,
        n=n,
        times=mean([member.times for member in members]),
        events=mean([member.events for member in members]),
        enrolled=mean([member.enrolled for member in members]),
        reject=mean([end.reject for end in ends]),
        stop_low=mean([end.futile for end in ends]),
        arm=arm if several else None,
        hazard_ratio=hazard_ratio,
        notes=(
            *(("events are those of the two arms that are compared",) if several else ()),
            *left_out(design, test),
            *_overspent(design, members[0]),
            *_late(members[0]),
            *_early(members[0], n),
            *test.remarks(members[0].trial, members[0].times[-1]),
        ),
    )


def left_out(design: TrialDesign, test: OneArmTest | TwoArmTest) -> tuple[str, ...]:
    """Say what a formula leaves out of a design."""
    if design.assessments is not None and not isinstance(test, KNOW_ASSESSMENTS):
        return ("the formula counts events when they happen, a simulation at the assessments that find them",)
    return ()


def _overspent(design: TrialDesign, member: LargeSample) -> tuple[str, ...]:
    """Say where the boundaries reject more often than alpha allows, or would if none stopped for futility."""
    most = OVERSPENT * design.alpha
    spent, going_on = (member.type_one_error(design, futility_heeded=heeded) for heeded in (True, False))
    if spent is None or going_on is None or going_on <= most:
        return ()
    if spent <= most:
        return (
            f"the bounds for futility are binding: if the trial goes on in spite of them, the looks reject with "
            f"probability {going_on:.4f} under the null hypothesis, and alpha is {design.alpha:g}",
        )
    return (
        f"under the null hypothesis the looks reject with probability {spent:.4f}, and alpha is {design.alpha:g}; take "
        "the boundaries of a GroupSequentialDesign for these looks, or say the alpha that they have",
    )


def _late(member: LargeSample) -> tuple[str, ...]:
    """Say where the events of the last look are waited for beyond any trial."""
    if member.times[-1] < LATE:
        return ()
    return (f"the last look is expected after {member.times[-1] / 12:.0f} years; ask for fewer events or enrol more",)


def _early(member: LargeSample, n: float) -> tuple[str, ...]:
    """Say where the last look comes before most patients do: as a rule the events asked for are too few."""
    if member.enrolled[-1] >= EARLY * n:
        return ()
    entered = f"{member.enrolled[-1]:.0f} of {n:.0f} patients have entered"
    return (f"the last look is expected when {entered}; ask for more events, look later or enrol fewer",)


def _simulated(
    design: TrialDesign,
    scenario: Scenario,
    test: OneArmTest | TwoArmTest,
    arm: str | None,
    trials: int,
    rng: Seed,
    options: dict[str, Any],
) -> Power:
    run = simulate(design, scenario, trials=trials, rng=rng, tests=(test,), **options)
    course = run.course(arm=arm)
    found = run.power(arm=arm)
    looks = np.arange(len(design.looks))
    ends = course.look[:, None] == looks
    going_on = course.look[:, None] >= looks
    events = run.columns["events"][:, :, run.endpoints.index(run.primary)]

    undetermined = run.undetermined(test.name, arm=arm).value
    notes = []
    if undetermined > 0:
        notes.append(
            f"in {undetermined:.2%} of trials the data of a look do not determine the statistic; there the "
            "trial goes on, and at the end it does not reject"
        )
    if len(design.experimental_arms) > 1:
        notes.append("events are those of all arms, not only of the two that are compared")

    def mean(column: np.ndarray) -> np.ndarray:
        return np.array([column[going_on[:, k], k].mean() if going_on[:, k].any() else np.nan for k in looks])

    return Power(
        power=found.value,
        std_error=found.std_error,
        by="simulation",
        members=np.array([]),
        design=design,
        scenario=scenario,
        test=test,
        n=float(design.n),
        arm=arm if len(design.experimental_arms) > 1 else None,
        times=mean(run.columns["calendar_time"]),
        events=mean(events),
        enrolled=mean(run.columns["enrolled"]),
        reject=(ends & course.rejected[:, None]).mean(axis=0),
        stop_low=(ends & course.futile[:, None]).mean(axis=0),
        notes=tuple(notes),
    )
