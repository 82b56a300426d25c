"""A study's folder in any form gives the same endpoints; what it lacks is named."""

import builtins
import struct
from pathlib import Path
from shutil import copy

import pandas as pd
import pyreadstat
import pytest

from analysis.cli import main
from analysis.conventions import DAYS_PER_MONTH
from analysis.endpoints import read_study
from analysis.errors import InvalidValueError
from analysis.plots import survival_plot
from analysis.survival.estimators import kaplan_meier

TR = pd.DataFrame(
    [
        ("MINE", "1", "T01", "TARGET", "LDIAM", "50", 1.0, "SCREENING", "2024-01-05"),
        ("MINE", "1", "T01", "TARGET", "LDIAM", "30", 2.0, "WEEK 8", "2024-03-06"),
        ("MINE", "1", "T01", "TARGET", "LDIAM", "60", 3.0, "WEEK 16", "2024-05-01"),
        ("MINE", "2", "T01", "TARGET", "LDIAM", "40", 1.0, "SCREENING", "2024-01-05"),
        ("MINE", "2", "T01", "TARGET", "LDIAM", "38", 2.0, "WEEK 8", "2024-03-06"),
    ],
    columns=["STUDYID", "USUBJID", "TRLNKID", "TRGRPID", "TRTESTCD", "TRSTRESC", "VISITNUM", "VISIT", "TRDTC"],
)
RS = pd.DataFrame(
    {"STUDYID": "MINE", "USUBJID": ["1", "2"], "RSSTRESC": ["PR", "SD"], "RSDTC": "2024-03-06", "VISITNUM": [2.0, 2.0]}
)
ADSL = pd.DataFrame({"STUDYID": "MINE", "USUBJID": ["1", "2"], "RANDDT": [23385.0, 23385.0]})  # SAS days: 2024-01-10
SAS7BDAT = Path(__file__).parent / "sas7bdat"
"""The same tables, written by haven 2.5.1 (write_sas) in R 4.2.2; of RS, TR pandas 2 cuts off names of last columns."""
TABLES = {"tr": TR, "RS": RS, "adsl": ADSL}


def ibm(value):
    """Write a number as SAS transport files do: IBM's double precision."""
    if value == 0:
        return bytes(8)
    exponent = 0
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    return bytes([64 + exponent]) + int(value * 2**56).to_bytes(7, "big")


