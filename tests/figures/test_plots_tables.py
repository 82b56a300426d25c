"""The risk table: what it counts, when, and that all of it fits; lines to quantiles, and pairs of arms."""

import itertools

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.offsetbox import AnnotationBbox

from analysis import reconstruct
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots import RiskTable, survival_plot
from analysis.plots.annotations import holm
from analysis.reported import Quartile, ReportedArm, ReportedComparison
from analysis.statistical_tests import LogRank
from analysis.survival import Exponential, kaplan_meier
from tests.figures.layout import overlaps

RNG = np.random.default_rng(8)
FRAME = pd.DataFrame(
    {
        "time": np.minimum(RNG.exponential(9, 200).round(1) + 0.1, 24.0),
        "event": RNG.random(200) < 0.8,
        "arm": ["drug"] * 110 + ["control"] * 90,
    }
)
THREE = pd.concat([FRAME, FRAME[FRAME["arm"] == "drug"].assign(arm="low dose", time=FRAME["time"] * 0.7)])


TABLES = {
    "by count": RiskTable(["at risk", "events"], by="count"),
    "box": RiskTable(box=True),
    "everything": RiskTable(["at risk", "censored"], by="count", lines=True, medians=True, box=True),
    "lines and medians": RiskTable(["at risk", "events"], lines=True, medians=True),
    "times of its own": RiskTable(["at risk", "events"], times=[0, 2, 7, 12, 23]),
    "times by count": RiskTable(["at risk", "events"], by="count", times=[5, 10], lines=True),
}


@pytest.mark.parametrize("preset", ["85 mm", "170 mm", "slide"])
@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("arms", [("drug", "control"), ("a long name of one arm, with more", "control")])
def test_tables_fit_and_have_their_counts(kind, preset, arms):
    frame = FRAME.replace({"arm": {"drug": arms[0]}})
    shown = survival_plot(frame, control="control", table=TABLES[kind], preset=preset, end=24)
    assert not overlaps(shown.figure)
    written = {text.get_text(): text for text in shown.risk_table.texts}
    ticks = shown.counts.columns[2:]
    for _, row in shown.counts.iterrows():
        assert all(f"{row[tick]:.0f}" in written for tick in ticks)
    if TABLES[kind].medians:
        drug = frame[frame["arm"] == arms[0]]
        assert any(text.startswith(f"{kaplan_meier(drug['time'], drug['event']).median():.1f} (") for text in written)
    places = [text.get_position()[1] for text in shown.risk_table.texts]
    assert shown.risk_table.get_ylim()[0] > max(places)


def test_by_count_the_arms_stand_together():
    shown = survival_plot(FRAME, control="control", table=RiskTable(["at risk", "events"], by="count"), end=24)
    named = [text for text in shown.risk_table.texts if text.get_text() in ("drug", "control", "At risk", "Events")]
    order = sorted(named, key=lambda text: getattr(text, "xy", text.get_position())[1])
    assert [text.get_text() for text in order] == ["At risk", "drug", "control", "Events", "drug", "control"]


def test_counts_follow_the_axis():
    shown = survival_plot(FRAME, control="control", end=24, every=6)
    assert list(shown.counts.columns[2:]) == [0, 6, 12, 18, 24]
    shown.axes.set_xlim(5, 13)
    seen = {
        text.get_position()[0] for text in shown.risk_table.texts if text.get_visible() and text.get_text().isdigit()
    }
    assert seen == {6, 12}


def test_times_of_the_table_are_its_own():
    table = RiskTable(times=[4, 0, 9.5][1:])
    shown = survival_plot(FRAME, control="control", table=table, end=24)
    assert list(shown.counts.columns[2:]) == [0, 9.5]
    drug = FRAME.loc[FRAME["arm"] == "drug", "time"]
    assert shown.counts.set_index("arm").loc["drug", 9.5] == (drug >= 9.5).sum()
    (month,) = [text for text in shown.risk_table.texts if text.get_text() == "9.5"]
    assert month.get_position()[0] == 9.5
    with pytest.raises(InvalidValueError, match="strictly increasing"):
        RiskTable(times=[4, 2])
    with pytest.raises(InvalidValueError, match=r"times: got 30.*end of the axis, 24"):
        survival_plot(FRAME, table=RiskTable(times=[0, 30]), end=24)
    with pytest.raises(InvalidValueError, match="times"):
        RiskTable(times=[-4])


@pytest.fixture
def pictures(tmp_path):
    for name, wide in (("drug", 40), ("control", 20)):
        matplotlib.image.imsave(tmp_path / f"{name}.png", np.zeros((20, wide)))
    return {name: tmp_path / f"{name}.png" for name in ("drug", "control")}


@pytest.mark.parametrize("looks", [{}, {"lines": True}, {"by": "count", "rows": ["at risk", "events"]}])
@pytest.mark.parametrize("drug", ["drug", "a long name of one arm, with more"])
def test_pictures_stand_beside_their_arms(looks, drug, pictures):
    table = RiskTable(pictures={drug: pictures["drug"], "control": pictures["control"]}, **looks)
    shown = survival_plot(FRAME.replace({"arm": {"drug": drug}}), control="control", table=table, end=24)
    assert not overlaps(shown.figure)
    above = len(drug) > 10  # a long name has a line of its own above the counts
    boxes = [artist for artist in shown.risk_table.get_children() if isinstance(artist, AnnotationBbox)]
    assert len(boxes) == 2 * len(table.rows)
    texts = [text.get_window_extent() for text in shown.risk_table.texts if text.get_text()]
    for box in boxes:
        place = box.get_window_extent()
        assert place.x0 >= 0
        assert not any(place.overlaps(text) for text in texts)
        names = [text for text in shown.risk_table.texts if text.get_text() in (drug, "control")]
        name = min(names, key=lambda text: abs(text.get_window_extent().y0 - place.y0 - above * place.height))
        assert place.width / place.height == pytest.approx(2 if name.get_text() == drug else 1, rel=0.15)


