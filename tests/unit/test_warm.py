"""`trial-analysis warm` compiles what users call first."""

import subprocess
import sys

from analysis import load, reconstruct
from analysis.cli import main, warm


def test_warm_runs_each_kind_of_compiled_work(capsys):
    assert main(["warm"]) == 0
    *kinds, last = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert set(kinds) == {
        *("reconstruction", "reconstruction, comparisons", "designs and simulated trials"),
        *("endpoints", "digitised curves"),
    }
    assert last == "all"


def test_what_warm_compiles_without_members_is_what_members_use():
    from analysis.reconstruction.repair.members import meet_comparisons

    warm._comparisons()
    trial = load("bolero-2")
    reconstruct(trial.comparison("pfs-final-local"), members=2, rng=1)
    reconstruct([trial.comparison(f"pfs-first-line-{reader}") for reader in ("local", "central")], members=2, rng=1)
    assert len(meet_comparisons.signatures) == 1


CALLS_AFTER_WARM = """
import gc
from numba.core.dispatcher import Dispatcher
from analysis import load, reconstruct
from analysis.cli import warm
from analysis.design import Assessments, AtEvents, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.endpoints import Attendance, BestOverallResponse, ProgressionFreeSurvival, Rate, Stein, Tumours
from analysis.endpoints import derive, simulate_endpoints, simulated_measurements
from analysis.power import power
from analysis.statistical_tests import MilestoneDifference, ModestlyWeighted, LogRank
from analysis.survival import Weibull


def compiled():
    kernels = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    return {(k.py_func.__module__, k.py_func.__name__, s) for k in kernels for s in map(str, k.signatures)}


for work in (warm._reconstruction, warm._comparisons, warm._designs, warm._endpoints, warm._points):
    work()
before = compiled()
bolero_2 = load("bolero-2")
reconstruct(bolero_2.comparison("pfs-final-central"), members=2, rng=1, relax="median_follow_up")
reconstruct(load("bolero-4").comparisons[0], members=2, rng=1)
reconstruct([bolero_2.comparison(f"pfs-first-line-{reader}") for reader in ("local", "central")], members=2, rng=1)
looks = [Look(AtEvents(40)), Look(AtTime(24))]
design = TrialDesign(n=100, accrual=UniformAccrual(12), looks=looks, strata={"one": 1, "other": 2})
scenario = Scenario.proportional_hazards(Weibull(1.3, 10), 0.6)
for test in (LogRank(weight=ModestlyWeighted(6)), MilestoneDifference(6)):
    power(design, scenario, test, by="simulation", trials=5, rng=1)
tumours, scans = Tumours(Stein(Rate(0.1, 0.5), Rate(0.1, 0.5))), Attendance(Assessments.every(2), until=12)
simulated = simulate_endpoints(tumours, scans, patients=5, trials=2, rng=1)
wanted = {"PFS": ProgressionFreeSurvival(), "BOR": BestOverallResponse()}
derive(*simulated_measurements(simulated, trial=0)).endpoints(wanted)
print(sorted(compiled() - before))
"""


def test_nothing_is_compiled_after_warm():
    run = subprocess.run([sys.executable, "-c", CALLS_AFTER_WARM], capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n", run.stdout + run.stderr
