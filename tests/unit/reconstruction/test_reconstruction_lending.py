"""What a compiled function lends is what it was given: the same memory, whatever tuple it is in."""

import sys
from typing import NamedTuple

import numpy as np
from numba import njit

from analysis.reconstruction.repair.lending import lent


class Held(NamedTuple):
    numbers: np.ndarray
    pair: tuple[np.ndarray, np.ndarray]
    factor: float


@njit
def doubled(held, more):
    held, more = lent(held), lent(more)
    for k in range(more.size):
        held.numbers[k] += held.factor * more[k]
        held.pair[1][0, k] = held.pair[0][k]
    return np.sum(held.numbers)


@njit
def of_its_own(size, times):
    """Whoever makes arrays holds them while the function that lends them runs."""
    total = 0.0
    for _ in range(times):
        total += doubled(Held(np.zeros(size), (np.ones(size, np.bool_), np.empty((1, size))), 2.0), np.ones(size))
    return total


def test_what_is_lent_is_the_same_memory():
    held = Held(np.zeros(3), (np.array([True, False, True]), np.zeros((2, 3))), 2.0)
    assert doubled(held, np.array([1.0, 2.0, 3.0])[::-1]) == 12.0
    np.testing.assert_array_equal(held.numbers, [6.0, 4.0, 2.0])
    np.testing.assert_array_equal(held.pair[1], [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def test_nobody_is_held_longer_or_let_go_earlier():
    held = Held(np.zeros(3), (np.ones(3, np.bool_), np.zeros((1, 3))), 1.0)
    before = [sys.getrefcount(each) for each in (held.numbers, *held.pair)]
    doubled(held, np.ones(3))
    assert [sys.getrefcount(each) for each in (held.numbers, *held.pair)] == before
    assert of_its_own(1000, 200) == 200 * 2000.0
