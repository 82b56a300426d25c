"""Tables as sponsors deliver them: of survival, endpoints and adverse events, as HTML, LaTeX and RTF."""

from analysis.tables.delivered import DeliveredTable
from analysis.tables.of_trials import adverse_event_table, endpoint_table, survival_table

__all__ = [
    "DeliveredTable",
    "adverse_event_table",
    "endpoint_table",
    "survival_table",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
