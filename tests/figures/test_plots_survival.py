"""The survival figure shows the numbers of its source, whatever the source is, and fits on its page."""

import warnings

import lifelines
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from statsmodels.stats.multitest import multipletests

from analysis import reconstruct
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots import RiskTable, survival_plot
from analysis.plots.annotations import holm
from analysis.reported import Landmark, ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio, FlemingHarrington, LogRank, MilestoneDifference, RMSTDifference
from analysis.survival import Exponential, kaplan_meier, rmst
from tests.figures.layout import overlaps

RNG = np.random.default_rng(5)
CONTROL = np.minimum(RNG.exponential(8, 90).round(1) + 0.1, 24.0)
DRUG = np.minimum(RNG.exponential(14, 110).round(1) + 0.1, 24.0)
FRAME = pd.DataFrame(
    {"time": np.r_[CONTROL, DRUG], "event": RNG.random(200) < 0.8, "arm": ["control"] * 90 + ["drug"] * 110}
)


@pytest.fixture(scope="module")
def reconstruction():
    arms = [
        ReportedArm("drug", n=80, median="9.2", landmarks=(Landmark(6, "64%"),)),
        ReportedArm("control", n=78, median="5.6"),
    ]
    report = ReportedComparison("PFS", arms, control="control", hazard_ratio=("0.61", "0.42", "0.88"))
    return reconstruct(report, members=20, rng=1)


def lifelines_curves():
    found = []
    for arm, rows in FRAME.groupby("arm"):
        found.append(lifelines.KaplanMeierFitter(label=arm).fit(rows["time"], rows["event"]))
    return found


