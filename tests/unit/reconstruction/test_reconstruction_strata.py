"""Ratios and tests that the paper stratified: each member is stratified as the paper was."""

from dataclasses import replace

import numpy as np
import pytest
from lifelines import CoxPHFitter

from analysis import reconstruct
from analysis.conventions.serial import from_json, to_json
from analysis.errors import InfeasibleReportError, InvalidValueError
from analysis.reconstruction import adtte, paragraph
from analysis.reconstruction.repair.board import stratum
from analysis.reconstruction.repair.layout import MOST_SHARE, hazard_of_others
from analysis.reconstruction.report.partition import Partition
from analysis.reported import AtRisk, ReportedArm, ReportedComparison, StratificationFactor, load
from analysis.statistical_tests import CoxHazardRatio, LogRank

SITE = StratificationFactor("visceral", n=(140, 98))
REGION = StratificationFactor("region", n=(40, 58, 140))


def report(*strata: StratificationFactor | str, **changes: object) -> ReportedComparison:
    arms = [
        ReportedArm("new", n=120, events=78, median="9.2", median_ci=("7.4", "11.9"), at_risk=AtRisk((6,), (76,))),
        ReportedArm("old", n=118, events=95, median="5.6", median_ci=("4.3", "7.0")),
    ]
    given = {"hazard_ratio": ("0.61", "0.45", "0.82"), "p_value": "0.001", "id": "pfs"} | changes
    return ReportedComparison("PFS", arms, control="old", strata=strata, **given)


@pytest.mark.parametrize("factors", [(SITE,), (SITE, REGION)])
def test_every_member_gives_the_stratified_ratio_and_test_back(factors):
    found = reconstruct(report(*factors), members=40, rng=3)
    assert found.faithful.all()
    assert found.findings == ()
    assert found.diagnostics["distinct members"] == 40
    apart = []
    for member in range(8):
        patients = found.ipd(member)
        fit = CoxPHFitter().fit(patients[["treatment", "time", "event", "stratum"]], "time", "event", strata="stratum")
        lower, upper = np.exp(fit.confidence_intervals_.loc["treatment"])
        assert 0.605 <= fit.hazard_ratios_["treatment"] <= 0.615
        assert 0.445 <= lower <= 0.455
        assert 0.815 <= upper <= 0.825
        score, information = 0.0, 0.0
        for _, part in patients.groupby("stratum"):  # sums over strata, by hand
            for at in part.loc[part["event"] == 1, "time"]:
                left = part.loc[part["time"] >= at, "treatment"]
                share = left.mean()
                score += share - float(part.loc[part["time"] == at, "treatment"].iloc[0])
                information += share * (1 - share)
        assert score / np.sqrt(information) == pytest.approx(
            LogRank()
            .analyse(patients["time"], patients["event"], patients["treatment"] == 1, strata=patients["stratum"])
            .z
        )
        pooled = CoxHazardRatio().analyse(patients["time"], patients["event"], patients["treatment"] == 1)
        apart.append(abs(pooled.estimate - fit.hazard_ratios_["treatment"]))
    assert max(apart) > 0.002  # to pool the strata is another analysis


def test_the_strata_have_the_sizes_that_are_given_in_both_arms():
    found = reconstruct(report(SITE, REGION), members=5, rng=1)
    for member in range(5):
        patients = found.ipd(member)
        visceral, region = patients["stratum"] % 2, patients["stratum"] // 2
        assert visceral.sum() == 140
        assert sorted(region.value_counts()) == [40, 58, 140]
        by_arm = patients.assign(visceral=visceral).groupby("arm")["visceral"].sum()
        assert list(by_arm) == [round(140 * 120 / 238), round(140 * 118 / 238)]


def test_levels_differ_in_prognosis_by_the_spread_that_is_assumed():
    found = reconstruct(report(SITE, hazard_ratio=None, p_value="0.9"), members=200, rng=2, relax="p_value")
    assert found.stratum is None  # nothing is left that is stratified
    found = reconstruct(report(SITE), members=200, rng=2)
    logs = []
    for time, event, level in zip(found.time, found.event, found.stratum, strict=True):
        result = CoxHazardRatio().analyse(time, event, level == 1, strata=found.arm_index)
        logs.append(np.log(result.estimate))
    noise = 4 / 173  # variance of the log ratio of two groups of this size with 173 events
    assert np.std(logs) == pytest.approx(np.sqrt(0.3**2 + noise), rel=0.2)
    assert abs(np.mean(logs)) < 4 * np.std(logs) / np.sqrt(200)


