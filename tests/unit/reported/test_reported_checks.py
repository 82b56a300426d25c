"""Every check is silent on numbers that agree and speaks on numbers that do not."""

from dataclasses import replace

import pytest

from analysis.reported import (
    AtRisk,
    KnownFinding,
    Landmark,
    Quartile,
    Reported,
    ReportedArm,
    ReportedComparison,
    ReportedInterval,
    ReportedProportion,
    ReportedPValue,
    ReportedTrial,
    check,
    check_comparison,
    load,
    review,
)

LARGE = {"n": 400}, {"n": 200}


def comparison(experimental=(), control=(), **changes):
    new = {"n": 100, "median": "7.8", "median_ci": ("6.0", "9.9")}
    old = {"n": 50, "median": "3.2", "median_ci": ("2.8", "4.1")}
    made = {"hazard_ratio": ("0.45", "0.30", "0.68"), "p_value": "< 0.001"}
    arms = [ReportedArm("new", **{**new, **dict(experimental)}), ReportedArm("old", **{**old, **dict(control)})]
    return ReportedComparison("PFS", arms, control="old", id="pfs", **{**made, **changes})


def found(reported):
    return [(finding.check, finding.severity) for finding in check_comparison(reported)]


def p_value(text, sided=None):
    return ReportedPValue(Reported(text, "p-value"), sided)


