"""What a registered figure is, how it is written, and the parts that figures of several trials share."""

from analysis.figures.registry import Drawing, RegisteredFigure, by_name, pick
from analysis.figures.writer import write_figures

__all__ = ["Drawing", "RegisteredFigure", "by_name", "pick", "write_figures"]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
