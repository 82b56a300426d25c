"""What is written of CaboAveNEC, computed again with NumPy and SciPy alone.

The calibrated rates of the disease, and of its swelling, are read, as an input; lesions, scans, RECIST 1.1 and iRECIST
are built here from the text of the guidelines. A new lesion that is still there at the next scan has grown.
"""

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.studies.caboavenec import comparison, dcr, definitions, disease, markers, quality, treatment, words

N = 200_000
WEEK = 7 / 30.4375
WEEKS = (8, 16, 24, 48)
NET, NEC = 19, 11  # of the planned patients, in the interim's mix of 12 and 7


def scans_of(stratum, seed, stops=None):
    """States by RECIST 1.1 and by iRECIST at each planned scan, and whether it took place; arrays (scans, patients).

    Where treatment stops, at a month for each patient, lesions grow from their size then, at rates of the same law.
    """
    rng = np.random.default_rng(seed)
    given = disease.disease(disease.WEEK_16, stratum)
    swelling = given.pseudo_progression

    def rate(law):
        between = law.between_patients * rng.standard_normal((N, 1))
        return law.median * np.exp(between + law.between_lesions * rng.standard_normal((N, 5)))

    g, d = rate(given.growth.growth), rate(given.growth.shrinkage)
    node = rng.random((N, 5)) < given.nodes
    size = given.baseline * np.exp(given.baseline_spread * rng.standard_normal((N, 5)))
    size = np.maximum(size, np.where(node, 15.0, 10.0))
    normal = np.where(node, 5.0, 0.0)
    swells = rng.random(N) < swelling.share
    new = np.where(swells, np.inf, rng.exponential(1 / given.new_lesions, N))
    death = rng.exponential(1 / given.death, N)

    def measured(true):
        seen = np.round(true * np.exp(disease.READERS.error * rng.standard_normal(true.shape)), 1)
        seen = np.where(~node & (seen < 5.0), 5.0, seen)
        return np.where(~node & (true < 2.0), 0.0, seen).sum(axis=1)

    def diameter(month):
        t = month[:, None]
        relative = np.minimum(np.exp(-d * t) + np.exp(np.minimum(g * t, 50)) - 1, np.exp(given.fastest * t))
        swollen = np.where(month < swelling.until, 1 + swelling.swelling, np.exp(-swelling.shrinkage * month))
        return normal + (size - normal) * np.where(swells[:, None], swollen[:, None], relative)

    stopped = np.full(N, np.inf) if stops is None else stops
    regrowth = 0.0 if stops is None else rate(given.growth.growth)
    nadir = measured(size)
    before = np.zeros(N)  # sum at the iUPD that waits for its confirmation
    waits, had_new, had_grown = (np.zeros(N, bool) for _ in range(3))
    progressed, confirmed = np.zeros(N, bool), np.zeros(N, bool)
    recist, irecist, took_place = [], [], []
    for week in WEEKS:
        month = week * WEEK + 3 / 30.4375 * (2 * rng.random(N) - 1)
        there = (rng.random(N) >= 0.03) & (death > month)
        t = month[:, None]
        true = diameter(np.minimum(month, stopped))
        true *= np.exp(np.minimum(regrowth * np.maximum(t - stopped[:, None], 0), 50))
        total = measured(true)
        grown = (np.round(10 * (total - nadir)) >= 50) & (total >= 1.2 * nadir - 1e-9)
        is_new = new <= month
        is_pd = grown | is_new
        progressed |= there & is_pd
        # confirmed: more of what was there, or progression of another kind
        worse = (had_grown & (np.round(10 * (total - before)) >= 50)) | (grown & ~had_grown) | is_new
        now_confirmed = there & waits & is_pd & worse
        confirmed |= now_confirmed
        iupd = there & is_pd & ~confirmed
        recist.append(np.where(progressed, "PD", "control"))
        irecist.append(np.select([confirmed, iupd], ["iCPD", "iUPD"], "control"))
        took_place.append(there)
        for kept, value in ((waits, is_pd), (had_new, is_new), (had_grown, grown)):
            kept[there] = value[there]
        before = np.where(there, total, before)
        nadir = np.where(there, np.minimum(nadir, total), nadir)
    return np.array(recist), np.array(irecist), np.array(took_place)


