"""A reported trial as tables: tidy, for reading in a terminal, and for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from analysis.reported.findings import review
from analysis.reported.number import Reported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.reported.arm import ReportedArm
    from analysis.reported.comparison import ReportedComparison
    from analysis.reported.entries import Fact, ReportedProportion, TrialRecord
    from analysis.reported.summaries import ReportedInterval

TIDY_COLUMNS = (
    *("kind", "entry", "endpoint", "assessor", "population", "analysis", "arm"),
    *("quantity", "printed", "unit", "value", "lower", "upper", "sources", "status"),
)


def tidy(trial: TrialRecord) -> pd.DataFrame:
    """Lay out every number of a trial, a row a number; see `ReportedTrial.to_frame`."""
    return pd.DataFrame(list(_rows(trial)), columns=list(TIDY_COLUMNS))


def sections(trial: TrialRecord) -> dict[str, pd.DataFrame]:
    """Make the tables for reading, by heading; numbers as printed, another source than the row's beside its number."""
    made = {
        "Comparisons": [_comparison(comparison) for comparison in trial.comparisons],
        "Proportions": [_proportion(entry) for entry in trial.proportions],
        "Facts": [_fact(fact) for fact in trial.facts],
        "Sources": [
            {"key": source.key, "citation": source.citation, "kind": source.kind, "doi": source.doi or ""}
            for source in trial.sources
        ],
        "Known findings": [
            {"where": known.where, "check": known.check, "explanation": " ".join(known.explanation.split())}
            for known in trial.known_findings
        ],
        "New findings": [
            {"where": finding.where, "severity": finding.severity, "finding": f"{finding.check}: {finding.message}"}
            for finding in review(trial).new
        ],
    }
    frames = {heading: pd.DataFrame(rows) for heading, rows in made.items() if rows}
    return {heading: frame.loc[:, (frame != "").any()] for heading, frame in frames.items()}


def as_text(trial: TrialRecord) -> str:
    """Write a trial for a terminal."""
    parts = [trial.title, ", ".join(trial.registrations), trial.summary.strip()]
    for heading, frame in sections(trial).items():
        parts.append(f"\n{heading}\n{_left_aligned(frame)}")
    return "\n".join(part for part in parts if part)


def as_html(trial: TrialRecord) -> str:
    """Write a trial for a notebook."""
    parts = [f"<h3>{escape(trial.title)}</h3><p>{escape(trial.summary.strip())}</p>"]
    with pd.option_context("display.max_colwidth", None):  # no text is cut
        for heading, frame in sections(trial).items():
            parts.append(f"<h4>{heading}</h4>{frame.to_html(index=False, border=0)}")
    return "\n".join(parts)


def _left_aligned(frame: pd.DataFrame) -> str:
    rows = [list(frame.columns), *frame.to_numpy().tolist()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(frame.columns))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _rows(trial: TrialRecord) -> Iterator[tuple[object, ...]]:
    for entry in trial.comparisons:
        head = ("comparison", entry.id, entry.endpoint, entry.assessor, entry.population, entry.analysis)
        for arm in entry.arms:
            for name, number in arm.numbers():
                yield (*head, arm.name, name, *_cells(number, entry.sources, entry.status))
        for name, number in entry.common_numbers():
            yield (*head, None, name, *_cells(number, entry.sources, entry.status))
    for proportion in trial.proportions:
        about = ("proportion", proportion.id, proportion.quantity, proportion.assessor, proportion.population, None)
        for name, number in proportion.numbers():
            yield (*about, proportion.arm, name, *_cells(number, proportion.sources, proportion.status))
    for fact in trial.facts:
        if isinstance(fact.value, Reported):
            cells = _cells(fact.value, fact.sources, fact.status)
        else:
            cells = (str(fact.value).strip(), None, None, None, None, ", ".join(fact.sources), fact.status)
        yield ("fact", fact.id, *(None,) * 5, fact.id, *cells)


def _cells(number: Reported, sources: tuple[str, ...], status: str | None) -> tuple[object, ...]:
    keys, how = number.sources or sources, number.status or status
    return number.text, number.unit, number.value, number.lower, number.upper, ", ".join(keys), how


def _comparison(entry: ReportedComparison) -> dict[str, str]:
    def show(number: Reported | None, ci: ReportedInterval | None = None) -> str:
        if number is None:
            return ""
        limits = f" ({ci})" if ci is not None else ""
        same = not number.sources or (number.sources, number.status) == (entry.sources, entry.status)
        return f"{number}{limits}" + ("" if same else f" [{', '.join(number.sources)}: {number.status}]")

    def arms(cells: list[str]) -> str:
        return " / ".join(cell or "-" for cell in cells) if any(cells) else ""

    def counts(cells: list[str], total: str) -> str:
        return ", ".join(text for text in (arms(cells), total and f"{total} in all") if text)

    def rates(arm: ReportedArm) -> str:
        return ", ".join(f"{at.time.with_unit} {show(at.survival, at.ci)}" for at in arm.landmarks)

    medians = arms([show(arm.median, arm.median_ci) for arm in entry.arms])
    ratio, p_value = entry.hazard_ratio, entry.p_value
    return {
        "id": entry.id,
        "endpoint": entry.endpoint,
        "arms": " / ".join(arm.name for arm in entry.arms),
        "n": counts([show(arm.n) for arm in entry.arms], show(entry.n_total)),
        "events": counts([show(arm.events) for arm in entry.arms], show(entry.events_total)),
        "median (CI)": medians and f"{medians} {entry.time_unit}",
        "survival": arms([rates(arm) for arm in entry.arms]),
        "HR (CI)": show(ratio.estimate, ratio.ci) if ratio else "",
        "p": show(p_value.value) if p_value else "",
        "stratified by": ", ".join(
            factor.name + (f" ({'/'.join(map(str, factor.n))})" if factor.n else "") for factor in entry.strata
        ),
        "source": ", ".join(entry.sources),
        "status": entry.status or "",
    }


def _proportion(entry: ReportedProportion) -> dict[str, str]:
    count = "" if entry.count is None and entry.of is None else f"{entry.count or '-'}/{entry.of or '-'}"
    return {
        "id": entry.id,
        "quantity": entry.quantity,
        "arm": entry.arm or "",
        "population": entry.population or "",
        "time": entry.time.with_unit if entry.time else "",
        "count": count,
        "share (CI)": ("" if entry.share is None else str(entry.share)) + (f" ({entry.ci})" if entry.ci else ""),
        "source": ", ".join(entry.sources),
        "status": entry.status,
    }


def _fact(fact: Fact) -> dict[str, str]:
    value = fact.value.with_unit if isinstance(fact.value, Reported) else str(fact.value).strip()
    note = fact.note or ""
    return {"id": fact.id, "value": value, "note": note, "source": ", ".join(fact.sources), "status": fact.status}
