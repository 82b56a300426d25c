"""From reported numbers to pseudo-patients: what the report leaves open stays open, as an ensemble."""

from analysis.reconstruction.digitised import reconstruct_curve
from analysis.reconstruction.ensemble import EnsembleEstimate
from analysis.reconstruction.from_report import reconstruct
from analysis.reconstruction.prior import ShapePrior
from analysis.reconstruction.result import Reconstruction

__all__ = ["EnsembleEstimate", "Reconstruction", "ShapePrior", "reconstruct", "reconstruct_curve"]
