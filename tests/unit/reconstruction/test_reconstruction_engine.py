"""`reconstruct` from end to end: every printed number comes back, and impossible reports are refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from lifelines.datasets import load_gbsg2, load_leukemia, load_waltons

from analysis.errors import InfeasibleReportError, InvalidValueError, UnknownNameError
from analysis.reconstruction import Reconstruction, ShapePrior, reconstruct
from analysis.reconstruction.report.block import Block
from analysis.reconstruction.report.requirements import read_requirements
from analysis.reconstruction.solve.problem import pose
from analysis.reported import (
    AtRisk,
    Landmark,
    ReportedArm,
    ReportedComparison,
    ReportedHazardRatio,
    ReportedPValue,
    load,
)
from analysis.statistical_tests import CoxHazardRatio
from analysis.survival.estimators import kaplan_meier, reverse_kaplan_meier

MEMBERS = 40


def true_sets() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return patients that nobody reconstructed: months, events, experimental arm."""
    waltons, leukemia, gbsg2 = load_waltons(), load_leukemia(), load_gbsg2()
    return {
        "waltons": (waltons["T"].to_numpy(float), waltons["E"] == 1, waltons["group"] == "control"),
        "leukemia": (leukemia["t"].to_numpy(float), leukemia["status"] == 1, leukemia["Rx"] == 0),
        "gbsg2": (gbsg2["time"].to_numpy(float) / 30.4375, gbsg2["cens"] == 1, gbsg2["horTh"] == "yes"),
    }


def report_of(
    time: np.ndarray, event: np.ndarray, experimental: np.ndarray, endpoint: str = "OS"
) -> ReportedComparison:
    """Print the patients as a paper would."""
    arms = []
    for name, chosen in (("control", ~experimental), ("experimental", experimental)):
        t, e = time[chosen], event[chosen]
        curve, followed = kaplan_meier(t, e), reverse_kaplan_meier(t, e).median()
        lower, upper = curve.median_ci(0.95, scale="log-log")
        printed = [f"{x:.1f}" if np.isfinite(x) else "not reached" for x in (curve.median(), lower, upper)]
        arms.append(
            ReportedArm(
                name,
                n=int(t.size),
                median=printed[0],
                median_ci=(printed[1], printed[2]),
                median_follow_up=f"{followed:.1f}" if np.isfinite(followed) else "not reached",
            )
        )
    ratio = CoxHazardRatio().analyse(time, event, experimental)
    return ReportedComparison(
        endpoint,
        arms,
        control="control",
        hazard_ratio=tuple(f"{x:.2f}" for x in (ratio.estimate, ratio.lower, ratio.upper)),
        events_total=int(event.sum()),
    )


@pytest.mark.parametrize("name", ["waltons", "leukemia", "gbsg2"])
def test_real_patients_are_reproduced_and_approached(name: str) -> None:
    time, event, experimental = (np.asarray(column) for column in true_sets()[name])
    report = report_of(time, event, experimental, "DFS" if name == "gbsg2" else "OS")
    result = reconstruct(report, MEMBERS, rng=1)
    assert result.faithful.all()
    errors, of_exponential, covered = [], [], []
    for arm, chosen in (("control", ~experimental), ("experimental", experimental)):
        curve = kaplan_meier(time[chosen], event[chosen])
        t = np.linspace(0, time[chosen].max(), 300)[1:]
        truth = np.asarray(curve.survival_at(t))
        band = result.survival_at(arm, t, level=0.9)
        errors.append(np.mean(abs(band["mean"] - truth)))
        covered.append(np.mean((band["lower"] <= truth + 1e-9) & (truth <= band["upper"] + 1e-9)))
        median = report.arm(arm).median
        assert median is not None
        rate = np.log(2) / median.value if median.reached else event[chosen].sum() / time[chosen].sum()
        of_exponential.append(np.mean(abs(np.exp(-rate * t) - truth)))
    if name != "waltons":  # flies that die within weeks of each other, steeper than any trial behind the prior
        assert np.mean(covered) > 0.7
    if name != "gbsg2":  # its recurrences are nearly exponential, which only the exponential method assumes
        assert np.mean(errors) < np.mean(of_exponential)


@pytest.mark.parametrize("comparison", ["pfs-interim-local", "pfs-final-local", "pfs-first-line-local"])
def test_bolero_2_comes_back_digit_for_digit(comparison: str) -> None:
    result = reconstruct(load("bolero-2").comparison(comparison), MEMBERS, rng=1)
    assert result.faithful.all()
    assert result.fidelity()["reproduced"].all()