SOURCES = {
    "frame": lambda: (FRAME, {}),
    "other names": lambda: (FRAME.set_axis(["t", "e", "a"], axis=1), {"time": "t", "event": "e", "arm": "a"}),
    "ADTTE": lambda: (
        pd.DataFrame({"AVAL": FRAME["time"], "CNSR": 1 - FRAME["event"].astype(int), "TRT01P": FRAME["arm"]}),
        {},
    ),
    "a category with an unused level": lambda: (
        FRAME.assign(arm=pd.Categorical(FRAME["arm"], ["none", "control", "drug"])),
        {},
    ),
    "arrays": lambda: (None, {name: FRAME[name].to_numpy() for name in FRAME}),
    "estimates": lambda: (
        {arm: kaplan_meier(rows["time"], rows["event"]) for arm, rows in FRAME.groupby("arm")},
        {},
    ),
    "frames by arm": lambda: ({arm: rows[["time", "event"]] for arm, rows in FRAME.groupby("arm")}, {}),
    "lifelines": lambda: (lifelines_curves(), {}),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_figure(kind):
    source, names = SOURCES[kind]()
    shown = survival_plot(source, **names, control="control", table=["at risk", "events", "censored"], landmarks=[6])
    for arm, rows in FRAME.groupby("arm"):
        curve = kaplan_meier(rows["time"], rows["event"])
        own = shown.curves[shown.curves["arm"] == arm]
        np.testing.assert_allclose(own["survival"], np.append(1, curve.survival))
        lower, upper = curve.pointwise_limits(scale="log-log")
        np.testing.assert_allclose(own["lower"], np.append(1, lower))
        np.testing.assert_allclose(own["upper"], np.append(1, upper))
        counts = shown.counts[shown.counts["arm"] == arm].set_index("count")
        for tick in counts.columns[1:]:
            seen = [(rows["time"] >= tick).sum(), ((rows["time"] < tick) & rows["event"]).sum()]
            assert counts.loc[["at risk", "events"], tick].tolist() == seen
            assert counts[tick].sum() == len(rows)
    ratio = CoxHazardRatio().analyse(FRAME["time"], FRAME["event"], FRAME["arm"] == "drug")
    assert shown.said["text"].tolist() == [
        f"HR drug vs control {ratio.estimate:.2f} (95% CI {ratio.lower:.2f} to {ratio.upper:.2f}), computed"
    ]


def test_steps_are_those_of_lifelines():
    (fitter, _) = lifelines_curves()
    shown = survival_plot(fitter)
    theirs = fitter.survival_function_["control"].loc[shown.curves["time"]]
    np.testing.assert_allclose(shown.curves["survival"], theirs, atol=1e-12)
    line = shown.axes.lines[0]
    assert line.get_drawstyle() == "steps-post"


def test_what_is_annotated_is_what_the_tests_say():
    data = FRAME["time"], FRAME["event"], FRAME["arm"] == "drug"
    wanted = ["p-value", "RMST", "median", "landmarks"]
    said = survival_plot(FRAME, control="control", annotate=wanted, landmarks=[6], tau=18).said
    p, rmst = LogRank().analyse(*data).p_two_sided, RMSTDifference(18).analyse(*data)
    assert f"log-rank p = {p:.3f}, computed" in said["text"].tolist() or p < 0.001
    assert f"RMST difference {rmst.estimate:+.1f} months" in said["text"][1]
    control = kaplan_meier(CONTROL, FRAME["event"][:90])
    assert said["text"][2].startswith(f"control {control.median():.1f} months (95% CI")
    assert said["text"][4].startswith(f"control {100 * control.survival_at(6):.0f}% (95% CI")


def test_a_reconstruction_says_what_its_bands_are(reconstruction):
    def corner(**options):
        return " ".join(text.get_text() for text in survival_plot(reconstruction, **options).axes.texts)

    assert "Dark bands: 95% of the members; light: sampling as well" in corner()
    assert "Bands: 90% of the members" in corner(level=0.9, sampling=False)
    assert "light" not in corner(sampling=False)
    for without in ({"limits": "none"}, {"limits": "lines"}, {"annotate": []}, {"ax": Figure().subplots()}):
        assert "members" not in corner(**without)
    assert "Dark bands" in survival_plot(reconstruction).alt
    assert "members" not in survival_plot(FRAME, control="control").alt


def test_a_reconstruction_shows_what_is_printed_where_it_was_printed(reconstruction):
    shown = survival_plot(reconstruction, members=5, annotate=["hazard ratio", "median"])
    assert set(shown.said["origin"]) == {"printed"}
    assert shown.said["text"][0] == "HR drug vs control 0.61 (95% CI 0.42-0.88), printed"
    circles = [tuple(line.get_xydata()[0]) for line in shown.axes.lines if line.get_marker() == "o"]
    assert sorted(circles) == [(5.6, 0.5), (6, 0.64), (9.2, 0.5)]
    thin = [line for line in shown.axes.lines if line.get_linewidth() == 0.4]
    assert len(thin) == 10
    bands = shown.axes.collections
    assert len(bands) == 4  # of each arm: what the report leaves open, and with sampling
    inner, outer = (band.get_paths()[0].get_extents() for band in (bands[1], bands[0]))
    assert outer.y0 <= inner.y0
    assert outer.y1 >= inner.y1


def test_a_distribution_needs_an_end_and_has_no_table():
    shown = survival_plot({"assumed": Exponential(0.1)}, end=24, annotate=[])
    assert shown.risk_table is None
    assert shown.curves["survival"].iloc[-1] == pytest.approx(np.exp(-2.4))
    with pytest.raises(InvalidValueError, match="until when"):
        survival_plot(Exponential(0.1))
    with pytest.raises(InvalidValueError, match="patients in both arms"):
        survival_plot({"a": Exponential(0.1), "b": Exponential(0.2)}, end=12)


@pytest.mark.parametrize(
    ("transform", "of"),
    [
        ("event", lambda s: 1 - s),
        ("cumulative hazard", lambda s: -np.log(s)),
        ("log-log", lambda s: np.log(-np.log(s))),
    ],
)
def test_transforms(transform, of):
    shown, plain = (survival_plot(FRAME, transform=name) for name in (transform, "survival"))
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(shown.curves["survival"], of(plain.curves["survival"]))


def test_axes_that_are_given_are_drawn_on():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    shown = survival_plot(FRAME, ax=right)
    assert (shown.axes, shown.risk_table, len(left.lines)) == (right, None, 0)


@pytest.mark.parametrize("preset", ["85 mm", "170 mm", "slide", "kmunicate", "nejm", "lancet", "jco"])
@pytest.mark.parametrize(
    "names",
    [("drug", "control"), ("Everolimus + exemestane", "Placebo + exemestane"), ("治療群", "対照群"), ("$\\beta$", "0")],
)
@pytest.mark.parametrize("grey", [False, True])
def test_no_text_is_outside_the_figure_or_over_another(preset, names, grey):
    frame = FRAME.assign(arm=FRAME["arm"].map({"drug": names[0], "control": names[1]}))
    with mpl.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph|no installed font")
        shown = survival_plot(frame, preset=preset, control=names[1], annotate=["hazard ratio", "median"], grey=grey)
        assert overlaps(shown.figure) == []
    colours = {line.get_label(): line.get_color() for line in shown.axes.lines if line.get_label() in names}
    for text in shown.risk_table.texts:
        if text.get_text() in names and not text.get_text().isdigit():
            assert text.get_color() == colours[text.get_text()]


def test_arms_differ_by_dash_too():
    shown = survival_plot(FRAME)
    lines = [line for line in shown.axes.lines if line.get_label() in ("drug", "control")]
    assert len({str(line.get_linestyle()) for line in lines}) == 2


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (FRAME[:0], "at least one patient"),
        (FRAME.assign(arm=[None, *FRAME["arm"][1:]]), "no label at position 0"),
        (FRAME.assign(event=FRAME["event"].astype(str)), "event: got"),
        (FRAME.rename(columns={"time": "weeks"}), "say time="),
        (pd.concat([FRAME.assign(arm=f"arm {k}") for k in range(8)]), "at most 7"),
    ],
)
def test_what_cannot_be_drawn_is_named(rows, says):
    with pytest.raises(InvalidValueError, match=says):
        survival_plot(rows, annotate=[])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"transform": "odds"}, "transform"),
        ({"table": ["deaths"]}, "table"),
        ({"annotate": ["C index"]}, "annotate"),
        ({"preset": "A0"}, "preset"),
    ],
)
def test_unknown_options_are_answered_with_the_nearest(options, says):
    with pytest.raises(UnknownNameError, match=says):
        survival_plot(FRAME, **options)
    with pytest.raises(InvalidValueError, match="a list of"):
        survival_plot(FRAME, table="at risk")
    with pytest.raises(InvalidValueError, match="one of the arms"):
        survival_plot(FRAME, control="placebo")


