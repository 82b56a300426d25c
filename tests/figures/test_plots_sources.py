"""What the patients of a figure come from: columns, units, strata, and the fits of other libraries."""

import warnings

import greenwood
import lifelines
import numpy as np
import pandas as pd
import pytest

from analysis.errors import InvalidValueError, MissingLettersWarning, UnknownNameError
from analysis.plots import survival_facets, survival_plot
from analysis.plots.fonts import families
from analysis.statistical_tests import CoxHazardRatio, LogRank, LogRankOfArms
from analysis.survival import kaplan_meier
from analysis.tables import survival_table
from tests.figures.layout import overlaps

RNG = np.random.default_rng(8)
N = 240
FRAME = pd.DataFrame(
    {
        "time": RNG.exponential(10, N).round(1) + 0.1,
        "event": RNG.random(N) < 0.7,
        "arm": np.resize(["drug", "control"], N),
        "visceral": RNG.choice(["yes", "no"], N),
        "line": RNG.choice(["first", "later"], N),
    }
)
ADTTE = pd.DataFrame(
    {
        "USUBJID": np.arange(N),
        "PARAMCD": "PFS",
        "AVAL": (FRAME["time"] * 30.4375).round(),
        "CNSR": 1 - FRAME["event"].astype(int),
        "TRT01P": FRAME["arm"],
    }
)


@pytest.mark.parametrize(
    "columns", [{"AVALU": "DAYS"}, {"AVALU": "day"}, {"PARAM": "Progression-free survival (days)"}]
)
def test_days_of_adtte_become_months(columns):
    shown = survival_plot(ADTTE.assign(**columns), control="control", annotate=["median"])
    medians = [kaplan_meier(rows["AVAL"] / 30.4375, rows["CNSR"] == 0).median() for _, rows in ADTTE.groupby("TRT01P")]
    assert [f"{median:.1f} months" in text for median, text in zip(medians[::-1], shown.said["text"], strict=True)]
    assert shown.curves["time"].max() == pytest.approx(ADTTE["AVAL"].max() / 30.4375)
    by_hand = survival_plot(ADTTE, control="control", unit="days")
    pd.testing.assert_frame_equal(by_hand.curves, shown.curves)
    table = survival_table(ADTTE.assign(**columns), control="control").cells().set_index("")
    assert table.loc["Median (95% CI), months", "control"].startswith(f"{medians[0]:.1f} (")


def test_weeks_and_years_too():
    for unit, months in (("weeks", 7 / 30.4375), ("years", 12)):
        shown = survival_plot(time=FRAME["time"], event=FRAME["event"], unit=unit)
        assert shown.curves["time"].max() == pytest.approx(FRAME["time"].max() * months)


@pytest.mark.parametrize(
    ("frame", "options", "says"),
    [
        (ADTTE.assign(AVALU="HOURS"), {}, "AVALU: got 'HOURS'"),
        (ADTTE.assign(AVALU=np.resize(["DAYS", "MONTHS"], N)), {}, "one unit of time"),
        (ADTTE.assign(AVALU="DAYS"), {"unit": "months"}, "the unit in AVALU, days"),
        (ADTTE, {"unit": "fortnights"}, "unit"),
        (pd.concat([ADTTE, ADTTE.assign(PARAMCD="OS")]), {}, "one endpoint; select one"),
        (pd.concat([ADTTE, ADTTE[:3]]), {}, "one row for each patient"),
        (FRAME.assign(member=np.resize([0, 1], N)), {}, "one member of a reconstruction"),
        (FRAME, {"strata": "age"}, "strata: got 'age'"),
        (FRAME.assign(visceral=None), {"strata": "visceral"}, "no label at position 0 and 239 more"),
        ({"drug": FRAME[["time", "event"]]}, {"unit": "days"}, "a frame of patients, or arrays"),
        (FRAME, {"every": 0.01}, "at most 60 ticks"),
        (FRAME, {"every": -3}, "every"),
    ],
)
def test_what_would_be_drawn_wrong_is_refused(frame, options, says):
    with pytest.raises((InvalidValueError, UnknownNameError), match=says):
        survival_plot(frame, **options)


def test_a_parametric_fit_of_lifelines_is_drawn_and_not_the_estimate_of_its_patients():
    fit = lifelines.WeibullFitter(label="Weibull").fit(FRAME["time"], FRAME["event"])
    shown = survival_plot(fit, annotate=[])
    theirs = fit.survival_function_at_times(shown.curves["time"].to_numpy()[1:]).to_numpy()
    np.testing.assert_allclose(shown.curves["survival"][1:], theirs)
    assert shown.risk_table is None
    limits = fit.confidence_interval_survival_function_
    at = shown.curves.iloc[100]
    np.testing.assert_allclose(at["lower"], np.interp(at["time"], limits.index, limits.iloc[:, 0]), rtol=1e-6)
    both = survival_plot({"estimate": FRAME[["time", "event"]], "Weibull": fit}, annotate=["median"])
    assert f"Weibull {fit.median_survival_time_:.1f} months" in both.said["text"].tolist()
    with pytest.raises(InvalidValueError, match=r"the level of the fit, 0\.95"):
        survival_plot(fit, level=0.9)


