"""Censoring rules, times of responders, and disease control by its definitions."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from analysis.endpoints import (
    BestOverallResponse,
    Censoring,
    ClinicalBenefit,
    Confirmation,
    ConfirmedProgression,
    ControlAsBestResponse,
    ControlAtLandmark,
    ControlUntilLandmark,
    DurationOfDiseaseControl,
    DurationOfResponse,
    LastAssessment,
    ProgressionFreeAtLandmark,
    ProgressionFreeSurvival,
    ResponseHistory,
    TimeToResponse,
    UnconfirmedProgression,
)
from analysis.errors import InvalidValueError, UnknownNameError

START = date(2024, 1, 1)


def history(days, responses, criteria="RECIST 1.1", **dated):
    when = {name: START + timedelta(days=day) for name, day in dated.items()}
    return ResponseHistory("S1", START, [START + timedelta(days=day) for day in days], responses, criteria, **when)


def pfs(*args, rule=None, **dated):
    seen = ProgressionFreeSurvival(rule or Censoring()).derive(history(*args, **dated))
    return seen.days, seen.event, seen.reason


FDA = Censoring.fda(longest_gap=126)


def test_progression_free_survival():
    assert pfs([56, 112], ["SD", "PD"]) == (112, True, "progression")
    assert pfs([56, 112], ["SD", "PD"], death=60) == (60, True, "death")
    assert pfs([56, 112], ["SD", "NE"]) == (56, False, "last assessment")
    assert pfs([56, 112], ["SD", "NE"], rule=Censoring(evaluable_only=False)) == (112, False, "last assessment")
    assert pfs([], []) == (0, False, "reference date")


def test_fda_censoring():
    assert pfs([56, 112], ["SD", "PD"], rule=FDA, new_therapy=70) == (56, False, "new therapy")
    assert pfs([56, 112], ["SD", "PD"], new_therapy=70) == (112, True, "progression")
    assert pfs([56, 112], ["SD", "PD"], rule=FDA, new_therapy=112) == (56, False, "new therapy")
    assert pfs([56, 112], ["SD", "PD"], rule=FDA, new_therapy=113) == (112, True, "progression")
    assert pfs([56], ["SD"], rule=FDA, new_therapy=90, death=90) == (56, False, "new therapy")
    assert pfs([56, 112], ["SD", "PD"], rule=FDA, discontinuation=112) == (112, True, "progression")
    assert pfs([56, 300], ["SD", "PD"], rule=FDA) == (56, False, "missed assessments")
    assert pfs([56, 182], ["SD", "PD"], rule=FDA) == (182, True, "progression")
    assert pfs([56], ["SD"], rule=FDA, death=300) == (56, False, "missed assessments")
    assert pfs([56, 112], ["SD", "PD"], rule=FDA, discontinuation=80) == (56, False, "discontinuation")
    assert pfs([56, 112], ["SD", "NE"], rule=FDA) == (56, False, "last assessment")
    bare = ResponseHistory("S1", START, [START + timedelta(days=56)], ["PD"], has_baseline=False)
    assert ProgressionFreeSurvival(FDA).derive(bare).reason == "no baseline"
    with pytest.raises(InvalidValueError, match="longest_gap"):
        Censoring.fda(longest_gap=0)


def test_the_earlier_of_therapy_and_discontinuation_decides():
    scans = [56, 112, 168], ["SD", "SD", "PD"]
    assert pfs(*scans, rule=FDA, discontinuation=60, new_therapy=120) == (56, False, "discontinuation")
    assert pfs(*scans, rule=FDA, discontinuation=120, new_therapy=60) == (56, False, "new therapy")
    assert pfs(*scans, rule=FDA, discontinuation=112, new_therapy=112) == (56, False, "new therapy")
    assert pfs(*scans, rule=FDA, discontinuation=112, new_therapy=120) == (112, False, "discontinuation")
    assert pfs(*scans, rule=Censoring(at_new_therapy=True), discontinuation=60, new_therapy=120)[0] == 112


@pytest.mark.parametrize(
    ("rule", "ended"),
    [
        (Censoring(at_new_therapy=True), {"new_therapy": 60}),
        (Censoring(at_new_therapy=True), {"new_therapy": 112}),
        (Censoring(at_discontinuation=True), {"discontinuation": 60}),
        (FDA, {"discontinuation": 60, "new_therapy": 80}),
    ],
)
def test_scans_after_what_censors_leave_an_iupd_as_it_was(rule, ended):
    for later in ([], ["iSD"], ["iCPD"], ["iUPD", "iPR"]):
        responses = ["iUPD", *later]
        assert pfs([56, 112, 168][: len(responses)], responses, "iRECIST", rule=rule, **ended)[:2] == (56, True)
    open_end = replace(rule, unresolved_counts=False)
    assert not pfs([56, 112], ["iUPD", "iCPD"], "iRECIST", rule=open_end, **ended)[1]
    assert pfs([56, 112], ["iUPD", "iSD"], "iRECIST", **ended) == (112, False, "last assessment")


def test_a_scan_on_the_day_of_the_therapy_is_not_used_and_one_on_that_of_discontinuation_is():
    therapy, stop = Censoring(at_new_therapy=True), Censoring(at_discontinuation=True)
    scans = [56, 112], ["iUPD", "iSD"], "iRECIST"
    assert pfs(*scans, rule=therapy, new_therapy=112) == (56, True, "progression")
    assert pfs(*scans, rule=stop, discontinuation=112) == (112, False, "discontinuation")
    assert pfs(*scans, rule=therapy, new_therapy=113) == (112, False, "new therapy")
    assert pfs(*scans, rule=therapy, new_therapy=56) == (0, False, "new therapy")


def test_irecist_progression_is_dated_at_the_block():
    days = [56, 112, 168, 224]
    assert pfs(days, ["iUPD", "iSD", "iUPD", "iCPD"], "iRECIST")[0] == 168
    assert pfs(days, ["iUPD", "NE", "iUPD", "iCPD"], "iRECIST")[0] == 56
    assert pfs(days, ["iSD", "iUPD", "NE", "iUPD"], "iRECIST") == (112, True, "progression")
    open_end = Censoring(unresolved_counts=False)
    assert pfs(days, ["iSD", "iUPD", "NE", "iUPD"], "iRECIST", rule=open_end) == (224, False, "last assessment")
    assert pfs(days, ["iUPD", "iPR", "iPR", "iPR"], "iRECIST") == (224, False, "last assessment")


@pytest.mark.parametrize("nothing", ["NE", "ND", "MISSING", None])
def test_a_record_that_is_not_evaluable_says_nothing(nothing):
    assert pfs([56, 112, 168], ["iSD", "iUPD", nothing], "iRECIST", death=200) == (112, True, "progression")
    assert pfs([56, 112], ["iUPD", nothing], "iRECIST") == (56, True, "progression")
    assert pfs([56, 70, 90], ["iUPD", nothing, "iCPD"], "iRECIST") == (56, True, "progression")
    assert pfs([56, 70, 90], ["iUPD", nothing, "iSD"], "iRECIST") == (90, False, "last assessment")
    assert pfs([56, 112], ["SD", nothing]) == (56, False, "last assessment")
    confirmed, open_end = (history([56, 70, 90], ["iUPD", nothing, last], "iRECIST") for last in ("iCPD", nothing))
    day_56 = START + timedelta(days=56)
    assert ConfirmedProgression().derive(confirmed).date == BestOverallResponse().derive(confirmed).date == day_56
    assert UnconfirmedProgression().derive(open_end).date == day_56
    assert LastAssessment(evaluable_only=True).derive(open_end).date == day_56


def test_icpd_that_no_iupd_precedes_is_one_progression_for_all_endpoints():
    for responses, best, day in (
        (["iCPD"], "iCPD", 56),
        (["NE", "iCPD"], "iCPD", 112),
        (["iPR", "iCPD"], "iPR", 56),
        (["iUPD", "NE", "iCPD"], "iCPD", 56),
    ):
        seen = history([56, 112, 168][: len(responses)], responses, "iRECIST")
        found = BestOverallResponse().derive(seen)
        assert (found.value, found.date) == (best, START + timedelta(days=day))
        progressed = ProgressionFreeSurvival().derive(seen)
        confirmed = ConfirmedProgression().derive(seen)
        assert progressed.event
        assert (confirmed.value, confirmed.date) == ("Y", progressed.end)


def test_times_of_responders():
    seen = history([56, 112, 168], ["SD", "PR", "PD"])
    assert TimeToResponse().derive(seen).days == 112
    duration = DurationOfResponse().derive(seen)
    assert (duration.days, duration.cdisc_days, duration.event) == (56, 57, True)
    assert DurationOfResponse(Confirmation()).derive(seen) is None
    assert DurationOfDiseaseControl().derive(seen).days == 168
    assert DurationOfDiseaseControl().derive(history([56], ["PD"])) is None
    assert DurationOfDiseaseControl().derive(history([30], ["SD"])) is None
    assert DurationOfDiseaseControl(BestOverallResponse(Confirmation())).derive(history([30], ["PR"])) is None


def test_a_response_after_progression_or_a_new_therapy_has_no_time():
    assert TimeToResponse().derive(history([56, 112], ["PD", "PR"])) is None
    assert TimeToResponse().derive(history([56, 112], ["SD", "PR"], new_therapy=112)) is None
    assert TimeToResponse().derive(history([56, 112], ["SD", "PR"], new_therapy=113)).days == 112


def test_times_of_responders_are_censored_as_progression_is():
    seen = history([56, 112, 168], ["PR", "PR", "PD"], new_therapy=130)
    at_therapy = Censoring(at_new_therapy=True)
    response, control = DurationOfResponse(censoring=at_therapy), DurationOfDiseaseControl(censoring=at_therapy)
    for endpoint, days in ((response, 56), (control, 112)):
        found = endpoint.derive(seen)
        assert (found.days, found.event, found.reason) == (days, False, "new therapy")
    assert DurationOfResponse().derive(seen).days == 112


def test_a_response_after_the_patient_is_censored_lasts_no_time():
    seen = history([56, 112], ["SD", "PR"], discontinuation=80)
    found = DurationOfResponse(censoring=Censoring(at_discontinuation=True)).derive(seen)
    assert (found.days, found.event, found.start, found.end) == (0, False, seen.dates[1], seen.dates[1])


def control(*args, landmark=112, **options):
    seen = history(*args)
    return "".join(
        endpoint.derive(seen).value
        for endpoint in (
            ControlAsBestResponse(),
            ControlAtLandmark(landmark, **options),
            ControlUntilLandmark(landmark),
            ProgressionFreeAtLandmark(landmark),
        )
    )


def test_the_four_definitions_differ():
    assert control([56, 112], ["SD", "SD"]) == "YYYY"
    assert control([56, 112], ["SD", "PD"]) == "YNNN"
    assert control([56, 168], ["SD", "SD"]) == "YNYY"
    assert control([56, 168], ["SD", "PD"]) == "YNNY"
    assert control([56], ["SD"]) == "YNNN"
    assert control([30], ["SD"]) == "NNNN"
    assert control([56, 110, 114], ["SD", "NE", "NON-CR/NON-PD"]) == "YYYY"


def is_controlled(endpoint, days, responses, **dated):
    return endpoint.derive(history(days, responses, **dated)).value == "Y"


def test_a_scan_is_at_the_landmark_from_its_earliest_to_its_latest_day():
    early, late = ControlAtLandmark(112, before=28, after=7), ControlAtLandmark(112, before=7, after=28)
    for endpoint, first, last in ((early, 84, 119), (late, 105, 140)):
        seen = [day for day in range(56, 168) if is_controlled(endpoint, [day], ["SD"])]
        assert (seen[0], seen[-1]) == (first, last)
        assert len(seen) == last - first + 1


def test_the_scan_nearest_to_the_landmark_decides_and_the_earlier_of_two():
    assert is_controlled(ControlAtLandmark(112), [108, 115], ["PR", "PD"]) is False
    assert is_controlled(ControlAtLandmark(112), [109, 116], ["PR", "PD"]) is True
    assert is_controlled(ControlAtLandmark(112), [109, 115], ["PR", "PD"]) is True


def test_control_until_a_landmark_needs_a_scan_from_its_earliest_day_on():
    for before, first in ((14, 98), (28, 84)):
        endpoint = ControlUntilLandmark(112, before)
        assert [is_controlled(endpoint, [day], ["SD"]) for day in (first - 1, first, 400)] == [False, True, True]


def test_freedom_from_progression_reaches_over_the_whole_window():
    endpoint = ProgressionFreeAtLandmark(112, before=28, after=7)
    assert [is_controlled(endpoint, [56, day], ["SD", "PD"]) for day in (119, 120)] == [False, True]
    assert [is_controlled(endpoint, [56], ["SD"], death=day) for day in (119, 120)] == [False, True]
    assert [is_controlled(endpoint, [56, day], ["SD", "SD"]) for day in (83, 84)] == [False, True]


def test_freedom_from_progression_is_censored_as_it_is_told():
    scans = [56, 112], ["SD", "SD"]
    at_therapy = ProgressionFreeAtLandmark(112, censoring=Censoring(at_new_therapy=True))
    assert is_controlled(at_therapy, *scans, new_therapy=70) is False
    assert is_controlled(ProgressionFreeAtLandmark(112), *scans, new_therapy=70) is True


def test_a_scan_after_a_new_therapy_shows_no_disease_control():
    for endpoint in (ControlAtLandmark(112), ControlUntilLandmark(112)):
        assert is_controlled(endpoint, [56, 112], ["SD", "SD"], new_therapy=112) is False
        assert is_controlled(endpoint, [56, 112], ["SD", "SD"], new_therapy=113) is True


@pytest.mark.parametrize(
    ("days", "responses", "dated", "expected"),
    [
        ([56, 100, 110], ["SD", "SD", "PD"], {}, "N"),
        ([56, 100, 112], ["SD", "SD", "PD"], {}, "N"),
        ([56, 100, 113], ["SD", "SD", "PD"], {}, "Y"),
        ([56, 100], ["SD", "SD"], {"death": 105}, "N"),
        ([56, 100], ["SD", "SD"], {"death": 112}, "N"),
        ([56, 100], ["SD", "SD"], {"death": 113}, "Y"),
        ([56, 100, 110], ["SD", "SD", "PD"], {"new_therapy": 105}, "N"),
        ([56, 97], ["SD", "SD"], {}, "N"),
        ([56, 98], ["SD", "SD"], {}, "Y"),
        ([100, 110, 168], ["iSD", "iUPD", "iSD"], {}, "Y"),
        ([100, 110, 168], ["iSD", "iUPD", "iCPD"], {}, "N"),
        ([100, 110, 168], ["iSD", "iUPD", "NE"], {}, "N"),
        ([84, 168], ["iUPD", "iPR"], {}, "Y"),
    ],
)
def test_control_until_a_landmark_lasts_until_it(days, responses, dated, expected):
    criteria = "iRECIST" if responses[-1].startswith("i") or "iUPD" in responses else "RECIST 1.1"
    assert ControlUntilLandmark(112).derive(history(days, responses, criteria, **dated)).value == expected


def test_control_until_a_landmark_dates_progression_as_its_censoring_does():
    unresolved = history([100, 110], ["iSD", "iUPD"], "iRECIST")
    treated = history([100, 110], ["SD", "PD"], new_therapy=105)
    died = history([100], ["SD"], new_therapy=105, death=110)
    for seen, rule, expected in (
        (unresolved, Censoring(), "N"),
        (unresolved, Censoring(unresolved_counts=False), "Y"),
        (treated, Censoring(at_new_therapy=True), "Y"),
        (died, Censoring(at_new_therapy=True), "N"),
    ):
        assert ControlUntilLandmark(112, censoring=rule).derive(seen).value == expected


def test_iupd_at_the_landmark_counts_as_named():
    resolved = [56, 112, 168], ["iSD", "iUPD", "iPR"], "iRECIST"
    confirmed = [56, 112, 168], ["iSD", "iUPD", "iCPD"], "iRECIST"
    for how, values in {"failure": "NN", "control": "YY", "resolved later": "YN"}.items():
        endpoint = ControlAtLandmark(112, unconfirmed=how)
        assert endpoint.derive(history(*resolved)).value + endpoint.derive(history(*confirmed)).value == values


def test_a_record_without_a_response_is_not_evaluable():
    seen = history([56, 112], ["SD", None])
    assert LastAssessment(evaluable_only=True).derive(seen).date == seen.dates[0]
    assert LastAssessment().derive(seen).date == seen.dates[1]


def test_a_response_named_twice_as_control_is_control_once():
    benefit = ClinicalBenefit(control=["SD", "sd"])
    assert benefit.derive(history([56], ["SD"])).value == "Y"
    assert benefit.derive(history([56], ["NON-CR/NON-PD"])).value == "N"


def test_bad_histories_are_named():
    with pytest.raises(InvalidValueError, match="dates"):
        history([112, 56], ["SD", "SD"])
    with pytest.raises(InvalidValueError, match="responses"):
        history([56], ["SD", "SD"])
    with pytest.raises(UnknownNameError, match="iPR"):
        history([56], ["iPR"])
