"""CaboAveNEC against AveNEC: exact tests with their power, one mix of NET G3 and NEC, and beliefs that are borrowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import binom

from analysis.proportions import (
    BorrowedRate,
    commensurate_prior,
    compare_proportions,
    meta_analytic_prior,
    proportion_power,
)
from analysis.single_arm import exact_binomial
from analysis.studies.assumptions import Assumption
from analysis.studies.caboavenec import dcr
from analysis.studies.caboavenec.disease import MONOTHERAPY, NEC, NET, WEEK_16, treatment
from analysis.studies.remembered import remembered
from analysis.studies.reports import report_of

if TYPE_CHECKING:
    from analysis.proportions.comparison import Method

HETEROGENEITIES = Assumption(
    "heterogeneity between trials", (0.25, 0.5, 1.0), "scale of its half-normal prior, logits",
    "a choice: small, moderate, substantial (Neuenschwander 2010)",
)  # fmt: skip
SPREADS = Assumption(
    "difference of CaboAveNEC's patients from AveNEC's", (0.25, 0.5), "sd, logits", "a choice; 0 takes them as the same"
)
VAGUE_SHARE = Assumption("vague part of a robust prior", 0.2, "", "a choice; usual in robust priors (Schmidli 2014)")
STRATUM_ODDS = Assumption(
    "NET G3 against NEC", (1.0, 2.0, 4.0), "odds ratio of disease control",
    "no endpoint was reported by stratum; 1 is no difference",
)  # fmt: skip
TRUE_RATES = Assumption("true rates of the combination", (0.15, 0.25, 0.35, 0.42, 0.5), "", "from AveNEC's to the hope")
ASSUMPTIONS = (HETEROGENEITIES, SPREADS, VAGUE_SHARE, STRATUM_ODDS, TRUE_RATES)
CONVINCED = 0.95
METHODS: tuple[Method, ...] = ("conditional", "unconditional")


@remembered
def convincing_counts() -> pd.DataFrame:
    """Tabulate by the count among the planned patients what each rule says against AveNEC's count.

    Returns
    -------
    DataFrame
        ``responders``, ``posterior`` (probability that the rate is above AveNEC's, both from Jeffreys' prior),
        ``fisher`` and ``boschloo`` (one-sided exact p against AveNEC's patients), ``binomial`` (one-sided exact p
        against AveNEC's rate, as if it were known).
    """
    n, control = dcr.planned_enrolment(), dcr.AVENEC
    posterior = dcr.better_than(control)["probability"].to_numpy()
    rows = []
    for x in range(n + 1):
        exact = [
            compare_proportions(x, n, control.responders, control.n, method=method).p_value_higher for method in METHODS
        ]
        rows.append((x, posterior[x], *exact, float(binom.sf(x - 1, n, control.responders / control.n))))
    return pd.DataFrame(rows, columns=["responders", "posterior", "fisher", "boschloo", "binomial"])


def smallest_counts() -> pd.Series[int]:
    """Give the smallest count of the planned patients that convinces by each rule, one-sided 5%."""
    table = convincing_counts().set_index("responders")
    found = {"posterior": int(table.index[table["posterior"] > CONVINCED].min())}
    found |= {
        rule: int(table.index[table[rule] <= dcr.ALPHA.value].min()) for rule in ("fisher", "boschloo", "binomial")
    }
    return pd.Series(found, name="smallest count")


@remembered
def power_of_the_comparison() -> pd.DataFrame:
    """Tabulate the power of the rules over true rates, AveNEC's patients taken as they were.

    Returns
    -------
    DataFrame
        ``true_rate``; ``binomial`` (AveNEC's rate taken as known), ``fisher`` and ``boschloo`` (its count taken as
        it was), one-sided 5%, exact; ``both_random``: Fisher's if AveNEC were run again at its rate.
    """
    n, control, alpha = dcr.planned_enrolment(), dcr.AVENEC, dcr.ALPHA.value
    known = exact_binomial(n, null_rate=control.responders / control.n, alpha=alpha)
    rows = []
    for rate in TRUE_RATES.value:
        given = [
            proportion_power(
                rate, n, control.responders / control.n, control.n,
                alpha=alpha, method=method, control_responders=control.responders,
            )
            for method in METHODS
        ]  # fmt: skip
        again = proportion_power(rate, n, control.responders / control.n, control.n, alpha=alpha)
        rows.append((rate, known.rejection_probability(rate), *given, again))
    return pd.DataFrame(rows, columns=["true_rate", "binomial", "fisher", "boschloo", "both_random"])


def standardised() -> pd.DataFrame:
    """Tabulate AveNEC's disease control as it would be in CaboAveNEC's mix of NET G3 and NEC.

    Returns
    -------
    DataFrame
        ``odds_ratio`` (NET G3 against NEC, assumed), ``NET G3`` and ``NEC`` (rates that AveNEC's mix and its count then
        imply), ``rate`` in CaboAveNEC's mix, and ``critical``, the count of the planned patients from which the exact
        test rejects that rate.
    """
    seen = dcr.AVENEC.responders / dcr.AVENEC.n
    net_before, net_now = (_net_share(name) for name in (MONOTHERAPY, WEEK_16))
    rows = []
    for ratio in STRATUM_ODDS.value:

        def rates(nec: float, ratio: float = ratio) -> tuple[float, float]:
            odds = ratio * nec / (1 - nec)
            return odds / (1 + odds), nec

        def miss(nec: float, rates: object = rates) -> float:
            net, other = rates(nec)  # type: ignore[operator]  # the function of this ratio
            return float(net_before * net + (1 - net_before) * other - seen)

        net, nec = rates(float(brentq(miss, 1e-6, 1 - 1e-6)))
        rate = net_now * net + (1 - net_now) * nec
        critical = exact_binomial(dcr.planned_enrolment(), null_rate=rate, alpha=dcr.ALPHA.value).critical
        rows.append((ratio, net, nec, rate, critical))
    return pd.DataFrame(rows, columns=["odds_ratio", NET, NEC, "rate", "critical"])


def _net_share(name: str) -> float:
    net, nec = treatment(name).strata
    return net / (net + nec)


def priors() -> dict[str, BorrowedRate]:
    """Give beliefs of the rate that the control would have in CaboAveNEC, by what is borrowed from where.

    Disease control at week 16 of AveNEC and at week 18 of pembrolizumab are rates at one time; the best responses of
    the other controls are another quantity and not borrowed here. The vague part of the robust one is worth one
    patient at the same mean; without patients of a control in the trial nothing can tell whether it holds.
    """
    counts = [(control.responders, control.n) for control in dcr.CONTROLS]
    found = {}
    for scale in HETEROGENEITIES.value:
        prior = meta_analytic_prior(*zip(*counts, strict=True), heterogeneity=scale)
        found[f"meta-analytic, AveNEC and pembrolizumab, heterogeneity {scale:g}"] = prior
    middle = meta_analytic_prior(*zip(*counts, strict=True), heterogeneity=HETEROGENEITIES.value[1])
    found[f"the same at {HETEROGENEITIES.value[1]:g}, robust"] = middle.mixed(VAGUE_SHARE.value, middle.mean)
    for spread in SPREADS.value:
        found[f"commensurate with AveNEC, spread {spread:g}"] = commensurate_prior(
            dcr.AVENEC.responders, dcr.AVENEC.n, spread=spread
        )
    return found


def borrowed() -> pd.DataFrame:
    """Tabulate what each belief about the control makes of the planned patients.

    Returns
    -------
    DataFrame
        ``prior``; ``mean``, ``lower``, ``upper`` (central 95%) of the control's rate; ``worth``, its effective sample
        size; ``critical``, the smallest count for which the combination's rate is above it with more than 95%
        probability; ``at_null``, the probability of such a count if the combination does as AveNEC did, and
        ``at_interim`` if it does as its own interim count.
    """
    n, rows = dcr.planned_enrolment(), []
    rates = [control.responders / control.n for control in (dcr.AVENEC, dcr.INTERIM)]
    for name, prior in priors().items():
        chance = np.array([prior.probability_exceeded(x, n) for x in range(n + 1)])
        critical = int(np.argmax(chance > CONVINCED))
        reached = [float(binom.sf(critical - 1, n, rate)) for rate in rates]
        rows.append((name, prior.mean, *prior.interval(0.95), prior.effective_sample_size, critical, *reached))
    columns = ["prior", "mean", "lower", "upper", "worth", "critical", "at_null", "at_interim"]
    return pd.DataFrame(rows, columns=columns)


def best_responses() -> pd.DataFrame:
    """Tabulate disease control as best response of the controls, another quantity than control at week 16.

    Returns
    -------
    DataFrame
        ``trial``, ``rate`` as printed (or as counts that are printed add up to), ``of``.
    """
    rows = []
    responders = 0
    for name in ("pr", "sd"):
        count = report_of("avenec").proportion(f"best-response-{name}").count
        assert count is not None, "AveNEC prints its best responses as counts"
        responders += int(count.value)
    rows.append(("AveNEC", responders / dcr.AVENEC.n, dcr.AVENEC.n))
    for trial, title in (("pembrolizumab-g3-nen", "pembrolizumab"), ("toripalimab-nen", "toripalimab")):
        found = report_of(trial).proportion("dcr-best-response")
        assert found.share is not None, f"{trial} prints its disease control"
        assert found.of is not None, f"{trial} prints its patients"
        rows.append((title, found.share.value, int(found.of.value)))
    return pd.DataFrame(rows, columns=["trial", "rate", "of"])
