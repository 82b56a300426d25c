"""From a TOML file to a `ReportedTrial`: where the files are, and what is said when one cannot be read."""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from analysis.conventions.border import border
from analysis.errors import InvalidValueError, ReportedDataError, UnknownNameError
from analysis.reported.arm import AtRisk, Landmark, Quartile, ReportedArm
from analysis.reported.comparison import ReportedComparison
from analysis.reported.entries import Fact, KnownFinding, ReportedProportion, Source
from analysis.reported.number import STATUSES
from analysis.reported.reading import Provenance, limits_apart
from analysis.reported.timeline import TrialTimeline
from analysis.reported.trial import ReportedTrial

_TABLES: dict[str, type] = {
    "comparisons": ReportedComparison,
    "proportions": ReportedProportion,
    "facts": Fact,
    "known_findings": KnownFinding,
}
_HEADER = {"title": str, "arms": dict[str, str], "registrations": tuple[str, ...], "phase": str, "summary": str}
_REQUIRED = ("title", "summary", "sources")
_SCHEMA = (*_TABLES.values(), TrialTimeline, Source, ReportedArm, Landmark, Quartile, AtRisk)
_FIELD_NAMES = sorted({field.name for table in _SCHEMA for field in fields(table)})


@border
def data_directory() -> Path:
    """Find the folder of the trials' files: inside an installed package, beside the package in a checkout.

    Examples
    --------
    >>> (data_directory() / "bolero-2.toml").exists()
    True
    """
    package = Path(__file__).parents[1]
    inside = package / "reported_data"
    return inside if inside.is_dir() else package.parent / "reported_data"


@border
def available(directory: str | Path | None = None) -> tuple[str, ...]:
    """List the trials in a directory, by default those that come with the package.

    Examples
    --------
    >>> "bolero-2" in available()
    True
    """
    return tuple(sorted(path.stem for path in _directory(directory).glob("*.toml")))


@border
def load(name: str, directory: str | Path | None = None) -> ReportedTrial:
    """Read a trial's reported numbers.

    Parameters
    ----------
    name
        Name of the trial, which is that of its file, e.g. ``"bolero-2"``.
    directory
        Folder of the files; by default the one that comes with the package.

    Raises
    ------
    UnknownNameError
        If there is no such trial; says which names are nearest.
    ReportedDataError
        If the file cannot be read; names file, field, value and remedy for everything that is wrong.

    Examples
    --------
    >>> final = load("bolero-2").comparison("pfs-final-central")
    >>> final.arm("everolimus").median.text, final.hazard_ratio.estimate.value
    ('11.0', 0.38)
    """
    return read_trial(trial_file(name, directory))


@border
def trial_file(name: str, directory: str | Path | None = None) -> Path:
    """Find the file of a trial; `UnknownNameError` with the nearest names if there is none.

    Examples
    --------
    >>> trial_file("bolero-2").name
    'bolero-2.toml'
    """
    folder = _directory(directory)
    if name not in available(folder):
        raise UnknownNameError("trial", name, available(folder))
    return folder / f"{name}.toml"


def read_trial(path: Path) -> ReportedTrial:
    """Read one file; `ReportedDataError` says everything that is wrong with it."""
    return _Reader(path).trial(read_toml(path, Decimal))