def test_without_sizes_nothing_is_stratified_and_it_is_said():
    plain = reconstruct(report(), members=5, rng=1)
    named = reconstruct(report("site"), members=5, rng=1)
    assert [(finding.check, finding.values) for finding in named.findings] == [("strata-unknown", ("site",))]
    np.testing.assert_array_equal(named.time, plain.time)
    half = reconstruct(report(SITE, "region"), members=5, rng=1)
    assert len(half.findings) == 1
    assert "they are computed by visceral only" in half.findings[0].message
    relaxed = reconstruct(report(SITE), members=5, rng=1, relax="strata")
    np.testing.assert_array_equal(relaxed.time, plain.time)
    assert relaxed.stratum is None


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (
            [StratificationFactor("site", n=(140, 90))],
            r"site.*expected levels that add up to the 238 patients of pfs, not to 230",
        ),
        ([SITE, StratificationFactor("visceral", n=(98, 140))], "strata: got .*expected each factor once"),
        ([StratificationFactor(f"f{k}", n=(119, 119)) for k in range(13)], "at most 12 subgroups and levels"),
    ],
)
def test_strata_that_cannot_be_are_refused(factors, said):
    with pytest.raises(InvalidValueError, match=said):
        reconstruct(report(*factors), members=5)


@pytest.mark.parametrize("n", [(5,), (0, 3), ("< 5", 3), ("many", 3), 5, "53"])
def test_levels_that_are_no_numbers_of_patients_are_refused(n):
    with pytest.raises(InvalidValueError, match=r"strata\[site\].n: got"):
        StratificationFactor("site", n=n)


@pytest.mark.parametrize("strata", ["site", [3], [None]])
def test_factors_are_given_as_a_list(strata):
    with pytest.raises(InvalidValueError, match=r"strata: got .*expected a list of factors or of their names"):
        ReportedComparison("PFS", [ReportedArm("new"), ReportedArm("old")], control="old", strata=strata)


def test_a_single_arm_has_nothing_to_stratify():
    arm = ReportedArm("new", n=60, events=30, median="8.0")
    found = reconstruct(ReportedComparison("PFS", [arm], strata=["site"]), members=5, rng=1)
    assert found.findings == ()
    assert found.stratum is None


def test_factors_come_back_from_json():
    assert from_json(to_json(report(SITE, "region"))) == report(SITE, "region")


def test_parts_overlap_in_proportion_and_add_up():
    whole = Partition.whole([120, 118]).divided("first line", [30, 31]).divided("visceral", [70, 70])
    for row, size, first, visceral in zip(whole.table, (120, 118), (30, 31), (70, 70), strict=True):
        assert row.sum() == size
        assert row[1] + row[3] == first
        assert row[2] + row[3] == visceral
        assert row[3] == pytest.approx(first * visceral / size, abs=1)
    turned = whole.of(["visceral", "first line"])
    np.testing.assert_array_equal(turned.table, whole.table[:, [0, 2, 1, 3]])
    np.testing.assert_array_equal(whole.of(["visceral"]).table[:, 1], [70, 70])
    levels = whole.divided("a", [20, 20]).divided("b", [50, 40], ["a"])
    cells = np.arange(16)
    assert levels.table[:, (cells >> 2) & 3 == 3].sum() == 0  # no patient is at two levels
    np.testing.assert_array_equal(levels.of(["b"]).table[:, 1], [50, 40])


def test_the_number_of_a_stratum_is_its_bits_put_together():
    assert [stratum(bits, 0b1010) for bits in (0b0000, 0b0010, 0b1000, 0b1111)] == [0, 1, 2, 3]
    assert stratum(0b1111, 0) == 0


VISCERAL = StratificationFactor("visceral", n=(140, 98), population="visceral disease")


def reports(*strata: StratificationFactor) -> list[ReportedComparison]:
    """Two readers, two subgroups that both of them read, and the whole."""
    central = replace(report(*strata), assessor="central", id="central")
    local = replace(report(*strata), assessor="local", id="local")
    out = [central, local]
    sizes = {"first line": (30, 31), "visceral disease": (71, 69)}
    for assessor in ("central", "local"):
        for name, (new, old) in sizes.items():
            arms = [ReportedArm("new", n=new, median="8.1"), ReportedArm("old", n=old, median="5.2")]
            given = {"control": "old", "population": name, "assessor": assessor, "id": f"{name} {assessor}"}
            out.append(ReportedComparison("PFS", arms, hazard_ratio="0.60", **given))
    return out


