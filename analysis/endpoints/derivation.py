"""From a trial's measurements to responses and endpoints, with what stands behind each value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.endpoints.accepted_records import ACCEPTED, accepted_histories
from analysis.endpoints.assessment import COMMON, ResponseRule, assess
from analysis.endpoints.axes import one_axis
from analysis.endpoints.codes import IRECIST, MISSING, RECIST, Criteria, code_list
from analysis.endpoints.endpoint_tables import check_endpoints, derive_endpoints, summarise
from analysis.endpoints.explanation import explain_endpoints, explain_reading
from analysis.endpoints.histories import Sizes
from analysis.endpoints.lesion_identity import joined
from analysis.endpoints.measurement_checks import Row, check, finding, known_tests
from analysis.endpoints.measurement_tables import Key, measurements
from analysis.endpoints.new_lesions import at_baseline, settled
from analysis.endpoints.options import of_kind
from analysis.endpoints.reading import Reading, read
from analysis.endpoints.response_dates import overlaps, response_dates
from analysis.endpoints.response_tables import history_of, not_read, without_records
from analysis.errors import UnknownNameError
from analysis.records.findings import DataFinding, as_frame
from analysis.records.partial_dates import Dated, narrowed, said
from analysis.records.subject_tables import Patient, patients
from analysis.records.tables import WRITE_DATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analysis.endpoints.assessment import Responses
    from analysis.endpoints.endpoint_tables import Endpoint
    from analysis.endpoints.histories import ResponseHistory

RESPONSE_COLUMNS = [
    *(
        "subject",
        "evaluator",
        "visit",
        "date",
        "end",
        "day",
        "target",
        "non_target",
        "new_lesions",
        "recist",
        "irecist",
    ),
    *("sum", "nadir", "change_from_baseline", "change_from_nadir"),
]


@border
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

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis.endpoints import derive
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> derive(tr).responses()["recist"].tolist()
    ['PR', 'PD']
    """

    readings: Mapping[Key, tuple[Reading, Responses]]
    histories: Mapping[Criteria, Mapping[Key, ResponseHistory]]
    findings: tuple[DataFinding, ...]
    rule: ResponseRule

    @property
    def left_out(self) -> tuple[Key, ...]:
        """Patients and readers of whom an error left nothing to derive; the evaluator is empty where it is all."""
        return tuple(dict.fromkeys((one.subject, one.evaluator) for one in self.findings if one.severity == "error"))

    def __repr__(self) -> str:
        patients = len({subject for subject, _ in self.histories["RECIST 1.1"]})
        warned = sum(one.severity == "warning" for one in self.findings)
        return f"<responses of {patients} patients, {len(self.left_out)} left out by errors, {warned} warnings>"

    def responses(self) -> pd.DataFrame:
        """Lay out the responses, one row for each visit after baseline.

        Columns: subject, evaluator, visit, date and end (its first and last day), day, target, non_target, new_lesions,
        recist, irecist, sum, nadir
        (mm), change_from_baseline and change_from_nadir (per cent; NaN where a lesion is missing or the reference is
        0).
        """
        rows = [row for reading, seen in self.readings.values() for row in _rows(reading, seen)]
        return pd.DataFrame(rows, columns=RESPONSE_COLUMNS)

    def endpoints(self, endpoints: Mapping[str, Endpoint], criteria: Criteria = "RECIST 1.1") -> pd.DataFrame:
        """Derive endpoints for every patient and reader, one row for each; see `derive_endpoints` for the columns."""
        return derive_endpoints(self.histories[code_list(criteria).criteria], endpoints)

    def summary(
        self, endpoints: Mapping[str, Endpoint], criteria: Criteria = "RECIST 1.1", *, level: float = 0.95
    ) -> pd.DataFrame:
        """Summarise endpoints over the patients of each reader: rates, medians of times, medians of sizes.

        See `summarise` for the columns. Patients whom an error left out do not count: see `left_out`.
        """
        return summarise(self.endpoints(endpoints, criteria), level=level)

    def findings_frame(self) -> pd.DataFrame:
        """Lay out the findings, one row for each."""
        return as_frame(self.findings)

    def explain(
        self,
        subject: str,
        evaluator: str | None = None,
        *,
        endpoints: Mapping[str, Endpoint] | None = None,
        criteria: Criteria = "RECIST 1.1",
    ) -> str:
        """Trace every response of a patient, and the endpoints asked for, to what caused it, in words.

        Parameters
        ----------
        subject, evaluator
            Whose; every reader's if no evaluator is given.
        endpoints, criteria
            Endpoints to trace to the assessment that decides each, and the criterion they are derived by.

        Raises
        ------
        UnknownNameError
            If nothing is known of the subject, or of the evaluator for it.
        """
        histories = self.histories[code_list(criteria).criteria]
        check_endpoints(endpoints or {})
        known = {*histories, *((found.subject, found.evaluator) for found in self.findings)}
        if all(key[0] != subject for key in known):
            raise UnknownNameError("subject", str(subject), {key[0] for key in known})
        if evaluator is not None and (subject, evaluator) not in known:
            raise UnknownNameError("evaluator", str(evaluator), {key[1] for key in known if key[0] == subject})
        lines = [
            str(found)
            for found in self.findings
            if found.subject == subject and (evaluator is None or found.evaluator in ("", evaluator))
        ]
        for key, history in histories.items():
            if key[0] != subject or evaluator not in (None, key[1]):
                continue
            lines += (
                explain_reading(*self.readings[key])
                if key in self.readings
                else _accepted_in_words(history)
                if key[1] == ACCEPTED
                else [f"{' '.join(key)}: no assessment that counts"]
            )
            derived = {name: endpoint.derive(history) for name, endpoint in (endpoints or {}).items()}
            lines += explain_endpoints(history, derived)
        return "\n".join(lines)