CONTRADICTIONS = {
    "ratio above 1, limits too, longer median": (
        comparison(hazard_ratio=("2.2", "1.5", "3.3")),
        ("ratio-against-medians", "error"),
    ),
    "ratio above 1, limits around 1, longer median": (
        comparison(hazard_ratio=("1.20", "0.80", "1.80"), p_value=None),
        ("ratio-against-medians", "warning"),
    ),
    "ratio below 1, shorter median": (
        comparison({"median": "2.0", "median_ci": None}),
        ("ratio-against-medians", "error"),
    ),
    "longer median that was not reached": (
        comparison({"median": "not reached", "median_ci": None}, hazard_ratio=("2.2", "1.5", "3.3")),
        ("ratio-against-medians", "error"),
    ),
    "median above its interval": (comparison({"median": "9.96"}), ("estimate-outside-interval", "error")),
    "median below its interval": (comparison(control={"median": "2.7"}), ("estimate-outside-interval", "error")),
    "ratio outside its interval": (
        comparison(hazard_ratio=("0.45", "0.47", "0.68"), p_value=None),
        ("estimate-outside-interval", "error"),
    ),
    "landmark outside its interval": (
        comparison({"landmarks": [Landmark(3, "80%", ci=("60%", "79%"))]}),
        ("estimate-outside-interval", "error"),
    ),
    "quartile outside its interval": (
        comparison({"quartiles": [Quartile(0.75, "12.0", ci=("13.0", "20.0"))]}),
        ("estimate-outside-interval", "error"),
    ),
    "limits a little off": (comparison(hazard_ratio=("0.45", "0.30", "0.71")), ("asymmetric-interval", "warning")),
    "a limit misprinted": (comparison(hazard_ratio=("0.45", "0.30", "0.98")), ("asymmetric-interval", "error")),
    "p that fits neither reading": (comparison(p_value="0.14"), ("p-against-interval", "error")),
    "bound that the interval does not reach": (
        comparison(hazard_ratio=("0.80", "0.60", "1.07"), p_value="< 0.001"),
        ("p-against-interval", "error"),
    ),
    "one-sided p without its sidedness": (
        comparison(*LARGE, hazard_ratio=("0.89", "0.73", "1.10"), p_value="0.14"),
        ("p-against-interval", "warning"),
    ),
    "one-sided p called two-sided": (
        comparison(*LARGE, hazard_ratio=("0.89", "0.73", "1.10"), p_value=p_value("0.14", 2)),
        ("p-against-interval", "error"),
    ),
    "two-sided p called one-sided": (
        comparison(*LARGE, hazard_ratio=("0.89", "0.73", "1.10"), p_value=p_value("0.27", 1)),
        ("p-against-interval", "error"),
    ),
    "more events than patients in an arm": (comparison({"events": 101}), ("counts", "error")),
    "more events than patients in all": (comparison(events_total=151), ("counts", "error")),
    "events that do not add up": (
        comparison({"events": 60}, {"events": 40}, events_total=101),
        ("counts", "error"),
    ),
    "patients that do not add up": (comparison(n_total=151), ("counts", "error")),
    "too few events for the interval": (comparison(events_total=80), ("events-against-interval", "error")),
    "too few patients for the interval": (
        comparison({"n": 50}, {"n": 30}),
        ("events-against-interval", "error"),
    ),
    "days without their unit": (
        comparison({"median": "330", "median_ci": None}, {"median": "222", "median_ci": None}),
        ("times-of-decades", "warning"),
    ),
    "a landmark at day 365": (
        comparison({"landmarks": [Landmark(365, "40%")], "median": None, "median_ci": None}),
        ("times-of-decades", "warning"),
    ),
    "median without events": (
        comparison({"events": 0}, hazard_ratio=None, p_value=None),
        ("no-events", "error"),
    ),
    "hazard ratio without events": (
        comparison({"events": 0, "median": "not reached", "median_ci": None}),
        ("no-events", "error"),
    ),
    "a curve that rises": (
        comparison({"landmarks": [Landmark(3, "70%"), Landmark(6, "72%")]}),
        ("rising-curve", "error"),
    ),
    "under one half before the median": (
        comparison({"landmarks": [Landmark(6, "45%")]}),
        ("median-against-landmark", "error"),
    ),
    "over one half after the median": (
        comparison({"landmarks": [Landmark(12, "55%")]}),
        ("median-against-landmark", "error"),
    ),
    "under one half, median not reached": (
        comparison({"median": "not reached", "median_ci": None, "landmarks": [Landmark(12, "45%")]}),
        ("median-against-landmark", "error"),
    ),
    "more at risk than patients": (comparison({"at_risk": AtRisk((0,), (101,))}), ("counts", "error")),
    "more at risk than survive": (
        comparison({"at_risk": AtRisk((0, 4), (100, 81)), "landmarks": [Landmark(3, "80%")]}),
        ("counts", "error"),
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_found(name):
    reported, expected = CONTRADICTIONS[name]
    assert expected in found(reported)


def test_a_finding_says_values_and_remedy():
    [finding] = check_comparison(comparison(events_total=80))
    assert finding.values == ("hazard ratio 0.45 (95% CI 0.30-0.68)", "80 events")
    assert "needs at least 87 events" in finding.message
    assert str(finding).endswith("compare the limits and the count with the source")


AGREEING = {
    "as made": comparison(),
    "not reached": comparison({"median": "not reached", "median_ci": ("9.9", "not reached")}),
    "one-sided p by name": comparison(*LARGE, hazard_ratio=("0.89", "0.73", "1.10"), p_value=p_value("0.14", 1)),
    "two-sided p": comparison(*LARGE, hazard_ratio=("0.89", "0.73", "1.10"), p_value="0.27"),
    "one-sided p of harm": comparison(
        {"n": 400, "median": "3.1", "median_ci": None},
        {"n": 200},
        hazard_ratio=("1.12", "0.91", "1.37"),
        p_value=p_value("0.86", 1),
    ),
    "just enough events": comparison(events_total=90),
    "all of the curve": comparison(
        {
            "events": 70,
            "at_risk": AtRisk((0, 3, 6), (100, 80, 55)),
            "landmarks": [Landmark(3, "80%", ci=("71%", "87%")), Landmark(6, "58%"), Landmark(12, "30%")],
        }
    ),
    "nothing but names": ReportedComparison("OS", [ReportedArm("a"), ReportedArm("b")], control="b"),
    "not estimable": comparison(control={"landmarks": [Landmark(3, "52%"), Landmark(18, "not estimable")]}),
    "limit of nought": comparison(hazard_ratio=("0.03", "0", "0.50"), p_value=None),
}


@pytest.mark.parametrize("name", AGREEING)
def test_numbers_that_agree_find_nothing(name):
    assert found(AGREEING[name]) == []


def proportion(id="orr", sources=("paper",), status="published", **numbers):
    units = {"count": "count", "of": "count", "share": "percent"}
    made = {name: Reported(str(value), units[name], sources, status) for name, value in numbers.items()}
    return ReportedProportion(id, "ORR", sources, status, **made)


def trial(*proportions, comparisons=(), known=()):
    return ReportedTrial("trial", "A trial", {}, (), None, "", (), comparisons, proportions, (), known)


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"count": 17, "of": 19, "share": 85}, "17 of 19 is 89.5%"),
        ({"count": 20, "of": 19, "share": 100}, "exceeds its denominator"),
        ({"of": 19, "share": "40.0"}, "no count out of 19 gives 40.0%"),
        ({"count": 5, "of": 12, "share": 42}, None),
        ({"of": 29, "share": "24.1"}, None),
        ({"of": 29, "count": 7}, None),
        ({"share": "24.1"}, None),
        ({"count": 1, "of": 8, "share": "12.5"}, None),
        ({"count": 1, "of": 8, "share": 12}, None),
    ],
)
def test_a_count_gives_its_share(numbers, says):
    messages = [finding.message for finding in check(trial(proportion(**numbers)))]
    assert messages == [] if says is None else says in messages[0]


