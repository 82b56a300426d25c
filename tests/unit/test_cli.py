"""The command line: exit codes, names, and errors that say what to do."""

import subprocess
import sys
from pathlib import Path

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
    assert "did you mean bolero2-pfs" in capsys.readouterr().err
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
