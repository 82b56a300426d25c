"""XENERA-1's named explanations: what each was fitted to, what it predicts, and the drawing of both."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from analysis.plots import GREY
from analysis.statistical_tests import CoxHazardRatio
from analysis.studies.xenera1 import explanations as study
from analysis.studies.xenera1 import figures_explanations as figure
from analysis.studies.xenera1 import plan
from analysis.studies.xenera1 import two_readers as readers
from analysis.studies.xenera1.discordance import ELSEWHERE
from analysis.survival import kaplan_meier

INDEPENDENT = "independent"


@pytest.fixture(scope="module")
def table():
    return study.explanations().set_index(["explanation", "reader", "quantity"]).sort_index()


def test_what_was_calibrated_agrees(table):
    fitted = table[table["calibrated"]]
    assert len(fitted) == 4 + 4 + 5
    medians = fitted[fitted.index.get_level_values("quantity").str.startswith("median")]
    assert (medians["simulated"] - medians["target"]).abs().max() < 0.2  # 12.7 months: its scan is at 12.9
    events = fitted.xs("events", level="quantity")
    assert (events["simulated"] - events["target"]).abs().max() < 1.0
    dates = fitted.xs(study.DATES, level="quantity")
    assert dates.index.tolist() == [(study.ALIKE, "both")]
    assert (dates["simulated"] - dates["target"]).abs().max() < 0.01


def test_readers_who_err_alike_leave_too_many_independent_events(table):
    assert not table.loc[(study.ALIKE, INDEPENDENT, "events"), "within"]
    alone = table.loc[study.ALONE]
    assert alone["within"].all()
    assert alone.loc[(INDEPENDENT, study.MEDIANS[0]), "simulated"] > 13.0
    by_arm = table.loc[study.BY_ARM]
    assert by_arm["within"].all()
    assert (
        by_arm.loc[(INDEPENDENT, "hazard ratio"), "simulated"]
        < 1.0
        < by_arm.loc[(INDEPENDENT, "hazard ratio"), "target"]
    )


def test_calls_of_the_investigator_alone_make_more_dates_differ_than_in_other_trials(table):
    dates = table.xs(("both", study.DATES), level=("reader", "quantity"))
    assert (dates["target"] == readers.DATES_DIFFER.value).all()
    assert (dates["source"] == ELSEWHERE).all()
    predicted = dates.loc[[study.ALONE, study.BY_ARM]]
    assert not predicted["calibrated"].any()
    assert (predicted["simulated"] > predicted["target"] + 10 * predicted["std_error"]).all()
    assert predicted["within"].all()


@pytest.mark.parametrize("name", study.EXPLANATIONS)
def test_the_share_of_dates_that_differ_has_the_error_of_its_trials(table, name):
    row = table.loc[(name, "both", study.DATES)]
    shares = readers.date_differs(study.explained_trials(name)).mean(axis=1)
    assert row["simulated"] == pytest.approx(shares.mean())
    assert row["std_error"] == pytest.approx(shares.std(ddof=1) / np.sqrt(readers.TRIALS.value))
    assert row["lower"] < row["simulated"] < row["upper"]


def test_unshared_progressions_are_where_they_were_asked_for():
    rates = study.settings().set_index(["explanation", "arm"])["unshared"]
    assert (rates[study.ALIKE] == 0).all()
    assert rates[study.ALONE].nunique() == 1
    assert rates[(study.ALONE, plan.CONTROL)] > 0.01
    assert rates[(study.BY_ARM, plan.EXPERIMENTAL)] > 4 * rates[(study.BY_ARM, plan.CONTROL)]


def test_values_of_a_trial_are_those_of_the_survival_room():
    cell = study.explained_trials(study.ALONE)
    found = study.by_trial(cell)
    time, event = cell.time[INDEPENDENT][5], cell.event[INDEPENDENT][5]
    experimental = np.arange(time.size) >= cell.sizes[0]
    assert found[INDEPENDENT, "hazard ratio"][5] == pytest.approx(
        CoxHazardRatio().analyse(time, event, experimental).estimate
    )
    assert found[INDEPENDENT, "events"][5] == event.sum()
    median = kaplan_meier(time[experimental], event[experimental]).quantile(0.5)
    assert found[INDEPENDENT, study.MEDIANS[1]][5] == median
    dates = [
        [at if seen else None for at, seen in zip(cell.time[r][5], cell.progressed[r][5], strict=True)]
        for r in readers.READERS
    ]
    assert found["both", study.DATES][5] == sum(a != b for a, b in zip(*dates, strict=True)) / time.size


def test_a_median_against_its_hazard_ratio_is_rare():
    shares = study.opposite_directions().set_index("explanation")["share"]
    assert shares.between(0.005, 0.15).all()
    values = study.by_trial(study.explained_trials(study.ALONE))
    first, second = (values[INDEPENDENT, name] for name in study.MEDIANS)
    with np.errstate(invalid="ignore"):
        count = sum(
            np.isfinite(a) and b - a >= 12.7 - 11.0 and r >= 1.19
            for a, b, r in zip(first, second, values[INDEPENDENT, "hazard ratio"], strict=True)
        )
    assert shares[study.ALONE] == count / readers.TRIALS.value


def test_the_figure_shows_every_row_and_which_was_calibrated():
    drawing = figure.FIGURES[0]()
    assert len(drawing.numbers) == 3 * 9
    lines = [line for ax in drawing.figure.axes for line in ax.lines if len(line.get_xdata()) == 1]
    for name, colour in figure.COLOURS.items():
        marks = [line for line in lines if to_hex(line.get_color()) == to_hex(colour) and line.get_marker() != ">"]
        filled = [to_hex(line.get_markerfacecolor()) == to_hex(colour) for line in marks]
        rows = drawing.numbers[drawing.numbers["explanation"] == name]
        assert sum(filled) == rows["calibrated"].sum()
        assert sorted(line.get_xdata()[0] for line in marks) == sorted(rows["simulated"])


def test_what_other_trials_found_is_drawn_apart_from_the_report():
    drawing = figure.FIGURES[0]()
    [ax] = [ax for ax in drawing.figure.axes if ax.get_title(loc="left") == figure.DATES]
    black = [line for line in ax.lines if to_hex(line.get_color()) == "#000000"]
    grey = [line for line in ax.lines if to_hex(line.get_color()) == to_hex(GREY) and len(line.get_xdata())]
    assert black == []
    assert [line.get_xdata().tolist() for line in grey] == [[readers.DATES_DIFFER.value]]


def test_no_explanation_has_medians_and_hazard_ratio_on_the_reported_sides(table):
    for name in study.EXPLANATIONS:
        control, experimental = (table.loc[(name, INDEPENDENT, of), "simulated"] for of in study.MEDIANS)
        ratio = table.loc[(name, INDEPENDENT, "hazard ratio"), "simulated"]
        assert not (experimental > control and ratio > 1)