def test_a_share_lies_in_its_interval():
    limits = ReportedInterval(Reported("31", "percent"), Reported("40", "percent"))
    entry = replace(proportion(share=30), ci=limits)
    assert check(trial(replace(entry, share=Reported("31", "percent")))) == []
    assert [finding.check for finding in check(trial(entry))] == ["estimate-outside-interval"]


def test_sources_that_disagree_are_found_marked_or_not():
    one, other = proportion("one", share="1.7"), proportion("other", share="2.1")
    [finding] = check(trial(one, other))
    assert (finding.check, finding.severity, finding.where) == ("conflicting-sources", "error", "one / other")
    marked = [proportion(id, status="conflict", share=share) for id, share in (("one", "1.7"), ("other", "2.1"))]
    assert [finding.severity for finding in check(trial(*marked))] == ["warning"]


def test_a_mark_without_a_conflict_is_found():
    [finding] = check(trial(proportion("one", status="conflict", share="1.7"), proportion("other", share="2")))
    assert "no other entry disagrees" in finding.message


def test_more_digits_are_no_conflict_and_the_next_percentage_is_one():
    assert check(trial(proportion("one", share="11.5"), proportion("other", share="11.50"))) == []
    assert len(check(trial(proportion("one", share="76"), proportion("other", share="77")))) == 1


def test_comparisons_on_the_same_subject_are_held_against_each_other():
    first = comparison()
    other = replace(comparison({"median": "8.1"}), id="other")
    findings = check(trial(comparisons=(first, other)))
    assert [(finding.check, finding.where) for finding in findings] == [("conflicting-sources", "pfs / other")]
    assert check(trial(comparisons=(first, replace(other, assessor="central")))) == []


def test_known_new_and_gone_findings_are_told_apart():
    listed = (
        KnownFinding("count-against-share", "orr", "printed so"),
        KnownFinding("counts", "pfs", "was wrong once"),
    )
    reviewed = review(trial(proportion(count=17, of=19, share=85), known=listed))
    assert [(finding.where, known.explanation) for finding, known in reviewed.known] == [("orr", "printed so")]
    assert (reviewed.new, [known.where for known in reviewed.gone], reviewed.passed) == ((), ["pfs"], True)
    unlisted = review(trial(proportion(count=17, of=19, share=85)))
    assert (len(unlisted.new), unlisted.passed) == (1, False)


def test_the_overall_survival_of_bolero_2_prints_a_one_sided_p():
    [finding] = [finding for finding in check(load("bolero-2")) if finding.where == "os-final"]
    assert finding.check == "p-against-interval"
    assert "p = 0.27 two-sided, 0.13 one-sided; the printed p fits a one-sided test" in finding.message
