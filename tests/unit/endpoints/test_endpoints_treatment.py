"""Treatment that ends before the disease progresses: what it does to doses, endpoints and estimands."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from analysis.conventions import WEEK
from analysis.design import Assessments
from analysis.endpoints import Attendance, Rate, Stein, Treatment, Tumours, simulate_endpoints, simulated_measurements
from analysis.endpoints.batch import empty
from analysis.endpoints.treatment import after_treatment, with_failures
from analysis.endpoints.tumours import Disease
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.safety import Course, TreatmentCourse, dose_given
from analysis.safety.course import ADVERSE_EVENT, OTHER, PLANNED_END

TUMOURS = Tumours(Stein(Rate(0.05, 0.6), Rate(0.15, 0.6)), new_lesions=0.05, death=0.03)
SCANS = Attendance(Assessments([8 * WEEK, 16 * WEEK, 24 * WEEK, 48 * WEEK, 72 * WEEK]), until=72 * WEEK)
COURSE = TreatmentCourse(0.2, frailty=0.5, interrupts=0.5, reduces=0.3, ends=0.25, other=0.02, longest=12.0)


def simulate(treatment=None, trials=200, **options):
    return simulate_endpoints(TUMOURS, SCANS, patients=30, trials=trials, rng=4, treatment=treatment, **options)


def control(result, landmark=1):
    return result.of().control[0, :, :, landmark, 0]


def test_events_are_poisson_with_a_gamma_factor():
    rng = np.random.default_rng(1)
    plain = TreatmentCourse(0.3).draw(20_000, 12.0, rng)
    count = np.isfinite(plain.event).sum(axis=1)
    assert count.mean() == pytest.approx(3.6, abs=4 * np.sqrt(3.6 / 20_000))
    assert count.var() == pytest.approx(3.6, rel=0.05)
    frail = TreatmentCourse(0.3, frailty=1.0).draw(20_000, 12.0, rng)
    count = np.isfinite(frail.event).sum(axis=1)
    assert count.mean() == pytest.approx(3.6, rel=0.05)
    assert count.var() == pytest.approx(3.6 + 3.6**2, rel=0.08)


def test_treatment_ends_at_the_first_reason_and_events_end_with_it():
    course = COURSE.draw(20_000, 16.0, np.random.default_rng(2))
    assert set(np.unique(course.why)) == {PLANNED_END, ADVERSE_EVENT, OTHER}
    assert (course.stop <= 12).all()
    assert (np.where(np.isfinite(course.event), course.event, 0).max(axis=1) <= course.stop).all()
    # without frailty an end for an adverse event is exponential
    steady = TreatmentCourse(0.2, ends=0.25).draw(20_000, 16.0, np.random.default_rng(3))
    assert (steady.stop > 6).mean() == pytest.approx(np.exp(-0.05 * 6), abs=0.012)


def test_no_event_at_all_and_no_rate_are_a_course_too():
    course = TreatmentCourse(0.0).draw(5, 12.0, np.random.default_rng(1))
    assert np.isinf(course.stop).all()
    assert dose_given(course, np.full(5, 7.0)).tolist() == [7.0] * 5


@pytest.mark.parametrize(
    ("event", "away", "level", "until", "given"),
    [
        ([2.0], [0.0], [1.0], 6.0, 6.0),
        ([2.0], [1.0], [1.0], 6.0, 5.0),
        ([2.0], [1.0], [0.5], 6.0, 2 + 3 * 0.5),
        ([2.0], [10.0], [0.5], 6.0, 2.0),
        ([2.0, 2.5], [1.0, 0.0], [1.0, 0.5], 6.0, 2 + 3 * 0.5),  # an event during an interruption does not end it
        ([2.0, 4.0], [0.5, 1.0], [0.5, 0.25], 6.0, 2 + 1.5 * 0.5 + 0.25),
        ([7.0], [1.0], [0.5], 6.0, 6.0),
    ],
)
def test_dose_given(event, away, level, until, given):
    course = Course(np.array([np.inf]), np.zeros(1, np.int8), *(np.array([part]) for part in (event, away, level)))
    assert dose_given(course, np.array([until])).tolist() == pytest.approx([given])


def test_an_end_that_nobody_feels_changes_no_patient():
    plain, policy, hypothetical = simulate(), simulate(Treatment(COURSE)), simulate(Treatment(COURSE, "hypothetical"))
    for one in (policy, hypothetical):
        for first, second in zip(plain.of(), one.of(), strict=True):
            np.testing.assert_array_equal(first, second)
    felt = simulate(Treatment(COURSE, "hypothetical", regrowth=Rate(0.5)))
    np.testing.assert_array_equal(felt.of().time, plain.of().time)


def test_regrowth_after_the_end_makes_progression_come_sooner():
    plain, felt = simulate(), simulate(Treatment(COURSE, regrowth=Rate(0.5)))
    assert (felt.of().time <= plain.of().time + 1e-12).mean() > 0.95
    assert control(felt, 3).mean() < control(plain, 3).mean() - 0.05
    assert simulate(Treatment(COURSE, progresses=5.0)).of().event.mean() > plain.of().event.mean()
    stopped = felt.treated.months[0] < 12
    assert stopped.any()


def test_while_on_treatment_no_scan_after_its_end_is_used():
    result = simulate(Treatment(COURSE, "while on treatment"))
    assert (result.of().time[0] <= result.treated.months[0] + 1e-6).all()
    ended = result.treated.why[0] == ADVERSE_EVENT
    early = ended & (result.treated.months[0] < 14 * WEEK)
    assert not control(result)[early].any()


def test_composite_counts_an_end_for_an_adverse_event_as_failure():
    plain, composite = simulate(), simulate(Treatment(COURSE, "composite"))
    ended = composite.treated.why[0] == ADVERSE_EVENT
    assert composite.of().event[0][ended].all()
    np.testing.assert_allclose(composite.of().time[0][ended], composite.treated.months[0][ended])
    np.testing.assert_array_equal(composite.of().time[0][~ended], plain.of().time[0][~ended])
    assert control(composite).mean() < control(plain).mean()
    assert not control(composite, 3)[ended & (composite.treated.months[0] < 48 * WEEK)].any()


def test_survival_and_the_disease_are_those_of_the_same_patients():
    strategies = ("treatment policy", "hypothetical", "while on treatment", "composite")
    results = [simulate(Treatment(COURSE, name, regrowth=Rate(0.3))) for name in strategies]
    for one in results[1:]:
        np.testing.assert_array_equal(one.survival.time, results[0].survival.time)
    rates = {name: control(one, 3).mean() for name, one in zip(strategies, results, strict=True)}
    assert rates["hypothetical"] > rates["treatment policy"] > rates["composite"]


def test_the_summary_of_safety_adds_up():
    result = simulate(Treatment(COURSE))
    table = result.safety().set_index("endpoint")["value"]
    ends = table[table.index.str.startswith("treatment ended")]
    assert ends.sum() + table["treatment ongoing"] == pytest.approx(1.0)
    assert table["treatment ended: planned end"] > 0.01
    seen = result.treated
    assert table["relative dose intensity"] == pytest.approx(
        (seen.dose[0].sum(axis=1) / seen.months[0].sum(axis=1)).mean()
    )
    assert table["adverse events"] == pytest.approx(0.2, abs=0.02)
    assert 0.5 < table["relative dose intensity"] < 1
    # progression by iRECIST comes later, so treatment goes on for longer
    assert (seen.months[1] >= seen.months[0]).all()
    with pytest.raises(InvalidValueError, match="treatment"):
        simulate().safety()


def test_same_seed_same_bits_on_threads():
    treatment = Treatment(COURSE, regrowth=Rate(0.3, 0.5))
    alone = simulate(treatment, trials=600)
    with ThreadPoolExecutor(2) as executor:
        together = simulate(treatment, trials=600, executor=executor)
    for first, second in zip((*alone.of(), *alone.treated), (*together.of(), *together.treated), strict=True):
        np.testing.assert_array_equal(first, second)


def test_measurements_of_a_trial_show_the_regrowth():
    felt = simulate(Treatment(COURSE, regrowth=Rate(1.0)), trials=2)
    tr = simulated_measurements(felt, 1).tr
    plain = simulated_measurements(simulate(trials=2), 1).tr
    assert len(tr) == len(plain)
    assert not tr["value"].equals(plain["value"])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: TreatmentCourse(-0.1), InvalidValueError),
        (lambda: TreatmentCourse(0.1, ends=25), InvalidValueError),
        (lambda: TreatmentCourse(0.1, levels=(0.5, 0.7)), InvalidValueError),
        (lambda: TreatmentCourse(0.1, levels=(1.0,)), InvalidValueError),
        (lambda: TreatmentCourse(0.1, levels=()), InvalidValueError),
        (lambda: TreatmentCourse(0.1, longest=0), InvalidValueError),
        (lambda: Treatment(0.1), InvalidValueError),
        (lambda: Treatment(COURSE, "policy"), UnknownNameError),
        (lambda: Treatment(COURSE, regrowth=0.5), InvalidValueError),
        (lambda: simulate(COURSE), InvalidValueError),
        (lambda: replace(Treatment(COURSE), progresses=-1), InvalidValueError),
    ],
)
def test_wrong_calls_are_refused_by_name(call, error):
    with pytest.raises(error, match="expected"):
        call()


def test_lesions_regrow_from_their_size_at_the_end_of_treatment():
    month = np.array([[2.0, 4.0, 6.0]])
    diameter = np.array([[[50.0], [40.0], [30.0], [20.0]]])
    nothing = np.array([np.inf])
    disease = Disease(
        diameter, np.zeros((1, 1), bool), nothing, nothing, nothing, np.ones(1, bool), np.zeros(1, bool), None
    )
    treatment = Treatment(COURSE, regrowth=Rate(0.2), progresses=2.0)
    rng = np.random.default_rng(1)
    found = after_treatment(disease, month, np.array([[35.0]]), np.array([3.0]), treatment, rng)
    expected = [50.0, 40.0, 35 * np.exp(0.2), 35 * np.exp(0.6)]
    assert found.diameter[0, :, 0] == pytest.approx(expected)
    later = disease._replace(new_lesion=np.array([7.0]), non_target=np.array([2.0]))
    found = after_treatment(later, month, np.array([[35.0]]), np.array([3.0]), treatment, rng)
    assert (found.new_lesion[0], found.non_target[0]) == (5.0, 2.0)  # half of the four months that were left
    untouched = after_treatment(disease, month, np.array([[35.0]]), np.array([np.inf]), treatment, rng)
    np.testing.assert_array_equal(untouched.diameter, diameter)


def test_a_failure_before_the_landmark_is_no_control_at_it():
    found = empty(2, 2)
    found.control[:] = True
    found.time[:] = 12.0
    course = Course(
        np.array([5.0, 5.0]), np.array([ADVERSE_EVENT, PLANNED_END], np.int8), *[np.zeros((2, 0)) for _ in range(3)]
    )
    failed = with_failures(found, course, np.array([4.0, 6.0]))
    assert failed.control[0, 0, :, 0].tolist() == [True, False]
    assert failed.control[0, 1].all()
    assert failed.time[0].tolist() == [5.0, 12.0]
    assert failed.event[0].tolist() == [True, False]
