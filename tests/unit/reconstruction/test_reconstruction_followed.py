"""How long patients were followed, as the dates of a trial say it where no median follow-up is printed."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from generated_trials import draw_trial

from analysis import reconstruct
from analysis.reconstruction import ShapePrior, together
from analysis.reconstruction.report.block import Block
from analysis.reconstruction.report.followed import follow_up_of_cuts, last_follow_up
from analysis.reconstruction.report.requirements import read_requirements
from analysis.reconstruction.report.sorting import sort_reports
from analysis.reconstruction.solve.problem import pose
from analysis.reported import ReportedArm, ReportedComparison, TrialTimeline
from analysis.survival.distributions import PiecewiseExponential
from analysis.survival.estimators import kaplan_meier, reverse_kaplan_meier


def report(analysis: str, followed: str | None = None, **more) -> ReportedComparison:
    arms = [ReportedArm(name, n=150, median=median) for name, median in (("new", "9.0"), ("old", "6.0"))]
    return ReportedComparison(
        "PFS", arms, control="old", id=analysis, analysis=analysis, median_follow_up=followed, **more
    )


def block(*reports: ReportedComparison, last_patient_in: float | None = None, interim: float = 16.0) -> Block:
    cutoffs = {"interim": interim, "final": 30.0}
    timeline = TrialTimeline(date(2020, 1, 1), last_patient_in=last_patient_in, cutoffs=cutoffs)
    [one], _ = sort_reports(reports, timeline, {})
    return one.block("log-log")


def followed(block: Block) -> tuple[float, float]:
    known = last_follow_up(block)
    assert known is not None
    return float(np.exp(known[0])), known[1]


def test_a_printed_median_follow_up_is_taken_as_it_is():
    both = block(report("interim", "7.5"), report("final", "18.0"))
    assert last_follow_up(both) == both.first.follow_up


def test_without_dates_and_follow_up_nothing_is_said():
    alone = report("final")
    assert last_follow_up(Block.single(alone, read_requirements(alone, "log-log"))) is None


def test_patients_followed_at_an_interim_were_followed_for_the_months_to_the_final():
    months, error = followed(block(report("interim", "7.5"), report("final")))
    assert 18.0 < months < 7.5 + 14.0
    assert error < 0.15


@pytest.mark.parametrize("accrual", [4.0, 12.0, 16.0])
def test_a_known_accrual_places_the_follow_up_between_the_last_patient_and_the_first(accrual):
    months, error = followed(block(report("final"), last_patient_in=accrual))
    assert 30.0 - accrual - 3.0 < months < 30.0
    entries = accrual * np.sqrt(np.random.default_rng(1).random(10_000))  # more and more a month
    assert np.log(months / np.median(30.0 - entries)) == pytest.approx(0.0, abs=error)


def test_an_interim_of_all_patients_says_that_they_had_come_in():
    alone, beside = followed(block(report("final"))), followed(block(report("interim"), report("final")))
    assert beside[0] > 1.2 * alone[0]
    assert beside[1] < alone[1]


def test_an_earlier_cut_lacks_the_months_between_the_two():
    both = block(report("interim"), report("final"))
    length = np.log(22.0)
    ratios, _, slopes = follow_up_of_cuts(both, length)
    assert [analysis.cut for analysis in both.analyses] == [1, 0]
    assert (ratios[0], slopes[0]) == (0.0, 0.0)
    early = 22.0 * np.exp(ratios[1])
    assert 22.0 - 14.0 < early < 22.0 - 0.9 * 14.0
    longer = follow_up_of_cuts(both, length + 1e-5)[0]
    assert (longer[1] - ratios[1]) / 1e-5 == pytest.approx(slopes[1], rel=1e-3)


def test_a_printed_follow_up_of_an_earlier_cut_stays_where_that_of_the_last_one_moves():
    both = block(report("interim", "8.0"), report("final"))
    for length in (2.0, 3.0):
        ratios, _, slopes = follow_up_of_cuts(both, length)
        assert np.exp(length + ratios[1]) == pytest.approx(8.0)
        assert slopes[1] == -1.0


def test_an_earlier_cut_that_cannot_lack_so_much_is_followed_for_a_while():
    both = block(report("interim"), report("final"), interim=10.0)
    ratios, _, slopes = follow_up_of_cuts(both, np.log(15.0))
    assert (np.exp(ratios[1]), slopes[1]) == (pytest.approx(0.2), 0.0)


def test_nobody_was_followed_for_longer_at_an_interim_than_at_the_final():
    both = block(report("interim", "7.5"), report("final", longest_follow_up="12.0"))
    assert both.latest == pytest.approx((12.05, 12.05))
    months, error = followed(both)
    assert months == pytest.approx(7.5)
    assert 0 < error < 0.2


def test_the_length_of_follow_up_moves_the_censoring_of_both_cuts():
    """Of the prior: where the final's follow-up is longer by some months, the interim's is by about as many."""
    both = block(report("interim"), report("final"))
    problem = pose(both, ShapePrior.shipped().for_endpoint("PFS"))
    of_length = problem.covariance[:, -1] / problem.covariance[-1, -1]  # what one of the log length does to the state
    lengths, step = problem.frame.lengths, 0.05

    def median(state, analysis):
        start = 4 * problem.frame.edges.size + 2 * analysis * lengths.size
        unit = np.exp(state[-1])
        rates = np.exp(state[start : start + lengths.size]) / unit
        return float(PiecewiseExponential(rates, unit * lengths[1:]).median)

    before, after = problem.mean, problem.mean + step * of_length
    slope = follow_up_of_cuts(both, problem.mean[-1])[2][1]
    assert slope > 0.5
    for analysis, wanted in ((0, 1.0), (1, 1.0 + slope)):
        moved = np.log(median(after, analysis) / median(before, analysis)) / step
        assert moved == pytest.approx(wanted, rel=0.15)


def test_two_cuts_of_a_trial_give_its_follow_up_back():
    """With the prior's ratio to the median survival alone it was 19 months at the final, and the curve too low."""
    trial = draw_trial(np.random.default_rng([12, 104]))
    ids = ("pfs-local-final", "pfs-local-interim")
    joint = reconstruct([one for one in trial.reports if one.id in ids], 60, rng=1, timeline=trial.timeline)
    for id_, within in zip(ids, (1.5, 2.0), strict=True):
        time, event, _ = trial.seen[id_]
        one = joint.analysis(id_)
        medians = [reverse_kaplan_meier(*member).median() for member in zip(one.time, one.event, strict=True)]
        assert np.mean(medians) == pytest.approx(reverse_kaplan_meier(time, event).median(), abs=within)
    time, event, _ = trial.seen["pfs-local-final"]
    late = np.array([20.0, 23.0, 26.0])
    for arm, chosen in (("control", ~trial.experimental), ("new", trial.experimental)):
        own = kaplan_meier(time[chosen], event[chosen]).survival_at(late)
        band = joint.analysis("pfs-local-final").survival_at(arm, late, 0.9)
        assert (band["lower"] <= own).all()
        assert (own <= band["upper"]).all()


