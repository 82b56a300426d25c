"""Files of the digitisers: every layout they write gives the same points; what is none of them is refused by name."""

import io
import json
import tarfile

import numpy as np
import pytest

from analysis.errors import InvalidValueError, ReportedDataError
from analysis.reconstruction import read_at_risk, read_curves
from analysis.reported.number import UNITS

DRUG = [(0.0, 1.0), (3.1, 0.825), (6.0, 0.61)]
CONTROL = [(0.0, 1.0), (2.9, 0.71), (6.2, 0.4), (8.0, 0.31)]
LAYOUTS = {
    "WebPlotDigitizer, one data set": ("0,1\n3.1,0.825\n6.0,0.61\n", ["curve 1"]),
    "WebPlotDigitizer, all data sets": (
        "drug,,control,\nX,Y,X,Y\n0,1,0,1\n3.1,0.825,2.9,0.71\n6.0,0.61,6.2,0.4\n,,8.0,0.31\n",
        ["drug", "control"],
    ),
    "WebPlotDigitizer, decimal comma": (
        "drug;;control;\nX;Y;X;Y\n0;1;0;1\n3,1;0,825;2,9;0,71\n6,0;0,61;6,2;0,4\n;;8,0;0,31\n",
        ["drug", "control"],
    ),
    "Engauge, all curves on a line": (
        "x,drug,control\n0,1,1\n2.9,,0.71\n3.1,0.825,\n6.0,0.61,\n6.2,,0.4\n8,,0.31\n",
        ["drug", "control"],
    ),
    "Engauge, one curve after the other": (
        "x,drug\n0,1\n3.1,0.825\n6.0,0.61\n\nx,control\n0,1\n2.9,0.71\n6.2,0.4\n8,0.31\n",
        ["drug", "control"],
    ),
    "DigitizeIt, tabs": (
        '"x"\t"drug"\t"x"\t"control"\n0\t1\t0\t1\n3.1\t0.825\t2.9\t0.71\n6.0\t0.61\t6.2\t0.4\n\t\t8\t0.31\n',
        ["drug", "control"],
    ),
    "pairs without a heading": (
        "0,1,0,1\n3.1,0.825,2.9,0.71\n6.0,0.61,6.2,0.4\n,,8.0,0.31\n",
        ["curve 1", "curve 2"],
    ),
    "blanks": ("# digitised\n0 1\n3.1 0.825\n6.0 0.61\n", ["curve 1"]),
    "blanks, decimal comma": ("0 1\n3,1 0,825\n6,0 0,61\n", ["curve 1"]),
    "a column of arms": (
        "arm,time,survival\ndrug,0,1\ndrug,3.1,.825\ndrug,6,.61\ncontrol,0,1\ncontrol,2.9,.71\ncontrol,6.2,.4\ncontrol,8,.31\n",
        ["drug", "control"],
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_layout_gives_the_same_points(layout, encoding, tmp_path):
    text, names = LAYOUTS[layout]
    file = tmp_path / "points.csv"
    file.write_text(text, encoding=encoding)
    read = read_curves(file)
    assert (list(read.curves), read.unit) == (names, "proportion")
    for points, expected in zip(read.curves.values(), (DRUG, CONTROL), strict=False):
        assert sorted(map(tuple, points)) == sorted(expected)


def project(version):
    def points(arm):
        return [{"x": 1, "y": 2, "value": list(point)} for point in arm]

    sets = [{"name": "drug", "data": points(DRUG)}, {"name": "control", "data": points(CONTROL)}]
    return (
        {"version": [4, 2], "datasetColl": sets} if version == 4 else {"wpd": {"version": [3, 8], "dataSeries": sets}}
    )


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("suffix", [".json", ".tar"])
def test_projects_of_webplotdigitizer(version, suffix, tmp_path):
    file, text = tmp_path / f"project{suffix}", json.dumps(project(version)).encode()
    if suffix == ".json":
        file.write_bytes(text)
    else:
        with tarfile.open(file, "w") as archive:
            member = tarfile.TarInfo("project/wpd.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    read = read_curves(file)
    np.testing.assert_array_equal(read.curves["control"], CONTROL)
    assert list(read.curves) == ["drug", "control"]


def test_per_cent_is_told_by_the_range_of_all_arms(tmp_path):
    (tmp_path / "points.csv").write_text("x,drug,control\n0,100%,100%\n6,0.9%,40%\n")
    read = read_curves(tmp_path / "points.csv")
    assert read.unit == "percent"
    assert read.curves["drug"].tolist() == [[0, 100], [6, 0.9]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no points"),
        ("x,y\n", "no points"),
        ("0\n1\n2\n", "one column"),
        ("0,1\n3,0.8\nend,0.5\n", "expected two numbers; correct the row"),
        ("1,0\n0.8,3\n0.5,9\n", "swap the columns"),
        ("100,0\n80,3\n40,19\n", "swap the columns"),
    ],
)
def test_what_is_no_curve_is_refused_with_the_file(text, says, tmp_path):
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(ReportedDataError, match=rf"points\.csv: .*{says}"):
        read_curves(tmp_path / "points.csv")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "{", "cannot be read"),
        ("a.json", "[1]", "no data sets"),
        ("a.tar", "x", "cannot be read"),
        ("a.json", '{"datasetColl": [{"name": "d", "data": [{"x": 1, "y": 2, "value": null}]}]}', "calibrate the axes"),
    ],
)
def test_a_project_that_is_none_is_refused(name, text, says, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ReportedDataError, match=says):
        read_curves(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "arm,0,6,12\ndrug,120,76,38\ncontrol,118,61,NA\n",
        "arm;0 months;6 months;12 months\ndrug;120;76;38\ncontrol;118;61;;\n",
        "months,drug,control\n0,120,118\n6,76,61\n12,38,\n",
        "arm,time,n\ndrug,0,120\ndrug,6,76\ndrug,12,38\ncontrol,0,118\ncontrol,6,61\ncontrol,12,NA\n",
    ],
)
def test_risk_tables_by_row_and_by_column(text, tmp_path):
    (tmp_path / "risk.csv").write_text(text)
    read = read_at_risk(tmp_path / "risk.csv")
    assert (read["drug"].times, read["drug"].counts) == ((0, 6, 12), (120, 76, 38))
    assert (read["control"].times, read["control"].counts) == ((0, 6), (118, 61))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("arm,0,6\n", "no risk table"),
        ("arm,0,6\ndrug,120,7.5\n", "drug, time 6: got '7.5'; expected a whole number"),
        ("arm,0,soon\ndrug,120,75\n", "got 'soon' for a time"),
        ("arm,0,6\ndrug,NA,NA\n", "drug: no number at risk"),
        ("arm,0,6\ndrug,120,75,31\n", "more cells in a row than in the heading"),
        ("arm,0,6\ndrug,120,75\ndrug,118,61\n", "drug stands there twice"),
        ("arm,6,0\ndrug,120,75\n", "drug: at_risk.times"),
        ("arm,0,6 fortnights\ndrug,120,75\n", "got '6 fortnights' for a time"),
        ("weeks,days,drug\n0,120,118\n", "times in days and weeks"),
        ("arm,Month 0,Month 6\ndrug,120,75\n", "got 'Month 0' for a time"),
        ('arm,0,6\ndrug,120,75\n"control,118,61\n', "mend the quotes"),
    ],
)
def test_what_is_no_risk_table_is_refused(text, says, tmp_path):
    (tmp_path / "risk.csv").write_text(text)
    with pytest.raises(ReportedDataError, match=rf"risk\.csv: .*{says}"):
        read_at_risk(tmp_path / "risk.csv")


