"""What the dates of a trial say of its follow-up, where no median follow-up is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.reconstruction.algebra import exp, log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.conventions.checks import FloatArray
    from analysis.reconstruction.report.block import Block
    from analysis.reconstruction.report.sorting import Sorted

MEAN_ENTRY = 0.55  # of the accrual: more patients come in late than early
KEPT = 0.92  # of the time from entry to the cut that patients are followed for: some leave before
SHARE, SHARE_SPREAD = 0.7, 0.17  # of the longest accrual there can have been that it took, where that is not known
TIMED_ERROR = 0.15  # of the log of a median follow-up that is told from the dates
CUT_ERROR = 0.2  # of that at an earlier cut, beside one that is known, where the months between them are
FOLLOW_UP_OF_CUT = 0.35  # where they are not
EARLIER = 0.7  # of the median follow-up at the next cut, that is expected at an earlier one without anything printed
LEAST = 0.2  # of that at the next cut, at least


def follow_up_by_dates(one: Sorted, accrual: float | None) -> tuple[float, float] | None:
    """Log of the median follow-up at the last cut that the months of the trial's cuts say, and how well it is known.

    Every patient came in before the first cut at which all are analysed; ``accrual`` are the months that it took, if
    they are known. None where the month of the last cut is not.
    """
    last = one.months[-1]
    everyone = [one.months[cut] for cut, group in zip(one.cut, one.group, strict=True) if group is None]
    longest = float(np.nanmin([*everyone, np.inf if accrual is None else accrual]))
    if not np.isfinite(last):
        return None
    took, spread = (SHARE * longest, SHARE_SPREAD * longest) if accrual is None else (longest, 0.0)
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
