"""A reconstruction as a person reads it: a table of what was reported and what the ensemble gives."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analysis.reconstruction.ensemble import EnsembleEstimate
    from analysis.reconstruction.result import Reconstruction


def summary_frame(result: Reconstruction) -> pd.DataFrame:
    """One row per arm and quantity; see `Reconstruction.summary`."""
    rows: list[tuple[str, str, object, EnsembleEstimate]] = []
    for reported in result.comparison.arms:
        rows += [
            (reported.name, "events", reported.events, result.events(reported.name)),
            (reported.name, "median, months", reported.median, result.median(reported.name)),
        ]
    if len(result.arms) == 2:
        rows.append(("", "hazard ratio", result.comparison.hazard_ratio, result.hazard_ratio()))
    return pd.DataFrame(
        [
            (arm, quantity, "" if printed is None else str(printed), value.estimate, value.lower, value.upper)
            for arm, quantity, printed, value in rows
        ],
        columns=["arm", "quantity", "reported", "estimate", "lower", "upper"],
    )


def to_html(result: Reconstruction) -> str:
    """Render the summary, the fidelity and the findings for Jupyter."""
    share = float(np.mean(result.faithful))
    lines = [
        f"{escape(result.comparison.endpoint)}, {result.arm_index.size} patients, {result.members} members",
        f"method: {escape(result.method)}; seed: {result.seed}; version: {result.version}",
        f"members that give every printed number back: {share:.1%}",
    ]
    table = result.summary().to_html(index=False, float_format="{:.2f}".format, border=0)
    findings = "".join(f"<li>{escape(str(finding))}</li>" for finding in result.findings)
    return f"<p>{'<br>'.join(lines)}</p>{table}" + (f"<ul>{findings}</ul>" if findings else "")