def write_xpt(frame, path):
    """Write a SAS transport file, version 5."""
    widths = {c: 8 if frame[c].dtype.kind == "f" else max(map(len, frame[c])) for c in frame}
    stamp = b"01JAN24:00:00:00"

    def header(name, rest):
        return f"HEADER RECORD*******{name:8}HEADER RECORD!!!!!!!{rest:30}  ".encode()

    out = (
        header("LIBRARY", "0" * 30) + b"SAS     SAS     SASLIB  9.4     LINUX   " + b" " * 24 + stamp + stamp.ljust(80)
    )
    out += header("MEMBER", "000000000000000001600000000140") + header("DSCRPTR", "0" * 30)
    out += b"SAS     DATA    SASDATA 9.4     LINUX   " + b" " * 24 + stamp + stamp.ljust(80)
    out += header("NAMESTR", f"000000{len(frame.columns):04d}".ljust(30, "0"))
    place, described = 0, b""
    for k, (name, width) in enumerate(widths.items(), start=1):
        kind = 1 if frame[name].dtype.kind == "f" else 2
        text = name.encode().ljust(8), b" " * 40, b" " * 8
        described += struct.pack(
            ">hhhh8s40s8shhh2s8shhl52s", kind, 0, width, k, *text, 0, 0, 0, b"  ", b" " * 8, 0, 0, place, b""
        )
        place += width
    out += described.ljust(-(-len(described) // 80) * 80) + header("OBS", "0" * 30)
    rows = b"".join(
        b"".join(ibm(v) if isinstance(v, float) else v.encode().ljust(widths[c]) for c, v in row.items())
        for row in frame.to_dict("records")
    )
    path.write_bytes(out + rows.ljust(-(-len(rows) // 80) * 80))


def write(folder, kind):
    for name, frame in TABLES.items():
        if kind == "sas7bdat":
            copy(SAS7BDAT / f"{name.lower()}.sas7bdat", folder)
        elif kind == "xpt":
            write_xpt(frame, folder / f"{name}.xpt")
        elif kind == "parquet":
            frame.to_parquet(folder / f"{name}.parquet")
        else:
            frame.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet", "xpt", "sas7bdat"])
def test_a_folder_in_any_form_gives_the_same_endpoints(kind, tmp_path):
    derived = read_study(write(tmp_path, kind)).derive()
    adrs, adtte = derived.adrs(), derived.adtte()
    best = adrs[adrs["PARAMCD"] == "BOR"].set_index(["SRCDOM", "USUBJID"])["AVALC"].to_dict()
    assert best == {("TR", "1"): "PR", ("TR", "2"): "SD", ("RS", "1"): "PR", ("RS", "2"): "SD"}
    pfs = adtte[(adtte["PARAMCD"] == "PFS") & (adtte["SRCDOM"] == "TR")].set_index("USUBJID")
    assert pfs.loc["1", ["AVAL", "CNSR", "EVNTDESC"]].tolist() == [113, 0, "progression"]
    assert pfs.loc["2", ["AVAL", "CNSR", "EVNTDESC"]].tolist() == [57, 1, "last assessment"]
    assert {found.rule for found in derived.findings} == ({"SAS dates"} if kind != "sas7bdat" else set())
    assert derived.name == "MINE"


def test_the_medians_of_the_summary_are_those_of_adtte_and_of_its_figure(tmp_path):
    derived = read_study(write(tmp_path, "csv")).derive()
    times = derived.adtte()
    pfs = times[(times["PARAMCD"] == "PFS") & (times["SRCDOM"] == "TR")]
    months = kaplan_meier(pfs["AVAL"] / DAYS_PER_MONTH, pfs["CNSR"] == 0).median()
    summary = derived.summary()
    (row,) = summary[(summary["endpoint"] == "PFS") & (summary["SRCDOM"] == "TR")].to_dict("records")
    assert row["estimate"] == pytest.approx(months, rel=1e-12)
    said = survival_plot(pfs, annotate=["median"]).said["text"][0]
    assert f"{months:.1f} months" in said


def test_sas7bdat_has_all_names_dates_and_letters(tmp_path):
    study = read_study(write(tmp_path, "sas7bdat"))
    assert list(study.tables["rs"].columns) == ["STUDYID", "USUBJID", "RSSTRESC", "VISITNUM", "RSDTC"]
    assert list(study.tables["tr"].columns) == list(TR.columns)
    adsl = study.tables["adsl"]
    assert adsl["SITE"].tolist() == ["Köln", "Köln"]
    assert adsl["RANDDT"].tolist() == [pd.Timestamp(2024, 1, 10)] * 2
    assert adsl["DTHDT"].isna().all()
    assert adsl["SEX"].isna().tolist() == [True, False]


def test_what_reads_sas7bdat_is_named_where_it_is_missing(tmp_path, monkeypatch):
    write(tmp_path, "sas7bdat")
    known = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pyreadstat":
            raise ImportError(name)
        return known(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InvalidValueError, match=r"trial-outcome-analysis\[sas\]"):
        read_study(tmp_path)


@pytest.mark.parametrize("by", ["pyreadstat", "IBM's rules"])
def test_a_lesion_that_is_gone_is_0_mm_in_a_transport_file_too(by, tmp_path):
    tr = TR.drop(columns="TRSTRESC").assign(TRSTRESN=[50.0, 0.0, 0.0, 40.0, 38.0])
    if by == "pyreadstat":
        pyreadstat.write_xport(tr, str(tmp_path / "tr.xpt"), file_format_version=5)
    else:
        write_xpt(tr, tmp_path / "tr.xpt")
    write_xpt(ADSL, tmp_path / "adsl.xpt")
    study = read_study(tmp_path)
    assert study.tables["tr"]["TRSTRESN"].tolist() == [50.0, 0.0, 0.0, 40.0, 38.0]
    adrs = study.derive().adrs()
    assert adrs[adrs["PARAMCD"] == "BOR"].set_index("USUBJID")["AVALC"].to_dict() == {"1": "CR", "2": "SD"}


def test_the_shell_writes_tables_findings_and_an_explanation(tmp_path, capsys):
    write(tmp_path, "csv")
    (tmp_path / "protocol.toml").write_text('confirmation_days = 28\ncensoring = "fda"\nassessments_weeks = [[8]]\n')
    out = tmp_path / "derived"
    command = ["endpoints", str(tmp_path), "--protocol", str(tmp_path / "protocol.toml"), "--out", str(out)]
    assert main(command) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "adrs.csv", "adtte.csv", "findings.csv", "subjects.html", "summary.csv",
    ]  # fmt: skip
    assert "CBOR" in set(pd.read_csv(out / "adrs.csv")["PARAMCD"])
    page = (out / "subjects.html").read_text(encoding="utf-8")
    assert "<h2 id='1'>1</h2>" in page
    assert "-40% from baseline" in page
    assert main(command) == 1
    assert "files that are not there yet" in capsys.readouterr().err


def test_one_who_is_left_out_does_not_stop_the_others(tmp_path, capsys):
    write(tmp_path, "csv")
    wrong = TR.copy()
    wrong.loc[1, "TRSTRESC"] = "-3"
    wrong.to_csv(tmp_path / "tr.csv", index=False)
    assert main(["endpoints", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "diameter" in shown
    assert "SD" in shown


def two_studies(folder):
    RS.assign(STUDYID="OTHER").to_csv(folder / "RS.csv", index=False)


def twice(folder):
    TR.to_parquet(folder / "tr.parquet")


def without_subjects(folder):
    (folder / "adsl.csv").unlink()


def cut_off(folder):
    (folder / "tr.csv").unlink()
    (folder / "tr.xpt").write_bytes(b"HEADER RECORD*******LIBRARY HEADER")


def half_of_sas7bdat(folder):
    (folder / "tr.csv").unlink()
    whole = (SAS7BDAT / "tr.sas7bdat").read_bytes()
    (folder / "tr.sas7bdat").write_bytes(whole[: len(whole) // 2])


def no_sas7bdat(folder):
    (folder / "tr.csv").unlink()
    (folder / "tr.sas7bdat").write_bytes(b"not SAS" * 500)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (two_studies, "the tables of one study"),
        (twice, "one table TR"),
        (without_subjects, "ADSL or DM"),
        (cut_off, r"tr\.xpt.*write it again"),
        (half_of_sas7bdat, r"tr\.sas7bdat.*write it again"),
        (no_sas7bdat, r"tr\.sas7bdat.*write it again"),
    ],
)
def test_a_folder_that_cannot_be_read_is_named(broken, says, tmp_path):
    broken(write(tmp_path, "csv"))
    with pytest.raises(InvalidValueError, match=says):
        read_study(tmp_path)


def test_another_encoding_is_read_and_said(tmp_path):
    write(tmp_path, "csv")
    ADSL.assign(SITE="Köln").to_csv(tmp_path / "adsl.csv", index=False, encoding="cp1252")
    study = read_study(tmp_path)
    assert [found.rule for found in study.findings] == ["encoding"]
    assert study.subjects["SITE"].tolist() == ["Köln", "Köln"]


SAFETY = {
    "adsl": "USUBJID,ARM,RANDDT,TRTSDT,TRTEDT\n"
    "1,A,2024-01-10,2024-01-10,2024-03-09\n2,A,2024-01-10,2024-01-10,2024-03-09\n",
    "ae": "USUBJID,AEBODSYS,AEDECOD,AETOXGR,AESTDTC\n1,GI,Stomatitis,3,2024-02-01\n3,GI,Stomatitis,3,2024-02-01\n",
    "ex": "USUBJID,EXTRT,EXDOSE,EXSTDTC,EXENDTC\n1,CABO,40,2024-01-10,2024-02-08\n1,CABO,20,2024-02-09,2024-03-09\n",
    "ds": "USUBJID,DSDECOD,DSSTDTC\n1,ADVERSE EVENT,2024-03-09\n",
    "qs": "USUBJID,QSTESTCD,QSSTRESN,VISIT,QSDTC\n1,EOR0129,5,BASELINE,2024-01-09\n1,EOR0129,3,WEEK 8,2024-03-06\n",
}


def safety_folder(place, **tables):
    for name, written in (SAFETY | tables).items():
        (place / f"{name}.csv").write_text(written, encoding="utf-8")
    return place


def test_a_folder_without_responses_gives_safety_doses_and_quality_of_life(tmp_path, capsys):
    folder = safety_folder(tmp_path)
    protocol = tmp_path / "protocol.toml"
    protocol.write_text("emergent_days = 28\n[doses.CABO]\ndose = 40\n", encoding="utf-8")
    out = tmp_path / "derived"
    assert main(["endpoints", str(folder), "--protocol", str(protocol), "--out", str(out)]) == 1  # who is subject 3?
    shown = capsys.readouterr().out
    assert "Stomatitis" in shown
    assert "Global health status" in shown
    assert "unknown subject" in shown
    read = {path.stem: pd.read_csv(path) for path in out.iterdir()}
    assert sorted(read) == [
        "adverse-events",
        "adverse-events-rates",
        "adverse-events-worst-grade",
        "dose-changes",
        "exposure",
        "findings",
        "quality-of-life",
    ]
    assert read["exposure"]["relative_dose_intensity"].tolist() == [0.75]
    assert read["exposure"]["reason"].tolist() == ["ADVERSE EVENT"]
    assert read["adverse-events"][["patients", "of"]].to_numpy().tolist() == [[1, 2]]


def test_what_a_folder_lacks_is_named_when_it_is_asked_for(tmp_path):
    folder = safety_folder(tmp_path)
    study = read_study(folder)
    with pytest.raises(InvalidValueError, match="TR or RS"):
        study.derive().endpoints()
    (folder / "qs.csv").unlink()
    with pytest.raises(InvalidValueError, match="QS"):
        read_study(folder).quality_of_life()


def test_accepted_records_are_read_as_those_of_one_evaluator(tmp_path):
    rows = [
        ("1", "PR", "2024-03-06", "RADIOLOGIST 1", "Y"),
        ("1", "SD", "2024-03-06", "RADIOLOGIST 2", ""),
        ("1", "SD", "2024-05-01", "RADIOLOGIST 1", ""),
        ("1", "PD", "2024-05-01", "RADIOLOGIST 2", "Y"),
        ("2", "SD", "2024-03-06", "RADIOLOGIST 1", "Y"),
        ("2", "SD", "2024-03-06", "RADIOLOGIST 2", ""),
    ]
    columns = ["USUBJID", "RSSTRESC", "RSDTC", "RSEVALID", "RSACPTFL"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "rs.csv", index=False)
    ADSL.to_csv(tmp_path / "adsl.csv", index=False)
    adrs, adtte = (read_study(tmp_path).derive().adrs(), read_study(tmp_path).derive().adtte())
    best = adrs[adrs["PARAMCD"] == "BOR"].set_index(["RSEVAL" if "RSEVAL" in adrs else "EVALUATOR", "USUBJID"])["AVALC"]
    assert best["accepted records"].to_dict() == {"1": "PR", "2": "SD"}
    assert best["RADIOLOGIST 2"].to_dict() == {"1": "SD", "2": "SD"}
    ended = adtte[(adtte["PARAMCD"] == "PFS") & (adtte["USUBJID"] == "1")]
    assert set(ended["CNSR"]) == {0, 1}
