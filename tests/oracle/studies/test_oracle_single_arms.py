"""Numbers that the notebooks print in prose, computed again with NumPy and SciPy alone.

Nothing of the package computes here; what it says is read, and has to be within its own Monte Carlo error.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.studies.bolero2 import curves as bolero2
from analysis.studies.caboavenec import comparison, dcr, secondary
from analysis.studies.elacestrant import pfs_rate, selection
from analysis.studies.xenera1 import assurance, plan, power, seen

MONTHS_ACCRUAL, CUT, DROPOUT = 27.0, 1260 / 30.4375, 0.01
"""XENERA-1: uniform accrual, 28 November 2018 to 11 May 2022, losses per month."""


def logrank_z(time, event, treated):
    """Log-rank statistic of one trial, above 0 if the treated do better; ties are broken by nothing, there are none."""
    order = np.argsort(time)
    event, treated = event[order], treated[order]
    at_risk = np.arange(len(time), 0, -1)
    share = treated[::-1].cumsum()[::-1] / at_risk
    return ((share - treated)[event]).sum() / np.sqrt((share * (1 - share))[event].sum())


def xenera_trials(control_times, ratio, trials, seed):
    """Log-rank z of trials of 50 + 50 patients whose control times are drawn as given, the others at a hazard ratio."""
    rng = np.random.default_rng(seed)
    z = np.empty(trials)
    for k in range(trials):
        treated = np.repeat([0, 1], 50)
        time = control_times(rng, np.where(treated == 1, ratio, 1.0))
        follow_up = CUT - MONTHS_ACCRUAL * rng.random(100)
        until = np.minimum(follow_up, rng.exponential(1 / DROPOUT, 100))
        z[k] = logrank_z(np.minimum(time, until), time <= until, treated)
    return z


@pytest.mark.parametrize("reader", ["independent", "investigator"])
def test_xeneras_power_on_its_own_exponential_control(reader):
    printed = {"independent": (11.0, 7.7, 19.5), "investigator": (9.2, 5.6, 14.4)}[reader]
    spread = np.log(printed[2] / printed[1]) / (2 * stats.norm.isf(0.025))

    def times(rng, ratio):
        median = printed[0] * np.exp(spread * rng.standard_normal())
        return rng.exponential(median / np.log(2) / ratio)

    (name,) = [name for name in plan.control_arms() if name.startswith(f"XENERA-1 {reader}")]
    row = power.power_of(plan.design(), name, 0.6, 100_000, seed=3)
    own = (xenera_trials(times, 0.6, 8_000, 1) >= stats.norm.isf(0.025)).mean()
    assert row["power"] == pytest.approx(own, abs=4 * np.sqrt(own * (1 - own) / 8_000))


def test_xeneras_power_on_the_patients_without_visceral_metastases_by_every_alpha():
    """Curves of the members are read off their patients; between two events the survival is taken as straight."""
    members = [
        one
        for _, one in bolero2.without_visceral("central", plan.MEMBERS)
        .ipd()
        .query("arm == 'everolimus'")
        .groupby("member")
    ]
    curves = []
    for one in members:
        time, event = one["time"].to_numpy(), one["event"].to_numpy(bool)
        order = np.argsort(time)
        time, event = time[order], event[order]
        survival = np.cumprod(1 - event / np.arange(len(time), 0, -1))
        curves.append((np.r_[0.0, time[event]], np.r_[1.0, survival[event]]))

    def times(rng, ratio):
        at, survival = curves[rng.integers(len(curves))]
        target = rng.random(100) ** (1 / ratio)  # survival of the control at the event
        return np.where(target < survival[-1], np.inf, np.interp(-target, -survival, at))

    z = xenera_trials(times, 0.6, 8_000, 2)
    for alpha in (plan.ALPHA.value, *plan.ALPHA_OTHERWISE.value):
        said = power.power_of(plan.design(alpha=alpha), plan.CONTROL_ARM.value, 0.6, 100_000, seed=3)["power"]
        own = (z >= stats.norm.isf(alpha)).mean()
        # the tail beyond the last event is drawn otherwise here: it adds little, but not nothing
        assert said == pytest.approx(own, abs=4 * np.sqrt(own * (1 - own) / len(z)) + 0.01)


def test_what_the_phase_ii_left_to_believe():
    z = stats.norm.isf(0.025)
    part, part_sd = np.log(0.21), np.log(0.98 / 0.05) / (2 * z)
    whole, whole_sd = np.log(0.97), np.log(1.65 / 0.57) / (2 * z)
    rest_precision = whole_sd**-2 - part_sd**-2
    by_difference = (whole * whole_sd**-2 - part * part_sd**-2) / rest_precision
    by_interaction = part + stats.norm.isf(0.0141 / 2) * np.hypot(part_sd, rest_precision**-0.5)
    assert np.exp([by_difference, by_interaction]) == pytest.approx([1.21, 1.54], abs=0.006)
    tau = np.log(2) / z
    said = {belief.name: belief for belief in assurance.beliefs()}
    for name, rest in ((assurance.SHRUNK, by_difference), (assurance.SHRUNK_BY_INTERACTION, by_interaction)):
        towards = 1 / rest_precision + 2 * tau**2
        precision = part_sd**-2 + 1 / towards
        mean = (part * part_sd**-2 + rest / towards) / precision
        assert (said[name].mean, said[name].sd) == pytest.approx((mean, precision**-0.5))


def test_events_behind_xeneras_intervals_and_their_power():
    z = stats.norm.isf(0.025)
    for reader, low, high in (("independent", 0.55, 2.59), ("investigator", 0.69, 2.20)):
        events = 4 / (np.log(high / low) / (2 * z)) ** 2
        table = seen.power_at_events_seen()
        table = table[table["reader"] == reader].set_index("true_hazard_ratio")
        assert table["events"].iloc[0] == pytest.approx(events, rel=2e-3)
        own = stats.norm.cdf(-np.log(0.8) * np.sqrt(events) / 2 - z)
        assert table.loc[0.8, "schoenfeld"] == pytest.approx(own, abs=1e-3)


def test_caboavenecs_exact_numbers():
    exact = dcr.exact_designs().set_index("null_rate")
    for null, row in exact.iterrows():
        critical = next(x for x in range(31) if stats.binom.sf(x - 1, 30, null) <= 0.05)
        at_80 = optimize.brentq(lambda p, c=critical: stats.binom.sf(c - 1, 30, p) - 0.8, null, 0.99)
        assert (row["critical"], row["rate_for_power_80"]) == (critical, pytest.approx(at_80, abs=1e-6))
    counts = comparison.convincing_counts().set_index("responders")
    for x in (8, 9, 10):
        fisher = stats.hypergeom.sf(x - 1, 90, x + 9, 30)
        p, q = stats.beta(x + 0.5, 30.5 - x), stats.beta(9.5, 51.5)
        grid = np.linspace(0, 1, 200_001)
        better = np.trapezoid(q.pdf(grid) * p.sf(grid), grid)
        assert counts.loc[x, "fisher"] == pytest.approx(fisher)
        assert counts.loc[x, "posterior"] == pytest.approx(better, abs=1e-4)
    interim = dcr.after_interim().set_index("null_rate").loc[0.15]
    own = sum(stats.betabinom.pmf(x, 18, 5.5, 7.5) for x in range(4, 19))
    assert interim["predictive_exact"] == pytest.approx(own)


def test_caboavenecs_survival_is_that_of_the_printed_shares():
    alive = secondary.overall_survival().set_index(["treatment", "week"])
    monthly = -np.log(17 / 19) / (29.1 * 7 / 30.4375)
    ratio, net, nec = 2.0, 12, 7
    factors = [ratio ** (-nec / (net + nec)), ratio ** (net / (net + nec))]
    for week in (48, 96):
        strata = [np.exp(-monthly * factor * week * 7 / 30.4375) for factor in factors]
        own = (19 * strata[0] + 11 * strata[1]) / 30
        said = alive.loc[("combination, week-16 reading", week), "survival"]
        assert said == pytest.approx(own, rel=1e-6)


def test_emeralds_shortcut_and_the_predictive_values_of_fes_pet():
    rates = pfs_rate.printed_rates()
    shown = rates["difference"].abs()
    own = [
        abs(0.5 ** (6 / median) - rate) for median, rate in ((3.8, 0.408), (1.9, 0.191), (3.78, 0.4156), (1.91, 0.2172))
    ]
    for value in own:
        assert np.isclose(shown, value, atol=2e-3).any()
    table = selection.by_patient().set_index("prevalence")
    for prevalence, row in table.iterrows():
        positive = 0.86 * prevalence / (0.86 * prevalence + 0.14 * (1 - prevalence))
        assert row["positive_predictive_value"] == pytest.approx(positive)


def exact_power(n, null, true, alpha):
    critical = next(k for k in range(n + 2) if stats.binom.sf(k - 1, n, null) <= alpha)
    return stats.binom.sf(critical - 1, n, true)


WEIGHED = [(dcr, 30, 0.15, 0.35, 16), (pfs_rate, 45, 0.25, 0.45, 24)]


@pytest.mark.parametrize(("study", "n", "null", "true", "weeks"), WEIGHED)
def test_what_moves_the_power_of_the_single_arms(study, n, null, true, weeks):
    table = study.what_moves_power()
    base = exact_power(n, null, true, 0.05)
    assert table["power"].iloc[0] == pytest.approx(base, abs=1e-12)
    weights = table["difference"].abs().to_numpy()[1:]
    assert (np.diff(weights) <= 1e-15).all()
    rows = table.set_index(["replaced", "by"])["power"]
    assert rows["type I error", "10%"] == pytest.approx(exact_power(n, null, true, 0.10), abs=1e-12)
    assert rows["null rate", "20%"] == pytest.approx(exact_power(n, 0.20, true, 0.05), abs=1e-12)
    lost = exact_power(n, null, true * np.exp(-0.05 * weeks * 7 / 30.4375), 0.05)
    assert rows["losses a month, as failures", "5%"] == pytest.approx(lost, abs=1e-9)
    if study is pfs_rate:
        mixed = exact_power(n, null, 0.5 * true + 0.5 * true**3, 0.05)
        assert rows["patients with a site not avid", "50%, hazard x 3"] == pytest.approx(mixed, abs=1e-12)


CURVES = [(dcr, "caboavenec-disease-control", 30, 65), (pfs_rate, "elacestrant-pfs-rate", 45, 72)]


@pytest.mark.parametrize(("study", "notebook", "n", "cells"), CURVES)
def test_how_far_simulated_powers_are_from_exact_ones(study, notebook, n, cells):
    table = study.power_curve()
    sizes = table["n"] if "n" in table else [n] * len(table)
    assert len(table) == cells
    distances = []
    for size, (_, row) in zip(sizes, table.iterrows(), strict=True):
        own = exact_power(size, row["null_rate"], row["true_rate"], 0.05)
        assert row["exact"] == pytest.approx(own, abs=1e-12)
        distances.append((row["simulated"] - own) / row["std_error"])
    largest = np.abs(distances).max()
    text = (Path(__file__).parents[3] / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    assert f"of the {cells} simulated powers from the exact ones: {largest:.1f} Monte Carlo standard errors" in text
    # as far as the largest of so many normal deviates: exceeded once in a thousand draws
    assert largest < stats.norm.isf(0.001 / (2 * cells))
