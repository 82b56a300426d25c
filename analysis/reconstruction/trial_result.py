"""The reconstruction of a trial: members that are one list of patients each, read by every analysis in its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.display import short_repr
from analysis.errors import UnknownNameError
from analysis.reconstruction.ensemble import EnsembleEstimate
from analysis.reconstruction.result import Reconstruction, carried_on
from analysis.reported import Reported, ReportedArm, ReportedComparison
from analysis.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.reported import Finding, TrialTimeline


@border
@dataclass(frozen=True, eq=False)
class Endpoint:
    """Times of one endpoint by one assessor, patient by patient.

    Attributes
    ----------
    time, event
        At the last data cut, shape ``(members, patients)``.
    left_at
        By the id of an earlier analysis: when it lost sight of a patient whom the last one followed on, shape
        ``(members, patients)``; inf where it saw all that the last one saw.
    shown_by
        Id of the report on all patients at the last data cut.

    Examples
    --------
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")], id="os")
    >>> trial = reconstruct([report], members=2, rng=1)
    >>> {name: endpoint.time.shape for name, endpoint in trial.endpoints.items()}
    {'OS': (2, 30)}
    """

    time: FloatArray
    event: BoolArray
    left_at: Mapping[str, FloatArray]
    shown_by: str

    def __repr__(self) -> str:
        return short_repr(self)


@border
@dataclass(frozen=True, eq=False, repr=False)
class TrialReconstruction:
    """Members of a trial: each is one list of patients, and every report is computed from that list.

    Attributes
    ----------
    analyses
        By the id of each report, its `Reconstruction`: member ``i`` of every analysis is the same list of patients.
    arms, arm_index
        Names of the arms, the control first, and the arm of each patient, shape ``(patients,)``.
    entry
        Months from the first patient's entry to that of each patient, shape ``(members, patients)``; NaN where no
        timeline was given.
    endpoints
        Times by endpoint and assessor, e.g. ``"PFS local"``.
    subgroups
        By name, who is in it, shape ``(members, patients)``.
    method, seed, agreement, read_until, timeline
        How the members were made: the dependence that was assumed between endpoints, whose reading ends with whose
        progression, and the trial in time.
    findings
        What stood out in the reports or on the way.
    diagnostics
        Figures on the sampling: ``draws``, ``distinct members``, of the endpoint with the fewest, and ``met``, the
        share of members that are draws and not walked on from others, of the endpoint with the smallest.

    Examples
    --------
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")], id="os")
    >>> trial = reconstruct([report], members=2, rng=1)
    >>> trial, trial.patients(0).shape
    (<TrialReconstruction: 2 members of 30 patients, os>, (30, 5))
    """

    analyses: Mapping[str, Reconstruction]
    arms: tuple[str, ...]
    arm_index: NDArray[np.intp]
    entry: FloatArray
    endpoints: Mapping[str, Endpoint]
    subgroups: Mapping[str, BoolArray]
    method: str
    seed: int | None
    agreement: float
    read_until: Mapping[str, str]
    timeline: TrialTimeline | None
    findings: tuple[Finding, ...] = ()
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    version: str = __version__

    def __repr__(self) -> str:
        size = f"{self.members} members of {self.arm_index.size} patients"
        return f"<TrialReconstruction: {size}, {', '.join(self.analyses)}>"

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.entry.shape[0])

    @property
    def faithful(self) -> BoolArray:
        """Whether each member gives back all numbers of all reports that were not relaxed, shape ``(members,)``."""
        return np.asarray(np.all([one.faithful for one in self.analyses.values()], axis=0))

    def analysis(self, id: str) -> Reconstruction:
        """Reconstruction of one report; `UnknownNameError` with the nearest ids if there is none."""
        if id not in self.analyses:
            raise UnknownNameError("analysis", id, list(self.analyses))
        return self.analyses[id]

    def patients(self, member: int) -> pd.DataFrame:
        """List the patients of one member.

        Returns
        -------
        DataFrame
            One row per patient: ``arm``, ``treatment`` (0 control), ``entry`` (months after the first patient), for
            each endpoint ``... time`` and ``... event`` at its last data cut, for each subgroup who is in it.
        """
        columns: dict[str, object] = {
            "arm": np.array(self.arms)[self.arm_index],
            "treatment": (self.arm_index > 0).astype(int),
            "entry": self.entry[member],
        }
        for name, endpoint in self.endpoints.items():
            columns[f"{name} time"] = endpoint.time[member]
            columns[f"{name} event"] = endpoint.event[member].astype(int)
        columns |= {name: inside[member] for name, inside in self.subgroups.items()}
        return pd.DataFrame(columns)

    def part(self, endpoint: str, subgroup: str | None = None, *, inside: bool = True) -> Reconstruction:
        """Give the curves of a part of the patients that no report prints, such as the rest beside a subgroup.

        Past the end of a member's follow-up its curve goes on with the hazard of all patients.

        Parameters
        ----------
        endpoint
            Name of an endpoint of `endpoints`, at its last data cut.
        subgroup
            Name of a subgroup; all patients if it is not given.
        inside
            False: those who are not in it.

        Raises
        ------
        UnknownNameError
            If there is no such endpoint or subgroup.
        """
        if endpoint not in self.endpoints:
            raise UnknownNameError("endpoint", endpoint, list(self.endpoints))
        if subgroup is not None and subgroup not in self.subgroups:
            raise UnknownNameError("subgroup", subgroup, list(self.subgroups))
        times = self.endpoints[endpoint]
        chosen = np.ones(times.time.shape, dtype=np.bool_) if subgroup is None else self.subgroups[subgroup] == inside
        sizes = [int(chosen[0, self.arm_index == k].sum()) for k in range(len(self.arms))]
        population = None if subgroup is None else (subgroup if inside else f"not {subgroup}")
        part = Reconstruction(
            comparison=ReportedComparison(
                endpoint=endpoint.split()[0],
                arms=tuple(
                    ReportedArm(name, n=Reported(str(size), "count"))
                    for name, size in zip(self.arms, sizes, strict=True)
                ),
                control=self.arms[0],
                population=population,
                id=" ".join(filter(None, (endpoint, population))),
            ),
            arm_index=np.repeat(np.arange(len(self.arms)), sizes),
            time=times.time[chosen].reshape(self.members, -1),
            event=times.event[chosen].reshape(self.members, -1),
            method=self.method,
            seed=self.seed,
        )
        return carried_on(part, self.analyses[times.shown_by])

    def interaction(self, endpoint: str, subgroup: str, level: float = 0.9) -> EnsembleEstimate:
        """Divide the hazard ratio within a subgroup by that of the rest: 1 where treatment does the same in both."""
        within = self.part(endpoint, subgroup).hazard_ratio(level).members
        rest = self.part(endpoint, subgroup, inside=False).hazard_ratio(level).members
        return EnsembleEstimate.of(within / rest, level)

    def fidelity(self) -> pd.DataFrame:
        """Each printed number of every report beside what the members give; see `Reconstruction.fidelity`."""
        frames = {id: one.fidelity() for id, one in self.analyses.items()}
        return pd.concat(frames, names=["analysis"]).reset_index(level=0).reset_index(drop=True)

    def summary(self) -> pd.DataFrame:
        """Show what each report printed beside what the members give; see `Reconstruction.summary`."""
        frames = {id: one.summary() for id, one in self.analyses.items()}
        return pd.concat(frames, names=["analysis"]).reset_index(level=0).reset_index(drop=True)

    def _repr_html_(self) -> str:
        lines = [
            f"{self.arm_index.size} patients, {self.members} members, {len(self.analyses)} analyses",
            f"method: {escape(self.method)}; seed: {self.seed}; version: {self.version}",
            f"members that give every printed number of every report back: {float(np.mean(self.faithful)):.1%}",
        ]
        findings = "".join(f"<li>{escape(str(finding))}</li>" for finding in self.findings)
        table = self.summary().to_html(index=False, float_format="{:.2f}".format, border=0)
        return f"<p>{'<br>'.join(lines)}</p>{table}" + (f"<ul>{findings}</ul>" if findings else "")
