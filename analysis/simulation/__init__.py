"""Simulated trials and their operating characteristics."""

from analysis.simulation.datasets import simulated_patients
from analysis.simulation.execution import SimulationError
from analysis.simulation.landmark import at_rate, average_rejection, two_stage_table
from analysis.simulation.results import SimulatedTrials
from analysis.simulation.run import simulate, simulate_grid

__all__ = [
    "SimulatedTrials",
    "SimulationError",
    "at_rate",
    "average_rejection",
    "simulate",
    "simulate_grid",
    "simulated_patients",
    "two_stage_table",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
