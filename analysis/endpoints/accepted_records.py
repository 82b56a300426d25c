"""Readings that an adjudicator let stand: the flags RSACPTFL and TRACPTFL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.endpoints.histories import ResponseHistory
from analysis.records.findings import DataFinding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.endpoints.codes import Criteria
    from analysis.endpoints.reading import Reading
    from analysis.records.tables import Table

ACCEPTED = "accepted records"
"""The evaluator that the records with RSACPTFL or TRACPTFL belong to, whichever reader made them."""

Accepted = dict[str, dict[str, dict[str, None]]]
"""By subject and visit, the readers whose measurements are accepted there."""


def is_flagged(flag: str | None) -> bool:
    """Whether a record is accepted: Y, and nothing else."""
    return (flag or "").strip().upper() == "Y"


def accepted_readers(table: Table, visits: list[str]) -> Accepted:
    """Find whose measurements are accepted at each visit (TRACPTFL)."""
    found: Accepted = {}
    named = zip(table["subject"], visits, table["evaluator"], table["accepted"], strict=True)
    for subject, visit, evaluator, flag in named:
        if is_flagged(flag):
            found.setdefault(subject or "", {}).setdefault(visit, {})[evaluator or ""] = None
    return found


def accepted_histories(
    accepted: Accepted,
    readings: Mapping[tuple[str, str], Reading],
    histories: Mapping[tuple[str, str], ResponseHistory],
    criteria: Criteria,
) -> tuple[dict[tuple[str, str], ResponseHistory], list[DataFinding]]:
    """Put together, for each subject, the responses of the reader who is accepted at each visit.

    Each response is derived from that reader's own lesions, baseline and nadir: readers choose and number their lesions
    each for himself. There are sums of targets where one reader is accepted at every visit that he read.
    """
    made, findings = {}, []
    for subject, visits in accepted.items():
        chosen = []
        for visit, readers in visits.items():
            if len(readers) > 1:
                message, remedy = f"measurements of {' and of '.join(readers)} are accepted", "the visit is not used"
                findings.append(DataFinding("warning", "accepted records", subject, ACCEPTED, visit, message, remedy))
                continue
            key = subject, next(iter(readers))
            if key not in histories or visit not in readings[key].labels[1:]:
                continue
            place = list(readings[key].labels).index(visit) - 1
            chosen.append((histories[key].dates[place], histories[key].responses[place], key[1]))
        if not chosen:
            continue
        chosen.sort(key=lambda response: response[0])
        whose = list(dict.fromkeys(evaluator for _, _, evaluator in chosen))
        own = histories[subject, whose[0]]
        whole = len(whose) == 1 and len(chosen) == len(own.dates)
        made[subject, ACCEPTED] = ResponseHistory(
            subject, own.reference, [when for when, _, _ in chosen], [term for _, term, _ in chosen], criteria,
            own.death, own.new_therapy, own.discontinuation, sizes=own.sizes if whole else None,
        )  # fmt: skip
    return made, findings
