"""From reported numbers to pseudo-patients: what the report leaves open stays open, as an ensemble."""

from analysis.reconstruction.curve.digitised import reconstruct_curve
from analysis.reconstruction.ensemble import EnsembleEstimate
from analysis.reconstruction.entry import reconstruct
from analysis.reconstruction.prior import ShapePrior
from analysis.reconstruction.result import Reconstruction
from analysis.reconstruction.trial_result import Endpoint, TrialReconstruction

__all__ = [
    "Endpoint",
    "EnsembleEstimate",
    "Reconstruction",
    "ShapePrior",
    "TrialReconstruction",
    "reconstruct",
    "reconstruct_curve",
]
