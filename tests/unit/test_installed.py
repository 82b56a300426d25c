"""Installed anywhere: as a wheel without the repository, read-only, without a home."""

import ast
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from analysis import compiled

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, unpacked, as an installer would lay it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(autouse=True)
def place_of_this_process(monkeypatch):
    """Numba goes on afterwards where it kept its kernels before."""
    if "numba" in sys.modules:
        monkeypatch.setattr(sys.modules["numba"].config, "CACHE_DIR", sys.modules["numba"].config.CACHE_DIR)


def run(installed, code, cwd, **environment):
    environment = {**os.environ, "PYTHONPATH": str(installed), **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


def test_the_wheel_does_without_the_repository(installed, tmp_path):
    code = (
        "import analysis, sys; from analysis.cli import main; print(analysis.__file__);"
        "sys.exit(main(['data', 'check']) or main(['figures', '--list']) or main(['notebooks', 'mine']))"
    )
    done = run(installed, code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stdout
    assert "in order" in done.stdout
    assert "reconstruction-accuracy" in done.stdout
    assert len(list((tmp_path / "mine").glob("*.ipynb"))) == len(list((ROOT / "notebooks").glob("*.ipynb")))


def test_the_wheel_has_the_library_and_its_data_and_nothing_else(installed):
    top = {path.name for path in installed.iterdir()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"analysis"}
    assert (installed / "analysis/reported_data/bolero-2.toml").exists()
    assert not list(installed.rglob("test_*.py"))


def test_a_writable_installation_keeps_its_kernels_beside_it(monkeypatch):
    monkeypatch.setenv(compiled.NAMED, "")
    folder = compiled.place_for_kernels()
    assert folder.parent == Path(compiled.__file__).parent / "__pycache__"
    assert os.environ[compiled.NAMED] == str(folder)


def test_kernels_are_kept_where_the_user_says_and_a_worker_finds_them_there(monkeypatch, tmp_path):
    monkeypatch.setenv(compiled.NAMED, str(tmp_path))
    folder = compiled.place_for_kernels()
    assert folder.parent == tmp_path
    assert compiled.place_for_kernels() == folder  # a worker has the name of its parent's folder


def test_without_a_place_for_kernels_one_is_made_for_a_while_and_said(monkeypatch, capsys):
    monkeypatch.setenv(compiled.NAMED, "")
    monkeypatch.setattr(compiled.os, "access", lambda *_: False)
    removed = []
    monkeypatch.setattr(compiled.atexit, "register", lambda function, folder, **_: removed.append(folder))
    folder = compiled.place_for_kernels()
    assert folder.is_dir()
    assert os.environ[compiled.NAMED] == str(folder)
    assert removed == [str(folder.parent)]
    assert "set NUMBA_CACHE_DIR" in capsys.readouterr().err
    folder.rmdir()
    folder.parent.rmdir()


KERNELS = """
from analysis.simulation import simulate
from analysis.design import Assessments, AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.survival import Exponential
missed = Assessments.every(2.0, missed=0.3)
design = TrialDesign(n=50, accrual=UniformAccrual(12), looks=[Look(AtTime(24))], assessments=missed)
result = simulate(design, Scenario.proportional_hazards(Exponential(0.1), 0.6), trials=200, rng=1)
print(float(result.columns["events"].mean()))
"""


def test_an_edit_of_what_a_kernel_is_compiled_with_is_noticed(installed, tmp_path):
    """A kernel of another file says which visits are missed: Numba looks at the caller's file only."""
    site = tmp_path / "site"
    shutil.copytree(installed, site)
    before = run(site, KERNELS, tmp_path, NUMBA_CACHE_DIR="")
    assert before.returncode == 0, before.stderr
    streams = site / "analysis/engine/streams.py"
    edited = streams.read_text(encoding="utf-8").replace("0x9E3779B97F4A7C15", "0x9E3779B97F4A7C17")
    streams.write_text(edited, encoding="utf-8")
    after = run(site, KERNELS, tmp_path, NUMBA_CACHE_DIR="")
    anew = run(site, KERNELS, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "empty"))
    assert float(after.stdout) == float(anew.stdout) != float(before.stdout)


def test_kernels_that_nobody_used_for_long_are_thrown_away(monkeypatch, tmp_path):
    monkeypatch.setenv(compiled.NAMED, str(tmp_path))
    old, young, others = tmp_path / "kernels-old", tmp_path / "kernels-young", tmp_path / "others"
    for folder, age in ((old, 31), (young, 29), (others, 31)):
        folder.mkdir()
        os.utime(folder, (time.time() - age * 86400,) * 2)
    folder = compiled.place_for_kernels()
    assert sorted(tmp_path.iterdir()) == sorted([folder, young, others])


def test_every_file_that_kernels_are_compiled_from_counts():
    """Those of kernels, and of the rooms that they import constants and other kernels from."""
    rooms = set()
    for path in (ROOT / "analysis").rglob("*.py"):
        imports = [
            node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)
        ]
        if any(node.module == "numba" for node in imports):
            rooms.add(path.relative_to(ROOT / "analysis").parts[0])
            rooms |= {node.module.split(".")[1] for node in imports if (node.module or "").startswith("analysis.")}
    assert rooms - {"errors", "version"} <= set(compiled.ROOMS)  # no kernel raises, or knows its version


def others_may_read(folder):
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
@pytest.mark.skipif(not others_may_read(Path(sys.base_prefix)), reason="nobody cannot read this Python")
def test_a_read_only_installation_without_a_home_can_be_used(installed, tmp_path):
    nobody = "import os; os.setgid(65534); os.setuid(65534); os.environ['HOME'] = '/nonexistent'; "
    code = nobody + "import analysis.simulation, analysis.reconstruction; print('imported')"
    for path in (installed, *installed.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in installed.parents:
        if parent.stat().st_mode & 0o005 != 0o005 and "pytest" in str(parent):
            parent.chmod(0o755)
    done = run(installed, code, "/", NUMBA_CACHE_DIR="", XDG_CACHE_HOME="", PYTHONDONTWRITEBYTECODE="1")
    assert "imported" in done.stdout, done.stderr
    assert "compiled anew by each process" in done.stderr