@pytest.mark.parametrize(
    "text",
    [
        "arm,0 weeks,26.0893 weeks\ndrug,120,76\n",
        "weeks,drug\n0,120\n26.0893,76\n",
        "arm,Time (weeks),n\ndrug,0,120\ndrug,26.0893,76\n",
    ],
)
def test_a_risk_table_says_its_unit(text, tmp_path):
    (tmp_path / "risk.csv").write_text(text)
    assert read_at_risk(tmp_path / "risk.csv")["drug"].times == pytest.approx((0, 6), abs=1e-4)


def test_another_unit_than_the_table_says_is_refused(tmp_path):
    (tmp_path / "risk.csv").write_text("weeks,drug\n0,120\n26,76\n")
    with pytest.raises(ReportedDataError, match=r"times in weeks; expected months; say weeks"):
        read_at_risk(tmp_path / "risk.csv", unit="months")


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        ("weeks,drug", "weeks"),
        ("Time since randomisation (months),drug", "months"),
        ("time_days,drug", "days"),
        ("Follow-up, in years;drug", "years"),
        ("x,9 weeks", "months"),  # an arm of nine weeks' treatment
    ],
)
def test_points_say_the_unit_of_their_times(heading, unit, tmp_path):
    mark = ";" if ";" in heading else ","
    (tmp_path / "points.csv").write_text(f"{heading}\n0{mark}1\n3{mark}0.8\n6{mark}0.5\n")
    read = read_curves(tmp_path / "points.csv")
    assert read.time_unit == unit
    (points,) = read.curves.values()
    assert points[-1, 0] == pytest.approx(6 * UNITS[unit].factor)
    with pytest.raises(InvalidValueError, match="months, weeks, days or years"):
        read_curves(tmp_path / "points.csv", time_unit="percent")


def test_weeks_become_months(tmp_path):
    (tmp_path / "risk.csv").write_text("arm,0,26.0893\ndrug,120,76\n")
    assert read_at_risk(tmp_path / "risk.csv", unit="weeks")["drug"].times == pytest.approx((0, 6), abs=1e-4)