@pytest.mark.parametrize(("time", "event"), [([3], [1]), ([3], [0]), ([2, 3, 4], [0, 0, 0]), ([1, 2, 3], [1, 1, 1])])
def test_one_patient_all_censored_and_all_events(time, event):
    shown = survival_plot(time=time, event=event, annotate=["median"])
    assert shown.alt.startswith("Survival curves: all patients")
    assert len(shown.said) == 1


def test_a_control_that_is_a_number_is_no_missing_one():
    numbers = FRAME.assign(arm=(FRAME["arm"] == "drug").astype(int))
    named = survival_plot(FRAME, control="control").said["text"][0]
    assert survival_plot(numbers, control=0).said["text"][0] == named.replace("drug vs control", "1 vs 0")


def test_nothing_is_said_of_survival_past_the_end_of_follow_up():
    said = survival_plot(FRAME, annotate=["landmarks"], landmarks=[300]).said["text"]
    for text in said:
        assert "followed for" in text or " 0% at 300" in text
    assert "followed for" in said[1]


def test_what_cannot_be_estimated_is_said_and_the_rest_is_drawn():
    nobody = FRAME.assign(event=FRAME["event"] & (FRAME["arm"] == "control"))
    shown = survival_plot(nobody, control="control", annotate=["hazard ratio", "median"])
    assert shown.said["text"][0] == "hazard ratio drug vs control not estimable"
    far = survival_plot(FRAME, annotate=["RMST"], tau=400)
    assert "not estimable" in far.said["text"][0]


