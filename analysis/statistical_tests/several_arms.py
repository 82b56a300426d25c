"""The log-rank test of several arms, and of a trend over arms that are ordered: doses, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtrc, ndtr

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.checks import labels, numeric, observations, one_of, stratum_numbers
from analysis.conventions.display import html
from analysis.conventions.values import value
from analysis.errors import InvalidValueError, NotEstimableError
from analysis.statistical_tests.weights import UNWEIGHTED, EventTimes, Weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from analysis.conventions.checks import FloatArray


@border
@value
class SeveralArmsResult:
    """What a test of several arms says.

    Attributes
    ----------
    test
        Name of the test.
    statistic, degrees_of_freedom
        Chi-square and its degrees of freedom.
    p_value
        Against any difference; of a trend two-sided.
    z
        Of a trend, above 0 where arms of higher score do better; NaN without one.
    arms, patients, observed, expected
        The arms in their order, their patients, events (weighted), and those expected if all arms were alike.

    Examples
    --------
    >>> found = LogRankOfArms().analyse([2, 3, 5, 8, 4, 6, 8, 9, 7, 12], [1] * 10, ["a"] * 4 + ["b"] * 3 + ["c"] * 3)
    >>> found.degrees_of_freedom, found.observed
    (2, (4.0, 3.0, 3.0))
    """

    test: str
    statistic: float
    degrees_of_freedom: int
    p_value: float
    z: float
    arms: tuple[str, ...]
    patients: tuple[int, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]

    def summary(self) -> pd.DataFrame:
        """One row per arm: `arm`, `patients`, `observed`, `expected`."""
        import pandas as pd

        return pd.DataFrame(
            {"arm": self.arms, "patients": self.patients, "observed": self.observed, "expected": self.expected}
        )

    def _repr_html_(self) -> str:
        return f"<p>{self.test}: p = {self.p_value:.4f}</p>{html(self.summary())}"


@border
@value
class LogRankOfArms:
    """Log-rank test of two arms or more: against any difference, or against a trend over their scores.

    With O the events of each arm, E those expected and V their hypergeometric covariance, the statistic is
    ``(O - E)' V^- (O - E)`` with one degree of freedom less than there are arms; of a trend with the scores c it is
    ``(c'(O - E))^2 / c'Vc`` with one.

    Parameters
    ----------
    weight
        How much an event counts by when it happens; none by default.
    scores
        Of the arms in their order, for a trend; None for any difference.

    Raises
    ------
    InvalidValueError
        If the scores are no numbers or all alike.

    References
    ----------
    Tarone RE. Tests for trend in life table analysis. Biometrika 1975;62:679-682.

    Examples
    --------
    >>> time, event = [2, 3, 5, 8, 4, 6, 8, 9, 7, 12, 13, 14], [1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0]
    >>> dose = [0] * 4 + [10] * 4 + [20] * 4
    >>> found = LogRankOfArms(scores=[0, 10, 20]).analyse(time, event, dose)
    >>> round(found.z, 2), round(found.p_value, 3)
    (2.63, 0.009)
    """

    weight: Weight = fields.converted(
        lambda name, given: one_of(name, given, Weight, "FlemingHarrington(0, 1)"), default=UNWEIGHTED
    )
    scores: tuple[float, ...] | None = fields.converted(lambda name, given: _scores(name, given), default=None)

    @property
    def name(self) -> str:
        """Name in tables of results."""
        weight = "" if self.weight == UNWEIGHTED else f" {self.weight.label}"
        return f"log-rank{weight} for trend" if self.scores is not None else f"log-rank{weight} of all arms"

    def analyse(
        self, time: ArrayLike, event: ArrayLike, arm: ArrayLike, *, strata: ArrayLike | None = None,
        order: Sequence[Any] | None = None,
    ) -> SeveralArmsResult:  # fmt: skip
        """Test data in hand.

        Parameters
        ----------
        time
            Follow-up in months, shape ``(n,)``.
        event
            Whether it ended with an event, shape ``(n,)``.
        arm
            Label of each patient's arm, shape ``(n,)``.
        strata
            Label of each patient's stratum, shape ``(n,)``.
        order
            The arms, in the order of the scores; by default sorted.

        Returns
        -------
        SeveralArmsResult

        Raises
        ------
        InvalidValueError
            If the data are malformed, there are fewer than two arms, an arm is empty, or scores do not fit the arms.
        NotEstimableError
            If the data do not determine the statistic.
        """
        times, events = observations(time, event)
        number, arms = _numbered(arm, times.size, order)
        if self.scores is not None and len(self.scores) != len(arms):
            raise InvalidValueError("scores", self.scores, f"one for each of {len(arms)} arms", "give as many")
        within = np.zeros(times.size, np.int64) if strata is None else stratum_numbers(strata, times.size)
        k = len(arms)
        observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
        for stratum in np.unique(within):
            chosen = within == stratum
            for part, total in zip(
                self._of_stratum(times[chosen], events[chosen], number[chosen], k),
                (observed, expected, covariance),
                strict=True,
            ):
                total += part
        score = observed - expected
        compared, group = connected_components(covariance != 0, directed=False)
        rank = k - compared  # one less than the arms, or than those that are ever at risk together
        if not rank:
            got = f"{int(events.sum())} events while two arms are at risk"
            raise NotEstimableError(f"{self.name}: got {got}; expected some; check the events and the arms")
        if self.scores is None:
            z, freedom = np.nan, rank
            own = np.isin(np.arange(k), np.unique(group, return_index=True)[1], invert=True)  # the others follow
            statistic = float(score[own] @ np.linalg.solve(covariance[np.ix_(own, own)], score[own]))
        else:
            scores = np.array(self.scores)
            spread = float(-0.5 * (covariance * (scores[:, None] - scores) ** 2).sum())
            if not spread > 0:
                raise NotEstimableError(f"{self.name}: got no events in arms of different scores; compare the arms")
            z, freedom = float(-(scores @ score) / np.sqrt(spread)), 1
            statistic = z**2
        p = float(chdtrc(freedom, statistic)) if self.scores is None else float(2 * ndtr(-abs(z)))
        sizes = tuple(int(n) for n in np.bincount(number, minlength=k))
        return SeveralArmsResult(
            self.name, statistic, freedom, p, z, arms, sizes, tuple(observed.tolist()), tuple(expected.tolist())
        )

    def _of_stratum(
        self, times: FloatArray, events: Any, number: Any, k: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Observed and expected events of each arm, and their covariance."""
        at = np.unique(times[events])
        if not at.size:
            return np.zeros(k), np.zeros(k), np.zeros((k, k))
        every = [np.sort(times[number == arm]) for arm in range(k)]
        at_risk = np.array([all_times.size - np.searchsorted(all_times, at) for all_times in every], float)
        ended = [np.sort(times[events & (number == arm)]) for arm in range(k)]
        dying = np.array([np.searchsorted(own, at, "right") - np.searchsorted(own, at) for own in ended], float)
        n, d = at_risk.sum(axis=0), dying.sum(axis=0)
        before = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]])
        weight = np.broadcast_to(self.weight.at_events(EventTimes(at, n, d, before)), at.shape)
        share = at_risk / n
        spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
        together = (spread * share) @ share.T  # exactly 0 for arms that are never at risk together
        np.fill_diagonal(together, 0.0)
        covariance = np.diag(together.sum(axis=1)) - together
        return (weight * dying).sum(axis=1), (weight * d * share).sum(axis=1), covariance


def _numbered(arm: ArrayLike, n: int, order: Sequence[Any] | None) -> tuple[Any, tuple[str, ...]]:
    """Give the number of each patient's arm, and the names of the arms."""
    given = labels("arm", np.asarray(arm, dtype=object), n)
    present = set(given)
    try:
        arms = sorted(present) if order is None else list(order)
    except TypeError:
        raise InvalidValueError("arm", "labels of several kinds", "labels of one kind", "say their order=") from None
    if set(arms) != present or len(arms) != len(present) or len(arms) < 2:
        got = f"{len(arms)} arms, {', '.join(map(str, arms))}"
        expected = "two arms or more with patients, each once"
        raise InvalidValueError("arm" if order is None else "order", got, expected, "check how the arms are coded")
    places = {label: k for k, label in enumerate(arms)}
    return np.array([places[label] for label in given]), tuple(map(str, arms))


def _scores(field: str, given: Any) -> tuple[float, ...] | None:
    if given is None:
        return None
    scores = numeric(field, given)
    if scores.ndim != 1 or scores.size < 2 or not np.isfinite(scores).all() or np.ptp(scores) == 0:
        raise InvalidValueError(field, given, "finite numbers that are not all alike", "give one for each arm")
    return tuple(scores.tolist())