@border
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
        Measurements, one row for each: columns as in the CDISC domain TR (USUBJID, TRLNKID, TRGRPID, TRTESTCD,
        TRSTRESC, TRDTC; TRSTRESU, VISITNUM, VISIT, TREVAL, TREVALID, TRACPTFL, TRLOC if there), or subject, lesion,
        group, test, value, date; unit, visit_number, visit, evaluator, reader, organ. Groups are TARGET, NON-TARGET
        and NEW; tests are listed in `lesion_terms.TESTS`.
    tu
        Locations and new lesions, as in TU (USUBJID, TULNKID, TULOC, TUSTRESC; TUDTC, VISIT, VISITNUM, TUEVAL,
        TUEVALID if there). A lesion without a location is taken as non-nodal.
    subjects
        One row for each patient, as in ADSL: USUBJID and RANDDT (or TRTSDT); DTHDT, NACTDT and DCTDT if there.
        Without them the baseline visit is the reference date and nobody dies. A subject that a reader has no
        measurement of has an empty history by that reader, with a warning if another reader has measured it.
    rule
        The convention for what RECIST 1.1 leaves open.

    Returns
    -------
    Derivation
        Of a patient and reader with an error among the findings nothing is derived; of the others everything is.
        Where TRACPTFL accepts measurements, there is a history of one evaluator more, ``"accepted records"``: at each
        visit the response of the reader who is accepted there, derived from his own lesions.

    Raises
    ------
    InvalidValueError
        If a needed column is missing, or the rule is none.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("S1", "T1", "2024-01-01", 60), ("S1", "T1", "2024-02-26", 42), ("S1", "T1", "2024-04-22", 51)]
    >>> tr = pd.DataFrame(rows, columns=["subject", "lesion", "date", "value"]).assign(group="TARGET", test="LDIAM")
    >>> derive(tr).responses()[["target", "recist", "irecist"]].values.tolist()
    [['PR', 'PR', 'iPR'], ['PD', 'PD', 'iUPD']]
    """
    of_kind("rule", rule, ResponseRule)
    grouped, findings, accepted = measurements(tr, tu)
    who, wrong = (None, []) if subjects is None else patients(subjects)
    findings += wrong
    left_out = {(found.subject, found.evaluator) for found in findings if found.severity == "error"}
    readings: dict[Key, tuple[Reading, Responses]] = {}
    histories: dict[Criteria, dict[Key, ResponseHistory]] = {"RECIST 1.1": {}, "iRECIST": {}}
    without_baseline: set[Key] = set()
    for key, rows in grouped.items():
        if key in left_out or (key[0], "") in left_out:
            continue
        patient = None if who is None else who.get(key[0])
        if who is not None and patient is None:
            message = "not among the subjects"
            findings.append(DataFinding("error", "unknown subject", *key, "", message, "add its reference date"))
            continue
        reading, found = _reading(rows, patient)
        findings += found
        if reading is None:
            if all(one.severity != "error" for one in found):
                without_baseline.add(key)
            continue
        seen = assess(reading.visits, rule)
        readings[key] = reading, seen
        of = patient or Patient(reading.dates[0])
        sizes = _sizes(reading, seen)
        for terms, code in ((RECIST, seen.recist), (IRECIST, seen.irecist)):
            responses = [terms.term(int(value)) for value in code[1:]]
            when = response_dates(reading, seen, code, rule.dating)
            histories[terms.criteria][key] = history_of(key, of, when, responses, terms.criteria, sizes)
    readers = dict.fromkeys(reader for _, reader in grouped)
    recorded = [key for key in grouped if key not in without_baseline]
    for criteria, known in histories.items():
        whole = {key: reading for key, (reading, _) in readings.items()}
        chosen, found = accepted_histories(accepted, whole, known, criteria)
        known.update(without_records(who or {}, recorded, readers, criteria, has_baseline=False))
        known.update(chosen)
        findings += found if criteria == "RECIST 1.1" else []  # once, not by criterion
    findings += not_read(who or {}, list(grouped))
    return Derivation(readings, histories, tuple(findings), rule)


def _accepted_in_words(history: ResponseHistory) -> list[str]:
    said = zip(history.dates, history.responses, strict=True)
    return [f"{history.subject} {ACCEPTED} (TRACPTFL): {', '.join(f'{when} {term}' for when, term in said)}"]


def _reading(rows: list[Row], patient: Patient | None) -> tuple[Reading | None, list[DataFinding]]:
    """Check the rows of one patient by one reader, and make visits of them; None after an error or without baseline."""
    death = None if patient is None else patient.death
    known, findings = known_tests(rows)
    dated, lacking = _with_days(known, patient)
    kept, same = joined(dated)
    findings += [*lacking, *same, *check(kept)]
    if any(one.severity == "error" for one in findings):
        return None, findings
    alive = [row for row in kept if death is None or row.date <= death]
    for row in {row.visit: row for row in kept if death is not None and row.date > death}.values():
        message = f"measured after death on {death:%Y-%m-%d}"
        findings.append(finding("warning", "measurement after death", row, message, "not used"))
    kept, doubtful = settled(one_axis(alive))
    findings += doubtful
    if not kept and dated and death is not None and min(row.date for row in dated) > death:
        consequence = "counts without a response"
        return None, [*findings, finding("warning", "missing baseline", rows[0], "no scan up to death", consequence)]
    if not kept:
        message = "nothing is measured"
        return None, [*findings, finding("error", "missing baseline", rows[0], message, "give the baseline visit")]
    reading = read(kept, patient, findings)
    if reading is not None:
        findings += [*at_baseline(reading.rows[0]), *overlaps(reading)]
    return reading, findings


def _with_days(rows: list[Row], patient: Patient | None) -> tuple[list[Row], list[DataFinding]]:
    """Give the dates that lack a day the last one that they can be, and say so; an error where that is not known."""
    if all(row.earliest == row.date for row in rows):
        return rows, []
    reference, death = (None, None) if patient is None else (patient.baseline_until, patient.death)
    records = [Dated(row.visit, row.visit_number, row.earliest, row.date) for row in rows]
    days = narrowed(records, reference, death, has_baseline=True)
    found = [
        finding("warning", "partial date", rows[k], message, "give the day")
        if known
        else finding("error", "unreadable date", rows[k], message, WRITE_DATES)
        for k, message, known in said(records, days)
    ]
    return [row._replace(earliest=first, date=last) for row, (first, last) in zip(rows, days, strict=True)], found


def _sizes(reading: Reading, seen: Responses) -> Sizes | None:
    """Take the sums of targets, NaN where a target is missing; None without targets."""
    if not reading.lesions:
        return None
    missing = np.isnan(reading.visits.diameter).any(axis=1)
    sums = np.where(missing, np.nan, seen.size)
    return Sizes(float(sums[0]), reading.dates[0], tuple(sums[1:].tolist()))


def _rows(reading: Reading, seen: Responses) -> Iterator[dict[str, object]]:
    """Rows of the frame of responses."""

    def change(size: float, reference: float, whole: bool) -> float:
        return 100 * (size / reference - 1) if whole and reference > 0 else np.nan

    for i in range(1, len(reading.labels)):
        whole = not np.isnan(reading.visits.diameter[i]).any()
        target, non_target = int(seen.target[i]), int(seen.non_target[i])
        yield {
            "subject": reading.subject,
            "evaluator": reading.evaluator,
            "visit": reading.labels[i],
            "date": pd.Timestamp(reading.dates[i]),
            "end": pd.Timestamp(reading.ends[i]),
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
