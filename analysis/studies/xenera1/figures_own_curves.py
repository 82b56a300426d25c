"""Figure of XENERA-1's own curves."""

from __future__ import annotations

from analysis.figures.curves import Panel, draw_panels
from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.studies.xenera1 import own_curves, plan

NOTE = "Both readings are of the same patients in every member; the curves cross."


def draw_own_curves(seed: int) -> Drawing:
    """XENERA-1, progression-free survival by independent review and by investigator, reconstructed together."""
    trial = own_curves.together(seed=seed)
    titles = {"independent": "Independent review", "investigator": "Investigator"}
    panels = [
        Panel(titles[reader], trial.analysis(comparison), "Progression-free", 24)
        for reader, comparison in plan.READERS.items()
    ]
    return draw_panels(panels, NOTE)


FIGURES = [RegisteredFigure("xenera1-own-curves", (plan.TRIAL,), plan.SEED, draw_own_curves)]
