"""Two proportions compared exactly, and a control's rate borrowed from earlier trials."""

from analysis.proportions.borrowing import BorrowedRate, commensurate_prior, meta_analytic_prior
from analysis.proportions.comparison import ProportionComparison, compare_proportions, exact_limits
from analysis.proportions.power import proportion_power

__all__ = [
    "BorrowedRate",
    "ProportionComparison",
    "commensurate_prior",
    "compare_proportions",
    "exact_limits",
    "meta_analytic_prior",
    "proportion_power",
]


def __dir__() -> list[str]:
    return sorted(__all__)  # completion shows public names alone
