"""Seeds: the keyword is `rng` everywhere, and it is turned into a stream in one way."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from analysis.errors import InvalidValueError

Seed: TypeAlias = int | np.random.SeedSequence | np.random.Generator


def seed_sequence(rng: Seed) -> np.random.SeedSequence:
    """Turn an `rng` argument into a seed sequence; a generator gives the next 128 bits of its own stream.

    Raises
    ------
    InvalidValueError
        If it is none of the three, or a negative number.

    Examples
    --------
    >>> seed_sequence(7).entropy
    7
    """
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(rng.integers(0, 2**32, size=4).tolist())
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        raise InvalidValueError("rng", rng, "a seed of at least 0, a SeedSequence or a Generator", "write rng=1")
    return np.random.SeedSequence(int(rng))


def child(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Give the seed's child of a number, whatever was spawned from it before."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number), pool_size=seed.pool_size)


def generator(rng: Seed) -> np.random.Generator:
    """Turn an `rng` argument into a generator; one that is given is used itself, and so advanced."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(seed_sequence(rng))
