"""From a trial's reported numbers to survival curves, simulated endpoints and power.

The rooms are imported when they are first used, so that ``import analysis`` itself costs nothing:

>>> import analysis
>>> analysis.survival.Exponential.from_median(12.0).median
12.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from analysis.compiled import place_for_kernels
from analysis.version import __version__

place_for_kernels()

_ROOMS = (
    "conventions",
    "design",
    "endpoints",
    "errors",
    "explorer",
    "planning",
    "plots",
    "power",
    "proportions",
    "quality_of_life",
    "reconstruction",
    "reported",
    "safety",
    "sequential",
    "simulation",
    "single_arm",
    "statistical_tests",
    "studies",
    "survival",
    "tables",
)
_NAMES = {
    "load": "reported",
    "reconstruct": "reconstruction",
    "reconstruct_curve": "reconstruction",
    "simulate": "simulation",
}

__all__ = ["__version__", *_ROOMS, *_NAMES]

if TYPE_CHECKING:
    from analysis.reconstruction import reconstruct as reconstruct
    from analysis.reconstruction import reconstruct_curve as reconstruct_curve
    from analysis.reported import load as load
    from analysis.simulation import simulate as simulate


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"analysis.{name}")
    if name in _NAMES:
        return getattr(import_module(f"analysis.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'analysis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
