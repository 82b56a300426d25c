"""Speed of every kind of design, warm: two arms here, group-sequential and single-arm from their own modules.

    python benchmarks/designs.py [--json]

The baseline of the two-arm cases is the same log-rank power by ``scipy.integrate.quad``, one adaptive integral for the
mean of the score and one for its variance, written for this one design; ratios are to it, in the same run.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from typing import TYPE_CHECKING

import designs_sequential
import designs_single_arm
from scipy.integrate import quad
from scipy.special import ndtr

from analysis.conventions import replace
from analysis.design import AtEvents, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.power import (
    ExpectedCourse,
    detectable_effect,
    power,
    power_summary,
    sample_size,
    study_duration,
)
from analysis.statistical_tests import FlemingHarrington, LogRank, MaxCombo, MilestoneDifference, RMSTDifference
from analysis.survival import Exponential, PiecewiseExponential, Weibull

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, LOSS, ACCRUAL, N, TIME = math.log(2) / 11, 0.005, 18.0, 100, 30.0
BASELINE = "log-rank power, scipy.integrate.quad"


def designed() -> TrialDesign:
    """One hundred patients, 1:1, analysed at 30 months."""
    return TrialDesign(n=N, accrual=UniformAccrual(ACCRUAL), looks=(Look(AtTime(TIME)),), dropout=LOSS)


def proportional(ratio: float = 0.6) -> Scenario:
    """Assume exponential times and a hazard ratio of 0.6."""
    return Scenario.proportional_hazards(Exponential(RATE), ratio)


def delayed() -> Scenario:
    """Assume three months of delay and then a hazard ratio of 0.55."""
    return Scenario({"control": Exponential(RATE), "experimental": PiecewiseExponential([RATE, 0.55 * RATE], [3.0])})


def falling() -> Scenario:
    """Assume Weibull event times with a falling hazard."""
    return Scenario.proportional_hazards(Weibull(0.8, 15.0), 0.6)


def quadrature_baseline() -> float:
    """Log-rank power of `proportional` by two adaptive integrals."""

    def at_risk(t: float) -> tuple[float, float]:
        followed = N / 2 * math.exp(-LOSS * t) * min(1.0, (TIME - t) / ACCRUAL)
        return followed * math.exp(-RATE * t), followed * math.exp(-0.6 * RATE * t)

    def mean(t: float) -> float:
        a, b = at_risk(t)
        return a * b / (a + b) * 0.4 * RATE if a > 0 else 0.0

    def variance(t: float) -> float:
        a, b = at_risk(t)
        return a * b / (a + b) ** 2 * RATE * (a + 0.6 * b) if a > 0 else 0.0

    breaks = (TIME - ACCRUAL,)
    score, null = (quad(f, 0, TIME, points=breaks, epsabs=0, epsrel=1e-10)[0] for f in (mean, variance))
    return float(ndtr(score / math.sqrt(null) - 1.959963984540054))


COMBO = MaxCombo((FlemingHarrington(0, 0), FlemingHarrington(0, 0.5), FlemingHarrington(0.5, 0.5)))
DESIGN = TrialDesign(n=N, accrual=UniformAccrual(ACCRUAL), looks=(Look(AtEvents(60)),), dropout=LOSS)
LATE = LogRank(FlemingHarrington(0, 1))

CASES: dict[str, Callable[[], object]] = {
    BASELINE: quadrature_baseline,
    "log-rank power": lambda: power(designed(), proportional()),
    "log-rank power, variance under the alternative": lambda: power(
        designed(), proportional(), LogRank(variance="alternative")
    ),
    "log-rank power, Weibull": lambda: power(designed(), falling()),
    "weighted log-rank power, delayed effect": lambda: power(designed(), delayed(), LATE),
    "max-combo power, three weights": lambda: power(designed(), delayed(), COMBO),
    "RMST difference power": lambda: power(designed(), delayed(), RMSTDifference(18.0)),
    "milestone difference power": lambda: power(designed(), delayed(), MilestoneDifference(12.0)),
    "expected events": lambda: ExpectedCourse(designed(), proportional()).events(TIME),
    "time of the 60th event": lambda: ExpectedCourse(designed(), proportional()).time_of_events(60),
    "sample size": lambda: sample_size(designed(), proportional(), power=0.8),
    "duration": lambda: study_duration(replace(designed(), dropout=None), proportional(0.5), power=0.8),
    "detectable hazard ratio": lambda: detectable_effect(designed(), proportional(), power=0.8),
    "summary of a design by four methods": lambda: power_summary(DESIGN, proportional()),
}


def milliseconds(case: Callable[[], object], repeats: int) -> float:
    """Median of warm calls."""
    case()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        case()
        taken.append(time.perf_counter() - start)
    return 1e3 * statistics.median(taken)


def two_arm(repeats: int) -> list[dict[str, float | str]]:
    """Time the two-arm cases; the baseline and the package give the same power."""
    difference = abs(quadrature_baseline() - power(designed(), proportional()).power)
    if difference > 1e-9:
        raise AssertionError(f"the baseline's power differs by {difference}")
    taken = {name: milliseconds(case, repeats) for name, case in CASES.items()}
    return [{"case": name, "milliseconds": ms, "ratio": ms / taken[BASELINE]} for name, ms in taken.items()]


# group-sequential -----------------------------------------------------------------------------------------------------


def sequential(repeats: int) -> list[dict[str, float | str]]:
    """Time the cases of `designs_sequential`."""
    seconds = {name: designs_sequential.measure(case, repeats) for name, case in designs_sequential.CASES.items()}
    base = seconds[designs_sequential.BASELINE]
    return [{"case": name, "milliseconds": 1e3 * s, "ratio": s / base} for name, s in seconds.items()]


# single arm -----------------------------------------------------------------------------------------------------------


def single_arm(repeats: int) -> list[dict[str, float | str]]:
    """Time the cases of `designs_single_arm`; its first row is the baseline."""
    rows = designs_single_arm.measure(repeats)
    base = float(rows[0]["ms"])
    return [{"case": r["case"], "milliseconds": r["ms"], "ratio": float(r["ms"]) / base} for r in rows]


def main() -> None:
    """Print a line per case, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    families = {"two-arm": two_arm, "group-sequential": sequential, "single-arm": single_arm}
    result = {name: run(options.repeats) for name, run in families.items()}
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name, rows in result.items():
        print(f"{name} (ratio to: {rows[0]['case']})")
        for row in rows:
            print(f"  {row['case']:52} {row['milliseconds']:9.3f} ms {row['ratio']:8.3f}")


if __name__ == "__main__":
    main()