def test_an_axis_may_end_anywhere():
    for end in (0.001, 500):
        assert survival_plot(FRAME, end=end).axes.get_xlim()[1] == end
    with pytest.raises(InvalidValueError, match="nobody was followed"):
        survival_plot(FRAME.assign(time=0.0))


def test_three_arms_are_each_compared_with_the_control():
    frame = pd.concat([FRAME, FRAME[FRAME["arm"] == "drug"].assign(arm="low dose", time=DRUG * 0.8)])
    said = survival_plot(frame, control="control", annotate=["hazard ratio", "p-value", "RMST"], tau=15).said
    values = {}
    for name in ("drug", "low dose"):
        rows = frame[frame["arm"].isin(["control", name])]
        data = rows["time"], rows["event"], rows["arm"] == name
        values[name] = [test.analyse(*data) for test in (CoxHazardRatio(), LogRank(), RMSTDifference(15))]
    p = {name: each[1].p_two_sided for name, each in values.items()}
    low, high = sorted(p, key=p.get)
    adjusted = {low: 2 * p[low], high: max(2 * p[low], p[high])}
    words = {name: "< 0.001" if each < 0.001 else f"= {each:.3f}" for name, each in adjusted.items()}
    assert said["text"].tolist() == [
        *(f"HR {n} vs control {v[0].estimate:.2f} (95% CI {v[0].lower:.2f} to {v[0].upper:.2f}), computed"
          for n, v in values.items()),
        *(f"log-rank {n} vs control p {words[n]}, Holm, computed" for n in values),
        *(f"RMST difference {n} vs control {v[2].estimate:+.1f} months (95% CI {v[2].lower:.1f} to {v[2].upper:.1f}) "
          "up to 15, computed" for n, v in values.items()),
    ]  # fmt: skip


def test_holm_is_that_of_statsmodels():
    p = RNG.random(7)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    assert holm([]) == []


def test_differences_at_landmarks_and_follow_up():
    said = survival_plot(
        FRAME, control="control", annotate=["differences", "follow-up"], landmarks=[6, 12], level=0.9
    ).said
    for text, month in zip(said["text"], (6, 12), strict=False):
        rows = FRAME["time"], FRAME["event"], FRAME["arm"] == "drug"
        found = MilestoneDifference(month, level=0.9).analyse(*rows)
        limits = f"(90% CI {100 * found.lower:+.0f} to {100 * found.upper:+.0f})"
        p = f"= {found.p_two_sided:.3f}" if found.p_two_sided >= 0.001 else "< 0.001"
        assert text == f"drug vs control at {month} months {100 * found.estimate:+.0f} points {limits}, p {p}, computed"
    reverse = kaplan_meier(CONTROL, ~FRAME["event"][:90]).median()
    assert said["text"][2] == f"follow-up control {reverse:.1f} months"


def test_a_test_of_ones_own_gives_the_p_value(reconstruction):
    early = LogRank(FlemingHarrington(1, 0))
    (text,) = survival_plot(FRAME, control="control", annotate=["p-value"], test=early).said["text"]
    p = early.analyse(FRAME["time"], FRAME["event"], FRAME["arm"] == "drug").p_two_sided
    assert text == f"{early.name} p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}, computed"
    said = survival_plot(reconstruction, annotate=["hazard ratio", "p-value"], test=early).said
    assert said["origin"].tolist() == ["printed", "computed"]


