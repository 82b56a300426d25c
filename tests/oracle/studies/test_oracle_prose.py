"""Every number in the fixed prose of the notebooks, read from its source or computed again, beside its words.

Facts are read from the files of `reported_data`, what a study assumes from its named assumptions, as inputs; the rest
is computed here. A number that no claim accounts for fails, so that none is written that nobody checks.
"""

import json
import math
import re
import tomllib
from pathlib import Path

import pytest
from scipy import stats

from analysis.studies.caboavenec import dcr
from analysis.studies.elacestrant import pfs_rate, scans

TOP = Path(__file__).parents[3]
MONTH = 30.4375
NAMES = (
    r"`[^`]*`", r"^    .*$", r"\[18F\]", r"BOLERO-\d", r"XENERA-\d", r"HER2", r"CDK4/6", r"ESR1", r"PD-L1", r"G3",
    r"\((?:xenera-1|bolero-2)-[a-z]+\.ipynb\)", r"QLQ-C30", r"RECIST 1\.1", r"ICH E9\(R1\)",
)  # fmt: skip
"""Names with digits, code, and commands."""


def trial(name):
    return tomllib.loads((TOP / "reported_data" / f"{name}.toml").read_text(encoding="utf-8"))


def comparison(name, key):
    return next(one for one in trial(name)["comparisons"] if one["id"] == key)


def proportion(name, key):
    return next(one for one in trial(name)["proportions"] if one["id"] == key)


def fact(name, key):
    value = next(one for one in trial(name)["facts"] if one["id"] == key)["value"]
    return value["value"] if isinstance(value, dict) else value


def number(given):
    return float(given["value"] if isinstance(given, dict) else given)


def bolero_2():
    local = comparison("bolero-2", "pfs-interim-local")
    ratio = round(local["arms"][0]["n"] / local["arms"][1]["n"])
    visceral = next(one for one in local["strata"] if isinstance(one, dict))["n"][0]["value"]
    first = comparison("bolero-2", "pfs-first-line-local")
    ends = [one["cutoff"] for one in trial("bolero-2")["comparisons"] if "cutoff" in one]
    start = trial("bolero-2")["timeline"]["first_patient_in"]
    fourth = comparison("bolero-4", "pfs")["arms"][0]
    assert len(fourth["landmarks"]) == 2
    return [
        f"advanced breast cancer {ratio}:1 to everolimus or placebo",
        f"{first['n_total']} patients whose last therapy had been adjuvant",
        f"Of the {visceral} patients with visceral metastases the two medians were printed",
        f"shared out {ratio}:1 as patients were randomised",
        f"from {start:%B %Y} to the cut-off in {max(ends):%B %Y}",
        f"{fourth['n']} patients: two rates with their intervals",
        *quantiles("central {}%", "the {}% band"),
    ]


def quantiles(*texts):
    """Bands of members run from their 5% to their 95% quantile (see the oracle of BOLERO-2)."""
    return [text.format(round(100 * (0.95 - 0.05))) for text in texts]


def caboavenec_disease_control():
    n, of = fact("caboavenec", "planned-enrolment"), proportion("caboavenec", "dcr-16-weeks")
    week, historical = of["time"], proportion("avenec", "dcr-16-weeks")
    later = proportion("pembrolizumab-g3-nen", "dcr-18-weeks")["time"]
    sides = [proportion(name, key)["count"] for name in ("avenec", "caboavenec") for key in ("net-g3", "nec")]
    alpha, weeks = dcr.ALPHA.value, list(dcr.VISITS.value)
    assert [week, "failure"] == [dcr.LANDMARK.value, dcr.MISSING.value]
    assert week in weeks
    # the rule of a posterior above 95%: 9 of 30 pass it and 8 do not, against AveNEC's rate as known
    passes = [x for x in range(31) if stats.beta.sf(historical["share"] / 100, x + 0.5, n - x + 0.5) > 1 - alpha]
    assert passes[0] in (8, 9)
    return [
        f"what {n} patients can show",
        f"(CR, PR or SD per iRECIST) after {week} weeks",
        f"a rate at week {week} are different quantities",
        f"at which the test has {100 * dcr.POWER.value:.0f}% and 90% power",
        f"the scan of week {week} has disease control",
        f"without a scan at week {week}",
        f"is that of week {later}",
        f"that {n} patients reject",
        f"By the count among {n} patients",
        f"against AveNEC's {historical['of']} patients",
        f"AveNEC had {sides[0]} patients with NET G3 and {sides[1]} with NEC",
        f"CaboAveNEC's interim {sides[2]} and {sides[3]}",
        f"with more than {100 * (1 - alpha):.0f}% probability",
        f"that all {n} patients will bring it above {100 * (1 - alpha):.0f}%",
        f"The {of['of']} patients with data at week {week} are taken as the first {of['of']}",
        f"for a trial of {n} further patients",
        f"that {n} patients are enough for",
    ]


