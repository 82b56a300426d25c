"""What leaves a reconstruction: data sets in the form of CDISC, and the words of a methods section."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import choice, count
from analysis.conventions.display import listed
from analysis.conventions.units import DAYS_PER_MONTH
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError, UnavailableError
from analysis.reconstruction.curve.digitised import METHOD as OF_CURVE
from analysis.reported.comparison import ENDPOINTS

if TYPE_CHECKING:
    from analysis.reconstruction.result import Reconstruction

WHY = "pseudo-patient, reconstructed from published numbers: no person"
LONGEST_TEXT = 200
LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "TRTP": "Planned Treatment",
    "TRTPN": "Planned Treatment (N)",
    "PARAM": "Parameter",
    "PARAMCD": "Parameter Code",
    "AVAL": "Analysis Value",
    "AVALU": "Analysis Value Unit",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "STRATUMN": "Stratum of the Analysis (N)",
    "SYNTHFL": "Synthetic Record Flag",
    "SYNTHRSN": "Reason for Synthetic Record",
    "MEMBER": "Member of the Reconstruction",
}
"""CDISC's labels, at most 40 letters each."""
AVAL = {"MONTHS": 1.0, "DAYS": DAYS_PER_MONTH}


@border
def adtte(
    reconstruction: Reconstruction, member: int | None = 0, *, study: str = "RECONSTRUCTED", unit: str = "MONTHS"
) -> pd.DataFrame:
    """Lay the patients of a reconstruction out as CDISC's ADTTE, each marked as synthetic.

    Parameters
    ----------
    reconstruction
        Whose patients.
    member
        Number of the member, from 0; None for all, told apart by ``MEMBER``.
    study
        STUDYID.
    unit
        Of AVAL: ``"MONTHS"`` or ``"DAYS"``.

    Returns
    -------
    DataFrame
        STUDYID, USUBJID, TRTP, TRTPN, PARAM, PARAMCD, AVAL, AVALU, CNSR, EVNTDESC, and besides SYNTHFL (``"Y"``),
        SYNTHRSN (why), MEMBER (number of the member, which is part of USUBJID); STRATUMN where ratio and test are
        stratified.

    Raises
    ------
    InvalidValueError
        If there is no such member, or the study has no name.
    UnknownNameError
        If the unit is neither.

    Notes
    -----
    CDISC ADaM Basic Data Structure for Time-to-Event Analyses 1.0: CNSR is 0 for an event and 1 for a censoring. Dates
    are left out: a reconstruction has none.

    Examples
    --------
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")])
    >>> frame = adtte(reconstruct(report, members=2, rng=1))
    >>> frame[["USUBJID", "TRTP", "PARAMCD", "AVALU", "SYNTHFL"]].iloc[0].tolist()
    ['RECONSTRUCTED-0-0001', 'drug', 'OS', 'MONTHS', 'Y']
    >>> int((frame["CNSR"] == 0).sum())
    20
    """
    choice("unit", unit, tuple(AVAL))
    if not isinstance(study, str) or not study.strip():
        raise InvalidValueError("study", study, "a name of the study", "give one, as STUDYID")
    if member is not None:
        member = count("member", member, "the member, from 0", at_least=0)
        if member >= reconstruction.members:
            expected = f"a member from 0 to {reconstruction.members - 1}"
            raise InvalidValueError("member", member, expected, "ask for one of them, or None for all")
    patients = reconstruction.ipd(member)
    members = patients["member"] if member is None else pd.Series(member, index=patients.index)
    number = patients.groupby(members).cumcount() + 1
    endpoint = reconstruction.comparison.endpoint
    event = patients["event"].to_numpy(bool)
    strata = {"STRATUMN": patients["stratum"]} if "stratum" in patients else {}
    return pd.DataFrame(
        {
            "STUDYID": study,
            "USUBJID": [f"{study}-{m}-{k:04d}" for m, k in zip(members, number, strict=True)],
            "TRTP": patients["arm"],
            "TRTPN": patients["treatment"],
            "PARAM": f"{ENDPOINTS[endpoint].capitalize()} ({unit.lower()})",
            "PARAMCD": endpoint,
            "AVAL": patients["time"] * AVAL[unit],
            "AVALU": unit,
            "CNSR": np.where(event, 0, 1),
            "EVNTDESC": np.where(event, "EVENT", "CENSORED"),
            **strata,
            "SYNTHFL": "Y",
            "SYNTHRSN": WHY,
            "MEMBER": members,
        }
    )


