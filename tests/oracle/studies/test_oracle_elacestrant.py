"""What is written of elacestrant + exemestane, computed again with NumPy and SciPy alone.

The calibrated rates of the disease are read, as an input; lesions, scans, RECIST 1.1 and the definitions of the rate
are built here from the text of the guideline.
"""

import numpy as np
import pytest
from scipy import stats

from analysis.studies.elacestrant import pet, pfs_rate, scans, selection

N = 200_000
WEEK = 7 / 30.4375
MONTHS = 6.0


@pytest.mark.parametrize("null", [0.25, 0.45])
def test_what_45_patients_can_tell(null):
    critical = next(k for k in range(47) if stats.binom.sf(k - 1, 45, null) <= 0.05)
    own = stats.binom.sf(critical - 1, 45, null + 0.2)
    table = pfs_rate.power_curve()
    row = table[(table["n"] == 45) & np.isclose(table["null_rate"], null) & np.isclose(table["true_rate"], null + 0.2)]
    assert row["exact"].iloc[0] == pytest.approx(own, abs=1e-12)


def patients(pace, weeks, error, seed, until=18.0):
    """Time and event of progression-free survival by RECIST 1.1, and disease control at the scan of week 24."""
    rng = np.random.default_rng(seed)
    given = scans.disease(pace)
    growth, shrinkage = given.growth.growth, given.growth.shrinkage

    def rate(law):
        between = law.between_patients * rng.standard_normal((N, 1))
        return law.median * np.exp(between + law.between_lesions * rng.standard_normal((N, 2)))

    at = np.arange(1, int(until / (weeks * WEEK) + 1e-9) + 1) * weeks * WEEK
    g, d = rate(growth), rate(shrinkage)
    node = rng.random((N, 2)) < given.nodes
    size = given.baseline * np.exp(given.baseline_spread * rng.standard_normal((N, 2)))
    size = np.maximum(size, np.where(node, 15.0, 10.0))
    normal = np.where(node, 5.0, 0.0)

    def measured(true):
        seen = np.round(true * np.exp(error * rng.standard_normal(true.shape)), 1)
        small = ~node & (seen < 5.0)
        seen = np.where(small, 5.0, seen)
        return np.where(~node & (true < 2.0), 0.0, seen)

    others = [rng.exponential(1 / each, N) for each in (given.new_lesions, given.non_target)]
    death = rng.exponential(1 / given.death, N)
    nadir = measured(size).sum(axis=1)
    progressed = np.full(N, np.inf)
    for month in at:
        true = normal + (size - normal) * (np.exp(-d * month) + np.exp(np.minimum(g * month, 50)) - 1)
        total = measured(true).sum(axis=1)
        # measured to 0.1 mm: 20% of the smallest sum, and 5 mm
        grown = (np.round(10 * (total - nadir)) >= 50) & (total >= 1.2 * nadir - 1e-9)
        is_pd = grown | (others[0] <= month) | (others[1] <= month)
        progressed = np.where(is_pd & np.isinf(progressed) & (death > month), month, progressed)
        nadir = np.minimum(nadir, total)
    time = np.minimum(progressed, np.where(death <= until, death, np.inf))
    event = np.isfinite(time)
    last = np.where(event, time, at[-1])
    return last, event, (progressed > 24 * WEEK + 1e-9) & (death > 24 * WEEK)


@pytest.fixture(scope="module")
def mixed():
    """Patients, a quarter of whom have a site that is not avid, by the weeks between scans."""
    found = {}
    for k, weeks in enumerate((8, 12)):
        avid = np.random.default_rng(90 + k).random(N) >= scans.NOT_AVID.value
        one = patients(1.0, weeks, scans.READER.value, 10 + k)
        other = patients(scans.NOT_AVID_RATIO.value, weeks, scans.READER.value, 20 + k)
        found[weeks] = [np.where(avid, a, b) for a, b in zip(one, other, strict=True)] + [avid]
    return found


def test_the_calibrated_disease_shows_what_emerald_printed():
    """The rates at 6 and 12 months after a CDK4/6 inhibitor of a year or more, by scans every 8 weeks."""
    time, _, _ = patients(1.0, 8, scans.READER.value, 5)
    for month, printed in ((6, 0.4156), (12, 0.2564)):
        assert (time > month).mean() == pytest.approx(printed, abs=0.02)


def test_the_rate_by_definition_and_schedule(mixed):
    table = scans.rates_by_definition().set_index(["weeks", "definition"])
    for weeks, (time, event, controlled, _) in mixed.items():
        lost = np.random.default_rng(7 + weeks).exponential(1 / pfs_rate.DROPOUT.value, N)
        deciding = np.floor(MONTHS / (weeks * WEEK)) * weeks * WEEK
        own = {
            "binomial": ((time > MONTHS) & (lost > MONTHS)).mean(),
            "scan status": (controlled & (lost > deciding)).mean(),
        }
        known = time <= lost
        seen = np.where(known, time, np.floor(lost / (weeks * WEEK)) * weeks * WEEK)
        failed = event & known & (seen <= MONTHS)
        survival = 1.0
        for at in np.unique(np.round(seen[failed], 9)):
            here = np.isclose(seen, at, atol=1e-7)
            survival *= 1 - (here & failed).sum() / (seen >= at - 1e-7).sum()
            if at > MONTHS:
                break
        for name, value in own.items():
            assert table.loc[(weeks, name), "rate"] == pytest.approx(value, abs=0.008), (weeks, name)
        assert table.loc[(weeks, "Kaplan-Meier"), "rate"] == pytest.approx(survival, abs=0.008)


def test_what_a_scan_says_of_the_patient(mixed):
    table = pet.rates_by_pet().set_index(["reading", "positive"])["rate"]
    _, _, controlled, avid = mixed[8]
    right = np.random.default_rng(3).random(N) < scans.ACCURACY.value
    change = np.where(avid, np.log(1 - pet.FALL.value), 0.0)
    change = change + pet.SPREAD.value * np.random.default_rng(4).standard_normal(N)
    positive = (controlled == right, avid == right, change <= np.log(1 - pet.RESPONSE.value))
    for reading, yes in zip(pet.READINGS, positive, strict=True):
        own = controlled[yes].mean(), controlled[~yes].mean()
        assert (table[reading, "yes"], table[reading, "no"]) == pytest.approx(own, abs=0.012), reading


def test_who_enters_and_what_that_does_to_the_rate():
    by_patient = selection.by_patient().set_index("prevalence")
    for prevalence, row in by_patient.iterrows():
        enter = 0.86 * prevalence + 0.14 * (1 - prevalence)
        assert row["enter"] == pytest.approx(enter)
        assert row["positive_predictive_value"] == pytest.approx(0.86 * prevalence / enter)
        assert row["screened"] == pytest.approx(45 / enter)
    good, bad = (patients(pace, 8, scans.READER.value, 30)[2].mean() for pace in (1.0, scans.NOT_AVID_RATIO.value))
    for _, row in selection.rate_under_selection().iterrows():
        m, size = int(row["lesions"]), 1 / row["likeness"] - 1
        k = np.arange(m + 1)
        express = stats.betabinom.pmf(k, m, row["prevalence"] * size, (1 - row["prevalence"]) * size)
        enters = [
            sum(
                stats.binom.pmf(a, x, 0.86) * stats.binom.sf(np.ceil(0.5 * m) - a - 1, m - x, 0.14)
                for a in range(x + 1)
            )
            for x in k
        ]
        selected = express * enters
        share = selected[-1] / selected.sum()
        assert row["difference"] == pytest.approx((share - express[-1]) * (good - bad), abs=0.004)
