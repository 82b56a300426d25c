"""The forest of subgroups: its ratios, counts and interactions are those of the patients."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.stats.meta_analysis as meta
from lifelines import CoxPHFitter
from matplotlib.figure import Figure

from analysis.errors import InvalidValueError
from analysis.plots import forest, subgroup_forest
from tests.figures.layout import overlaps

RNG = np.random.default_rng(4)
N = 300
FRAME = pd.DataFrame(
    {
        "time": RNG.exponential(10, N).round(1) + 0.1,
        "event": RNG.random(N) < 0.7,
        "arm": np.resize(["drug", "control"], N),
        "visceral": RNG.choice(["yes", "no"], N),
        "lines": RNG.choice([0, 1, 2], N),
    }
)


def test_ratios_and_counts_are_those_of_lifelines():
    numbers = subgroup_forest(FRAME, ["visceral", "lines"], control="control").numbers
    assert numbers["subgroup"].tolist() == ["All patients", "no", "yes", "0", "1", "2"]
    groups = [
        FRAME,
        *(FRAME[FRAME["visceral"] == v] for v in ("no", "yes")),
        *(FRAME[FRAME["lines"] == k] for k in range(3)),
    ]
    for (_, row), rows in zip(numbers.iterrows(), groups, strict=True):
        data = rows[["time", "event"]].assign(drug=(rows["arm"] == "drug").astype(int))
        theirs = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-12}).summary.loc["drug"]
        limits = theirs[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]].to_numpy(float)
        np.testing.assert_allclose(row[["hazard_ratio", "lower", "upper"]].to_numpy(float), limits, rtol=1e-5)
        drug = data["drug"] == 1
        assert row["events"] == data["event"][drug].sum()
        assert row["control_patients"] == (~drug).sum()


def test_the_interaction_is_the_heterogeneity_of_statsmodels():
    numbers = subgroup_forest(FRAME, ["lines"], control="control", level=0.9).numbers
    own = numbers[numbers["factor"] == "lines"]
    errors = np.log(own["upper"] / own["lower"]) / (2 * 1.6448536269514722)
    theirs = meta.combine_effects(np.log(own["hazard_ratio"]).to_numpy(), errors.to_numpy() ** 2).test_homogeneity()
    assert own["interaction_p"].iloc[0] == pytest.approx(theirs.pvalue, rel=1e-9)
    assert numbers["interaction_p"].isna().tolist() == [True, False, False, False]


def test_an_interaction_that_is_there_is_found():
    time = FRAME["time"] * np.where((FRAME["arm"] == "drug") & (FRAME["visceral"] == "yes"), 4.0, 1.0)
    shown = subgroup_forest(FRAME.assign(time=time), ["visceral"], control="control")
    assert shown.numbers["interaction_p"].iloc[1] < 1e-4
    assert any("interaction p < 0.001" in label.get_text() for label in shown.axes[0].get_yticklabels())


@pytest.mark.parametrize("missing", [np.nan, None, " "])
def test_patients_without_a_value_have_a_row_and_no_say_in_the_interaction(missing):
    frame = FRAME.assign(visceral=FRAME["visceral"].astype(object).where(RNG.random(N) > 0.2, missing))
    numbers = subgroup_forest(frame, ["visceral"], control="control").numbers
    assert numbers["subgroup"].tolist() == ["All patients", "no", "yes", "not known"]
    assert numbers.loc[1:, ["patients", "control_patients"]].to_numpy().sum() == N
    known = subgroup_forest(frame[frame["visceral"].isin(["no", "yes"])], ["visceral"], control="control").numbers
    assert numbers["interaction_p"].iloc[1] == known["interaction_p"].iloc[1]


@pytest.mark.parametrize("name", ["drug", "everolimus and exemestane, 10 mg"])
def test_nothing_overlaps_and_what_is_not_estimable_says_so(name):
    frame = FRAME.replace({"arm": {"drug": name}}).assign(region=RNG.choice(["a", "b"], N))
    frame.loc[:2, "region"] = "c"
    shown = subgroup_forest(frame, ["visceral", "lines", "region"], control="control")
    texts = [text.get_text() for text in shown.axes[0].texts]
    assert texts.count("not estimable") == 1
    assert np.isnan(shown.numbers["interaction_p"].iloc[-1])
    assert not overlaps(shown.figure)


@pytest.mark.parametrize(
    ("frame", "factors", "says"),
    [
        (FRAME, ["age"], "factors: got 'age'"),
        (FRAME, "lines", "write factors="),
        (FRAME, [], "columns of the frame"),
        (FRAME.assign(arm=np.resize(["a", "b", "c"], N)), ["lines"], "one of two arms"),
        (FRAME.drop(columns="event"), ["lines"], "event"),
        ([1, 2], ["lines"], "a frame of patients"),
    ],
)
def test_what_cannot_be_drawn_is_refused(frame, factors, says):
    with pytest.raises(InvalidValueError, match=says):
        subgroup_forest(frame, factors)


def test_series_stand_side_by_side_in_a_row():
    ax = Figure(figsize=(6, 3), layout="constrained").subplots()
    names = ["all", "all", "visceral", "visceral"]
    forest(names, [0.5, 0.4, 0.6, 0.5], [0.4, 0.3, 0.4, 0.4], [0.6, 0.5, 0.9, 0.7], ax, series=["local", "central"] * 2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["all", "visceral"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["local", "central"]
    heights = sorted(
        line.get_ydata()[0] for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1
    )
    assert heights == pytest.approx([-0.2, 0.2, 0.8, 1.2])
    assert not overlaps(ax.figure)
    with pytest.raises(InvalidValueError, match="each series once"):
        forest(["all"] * 2, [0.5] * 2, [0.4] * 2, [0.6] * 2, ax, series=["local"] * 2)
