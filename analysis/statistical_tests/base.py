"""What a statistical test is: one value that analyses data, is evaluated in simulated trials, and has moments.

A new test is a subclass in a file of its own. It gives `evaluate`, from which `analyse` follows, or `moments`, or both;
what it does not give is refused by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np
from scipy.special import ndtr

from analysis.conventions.border import border
from analysis.conventions.by_name import ByName
from analysis.conventions.checks import indicator, nonnegative, observations, same_length, stratum_numbers, tied
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.engine.risk_sets import Comparison, RiskSets, Snapshot, risk_sets
from analysis.errors import InvalidValueError, NotEstimableError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from analysis.conventions.checks import BoolArray, FloatArray
    from analysis.expected.trial import ExpectedTrial
    from analysis.statistical_tests.moments import Moments
    from analysis.survival import Distribution

ESTIMATION = ("z", "estimate", "std_error", "lower", "upper")
"""Columns of a test that estimates."""


@border
@value
class TestResult:
    """What a test says of data in hand.

    Attributes
    ----------
    test
        Name of the test.
    z
        Standard normal under the null hypothesis; above 0 favours the experimental arm.
    p_one_sided
        p-value against the alternative that the experimental arm is better.
    p_two_sided
        Two-sided p-value.
    estimate, std_error, lower, upper
        What is estimated, with its standard error and two-sided limits; NaN for a test that estimates nothing.
    level
        Confidence level of the limits.
    patients, events
        How many were analysed.
    details
        Further numbers of the test, by name.

    Examples
    --------
    >>> from analysis.statistical_tests import LogRank
    >>> time, event = [2, 3, 5, 8, 9, 4, 6, 8, 11, 12], [1, 1, 1, 0, 1, 1, 0, 1, 0, 0]
    >>> is_new = [False] * 5 + [True] * 5
    >>> found = LogRank().analyse(time, event, is_new)
    >>> found.patients, found.events, round(found.p_one_sided, 3)
    (10, 6, 0.103)
    """

    __test__: ClassVar[bool] = False  # for pytest: a result, not a test case

    test: str
    z: float
    p_one_sided: float
    p_two_sided: float
    estimate: float
    std_error: float
    lower: float
    upper: float
    level: float
    patients: int
    events: int
    details: Mapping[str, Any]

    def summary(self) -> pd.DataFrame:
        """One row per item: `item`, `value`."""
        import pandas as pd

        rows: list[tuple[str, object]] = [("test", self.test), ("patients", self.patients), ("events", self.events)]
        if not np.isnan(self.estimate):
            rows += [("estimate", self.estimate), ("std error", self.std_error)]
            rows += [(f"lower {100 * self.level:g}%", self.lower), (f"upper {100 * self.level:g}%", self.upper)]
        rows += [("z, above 0 is benefit", self.z)]
        rows += [("p, one-sided", self.p_one_sided), ("p, two-sided", self.p_two_sided)]
        rows += [(name.replace("_", " "), item) for name, item in self.details.items() if np.ndim(item) == 0]
        return pd.DataFrame(rows, columns=["item", "value"])

    def _repr_html_(self) -> str:
        return html(self.summary())


def against(margin: float, none: float, of: str) -> str:
    """Word a margin, in a hazard ratio where `none` is 1 and else in a difference; nothing where it is none."""
    if margin == none:
        return ""
    kind = "non-inferiority" if (margin > none) == (none == 1) else "superiority by more than that"
    return f" against a margin of {margin:g} {of} ({kind})"


class Test(ABC):
    """A statistical test; see `TwoArmTest` and `OneArmTest`."""

    __test__: ClassVar[bool] = False

    columns: ClassVar[tuple[str, ...]] = ("z",)
    one_sided: ClassVar[bool] = False
    is_ratio: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """Name in tables of results."""

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it, after "tested by"."""
        return f"a test of the {self.name}"

    @property
    def reference(self) -> str:
        """Where its moments come from, for a protocol."""
        return ""

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the large-sample moments of the statistic at an analysis at calendar month `time`."""
        return self._cannot("has no large-sample moments", 'ask for its power by="simulation"')

    def moments_at_events(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments at an analysis that comes with a number of events, expected at calendar month `time`.

        Those at that month, where it matters little that the month varies.
        """
        return self.moments(trial, time)

    def remarks(self, trial: ExpectedTrial, time: float) -> tuple[str, ...]:
        """Say what the moments leave out at an analysis at calendar month `time`, if it matters there."""
        return ()

    def _details(self, data: Any, row: FloatArray) -> dict[str, Any]:
        """Further numbers that an analysis shows beside the columns."""
        return {}

    def _cannot(self, what: str, remedy: str) -> NoReturn:
        raise UnavailableError(f"{self.name}: this test {what}; {remedy}")

    def _result(self, row: FloatArray, data: Any, patients: int, events: int, why: str) -> TestResult:
        found = dict(zip(self.columns, row.tolist(), strict=True))
        if np.isnan(found["z"]) or np.isinf(found.get("std_error", 0.0)):
            raise NotEstimableError(
                f"{self.name}: got {why}; expected data that determine the statistic; {self._advice}"
            )
        z = found["z"]
        estimation = {name: found.get(name, np.nan) for name in ESTIMATION[1:]}
        extra = {name: item for name, item in found.items() if name not in ESTIMATION} | self._details(data, row)
        p_two_sided = extra.pop("p_two_sided", float(2 * ndtr(-abs(z))))
        return TestResult(
            self.name,
            z,
            float(ndtr(-z)),
            p_two_sided,
            **estimation,
            level=getattr(self, "level", 0.95),
            patients=patients,
            events=events,
            details=ByName(extra),
        )

    @property
    def _advice(self) -> str:
        return "check the events and the arms"


