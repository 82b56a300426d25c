"""``data check`` passes the committed files and fails a broken copy; ``data show`` and Jupyter show every number."""

import os
import shutil

import pytest

from analysis.cli import main
from analysis.reported import available, data_directory, load


def run(*arguments):
    return main(["data", *(str(argument) for argument in arguments)])


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(data_directory(), tmp_path / "reported_data")


def edit(folder, name, old, new):
    path = folder / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_committed_data_pass_with_their_findings_listed_as_known(capsys):
    assert run("check") == 0
    printed = capsys.readouterr().out
    assert "known warning: bolero-2, os-final: p-against-interval" in printed
    assert "known error: caboavenec, alive: count-against-share: 17 of 19 is 89.5%" in printed
    assert f"{len(available())} trials, 7 known findings; in order" in printed


def test_a_new_contradiction_fails(copy, capsys):
    edit(copy, "bolero-2", 'name = "everolimus", n = 485, median = 31.0', 'name = "everolimus", n = 485, median = 35.0')
    assert run("check", copy) == 1
    printed = capsys.readouterr().out
    assert "NEW error: bolero-2, os-final: estimate-outside-interval" in printed
    assert "NOT in order" in printed


def test_a_file_that_cannot_be_read_fails_and_the_others_are_still_checked(copy, capsys):
    edit(copy, "avenec", "n = 60", "n = -60")
    assert run("check", copy) == 1
    printed = capsys.readouterr()
    assert "avenec.toml: comparisons[pfs].arms[avelumab].n: got -60" in printed.err
    assert "known warning: xenera-1" in printed.out


def test_a_warning_that_is_new_is_shown_and_does_not_fail(copy, capsys):
    edit(copy, "emerald", 'check = "asymmetric-interval"', 'check = "counts"')
    assert run("check", copy) == 0
    printed = capsys.readouterr().out
    assert "NEW warning: emerald, pfs-cdk46i-12-months-esr1-mutated: asymmetric-interval" in printed
    assert "gone: emerald, pfs-cdk46i-12-months-esr1-mutated: counts no longer occurs" in printed


def test_an_empty_folder_is_an_error(tmp_path, capsys):
    assert run("check", tmp_path) == 1
    assert "no *.toml files" in capsys.readouterr().err


@pytest.mark.parametrize("name", available())
def test_a_shown_trial_holds_every_number_and_source(name, capsys):
    assert run("show", name) == 0
    text, html, trial = capsys.readouterr().out, load(name)._repr_html_(), load(name)
    frame = trial.to_frame()
    shown = frame[~frame["quantity"].isin(["median_follow_up", "assessment_interval"])]
    for printed in shown["printed"]:
        assert printed.splitlines()[0][:60] in text
    for source in trial.sources:
        assert source.key in text
        assert source.key in html
    assert "NaN" not in html
    assert "nan" not in text.split()


def test_show_without_a_name_lists_the_trials(capsys):
    assert run("show") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(available())


def test_show_of_an_unknown_trial_offers_the_nearest(capsys):
    assert run("show", "xenera") == 1
    assert "did you mean xenera-1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe"), "not UTF-8 text"),
        (lambda path: path.write_text("sources = 5"), "sources: got 5"),
        (lambda path: path.write_text("a = " + "[" * 3000 + "]" * 3000), "nested too deeply"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: os.mkfifo(path), "not a file"),
        (lambda path: path.symlink_to(path.with_name("ring.toml")), "cannot be read"),
    ],
    ids=["bytes", "sources", "nested", "folder", "fifo", "ring"],
)
def test_one_bad_file_does_not_end_the_check_of_the_others(copy, capsys, spoil, says):
    spoil(copy / "zzz.toml")
    if says == "cannot be read":
        (copy / "ring.toml").symlink_to(copy / "zzz.toml")
    assert run("check", copy) == 1
    printed = capsys.readouterr()
    assert "zzz.toml" in printed.err
    assert says in printed.err
    assert "known warning: xenera-1" in printed.out


def test_a_byte_order_mark_is_no_error(copy):
    path = copy / "xenera-1.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run("check", copy) == 0


def test_the_frame_is_tidy_in_the_units_of_the_library():
    frame = load("caboavenec").to_frame()
    [row] = frame[(frame["entry"] == "pfs-interim") & (frame["quantity"] == "median")].to_dict("records")
    assert (row["arm"], row["printed"], row["unit"], row["sources"]) == (
        "cabozantinib-avelumab",
        "48.1",
        "weeks",
        "esmo-2023",
    )
    assert row["value"] == pytest.approx(48.1 * 7 / 30.4375)
    assert row["lower"] < row["value"] < row["upper"]