def test_one_arm_with_rates_and_a_median_not_reached() -> None:
    result = reconstruct(load("bolero-4").comparisons[0], MEMBERS, rng=2)
    assert result.faithful.all()
    late = result.survival_at(result.arms[0], [12.0, 36.0])
    width = late["upper"] - late["lower"]
    assert width[1] > 0.1 > width[0]  # nothing was printed of three years


def test_several_arms() -> None:
    arms = [ReportedArm(name, n=90, median=median) for name, median in (("a", "5.0"), ("b", "6.5"), ("c", "8.0"))]
    result = reconstruct(ReportedComparison("PFS", arms, control="a", events_total=200), MEMBERS)
    assert result.arms == ("a", "b", "c")
    assert result.faithful.all()


def test_three_arms_with_rates_and_numbers_at_risk_are_met_by_many_draws() -> None:
    rates = (("59.4%", "19.9%"), ("69.1%", "33.8%"), ("68.6%", "37.7%"))
    at_risk = (
        AtRisk((0, 3, 6, 9, 12, 15, 18, 21), (98, 81, 56, 26, 13, 5, 2, 1)),
        AtRisk((0, 4, 8, 12, 16, 20, 24), (78, 68, 50, 16, 9, 5, 1)),
        AtRisk((0, 4, 8, 12, 16, 20, 24), (109, 86, 57, 28, 18, 3, 1)),
    )
    arms = [
        ReportedArm(
            name,
            n=counts.counts[0],
            median=median,
            landmarks=(Landmark(6, early), Landmark(12, late)),
            at_risk=counts,
        )
        for name, median, (early, late), counts in zip("abc", ("6.84", "9.77", "8.56"), rates, at_risk, strict=True)
    ]
    result = reconstruct(ReportedComparison("PFS", arms, control="a"), 100, rng=1)
    assert result.faithful.all()
    assert result.diagnostics["met"] > 0.7  # each arm by some of its own layouts, not all by one draw of all


def test_nothing_but_patients_is_enough() -> None:
    result = reconstruct(ReportedComparison("OS", [ReportedArm("only", n=30)]), 10)
    assert result.time.shape == (10, 30)
    assert np.ptp(result.events("only").members) > 0


def test_one_event_is_enough() -> None:
    arms = [ReportedArm(name, n=80, median="not reached") for name in ("new", "old")]
    result = reconstruct(ReportedComparison("OS", arms, control="old", events_total=1), 10)
    assert (result.event.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("endpoint", "interval", "reason"),
    [("OS", "2.0", "events of OS are not found"), ("PFS", "8.0", "a median comes before")],
)
def test_visits_that_do_not_apply_are_found_and_not_used(endpoint: str, interval: str, reason: str) -> None:
    arms = [ReportedArm("new", n=80, median="9.0"), ReportedArm("old", n=80, median="7.0")]
    report = ReportedComparison(endpoint, arms, control="old", assessment_interval=interval)
    result = reconstruct(report, 10, rng=3)
    [finding] = [finding for finding in result.findings if finding.check == "assessment-interval-unused"]
    assert reason in finding.message
    without = reconstruct(report, 10, rng=3, relax="assessment_interval")
    assert "assessment-interval-unused" not in {finding.check for finding in without.findings}
    np.testing.assert_array_equal(without.time, result.time)


def test_an_arm_as_a_distribution_goes_on_as_its_hazard_did() -> None:
    arms = [
        ReportedArm(name, n=300, median=median, median_follow_up="14.0")
        for name, median in (("a", "20.0"), ("b", "16.0"))
    ]
    arm = reconstruct(ReportedComparison("OS", arms, control="b"), 100).arm("b")
    late = np.asarray(arm.survival([36.0, 72.0]))
    # an exponential through the median has 0.21 and 0.044: hazards of OS rise at first, then change little
    assert 0.13 < late[0] < 0.21
    assert 0.02 < late[1] < 0.08


def test_follow_up_that_is_not_printed_goes_along_with_the_median() -> None:
    arms = [ReportedArm("a", n=80), ReportedArm("b", n=80)]
    given = ReportedComparison("OS", arms, control="b", events_total=60)
    prior = ShapePrior.shipped().for_endpoint("OS")
    required = read_requirements(given, "log-log")
    unit, length = pose(Block.single(given, required), prior).covariance[-2:, -2:]
    assert unit[0] == pytest.approx(required.median[1] ** 2)
    assert length[0] == pytest.approx(unit[0])
    assert length[1] == pytest.approx(unit[0] + prior.log_follow_up[1] ** 2)


