"""Bars, markers and texts are what the frames hold; frames that cannot be drawn are named errors."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis.endpoints.codes import IRECIST, RECIST
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.plots import MONTHS, WEEKS, response_bars, response_counts, spider, swimmer, waterfall
from analysis.plots.responses import LOOKS, in_order

PATIENTS = pd.DataFrame(
    {
        "subject": ["A", "B", "C", "D"],
        "best_change": [-45.0, 152.4, 0.0, np.nan],
        "best_response": ["iPR", "iCPD", "iSD", "NE"],
        "end_day": [336.0, 140.0, 168.0, 21.0],
        "ongoing": [True, False, False, False],
    }
)
EVENTS = pd.DataFrame(
    [
        ("A", 56, "response"),
        ("B", 56, "iUPD"),
        ("B", 112, "iCPD"),
        ("B", 140, "death"),
        ("C", 112, "iUPD"),
        ("D", 21, "death"),
    ],
    columns=["subject", "day", "event"],
)
VISITS = pd.DataFrame(
    [
        ("A", "week 8", 56, "iPR", -45.0, 0),
        ("A", "week 16", 112, "iPR", -40.0, 0),
        ("B", "week 8", 56, "iUPD", 60.0, 0),
        ("B", "week 16", 112, "iCPD", 152.4, 1),
        ("C", "week 8", 58, "iSD", 0.0, 0),
        ("C", "week 16", 112, "iUPD", np.nan, 0),
        ("C", "unscheduled", 140, "iSD", 4.0, 2),
        ("C", "unscheduled 2", 154, "iSD", 5.0, 2),
    ],
    columns=["subject", "visit", "day", "response", "change_from_baseline", "new_lesions"],
)
SCHEDULE = {"week 8": 56, "week 16": 112, "week 24": 168}


@pytest.fixture
def ax():
    return Figure().subplots()


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend_labels(ax):
    legends = [artist for artist in ax.get_children() if isinstance(artist, mpl.legend.Legend)]
    return [[text.get_text() for text in legend.get_texts()] for legend in legends]


def test_every_term_of_both_criteria_has_a_look():
    assert {*RECIST.terms, *IRECIST.terms} == set(LOOKS) - {"death"}


def test_confirmed_and_unconfirmed_progression_look_different():
    assert LOOKS["iUPD"].colour != LOOKS["iCPD"].colour == LOOKS["PD"].colour


def test_waterfall_draws_the_best_changes_from_growth_to_shrinkage(ax):
    waterfall(ax, PATIENTS)
    assert [bar.get_height() for bar in ax.patches] == [100.0, 0.0, -45.0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["B", "C", "A"]
    assert [to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == [
        LOOKS[term].colour for term in ("iCPD", "iSD", "iPR")
    ]


def test_waterfall_writes_the_value_of_a_cut_bar_alone(ax):
    waterfall(ax, PATIENTS)
    assert texts(ax) == ["+152%"]
    assert ax.texts[0].get_position()[0] == pytest.approx(0)


def test_a_higher_cap_cuts_no_bar(ax):
    waterfall(ax, PATIENTS, cap=200)
    assert max(bar.get_height() for bar in ax.patches) == 152.4
    assert texts(ax) == []
    assert ax.get_ylim()[1] > 152.4


def test_waterfall_counts_patients_it_has_no_bar_for(ax):
    waterfall(ax, PATIENTS)
    assert ax.get_xlabel() == "3 of 4 patients have a complete sum after baseline"
    assert legend_labels(ax) == [["iPR (1)", "iSD (1)", "iCPD (1)"]]


def test_waterfall_has_the_lines_of_recist(ax):
    waterfall(ax, PATIENTS)
    assert sorted(line.get_ydata()[0] for line in ax.lines) == [-30, 0, 20]


def test_spider_starts_at_the_baseline_and_goes_through_the_complete_sums(ax):
    spider(ax, VISITS, PATIENTS, unit=WEEKS)
    lines = {line.get_label(): line.get_xydata() for line in ax.lines if not line.get_label().startswith("_")}
    np.testing.assert_allclose(lines["A"], [[0, 0], [8, -45], [16, -40]])
    np.testing.assert_allclose(lines["B"], [[0, 0], [8, 60], [16, 152.4]])
    np.testing.assert_allclose(lines["C"], [[0, 0], [58 / 7, 0], [20, 4], [22, 5]])


def test_spider_marks_the_first_new_lesion_and_says_who_left_the_plot(ax):
    spider(ax, VISITS, PATIENTS, unit=WEEKS, since="first dose")
    [marks] = [line for line in ax.lines if line.get_label() == "first new lesion"]
    np.testing.assert_allclose(marks.get_xydata(), [[16, 152.4], [20, 4]])
    assert texts(ax) == ["1 above +100%, up to +152%"]
    assert ax.get_xlabel() == "Weeks since first dose"
    assert ["iPR (1)", "iSD (1)", "iCPD (1)"] in legend_labels(ax)


def test_spider_in_months_divides_days_by_the_length_of_a_month(ax):
    spider(ax, VISITS, PATIENTS, unit=MONTHS)
    [line] = [line for line in ax.lines if line.get_label() == "A"]
    np.testing.assert_allclose(line.get_xdata(), [0, 56 / 30.4375, 112 / 30.4375])


def test_swimmer_bars_are_times_on_study_with_the_longest_on_top(ax):
    swimmer(ax, PATIENTS, EVENTS, unit=WEEKS)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["D", "B", "C", "A"]
    assert [bar.get_width() for bar in ax.patches if isinstance(bar, mpl.patches.Rectangle)] == [3, 20, 24, 48]


def test_swimmer_marks_events_where_they_happened(ax):
    swimmer(ax, PATIENTS, EVENTS, unit=WEEKS)
    marks = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(marks["first response"].get_xydata(), [[8, 3]])
    np.testing.assert_allclose(marks["iUPD"].get_xydata(), [[8, 1], [16, 2]])
    np.testing.assert_allclose(marks["iCPD"].get_xydata(), [[16, 1]])
    np.testing.assert_allclose(marks["death"].get_xydata(), [[20, 1], [3, 0]])
    assert marks["iUPD"].get_markerfacecolor() != marks["iCPD"].get_markerfacecolor()


def test_swimmer_has_arrows_for_those_who_go_on_alone(ax):
    swimmer(ax, PATIENTS, EVENTS, unit=WEEKS)
    arrows = [text.xyann for text in ax.texts if isinstance(text, mpl.text.Annotation)]
    assert [position for _, position in arrows] == [3]
    assert arrows[0][0] > 48
    marked = ["first response", "iUPD", "iCPD", "death", "ongoing"]
    assert sorted(legend_labels(ax)) == sorted([marked, ["iPR (1)", "iSD (1)", "iCPD (1)", "NE (1)"]])


def test_counts_keep_every_patient_at_every_visit():
    counts = response_counts(PATIENTS, VISITS, EVENTS, schedule=SCHEDULE)
    table = {visit: dict(zip(rows["response"], rows["n"], strict=True)) for visit, rows in counts.groupby("visit")}
    assert table == {
        "week 8": {"iPR": 1, "iSD": 1, "iUPD": 1, "death": 1},
        "week 16": {"iPR": 1, "iUPD": 1, "iCPD": 1, "death": 1},
        "week 24": {"MISSING": 2, "death": 2},
    }
    assert set(counts["of"]) == {4}


def test_confirmed_progression_stays_until_death():
    alive = EVENTS[EVENTS["event"] != "death"]
    later = response_counts(PATIENTS, VISITS, alive, schedule={"week 24": 168})
    assert dict(zip(later["response"], later["n"], strict=True)) == {"iCPD": 1, "MISSING": 3}
    recovered = VISITS.assign(visit=VISITS["visit"].replace("unscheduled", "week 20"), response="iSD")
    assert "iCPD" in set(response_counts(PATIENTS, recovered, alive, schedule={"week 16": 112})["response"])


def test_stacked_bars_are_the_shares_with_their_numbers(ax):
    counts = response_counts(PATIENTS, VISITS, EVENTS, schedule=SCHEDULE)
    response_bars(ax, counts)
    drawn = [(round(bar.get_x() + bar.get_width() / 2), bar.get_y(), bar.get_height()) for bar in ax.patches]
    assert drawn[:4] == [(0, 0.0, 0.25), (0, 0.25, 0.25), (0, 0.5, 0.25), (0, 0.75, 0.25)]
    assert drawn[-2:] == [(2, 0.0, 0.5), (2, 0.5, 0.5)]
    assert texts(ax)[:5] == ["1", "1", "1", "1", "n = 4"]
    assert texts(ax)[-3:] == ["2", "2", "n = 4"]
    assert legend_labels(ax) == [["death", "not assessed", "iCPD", "iUPD", "iSD", "iPR"]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list(SCHEDULE)


def test_stack_order_does_not_depend_on_the_rows(ax):
    counts = response_counts(PATIENTS, VISITS, EVENTS, schedule={"week 8": 56})
    response_bars(ax, counts.iloc[::-1])
    assert [to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == [
        LOOKS[term].colour for term in ("iPR", "iSD", "iUPD", "death")
    ]


DRAWERS = {
    "waterfall": lambda ax, patients=PATIENTS, **_: waterfall(ax, patients),
    "spider": lambda ax, patients=PATIENTS, visits=VISITS, **_: spider(ax, visits, patients),
    "swimmer": lambda ax, patients=PATIENTS, events=EVENTS, **_: swimmer(ax, patients, events),
    "bars": lambda ax, patients=PATIENTS, visits=VISITS, events=EVENTS, **_: response_bars(
        ax, response_counts(patients, visits, events, schedule=SCHEDULE)
    ),
}


@pytest.mark.parametrize(
    ("plot", "frame", "column"),
    [
        ("waterfall", "patients", "best_change"),
        ("waterfall", "patients", "best_response"),
        ("spider", "visits", "change_from_baseline"),
        ("spider", "visits", "new_lesions"),
        ("spider", "patients", "best_response"),
        ("swimmer", "patients", "ongoing"),
        ("swimmer", "events", "event"),
        ("bars", "patients", "subject"),
        ("bars", "visits", "response"),
        ("bars", "events", "day"),
    ],
)
def test_a_missing_column_is_named(ax, plot, frame, column):
    frames = {"patients": PATIENTS, "visits": VISITS, "events": EVENTS}
    with pytest.raises(InvalidValueError, match=f"^{frame}: .*expected the columns {column} too"):
        DRAWERS[plot](ax, **{frame: frames[frame].drop(columns=column)})


@pytest.mark.parametrize("plot", ["waterfall", "spider", "swimmer"])
def test_an_unknown_response_is_named(ax, plot):
    with pytest.raises(UnknownNameError, match=r"response: got 'PRR'.*did you mean.*PR"):
        DRAWERS[plot](ax, patients=PATIENTS.assign(best_response="PRR"))


@pytest.mark.parametrize("plot", sorted(DRAWERS))
def test_a_patient_twice_is_an_error(ax, plot):
    with pytest.raises(InvalidValueError, match="patients: got 'A'"):
        DRAWERS[plot](ax, patients=pd.concat([PATIENTS, PATIENTS.iloc[:1]]))


def test_an_unknown_response_at_a_visit_is_named(ax):
    with pytest.raises(UnknownNameError, match="response: got 'good'"):
        DRAWERS["bars"](ax, visits=VISITS.assign(response="good"), events=EVENTS[EVENTS["event"] == "response"])


def test_an_unknown_event_is_named(ax):
    with pytest.raises(UnknownNameError, match=r"event: got 'icpd'.*iCPD"):
        swimmer(ax, PATIENTS, EVENTS.replace({"event": {"iCPD": "icpd"}}))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            pd.DataFrame({"subject": ["D"], "day": [22], "event": ["death"]}),
            "death: got 22; expected a day from 0 to 21",
        ),
        (
            pd.DataFrame({"subject": ["Z"], "day": [22], "event": ["death"]}),
            "events: got 'Z'; expected a subject among",
        ),
    ],
)
def test_events_that_fit_no_patient_are_named(ax, events, message):
    with pytest.raises(InvalidValueError, match=message):
        swimmer(ax, PATIENTS, events)


def test_a_change_below_the_whole_sum_is_an_error(ax):
    with pytest.raises(InvalidValueError, match=r"best_change: got -101\.0"):
        waterfall(ax, PATIENTS.assign(best_change=-101.0))


def test_two_responses_at_one_visit_are_an_error():
    with pytest.raises(InvalidValueError, match="visits: got 'A'; expected one response at week 8"):
        response_counts(PATIENTS, pd.concat([VISITS, VISITS.iloc[:1]]), EVENTS, schedule=SCHEDULE)


def test_counts_that_miss_a_patient_are_an_error(ax):
    counts = response_counts(PATIENTS, VISITS, EVENTS, schedule={"week 8": 56})
    with pytest.raises(InvalidValueError, match="add up to the 4 patients at week 8"):
        response_bars(ax, counts.iloc[1:])


def test_terms_are_ordered_from_response_to_death():
    assert in_order(["death", "PD", "NE", "SD", "CR", "PR"]) == ["CR", "PR", "SD", "PD", "NE", "death"]
