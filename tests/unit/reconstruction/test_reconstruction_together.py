"""Several reports of one trial: every member is one list of patients that gives all of them back."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from generated_trials import draw_trial

from analysis.errors import InfeasibleReportError, InvalidValueError, UnknownNameError
from analysis.reconstruction import TrialReconstruction, reconstruct
from analysis.reconstruction.repair.coupling import Bounds, Patients, couple
from analysis.reconstruction.together import _times_as_many
from analysis.reported import AtRisk, ReportedArm, ReportedComparison, TrialTimeline, load
from analysis.survival.estimators import kaplan_meier

MEMBERS = 12


@pytest.fixture(scope="module")
def trial():
    return draw_trial(np.random.default_rng([12, 4]))


@pytest.fixture(scope="module")
def joint(trial) -> TrialReconstruction:
    return reconstruct(trial.reports, MEMBERS, rng=4, timeline=trial.timeline)


def test_every_member_gives_every_printed_number_of_every_report_back(joint, trial):
    assert joint.faithful.all()
    table = joint.fidelity()
    assert set(table["analysis"]) == {report.id for report in trial.reports}
    assert table["reproduced"].all()


def test_every_analysis_is_computed_from_the_one_list_of_patients(joint, trial):
    for report in trial.reports:
        endpoint = joint.endpoints[" ".join(filter(None, (report.endpoint, report.assessor)))]
        left = endpoint.left_at.get(report.id, np.full_like(endpoint.time, np.inf))
        time, event = np.minimum(endpoint.time, left), endpoint.event & ~(left < endpoint.time)
        inside = joint.subgroups["group"] if report.population == "group" else np.ones_like(event)
        result = joint.analysis(report.id)
        for member in range(MEMBERS):
            frame = result.ipd(member)
            for k, name in enumerate(joint.arms):
                own = inside[member] & (joint.arm_index == k)
                patients = frame[frame["arm"] == name]
                np.testing.assert_array_equal(np.sort(time[member, own]), patients["time"])
                assert event[member, own].sum() == patients["event"].sum()


def test_an_interim_analysis_is_nested_in_the_final_one(joint):
    months = np.linspace(0, 60, 121)
    for assessor in ("local", "central"):
        early, late = (joint.analysis(f"pfs-{assessor}-{cut}") for cut in ("interim", "final"))
        assert (early.event.sum(axis=1) <= late.event.sum(axis=1)).all()
        at_risk = [(one.time[:, None, :] >= months[:, None]).sum(axis=2) for one in (early, late)]
        assert (at_risk[0] <= at_risk[1]).all()
        endpoint = joint.endpoints[f"PFS {assessor}"]
        left = endpoint.left_at[f"pfs-{assessor}-interim"]
        assert (left[np.isfinite(left)] <= endpoint.time[np.isfinite(left)]).all()


def test_nobody_is_followed_for_longer_than_the_trial_had_run(joint, trial):
    for report in trial.reports:
        month = trial.timeline.cutoff_of(report)
        assert joint.analysis(report.id).time.max() <= month + 1e-6
        assert (joint.entry >= 0).all()
    for endpoint in joint.endpoints.values():
        assert (joint.entry + endpoint.time <= trial.timeline.cutoffs["final"] + 1e-6).all()


def test_an_event_that_the_interim_analysis_has_not_seen_came_after_its_cut(joint, trial):
    for assessor in ("local", "central"):
        endpoint = joint.endpoints[f"PFS {assessor}"]
        unseen = endpoint.event & np.isfinite(endpoint.left_at[f"pfs-{assessor}-interim"])
        assert ((joint.entry + endpoint.time)[unseen] >= trial.timeline.cutoffs["interim"] - 1e-6).all()


def test_nobody_progresses_after_death(joint):
    for assessor in ("local", "central"):
        assert (joint.endpoints["OS"].time >= joint.endpoints[f"PFS {assessor}"].time).all()


def test_nobody_progresses_after_death_where_death_is_the_first_of_the_list(trial):
    reports = [report for report in trial.reports if report.id in ("os-final", "pfs-local-final", "pfs-central-final")]
    turned = reconstruct(reports[::-1], MEMBERS, rng=4, timeline=trial.timeline)
    for reader in ("local", "central"):
        assert (turned.endpoints["OS"].time >= turned.endpoints[f"PFS {reader}"].time - 1e-9).all()
    assert turned.faithful.all()


def test_the_same_seed_gives_the_same_patients_with_any_number_of_threads(joint, trial):
    again = reconstruct(trial.reports, MEMBERS, rng=4, timeline=trial.timeline, threads=1)
    np.testing.assert_array_equal(again.entry, joint.entry)
    for name, endpoint in joint.endpoints.items():
        np.testing.assert_array_equal(again.endpoints[name].time, endpoint.time)
        np.testing.assert_array_equal(again.endpoints[name].event, endpoint.event)


def test_the_rest_beside_a_subgroup_and_the_interaction(joint, trial):
    rest, group = joint.part("PFS local", "group", inside=False), joint.part("PFS local", "group")
    whole = joint.analysis("pfs-local-final")
    np.testing.assert_array_equal(rest.event.sum(axis=1) + group.event.sum(axis=1), whole.event.sum(axis=1))
    np.testing.assert_allclose(
        joint.interaction("PFS local", "group").members,
        group.hazard_ratio().members / rest.hazard_ratio().members,
    )
    np.testing.assert_array_equal(group.time, joint.analysis("pfs-local-final-group").time)
    with pytest.raises(UnknownNameError, match="endpoint"):
        joint.part("PFS", "group")
    with pytest.raises(UnknownNameError, match="subgroup"):
        joint.part("OS", "others")
    frame = joint.patients(0)
    assert list(frame.columns[:3]) == ["arm", "treatment", "entry"]
    assert set(frame.loc[frame["arm"] == "control", "treatment"]) == {0}
    assert len(repr(joint)) < 200
    assert "<table" in joint._repr_html_()


def test_agreement_moves_the_dependence_of_two_readers(trial):
    pfs = [report for report in trial.reports if report.id in ("pfs-local-final", "pfs-central-final")]

    def correlation(agreement: float) -> float:
        endpoints = reconstruct(pfs, 6, rng=1, agreement=agreement).endpoints
        local, central = endpoints["PFS local"], endpoints["PFS central"]
        both = local.event & central.event
        return float(np.corrcoef(local.time[both], central.time[both])[0, 1])

    assert abs(correlation(0.0)) < 0.2
    assert correlation(0.95) > 0.75


def test_two_readers_stop_at_the_same_scan_as_strictly_as_they_agree(trial):
    pfs = [report for report in trial.reports if report.id in ("pfs-local-final", "pfs-central-final")]
    apart, against = [], []
    for agreement in (0.0, 0.5, 0.95):
        endpoints = reconstruct(pfs, 6, rng=1, agreement=agreement).endpoints
        local, central = endpoints["PFS local"], endpoints["PFS central"]
        neither = ~local.event & ~central.event
        apart.append(float(np.abs(local.time - central.time)[neither].mean()))
        later = np.where(local.event & ~central.event, local.time - central.time, 0.0)
        later += np.where(~local.event & central.event, central.time - local.time, 0.0)
        against.append(float(np.maximum(later, 0.0).mean()))
    assert apart[0] > 1.5 * apart[1] > 1.5 * apart[2]
    assert against[0] > 2 * against[1]
    assert against[1] >= against[2]


def test_pairs_that_cannot_be_one_patient_are_counted():
    never = np.zeros(3), np.full(3, np.inf)
    one = Patients(np.array([5.0, 6.0, 7.0]), np.ones(3, dtype=bool), *never, np.zeros(3))
    other = Patients(np.array([4.0, 6.5, 9.0]), np.ones(3, dtype=bool), *never, np.zeros(3))
    bounds = Bounds(one.time, np.full(3, np.inf))
    chosen, clashes = couple(one, other, 0.5, bounds, other.time, np.random.default_rng(1), same_scans=False)
    assert clashes == 1  # somebody has to die at month 4
    assert sorted(chosen) == [0, 1, 2]


# what cannot hold together --------------------------------------------------------------------------------------------


def report(id: str, n: int = 60, **given) -> ReportedComparison:
    arms = given.pop("arms", None) or [ReportedArm("a", n=n, median="6.0"), ReportedArm("b", n=n, median="4.0")]
    return ReportedComparison("PFS", arms, control="b", id=id, **given)


def at_risk(count: int) -> list[ReportedArm]:
    return [ReportedArm("a", n=60, at_risk=AtRisk((0, 6), (60, count))), ReportedArm("b", n=60)]


TIMELINE = TrialTimeline(date(2020, 1, 1), cutoffs={"interim": 12.0, "final": 24.0})


@pytest.mark.parametrize(
    ("reports", "error", "said"),
    [
        (
            [
                report("early", analysis="interim", events_total=90),
                report("late", analysis="final", events_total=80),
            ],
            InfeasibleReportError,
            "early has 90 events and late, which was cut later, 80",
        ),
        (
            [
                report("all", arms=[ReportedArm("a", n=60), ReportedArm("b", n=60)]),
                report("part", arms=[ReportedArm("a", n=70), ReportedArm("b", n=20)], population="women"),
            ],
            InfeasibleReportError,
            "part.a.n is 70 and all.a.n is 60",
        ),
        (
            [report("late", analysis="final", median_follow_up="30.0")],
            InfeasibleReportError,
            "late.median_follow_up is 30.0 months and its data were cut 24.0 months after",
        ),
        (
            [
                report("one"),
                report("two", arms=[ReportedArm("a", n=60), ReportedArm("c", n=60), ReportedArm("b", n=1)]),
            ],
            InvalidValueError,
            "arms: got .*a.*b.* in one.*in two",
        ),
        (
            [
                report("early", analysis="interim", arms=at_risk(30)),
                report("late", analysis="final", arms=at_risk(20)),
            ],
            InfeasibleReportError,
            "early.a has 30 at risk at 6 months and late.a, which was cut later, 20",
        ),
        ([report("one"), report("one")], InvalidValueError, "an id for each, each once"),
        ([], InvalidValueError, "a ReportedComparison, or a list of them"),
        (
            [report("one", population="men", n=30), report("two", population="women")],
            None,
            "",
        ),
        (
            [report("all"), report("part", arms=[ReportedArm("a"), ReportedArm("b")], population="women")],
            InvalidValueError,
            "part.n",
        ),
        ([report("all"), report("part", n=20)], InvalidValueError, "part.population"),
        (
            [report("all"), report("one", n=20, population="women"), report("two", n=21, population="women")],
            InfeasibleReportError,
            "one has a 20, b 20 patients and two a 21, b 21, and both are of 'women'",
        ),
    ],
    ids=[
        "events",
        "subgroup",
        "follow-up",
        "arms",
        "at risk",
        "ids",
        "empty",
        "subgroup of the largest",
        "no size",
        "no name",
        "two sizes",
    ],
)
def test_reports_that_contradict_each_other_are_named(reports, error, said):
    if error is None:
        assert reconstruct(reports, 5).faithful.all()
        return
    with pytest.raises(error, match=said):
        reconstruct(reports, 5, timeline=TIMELINE)


def test_cuts_in_no_known_order_are_refused():
    reports = [report("one", analysis="first"), report("two", analysis="second")]
    with pytest.raises(InvalidValueError, match="data cuts whose order is known"):
        reconstruct(reports, 5)


def test_endpoints_that_cannot_be_of_the_same_patients_are_refused():
    dying = [ReportedArm("a", n=60, median="3.0"), ReportedArm("b", n=60, median="2.0")]
    death = ReportedComparison("OS", dying, control="b", id="death", events_total=115)
    with pytest.raises(InfeasibleReportError, match="PFS and OS: each can be reconstructed, but in all 5 members"):
        reconstruct([report("progression", events_total=115), death], 5)


def test_a_report_that_is_no_interim_analysis_came_after_one():
    early = report("early", analysis="interim", arms=[ReportedArm("a", n=60), ReportedArm("b", n=60)], events_total=40)
    late = report("late", events_total=90)
    result = reconstruct([early, late], 5)
    assert (result.analysis("early").event.sum(axis=1) == 40).all()
    assert (result.analysis("late").event.sum(axis=1) == 90).all()


def test_what_several_reports_need_is_refused_for_one_and_the_reverse():
    with pytest.raises(InvalidValueError, match="timeline"):
        reconstruct(report("one"), 5, timeline=TIMELINE)
    with pytest.raises(InvalidValueError, match="relax"):
        reconstruct([report("one")], 5, relax=["p_value"])
    with pytest.raises(UnknownNameError, match="comparison to relax"):
        reconstruct([report("one")], 5, relax={"two": ["p_value"]})
    with pytest.raises(InvalidValueError, match="agreement"):
        reconstruct([report("one")], 5, agreement=1.0)


def test_a_complement_is_what_a_subgroup_leaves():
    whole = report("all", events_total=100)
    inside = report("in", population="Asian", arms=[ReportedArm("a", n=20), ReportedArm("b", n=15)])
    outside = report("out", population="non-Asian", arms=[ReportedArm("a"), ReportedArm("b")])
    result = reconstruct([whole, inside, outside], 5, complements={"Asian": "non-Asian"})
    assert result.analysis("out").arm_index.size == 120 - 35
    assert any(one.check == "patients-assumed" and one.where == "out" for one in result.findings)
    assert (result.subgroups["Asian"].sum(axis=1) == 35).all()


def test_a_complement_alone_is_a_subgroup():
    outside = report("out", population="non-Asian", arms=[ReportedArm("a", n=20), ReportedArm("b", n=15)])
    result = reconstruct([report("all"), outside], 5, complements={"Asian": "non-Asian"})
    assert (result.subgroups["non-Asian"].sum(axis=1) == 35).all()


def test_a_timeline_reads_dates_and_refuses_impossible_ones():
    timeline = load("bolero-2").timeline
    assert timeline is not None
    assert timeline.first_patient_in == date(2009, 6, 1)
    assert timeline.cutoff_of(load("bolero-2").comparison("os-final")) == pytest.approx(52.07, abs=0.01)
    with pytest.raises(InvalidValueError, match="last_patient_in"):
        replace(timeline, last_patient_in=date(2009, 5, 1))
    with pytest.raises(InvalidValueError, match="cutoffs"):
        replace(timeline, cutoffs={"final": -1.0})


def test_medians_fill_their_rounding_boxes():
    arms = [ReportedArm("a", n=150, median="8.0"), ReportedArm("b", n=150, median="5.0")]
    result = reconstruct(ReportedComparison("PFS", arms, control="b", hazard_ratio=("0.60", "0.43", "0.83")), 100)
    medians = np.array(
        [kaplan_meier(t[:150], e[:150]).median() for t, e in zip(result.time, result.event, strict=True)]
    )
    at_an_edge = (np.abs(medians - 7.95) < 0.001) | (np.abs(medians - 8.05) < 0.001)
    assert at_an_edge.mean() < 0.1


def test_populations_have_the_medians_of_their_patients(joint):
    final = joint.analysis("pfs-local-final")
    for arm in joint.arms:
        medians = [curve.median for curve in final.arm(arm).members]
        np.testing.assert_allclose(medians, final.median(arm).members, rtol=1e-6)


@pytest.mark.parametrize(
    ("before", "endpoint", "cuts", "members", "times"),
    [
        ((), "PFS", 1, 50, 1),
        (("PFS",), "OS", 1, 50, 25),  # deaths that come after the progressions are chosen from a pool
        (("PFS",), "OS", 1, 200, 7),
        (("PFS",), "OS", 1, 1000, 4),
        (("PFS",), "OS", 2, 50, 1),
        (("PFS",), "PFS", 1, 50, 4),  # nothing orders a second reading: no pool is drawn that nobody looks at
        (("OS",), "PFS", 1, 50, 4),
    ],
)
def test_a_pool_is_drawn_of_what_comes_after_another_endpoint_only(before, endpoint, cuts, members, times):
    def of(name: str, number: int) -> SimpleNamespace:
        return SimpleNamespace(comparisons=[replace(report(f"{name}-{k}"), endpoint=name) for k in range(number)])

    drawn = [SimpleNamespace(of=of(name, 1)) for name in before]
    assert _times_as_many(drawn, of(endpoint, cuts), members, None) == times


def test_endpoints_that_were_drawn_apart_keep_most_of_their_draws_when_they_become_one_list():
    """Follow-up is hardly printed: the first deaths and losses of one endpoint came before those of another."""
    trial = draw_trial(np.random.default_rng([12, 4]))
    result = reconstruct(trial.reports, members=20, rng=4, timeline=trial.timeline)
    assert result.faithful.all()
    assert result.diagnostics["distinct members"] >= 10
    for name in ("PFS local", "PFS central"):
        assert (result.endpoints["OS"].time >= result.endpoints[name].time - 1e-9).all()


def test_the_curves_of_a_part_go_on_past_its_follow_up_with_the_hazard_of_all(joint):
    part, whole = joint.part("PFS central", "group", inside=False), joint.analysis("pfs-central-final")
    ends = []
    for k, arm in enumerate(part.arms):
        for curve, of_all, time in zip(
            part.arm(arm).members, whole.arm(arm).members, part.time[:, part.arm_index == k], strict=True
        ):
            end = time.max()
            left = float(curve.survival(end))
            if left > 0:
                later = of_all.quantile(1 - of_all.survival(end) * np.array([0.9, 0.5, 0.1]))
                np.testing.assert_allclose(curve.survival(later) / left, [0.9, 0.5, 0.1], rtol=1e-6)
            ends.append(left)
    assert np.mean(np.array(ends) > 0) > 0.3  # or it was about nothing
