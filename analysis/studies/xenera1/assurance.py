"""What XENERA-1 was likely to show, given what was believed of xentuzumab before it began."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from analysis.power import assurance, normal_assurance
from analysis.reported import Reported
from analysis.sequential import NormalPrior
from analysis.studies.assumptions import Assumption
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.plan import ALPHA, SEED
from analysis.studies.xenera1.seen import events_seen

HETEROGENEITY = Assumption(
    "heterogeneity of subgroups",
    float(np.log(2) / ndtri(0.975)),
    "SD of the log hazard ratio",
    "95% of subgroups have a hazard ratio within a factor 2 of the common one",
)
ASSURED = Assumption("replicates of the assurance", 50_000, "per belief", "Monte Carlo standard error about 0.2 points")
SCEPTICISM = Assumption(
    "sceptical prior",
    float(np.log(0.6) / ndtri(0.05)),
    "SD of the log hazard ratio, centred at no effect",
    "one chance in twenty of a hazard ratio below 0.6",
)
SHRUNK = "non-visceral subgroup, shrunk towards the rest by the printed intervals"
SHRUNK_BY_INTERACTION = "non-visceral subgroup, shrunk towards the rest by the printed interaction"
Z95 = float(ndtri(0.975))


@dataclass(frozen=True)
class Belief:
    """What is believed of the true hazard ratio: its logarithm is normal.

    Parameters
    ----------
    name
        What it rests on.
    mean, sd
        Of the log hazard ratio; below 0 favours the experimental arm.
    """

    name: str
    mean: float
    sd: float

    def quantile(self, p: float) -> float:
        """Quantile of the hazard ratio."""
        return float(np.exp(self.mean + self.sd * ndtri(p)))

    def updated(self, name: str, evidence: Belief) -> Belief:
        """Combine with independent evidence, each weighted by its precision."""
        precision = self.sd**-2 + evidence.sd**-2
        mean = (self.mean * self.sd**-2 + evidence.mean * evidence.sd**-2) / precision
        return Belief(name, mean, precision**-0.5)


def from_report(name: str, comparison: str) -> Belief:
    """Take a hazard ratio of the trial before as it was printed, with its interval and a flat prior."""
    ratio = plan.hazard_ratio_of(report_of(plan.TRIAL_BEFORE).comparison(comparison))
    assert ratio.ci is not None, f"{comparison} prints no interval"
    spread = np.log(ratio.ci.upper.value / ratio.ci.lower.value) / (2 * Z95)
    return Belief(name, float(np.log(ratio.estimate.value)), float(spread))


def rest_of(whole: Belief, part: Belief) -> Belief:
    """Take a subgroup's estimate out of that of all patients: what the others' must have been, weights by precision."""
    precision = whole.sd**-2 - part.sd**-2
    mean = (whole.mean * whole.sd**-2 - part.mean * part.sd**-2) / precision
    return Belief("patients with visceral metastases, by difference", mean, precision**-0.5)


def rest_by_interaction(part: Belief, rest: Belief, p_value: float) -> Belief:
    """Take the other patients' estimate from the printed p of the interaction, which says how far it is off.

    The two-sided p is that of the difference of two independent log hazard ratios; the spread of the others' is what
    the interval of all patients leaves for them, and the subgroup's lies below theirs.
    """
    away = float(-ndtri(p_value / 2)) * float(np.hypot(part.sd, rest.sd))
    return Belief("patients with visceral metastases, by the interaction", part.mean + away, rest.sd)


def interaction_p_value() -> float:
    """Return the printed p-value of the interaction with visceral metastases in the trial before."""
    value = report_of(plan.TRIAL_BEFORE).fact("interaction-p-value-visceral").value
    assert isinstance(value, Reported)
    return value.value


def shrunk(part: Belief, rest: Belief, heterogeneity: float, name: str = SHRUNK) -> Belief:
    """Shrink a subgroup's estimate towards the other patients'.

    Two subgroups whose log hazard ratios are normal about a common one with standard deviation `heterogeneity`, the
    common one with a flat prior: seen from the others, the subgroup's is normal about theirs with variance
    ``rest.sd^2 + 2 heterogeneity^2``.
    """
    from_others = Belief("others", rest.mean, float(np.hypot(rest.sd, np.sqrt(2) * heterogeneity)))
    return from_others.updated(name, part)


def beliefs() -> tuple[Belief, ...]:
    """Beliefs to start XENERA-1 with: the subgroup with and without shrinkage, all patients, and a sceptic's.

    What the subgroup is shrunk towards is read in two ways, which contradict each other: from the intervals printed of
    all patients and of the subgroup, or from the p printed of the interaction.
    """
    subgroup = from_report("non-visceral subgroup, as printed", "pfs-non-visceral")
    everyone = from_report("all patients of the phase II", "pfs")
    rest = rest_of(everyone, subgroup)
    by_interaction = rest_by_interaction(subgroup, rest, interaction_p_value())
    sceptic = Belief("sceptic", 0.0, SCEPTICISM.value)
    return (
        subgroup,
        shrunk(subgroup, rest, HETEROGENEITY.value),
        shrunk(subgroup, by_interaction, HETEROGENEITY.value, SHRUNK_BY_INTERACTION),
        sceptic.updated("sceptic who has seen the subgroup", subgroup),
        everyone,
        sceptic,
    )


def large_sample_assurance(belief: Belief) -> float:
    """Average the power of the registered design over a belief."""
    return assurance(plan.design(), plan.scenario(1.0), NormalPrior(belief.mean, belief.sd)).power


@remembered
def assurances(trials: int = ASSURED.value, seed: int = SEED) -> pd.DataFrame:
    """Probability that the registered design rejects, averaged over what was believed before it.

    Returns
    -------
    DataFrame
        ``belief``, ``hazard_ratio`` (its median), ``lower``, ``upper`` (central 95%), ``below_1`` (probability);
        ``assurance`` (large-sample moments of the log-rank test), ``simulated`` with its Monte Carlo ``std_error``; and
        ``investigator`` and ``independent``, the assurance at the events that each reader saw, by normal
        approximation.
    """
    rows = []
    for belief in beliefs():
        prior = NormalPrior(belief.mean, belief.sd)
        simulated = assurance(plan.design(), plan.scenario(1.0), prior, by="simulation", trials=trials, rng=seed)
        row: dict[str, object] = {"belief": belief.name, "hazard_ratio": belief.quantile(0.5)}
        row |= {"lower": belief.quantile(0.025), "upper": belief.quantile(0.975)}
        row |= {"below_1": float(ndtr(-belief.mean / belief.sd)), "assurance": large_sample_assurance(belief)}
        row |= {"simulated": simulated.power, "std_error": simulated.std_error}
        for reader in ("investigator", "independent"):
            error = float(np.sqrt(4 / events_seen(reader).estimate))
            row[reader] = normal_assurance(-belief.mean, belief.sd, error, alpha=ALPHA.value)
        rows.append(row)
    return pd.DataFrame(rows)