def test_events_are_recovered_from_the_interval_of_the_ratio() -> None:
    arms = [ReportedArm("new", n=300, median="9.0"), ReportedArm("old", n=300, median="6.3")]
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio=("0.70", "0.58", "0.84"))
    result = reconstruct(report, MEMBERS)
    total = np.array(result.events("new").members) + np.array(result.events("old").members)
    error = np.log(0.84 / 0.58) / 2 / 1.96
    assert 4 / error**2 * 0.9 < np.median(total) < 4 / error**2 * 1.15


@pytest.fixture(scope="module")
def report() -> ReportedComparison:
    return ReportedComparison(
        "PFS",
        [
            ReportedArm("new", n=110, median="9.1", landmarks=(Landmark("6", "67.3%"),)),
            ReportedArm("old", n=105, median="6.0", at_risk=AtRisk((0, 6, 12), (105, 50, 14))),
        ],
        control="old",
        hazard_ratio=("0.66", "0.48", "0.90"),
    )


@pytest.fixture(scope="module")
def result(report: ReportedComparison) -> Reconstruction:
    return reconstruct(report, 110, rng=5, threads=1)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(
    report: ReportedComparison, result: Reconstruction
) -> None:
    again = reconstruct(report, 110, rng=5, threads=2)
    np.testing.assert_array_equal(result.time, again.time)
    np.testing.assert_array_equal(result.event, again.event)
    assert not np.array_equal(result.time, reconstruct(report, 110, rng=6).time)


def test_rates_and_numbers_at_risk_are_exact(result: Reconstruction) -> None:
    assert result.faithful.all()
    old = result.time[:, result.arm_index == 1]
    assert ((old >= 6).sum(axis=1) == 50).all()
    assert ((old >= 12).sum(axis=1) == 14).all()


def test_swapping_the_arms_inverts_the_ratio() -> None:
    arms = [ReportedArm("x", n=150, median="9.1"), ReportedArm("y", n=150, median="6.0")]
    forth = reconstruct(ReportedComparison("PFS", arms, control="y", hazard_ratio="0.66"), MEMBERS)
    back = reconstruct(ReportedComparison("PFS", arms, control="x", hazard_ratio="1.52"), MEMBERS)
    assert forth.hazard_ratio().estimate * back.hazard_ratio().estimate == pytest.approx(1, rel=0.02)
    for arm in ("x", "y"):
        t = np.linspace(1, 20, 30)
        gap = forth.survival_at(arm, t)["mean"] - back.survival_at(arm, t)["mean"]
        assert np.abs(gap).max() < 0.05


def test_scaling_time_scales_everything(report: ReportedComparison) -> None:
    def months(factor: int) -> ReportedComparison:
        arms = [
            ReportedArm("new", n=110, median=f"{8 * factor}.0", median_follow_up=f"{20 * factor}"),
            ReportedArm("old", n=105, median=f"{6 * factor}.0", median_follow_up=f"{20 * factor}"),
        ]
        return ReportedComparison("OS", arms, control="old", hazard_ratio=("0.75", "0.55", "1.02"))

    t = np.linspace(1, 30, 40)
    short, long = reconstruct(months(1), 200), reconstruct(months(3), 200)
    gap = short.survival_at("old", t)["mean"] - long.survival_at("old", 3 * t)["mean"]
    assert np.abs(gap).max() < 0.03


def test_more_information_does_not_widen_the_band() -> None:
    time, event, experimental = (np.asarray(column) for column in true_sets()["gbsg2"])
    plain = report_of(time, event, experimental)
    ticks = np.arange(0, 84, 12)
    arms = []
    for arm, chosen in zip(plain.arms, (~experimental, experimental), strict=True):
        counts = tuple(int((time[chosen] >= tick).sum()) for tick in ticks)
        arms.append(replace(arm, at_risk=AtRisk(tuple(ticks), counts), events=int(event[chosen].sum())))
    full = replace(plain, arms=tuple(arms))
    widths = []
    for report in (plain, full):
        band = reconstruct(report, 200).survival_at("control", np.arange(6.0, 72.0, 6.0))
        widths.append(float((band["upper"] - band["lower"]).mean()))
    assert widths[1] < widths[0]


