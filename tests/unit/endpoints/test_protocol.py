"""A protocol's file: each key read, each wrong one named, disease control derived by it."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli import main
from analysis.conventions import WEEK, replace
from analysis.design import Assessments
from analysis.endpoints import (
    Attendance,
    Censoring,
    Confirmation,
    Protocol,
    Rate,
    ResponseRule,
    Stein,
    Tumours,
    derive,
    read_study,
    simulate_endpoints,
    simulated_measurements,
)
from analysis.endpoints.disease_control import DEFINITIONS
from analysis.errors import AnalysisError, InvalidValueError, UnknownNameError
from analysis.plots import survival_plot
from analysis.safety import DosePlan
from tests import wrong_files


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("censoring = ", InvalidValueError, "a TOML file"),
        ("censor = 'fda'", UnknownNameError, "censoring"),
        ("censoring = 'ema'", UnknownNameError, "fda"),
        ("censoring = 'fda'", InvalidValueError, "longest_gap_days or assessments_weeks"),
        ("censoring = 'fda'\nassessments_weeks = [8]", InvalidValueError, "pairs of interval and end"),
        ("conventions = 'WHO'", UnknownNameError, "EORTC"),
        ("confirmation_days = 'four weeks'", InvalidValueError, "days"),
    ],
)
def test_a_protocol_that_cannot_be_read_is_named(text, error, says, tmp_path):
    (tmp_path / "protocol.toml").write_text(text)
    with pytest.raises(error, match=says):
        Protocol.read(tmp_path / "protocol.toml")


@pytest.mark.parametrize(
    "written", ["doses = 40", "[doses.CABO]\nevery = 1", "[doses.CABO]\nunit = 'mg'", "[doses.CABO]\ndose = 0"]
)
def test_a_plan_of_doses_that_is_none_is_refused(tmp_path, written):
    path = tmp_path / "protocol.toml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises((InvalidValueError, UnknownNameError), match="dose"):
        Protocol.read(path)


WHOLE = """
criteria = "iRECIST"
conventions = "EORTC"
dating = "CDISC"
confirm_progression_days = [28, 56]
stable_from_days = 49
confirmation_days = 28
censoring = "fda"
assessments_weeks = [[8, 24], [12]]
window_weeks = 1
disease_control_weeks = [8, 16]
disease_control = "control at landmark"
unconfirmed = "control"
clinical_benefit_weeks = 24
landmark_window_weeks = 1
emergent_days = 28
[doses.CABO]
dose = 40
every_days = 2
unit = "mg"
late_days = 1
"""


def test_every_key_of_a_protocol_is_read(tmp_path):
    path = tmp_path / "protocol.toml"
    path.write_text(WHOLE, encoding="utf-8")
    assert Protocol.read(path) == Protocol(
        criteria="iRECIST",
        rule=ResponseRule(True, True, confirm_from=28, confirm_until=56, dating="CDISC"),
        stable_from=49,
        confirmation=Confirmation(28),
        censoring=Censoring.fda(Assessments.changing([(8 * WEEK, 24 * WEEK), (12 * WEEK, None)], window=WEEK)),
        window=28,
        doses={"CABO": DosePlan(40, every=2, late=1)},
        landmarks=(56, 112),
        before=7,
        after=7,
        unconfirmed="control",
        benefit_from=168,
    )


def test_the_protocol_of_the_page_is_read(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "endpoints.md").read_text(encoding="utf-8")
    path = tmp_path / "protocol.toml"
    path.write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    assert {"DCR16W", "CBR", "CORR"} <= set(Protocol.read(path).endpoints)


def test_what_stands_in_a_protocol_is_refused_by_file_and_key_or_changes_it(tmp_path):
    path = tmp_path / "protocol.toml"
    path.write_text(WHOLE, encoding="utf-8")
    whole = Protocol.read(path)
    taken = 0
    for wrong in wrong_files.changed(WHOLE):
        path.write_text(wrong, encoding="utf-8")
        try:
            read = Protocol.read(path)
        except AnalysisError as error:
            said = str(error)
        else:
            taken, said = taken + 1, str(path)
            assert read != whole, wrong
        assert str(path) in said, wrong
    assert taken < 30


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("longest_gap_days = 126", "longest_gap_days: got 126; expected censoring beside it"),
        ("censoring = 'none'\nlongest_gap_days = 126", "censoring = .fda. beside it"),
        ("censoring = 'fda'\nlongest_gap_days = 126\nwindow_weeks = 1", "assessments_weeks beside it"),
        ("censoring = 'fda'\nassessments_weeks = [[8, 5], [12]]", "an end at least an interval after 0 months"),
        ("censoring = 'fda'\nassessments_weeks = [[8, 24], [6, 12]]", "an end at least an interval after"),
        ("censoring = 'fda'\nassessments_weeks = [[8]]\nwindow_weeks = 4", "window_weeks: got 4"),
        ("disease_control = 'control at landmark'", "disease_control_weeks beside it"),
        ("disease_control_weeks = [16]\nunconfirmed = 'control'", "only there is an iUPD"),
        ("confirm_progression_days = 28", "only there is an iUPD"),
        ("criteria = 'iRECIST'\nconfirm_progression_days = [56, 28]", "the first day before the last"),
        ("landmark_window_weeks = 2", "say a landmark"),
        ("disease_control_weeks = 16", r"write disease_control_weeks = \[16\]"),
        ("disease_control_weeks = [16, 16]", "say each once"),
        ("stable_from_days = -42", "stable_from_days: got -42"),
        ("clinical_benefit_weeks = 2", "clinical_benefit_weeks: got 2; expected more weeks"),
        (
            "criteria = 'iRECIST'\ndisease_control_weeks = [16]\nunconfirmed = 'control'\n"
            "disease_control = 'control until landmark'",
            "the others date progression as PFS does",
        ),
    ],
)
def test_a_key_that_would_say_nothing_is_refused(text, says, tmp_path):
    (tmp_path / "protocol.toml").write_text(text)
    with pytest.raises(InvalidValueError, match=says):
        Protocol.read(tmp_path / "protocol.toml")


SCANS = [  # of each patient: week and response
    ("1", "A", [(8, "iSD"), (16, "iSD"), (24, "iUPD"), (32, "iCPD")]),
    ("2", "A", [(8, "iPR"), (16, "iUPD"), (24, "iSD")]),
    ("3", "B", [(8, "iSD"), (18, "iPR")]),
    ("4", "B", [(8, "iUPD"), (12, "iCPD")]),
]
CONTROL_BY_HAND = [
    ("control at landmark", "failure", "YNYN"),
    ("control at landmark", "control", "YYYN"),
    ("control at landmark", "resolved later", "YYYN"),
    ("control until landmark", "failure", "YYYN"),  # the iUPD of 2 is resolved
    ("progression-free at landmark", "failure", "YYYN"),
]


@pytest.mark.parametrize(("how", "unconfirmed", "right"), CONTROL_BY_HAND)
def test_a_folder_gives_disease_control_at_the_weeks_of_its_protocol(how, unconfirmed, right, tmp_path):
    rows = [
        (subject, response, str(date(2024, 1, 1) + timedelta(weeks=week)))
        for subject, _, scans in SCANS
        for week, response in scans
    ]
    pd.DataFrame(rows, columns=["USUBJID", "RSSTRESC", "RSDTC"]).to_csv(tmp_path / "rs.csv", index=False)
    subjects = [(subject, arm, "2024-01-01") for subject, arm, _ in SCANS]
    pd.DataFrame(subjects, columns=["USUBJID", "TRT01P", "RANDDT"]).to_csv(tmp_path / "adsl.csv", index=False)
    text = (
        f"criteria = 'iRECIST'\ndisease_control_weeks = [16]\ndisease_control = '{how}'\nclinical_benefit_weeks = 24\n"
    )
    text += f"unconfirmed = '{unconfirmed}'\n" if how == "control at landmark" else ""
    (tmp_path / "protocol.toml").write_text(text)
    derived = read_study(tmp_path).derive(Protocol.read(tmp_path / "protocol.toml"))
    answers = derived.adrs().sort_values("USUBJID").groupby("PARAMCD")["AVALC"].agg("".join)
    assert (answers["DCR16W"], answers["CBR"], answers["DCR"]) == (right, "NYYN", "YYYN")
    assert "week 16" in Protocol.read(tmp_path / "protocol.toml").parameters["DCR16W"]
    summary = derived.summary()
    assert summary[summary["endpoint"] == "DCR"][["arm", "estimate"]].to_numpy().tolist() == [["A", 100], ["B", 50]]


def test_the_times_of_a_folder_are_drawn_by_arm(tmp_path):
    rs = [("1", "SD", "2024-03-06"), ("1", "PD", "2024-05-01"), ("2", "SD", "2024-03-06"), ("3", "PD", "2024-03-06")]
    pd.DataFrame(rs, columns=["USUBJID", "RSSTRESC", "RSDTC"]).to_csv(tmp_path / "rs.csv", index=False)
    subjects = [(name, arm, "2024-01-10") for name, arm in (("1", "drug"), ("2", "placebo"), ("3", "placebo"))]
    pd.DataFrame(subjects, columns=["USUBJID", "TRT01P", "RANDDT"]).to_csv(tmp_path / "adsl.csv", index=False)
    times = read_study(tmp_path).derive().adtte()
    assert times["TRTP"].tolist() == ["drug", "drug", "placebo", "placebo", "placebo"]  # PFS, and DDC but of 3
    shown = survival_plot(times[times["PARAMCD"] == "PFS"], control="placebo")
    assert shown.counts.set_index("arm")[0.0].to_dict() == {"drug": 1, "placebo": 2}


def test_the_shell_draws_each_reader(tmp_path, capsys):
    rows = [
        ("1", "A", 60, "2024-01-08"), ("1", "A", 40, "2024-03-06"), ("1", "B", 60, "2024-01-08"),
        ("1", "B", 90, "2024-03-06"), ("2", "A", 50, "2024-01-08"), ("2", "A", 75, "2024-03-06"),
        ("2", "B", 50, "2024-01-08"), ("2", "B", 52, "2024-03-06"),
    ]  # fmt: skip
    tr = pd.DataFrame(rows, columns=["USUBJID", "TREVAL", "TRSTRESC", "TRDTC"])
    tr.assign(TRLNKID="T1", TRGRPID="TARGET", TRTESTCD="LDIAM").to_csv(tmp_path / "tr.csv", index=False)
    subjects = [("1", "drug", "2024-01-10", "2024-06-01"), ("2", "placebo", "2024-01-10", "2024-05-01")]
    pd.DataFrame(subjects, columns=["USUBJID", "TRT01P", "RANDDT", "LSTALVDT"]).to_csv(
        tmp_path / "adsl.csv", index=False
    )
    command = ["endpoints", str(tmp_path), "--plots", str(tmp_path / "figures"), "--control", "placebo"]
    assert main(command) == 0
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert drawn == {f"{kind}-{reader}" for kind in ("pfs-tr", "waterfall", "swimmer") for reader in "ab"} | {"os-adsl"}
    assert main(command) == 1
    assert "files that are not there yet" in capsys.readouterr().err
    assert main([*command[:-3], str(tmp_path / "others"), "--control", "plazebo"]) == 1
    assert "placebo" in capsys.readouterr().err
    assert not (tmp_path / "others").exists()


def test_a_protocol_simulates_what_it_derives():
    visits = Assessments([8 * WEEK, 16 * WEEK, 24 * WEEK], window=0.1, missed=0.1)
    tumours = Tumours(
        Stein(Rate(0.12, between_patients=0.6), Rate(0.08, between_patients=1.0)), new_lesions=0.12, death=0.04
    )
    protocol = Protocol("iRECIST", landmarks=(112,), before=10, after=10, unconfirmed="resolved later")
    attendance = Attendance(visits, until=24 * WEEK)
    simulated = simulate_endpoints(tumours, attendance, patients=40, trials=2, rng=1, definitions=protocol.definitions)
    for number, how in enumerate(DEFINITIONS):
        derived = derive(*simulated_measurements(simulated, trial=1))
        rows = derived.endpoints(replace(protocol, disease_control=how).endpoints, "iRECIST")
        control = rows[rows["endpoint"] == "DCR16W"].sort_values("subject")["value"] == "Y"
        assert control.tolist() == simulated.of().control[1, 1, :, 0, number].tolist()
        assert 0 < control.sum() < 40