@border
class TwoArmTest(Test):
    """A test of an experimental arm against a control.

    Its columns have a ``z`` first, standard normal under the null hypothesis and above 0 where the experimental arm
    does better; a test that estimates goes on with ``estimate``, ``std_error``, ``lower`` and ``upper``.

    Examples
    --------
    >>> from analysis.statistical_tests import LogRank
    >>> isinstance(LogRank(), TwoArmTest)
    True
    """

    stratified: bool = True
    """Whether the risk sets keep strata apart."""

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Compute all columns for each trial, shape (trials, columns); NaN where the data do not determine them."""
        return self._cannot("cannot be computed on data", "use it for its moments")

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give what the estimate estimates; NaN where there is no such number."""
        return float("nan")

    @property
    def null_value(self) -> float:
        """What the null hypothesis says that `truth` is; NaN where there is no such number."""
        return float("nan")

    def analyse(
        self,
        time: ArrayLike,
        event: ArrayLike,
        experimental: ArrayLike,
        *,
        strata: ArrayLike | None = None,
        start: ArrayLike | None = None,
        timefix: bool = True,
    ) -> TestResult:
        """Test data in hand.

        Parameters
        ----------
        time
            Follow-up in months, shape ``(n,)``; ties and time 0 are allowed.
        event
            Whether it ended with an event, shape ``(n,)``.
        experimental
            Whether the patient is in the experimental arm, shape ``(n,)``.
        strata
            Label of each patient's stratum, shape ``(n,)``; several factors are crossed to one label.
        start
            Months from time zero at which each patient came under observation, shape ``(n,)``; from 0 by default.
        timefix
            Whether times that are equal but for floating point are tied, as in R's survival. Those that differ in their
            last two bits alone always are.

        Returns
        -------
        TestResult
            Exactly what `evaluate` gives for the same patients in a simulated trial.

        Raises
        ------
        InvalidValueError
            If the data are malformed, an arm is empty or a label is missing.
        NotEstimableError
            If the data do not determine the statistic.
        """
        times, events, starts = under_observation(time, event, start, timefix=timefix)
        treated = two_arms(experimental, times.size)
        labels = np.zeros(times.size, np.int64) if strata is None else stratum_numbers(strata, times.size)
        order = np.lexsort((treated, labels))
        cell = 2 * labels[order] + treated[order]
        bounds = np.searchsorted(cell, np.arange(2 * (int(labels.max()) + 1) + 1))
        known = snapshot_of(times[order], events[order], None if starts is None else starts[order])
        sets = risk_sets(known, Comparison(bounds, 2, control=0, experimental=1), stratified=self.stratified)
        row = self.evaluate(sets)[0]
        return self._result(row, sets, times.size, int(events.sum()), self._why(sets))

    def _why(self, sets: RiskSets) -> str:
        """Say what in the data keeps the statistic from being determined."""
        if not sets.first[-1]:
            return "no event"
        last = ", ".join(f"{months:g}" for months in sets.last_time.max(axis=1)[0])
        return f"{int(sets.n_event[: sets.first[-1]].sum())} events, follow-up to {last} months (control, experimental)"


