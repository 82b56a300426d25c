"""A plan from a TOML file: the fields of `TrialDesign` and of the other values, by the names that they have."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.conventions.border import border
from analysis.conventions.display import fields_of, is_value
from analysis.design import (
    Assessments,
    AtEvents,
    AtTime,
    IllnessDeath,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import AnalysisError, InvalidValueError, ReportedDataError, UnknownNameError
from analysis.planning.plan import Plan
from analysis.reconstruction import reconstruct
from analysis.reported import Reported, load
from analysis.reported.files import read_toml
from analysis.sequential import GroupSequentialDesign
from analysis.single_arm import BinomialDesign, exact_binomial, simon_two_stage, single_stage
from analysis.survival import Distribution, Exponential, ProportionalHazards

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOMS = ("survival", "design", "statistical_tests", "sequential", "single_arm")
OF_TWO_ARMS = ("design", "sequential", "control", "experimental", "effect", "test")
TABLES = ("title", "sources", "simulation", "single_arm", *OF_TWO_ARMS)
BINOMIAL: dict[str, Callable[..., BinomialDesign]] = {
    "exact_binomial": exact_binomial,
    "simon_optimal": lambda **given: simon_two_stage(**given).optimal,
    "simon_minimax": lambda **given: simon_two_stage(**given).minimax,
    "single_stage": single_stage,
}
IN_MONTHS = (
    "accrual_months", "breaks", "duration", "follow_up", "interval", "median", "milestone", "month", "months",
    "ramp", "t_star", "tau", "time", "times", "until", "window",
)  # fmt: skip
"""Fields in months, in which a duration may have its unit (``"8 weeks"``)."""
DURATION = re.compile(r"[\d.]+ ?(day|week|month|year)s?")
OF_BOUNDARIES = (*(field.name for field in fields_of(GroupSequentialDesign) if field.init), "events", "months")
MEMBERS = 100


@border
def read_plan(path: str | Path) -> Plan:
    r"""Read a plan from a TOML file.

    Parameters
    ----------
    path
        The file; ``trial-analysis new --design NAME`` writes one to fill in.

    Returns
    -------
    Plan

    Raises
    ------
    ReportedDataError
        If something in the file cannot be read or meant: file, field, value, expectation, remedy.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp(), "single.toml")
    >>> _ = file.write_text("[single_arm]\nn = 30\nnull_rate = 0.15\nalternative_rate = 0.35\nalpha = 0.05\n")
    >>> round(read_plan(file).power(), 4)
    0.7753
    """
    file = Path(path)
    raw = read_toml(file)
    try:
        return _plan(_in_months(raw), file)
    except ReportedDataError:
        raise
    except AnalysisError as error:
        raise ReportedDataError(f"{file}: {error}") from error


def _in_months(given: Any, name: str = "") -> Any:
    """Give a table with the durations that have their unit in months."""
    if isinstance(given, dict):
        return {part: _in_months(one, part) for part, one in given.items()}
    if isinstance(given, list):
        return [_in_months(one, name) for one in given]
    if isinstance(given, str) and name in IN_MONTHS and DURATION.fullmatch(given):
        return Reported.plain(given, "months", name).value
    return given


def _plan(raw: dict[str, Any], file: Path) -> Plan:
    _known("", raw, TABLES)
    simulation = _table(raw, "simulation", ("trials", "seed"))
    common: dict[str, Any] = {
        "title": raw.get("title", file.stem),
        "sources": _words(raw.get("sources", [])),
        **simulation,
    }
    if "single_arm" in raw:
        for name in OF_TWO_ARMS:
            if name in raw:
                raise InvalidValueError(name, raw[name], "no such table beside [single_arm]", "leave one of them out")
        return Plan(design=_binomial(raw["single_arm"]), **common)
    design = _design(raw)
    return Plan(design=design, scenario=_scenario(raw, design, file), test=_made("test", raw.get("test")), **common)


def _design(raw: dict[str, Any]) -> TrialDesign:
    known = [field.name for field in fields_of(TrialDesign) if field.init]
    given = dict(_table(raw, "design", (*known, "accrual_months"), needed=True))
    if "accrual_months" in given:
        if "accrual" in given:
            raise InvalidValueError("design.accrual", given["accrual"], "accrual or accrual_months", "give one of them")
        given["accrual"] = UniformAccrual(given.pop("accrual_months"))
    boundaries = _table(raw, "sequential", OF_BOUNDARIES)
    for name in ("alpha", "sided"):
        if name in boundaries and given.setdefault(name, boundaries[name]) != boundaries[name]:
            expected = f"{given[name]}, that of [design]"
            raise InvalidValueError(f"sequential.{name}", boundaries[name], expected, "say it once")
    made = {name: _made(f"design.{name}", part) for name, part in given.items() if name != "looks"}
    if isinstance(given.get("allocation"), dict) and len(given["allocation"]) == 1:  # a trial of one arm
        made.setdefault("control", None)
    made["looks"] = _looks(raw, given.get("looks"))
    lacking = [name for name in ("n", "accrual") if name not in made]
    if lacking:
        remedy = "say e.g. n = 100 and accrual_months = 18"
        raise InvalidValueError(f"design.{lacking[0]}", None, f"fields {', '.join(lacking)}", remedy)
    return TrialDesign(**made)


def _looks(raw: dict[str, Any], given: Any) -> tuple[Look, ...]:
    if "sequential" in raw:
        return _sequential(raw, given)
    if not isinstance(given, list) or not given:
        raise InvalidValueError("design.looks", given, "a list of looks", "write looks = [{ month = 30 }]")
    return tuple(_look(f"design.looks[{k}]", look) for k, look in enumerate(given))


def _look(where: str, given: Any) -> Look:
    if not isinstance(given, dict):
        raise InvalidValueError(where, given, "a look", "write { month = 30 } or { events = 60 }")
    _known(where, given, ("month", "events", "cut", "efficacy_z", "futility_z"))
    cuts = [name for name in ("month", "events", "cut") if name in given]
    if len(cuts) != 1:
        raise InvalidValueError(where, given, "one of month, events and cut", "say when the data are cut")
    part = given[cuts[0]]
    cut = AtTime(part) if cuts[0] == "month" else AtEvents(part) if cuts[0] == "events" else _made(f"{where}.cut", part)
    return Look(cut, given.get("efficacy_z"), given.get("futility_z"))


def _sequential(raw: dict[str, Any], looks: Any) -> tuple[Look, ...]:
    given = dict(_table(raw, "sequential", OF_BOUNDARIES))
    events, months = given.pop("events", None), given.pop("months", None)
    if looks is not None:
        raise InvalidValueError(
            "design.looks", looks, "none beside [sequential]", "its fractions say when the looks are"
        )
    if (events is None) == (months is None):
        expected, remedy = "events at the last look, or months of all looks", "say events = 60 or months = [15, 30]"
        raise InvalidValueError("sequential.events", events, expected, remedy)
    made = {name: _made(f"sequential.{name}", part) for name, part in given.items()}
    for name in ("alpha", "sided"):
        if name in raw["design"]:
            made.setdefault(name, raw["design"][name])
    boundaries = GroupSequentialDesign(**made)
    return boundaries.looks(events=events) if months is None else boundaries.looks([AtTime(month) for month in months])


def _scenario(raw: dict[str, Any], design: TrialDesign, file: Path) -> Scenario:
    names = design.experimental_arms
    first = _truth("control" if design.control else "experimental", raw, design, file)
    if design.control is None:
        if "control" in raw or "effect" in raw:
            raise InvalidValueError(
                "control", raw.get("control"), "no control in a trial of one arm", "use [experimental]"
            )
        return Scenario({names[0]: first})
    effect = _table(raw, "effect", ("hazard_ratio", "breaks"))
    if bool(effect) == ("experimental" in raw):
        expected, remedy = "either [effect] or [experimental]", "say hazard_ratio = 0.6 under [effect]"
        raise InvalidValueError("effect", effect or None, expected, remedy)
    if not effect:
        return Scenario({design.control: first, names[0]: _truth("experimental", raw, design, file)})
    same = Scenario(dict.fromkeys((design.control, names[0]), first))
    ratios: Any = effect.get("hazard_ratio")
    if not isinstance(ratios, list):
        if "breaks" in effect:
            remedy = "write e.g. hazard_ratio = [1.0, 0.6] beside breaks = [3]"
            raise InvalidValueError(
                "effect.hazard_ratio", ratios, "a list, one ratio more than there are breaks", remedy
            )
        return same.with_hazard_ratio(ratios, design.control)
    for ratio in ratios:
        same.with_hazard_ratio(ratio, design.control)  # each of them can be one
    return Scenario({design.control: first, names[0]: _changing(first, ratios, effect.get("breaks", []))})


def _truth(name: str, raw: dict[str, Any], design: TrialDesign, file: Path) -> Any:
    """Give the event times of an arm: of all its patients, or by stratum where its table has those of the design."""
    given = raw.get(name)
    if not isinstance(given, dict) or not set(given) & set(design.strata):
        return _distribution(name, given, file)
    _known(name, given, design.strata)
    return {stratum: _distribution(f"{name}.{stratum}", given.get(stratum), file) for stratum in design.strata}


def _changing(control: Any, ratios: list[float], breaks: Any) -> Any:
    """Give the event times of the control, in each stratum that it has, under a hazard ratio that changes in time."""
    if isinstance(control, dict):
        return {stratum: _changing(one, ratios, breaks) for stratum, one in control.items()}
    return ProportionalHazards(control, ratios, breaks)


def _distribution(name: str, given: Any, file: Path) -> Distribution | IllnessDeath:
    if not isinstance(given, dict):
        raise InvalidValueError(name, given, "a table", f"write [{name}] and below it median = 9.0")
    if "reconstruct" in given:
        return _reconstructed(name, given, file)
    made = _made(name, given)
    if not isinstance(made, (Distribution, IllnessDeath)):
        raise InvalidValueError(
            name, given, "a distribution", 'write median = 9.0, or kind = "Weibull" with its fields'
        )
    return made


def _reconstructed(name: str, given: dict[str, Any], file: Path) -> Distribution:
    _known(name, given, ("reconstruct", "comparison", "arm", "members", "seed", "relax"))
    source = Path(str(given["reconstruct"]))
    trial = load(source.stem, file.parent / source.parent) if source.suffix == ".toml" else load(str(source))
    ids = [str(comparison.id) for comparison in trial.comparisons]
    if "comparison" not in given and len(ids) != 1:
        raise InvalidValueError(f"{name}.comparison", None, f"one of {', '.join(ids)}", "say which")
    comparison = trial.comparison(given.get("comparison", ids[0]))
    arms = [arm.name for arm in comparison.arms]
    arm = given.get("arm", comparison.control)
    if arm not in arms:
        raise UnknownNameError(f"{name}.arm", arm, arms)
    members, seed = given.get("members", MEMBERS), given.get("seed", 1)
    return reconstruct(comparison, members=members, rng=seed, relax=tuple(given.get("relax", ()))).arm(arm)


def _binomial(given: Any) -> BinomialDesign:
    if not isinstance(given, dict):
        raise InvalidValueError("single_arm", given, "a table", "write [single_arm] and its fields below")
    given = dict(given)
    method = given.pop("method", "exact_binomial")
    if method not in list(BINOMIAL):
        raise UnknownNameError("single_arm.method", method, BINOMIAL)
    of = simon_two_stage if method.startswith("simon") else BINOMIAL[method]
    _known("single_arm", given, list(signature(of).parameters))
    return BINOMIAL[method](**given)


def _made(where: str, given: Any) -> Any:
    """Make the value that a table with a ``kind`` describes, and those within it; other things are what they are."""
    if isinstance(given, list):
        return tuple(_made(f"{where}[{k}]", part) for k, part in enumerate(given))
    if not isinstance(given, dict):
        return given
    if set(given) == {"median"}:
        return Exponential.from_median(given["median"])
    parts = {name: _made(f"{where}.{name}", part) for name, part in given.items() if name != "kind"}
    if "kind" not in given and "interval" in given and where == "design.assessments":
        _known(where, parts, list(signature(Assessments.every).parameters))
        return Assessments.every(**parts)
    if "kind" not in given:
        return parts
    kinds = _kinds()
    if given["kind"] not in list(kinds):
        raise UnknownNameError(f"{where}.kind", given["kind"], kinds)
    kind = kinds[given["kind"]]
    if set(parts) == {"median"} and hasattr(kind, "from_median"):
        return kind.from_median(parts["median"])
    _known(where, parts, [name for name in signature(kind).parameters if name != "self"])
    try:
        return kind(**parts)
    except AnalysisError as error:
        raise InvalidValueError(where, given, f"a {given['kind']}", str(error)) from error


def _kinds() -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    for room in ROOMS:
        module = import_module(f"analysis.{room}")
        kinds |= {name: getattr(module, name) for name in module.__all__}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type) and is_value(kind)}


def _table(raw: Mapping[str, Any], name: str, known: Any, *, needed: bool = False) -> dict[str, Any]:
    given = raw.get(name)
    if given is None and not needed:
        return {}
    if not isinstance(given, dict):
        raise InvalidValueError(name, given, "a table", f"write [{name}] and its fields below")
    _known(name, given, known)
    return given


def _known(where: str, given: Mapping[str, Any], known: Any) -> None:
    for name in given:
        if name not in known:
            near = [one for one in known if one.casefold() == name.casefold()]
            near = near or get_close_matches(name, list(known), 1, 0.6)
            hint = "".join(f"did you mean {one}? " for one in near) + f"known: {', '.join(known)}"
            raise InvalidValueError(f"{where}.{name}".lstrip("."), given[name], "a field that is known", hint)


def _words(given: Any) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InvalidValueError("sources", given, "a list of citations", 'write sources = ["Authors, Journal Year"]')
    return tuple(listed)
