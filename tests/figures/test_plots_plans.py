"""Figures of plans, of safety and of strata: the numbers drawn, the layout, and what cannot be drawn."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from analysis.conventions import replace
from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.endpoints import read_study
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots import (
    adverse_event_dots,
    boundaries,
    incidence_plot,
    power_contours,
    power_curve,
    saw_tooth,
    survival_facets,
    trial_course,
)
from analysis.power import ExpectedCourse, power
from analysis.safety import cumulative_incidence
from analysis.sequential import BetaSpending, GroupSequentialDesign, LanDeMetsPocock
from analysis.simulation import simulate
from analysis.survival import Ensemble, Exponential
from tests.figures.layout import overlaps

DESIGN = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
SCENARIO = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
SEQUENTIAL = GroupSequentialDesign((0.5, 0.75, 1.0), power=0.9, futility=BetaSpending(LanDeMetsPocock()))
RNG = np.random.default_rng(5)
PATIENTS = pd.DataFrame(
    {
        "time": RNG.exponential(10, 160).round(1) + 0.1,
        "cause": RNG.choice(["progression", "death", "censored"], 160, p=[0.5, 0.2, 0.3]),
        "arm": np.tile(["drug", "control"], 80),
        "visceral": np.repeat(["yes", "no", "unknown", "no"], 40),
    }
)
PATIENTS["event"] = PATIENTS["cause"] != "censored"


def by_arm():
    return cumulative_incidence(PATIENTS["time"], list(PATIENTS["cause"]), list(PATIENTS["arm"]))


def adverse_events(tmp_path, terms=6):
    subjects = [f"{k:02d}" for k in range(24)]
    adsl = pd.DataFrame(
        {
            "USUBJID": subjects,
            "TRT01A": ["drug", "control"] * 12,
            "TRTSDT": "2024-01-10",
            "TRTEDT": "2024-06-10",
            "RANDDT": "2024-01-09",
        }
    )
    rows = [
        (subject, f"Adverse event of the kind with number {term}", "2024-02-01", str(1 + (k + term) % 4))
        for term in range(terms)
        for k, subject in enumerate(subjects)
        if (k * (term + 2)) % 7 < 6 - term
    ]
    adsl.to_csv(tmp_path / "adsl.csv", index=False)
    pd.DataFrame(rows, columns=["USUBJID", "AEDECOD", "AESTDTC", "AETOXGR"]).to_csv(tmp_path / "ae.csv", index=False)
    return read_study(tmp_path).derive().adverse_events


def test_a_power_curve_has_the_power_of_each_design():
    shown = power_curve(DESIGN, SCENARIO, hazard_ratios=[1.0, 0.5, 0.7], trials=200)
    rows = shown.numbers.set_index(["by", "hazard_ratio"])["power"]
    for ratio in (0.5, 0.7, 1.0):
        moved = SCENARIO.with_hazard_ratio(ratio)
        assert rows["formula", ratio] == power(DESIGN, moved).power
        assert rows["simulation", ratio] == power(DESIGN, moved, by="simulation", trials=200).power
    (line,) = (line for line in shown.axes[0].lines if len(line.get_xdata()) == 3 and line.get_marker() == "None")
    assert line.get_xdata().tolist() == [0.5, 0.7, 1.0]
    sizes = power_curve(DESIGN, {"a": SCENARIO, "b": SCENARIO.null()}, sizes=[50, 100])
    assert [text.get_text() for text in sizes.axes[0].get_legend().get_texts()] == ["a", "b"]
    assert sizes.numbers["power"].iloc[1] == power(DESIGN, SCENARIO).power
    assert sizes.alt.startswith("Power by formula, a: ")


def test_contours_pass_where_the_power_is_theirs():
    shown = power_contours(DESIGN, SCENARIO, hazard_ratios=np.linspace(0.4, 0.8, 9), sizes=[60, 120, 240, 480])
    for row in shown.numbers.sample(5, random_state=1).to_dict("records"):
        of = replace(DESIGN, n=int(row["n"]))
        assert row["power"] == power(of, SCENARIO.with_hazard_ratio(row["hazard_ratio"])).power


def test_boundaries_and_their_chances():
    shown = boundaries(SEQUENTIAL).numbers
    np.testing.assert_array_equal(shown["efficacy_z"], SEQUENTIAL.upper)
    assert shown["reject"].sum() == pytest.approx(0.9, abs=1e-6)
    assert shown["reject"].sum() + shown["stop_low"].sum() == pytest.approx(1.0, abs=1e-6)
    planned = power(replace(DESIGN, n=200, looks=SEQUENTIAL.looks(events=120)), SCENARIO)
    shown = boundaries(planned)
    assert shown.numbers["reject"].sum() == pytest.approx(planned.power, abs=1e-12)
    written = {text.get_text() for text in shown.axes[0].texts}
    assert {f"{100 * chance:.1f}%" for chance in planned.reject} <= written
    with pytest.raises(InvalidValueError, match="two looks"):
        boundaries(power(DESIGN, SCENARIO))


def test_a_two_sided_test_rejects_at_both_boundaries():
    """The lower bounds of a two-sided design are no bounds for futility."""
    two_sided = GroupSequentialDesign((0.5, 1.0), alpha=0.05, sided=2)
    by_power = power(replace(DESIGN, n=200, looks=two_sided.looks(events=120), alpha=0.05, sided=2), SCENARIO)
    for shown, upper in ((boundaries(two_sided), two_sided.upper), (boundaries(by_power), two_sided.upper)):
        assert shown.numbers["harm_z"].tolist() == pytest.approx((-upper).tolist())
        assert not np.isfinite(shown.numbers["futility_z"]).any()
        assert (shown.numbers["stop_low"] == 0).all()
        written = {text.get_text() for text in shown.axes[0].texts}
        assert {"reject for benefit", "reject for harm"} <= written
        assert "stop for futility" not in written
    crossed = two_sided.crossing(two_sided.drift)
    assert boundaries(two_sided).numbers["reject"].sum() == pytest.approx((crossed.upper + crossed.lower).sum())
    assert np.isinf(boundaries(SEQUENTIAL).numbers["harm_z"]).all()


def test_the_band_of_events_holds_so_many_simulated_trials():
    months = [10.0, 20.0, 30.0]
    looks = [Look(AtTime(month)) for month in months]
    design = replace(DESIGN, looks=looks, dropout=0.01)
    course = ExpectedCourse(design, SCENARIO)
    events = simulate(design, SCENARIO, trials=4000, rng=3).columns["events"].reshape(4000, 3, -1).sum(axis=2)
    for k, month in enumerate(months):
        low, high = course.prediction(month, 0.9)
        inside = np.mean((events[:, k] >= low) & (events[:, k] <= high))
        assert 0.895 <= inside <= 0.96, month  # at least its level, by no more than a count at each end
        assert np.mean(events[:, k] < low) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 4000)
        assert np.mean(events[:, k] > high) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 4000)
    assert course.prediction(0.0) == (0, 0)


def test_the_band_of_an_ensemble_is_that_of_its_mixture():
    slow, fast = Exponential(0.02), Exponential(0.2)
    one_arm = replace(DESIGN, allocation={"new": 1}, control=None)
    course = ExpectedCourse(one_arm, Scenario({"new": Ensemble((slow, fast))}))
    shares = [
        sum(ExpectedCourse(one_arm, Scenario({"new": curve})).events(24.0).values()) / 100 for curve in (slow, fast)
    ]
    counts = np.arange(101)
    below = np.mean([stats.binom.cdf(counts, 100, share) for share in shares], axis=0)
    assert course.prediction(24.0) == (int(np.argmax(below > 0.05)), int(np.argmax(below >= 0.95)))


def test_the_course_ends_at_the_patients_of_the_trial():
    shown = trial_course(DESIGN, SCENARIO).numbers
    assert shown["enrolled"].iloc[-1] == pytest.approx(100)
    assert (shown["lower"] <= shown["events"] + 1).all()
    assert (shown["events"] <= shown["upper"] + 1).all()


def test_the_saw_tooth_is_exact():
    shown = saw_tooth(range(20, 41), null_rate=0.15, alternative_rate=0.35, alpha=0.05, power=0.8).numbers
    row = shown.set_index("n").loc[30]
    assert row["power"] == pytest.approx(stats.binom.sf(8, 30, 0.35), abs=1e-12)
    assert row["attained_alpha"] == pytest.approx(stats.binom.sf(8, 30, 0.15), abs=1e-12)


def test_cumulative_incidence_is_drawn_as_it_was_estimated():
    found = by_arm()
    shown = incidence_plot(found)
    curve = found.curves.query("group == 'drug' and cause == 'death'")
    (line,) = (line for line in shown.axes[0].lines if line.get_label() == "death, drug")
    assert line.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(line.get_ydata()[1:-1], curve["estimate"])
    first = [text.get_text() for text in shown.axes[1].texts if text.get_position()[0] == 0]
    assert first == ["80", "80"]
    p = found.gray.set_index("cause")["p_value"]
    assert f"death: p {p['death']:.3f} (Gray)" in shown.axes[0].texts[0].get_text()
    stacked = incidence_plot(found, shown="stacked")
    top = max(path.vertices[:, 1].max() for each in stacked.axes[0].collections for path in each.get_paths())
    last = found.curves.query("group == 'control'").groupby("cause")["estimate"].last().sum()
    others = found.curves.query("group == 'drug'").groupby("cause")["estimate"].last().sum()
    assert top == pytest.approx({"control": last, "drug": others}[stacked.axes[0].get_title(loc="left")])
    of_first = stacked.axes[0].get_title(loc="left")
    exact = found.curves[(found.curves["group"] == of_first) & (found.curves["cause"] == "death")]
    (lowest, *_) = incidence_plot(found, causes=["death"], shown="stacked").axes[0].collections
    vertices = lowest.get_paths()[0].vertices
    jump = exact[exact["estimate"].diff() > 0].iloc[3]
    at, height = float(jump["time"]), float(jump["estimate"])
    assert vertices[(vertices[:, 0] == at) & (vertices[:, 1] > 0)][:, 1].max() == pytest.approx(height)
    with pytest.raises(UnknownNameError, match="did you mean death"):
        incidence_plot(found, causes=["deaht"])


def test_facets_share_axes_arms_and_colours():
    shown = survival_facets(PATIENTS, "visceral", control="control", annotate=["hazard ratio"])
    panels = shown.axes[:3]
    assert [ax.get_title(loc="left") for ax in panels] == ["visceral: no", "visceral: unknown", "visceral: yes"]
    assert len({ax.get_xlim() for ax in panels}) == len({ax.get_ylim() for ax in panels}) == 1
    named = [
        (line.get_label(), line.get_color(), str(line.get_linestyle()))
        for ax in panels
        for line in ax.lines
        if line.get_label() in ("drug", "control")
    ]
    assert len(named) == 6
    assert [name for name, *_ in named[:2]] == ["drug", "control"]  # the control last, whatever comes first
    assert len(set(named)) == 2  # one colour and one dash of each arm, in every panel
    assert shown.numbers["facet"].unique().tolist() == ["no", "unknown", "yes"]
    few = PATIENTS[(PATIENTS["visceral"] != "yes") | (PATIENTS["arm"] == "drug")]
    with pytest.raises(InvalidValueError, match="nobody of control in yes"):
        survival_facets(few, "visceral", control="control")
    assert len(survival_facets(few, "visceral", levels=["no"], control="control").axes) == 2


def test_adverse_events_have_their_shares_and_differences(tmp_path):
    events = adverse_events(tmp_path)
    shown = adverse_event_dots(events, control="control", most=4)
    incidence = events.incidence()
    assert len(shown.axes[0].get_yticks()) == 4
    drawn = {round(float(x), 9) for line in shown.axes[0].lines for x in line.get_xdata()}
    assert drawn <= {round(float(x), 9) for x in incidence["share"]}
    against = events.compare("control").set_index("term")
    top = shown.numbers["term"].iloc[0]
    assert shown.numbers["difference"].iloc[0] == against.loc[top, "difference"]
    alone = adverse_event_dots(events, by="any")
    assert [label.get_text() for label in alone.axes[0].get_yticklabels()] == ["any event"]
    with pytest.raises(InvalidValueError, match="an event to draw"):
        adverse_event_dots(events, grade=5)
    with pytest.raises(UnknownNameError):
        adverse_event_dots(events, control="placebo")


DRAWN = {
    "power": lambda _: power_curve(DESIGN, {"one": SCENARIO, "two": SCENARIO.null()}, hazard_ratios=[0.4, 0.6, 1]),
    "sizes": lambda _: power_curve(DESIGN, SCENARIO, sizes=[50, 100, 200]),
    "contours": lambda _: power_contours(DESIGN, SCENARIO, hazard_ratios=[0.4, 0.6, 0.8], sizes=[60, 120, 240]),
    "boundaries": lambda _: boundaries(SEQUENTIAL),
    "boundaries of a two-sided test": lambda _: boundaries(GroupSequentialDesign((0.5, 1.0), alpha=0.05, sided=2)),
    "five looks": lambda _: boundaries(GroupSequentialDesign((0.2, 0.4, 0.6, 0.8, 1.0))),
    "course": lambda _: trial_course(DESIGN, SCENARIO),
    "saw-tooth": lambda _: saw_tooth(range(10, 60), null_rate=0.15, alternative_rate=0.35, alpha=0.05, power=0.8),
    "incidence": lambda _: incidence_plot(by_arm()),
    "stacked": lambda _: incidence_plot(by_arm(), shown="stacked"),
    "facets": lambda _: survival_facets(PATIENTS, "visceral", control="control", table=["at risk", "events"]),
    "adverse events": lambda folder: adverse_event_dots(adverse_events(folder), control="control"),
    "adverse events of one arm": lambda folder: adverse_event_dots(adverse_events(folder)),
}


@pytest.mark.parametrize("name", DRAWN)
def test_texts_stand_in_the_figure_and_apart_and_there_is_a_sentence_in_its_place(name, tmp_path):
    with mpl.rc_context({"svg.fonttype": "none"}):
        shown = DRAWN[name](tmp_path)
        assert overlaps(shown.figure) == []
    assert len(shown.alt) > 20
    assert len(shown.numbers)
    picture, told = shown._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert told == {"alt": shown.alt}
    assert len(repr(shown)) < 600


@pytest.mark.parametrize(
    "call",
    [
        lambda: power_curve(DESIGN, SCENARIO),
        lambda: power_curve(DESIGN, SCENARIO, hazard_ratios=[0.5, 0.6], sizes=[50, 60]),
        lambda: power_curve(DESIGN, SCENARIO, hazard_ratios=[0.5]),
        lambda: power_curve(DESIGN, SCENARIO, sizes=[50.4, 60]),
        lambda: power_contours(DESIGN, SCENARIO, hazard_ratios=[0.5, 0.6], sizes=[50.4, 60]),
        lambda: power_curve(DESIGN, SCENARIO, hazard_ratios=[-0.5, 0.6]),
        lambda: power_curve(DESIGN, {}, hazard_ratios=[0.5, 0.6]),
        lambda: power_curve(DESIGN, SCENARIO, hazard_ratios=[0.5, 0.6], ax="here"),
        lambda: power_curve(SCENARIO, DESIGN, hazard_ratios=[0.5, 0.6]),
        lambda: power_curve(replace(DESIGN, allocation={"new": 1}, control=None), SCENARIO, hazard_ratios=[0.5, 0.6]),
        lambda: boundaries(DESIGN),
        lambda: boundaries(GroupSequentialDesign((1.0,))),
        lambda: trial_course(DESIGN, SCENARIO, end=-3),
        lambda: trial_course(DESIGN, SCENARIO, level=90),
        lambda: saw_tooth([20, 30], null_rate=15, alternative_rate=35, alpha=0.05),
        lambda: saw_tooth([20, 30], null_rate=0.15, alternative_rate=0.35, alpha=0.05, power=80),
        lambda: incidence_plot(PATIENTS),
        lambda: incidence_plot(by_arm(), shown="piled"),
        lambda: incidence_plot(by_arm(), end=0),
        lambda: survival_facets(PATIENTS, "liver"),
        lambda: survival_facets(PATIENTS, "visceral", levels=["maybe"]),
        lambda: survival_facets(PATIENTS, "visceral", columns=0),
        lambda: survival_facets(PATIENTS["time"], "visceral"),
        lambda: survival_facets(PATIENTS.assign(visceral=None), "visceral"),
        lambda: adverse_event_dots(PATIENTS),
    ],
)
def test_what_cannot_be_drawn_is_named(call):
    with pytest.raises((InvalidValueError, UnknownNameError)):
        call()


def test_a_figure_of_ones_own_takes_them():
    ax = Figure().subplots()
    assert power_curve(DESIGN, SCENARIO, sizes=[50, 100], ax=ax).figure is ax.figure
    assert saw_tooth([20, 21], null_rate=0.15, alternative_rate=0.35, alpha=0.05, ax=Figure().subplots()).axes[0].lines
