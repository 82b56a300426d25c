"""The registered figures of all trials: the same function serves the script and the notebook."""

from __future__ import annotations

from analysis.figures.registry import Drawing, by_name, pick
from analysis.studies.accuracy import figures as accuracy
from analysis.studies.bolero2 import figures as bolero2
from analysis.studies.bolero4 import figures as bolero4
from analysis.studies.caboavenec import figures_dcr, figures_endpoints
from analysis.studies.elacestrant import figures_pfs_rate, figures_scans
from analysis.studies.xenera1 import figures_explanations, figures_own_curves, figures_power, figures_readers

FIGURES = by_name(
    figure
    for module in (
        accuracy,
        bolero2,
        bolero4,
        figures_dcr,
        figures_endpoints,
        figures_pfs_rate,
        figures_scans,
        figures_power,
        figures_explanations,
        figures_readers,
        figures_own_curves,
    )
    for figure in module.FIGURES
)


def draw(name: str) -> Drawing:
    """Draw a registered figure.

    Raises
    ------
    UnknownNameError
        If there is no figure of that name; the nearest are named.
    """
    return pick(FIGURES, [name])[0]()
