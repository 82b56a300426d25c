"""XENERA-1's two readers: what was calibrated agrees, what stops stops, estimates are those of the survival room."""

import numpy as np
import pytest

from analysis.statistical_tests import CoxHazardRatio
from analysis.studies.xenera1 import discordance, plan
from analysis.studies.xenera1 import two_readers as readers

TRIALS = 200
SCAN = readers.INTERVAL


@pytest.fixture(scope="module")
def setting():
    return readers.setting(1.0)


@pytest.fixture(scope="module")
def stopping(setting):
    return readers.simulated_trials(setting, trials=TRIALS)


@pytest.fixture(scope="module")
def complete(setting):
    return readers.simulated_trials(setting, stops=False, trials=TRIALS)


@pytest.fixture(scope="module")
def found(stopping):
    return discordance.characteristics(stopping).set_index(["reader", "quantity"])


def paired(first, second):
    difference = first - second
    return difference.mean(), difference.std(ddof=1) / np.sqrt(difference.size)


def test_the_report_is_read():
    printed = [readers.reported_median(r, arm) for r in readers.READERS for arm in plan.ARMS]
    assert printed == [9.2, 7.4, 11.0, 12.7]
    assert readers.treated() == (51, 50)


def test_reported_medians_fall_on_eight_week_scans_but_one():
    medians = np.array([9.2, 7.4, 11.0])
    assert np.abs(medians - np.round(medians / SCAN) * SCAN).max() < 0.06


def test_the_investigators_see_what_they_reported(found):
    for arm in plan.ARMS:
        assert found.loc[("investigator", f"median, {arm}"), "value"] == pytest.approx(
            readers.reported_median("investigator", arm), abs=0.06
        )
    events = found.loc[("investigator", "events")]
    calibration_error = 0.5  # of the share of events in 12,000 patients, times the patients of a trial
    assert abs(events["value"] - readers.recovered_events("investigator").estimate) < 4 * np.hypot(
        events["std_error"], calibration_error
    )


def test_a_reading_that_goes_on_is_like_the_investigators(complete):
    difference, error = paired(*(complete.event[r].sum(axis=1) for r in readers.READERS))
    assert abs(difference) < 4 * error


def test_error_and_lateness_attenuate_the_hazard_ratio_of_both_readers():
    logs = {}
    for name, of in (("exact", readers.setting(0.0)), ("poor", readers.setting(readers.LEVELS.value[-1]))):
        cell = readers.simulated_trials(of, effect=readers.EFFECT.value, stops=False, trials=TRIALS)
        for reader in readers.READERS:
            sets = discordance.both_arms(cell, reader)
            logs[name, reader] = np.log(discordance.CoxHazardRatio().evaluate(sets)[:, 1])
    for reader in readers.READERS:
        difference, error = paired(logs["poor", reader], logs["exact", reader])
        assert difference > 5 * error
    difference, error = paired(*(logs["poor", reader] for reader in readers.READERS))
    assert abs(difference) < 4 * error


def test_targets_say_where_they_come_from():
    sources = discordance.held_against_reported().groupby("source")["quantity"].unique()
    assert set(sources[discordance.RECOVERED]) == {"events"}
    assert set(sources[discordance.ELSEWHERE]) == {
        "date of progression differs",
        "best response differs",
        "adjudicated",
    }
    assert set(sources[discordance.PRINTED]) == {"hazard ratio", *(f"median, {arm}" for arm in plan.ARMS)}


def test_independent_events_stand_at_their_estimate_and_limits():
    shares = discordance.chance_of_the_report().set_index("event")["share"]
    lower, recovered, upper = (
        shares[f"at most {n} independent events ({name})"]
        for n, name in ((25, "lower limit"), (26, "recovered"), (28, "upper limit"))
    )
    assert 0 <= lower <= recovered < upper < 0.2


