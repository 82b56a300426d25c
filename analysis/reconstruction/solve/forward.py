"""What a report's numbers would be, given smooth hazards of events and of censoring: the compiled forward map.

The state of a trial with A arms is one vector: the log event hazards of each arm on intervals of the trial's unit
``m`` (A * J numbers; its median, or its median follow-up where a median was not reached), the log censoring hazards of
each arm on intervals of its median follow-up ``f`` (A * L numbers), log m and log f. Every reported number becomes an
equation whose residual is near linear in that state: a median is the log cumulative hazard at the printed time, a
confidence limit of the median is the band's equation there, a hazard ratio is the score of the Cox likelihood at the
printed ratio.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.terms import (
    AT_RISK,
    BEYOND,
    EVENTS,
    FOLLOW_UP,
    LANDMARK_ERROR,
    LEFT,
    LIMIT,
    LOG,
    LOG_LOG,
    QUANTILE,
    SCORE,
    SURVIVAL,
    TEST,
    TEST_BEYOND,
    Equations,
    Frame,
)

if TYPE_CHECKING:
    from analysis.conventions.checks import FloatArray

LAST_AT_RISK = 0.6
TAIL = (1.25, 1.6, 2.2, 4.0)


@njit(cache=True, nogil=True)
def lay_cells(x: FloatArray, frame: Frame, cells: FloatArray) -> int:
    """Nodes where either hazard changes, each cell halved; returns their number. ``cells`` is (nodes,)."""
    edges, lengths = frame.edges, frame.lengths
    m, f = math.exp(x[-2]), math.exp(x[-1])
    j, k, count = 1, 1, 0
    last_edges, last_lengths = edges.size, lengths.size
    tail = 0
    previous = 0.0
    cells[0] = 0.0
    while True:
        a = m * edges[j] if j < last_edges else np.inf
        b = f * lengths[k] if k < last_lengths else np.inf
        if a == np.inf and b == np.inf:
            if tail == len(TAIL):
                break
            node = max(m * edges[-1], f * lengths[-1]) * TAIL[tail]
            tail += 1
        elif a <= b:
            node = a
            j += 1
        else:
            node = b
            k += 1
        if node > previous:
            cells[count + 1] = 0.5 * (previous + node)
            cells[count + 2] = node
            count += 2
            previous = node
    return count + 1


@njit(cache=True, nogil=True)
def fill_paths(
    x: FloatArray,
    frame: Frame,
    cells: FloatArray,
    count: int,
    paths: FloatArray,
) -> None:
    """Cumulative event hazard, censoring hazard, Greenwood sum, events and numbers at risk at each node.

    ``paths`` is (5, arms, nodes) and is overwritten up to ``count``.
    """
    edges, lengths, sizes = frame
    arms, width, length = sizes.size, edges.size, lengths.size
    m, f = math.exp(x[-2]), math.exp(x[-1])
    for arm in range(arms):
        j, k = 0, 0
        hazard = censor = greenwood = events = 0.0
        at_risk = sizes[arm]
        paths[0, arm, 0] = paths[1, arm, 0] = paths[2, arm, 0] = paths[3, arm, 0] = 0.0
        paths[4, arm, 0] = at_risk
        base = arms * width + arm * length
        for i in range(1, count):
            middle = 0.5 * (cells[i - 1] + cells[i])
            while j + 1 < width and middle > m * edges[j + 1]:
                j += 1
            while k + 1 < length and middle > f * lengths[k + 1]:
                k += 1
            step = cells[i] - cells[i - 1]
            d_event = min(math.exp(x[arm * width + j]) / m * step, 30.0)
            d_censor = min(math.exp(x[base + k]) / f * step, 30.0)
            total = d_event + d_censor
            gone = -math.expm1(-total)
            share = d_event / total if total > 0.0 else 0.0
            left = at_risk * math.exp(-total)
            events += at_risk * share * gone
            greenwood += share * (1.0 / max(left, 1e-3) - 1.0 / max(at_risk, 1e-3))
            hazard += d_event
            censor += d_censor
            at_risk = left
            paths[0, arm, i] = hazard
            paths[1, arm, i] = censor
            paths[2, arm, i] = greenwood
            paths[3, arm, i] = events
            paths[4, arm, i] = at_risk


@inner
def read_path(path: FloatArray, cells: FloatArray, count: int, t: float) -> float:
    """Linear interpolation of one path at time ``t``."""
    low, high = 0, count - 1
    if t >= cells[high]:
        return float(path[high])
    while high - low > 1:
        middle = (low + high) // 2
        if cells[middle] <= t:
            low = middle
        else:
            high = middle
    return float(path[low] + (path[high] - path[low]) * (t - cells[low]) / (cells[high] - cells[low]))


@inner
def score_and_information(
    paths: FloatArray, control: int, experimental: int, log_ratio: float, count: int
) -> tuple[float, float]:
    """Score and information of the Cox model for two arms at ``log_ratio``, from expected events."""
    ratio = math.exp(log_ratio)
    score = information = 0.0
    for i in range(1, count):
        y0 = math.sqrt(paths[4, control, i] * paths[4, control, i - 1])
        y1 = math.sqrt(paths[4, experimental, i] * paths[4, experimental, i - 1]) * ratio
        if y0 + y1 < 1e-6:
            break
        d0 = paths[3, control, i] - paths[3, control, i - 1]
        d1 = paths[3, experimental, i] - paths[3, experimental, i - 1]
        p = y1 / (y0 + y1)
        score += d1 - (d0 + d1) * p
        information += (d0 + d1) * p * (1.0 - p)
    return score, information


@inner
def end_of_curve(paths: FloatArray, cells: FloatArray, arm: int, count: int) -> tuple[float, int]:
    """Time at which ``LAST_AT_RISK`` patients of the arm are expected, and the node before it."""
    i = 1
    while i < count - 1 and paths[4, arm, i] > LAST_AT_RISK:
        i += 1
    before, after = paths[4, arm, i - 1], paths[4, arm, i]
    share = min(max((before - LAST_AT_RISK) / max(before - after, 1e-12), 0.0), 1.0)
    return cells[i - 1] + share * (cells[i] - cells[i - 1]), i - 1


@inner
def limit_residual(hazard: float, greenwood: float, z: float, kind: int, level: float) -> float:
    """Distance of a confidence limit of S from ``level`` on the scale of log(-log S); z > 0: lower limit of S."""
    root = math.sqrt(max(greenwood, 1e-12))
    hazard = max(hazard, 1e-9)
    aim = -math.log(level)
    if kind == LOG_LOG:
        return math.log(hazard) + z * root / hazard - math.log(aim)
    if kind == LOG:
        if z > 0:
            return math.log(hazard + z * root) - math.log(aim)
        return math.log(hazard) - math.log(aim - z * root)
    survival = math.exp(-hazard)
    return -(survival * (1.0 - z * root) - level) / (level * aim)


@njit(cache=True, nogil=True)
def residuals(
    x: FloatArray,
    frame: Frame,
    equations: Equations,
    targets: FloatArray,
    cells: FloatArray,
    paths: FloatArray,
    out: FloatArray,
) -> int:
    """Fill ``out`` (E,) with each equation's residual at state ``x``.

    A target (E,) replaces the time for quantiles, limits and follow-up, and the value for the others.
    """
    sizes = frame.sizes
    count = lay_cells(x, frame, cells)
    fill_paths(x, frame, cells, count, paths)
    for e in range(targets.size):
        kind, arm, time = equations.kind[e], equations.arm[e], equations.time[e]
        level, z, form = equations.level[e], equations.z[e], equations.form[e]
        target = targets[e]
        if kind == QUANTILE:
            hazard = read_path(paths[0, arm], cells, count, target)
            out[e] = math.log(max(hazard, 1e-9)) - math.log(-math.log(level))
        elif kind == LIMIT:
            hazard = read_path(paths[0, arm], cells, count, target)
            greenwood = read_path(paths[2, arm], cells, count, target)
            out[e] = limit_residual(hazard, greenwood, z, form, level)
        elif kind == BEYOND:
            end, _ = end_of_curve(paths, cells, arm, count)
            hazard = read_path(paths[0, arm], cells, count, end)
            if z == 0.0:
                value = math.log(max(hazard, 1e-9)) - math.log(-math.log(level))
            else:
                value = limit_residual(hazard, read_path(paths[2, arm], cells, count, end), z, form, level)
            out[e] = max(0.0, value)
        elif kind == SURVIVAL:
            hazard = read_path(paths[0, arm], cells, count, time)
            out[e] = math.log(max(hazard, 1e-9)) - math.log(-math.log(target))
        elif kind == LANDMARK_ERROR:
            hazard = max(read_path(paths[0, arm], cells, count, time), 1e-9)
            greenwood = read_path(paths[2, arm], cells, count, time)
            out[e] = 0.5 * math.log(max(greenwood, 1e-12)) - math.log(hazard) - math.log(target)
        elif kind in (AT_RISK, LEFT):
            gone = read_path(paths[0, arm], cells, count, time)
            gone += read_path(paths[1, arm], cells, count, time)
            aim = math.log((sizes[arm] + 0.5) / (target + 0.5))
            out[e] = math.log(max(gone, 1e-9)) - math.log(max(aim, 0.2 / sizes[arm]))
            if kind == LEFT:  # at least so many
                out[e] = max(0.0, out[e])
            elif target < 0.5:
                out[e] = min(0.0, out[e])
        elif kind == EVENTS:
            total = 0.0
            for k in range(arm, equations.other[e] + 1):
                total += paths[3, k, count - 1]
            out[e] = math.log(total) - math.log(max(target, 0.3))
        elif kind == FOLLOW_UP:
            censor = read_path(paths[1, arm], cells, count, target)
            out[e] = math.log(max(censor, 1e-9)) - math.log(-math.log(level))
        elif kind in (TEST, TEST_BEYOND):
            score, information = score_and_information(paths, equations.other[e], arm, 0.0, count)
            out[e] = -score / math.sqrt(max(information, 1e-6)) - target
            if kind == TEST_BEYOND:  # at least so much: level is the sign
                out[e] = level * min(0.0, level * out[e])
        else:
            at = target if kind == SCORE else time
            score, information = score_and_information(paths, equations.other[e], arm, at, count)
            if kind == SCORE:
                out[e] = score / max(information, 1e-6)
            else:
                out[e] = 0.5 * math.log(max(information, 1e-6)) + math.log(target)
    return count
