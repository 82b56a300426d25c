"""CaboAveNEC's quality of life: what 30 patients who progress can show of QLQ-C30's global health status."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.conventions import WEEK
from analysis.conventions.seeds import child, seed_sequence
from analysis.endpoints.simulation_results import CRITERIA
from analysis.endpoints.trial_values import over_trials
from analysis.quality_of_life import Deterioration, ScoreCourse, simulate_scores, time_to_deterioration
from analysis.studies.assumptions import Assumption
from analysis.studies.caboavenec import treatment
from analysis.studies.caboavenec.scans import SEED, WEEKS
from analysis.studies.remembered import remembered
from analysis.survival.estimators import kaplan_meier

QUALITY = 7  # number of the stream of scores
BASELINE = Assumption(
    "global health status at baseline", (60.0, 20.0), "points, mean and between patients", "not reported"
)  # fmt: skip
WITHIN = Assumption("error of one questionnaire", 12.0, "points, standard deviation", "not reported")
LOSSES = Assumption("points lost at progression", (0.0, 10.0, 20.0), "points", "not reported; varied")
FILLED = Assumption("questionnaires filled in", 0.85, "of those asked", "not reported")
ASKED = Assumption("questionnaires are asked", ("progression", "death"), "until", "not registered; both are shown")
ASSUMPTIONS = (BASELINE, WITHIN, LOSSES, FILLED, ASKED)
VISITS = np.array(WEEKS) * WEEK
DEFINITIONS = {
    "first, 10 points": Deterioration(kind="first"),
    "confirmed, 10 points": Deterioration(kind="confirmed"),
    "definitive, 10 points": Deterioration(kind="definitive"),
    "definitive, 10 points, or death": Deterioration(kind="definitive", death="event"),
}
AT = 24
"""Week at which the share without deterioration is read."""


def scores(loss: float, until: str) -> tuple[np.ndarray, np.ndarray]:
    """Simulate the scores of the trials whose scans are simulated.

    Returns
    -------
    tuple
        Scores at baseline and at the scans, and months of death (inf without one), of the same patients.
    """
    groups = treatment.treated("treatment policy")
    seen, alive = groups.of(), groups.survival
    c = CRITERIA.index("iRECIST")
    progression = np.where(seen.event[c], seen.time[c], np.inf)
    death = np.where(alive.died, alive.time, np.inf)
    mean, between = BASELINE.value
    course = ScoreCourse(
        mean, between, WITHIN.value, after_progression=loss, filled=FILLED.value, until=until
    )  # fmt: skip
    return simulate_scores(
        course, VISITS, progression=progression, death=death, rng=child(seed_sequence(SEED), QUALITY)
    ), death


@remembered
def by_visit() -> pd.DataFrame:
    """Tabulate the change from baseline at the scans, of the patients who filled a questionnaire in.

    Returns
    -------
    DataFrame
        ``asked`` (until when), ``loss`` (points at progression), ``week``, ``patients`` (mean per trial), ``change``
        (mean over trials) with its Monte Carlo ``std_error``, ``trial_sd`` (from trial to trial), and ``everybody``:
        the change that would be seen if all who live had filled it in, to the end.
    """
    rows = []
    for until in ASKED.value:
        for loss in LOSSES.value:
            points, _ = scores(loss, until)
            whole = _of_all(loss)
            for k, week in enumerate(WEEKS, 1):
                change = points[..., k] - points[..., 0]
                filled = (~np.isnan(change)).sum(axis=1)
                mean = np.full(len(filled), np.nan)
                np.divide(np.nansum(change, axis=1), filled, out=mean, where=filled > 0)
                spread = float(np.nanstd(mean, ddof=1))
                rows.append((until, loss, week, float(filled.mean()), *over_trials(mean), spread, whole[k - 1]))
    columns = ["asked", "loss", "week", "patients", "change", "std_error", "trial_sd", "everybody"]
    return pd.DataFrame(rows, columns=columns)


def _of_all(loss: float) -> list[float]:
    """Mean change of all who are alive at each visit, without error: the loss of those who have progressed."""
    groups = treatment.treated("treatment policy")
    seen, alive = groups.of(), groups.survival
    c = CRITERIA.index("iRECIST")
    ill = [(seen.event[c] & (seen.time[c] <= month)) for month in VISITS]
    here = [~(alive.died & (alive.time <= month)) for month in VISITS]
    return [-loss * float(sick[living].mean()) for sick, living in zip(ill, here, strict=True)]


@remembered
def deterioration() -> pd.DataFrame:
    """Tabulate the time until global health status deteriorates, by definition and by what progression costs.

    Returns
    -------
    DataFrame
        ``asked``, ``loss``, ``definition``, ``free`` (Kaplan-Meier at week 24, mean over trials) with its Monte Carlo
        ``std_error`` and ``trial_sd``, and ``deteriorated``, the share of patients who are seen to deteriorate.
    """
    rows = []
    for until in ASKED.value:
        for loss in LOSSES.value:
            points, death = scores(loss, until)
            for name, definition in DEFINITIONS.items():
                found = time_to_deterioration(points, VISITS, death=death, definition=definition)
                free = np.array(
                    [float(kaplan_meier(*trial).survival_at(AT * WEEK)) for trial in zip(*found, strict=True)]
                )
                spread = float(np.nanstd(free, ddof=1))
                rows.append((until, loss, name, *over_trials(free), spread, float(found.event.mean())))
    columns = ["asked", "loss", "definition", "free", "std_error", "trial_sd", "deteriorated"]
    return pd.DataFrame(rows, columns=columns)
