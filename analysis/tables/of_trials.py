"""The tables that a trial is reported with: times to an event, other endpoints, adverse events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import number, positive, probability
from analysis.endpoints.endpoint_tables import summarise
from analysis.errors import InvalidValueError, NotEstimableError, UnknownNameError
from analysis.plots.drawn import tested
from analysis.plots.sources import drawn
from analysis.reconstruction.result import Reconstruction
from analysis.statistical_tests import CoxHazardRatio, LogRank, MilestoneDifference, RMSTDifference
from analysis.survival.estimators import kaplan_meier, rmst
from analysis.tables.delivered import DeliveredTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from analysis.conventions.scales import ScaleName
    from analysis.plots.drawn import Drawn
    from analysis.safety import AdverseEvents
    from analysis.statistical_tests.base import TwoArmTest

NOT_REACHED = "NR"
NOT_ESTIMABLE = "NE"
ALL = "All patients"


@border
def survival_table(
    source: Any = None,
    *,
    time: str | ArrayLike | None = None,
    event: str | ArrayLike | None = None,
    arm: str | ArrayLike | None = None,
    strata: str | Sequence[str] | ArrayLike | None = None,
    unit: Literal["days", "weeks", "months", "years"] | None = None,
    control: str | None = None,
    landmarks: Sequence[float] = (),
    tau: float | None = None,
    test: TwoArmTest | None = None,
    level: float = 0.95,
    scale: ScaleName = "log-log",
    title: str = "Time to event",
    subtitle: str = "",
) -> DeliveredTable:
    """Tabulate times to an event by arm: events, follow-up, median, rates, restricted mean, and the comparisons.

    Parameters
    ----------
    source, time, event, arm, strata, unit
        Patients, as `analysis.plots.survival_plot` takes them: a frame, estimates or fitters by arm, arrays; with
        strata ratio and p-value are stratified.
    control
        The arm that others are compared with; the last one.
    landmarks
        Months of the rates and of their differences.
    tau
        Restriction of the mean, months; without it there is none.
    test
        Test of the p-value; by default the log-rank test.
    level, scale
        Two-sided confidence level, and type of the limits of rates and medians.
    title, subtitle
        Of the table.

    Returns
    -------
    DeliveredTable
        A column for each arm. NR is not reached, NE not estimable.

    Raises
    ------
    InvalidValueError
        If the source has no patients or the level is no probability.
    UnknownNameError
        If the control is no arm.

    Examples
    --------
    >>> table = survival_table(
    ...     time=[2, 3, 5, 8, 9, 4, 6, 8, 11, 12], event=[1, 1, 1, 0, 1, 1, 0, 1, 0, 0], arm=["old"] * 5 + ["new"] * 5,
    ...     control="old",
    ... )
    >>> from pprint import pprint
    >>> pprint(table.cells().iloc[[0, 1, 4, 5]].to_numpy().tolist())
    [['Patients', '5', '5'],
     ['Events, n (%)', '4 (80)', '2 (40)'],
     ['Median (95% CI), months', '5.0 (2.0 to NR)', 'NR (4.0 to NR)'],
     ['Hazard ratio against old (95% CI)', '', '0.35 (0.06 to 1.92)']]
    """
    probability("level", level)
    for month in landmarks:
        positive("landmarks", month)
    curves = [] if isinstance(source, Reconstruction) else drawn(
        source, time=time, event=event, arm=arm, level=level, scale=scale, end=1.0, unit=unit, strata=strata
    )  # fmt: skip
    if not curves or any(each.estimate is None for each in curves):
        expected = "patients: a frame, arrays, Kaplan-Meier estimates or lifelines fitters"
        raise InvalidValueError("source", type(source).__name__, expected, "of a reconstruction tabulate its summary()")
    names = [each.name for each in curves]
    reference = names[-1] if control is None else control
    if reference not in names:
        raise UnknownNameError("control", reference, names)
    limits = f"({100 * level:g}% CI)"
    rows = {label: [of(each) for each in curves] for label, of in _of_an_arm(landmarks, tau, level, scale).items()}
    against = next(each for each in curves if each.name == reference)
    within = "" if strata is None else "stratified "
    ratio = f"{within}hazard ratio against {reference} {limits}"
    tests: dict[str, TwoArmTest] = {ratio[0].upper() + ratio[1:]: CoxHazardRatio(level=level)}
    chosen = test or LogRank()
    tests |= {f"p, two-sided ({within}{chosen.name})": chosen}
    for month in landmarks:
        tests[f"Difference at {month:g} months {limits}, points"] = MilestoneDifference(month, level=level)
    if tau is not None:
        tests[f"Difference of the restricted means {limits}, months"] = RMSTDifference(tau, level=level)
    if len(curves) > 1:
        for label, one in tests.items():
            rows[label] = ["" if each is against else _compared(one, against, each, label) for each in curves]
    body = pd.DataFrame([[label, *values] for label, values in rows.items()], columns=["", *(n or ALL for n in names)])
    notes = (
        f"Kaplan-Meier estimates, {scale} limits (Greenwood); median follow-up by reverse Kaplan-Meier; hazard ratio "
        "by Cox's model (Efron), limits by Wald; differences with Greenwood's variance.",
        f"{NOT_REACHED}, not reached; {NOT_ESTIMABLE}, not estimable. No p-value is adjusted.",
    )
    return DeliveredTable(title, body, subtitle, None, notes)


def _of_an_arm(landmarks: Sequence[float], tau: float | None, level: float, scale: ScaleName) -> dict[str, Any]:
    """Rows that are of one arm: the label, and what gives the cell."""
    limits = f"({100 * level:g}% CI)"

    def events(each: Drawn) -> str:
        n = each.patients[0][1].size
        seen = int(each.patients[0][1].sum())
        return f"{seen} ({100 * seen / n:.0f})"

    def censored(each: Drawn) -> str:
        n = each.patients[0][1].size
        left = int((~each.patients[0][1]).sum())
        return f"{left} ({100 * left / n:.0f})"

    def follow_up(each: Drawn) -> str:
        time, event = each.patients[0]
        return _months(kaplan_meier(time, ~event).median())

    def median(each: Drawn) -> str:
        assert each.estimate is not None
        low, high = each.estimate.median_ci(level, scale=scale)
        return f"{_months(each.estimate.median())} ({_months(low)} to {_months(high)})"

    def rate(month: float) -> Any:
        def at(each: Drawn) -> str:
            value, low, high = each.at(month)
            if np.isnan(value):
                return NOT_ESTIMABLE
            inside = NOT_ESTIMABLE if np.isnan([low, high]).any() else f"{100 * low:.1f} to {100 * high:.1f}"
            return f"{100 * value:.1f} ({inside})"

        return at

    def mean(each: Drawn) -> str:
        assert tau is not None
        try:
            found = rmst(*each.patients[0], tau, level=level)
        except (InvalidValueError, NotEstimableError):
            return NOT_ESTIMABLE
        return f"{found.estimate:.1f} ({found.lower:.1f} to {found.upper:.1f})"

    rows: dict[str, Any] = {
        "Patients": lambda each: str(each.patients[0][0].size),
        "Events, n (%)": events,
        "Censored, n (%)": censored,
        "Median follow-up, months": follow_up,
        f"Median {limits}, months": median,
    }
    rows |= {f"Event-free at {month:g} months {limits}, %": rate(month) for month in landmarks}
    if tau is not None:
        rows[f"Restricted mean up to {positive('tau', tau):g} months {limits}"] = mean
    return rows


def _compared(test: TwoArmTest, against: Drawn, other: Drawn, label: str) -> str:
    results = tested(test, against, other)
    if results is None:
        return NOT_ESTIMABLE
    (found,) = results
    if label.startswith("p,"):
        return "<0.001" if found.p_two_sided < 0.001 else f"{found.p_two_sided:.3f}"
    if "ratio against" in label:
        return f"{found.estimate:.2f} ({found.lower:.2f} to {found.upper:.2f})"
    factor = 100 if "points" in label else 1
    return f"{factor * found.estimate:+.1f} ({factor * found.lower:+.1f} to {factor * found.upper:+.1f})"


def _months(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else NOT_REACHED


@border
def endpoint_table(
    endpoints: pd.DataFrame,
    *,
    arms: Mapping[str, str] | None = None,
    level: float = 0.95,
    title: str = "Endpoints",
    subtitle: str = "",
) -> DeliveredTable:
    """Tabulate derived endpoints by arm and reader.

    Parameters
    ----------
    endpoints
        As `analysis.endpoints.derive_endpoints` lays them out.
    arms
        Arm of each subject; without it all are one group. Who has none is left out, and the notes say how many.
    level
        Two-sided confidence level.
    title, subtitle
        Of the table.

    Returns
    -------
    DeliveredTable
        A group of rows for each endpoint. Responses: patients, per cent and exact limits; times: the median with its
        limits and the events; sizes: median and quartiles.

    Raises
    ------
    InvalidValueError
        If there are no endpoints, a column is missing or the level is no probability.

    Examples
    --------
    >>> frame = pd.DataFrame({"subject": ["1", "2", "3"], "evaluator": "", "endpoint": "ORR", "value": ["Y", "N", "N"]})
    >>> frame = frame.assign(per_cent=None, days=None, event=None)
    >>> endpoint_table(frame, arms={"1": "drug", "2": "drug", "3": "drug"}).cells().to_numpy().tolist()
    [['ORR', 'Patients, n/N (%; 95% CI)', '1/3 (33.3; 0.8 to 90.6)']]
    """
    probability("level", level)
    needed = ["subject", "evaluator", "endpoint", "value", "per_cent", "days", "event"]
    missing = [name for name in needed if name not in endpoints.columns]
    if missing:
        raise InvalidValueError("endpoints", missing, f"the columns {', '.join(needed)}", "derive them first")
    known = endpoints if arms is None else endpoints[endpoints["subject"].isin(list(arms))]
    left_out = endpoints["subject"].nunique() - known["subject"].nunique()
    groups = ALL if arms is None else known["subject"].map(dict(arms))
    order = [ALL] if arms is None else list(dict.fromkeys(arms.values()))
    columns: dict[str, dict[tuple[str, str], str]] = {
        f"{group}, {evaluator}" if evaluator else group: {}
        for evaluator in dict.fromkeys(known["evaluator"])
        for group in order
    }
    labels: dict[tuple[str, str], None] = {}
    for row in summarise(known.assign(arm=groups), by=("evaluator", "arm"), level=level).itertuples():
        key = (str(row.endpoint), _label(row, level))
        labels[key] = None
        columns[", ".join(filter(None, map(str, (row.arm, row.evaluator))))][key] = _cell(row)
    if not labels:
        raise InvalidValueError("endpoints", "no values", "an endpoint of one patient at least", "check the selection")
    order_of_endpoints = list(dict.fromkeys(known["endpoint"]))
    rows = sorted(labels, key=lambda key: order_of_endpoints.index(key[0]))
    body = pd.DataFrame([[*key, *(cells.get(key, "") for cells in columns.values())] for key in rows])
    body.columns = pd.Index(["Endpoint", "", *columns])
    notes = ["Rates with exact (Clopper-Pearson) limits; medians of times by Kaplan-Meier, log-log limits, in months."]
    if left_out:
        notes.append(f"{left_out} subjects without an arm are left out.")
    return DeliveredTable(title, body, subtitle, "Endpoint", tuple(notes))


def _label(row: Any, level: float) -> str:
    percent = f"{100 * level:g}% CI"
    if row.statistic == "rate, per cent":
        name = "Patients" if row.category == "Y" else str(row.category)
        return f"{name}, n/N (%; {percent})"
    return f"Median ({percent}), months; events/N" if row.statistic == "median, months" else "Median (quartiles), %; N"


def _cell(row: Any) -> str:
    if row.statistic == "rate, per cent":
        return f"{row.count:.0f}/{row.patients:.0f} ({row.estimate:.1f}; {row.lower:.1f} to {row.upper:.1f})"
    if row.statistic == "median, months":
        value, low, high = (_months(x) for x in (row.estimate, row.lower, row.upper))
        return f"{value} ({low} to {high}); {row.count:.0f}/{row.patients:.0f}"
    return f"{row.estimate:.1f} ({row.lower:.1f} to {row.upper:.1f}); {row.patients:.0f}"


@border
def adverse_event_table(
    events: AdverseEvents,
    *,
    by: Literal["term", "soc"] = "term",
    grades: Sequence[int] = (0, 3),
    at_least: float = 0.0,
    title: str = "Treatment-emergent adverse events",
    subtitle: str = "",
) -> DeliveredTable:
    """Tabulate patients with treatment-emergent adverse events, by term and grade.

    Parameters
    ----------
    events
        As `analysis.safety.read_adverse_events` gives them.
    by
        ``"term"`` under its system organ class, or ``"soc"`` alone.
    grades
        Columns of each arm: at least this grade; 0 counts events of any grade.
    at_least
        Share of an arm's patients, with any event, from which a term is listed.
    title, subtitle
        Of the table.

    Returns
    -------
    DeliveredTable
        Patients (per cent of the treated), each counted once in a row; the most frequent terms first.

    Raises
    ------
    InvalidValueError
        If `at_least` is not a share, or no term is that frequent.

    Examples
    --------
    >>> from analysis.safety import read_adverse_events
    >>> treated = {"TRT01A": "drug", "TRTSDT": "2024-01-01", "TRTEDT": "2024-06-01"}
    >>> subjects = pd.DataFrame({"USUBJID": ["1", "2"]}).assign(**treated)
    >>> ae = pd.DataFrame({"USUBJID": ["1"], "AEDECOD": ["Stomatitis"], "AESTDTC": ["2024-02-01"], "AETOXGR": [3]})
    >>> adverse_event_table(read_adverse_events(ae, subjects)).cells().to_numpy().tolist()
    [['Any event', '1 (50.0)', '1 (50.0)'], ['Stomatitis', '1 (50.0)', '1 (50.0)']]
    """
    number("at_least", at_least, at_least=0, at_most=1, unit="as a share")
    counts = {grade: events.incidence(by, grade=grade) for grade in grades}
    overall = {grade: events.incidence("any", grade=grade).set_index("arm") for grade in grades}
    listed = events.incidence(by)
    listed = listed[listed["share"] >= at_least]
    has_class = by == "term" and "soc" in listed.columns and bool(listed["soc"].astype(str).str.strip().any())
    keys = ["soc", "term"] if has_class else [by]
    chosen = list(dict.fromkeys(listed[keys].itertuples(index=False, name=None)))
    if not chosen:
        raise InvalidValueError("at_least", at_least, "a share that a term reaches", "lower it")
    if has_class:  # classes by their most frequent term
        classes = list(dict.fromkeys(key[0] for key in chosen))
        chosen.sort(key=lambda key: classes.index(key[0]))
    columns = [(arm, grade) for arm in events.arms for grade in grades]
    rows = [["", "Any event"][-len(keys) :] + [_share(overall[grade], arm) for arm, grade in columns]]
    for key in chosen:
        cells = []
        for arm, grade in columns:
            of = counts[grade]
            here = of[(of[keys] == list(key)).all(axis=1)].set_index("arm")
            cells.append(_share(here, arm) if arm in here.index else "0 (0.0)")
        rows.append([*key, *cells])
    names = [f"{arm} (n={events.size(arm)}), {_grade(grade)}" for arm, grade in columns]
    body = pd.DataFrame(rows, columns=[*(["System organ class"] if has_class else []), "", *names])
    notes = ["Patients (per cent of the treated), each counted once in a row."]
    if at_least > 0:
        notes.append(f"Terms of at least {100 * at_least:g}% of the patients of an arm.")
    return DeliveredTable(title, body, subtitle, "System organ class" if has_class else None, tuple(notes))


def _share(rows: pd.DataFrame, arm: str) -> str:
    patients, of = (int(rows[name].loc[arm]) for name in ("patients", "of"))
    return f"{patients} ({100 * patients / of:.1f})"


def _grade(grade: int) -> str:
    return "any grade" if grade == 0 else f"grade \N{GREATER-THAN OR EQUAL TO} {grade}"
