"""Simulated trials: the same bits anywhere, the same rules as for one patient, and readers as they were asked for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    BestOverallResponse,
    Calibration,
    Claret,
    Confirmation,
    ControlAtLandmark,
    ControlUntilLandmark,
    ProgressionFreeAtLandmark,
    ProgressionFreeSurvival,
    PseudoProgression,
    Rate,
    Readers,
    ResponseHistory,
    Stein,
    Target,
    Tumours,
    Wang,
    adjudicate,
    calibrate,
    simulate_endpoints,
    target_responses,
)
from analysis.endpoints.batch import derive_patients, empty
from analysis.endpoints.codes import RECIST
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.errors import InvalidValueError, UnknownNameError

GROWTH = Stein(Rate(0.1, 0.6, 0.3), Rate(0.1, 1.0, 0.3))
TUMOURS = Tumours(GROWTH, new_lesions=0.1, non_target=0.03, death=0.03)
SCANS = Attendance(
    Assessments([8 * WEEK, 16 * WEEK, 24 * WEEK, 48 * WEEK], window=0.1, missed=0.1), 48 * WEEK, 0.2, 0.3, 0.1
)


def simulate(tumours=TUMOURS, scans=SCANS, trials=600, rng=1, **options):
    return simulate_endpoints(tumours, scans, patients=30, trials=trials, rng=rng, **options)


def test_same_bits_on_threads():
    readers = Readers(0.1, 0.5, 0.2, 0.5, independent=True)
    with ThreadPoolExecutor(2) as threads:
        here, there = simulate(readers=readers), simulate(readers=readers, executor=threads)
        pairs = zip(here.endpoints, there.endpoints, strict=True)
        for one, other in pairs:
            for field in one._fields:
                np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    assert not np.array_equal(simulate(rng=2, trials=10).endpoints[0].time, simulate(trials=10).endpoints[0].time)


def test_a_batch_is_derived_as_each_patient_is():
    rng = np.random.default_rng(7)
    patients, visits = 300, 6
    diameter = np.round(rng.uniform(0, 40, (patients, visits + 1, 1)), 0) * (
        rng.random((patients, visits + 1, 1)) < 0.85
    )
    diameter[:, 0] = 30.0
    month = np.sort(np.round(rng.uniform(20, 400, (patients, visits))), axis=1) / 30.4375
    death = np.where(rng.random(patients) < 0.3, np.round(rng.uniform(30, 500, patients)), np.inf) / 30.4375
    out, definitions = empty(patients, 4), EndpointDefinitions()
    nothing, none = np.zeros((patients, visits + 1), np.int8), np.zeros((patients, visits + 1), np.int64)
    node, last = np.zeros((patients, 1), np.bool_), np.full(patients, np.inf)
    derive_patients(diameter, node, nothing, none, month, death, last, definitions.compiled, out)
    start = date(2024, 1, 1)
    for i in range(patients):
        days = [round(m * 30.4375) for m in month[i] if m <= death[i]]
        responses = target_responses(diameter[i, : len(days) + 1, 0])
        died = start + timedelta(days=round(death[i] * 30.4375)) if np.isfinite(death[i]) else None
        dates = [start + timedelta(days=day) for day in days]
        history = ResponseHistory("S", start, dates, responses, death=died)
        assert RECIST.term(int(out.best[0, i])) == BestOverallResponse().derive(history).value
        confirmed = BestOverallResponse(Confirmation()).derive(history).value
        assert RECIST.term(int(out.confirmed_best[0, i])) == confirmed
        seen = ProgressionFreeSurvival().derive(history)
        assert (round(out.time[0, i] * 30.4375), bool(out.event[0, i])) == (seen.days, seen.event)
        for k, landmark in enumerate(definitions.landmarks):
            for number, control in enumerate((ControlAtLandmark, ControlUntilLandmark, ProgressionFreeAtLandmark)):
                assert out.control[0, i, k, number] == (control(landmark).derive(history).value == "Y")


def test_trials_can_be_simulated_without_a_landmark():
    seen, usual = simulate(trials=20, definitions=EndpointDefinitions(landmarks=())), simulate(trials=20)
    table, at_none = seen.summary(), usual.summary().query("landmark.isna()")
    assert table["value"].tolist() == pytest.approx(at_none["value"].tolist(), nan_ok=True)


def test_growth_laws_solve_their_equations():
    time, rng = np.array([[0.0, 2.0, 7.0]]), np.random.default_rng(1)
    g, d, r = Rate(0.1), Rate(0.3), Rate(0.2)
    t = time[0]
    np.testing.assert_allclose(Stein(g, d).relative(time, 1, rng)[0, 0], np.exp(-0.3 * t) + np.exp(0.1 * t) - 1)
    np.testing.assert_allclose(Wang(g, d).relative(time, 1, rng)[0, 0], np.exp(-0.3 * t) + 0.1 * t)
    fine = np.linspace(0, 7, 7001)
    rate = 0.1 - 0.3 * np.exp(-0.2 * fine)
    solved = np.exp(np.concatenate(([0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(fine)))))
    np.testing.assert_allclose(Claret(g, d, r).relative(time, 1, rng)[0, 0], np.interp(t, fine, solved), rtol=1e-6)


def test_pseudo_progression_separates_the_criteria():
    swelling = Tumours(Stein(Rate(0.0), Rate(0.0)), pseudo_progression=PseudoProgression(0.15, until=3.0))
    on_time = Attendance(Assessments.every(8 * WEEK), 48 * WEEK)
    seen = simulate(swelling, on_time, trials=200).of()
    share = seen.event.mean(axis=(1, 2))
    error = np.sqrt(0.15 * 0.85 / 6000)
    assert abs(share[0] - 0.15) < 4 * error
    assert share[1] == 0.0
    assert (seen.response[1] >= seen.response[0]).all()


def test_readers_agree_without_error_and_differ_with_it():
    same = simulate(readers=Readers(independent=True), trials=100).discordance()
    assert same["best response"].value == same["progression date"].value == 0.0
    apart = simulate(readers=Readers(0.15, 0.0, independent=True, stops_at_investigator=False)).discordance()
    shared = simulate(readers=Readers(0.15, 0.9, independent=True, stops_at_investigator=False)).discordance()
    assert apart["best response"].value > shared["best response"].value + 0.02
    stopped = simulate(readers=Readers(0.15, 0.0, independent=True)).of("independent")
    free = simulate(readers=Readers(0.15, 0.0, independent=True, stops_at_investigator=False)).of("independent")
    assert np.isfinite(stopped.progression[0]).mean() < np.isfinite(free.progression[0]).mean() - 0.02


def test_adjudication_takes_the_nearer_reading():
    stands, differ = adjudicate(np.array([2.0, 4.0, np.inf]), np.array([2.0, 8.0, 6.0]), np.array([9.0, 7.0, np.inf]))
    assert stands.tolist() == [2.0, 8.0, np.inf]
    assert differ.tolist() == [False, True, True]
    never = np.full(4, np.inf)
    stands, _ = adjudicate(np.array([4.0, 6.0, 4.0, np.inf]), np.array([6.0, 4.0, np.inf, 4.0]), never)
    assert stands.tolist() == [6.0, 6.0, np.inf, np.inf]


def test_calibration_reaches_its_targets():
    on_time = Attendance(Assessments.every(8 * WEEK), 48 * WEEK)
    targets = [
        Target("control at landmark", 0.42, at=112),
        Target("objective response", 0.22),
    ]
    found = calibrate(TUMOURS, on_time, targets, ["growth", "shrinkage"], rng=3, evaluations=60)
    assert (abs(found.fit["simulated"] - found.fit["target"]) < 4 * found.fit["std_error"] + 0.01).all()
    with pytest.raises(InvalidValueError, match="free"):
        calibrate(TUMOURS, on_time, targets[:1], ["growth", "shrinkage"], rng=3)


def test_misfit_is_in_units_of_each_targets_scale():
    fit = pd.DataFrame({"target": [9.0, 0.4], "scale": [1.0, 0.02], "simulated": [8.5, 0.46], "std_error": 0.0})
    assert Calibration(TUMOURS, Readers(), fit, {}).misfit == pytest.approx(3.0)  # a share of 0.06, not half a month
    missing = fit.assign(simulated=[np.nan, 0.46])
    assert np.isnan(Calibration(TUMOURS, Readers(), missing, {}).misfit)


def test_the_fit_holds_the_scale_of_each_target():
    targets = [Target("median PFS", 6.0, scale=1.5), Target("objective response", 0.9)]
    found = calibrate(TUMOURS, SCANS, targets, ["growth"], rng=3, patients=200, evaluations=2)
    assert found.fit["scale"].tolist() == [1.5, 0.02]
    differences = found.fit["simulated"] - [6.0, 0.9]
    assert found.misfit == pytest.approx(max(abs(differences[0]) / 1.5, abs(differences[1]) / 0.02))


def test_the_reported_fit_is_that_of_fresh_draws():
    target = Target("overall survival", 0.7, at=10.0)
    on_time = Attendance(Assessments.every(8 * WEEK), 48 * WEEK)
    found = calibrate(TUMOURS, on_time, [target], ["death"], rng=3, patients=500, evaluations=30)
    fresh = simulate_endpoints(found.tumours, on_time, patients=100, trials=5, rng=4)
    assert (found.fit["simulated"].item(), found.fit["std_error"].item()) == target.simulated(fresh)
    assert found.misfit == pytest.approx(abs(target.simulated(fresh).value - 0.7) / target.scale)


def test_of_two_targets_that_exclude_each_other_the_finer_scale_is_met():
    """One hazard of death cannot leave both 0.5 and 0.8 alive at month 10: the misfit counts in units of each scale."""
    on_time = Attendance(Assessments.every(8 * WEEK), 48 * WEEK)
    targets = [Target("overall survival", alive, at=10.0, scale=scale) for alive, scale in ((0.5, 0.01), (0.8, 1.0))]
    found = calibrate(TUMOURS, on_time, targets, ["death"], rng=3, patients=2000, evaluations=40)
    assert found.tumours.death == pytest.approx(np.log(2) / 10, rel=0.15)


def test_a_target_is_read_by_the_reader_that_it_names():
    readers = Readers(0.3, 0.0, independent=True, stops_at_investigator=False)
    result = simulate(readers=readers, trials=50)
    found = {}
    for reader in ("investigator", "independent"):
        found[reader] = Target("objective response", 0.3, reader=reader).simulated(result).value
        assert found[reader] == pytest.approx(result.of(reader).response[0].mean())
    assert found["investigator"] != found["independent"]


def test_the_last_scan_may_be_as_late_as_its_window():
    quiet = Tumours(Stein(Rate(0.0), Rate(0.0)))
    seen = simulate(quiet, Attendance(Assessments([2.0], window=0.5), until=2.0), trials=50).of()
    share = (seen.time[0] > 2.0).mean()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(1500)
    assert (seen.time[0] >= 1.5).all()


def test_stable_disease_counts_from_the_day_of_the_definitions():
    quiet = Tumours(Stein(Rate(0.0), Rate(0.0)))
    on_time = Attendance(Assessments([8 * WEEK]), 8 * WEEK)
    for day, term in ((56, "SD"), (57, "NE")):
        seen = simulate(quiet, on_time, trials=1, definitions=EndpointDefinitions(stable_from=day)).of()
        assert {RECIST.term(int(code)) for code in seen.best[0].ravel()} == {term}


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: Tumours(GROWTH, targets=6), "targets"),
        (lambda: Tumours(GROWTH, nodes=2.0), "nodes"),
        (lambda: Readers(correlation=1.5), "correlation"),
        (lambda: Attendance(Assessments.every(2), 1.0), "until"),
        (lambda: Rate(-0.1), "median"),
        (lambda: PseudoProgression(6), "share"),
        (lambda: Target("PFS rate", 0.5), "at"),
        (lambda: Target("overall survival", 0.5, at=0.0), "at"),
        (lambda: Target("PFS rate", 50, at=6), "value: got 50; expected a share from 0 to 1; give a fraction"),
        (lambda: Target("objective response", -0.1), "value: got -0.1; expected a share"),
        (lambda: Target("overall survival", np.nan, at=6), "value: got nan; expected a share"),
        (lambda: Target("early discordance", "0.1"), "value: got '0.1'; expected a number"),
        (lambda: Target("median PFS", -1), "value: got -1; expected a median above 0; give months"),
        (lambda: Target("median PFS", 0.0), "value: got 0.0; expected a median"),
        (lambda: Target("median PFS", np.inf), "value: got inf; expected a median"),
        (lambda: Target("median PFS", 6.0, scale=0.0), "scale"),
        (lambda: Target("median PFS", 6.0, scale=np.nan), "scale"),
        (lambda: simulate(trials=0), "trials"),
        (lambda: simulate(trials=1).of("independent"), "reader"),
    ],
)
def test_bad_input_is_named(build, field):
    with pytest.raises(InvalidValueError, match=field):
        build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Target("nonsense", 0.5), "quantity: got 'nonsense'"),
        (lambda: calibrated("growht"), "free parameter: got 'growht'.*did you mean growth"),
        (lambda: calibrated("targets"), "free parameter: got 'targets'"),
    ],
)
def test_unknown_names_are_named(build, message):
    with pytest.raises(UnknownNameError, match=message):
        build()


def calibrated(*free):
    return calibrate(TUMOURS, SCANS, [Target("PFS rate", 0.5, at=6.0)], free, rng=1, patients=100, evaluations=2)


@pytest.mark.parametrize("share", [0, 0.0, 1, 1.0, np.float64(0.5)])
def test_a_share_may_be_all_or_nothing(share):
    assert Target("PFS rate", share, at=6).value == share
