"""Arrays of patients are derived as the frame of the same patients is."""

import numpy as np
import pandas as pd
import pytest

from analysis.conventions import DAYS_PER_MONTH
from analysis.endpoints import (
    EORTC,
    BestOverallResponse,
    Confirmation,
    ControlAtLandmark,
    ControlUntilLandmark,
    DepthOfResponse,
    DurationOfDiseaseControl,
    DurationOfResponse,
    EndpointDefinitions,
    ObjectiveResponse,
    ProgressionFreeAtLandmark,
    ProgressionFreeSurvival,
    ResponseRule,
    TimeToResponse,
    TumourGrowthRate,
    derive,
    derive_arrays,
    response_terms,
)
from analysis.endpoints.events import LAST_ASSESSMENT
from analysis.errors import InvalidValueError

PATIENTS, VISITS, LESIONS = 40, 5, 3
DAYS = 56 * np.arange(1, VISITS + 1)
NODES = np.array([False, False, True])


def measured(seed):
    rng = np.random.default_rng(seed)
    sizes = 30 * np.exp(np.cumsum(0.3 * rng.standard_normal((PATIENTS, VISITS + 1, LESIONS)), axis=1))
    sizes = np.round(np.where(sizes < 18, 0, sizes), 1)
    sizes[:, 0] = np.maximum(sizes[:, 0], 20)
    missing = rng.random(sizes.shape) < 0.03
    missing[:, 0] = False
    states = rng.choice(["PRESENT", "PRESENT", "PRESENT", "ABSENT"], (PATIENTS, VISITS + 1))
    states[:, 0] = "PRESENT"
    return (
        np.where(missing, np.nan, sizes),
        states,
        np.where(rng.random(PATIENTS) < 0.3, rng.integers(60, 300, PATIENTS), np.inf),
    )


def as_frame(sizes, states):
    start = pd.Timestamp("2024-01-01")
    dates = [(start + pd.Timedelta(days=int(day))).strftime("%Y-%m-%d") for day in (0, *DAYS)]
    rows = []
    for patient, visit in np.ndindex(PATIENTS, VISITS + 1):
        for lesion in range(LESIONS):
            test = "LPERP" if NODES[lesion] else "LDIAM"
            rows.append((f"S{patient}", f"T{lesion}", "TARGET", test, sizes[patient, visit, lesion], dates[visit]))
        rows.append((f"S{patient}", "N1", "NON-TARGET", "TUMSTATE", states[patient, visit], dates[visit]))
    return pd.DataFrame(rows, columns=["subject", "lesion", "group", "test", "value", "date"])


def places():
    organs = {"T0": "LIVER", "T1": "LUNG", "T2": "LYMPH NODE", "N1": "BONE"}
    rows = [(f"S{patient}", lesion, organ) for patient in range(PATIENTS) for lesion, organ in organs.items()]
    return pd.DataFrame(rows, columns=["subject", "lesion", "organ"])


ENDPOINTS = {
    "best": BestOverallResponse(),
    "confirmed": BestOverallResponse(Confirmation()),
    "response": ObjectiveResponse(),
    "time": ProgressionFreeSurvival(),
    "ttr": TimeToResponse(),
    "dor": DurationOfResponse(),
    "ddc": DurationOfDiseaseControl(),
    "scan": ControlAtLandmark(112),
    "until": ControlUntilLandmark(112),
    "free": ProgressionFreeAtLandmark(112),
    "depth": DepthOfResponse(),
    "growth": TumourGrowthRate(),
}


@pytest.mark.parametrize(("seed", "definitions"), [(1, None), (2, EndpointDefinitions(rule=EORTC))])
def test_arrays_are_derived_as_the_frame_is(seed, definitions):
    sizes, states, death = measured(seed)
    non_target = np.where(states == "PRESENT", "NON-CR/NON-PD", "CR")
    arrays = derive_arrays(sizes, DAYS, nodes=NODES, non_target=non_target, death=death, definitions=definitions)
    died = [(pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(day))) if np.isfinite(day) else None for day in death]
    names = [f"S{patient}" for patient in range(PATIENTS)]
    subjects = pd.DataFrame({"subject": names, "reference": "2024-01-01", "death": died})
    rule = {} if definitions is None else {"rule": EORTC}
    derivation = derive(as_frame(sizes, states), places(), subjects, **rule)
    for axis, criteria in enumerate(("RECIST 1.1", "iRECIST")):
        frame = derivation.endpoints(ENDPOINTS, criteria)

        def column(endpoint, field, frame=frame):
            found = frame[frame["endpoint"] == endpoint].set_index("subject")[field]
            return found.reindex(names).to_numpy()

        assert response_terms(arrays.best[axis], criteria).tolist() == column("best", "value").tolist()
        assert response_terms(arrays.confirmed_best[axis], criteria).tolist() == column("confirmed", "value").tolist()
        assert arrays.response[axis].tolist() == (column("response", "value") == "Y").tolist()
        assert arrays.event[axis].tolist() == column("time", "event").tolist()
        months = {
            "time": arrays.time,
            "ttr": arrays.time_to_response,
            "dor": arrays.duration_of_response,
            "ddc": arrays.disease_control,
        }
        for endpoint, values in months.items():
            np.testing.assert_allclose(values[axis] * 30.4375, column(endpoint, "days").astype(float), atol=1e-6)
        for number, endpoint in enumerate(("scan", "until", "free")):
            assert arrays.control[axis, :, 1, number].tolist() == (column(endpoint, "value") == "Y").tolist()
        if axis == 0:
            for endpoint, sizes_of in {"depth": arrays.depth, "growth": arrays.growth}.items():
                np.testing.assert_allclose(sizes_of, column(endpoint, "per_cent").astype(float), atol=1e-6)


