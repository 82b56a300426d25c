"""A third reader's decision, progressions that only the investigator calls, and the organs that targets come from."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    Organs,
    Rate,
    Readers,
    Stein,
    Tumours,
    adjudicate,
    baseline_lesions,
    simulate_endpoints,
)
from analysis.endpoints.adjudication import adjudicated, readings_differ
from analysis.endpoints.batch import empty
from analysis.endpoints.codes import CR, PR, SD
from analysis.endpoints.organs import choose_targets
from analysis.errors import InvalidValueError

STABLE = Stein(Rate(0.0), Rate(0.0))
TUMOURS = Tumours(Stein(Rate(0.08, 0.8, 0.3), Rate(0.08, 1.0, 0.3)), new_lesions=0.05, non_target=0.03, death=0.02)
SCANS = Attendance(Assessments.every(8 * WEEK), 48 * WEEK)
CENTRAL = Readers(0.1, 0.3, 0.3, 0.5, independent=True, adjudication=True, stops_at_investigator=False)
COLUMNS = ("best", "response", "time", "event", "control", "progression", "duration_of_response")


def simulate(readers, tumours=TUMOURS, trials=60, rng=4):
    return simulate_endpoints(tumours, SCANS, patients=50, trials=trials, rng=rng, readers=readers)


@pytest.fixture(scope="module")
def central():
    return simulate(CENTRAL)


def test_who_is_adjudicated_has_all_endpoints_of_one_of_the_two(central):
    first, second, stands = (central.of(reader) for reader in ("investigator", "independent", "adjudicated"))
    differ = readings_differ(first, second)
    assert 0.1 < differ.mean() < 0.7
    from_first, from_second = np.ones(differ.shape, bool), np.ones(differ.shape, bool)
    for name in COLUMNS:
        kept, one, other = (getattr(seen, name) for seen in (stands, first, second))
        rest = tuple(range(3, kept.ndim))
        from_first &= (np.isclose(kept, one, equal_nan=True) | (kept == one)).all(axis=rest)
        from_second &= (np.isclose(kept, other, equal_nan=True) | (kept == other)).all(axis=rest)
    assert (from_first | from_second).all()
    assert from_first[~differ].all()
    assert (from_second & ~from_first).sum() > 0.25 * differ.sum()
    assert (from_first & ~from_second).sum() > 0.25 * differ.sum()


def test_the_reading_nearer_to_the_third_stands(central):
    first, second = central.of("investigator"), central.of("independent")
    for wanted in (first, second):
        stands = adjudicated(first, second, wanted)
        np.testing.assert_array_equal(stands.progression, wanted.progression)
        np.testing.assert_array_equal(stands.best, wanted.best)
    times, who = adjudicate(first.progression[0], second.progression[0], first.progression[0])
    np.testing.assert_array_equal(times, first.progression[0])
    np.testing.assert_array_equal(who, first.progression[0] != second.progression[0])


def test_the_later_progression_stands_where_the_third_sees_none(central):
    first, second = central.of("investigator"), central.of("independent")
    stands = adjudicated(first, second, first._replace(progression=np.full_like(first.progression, np.inf)))
    differ = first.progression != second.progression
    assert (np.isfinite(np.maximum(first.progression, second.progression)) & differ).sum() > 50
    later = np.maximum(first.progression, second.progression)
    np.testing.assert_array_equal(stands.progression[differ], later[differ])


def reading(progression, best, depth=0.0):
    """One patient as one reader sees him; progression by RECIST 1.1 and by iRECIST."""
    seen = empty(1, 0)
    return seen._replace(
        progression=np.reshape(progression, (2, 1)), best=np.full((2, 1), best, np.int8), depth=np.array([depth])
    )


def test_the_first_reading_stands_where_the_third_is_as_near_to_both():
    for first, second in ((4.0, 8.0), (8.0, 4.0)):
        assert adjudicate(np.array([first]), np.array([second]), np.array([6.0]))[0].tolist() == [first]


@pytest.mark.parametrize(
    ("first", "second", "third", "stands"),
    [(PR, PR, PR, 4.0), (PR, SD, SD, 8.0), (PR, SD, PR, 4.0), (PR, SD, CR, 4.0)],
)
def test_where_the_third_is_as_near_to_both_its_best_response_decides(first, second, third, stands):
    of_readers = reading([4.0, 4.0], first), reading([8.0, 8.0], second), reading([6.0, 6.0], third)
    assert adjudicated(*of_readers).progression.tolist() == [[stands], [stands]]


def test_depth_is_that_of_the_reading_that_stands_by_recist():
    first, second = reading([4.0, 4.0], PR, depth=-30.0), reading([8.0, 8.0], PR, depth=-10.0)
    for third, depth in (([4.0, 8.0], -30.0), ([8.0, 4.0], -10.0)):
        stands = adjudicated(first, second, reading(third, PR))
        assert stands.depth.tolist() == [depth]
        assert stands.progression.ravel().tolist() == third


def test_adjudication_leaves_the_two_readings_as_they_were(central):
    without = simulate(Readers(0.1, 0.3, 0.3, 0.5, independent=True, stops_at_investigator=False), trials=1, rng=4)
    one = simulate(CENTRAL, trials=1, rng=4)
    for number in range(2):
        for kept, alone in zip(one.endpoints[number], without.endpoints[number], strict=True):
            np.testing.assert_array_equal(kept, alone)
    share = central.discordance()["progression date or best response"]
    parts = central.discordance()
    assert max(parts["progression date"].value, parts["best response"].value) <= share.value
    assert share.value == pytest.approx(readings_differ(*central.endpoints[:2])[0].mean())
    readers = central.summary()["reader"]
    assert set(readers) == {"investigator", "independent", "adjudicated", ""}


def test_the_same_bits_on_any_executor():
    tumours = replace(TUMOURS, organs=Organs({"liver": 0.7, "lymph node": 0.3}))
    readers = replace(CENTRAL, unshared=0.02, stops_at_investigator=True)
    here = simulate(readers, tumours, trials=400)
    for executor in (ThreadPoolExecutor(2), ProcessPoolExecutor(2, get_context("spawn"))):
        with executor:
            there = simulate_endpoints(
                tumours, SCANS, patients=50, trials=400, rng=4, readers=readers, executor=executor
            )
        for one, other in zip(here.endpoints, there.endpoints, strict=True):
            for kept, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(kept, same)
        np.testing.assert_array_equal(here.survival.time, there.survival.time)


def test_without_error_nobody_is_adjudicated():
    same = simulate(Readers(independent=True, adjudication=True, stops_at_investigator=False))
    assert same.discordance()["progression date or best response"].value == 0.0
    for kept, alone in zip(same.of("adjudicated"), same.of(), strict=True):
        np.testing.assert_array_equal(kept, alone)


def test_only_the_investigator_calls_what_is_not_shared():
    quiet = Tumours(STABLE, death=0.0)
    result = simulate(Readers(unshared=0.1, independent=True), quiet)
    expected, error = 1 - np.exp(-0.1 * 48 * WEEK), 0.5 / np.sqrt(3000)
    assert abs(result.of().event[0].mean() - expected) < 4 * error
    assert result.of("independent").event[0].sum() == 0
    assert result.discordance()["early discordance"].value == 1.0
    goes_on = simulate(Readers(unshared=0.1, independent=True, stops_at_investigator=False), quiet)
    stops, further = (of.of("independent").time[0].mean() for of in (result, goes_on))
    assert stops < further


def test_deaths_are_known_after_the_last_scan():
    scans = Attendance(Assessments.every(8 * WEEK), 48 * WEEK, survival_until=96 * WEEK)
    seen = simulate_endpoints(Tumours(STABLE, death=0.05), scans, patients=50, trials=100, rng=5)
    for weeks in (48, 96):
        alive = seen.overall_survival(weeks * WEEK)
        assert abs(alive.value - np.exp(-0.05 * weeks * WEEK)) < 4 * alive.std_error
    assert seen.of().time.max() <= 48 * WEEK + 1e-6 < seen.survival.time[seen.survival.died].max()
    early = seen.survival.time <= 48 * WEEK
    np.testing.assert_array_equal(seen.of().event[0], seen.survival.died & early)
    with pytest.raises(InvalidValueError, match="months: got 30"):
        seen.overall_survival(30.0)


def test_the_summary_has_every_endpoint_with_its_unit(central):
    summary = central.summary().set_index(["reader", "criteria", "endpoint"]).sort_index()
    seen = central.of("independent")
    alone = summary.loc["independent"]
    pfs = alone.loc[("iRECIST", "median progression-free survival")]["value"].item()
    assert pfs == central.median_pfs("iRECIST", "independent").value
    responders = np.sort(seen.time_to_response[0][seen.response[0]])
    found = alone.loc[("RECIST 1.1", "median time to response")]["value"].item()
    assert responders[0] <= found == pytest.approx(np.median(responders))
    growth = alone.loc[("", "median tumour growth rate to the first scan")]
    assert growth["unit"].item() == "% of volume per month"
    assert growth["value"].item() == pytest.approx(np.nanmedian(seen.growth, axis=1).mean())
    depth = alone.loc[("", "median depth of response")]["value"].item()
    assert depth == pytest.approx(np.nanmedian(seen.depth, axis=1).mean())
    alive = summary.loc[("", "", "overall survival")].set_index("landmark")["value"]
    assert alive[336] == central.overall_survival(336 / 30.4375).value


def test_targets_are_the_largest_two_of_an_organ():
    measured = np.array([[50.0, 40.0, 30.0, 14.0, 12.0, 9.0], [8.0, 9.0, 0.0, 0.0, 0.0, 0.0]])
    organ = np.array([[0, 0, 0, 1, 2, 2], [0, 1, -1, -1, -1, -1]])
    node = organ == 1
    nothing = np.zeros(organ.shape, bool)
    assert choose_targets(measured, organ, np.zeros_like(node), nothing, 5).tolist() == [
        [0, 1, 3, 4, -1], [1, -1, -1, -1, -1],
    ]  # fmt: skip
    assert choose_targets(measured, organ, node, nothing, 5)[0].tolist() == [0, 1, 4, -1, -1]
    avoided = nothing.copy()
    avoided[0, 0] = True
    assert choose_targets(measured, organ, np.zeros_like(node), avoided, 2)[0].tolist() == [1, 2]


def test_lesions_lie_in_organs_as_they_were_asked_for():
    organs = Organs({"liver": 0.6, "lung": 0.1, "lymph node": 0.3}, lesions=4.0)
    lesions = baseline_lesions(Tumours(STABLE, organs=organs), 5000, rng=1)
    number, shares = lesions.groupby("patient").size(), lesions["organ"].value_counts(normalize=True)
    assert abs(number.mean() - 4.0) < 4 * np.sqrt(3 / 5000) + 0.02  # at most 10: Poisson 3 above 9 loses 0.001
    for name, share in organs.shares.items():
        assert abs(shares[name] - share) < 4 * np.sqrt(share * (1 - share) / len(lesions))
    assert (lesions["node"] == (lesions["organ"] == "lymph node")).all()
    assert lesions.groupby("node")["diameter"].min().tolist() == [10.0, 15.0]
    assert Counter(baseline_lesions(Tumours(STABLE, targets=3), 10, rng=1)["patient"]) == dict.fromkeys(range(10), 3)


def test_growth_is_limited_to_the_fastest():
    fast = Tumours(Stein(Rate(0.5), Rate(0.0)), fastest=0.2, nodes=0.0)
    seen = simulate(Readers(), fast, trials=2).of()
    assert seen.depth == pytest.approx(100 * (np.exp(0.2 * 8 * WEEK) - 1), abs=0.3)
    slow = simulate(Readers(), Tumours(Stein(Rate(0.1), Rate(0.0)), fastest=0.2, nodes=0.0), trials=2).of()
    assert slow.depth == pytest.approx(100 * (np.exp(0.1 * 8 * WEEK) - 1), abs=0.3)


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: Readers(adjudication=True), "adjudication"),
        (lambda: Readers(unshared=-1.0), "unshared"),
        (lambda: Tumours(STABLE, fastest=0.0), "fastest"),
        (lambda: Organs({"liver": 0.5}), "shares"),
        (lambda: Organs({"liver": 1.0}, lesions=0.5), "lesions"),
        (lambda: Attendance(Assessments.every(2.0), 12.0, survival_until=6.0), "survival_until"),
    ],
)
def test_bad_input_is_named(build, field):
    with pytest.raises(InvalidValueError, match=field):
        build()
