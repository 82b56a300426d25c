"""The registered figures: the same function serves the script and the notebook."""

from analysis.figures import bolero2, caboavenec, elacestrant
from analysis.figures.registry import Drawing, RegisteredFigure, by_name, pick

FIGURES = by_name([*bolero2.FIGURES, *caboavenec.FIGURES, *elacestrant.FIGURES])

__all__ = ["FIGURES", "Drawing", "RegisteredFigure", "draw", "pick"]


def draw(name: str) -> Drawing:
    """Draw a registered figure.

    Raises
    ------
    UnknownNameError
        If there is no figure of that name; the nearest are named.
    """
    return pick(FIGURES, [name])[0]()
