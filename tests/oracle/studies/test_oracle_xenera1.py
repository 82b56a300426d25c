"""What is written of XENERA-1, computed again with NumPy and SciPy alone.

Nothing of the package computes here but the points of the control arms' curves, which are an input. What it says has to
be within the Monte Carlo error of what is computed here, or within that of a curve read at points (`POINTS`).
"""

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.studies.xenera1 import assurance, confirmation, plan, power, seen
from tests.oracle.studies.xenera_trials import (
    ACCRUAL,
    CUT,
    DROPOUT,
    GRID,
    Curves,
    Exponentials,
    Z,
    observed,
    score,
    z_of,
)
from tests.oracle.studies.xenera_trials import power as own_power

TRIALS = 20_000
POINTS = 0.004
PRINTED = {"independent": (1.19, 0.55, 2.59), "investigator": (1.23, 0.69, 2.20)}
MEDIANS = {"independent": (11.0, 7.7, 19.5), "investigator": (9.2, 5.6, 14.4)}


def within(own, more=POINTS, trials=TRIALS):
    return pytest.approx(own, abs=4 * np.sqrt(own * (1 - own) / trials) + more)


def curves_of(reader):
    (arm,) = [arm for name, arm in plan.control_arms().items() if name.startswith(f"BOLERO-2 {reader} without")]
    return Curves([one.survival(GRID) for one in arm.members])


@pytest.fixture(scope="module")
def central():
    return curves_of("central")


@pytest.fixture(scope="module")
def local():
    return curves_of("local")


@pytest.fixture(scope="module")
def base():
    grid = power.power_grid()
    return grid[grid["control_arm"] == plan.CONTROL_ARM.value].set_index("hazard_ratio")


@pytest.mark.parametrize("reader", MEDIANS)
def test_power_on_its_own_exponential_control(reader):
    (name,) = [name for name in plan.control_arms() if name.startswith(f"XENERA-1 {reader}")]
    said = power.power_grid().set_index(["control_arm", "hazard_ratio"]).loc[(name, 0.6), "power"]
    assert said == within(own_power(Exponentials(*MEDIANS[reader]), 0.6, TRIALS, 1), more=0)


def test_power_over_the_hazard_ratio_with_its_events(base, central):
    for ratio, row in base.iterrows():
        time, event, treated, _ = observed(central, ratio, TRIALS, 2)
        assert row["power"] == within(float((z_of(time, event, treated) >= Z).mean()))
        assert row["events"] == pytest.approx(event.sum(axis=1).mean(), abs=0.3)


def test_formulas_beside_the_simulation(base, central):
    """Expected events and z of one very large trial of each member."""
    n, row = 400_000, base.loc[0.6]
    found = []
    for k, one in enumerate(central.survival):
        time, event, treated, _ = observed(Curves([one]), 0.6, 1, k, n=n)
        d = event.sum() * 100 / n
        mean = z_of(time, event, treated)[0] * np.sqrt(100 / n)
        found.append((stats.norm.cdf(-np.log(0.6) * np.sqrt(d) / 2 - Z), stats.norm.cdf(0.4 / 1.6 * np.sqrt(d) - Z),
                      stats.norm.cdf(mean - Z)))  # fmt: skip
    schoenfeld, freedman, exact = np.array(found).T
    assert row["schoenfeld"] == pytest.approx(schoenfeld.mean(), abs=POINTS)
    assert row["freedman"] == pytest.approx(freedman.mean(), abs=POINTS)
    assert row["large_sample"] == pytest.approx(exact.mean(), abs=POINTS)
    low, high = np.quantile(exact, (0.05, 0.95))
    assert (row["large_sample_lower"], row["large_sample_upper"]) == pytest.approx((low, high), abs=0.03)
    # curves drawn again, one for each that differs: as many as a curve that stands there twice leaves
    _, group, times = np.unique(central.survival, axis=0, return_inverse=True, return_counts=True)
    group, share = group.ravel(), times / times.sum()
    of_group = np.bincount(group, exact) / times
    again = np.random.default_rng(8).choice(of_group, (20_000, round(1 / (share @ share))), p=share).mean(axis=1)
    assert row["members_std_error"] == pytest.approx(again.std(), rel=0.05)


