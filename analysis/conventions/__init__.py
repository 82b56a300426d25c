"""What every room agrees on: checks, units, seeds, scales, Monte Carlo values, one serialiser, short displays."""

from analysis.conventions.by_name import ByName
from analysis.conventions.files import from_file, to_file
from analysis.conventions.monte_carlo import MonteCarlo
from analysis.conventions.seeds import Seed
from analysis.conventions.serial import from_json, identity, json_schema, to_json
from analysis.conventions.units import DAYS_PER_MONTH, WEEK
from analysis.conventions.values import replace, value

__all__ = [
    "DAYS_PER_MONTH",
    "WEEK",
    "ByName",
    "MonteCarlo",
    "Seed",
    "from_file",
    "from_json",
    "identity",
    "json_schema",
    "replace",
    "to_file",
    "to_json",
    "value",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
