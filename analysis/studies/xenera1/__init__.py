"""XENERA-1: what about 100 patients could show of xentuzumab on top of everolimus + exemestane, and what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.studies.assumptions import assumption_table
from analysis.studies.bolero2 import curves
from analysis.studies.xenera1 import assurance, confirmation, own_curves, plan, power, seen, words
from analysis.studies.xenera1.plan import reported

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["assumptions", "assurance", "confirmation", "own_curves", "plan", "power", "reported", "seen", "words"]


def assumptions() -> pd.DataFrame:
    """List every assumption that the answers rest on, with its reason."""
    readers_and_truths = (seen.TRUTHS, confirmation.UNCONFIRMED, confirmation.CONFIRMED)
    beliefs = (assurance.HETEROGENEITY, assurance.SCEPTICISM, assurance.ASSURED)
    return assumption_table(
        (
            *plan.ASSUMPTIONS,
            *plan.OTHERWISE,
            curves.VISCERAL_BY_ARM,
            *readers_and_truths,
            *beliefs,
            *own_curves.ASSUMPTIONS,
        )
    )
