"""An explorer of a planned trial for JupyterLab: move an assumption and see power, events and curves move."""

from analysis.explorer.setting import Setting, Shown
from analysis.explorer.widget import explore

__all__ = ["Setting", "Shown", "explore"]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