@pytest.mark.parametrize("more", [{"weights": RNG.random(N) + 0.5}, {"entry": FRAME["time"] * RNG.random(N) * 0.9}])
def test_weights_and_late_entries_of_lifelines_are_kept(more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines warns of weights that are no integers
        fit = lifelines.KaplanMeierFitter(label="weighted").fit(FRAME["time"], FRAME["event"], **more)
    shown = survival_plot(fit, annotate=[])
    np.testing.assert_allclose(shown.curves["survival"], fit.survival_function_["weighted"])
    np.testing.assert_allclose(shown.curves["upper"], fit.confidence_interval_survival_function_.iloc[:, 1])
    assert shown.risk_table is None
    assert shown.axes.lines[0].get_drawstyle() == "steps-post"


def test_a_greenwood_estimate_gives_the_figure_of_its_patients():
    fit = greenwood.KaplanMeier().fit("Surv(time, event) ~ arm", data=FRAME)
    shown = survival_plot(fit, control="control", table=["at risk", "events", "censored"], end=24)
    known = survival_plot(FRAME, control="control", table=["at risk", "events", "censored"], end=24)
    for name in ("curves", "counts", "said"):
        ours, theirs = (
            getattr(figure, name).sort_values(list(getattr(figure, name).columns[:2])).reset_index(drop=True)
            for figure in (known, shown)
        )
        pd.testing.assert_frame_equal(ours, theirs)
    weighted = greenwood.KaplanMeier().fit("Surv(time, event) ~ 1", data=FRAME, weights=RNG.random(N) + 0.5)
    curve = survival_plot({"all": weighted}, annotate=[]).curves
    np.testing.assert_allclose(curve["survival"][1:], weighted.survival_)
    np.testing.assert_allclose(curve["lower"][1:], weighted.conf_low_)
    with pytest.raises(InvalidValueError, match="2 curves"):
        survival_plot({"all": fit})


def test_ratio_and_p_values_are_stratified():
    wanted = ["hazard ratio", "p-value", "p-value of all arms", "p-value for trend"]
    said = survival_plot(FRAME, control="control", annotate=wanted, strata=["visceral", "line"]).said["text"]
    crossed = FRAME["visceral"] + FRAME["line"]
    data = FRAME["time"], FRAME["event"], FRAME["arm"] == "drug"
    ratio = CoxHazardRatio().analyse(*data, strata=crossed)
    p = LogRank().analyse(*data, strata=crossed).p_two_sided
    trend = LogRankOfArms(scores=(1, 0)).analyse(FRAME["time"], FRAME["event"], FRAME["arm"], strata=crossed)
    limits = f"{ratio.lower:.2f} to {ratio.upper:.2f}"
    assert said.tolist() == [
        f"HR drug vs control {ratio.estimate:.2f} (95% CI {limits}), stratified, computed",
        f"log-rank p = {p:.3f}, stratified, computed",
        f"log-rank of all arms p = {p:.3f}, stratified, computed",
        f"log-rank for trend p = {trend.p_value:.3f}, stratified, computed",
    ]
    landmark = survival_plot(FRAME, control="control", annotate=["hazard ratio"], strata="visceral", origin=3).said
    late = FRAME[FRAME["time"] > 3]
    found = CoxHazardRatio().analyse(
        late["time"] - 3, late["event"], late["arm"] == "drug", strata=late["visceral"]
    ).estimate  # fmt: skip
    assert f"HR drug vs control {found:.2f}" in landmark["text"][0]


def test_panels_of_two_variables_and_everybody():
    shown = survival_facets(FRAME, ("visceral", "line"), control="control", everybody=True, end=30)
    titles = [ax.get_title(loc="left") for ax in shown.axes[:5]]
    assert titles[0] == "visceral: no, line: first"
    assert titles[4] == "All patients"
    assert "stratified" in shown.axes[4].texts[0].get_text()
    last = shown.numbers[shown.numbers["facet"] == "All patients"]
    assert last["survival"].iloc[-1] == pytest.approx(survival_plot(FRAME, end=30).curves["survival"].iloc[-1])
    assert not overlaps(shown.axes[0].figure)
    with pytest.raises(InvalidValueError, match="levels of one column"):
        survival_facets(FRAME, ("visceral", "line"), levels=["yes"])
    empty = FRAME[(FRAME["visceral"] == "no") | (FRAME["line"] == "first")]
    with pytest.raises(InvalidValueError, match="in yes, later"):
        survival_facets(empty, ("visceral", "line"))


def test_a_preset_does_not_overrule_a_table_that_is_asked_for():
    shown = survival_plot(FRAME, control="control", preset="kmunicate", table=["at risk"], end=24)
    assert set(shown.counts["count"]) == {"at risk"}
    assert survival_plot(FRAME, control="control", preset="kmunicate", table=[], end=24).risk_table is None


def test_names_of_three_arms_that_do_not_fit_go_into_a_legend():
    arms = np.resize(["one name", "other name", "third name"], 3000)
    time = np.random.default_rng(3).exponential(10, 3000)
    for times, has_legend in ((1.2, True), (3, False)):  # between neighbours there is no room, or some
        apart = time * pd.Series(arms).map({name: float(times) ** k for k, name in enumerate(arms[:3])})
        shown = survival_plot(time=apart, event=np.ones(3000), arm=arms, preset="85 mm", end=30, annotate=[])
        assert (shown.axes.get_legend() is not None) == has_legend


def test_a_table_is_stratified_as_the_figure_is():
    table = survival_table(FRAME, control="control", strata=["visceral", "line"]).cells().set_index("")
    said = survival_plot(
        FRAME, control="control", annotate=["hazard ratio", "p-value"], strata=["visceral", "line"]
    ).said
    ratio = table.loc["Stratified hazard ratio against control (95% CI)", "drug"]
    assert said["text"][0].startswith(f"HR drug vs control {ratio.replace('(', '(95% CI ')}")
    assert table.loc["p, two-sided (stratified log-rank)", "drug"] in said["text"][1]


def test_points_are_joined_or_steps():
    points = pd.DataFrame({"time": [0.0, 2, 6], "mean": [1, 0.8, 0.5], "lower": np.nan, "upper": np.nan, "arm": "all"})
    for step, drawn in ((False, "default"), (True, "steps-post")):
        shown = survival_plot(points.assign(step=step), annotate=[])
        assert shown.axes.lines[0].get_drawstyle() == drawn
    assert survival_plot(points, annotate=[]).axes.lines[0].get_drawstyle() == "default"


def test_no_count_stands_left_of_a_logarithmic_axis():
    shown = survival_plot(FRAME, transform="log-log", annotate=[])
    low, high = shown.axes.get_xlim()
    assert all(low <= tick <= high for tick in shown.counts.columns[2:])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mean": [100.0, 80, 50], "lower": [100.0, 70, 40], "upper": [100.0, 90, 60]}, "mean: got 100"),
        ({"lower": [100.0, 70, 40]}, "lower: got 100"),
        ({"mean": [1, 0.5, 0.6]}, "never rises"),
        ({"time": [2.0, 0, 6]}, "in order"),
        ({"time": [0.0, 2, np.nan]}, "in order"),
        ({"mean": [1, np.nan, 0.5]}, "a missing value"),
        ({"mean": [1, 0.95, 0.5]}, "limits around the curve"),
    ],
)
def test_points_that_are_no_survival_curve_are_refused(wrong, says):
    points = {"time": [0.0, 2, 6], "mean": [1, 0.8, 0.5], "lower": [1, 0.7, 0.4], "upper": [1, 0.9, 0.6]}
    with pytest.raises(InvalidValueError, match=says):
        survival_plot(pd.DataFrame(points | wrong), annotate=[])


