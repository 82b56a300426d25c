"""Digitised curves and risk tables as the tools of the trade write them: every arm of a file by its name."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.display import short_repr
from analysis.errors import InvalidValueError, ReportedDataError
from analysis.reconstruction.curve.points import OUTSIDE
from analysis.reported import AtRisk
from analysis.reported.number import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analysis.conventions.checks import FloatArray

Row = list[str]
NUMBER = re.compile(r"[-+]?(\d+(\.\d*|,\d+)?|[.,]\d+)([eE][-+]?\d+)?\s*%?")
TIMED = re.compile(r"\d+(\.\d+)? ?(months?|mo|weeks?|wks?|days?|d|years?|yrs?)\.?", re.IGNORECASE)
AXIS_OF_TIME = re.compile(r"((time|follow-?up|t|x)[\W_]*(in |since \w+\W*)?)?(?P<unit>day|week|month|year)s?[\W_]*")
TIMES = [name for name, unit in UNITS.items() if unit.dimension == "time"]
MISSING = {"", "na", "nan", "null", "-", "\N{EN DASH}", "\N{EM DASH}"}


@border
@dataclass(frozen=True, eq=False)
class DigitisedFile:
    r"""The curves of a file.

    Attributes
    ----------
    curves
        For each arm its points, time in months and survival, shape ``(k, 2)``, in the order of the file.
    unit
        Unit of the survival, told by its range over all arms.
    time_unit
        Unit of the times in the file.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from pathlib import Path
    >>> from analysis.reconstruction import read_curves
    >>> file = Path(mkdtemp(), "points.csv")
    >>> _ = file.write_text("drug,,control,\nX,Y,X,Y\n0,100,0,100\n3.1,82.5,2.9,71\n6,70,6.2,40\n")
    >>> read = read_curves(file)
    >>> read.unit, list(read.curves)
    ('percent', ['drug', 'control'])
    """

    curves: Mapping[str, FloatArray]
    unit: Literal["proportion", "percent"]
    time_unit: str = "months"

    def __repr__(self) -> str:
        return short_repr(self)


@border
def read_curves(path: str | Path, *, time_unit: str | None = None) -> DigitisedFile:
    r"""Read digitised curves: WebPlotDigitizer (CSV, JSON, project), Engauge, DigitizeIt, or any table of points.

    A table may have a pair of columns for each arm, one column of times and one of survival for each arm, a column
    that names the arm of each point, or one block of rows after the other, each with a heading. Commas, semicolons,
    tabs and blanks may separate; decimals may be written with a comma where it does not separate. Cells may be empty.

    Parameters
    ----------
    path
        ``.csv``, ``.txt``, ``.tsv``, ``.json`` or a WebPlotDigitizer project, ``.tar``.
    time_unit
        Unit of the times; by default what a heading says (``"weeks"``, ``"Time (days)"``), else months.

    Returns
    -------
    DigitisedFile
        Points by arm; an arm without a name is called after its place, ``curve 1``.

    Raises
    ------
    ReportedDataError
        If the file has no points, a cell is no number, the layout is none of these, time and survival are swapped, or
        a heading says another unit.
    InvalidValueError
        If the unit is none of time.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "wpd_datasets.csv"
    ...     _ = file.write_text("drug,,control,\nX,Y,X,Y\n0,100,0,100\n3.1,82.5,2.9,71\n,,6.2,40\n")
    ...     read = read_curves(file)
    >>> read.unit, {arm: len(points) for arm, points in read.curves.items()}
    ('percent', {'drug': 2, 'control': 3})
    """
    path = Path(path)
    is_project = path.suffix.lower() in (".json", ".tar")
    rows = [] if is_project else _table(path)
    found = _from_project(path) if is_project else _from_table(path, rows)
    curves = {name: np.array(points, dtype=np.float64) for name, points in found.items() if points}
    if not curves:
        raise ReportedDataError(f"{path}: no points; expected columns of time and survival; export the curve again")
    greatest = max(float(points[:, 1].max()) for points in curves.values())
    for name, points in curves.items():
        _refuse_swapped(path, name, points)
    headings = [cell for row in rows if not any(_number(cell) is not None for cell in row) for cell in row]
    unit = _time_unit(path, headings, time_unit)
    in_months = {name: points * (UNITS[unit].factor, 1.0) for name, points in curves.items()}
    return DigitisedFile(in_months, "percent" if greatest > 1 + OUTSIDE else "proportion", unit)


@border
def read_at_risk(path: str | Path, *, unit: str | None = None) -> dict[str, AtRisk]:
    r"""Read a risk table, laid out by arm, by time or by count.

    It has a row for each arm under a heading of times, columns of times and of each arm, or a column that names the arm
    of each time and count.

    Parameters
    ----------
    path
        CSV, separated by commas, semicolons or tabs. Empty cells and ``NA`` are counts that were not printed. A time
        may have its unit beside it.
    unit
        Unit of the times; by default what the heading of their column says, else months.

    Returns
    -------
    dict
        Numbers at risk by arm.

    Raises
    ------
    ReportedDataError
        If the layout is none of these, a count is no whole number, belongs to no time or to an arm that stands there
        twice, or the table says another unit.
    InvalidValueError
        If the unit is none of time.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "risk.csv"
    ...     _ = file.write_text("arm,0,6,12\ndrug,120,76,38\ncontrol,118,61,\n")
    ...     read_at_risk(file)["control"].counts
    (118, 61)
    """
    path = Path(path)
    rows = [row for row in _table(path) if any(cell for cell in row)]
    heading, body = (rows[0], rows[1:]) if rows else ([], [])
    if len(heading) < 2 or not body:
        raise ReportedDataError(f"{path}: no risk table; expected a heading and a row for each arm; copy it again")
    of_times = _time_unit(path, heading, unit)
    return {arm: _at_risk(path, arm, cells, of_times) for arm, cells in _cells(path, heading, body)}


def _cells(path: Path, heading: Row, body: list[Row]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give each arm with its pairs of time and count, as they stand there."""
    if any(any(row[len(heading) :]) for row in body):
        raise ReportedDataError(f"{path}: more cells in a row than in the heading; expected a time for each; add them")
    body = [[*row[: len(heading)], *[""] * (len(heading) - len(row))] for row in body]
    if _number(body[0][0]) is not None:  # a column of times, and one of each arm
        columns = [(name, [(row[0], row[k]) for row in body]) for k, name in enumerate(heading) if k]
    elif len(heading) == 3 and (heading[1].lower() in AXES or AXIS_OF_TIME.fullmatch(heading[1].lower())):
        arms = dict.fromkeys(row[0] for row in body)  # arm, time, count
        columns = [(arm, [(row[1], row[2]) for row in body if row[0] == arm]) for arm in arms]
    else:
        columns = [(row[0], list(zip(heading[1:], row[1:], strict=True))) for row in body]
    twice = [arm for arm, times in Counter(arm for arm, _ in columns).items() if times > 1]
    if twice:
        raise ReportedDataError(
            f"{path}: {twice[0]} stands there twice; expected each arm once; rename one, or drop it"
        )
    yield from columns


