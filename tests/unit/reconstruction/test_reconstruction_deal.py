"""Where few are at risk at printed rates events are dealt out anew, so that all rates are in their boxes at once."""

import numpy as np
import pytest

from analysis import reconstruct
from analysis.reconstruction.repair.board import Board
from analysis.reconstruction.repair.deal import MOST, deals_help, propose_deal
from analysis.reconstruction.repair.moves import DEAL, NOTHING, apply
from analysis.reported import Landmark, ReportedArm, ReportedComparison
from analysis.survival.estimators import kaplan_meier

RATES = ((6.0, 0.787), (12.0, 0.62), (24.0, 0.383))  # what the boards below have on average


def board_of(rng: np.random.Generator, n: int) -> Board:
    """One arm of a single analysis."""
    time = np.sort(rng.exponential(15.0, n))
    return Board(
        time=time[None].copy(),
        home=time[None].copy(),
        patient=rng.permutation(n)[None].astype(np.int64),
        cut=np.zeros((1, n), np.int64),
        odds=rng.normal(0, 1, (1, n)),
        points=np.array([n]),
        event=rng.random((1, n)) < 0.6,
        group=np.zeros((1, n), np.int64),
        size=np.array([n]),
    )


@pytest.mark.parametrize("n", [5, 23, 62, 150])
@pytest.mark.parametrize("free", [False, True])
def test_a_deal_brings_the_rates_of_the_last_patients_into_their_boxes(n: int, free: bool) -> None:
    rng = np.random.default_rng(n)
    width = 0.01 if n > 5 else 0.15
    landmarks = np.array([[t, s - width, s + width, 0, 0, 0, 0, 0, 0] for t, s in RATES])
    found, changed = 0, 0
    for seed in range(200):
        board, state = board_of(rng, n), np.array([seed + 1], dtype=np.uint64)
        before = board.event.copy()
        move = propose_deal(board, 0, landmarks, free, state)
        if move.kind == NOTHING:
            continue
        found += 1
        assert move.kind == DEAL
        back = apply(board, 0, move)
        changed += board.event.sum() != before.sum()
        curve = kaplan_meier(board.time[0], board.event[0][board.patient[0]])
        levels = np.concatenate([[1.0], curve.survival_at(board.time[0])])
        near = np.searchsorted(board.time[0], [t for t, _ in RATES])  # a rate may stand one patient beside its time
        for (_, rate), place in zip(RATES, near, strict=True):
            if place <= n - MOST + 1:
                continue  # more are at risk there than are dealt with
            beside = levels[max(place - 1, 0) : place + 2] if place < n else levels[-3:]
            assert np.min(np.abs(beside - rate)) <= width + 1e-12
        apply(board, 0, back)
        np.testing.assert_array_equal(board.event, before)
    assert found >= 20
    assert (changed > 0) == free


def test_deals_are_for_rates_at_which_few_are_at_risk() -> None:
    rates = np.array([[t, s - 0.01, s + 0.01, 0, 0, 0, 0, 0, 0] for t, s in RATES])
    board = board_of(np.random.default_rng(1), 150)
    assert deals_help(board, 0, rates)
    assert not deals_help(board, 0, rates[:1])  # at 6 months about 100 are
    assert not deals_help(board, 0, rates[:0])


def test_two_arms_of_twenty_with_rates_and_a_p_value_are_met_by_many_draws() -> None:
    def arm(name: str, n: int, median: str, rates: tuple[str, ...]) -> ReportedArm:
        marks = tuple(Landmark(at, f"{rate}%") for at, rate in zip(("6", "12", "24"), rates, strict=True))
        return ReportedArm(name, n=n, median=median, landmarks=marks)

    report = ReportedComparison(
        "PFS",
        [arm("old", 20, "20.9", ("89.4", "70.3", "44.7")), arm("new", 23, "11.2", ("77.8", "48.5", "42.5"))],
        control="old",
        p_value="0.509",
        events_total=24,
    )
    results = [reconstruct(report, members=40, rng=seed) for seed in range(1, 5)]
    assert all(result.faithful.all() for result in results)
    assert np.mean([result.diagnostics["met"] for result in results]) >= 0.25  # 0.13 without deals
