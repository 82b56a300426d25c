"""What the answers to CaboAveNEC's questions come to, every number taken from its frame."""

from __future__ import annotations

from analysis.endpoints.simulation_results import CRITERIA
from analysis.studies.caboavenec import comparison, dcr, definitions, treatment
from analysis.studies.caboavenec.disease import WEEK_16


def disease_control() -> str:
    """Say in five sentences what 30 patients can show of disease control."""
    exact = dcr.exact_designs().set_index("null_rate").loc[0.15]
    counts = comparison.smallest_counts()
    power = comparison.power_of_the_comparison().set_index("true_rate")
    interim = dcr.after_interim().set_index("null_rate").loc[0.15]
    hope = comparison.TRUE_RATES.value[3]
    at_hope = dict(power.loc[hope])
    return (
        f"Against a null rate of 15%, AveNEC's, the exact test of 30 patients rejects from {exact['critical']:.0f} "
        f"with disease control on and has 80% power at a true rate of {exact['rate_for_power_80']:.0%}. That takes "
        f"AveNEC's rate as known: with its 60 patients' own error counted, {counts['fisher']} are needed by Fisher's "
        f"and Boschloo's tests, though a posterior probability passes 95% at {counts['posterior']}. At a true rate "
        f"of {hope:.0%}, the interim's, the power falls from {at_hope['binomial']:.0%} to {at_hope['fisher']:.0%}. "
        f"After the interim count of {dcr.INTERIM.responders} of {dcr.INTERIM.n} the exact test rejects at the end "
        f"with a probability of {interim['predictive_exact']:.0%}, the posterior rule with "
        f"{interim['predictive_posterior']:.0%}. If NET G3 does better than NEC, AveNEC's rate in this trial's mix "
        f"is up to {comparison.standardised()['rate'].max():.0%}, and more are needed."
    )


def endpoints() -> str:
    """Say in five sentences what the definition of disease control decides."""
    table = definitions.operating_characteristics()
    own = table[(table["treatment"] == WEEK_16) & (table["criteria"] == CRITERIA[1])]
    rates = own.groupby("definition")["rate"].mean()
    by_iupd = own[own["iupd"] != ""].set_index("iupd")["rate"]
    strategies = treatment.by_estimand()
    ends = treatment.ENDS.value[-1]
    chosen = strategies[
        (strategies["ends"] == ends)
        & (strategies["criteria"] == CRITERIA[1])
        & (strategies["endpoint"] == "disease control at week 16")
    ].set_index("strategy")["value"]
    return (
        "In one simulated population, calibrated to the interim's disease control at week 16, the rate by iRECIST "
        f"lies between {rates.min():.0%} and {rates.max():.0%} by how disease control is defined. How an iUPD first "
        f"seen at week 16 counts moves it from {by_iupd.min():.0%} to {by_iupd.max():.0%}. What is made of treatment "
        f"that ends for toxicity moves it less: from {chosen.min():.1%} to {chosen.max():.1%} over the four "
        f"strategies of ICH E9(R1), if {ends:.0%} of the adverse events end treatment. Growth rates and depth of "
        "response of the monotherapy are withheld: no size was printed that would hold the calibration. Quality of "
        "life and adverse events of these drugs were not printed either; the tables that a trial delivers are read "
        "by rules that are tested."
    )