def _at_risk(path: Path, arm: str, cells: Sequence[tuple[str, str]], unit: str) -> AtRisk:
    counted = []
    for time, cell in cells:
        at = _time(path, time)
        if cell.lower() in MISSING:
            continue
        count = _number(cell)
        if count is None or count != int(count):
            raise ReportedDataError(
                f"{path}: {arm}, time {time}: got {cell!r}; expected a whole number of patients; correct the cell"
            )
        counted.append((at, int(count)))
    if not counted:
        raise ReportedDataError(f"{path}: {arm}: no number at risk; expected one at least; drop the row")
    try:
        times: Any = tuple(time for time, _ in counted)  # AtRisk reads those that have their unit
        return AtRisk(times, tuple(count for _, count in counted), unit)
    except InvalidValueError as error:
        raise ReportedDataError(f"{path}: {arm}: {error}") from None


def _time(path: Path, cell: str) -> float | str:
    time = _number(cell)
    if time is None and not TIMED.fullmatch(cell):
        raise ReportedDataError(
            f"{path}: got {cell!r} for a time; expected a number, or one as '6 weeks'; name the columns by their times"
        )
    return cell if time is None else time


def _time_unit(path: Path, headings: Sequence[str], asked: str | None) -> str:
    """Give the unit of times: as asked for, as the heading of an axis says (that of an arm says none), or months."""
    if asked is not None and asked not in TIMES:
        known = "months, weeks, days or years"
        raise InvalidValueError("time_unit", asked, known, "name the unit of the figure's axis")
    said = {f"{found['unit']}s" for cell in headings if (found := AXIS_OF_TIME.fullmatch(cell.strip("\"'").lower()))}
    if len(said) > 1:
        raise ReportedDataError(
            f"{path}: times in {' and '.join(sorted(said))}; expected one unit; correct the heading"
        )
    unit = next(iter(said), asked or "months")
    if asked is not None and unit != asked:
        raise ReportedDataError(f"{path}: times in {unit}; expected {asked}; say {unit}, or correct the heading")
    return unit


