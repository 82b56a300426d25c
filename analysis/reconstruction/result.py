"""The result of a reconstruction: an ensemble of pseudo-patient data sets that the report cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction.ensemble import EnsembleEstimate, central
from analysis.reconstruction.report.fidelity import PatientData, Statistic, printed_statistics
from analysis.survival.distributions import Distribution, Ensemble, Tabulated
from analysis.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.conventions.scales import ScaleName
    from analysis.reported import Finding, ReportedComparison

CARRIED = np.append(np.linspace(0.95, 0.05, 19), [0.02, 0.01, 0.001])  # of those at the end of a part's follow-up
LEAST_LEFT = 1e-9  # of all patients at that time, below which nothing is known of what follows
GRID = 241  # times of a curve, unless others are asked for


@border
@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Pseudo-patients, many times over: each member gives the reported numbers back, together they show what is open.

    Parameters
    ----------
    comparison
        The report that was reconstructed.
    arm_index
        Index into ``comparison.arms`` of each patient, increasing, shape ``(patients,)``.
    time
        Follow-up in months, shape ``(members, patients)``.
    event
        Whether it ended with an event, shape ``(members, patients)``.
    method
        How the members were made.
    stratum
        Number of each patient's stratum, shape ``(members, patients)``, where ratio and test are stratified; else None.
    population
        For each arm one distribution per member: the curve of the population that this member came from. It carries a
        member's curve on past the end of its follow-up. By default the member's own Kaplan-Meier points.
    seed
        Seed that gives the same members again; None where no random number was drawn or a generator was passed.
    scale
        Type of the confidence intervals of medians and rates whose report does not name it.
    relaxed
        Names of the printed numbers that the caller allowed not to be reproduced.
    findings
        What stood out in the report or on the way.
    diagnostics
        Figures on the sampling: ``draws``, ``distinct members``, and ``met``, the share of members that are draws and
        not walked on from others.
    version
        Version of this package.

    Raises
    ------
    InvalidValueError
        If the shapes do not fit each other or a time is negative or not finite.

    Notes
    -----
    Within a member, each arm's patients are kept in the order of their times.

    Examples
    --------
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")], id="os")
    >>> found = reconstruct(report, members=2, rng=1)
    >>> found.members, found.arms, bool(found.faithful.all())
    (2, ('drug',), True)
    """

    comparison: ReportedComparison = field(repr=False)
    arm_index: NDArray[np.intp] = field(repr=False)
    time: FloatArray = field(repr=False)
    event: BoolArray = field(repr=False)
    method: str
    stratum: NDArray[np.int64] | None = field(default=None, repr=False)
    population: Mapping[str, tuple[Distribution, ...]] | None = field(default=None, repr=False)
    seed: int | None = None
    scale: ScaleName = "log-log"
    relaxed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    version: str = __version__

    def __post_init__(self) -> None:
        arm = np.array(self.arm_index, dtype=np.intp)
        time = np.array(self.time, dtype=np.float64, ndmin=2)
        event = np.array(self.event, dtype=np.bool_, ndmin=2)
        if time.shape != event.shape or time.shape[1:] != arm.shape or 0 in time.shape:
            shapes = f"shapes {arm.shape}, {time.shape}, {event.shape}"
            raise InvalidValueError(
                "arm_index, time, event", shapes, "(patients,) and twice (members, patients)", "check the axes"
            )
        if not (np.isfinite(time).all() and time.min() >= 0):
            raise InvalidValueError("time", "negative or not finite", "months of at least 0", "check the members")
        if np.any(np.diff(arm) < 0) or not np.array_equal(np.unique(arm), np.arange(len(self.comparison.arms))):
            raise InvalidValueError("arm_index", np.unique(arm), "every arm of the report, in its order", "sort by arm")
        order = np.lexsort((~event, time, np.broadcast_to(arm, time.shape)), axis=-1)
        ordered = {"arm_index": arm, "time": time, "event": event}
        if self.stratum is not None:
            ordered["stratum"] = np.array(self.stratum, dtype=np.int64, ndmin=2)
            if ordered["stratum"].shape != time.shape:
                got = f"shape {ordered['stratum'].shape}"
                raise InvalidValueError("stratum", got, f"{time.shape}, to match time", "check the axes")
        for name in ("time", "event", "stratum"):
            if name in ordered:
                ordered[name] = np.take_along_axis(ordered[name], order, axis=1)
        for name, values in ordered.items():
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.time.shape[0])

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(arm.name for arm in self.comparison.arms)

    def ipd(self, member: int | None = None) -> pd.DataFrame:
        """Patients of one member, or of all.

        Parameters
        ----------
        member
            Number of the member, from 0; None for all, told apart by a first column ``member``.

        Returns
        -------
        DataFrame
            Columns ``arm``, ``treatment`` (0 the control, 1 another arm; 0 for a single arm), ``time`` (months) and
            ``event`` (1 event, 0 censored), one row per patient; ``stratum`` where ratio and test are stratified.
        """
        names = np.array(self.arms)[self.arm_index]
        treatment = (
            (names != self.comparison.control).astype(int) if self.comparison.control else np.zeros_like(self.arm_index)
        )
        chosen = slice(None) if member is None else slice(member, member + 1)
        time, event = self.time[chosen], self.event[chosen]
        columns = {
            "arm": np.tile(names, len(time)),
            "treatment": np.tile(treatment, len(time)),
            "time": time.ravel(),
            "event": event.ravel().astype(int),
        }
        if self.stratum is not None:
            columns["stratum"] = self.stratum[chosen].ravel()
        if member is None:
            columns = {"member": np.repeat(np.arange(self.members), names.size)} | columns
        return pd.DataFrame(columns)

    def survival_by_member(self, arm: str, t: ArrayLike) -> FloatArray:
        """Kaplan-Meier curve of each member at `t` months, shape ``(members, len(t))``.

        Past a last censored patient a member's curve goes on as its population's does; past a last event it stays at 0.
        """
        rows, at = self._rows(arm), np.atleast_1d(np.asarray(t, dtype=np.float64))
        time, event = self.time[:, rows], self.event[:, rows]
        n = time.shape[1]
        steps = np.ones((self.members, n + 1))
        np.cumprod(1 - event / (n - np.arange(n)), axis=1, out=steps[:, 1:])
        values = np.stack([step[np.searchsorted(own, at, side="right")] for own, step in zip(time, steps, strict=True)])
        ends = time[:, -1]
        for member in np.flatnonzero((ends < at.max()) & (steps[:, -1] > 0)):
            past = at > ends[member]
            curve = self._population[arm][member]
            at_end = max(float(curve.survival(ends[member])), np.finfo(np.float64).tiny)
            values[member, past] *= np.minimum(curve.survival(at[past]) / at_end, 1.0)
        return values

    def survival_at(self, arm: str, t: ArrayLike, level: float = 0.9) -> pd.DataFrame:
        """Mean curve of the ensemble at `t` months, with its pointwise band.

        Parameters
        ----------
        arm
            Name of the arm.
        t
            Months, shape ``(k,)``.
        level
            Share of the members in the band at each time.

        Returns
        -------
        DataFrame
            Columns ``time``, ``mean``, ``lower``, ``upper``.
        """
        values = self.survival_by_member(arm, t)
        lower, _, upper = central(values, level)
        return pd.DataFrame({"time": np.atleast_1d(t), "mean": values.mean(axis=0), "lower": lower, "upper": upper})

    def curve(self, arm: str, level: float = 0.9) -> pd.DataFrame:
        """Mean curve and pointwise band from 0 to the arm's longest follow-up, as by `survival_at`."""
        return self.survival_at(arm, np.linspace(0.0, self.time[:, self._rows(arm)].max(), GRID), level)

    def rmst(self, arm: str, tau: float, level: float = 0.9) -> EnsembleEstimate:
        """Restricted mean survival time up to `tau` months: the area under each member's curve."""
        if not 0 < tau < np.inf:
            raise InvalidValueError("tau", tau, "a time above 0, in months", "restrict the mean to the follow-up")
        own = self.time[:, self._rows(arm)]
        grid = np.unique(np.concatenate([own[own < tau], np.linspace(0.0, tau, GRID)]))
        middle = (grid[1:] + grid[:-1]) / 2
        return EnsembleEstimate.of(self.survival_by_member(arm, middle) @ np.diff(grid), level)

    def median(self, arm: str, level: float = 0.9) -> EnsembleEstimate:
        """Kaplan-Meier median in months; infinite in the members that do not reach it."""
        self._rows(arm)
        return EnsembleEstimate.of([data.curves[arm].median() for data in self._data], level)

    def events(self, arm: str, level: float = 0.9) -> EnsembleEstimate:
        """Count the events; where their number was not printed, this is what the other numbers say of it."""
        return EnsembleEstimate.of(self.event[:, self._rows(arm)].sum(axis=1), level)

    def hazard_ratio(self, level: float = 0.9) -> EnsembleEstimate:
        """Cox hazard ratio, experimental against control.

        Raises
        ------
        InvalidValueError
            If the report has not two arms.
        """
        if len(self.arms) != 2:
            raise InvalidValueError("arms", self.arms, "two arms", "compare two arms at a time")
        return EnsembleEstimate.of([data.hazard_ratio for data in self._data], level)

    def arm(self, name: str) -> Ensemble:
        """Return the population of an arm, for a scenario: one distribution per member.

        Each simulated trial takes another member, and formulas are averaged over them, so that the uncertainty of the
        reconstruction travels along.
        """
        self._rows(name)
        return Ensemble(self._population[name])

    def summary(self) -> pd.DataFrame:
        """Show what was reported beside what the ensemble gives: medians over the members and their central 90%.

        Returns
        -------
        DataFrame
            Columns ``arm``, ``quantity``, ``reported`` (empty where it was not), ``estimate``, ``lower``, ``upper``.
        """
        rows: list[tuple[str, str, str, EnsembleEstimate]] = []
        for reported in self.comparison.arms:
            name, median, limits = reported.name, _as_printed(reported.median), reported.median_ci
            rows += [
                (name, "events", _as_printed(reported.events), self.events(name)),
                (name, "median, months", limits.beside(median) if limits else median, self.median(name)),
            ]
        if len(self.arms) == 2:
            rows.append(("", "hazard ratio", _as_printed(self.comparison.hazard_ratio), self.hazard_ratio()))
        return pd.DataFrame(
            [(*said, value.estimate, value.lower, value.upper) for *said, value in rows],
            columns=["arm", "quantity", "reported", "estimate", "lower", "upper"],
        )

    def shown(self) -> pd.DataFrame:
        """Write the `summary` as it is read: counts without decimals, months and ratios with two."""
        frame = self.summary()
        digits = np.where(frame["quantity"] == "events", 0, 2).tolist()
        for column in ("estimate", "lower", "upper"):
            numbers = zip(frame[column].tolist(), digits, strict=True)
            frame[column] = ["not reached" if np.isinf(value) else f"{value:.{k}f}" for value, k in numbers]
        return frame

    def _repr_html_(self) -> str:
        share = float(np.mean(self.faithful))
        lines = [
            f"{escape(self.comparison.endpoint)}, {self.arm_index.size} patients, {self.members} members",
            f"method: {escape(self.method)}; seed: {self.seed}; version: {self.version}",
            f"members that give every printed number back: {share:.1%}",
        ]
        table = self.shown().to_html(index=False, border=0)
        findings = "".join(f"<li>{escape(str(finding))}</li>" for finding in self.findings)
        return f"<p>{'<br>'.join(lines)}</p>{table}" + (f"<ul>{findings}</ul>" if findings else "")

    @cached_property
    def _values(self) -> pd.DataFrame:
        return pd.DataFrame(
            [[statistic.of(data) for statistic in self._statistics] for data in self._data],
            columns=[statistic.name for statistic in self._statistics],
        )

    @cached_property
    def _reproduced(self) -> NDArray[np.bool_]:
        reproduced = np.ones((self.members, len(self._statistics)), dtype=np.bool_)
        for column, statistic in enumerate(self._statistics):
            reproduced[:, column] = statistic.reproduced(self._values[statistic.name].to_numpy(dtype=np.float64))
        return reproduced

    @property
    def faithful(self) -> BoolArray:
        """Whether each member gives back every printed number that was not relaxed, shape ``(members,)``."""
        held = np.array([statistic.name not in self.relaxed for statistic in self._statistics], dtype=np.bool_)
        return np.asarray(self._reproduced[:, held].all(axis=1))

    def fidelity(self) -> pd.DataFrame:
        """Each printed number beside what the members give when they are analysed as the paper was.

        Returns
        -------
        DataFrame
            One row per number: ``number``, ``reported`` (as printed), ``box_lower`` and ``box_upper`` (what rounds to
            it), ``lowest`` and ``highest`` of the members, ``share`` of members inside the box, ``reproduced`` (all
            are), ``relaxed`` (the caller allowed it to differ).
        """
        values = self._values.to_numpy()
        share = self._reproduced.mean(axis=0)
        return pd.DataFrame(
            {
                "number": [statistic.name for statistic in self._statistics],
                "reported": [str(statistic.reported) for statistic in self._statistics],
                "box_lower": [statistic.reported.lower for statistic in self._statistics],
                "box_upper": [statistic.reported.upper for statistic in self._statistics],
                "lowest": values.min(axis=0),
                "highest": values.max(axis=0),
                "share": share,
                "reproduced": share == 1,
                "relaxed": [statistic.name in self.relaxed for statistic in self._statistics],
            }
        )

    @cached_property
    def _statistics(self) -> tuple[Statistic, ...]:
        return printed_statistics(self.comparison, self.scale)

    @cached_property
    def _data(self) -> tuple[PatientData, ...]:
        slices = {name: self._rows(name) for name in self.arms}
        experimental = np.array([name != self.comparison.control for name in self.arms])[self.arm_index]
        strata = [None] * self.members if self.stratum is None else self.stratum
        return tuple(
            PatientData(time, event, slices, experimental, stratum)
            for time, event, stratum in zip(self.time, self.event, strata, strict=True)
        )

    @cached_property
    def _population(self) -> Mapping[str, tuple[Distribution, ...]]:
        if self.population is not None:
            return self.population
        return {
            name: tuple(_through_points(data.curves[name].time, data.curves[name].survival) for data in self._data)
            for name in self.arms
        }

    def _rows(self, arm: str) -> slice:
        if arm not in self.arms:
            raise UnknownNameError("arm", arm, self.arms)
        index = self.arms.index(arm)
        return slice(
            int(np.searchsorted(self.arm_index, index)), int(np.searchsorted(self.arm_index, index, side="right"))
        )


