"""The command line: exit codes, names, and errors that say what to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import analysis
from analysis.cli import main
from analysis.conventions import from_file

ROOT = Path(__file__).parents[2]


def test_version(capsys):
    assert main(["--version"]) == 0
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
        (["--n", "Drug=41", "--n", "Drug=40"], "keep 41 or 40"),
        (["--events", "Drug=500"], "arms['Drug'].events: got '500'"),
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
    files = {"--plot": "curves.png", "--csv": "patients.csv", "--adtte": "adtte.csv", "--table": "table.rtf"}
    command = ["reconstruct", "mine.toml", "--members", "10", *(word for pair in files.items() for word in pair)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Progression-free survival of 298 patients was reconstructed from the published" in shown
    patients, adtte = pd.read_csv("patients.csv"), pd.read_csv("adtte.csv")
    assert (len(patients), len(adtte)) == (2980, 298)
    assert adtte[["STUDYID", "PARAMCD", "SYNTHFL"]].drop_duplicates().to_numpy().tolist() == [["MINE", "PFS", "Y"]]
    assert (adtte["CNSR"] == 0).sum() == 96 + 117
    assert (tmp_path / "curves.png").stat().st_size > 20_000
    assert "was reconstructed from the published" in (tmp_path / "table.rtf").read_text(encoding="ascii")
    assert main(command) == 1
    assert "a file that is not there yet" in capsys.readouterr().err


def test_reports_of_the_same_patients_are_met_together(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(TWO_ENDPOINTS, encoding="utf-8")
    assert main(["reconstruct", "mine.toml", "--comparison", "os", "--with", "pfs", "--members", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["paragraph"].startswith("Overall survival of 120 patients")
    assert "together with pfs of the same patients), seed 1" in found["paragraph"]
    assert [row["reported"] for row in found["summary"] if row["quantity"] == "median, months"] == ["20.2", "525 days"]
    assert main(["reconstruct", "mine.toml", "--comparison", "os", "--with", "dfs"]) == 1
    assert "dfs" in capsys.readouterr().err


def test_a_trial_of_several_comparisons_is_asked_for_one(capsys):
    assert main(["reconstruct", "bolero-2"]) == 1
    assert "say --comparison ID" in capsys.readouterr().err
    assert main(["reconstruct", "no-such-trial"]) == 1


TWO_ENDPOINTS = """
title = "Two endpoints"
summary = "Units beside the numbers, no time_unit."
[arms]
new = "new"
old = "old"
[sources.paper]
citation = "A paper"
kind = "abstract"
[[comparisons]]
id = "pfs"
endpoint = "PFS"
sources = ["paper"]
status = "published"
control = "old"
arms = [{ name = "new", n = 60, median = "10.1 months" }, { name = "old", n = 60, median = "7.4 months" }]
[[comparisons]]
id = "os"
endpoint = "OS"
sources = ["paper"]
status = "published"
control = "old"
arms = [{ name = "new", n = 60, median = "20.2 months" }, { name = "old", n = 60, median = "525 days" }]
"""
DESIGN_FILES = ("power.png", "power.csv", "report.html", "report.docx", "report.rtf", "report.pdf")


def test_a_planned_trial_becomes_a_power_a_picture_and_reports(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "mine", "--design"]) == 0
    text = Path("mine.toml").read_text().replace("trials = 10000", "trials = 500")
    Path("mine.toml").write_text(text)
    assert main(["check", "mine.toml"]) == 0
    capsys.readouterr()
    assert main(["power", "mine.toml", "--plot", "power.png", "--csv", "power.csv"]) == 0
    shown = capsys.readouterr().out
    assert "100 patients are randomised 1:1" in shown
    assert "simulated type I error" in shown
    assert max(map(len, shown.partition("method  power")[2].splitlines())) < 100
    for name in DESIGN_FILES[2:]:
        assert main(["report", "mine.toml", name]) == 0
    assert all(Path(name).stat().st_size > 100 for name in DESIGN_FILES)
    capsys.readouterr()
    assert main(["report", "mine.toml", "report.html"]) == 1
    assert "a file that is not there yet" in capsys.readouterr().err
    assert main(["report", "mine.toml", "report.odt"]) == 1
    assert "ends in .html, .docx, .rtf, .pdf" in capsys.readouterr().err


def test_json_is_one_object_and_nothing_else(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["new", "mine", "--design"])
    Path("mine.toml").write_text(Path("mine.toml").read_text().replace("trials = 10000", "trials = 0"))
    capsys.readouterr()
    assert main(["power", "mine.toml", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["power"] == pytest.approx(0.5498, abs=5e-5)
    assert answer["methods"][0]["method"] == "exact moments"
    main(["new", "report"])
    capsys.readouterr()
    assert main(["reconstruct", "report.toml", "--members", "3", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["findings"] == [] or all(isinstance(found, str) for found in answer["findings"])
    assert {row["quantity"] for row in answer["summary"]} >= {"events", "median, months", "hazard ratio"}
    assert main(["data", "show", "bolero-2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trial"] == "bolero-2"


def test_check_reads_a_report_and_says_what_contradicts_itself(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["new", "mine"])
    assert main(["check", "mine.toml"]) == 0
    Path("mine.toml").write_text(Path("mine.toml").read_text().replace("[9.2, 13.4]", "[11.9, 13.4]"))
    assert main(["check", "mine.toml"]) == 1
    assert "NEW error: mine, pfs: estimate-outside-interval" in capsys.readouterr().out
    assert main(["check", "nowhere.toml"]) == 1
    assert "nowhere.toml: cannot be read" in capsys.readouterr().err


def test_an_adtte_is_a_transport_file_that_pandas_reads_back(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["new", "mine"])
    command = ["reconstruct", "mine.toml", "--members", "2", "--save", "all.npz"]
    assert main([*command, "--adtte", "adtte.xpt", "--csv", "ipd.csv"]) == 0
    read, labels = pyreadstat.read_xport("adtte.xpt")
    assert labels.column_names_to_labels["CNSR"] == "Censor"
    ipd = pd.read_csv("ipd.csv").query("member == 0")
    assert list(read.columns)[:4] == ["STUDYID", "USUBJID", "TRTP", "TRTPN"]
    np.testing.assert_allclose(read["AVAL"], ipd["time"], rtol=1e-13)
    assert (read["CNSR"] == 1 - ipd["event"].to_numpy()).all()
    assert from_file("all.npz").members == 2
    text = Path("mine.toml").read_text().replace('name = "new"', 'name = "d\N{LATIN SMALL LETTER E WITH ACUTE}"')
    Path("other.toml").write_text(text.replace("new = ", '"d\N{LATIN SMALL LETTER E WITH ACUTE}" = '), "utf-8")
    assert main(["reconstruct", "other.toml", "--members", "2", "--adtte", "other.xpt"]) == 1
    assert "ASCII of at most 200 letters" in capsys.readouterr().err
    assert not Path("other.xpt").exists()


def test_notebooks_are_copied_and_never_overwritten(tmp_path, capsys):
    assert main(["notebooks", str(tmp_path / "own")]) == 0
    assert len(list((tmp_path / "own").glob("*.ipynb"))) == len(list((ROOT / "notebooks").glob("*.ipynb"))) > 0
    assert main(["notebooks", str(tmp_path / "own")]) == 1
    assert "notebooks that are not there yet" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["notebooks", str(tmp_path / "file" / "below")]) == 1
    assert main(["lab", str(tmp_path / "nowhere")]) == 1


def test_wrong_usage_is_exit_code_2_with_the_nearest_command(capsys):
    assert main(["recnstruct", "x"]) == 2
    assert "reconstruct" in capsys.readouterr().err
    assert main(["reconstruct", "bolero-2", "--members", "many"]) == 2
    assert main(["power"]) == 2


def test_every_command_has_help_whose_examples_are_commands_with_options_that_exist(capsys):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.split("Commands:")[1]
    assert "..." not in listed, "the first sentence of a command is cut off"
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
    assert {
        "new",
        "check",
        "reconstruct",
        "power",
        "report",
        "curve",
        "endpoints",
        "figures",
        "notebooks",
        "lab",
    } <= set(names)
    for name in names:
        assert main([name, "--help"]) == 0
        shown = capsys.readouterr().out
        for example in re.findall(r"^  trial-analysis (.+)$", shown, flags=re.MULTILINE):
            words = example.split()
            assert words[0] == name
            for option in (word for word in words if word.startswith("--")):
                main([*words[: 2 if name == "data" else 1], "--help"])
                assert option in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell):
    words = {"_TRIAL_ANALYSIS_COMPLETE": f"complete_{shell}", "COMP_WORDS": "trial-analysis rec", "COMP_CWORD": "1"}
    words |= {"_TYPER_COMPLETE_ARGS": "trial-analysis rec", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    code = "from analysis.cli import main; main([])"
    ran = subprocess.run([sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True)
    assert "reconstruct" in ran.stdout


def test_interruption_and_what_is_not_installed_are_told(monkeypatch, capsys, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("analysis.reported.load", interrupted)
    assert main(["reconstruct", "bolero-2"]) == 130
    assert "what was finished is kept" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "docx", None)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    plan = tmp_path / "plan.toml"
    plan.write_text('title = "Simon"\n[single_arm]\nn = 30\nnull_rate = 0.15\nalternative_rate = 0.35\nalpha = 0.05\n')
    for ending in ("docx", "pdf"):
        assert main(["report", str(plan), str(tmp_path / f"report.{ending}")]) == 1
        assert "trial-outcome-analysis[reports]" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.toml"]