@pytest.fixture(scope="module")
def rates():
    """Disease control at the scan of week 16, in the mix of the interim."""
    found = {}
    for stratum, share, seed in ((disease.NET, NET / 30, 1), (disease.NEC, NEC / 30, 2)):
        recist, irecist, there = scans_of(stratum, seed)
        own = {
            "RECIST 1.1": there[1] & (recist[1] == "control"),
            "failure": there[1] & (irecist[1] == "control"),
            "control": there[1] & (irecist[1] != "iCPD"),
        }
        for name, controlled in own.items():
            found[name] = found.get(name, 0.0) + share * controlled.mean()
    return found


def test_the_calibrated_disease_shows_what_the_interim_printed(rates):
    """5 of 12 with disease control at week 16; the two strata together stand for the one population calibrated."""
    assert rates["failure"] == pytest.approx(5 / 12, abs=0.03)


def test_disease_control_by_criterion_and_by_what_becomes_of_an_iupd(rates):
    table = definitions.operating_characteristics()
    table = table[(table["treatment"] == disease.WEEK_16) & (table["definition"] == "control at landmark")]
    recist = table[table["criteria"] == "RECIST 1.1"]["rate"].iloc[0]
    by_iupd = table[table["criteria"] == "iRECIST"].set_index("iupd")["rate"]
    assert recist == pytest.approx(rates["RECIST 1.1"], abs=0.012)
    assert by_iupd["failure"] == pytest.approx(rates["failure"], abs=0.012)
    assert by_iupd["control"] == pytest.approx(rates["control"], abs=0.012)
    said = words.endpoints()
    assert f"moves it from {by_iupd.min():.0%} to {by_iupd.max():.0%}" in said
    alike = definitions.operating_characteristics()
    alike = alike[(alike["treatment"] == disease.WEEK_16) & (alike["criteria"] == "iRECIST") & (alike["iupd"] == "")]
    assert f"lies between {by_iupd['failure']:.0%} and {alike['rate'].max():.0%} by" in said
    # whoever misses the scan of week 16, 3%, is a failure by one definition alone
    assert alike["rate"].max() == pytest.approx(rates["failure"] / 0.97, abs=0.015)


def test_treatment_that_ends_for_toxicity(rates):
    """Events come as a Poisson process with a gamma factor of variance 0.5; of them 15% end treatment."""
    table = treatment.by_estimand()
    table = table[(table["criteria"] == "iRECIST") & (table["endpoint"] == "disease control at week 16")]
    said = table[table["ends"] == 0.15].set_index("strategy")["value"]
    ends = 0.15 * treatment.rates()["interruptions"]
    own = {
        "hypothetical": rates["failure"],
        "composite": rates["failure"] * (1 + 0.5 * ends * 16 * WEEK) ** -2,
        "treatment policy": 0.0,
        "while on treatment": 0.0,
    }
    rng = np.random.default_rng(12)
    for stratum, share, seed in ((disease.NET, NET / 30, 7), (disease.NEC, NEC / 30, 8)):
        stops = rng.exponential(1.0, N) / (ends * rng.gamma(2.0, 0.5, N))
        _, irecist, there = scans_of(stratum, seed, stops)
        own["treatment policy"] += share * (there[1] & (irecist[1] == "control")).mean()
        month = 16 * WEEK + 3 / 30.4375 * (2 * rng.random(N) - 1)
        # a scan after the end is not used: no status at week 16
        own["while on treatment"] += share * (there[1] & (irecist[1] == "control") & (stops > month)).mean()
    assert set(own) == set(said.index)
    for strategy, value in own.items():
        assert said[strategy] == pytest.approx(value, abs=0.012), strategy
    assert f"from {said.min():.1%} to {said.max():.1%} over the four strategies" in words.endpoints()
    assert said.max() - said.min() == pytest.approx(max(own.values()) - min(own.values()), abs=0.006)


