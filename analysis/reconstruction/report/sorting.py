"""Sorts the reports of one trial: which are about the same endpoint, which patients, and which came first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import InfeasibleReportError, InvalidValueError
from analysis.reconstruction.report.block import NOTHING, Analysis, Block, Told
from analysis.reconstruction.report.partition import Partition, divide, strata_of, unknown_strata
from analysis.reconstruction.report.requirements import read_requirements
from analysis.reported import Finding, Reported, ReportedComparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.reported import TrialTimeline


LAST = "last"
"""Label of the reports that name no analysis beside others that are interim analyses."""


@dataclass(frozen=True)
class Sorted:
    """The reports of one endpoint by one assessor, all patients at the last cut first, and when their data were cut.

    ``comparisons`` have their numbers of patients filled in; ``cut`` numbers the data cut of each from 0, ``months``
    says when each cut was, NaN where that is not known; ``group`` is the name of a subgroup, or None; ``division``
    counts the patients by subgroups and strata; ``accrual`` are the months that these took to come in, if known.
    """

    name: str
    comparisons: tuple[ReportedComparison, ...]
    cut: tuple[int, ...]
    months: tuple[float, ...]
    group: tuple[str | None, ...]
    inside: tuple[bool, ...]
    division: Partition
    accrual: float | None

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the subgroups and of the levels of factors, in order of their bits."""
        return self.division.names

    @property
    def last_label(self) -> object:
        """Cut-off or name of the last analysis, as its report prints it."""
        return self.comparisons[0].cutoff or self.comparisons[0].analysis

    def block(self, scale: str, told: Told = NOTHING) -> Block:
        """Read what every report asks, intervals whose type is not printed as of ``scale``."""
        required = [read_requirements(comparison, scale) for comparison in self.comparisons]
        for v, (asked, cut, group) in enumerate(zip(required, self.cut, self.group, strict=True)):
            if group is None and asked.follow_up is None and cut in told.followed:
                required[v] = replace(asked, follow_up=told.followed[cut])
        analyses = tuple(
            Analysis(
                asked,
                cut,
                -1 if name is None else self.groups.index(name),
                inside,
                self.division.mask(strata_of(comparison, self.division)),
            )
            for comparison, asked, cut, name, inside in zip(
                self.comparisons, required, self.cut, self.group, self.inside, strict=True
            )
        )
        longest = [
            min((r.longest for r, c in zip(required, self.cut, strict=True) if c == cut), default=np.inf)
            for cut in range(len(self.months))
        ]
        latest = np.fmin(self.months, longest)
        latest = np.minimum.accumulate(latest[::-1])[::-1]  # follow-up can only be added
        return Block(analyses, tuple(latest.tolist()), self.division, told, self.accrual)


def sort_reports(
    comparisons: Sequence[ReportedComparison],
    timeline: TrialTimeline | None,
    complements: Mapping[str, str],
) -> tuple[tuple[Sorted, ...], tuple[Finding, ...]]:
    """Group the reports of one trial by endpoint and assessor, and order each group by data cut.

    Parameters
    ----------
    comparisons
        The reports; each id once.
    timeline
        Dates, as far as they are known.
    complements
        By name of a subgroup, the name of its complement.

    Raises
    ------
    InvalidValueError
        If arms differ, an id occurs twice, a number of patients cannot be told, or the order of the cuts is open.
    InfeasibleReportError
        If an earlier cut has more events than a later one, a subgroup is larger than its whole, or a follow-up is
        longer than the trial; names both analyses.
    """
    _check_names(comparisons)
    by: dict[tuple[str, str | None], list[ReportedComparison]] = {}
    for comparison in comparisons:
        by.setdefault((comparison.endpoint, comparison.assessor), []).append(comparison)
    whole = _whole(comparisons)
    findings: list[Finding] = []
    sorted_ = [_sort(group, whole, timeline, complements, findings) for group in by.values()]
    factors = [factor for comparison in comparisons for factor in comparison.strata]
    order = sorted((arm.name for arm in whole.arms), key=lambda name: name != whole.control)
    division = divide(whole, order, _subgroup_sizes(sorted_, order), factors if len(order) == 2 else ())
    out = []
    for one in sorted_:
        own = [name for name in one.group if name is not None]
        own += [name for comparison in one.comparisons for name in strata_of(comparison, division)]
        out.append(replace(one, division=division.of([name for name in division.names if name in own])))
        findings += [finding for each in one.comparisons for finding in unknown_strata(each, division)]
    return tuple(out), tuple(findings)