def read_toml(path: Path, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Read a TOML file; `ReportedDataError` names the file and says what is wrong with it."""
    try:
        if path.exists() and not path.is_file():
            raise ReportedDataError(f"{path}: not a file; expected a TOML file; name another, or move it away")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise ReportedDataError(f"{path}: not valid TOML: {error}; correct the file there") from error
    except UnicodeDecodeError as error:
        raise ReportedDataError(f"{path}: not UTF-8 text: {error}; save the file as UTF-8") from error
    except RecursionError as error:
        raise ReportedDataError(f"{path}: nested too deeply to be read; expected tables of a report") from error
    except OSError as error:
        raise ReportedDataError(f"{path}: cannot be read: {error.strerror or error}; check the file") from error


class _Reader:
    """Gathers everything that is wrong with one file before it gives up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []

    def trial(self, raw: dict[str, Any]) -> ReportedTrial:
        for key in _REQUIRED:
            if key not in raw:
                self.problems.append(f"{key}: missing; expected in every file; add it at the top")
        known = {*_HEADER, "sources", "timeline", *_TABLES}
        self.problems += [_unknown_field(key, key, sorted(known)) for key in raw if key not in known]
        header = {key: self._read(kind, raw[key], key) for key, kind in _HEADER.items() if key in raw}
        cited = self._sources(raw)
        sources = [self._read(Source, {"key": key, **table}, f"sources.{key}") for key, table in cited.items()]
        tables = {name: self._tables(raw, name, kind, list(cited)) for name, kind in _TABLES.items()}
        described = header.get("arms", {})
        for comparison in filter(None, tables["comparisons"]):
            for arm in comparison.arms:
                if described is not None and arm.name not in described:
                    problem = UnknownNameError("arm", arm.name, described)
                    self.problems.append(f"comparisons[{comparison.id}].arms: {problem} Describe it under `[arms]`")
        timeline = self._timeline(raw, list(cited))
        if self.problems:
            raise ReportedDataError("\n".join(f"{self.path}: {problem}" for problem in self.problems))
        return ReportedTrial(
            name=self.path.stem,
            title=header["title"],
            summary=header["summary"],
            arms=header.get("arms", {}),
            registrations=header.get("registrations", ()),
            phase=header.get("phase"),
            sources=tuple(sources),
            timeline=timeline,
            **{name: tuple(read) for name, read in tables.items()},
        )

    def _sources(self, raw: dict[str, Any]) -> dict[str, Any]:
        got = raw.get("sources", {})
        if isinstance(got, dict) and all(isinstance(entry, dict) for entry in got.values()):
            return got
        self.problems.append(f"sources: got {got!r}; expected tables; write each as `[sources.KEY]`")
        return {}

    def _timeline(self, raw: dict[str, Any], keys: Sequence[str]) -> TrialTimeline | None:
        if "timeline" not in raw:
            return None
        timeline: TrialTimeline | None = self._read(TrialTimeline, raw["timeline"], "timeline")
        for key in sorted(set(timeline.sources) - set(keys)) if timeline is not None else ():
            self.problems.append(f"timeline.sources: {UnknownNameError('source', key, keys)}")
        if timeline is not None and timeline.status is not None:
            self._check_status(timeline.status, "timeline")
        return timeline

    def _tables(self, raw: dict[str, Any], name: str, kind: type, keys: Sequence[str]) -> list[Any]:
        tables = raw.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.problems.append(f"{name}: got {tables!r}; expected tables; write each as `[[{name}]]`")
            return []
        if name == "known_findings":
            return [self._read(kind, table, f"{name}[{number}]") for number, table in enumerate(tables)]
        ids = [table.get("id") for table in tables]
        for id in sorted({str(id) for id in ids if id and ids.count(id) > 1}):
            self.problems.append(f"{name}[{id}].id: got {id!r} twice; expected each id once; rename one")
        return [
            self._report(kind, table, f"{name}[{table.get('id', number)}]", keys) for number, table in enumerate(tables)
        ]

    def _report(self, kind: type, table: dict[str, Any], where: str, keys: Sequence[str]) -> Any:
        missing = [key for key in ("id", "sources", "status") if not table.get(key)]
        if missing:
            self.problems += [f"{where}.{key}: missing; every entry says its {key}; add it" for key in missing]
            return None
        named = table["sources"]
        if not isinstance(named, list) or not all(isinstance(key, str) for key in named):
            got = _digits(named)
            self.problems.append(f'{where}.sources: got {got}; expected a list of source keys; write it as `["key"]`')
            return None
        provenance = Provenance(tuple(named), table["status"], table.get("time_unit"))
        try:
            table = limits_apart(table)
        except InvalidValueError as error:
            self.problems.append(f"{where}.{error}")
            return None
        read = self._read(kind, table, where, provenance)
        if read is not None:
            cited = {*provenance.sources, *(key for _, number in read.numbers() for key in number.sources)}
            for key in sorted(cited - set(keys)):
                self.problems.append(f"{where}.sources: {UnknownNameError('source', key, keys)}")
        self._check_status(provenance.status, where)
        return read

    def _check_status(self, status: object, where: str) -> None:
        if status not in STATUSES:
            expected = f"one of {', '.join(STATUSES)}"
            self.problems.append(f"{where}.status: got {_digits(status)}; expected {expected}; say how it is known")

    def _read(self, kind: Any, got: object, where: str, context: Provenance | None = None) -> Any:
        try:
            return _adapter(kind).validate_python(got, context=cast("Any", context))
        except ValidationError as error:
            self.problems += [_problem(where, got, cast("dict[str, Any]", line)) for line in error.errors()]
            return None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)  # building one costs as much as reading a file


def _problem(where: str, got: object, line: dict[str, Any]) -> str:
    """Say one error of the validation as: field, value, expectation, remedy."""
    place = where + _path(got, line["loc"])
    cause = line.get("ctx", {}).get("error")
    if isinstance(cause, InvalidValueError):
        outer, _, inner = cause.field.partition(".")
        place += (inner and f".{inner}") if place.endswith(f".{outer}") else f".{cause.field}"
        return f"{place}: got {_digits(cause.got)}; expected {cause.expected}; {cause.remedy}"
    if line["type"] == "missing":
        return f"{place}: missing; expected in every such table; add it"
    if line["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return _unknown_field(place, str(line["loc"][-1]), _FIELD_NAMES)
    return f"{place}: got {_digits(line['input'])}; expected: {line['msg']}; write it so"


def _digits(got: object) -> str:
    """Show a value of the file with its numbers as they stand there."""
    return re.sub(r"Decimal\('([^']*)'\)", r"\1", repr(got))


def _unknown_field(place: str, name: str, known: Sequence[str]) -> str:
    nearest = get_close_matches(name, known, n=3, cutoff=0.4) or known
    return f"{place}: unknown field {name!r}; expected one of the schema, such as {', '.join(nearest)}; rename it"


def _path(got: object, loc: Sequence[str | int]) -> str:
    """Spell the place inside a table, with arms by their names: ``.arms[everolimus].median``."""
    path = ""
    for step in loc:
        if isinstance(step, int):
            got = got[step] if isinstance(got, list) and step < len(got) else None
            path += f"[{got.get('name', step) if isinstance(got, dict) else step}]"
        else:
            got = got.get(step) if isinstance(got, dict) else None
            path += f".{step}"
    return path


def _directory(directory: str | Path | None) -> Path:
    folder = data_directory() if directory is None else Path(directory)
    if not folder.is_dir():
        raise ReportedDataError(
            f"{folder}: no such folder; expected the folder of the trials' TOML files; name another one"
        )
    return folder
