"""The committed files against a second transcription, and derived numbers against a derivation by hand."""

import math

import pytest
from scipy.stats import norm

from analysis.reported import available, check, load, log_ratio_std_error, review

# trial, comparison, place, as printed
PRINTED = """
bolero-2 pfs-interim-local everolimus.median 6.9
bolero-2 pfs-interim-local placebo.median 2.8
bolero-2 pfs-interim-local hazard_ratio 0.43
bolero-2 pfs-interim-local events_total 359
bolero-2 pfs-interim-central everolimus.median 10.6
bolero-2 pfs-interim-central placebo.median 4.1
bolero-2 pfs-interim-central hazard_ratio 0.36
bolero-2 pfs-interim-central p_value < 0.001
bolero-2 pfs-final-local everolimus.n 485
bolero-2 pfs-final-local placebo.n 239
bolero-2 pfs-final-local everolimus.median 7.8
bolero-2 pfs-final-local placebo.median 3.2
bolero-2 pfs-final-local hazard_ratio 0.45
bolero-2 pfs-final-local hazard_ratio.ci.lower 0.38
bolero-2 pfs-final-local hazard_ratio.ci.upper 0.54
bolero-2 pfs-final-local p_value < 0.0001
bolero-2 pfs-final-local events_total 510
bolero-2 pfs-final-central everolimus.median 11.0
bolero-2 pfs-final-central placebo.median 4.1
bolero-2 pfs-final-central hazard_ratio 0.38
bolero-2 pfs-final-central hazard_ratio.ci.lower 0.31
bolero-2 pfs-final-central hazard_ratio.ci.upper 0.48
bolero-2 pfs-final-central events_total 320
bolero-2 pfs-final-central median_follow_up 18
bolero-2 os-final everolimus.median 31.0
bolero-2 os-final everolimus.median_ci.lower 28.0
bolero-2 os-final everolimus.median_ci.upper 34.6
bolero-2 os-final placebo.median 26.6
bolero-2 os-final placebo.median_ci.lower 22.6
bolero-2 os-final placebo.median_ci.upper 33.1
bolero-2 os-final hazard_ratio 0.89
bolero-2 os-final hazard_ratio.ci.lower 0.73
bolero-2 os-final hazard_ratio.ci.upper 1.10
bolero-2 os-final p_value 0.14
bolero-2 os-final events_total 410
bolero-2 os-interim hazard_ratio 0.77
bolero-2 os-interim hazard_ratio.ci.lower 0.57
bolero-2 os-interim hazard_ratio.ci.upper 1.04
bolero-2 pfs-first-line-local everolimus.n 100
bolero-2 pfs-first-line-local placebo.n 37
bolero-2 pfs-first-line-local everolimus.median 11.5
bolero-2 pfs-first-line-local placebo.median 4.1
bolero-2 pfs-first-line-local hazard_ratio 0.39
bolero-2 pfs-first-line-local hazard_ratio.ci.lower 0.25
bolero-2 pfs-first-line-local hazard_ratio.ci.upper 0.62
bolero-2 pfs-first-line-local-onclive everolimus.median 11.50
bolero-2 pfs-first-line-local-onclive placebo.median 4.07
bolero-2 pfs-first-line-central everolimus.median 15.2
bolero-2 pfs-first-line-central placebo.median 4.2
bolero-2 pfs-first-line-central hazard_ratio 0.32
bolero-2 pfs-first-line-central hazard_ratio.ci.lower 0.18
bolero-2 pfs-first-line-central hazard_ratio.ci.upper 0.57
bolero-2 pfs-visceral n_total 406
bolero-2 pfs-visceral everolimus.median 6.8
bolero-2 pfs-visceral placebo.median 2.8
bolero-2 pfs-asian everolimus.median 8.48
bolero-2 pfs-asian placebo.median 4.14
bolero-2 pfs-asian hazard_ratio 0.62
bolero-2 pfs-asian hazard_ratio.ci.upper 0.94
bolero-2 pfs-non-asian everolimus.median 7.33
bolero-2 pfs-non-asian placebo.median 2.83
bolero-2 pfs-non-asian hazard_ratio.ci.lower 0.33
bolero-2 pfs-age-65 hazard_ratio 0.59
bolero-2 pfs-age-70 n_total 164
bolero-2 pfs-esr1-wild-type everolimus.median 8.5
bolero-2 pfs-esr1-wild-type hazard_ratio 0.40
bolero-2 pfs-esr1-d538g placebo.median 2.7
bolero-4 pfs everolimus.median not reached
bolero-4 pfs everolimus.median_follow_up 17.5
bolero-4 pfs everolimus.survival at 6 months 83.6
bolero-4 pfs everolimus.survival at 6 months, ci.lower 77.3
bolero-4 pfs everolimus.survival at 12 months, ci.upper 77.5
xenera-1 pfs-independent xentuzumab.n 50
xenera-1 pfs-independent placebo.n 51
xenera-1 pfs-independent xentuzumab.median 12.7
xenera-1 pfs-independent xentuzumab.median_ci.upper 29.3
xenera-1 pfs-independent placebo.median 11.0
xenera-1 pfs-independent placebo.median_ci.lower 7.7
xenera-1 pfs-independent placebo.median_ci.upper 19.5
xenera-1 pfs-independent hazard_ratio 1.19
xenera-1 pfs-independent hazard_ratio.ci.lower 0.55
xenera-1 pfs-independent hazard_ratio.ci.upper 2.59
xenera-1 pfs-independent p_value 0.6534
xenera-1 pfs-investigator xentuzumab.median 7.4
xenera-1 pfs-investigator placebo.median 9.2
xenera-1 pfs-investigator placebo.median_ci.upper 14.4
xenera-1 pfs-investigator hazard_ratio 1.23
xenera-1 pfs-investigator hazard_ratio.ci.lower 0.69
xenera-1 pfs-investigator hazard_ratio.ci.upper 2.20
xenera-1 pfs-investigator p_value 0.4800
xentuzumab-phase-2 pfs xentuzumab.median 7.3
xentuzumab-phase-2 pfs xentuzumab.median_ci.upper not calculable
xentuzumab-phase-2 pfs control.median 5.6
xentuzumab-phase-2 pfs hazard_ratio.ci.upper 1.65
xentuzumab-phase-2 pfs-non-visceral hazard_ratio 0.21
xentuzumab-phase-2 pfs-non-visceral hazard_ratio.ci.upper 0.98
caboavenec pfs-interim cabozantinib-avelumab.median 48.1
caboavenec pfs-interim cabozantinib-avelumab.median_ci.upper not reached
caboavenec os-interim cabozantinib-avelumab.median_follow_up 29.1
avenec pfs avelumab.median 1.9
avenec pfs-esmo-2023 avelumab.median 8.1
avenec os avelumab.survival at 1 years 33
avenec os-esmo-2023 avelumab.median 21.3
avenec dor avelumab.median 4.3
emerald pfs elacestrant.median 2.79
emerald pfs SOC.survival at 12 months 9.4
emerald pfs hazard_ratio.ci.upper 0.88
emerald pfs-esr1-mutated elacestrant.events 62
emerald pfs-esr1-mutated SOC.events 78
emerald pfs-esr1-mutated elacestrant.survival at 6 months 40.8
emerald pfs-esr1-mutated SOC.survival at 6 months 19.1
emerald pfs-esr1-mutated SOC.survival at 6 months, ci.upper 27.8
emerald pfs-esr1-mutated SOC.survival at 18 months not estimable
emerald pfs-esr1-not-detected hazard_ratio.ci.upper 1.19
emerald pfs-cdk46i-12-months elacestrant.survival at 6 months 41.56
emerald pfs-cdk46i-12-months SOC.survival at 6 months 21.72
emerald pfs-cdk46i-12-months hazard_ratio.ci.lower 0.453
emerald pfs-cdk46i-12-months-esr1-mutated elacestrant.survival at 6 months 55.81
emerald pfs-cdk46i-12-months-esr1-mutated SOC.survival at 6 months 22.66
emerald pfs-cdk46i-12-months-esr1-mutated hazard_ratio 0.410
sofea pfs-combination fulvestrant-anastrozole.median 4.4
sofea pfs-combination hazard_ratio 1.00
sofea pfs-exemestane exemestane.median_ci.upper 4.6
maintain pfs placebo.median_ci.lower 2.66
maintain pfs placebo.survival at 6 months 23.9
maintain pfs ribociclib.survival at 12 months 24.6
postmonarch pfs placebo.median_ci.lower 3.7
postmonarch pfs placebo.survival at 6 months 37
postmonarch pfs hazard_ratio.ci.upper 0.95
veronica pfs-fulvestrant fulvestrant.median_ci.upper 3.55
s0226 pfs combination.events 318
s0226 pfs anastrozole.median 13.5
s0226 os combination.median 49.8
fes-pet-palbociclib pfs-any-site-fes-negative endocrine-palbociclib.median 2.4
fes-pet-palbociclib pfs-all-sites-fes-positive endocrine-palbociclib.median 23.6
elacestrant-fes-phase-1b pfs elacestrant.median 5.3
cabinet-g3-net pfs-g3-net cabozantinib.median 7.9
cabinet-g3-net pfs-g3-net hazard_ratio.ci.upper 0.57
cabonen pfs-interim cabozantinib.median 6.7
ep-pd-nec-second-line pfs second-line.median 2.5
"""
ROWS = [line.split(maxsplit=2) for line in PRINTED.strip().splitlines()]
WORDS = ("not reached", "not calculable", "not estimable")

