"""A trial as it is planned: from a file to its power, its figures, its paragraph and a report to hand on."""

from analysis.planning.plan import Plan
from analysis.planning.read import read_plan
from analysis.planning.report import write_report

__all__ = ["Plan", "read_plan", "write_report"]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