def test_a_longest_follow_up_by_itself_says_how_long_patients_were_followed():
    given = report("final", longest_follow_up="28.0")
    months, error = followed(Block.single(given, read_requirements(given, "log-log")))
    assert 12.0 < months < 22.0
    assert 0.15 < error < 0.3
    result = reconstruct(given, 40, rng=1)
    medians = [reverse_kaplan_meier(*member).median() for member in zip(result.time, result.event, strict=True)]
    assert 12.0 < np.median(medians) < 22.0
    assert result.faithful.all()
    printed = replace(given, median_follow_up="24.0")
    assert last_follow_up(Block.single(printed, read_requirements(printed, "log-log"))) == (
        pytest.approx(np.log(24.0)),
        0.12,
    )


@pytest.mark.parametrize(
    ("endpoint", "assessor", "longer", "spread"), [("OS", None, 0.1, 0.2), ("PFS", "central", 0.0, 0.05)]
)
def test_follow_up_that_is_not_printed_is_that_of_another_endpoint_as_well_as_that_is_known(
    monkeypatch, endpoint, assessor, longer, spread
):
    """Their censoring is not: taken over from progression, 90% bands of overall survival held 85% on real figures."""
    first = [ReportedArm(name, n=80, median="6.0", median_follow_up="20.0") for name in "ab"]
    arms = [ReportedArm(name, n=80, median="14.0") for name in "ab"]
    pfs = ReportedComparison("PFS", first, control="b", id="pfs", assessor="local")
    other = ReportedComparison(endpoint, arms, control="b", id="other", assessor=assessor)
    asked = []

    def drawn(one, whole, members, stream, prior, scale, workers, told):
        asked.append((prior, told))
        return draw(one, whole, members, stream, prior, scale, workers, told)

    draw = together._draw
    monkeypatch.setattr(together, "_draw", drawn)
    reconstruct([pfs, other], 12, rng=1)
    prior, told = asked[1]
    assert prior == ShapePrior.shipped().for_endpoint(endpoint)
    assert told.followed[0] == pytest.approx((np.log(20.0) + longer, spread), abs=0.02)


def test_radiographic_progression_is_beside_survival_what_progression_is():
    """Only ``PFS`` was known to be followed for less long than survival, at the same cut."""

    def patients(endpoint: str):
        arms = [ReportedArm(name, n=60, median=median) for name, median in (("new", "9.0"), ("old", "6.0"))]
        first = ReportedComparison(endpoint, arms, control="old", id="first", median_follow_up="14.0")
        arms = [ReportedArm(name, n=60, median=median) for name, median in (("new", "20.1"), ("old", "17.4"))]
        second = ReportedComparison("OS", arms, control="old", id="second")
        trial = reconstruct([first, second], members=4, rng=3)
        return trial.analysis("second").ipd()[["member", "time", "event"]]

    assert patients("rPFS").equals(patients("PFS"))
