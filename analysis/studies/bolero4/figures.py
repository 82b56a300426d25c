"""Figure of BOLERO-4."""

from __future__ import annotations

from analysis.figures.curves import Panel, draw_panels
from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.studies.bolero4 import curves

NOTE = "One arm; the rates at 6 and 12 months with their intervals and the median follow-up were printed, no median."


def draw_pfs(seed: int) -> Drawing:
    """BOLERO-4, progression-free survival on everolimus + letrozole in first line, reconstructed."""
    panel = Panel("First line, everolimus + letrozole", curves.reconstruction(seed=seed), "Progression-free", 24)
    return draw_panels([panel], NOTE, columns=1)


FIGURES = [RegisteredFigure("bolero4-pfs", (curves.TRIAL,), curves.SEED, draw_pfs)]
