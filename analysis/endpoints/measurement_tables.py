"""Measurements as they come from TR, with the organs and the new lesions of TU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.endpoints.findings import Finding
from analysis.endpoints.lesion_terms import ABSENT, TOO_SMALL, group_of, test_of
from analysis.endpoints.tables import PLACE, SUBJECT, VISIT, columns, dates, distinct, spread, visit_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

TR_COLUMNS = {
    "subject": SUBJECT,
    "lesion": ("TRLNKID", "lesion"),
    "group": ("TRGRPID", "group"),
    "test": ("TRTESTCD", "test"),
    "date": ("TRDTC", "ADT", "date"),
}
TR_OPTIONAL = {
    **VISIT,
    "evaluator": ("TREVAL", "evaluator"),
    "reader": ("TREVALID", "reader"),
    "organ": ("TRLOC", "organ"),
}
RESULTS = (("TRSTRESC", "TRSTRESU"), ("TRORRES", "TRORRESU"), ("TRSTRESN", "TRSTRESU"), ("value", "unit"))
"""Columns of the result, the first that is there, each with the column of its unit."""
TU_COLUMNS = {"subject": SUBJECT, "lesion": ("TULNKID", "lesion")}
TU_OPTIONAL = {
    "organ": ("TULOC", "organ"),
    "identified": ("TUSTRESC", "TUORRES", "group"),
    "date": ("TUDTC", "date"),
    **VISIT,
    "evaluator": ("TUEVAL", "evaluator"),
    "reader": ("TUEVALID", "reader"),
}
LESION = ["subject", "evaluator", "lesion"]


def measurements(tr: pd.DataFrame, tu: pd.DataFrame | None = None) -> tuple[pd.DataFrame, list[Finding]]:
    """Read TR and TU into one frame of measurements, with findings for what cannot be placed.

    Columns: subject, evaluator, visit, visit_number, date, lesion, group, test, text, value (mm), unit, organ. New
    lesions that stand in TU alone are rows of their own.

    Raises
    ------
    InvalidValueError
        If a needed column is missing.
    """
    result, unit = next((pair for pair in RESULTS if pair[0] in getattr(tr, "columns", ())), RESULTS[0])
    needed = {**TR_COLUMNS, "text": (result, *(names[0] for names in RESULTS if names[0] != result))}
    frame = columns(tr, needed, {**TR_OPTIONAL, "unit": (unit,)}, "tr")
    located = None if tu is None else columns(tu, TU_COLUMNS, TU_OPTIONAL, "tu")
    if located is not None:
        new = _new_lesions(frame, located)
        frame = frame if new.empty else pd.concat([frame, new], ignore_index=True)
    written = frame["date"].astype("string")
    frame["visit"] = visit_labels(frame)
    frame["date"], partial = dates(frame["date"])
    for field in ("lesion", "group", "test"):
        frame[field] = frame[field].fillna("")
    groups = {name: group_of(name) for name in frame["group"].unique()}
    pairs = list(zip(frame["test"].tolist(), frame["lesion"].tolist(), strict=True))
    tests = {pair: test_of(*pair) for pair in set(pairs)}
    frame["test"] = [tests[pair] for pair in pairs]
    frame["group"] = frame["group"].map(groups)
    place, results = distinct(frame["text"].fillna(""))
    word = results.str.upper()
    absent = word.isin(ABSENT)
    value = pd.to_numeric(word, errors="coerce").astype(float).mask(word.isin(TOO_SMALL), 5.0)
    frame["value"] = spread(value.mask(absent, 0.0), place)
    frame["text"] = spread(word.mask(absent, "ABSENT"), place)
    frame["unit"] = frame["unit"].fillna("mm").str.lower()
    place, number = distinct(frame["visit_number"])
    frame["visit_number"] = spread(pd.to_numeric(number, errors="coerce").astype(float), place)
    frame["organ"] = _known(frame["organ"])
    findings = [*_unplaced(frame, written), *_partial(frame[partial])]
    if located is not None:
        frame, wrong = _located(frame, located)
        findings += wrong
    return frame, findings


def _known(organs: pd.Series[str]) -> list[str | None]:
    """Name the organs, None where there is none."""
    return [None if missing else str(organ) for organ, missing in zip(organs.tolist(), organs.isna(), strict=True)]


def _unplaced(frame: pd.DataFrame, written: pd.Series[str]) -> Iterator[Finding]:
    """Rows without a date or a subject."""
    undated = frame.assign(written=written)[frame["date"].isna()]
    for subject, evaluator, visit, date in undated[[*PLACE, "written"]].to_numpy().tolist():
        message = "no date" if pd.isna(date) else f"date {date!r}"
        yield Finding("error", "unreadable date", subject, evaluator, visit, message, "write YYYY-MM-DD")
    nameless = frame[frame["subject"] == ""]
    for subject, evaluator, visit, lesion in nameless[[*PLACE, "lesion"]].to_numpy().tolist():
        message = f"a row of {lesion or 'no lesion'} without a subject"
        yield Finding("error", "missing subject", subject, evaluator, visit, message, "name the subject")


def _partial(rows: pd.DataFrame) -> Iterator[Finding]:
    """Dates without a day, once for each visit."""
    once = rows.drop_duplicates(PLACE)
    for subject, evaluator, visit, when in zip(*(once[name] for name in PLACE), once["date"], strict=True):
        message = f"date {when:%Y-%m} without a day"
        yield Finding("warning", "partial date", subject, evaluator, visit, message, "taken as the month's last day")


def _new_lesions(frame: pd.DataFrame, located: pd.DataFrame) -> pd.DataFrame:
    """Rows of measurements for new lesions that TU identifies and TR does not mention at that visit.

    A lesion that TR does not follow at all is there at every later visit. A row without a visit or a date takes it from
    TR: the visit of the same date, the date of the same visit. A TU without evaluators counts for all of them.
    """
    new = located[located["identified"].fillna("").map(group_of) == "NEW"].dropna(subset="lesion")
    if new.empty:
        return new
    who = ["subject", "evaluator"]
    seen = frame[frame["subject"].isin(new["subject"])]
    if not any(located["evaluator"]):
        new = new.drop(columns="evaluator").merge(seen[who].drop_duplicates(), on="subject")
    for known, unknown in (("date", ["visit", "visit_number"]), ("visit", ["date"]), ("visit_number", ["date"])):
        at = seen.dropna(subset=known).drop_duplicates([*who, known])
        found = new[[*who, known]].merge(at[[*who, known, *unknown]], on=[*who, known], how="left")
        for field in unknown:
            new = new.assign(**{field: new[field].fillna(found[field].set_axis(new.index))})
    rows = new.assign(group="NEW", test="TUMSTATE", text="PRESENT", unit="mm")[list(frame.columns)]
    named = seen[seen["lesion"].isin(new["lesion"])]
    followed = set(_keys(named, LESION))
    visits = seen[[*who, "visit", "visit_number", "date"]].assign(at=_visit(seen)).drop_duplicates([*who, "at"])
    alone = rows[[key not in followed for key in _keys(rows, LESION)]]
    later = alone.rename(columns={"date": "since"}).drop(columns=["visit", "visit_number"]).merge(visits, on=who)
    later = later[(later["date"] > later["since"]).fillna(False)]
    every = pd.concat([rows, later[list(frame.columns)]], ignore_index=True)
    there = set(_keys(named.assign(at=_visit(named)), [*LESION, "at"]))
    return every[[key not in there for key in _keys(every.assign(at=_visit(every)), [*LESION, "at"])]]


def _visit(frame: pd.DataFrame) -> pd.Series[str]:
    """Name what tells a row's visit: its label with its number, or its date where it has neither."""
    named = frame["visit"].fillna("") + " " + frame["visit_number"].fillna("")
    return named.where(named != " ", frame["date"])