def fisher_from(patients, other, responders):
    """Smallest count whose one-sided Fisher p against another trial is below 5%."""
    total = patients + other
    return next(x for x in range(patients + 1) if stats.hypergeom.sf(x - 1, total, x + responders, patients) <= 0.05)


def test_thirty_patients_against_avenec():
    counts, power = comparison.smallest_counts(), comparison.power_of_the_comparison().set_index("true_rate")
    binomial = next(x for x in range(31) if stats.binom.sf(x - 1, 30, 0.15) <= 0.05)
    fisher = fisher_from(30, 60, 9)
    assert (counts["binomial"], counts["fisher"]) == (binomial, fisher)
    for rate, row in power.iterrows():
        assert row["binomial"] == pytest.approx(stats.binom.sf(binomial - 1, 30, rate), abs=1e-9)
        assert row["fisher"] == pytest.approx(stats.binom.sf(fisher - 1, 30, rate), abs=1e-9)
        again = sum(
            stats.binom.pmf(y, 60, 0.15) * stats.binom.sf(fisher_from(30, 60, y) - 1, 30, rate) for y in range(40)
        )
        # Boschloo's or Fisher's: the one printed is at least as powerful as Fisher's
        assert row["both_random"] >= again - 1e-6
    boschloo = [stats.boschloo_exact([[x, 9], [30 - x, 51]], alternative="greater").pvalue for x in (9, 10)]
    assert boschloo[0] > 0.05 >= boschloo[1]
    assert counts["boschloo"] == 10


def test_avenecs_rate_in_the_mix_of_caboavenec():
    for _, row in comparison.standardised().iterrows():
        ratio = row["odds_ratio"]

        def net(nec, ratio=ratio):
            return ratio * nec / (1 - nec + ratio * nec)

        nec = optimize.brentq(lambda p, net=net: 22 / 60 * net(p) + 38 / 60 * p - 0.15, 1e-6, 0.9)
        own = 12 / 19 * net(nec) + 7 / 19 * nec
        assert row["rate"] == pytest.approx(own, abs=1e-9)
        assert row["critical"] == next(x for x in range(31) if stats.binom.sf(x - 1, 30, own) <= 0.05)


def test_what_follows_the_interim_by_the_posterior_rule():
    interim = dcr.after_interim().set_index("null_rate").loc[0.15]

    def convinced(x):
        return stats.beta.sf(0.15, x + 0.5, 30.5 - x) > 0.95

    own = sum(stats.betabinom.pmf(x, 18, 5.5, 7.5) for x in range(19) if convinced(5 + x))
    assert interim["predictive_posterior"] == pytest.approx(own)


def test_the_marker():
    rate = definitions.reported_control()[0]
    for _, row in markers.association().iterrows():
        rng = np.random.default_rng(5)
        positive = rng.random((20_000, 30)) < row["positive"]
        chance = np.where(positive, row["rate_positive"], row["rate_negative"])
        controlled = rng.random(positive.shape) < chance
        k, a = positive.sum(axis=1), (positive & controlled).sum(axis=1)
        total = controlled.sum(axis=1)
        # two-sided Fisher: all tables that are no likelier than the one seen
        counts = np.arange(31)
        pmf = stats.hypergeom.pmf(counts[None, :], 30, total[:, None], k[:, None])
        seen = np.take_along_axis(pmf, a[:, None], 1)
        p = np.where(pmf <= seen * (1 + 1e-7), pmf, 0.0).sum(axis=1)
        own = (p < 0.05).mean()
        assert row["significant"] == pytest.approx(own, abs=4 * np.sqrt(own * (1 - own) / 20_000) + 1e-9)
        together = row["positive"] * row["rate_positive"] + (1 - row["positive"]) * row["rate_negative"]
        assert together == pytest.approx(rate)


