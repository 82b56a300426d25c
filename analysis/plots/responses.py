"""How a response looks: one colour for each term of RECIST 1.1 and iRECIST, in the order from CR to not assessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.legend import Legend
from matplotlib.patches import Patch

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots.style import GREY, PALETTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Look:
    """Fill of a response, its hatch if a colour is not enough, and whether it asks for white text."""

    colour: str
    hatch: str = ""
    dark: bool = False

    @property
    def ink(self) -> str:
        """Colour of text that is written on the fill."""
        return "white" if self.dark else "black"

    @property
    def line(self) -> str:
        """Colour of a line: the fill, or grey where the fill is white."""
        return GREY if self.colour == "white" else self.colour


COMPLETE, PARTIAL = Look(PALETTE[0], dark=True), Look(PALETTE[5])
STABLE, NEITHER, WITHOUT = Look("#B0B0B0"), Look("#DADADA"), Look("#F0F0F0", "...")
UNCONFIRMED, PROGRESSION = Look(PALETTE[4]), Look(PALETTE[1], dark=True)
UNKNOWN, ABSENT, DEATH = Look("white", "////"), Look("white"), Look("#333333", dark=True)

LOOKS: Mapping[str, Look] = {
    "CR": COMPLETE,
    "iCR": COMPLETE,
    "PR": PARTIAL,
    "iPR": PARTIAL,
    "SD": STABLE,
    "iSD": STABLE,
    "NON-CR/NON-PD": NEITHER,
    "NON-PD": NEITHER,
    "NON-iCR/NON-iUPD": NEITHER,
    "NED": WITHOUT,
    "iUPD": UNCONFIRMED,
    "PD": PROGRESSION,
    "iCPD": PROGRESSION,
    "NE": UNKNOWN,
    "iNE": UNKNOWN,
    "ND": ABSENT,
    "MISSING": ABSENT,
    "death": DEATH,
}
"""Blue is shrinkage, grey is stable, orange is growth; the order is that of stacks. Death is a status too."""


def look(response: str) -> Look:
    """Find the look of a response.

    Raises
    ------
    UnknownNameError
        If it is not a term of RECIST 1.1 or iRECIST.
    """
    if response not in LOOKS:
        raise UnknownNameError("response", str(response), LOOKS)
    return LOOKS[response]


def in_order(responses: Iterable[str]) -> list[str]:
    """Sort the distinct responses from CR to not assessed.

    Examples
    --------
    >>> in_order(["NE", "iUPD", "iPR", "iUPD"])
    ['iPR', 'iUPD', 'NE']
    """
    terms = set(responses)
    for term in terms:
        look(term)
    return [term for term in LOOKS if term in terms]


def require(frame: pd.DataFrame, columns: Iterable[str], name: str) -> None:
    """Ask for columns of a frame.

    Raises
    ------
    InvalidValueError
        If one is missing; names it.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        expected = f"the columns {', '.join(missing)} too"
        raise InvalidValueError(name, list(map(str, frame.columns)), expected, "add or rename them")


def require_one_row_each(patients: pd.DataFrame) -> None:
    """Ask for one row for each patient.

    Raises
    ------
    InvalidValueError
        If a subject stands there twice.
    """
    for subject in patients["subject"][patients["subject"].duplicated()]:
        raise InvalidValueError("patients", subject, "one row for each subject", "keep one reader's rows")


def written(response: str) -> str:
    """Write a response as a reader of a figure reads it."""
    return "not assessed" if response in ("ND", "MISSING") else response


def response_legend(ax: Axes, labels: Mapping[str, str], title: str) -> None:
    """Name the colours of responses to the right of a plot, from top to bottom; leaves room for another legend.

    Parameters
    ----------
    ax
        Whose legend it is.
    labels
        What to write for each response.
    title
        Heading.
    """
    looks = [look(term) for term in labels]
    patches = [Patch(facecolor=each.colour, edgecolor=each.line, hatch=each.hatch, linewidth=0.8) for each in looks]
    legend = Legend(
        ax, patches, list(labels.values()), title=title, title_fontsize=8, alignment="left",
        loc="upper left", bbox_to_anchor=(1.0, 1.0), handlelength=1.2,
    )  # fmt: skip
    ax.add_artist(legend).set_clip_on(False)


def best_response_legend(ax: Axes, best: Iterable[str]) -> None:
    """Name the colours of best overall responses, with the number of patients of each."""
    listed = list(best)
    labels = {term: f"{written(term)} ({listed.count(term)})" for term in in_order(listed)}
    response_legend(ax, labels, "Best overall response")
