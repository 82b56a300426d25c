"""Full disks, closed outputs, interrupted and killed processes: a named error, nothing half written, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis.cli import main

LIMITED = """
import contextlib, io, json, os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import analysis.plots, analysis.planning, analysis.reconstruction
from analysis.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
found = {}
for command in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(command.split())
    found[command] = code, said.getvalue(), sorted(os.listdir())
print(json.dumps(found))
"""
MAIN = "import sys; from analysis.cli import main; sys.exit(main(sys.argv[1:]))"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and signals of POSIX")


def start(code, *arguments, cwd, **more):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def run(code, *arguments, cwd, **more):
    process = start(code, *arguments, cwd=cwd, **more)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "mine"]) == main(["new", "plan", "--design"]) == 0
    plan = tmp_path / "plan.toml"
    plan.write_text(plan.read_text().replace("trials = 10000", "trials = 0"))
    return tmp_path


def test_a_full_disk_is_named_and_leaves_nothing_half_written(folder):
    before = sorted(path.name for path in folder.iterdir())
    reconstruct = "reconstruct mine.toml --members 3"
    commands = [
        *(f"{reconstruct} {option}" for option in ("--csv o.csv", "--plot o.png", "--save o.npz", "--adtte o.csv")),
        f"{reconstruct} --adtte o.xpt",
        *(f"report plan.toml o.{ending}" for ending in ("html", "docx", "rtf", "pdf")),
        "figures --only reconstruction-accuracy --out .",
    ]
    code, out, err = run(LIMITED, json.dumps(commands), cwd=folder)
    assert (code, err) == (0, "")
    for command, (code, said, left) in json.loads(out).items():
        assert code == 1, command
        assert "expected a file that can be written" in said, command
        assert left == before, command


def test_an_output_that_is_full_is_named(folder):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-c", MAIN, "data", "show", "bolero-2"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert process.returncode == 1
    assert "No space left on device" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_terminal_without_utf_8_is_no_reason_to_stop(folder, environment):
    code, out, err = run(MAIN, "data", "show", "bolero-2", cwd=folder, env={**os.environ, **environment})
    assert (code, err) == (0, "")
    assert "0.45 (0.38-0.54)" in out


@pytest.mark.parametrize("environment", [{"MPLBACKEND": "TkAgg", "DISPLAY": ""}, {"HOME": "/nonexistent"}])
def test_pictures_need_no_display_and_no_home(folder, environment):
    plot = ["power", "plan.toml", "--plot", "power.png"]
    code, _, err = run(MAIN, *plot, cwd=folder, env={**os.environ, **environment})
    assert code == 0, err
    assert (folder / "power.png").stat().st_size > 5000


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_what_is_stopped_while_it_writes_leaves_whole_files_and_goes_on_the_same(folder, sent):
    arguments = ["figures", "--only", "reconstruction-accuracy", "--only", "bolero4-pfs", "--out", "figures"]
    environment = {**os.environ, "TRIAL_ANALYSIS_CACHE": ""}
    process = start(MAIN, *arguments, cwd=folder, env=environment)
    first = folder / "figures" / "reconstruction-accuracy.csv"
    while not first.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    process.communicate(timeout=120)
    left = {path.name: path.read_bytes() for path in (folder / "figures").iterdir() if not path.name.startswith(".")}
    assert all(content for content in left.values())
    code, _, err = run(MAIN, *arguments, cwd=folder, env=environment)
    assert code == 0, err
    for name, content in left.items():
        if name != "manifest.json":
            assert (folder / "figures" / name).read_bytes() == content
    assert not list((folder / "figures").glob(".*.lock"))
