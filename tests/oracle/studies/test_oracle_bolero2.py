"""What is written of BOLERO-2's members, computed again from their patients with NumPy alone."""

import numpy as np
import pytest

from analysis.studies.bolero2 import curves, words


@pytest.fixture(scope="module")
def members():
    trial = curves.together()
    return [trial.patients(member) for member in range(trial.members)]


def survival_at(time, event, month):
    order = np.lexsort((~event, time))
    time, event = time[order], event[order]
    factors = 1 - event / np.arange(len(time), 0, -1)
    return float(np.prod(factors[time <= month]))


def log_ratio(time, event, treated, strata=None):
    """Cox's estimate by Newton's method, stratified where asked; ties as Efron."""
    groups = [np.full(len(time), True)] if strata is None else [strata == level for level in np.unique(strata)]
    beta = 0.0
    for _ in range(30):
        parts = [score(time[own], event[own], treated[own], beta) for own in groups]
        step = sum(gradient for gradient, _ in parts) / sum(curvature for _, curvature in parts)
        beta += step
        if abs(step) < 1e-10:
            break
    return beta


def score(time, event, treated, beta):
    """Derivative of the log partial likelihood, and the negative of its second one."""
    order = np.lexsort((~event, time))[::-1]
    time, event, treated = time[order], event[order], treated[order].astype(float)
    risk = np.exp(beta * treated)
    sums = np.cumsum(risk), np.cumsum(risk * treated)
    gradient = curvature = 0.0
    for at in np.unique(time[event]):
        here = event & (time == at)
        last = np.flatnonzero(time == at)[-1]
        s0, s1 = sums[0][last], sums[1][last]
        own0, own1, d = risk[here].sum(), (risk * treated)[here].sum(), int(here.sum())
        for k in range(d):
            mean = (s1 - k / d * own1) / (s0 - k / d * own0)
            gradient -= mean
            curvature += mean * (1 - mean)
        gradient += treated[here].sum()
    return gradient, curvature


def median(time, event):
    """First time at which the Kaplan-Meier curve is at most one half; the middle where it is level at one half."""
    order = np.lexsort((~event, time))
    time, event = time[order], event[order]
    curve = np.cumprod(1 - event / np.arange(len(time), 0, -1))
    at = int(np.argmax(curve <= 0.5 + 1e-12))
    level = abs(curve[at] - 0.5) < 1e-12
    return (time[at] + time[np.argmax(curve < 0.5 - 1e-12)]) / 2 if level else time[at]


PRINTED = [
    ("PFS local", 510, (7.8, 3.2), 0.45, True),
    ("PFS central", 320, (11.0, 4.1), 0.38, True),
    ("OS", 410, (31.0, 26.6), 0.89, False),
]
"""Events, medians on everolimus and placebo, hazard ratio, and whether it is stratified by visceral disease."""


@pytest.mark.parametrize(("endpoint", "events", "medians", "ratio", "stratified"), PRINTED)
def test_members_give_the_printed_numbers_back(members, endpoint, events, medians, ratio, stratified):
    for one in members[::5]:
        time, event = one[f"{endpoint} time"].to_numpy(), one[f"{endpoint} event"].to_numpy(bool)
        treated = one["arm"].to_numpy() == "everolimus"
        assert event.sum() == events
        for arm, printed in zip((treated, ~treated), medians, strict=True):
            assert median(time[arm], event[arm]) == pytest.approx(printed, abs=0.05 + 1e-6)
        strata = one["visceral metastases"].to_numpy(bool) if stratified else None
        assert np.exp(log_ratio(time, event, treated, strata)) == pytest.approx(ratio, abs=0.005 + 1e-6)


def test_rates_at_six_months(members):
    said = curves.landmarks(curves.FINAL_PFS, months=(6,)).query("arm == 'everolimus'")
    for endpoint, row in zip(("PFS local", "PFS central"), said.to_dict("records"), strict=True):
        own = []
        for one in members:
            arm = one[one["arm"] == "everolimus"]
            time, event = arm[f"{endpoint} time"].to_numpy(), arm[f"{endpoint} event"].to_numpy(bool)
            own.append(survival_at(time, event, 6.0))
        outside = int(0.05 * (len(own) - 1))  # members beyond either limit, which are order statistics
        low, high = np.sort(own)[[outside, -1 - outside]]
        assert row["mean"] == pytest.approx(np.mean(own), abs=1e-12)
        assert (row["lower"], row["upper"]) == pytest.approx((low, high), abs=1e-12)
        assert f"{row['mean']:.0%} ({row['lower']:.0%}-{row['upper']:.0%})" in words.conclusion()


def test_the_ratio_of_the_patients_whom_no_report_shows(members):
    said = curves.subgroup_ratios().set_index("patients").loc["no visceral metastases"]
    own = []
    for one in members[::4]:
        rest = one[~one["visceral metastases"].astype(bool)]
        time, event = rest["PFS local time"].to_numpy(), rest["PFS local event"].to_numpy(bool)
        own.append(np.exp(log_ratio(time, event, rest["arm"].to_numpy() == "everolimus")))
    assert said["estimate"] == pytest.approx(np.median(own), abs=0.015)
    assert said["lower"] <= np.quantile(own, 0.15) <= np.quantile(own, 0.85) <= said["upper"]
    assert f"have a hazard ratio of {said['estimate']:.2f}" in words.conclusion()


def test_how_many_members_are_distinct(members):
    keys = [
        {tuple(np.sort(one[f"{endpoint} time"].to_numpy()).round(9)) for one in members}
        for endpoint in ("PFS local", "PFS central", "OS")
    ]
    said = curves.together().diagnostics["distinct members"]
    assert min(map(len, keys)) == said  # of the endpoint that has the fewest
    assert f"{said:.0f} of {len(members)} members are distinct" in words.conclusion()
    assert f"one list of {len(members[0])} patients" in words.conclusion()