def test_letters_that_no_font_has_are_said_once_with_a_remedy():
    name = "\N{CJK UNIFIED IDEOGRAPH-6CBB}\N{CJK UNIFIED IDEOGRAPH-7642}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        has_font = len(families((name,))) > 1
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        survival_plot(FRAME.assign(arm=np.resize([name, "placebo"], N)))
    assert [one.category for one in said] == ([] if has_font else [MissingLettersWarning])
    assert families(("drug", "$\\beta$, \N{GREEK SMALL LETTER ALPHA}")) == ["DejaVu Sans"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"CNSR": [np.nan, *[0] * (N - 1)]}, "CNSR: got nan"),
        ({"CNSR": -1}, "CNSR: got -1"),
        ({"CNSR": 0.5}, "CNSR: got 0.5"),
        ({"CNSR": "Y"}, "CNSR"),
        ({"AVALU": [*["DAYS"] * (N - 1), ""]}, "days, none"),
        ({"event": 1}, "another event than CNSR has"),
    ],
)
def test_what_an_adtte_leaves_open_or_contradicts_is_refused(change, says):
    with pytest.raises(InvalidValueError, match=says):
        survival_plot(ADTTE.assign(AVALU="DAYS").assign(**change))


def test_an_adtte_without_a_unit_that_cannot_be_in_months_is_refused():
    with pytest.raises(InvalidValueError, match=r"AVAL: got .*say unit="):
        survival_plot(ADTTE)
    assert survival_plot(ADTTE, unit="days", annotate=[]).curves["time"].max() < 600
    consistent = ADTTE.assign(AVALU="DAYS", event=1 - ADTTE["CNSR"])
    pd.testing.assert_frame_equal(survival_plot(consistent).curves, survival_plot(ADTTE, unit="days").curves)


def test_a_left_censored_fit_is_refused():
    fit = lifelines.KaplanMeierFitter().fit_left_censoring(FRAME["time"], FRAME["event"])
    with pytest.raises(InvalidValueError, match="left-censored"):
        survival_plot(fit)


def test_long_titles_of_panels_stay_inside():
    long = FRAME.assign(
        line=FRAME["line"].map({"first": "previous chemotherapy for metastatic disease", "later": "none of it at all"})
    )
    assert not overlaps(survival_facets(long, ("visceral", "line"), control="control", everybody=True, end=24).figure)
