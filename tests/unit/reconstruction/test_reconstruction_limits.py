"""Rates that are printed with their limits: what these say, moves that widen them, and the number that is hardest."""

import contextlib

import numpy as np
import pytest

from analysis.errors import InfeasibleReportError
from analysis.reconstruction import reconstruct
from analysis.reconstruction.repair import engine, walking
from analysis.reconstruction.repair.anchors import NOWHERE, new_scratch
from analysis.reconstruction.repair.board import Analyses, Board, PackedBoxes
from analysis.reconstruction.repair.moves import NOTHING, TRADE, apply
from analysis.reconstruction.repair.swaps import propose_trade
from analysis.reconstruction.report.requirements import read_requirements
from analysis.reconstruction.terms import LANDMARK_ERROR
from analysis.reported import Landmark, ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio
from analysis.survival.estimators import kaplan_meier

ONE_CUT = Analyses(
    cut=np.zeros(1, np.int64),
    group=np.full(1, -1),
    inside=np.ones(1, np.bool_),
    strata=np.zeros(1, np.int64),
    last=np.zeros(1, np.int64),
)
NOTHING_ASKED = PackedBoxes(
    np.empty((0, 6)), np.empty((0, 4)), np.empty((0, 2)), np.empty((0, 9)), np.zeros((1, 1, 4, 2), np.int64)
)


def board_of(event):
    n = event.size
    return Board(
        time=np.arange(1.0, n + 1)[None].copy(),
        home=np.arange(1.0, n + 1)[None].copy(),
        patient=np.random.default_rng(3).permutation(n)[None].copy(),
        cut=np.zeros((1, n), np.int64),
        odds=np.zeros((1, n)),
        points=np.array([n]),
        event=event[None].copy(),
        group=np.zeros((1, n), np.int64),
        size=np.array([n]),
    )


def at_place(board, place):
    """Log S and Greenwood's sum before a place."""
    event = board.event[0, board.patient[0]][:place]
    left = board.size[0] - np.arange(place)[event]
    return np.log1p(-1 / left).sum(), (1 / (left * (left - 1.0))).sum()


@pytest.mark.parametrize("wide", [-0.01, 0.01])
@pytest.mark.parametrize("after", [0, 90])
def test_a_trade_leaves_the_rate_and_moves_its_limits(wide, after):
    """Swaps that move S by a step of its curve were the only way to other limits, and led out of the rate's box.

    Two events make up for one only where the number at risk halves on the way.
    """
    rng, state, place = np.random.default_rng(5), np.array([7], np.uint64), 240
    traded = 0
    for _ in range(200):
        board = board_of(rng.random(300) < 0.6)
        listing = new_scratch(300, 300, NOTHING_ASKED, 1.0).listing
        move = propose_trade(board, 0, ONE_CUT, NOWHERE._replace(after=after, before=place, wide=wide), listing, state)
        if move.kind == NOTHING:
            continue
        assert move.kind == TRADE
        kept, (log_s, greenwood), first = board.event.copy(), at_place(board, place), at_place(board, after)
        back = apply(board, 0, move)
        new_log_s, new_greenwood = at_place(board, place)
        assert abs(new_log_s - log_s) < 0.2 / 60  # a step of the curve there is 1 / 60
        assert (new_greenwood < greenwood) == (wide > 0)
        assert at_place(board, after) == first
        assert board.event.sum() == kept.sum()
        apply(board, 0, back)
        assert np.array_equal(board.event, kept)
        traded += 1
    assert traded > 30


@pytest.mark.parametrize("scale", ["log-log", "log", "plain"])
def test_limits_of_any_type_say_how_large_the_error_of_a_rate_is(scale):
    rng = np.random.default_rng(11)
    time, event = rng.exponential(12.0, 150), rng.random(150) < 0.7
    curve = kaplan_meier(time, event)
    for at in (4.0, 14.0):
        rate = float(curve.survival_at([at])[0])
        error = float(curve.std_error_at([at])[0]) / rate / -np.log(rate)
        limits = tuple(f"{float(limit):.4f}" for limit in np.ravel(curve.limits_at([at], level=0.95, scale=scale)))
        arm = ReportedArm("drug", n=150, landmarks=[Landmark(at, f"{rate:.4f}", ci=limits)])
        asked = read_requirements(ReportedComparison("PFS", [arm]), scale)
        [box] = asked.boxes[asked.equations.kind == LANDMARK_ERROR]
        np.testing.assert_allclose(box, error, rtol=0.003)


@pytest.mark.parametrize("printed", [("93.1%", ("81.2%", "100%")), ("4.2%", ("0%", "10.9%"))])
def test_a_limit_that_is_cut_off_says_nothing(printed):
    rate, limits = printed
    arm = ReportedArm("drug", n=40, landmarks=[Landmark(6, rate, ci=limits)])
    asked = read_requirements(ReportedComparison("PFS", [arm]), "plain")
    [box] = asked.boxes[asked.equations.kind == LANDMARK_ERROR]
    s = float(rate.rstrip("%")) / 100
    near, far = sorted(abs(float(limit.rstrip("%")) / 100 - s) for limit in limits)
    kept = far / 1.959964 / (s * -np.log(s))
    assert near < far
    np.testing.assert_allclose(box, kept, rtol=1e-5)


