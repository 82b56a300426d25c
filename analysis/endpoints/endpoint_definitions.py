"""How endpoints are derived from scans, as one value for a whole trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions.border import strict_border
from analysis.endpoints.assessment import COMMON, ResponseRule
from analysis.endpoints.batch import Settings
from analysis.endpoints.events import UNCONFIRMED
from analysis.endpoints.response import Confirmation, compiled
from analysis.endpoints.time_to_event import EVENT_OR_LAST_ASSESSMENT, Censoring

if TYPE_CHECKING:
    from analysis.endpoints.disease_control import UnconfirmedAs


@strict_border
@dataclass(frozen=True)
class EndpointDefinitions:
    """How endpoints are derived from scans.

    Parameters
    ----------
    landmarks
        Days after entry at which disease control is judged; empty if at none.
    before, after
        Days by which a landmark's scan may be early or late.
    unconfirmed
        How an iUPD at a landmark counts (see `ControlAtLandmark`).
    rule, confirmation, censoring, stable_from
        As for one patient.

    Examples
    --------
    >>> EndpointDefinitions(landmarks=(112,)).unconfirmed
    'failure'
    """

    landmarks: tuple[int, ...] = (56, 112, 168, 336)
    before: int = 14
    after: int = 14
    unconfirmed: UnconfirmedAs = "failure"
    rule: ResponseRule = COMMON
    confirmation: Confirmation = field(default_factory=Confirmation)
    censoring: Censoring = EVENT_OR_LAST_ASSESSMENT
    stable_from: int = 42

    @property
    def compiled(self) -> Settings:
        """What the compiled rules read."""
        return Settings(
            self.rule.compiled,
            self.rule.window,
            float(self.stable_from),
            compiled(self.confirmation),
            self.censoring.compiled,
            np.array(self.landmarks, dtype=np.float64),
            float(self.before),
            float(self.after),
            UNCONFIRMED.index(self.unconfirmed),
        )