def test_sums_without_a_lesion_are_no_measure_of_size():
    first_missing = derive_arrays([[[30, 30], [30, np.nan], [30, 30]]], [56, 112])
    assert first_missing.growth.tolist() == [0.0]
    progressed = derive_arrays([[[30, 30], [21, 30], [75, np.nan]], [[30, 30], [75, np.nan], [30, 30]]], [56, 112])
    np.testing.assert_allclose(progressed.depth, [-15, np.nan])
    assert np.isnan(progressed.growth).tolist() == [False, True]


def test_new_lesions_confirm_from_the_day_that_the_rule_names():
    for days, best in {(56, 83): "iUPD", (56, 84): "iCPD", (56, 83, 84): "iCPD"}.items():
        seen = derive_arrays(np.full((1, len(days) + 1, 1), 30.0), days, new_lesions=[0] + [1] * len(days))
        assert response_terms(seen.best[1], "iRECIST").tolist() == [best]


def test_new_lesions_confirm_until_the_day_that_the_rule_names():
    four_to_eight_weeks = EndpointDefinitions(rule=ResponseRule(confirm_from=28, confirm_until=56))
    for days, best in {(56, 83): "iUPD", (56, 84): "iCPD", (56, 112): "iCPD", (56, 113): "iUPD"}.items():
        sizes, new = np.full((1, len(days) + 1, 1), 30.0), [0] + [1] * len(days)
        seen = derive_arrays(sizes, days, new_lesions=new, definitions=four_to_eight_weeks)
        assert response_terms(seen.best[1], "iRECIST").tolist() == [best]


def test_a_rule_gives_each_kernel_what_it_reads():
    rule = ResponseRule(reappearance_is_progression=True, confirm_from=28, confirm_until=56)
    assert rule.compiled == (False, True)
    assert rule.window == (28.0, 56.0)
    assert all(type(day) is float for day in rule.window)  # another type would compile the kernels anew
    settings = EndpointDefinitions(rule=rule).compiled
    assert (settings.response, settings.window) == (rule.compiled, rule.window)


def one_patient(states, new):
    """One patient whose target stays at 60 mm, as a frame."""
    rows = []
    for visit, date in enumerate(("2024-01-01", "2024-02-26", "2024-04-22")):
        rows.append(("S1", "T1", "TARGET", "LDIAM", 60, date))
        if states is not None:
            rows.append(("S1", "N1", "NON-TARGET", "TUMSTATE", states[visit], date))
        if visit:
            rows.append(("S1", "X1", "NEW", "TUMSTATE", "UNEQUIVOCAL" if new[visit] else "ABSENT", date))
    return pd.DataFrame(rows, columns=["subject", "lesion", "group", "test", "value", "date"])


STATES = {"PRESENT": "NON-CR/NON-PD", "UNEQUIVOCAL PROGRESSION": "PD", "ABSENT": "CR", "NOT EVALUABLE": "NE"}


@pytest.mark.parametrize("last", ["PRESENT", "ABSENT", "NOT EVALUABLE"])
def test_progression_that_is_gone_or_not_evaluable_confirms_nothing(last):
    cases = [([*list(STATES)[:2], last], [0, 0, 0]), (None, [0, 1, 0])]
    for states, new in cases:
        expected = derive(one_patient(states, new)).responses()["irecist"].tolist()
        assert expected == ["iUPD", "iSD"]
        non_target = None if states is None else [[STATES[state] for state in states]]
        seen = derive_arrays([[[60], [60], [60]]], [56, 112], non_target=non_target, new_lesions=[new])
        assert response_terms(seen.best[1], "iRECIST").tolist() == ["iSD"]
        assert (seen.event[:, 0].tolist(), seen.reason[1, 0]) == ([True, False], LAST_ASSESSMENT)