@border
def write_adtte(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write ADTTE as CSV, or as a SAS transport file of version 5 with the labels of CDISC.

    Parameters
    ----------
    frame
        What `adtte` gives.
    path
        Ends in ``.csv`` or ``.xpt``; a file that is there is replaced, as a whole or not at all.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidValueError
        If the ending is another one, the file cannot be written, or a text is not ASCII or longer than 200 letters,
        which version 5 cannot hold.
    UnavailableError
        If ``pyreadstat`` is needed and not installed: the extra ``sas``.

    Examples
    --------
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")], id="os")
    >>> from tempfile import mkdtemp
    >>> from analysis.reconstruction import adtte
    >>> write_adtte(adtte(reconstruct(report, members=1, rng=1)), f"{mkdtemp()}/adtte.csv").name
    'adtte.csv'
    """
    target = Path(path)
    if choice("path", target.suffix.lower(), (".csv", ".xpt")) == ".csv":
        with written_whole(target) as draft:
            frame.to_csv(draft, index=False)
        return target
    try:
        import pyreadstat
    except ImportError as error:
        remedy = "pip install 'trial-outcome-analysis[sas]', or write .csv"
        raise UnavailableError(f"pyreadstat is not installed; .xpt needs it: {remedy}") from error
    for name in frame.select_dtypes(object).columns:
        for text in frame[name].unique().tolist():
            if not str(text).isascii() or len(str(text)) > LONGEST_TEXT:
                expected = f"ASCII of at most {LONGEST_TEXT} letters, as SAS transport version 5 has it"
                raise InvalidValueError(str(name), text, expected, "rename it, or write .csv")
    labels: list[str | None] = [LABELS[str(name)] for name in frame.columns]
    with written_whole(target) as draft:
        try:
            pyreadstat.write_xport(
                frame, str(draft), file_label="Time to event, synthetic", column_labels=labels, table_name="ADTTE",
                file_format_version=5,
            )  # fmt: skip
            read, _ = pyreadstat.read_xport(str(draft))
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
            raise OSError(f"not written whole, the disk may be full ({error})") from error
        if len(read) != len(frame) or not np.allclose(read["AVAL"], frame["AVAL"], rtol=1e-13):
            raise OSError(f"{len(read)} of {len(frame)} records were written, the disk may be full")
    return target


@border
def paragraph(reconstruction: Reconstruction) -> str:
    """Write what was done, as a methods section says it: from which numbers, how, how well, and with which version.

    Examples
    --------
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")])
    >>> print(paragraph(reconstruct(report, members=2, rng=1)).split(". ")[0])
    Overall survival of 30 patients was reconstructed from the published n, events and median of drug
    """
    comparison, given = reconstruction.comparison, reconstruction.fidelity()
    endpoint = ENDPOINTS[comparison.endpoint].capitalize()
    if comparison.assessor:
        endpoint += f" ({comparison.assessor})"
    size = int(reconstruction.arm_index.size)
    named = []
    for arm in reconstruction.arms:
        own = [name.removeprefix(f"{arm}.") for name in given["number"] if name.startswith(f"{arm}.")]
        if own:
            named.append(f"{listed(dict.fromkeys(map(_plain, own)))} of {arm}")
    of_arms = tuple(f"{arm}." for arm in reconstruction.arms)
    both = [_plain(name) for name in given["number"] if not name.startswith(of_arms)]
    named += [listed(dict.fromkeys(both))] if both else []
    kept = int(given["reproduced"].sum())
    met = "every member gives every one of them back"
    met = met if kept == len(given) else f"{kept} of {len(given)} are given back by every member"
    not_asked = [_of(name, reconstruction) for name in reconstruction.relaxed]
    relaxed = f" Not asked for: {listed(not_asked)}." if not_asked else ""
    rows = [_in_members(row) for row in reconstruction.summary().to_dict("records")]
    walked = round((1 - reconstruction.diagnostics.get("met", 1.0)) * reconstruction.members)
    moved = f", {walked} of them by moves from others that keep every number" if walked else ""
    noted = "; ".join(dict.fromkeys(finding.message for finding in reconstruction.findings))
    factors = [factor.name for factor in comparison.strata if factor.n or factor.population]
    strata = f", ratio and test stratified by {listed(factors)}" if reconstruction.stratum is not None else ""
    seed = "" if reconstruction.seed is None else f", seed {reconstruction.seed}"
    curves = "digitised curves" if len(reconstruction.arms) > 1 else "digitised curve"
    drawn = f"{curves} and the " if reconstruction.method == OF_CURVE else ""
    return (
        f"{endpoint} of {size} patients was reconstructed from the {drawn}published {'; '.join(named)}. "
        f"{reconstruction.members} data sets of pseudo-patients were drawn ({reconstruction.method}{strata})"
        f"{seed}{moved}; rounded as printed, {met}.{relaxed}{_taken(reconstruction)} "
        f"Over the data sets the median of each number is: {'; '.join(rows)}. "
        + (f"It was noted that {noted}. " if noted else "")
        + "What the publication leaves open is the spread between the data sets; it is not the error of sampling. "
        f"Software: trial-outcome-analysis {reconstruction.version}."
    )


def _of(name: str, reconstruction: Reconstruction) -> str:
    """Name a number that was relaxed, with its arm behind it."""
    for arm in reconstruction.arms:
        if name.startswith(f"{arm}."):
            return f"{_plain(name.removeprefix(f'{arm}.'))} of {arm}"
    return _plain(name)


def _taken(reconstruction: Reconstruction) -> str:
    """Say what else of the report every member keeps to, and how its limits are read."""
    comparison = reconstruction.comparison
    if reconstruction.method == OF_CURVE:
        return ""
    longest, visits = comparison.longest_follow_up, comparison.assessment_interval
    has_limits = any(
        arm.median_ci or any(rate.ci for rate in arm.landmarks) or any(quartile.ci for quartile in arm.quartiles)
        for arm in comparison.arms
    )
    taken = [
        *([f"nobody is followed for longer than {longest.with_unit}"] if longest else []),
        *([f"events are seen at visits every {visits.with_unit}"] if visits else []),
        *([f"limits of medians and rates are read as {reconstruction.scale}"] if has_limits else []),
    ]
    return f" In all of them {listed(taken)}." if taken else ""


def _in_members(row: dict[Any, Any]) -> str:
    """Say what a number is in the members: its median, and the central 90% where that is not one number."""
    estimate, lower, upper = (_number(row[side]) for side in ("estimate", "lower", "upper"))
    spread = "" if lower == upper else f" (90% of the members {lower} to {upper})"
    name, _, unit = row["quantity"].partition(", ")
    unit = f" {unit}" if unit and np.isfinite(row["estimate"]) else ""
    return f"{name}{' of ' * bool(row['arm'])}{row['arm']} {estimate}{unit}{spread}"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "not reached"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _plain(name: str) -> str:
    """Name a number as a text does: ``at risk at 6 months`` is one of the numbers at risk."""
    if name.startswith("at risk"):
        return "numbers at risk"
    whole, limit, _ = name.replace("_ci", ".ci").replace(", ci", ".ci").partition(".ci")
    plain = whole.replace("_", " ").replace(".", " ").replace("p value", "p-value").replace("follow up", "follow-up")
    return f"the limits of the {plain}" if limit else plain
