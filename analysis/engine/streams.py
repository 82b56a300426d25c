"""Random numbers of the engine: one stream per chunk of trials, the same bits on every executor.

The generator is xoshiro256++ (Blackman, Vigna, ACM Trans. Math. Softw. 47, 2021, 36), its state spawned from the seed
by the chunk's number. Unit exponentials are -log(uniform), with the logarithm of fdlibm (Sun Microsystems, 1993)
written out in additions, multiplications and one division, so that no platform's mathematical library has a say in the
bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.seeds import child

if TYPE_CHECKING:
    from numpy.typing import NDArray

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LG1, LG2, LG3, LG4 = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
)
LG5, LG6, LG7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
ONE_AND_LAST_BIT = np.uint64(0x3FF0000000000001)


def chunk_state(seed: np.random.SeedSequence, chunk: int) -> NDArray[np.uint64]:
    """Give the start of a chunk's stream: the state of the seed's child of that number, shape (4,)."""
    return np.asarray(child(seed, chunk).generate_state(4, np.uint64), np.uint64)


@njit(nogil=True, cache=True, error_model="numpy")
def fill_uniform(state: NDArray[np.uint64], out: NDArray[np.float64]) -> None:
    """Fill `out`, one-dimensional, with uniform numbers strictly between 0 and 1, and advance `state`."""
    bits = out.view(np.uint64)
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    for i in range(bits.size):
        mixed = s0 + s3
        mixed = ((mixed << np.uint64(23)) | (mixed >> np.uint64(41))) + s0
        shifted = s1 << np.uint64(17)
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
        bits[i] = (mixed >> np.uint64(12)) | ONE_AND_LAST_BIT
    state[0], state[1], state[2], state[3] = s0, s1, s2, s3
    for i in range(out.size):
        out[i] -= 1.0


@njit(inline="always")
def logarithm(x: float) -> float:
    """Natural logarithm of a positive normal number, within one unit in the last place."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQRT_HALF_BITS) >> np.int64(52)
    f = np.int64(bits - (exponent << np.int64(52))).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    series = w * (LG2 + w * (LG4 + w * LG6)) + z * (LG1 + w * (LG3 + w * (LG5 + w * LG7)))
    half = 0.5 * f * f
    k = np.float64(exponent)
    return k * LN2_HIGH - ((half - (s * (half + series) + k * LN2_LOW)) - f)


@njit(nogil=True, cache=True, error_model="numpy")
def unit_exponentials(uniform: NDArray[np.float64], first: int, out: NDArray[np.float64]) -> None:
    """Write the unit exponentials -log(1 - u) of n columns of `uniform`, `first` on; `out` has shape (trials, n)."""
    for trial in range(out.shape[0]):
        source, target = uniform[trial, first : first + out.shape[1]], out[trial]
        for i in range(target.size):
            target[i] = 0.0 - logarithm(1.0 - source[i])


@njit(inline="always")
def hashed_uniform(seed: np.uint64, number: int) -> float:
    """Uniform number on [0, 1) that belongs to a 64-bit seed and a number (splitmix64), without a state to keep."""
    x = np.uint64(seed) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float64((x ^ (x >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53
