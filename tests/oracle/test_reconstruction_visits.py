"""Reconstructions of simulated trials whose progression is seen at visits: knowing the visits must help."""

from dataclasses import replace

import numpy as np

from analysis.reconstruction import reconstruct
from analysis.reported import ReportedArm, ReportedComparison, ReportedInterval
from analysis.statistical_tests import CoxHazardRatio
from analysis.survival.estimators import kaplan_meier, reverse_kaplan_meier

MEDIANS = (5.0, 8.0)  # months, of a Weibull with shape 1.3
VISITS = (1.4, 1.85, 2.77)  # months: every 6, 8 and 12 weeks


def simulate(rng: np.random.Generator, interval: float, n: int = 150) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two arms: 15% die between visits, the others are seen to progress at the next one."""
    arms = []
    for median in MEDIANS:
        failure = median * (rng.exponential(size=n) / np.log(2)) ** (1 / 1.3)
        visits = interval * (np.arange(1, 40) + rng.uniform(-0.1, 0.1, (n, 39)))
        seen = np.where(visits >= failure[:, None], visits, np.inf).min(axis=1)
        end = rng.uniform(8, 24, n)
        observed = np.where(rng.random(n) < 0.15, failure, seen)
        last = np.where(visits < end[:, None], visits, 0.1).max(axis=1)
        event = observed <= end
        arms.append((np.where(event, observed, last), event))
    return arms


def digits(months: float) -> str:
    """Months as a paper prints them."""
    return f"{months:.1f}" if np.isfinite(months) else "not reached"


def report(arms: list[tuple[np.ndarray, np.ndarray]], interval: str | None) -> ReportedComparison:
    """What a paper would print of the two arms."""
    printed = []
    for name, (time, event) in zip(("control", "experimental"), arms, strict=True):
        curve = kaplan_meier(time, event)
        limits = tuple(digits(t) for t in curve.median_ci(0.95, scale="log-log"))
        ci = replace(ReportedInterval.of(limits, "months", "median_ci"), scale="log-log")
        followed = digits(reverse_kaplan_meier(time, event).median())
        printed.append(
            ReportedArm(name, n=time.size, median=digits(curve.median()), median_ci=ci, median_follow_up=followed)
        )
    time, event = (np.concatenate(parts) for parts in zip(*arms, strict=True))
    ratio = CoxHazardRatio().analyse(time, event, np.repeat([False, True], [arms[0][0].size, arms[1][0].size]))
    limits = ratio.estimate * np.exp(np.array([-1.96, 1.96]) * ratio.std_error)
    return ReportedComparison(
        "PFS",
        printed,
        control="control",
        hazard_ratio=tuple(f"{value:.2f}" for value in (ratio.estimate, *limits)),
        events_total=int(event.sum()),
        assessment_interval=interval,
    )


def test_known_visits_bring_the_curve_closer_and_the_band_to_its_level() -> None:
    error: dict[bool, list[float]] = {True: [], False: []}
    covered: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(9):
        interval = VISITS[seed % 3]
        arms = simulate(np.random.default_rng(seed), interval)
        for known in (True, False):
            result = reconstruct(report(arms, f"{interval:.2f}" if known else None), 60, rng=1)
            for name, (time, event) in zip(result.arms, arms, strict=True):
                t = np.linspace(0.05, time.max() - 0.05, 200)
                truth, band = kaplan_meier(time, event).survival_at(t), result.survival_at(name, t, level=0.9)
                error[known].append(float(np.mean(abs(band["mean"] - truth))))
                inside = (band["lower"] <= truth + 1e-9) & (truth <= band["upper"] + 1e-9)
                covered[known].append(float(np.mean(inside)))
    assert np.mean(error[True]) < 0.97 * np.mean(error[False])
    assert 0.85 < np.mean(covered[True]) < 0.97
    assert np.mean(covered[True]) > np.mean(covered[False])
