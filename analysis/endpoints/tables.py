"""Frames as they come from TR, TU, RS and ADSL: columns by their CDISC or plain names, dates and diameters read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.endpoints.findings import Finding
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

TR_COLUMNS = {
    "subject": ("USUBJID", "SUBJID", "subject"),
    "lesion": ("TRLNKID", "lesion"),
    "group": ("TRGRPID", "group"),
    "test": ("TRTESTCD", "test"),
    "text": ("TRSTRESC", "TRORRES", "value"),
    "date": ("TRDTC", "ADT", "date"),
}
TR_OPTIONAL = {
    "unit": ("TRSTRESU", "TRORRESU", "unit"),
    "visit_number": ("VISITNUM", "visit_number"),
    "visit": ("VISIT", "visit"),
    "evaluator": ("TREVAL", "evaluator"),
    "reader": ("TREVALID", "reader"),
}
TU_COLUMNS = {
    "subject": ("USUBJID", "SUBJID", "subject"),
    "lesion": ("TULNKID", "lesion"),
    "organ": ("TULOC", "organ"),
}
TU_OPTIONAL = {"evaluator": ("TUEVAL", "evaluator"), "reader": ("TUEVALID", "reader")}
RS_COLUMNS = {
    "subject": ("USUBJID", "SUBJID", "subject"),
    "response": ("RSSTRESC", "RSORRES", "AVALC", "response"),
    "date": ("RSDTC", "ADT", "date"),
}
RS_OPTIONAL = {
    "test": ("RSTESTCD", "test"),
    "visit_number": ("VISITNUM", "visit_number"),
    "visit": ("VISIT", "visit"),
    "evaluator": ("RSEVAL", "evaluator"),
    "reader": ("RSEVALID", "reader"),
}
SUBJECT_COLUMNS = {
    "subject": ("USUBJID", "SUBJID", "subject"),
    "reference": ("RANDDT", "TRTSDT", "RFSTDTC", "reference"),
}
SUBJECT_OPTIONAL = {
    "death": ("DTHDT", "DTHDTC", "death"),
    "new_therapy": ("NACTDT", "new_therapy"),
    "discontinuation": ("DCTDT", "discontinuation"),
}

PLACE = ["subject", "evaluator", "visit"]
TOO_SMALL = {"TOO SMALL TO MEASURE", "TSTM"}
ABSENT = {"ABSENT", "RESOLVED"}


def columns(
    frame: pd.DataFrame, needed: Mapping[str, tuple[str, ...]], optional: Mapping[str, tuple[str, ...]], name: str
) -> pd.DataFrame:
    """Take the known columns of a frame under their plain names; those that are not there are empty.

    Raises
    ------
    InvalidValueError
        If a needed column is missing under all its names.
    """
    out: dict[str, object] = {}
    for field, names in {**needed, **optional}.items():
        found = next((column for column in names if column in frame.columns), None)
        if found is not None:
            out[field] = frame[found].to_numpy()
        elif field in needed:
            raise InvalidValueError(name, list(frame.columns), f"a column {' or '.join(names)}", "add or rename it")
        else:
            out[field] = np.full(len(frame), None, dtype=object)
    taken = pd.DataFrame(out)
    if "evaluator" in taken:
        parts = taken[["evaluator", "reader"]].fillna("").astype(str)
        taken["evaluator"] = (parts["evaluator"] + " " + parts["reader"]).str.strip()
        taken = taken.drop(columns="reader")
    taken["subject"] = taken["subject"].astype(str)
    return taken


def dates(column: pd.Series[str]) -> tuple[pd.Series[pd.Timestamp], pd.Series[bool]]:
    """Read ISO dates; a month without a day is its last day. Returns the dates and which of them were partial."""
    text = column.astype("string").str.strip().str.slice(0, 10)
    partial = text.str.fullmatch(r"\d{4}-\d{2}").fillna(False).astype(bool)
    whole = pd.to_datetime(text.where(~partial), format="%Y-%m-%d", errors="coerce")
    months = pd.to_datetime(text.where(partial), format="%Y-%m", errors="coerce") + pd.offsets.MonthEnd(0)
    return whole.fillna(months), partial


def measurements(tr: pd.DataFrame, tu: pd.DataFrame | None) -> tuple[pd.DataFrame, list[Finding]]:
    """Read TR and TU into one frame of measurements, with a finding for each partial or unreadable date.

    Columns: subject, evaluator, visit, visit_number, date, lesion, group, test, text, value (mm), unit, organ.
    """
    frame = columns(tr, TR_COLUMNS, TR_OPTIONAL, "tr")
    written = frame["date"].astype("string")
    frame["date"], partial = dates(frame["date"])
    frame["visit"] = frame["visit"].fillna(written).astype(str)
    frame["group"] = frame["group"].astype(str).str.upper().str.strip()
    frame["test"] = frame["test"].astype(str).str.upper().str.strip()
    text = frame["text"].astype("string").str.strip().str.upper()
    value = pd.to_numeric(text, errors="coerce").astype(float)
    value = value.mask(text.isin(TOO_SMALL).fillna(False), 5.0)
    frame["text"] = text.fillna("")
    frame["value"] = value.mask(text.isin(ABSENT).fillna(False), 0.0)
    frame["unit"] = frame["unit"].fillna("mm").astype(str).str.strip().str.lower()
    frame["organ"] = None
    findings = [
        Finding(
            "error",
            "unreadable date",
            subject,
            evaluator,
            visit,
            f"date {date!r}",
            "write YYYY-MM-DD",
        )
        for subject, evaluator, visit, when, date in zip(
            *(frame[name] for name in PLACE), frame["date"], written, strict=True
        )
        if pd.isna(when)
    ]
    once = frame[partial].drop_duplicates(PLACE)
    for subject, evaluator, visit, when in zip(*(once[name] for name in PLACE), once["date"], strict=True):
        message = f"date {when:%Y-%m} without a day"
        findings.append(
            Finding(
                "warning",
                "partial date",
                subject,
                evaluator,
                visit,
                message,
                "taken as the month's last day",
            )
        )
    if tu is not None:
        located = columns(tu, TU_COLUMNS, TU_OPTIONAL, "tu")
        keys = ["subject", "evaluator", "lesion"]
        distinct = located.drop_duplicates([*keys, "organ"])
        organs: dict[tuple[str, ...], list[str]] = {}
        for *key, organ in zip(*(distinct[name] for name in [*keys, "organ"]), strict=True):
            organs.setdefault(tuple(map(str, key)), []).append(str(organ))
        for (subject, evaluator, lesion), found in organs.items():
            if len(found) > 1:
                message = f"lesion {lesion} lies in {' and in '.join(found)}"
                findings.append(
                    Finding("error", "lesion changes organ", subject, evaluator, "", message, "correct the location")
                )
        first = distinct.drop_duplicates(keys)
        frame = frame.drop(columns="organ").merge(first[[*keys, "organ"]], on=keys, how="left")
    number = pd.to_numeric(frame["visit_number"], errors="coerce")
    frame["visit_number"] = number.astype(float)
    return frame, findings


class Patient(NamedTuple):
    """What is known of a patient apart from tumours; NaT for what did not happen."""

    reference: pd.Timestamp
    death: pd.Timestamp
    new_therapy: pd.Timestamp
    discontinuation: pd.Timestamp


def patients(subjects: pd.DataFrame) -> dict[str, Patient]:
    """Read subjects, one row for each: reference date, and dates of death, new therapy and discontinuation (or NaT).

    Raises
    ------
    InvalidValueError
        If a subject stands there twice or has no readable reference date.
    """
    frame = columns(subjects, SUBJECT_COLUMNS, SUBJECT_OPTIONAL, "subjects")
    known: dict[str, Patient] = {}
    read = [dates(frame[field])[0] for field in Patient._fields]
    for subject, *when in zip(frame["subject"], *read, strict=True):
        if subject in known:
            raise InvalidValueError("subjects", subject, "one row for each subject", "drop the duplicate")
        patient = known[subject] = Patient(*when)
        if pd.isna(patient.reference):
            raise InvalidValueError(
                "subjects", subject, "a reference date YYYY-MM-DD", "give the date of randomisation"
            )
    return known
