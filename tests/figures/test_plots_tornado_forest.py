"""Tornado and forest: bars, marks and texts are what was given; what cannot be drawn is a named error."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.errors import InvalidValueError
from analysis.plots import forest, tornado

TO = "\N{EN DASH}"


def axes():
    return Figure(figsize=(6, 3), layout="constrained").subplots()


def test_rows_are_in_order_of_weight_and_bars_end_at_their_values():
    ax = tornado(["a", "b", "b", "c"], ["1", "2", "3", "4"], [0.52, 0.3, 0.6, 0.45], 0.5, axes(), std_error=[0.01] * 4)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "c", "a"]
    ends = {(round(bar.get_y() + 0.31), round(bar.get_x() + bar.get_width(), 6)) for bar in ax.patches}
    assert ends == {(0, 0.3), (0, 0.6), (1, 0.45), (2, 0.52)}
    low, high = ax.get_xlim()
    assert low < 0.3 < 0.6 < high
    errors = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and np.ptp(line.get_xdata()) > 0]
    assert sorted(np.ptp(pair) for pair in errors) == pytest.approx([0.04] * 4)


def test_an_assumption_that_moves_nothing_has_its_row_and_long_names_are_shortened():
    names = ["a first long name of a control", "a second long name of a control"]
    ax = tornado(["x", "y", "y"], ["0", *names], [0.5, 0.6, 0.7], 0.5, axes())
    assert len(ax.get_yticklabels()) == 2
    texts = [text.get_text() for text in ax.texts]
    assert f"{names[1]}; 1 nearer" in texts


def test_values_are_named_from_left_to_right_as_their_bars_are():
    ax = tornado(["follow-up"] * 4, ["24", "12", "6", "0"], [0.6, 0.48, 0.4, 0.3], 0.5, axes())
    assert [text.get_text() for text in ax.texts] == ["0, 6, 12", "24"]  # 12, 6, 0 stood beside the bar of 0


def test_a_forest_has_its_numbers_beside_it_and_arrows_where_limits_lie_beyond():
    ax = forest(["a", "b", "c"], [0.5, 1.2, 2.0], [0.0, 0.9, np.nan], [0.8, np.inf, np.nan], axes())
    assert [text.get_text() for text in ax.texts] == [f"0.50 (0.00{TO}0.80)", f"1.20 (0.90{TO}not reached)", "2.00"]
    markers = [line.get_marker() for line in ax.lines]
    assert markers.count("<") == markers.count(">") == 1
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


@pytest.mark.parametrize(
    "call",
    [
        lambda: tornado([], [], [], 0.5, axes()),
        lambda: tornado(["a"], ["1"], [np.nan], 0.5, axes()),
        lambda: tornado(["a"], ["1", "2"], [0.1], 0.5, axes()),
        lambda: tornado(["a"], ["1"], [0.1], "0.5", axes()),
        lambda: forest(["a"], [0.0], [0.1], [0.2], axes()),
        lambda: forest(["a"], [0.5], [0.6], [0.7], axes()),
        lambda: forest(["a", "b"], [0.5], [0.4], [0.7], axes()),
        lambda: forest([], [], [], [], axes()),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(call):
    with pytest.raises(InvalidValueError, match="expected"):
        call()