CHANGES = {
    ("follow-up after accrual", "0 months"): {"cut": ACCRUAL},
    ("follow-up after accrual", "6 months"): {"cut": ACCRUAL + 6},
    ("follow-up after accrual", "12 months"): {"cut": ACCRUAL + 12},
    ("accrual", "30 months"): {"accrual": 30.0},
    ("accrual", "36 months"): {"accrual": 36.0},
    ("dropout", "0.03 per month"): {"dropout": 0.03},
    ("dropout", "0 per month"): {"dropout": 0.0},
    ("assessments laid over the curves", "8 weeks"): {"weeks": 8},
    ("assessments laid over the curves", "16 weeks"): {"weeks": 16},
    ("type I error", "0.05 one-sided"): {"alpha": 0.05},
    ("type I error", "0.1 one-sided"): {"alpha": 0.10},
    ("type I error", "0.2 one-sided"): {"alpha": 0.20},
    ("patients", "103"): {"n": 103},
}


def test_what_each_assumption_moves(central, local):
    table = power.what_moves_power().set_index(["replaced", "by"])
    for k, (what, design) in enumerate(CHANGES.items()):
        assert table.loc[what, "power"] == within(own_power(central, 0.6, TRIALS, 10 + k, **design)), what
    (name,) = [name for name in plan.control_arms() if name.startswith("BOLERO-2 local without")]
    assert table.loc[("control arm", name), "power"] == within(own_power(local, 0.6, TRIALS, 40))
    named = {what for what, _ in table.index} - {"as assumed", "control arm"}
    assert named == {what for what, _ in CHANGES}


