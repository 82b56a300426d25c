"""CaboAveNEC against AveNEC, recomputed by other means; its treatment and what is made of its end."""

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from analysis.endpoints.treatment import STRATEGIES
from analysis.studies.caboavenec import comparison, dcr, treatment


def test_nine_of_thirty_convinces_the_posterior_and_not_fisher():
    table = comparison.convincing_counts().set_index("responders")
    assert table.loc[9, "posterior"] > 0.95
    assert table.loc[9, "fisher"] == pytest.approx(fisher_exact([[9, 21], [9, 51]], "greater").pvalue)
    assert round(table.loc[9, "fisher"], 3) == 0.083
    assert comparison.smallest_counts().to_dict() == {"posterior": 9, "fisher": 10, "boschloo": 10, "binomial": 9}


def test_power_is_that_of_the_counts_that_convince():
    table = comparison.power_of_the_comparison().set_index("true_rate")
    assert table.loc[0.42, "fisher"] == pytest.approx(binom.sf(9, 30, 0.42))
    assert table.loc[0.42, "binomial"] == pytest.approx(binom.sf(8, 30, 0.42))
    assert (table["fisher"] <= table["boschloo"]).all()


def test_standardised_rates_add_up_to_avenecs_and_have_the_assumed_odds():
    table = comparison.standardised()
    assert (22 / 60 * table["NET G3"] + 38 / 60 * table["NEC"]).to_numpy() == pytest.approx(9 / 60)
    odds = table["NET G3"] / (1 - table["NET G3"]) / (table["NEC"] / (1 - table["NEC"]))
    assert odds.to_numpy() == pytest.approx(table["odds_ratio"].to_numpy())
    assert table["rate"].to_numpy() == pytest.approx((12 / 19 * table["NET G3"] + 7 / 19 * table["NEC"]).to_numpy())
    assert table["critical"].is_monotonic_increasing


def test_less_is_borrowed_the_more_trials_may_differ():
    table = comparison.borrowed().set_index("prior")
    worth = table["worth"]
    meta = [worth[name] for name in worth.index if name.startswith("meta")]
    assert meta == sorted(meta, reverse=True)
    assert worth.max() < sum(control.n for control in dcr.CONTROLS)
    assert table["at_null"].max() < 0.05
    for row in table.itertuples():
        assert row.at_null == pytest.approx(binom.sf(row.critical - 1, 30, 0.15))


def test_rates_of_dose_changes_are_bolero_2s():
    seen = treatment.rates()
    assert seen["interruptions"] * seen["months"] * 482 == pytest.approx(705)
    assert seen["reductions"] * seen["months"] * 482 == pytest.approx(360)
    assert 7.8 < seen["months"] < 13  # a mean of times with a median of 7.8 months and a long tail


def test_strategies_read_the_same_patients_and_differ_by_the_end_of_treatment():
    table = treatment.by_estimand().set_index(["ends", "strategy", "criteria", "endpoint"])["value"]
    control = table.xs("disease control at week 48", level="endpoint").xs("iRECIST", level="criteria")
    for strategy in STRATEGIES:
        assert control[0.0, strategy] == pytest.approx(control[0.0, "hypothetical"])  # nothing ends it before week 48
    assert control[0.15, "hypothetical"] == control[0.0, "hypothetical"]
    assert control[0.15, "hypothetical"] > control[0.15, "treatment policy"] > control[0.15, "composite"]
    failed = table.xs("failed before week 48", level="endpoint").xs("RECIST 1.1", level="criteria")
    assert failed[0.15, "composite"] > failed[0.15, "hypothetical"] > failed[0.15, "while on treatment"]


def test_more_events_mean_less_of_the_dose():
    table = treatment.safety().pivot(index="endpoint", columns="factor", values="value")
    assert table.loc["relative dose intensity"].is_monotonic_decreasing
    assert table.loc["treatment interrupted"].is_monotonic_increasing
    assert table.loc["adverse events", 1.0] == pytest.approx(treatment.rates()["interruptions"], rel=0.05)
    ends = table[table.index.str.startswith("treatment ended") | (table.index == "treatment ongoing")]
    assert ends.sum().to_numpy() == pytest.approx(np.ones(3))


def test_responses_by_week_add_up_and_the_last_week_is_the_whole_trial():
    table = treatment.responses_by_week().set_index(["week", "criteria", "endpoint"])["value"]
    for week in (8, 16, 24, 48):
        for criteria in ("RECIST 1.1", "iRECIST"):
            best = table[week, criteria]
            assert best[best.index.str.startswith("best response")].sum() == pytest.approx(1.0)
    response = [table[week, "iRECIST", "objective response"] for week in (8, 16, 24, 48)]
    assert response == sorted(response)
    whole = treatment.treated("hypothetical").of()
    assert response[-1] == pytest.approx(whole.response[1].mean())
