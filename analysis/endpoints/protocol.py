"""What a protocol says of its endpoints, adverse events and doses, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from analysis.conventions.border import strict_border
from analysis.conventions.checks import choice, count, not_negative, positive
from analysis.conventions.units import WEEK
from analysis.conventions.values import replace
from analysis.design import Assessments
from analysis.endpoints.assessment import COMMON, EORTC, ResponseRule
from analysis.endpoints.codes import Criteria, Dating
from analysis.endpoints.disease_control import (
    DEFINITIONS,
    ControlAsBestResponse,
    ControlAtLandmark,
    ControlUntilLandmark,
    ProgressionFreeAtLandmark,
)
from analysis.endpoints.endpoint_definitions import EndpointDefinitions
from analysis.endpoints.events import UNCONFIRMED
from analysis.endpoints.options import check_days, check_name
from analysis.endpoints.response import BestOverallResponse, ClinicalBenefit, Confirmation, ObjectiveResponse
from analysis.endpoints.time_to_event import (
    EVENT_OR_LAST_ASSESSMENT,
    Censoring,
    DurationOfDiseaseControl,
    DurationOfResponse,
    ProgressionFreeSurvival,
    TimeToResponse,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.safety import DosePlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analysis.endpoints.disease_control import ControlDefinition, UnconfirmedAs
    from analysis.endpoints.endpoint_tables import Endpoint

CONVENTIONS = {"COMMON": COMMON, "EORTC": EORTC}
DAYS_A_WEEK = 7
PARAMETERS = {
    "BOR": "Best overall response",
    "CBOR": "Confirmed best overall response",
    "ORR": "Objective response",
    "CORR": "Confirmed objective response",
    "DCR": "Disease control as best response",
    "CBR": "Clinical benefit",
    "PFS": "Progression-free survival",
    "DOR": "Duration of response",
    "TTR": "Time to response",
    "DDC": "Duration of disease control",
}
NEEDS = {
    "longest_gap_days": "censoring",
    "assessments_weeks": "censoring",
    "window_weeks": "assessments_weeks",
    "disease_control": "disease_control_weeks",
    "unconfirmed": "disease_control_weeks",
}
"""Keys of the file that say nothing without another one."""


@strict_border
@dataclass(frozen=True)
class Protocol:
    """What a protocol says of the endpoints.

    Parameters
    ----------
    criteria
        ``"RECIST 1.1"`` or ``"iRECIST"``.
    rule
        The convention of response.
    stable_from
        Days from which SD counts.
    confirmation
        What confirms a response; None if nothing has to.
    censoring
        Of PFS and of the durations of response and disease control.
    window
        Days after the last dose in which what starts is treatment-emergent.
    doses
        What is planned of each treatment, by EXTRT.
    landmarks
        Days after the reference date at which disease control is judged.
    disease_control
        How: by `ControlAtLandmark`, `ControlUntilLandmark` or `ProgressionFreeAtLandmark`.
    before, after
        Days by which a landmark's scan may be early or late.
    unconfirmed
        How an iUPD at a landmark's scan counts, see `ControlAtLandmark`.
    benefit_from
        Days from which SD, if no response came, is clinical benefit, less `before`; None if that is no endpoint.

    Examples
    --------
    >>> list(Protocol(criteria="iRECIST", landmarks=(112,), benefit_from=168).endpoints)
    ['BOR', 'ORR', 'DCR', 'DCR16W', 'CBR', 'PFS', 'DOR', 'TTR', 'DDC']
    """

    criteria: Criteria = "RECIST 1.1"
    rule: ResponseRule = COMMON
    stable_from: int = 42
    confirmation: Confirmation | None = None
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT
    window: int = 30
    doses: Mapping[str, DosePlan] = field(default_factory=dict)
    landmarks: tuple[int, ...] = ()
    disease_control: ControlDefinition = "control at landmark"
    before: int = 14
    after: int = 14
    unconfirmed: UnconfirmedAs = "failure"
    benefit_from: int | None = None

    def __post_init__(self) -> None:
        check_days(self, "stable_from", "window", "before", "after")
        check_name(self, "disease_control", DEFINITIONS)
        check_name(self, "unconfirmed", UNCONFIRMED)
        for landmark in self.landmarks:
            count("landmarks", landmark, "days")
        if self.benefit_from is not None:
            count("benefit_from", self.benefit_from, "days", at_least=self.before + 1)

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by their PARAMCD; confirmed ones where confirmation is asked for."""
        best = BestOverallResponse(stable_from=self.stable_from)
        found: dict[str, Endpoint] = {"BOR": best, "ORR": ObjectiveResponse()}
        if self.confirmation is not None:
            found["CBOR"] = BestOverallResponse(self.confirmation, self.stable_from)
            found["CORR"] = ObjectiveResponse(self.confirmation)
        found["DCR"] = ControlAsBestResponse(best)
        found |= {self._landmark_code(day): self._control(day) for day in self.landmarks}
        if self.benefit_from is not None:
            found["CBR"] = ClinicalBenefit(self.confirmation, self.benefit_from - self.before)
        return found | {
            "PFS": ProgressionFreeSurvival(self.censoring),
            "DOR": DurationOfResponse(self.confirmation, self.censoring),
            "TTR": TimeToResponse(self.confirmation),
            "DDC": DurationOfDiseaseControl(best, self.censoring),
        }

    @property
    def parameters(self) -> dict[str, str]:
        """What each endpoint is, in words (PARAM), by its PARAMCD."""
        named = {}
        for day in self.landmarks:
            when = f"day {day}" if day % DAYS_A_WEEK else f"week {day // DAYS_A_WEEK}"
            what = self.disease_control.replace("control", "disease control").replace("landmark", when)
            named[self._landmark_code(day)] = what[0].upper() + what[1:]
        return {name: (named | PARAMETERS)[name] for name in self.endpoints}

    @property
    def definitions(self) -> EndpointDefinitions:
        """The same for `simulate_endpoints`, which asks for a confirmation beside what is not confirmed."""
        return EndpointDefinitions(
            self.landmarks,
            self.before,
            self.after,
            self.unconfirmed,
            self.rule,
            self.confirmation or Confirmation(),
            self.censoring,
            self.stable_from,
        )

    @staticmethod
    def _landmark_code(day: int) -> str:
        return f"DCR{day}D" if day % DAYS_A_WEEK else f"DCR{day // DAYS_A_WEEK}W"

    def _control(self, day: int) -> Endpoint:
        if self.disease_control == "control until landmark":
            return ControlUntilLandmark(day, self.before, self.censoring)
        if self.disease_control == "progression-free at landmark":
            return ProgressionFreeAtLandmark(day, self.before, self.after, self.censoring)
        return ControlAtLandmark(day, self.before, self.after, self.unconfirmed)

    @classmethod
    def read(cls, path: str | Path) -> Protocol:
        r"""Read a protocol from TOML.

        Keys, all optional: ``criteria``; ``conventions`` (``"COMMON"``, ``"EORTC"``); ``dating`` (``"FDA"``,
        ``"CDISC"``); ``confirm_progression_days``, iRECIST: ``[from, until]`` or the first alone; ``stable_from_days``;
        ``confirmation_days``; ``censoring`` (``"none"``, ``"fda"``) with ``longest_gap_days`` or
        ``assessments_weeks``, a list of ``[interval, until]``, the last one without an end, and ``window_weeks``;
        ``disease_control_weeks``, a list, with ``disease_control`` and ``unconfirmed``; ``clinical_benefit_weeks``;
        ``landmark_window_weeks``, of both; ``emergent_days``, the window of adverse events; a table
        ``[doses.TREATMENT]`` for each treatment, with ``dose``, ``every_days``, ``unit`` and ``late_days`` as in
        `DosePlan`.

        Raises
        ------
        InvalidValueError
            If the file cannot be read, a value is wrong, or a key says nothing without another one.
        UnknownNameError
            If a key, or a word that it can have, is not known.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "protocol.toml")
        ...     _ = path.write_text('censoring = "fda"\nassessments_weeks = [[8]]\ndisease_control_weeks = [16]\n')
        ...     protocol = Protocol.read(path)
        >>> protocol.landmarks, protocol.censoring.schedule.interval is not None
        ((112,), True)
        """
        try:
            said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidValueError("protocol", str(path), "a TOML file", f"correct it: {error}") from None
        try:
            return cls(**_fields(said))
        except InvalidValueError as error:
            raise InvalidValueError(f"{path}: {error.field}", error.got, error.expected, error.remedy) from None
        except UnknownNameError as error:
            raise UnknownNameError(f"{path}: {error.kind}", error.name, error.known) from None


