"""The command line: exit codes, names, and errors that say what to do."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import analysis
from analysis.cli import main

ROOT = Path(__file__).parents[2]


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert analysis.__version__ in capsys.readouterr().out


def test_the_reported_data_are_in_order_with_the_known_findings_listed(capsys):
    assert main(["data", "check"]) == 0
    shown = capsys.readouterr().out
    assert "known warning: bolero-2, os-final: p-against-interval" in shown
    assert "known error: caboavenec, alive: count-against-share" in shown
    assert "NEW" not in shown


def test_a_broken_copy_is_not_in_order(tmp_path, capsys):
    text = (ROOT / "reported_data/bolero-2.toml").read_text(encoding="utf-8")
    broken = text.replace("ci = [0.38, 0.54]", "ci = [0.48, 0.54]")
    assert broken != text
    (tmp_path / "bolero-2.toml").write_text(broken, encoding="utf-8")
    assert main(["data", "check", str(tmp_path)]) == 1
    assert "pfs-final-local" in capsys.readouterr().out


def test_a_trial_is_shown_with_its_sources(capsys):
    assert main(["data", "show", "bolero-2"]) == 0
    shown = capsys.readouterr().out
    assert "0.45 (0.38-0.54)" in shown
    assert "Adv Ther 2013;30:870-84" in shown


def test_an_unknown_trial_is_told_with_the_nearest_names(capsys):
    assert main(["data", "show", "bolero2"]) == 1
    assert "did you mean bolero-2" in capsys.readouterr().err


def test_an_unknown_figure_is_told_with_the_nearest_names(tmp_path, capsys):
    assert main(["figures", "--only", "bolero-pfs", "--out", str(tmp_path)]) == 1
    assert "bolero2-pfs" in capsys.readouterr().err.split("did you mean")[1]
    assert list(tmp_path.iterdir()) == []


def test_figures_are_listed_with_their_captions(capsys):
    assert main(["figures", "--list"]) == 0
    assert "bolero2-os" in capsys.readouterr().out


def test_a_reader_that_stops_early_is_no_error():
    show = [
        sys.executable,
        "-c",
        "import sys; from analysis.cli import main; sys.exit(main(['data', 'show', 'bolero-2']))",
    ]
    with subprocess.Popen(show, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


POINTS = "drug,,control,\nX,Y,X,Y\n0,100,0,100\n2,90,2,81\n4,75,4,60\n6,62,6,41\n9,45,9,30\n12,37,12,22\n"
RISK = "arm,0,6,12\nDrug,40,24,9\nControl,38,15,5\n"


def write_curve(folder, points=POINTS, risk=RISK):
    (folder / "points.csv").write_text(points)
    (folder / "risk.csv").write_text(risk)
    return ["curve", str(folder / "points.csv"), "--at-risk", str(folder / "risk.csv"), "--members", "5"]


def test_a_curve_becomes_patients_and_a_picture(tmp_path, capsys):
    out, plot = tmp_path / "patients.csv", tmp_path / "check.png"
    command = [*write_curve(tmp_path), "--events", "Drug=24", "--out", str(out), "--plot", str(plot)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Drug, 6 points, Control, 6 points; percent" in shown
    patients = pd.read_csv(out)
    assert (len(patients), list(patients.columns)) == (5 * 78, ["member", "arm", "treatment", "time", "event"])
    assert plot.stat().st_size > 10_000
    assert main(command) == 1  # the files are there
    assert "a file that is not there yet" in capsys.readouterr().err


def test_a_curve_that_contradicts_its_risk_table_says_so(tmp_path, capsys):
    assert main(write_curve(tmp_path, risk="arm,0,6,12\ndrug,40,39,38\ncontrol,38,15,5\n")) == 1
    assert "error: drug: curve not followed" in capsys.readouterr().out


def test_unnamed_curves_take_the_names_of_the_risk_table(tmp_path, capsys):
    assert main(write_curve(tmp_path, points="0,1\n6,0.62\n12,0.37\n", risk="arm,0,6,12\nDrug,40,24,9\n")) == 0
    assert "Drug, 3 points; proportion" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--events", "placebo=3"], "expected Drug=N or Control=N"),
        (["--time-unit", "fortnights"], "expected months, weeks, days or years"),
        (["--endpoint", "happiness"], "endpoint"),
        (["--n", "41"], "name the arm as in the files"),
    ],
)
def test_wrong_options_of_curve_are_named(more, says, tmp_path, capsys):
    assert main([*write_curve(tmp_path), *more]) == 1
    assert says in capsys.readouterr().err


def test_arms_that_do_not_match_are_named(tmp_path, capsys):
    assert main(write_curve(tmp_path, risk=RISK.replace("Drug", "Placebo"))) == 1
    assert "name them alike" in capsys.readouterr().err


def test_a_report_of_ones_own_becomes_a_picture_files_and_a_paragraph(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "mine"]) == 0
    assert main(["new", "mine"]) == 1  # it is there
    assert main(["data", "check", "."]) == 0
    files = {"--plot": "curves.png", "--csv": "patients.csv", "--adtte": "adtte.csv"}
    command = ["reconstruct", "mine.toml", "--members", "10", *(word for pair in files.items() for word in pair)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Progression-free survival of 298 patients was reconstructed from the published" in shown
    patients, adtte = pd.read_csv("patients.csv"), pd.read_csv("adtte.csv")
    assert (len(patients), len(adtte)) == (2980, 298)
    assert adtte[["STUDYID", "PARAMCD", "SYNTHFL"]].drop_duplicates().to_numpy().tolist() == [["MINE", "PFS", "Y"]]
    assert (adtte["CNSR"] == 0).sum() == 96 + 117
    assert (tmp_path / "curves.png").stat().st_size > 20_000
    assert main(command) == 1
    assert "a file that is not there yet" in capsys.readouterr().err


def test_a_trial_of_several_comparisons_is_asked_for_one(capsys):
    assert main(["reconstruct", "bolero-2"]) == 1
    assert "say --comparison ID" in capsys.readouterr().err
    assert main(["reconstruct", "no-such-trial"]) == 1


def test_warm_runs_each_kind_of_compiled_work(capsys):
    assert main(["warm"]) == 0
    said = capsys.readouterr().out
    assert [line.split("  ")[0] for line in said.splitlines()] == [
        "reconstruction",
        "simulation of trials",
        "endpoints",
        "all",
    ]