# trial, proportion, as printed
SHARES = {
    ("bolero-2", "orr-everolimus-fda"): "12.6",
    ("bolero-2", "orr-placebo-fda"): "1.7",
    ("bolero-2", "orr-placebo-review"): "2.1",
    ("bolero-2", "cbr-everolimus-review"): "49.9",
    ("bolero-2", "cbr-placebo-review"): "22.2",
    ("bolero-4", "orr"): "42.6",
    ("bolero-4", "cbr"): "74.3",
    ("caboavenec", "dcr-16-weeks"): "42",
    ("caboavenec", "alive"): "85",
    ("avenec", "dcr-16-weeks"): "15",
    ("avenec", "best-response-pr"): "5",
    ("pembrolizumab-g3-nen", "dcr-18-weeks"): "10.3",
    ("pembrolizumab-g3-nen", "dcr-best-response"): "24.1",
    ("toripalimab-nen", "dcr-best-response"): "35",
    ("surufatinib-toripalimab-nec", "orr"): "23.8",
    ("cabonen", "dcr-3-months"): "80.1",
    ("cabonen", "dcr-6-months"): "64.1",
    ("elacestrant-fes-phase-1b", "cbr"): "30.8",
    ("ep-pd-nec-second-line", "orr"): "18",
}


@pytest.mark.parametrize("row", ROWS, ids=[" ".join(row) for row in ROWS])
def test_a_number_stands_as_it_was_printed(row):
    trial, comparison, rest = row
    words = [word for word in WORDS if rest.endswith(word)]
    printed = words[0] if words else rest[rest.rindex("<") :] if "<" in rest else rest.rsplit(maxsplit=1)[1]
    place = rest.removesuffix(printed).strip()
    assert dict(load(trial).comparison(comparison).numbers())[place].text == printed