def test_progression_that_is_still_there_confirms_itself():
    for further in ({"new_lesions": [0, 1, 1]}, {"non_target": ["NON-CR/NON-PD", "PD", "PD"]}):
        seen = derive_arrays([[[60], [60], [60]]], [56, 112], **further)
        assert response_terms(seen.best[1], "iRECIST").tolist() == ["iCPD"]


def test_a_visit_that_did_not_happen_is_not_used():
    once, twice = (derive_arrays([[[60], [42], [42]]], [[56, day]]) for day in (np.inf, 112))
    assert response_terms(once.confirmed_best[0]).tolist() == ["SD"]
    assert response_terms(twice.confirmed_best[0]).tolist() == ["PR"]
    grown = derive_arrays([[[60], [60], [90]]], [[56, np.inf]])
    assert not grown.event.any()
    np.testing.assert_allclose(grown.time * DAYS_PER_MONTH, 56)


@pytest.mark.parametrize("last", [30, 45])
@pytest.mark.parametrize("death", [np.inf, 105, 112, 113])
def test_control_until_a_landmark_ends_with_progression_or_death(last, death):
    days, sizes = [56, 100, 110, 168], [30, 30, 30, last, 30]
    seen = derive_arrays(np.reshape(sizes, (1, 5, 1)), days, death=[death])
    dates = [f"{pd.Timestamp('2024-01-01') + pd.Timedelta(days=day):%Y-%m-%d}" for day in (0, *days)]
    rows = [("S1", "T1", "TARGET", "LDIAM", *row) for row in zip(sizes, dates, strict=True)]
    frame = pd.DataFrame(rows, columns=["subject", "lesion", "group", "test", "value", "date"])
    died = pd.Timestamp("2024-01-01") + pd.Timedelta(days=death) if np.isfinite(death) else None
    subjects = pd.DataFrame({"subject": ["S1"], "reference": "2024-01-01", "death": [died]})
    derivation = derive(frame, None, subjects)
    for axis, criteria in enumerate(("RECIST 1.1", "iRECIST")):
        value = derivation.endpoints({"until": ControlUntilLandmark(112)}, criteria)["value"].item()
        progressed = last == 45 and (criteria == "RECIST 1.1" or death < 168)
        assert value == ("N" if progressed or death <= 112 else "Y")
        assert seen.control[axis, 0, 1, 1] == (value == "Y")


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_a_patient_without_targets_at_baseline_is_judged_without_them(nothing):
    days, stable, gone = [56, 112], ["NON-CR/NON-PD"] * 3, ["NON-CR/NON-PD", "CR", "CR"]
    sizes, none = np.full((4, 3, 2), nothing), np.zeros((3, 3, 0))
    sizes[3] = [[30, nothing], [21, nothing], [24, nothing]]
    padded = derive_arrays(sizes, days, non_target=[stable, gone, [None] * 3, stable], new_lesions=0)
    bare = derive_arrays(none, days, non_target=[stable, gone, [None] * 3])
    alone = derive_arrays([[[30], [21], [24]]], days, non_target=stable)
    assert response_terms(padded.best[0]).tolist() == ["NON-CR/NON-PD", "CR", "NE", "PR"]
    for field in padded._fields:
        found, first, last = (getattr(seen, field) for seen in (padded, bare, alone))
        np.testing.assert_array_equal(found, np.concatenate([first, last], axis=min(first.ndim - 1, 1)))


def test_endpoints_can_be_derived_without_a_landmark():
    sizes = [[[60.0], [42.0], [51.0]]]
    seen = derive_arrays(sizes, [56, 112], definitions=EndpointDefinitions(landmarks=()))
    assert seen.control.shape == (2, 1, 0, 3)
    np.testing.assert_array_equal(seen.time, derive_arrays(sizes, [56, 112]).time)


def test_wrong_arrays_are_named():
    right = np.full((2, 3, 1), 30.0)
    wrong = {
        "diameters: got": [(right[0], [56, 112], {}), (-right, [56, 112], {}), ("x", [56, 112], {})],
        "days: got": [(right, [56], {}), (right, [112, 56], {}), (right, [56, np.nan], {})],
        "nodes: got": [(right, [56, 112], {"nodes": [True, False, True]})],
        "death: got": [(right, [56, 112], {"death": [1, 2, 3]})],
        "new_lesions: got": [
            (right, [56, 112], {"new_lesions": new}) for new in ([0, 1], [0, np.nan, 1], [0, -1, 0], np.inf, 0.5)
        ],
        "non_target: got": [
            (right, [56, 112], {"non_target": ["CR", "CR", term]}) for term in ("SD", "MISSING", np.nan)
        ],
        "definitions: got": [(right, [56, 112], {"definitions": "EORTC"})],
    }
    for message, calls in wrong.items():
        for sizes, days, further in calls:
            with pytest.raises(InvalidValueError, match=message):
                derive_arrays(sizes, days, **further)
    without_baseline = right.copy()
    without_baseline[1, 0] = np.nan
    with pytest.raises(InvalidValueError, match="none missing at baseline"):
        derive_arrays(without_baseline, [56, 112])
    right[1] = [[0.0], [0.0], [30.0]]
    with pytest.raises(InvalidValueError, match="no diameter above 0 mm after a baseline without one"):
        derive_arrays(right, [56, 112])


