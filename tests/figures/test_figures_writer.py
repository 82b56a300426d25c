"""Figures are written whole, byte for byte the same, with a manifest that names what they were made from."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager

from analysis.errors import InvalidValueError, UnknownNameError
from analysis.figures.registry import Drawing, RegisteredFigure, by_name, pick
from analysis.figures.writer import write_figures
from analysis.plots.fonts import fonts_of_matplotlib


def draw_random_walk(seed: int) -> Drawing:
    """Show a random walk."""
    walk = np.random.default_rng(seed).normal(size=50).cumsum()
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().plot(walk, label="walk")
    return Drawing(figure, pd.DataFrame({"walk": walk}))


def draw_and_fail(seed: int) -> Drawing:
    """Never get done."""
    raise KeyboardInterrupt


WALK = RegisteredFigure("walk", ("bolero-2",), 7, draw_random_walk)
FAILING = RegisteredFigure("failing", (), 7, draw_and_fail)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first = {path.name: path.read_bytes() for path in write_figures([WALK], tmp_path / "a")}
    second = {path.name: path.read_bytes() for path in write_figures([WALK], tmp_path / "b")}
    assert first == second
    assert set(first) == {"walk.svg", "walk.png", "walk.csv"}
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_another_seed_gives_other_bytes(tmp_path):
    other = RegisteredFigure("walk", (), 8, draw_random_walk)
    first, second = write_figures([WALK], tmp_path / "a"), write_figures([other], tmp_path / "b")
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(first, second, strict=True))


def test_manifest_names_inputs_outputs_and_seed(tmp_path):
    files = write_figures([WALK], tmp_path)
    entry = json.loads((tmp_path / "manifest.json").read_text())["figures"]["walk"]
    assert entry["seed"] == 7
    assert entry["caption"] == "Show a random walk."
    assert set(entry["inputs"]) == {"bolero-2.toml"}
    assert entry["outputs"] == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert {"numpy", "python", "trial-outcome-analysis"} <= set(entry["versions"])


def test_an_interruption_keeps_what_was_finished(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_figures([WALK, FAILING], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"walk.svg", "walk.png", "walk.csv", "manifest.json"}


def test_an_unknown_figure_is_told_with_the_nearest_names():
    with pytest.raises(UnknownNameError, match="did you mean walk"):
        pick(by_name([WALK, FAILING]), ["wolk"])


def test_the_manifest_forgets_figures_whose_files_are_gone(tmp_path):
    other = RegisteredFigure("other", (), 7, draw_random_walk)
    write_figures([WALK], tmp_path)
    (tmp_path / "walk.csv").unlink()
    write_figures([other], tmp_path)
    assert set(json.loads((tmp_path / "manifest.json").read_text())["figures"]) == {"other"}


def test_two_figures_of_one_name_are_refused():
    with pytest.raises(InvalidValueError, match="rename one of the two"):
        by_name([WALK, WALK])


def test_figures_are_drawn_with_the_fonts_of_matplotlib_where_the_system_has_others(monkeypatch):
    brought = Path(mpl.get_data_path(), "fonts", "ttf")
    bold = FontProperties(family="DejaVu Sans", weight="bold")
    system = replace(
        next(font for font in fontManager.ttflist if font.name == "DejaVu Sans"), fname="/other/Bold.ttf", weight=700
    )
    monkeypatch.setattr(fontManager, "ttflist", [system])
    with fonts_of_matplotlib():
        assert Path(findfont(bold)) == (brought / "DejaVuSans-Bold.ttf").resolve()
    assert fontManager.ttflist == [system]


def test_the_alternative_text_begins_with_what_is_shown():
    def draw(seed: int) -> Drawing:
        """Power of a trial, by size."""
        figure = Figure()
        axes = figure.subplots()
        axes.set(title="30 patients", xlabel="Rate", ylabel="Power")
        for words in ("20%", "n = 30", "n = 30", "17"):
            axes.text(0, 0, words)
        return Drawing(figure, pd.DataFrame({"x": [seed]}))

    drawn = RegisteredFigure("mine", (), 7, draw)()
    assert drawn.alt == "Power of a trial, by size. 30 patients: Power against Rate (20%; n = 30)"
