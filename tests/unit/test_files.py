"""Values in files: they come back with every bit, whole or not at all, whoever else writes."""

import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from analysis import reconstruct
from analysis.conventions import from_file, from_json, identity, json_schema, to_file, to_json
from analysis.conventions.whole import alone, written_whole
from analysis.errors import InvalidValueError
from analysis.quality_of_life import Deterioration
from analysis.reported import ReportedArm, ReportedComparison, TrialTimeline, available, load
from analysis.studies import remembered as module
from analysis.studies.remembered import FOLDER, remembered
from analysis.survival import Tabulated, Weibull


@pytest.fixture(scope="module")
def trial():
    arms = [ReportedArm("drug", n=40, events=30, median="9.1"), ReportedArm("control", n=40, events=33, median="6.0")]
    first = ReportedComparison("PFS", arms, control="control", id="pfs")
    arms = [ReportedArm("drug", n=40, events=20), ReportedArm("control", n=40, events=24)]
    last = ReportedComparison("OS", arms, control="control", id="os")
    timeline = TrialTimeline(first_patient_in=date(2010, 1, 31), last_patient_in=10.0, cutoffs={"os": 30, "pfs": 30})
    return reconstruct([first, last], members=3, rng=4, timeline=timeline)


def test_a_reconstructed_trial_comes_back_with_every_bit(trial, tmp_path):
    back = from_file(to_file(trial, tmp_path / "trial.npz"))
    assert identity(back.analyses["pfs"].time) == identity(trial.analyses["pfs"].time)
    assert identity(back.endpoints["OS"].left_at) == identity(trial.endpoints["OS"].left_at)
    assert identity(back.entry) == identity(trial.entry)
    assert back.timeline == trial.timeline
    assert back.analysis("os").comparison == trial.analysis("os").comparison
    pd.testing.assert_frame_equal(back.analysis("pfs").fidelity(), trial.analysis("pfs").fidelity())
    t = [3.0, 29.0, 60.0]
    np.testing.assert_array_equal(
        back.analysis("os").survival_by_member("drug", t), trial.analysis("os").survival_by_member("drug", t)
    )
    assert identity(back.analysis("os").arm("drug")) == identity(trial.analysis("os").arm("drug"))


def test_json_knows_dates(trial):
    assert from_json(to_json(trial.timeline)) == trial.timeline
    with pytest.raises(InvalidValueError, match="a date as to_json writes it"):
        from_json('{"kind": "date", "value": "31.1.2010"}')


def test_tables_come_back_with_their_types(tmp_path):
    frame = pd.DataFrame({"n": [1, 2], "rate": [np.nan, 0.1], "arm": ["a", None], "met": [True, False]})
    pd.testing.assert_frame_equal(from_file(to_file(frame, tmp_path / "t.npz")), frame)
    with pytest.raises(InvalidValueError, match="reset_index"):
        to_file(frame.set_index("n"), tmp_path / "u.npz")


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "words", "missing", "folder"])
def test_a_damaged_file_is_named(damage, tmp_path):
    path = to_file(Tabulated(np.linspace(1, 50, 200), np.linspace(1, 0.1, 200)), tmp_path / "curve.npz")
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "flipped":
        path.write_bytes(whole[:700] + bytes([whole[700] ^ 255]) + whole[701:])
    elif damage == "words":
        np.savez(path, words=np.frombuffer(json.dumps({"kind": "array", "of": "f8"}).encode(), np.uint8))
    elif damage == "missing":
        path.unlink()
    else:
        path = tmp_path
    with pytest.raises(InvalidValueError, match=r"path: got .*expected a whole file as to_file writes it"):
        from_file(path)


def begin(path, stopped_by):
    with written_whole(path) as draft:
        draft.write_text("begun")
        raise stopped_by


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    with pytest.raises(InvalidValueError, match="expected a file that can be written"):
        to_file(Weibull(1, 2), tmp_path / "no folder" / "w.npz")
    with pytest.raises(InvalidValueError, match="No space left on device"):
        begin(tmp_path / "full", OSError(28, "No space left on device"))
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path / "stopped", KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []


MANY = """
import sys, json
from pathlib import Path
from analysis.conventions.whole import alone, written_whole
path, own = Path(sys.argv[1]), sys.argv[2]
for k in range(40):
    with alone(path):
        entries = json.loads(path.read_text()) if path.exists() else []
        with written_whole(path) as draft:
            draft.write_text(json.dumps([*entries, f"{own}{k}"]))
"""


def test_processes_that_write_one_file_lose_nothing_of_each_other(tmp_path):
    path = tmp_path / "manifest.json"
    running = [subprocess.Popen([sys.executable, "-c", MANY, str(path), name]) for name in "abc"]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert sorted(json.loads(path.read_text())) == sorted(f"{name}{k}" for name in "abc" for k in range(40))
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]


def test_the_lock_of_a_process_that_is_gone_holds_nobody(tmp_path):
    path = tmp_path / "manifest.json"
    lock = tmp_path / ".manifest.json.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    with alone(path):
        assert lock.exists()
    assert not lock.exists()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lock.write_text(f"{gone.pid} {platform.node()}")
    with alone(path):
        assert lock.read_text().startswith(str(os.getpid()))
    assert not lock.exists()