def _from_project(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Points of a WebPlotDigitizer project: data sets with the values of their points."""
    try:
        if path.suffix.lower() == ".tar":
            with tarfile.open(path) as archive:
                inside = next((m for m in archive.getmembers() if Path(m.name).name == "wpd.json"), None)
                opened = None if inside is None else archive.extractfile(inside)
                text = b"{}" if opened is None else opened.read()
        else:
            text = path.read_bytes()
        project: Any = json.loads(text)
    except (OSError, ValueError, tarfile.TarError) as error:
        raise ReportedDataError(f"{path}: cannot be read ({error}); export the project again") from None
    sets = project.get("datasetColl", project.get("wpd", {}).get("dataSeries")) if isinstance(project, dict) else None
    if not isinstance(sets, list):
        raise ReportedDataError(f"{path}: no data sets; expected a WebPlotDigitizer project; save it again, or as CSV")
    found: dict[str, list[tuple[float, float]]] = {}
    for place, each in enumerate(sets, start=1):
        points = each.get("data", [])
        if any(len(point.get("value") or ()) < 2 for point in points):
            raise ReportedDataError(
                f"{path}: {each.get('name')}: points without values; calibrate the axes, then save the project again"
            )
        found[_unused(each.get("name") or f"curve {place}", found)] = [
            (float(point["value"][0]), float(point["value"][1])) for point in points
        ]
    return found


def _table(path: Path) -> list[Row]:
    """Cells of a text file; empty lines stay, they part blocks."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReportedDataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    sample = "\n".join(lines)
    separator = next((mark for mark in (";", "\t") if mark in sample), ",")
    if separator == ",":
        cells = [line.split() for line in lines]
        points = [row for row in cells if any(_number(cell) is not None for cell in row)]
        if "," not in sample or (points and all(len(r) > 1 and None not in map(_number, r) for r in points)):
            return cells  # blanks separate, and decimals may have a comma
    try:
        return [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(sample), delimiter=separator, strict=True)
        ]
    except csv.Error as error:
        raise ReportedDataError(
            f"{path}: no table ({error}); expected cells between separators; mend the quotes"
        ) from None


def _from_table(path: Path, rows: list[Row]) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for headings, body in _blocks(rows):
        width = max(len(row) for row in body)
        body = [row + [""] * (width - len(row)) for row in body]
        for name, points in _by_layout(path, headings, body, width).items():
            found[_unused(name or f"curve {len(found) + 1}", found)] = points
    return found


