"""From reported numbers to pseudo-patients: what the report leaves open stays open, as an ensemble."""

from analysis.reconstruction.ensemble import EnsembleEstimate
from analysis.reconstruction.result import Reconstruction

__all__ = ["EnsembleEstimate", "Reconstruction"]