def _keys(frame: pd.DataFrame, fields: list[str]) -> list[tuple[str, ...]]:
    """Give each row's values of some fields."""
    return list(zip(*(frame[field].fillna("").tolist() for field in fields), strict=True))


def _located(frame: pd.DataFrame, located: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Give each lesion its organ, and findings for lesions that lie in two or, if targets, in none.

    A TU without evaluators counts for all of them.
    """
    keys = LESION if any(located["evaluator"]) else ["subject", "lesion"]
    written = located.dropna(subset=["organ", "lesion"])
    places = written.assign(organ=written["organ"].str.upper(), visit=written["visit"].fillna(""))
    at = _keys(frame, LESION)
    lesions = pd.DataFrame(list(dict.fromkeys(at)), columns=LESION)
    known = lesions.merge(places.drop_duplicates([*keys, "organ"])[[*keys, "organ", "visit"]], on=keys)
    findings = []
    for key, rows in known[known.duplicated(LESION, keep=False)].groupby(LESION, sort=False):
        subject, evaluator, lesion = map(str, key)
        message = f"lesion {lesion} lies in {' and in '.join(rows['organ'])}"
        place = (subject, evaluator, str(rows["visit"].iloc[1]))
        findings.append(Finding("error", "lesion changes organ", *place, message, "correct the location"))
    first = known.drop_duplicates(LESION)
    organ = dict(zip(_keys(first, LESION), first["organ"], strict=True))
    frame = frame.assign(organ=[organ.get(key, own) for key, own in zip(at, frame["organ"].tolist(), strict=True)])
    unknown = frame[(frame["group"] == "TARGET") & frame["organ"].isna() & (frame["lesion"] != "")]
    for subject, evaluator, lesion in unknown.drop_duplicates(LESION)[LESION].to_numpy().tolist():
        message = f"target {lesion} has no location in TU"
        findings.append(
            Finding("warning", "lesion without location", subject, evaluator, "", message, "taken as non-nodal")
        )
    return frame, findings