def _blocks(rows: list[Row]) -> list[tuple[list[Row], list[Row]]]:
    """Headings and numbers of each block: a heading, or an empty line before one, begins another."""
    blocks: list[tuple[list[Row], list[Row]]] = [([], [])]
    for row in rows:
        if not any(row):
            continue
        is_heading = not any(_number(cell) is not None for cell in row)
        if is_heading and blocks[-1][1]:
            blocks.append(([], []))
        blocks[-1][0 if is_heading else 1].append(row)
    return [block for block in blocks if block[1]]


def _by_layout(path: Path, headings: list[Row], body: list[Row], width: int) -> dict[str, list[tuple[float, float]]]:
    label = next((k for k in range(width) if all(_number(row[k]) is None and row[k] for row in body)), None)
    if label is not None and width == 3:  # a column that names the arm of each point
        time, survival = (k for k in range(3) if k != label)
        arms = dict.fromkeys(row[label] for row in body)
        return {arm: _points(path, [r for r in body if r[label] == arm], time, survival) for arm in arms}
    if width == 2:
        return {_name_of(headings, 0, 1): _points(path, body, 0, 1)}
    if _in_pairs(headings, body, width):
        return {
            _name_of(headings, k, k + 1) or f"curve {k // 2 + 1}": _points(path, body, k, k + 1)
            for k in range(0, width, 2)
        }
    if width > 2:
        return {_name_of(headings, k, k) or f"curve {k}": _points(path, body, 0, k) for k in range(1, width)}
    raise ReportedDataError(f"{path}: one column; expected columns of time and survival; export both coordinates")


def _in_pairs(headings: list[Row], body: list[Row], width: int) -> bool:
    """Whether each arm has a column of times of its own: they are headed alike, or rise where survival falls."""
    if width % 2:
        return False
    last = [cell.lower() for cell in headings[-1]] if headings else []
    if len(last) == width and len(set(last[::2])) == 1 and len(set(last[1::2])) == 1:
        return True
    if any(len(row) >= 3 and row[0] and not row[1] and row[2] for row in headings):  # names over pairs
        return True
    for k in range(2, width, 2):
        times = [time for row in body if (time := _number(row[k])) is not None]
        if len(times) < 2 or times[-1] <= times[0]:
            return False
    return True


AXES = frozenset({"x", "y", "t", "s", "%", "time", "months", "weeks", "days", "years", "survival", "probability"})


def _name_of(headings: list[Row], first: int, last: int) -> str:
    """Name over a column or a pair of columns, if it is more than that of an axis."""
    for row in headings:
        for k in (last, first):
            if k < len(row) and row[k] and row[k].lower().strip("\"'") not in AXES:
                return row[k]
    return ""


def _points(path: Path, body: list[Row], time: int, survival: int) -> list[tuple[float, float]]:
    points = []
    for row in body:
        given = row[time], row[survival]
        if given[1].lower() in MISSING:
            continue
        read = [_number(cell) for cell in given]
        if read[0] is None or read[1] is None:
            raise ReportedDataError(f"{path}: got {', '.join(given)!r}; expected two numbers; correct the row")
        points.append((read[0], read[1]))
    return points


def _number(cell: str) -> float | None:
    if not NUMBER.fullmatch(cell):
        return None
    return float(cell.rstrip("% ").replace(",", "."))


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    return name if name not in taken else _unused(f"{name} (2)", taken)


def _refuse_swapped(path: Path, name: str, points: FloatArray) -> None:
    """Refuse time for survival: the survival at the least time is near 0, and the greatest "time" is 1, or 100."""
    earliest, latest = points[np.argmin(points[:, 0])], points[np.argmax(points[:, 0])]
    begins = np.isclose(latest[0], (1.0, 100.0), rtol=OUTSIDE).any() and latest[1] <= OUTSIDE * points[:, 1].max()
    if begins and not np.isclose(earliest[1], (1.0, 100.0), rtol=OUTSIDE).any():
        raise ReportedDataError(
            f"{path}: {name}: a survival of {earliest[1]:g} at {earliest[0]:g} and {latest[1]:g} at {latest[0]:g}; "
            "expected time first, then survival; swap the columns"
        )
