"""A study's folder as it is delivered: tables found by name, derived whole, written as ADRS, ADTTE and findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions.border import border, strict_border
from analysis.conventions.whole import written_whole
from analysis.endpoints.derivation import Derivation, derive
from analysis.endpoints.endpoint_tables import derive_endpoints, summarise
from analysis.endpoints.overall_survival import LAST_ALIVE, overall_survival
from analysis.endpoints.response_tables import read_responses
from analysis.errors import InvalidValueError
from analysis.quality_of_life import QualityOfLife, read_qlq_c30
from analysis.records.findings import DataFinding, as_frame
from analysis.records.subject_tables import ALL, planned_arms
from analysis.safety import AdverseEvents, DosePlan, Exposure, read_adverse_events, read_exposure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.endpoints.histories import ResponseHistory

from analysis.endpoints.protocol import Protocol

DOMAINS = ("tr", "tu", "rs", "ae", "adae", "ex", "ds", "qs", "adsl", "dm")
LABELS = ["STUDYID", "USUBJID", "TRTP", "PARAMCD", "PARAM", "RSEVAL", "SRCDOM"]
READERS = {".xpt": "sas", ".sas7bdat": "sas7bdat", ".csv": "csv", ".parquet": "parquet"}
ZERO_OF_PANDAS = 16.0**-65


@strict_border
@dataclass(frozen=True)
class Study:
    """The tables of a study's folder that endpoints are derived from.

    Parameters
    ----------
    name
        STUDYID, or the name of the folder.
    tables
        By domain: ``"tr"``, ``"tu"``, ``"rs"``, ``"ae"`` or ``"adae"``, ``"ex"``, ``"ds"``, ``"qs"``, ``"adsl"`` or
        ``"dm"``, as far as they are there.
    findings
        What was found on the way in.

    Examples
    --------
    >>> import pandas as pd
    >>> study = Study("MINE", {"rs": pd.DataFrame({"USUBJID": ["1"]})})
    >>> study.name, list(study.tables)
    ('MINE', ['rs'])
    """

    name: str
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    findings: tuple[DataFinding, ...] = ()

    @property
    def subjects(self) -> pd.DataFrame:
        """The subjects: ADSL, or where it lacks DM."""
        return self.tables["adsl"] if "adsl" in self.tables else self.tables["dm"]

    def adverse_events(self, **options: Any) -> AdverseEvents:
        """Read AE or ADAE; options as for `read_adverse_events`."""
        return read_adverse_events(self._table("ae", "adae"), self.subjects, **options)

    def exposure(self, plan: DosePlan | Mapping[str, DosePlan], **options: Any) -> Exposure:
        """Read EX, with DS where it is there; options as for `read_exposure`."""
        return read_exposure(self._table("ex"), self.subjects, plan, self.tables.get("ds"), **options)

    def quality_of_life(self, **options: Any) -> QualityOfLife:
        """Read QS; options as for `read_qlq_c30`."""
        return read_qlq_c30(self._table("qs"), self.subjects, **options)

    def _table(self, *domains: str) -> pd.DataFrame:
        for domain in domains:
            if domain in self.tables:
                return self.tables[domain]
        expected = " or ".join(domain.upper() for domain in domains)
        raise InvalidValueError(self.name, sorted(self.tables), expected, f"add {expected} to the folder")

    def derive(self, protocol: Protocol | None = None) -> DerivedStudy:
        """Derive all that the tables allow.

        Endpoints from measurements (TR, TU) and from recorded responses (RS); overall survival if the subjects have a
        last day alive; adverse events (AE); exposure (EX) if the protocol has a plan of doses; quality of life (QS).
        """
        protocol = protocol or Protocol()
        measured = None
        recorded: Mapping[tuple[str, str], ResponseHistory] = {}
        findings = [*self.findings]
        if "tr" in self.tables:
            measured = derive(self.tables["tr"], self.tables.get("tu"), self.subjects, rule=protocol.rule)
            findings += measured.findings
        if "rs" in self.tables:
            recorded, found = read_responses(self.tables["rs"], self.subjects, protocol.criteria)
            findings += found
        safety = self.adverse_events(window=protocol.window) if {"ae", "adae"} & set(self.tables) else None
        doses = self.exposure(dict(protocol.doses)) if "ex" in self.tables and protocol.doses else None
        lived = self.quality_of_life() if "qs" in self.tables else None
        survival = None
        if any(name in self.subjects.columns for name in LAST_ALIVE):
            survival, found = overall_survival(self.subjects)
            findings += found
        for part in (safety, doses, lived):
            findings += part.findings if part is not None else ()
        said = tuple(dict.fromkeys(findings))
        arms = planned_arms(self.subjects)
        return DerivedStudy(self.name, protocol, measured, recorded, said, safety, doses, lived, arms, survival)


@border
@dataclass(frozen=True)
class DerivedStudy:
    r"""The endpoints of a study, from its measurements and from its recorded responses.

    Parameters
    ----------
    name
        STUDYID.
    protocol
        What they were derived by.
    measured
        What was derived from TR; None without TR.
    recorded
        The histories that RS records, by subject and evaluator.
    findings
        What is wrong with the data, in the order of the tables.
    adverse_events, exposure, quality_of_life
        None without AE; without EX or a plan of doses; without QS.
    arms
        The arm of each subject as it was planned.
    survival
        Overall survival, as `overall_survival` gives it; None without a last day alive.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from analysis.endpoints import read_study
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "adsl.csv").write_text("USUBJID,RANDDT\n1,2024-01-10\n")
    >>> _ = (folder / "rs.csv").write_text("USUBJID,RSSTRESC,RSDTC\n1,PR,2024-03-06\n")
    >>> read_study(folder).derive().adrs()["AVALC"].tolist()
    ['PR', 'Y', 'Y']
    """

    name: str
    protocol: Protocol
    measured: Derivation | None = field(repr=False)
    recorded: Mapping[tuple[str, str], ResponseHistory] = field(repr=False)
    findings: tuple[DataFinding, ...] = field(repr=False)
    adverse_events: AdverseEvents | None = field(default=None, repr=False)
    exposure: Exposure | None = field(default=None, repr=False)
    quality_of_life: QualityOfLife | None = field(default=None, repr=False)
    arms: Mapping[str, str] = field(default_factory=dict, repr=False)
    survival: pd.DataFrame | None = field(default=None, repr=False)

    def endpoints(self) -> pd.DataFrame:
        """One row for each source (``SRCDOM``: TR, RS, ADSL), subject, reader and endpoint; see `derive_endpoints`."""
        frames = []
        if self.measured is not None:
            frames.append(self.measured.endpoints(self.protocol.endpoints, self.protocol.criteria).assign(SRCDOM="TR"))
        if self.recorded:
            frames.append(derive_endpoints(self.recorded, self.protocol.endpoints).assign(SRCDOM="RS"))
        if not frames:
            raise InvalidValueError(self.name, "no TR and no RS", "a table of responses", "add TR or RS to the folder")
        if self.survival is not None and len(self.survival):
            frames.append(self.survival.assign(SRCDOM="ADSL"))
        return pd.concat(frames, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """Rates and medians by source (``SRCDOM``), arm as planned and reader; see `summarise`."""
        rows = self.endpoints()
        rows["arm"] = [self.arms.get(subject, ALL) for subject in rows["subject"]]
        return summarise(rows, by=("SRCDOM", "arm", "evaluator"))

    def adrs(self) -> pd.DataFrame:
        """Responses in the form of ADRS: STUDYID, USUBJID, TRTP, PARAMCD, PARAM, AVALC, ADT, RSEVAL, SRCDOM."""
        rows = self.endpoints()
        rows = rows[rows["value"].notna()]
        return self._labelled(rows).assign(AVALC=rows["value"].to_numpy(), ADT=rows["date"].to_numpy())[
            [*LABELS[:-2], "AVALC", "ADT", *LABELS[-2:]]
        ]

    def adtte(self) -> pd.DataFrame:
        """Give times in the form of ADTTE: AVAL in days (end minus start plus one, as CDISC counts), CNSR, EVNTDESC.

        The rows of one PARAMCD, reader (RSEVAL) and source (SRCDOM) are what `analysis.plots.survival_plot` draws, by
        TRTP, the arm as planned.
        """
        rows = self.endpoints()
        rows = rows[rows["days"].notna()]
        event = rows["event"].to_numpy(bool)
        return self._labelled(rows).assign(
            AVAL=rows["days"].to_numpy() + 1,
            AVALU="DAYS",
            CNSR=np.where(event, 0, 1),
            EVNTDESC=rows["reason"].to_numpy(),
            ADT=rows["date"].to_numpy(),
        )[[*LABELS[:-2], "AVAL", "AVALU", "CNSR", "EVNTDESC", "ADT", *LABELS[-2:]]]

    def html(self) -> str:
        """Write every subject with its findings and the explanation of each value, down to the measurement."""
        parts = [f"<!doctype html><meta charset='utf-8'><title>{escape(self.name)}</title><h1>{escape(self.name)}</h1>"]
        subjects = sorted({*dict.fromkeys(key[0] for key in self.recorded), *self._measured_subjects()})
        for subject in subjects:
            text = ""
            if self.measured is not None and subject in self._measured_subjects():
                text = self.measured.explain(
                    subject, endpoints=self.protocol.endpoints, criteria=self.protocol.criteria
                )
            said = [str(found) for found in self.findings if found.subject == subject and str(found) not in text]
            lived = [] if self.survival is None else self.survival[self.survival["subject"] == subject].itertuples()
            died = [f"OS: {one.days:.0f} days, to {one.date}, {one.reason}" for one in lived]
            body = "\n".join([*said, text, *died])
            parts.append(f"<h2 id='{escape(subject)}'>{escape(subject)}</h2><pre>{escape(body)}</pre>")
        return "\n".join(parts)

    def write(self, folder: str | Path) -> list[Path]:
        """Write what was derived and the findings as CSV, the subjects as HTML, into a folder that has none of them."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        tables = {"adrs": self.adrs(), "adtte": self.adtte(), "summary": self.summary()} if self._has_responses else {}
        if self.adverse_events is not None:
            tables["adverse-events"] = self.adverse_events.incidence()
            tables["adverse-events-worst-grade"] = self.adverse_events.worst_grades()
            tables["adverse-events-rates"] = self.adverse_events.rates()
        if self.exposure is not None:
            tables["exposure"], tables["dose-changes"] = self.exposure.subjects, self.exposure.changes
        if self.quality_of_life is not None:
            tables["quality-of-life"] = self.quality_of_life.scores
        tables["findings"] = as_frame(self.findings)
        paths = {target / f"{name}.csv": frame.to_csv(index=False) for name, frame in tables.items()}
        if self._has_responses:
            paths[target / "subjects.html"] = self.html()
        there = [path for path in paths if path.exists()]
        if there:
            raise InvalidValueError("folder", str(there[0]), "files that are not there yet", "name another folder")
        for path, text in paths.items():
            with written_whole(path) as draft:
                draft.write_text(text, encoding="utf-8")
        return list(paths)

    @property
    def _has_responses(self) -> bool:
        return self.measured is not None or bool(self.recorded)

    def _measured_subjects(self) -> set[str]:
        if self.measured is None:
            return set()
        return {key[0] for key in self.measured.histories[self.protocol.criteria]} | {
            found.subject for found in self.measured.findings if found.subject
        }

    def _labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        named = self.protocol.parameters | {"OS": "Overall survival"}
        return pd.DataFrame(
            {
                "STUDYID": self.name,
                "USUBJID": rows["subject"].to_numpy(),
                "TRTP": [self.arms.get(subject, ALL) for subject in rows["subject"]],
                "PARAMCD": rows["endpoint"].to_numpy(),
                "PARAM": [named[name] for name in rows["endpoint"]],
                "RSEVAL": rows["evaluator"].to_numpy(),
                "SRCDOM": rows["SRCDOM"].to_numpy(),
            }
        )


