"""Whatever patients a report was made from, the reconstruction gives the report back with valid patients."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.reconstruction import reconstruct
from analysis.reported import AtRisk, ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio
from analysis.survival.estimators import kaplan_meier


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    sizes=st.tuples(st.integers(40, 160), st.integers(40, 160)),
    shape=st.floats(0.8, 2.0),
    ratio=st.floats(0.5, 1.2),
    at_risk=st.booleans(),
)
def test_a_report_of_real_patients_comes_back(
    seed: int, sizes: tuple[int, int], shape: float, ratio: float, at_risk: bool
) -> None:
    rng = np.random.default_rng(seed)
    experimental = np.repeat([False, True], sizes)
    failure = 9 * (rng.exponential(np.where(experimental, 1 / ratio, 1.0))) ** (1 / shape)
    end = rng.uniform(10, 45, failure.size)
    time, event = np.minimum(failure, end), failure <= end
    arms = []
    for name, chosen in (("control", ~experimental), ("experimental", experimental)):
        median = kaplan_meier(time[chosen], event[chosen]).median()
        ticks = (0.0, 6.0, 12.0, 24.0)
        counts = tuple(int((time[chosen] >= tick).sum()) for tick in ticks)
        arms.append(
            ReportedArm(
                name,
                n=int(chosen.sum()),
                median=f"{median:.1f}" if np.isfinite(median) else "not reached",
                at_risk=AtRisk(ticks, counts) if at_risk else None,
            )
        )
    cox = CoxHazardRatio().analyse(time, event, experimental)
    report = ReportedComparison(
        "PFS",
        arms,
        control="control",
        hazard_ratio=tuple(f"{x:.2f}" for x in (cox.estimate, cox.lower, cox.upper)),
        events_total=int(event.sum()),
    )
    result = reconstruct(report, 15, rng=seed, threads=1)
    assert result.faithful.all()
    assert result.time.shape == (15, experimental.size)
    assert np.isfinite(result.time).all()
    assert (result.time > 0).all()
    assert (result.event.sum(axis=1) == event.sum()).all()
    for arm in result.arms:
        curve = result.survival_by_member(arm, np.linspace(0, 60, 50))
        assert (np.diff(curve, axis=1) <= 1e-12).all()
        assert ((curve >= 0) & (curve <= 1)).all()
