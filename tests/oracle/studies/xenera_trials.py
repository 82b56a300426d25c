"""XENERA-1 simulated with NumPy alone: arrays of trials, patients drawn from the points of a control arm's curves."""

import numpy as np
from scipy import stats

ACCRUAL, CUT, DROPOUT = 27.0, 1260 / 30.4375, 0.01
"""Uniform accrual, 28 November 2018 to 11 May 2022, losses per month."""
Z = stats.norm.isf(0.025)


GRID = np.arange(0.0, CUT + 20.0, 0.05)


class Curves:
    """The control arm's curves, as points of survival on `GRID`, one row a member; beyond it nobody is followed."""

    def __init__(self, survival):
        self.survival = np.asarray(survival)

    def draw(self, rng, ratio):
        """Event times, shape of `ratio` (trials, patients): each trial of one member."""
        which = rng.integers(len(self.survival), size=len(ratio))
        out = np.empty(ratio.shape)
        for k, survival in enumerate(self.survival):
            rows = np.flatnonzero(which == k)
            wanted = rng.standard_exponential((rows.size, ratio.shape[1])) / ratio[rows]  # control's cumulative hazard
            hazard = -np.log(np.maximum(survival, 1e-12))
            out[rows] = np.where(wanted > hazard[-1], np.inf, np.interp(wanted, hazard, GRID))
        return out


class Exponentials:
    """Exponential curves whose median is as uncertain as its printed interval."""

    def __init__(self, median, lower, upper):
        self.median, self.spread = median, np.log(upper / lower) / (2 * Z)

    def draw(self, rng, ratio):
        """Event times, shape of `ratio` (trials, patients)."""
        median = self.median * np.exp(self.spread * rng.standard_normal((len(ratio), 1)))
        return rng.exponential(1.0, ratio.shape) * median / np.log(2) / ratio


def observed(curves, ratio, trials, seed, *, n=100, accrual=ACCRUAL, cut=CUT, dropout=DROPOUT, weeks=None, events=None):
    """Time, event and arm of trials analysed at a month or at a number of events; arrays (trials, n)."""
    rng = np.random.default_rng(seed)
    treated = np.broadcast_to(np.arange(n) % 2, (trials, n))
    time = curves.draw(rng, np.where(treated == 1, ratio, 1.0))
    if weeks is not None:  # seen at the next scan
        time = np.ceil(time / (weeks * 7 / 30.4375)) * (weeks * 7 / 30.4375)
    entry = accrual * rng.random((trials, n))
    lost = rng.exponential(1 / dropout, (trials, n)) if dropout else np.full((trials, n), np.inf)
    at = np.full(trials, cut)
    if events is not None:
        seen = np.where(time <= lost, entry + time, np.inf)
        at = np.sort(seen, axis=1)[:, events - 1]
    until = np.minimum(np.maximum(at[:, None] - entry, 0.0), lost)
    return np.minimum(time, until), (time <= until) & (until > 0), treated, at


def score(time, event, treated, ratio=1.0):
    """Expected less observed events of the treated at a hazard ratio, and its variance, trial by trial."""
    order = np.argsort(time, axis=1, kind="stable")
    event, treated = np.take_along_axis(event, order, 1), np.take_along_axis(treated, order, 1)
    theirs = ratio * treated[:, ::-1].cumsum(axis=1)[:, ::-1]
    others = (1 - treated)[:, ::-1].cumsum(axis=1)[:, ::-1]
    share = theirs / (theirs + others)
    return ((share - treated) * event).sum(axis=1), (share * (1 - share) * event).sum(axis=1)


def z_of(time, event, treated):
    """Log-rank z, above 0 if the treated do better."""
    value, variance = score(time, event, treated)
    return value / np.sqrt(variance)


def power(curves, ratio, trials, seed, alpha=0.025, **design):
    """Share of trials that reject."""
    time, event, treated, _ = observed(curves, ratio, trials, seed, **design)
    return float((z_of(time, event, treated) >= stats.norm.isf(alpha)).mean())