@border
def read_study(folder: str | Path) -> Study:
    r"""Read the tables of a study: XPT, SAS7BDAT, CSV or parquet, named by their domain.

    Parameters
    ----------
    folder
        Has ``adsl`` or ``dm``, in any case, and one of ``tr``, ``rs``, ``ae`` (or ``adae``), ``ex``, ``qs``; ``tu`` and
        ``ds`` if there are.

    Returns
    -------
    Study

    Raises
    ------
    InvalidValueError
        If a needed domain is missing or there twice, a file cannot be read, or the tables are of two studies.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     _ = (folder / "ADSL.csv").write_text("USUBJID,RANDDT\n1,2024-01-10\n")
    ...     _ = (folder / "RS.csv").write_text("USUBJID,RSSTRESC,RSDTC\n1,PR,2024-03-06\n")
    ...     derived = read_study(folder).derive()
    >>> derived.adrs()[["PARAMCD", "AVALC"]].values.tolist()
    [['BOR', 'PR'], ['ORR', 'Y'], ['DCR', 'Y']]
    """
    place = Path(folder)
    if not place.is_dir():
        raise InvalidValueError("folder", str(folder), "a folder of a study", "check the path")
    found: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        domain = path.stem.lower()
        if domain in DOMAINS and path.suffix.lower() in READERS:
            if domain in found:
                got = f"{found[domain].name} and {path.name}"
                raise InvalidValueError(str(folder), got, f"one table {domain.upper()}", "keep one of them")
            found[domain] = path
    for needed in (("tr", "rs", "ae", "adae", "ex", "qs"), ("adsl", "dm")):
        if not any(domain in found for domain in needed):
            expected = " or ".join(domain.upper() for domain in needed)
            raise InvalidValueError(str(folder), sorted(found), expected, f"add {expected} as .xpt, .csv or .parquet")
    tables, findings, studies = {}, list[DataFinding](), dict[str, str]()
    for domain, path in found.items():
        tables[domain], doubts = _read(path)
        findings += doubts
        if "STUDYID" in tables[domain]:
            studies |= dict.fromkeys(tables[domain]["STUDYID"].dropna().astype(str).str.strip(), path.name)
    if len(studies) > 1:
        got = ", ".join(f"{study} in {name}" for study, name in studies.items())
        raise InvalidValueError(str(folder), got, "the tables of one study", "take the others out")
    return Study(next(iter(studies), place.name), tables, tuple(findings))