@border
class OneArmTest(Test):
    """A test of one arm against a null value; its columns are those of a `TwoArmTest`.

    Examples
    --------
    >>> from analysis.statistical_tests import LandmarkRate
    >>> isinstance(LandmarkRate(6, 0.4), OneArmTest)
    True
    """

    @property
    def earliest(self) -> float:
        """Months of follow-up that some patient must have for the test."""
        return 0.0

    def evaluate(self, known: Snapshot) -> NDArray[np.float64]:
        """Compute all columns for each trial, shape (trials, columns), from all patients."""
        return self._cannot("cannot be computed on data", "use it for its moments")

    def truth(self, arm: Distribution) -> float:
        """Give what the estimate estimates; NaN where there is no such number."""
        return float("nan")

    def analyse(
        self,
        time: ArrayLike,
        event: ArrayLike,
        *,
        start: ArrayLike | None = None,
        entry: ArrayLike | None = None,
        cut: float | None = None,
        timefix: bool = True,
    ) -> TestResult:
        """Test data in hand.

        Parameters
        ----------
        time
            Follow-up in months, shape ``(n,)``.
        event
            Whether it ended with an event, shape ``(n,)``.
        start
            Months from time zero at which each patient came under observation, shape ``(n,)``; from 0 by default.
        entry, cut
            Calendar months of each patient's entry, shape ``(n,)``, and of the data cut; only tests that ask how long a
            patient could have been followed use them. Without them everybody could be followed as long as it takes.
        timefix
            Whether times that are equal but for floating point are tied, as in R's survival. Those that differ in their
            last two bits alone always are.

        Returns
        -------
        TestResult

        Raises
        ------
        InvalidValueError
            If the data are malformed.
        NotEstimableError
            If the data do not determine the statistic.
        """
        times, events, starts = under_observation(time, event, start, timefix=timefix)
        if (entry is None) != (cut is None):
            raise InvalidValueError("entry, cut", (entry, cut), "both or neither", "give the calendar of the trial")
        known = snapshot_of(times, events, starts)
        if entry is not None:
            entries = nonnegative("entry", entry)
            same_length("entry", entries, "time", times.size)
            known = known._replace(entry=entries[None, :], cut=np.array([float(cut)]))  # type: ignore[arg-type]
        row = self.evaluate(known)[0]
        why = f"{int(events.sum())} events in {times.size} patients, followed for up to {times.max():g} months"
        return self._result(row, known, times.size, int(events.sum()), why)


def snapshot_of(time: FloatArray, event: BoolArray, start: FloatArray | None) -> Snapshot:
    """Lay data in hand out as the snapshot of one trial, everybody enrolled long before the cut."""
    n = time.size
    return Snapshot(
        entry=np.zeros((1, n)),
        start=np.empty((0, 0)) if start is None else start[None, :],
        cut=np.array([np.inf]),
        time=np.array(time)[None, :],
        event=np.array(event)[None, :],
        enrolled=np.array([n], np.int32),
        events=np.array([event.sum()], np.int32),
    )


def under_observation(
    time: ArrayLike, event: ArrayLike, start: ArrayLike | None, *, timefix: bool
) -> tuple[FloatArray, BoolArray, FloatArray | None]:
    """Return times, events and, if given, the months at which patients came under observation, before their times."""
    times, events = observations(time, event, timefix=timefix)
    if start is None:
        return times, events, None
    starts = nonnegative("start", start)
    same_length("start", starts, "time", times.size)
    if timefix:
        starts, times = np.split(tied(np.concatenate([starts, times])), 2)
    late = np.flatnonzero(starts >= times)
    if late.size:
        got = f"{starts[late[0]]:g} with follow-up to {times[late[0]]:g}"
        raise InvalidValueError("start", got, "a start before the end of follow-up", "drop patients never at risk")
    return times, events, starts


def two_arms(experimental: ArrayLike, n: int) -> BoolArray:
    """Return the indicator of the experimental arm, with patients in both arms."""
    arms = indicator("experimental", experimental, n)
    for name, empty in (("experimental", not arms.any()), ("control", bool(arms.all()))):
        if empty:
            got = f"no patient in the {name} arm"
            raise InvalidValueError("experimental", got, "patients in both arms", "check how the arms are coded")
    return arms
