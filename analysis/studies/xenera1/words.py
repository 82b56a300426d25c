"""The answers to the questions asked of XENERA-1 as sentences, every number in them taken from its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.studies.xenera1 import plan
from analysis.studies.xenera1.assurance import (
    SHRUNK,
    SHRUNK_BY_INTERACTION,
    assurances,
    beliefs,
    from_report,
    interaction_p_value,
    rest_by_interaction,
    rest_of,
)
from analysis.studies.xenera1.confirmation import agreement_of_estimates, confirmed_share, discordance_cost
from analysis.studies.xenera1.explanations import ALIKE, ALONE, BY_ARM, explanations
from analysis.studies.xenera1.plan import CONTROL_ARM, HAZARD_RATIO
from analysis.studies.xenera1.power import (
    detectable,
    events_and_when,
    power_grid,
    what_moves_power,
)
from analysis.studies.xenera1.seen import (
    TRUTHS,
    detectable_at_events_seen,
    estimates_at_events_seen,
    events_seen,
    power_at_events_seen,
    when_events_seen_were_due,
)

if TYPE_CHECKING:
    import pandas as pd

    from analysis.reported import Reported

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
TO = "\N{EN DASH}"


def _row(frame: pd.DataFrame, **where: object) -> Any:
    """Return the one row in which the columns have these values."""
    rows = frame
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, f"{where}: {len(rows)} rows"
    return rows.iloc[0]


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def _simulated(row: Any, value: str = "power", error: str = "std_error") -> str:
    return f"{100 * row[value]:.1f}% {PLUS_MINUS} {100 * row[error]:.1f}"


def conclusion() -> str:
    """Say in three sentences what the design could show."""
    ratio = HAZARD_RATIO.value
    base = _row(power_grid(), control_arm=CONTROL_ARM.value, hazard_ratio=ratio)
    moved = what_moves_power()
    alphas = moved[moved["replaced"] == "type I error"].set_index("by")["power"]
    table = assurances()
    shrunk, interacting = _row(table, belief=SHRUNK), _row(table, belief=SHRUNK_BY_INTERACTION)
    return (
        f"100 patients on the registered calendar have {_percent(base['power'])} power at a hazard ratio of "
        f"{ratio:g}, one-sided {plan.ALPHA.value:.1%}; at 5, 10 and 20%, usual in phase II, it is "
        f"{', '.join(_percent(alphas[f'{alpha:g} one-sided']) for alpha in plan.ALPHA_OTHERWISE.value)}: no other "
        "assumption moves it as much. 80% power at that ratio asks for more events than there are patients. Given "
        f"what the phase II left to believe, the trial had a chance of {_percent(interacting['assurance'])} to "
        f"{_percent(shrunk['assurance'])} to succeed."
    )


def result() -> str:
    """Say in three sentences what the trial showed."""
    weak, powers = TRUTHS.value[1], power_at_events_seen()
    read = []
    for reader in plan.READERS:
        low, high = _interval(reader)
        ratio = plan.hazard_ratio_of(plan.by_reader(reader)).estimate.text
        row = _row(powers, reader=reader, true_hazard_ratio=weak)
        read.append(
            f"The {reader} reading has a hazard ratio of {ratio} ({low.text}{TO}{high.text}), which about "
            f"{row['events']:.0f} events give; their power for a true one of {weak:g} is {_percent(row['power'])}."
        )
    return (
        f"{' '.join(read)} The result neither confirms xentuzumab nor shows that it does nothing. The curves of both "
        "readings cross, so that no single ratio describes them."
    )


def readings() -> str:
    """Say in four sentences which readers explain the two readings."""
    table = explanations()

    def found(explanation: str, reader: str, quantity: str) -> Any:
        return _row(table, explanation=explanation, reader=reader, quantity=quantity)

    events = found(ALIKE, "independent", "events")
    medians = [found(ALONE, "independent", f"median, {arm}")["simulated"] for arm in plan.ARMS]
    ratio = found(BY_ARM, "independent", "hazard ratio")
    within = table.groupby("explanation")["within"].all()
    decides = "lies within chance of both, and does not decide" if within[ALONE] and within[BY_ARM] else "decides"
    return (
        f"Two readers who err alike, as often as in other trials, leave {events['simulated']:.0f} {PLUS_MINUS} "
        f"{events['std_error']:.1f} independent events; the report's interval implies {events['target']:.0f}, and 95% "
        f"of single trials have {events['lower']:.0f} to {events['upper']:.0f}. Progressions that the investigator "
        f"alone calls, alike in both arms, give {found(ALONE, 'independent', 'events')['simulated']:.0f}, but "
        f"independent medians, {medians[0]:.1f} months on placebo and {medians[1]:.1f} on xentuzumab, in the order "
        "of the investigators'. A rate for each arm gives all four medians, and a hazard ratio of "
        f"{ratio['simulated']:.2f} where {ratio['target']:.2f} was reported. The report {decides} between these two."
    )


def power() -> str:
    """Say what the registered design could show."""
    grid, ratio = power_grid(), HAZARD_RATIO.value
    base = _row(grid, control_arm=CONTROL_ARM.value, hazard_ratio=ratio)
    over_arms = grid[grid["hazard_ratio"] == ratio]["power"]
    null = grid[grid["hazard_ratio"] == 1]["power"]
    return (
        f"At a hazard ratio of {ratio:g} and the control arm that is assumed, the simulated power is "
        f"{_simulated(base)} (here and below: Monte Carlo standard error in percentage points), with "
        f"{base['events']:.0f} events. Schoenfeld's formula gives {100 * base['schoenfeld']:.1f}%, Freedman's "
        f"{100 * base['freedman']:.1f}%, the large-sample moments of the log-rank test "
        f"{100 * base['large_sample']:.1f}%; the power by these moments over single curves that BOLERO-2's reports "
        f"allow runs from {_percent(base['large_sample_lower'])} to {_percent(base['large_sample_upper'])} (central "
        f"90%), and another draw of these curves would move its mean by {PLUS_MINUS} "
        f"{100 * base['members_std_error']:.1f} points. Over all control arms the simulated power is "
        f"{_percent(over_arms.min())} to {_percent(over_arms.max())}. Without effect the test rejects in "
        f"{100 * null.min():.1f}{TO}{100 * null.max():.1f}% of the trials, against {100 * plan.ALPHA.value:.1f}% "
        "asked."
    )


def assumptions_that_matter() -> str:
    """Say which assumption moves the power most."""
    moved = what_moves_power()
    base, others = moved.iloc[0], moved.iloc[1:]
    told = others[others["difference"].abs() > 2 * others["difference_std_error"]]
    by_weight = told.drop_duplicates("replaced")
    parts = [
        f"{row['replaced']} {row['by']} ({100 * row['difference']:+.1f} {PLUS_MINUS} "
        f"{100 * row['difference_std_error']:.1f} points)"
        for _, row in by_weight.iterrows()
    ]
    scans = others[others["replaced"] == "assessments laid over the curves"]
    twice = " and ".join(
        f"{100 * row['difference']:+.1f} {PLUS_MINUS} {100 * row['difference_std_error']:.1f} points at {row['by']}"
        for _, row in scans.iterrows()
    )
    return (
        f"Of {_percent(base['power'])} as assumed, in order of what each moves at most: {'; '.join(parts)}. Scans "
        f"that are laid over a control arm which was itself read at scans count them twice: that costs {twice}."
    )


def events() -> str:
    """Say how many events an effect asks for, and whether so many patients have them."""
    table, n = events_and_when(), plan.design().n
    wanted = _row(table, hazard_ratio=HAZARD_RATIO.value)
    reachable = table[np.isfinite(table["month_upper"])].iloc[-1]
    return (
        f"80% power at a hazard ratio of {HAZARD_RATIO.value:g} asks for {wanted['events']:.0f} events, and the "
        f"design has {n} patients: no follow-up is long enough. The weakest effect of the table whose events come on "
        f"nearly every curve is {reachable['hazard_ratio']:g}: {reachable['events']:.0f} events, expected at month "
        f"{reachable['month']:.0f} ({reachable['month_lower']:.0f}{TO}{reachable['month_upper']:.0f}); the simulated "
        f"power there is {_simulated(reachable)}."
    )


def detectable_effect() -> str:
    """Say what the registered design could detect."""
    row = _row(detectable(), control_arm=CONTROL_ARM.value, asked=0.8)
    return (
        f"With 80% power the design detects a hazard ratio of {row['hazard_ratio']:.2f} "
        f"({row['lower']:.2f}{TO}{row['upper']:.2f} over single curves of the control arm); the simulated power "
        f"there is {_simulated(row)}."
    )


def events_were_late() -> str:
    """Say when the events that were seen were due."""
    due = when_events_seen_were_due()
    recruiting = plan.months_from_start("still-recruiting")
    parts = [
        f"{row['events']} by {row['reader']} reading at month {row['simulated']:.2f} {PLUS_MINUS} "
        f"{row['std_error']:.3f}"
        for _, row in due.iterrows()
    ]
    return (
        f"Under the assumptions, without effect, the events seen were due early: {' and '.join(parts)} (simulated "
        f"mean with its Monte Carlo standard error). The trial was still recruiting at month {recruiting:.0f}. It "
        "follows that patients came later, were lost sooner or progressed later than is assumed here, or that the "
        "review missed what the investigator saw; the reports do not say which."
    )


def power_seen() -> str:
    """Say what the events seen could show."""
    powers, limits = power_at_events_seen(), detectable_at_events_seen()
    parts = []
    for reader in plan.READERS:
        row = _row(powers, reader=reader, true_hazard_ratio=HAZARD_RATIO.value)
        limit = _row(limits, reader=reader)
        parts.append(
            f"The {reader} reading rests on about {row['events']:.0f} events (between {row['events_lower']:.0f} and "
            f"{row['events_upper']:.0f}, recovered from the interval). At a hazard ratio of {HAZARD_RATIO.value:g} "
            f"their power is {100 * row['schoenfeld']:.1f}% by Schoenfeld's formula "
            f"({100 * row['schoenfeld_lower']:.1f}{TO}{100 * row['schoenfeld_upper']:.1f}% over the range of the "
            f"events), {_simulated(row)} simulated. Only an observed hazard ratio below "
            f"{limit['significant_below']:.2f} would have been significant, and 80% power needs a true one of "
            f"{limit['detectable_80']:.2f}."
        )
    return "\n\n".join(parts)


def above_one() -> str:
    """Say how often a working drug looks like a failing one."""
    table, parts = estimates_at_events_seen(), []
    for reader in plan.READERS:
        row = _row(table, reader=reader, true_hazard_ratio=HAZARD_RATIO.value)
        null = _row(table, reader=reader, true_hazard_ratio=1.0)
        printed = plan.hazard_ratio_of(plan.by_reader(reader)).estimate.text
        parts.append(
            f"With {row['events']} events ({reader}) and a true hazard ratio of {HAZARD_RATIO.value:g}, the observed "
            f"one is above 1 in {_simulated(row, 'above_1', 'above_1_std_error')} of the trials "
            f"({100 * row['above_1_normal_lower']:.1f}{TO}{100 * row['above_1_normal_upper']:.1f}% by normal "
            f"approximation over the range of the events), and at or above the reported {printed} in "
            f"{_simulated(row, 'above_reported', 'above_reported_std_error')}; without effect in "
            f"{_simulated(null, 'above_reported', 'above_reported_std_error')}."
        )
    return "\n\n".join(parts)


def discordance() -> str:
    """Say what the unconfirmed progressions cost."""
    table, agreement = discordance_cost(), agreement_of_estimates()
    share = confirmed_share()
    full = _row(table, confirmed=1.0)
    lost = _row(table, confirmed=share, unconfirmed="lost or false")
    false = _row(table, confirmed=share, unconfirmed="false")
    return (
        f"The review has {_percent(share)} of the investigator's events. At a hazard ratio of "
        f"{HAZARD_RATIO.value:g}, full agreement leaves a power of {_simulated(full)} at the investigator's events. "
        f"The review alone, with the events it has, is left with {_simulated(lost)}. If the unconfirmed progressions "
        f"were all false, the investigator would see a hazard ratio of {false['hazard_ratio']:.2f} and a power of "
        f"{_simulated(false)}. The two estimates do not contradict each other: the log of their ratio is "
        f"{agreement['reported']:.2f}, and {agreement['std_deviation']:.2f} is its standard deviation if the "
        f"review's events are a part of the investigator's (correlation {agreement['correlation']:.2f})."
    )


def assurance() -> str:
    """Say what was to be expected before the trial."""
    table = assurances()
    printed = _row(table, belief="non-visceral subgroup, as printed")
    shrunk, interacting = _row(table, belief=SHRUNK), _row(table, belief=SHRUNK_BY_INTERACTION)
    everyone, sceptic = _row(table, belief="all patients of the phase II"), _row(table, belief="sceptic")
    subgroup = beliefs()[0]
    rest = rest_of(from_report("all patients of the phase II", "pfs"), subgroup)
    by_interaction = rest_by_interaction(subgroup, rest, interaction_p_value())
    return (
        f"Taken as printed, the subgroup gives an assurance of {_percent(printed['assurance'])} (simulated "
        f"{_simulated(printed, 'simulated')}). Towards what it is shrunk is read in two ways. The intervals of all "
        f"patients and of the subgroup leave the others a hazard ratio of {rest.quantile(0.5):.2f}; shrunk towards "
        f"that, the subgroup's is {shrunk['hazard_ratio']:.2f} ({shrunk['lower']:.2f}{TO}{shrunk['upper']:.2f}) and "
        f"the assurance {_percent(shrunk['assurance'])} (simulated {_simulated(shrunk, 'simulated')}). The p printed "
        f"of the interaction, {interaction_p_value():g}, puts the others at {by_interaction.quantile(0.5):.2f}; "
        f"shrunk towards that, the subgroup's is {interacting['hazard_ratio']:.2f} "
        f"({interacting['lower']:.2f}{TO}{interacting['upper']:.2f}) and the assurance "
        f"{_percent(interacting['assurance'])} (simulated {_simulated(interacting, 'simulated')}). Both cannot hold: "
        "the reports do not say which model gave which. The phase II as a whole gives "
        f"{_percent(everyone['assurance'])}, a sceptic {_percent(sceptic['assurance'])}. At the independent "
        f"reading's events the two shrunk beliefs are left with {_percent(shrunk['independent'])} and "
        f"{_percent(interacting['independent'])}."
    )


def verdict() -> str:
    """Say what the trial shows and what it does not."""
    intervals = {reader: _interval(reader) for reader in plan.READERS}
    lines = []
    for reader, (low, high) in intervals.items():
        inside = [f"{truth:g}" for truth in TRUTHS.value if low.value <= truth <= high.value]
        outside = [f"{truth:g}" for truth in TRUTHS.value if not low.value <= truth <= high.value]
        left_out = f" It leaves out {' and '.join(outside)}." if outside else ""
        lines.append(
            f"- By {reader} reading, with about {events_seen(reader).estimate:.0f} events, the interval from "
            f"{low.text} to {high.text} holds true hazard ratios of {', '.join(inside)}.{left_out}"
        )
    subgroup = beliefs()[0].quantile(0.5)
    held = [reader for reader, (low, high) in intervals.items() if low.value <= subgroup <= high.value]
    where = f"in the interval by {' and '.join(held)} reading" if held else "outside both intervals"
    lines.append(f"- The subgroup's {subgroup:.2f}, which the trial was started on, lies {where}.")
    weak, powers = TRUTHS.value[1], power_at_events_seen()
    seen = [f"{_simulated(_row(powers, reader=reader, true_hazard_ratio=weak))} ({reader})" for reader in plan.READERS]
    lines.append(f"- Had the true hazard ratio been {weak:g}, the power at the events seen was {' and '.join(seen)}.")
    return "\n".join(lines)


def _interval(reader: str) -> tuple[Reported, Reported]:
    ratio = plan.hazard_ratio_of(plan.by_reader(reader))
    assert ratio.ci is not None, f"{reader} prints no interval"
    return ratio.ci.lower, ratio.ci.upper
