"""A reading that ends with another's progression: central review for which no scans are made after the local one."""

from dataclasses import replace

import numpy as np
import pytest
from generated_trials import draw_trial

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction import ShapePrior, reconstruct
from analysis.reconstruction.precedence import comes_before, in_order
from analysis.reconstruction.readings import _not_before
from analysis.reconstruction.repair import engine
from analysis.reconstruction.repair.coupling import Bounds, Patients, couple
from analysis.reconstruction.report.block import Block, ExpectedAtRisk, Told
from analysis.reconstruction.report.requirements import read_requirements
from analysis.reconstruction.report.sorting import sort_reports
from analysis.reconstruction.solve.problem import pose
from analysis.reconstruction.terms import AT_RISK
from analysis.reported import ReportedArm, ReportedComparison

UNTIL = {"central": "local"}
MEMBERS = 20


@pytest.fixture(scope="module")
def trial():
    """A trial whose central review truly ends so, as its final reports show it."""
    return draw_trial(np.random.default_rng([12, 9]), ends=True)


@pytest.fixture(scope="module")
def reports(trial):
    return [report for report in trial.reports if report.id in ("pfs-local-final", "pfs-central-final", "os-final")]


@pytest.fixture(scope="module")
def ended(trial, reports):
    return reconstruct(reports, MEMBERS, rng=9, timeline=trial.timeline, read_until=UNTIL)


def test_nobody_is_read_after_the_progression_that_ends_the_reading(ended):
    local, central, death = (ended.endpoints[name].time for name in ("PFS local", "PFS central", "OS"))
    assert (central <= local).all()
    assert (death >= local - 1e-9).all()
    assert ended.faithful.all()
    assert ended.diagnostics["distinct members"] >= MEMBERS / 2


def test_without_it_a_reading_goes_on(trial, reports):
    going_on = reconstruct(reports, MEMBERS, rng=9, timeline=trial.timeline)
    later = going_on.endpoints["PFS central"].time > going_on.endpoints["PFS local"].time
    assert later.mean() > 0.1
    assert going_on.read_until == {}


def test_numbers_at_risk_are_nearer_to_those_of_trials_whose_review_ended_so():
    off: dict[str | None, list[float]] = {"local": [], None: []}
    for seed in (9, 14, 15, 18):
        trial = draw_trial(np.random.default_rng([12, seed]), ends=True)
        readers = [report for report in trial.reports if report.id in ("pfs-local-final", "pfs-central-final")]
        time, _, _ = trial.seen["pfs-central-final"]
        months = np.quantile(time, [0.2, 0.4, 0.6, 0.8])
        for other, errors in off.items():
            until = None if other is None else {"central": other}
            result = reconstruct(readers, 10, rng=seed, timeline=trial.timeline, read_until=until)
            drawn = (result.endpoints["PFS central"].time[:, :, None] > months).sum(axis=1).mean(axis=0)
            errors.append(float(np.abs(drawn - (time[:, None] > months).sum(axis=0)).mean() / time.size))
    assert np.mean(off["local"]) < 0.6 * np.mean(off[None])


def test_the_members_say_how_they_were_made(ended):
    assert ended.read_until == UNTIL
    assert "central assessment ends with progression by local" in ended.method
    assert ended.analysis("pfs-central-final").method.endswith("central assessment ends with progression by local")


def test_the_same_seed_gives_the_same_patients_with_any_number_of_threads(trial, reports, ended):
    alone = reconstruct(reports, MEMBERS, rng=9, timeline=trial.timeline, read_until=UNTIL, threads=1)
    for name, endpoint in ended.endpoints.items():
        np.testing.assert_array_equal(alone.endpoints[name].time, endpoint.time)


def test_the_reading_that_ends_another_is_put_first(trial, reports, ended):
    turned = reconstruct(reports[::-1], MEMBERS, rng=9, timeline=trial.timeline, read_until=UNTIL)
    assert (turned.endpoints["PFS central"].time <= turned.endpoints["PFS local"].time).all()


def test_endpoints_are_drawn_in_the_order_in_which_they_come(reports):
    """Whatever the order of the list: progression before death, a reading after the one that ends it."""
    local, central, death = reports
    for given in ([local, central, death], [death, local, central], [local, death, central]):
        assert [one.name for one in in_order(_sorted(given), {})] == ["PFS local", "PFS central", "OS"]
    for given in ([death, central, local], [central, death, local]):
        assert [one.name for one in in_order(_sorted(given), {})] == ["PFS central", "PFS local", "OS"]
        assert [one.name for one in in_order(_sorted(given), UNTIL)] == ["PFS local", "PFS central", "OS"]