@pytest.mark.parametrize(("limits", "share"), [(("51%", "60%"), 0.055), (("50.9%", "60.4%"), 0.01)])
def test_limits_of_few_digits_are_asked_for_with_a_larger_error(limits, share):
    arm = ReportedArm("drug", n=400, landmarks=[Landmark(12, "55.9%", ci=limits)])
    asked = read_requirements(ReportedComparison("PFS", [arm]), "log-log")
    [variance] = asked.noise[asked.equations.kind == LANDMARK_ERROR]
    assert variance == pytest.approx(share**2, rel=0.1)


def report_with_limits(seed, scale):
    rng = np.random.default_rng(seed)
    n, arms, seen = (160, 150), [], []
    for k, name in enumerate(("old", "new")):
        time = 9.0 * (-np.log(rng.random(n[k])) / np.log(2) / (0.7 if k else 1.0)) ** (1 / 1.1)
        followed = np.minimum(24.0 - 12.0 * rng.random(n[k]), rng.exponential(120.0, n[k]))
        seen.append((np.minimum(time, followed), time <= followed))
        curve = kaplan_meier(*seen[k])
        marks = []
        for at in (6, 12):
            rate, limits = float(curve.survival_at([at])[0]), curve.limits_at([at], level=0.95, scale=scale)
            low, high = np.ravel(limits)
            marks.append(Landmark(at, f"{rate:.1%}", ci=(f"{low:.1%}", f"{high:.1%}")))
        arms.append(ReportedArm(name, n=n[k], median=f"{curve.median():.1f}", landmarks=marks))
    time, event = (np.concatenate(part) for part in zip(*seen, strict=True))
    cox = CoxHazardRatio().analyse(time, event, np.repeat([False, True], n))
    ratio = f"{cox.estimate:.2f} ({cox.lower:.2f}-{cox.upper:.2f})"
    return ReportedComparison("PFS", arms, control="old", hazard_ratio=ratio)


@pytest.mark.parametrize(("seed", "scale"), [(1, "log-log"), (2, "log"), (3, "plain")])
def test_two_rates_with_limits_in_each_arm_are_met_by_many_draws(seed, scale):
    """One draw in two hundred met a published report of this kind, and the second here was refused."""
    found = reconstruct(report_with_limits(seed, scale), members=50, rng=1)
    assert found.scale == scale
    assert found.faithful.all()
    assert found.diagnostics["met"] >= 0.1


HARD = ReportedComparison(
    "PFS",
    [
        ReportedArm("new", n=170, events=105, median="11.2 (7.9-14.1)"),
        ReportedArm("old", n=170, events=130, median="5.8 (3.8-7.5)"),
    ],
    control="old",
    hazard_ratio="0.65 (0.50-0.85)",
    p_value="< 0.0008",
)
"""A p-value that its ratio hardly allows unless it is one-sided, as phase III trials print it."""


def test_the_number_that_is_hardest_to_meet_is_named():
    [finding] = reconstruct(HARD, members=40, rng=1).findings
    assert finding.check in ("few-distinct-members", "few-members-drawn")
    assert "without which" in finding.remedy
    assert "its p-value can be a one-sided one" in finding.remedy
    told = ReportedComparison(
        "PFS", HARD.arms, control="old", hazard_ratio="0.65 (0.50-0.85)", p_value="one-sided P < 0.0008"
    )
    assert reconstruct(told, members=40, rng=1).findings == ()


def test_a_wall_is_not_run_against_by_the_longest_searches(monkeypatch):
    made, real = [], engine._attempt

    def counted(problem, rows, rng, effort):
        made.append(effort)
        return real(problem, rows, rng, effort)

    monkeypatch.setattr(engine, "_attempt", counted)
    with contextlib.suppress(InfeasibleReportError):  # of so few draws none may meet it
        reconstruct(HARD, members=20, rng=1, threads=1)
    longest = [effort for effort in made if effort.steps >= 4000 and effort.reach == 0]
    assert longest == []
    assert any(effort.reach > 0 for effort in made)


def test_walks_that_replace_nobody_are_given_up(monkeypatch):
    tried = []

    def in_vain(block, effort, boards, rows, rng_states):
        tried.append(rows.size)
        return walking.read_boards(walking.rows_of(boards, rows), 1, np.ones(rows.size))

    monkeypatch.setattr(walking, "_walk", in_vain)
    reconstruct(HARD, members=300, rng=1)
    assert sum(tried) == 2 * walking.WALKED * walking.TOGETHER
