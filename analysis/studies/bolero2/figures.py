"""Figures of BOLERO-2."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.figures.curves import Panel, draw_panels
from analysis.figures.registry import Drawing, RegisteredFigure
from analysis.plots import GREY, PAGE_WIDTH, forest
from analysis.studies.bolero2 import curves

PROGRESSION_FREE, ALIVE = "Progression-free", "Alive"
NOTE = "In every member all analyses, of PFS and of OS, are of the same patients."


def draw_pfs(seed: int) -> Drawing:
    """BOLERO-2, progression-free survival of all patients by assessor, interim and final analysis, reconstructed."""
    titles = {
        "pfs-interim-local": "Interim, local investigator",
        "pfs-interim-central": "Interim, central review",
        "pfs-final-local": "Final, local investigator",
        "pfs-final-central": "Final, central review",
    }
    return _draw(titles, PROGRESSION_FREE, 18, seed)


def draw_first_line(seed: int) -> Drawing:
    """BOLERO-2, progression-free survival of the first-line subgroup by assessor, reconstructed."""
    titles = {
        "pfs-first-line-local": "First line, local investigator",
        "pfs-first-line-central": "First line, central review",
    }
    return _draw(titles, PROGRESSION_FREE, 24, seed)


def draw_os(seed: int) -> Drawing:
    """BOLERO-2, overall survival at the final analysis, reconstructed."""
    return _draw({"os-final": "Overall survival, final"}, ALIVE, 48, seed, columns=1)


def draw_subgroups(seed: int) -> Drawing:
    """BOLERO-2, hazard ratios of progression-free survival by local reading, printed and computed from the members."""
    rows = curves.subgroup_ratios()
    figure = Figure(figsize=(PAGE_WIDTH, 3.0), layout="constrained")
    ax = figure.subplots()
    limits = (rows["estimate"], rows["lower"], rows["upper"])
    forest(list(rows["patients"]), *limits, ax, printed=list(rows["printed"]))
    ax.set_xlabel("Hazard ratio, everolimus against placebo (below 1 favours everolimus)")
    figure.supxlabel(
        "Squares: printed, 95% confidence interval. Circles: median and central 90% of the members, what the reports\n"
        "leave open, without sampling error; patients with visceral metastases are shared out 2:1 to the arms.",
        fontsize=7, color=GREY,
    )  # fmt: skip
    return Drawing(figure, rows)


def _draw(titles: dict[str, str], ylabel: str, end: float, seed: int, columns: int = 2) -> Drawing:
    panels = [
        Panel(title, curves.reconstruction(comparison, seed=seed), ylabel, end) for comparison, title in titles.items()
    ]
    return draw_panels(panels, NOTE, columns)


FIGURES = [
    RegisteredFigure("bolero2-pfs", (curves.TRIAL,), curves.SEED, draw_pfs),
    RegisteredFigure("bolero2-first-line", (curves.TRIAL,), curves.SEED, draw_first_line),
    RegisteredFigure("bolero2-subgroups", (curves.TRIAL,), curves.SEED, draw_subgroups),
    RegisteredFigure("bolero2-os", (curves.TRIAL,), curves.SEED, draw_os),
]