def caboavenec_endpoints():
    n, interim = fact("caboavenec", "planned-enrolment"), comparison("caboavenec", "pfs-interim")["arms"][0]
    listed = fact("caboavenec", "secondary-endpoints")
    week = proportion("caboavenec", "dcr-16-weeks")["time"]
    rates = [int(x) for x in re.search(r"best overall response at weeks ([\d, ]+);", listed)[1].split(", ")]
    controls = [int(x) for x in re.search(r"DCR at weeks ([\d, ]+);", listed)[1].split(", ")]
    pfs_week = int(re.search(r"PFS \(week (\d+)\)", listed)[1])
    os_weeks = [int(x) for x in re.search(r"OS at weeks (\d+) and (\d+)", listed).groups()]
    assert sorted([*controls, week]) == rates == [8, 16, 24, 48]
    months = fact("caboavenec", "treatment-duration")
    assert rates[-1] * 7 / MONTH < months  # the last scan is before treatment ends as planned
    assert interim["median"] > week  # so the two printed numbers are of the same patients
    weeks = f"weeks {rates[0]}, {rates[1]}, {rates[2]} and {rates[3]}"
    return [
        f"to {n} patients with NET G3 or NEC",
        f"by iRECIST after {week} weeks",
        f"read off scans at {weeks}",
        f"of one half of {interim['n']} patients",
        f"disease control at week {week} and a median PFS",
        f"free of progression at week {pfs_week} was so at week {week}",
        f"the disease control at week {week}, which may count",
        f"After week {rates[0]} iRECIST stays",
        f"At week {week}, with Monte Carlo error",
        f"from one trial of {n} to the next",
        "iPR above 0",
        f"PFS at week {pfs_week} depends",
        f"between weeks {rates[-2]} and {rates[-1]}",
        f"followed to week {os_weeks[-1]}",
        f"up to {weeks}, as registered",
        f"at {months} months, after the last scan at week {rates[-1]}",
        f"without deterioration at week {rates[2]}",
        f"What an iUPD at week {week} does",
        f"first seen at week {week} is unconfirmed",
        f"disease control at week {week} is applied",
        f"over by week {week} or later",
        f"still there at week {week} and",
        f"agree at week {week} and both",
        "two-sided p is below 5%",
        "Where the ratio is 1 it",
        f"Disease control at week {week} by iRECIST with one",
    ]


def emerald_shortcut():
    """Exponential through a median less the rate printed at six months, in percentage points, for each such arm."""
    return [
        100 * 0.5 ** (6 / arm["median"]) - number(mark["survival"])
        for one in trial("emerald")["comparisons"]
        for arm in one.get("arms", [])
        for mark in arm.get("landmarks", [])
        if mark["time"] == 6
    ]