def test_the_p_value_of_bolero_2_is_refused_and_named() -> None:
    final = load("bolero-2").comparison("os-final")
    with pytest.raises(InfeasibleReportError, match=r"p_value is printed as 0\.14.*0\.27 two-sided, 0\.13 one-sided"):
        reconstruct(final, 20)
    relaxed = reconstruct(final, 20, relax=["p_value"])
    assert relaxed.relaxed == ("p_value",)
    assert relaxed.faithful.all()
    assert [finding.check for finding in relaxed.findings] == ["p-against-interval"]
    assert final.p_value is not None
    one_sided = replace(final, p_value=ReportedPValue(final.p_value.value, sided=1))
    assert reconstruct(one_sided, 20).faithful.all()


def test_a_ratio_against_the_medians_is_found() -> None:
    arms = [ReportedArm("new", n=200, median="9.0"), ReportedArm("old", n=200, median="7.0")]
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio=("1.50", "1.20", "1.88"))
    try:
        found = [finding.check for finding in reconstruct(report, 20).findings]
    except InfeasibleReportError as error:
        found = [str(error)]
    assert any("ratio-against-medians" in text for text in found)


def test_more_events_than_patients_are_refused(report: ReportedComparison) -> None:
    with pytest.raises(InfeasibleReportError, match="events_total exceeds the patients"):
        reconstruct(replace(report, events_total=load("bolero-2").comparison("os-final").events_total), 10)


def test_an_interval_too_narrow_for_the_events_is_refused(report: ReportedComparison) -> None:
    narrow = ReportedHazardRatio.of(("0.66", "0.60", "0.73"), "hazard_ratio")
    with pytest.raises(InfeasibleReportError, match="too narrow: it needs at least"):
        reconstruct(replace(report, hazard_ratio=narrow), 10)


def test_bad_arguments_are_named(report: ReportedComparison) -> None:
    with pytest.raises(InvalidValueError, match="members: got 0"):
        reconstruct(report, 0)
    with pytest.raises(UnknownNameError, match="number to relax"):
        reconstruct(report, 5, relax=["hazard"])
    with pytest.raises(InvalidValueError, match=r"new\.n: got None"):
        reconstruct(ReportedComparison("OS", [ReportedArm("new", median="9")]), 5)
    interval = ReportedArm("new", n=50, median="9", median_ci=("7", "12"))
    with pytest.raises(InvalidValueError, match="scale: got 'logit'"):
        reconstruct(ReportedComparison("OS", [interval]), 5, scale="logit")


def test_the_prior_survives_its_file(tmp_path: object) -> None:
    shipped = ShapePrior.shipped()
    assert set(shipped.endpoints) == {"OS", "PFS", "DFS", "default"}
    assert "kmdata" in shipped.provenance["origin"]
    path = f"{tmp_path}/prior.json"
    shipped.save(path)
    again = ShapePrior.load(path)
    for name, prior in shipped.endpoints.items():
        np.testing.assert_array_equal(again.endpoints[name].shape.shared, prior.shape.shared)
        np.testing.assert_array_equal(again.endpoints[name].follow_up.mean, prior.follow_up.mean)
        np.testing.assert_array_equal(again.endpoints[name].immature.trend, prior.immature.trend)
        assert again.endpoints[name].immature.centre == prior.immature.centre
        for pair in (prior.shape, prior.immature, prior.follow_up):
            assert np.sqrt(np.diag(pair.shared)).max() < 3  # on the log scale: nothing was left to run away
            assert np.abs(pair.mean).max() < 8
        assert np.linalg.eigvalsh(prior.shape.covariance(2)).min() > 0
    assert shipped.for_endpoint("TTP") is shipped.endpoints["PFS"]
    assert shipped.for_endpoint("DOR") is shipped.endpoints["default"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("{}")
    with pytest.raises(InvalidValueError, match="prior"):
        ShapePrior.load(path)


def test_a_p_value_printed_as_less_than_some_is_searched_for() -> None:
    """Beside a limit of 1.00 most draws that meet the ratio have a p above 0.05; they had been taken for met."""
    arms = [ReportedArm("new", n=150, median="9.0"), ReportedArm("old", n=150, median="7.2")]
    ratio = ("0.76", "0.57", "1.00")
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio=ratio, p_value="< 0.05", events_total=200)
    result = reconstruct(report, 100, rng=1)
    assert result.diagnostics["met"] > 0.7
    assert result.diagnostics["distinct members"] == 100
    assert result.faithful.all()
    assert (result.fidelity().set_index("number")["share"] == 1.0).all()