def _subgroup_sizes(endpoints: Sequence[Sorted], order: Sequence[str]) -> dict[str, list[int]]:
    """Patients of each arm in every subgroup; `InfeasibleReportError` if two endpoints disagree."""
    sizes: dict[str, tuple[str, list[int]]] = {}
    for one in endpoints:
        for comparison, name, inside in zip(one.comparisons, one.group, one.inside, strict=True):
            if name is None:
                continue
            own = [_n(comparison, arm) for arm in order]
            if not inside:
                own = [_n(one.comparisons[0], arm) - n for arm, n in zip(order, own, strict=True)]
            id_, there = sizes.setdefault(name, (comparison.id, own))
            if there != own:
                raise InfeasibleReportError(
                    f"{id_} has {there} and {comparison.id} {own} patients of {', '.join(order)} in {name!r}, which "
                    "are the same patients; check the numbers, or give the populations names of their own"
                )
    return {name: own for name, (_, own) in sizes.items()}


def _check_names(comparisons: Sequence[ReportedComparison]) -> None:
    ids = [comparison.id for comparison in comparisons]
    if "" in ids or len(set(ids)) < len(ids):
        raise InvalidValueError("comparisons", ids, "an id for each, each once", "give every comparison its own id")
    first = comparisons[0]
    for other in comparisons[1:]:
        names = {arm.name for arm in first.arms}, {arm.name for arm in other.arms}
        if names[0] != names[1] or first.control != other.control:
            got = f"{sorted(names[0])} in {first.id}, {sorted(names[1])} in {other.id}"
            raise InvalidValueError("arms", got, "the same arms and control", "name the arms alike, or leave one out")


def _whole(comparisons: Sequence[ReportedComparison]) -> ReportedComparison:
    """Report with the most patients: all of the trial's."""
    known = [one for one in comparisons if all(arm.n is not None for arm in one.arms)]
    if not known:
        ids = [comparison.id for comparison in comparisons]
        raise InvalidValueError("arms", ids, "a report with the patients of every arm", "give n for each arm")
    return max(known, key=_patients)


def _patients(comparison: ReportedComparison) -> float:
    return sum(arm.n.value for arm in comparison.arms if arm.n is not None)


def _sort(
    reports: list[ReportedComparison],
    whole: ReportedComparison,
    timeline: TrialTimeline | None,
    complements: Mapping[str, str],
    findings: list[Finding],
) -> Sorted:
    there = {one.population for one in reports}
    of_complement = {complement: group for group, complement in complements.items() if group in there}
    sized = [_with_patients(one, reports, whole, of_complement, findings) for one in reports]
    everyone = [_patients(one) == _patients(whole) for one in sized]
    if not any(everyone):
        ids = [one.id for one in reports]
        expected = f"a report of all {_patients(whole):g} patients for {_name(reports[0])}"
        remedy = "add it, if only with the patients of each arm"
        raise InvalidValueError("comparisons", ids, expected, remedy)
    _check_subgroups(sized, everyone)
    cuts, months = _cuts(sized, everyone, timeline)
    order = sorted(range(len(sized)), key=lambda k: (cuts[k] < max(cuts), not everyone[k], -cuts[k]))
    if not everyone[order[0]]:
        ids = [one.id for one in reports]
        raise InvalidValueError(
            "comparisons", ids, "a report of all patients at the last cut", "add it, or give the cut-offs"
        )
    comparisons = tuple(sized[k] for k in order)
    _check_counts(comparisons, [cuts[k] for k in order], [everyone[k] for k in order])
    _check_follow_up(comparisons, [months[cuts[k]] for k in order])
    population = [comparisons[i].population or "" for i in range(len(order))]
    group = tuple(
        None if everyone[k] else of_complement.get(name, name) for k, name in zip(order, population, strict=True)
    )
    inside = tuple(name not in of_complement for name in population)
    undivided = Partition.whole([_n(whole, arm.name) for arm in whole.arms])
    accrual = None if timeline is None else timeline.months_of_accrual
    in_order = tuple(cuts[k] for k in order)
    return Sorted(_name(reports[0]), comparisons, in_order, months, group, inside, undivided, accrual)


def _name(comparison: ReportedComparison) -> str:
    return " ".join(part for part in (comparison.endpoint, comparison.assessor) if part)


