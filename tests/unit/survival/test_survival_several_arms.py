"""Log-rank tests of several arms, against R's survival and lifelines."""

import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import multivariate_logrank_test
from scipy.stats import chi2

from analysis.errors import InvalidValueError, NotEstimableError
from analysis.statistical_tests import FlemingHarrington, LogRank, LogRankOfArms, ModestlyWeighted, NumberAtRisk

K = np.arange(90)
TIME = (K * 37) % 89 / 4 + 0.25 + K % 3  # with ties
EVENT = (K * 7) % 5 > 0
ARM = K % 3
STRATUM = (K * 11) % 4 > 1


@pytest.mark.parametrize(
    ("scores", "strata", "p"),
    [(None, None, 0.134980866), ((0, 1, 2), None, 0.045375731), (None, STRATUM, 0.434832352),
     ((0, 1, 2), STRATUM, 0.442735664)],
)  # fmt: skip
def test_p_values_are_those_of_r(scores, strata, p):
    """R 4.2.2, survival 3.5.3.

    ``d <- survdiff(Surv(t, e) ~ g)``, or ``~ g + strata(s)``; the trend from ``d$obs``, ``d$exp`` and ``d$var``.
    """
    found = LogRankOfArms(scores=scores).analyse(TIME, EVENT, ARM, strata=strata)
    assert found.p_value == pytest.approx(p, abs=5e-9)
    assert found.degrees_of_freedom == (2 if scores is None else 1)


@pytest.mark.parametrize(("weight", "theirs"), [((0, 0), {}), ((1, 0), {"weightings": "peto"})])
def test_the_statistic_is_that_of_lifelines(weight, theirs):
    found = LogRankOfArms(FlemingHarrington(*weight)).analyse(TIME, EVENT, ARM)
    known = multivariate_logrank_test(TIME, ARM, EVENT, **theirs)
    # lifelines' Peto weight is of another estimate of the survival
    assert found.statistic == pytest.approx(known.test_statistic, rel=1e-9 if not theirs else 0.05)


WEIGHTS = [
    *(FlemingHarrington(0, 0), FlemingHarrington(1, 0), FlemingHarrington(0, 1)),
    *(ModestlyWeighted(t_star=6), ModestlyWeighted(w_max=1.5), ModestlyWeighted(t_star=100), NumberAtRisk(0.5)),
]


@pytest.mark.parametrize("weight", WEIGHTS, ids=repr)
@pytest.mark.parametrize("strata", [None, STRATUM])
def test_of_two_arms_all_three_tests_are_the_log_rank_test(weight, strata):
    two = ARM < 2
    within = None if strata is None else strata[two]
    data = TIME[two], EVENT[two], ARM[two]
    known = LogRank(weight).analyse(*data, strata=within)
    trend = LogRankOfArms(weight, scores=(0, 1)).analyse(*data, strata=within)
    overall = LogRankOfArms(weight).analyse(*data, strata=within)
    assert trend.z == pytest.approx(known.z, rel=1e-12)
    assert overall.p_value == pytest.approx(known.p_two_sided, rel=1e-9)


@pytest.mark.parametrize("weight", [*WEIGHTS, FlemingHarrington(3, 0), NumberAtRisk(2)], ids=repr)
@pytest.mark.parametrize("arms", [2, 3, 5])
def test_the_degrees_of_freedom_are_counted_and_not_left_to_rounding(weight, arms):
    """Arms that are at risk together are one group; each group costs one, whatever the size of the numbers."""
    rng = np.random.default_rng(arms)
    for _ in range(10):
        n = int(rng.integers(20, 300))
        arm, event = np.arange(n) % (2 * arms), rng.random(n) < 0.6
        months = rng.exponential(rng.choice([0.1, 9, 300]), n)
        found = LogRankOfArms(weight).analyse(months, event, arm % arms)
        assert found.degrees_of_freedom == arms - 1
        apart = LogRankOfArms(weight).analyse(months, event, arm, strata=arm >= arms)
        assert apart.degrees_of_freedom == 2 * (arms - 1)
        swapped = LogRankOfArms(weight).analyse(months, event, arms - 1 - arm % arms)  # another arm is left out
        assert swapped.statistic == pytest.approx(found.statistic, rel=1e-8)


def test_a_trend_between_arms_that_are_never_at_risk_together_is_not_estimable():
    with pytest.raises(NotEstimableError, match="arms of different scores"):
        LogRankOfArms(scores=(0, 0, 0.1, 0.1)).analyse(TIME, EVENT, K % 4, strata=(K % 4) // 2)


def test_scores_count_by_their_distances_alone():
    found = [LogRankOfArms(scores=scores).analyse(TIME, EVENT, ARM).z for scores in ((0, 1, 2), (5, 7, 9), (2, 1, 0))]
    assert found[0] == pytest.approx(found[1])
    assert found[0] == pytest.approx(-found[2])
    named = np.array(["zero", "low", "high"])[ARM]
    in_order = LogRankOfArms(scores=(0, 1, 2)).analyse(TIME, EVENT, named, order=["zero", "low", "high"])
    assert in_order.z == pytest.approx(found[0])
    assert in_order.arms == ("zero", "low", "high")


def test_arms_of_separate_strata_cost_a_degree_of_freedom_each():
    """Arms 0 and 1 are in one stratum, 2 and 3 in the other: two comparisons, not three."""
    arm, stratum = K % 4, (K % 4) // 2
    found = LogRankOfArms().analyse(TIME, EVENT, arm, strata=stratum)
    pairs = [LogRank().analyse(*(x[stratum == s] for x in (TIME, EVENT)), arm[stratum == s] % 2).z for s in (0, 1)]
    assert found.degrees_of_freedom == 2
    assert found.p_value == pytest.approx(chi2.sf(np.square(pairs).sum(), 2))


@pytest.mark.parametrize(
    ("scores", "arm", "order", "says"),
    [
        ((1, 1, 1), ARM, None, "not all alike"),
        ((0, 1), ARM, None, "one for each of 3 arms"),
        ((0, np.nan, 1), ARM, None, "scores"),
        (None, np.zeros(90), None, "two arms or more"),
        (None, ARM, [0, 1], "two arms or more"),
        *((None, [none, *ARM[1:]], None, "no label at position 0") for none in (None, np.nan, pd.NA, "", " ")),
        (None, ARM[1:], None, "89 values"),
        (None, ["a", *ARM[1:]], None, "several kinds"),
    ],
)
def test_what_cannot_be_compared_is_refused(scores, arm, order, says):
    with pytest.raises(InvalidValueError, match=says):
        LogRankOfArms(scores=scores).analyse(TIME, EVENT, arm, order=order)


def test_without_events_there_is_no_statistic():
    with pytest.raises(NotEstimableError, match="0 events"):
        LogRankOfArms().analyse(TIME, np.zeros(90, bool), ARM)
