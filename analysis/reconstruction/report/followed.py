"""What the dates of a trial say of its follow-up, where no median follow-up is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction.algebra import exp, log

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.report.block import Block

MEAN_ENTRY = 0.55  # of the accrual: more patients come in late than early
KEPT = 0.92  # of the time from entry to the cut that patients are followed for: some leave before
SHARE, SHARE_SPREAD = 0.7, 0.17  # of the longest accrual there can have been that it took, where that is not known
TIMED_ERROR = 0.15  # of the log of a median follow-up that is told from the dates
CUT_ERROR = 0.2  # of that at an earlier cut, beside one that is known, where the months between them are
FOLLOW_UP_OF_CUT = 0.35  # where they are not
EARLIER = 0.7  # of the median follow-up at the next cut, that is expected at an earlier one without anything printed
LEAST = 0.2  # of that at the next cut, at least


def last_follow_up(block: Block) -> tuple[float, float] | None:
    """Log of the median follow-up at the last cut, as printed or as the dates say, and how well it is known.

    Beside one that is printed for an earlier cut, patients were followed for the months between the two. Else every
    patient came in before the first cut at which all are analysed. None where no report prints it and nothing says when
    the data were cut.
    """
    last = block.latest[-1]
    if block.first.follow_up is not None or not np.isfinite(last):
        return block.first.follow_up
    for analysis in sorted(block.analyses, key=lambda one: -one.cut):
        earlier, later = analysis.required.follow_up, KEPT * (last - block.latest[analysis.cut])
        if earlier is not None and np.isfinite(later):
            months = exp(earlier[0]) + later
            error = np.hypot(earlier[1] * exp(earlier[0]), TIMED_ERROR * later)
            return float(log(months)), float(error / months)
    longest = min(block.latest[analysis.cut] for analysis in block.analyses if analysis.group < 0)
    took, spread = SHARE * longest, SHARE_SPREAD * longest
    if block.accrual is not None:
        took, spread = min(longest, block.accrual), 0.0
    months = KEPT * (last - MEAN_ENTRY * took)
    return float(log(months)), float(np.hypot(MEAN_ENTRY * spread / months, TIMED_ERROR))


def follow_up_of_cuts(block: Block, log_length: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log of each analysis' median follow-up over that at the last cut, how well it is known, and its slope.

    ``log_length`` is the log of that at the last cut, by which the ratio changes with this slope: it is the months
    between two cuts that are known.
    """
    last = len(block.latest) - 1
    by_cut: dict[int, tuple[float, float, float]] = {last: (0.0, 0.0, 0.0)}
    for cut in range(last - 1, -1, -1):
        there = [a.required.follow_up for a in block.analyses if a.cut == cut and a.required.follow_up is not None]
        if there:
            by_cut[cut] = there[0][0] - log_length, there[0][1], -1.0
            continue
        ratio, _, slope = by_cut[cut + 1]
        later = KEPT * (block.latest[cut + 1] - block.latest[cut])
        between = exp(ratio + log_length)
        if not np.isfinite(later):
            by_cut[cut] = ratio + log(EARLIER), FOLLOW_UP_OF_CUT, slope
        elif between - later <= LEAST * between:
            by_cut[cut] = ratio + log(LEAST), FOLLOW_UP_OF_CUT, slope
        else:
            steeper = (1 + slope) * later / (between - later)
            by_cut[cut] = ratio + log(1 - later / between), CUT_ERROR, slope + steeper
    columns = zip(*(by_cut[analysis.cut] for analysis in block.analyses), strict=True)
    ratios, spreads, slopes = (np.array(column) for column in columns)
    return ratios, spreads, slopes