def questioned(loss):
    """Of each stratum: when patients have progressed, died, and what they score, for those asked until the end."""
    rng = np.random.default_rng(6)
    found = []
    for stratum, size, seed in ((disease.NET, NET, 3), (disease.NEC, NEC, 4)):
        _, irecist, there = scans_of(stratum, seed)
        recovers = np.zeros(N, bool)
        ill = np.zeros((len(WEEKS), N), bool)
        for k in reversed(range(len(WEEKS))):  # an iUPD after which control is seen again is none
            recovers |= there[k] & (irecist[k] == "control")
            ill[k] = there[k] & (irecist[k] != "control") & ~recovers
        ill = np.maximum.accumulate(ill, axis=0)
        death = rng.exponential(1 / disease.disease(disease.WEEK_16, stratum).death, N)
        alive = death > np.array(WEEKS)[:, None] * WEEK
        level = quality.BASELINE.value[0] + quality.BASELINE.value[1] * rng.standard_normal(N)

        def score(level):
            points = level + quality.WITHIN.value * rng.standard_normal(N)
            return np.clip(np.round(points * 12 / 100) * 100 / 12, 0, 100)

        baseline = score(level)
        change = np.array([score(level - loss * one) - baseline for one in ill])
        filled = alive & (rng.random(alive.shape) < quality.FILLED.value)
        until = np.vstack([np.zeros(N, bool), ill[:-1]])  # who had progressed before the visit is not asked any more
        found.append((size, ill, alive, change, filled, filled & ~until))
    return found


def test_quality_of_life_without_a_loss_deteriorates_by_the_error_of_the_questionnaires():
    """First and definitive deterioration by 10 points among those who are asked until progression."""
    first = definitive = 0.0
    for size, _, _, change, _, asked in questioned(0.0):
        worse = change <= -10
        first += size / 30 * (asked & worse).any(axis=0).mean()
        better_later = np.zeros(N, bool)
        stays = np.zeros(N, bool)
        for k in reversed(range(len(WEEKS))):
            stays |= asked[k] & worse[k] & ~better_later
            better_later |= asked[k] & ~worse[k]
        definitive += size / 30 * stays.mean()
    table = quality.deterioration().set_index(["asked", "loss", "definition"])["deteriorated"].sort_index()
    assert table.loc[("progression", 0.0, "first, 10 points")] == pytest.approx(first, abs=0.025)
    assert table.loc[("progression", 0.0, "definitive, 10 points")] == pytest.approx(definitive, abs=0.025)


def test_what_questionnaires_show_of_a_loss_of_20_points():
    """At week 48: of all who live, of those asked until progression or death, and from trial to trial."""
    found = questioned(20.0)
    trials = N // NET
    alive = sum(size * one[-1].mean() for size, _, one, *_ in found)
    lost = sum(size * 20 * (ill[-1] & one[-1]).mean() for size, ill, one, *_ in found) / alive
    table = quality.by_visit().set_index(["asked", "loss", "week"]).sort_index()
    for until, which in (("progression", 5), ("death", 4)):
        total, count = np.zeros(trials), np.zeros(trials)
        for part in found:
            size, change, asked = part[0], part[3][-1], part[which][-1]
            rows = slice(0, trials * size)
            total += np.where(asked, change, 0.0)[rows].reshape(trials, size).sum(axis=1)
            count += asked[rows].reshape(trials, size).sum(axis=1)
        mean = total[count > 0] / count[count > 0]
        row = table.loc[(until, 20.0, 48)]
        assert row["everybody"] == pytest.approx(-lost, abs=0.8)
        assert row["change"] == pytest.approx(mean.mean(), abs=0.8)
        assert row["trial_sd"] == pytest.approx(mean.std(ddof=1), rel=0.1)
