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
        "with "
        f"disease control on and has 80% power at a true rate of {exact['rate_for_power_80']:.0%}. That takes "
        "AveNEC's rate "
        f"as known: with its 60 patients' own error counted, {counts['fisher']} are needed by Fisher's and "
        "Boschloo's "
        f"tests, though a posterior probability passes 95% at {counts['posterior']}. At a true rate of {hope:.0%}, "
        "the "
        f"interim's, the power falls from {at_hope['binomial']:.0%} to {at_hope['fisher']:.0%}. After the "
        f"interim count of {dcr.INTERIM.responders} of {dcr.INTERIM.n} the exact test rejects at the end with a "
        "probability "
        f"of {interim['predictive_exact']:.0%}, the posterior rule with {interim['predictive_posterior']:.0%}. "
        f"If NET G3 does better than NEC, AveNEC's rate in this trial's mix is up to "
        f"{comparison.standardised()['rate'].max():.0%}, and more are needed."
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
        "lies "
        f"between {rates.min():.0%} and {rates.max():.0%} by how disease control is defined. How an iUPD first "
        "seen at week "
        f"16 counts moves it from {by_iupd.min():.0%} to {by_iupd.max():.0%}. What is made of treatment that ends "
        "for "
        f"toxicity moves it less: from {chosen.min():.1%} to {chosen.max():.1%} over the four strategies of ICH "
        "E9(R1), if "
        f"{ends:.0%} of the adverse events end treatment. Growth rates and depth of response of the monotherapy are "
        "withheld: no size was printed that would hold the calibration. Quality of life and adverse events of "
        "these drugs "
        "were not printed either; the tables that a trial delivers are read by rules that are tested."
    )
