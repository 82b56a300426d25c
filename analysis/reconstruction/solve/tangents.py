"""Derivatives of the forward map by the log hazards, carried along the cells with the paths themselves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from analysis.conventions.kernels import inner
from analysis.reconstruction.solve.forward import end_of_curve, read_path, score_and_information
from analysis.reconstruction.terms import (
    AT_RISK,
    BEYOND,
    EVENTS,
    FOLLOW_UP,
    INFORMATION,
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


@inner
def fill_tangents(
    x: FloatArray,
    arm: int,
    frame: Frame,
    cells: FloatArray,
    count: int,
    tangents: FloatArray,
) -> None:
    """Carry the derivatives of an arm's five paths by its own log hazards along the cells.

    ``tangents`` is (5, J + L, nodes): by the J log event hazards, then by the L log censoring hazards.
    """
    edges, lengths, sizes = frame
    arms, width, length = sizes.size, edges.size, lengths.size
    m, f = math.exp(x[-2]), math.exp(x[-1])
    base = arms * width + arm * length
    tangents[:, :, 0] = 0.0
    j, k = 0, 0
    at_risk = sizes[arm]
    for i in range(1, count):
        middle = 0.5 * (cells[i - 1] + cells[i])
        while j + 1 < width and middle > m * edges[j + 1]:
            j += 1
        while k + 1 < length and middle > f * lengths[k + 1]:
            k += 1
        step = cells[i] - cells[i - 1]
        a = min(math.exp(x[arm * width + j]) / m * step, 30.0)
        b = min(math.exp(x[base + k]) / f * step, 30.0)
        total = a + b
        kept = math.exp(-total)
        gone = -math.expm1(-total)
        share = a / total if total > 0.0 else 0.0
        left = at_risk * kept
        spread = 1.0 / max(left, 1e-3) - 1.0 / max(at_risk, 1e-3)
        inverse_left = 1.0 / left**2 if left > 1e-3 else 0.0
        inverse = 1.0 / at_risk**2 if at_risk > 1e-3 else 0.0
        for p in range(width + length):
            if (p < width and p > j) or (p >= width and p - width > k):
                for q in range(5):
                    tangents[q, p, i] = 0.0
                continue
            da = a if p == j else 0.0
            db = b if p == width + k else 0.0
            before = tangents[4, p, i - 1]
            change = da + db
            d_share = (da * (1.0 - share) - share * db) / total if total > 0.0 else 0.0
            after = before * kept - left * change
            tangents[0, p, i] = tangents[0, p, i - 1] + da
            tangents[1, p, i] = tangents[1, p, i - 1] + db
            tangents[2, p, i] = (
                tangents[2, p, i - 1] + d_share * spread + share * (before * inverse - after * inverse_left)
            )
            tangents[3, p, i] = (
                tangents[3, p, i - 1] + before * share * gone + at_risk * (d_share * gone + share * kept * change)
            )
            tangents[4, p, i] = after
        at_risk = left


@inner
def slope_of_ratio(
    paths: FloatArray,
    tangents: FloatArray,
    control: int,
    experimental: int,
    log_ratio: float,
    count: int,
    width: int,
    length: int,
    arms: int,
    row_score: FloatArray,
    row_log: FloatArray,
) -> None:
    """Differentiate score / information, and half the log information, by all log hazards."""
    ratio = math.exp(log_ratio)
    row_score[:] = 0.0
    row_log[:] = 0.0
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
        for side in range(2):
            arm = experimental if side else control
            weight = 1.0 - p if side else -p
            sign = 1.0 if side else -1.0
            here, there = max(paths[4, arm, i], 1e-9), max(paths[4, arm, i - 1], 1e-9)
            for q in range(width + length):
                by_events = tangents[arm, 3, q, i] - tangents[arm, 3, q, i - 1]
                by_risk = 0.5 * (tangents[arm, 4, q, i] / here + tangents[arm, 4, q, i - 1] / there)
                by_share = sign * p * (1.0 - p) * by_risk
                at = arm * width + q if q < width else arms * width + arm * length + q - width
                row_score[at] += by_events * weight - (d0 + d1) * by_share
                row_log[at] += by_events * p * (1.0 - p) + (d0 + d1) * (1.0 - 2.0 * p) * by_share
    information = max(information, 1e-6)
    for q in range(row_score.size):
        row_score[q] = row_score[q] / information - score / information**2 * row_log[q]
        row_log[q] *= 0.5 / information


@inner
def slope_of_limit(hazard: float, greenwood: float, z: float, form: int, level: float) -> tuple[float, float]:
    """Differentiate the limit's residual by the cumulative hazard and by the Greenwood sum."""
    root = math.sqrt(max(greenwood, 1e-12))
    hazard = max(hazard, 1e-9)
    by_root = 0.5 / root
    if form == LOG_LOG:
        return 1.0 / hazard - z * root / hazard**2, z / hazard * by_root
    aim = -math.log(level)
    if form == LOG:
        if z > 0:
            return 1.0 / (hazard + z * root), z / (hazard + z * root) * by_root
        return 1.0 / hazard, z / (aim - z * root) * by_root
    survival = math.exp(-hazard)
    return survival * (1.0 - z * root) / (level * aim), survival * z * by_root / (level * aim)