@pytest.mark.parametrize(
    ("first", "second", "before"),
    [
        ("PFS", "OS", True),
        ("rPFS", "OS", True),
        ("iDFS", "OS", True),
        ("PFS2", "OS", True),
        ("PFS", "PFS2", True),
        ("rPFS", "PFS2", True),
        ("PFS2", "PFS", False),
        ("OS", "PFS", False),
        ("PFS", "DFS", False),
        ("OS", "OS", False),
    ],
)
def test_endpoints_by_their_usual_names_come_in_their_order(first, second, before):
    one, other = (_sorted([by(None, name)])[0] for name in (first, second))
    assert comes_before(one, other) is before


def test_nobody_has_radiographic_progression_after_death():
    reports = [by(None, "OS"), by(None, "rPFS")]
    result = reconstruct(reports, 10, rng=1)
    assert (result.endpoints["OS"].time >= result.endpoints["RPFS"].time - 1e-9).all()


def _sorted(reports):
    return sort_reports(reports, None, {})[0]


def by(assessor: str | None, endpoint: str = "PFS") -> ReportedComparison:
    arms = [ReportedArm("a", n=40, median="6.0"), ReportedArm("b", n=40, median="4.0")]
    return ReportedComparison(endpoint, arms, control="b", id=f"{endpoint}-{assessor}", assessor=assessor)


@pytest.mark.parametrize(
    ("readers", "until", "error", "said"),
    [
        (("local", "central"), {"centre": "local"}, UnknownNameError, "central"),
        (("local", "central"), {"central": "investigator"}, UnknownNameError, "local"),
        (("local", "central"), {"central": "central"}, InvalidValueError, "none ends with itself"),
        (("local", "central"), {"central": "local", "local": "central"}, InvalidValueError, "none ends with itself"),
        (("x", "y", "z"), {"x": "y", "y": "z", "z": "y"}, InvalidValueError, "none ends with itself"),
    ],
)
def test_readings_that_cannot_end_so_are_refused(readers, until, error, said):
    with pytest.raises(error, match=said):
        reconstruct([by(reader) for reader in readers], 2, rng=1, read_until=until)


def test_readers_without_an_endpoint_in_common_are_refused():
    with pytest.raises(InvalidValueError, match="two readers of one endpoint"):
        reconstruct([by("central"), by("local", "TTP")], 2, rng=1, read_until=UNTIL)


def test_one_report_has_no_other_reading():
    with pytest.raises(InvalidValueError, match="several reports"):
        reconstruct(by("central"), 2, rng=1, read_until=UNTIL)


def test_who_is_at_risk_in_both_readings_follows_their_dependence():
    """Independent: the other's survival; in the same order: all, or those whom the other has left."""
    survival, its = np.array([0.8, 0.5, 0.2]), np.array([0.9, 0.4, 0.1])
    np.testing.assert_allclose(_not_before(survival, its, 0.0), its, atol=1e-9)
    np.testing.assert_allclose(_not_before(survival, its, 0.9999), np.minimum(its / survival, 1.0), atol=0.01)
    between = _not_before(survival, its, 0.8)
    assert (its < between).all()
    assert (between < np.minimum(its / survival, 1.0)).all()


def test_a_censoring_rather_than_an_event_is_taken_for_who_leaves_early():
    """One place ends at month 2: of an event and a censoring at months 3 and 4, the censoring goes there."""
    never = np.zeros(2), np.full(2, np.inf)
    one = Patients(np.array([2.0, 9.0]), np.array([True, True]), *never, np.zeros(2))
    other = Patients(np.array([3.0, 4.0]), np.array([True, False]), *never, np.zeros(2))
    bounds = Bounds(np.zeros(2), one.time)
    chosen, clashes = couple(one, other, 0.5, bounds, np.array([3.0]), np.random.default_rng(1), same_scans=True)
    assert chosen.tolist() == [1, 0]
    assert clashes == 1


def test_each_draw_is_told_its_own_numbers_at_risk():
    """Those of a member of the reading that ends it, and not those of another one."""
    arms = [ReportedArm(name, n=80, median=median) for name, median in (("new", "9.0"), ("old", "6.0"))]
    report = ReportedComparison("PFS", arms, control="old")
    told = Told(at_risk=tuple(ExpectedAtRisk(0, arm, 6.0, 40.0 + arm + np.arange(5.0), 0.1) for arm in range(2)))
    block = replace(Block.single(report, read_requirements(report, "log-log")), told=told)
    problem = pose(block, ShapePrior.shipped().for_endpoint("PFS"))
    rows = np.array([3, 1, 1])
    targets = engine._draw_targets(problem, rows, np.random.default_rng(1))
    assert (problem.equations.kind[-2:] == AT_RISK).all()
    for place, arm in zip((-2, -1), problem.equations.arm[-2:], strict=True):
        np.testing.assert_array_equal(targets[:, place], 40.0 + arm + rows)
