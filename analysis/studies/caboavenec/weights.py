"""CaboAveNEC down to the scan: which assumption moves disease control at week 16, in order of weight."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conventions import replace as changed
from analysis.endpoints import EndpointDefinitions, Readers, Stein, simulate_groups
from analysis.endpoints.disease_control import DEFINITIONS
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.trial_values import Estimate, over_trials
from analysis.studies.assumptions import Assumption
from analysis.studies.caboavenec import dcr
from analysis.studies.caboavenec.definitions import IUPD_RULES
from analysis.studies.caboavenec.disease import (
    NEC,
    NET,
    READERS,
    STRATA,
    STRATUM_RATIO,
    WEEK_16,
    disease,
    pseudo_progression,
    scans,
)
from analysis.studies.caboavenec.scans import SEED, WEEKS, net_patients
from analysis.studies.caboavenec.treatment import ENDS, treated
from analysis.studies.remembered import remembered

if TYPE_CHECKING:
    from analysis.endpoints import Tumours

TRIALS = Assumption("replicates", 2_000, "trials", "Monte Carlo standard error of a rate at most 0.2 points")
OTHERWISE = Assumption(
    "values otherwise",
    {
        "measurement error": (0.0, 0.10),
        "scans missed": (0.0, 0.10),
        "pseudo-progression": (0.0, 0.15),
        "pace of NEC against NET G3": (1.0, 4.0),
        "patients with NET G3": (11, 25),
        "target lesions": (2,),
        "spread between patients": (0.5, 1.5),
        "new lesions a month": (0.5, 2.0),
        "death a month": (0.5, 2.0),
    },
    "error and spread as sd of a log, shares, ratios, numbers; rates a month as multiples",
    "about half and twice what is assumed, or none",
)


@remembered
def what_moves_control() -> pd.DataFrame:
    """Tabulate disease control at week 16 by iRECIST with one assumption at a time replaced, in order of weight.

    The calibrated rates stay as they are: the table says what the simulated rate rests on, not what a new calibration
    would give.

    Returns
    -------
    DataFrame
        ``replaced``, ``by``, ``rate`` with its Monte Carlo ``std_error``, ``difference`` from the first row, which is
        as assumed, with its ``difference_std_error``.
    """
    base = _rate()
    rows: list[tuple[str, str, Estimate]] = []
    for what, values in OTHERWISE.value.items():
        rows += [(what, f"{value:g}", _rate(what, value)) for value in values]
    rows += [(f"an iUPD at week 16 is {rule}", "", _rate(rule=rule)) for rule in IUPD_RULES[1:]]
    rows += [("definition", name, _rate(definition=d)) for d, name in enumerate(DEFINITIONS) if d]
    for strategy in ("while on treatment", "composite"):
        seen = treated(strategy, ENDS.value[-1]).of()
        week = seen.control[CRITERIA.index("iRECIST"), :, :, WEEKS.index(16), 0]
        rows.append((f"{ENDS.value[-1]:.0%} of the events end treatment", strategy, over_trials(week.mean(axis=1))))
    table = [("as assumed", "", *base, 0.0, 0.0)]
    for what, how, (rate, error) in rows:
        table.append((what, how, rate, error, rate - base.value, float(np.hypot(error, base.std_error))))
    table[1:] = sorted(table[1:], key=lambda row: -abs(row[4]))
    columns = ["replaced", "by", "rate", "std_error", "difference", "difference_std_error"]
    return pd.DataFrame(table, columns=columns)


def _rate(what: str = "", value: Any = None, *, rule: Any = IUPD_RULES[0], definition: int = 0) -> Estimate:
    """Simulate disease control at week 16 by iRECIST with one assumption replaced."""
    net = value if what == "patients with NET G3" else net_patients()
    ratio = value if what == "pace of NEC against NET G3" else STRATUM_RATIO.value
    attendance = scans()
    if what == "scans missed":
        attendance = replace(attendance, assessments=changed(attendance.assessments, missed=value))
    found = simulate_groups(
        {stratum: _changed(disease(WEEK_16, stratum, ratio=ratio), what, value) for stratum in STRATA},
        attendance,
        patients={NET: net, NEC: dcr.planned_enrolment() - net},
        trials=TRIALS.value,
        rng=SEED,
        readers=Readers(error=value) if what == "measurement error" else READERS,
        definitions=EndpointDefinitions(tuple(7 * week for week in WEEKS), unconfirmed=rule),
    )
    week = found.of().control[CRITERIA.index("iRECIST"), :, :, WEEKS.index(16), definition]
    return over_trials(week.mean(axis=1))


def _changed(tumours: Tumours, what: str, value: Any) -> Tumours:
    """Replace one property of a stratum's disease."""
    if what == "pseudo-progression":
        return replace(tumours, pseudo_progression=pseudo_progression(value))
    if what == "target lesions":
        return replace(tumours, targets=value)
    if what == "new lesions a month":
        return replace(tumours, new_lesions=tumours.new_lesions * value)
    if what == "death a month":
        return replace(tumours, death=tumours.death * value)
    if what == "spread between patients":
        law = tumours.growth
        assert isinstance(law, Stein), "the calibrated law is Stein's"
        return replace(
            tumours,
            growth=Stein(replace(law.growth, between_patients=value), replace(law.shrinkage, between_patients=value)),
        )
    return tumours
