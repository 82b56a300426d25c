"""From reported numbers to pseudo-patients: what the report leaves open stays open, as an ensemble."""

from analysis.reconstruction.curve.digitised import reconstruct_curve
from analysis.reconstruction.curve.files import DigitisedFile, read_at_risk, read_curves
from analysis.reconstruction.ensemble import EnsembleEstimate
from analysis.reconstruction.entry import reconstruct
from analysis.reconstruction.exports import adtte, paragraph, write_adtte
from analysis.reconstruction.prior import ShapePrior
from analysis.reconstruction.result import Reconstruction
from analysis.reconstruction.trial_result import Endpoint, TrialReconstruction

__all__ = [
    "DigitisedFile",
    "Endpoint",
    "EnsembleEstimate",
    "Reconstruction",
    "ShapePrior",
    "TrialReconstruction",
    "adtte",
    "paragraph",
    "read_at_risk",
    "read_curves",
    "reconstruct",
    "reconstruct_curve",
    "write_adtte",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