def test_a_reported_subgroup_is_the_level_of_a_factor_and_readers_agree_on_it():
    trial = reconstruct(reports(VISCERAL), members=10, rng=1)
    assert trial.faithful.all()
    assert set(trial.subgroups) == {"first line", "visceral disease"}
    for assessor in ("central", "local"):
        analysis, times = trial.analysis(assessor), trial.endpoints[f"PFS {assessor}"]
        for member in range(3):
            ratio = CoxHazardRatio().analyse(
                times.time[member],
                times.event[member],
                trial.arm_index == 1,
                strata=trial.subgroups["visceral disease"][member],
            )
            assert ratio.estimate == pytest.approx(analysis.hazard_ratio().members[member], rel=1e-9)
    within = trial.part("PFS local", "visceral disease")
    assert within.median("new").members == pytest.approx(
        trial.analysis("visceral disease local").median("new").members, rel=1e-9
    )


def test_a_factor_that_one_reader_shows_as_a_subgroup_is_drawn_for_the_other():
    given = [one for one in reports(VISCERAL) if one.id != "visceral disease central"]
    trial = reconstruct(given, members=10, rng=1)
    assert trial.faithful.all()
    assert {name: one.stratum is not None for name, one in trial.analyses.items()} == {
        "central": True,
        "local": True,
        "first line central": False,
        "first line local": False,
        "visceral disease local": False,
    }


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (
            reports(replace(VISCERAL, n=(98, 140))),
            InvalidValueError,
            "got 98; expected 140, the patients of the reported subgroup 'visceral disease'",
        ),
        (
            [*reports()[:-1], replace(reports()[-1], arms=(ReportedArm("new", n=70), ReportedArm("old", n=70)))],
            InfeasibleReportError,
            r"visceral disease central has \[69, 71\] and visceral disease local \[70, 70\] patients of old, new",
        ),
        (
            [*reports(SITE)[:1], *reports(REGION)[1:2], replace(reports(replace(SITE, n=(100, 138)))[0], id="third")],
            InvalidValueError,
            "expected the same levels in every report",
        ),
    ],
)
def test_reports_that_describe_the_strata_differently_are_refused(given, error, said):
    with pytest.raises(error, match=said):
        reconstruct(given, members=5)


def test_bolero_2_is_stratified_by_visceral_disease_of_which_the_numbers_are_printed():
    final = load("bolero-2").comparison("pfs-final-central")
    known = {factor.name: [int(level.value) for level in factor.n] for factor in final.strata}
    assert known == {"sensitivity to prior hormonal therapy": [], "visceral disease": [406, 318]}
    found = reconstruct(final, members=10, rng=1, relax="median_follow_up")
    assert found.faithful.all()
    assert found.stratum.sum(axis=1).tolist() == [406] * 10


def test_strata_go_into_the_export_and_the_paragraph():
    found = reconstruct(report(SITE), members=2, rng=1)
    frame = adtte(found, member=None)
    np.testing.assert_array_equal(frame["STRATUMN"], found.ipd()["stratum"])
    assert "stratified by visceral)" in paragraph(found)
    plain = reconstruct(report(), members=2, rng=1)
    assert "STRATUMN" not in adtte(plain)
    assert "stratified" not in paragraph(plain)


def test_patients_whose_prognosis_one_reader_shows_have_it_for_the_other_too():
    arms = [ReportedArm("new", n=71, median="6.5"), ReportedArm("old", n=69, median="4.4")]
    shown = ReportedComparison(
        "PFS", arms, control="old", population="visceral disease", assessor="local", id="visceral"
    )
    central, local = reports(VISCERAL)[:2]
    trial = reconstruct([local, central, shown], members=60, rng=1)
    logs = {}
    for assessor in ("local", "central"):
        times = trial.endpoints[f"PFS {assessor}"]
        ratios = [
            CoxHazardRatio().analyse(time, event, inside, strata=trial.arm_index).estimate
            for time, event, inside in zip(times.time, times.event, trial.subgroups["visceral disease"], strict=True)
        ]
        logs[assessor] = np.mean(np.log(ratios))
    assert logs["local"] > 0.3
    assert logs["central"] == pytest.approx(logs["local"], abs=0.06)


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
@pytest.mark.parametrize("ratio", [0.2, 1.0, 2.5, 12.0])
def test_the_patients_at_a_level_and_the_others_make_up_all(share, ratio):
    for hazard in (0.01, 0.7, 3.0):
        others = hazard_of_others(hazard, share, ratio)
        at_level = min(share, MOST_SHARE)
        survival = at_level * np.exp(-ratio * others) + (1 - at_level) * np.exp(-others)
        assert survival == pytest.approx(np.exp(-hazard), rel=1e-6)
