"""The registered figures: the same function serves the script and the notebook."""

from analysis.figures import (
    accuracy,
    bolero2,
    caboavenec,
    caboavenec_scans,
    elacestrant,
    elacestrant_scans,
    xenera1,
    xenera1_explanations,
    xenera1_readers,
)
from analysis.figures.registry import Drawing, RegisteredFigure, by_name, pick

FIGURES = by_name(
    figure
    for module in (
        accuracy,
        bolero2,
        caboavenec,
        caboavenec_scans,
        elacestrant,
        elacestrant_scans,
        xenera1,
        xenera1_explanations,
        xenera1_readers,
    )
    for figure in module.FIGURES
)

__all__ = ["FIGURES", "Drawing", "RegisteredFigure", "draw", "pick"]


def draw(name: str) -> Drawing:
    """Draw a registered figure.

    Raises
    ------
    UnknownNameError
        If there is no figure of that name; the nearest are named.
    """
    return pick(FIGURES, [name])[0]()
