"""Tables as a trial delivers them: columns, dates, subjects, and what is found wrong on the way in."""

from analysis.records.findings import DataFinding, as_frame

__all__ = ["DataFinding", "as_frame"]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
