"""The way in: one report, or several of one trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, overload

from analysis.compiling import compilation_announced
from analysis.conventions.border import border
from analysis.conventions.checks import count
from analysis.errors import InvalidValueError
from analysis.reconstruction.ensemble import MOST_MEMBERS
from analysis.reconstruction.from_report import reconstruct_report
from analysis.reconstruction.together import AGREEMENT, check_list, reconstruct_trial
from analysis.reported import ReportedComparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.scales import ScaleName
    from analysis.conventions.seeds import Seed
    from analysis.reconstruction.prior import ShapePrior
    from analysis.reconstruction.result import Reconstruction
    from analysis.reconstruction.trial_result import TrialReconstruction
    from analysis.reported import TrialTimeline


def _members(members: int) -> None:
    if count("members", members, "members") > MOST_MEMBERS:
        expected = f"at most {MOST_MEMBERS:,} members"
        raise InvalidValueError("members", members, expected, "a few hundred show what a report leaves open")


@border
@overload
def reconstruct(
    comparison: ReportedComparison,
    members: int = 500,
    *,
    rng: Seed = 1,
    prior: ShapePrior | None = None,
    relax: str | Iterable[str] = (),
    scale: ScaleName | None = None,
    threads: int | None = None,
) -> Reconstruction: ...


@border
@overload
def reconstruct(
    comparison: Sequence[ReportedComparison],
    members: int = 500,
    *,
    rng: Seed = 1,
    prior: ShapePrior | None = None,
    relax: Mapping[str, str | Iterable[str]] | tuple[()] = (),
    scale: ScaleName | None = None,
    threads: int | None = None,
    timeline: TrialTimeline | None = None,
    complements: Mapping[str, str] | None = None,
    agreement: float = AGREEMENT,
    read_until: Mapping[str, str] | None = None,
) -> TrialReconstruction: ...


@border
def reconstruct(
    comparison: ReportedComparison | Sequence[ReportedComparison],
    members: int = 500,
    *,
    rng: Seed = 1,
    prior: ShapePrior | None = None,
    relax: str | Iterable[str] | Mapping[str, str | Iterable[str]] = (),
    scale: ScaleName | None = None,
    threads: int | None = None,
    timeline: TrialTimeline | None = None,
    complements: Mapping[str, str] | None = None,
    agreement: float | None = None,
    read_until: Mapping[str, str] | None = None,
) -> Reconstruction | TrialReconstruction:
    """Draw pseudo-patient data sets that give every printed number of a report, or of all reports of a trial, back.

    Parameters
    ----------
    comparison
        The report: one arm, two or several; each needs its number of patients, everything else may be absent. Several
        reports of one trial, as a list: each member is then one list of patients, from which every report is computed
        by its own data cut, subgroup and assessor.
    members
        Number of data sets.
    rng
        Seed, `SeedSequence` or `Generator`; a seed gives the same members, bit for bit, with any number of threads.
    prior
        Shapes of curves to expect; the prior that comes with the package if not given.
    relax
        Printed numbers that need not come back, because they contradict the others or mean something else than a
        statistic of these patients: ``"p_value"``, ``"hazard_ratio.ci"``, ``"placebo.median_ci"``, ...; of several
        reports by their ids, ``{"os-final": ["p_value"]}``.
    scale
        Type of the confidence intervals of medians and rates whose type the report does not name: ``"log-log"``,
        ``"log"`` or ``"plain"``. If not given, the first of these, unless far more draws meet the report under another.
    threads
        Threads to use; all processors, at most 8, if not given.
    timeline
        Of several reports: the trial in time. It bounds every patient's follow-up, orders the analyses, and gives every
        patient an entry. Without it the cuts are ordered by their median follow-up, or by their events.
    complements
        Of several reports: by name of a subgroup, the name of the population that is all others,
        ``{"Asian": "non-Asian"}``.
    agreement
        Of several reports: how alike the times of two endpoints of a patient are, as the correlation of their normal
        scores, from 0 (independent) to nearly 1 (the same order); no report prints it, and 0.8 is assumed.
    read_until
        Of several reports: by assessor, the assessor with whose progression the reading ends,
        ``{"central": "local"}``: no scans are made after it, so that who has not progressed by central review by then
        is censored there. Without it every assessor reads on.

    Returns
    -------
    Reconstruction or TrialReconstruction
        Each member gives all numbers back that were not relaxed; what they leave open differs between members.
        ``diagnostics`` holds the share of members that were drawn so that they met the report (``met``), how many
        members are distinct, those walked on from them among them, and how many draws were made.

    Raises
    ------
    InvalidValueError
        If the number of patients of an arm is missing, an argument is out of range, or reports do not name the same
        arms or cannot be put in order.
    UnknownNameError
        If ``relax`` names a number that no report has.
    InfeasibleReportError
        If no data set was found that gives all numbers back; it names those that are missed, and which of them it is
        enough to relax.

    Notes
    -----
    The method, its assumptions and its measured accuracy are in ``docs/reconstruction.md``.

    Examples
    --------
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison(
    ...     endpoint="PFS",
    ...     arms=[ReportedArm("new", n=80, median="9.1"), ReportedArm("old", n=82, median="6.0")],
    ...     control="old",
    ...     hazard_ratio=("0.65", "0.46", "0.92"),
    ... )
    >>> result = reconstruct(report, members=20, rng=1)
    >>> bool(result.faithful.all())
    True
    """
    _members(members)
    if isinstance(comparison, ReportedComparison):
        several = {"timeline": timeline, "complements": complements, "agreement": agreement}
        several["read_until"] = read_until
        for name, given in several.items():
            if given is not None:
                raise InvalidValueError(
                    name, given, "several reports with it", "give a list of reports, or leave it out"
                )
        if isinstance(relax, Mapping):
            raise InvalidValueError("relax", relax, "names of numbers", 'write e.g. relax=["p_value"]')
        with compilation_announced():
            return reconstruct_report(
                comparison, members, rng=rng, prior=prior, relax=relax, scale=scale, threads=threads
            )
    reports = check_list(comparison)
    if not isinstance(relax, Mapping):
        if relax:
            raise InvalidValueError("relax", relax, "numbers by report", 'write e.g. relax={"os-final": ["p_value"]}')
        relax = {}
    with compilation_announced():
        return reconstruct_trial(
            reports,
            members,
            rng=rng,
            prior=prior,
            relax=relax,
            scale=scale,
            threads=threads,
            timeline=timeline,
            complements={} if complements is None else complements,
            agreement=AGREEMENT if agreement is None else agreement,
            read_until={} if read_until is None else read_until,
        )