def _as_printed(printed: object) -> str:
    """Give the digits of a number, with a unit of time that is not the months of the estimates beside it."""
    unit = getattr(printed, "unit", "months")
    is_other = unit in ("days", "weeks", "years") and getattr(printed, "reached", False)
    return "" if printed is None else f"{printed} {unit}" if is_other else str(printed)


def carried_on(part: Reconstruction, whole: Reconstruction) -> Reconstruction:
    """Let the curves of a part of the patients go on, past the part's follow-up, with the hazard of all patients.

    By themselves they would stay where they are: the last patients are mostly censored.
    """
    population = {}
    for name in part.arms:
        curves = []
        for data, of_all in zip(part._data, whole._population[name], strict=True):
            time, survival = data.curves[name].time, data.curves[name].survival
            left = float(of_all.survival(time[-1]))
            if survival[-1] > 0 and left > LEAST_LEFT:
                later = of_all.quantile(1 - left * CARRIED)
                further = np.isfinite(later) & (later > time[-1])
                time = np.append(time, later[further])
                survival = np.append(survival, survival[-1] * CARRIED[further])
            curves.append(_through_points(time, survival))
        population[name] = tuple(curves)
    return replace(part, population=population)


def _through_points(time: FloatArray, survival: FloatArray) -> Tabulated:
    kept = np.flatnonzero(time > 0)
    kept = kept[: int(np.argmax(survival[kept] == 0)) + 1] if survival[-1] == 0 else kept
    return Tabulated(time[kept], survival[kept])
