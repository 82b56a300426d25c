"""The figure of the reconstruction's accuracy says what it draws, and of failures only where there are some."""

from pathlib import Path

import pandas as pd

from analysis.studies.accuracy import figures as accuracy
from analysis.studies.accuracy import measured
from analysis.studies.figures import FIGURES

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "reconstruction-accuracy.ipynb"


def caption():
    return FIGURES["reconstruction-accuracy"]().figure.get_supxlabel()


def test_it_counts_what_is_drawn():
    endpoints = measured.scores().drop_duplicates("id")["endpoint"]
    drawn = endpoints.isin(accuracy.ENDPOINTS).sum()
    assert f"Drawn: {drawn} of {len(endpoints)} figures, those of OS, PFS, DFS." in caption()
    others = endpoints[~endpoints.isin(accuracy.ENDPOINTS)].value_counts()
    assert others.max() <= 5
    assert "Drawn are the figures of OS, PFS and DFS; every other endpoint has five figures or fewer." in " ".join(
        NOTEBOOK.read_text(encoding="utf-8").replace('\\n",', "").replace('"', "").split()
    )


def test_failures_are_named_only_where_there_are_some(monkeypatch):
    scores = measured.scores()
    assert scores["failed"].isna().all()
    assert scores["iae"].max() < accuracy.TOP
    assert "At the top" not in caption()
    large = scores.assign(iae=scores["iae"].where(scores.index != 0, 0.2))
    assert accuracy.at_the_top(large) == "\nAt the top: an error above 0.13 (1)."
    failed = large.astype({"failed": object})
    failed.loc[1, ["endpoint", "iae", "failed"]] = "OS", 1.0, "ValueError: no"
    monkeypatch.setattr(measured, "scores", lambda: failed)
    assert caption().endswith("\nAt the top: no data set was found (1), an error above 0.13 (1).")


def test_nothing_stands_at_the_top_of_nothing():
    assert accuracy.at_the_top(pd.DataFrame({"iae": [0.01], "failed": [None]})) == ""