def elacestrant_rate():
    weeks = pfs_rate.SCANS.value
    within = math.floor(6 * MONTH / 7)
    last = {every: within // every * every for every in (6, 8, 9, 12)}
    assert {last[every] for every in (6, weeks, 12)} == {24}
    arms = comparison("emerald", "pfs-cdk46i-12-months")["arms"]
    nulls = [5 * math.ceil(number(arm["landmarks"][0]["survival"]) / 5) for arm in arms]
    assert [one / 100 for one in sorted(nulls)] == list(pfs_rate.NULL_RATES.value)
    assert pfs_rate.NOT_AVID.value[0] == 0
    # limits of a rate at 6 months stand at the arms of one population alone
    with_limits = {
        one["population"]
        for one in trial("emerald")["comparisons"]
        for arm in one.get("arms", [])
        for mark in arm.get("landmarks", [])
        if mark["time"] == 6 and "ci" in mark
    }
    assert with_limits == {"ESR1 mutated"}
    months = int(re.search(r"at (\d+) months", fact("elacestrant-exemestane", "primary-endpoint"))[1])
    return [
        f"the {months}-month rate against EMERALD",
        f"the progression-free rate at {months} months",
        f"say of {months} months less what was printed",
        f"make of {months} months",
        f"status at {months} months is that",
        f"Scans every 6, {weeks} or 12 weeks have one at week {last[weeks]}",
        f"; every 9 weeks the last is at week {last[9]}",
        f"arms at the scan of week {last[weeks]}, rounded up",
        f"scanned every {weeks} weeks",
        f"before the scan of week {last[weeks]} count",
        f"Intervals of the {months}-month rate",
        f"under {weeks}-week scans",
        "at a share of 0, and",
    ]


def elacestrant_scans():
    n, accuracy = (
        scans.PATIENTS.value,
        [fact("elacestrant-exemestane", f"fes-pet-{side}") for side in ("sensitivity", "specificity")],
    )
    assert accuracy[0] == accuracy[1] == 100 * scans.ACCURACY.value
    often, seldom = scans.SCHEDULES.value
    week = math.floor(6 * MONTH / 7) // seldom * seldom
    assert week % often == 0
    level = f"{100 * pfs_rate.ALPHA.value:.0f}%"
    return [
        "a rate at 6 months, down to the scan",
        "free of progression at 6 months",
        f"until {often}-week scans show the rates",
        f"every {often} and every {seldom} weeks both have one at week {week}",
        "the rate at 6 months hardly",
        f"so the {often}-week rate",
        f"below its nominal {level} and costs",
        f"its error comes out near {level}",
        f"The accuracy of {accuracy[0]}% is for receptor expression",
        f"have to be screened for {n} patients",
        f"disease control at week {week}, if",
        f"as if the {accuracy[0]}% held",
        "The rate at 6 months with one assumption",
    ]


def accuracy():
    results = TOP / "analysis" / "studies" / "accuracy" / "results"
    coverage = json.loads((results / "reconstruction-summary.json").read_text(encoding="utf-8"))
    assert "coverage_90" in coverage
    return [
        "survival at 6 and 12 months as well",
        "by 150 points an arm",
        "S12 the absolute error of survival at 12 months",
        "band of 90% should cover the real Kaplan-Meier curve at 90% of the times",
    ]


def from_null():
    null = proportion("avenec", "dcr-16-weeks")["share"]
    first = next(x for x in range(31) if stats.binom.sf(x - 1, 30, null / 100) <= 0.05)
    assert first == 9
    return [f"Thirty patients against a disease control rate of {null}%: nine responders reject"]


def xenera_power():
    n = fact("xenera-1", "planned-enrolment")
    return [f"what about {n} patients could show"]


def xenera_result():
    (crossing,) = {
        number(one["hazard_ratio"]["estimate"]) > 1 and one["arms"][0]["median"] > one["arms"][1]["median"]
        for one in trial("xenera-1")["comparisons"]
        if one.get("assessor") == "independent"
    }
    assert crossing
    return [
        "95 times in a hundred",
        *quantiles("central {}%"),
        "a hazard ratio above 1 and a longer median on xentuzumab",
    ]


CLAIMS = {
    "a-digitised-figure": list,
    "bolero-2-reconstruction": bolero_2,
    "caboavenec-disease-control": caboavenec_disease_control,
    "caboavenec-endpoints": caboavenec_endpoints,
    "elacestrant-pfs-rate": elacestrant_rate,
    "elacestrant-scans": elacestrant_scans,
    "explorer": list,
    "from-null-to-protocol": from_null,
    "reconstruction-accuracy": accuracy,
    "xenera-1-power": xenera_power,
    "xenera-1-result": xenera_result,
    "xenera-1-readers": lambda: ["the central 95% of single trials, `lower`", "in the central 95% of single trials."],
    "your-own-abstract": list,
}


def prose(name):
    cells = json.loads((TOP / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    for pattern in NAMES:
        text = re.sub(pattern, lambda found: re.sub(r"\d", "#", found[0]), text, flags=re.MULTILINE)
    return re.sub(r"\s+", " ", text)


def as_name(text):
    for pattern in NAMES:
        text = re.sub(pattern, lambda found: re.sub(r"\d", "#", found[0]), text)
    return text


def test_emeralds_shortcut_is_off_by_what_is_said():
    shortcut = emerald_shortcut()
    low, high = (round(f(map(abs, shortcut))) for f in (min, max))
    downwards = sum(one < 0 for one in shortcut)
    cells = json.loads((TOP / "notebooks" / "elacestrant-pfs-rate.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = [out["data"].get("text/markdown", "") for cell in cells for out in cell.get("outputs", []) if "data" in out]
    said = " ".join("".join(one) for one in shown)
    assert f"off by {low} to {high} percentage points, in {downwards} of {len(shortcut)} arms downwards" in said
    assert f"through EMERALD's medians is off by {low}% to {high}%" in said


def test_every_notebook_is_read():
    assert set(CLAIMS) == {path.stem for path in (TOP / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("name", CLAIMS)
def test_every_number_in_prose_is_that_of_its_source(name):
    text = prose(name)
    for claim in map(as_name, CLAIMS[name]()):
        assert claim in text, f"{name} does not say: {claim}"
        text = text.replace(claim, " ")
    left = re.findall(r"[^.]*\d[^.]*", text)
    assert not left, f"numbers of {name} that nothing accounts for: {left}"