def test_a_target_that_was_missed_at_iupd_does_not_confirm_it_by_coming_back():
    diameters = [[[30.0, 30.0], [80.0, np.nan], [80.0, 30.0]]]
    assert response_terms(derive_arrays(diameters, [56, 112]).best[1], "iRECIST").tolist() == ["iUPD"]


def test_a_scan_on_the_day_of_death_or_at_the_end_of_follow_up_is_used():
    grown = [[[30.0], [30.0], [60.0]]]
    for field in ("death", "last"):
        for day, progression in ((111, np.inf), (112, 112 / 30.4375)):
            seen = derive_arrays(grown, [56, 112], **{field: [day]})
            assert seen.progression[0] == pytest.approx(progression)
            assert response_terms(seen.best[0]).tolist() == ["SD"]
            assert bool(seen.event[0, 0]) == (field == "death" or day == 112)


def test_death_is_an_event_but_no_progression():
    seen = derive_arrays([[[30.0], [30.0]]], [56], death=[100])
    assert seen.event.tolist() == [[True], [True]]
    assert seen.time[:, 0] * 30.4375 == pytest.approx(100)
    assert np.isinf(seen.progression).all()


@pytest.mark.parametrize(("unconfirmed", "expected"), [("failure", "NN"), ("control", "YY"), ("resolved later", "YN")])
def test_iupd_at_a_landmark_counts_as_the_definitions_say(unconfirmed, expected):
    resolved, confirmed = [30.0, 30.0, 40.0, 20.0], [30.0, 30.0, 40.0, 60.0]
    definitions = EndpointDefinitions(unconfirmed=unconfirmed)
    sizes = np.array([resolved, confirmed])[:, :, None]
    seen = derive_arrays(sizes, [56, 112, 168], definitions=definitions)
    assert "".join("Y" if had else "N" for had in seen.control[1, :, 1, 0]) == expected
    assert not seen.control[0, :, 1, 0].any()


def test_what_would_confirm_after_the_window_does_not():
    grown = [[[30.0], [40.0], [60.0]]]
    for day, best in ((112, "iCPD"), (113, "iUPD")):
        definitions = EndpointDefinitions(rule=ResponseRule(confirm_until=56))
        seen = derive_arrays(grown, [56, day], definitions=definitions)
        assert response_terms(seen.best[1], "iRECIST").tolist() == [best]
    assert response_terms(derive_arrays(grown, [56, 113]).best[1], "iRECIST").tolist() == ["iCPD"]


@pytest.mark.parametrize("day", [42, 125, 127, 245, 250, 254, 490])
def test_a_visit_is_on_the_day_that_it_is_given_on(day):
    definitions = EndpointDefinitions(landmarks=(day,) * 4, before=0, after=0, stable_from=day)
    seen = derive_arrays([[[30.0], [30.0]]], [day], definitions=definitions)
    assert response_terms(seen.best[0]).tolist() == ["SD"]
    assert seen.control[0, 0, 0, :2].tolist() == [True, True]
    later = EndpointDefinitions(landmarks=(day + 1,) * 4, before=0, after=0, stable_from=day + 1)
    seen = derive_arrays([[[30.0], [30.0]]], [day], definitions=later)
    assert response_terms(seen.best[0]).tolist() == ["NE"]
    assert not seen.control.any()


def test_a_landmarks_scan_may_be_as_early_and_as_late_as_the_definitions_say():
    definitions = EndpointDefinitions(before=7, after=21)
    for day, at_landmark in ((104, False), (105, True), (133, True), (134, False)):
        seen = derive_arrays([[[30.0], [30.0]]], [day], definitions=definitions)
        assert bool(seen.control[0, 0, 1, 0]) == at_landmark


@pytest.mark.parametrize("field", ["death", "last"])
def test_what_did_not_happen_is_inf(field):
    with pytest.raises(InvalidValueError, match=f"{field}: got 'NaN'"):
        derive_arrays([[[60], [42]]], [56], **{field: [np.nan]})