@pytest.mark.parametrize(("trial", "id"), SHARES)
def test_a_share_stands_as_it_was_printed(trial, id):
    share = load(trial).proportion(id).share
    assert (share.text, share.unit) == (SHARES[trial, id], "percent")


@pytest.mark.parametrize("name", available())
def test_every_number_has_a_source_of_its_file_and_a_status(name):
    trial = load(name)
    frame = trial.to_frame()
    assert len(frame) > 0
    assert set(frame["status"]) <= {"published", "secondary", "conflict"}
    cited = {key for keys in frame["sources"] for key in keys.split(", ")}
    cited |= set(trial.timeline.sources) if trial.timeline is not None else set()
    assert cited == {source.key for source in trial.sources}


@pytest.mark.parametrize("name", available())
def test_the_findings_of_a_file_are_known_and_occur(name):
    reviewed = review(load(name))
    assert reviewed.new == ()
    assert reviewed.gone == ()


def test_the_findings_that_are_known_are_these():
    found = {(finding.trial, finding.where, finding.check) for name in available() for finding in check(load(name))}
    assert found == {
        ("avenec", "os / os-esmo-2023", "conflicting-sources"),
        ("bolero-2", "os-final", "p-against-interval"),
        ("bolero-2", "orr-placebo-fda / orr-placebo-review", "conflicting-sources"),
        ("caboavenec", "alive", "count-against-share"),
        ("emerald", "pfs-cdk46i-12-months-esr1-mutated", "asymmetric-interval"),
        ("xenera-1", "pfs-independent", "ratio-against-medians"),
        ("xentuzumab-phase-2", "visceral-cosa-2019 / visceral-second-abstract", "conflicting-sources"),
    }


def test_what_was_not_reported_is_absent():
    final = load("bolero-2").comparison("pfs-final-local")
    assert all(arm.events is None and arm.at_risk is None for arm in final.arms)
    assert all(arm.n is None for arm in load("bolero-2").comparison("pfs-visceral").arms)
    assert load("xenera-1").comparison("pfs-independent").events_total is None
    assert "pfs-non-visceral" not in [comparison.id for comparison in load("bolero-2").comparisons]


def test_derived_numbers_come_out_of_the_printed_ones():
    bolero = load("bolero-2")
    os = bolero.comparison("os-final").hazard_ratio
    z = math.log(os.estimate.value) / log_ratio_std_error(os).estimate
    assert round(2 * norm.sf(abs(z)), 2) == 0.27
    final = bolero.comparison("pfs-final-local")
    assert sum(arm.n.value for arm in final.arms) == bolero.fact("randomised").value.value == 724
    assert bolero.fact("randomised").value.value - bolero.comparison("pfs-visceral").n_total.value == 318
    alive = load("caboavenec").proportion("alive")
    assert round(100 * alive.count.value / alive.of.value) == 89
    avenec = load("avenec")
    best = avenec.proportion("best-response-pr").count.value + avenec.proportion("best-response-sd").count.value
    assert best / avenec.proportion("best-response-pr").of.value == pytest.approx(0.20)
    emerald = load("emerald").comparison("pfs-esr1-mutated")
    exponential = [round(100 * 0.5 ** (6 / arm.median.value)) for arm in emerald.arms]
    assert exponential == [33, 11]


def test_weeks_and_months_agree_where_the_reports_do():
    avenec = load("avenec")
    months, weeks = (avenec.comparison(id).arm("avelumab").median for id in ("pfs", "pfs-esmo-2023"))
    assert months.lower <= weeks.lower <= weeks.upper <= months.upper
