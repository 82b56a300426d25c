"""What a protocol says of its endpoints, adverse events and doses, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.conventions.border import strict_border
from analysis.conventions.units import WEEK
from analysis.design import Assessments
from analysis.endpoints.assessment import COMMON, EORTC, ResponseRule
from analysis.endpoints.response import BestOverallResponse, Confirmation, ObjectiveResponse
from analysis.endpoints.time_to_event import (
    EVENT_OR_LAST_ASSESSMENT,
    Censoring,
    DurationOfResponse,
    ProgressionFreeSurvival,
    TimeToResponse,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.safety import DosePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.endpoints.codes import Criteria
    from analysis.endpoints.endpoint_tables import Endpoint


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
        Of PFS and duration of response.
    window
        Days after the last dose in which what starts is treatment-emergent.
    doses
        What is planned of each treatment, by EXTRT.

    Examples
    --------
    >>> Protocol(stable_from=56).criteria
    'RECIST 1.1'
    """

    criteria: Criteria = "RECIST 1.1"
    rule: ResponseRule = COMMON
    stable_from: int = 42
    confirmation: Confirmation | None = None
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT
    window: int = 30
    doses: Mapping[str, DosePlan] = field(default_factory=dict)

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by their PARAMCD; confirmed ones where confirmation is asked for."""
        found: dict[str, Endpoint] = {
            "BOR": BestOverallResponse(stable_from=self.stable_from),
            "ORR": ObjectiveResponse(),
            "PFS": ProgressionFreeSurvival(self.censoring),
            "DOR": DurationOfResponse(self.confirmation, self.censoring),
            "TTR": TimeToResponse(self.confirmation),
        }
        if self.confirmation is not None:
            found["CBOR"] = BestOverallResponse(self.confirmation, self.stable_from)
            found["CORR"] = ObjectiveResponse(self.confirmation)
        return found

    @classmethod
    def read(cls, path: str | Path) -> Protocol:
        r"""Read a protocol from TOML.

        Keys, all optional: ``criteria``; ``conventions`` (``"COMMON"``, ``"EORTC"``); ``dating`` (``"FDA"``,
        ``"CDISC"``); ``stable_from_days``; ``confirmation_days``; ``censoring`` (``"none"``, ``"fda"``) with
        ``longest_gap_days`` or ``assessments_weeks``, a list of ``[interval, until]``, the last one without an end, and
        ``window_weeks``; ``emergent_days``, the window of adverse events; a table ``[doses.TREATMENT]`` for each
        treatment, with ``dose``, ``every_days``, ``unit`` and ``late_days`` as in `DosePlan`.

        Raises
        ------
        InvalidValueError
            If the file cannot be read or a value is wrong.
        UnknownNameError
            If a key is not known.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "protocol.toml")
        ...     _ = path.write_text('censoring = "fda"\nassessments_weeks = [[8, 24], [12]]\nconfirmation_days = 28\n')
        ...     protocol = Protocol.read(path)
        >>> protocol.confirmation.days, protocol.censoring.schedule.interval is not None
        (28, True)
        """
        try:
            said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidValueError("protocol", str(path), "a TOML file", f"correct it: {error}") from None
        known = {"criteria", "conventions", "dating", "stable_from_days", "confirmation_days", "censoring"}
        known |= {"emergent_days", "doses", "longest_gap_days", "assessments_weeks", "window_weeks"}
        for key in said:
            if key not in known:
                raise UnknownNameError(f"{path}: key", key, known)
        conventions = {"COMMON": COMMON, "EORTC": EORTC}
        chosen = said.get("conventions", "COMMON")
        if chosen not in conventions:
            raise UnknownNameError(f"{path}: conventions", str(chosen), conventions)
        base = conventions[chosen]
        rule = ResponseRule(base.keeps_response, base.reappearance_is_progression, dating=said.get("dating", "FDA"))
        days = said.get("confirmation_days")
        return cls(
            said.get("criteria", "RECIST 1.1"),
            rule,
            said.get("stable_from_days", 42),
            None if days is None else Confirmation(days),
            _censoring(str(path), said),
            said.get("emergent_days", 30),
            _doses(str(path), said.get("doses", {})),
        )


def _doses(path: str, said: object) -> dict[str, DosePlan]:
    names = {"dose": "dose", "every_days": "every", "unit": "unit", "late_days": "late"}
    found = {}
    for treatment, plan in said.items() if isinstance(said, dict) else [("", said)]:
        if not isinstance(plan, dict):
            expected = "a table [doses.TREATMENT] with dose, every_days, unit"
            raise InvalidValueError(f"{path}: doses", said, expected, "write them so")
        for key in plan:
            if key not in names:
                raise UnknownNameError(f"{path}: doses.{treatment}", key, names)
        if "dose" not in plan:
            raise InvalidValueError(f"{path}: doses.{treatment}", plan, "a dose", "add dose = ..")
        found[treatment] = DosePlan(**{names[key]: value for key, value in plan.items()})
    return found


def _censoring(path: str, said: Mapping[str, Any]) -> Censoring:
    name = said.get("censoring", "none")
    if name not in ("none", "fda"):
        raise UnknownNameError(f"{path}: censoring", str(name), ("none", "fda"))
    visits, gap = said.get("assessments_weeks"), said.get("longest_gap_days")
    if name == "none":
        return EVENT_OR_LAST_ASSESSMENT
    if (visits is None) == (gap is None):
        expected = "longest_gap_days or assessments_weeks"
        raise InvalidValueError(f"{path}: censoring", name, expected, "say when assessments were missed")
    if visits is None:
        return Censoring.fda(said["longest_gap_days"])
    try:
        parts = [(part[0] * WEEK, part[1] * WEEK if len(part) > 1 else None) for part in visits]
    except (TypeError, IndexError):
        expected = "pairs of interval and end in weeks, as [[8, 24], [12]]"
        raise InvalidValueError(f"{path}: assessments_weeks", visits, expected, "write them so") from None
    return Censoring.fda(Assessments.changing(parts, window=said.get("window_weeks", 0) * WEEK))