def test_a_reading_that_stops_sees_nothing_later(stopping):
    ends = np.where(stopping.progressed["investigator"], stopping.time["investigator"], np.inf)
    assert (stopping.time["independent"] <= ends + 1e-6).all()
    difference, error = paired(*(stopping.event[r].sum(axis=1) for r in readers.READERS))
    assert difference > 8 * error


def test_informative_censoring_lifts_the_independent_curve(stopping, complete):
    level = {}
    for name, cell in (("stops", stopping), ("goes on", complete)):
        columns = cell.columns(plan.CONTROL)
        time, event = cell.time["independent"][:, columns], cell.event["independent"][:, columns]
        level[name] = readers.kaplan_meier(time.ravel(), event.ravel()).survival_at(12.0)
    assert level["stops"] > level["goes on"] + 0.03


def test_worse_readers_disagree_more_and_leave_fewer_independent_events(stopping):
    exact = readers.simulated_trials(readers.setting(0.0), trials=TRIALS)
    assert readers.date_differs(exact).mean() < 0.5 * readers.date_differs(stopping).mean()
    assert exact.event["independent"].sum() > 1.1 * stopping.event["independent"].sum()


def test_dates_differ_where_one_sees_no_progression():
    time = {"investigator": np.array([[4.0, 4.0, 6.0, 6.0]]), "independent": np.array([[4.0, 2.0, 6.0, 6.0]])}
    progressed = {
        "investigator": np.array([[True, True, True, False]]),
        "independent": np.array([[True, True, False, False]]),
    }
    best = {"investigator": np.array([[2, 2, 3, 3]]), "independent": np.array([[2, 3, 3, 5]])}
    cell = readers.Cell(time, progressed, progressed, best, (2, 2))
    assert readers.date_differs(cell).tolist() == [[False, True, True, False]]
    assert readers.best_differs(cell).tolist() == [[False, True, False, True]]


def test_who_differs_in_either_is_adjudicated(stopping, found):
    either = readers.date_differs(stopping) | readers.best_differs(stopping)
    assert found.loc[("both", "adjudicated"), "value"] == pytest.approx(either.mean())
    shares = found.loc["both", "value"]
    assert max(shares["date of progression differs"], shares["best response differs"]) < shares["adjudicated"]


def test_the_hazard_ratio_is_that_of_each_trial(stopping, found):
    experimental = np.arange(sum(stopping.sizes)) >= stopping.sizes[0]
    logs = [
        np.log(CoxHazardRatio().analyse(time, event, experimental).estimate)
        for time, event in zip(stopping.time["independent"], stopping.event["independent"], strict=True)
    ]
    assert found.loc[("independent", "hazard ratio"), "value"] == pytest.approx(np.exp(np.mean(logs)), rel=1e-6)


def test_expected_events_of_known_times():
    event, end = np.array([True]), plan.calendar_end()
    early = readers.expected_events(np.array([10.0]), event, 0.1)
    late = readers.expected_events(np.array([30.0]), event, 0.0)
    assert early == pytest.approx(np.exp(-1.0))
    assert late == pytest.approx((end - 30.0) / 27.0)


def test_the_step_at_a_median():
    scans = np.repeat(np.arange(1, 11), 10) * SCAN
    assert readers.step_at_median(scans, np.ones(100, bool), 5 * SCAN) == pytest.approx(0.55)


def test_same_seed_same_trials(setting, stopping):
    again = readers.simulated_trials(setting, trials=TRIALS)
    assert all((again.time[r] == stopping.time[r]).all() for r in readers.READERS)


def test_every_assumption_has_a_reason():
    assert all(assumption.reason for assumption in readers.ASSUMPTIONS)


def test_fewer_differ_in_the_best_response_than_in_other_trials():
    table = discordance.held_against_reported().set_index("quantity")
    for quantity in ("best response differs", "adjudicated"):
        assert table.loc[quantity, "simulated"] < table.loc[quantity, "target"] - 4 * table.loc[quantity, "std_error"]
