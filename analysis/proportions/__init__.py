"""Two proportions compared exactly: of responders in two trials, of patients with an event in two arms."""

from analysis.proportions.comparison import ProportionComparison, compare_proportions, exact_limits
from analysis.proportions.power import proportion_power

__all__ = ["ProportionComparison", "compare_proportions", "exact_limits", "proportion_power"]
