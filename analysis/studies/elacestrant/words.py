"""What the answers on elacestrant + exemestane come to, every number taken from its frame."""

from __future__ import annotations

from analysis.single_arm import exact_binomial
from analysis.studies.elacestrant import pet, pfs_rate, scans, selection


def rate() -> str:
    """Say in four sentences what a trial of the 6-month rate can show."""
    printed = pfs_rate.printed_rates()
    missed = printed["difference"].abs()
    n = pfs_rate.SIZES.value[1]
    powers = {
        null: exact_binomial(n, null_rate=null, alpha=pfs_rate.ALPHA.value).rejection_probability(null + 0.2)
        for null in pfs_rate.NULL_RATES.value
    }
    low, high = pfs_rate.NULL_RATES.value
    return (
        "A median does not give the rate at 6 months: an exponential through EMERALD's medians is off by "
        f"{missed.min():.0%} to {missed.max():.0%}. {n} patients tell a rate of {low + 0.2:.0%} from {low:.0%}, "
        f"standard therapy's, with {powers[low]:.0%} power, and {high + 0.2:.0%} from {high:.0%}, elacestrant's "
        f"alone, with {powers[high]:.0%}. The lower null rate asks whether the combination beats standard therapy, "
        "the higher one whether exemestane adds anything. A historical rate compares only with a trial that scans "
        "as it did."
    )


def reading() -> str:
    """Say in five sentences what scans and FES-PET decide."""
    rates = scans.rates_by_definition().set_index(["weeks", "definition"])["rate"]
    seen = pet.rates_by_pet().set_index(["reading", "positive"])["rate"]
    by_patient = selection.by_patient()
    gain = selection.rate_under_selection()["difference"]
    gaps = {name: seen[name, "yes"] - seen[name, "no"] for name in pet.READINGS}
    return (
        f"The same patients show a rate of {rates.min():.0%} to {rates.max():.0%} at 6 months by how it is defined, "
        "and hardly another one by the schedule. FES-PET with an accuracy of 86% for the receptor has a positive "
        f"predictive value of {by_patient['positive_predictive_value'].min():.0%} to "
        f"{by_patient['positive_predictive_value'].max():.0%} for it, and {by_patient['enter'].min():.0%} to "
        f"{by_patient['enter'].max():.0%} of the screened enter. What selection adds to the rate, {gain.min():.1%} "
        f"to {gain.max():.1%}, depends on how alike a patient's lesions are. A baseline scan separates the patients "
        f"by {gaps[pet.READINGS[1]]:.0%} of disease control, an early fall of uptake by {gaps[pet.READINGS[2]]:.0%}. "
        f"Read as if 86% held for the outcome it would be {gaps[pet.READINGS[0]]:.0%}, which nobody has measured."
    )
