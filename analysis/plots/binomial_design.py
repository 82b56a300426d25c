"""Diagram of a single-arm design on a binary endpoint: at each look, which counts of responders stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.ticker import MaxNLocator

from analysis.conventions.border import border
from analysis.plots.numbered import NumberedFigure, figure_of, numbered
from analysis.plots.style import GREY, PALETTE, STYLE, label_line

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.single_arm import BinomialDesign

REJECT, STOP, GO_ON = PALETTE[0], PALETTE[1], "#B0B0B0"


@border
def binomial_design(design: BinomialDesign, *, outcome: str = "responders", ax: Axes | None = None) -> NumberedFigure:
    """Draw the decision at each look by the number of responders, with the exact probability of each.

    Parameters
    ----------
    design
        A design in one or more stages; its test is one-sided.
    outcome
        Who is counted, e.g. ``"patients with disease control"``.
    ax
        Axes to draw on; by default those of a figure of its own.

    Returns
    -------
    NumberedFigure
        Numbers: the design's `summary`, a row a look.

    Notes
    -----
    A bar reaches from half a count below the smallest to half a count above the largest count of its decision. The
    dashed lines are the counts expected at the null and the alternative rate.

    Examples
    --------
    >>> from analysis.single_arm import exact_binomial
    >>> binomial_design(exact_binomial(30, null_rate=0.15, alternative_rate=0.35, alpha=0.05)).alt
    'Exact test of 15% against 35%: of 30 patients, 8 responders or fewer do not reject, 9 or more reject'
    """
    table = design.summary().reset_index()
    axes = figure_of(ax)
    with mpl.rc_context(STYLE):
        _draw(axes[0], design, table.to_dict("records"), outcome)
    return numbered(axes, table, _said(design))


def _draw(ax: Axes, design: BinomialDesign, table: Sequence[Mapping[Hashable, float]], outcome: str) -> None:
    rates = {"null": design.null_rate}
    if design.alternative_rate is not None:
        rates["alternative"] = design.alternative_rate
    for name, rate in rates.items():
        ax.plot([0, design.n], [0, rate * design.n], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.5)
        at = 0.95 * design.n
        ax.text(at, rate * at, f"{name}: {rate:.0%}", color=GREY, fontsize=7, va="bottom", ha="right")
    width = 0.03 * design.n
    efficacy = (*design.efficacy, design.critical)
    for look, (n, most) in enumerate(zip(design.looks, design.futility, strict=True)):
        least = efficacy[look]
        row = table[look]
        last = n == design.n
        stop = f"{'do not reject' if last else 'stop'} if {most} or fewer\n{_chances(row, 'p_stop', rates)}"
        reject = f"reject the null if {least} or more\n{_chances(row, 'p_reject', rates)}"
        top = n if least is None else least - 1
        middle = f"go on with {most + 1} to {top}"
        for words, lowest, highest, colour in (
            (stop, 0, most, STOP),
            (middle, most + 1, top, GO_ON),
            (reject, top + 1, n, REJECT),
        ):
            if highest >= lowest:
                ax.bar(n, highest - lowest + 1, bottom=lowest - 0.5, width=width, color=colour, linewidth=0)
                label_line(
                    ax, n + width / 2, (lowest + highest) / 2, words, GREY if colour == GO_ON else colour, fontsize=7,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
                )  # fmt: skip
    ax.set_xlim(0, 1.5 * design.n)
    ax.set_ylim(-0.5 - 0.03 * design.n, design.n + 0.5)
    ax.set_xticks([0, *design.looks])
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.set_xlabel("Patients evaluated")
    ax.set_ylabel(f"Number of {outcome}")


def _said(design: BinomialDesign) -> str:
    rates = [rate for rate in (design.null_rate, design.alternative_rate) if rate is not None]
    parts = []
    for n, most, least in zip(design.looks, design.futility, (*design.efficacy, design.critical), strict=False):
        ends = "do not reject" if n == design.n else "stop"
        reject = [] if least is None else [f"{least} or more reject"]
        counted = f"{most} responder{'' if most == 1 else 's'} or fewer"
        parts.append(", ".join([f"of {n} patients, {counted} {ends}", *reject]))
    return f"Exact test of {' against '.join(f'{rate:.0%}' for rate in rates)}: {'; '.join(parts)}"


def _chances(row: Mapping[Hashable, float], decision: str, rates: Mapping[str, float]) -> str:
    """Write the probability of a decision at each rate."""
    return "probability " + ", ".join(f"{row[f'{decision}_{name}']:.3f} at {rate:.0%}" for name, rate in rates.items())