def _with_patients(
    one: ReportedComparison,
    reports: Sequence[ReportedComparison],
    whole: ReportedComparison,
    of_complement: Mapping[str, str],
    findings: list[Finding],
) -> ReportedComparison:
    """Fill in numbers of patients: of a complement what the subgroup leaves, of a subgroup by the allocation."""
    if all(arm.n is not None for arm in one.arms):
        return one
    sizes: dict[str, int] | None = None
    how = ""
    opposite = of_complement.get(one.population or "")
    if opposite is not None:
        for other in reports:
            if other.population == opposite and all(arm.n is not None for arm in other.arms):
                sizes = {arm.name: _n(whole, arm.name) - _n(other, arm.name) for arm in one.arms}
                how = f"what {other.id} leaves of {whole.id}"
    if sizes is None and one.n_total is not None:
        total, everyone = int(one.n_total.value), _patients(whole)
        shares = [_n(whole, arm.name) * total / everyone for arm in one.arms]
        parts = np.diff(np.floor(np.cumsum(shares) + 0.5), prepend=0).astype(int)
        sizes = {arm.name: int(part) for arm, part in zip(one.arms, parts, strict=True)}
        how = f"the allocation of {whole.id}"
    if sizes is None:
        expected = "the number of patients of each arm, or of all"
        raise InvalidValueError(f"{one.id}.n", None, expected, "take it from the report's table or flow chart")
    arms = tuple(
        arm if arm.n is not None else replace(arm, n=Reported(str(sizes[arm.name]), "count")) for arm in one.arms
    )
    values = tuple(f"{arm.name} {arm.n}" for arm in arms)
    findings.append(
        Finding("patients-assumed", "warning", one.id, f"patients by arm follow {how}", values, "give n for each arm")
    )
    return replace(one, arms=arms)


def _n(comparison: ReportedComparison, arm: str) -> int:
    number = comparison.arm(arm).n
    return 0 if number is None else int(number.value)


def _cuts(
    reports: Sequence[ReportedComparison], everyone: Sequence[bool], timeline: TrialTimeline | None
) -> tuple[list[int], tuple[float, ...]]:
    """Give the number of each report's data cut, in order of time, and the months of the cuts."""
    labels: list[object] = [one.cutoff or one.analysis for one in reports]
    named = list(dict.fromkeys(label for label in labels if label is not None))
    if named and None in labels and all("interim" in str(label) for label in named):
        labels = [LAST if label is None else label for label in labels]  # what is no interim analysis came after it
        named.append(LAST)
    if len(named) <= 1:
        month = _month(reports, labels, named[0] if named else None, timeline)
        return [0] * len(reports), (month,)
    when = []
    for label in named:
        there = [one for one, own in zip(reports, labels, strict=True) if own == label]
        month = _month(reports, labels, label, timeline)
        followed = [one.median_follow_up.value for one in there if one.median_follow_up is not None]
        events = [_events(one) for one, all_ in zip(reports, everyone, strict=True) if all_ and one in there]
        when.append((month, followed[0] if followed else np.nan, max(events, default=np.nan)))
    if named[-1] is LAST and len(named) == 2:
        return [int(label is LAST) for label in labels], (float(when[0][0]), float(when[1][0]))
    for measure in range(3):
        column = [one[measure] for one in when]
        if np.all(np.isfinite(column)) and len(set(column)) == len(column):
            order = np.argsort(column)
            break
    else:
        expected = "data cuts whose order is known"
        remedy = "give cut-offs in the timeline, or a median follow-up or all events of each"
        raise InvalidValueError("analysis", [str(label) for label in named], expected, remedy)
    rank = {named[k]: int(place) for place, k in enumerate(order)}
    last = len(named) - 1
    months = tuple(float(when[k][0]) for k in order)
    return [last if label is None else rank[label] for label in labels], months


def _month(
    reports: Sequence[ReportedComparison], labels: Sequence[object], label: object, timeline: TrialTimeline | None
) -> float:
    if timeline is None:
        return np.nan
    there = (timeline.cutoff_of(one) for one, own in zip(reports, labels, strict=True) if own == label)
    return next((month for month in there if month is not None), np.nan)


def _events(comparison: ReportedComparison) -> float:
    if comparison.events_total is not None:
        return comparison.events_total.value
    by_arm = [arm.events.value for arm in comparison.arms if arm.events is not None]
    return sum(by_arm) if len(by_arm) == len(comparison.arms) else np.nan


