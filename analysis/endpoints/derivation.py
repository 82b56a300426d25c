"""From a trial's measurements to responses and endpoints, with what stands behind each value."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from analysis.endpoints.assessment import COMMON, ResponseRule, assess
from analysis.endpoints.codes import IRECIST, MISSING, RECIST, Criteria
from analysis.endpoints.explanation import explain_reading
from analysis.endpoints.findings import Finding, as_frame
from analysis.endpoints.histories import ResponseHistory
from analysis.endpoints.measurement_checks import Row, check
from analysis.endpoints.reading import Reading, read
from analysis.endpoints.tables import RS_COLUMNS, RS_OPTIONAL, columns, dates, measurements, patients
from analysis.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analysis.endpoints.assessment import Responses
    from analysis.endpoints.response import Derived
    from analysis.endpoints.time_to_event import Duration

Key = tuple[str, str]
FIELDS = ("subject", "evaluator", "visit", "visit_number", "date", "lesion", "group", "test", "text", "value", "unit", "organ")


class Endpoint(Protocol):
    """Any endpoint: of responses, of disease control, or a time."""

    def derive(self, history: ResponseHistory) -> Derived | Duration | None:
        """Derive the endpoint for one patient."""


@dataclass(frozen=True)
class Derivation:
    """What was derived from a trial's measurements.

    Parameters
    ----------
    readings
        The visits of each (subject, evaluator), with the responses at them.
    histories
        The responses of each (subject, evaluator) by ``"RECIST 1.1"`` and ``"iRECIST"``.
    findings
        What is wrong with the data.
    rule
        The convention that was used.
    """

    readings: Mapping[Key, tuple[Reading, Responses]]
    histories: Mapping[Criteria, Mapping[Key, ResponseHistory]]
    findings: tuple[Finding, ...]
    rule: ResponseRule

    def responses(self) -> pd.DataFrame:
        """Lay out the responses, one row for each visit after baseline.

        Columns: subject, evaluator, visit, date, day, target, non_target, new_lesions, recist, irecist, sum, nadir (mm),
        change_from_baseline and change_from_nadir (per cent; NaN where a lesion is missing or the reference is 0).
        """
        return pd.DataFrame([row for reading, seen in self.readings.values() for row in _rows(reading, seen)])

    def endpoints(self, endpoints: Mapping[str, Endpoint], criteria: Criteria = "RECIST 1.1") -> pd.DataFrame:
        """Derive endpoints for every patient and reader, one row for each.

        Columns: subject, evaluator, endpoint, value, days, event, reason, date. `value` is that of a response endpoint; `days`,
        `event` and `reason` are those of a time. A time that does not exist for a patient has no row.
        """
        found = []
        for (subject, evaluator), history in self.histories[criteria].items():
            for name, endpoint in endpoints.items():
                derived = endpoint.derive(history)
                if derived is not None:
                    values = {"date": None, **{k: getattr(derived, k, None) for k in ("value", "days", "event", "reason", "date")}}
                    values["date"] = values["date"] or getattr(derived, "end", None)
                    found.append({"subject": subject, "evaluator": evaluator, "endpoint": name, **values})
        names = ["subject", "evaluator", "endpoint", "value", "days", "event", "reason", "date"]
        return pd.DataFrame(found, columns=names)

    def findings_frame(self) -> pd.DataFrame:
        """Lay out the findings, one row for each."""
        return as_frame(self.findings)

    def explain(self, subject: str, evaluator: str | None = None) -> str:
        """Trace every response of a patient to the measurements and the rule that caused it, in words.

        Raises
        ------
        UnknownNameError
            If nothing is known of the subject.
        """
        keys = [key for key in self.readings if key[0] == subject and evaluator in (None, key[1])]
        about = [str(found) for found in self.findings if found.subject == subject]
        if not keys and not about:
            raise UnknownNameError("subject", subject, {key[0] for key in self.readings})
        return "\n".join(about + [line for key in keys for line in explain_reading(*self.readings[key])])


def derive(
    tr: pd.DataFrame,
    tu: pd.DataFrame | None = None,
    subjects: pd.DataFrame | None = None,
    *,
    rule: ResponseRule = COMMON,
) -> Derivation:
    """Derive responses by RECIST 1.1 and iRECIST from measurements.

    Parameters
    ----------
    tr
        Measurements, one row for each: columns as in the CDISC domain TR (USUBJID, TRLNKID, TRGRPID, TRTESTCD, TRSTRESC, TRDTC;
        TRSTRESU, VISITNUM, VISIT, TREVAL, TREVALID if there), or subject, lesion, group, test, value, date; unit,
        visit_number, visit, evaluator, reader. Groups are TARGET, NON-TARGET and NEW; tests LDIAM, LPERP or SAXIS (short
        axis), DIAMETER, SUMDIAM and TUMSTATE.
    tu
        Locations, as in TU (USUBJID, TULNKID, TULOC). Without them every lesion is taken as non-nodal.
    subjects
        One row for each patient, as in ADSL: USUBJID and RANDDT (or TRTSDT); DTHDT, NACTDT and DCTDT if there. Without them
        the baseline visit is the reference date and nobody dies.
    rule
        The convention for what RECIST 1.1 leaves open.

    Returns
    -------
    Derivation
        Of a patient and reader with an error among the findings nothing is derived; of the others everything is.

    Raises
    ------
    InvalidValueError
        If a needed column is missing, or a subject has no reference date.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> derive(tr).responses()[["target", "recist", "irecist"]].values.tolist()
    [['PR', 'PR', 'iPR'], ['PD', 'PD', 'iUPD']]
    """
    frame, findings = measurements(tr, tu)
    who = None if subjects is None else patients(subjects)
    grouped: dict[Key, list[Row]] = defaultdict(list)
    for values in zip(*(frame[field] for field in FIELDS), strict=True):
        grouped[values[0], values[1]].append(Row(*values))
    readings, histories = {}, {name: {} for name in ("RECIST 1.1", "iRECIST")}  # type: ignore[var-annotated]  # typed by Derivation
    unreadable = {(found.subject, found.evaluator) for found in findings if found.severity == "error"}
    for key, rows in grouped.items():
        found = check(rows)
        findings += found
        if key in unreadable or any(one.severity == "error" for one in found):
            continue
        known = _known(who, key[0], findings, key[1])
        if who is not None and known is None:
            continue
        alive = _before_death(rows, known, findings)
        reading = read(alive, None if known is None else known["reference"], findings) if alive else None
        if reading is None:
            continue
        seen = assess(reading.visits, rule)
        readings[key] = reading, seen
        for name, code, terms in (("RECIST 1.1", seen.recist, RECIST), ("iRECIST", seen.irecist, IRECIST)):
            reference = reading.dates[0] if known is None else known["reference"]
            histories[name][key] = ResponseHistory(
                key[0],
                reference.date(),
                tuple(date.date() for date in reading.dates[1:]),
                tuple(terms.term(int(value)) for value in code[1:]),
                name,  # type: ignore[arg-type]  # one of the two literals above
                **_times(known),
            )
    return Derivation(readings, histories, tuple(findings), rule)


def read_responses(
    rs: pd.DataFrame, subjects: pd.DataFrame, criteria: Criteria = "RECIST 1.1"
) -> tuple[dict[Key, ResponseHistory], list[Finding]]:
    """Read overall responses as they were recorded (RS: USUBJID, RSSTRESC, RSDTC; RSTESTCD OVRLRESP if there).

    Returns
    -------
    dict, list of Finding
        A history for each (subject, evaluator); of a patient with an error among the findings there is none.
    """
    frame = columns(rs, RS_COLUMNS, RS_OPTIONAL, "rs")
    frame = frame[frame["test"].isna() | (frame["test"] == "OVRLRESP")]
    written = frame["date"]
    frame = frame.assign(date=dates(frame["date"])[0], visit=frame["visit"].fillna(written).astype(str))
    who = patients(subjects)
    histories: dict[Key, ResponseHistory] = {}
    findings: list[Finding] = []
    terms = {term.upper() for term in (IRECIST if criteria == "iRECIST" else RECIST).terms}
    for key, rows in frame.groupby(["subject", "evaluator"], sort=False):
        found = list(_response_findings(key, rows, terms))
        known = _known(who, key[0], found, key[1])
        findings += found
        if known is None or any(one.severity == "error" for one in found):
            continue
        rows = rows[rows["date"] <= known["death"]] if known["death"] == known["death"] else rows
        histories[key] = ResponseHistory(
            key[0],
            known["reference"].date(),
            tuple(date.date() for date in rows["date"]),
            tuple(None if pd.isna(response) else response for response in rows["response"]),
            criteria,
            **_times(known),
        )
    return histories, findings


def _response_findings(key: Key, rows: pd.DataFrame, terms: set[str]) -> Iterator[Finding]:
    """Responses outside the code list, dates that go back, dates twice."""
    before = None
    for row in rows.itertuples():
        place = (*key, str(row.visit))
        if not pd.isna(row.response) and str(row.response).strip().upper() not in terms:
            yield Finding(
                "error", "response outside the code list", *place, f"response {row.response!r}", f"use one of {sorted(terms)}"
            )
        if pd.isna(row.date):
            yield Finding("error", "unreadable date", *place, "no readable date", "write YYYY-MM-DD")
        elif before is not None and row.date < before:
            yield Finding("error", "dates out of order", *place, f"{row.date:%Y-%m-%d} after {before:%Y-%m-%d}", "sort by date")
        elif before is not None and row.date == before:
            yield Finding("error", "duplicate visit", *place, f"{row.date:%Y-%m-%d} stands twice", "keep one of them")
        before = row.date


def _known(who: pd.DataFrame | None, subject: str, findings: list[Finding], evaluator: str) -> pd.Series[pd.Timestamp] | None:
    """What is known of a subject; a finding if nothing is."""
    if who is None:
        return None
    if subject not in who.index:
        findings.append(
            Finding("error", "unknown subject", subject, evaluator, "", "not among the subjects", "add its reference date")
        )
        return None
    return who.loc[subject]


def _times(known: pd.Series[pd.Timestamp] | None) -> dict[str, object]:
    """Dates of death, new therapy and discontinuation."""
    if known is None:
        return {}
    names = ("death", "new_therapy", "discontinuation")
    return {name: None if pd.isna(known[name]) else known[name].date() for name in names}


def _before_death(rows: list[Row], known: pd.Series[pd.Timestamp] | None, findings: list[Finding]) -> list[Row]:
    """Rows up to death; a finding for what comes after it."""
    if known is None or pd.isna(known["death"]):
        return rows
    late = [row for row in rows if row.date > known["death"]]
    for visit in dict.fromkeys(row.visit for row in late):
        message = f"measured after death on {known['death']:%Y-%m-%d}"
        findings.append(
            Finding("warning", "measurement after death", rows[0].subject, rows[0].evaluator, visit, message, "not used")
        )
    return [row for row in rows if row.date <= known["death"]]


def _rows(reading: Reading, seen: Responses) -> Iterator[dict[str, object]]:
    """Rows of the frame of responses."""

    def change(size: float, reference: float, whole: bool) -> float:
        return 100 * (size / reference - 1) if whole and reference > 0 else np.nan

    for i in range(1, len(reading.labels)):
        whole = not np.isnan(reading.visits.diameter[i]).any()
        target, non_target = int(seen.target[i]), int(reading.visits.non_target[i])
        yield {
            "subject": reading.subject,
            "evaluator": reading.evaluator,
            "visit": reading.labels[i],
            "date": reading.dates[i],
            "day": reading.visits.day[i],
            "target": None if target == MISSING else RECIST.term(target),
            "non_target": None if non_target == MISSING else RECIST.term(non_target),
            "new_lesions": int(reading.visits.new[i]),
            "recist": RECIST.term(int(seen.recist[i])),
            "irecist": IRECIST.term(int(seen.irecist[i])),
            "sum": seen.size[i],
            "nadir": seen.nadir[i],
            "change_from_baseline": change(seen.size[i], seen.size[0], whole),
            "change_from_nadir": change(seen.size[i], seen.nadir[i], whole),
        }
