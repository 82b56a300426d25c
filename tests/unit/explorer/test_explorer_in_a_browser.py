"""The explorer as a reader has it: in JupyterLab and as a page of its own, in a headless Chromium."""

import json
import os
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest

from analysis import load, reconstruct
from analysis.explorer import Setting
from tests.browser import page_of, served

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "explorer.ipynb"
SAID = "[...document.querySelectorAll('p')].map(p => p.innerText).find(text => text.startsWith('Power '))"
HANDLE = """[...document.querySelectorAll('.widget-inline-hbox')]
    .find(box => box.innerText.startsWith('Hazard ratio')).querySelector('.noUi-handle')"""
CALL = "import sys; from analysis.cli import main; sys.exit(main(sys.argv[1:]))"
OPEN = """(() => {
    const shell = window.jupyterapp && window.jupyterapp.shell;
    const notebook = shell && [...shell.widgets('main')].find(one => one.title.label === 'explorer.ipynb');
    if (notebook) shell.activateById(notebook.id);
    const session = notebook && notebook.sessionContext.session;
    const ready = session && session.kernel && session.kernel.status === 'idle';
    return ready && window.jupyterapp.commands.isEnabled('notebook:run-all-cells');
})()"""


@pytest.fixture
def place(tmp_path):
    """Give a folder with the notebook, and the environment of a server that may run in it."""
    shutil.copy(NOTEBOOK, tmp_path)
    config = tmp_path / "config"
    config.mkdir()
    told = {"ServerApp": {"allow_root": True}, "LabApp": {"expose_app_in_browser": True}}
    (config / "jupyter_server_config.json").write_text(json.dumps(told), encoding="utf-8")
    (config / "jupyter_lab_config.json").write_text(json.dumps(told), encoding="utf-8")
    ours = {"JUPYTER_CONFIG_DIR": str(config), "JUPYTER_TOKEN": "of-a-test", "HOME": str(tmp_path)}
    return tmp_path, os.environ | ours


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def power_said(text):
    return re.match(r"Power ([\d.]+%)", text)[1]


@pytest.fixture(scope="module")
def expected():
    """Power by hazard ratio as the library says, of the notebook's control arm."""
    control = reconstruct(load("bolero-2").comparison("pfs-first-line-local"), members=100, rng=1).arm("everolimus")
    shown = {ratio: Setting(hazard_ratio=ratio, trials=0).show(control) for ratio in (0.6, 0.65)}
    return {ratio: f"{one.formula.power:.1%}" for ratio, one in shown.items()}


def moved(page, expected):
    """Move the hazard ratio one step to the right, and give the power that the page says there."""
    assert power_said(page.wait(SAID)) == expected[0.6]
    page.wait(f"document.querySelector('img[src^=blob], img[src^=data]') && {HANDLE}.focus() === undefined")
    page.press("ArrowRight")
    page.wait(f"{SAID}.startsWith('Power {expected[0.65]}')")
    assert "Scenario.proportional_hazards" in page.value("document.documentElement.textContent")
    return power_said(page.value(SAID))


@pytest.mark.parametrize("way", ["page", "lab"])
def test_a_slider_that_is_moved_moves_the_power(way, place, expected):
    folder, environment = place
    port = free_port()
    command = [sys.executable, "-c", CALL, "lab", str(folder), "--no-browser", f"--port={port}"]
    top = f"http://127.0.0.1:{port}"
    if way == "page":
        command.append("--explorer")
    address = top if way == "page" else f"{top}/lab/tree/explorer.ipynb?token=of-a-test"
    profile = folder / "profile"
    profile.mkdir()
    with (
        served(command, port, folder / "server.log", env=environment, cwd=folder),
        page_of(address, profile) as page,
    ):
        if way == "lab":
            page.wait(OPEN)
            page.value("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        assert moved(page, expected) == expected[0.65]