def _check_counts(comparisons: Sequence[ReportedComparison], cuts: Sequence[int], everyone: Sequence[bool]) -> None:
    """Refuse an earlier cut with more events than a later one, and a subgroup that is larger than its whole."""
    whole = comparisons[0]
    in_time = sorted((cut, k) for k, cut in enumerate(cuts) if everyone[k] and np.isfinite(_events(comparisons[k])))
    for (_, early), (_, late) in pairwise(in_time):
        few, many = comparisons[early], comparisons[late]
        if cuts[early] < cuts[late] and _events(few) > _events(many):
            raise InfeasibleReportError(
                f"{few.id} has {_events(few):g} events and {many.id}, which was cut later, {_events(many):g}; events "
                "can only be added: check both numbers, or the order of the cuts"
            )
    for (early, k), (late, m) in product(enumerate(cuts), repeat=2):
        if k < m and _same(comparisons[early], comparisons[late]):
            _check_at_risk(comparisons[early], comparisons[late])
    for k, one in enumerate(comparisons):
        for arm in one.arms:
            n, most = _n(one, arm.name), _n(whole, arm.name)
            if n > most or (everyone[k] and n != most):
                raise InfeasibleReportError(
                    f"{one.id}.{arm.name}.n is {n} and {whole.id}.{arm.name}.n is {most}; one population cannot be "
                    "larger than all, nor all have two sizes: check both numbers"
                )
        if cuts[k] == cuts[0] and _events(one) > _events(whole):
            raise InfeasibleReportError(
                f"{one.id} has {_events(one):g} events and {whole.id}, of all patients, {_events(whole):g}; check both"
            )


def _check_subgroups(reports: Sequence[ReportedComparison], everyone: Sequence[bool]) -> None:
    """Refuse subgroups without a name, and one name for subgroups of two sizes."""
    named: dict[str, ReportedComparison] = {}
    for one, all_ in zip(reports, everyone, strict=True):
        if all_:
            continue
        if not one.population:
            expected = f"the name of the subgroup of {_patients(one):g} patients"
            raise InvalidValueError(f"{one.id}.population", one.population, expected, "name it, as the report does")
        other = named.setdefault(one.population, one)
        if any(_n(one, arm.name) != _n(other, arm.name) for arm in one.arms):
            sizes = [", ".join(f"{arm.name} {arm.n}" for arm in each.arms) for each in (other, one)]
            raise InfeasibleReportError(
                f"{other.id} has {sizes[0]} patients and {one.id} {sizes[1]}, and both are of {one.population!r}; "
                "check the numbers of patients, or give the populations names of their own"
            )


def _same(one: ReportedComparison, other: ReportedComparison) -> bool:
    """Whether two reports are of the same patients."""
    return all(_n(one, arm.name) == _n(other, arm.name) for arm in one.arms) and one.population == other.population


def _check_at_risk(early: ReportedComparison, late: ReportedComparison) -> None:
    """Refuse more patients at risk at an earlier cut than at a later one: follow-up can only be added."""
    for arm in early.arms:
        rows = arm.at_risk, late.arm(arm.name).at_risk
        if rows[0] is None or rows[1] is None:
            continue
        later = dict(zip(rows[1].times, rows[1].counts, strict=True))
        for time, count in zip(rows[0].times, rows[0].counts, strict=True):
            if count > later.get(time, count):
                raise InfeasibleReportError(
                    f"{early.id}.{arm.name} has {count} at risk at {time:g} months and {late.id}.{arm.name}, which was "
                    f"cut later, {later[time]}; follow-up can only be added: check both numbers, or the cuts"
                )


def _check_follow_up(comparisons: Sequence[ReportedComparison], months: Sequence[float]) -> None:
    """Refuse times that nobody can have been followed for."""
    for one, month in zip(comparisons, months, strict=True):
        if not np.isfinite(month):
            continue
        times = {"median_follow_up": one.median_follow_up}
        times |= {f"{arm.name}.median": arm.median for arm in one.arms}
        times |= {f"{arm.name}.median_follow_up": arm.median_follow_up for arm in one.arms}
        for name, time in times.items():
            if time is not None and time.reached and time.lower > month:
                raise InfeasibleReportError(
                    f"{one.id}.{name} is {time} months and its data were cut {month:.1f} months after the first "
                    "patient came in: nobody was followed for so long; check it against the cut-off"
                )