@inner
def add_path_slope(
    row: FloatArray,
    factor: float,
    tangent: FloatArray,
    cells: FloatArray,
    count: int,
    t: float,
    arm: int,
    arms: int,
    width: int,
    length: int,
) -> None:
    """Add ``factor`` times the derivative of one path at time ``t`` to a row of the Jacobian."""
    low, high = 0, count - 1
    share = 1.0
    if t >= cells[high]:
        low = high - 1
    else:
        while high - low > 1:
            middle = (low + high) // 2
            if cells[middle] <= t:
                low = middle
            else:
                high = middle
        share = (t - cells[low]) / (cells[high] - cells[low])
    for q in range(width + length):
        at = arm * width + q if q < width else arms * width + arm * length + q - width
        row[at] += factor * (tangent[q, low] + share * (tangent[q, low + 1] - tangent[q, low]))


@njit(cache=True, nogil=True)
def slopes(
    x: FloatArray,
    frame: Frame,
    equations: Equations,
    targets: FloatArray,
    values: FloatArray,
    cells: FloatArray,
    count: int,
    paths: FloatArray,
    tangents: FloatArray,
    out: FloatArray,
) -> None:
    """Jacobian of the residuals by the log hazards, (E, D); the last two columns are left to the caller."""
    arms, width, length = frame.sizes.size, frame.edges.size, frame.lengths.size
    for arm in range(arms):
        fill_tangents(x, arm, frame, cells, count, tangents[arm])
    out[:] = 0.0
    spare = np.empty(x.size)
    for e in range(targets.size):
        kind, arm, time = equations.kind[e], equations.arm[e], equations.time[e]
        level, z, form, target = equations.level[e], equations.z[e], equations.form[e], targets[e]
        row = out[e]
        if kind == SCORE:
            slope_of_ratio(paths, tangents, equations.other[e], arm, target, count, width, length, arms, row, spare)
            continue
        if kind == INFORMATION:
            slope_of_ratio(paths, tangents, equations.other[e], arm, time, count, width, length, arms, spare, row)
            continue
        if kind in (TEST, TEST_BEYOND):
            if kind == TEST_BEYOND and values[e] == 0.0:
                continue
            score, information = score_and_information(paths, equations.other[e], arm, 0.0, count)
            slope_of_ratio(paths, tangents, equations.other[e], arm, 0.0, count, width, length, arms, row, spare)
            root = math.sqrt(max(information, 1e-6))
            for q in range(row.size):
                row[q] = -root * row[q] - score / root * spare[q]
            continue
        if kind == EVENTS:
            total = 0.0
            for k in range(arm, equations.other[e] + 1):
                total += paths[3, k, count - 1]
            for k in range(arm, equations.other[e] + 1):
                add_path_slope(row, 1.0 / total, tangents[k, 3], cells, count, np.inf, k, arms, width, length)
            continue
        if kind == BEYOND:
            if values[e] == 0.0:
                continue
            time, node = end_of_curve(paths, cells, arm, count)
        elif kind in (QUANTILE, LIMIT, FOLLOW_UP):
            time = target
        hazard = max(read_path(paths[0, arm], cells, count, time), 1e-9)
        greenwood = max(read_path(paths[2, arm], cells, count, time), 1e-12)
        by_hazard = by_greenwood = by_censor = 0.0
        if kind in (QUANTILE, SURVIVAL) or (kind == BEYOND and z == 0.0):
            by_hazard = 1.0 / hazard
        elif kind in (LIMIT, BEYOND):
            by_hazard, by_greenwood = slope_of_limit(hazard, greenwood, z, form, level)
        elif kind == LANDMARK_ERROR:
            by_hazard, by_greenwood = -1.0 / hazard, 0.5 / greenwood
        elif kind == FOLLOW_UP:
            by_censor = 1.0 / max(read_path(paths[1, arm], cells, count, time), 1e-9)
        elif kind in (AT_RISK, LEFT):
            if (kind == LEFT or target < 0.5) and values[e] == 0.0:
                continue
            gone = hazard + read_path(paths[1, arm], cells, count, time)
            by_hazard = by_censor = 1.0 / max(gone, 1e-9)
        if kind == BEYOND:  # the end of the curve moves with the number at risk
            loss = min(paths[4, arm, node + 1] - paths[4, arm, node], -1e-9)
            rise = by_hazard * (paths[0, arm, node + 1] - paths[0, arm, node])
            rise += by_greenwood * (paths[2, arm, node + 1] - paths[2, arm, node])
            add_path_slope(row, -rise / loss, tangents[arm, 4], cells, count, time, arm, arms, width, length)
        if by_hazard != 0.0:
            add_path_slope(row, by_hazard, tangents[arm, 0], cells, count, time, arm, arms, width, length)
        if by_greenwood != 0.0:
            add_path_slope(row, by_greenwood, tangents[arm, 2], cells, count, time, arm, arms, width, length)
        if by_censor != 0.0:
            add_path_slope(row, by_censor, tangents[arm, 1], cells, count, time, arm, arms, width, length)