def _fields(said: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the keys of a file into the fields of a protocol; what the file leaves out is not among them."""
    read: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
        "criteria": ("criteria", lambda key, given: choice(key, given, get_args(Criteria))),
        "stable_from_days": ("stable_from", _days),
        "confirmation_days": ("confirmation", lambda key, given: Confirmation(_days(key, given))),
        "emergent_days": ("window", _days),
        "doses": ("doses", _doses),
        "disease_control_weeks": ("landmarks", _landmarks),
        "disease_control": ("disease_control", lambda key, given: choice(key, given, DEFINITIONS)),
        "unconfirmed": ("unconfirmed", lambda key, given: choice(key, given, UNCONFIRMED)),
        "clinical_benefit_weeks": ("benefit_from", _weeks),
    }
    elsewhere = {"conventions", "dating", "confirm_progression_days", "censoring", "longest_gap_days"}
    elsewhere |= {"assessments_weeks", "window_weeks", "landmark_window_weeks"}
    for key in said:
        if key not in read and key not in elsewhere:
            raise UnknownNameError("key", key, [*read, *elsewhere])
        if NEEDS.get(key, key) not in said:
            raise InvalidValueError(key, said[key], f"{NEEDS[key]} beside it", f"say {NEEDS[key]}, or leave {key} out")
    found = {name: made(key, said[key]) for key, (name, made) in read.items() if key in said}
    if "unconfirmed" in said and found.get("criteria") != "iRECIST":
        raise InvalidValueError("unconfirmed", said["unconfirmed"], 'criteria = "iRECIST"', "only there is an iUPD")
    if "unconfirmed" in said and found.get("disease_control", DEFINITIONS[0]) != DEFINITIONS[0]:
        expected, remedy = (
            f"disease_control = {DEFINITIONS[0]!r}",
            "leave it out: the others date progression as PFS does",
        )
        raise InvalidValueError("unconfirmed", said["unconfirmed"], expected, remedy)
    if "landmark_window_weeks" in said:
        if not {"disease_control_weeks", "clinical_benefit_weeks"} & set(said):
            expected = "disease_control_weeks or clinical_benefit_weeks beside it"
            raise InvalidValueError("landmark_window_weeks", said["landmark_window_weeks"], expected, "say a landmark")
        days = _whole_days("landmark_window_weeks", said["landmark_window_weeks"], at_least=0)
        found |= {"before": days, "after": days}
    if "benefit_from" in found and found["benefit_from"] <= found.get("before", Protocol.before):
        got, expected = said["clinical_benefit_weeks"], "more weeks than landmark_window_weeks (2 where it is not said)"
        raise InvalidValueError("clinical_benefit_weeks", got, expected, "lengthen the one or narrow the other")
    return found | {"rule": _rule(said), "censoring": _censoring(said)}


def _days(key: str, given: object) -> int:
    return count(key, given, "days", at_least=0)


def _whole_days(key: str, given: object, *, at_least: int = 1) -> int:
    weeks = not_negative(key, given, "weeks")
    return count(key, round(weeks * DAYS_A_WEEK, 9), "days", at_least=at_least)


def _weeks(key: str, given: object) -> int:
    return _whole_days(key, given)


def _landmarks(key: str, given: object) -> tuple[int, ...]:
    if not isinstance(given, list) or not given:
        raise InvalidValueError(key, given, "a list of weeks", f"write {key} = [16]")
    days = tuple(_whole_days(key, week) for week in given)
    if len(set(days)) < len(days):
        raise InvalidValueError(key, given, "different weeks", "say each once")
    return days


def _rule(said: Mapping[str, Any]) -> ResponseRule:
    rule = CONVENTIONS[choice("conventions", said.get("conventions", "COMMON"), CONVENTIONS)]
    if "dating" in said:
        rule = replace(rule, dating=choice("dating", said["dating"], get_args(Dating)))
    key = "confirm_progression_days"
    if key not in said:
        return rule
    if said.get("criteria") != "iRECIST":
        raise InvalidValueError(key, said[key], 'criteria = "iRECIST"', "only there is an iUPD to confirm")
    window = said[key] if isinstance(said[key], list) else [said[key]]
    if not 1 <= len(window) <= 2:
        raise InvalidValueError(key, said[key], "the first and the last day", f"write {key} = [28, 56]")
    first, *last = (_days(key, day) for day in window)
    if last and last[0] < first:
        raise InvalidValueError(key, said[key], "the first day before the last", "exchange them")
    return replace(rule, confirm_from=first, **({"confirm_until": last[0]} if last else {}))


def _doses(key: str, said: object) -> dict[str, DosePlan]:
    names = {"dose": "dose", "every_days": "every", "unit": "unit", "late_days": "late"}
    found = {}
    for treatment, plan in said.items() if isinstance(said, dict) else [("", said)]:
        if not isinstance(plan, dict):
            expected = "a table [doses.TREATMENT] with dose, every_days, unit"
            raise InvalidValueError(key, said, expected, "write them so")
        of = f"{key}.{treatment}"
        for name in plan:
            if name not in names:
                raise UnknownNameError(of, name, names)
        if "dose" not in plan:
            raise InvalidValueError(of, plan, "a dose", "add dose = ..")
        try:
            found[treatment] = DosePlan(**{names[name]: value for name, value in plan.items()})
        except InvalidValueError as error:
            raise InvalidValueError(f"{of}: {error.field}", error.got, error.expected, error.remedy) from None
    return found


def _censoring(said: Mapping[str, Any]) -> Censoring:
    name = choice("censoring", said.get("censoring", "none"), ("none", "fda"))
    visits, gap = said.get("assessments_weeks"), said.get("longest_gap_days")
    if name == "none":
        for key in ("assessments_weeks", "longest_gap_days"):
            if key in said:
                expected = 'censoring = "fda" beside it'
                raise InvalidValueError(key, said[key], expected, f"leave {key} out, or say so")
        return EVENT_OR_LAST_ASSESSMENT
    if (visits is None) == (gap is None):
        expected = "longest_gap_days or assessments_weeks"
        raise InvalidValueError("censoring", name, expected, "say when assessments were missed")
    if visits is None:
        return Censoring.fda(positive("longest_gap_days", gap, "days"))
    return Censoring.fda(_assessments("assessments_weeks", visits, said.get("window_weeks", 0)))


def _assessments(key: str, given: object, window: object) -> Assessments:
    if not isinstance(given, list) or not all(isinstance(part, list) and 1 <= len(part) <= 2 for part in given):
        raise InvalidValueError(key, given, "pairs of interval and end in weeks, as [[8, 24], [12]]", "write them so")
    periods = []
    for part in given:
        interval, *end = (positive(key, week, "weeks") * WEEK for week in part)
        periods.append((interval, end[0] if end else None))
    margin = not_negative("window_weeks", window, "weeks") * WEEK
    try:
        return Assessments.changing(periods, window=margin)
    except InvalidValueError as error:
        at = "window_weeks" if error.field == "window" else key
        got = window if error.field == "window" else given
        raise InvalidValueError(at, got, error.expected, error.remedy) from None