def test_curves_begin_anew_at_a_landmark(reconstruction):
    shown = survival_plot(FRAME, control="control", origin=4)
    later = FRAME[FRAME["time"] > 4]
    for arm, rows in later.groupby("arm"):
        curve = kaplan_meier(rows["time"] - 4, rows["event"])
        own = shown.curves[shown.curves["arm"] == arm]
        np.testing.assert_allclose(own["survival"], np.append(1, curve.survival))
        assert shown.counts.set_index("arm").loc[arm, 0.0] == len(rows)
    ratio = CoxHazardRatio().analyse(later["time"], later["event"], later["arm"] == "drug")
    assert f" {ratio.estimate:.2f} " in shown.said["text"][0]
    assert shown.axes.get_xlabel() == "Months since month 4"
    of_members = survival_plot(reconstruction, origin=3)
    assert set(of_members.said["origin"]) == {"computed"}
    by_member = reconstruction.survival_by_member("drug", [3.0, 9.0])
    at = of_members.curves[of_members.curves["arm"] == "drug"]
    drawn = np.interp(6.0, at["time"], at["survival"])
    assert drawn == pytest.approx((by_member[:, 1] / by_member[:, 0]).mean(), abs=0.01)
    distribution = survival_plot({"assumed": Exponential(0.1)}, end=12, annotate=[], origin=5).curves
    np.testing.assert_allclose(distribution["survival"], np.exp(-0.1 * distribution["time"]), rtol=1e-3)
    with pytest.raises(InvalidValueError, match=r"origin: got 60.*'control' are followed"):
        survival_plot(FRAME, control="control", origin=60)


def test_small_counts_are_obscured_and_cannot_be_subtracted():
    full, shown = (
        survival_plot(FRAME, control="control", table=RiskTable(["at risk", "events", "censored"], fewest=k))
        for k in (0, 10)
    )
    hidden = 0
    for tick in full.counts.columns[2:]:
        for arm in ("drug", "control"):
            told = shown.counts.loc[shown.counts["arm"] == arm, tick].to_numpy()
            true = full.counts.loc[full.counts["arm"] == arm, tick].to_numpy()
            assert (np.isnan(told) | (told == true)).all()
            assert not ((told > 0) & (told < 10)).any()
            assert np.isnan(told).sum() != 1
            hidden += np.isnan(told).sum()
    assert hidden > 0
    written = {text.get_text() for text in shown.risk_table.texts}
    assert "<10" in written
    assert "\u2026" in written


def test_two_counts_in_a_cell_and_per_cent():
    shown = survival_plot(FRAME, control="control", table=["at risk (censored)", "at risk, %"])
    written = [text.get_text() for text in shown.risk_table.texts]
    assert "90 (0)" in written
    assert "100" in written
    assert set(shown.counts["count"]) == {"at risk", "censored"}


@pytest.mark.parametrize("transform", ["survival", "event"])
def test_the_restricted_mean_is_shaded(transform):
    shown = survival_plot(FRAME, control="control", shade=True, tau=15, annotate=["RMST"], transform=transform)
    area = shown.axes.collections[-1].get_paths()[0].get_extents()
    assert (area.x0, area.x1) == (0, 15)
    alone = survival_plot(FRAME[FRAME["arm"] == "drug"], shade=True, tau=15, annotate=[], transform=transform)
    vertices = alone.axes.collections[-1].get_paths()[0].vertices
    x, y = vertices[:, 0], vertices[:, 1]
    area = abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2
    drug = FRAME[FRAME["arm"] == "drug"]
    assert area == pytest.approx(rmst(drug["time"], drug["event"], 15).estimate, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tau": 0}, "tau: got 0"),
        ({"tau": -3.0, "shade": True}, "tau: got -3"),
        ({"tau": 60, "shade": True}, "tau: got 60.*follow-up of control and drug"),
        ({"annotate": ["differences"]}, "landmarks"),
        ({"shade": True, "transform": "cumulative hazard"}, "leave shade out"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, says):
    frame = FRAME.assign(event=FRAME["event"] & (FRAME["time"] < 20))  # the curves end above 0
    with pytest.raises(InvalidValueError, match=says):
        survival_plot(frame, control="control", **options)