def slow_table(asked, answers):
    @remembered
    def table(n: int, step: float = 1.0) -> pd.DataFrame:
        asked.append(n)
        return answers(n, step)

    return table


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path / "answers"))
    monkeypatch.setattr("analysis.studies.remembered.WORTH_KEEPING", 0.0)
    return tmp_path / "answers"


def frame_of(n, step):
    return pd.DataFrame({"x": np.arange(n) * step})


def test_an_answer_is_kept_between_processes_by_what_it_rests_on(folder, monkeypatch):
    asked: list[int] = []
    first = slow_table(asked, frame_of)(3)
    again = slow_table(asked, frame_of)(n=3, step=1.0)
    assert asked == [3]
    pd.testing.assert_frame_equal(first, again)
    slow_table(asked, frame_of)(3, 2.0)
    slow_table(asked, frame_of)(4)
    assert asked == [3, 3, 4]
    monkeypatch.setattr("analysis.studies.remembered._code", lambda: "other code")
    slow_table(asked, frame_of)(3)
    assert asked == [3, 3, 4, 3]


ASKED = """
import sys, time
import pandas as pd
from analysis.studies import remembered as module
module.WORTH_KEEPING = 0.0

@module.remembered
def slow(n: int) -> pd.DataFrame:
    with open(sys.argv[1], "a") as file:
        file.write("computed ")
    time.sleep(1.0)
    return pd.DataFrame({"x": [n]})

assert slow(3)["x"].tolist() == [3]
"""


def test_two_processes_with_one_question_compute_it_once(tmp_path, folder):
    script = tmp_path / "ask.py"
    script.write_text(ASKED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(tmp_path / "log")]
    running = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "computed "
    assert not list(folder.rglob(".*.lock"))


def test_a_damaged_answer_is_computed_anew(folder):
    asked: list[int] = []
    slow_table(asked, frame_of)(3)
    (kept,) = folder.rglob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    pd.testing.assert_frame_equal(slow_table(asked, frame_of)(3), frame_of(3, 1.0))
    assert asked == [3, 3]


@pytest.mark.parametrize(
    "answer", [lambda n, step: pd.Categorical([n, step]), lambda n, step: pd.DataFrame({"x": pd.Categorical([n])})]
)
def test_what_would_not_come_back_the_same_is_not_kept(folder, answer):
    asked: list[int] = []
    slow_table(asked, answer)(3)
    slow_table(asked, answer)(3)
    assert asked == [3, 3]
    assert list(folder.rglob("*.npz")) == []


def test_answers_do_without_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("analysis.studies.remembered.WORTH_KEEPING", 0.0)
    (tmp_path / "file").touch()
    for named in ("", str(tmp_path / "file" / "below")):
        monkeypatch.setenv(FOLDER, named)
        asked: list[int] = []
        slow_table(asked, frame_of)(3)
        slow_table(asked, frame_of)(3)
        assert asked == [3, 3]


def test_what_is_written_as_json_follows_the_schema(trial):
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    arms = [ReportedArm("drug", n=30, events=20, median="9.1")]
    things = [
        Weibull(1.2, 10),
        Tabulated([6, 12], [0.8, 0.4]),
        trial.timeline,
        load("bolero-2"),
        Deterioration(kind="confirmed"),
        trial.analysis("os").comparison,
        reconstruct(ReportedComparison("OS", arms), members=2, rng=1),
        [Weibull(1.2, 10), {"a": float("inf")}],
    ]
    for thing in things:
        assert not list(validator.iter_errors(json.loads(to_json(thing))))
    assert list(validator.iter_errors({"kind": "survival.Weibull", "shape": 1.2}))
    assert list(validator.iter_errors({"kind": "survival.Weibull", "shape": 1.2, "scale": 10, "colour": 1}))
    assert list(validator.iter_errors({"kind": "survival.Nothing"}))
    assert list(validator.iter_errors([{"shape": 1.2}]))


def test_an_error_of_the_schema_says_where_in_the_value_it_is():
    """It said that a trial is not valid under any of the schemas, after a walk through all of them at every depth."""
    document = json.loads(to_json(load("bolero-2")))
    document["comparisons"][1]["arms"][0]["patients"] = 239
    [error] = jsonschema.Draft202012Validator(json_schema()).iter_errors(document)
    assert list(error.absolute_path) == ["comparisons", 1, "arms", 0]
    assert "'patients' was unexpected" in error.message


@pytest.mark.parametrize("name", available())
def test_a_reported_trial_comes_back_from_json(name):
    trial = load(name)
    assert from_json(to_json(trial)) == trial


def test_the_code_that_an_answer_rests_on_is_all_code_and_all_data(tmp_path, monkeypatch):
    (tmp_path / "trial.toml").write_text("a = 1")
    monkeypatch.setattr(module, "data_directory", lambda: tmp_path)
    first = module._code.__wrapped__()
    assert module._code.__wrapped__() == first
    (tmp_path / "trial.toml").write_text("a = 2")
    second = module._code.__wrapped__()
    (tmp_path / "other.toml").write_text("a = 2")
    assert len({first, second, module._code.__wrapped__()}) == 3
    monkeypatch.setattr(module, "version", lambda name: "0")
    assert module._code.__wrapped__() not in (first, second)
