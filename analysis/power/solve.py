"""Power, and the size, the time, the events or the hazard ratio that a power asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from analysis.errors import InfeasibleDesignError, InvalidValueError
from analysis.power.expected import events_in_the_end, expected_events, time_of_events
from analysis.power.logrank import LogRank, average_hazard_ratio