def test_events_that_are_asked_for_and_when_they_come(central):
    table = power.events_and_when().set_index("hazard_ratio")
    for ratio, row in table.iterrows():
        assert row["events"] == np.ceil(4 * (Z + stats.norm.isf(0.2)) ** 2 / np.log(ratio) ** 2)
    row = table.loc[0.4]
    # the month at which they are expected on each member's curve: that of as many a patient in one very large trial
    n = 400_000
    large = [
        observed(Curves([one]), 0.4, 1, k, n=n, events=int(row["events"]) * n // 100)[3][0]
        for k, one in enumerate(central.survival)
    ]
    own = np.quantile(large, (0.05, 0.5, 0.95), method="nearest")
    assert row[["month_lower", "month", "month_upper"]].to_numpy(float) == pytest.approx(own, abs=0.3)
    assert row["power"] == within(own_power(central, 0.4, TRIALS, 5, events=int(row["events"])))


def test_the_detectable_ratio_is_detected(central):
    row = power.detectable().set_index(["control_arm", "asked"]).loc[(plan.CONTROL_ARM.value, 0.8)]
    own = own_power(central, row["hazard_ratio"], TRIALS, 6)
    assert own == within(0.8)
    assert row["power"] == within(own)


def test_when_the_events_seen_were_due(central, local):
    table = seen.when_events_seen_were_due().set_index("reader")
    for reader, curves in (("independent", central), ("investigator", local)):
        n = int(plan.fact_count("treated"))
        row = table.loc[reader]
        _, _, _, at = observed(curves, 1.0, TRIALS, 7, n=n, events=int(row["events"]))
        assert row["simulated"] == pytest.approx(at.mean(), abs=0.05)


def recovered(reader):
    _, low, high = PRINTED[reader]
    return 4 / (np.log(high / low) / (2 * Z)) ** 2


@pytest.mark.parametrize("reader", PRINTED)
def test_power_and_estimates_at_the_events_seen(reader, central):
    d, printed = recovered(reader), PRINTED[reader][0]
    powers = seen.power_at_events_seen().query("reader == @reader").set_index("true_hazard_ratio")
    estimates = seen.estimates_at_events_seen().query("reader == @reader").set_index("true_hazard_ratio")
    assert powers["events"].iloc[0] == pytest.approx(d, rel=2e-3)
    n = int(plan.fact_count("treated"))
    for truth in (0.6, 0.8, 1.0):
        formula = stats.norm.cdf(-np.log(truth) * np.sqrt(d) / 2 - Z)
        assert powers.loc[truth, "schoenfeld"] == pytest.approx(formula, abs=1e-3)
        time, event, treated, _ = observed(central, truth, TRIALS, 8, n=n, events=round(d))
        assert powers.loc[truth, "power"] == within(float((z_of(time, event, treated) >= Z).mean()), more=0.005)
        # the log partial likelihood is concave: the estimate is above a ratio where the score there is
        for name, ratio in (("above_1", 1.0), ("above_reported", printed)):
            above = float((score(time, event, treated, ratio)[0] <= 0).mean())
            assert estimates.loc[truth, name] == within(above, more=0.005)
        normal = stats.norm.cdf(np.log(truth) * np.sqrt(d) / 2)
        assert estimates.loc[truth, "above_1_normal"] == pytest.approx(normal, abs=2e-3)
    limit = seen.detectable_at_events_seen().set_index("reader").loc[reader]
    assert limit["significant_below"] == pytest.approx(np.exp(-2 * Z / np.sqrt(d)), abs=1e-3)
    assert limit["detectable_80"] == pytest.approx(np.exp(-2 * (Z + stats.norm.isf(0.2)) / np.sqrt(d)), abs=1e-3)


def test_what_unconfirmed_progressions_cost(central):
    few, many = recovered("independent"), recovered("investigator")
    share = few / many
    assert confirmation.confirmed_share() == pytest.approx(share, rel=2e-3)
    found = confirmation.agreement_of_estimates()
    assert found["correlation"] == pytest.approx(np.sqrt(share), abs=2e-3)
    assert found["std_deviation"] == pytest.approx(np.sqrt(4 / few - 4 / many), abs=2e-3)
    assert found["reported"] == pytest.approx(np.log(1.19 / 1.23), abs=1e-9)
    table = confirmation.discordance_cost()
    false = table[(table["unconfirmed"] == "false") & np.isclose(table["confirmed"], share, atol=2e-3)].iloc[0]
    ratio = share * 0.6 + 1 - share
    assert false["hazard_ratio"] == pytest.approx(ratio, abs=1e-3)
    n = int(plan.fact_count("treated"))
    assert false["power"] == within(own_power(central, ratio, TRIALS, 9, n=n, events=46), more=0.005)
    lost = table[(table["unconfirmed"] == "lost or false") & np.isclose(table["confirmed"], share, atol=2e-3)].iloc[0]
    assert lost["power"] == within(own_power(central, 0.6, TRIALS, 9, n=n, events=26), more=0.005)


def own_beliefs():
    part, part_sd = np.log(0.21), np.log(0.98 / 0.05) / (2 * Z)
    whole, whole_sd = np.log(0.97), np.log(1.65 / 0.57) / (2 * Z)
    rest_precision = whole_sd**-2 - part_sd**-2
    by_difference = (whole * whole_sd**-2 - part * part_sd**-2) / rest_precision
    by_interaction = part + stats.norm.isf(0.0141 / 2) * np.hypot(part_sd, rest_precision**-0.5)
    tau = np.log(2) / Z
    found = {"non-visceral subgroup, as printed": (part, part_sd), "all patients of the phase II": (whole, whole_sd),
             "sceptic": (0.0, plan_scepticism())}  # fmt: skip
    for name, rest in ((assurance.SHRUNK, by_difference), (assurance.SHRUNK_BY_INTERACTION, by_interaction)):
        precision = part_sd**-2 + 1 / (1 / rest_precision + 2 * tau**2)
        mean = (part * part_sd**-2 + rest / (1 / rest_precision + 2 * tau**2)) / precision
        found[name] = mean, precision**-0.5
    return found, by_difference, by_interaction


def plan_scepticism():
    """A sceptic gives a hazard ratio of 0.6 one chance in twenty."""
    return np.log(0.6) / stats.norm.ppf(0.05)


def test_what_the_phase_ii_left_to_believe():
    found, by_difference, by_interaction = own_beliefs()
    assert np.exp([by_difference, by_interaction]) == pytest.approx([1.21, 1.54], abs=0.006)
    said = {belief.name: belief for belief in assurance.beliefs()}
    for name, (mean, sd) in found.items():
        assert (said[name].mean, said[name].sd) == pytest.approx((mean, sd), abs=1e-6), name


def test_assurance_is_the_power_averaged_over_the_belief(central):
    logs = np.log([0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0])
    powers = [own_power(central, np.exp(log), 5_000, 60 + k) for k, log in enumerate(logs)]
    table = assurance.assurances().set_index("belief")
    for name, (mean, sd) in own_beliefs()[0].items():
        grid = np.linspace(mean - 6 * sd, mean + 6 * sd, 4001)
        over = np.interp(grid, logs, powers, left=1.0, right=0.0)
        own = np.trapezoid(over * stats.norm.pdf(grid, mean, sd), grid)
        assert table.loc[name, "assurance"] == pytest.approx(own, abs=0.012), name
        assert table.loc[name, "simulated"] == pytest.approx(own, abs=0.02), name
        for reader in PRINTED:
            error = np.sqrt(4 / recovered(reader))
            normal = stats.norm.cdf((-mean / error - Z) / np.hypot(1.0, sd / error))
            assert table.loc[name, reader] == pytest.approx(normal, abs=2e-3), name


def test_the_ratio_at_which_a_trial_of_that_size_would_have_80_percent():
    """As many events as patients, and yet too few: 121 are asked for."""
    needed = optimize.brentq(lambda d: stats.norm.cdf(-np.log(0.6) * np.sqrt(d) / 2 - Z) - 0.8, 1, 1000)
    assert np.ceil(needed) == 121
    assert pytest.approx(41.3963, abs=1e-3) == CUT
    assert plan.DROPOUT.value == DROPOUT