def test_pictures_that_cannot_be_drawn_are_named(tmp_path, pictures):
    with pytest.raises(InvalidValueError, match=r"pictures: got .*none\.png"):
        RiskTable(pictures={"drug": tmp_path / "none.png"})
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InvalidValueError, match=r"pictures: got .*text\.png"):
        RiskTable(pictures={"drug": tmp_path / "text.png"})
    with pytest.raises(InvalidValueError, match="pictures: got 'placebo'"):
        survival_plot(FRAME, table=RiskTable(pictures={"placebo": pictures["drug"]}))


HEIGHTS = {
    "survival": lambda p: 1 - p,
    "event": lambda p: p,
    "cumulative hazard": lambda p: -np.log(1 - p),
    "log-log": lambda p: np.log(-np.log(1 - p)),
}


@pytest.mark.parametrize("transform", HEIGHTS)
def test_quantiles_have_lines_and_times(transform):
    shown = survival_plot(
        FRAME, control="control", quantiles=[0.25, 0.9], annotate=["quantiles", "median"], transform=transform,
        scale="log", level=0.9, end=24,
    )  # fmt: skip
    ends = {tuple(np.round([line.get_xdata()[0], line.get_ydata()[1]], 6)) for line in shown.axes.lines}
    texts = shown.said["text"].tolist()
    for p, arm in itertools.product([0.25, 0.9], ["control", "drug"]):
        curve = kaplan_meier(*(FRAME.loc[FRAME["arm"] == arm, name] for name in ("time", "event")))
        height = HEIGHTS[transform](p)
        at, limits = curve.quantile(p), curve.quantile_ci(p, 0.9, scale="log")
        low, high = (f"{x:.1f}" if np.isfinite(x) else "not reached" for x in limits)
        assert f"{arm} {100 * p:g}% by {at:.1f} months (90% CI {low} to {high})" in texts
        assert (round(at, 6), round(height, 6)) in ends
    assert not overlaps(shown.figure)


def test_quantiles_not_reached_and_printed_ones():
    never = survival_plot({"assumed": Exponential(0.01)}, end=12, annotate=["quantiles"], quantiles=[0.5]).said
    assert never["text"].tolist() == ["assumed 50% not reached"]
    arms = [ReportedArm("a", n=60, median="8", quartiles=(Quartile(0.25, "3.1"),)), ReportedArm("b", n=60, median="6")]
    members = reconstruct(ReportedComparison("PFS", arms, control="b"), members=10, rng=1)
    said = survival_plot(members, quantiles=[0.25], annotate=["quantiles"]).said
    assert said["text"][0] == "a 25% by 3.1 months, printed"
    assert said["origin"].tolist() == ["printed", "computed"]


@pytest.mark.parametrize("given", [[0.0], [1.0], [25], ["a"], [float("nan")]])
def test_quantiles_are_shares(given):
    with pytest.raises(InvalidValueError, match="quantiles"):
        survival_plot(FRAME, quantiles=given)


def test_quantiles_are_given_to_be_written():
    with pytest.raises(InvalidValueError, match=r"quantiles=\[0.25, 0.75\]"):
        survival_plot(FRAME, annotate=["quantiles"])


def test_all_pairs_of_arms_are_compared_and_adjusted_together():
    said = survival_plot(THREE, control="control", annotate=["p-value"], pairs="all").said["text"]
    pairs = [("drug", "control"), ("low dose", "control"), ("low dose", "drug")]
    found = []
    for arm, against in pairs:
        rows = THREE[THREE["arm"].isin([arm, against])]
        found.append(LogRank().analyse(rows["time"], rows["event"], rows["arm"] == arm).p_two_sided)
    words = ["< 0.001" if p < 0.001 else f"= {p:.3f}" for p in holm(found)]
    expected = [f"log-rank {a} vs {b} p {w}, Holm, computed" for (a, b), w in zip(pairs, words, strict=True)]
    assert said.tolist() == expected
    with pytest.raises(UnknownNameError, match="pairs"):
        survival_plot(THREE, pairs="every")


@pytest.mark.parametrize("seed", range(4))
def test_names_of_arms_keep_clear_of_the_dashed_lines(seed):
    rng = np.random.default_rng(seed)
    time = np.minimum(rng.exponential(np.r_[np.full(80, 9.0), np.full(80, 15.0)]) + 0.1, 24.0)
    frame = pd.DataFrame({"time": time, "event": time < 24, "arm": ["control"] * 80 + ["drug"] * 80})
    shown = survival_plot(frame, control="control", quantiles=[0.25, 0.75], annotate=["median"], landmarks=[6])
    shown.figure.draw_without_rendering()
    heights = shown.axes.transData.transform([(0, s) for s in (0.25, 0.5, 0.75)])[:, 1]
    for text in shown.axes.texts:
        if text.get_text() in ("control", "drug"):
            box = text.get_window_extent()
            assert not ((box.y0 < heights) & (heights < box.y1)).any()
