"""What the answers to CaboAveNEC's questions come to, every number taken from its frame."""

from __future__ import annotations

from analysis.endpoints.simulation_results import CRITERIA
from analysis.studies.caboavenec import comparison, dcr, definitions, markers, quality, treatment
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
    rates = own[own["iupd"].isin(["", definitions.IUPD_RULES[0]])]["rate"]
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
        "life and adverse events of these drugs were not printed either; they are simulated under assumptions that "
        "are named."
    )


def quality_of_life() -> str:
    """Say in three sentences what questionnaires of 30 patients can show."""
    weeks = quality.by_visit()
    last = weeks[(weeks["loss"] == quality.LOSSES.value[-1]) & (weeks["week"] == weeks["week"].max())]
    until = last.set_index("asked")
    first, longer = (until.loc[asked] for asked in quality.ASKED.value)
    found = quality.deterioration()
    lossless = found[(found["asked"] == quality.ASKED.value[0]) & (found["loss"] == 0)]
    by_chance = lossless.set_index("definition")["deteriorated"]
    names = list(quality.DEFINITIONS)
    return (
        f"If progression costs {quality.LOSSES.value[-1]:.0f} points, the patients who live have lost "
        f"{-first['everybody']:.0f} at week {first['week']:.0f}; questionnaires that end with progression show "
        f"{-first['change']:.0f}, those that go on until death {-longer['change']:.0f}. One trial's mean has a "
        f"standard deviation of {first['trial_sd']:.1f} points: a loss of 10 is {10 / first['trial_sd']:.1f} of them. "
        f"If nothing is lost at all, {by_chance[names[0]]:.0%} of the patients deteriorate by 10 points at least once, "
        f"by the error of the questionnaires alone; {by_chance[names[2]]:.0%} do so definitively."
    )


def marker() -> str:
    """Say in a sentence which association of PD-L1 with disease control could be shown."""
    table = markers.association().set_index(["positive", "odds_ratio"])["significant"]
    few, _, half = markers.POSITIVE.value
    _, weak, strong = markers.ODDS.value
    return (
        f"Odds that are {weak:.0f} times as high with PD-L1 are significant in {table[few, weak]:.0%} to "
        f"{table[half, weak]:.0%} of trials of this size, {strong:.0f} times as high in {table[few, strong]:.0%} to "
        f"{table[half, strong]:.0%}, as {few:.0%} or {half:.0%} of the patients are positive: 30 patients do not "
        "settle a marker."
    )