def _transport(path: Path, encoding: str) -> pd.DataFrame:
    """Read a SAS transport file; its zeros, which pandas gives as 16 to the power of -65, are zeros again."""
    frame = pd.read_sas(path, format="xport", encoding=encoding)
    numbers = frame.select_dtypes("number")
    frame[numbers.columns] = numbers.mask(numbers.abs() == ZERO_OF_PANDAS, 0.0)
    return frame


def _sas7bdat(path: Path) -> pd.DataFrame:
    """Read SAS7BDAT by pyreadstat: pandas cuts off the names of the last columns of some files (RSDTC to RSDT)."""
    try:
        import pyreadstat
    except ImportError as error:
        remedy = "pip install 'trial-outcome-analysis[sas]', or deliver XPT"
        raise InvalidValueError("file", str(path), "pyreadstat, which reads SAS7BDAT", remedy) from error
    try:
        frame, _ = pyreadstat.read_sas7bdat(str(path), dates_as_pandas_datetime=True)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as error:
        raise InvalidValueError("file", str(path), "a readable .sas7bdat file", f"write it again ({error})") from error
    return frame.replace("", None)


def _read(path: Path) -> tuple[pd.DataFrame, list[DataFinding]]:
    kind, found = READERS[path.suffix.lower()], list[DataFinding]()
    try:
        if kind == "sas7bdat":
            return _sas7bdat(path), found
        if kind == "sas":
            return _transport(path, "utf-8"), found
        if kind == "parquet":
            return pd.read_parquet(path), found
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""]), found
    except UnicodeDecodeError:
        message = f"{path.name} is not UTF-8"
        found.append(DataFinding("warning", "encoding", "", "", "", message, "read as Windows-1252; check the names"))
        frame = (
            _transport(path, "cp1252")
            if kind == "sas"
            else pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="cp1252")
        )
        return frame, found
    except ImportError as error:
        raise InvalidValueError("file", str(path), "a reader of parquet", f"pip install pyarrow ({error})") from None
    except (OSError, ValueError) as error:
        raise InvalidValueError(
            "file", str(path), f"a readable {path.suffix} file", f"write it again ({error})"
        ) from None
