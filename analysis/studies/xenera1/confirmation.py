"""What it costs when the independent review confirms only some of the investigator's progressions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.power import power_at_events
from analysis.studies.assumptions import Assumption
from analysis.studies.remembered import remembered
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.plan import ALPHA, HAZARD_RATIO, SEED, TRIALS
from analysis.studies.xenera1.seen import events_seen, trials_at_events

UNCONFIRMED = Assumption(
    "unconfirmed progressions",
    ("lost", "false"),
    "",
    "two extremes, alike in both arms: all of them true, and never seen by the review because treatment and scans "
    "ended; or none of them true",
)
CONFIRMED = Assumption(
    "confirmed share",
    (0.8,),
    "of the investigator's events",
    "beside the share that the intervals imply: better agreement",
)


def confirmed_share() -> float:
    """Events of the independent review for each one of the investigator, both recovered from the intervals."""
    return events_seen("independent").estimate / events_seen("investigator").estimate


def attenuated(hazard_ratio: float, false_share: float) -> float:
    """Hazard ratio of a reader of whose events on control a share is false, as frequent in both arms.

    Hazards add up: false events leave ``(1 - f) HR + f``.

    Examples
    --------
    >>> round(attenuated(0.6, 0.5), 3)
    0.8
    """
    return (1 - false_share) * hazard_ratio + false_share


@remembered
def discordance_cost(trials: int = TRIALS.value, seed: int = SEED) -> pd.DataFrame:
    """Power that is left at the investigator's events when a share of them is not confirmed.

    Returns
    -------
    DataFrame
        ``confirmed`` (share of the investigator's events), ``unconfirmed`` (`UNCONFIRMED`), ``reader`` (who is tested:
        where they are lost, the investigator loses nothing); ``events`` and ``hazard_ratio`` that the reader works
        with; ``schoenfeld`` and simulated ``power`` with its Monte Carlo ``std_error``.
    """
    events, ratio = events_seen("investigator").estimate, HAZARD_RATIO.value
    cases = [(1.0, "none", "either", events, ratio)]
    for confirmed in (*CONFIRMED.value, confirmed_share()):
        cases += [
            (confirmed, "lost or false", "independent", events * confirmed, ratio),
            (confirmed, "false", "investigator", events, attenuated(ratio, 1 - confirmed)),
        ]
    rows = []
    for case in cases:
        seen, true = case[-2:]
        power = trials_at_events(round(seen), true, trials, seed).power()
        rows.append((*case, power_at_events(seen, true, ALPHA.value), power.value, power.std_error))
    columns = ["confirmed", "unconfirmed", "reader", "events", "hazard_ratio", "schoenfeld", "power", "std_error"]
    return pd.DataFrame(rows, columns=columns)


def agreement_of_estimates() -> pd.Series:
    """Compare the two readers' hazard ratios with what nested events would give.

    Where the review's events are a part of the investigator's, the estimates correlate with the root of that part and
    their log ratio has variance ``4 / d_independent - 4 / d_investigator``.

    Returns
    -------
    Series
        ``correlation``, ``std_deviation`` (of the log ratio of the estimates), ``reported`` (that log ratio).
    """
    independent, investigator = events_seen("independent").estimate, events_seen("investigator").estimate
    ratios = {reader: plan.hazard_ratio_of(plan.by_reader(reader)).estimate.value for reader in plan.READERS}
    return pd.Series(
        {
            "correlation": float(np.sqrt(independent / investigator)),
            "std_deviation": float(np.sqrt(4 / independent - 4 / investigator)),
            "reported": float(np.log(ratios["independent"] / ratios["investigator"])),
        }
    )
