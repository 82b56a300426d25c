"""Simulated trials: what each look of each replicate showed, as columns, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from analysis.conventions.border import border
from analysis.conventions.display import html, short_repr
from analysis.conventions.monte_carlo import MonteCarlo, proportion
from analysis.conventions.whole import written_whole
from analysis.errors import UnknownNameError
from analysis.simulation.operating import operating_characteristics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.design import Scenario, TrialDesign
    from analysis.simulation.chunks import Columns, Test


@dataclass(frozen=True)
class Course:
    """How each trial went when one test decides: its boundaries are applied look by look.

    Parameters
    ----------
    look
        Number, from 0, of the look at which each trial stopped.
    rejected
        Whether it stopped with rejection of the null hypothesis.
    futile
        Whether it stopped at a futility boundary.
    """

    look: NDArray[np.int64]
    rejected: NDArray[np.bool_]
    futile: NDArray[np.bool_]

    def __repr__(self) -> str:
        return short_repr(self)


@border
@dataclass(frozen=True, eq=False)
class SimulatedTrials:
    """The replicates of a design under a scenario.

    Parameters
    ----------
    design, scenario, tests
        What was simulated.
    entropy, spawn_key
        The seed: the same design, scenario and seed give the same bits.
    columns
        Per replicate: ``calendar_time``, ``reached``, ``enrolled`` by look, ``events`` by look and endpoint, and for
        every test by name its columns by look, endpoint and comparison.
    endpoints
        Names of the endpoints.
    versions
        Versions of Python and the libraries that ran it.

    Examples
    --------
    >>> from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
    >>> from analysis.survival import Exponential
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))])
    >>> scenario = Scenario.proportional_hazards(Exponential.from_median(11), 0.6)
    >>> from analysis.simulation import simulate
    >>> found = simulate(design, scenario, trials=100, rng=1)
    >>> found.columns["events"].shape[0]
    100
    """

    design: TrialDesign
    scenario: Scenario
    tests: tuple[Test, ...]
    entropy: object
    spawn_key: tuple[int, ...]
    columns: Columns
    endpoints: tuple[str, ...]
    versions: dict[str, str]

    @property
    def trials(self) -> int:
        """Number of replicates."""
        return len(self.columns["reached"])

    @property
    def primary(self) -> str:
        """Endpoint that the design counts and decides by."""
        return self.design.endpoint if self.design.endpoint in self.endpoints else self.endpoints[0]

    def statistic(
        self, test: str | None = None, column: str = "z", *, endpoint: str | None = None, arm: str | None = None
    ) -> NDArray[np.float64]:
        """One column of a test, shape (trials, looks).

        Parameters
        ----------
        test
            Name of the test; None: the first.
        column
            ``"z"``, ``"estimate"``, ...
        endpoint
            None: the design's endpoint.
        arm
            Experimental arm; None: the only one.

        Raises
        ------
        InvalidValueError
            If there are several experimental arms and none is named.
        UnknownNameError
            If there is no such test, column, endpoint or arm.
        """
        chosen = self._test(test)
        endpoint = _known("endpoint", endpoint or self.primary, self.endpoints)
        compared = self.design.experimental_arms.index(self.design.experimental_arm(arm))
        where = self.endpoints.index(endpoint), compared
        values = self.columns[chosen.name][
            :, :, where[0], where[1], chosen.columns.index(_known("column", column, chosen.columns))
        ]
        return np.asarray(values, np.float64)

    def course(self, test: str | None = None, *, endpoint: str | None = None, arm: str | None = None) -> Course:
        """Apply the looks' boundaries to a test; see `statistic` for the arguments."""
        benefit = self.statistic(test, endpoint=endpoint, arm=arm)
        looks = len(self.design.looks)
        stopped = np.zeros(self.trials, bool)
        at, rejected, futile = np.full(self.trials, looks - 1), np.zeros(self.trials, bool), np.zeros(self.trials, bool)
        bounds = zip(self.design.efficacy_bounds, self.design.futility_bounds, strict=True)
        for number, (efficacy, futility) in enumerate(bounds):
            shown = benefit[:, number]
            reject = shown >= efficacy
            if self.design.sided == 2:
                reject |= shown <= -efficacy
            stop = (shown <= futility) & ~reject & (futility > -np.inf)
            rejected |= reject & ~stopped
            futile |= stop & ~stopped
            at = np.where((reject | stop) & ~stopped, number, at)
            stopped |= reject | stop
        return Course(at, rejected, futile)

    def power(self, test: str | None = None, *, endpoint: str | None = None, arm: str | None = None) -> MonteCarlo:
        """Probability to reject the null hypothesis at any look, with its Monte Carlo error; see `statistic`.

        Under a scenario without effect this is the type I error.
        """
        return proportion(self.course(test, endpoint=endpoint, arm=arm).rejected)

    def undetermined(
        self, test: str | None = None, *, endpoint: str | None = None, arm: str | None = None
    ) -> MonteCarlo:
        """Share of trials in which the data of a look, come so far, do not determine the test; see `statistic`.

        There a trial goes on, and at the end it does not reject: `power` counts it so.
        """
        z = self.statistic(test, endpoint=endpoint, arm=arm)
        going_on = self.course(test, endpoint=endpoint, arm=arm).look[:, None] >= np.arange(len(self.design.looks))
        return proportion((np.isnan(z) & going_on).any(axis=1))

    def to_frame(self) -> pd.DataFrame:
        """All replicates: one row per trial, look, endpoint and comparison.

        Returns
        -------
        DataFrame
            ``trial`` and ``look`` (numbered from 1), ``endpoint``, ``arm``, ``calendar_time`` (months), ``reached``
            (False where a cut never came and the data were cut when nothing more was to be learned), ``enrolled``,
            ``events``, and for every test its columns, ``<test>: <column>``, with ``<test>: p_one_sided``.
        """
        import pandas as pd

        looks, arms = len(self.design.looks), self.design.experimental_arms
        shape = (self.trials, looks, len(self.endpoints), len(arms))
        index = np.indices(shape, dtype=np.int32).reshape(4, -1)

        def spread(column: NDArray[np.generic]) -> NDArray[np.generic]:
            wide = column.reshape(column.shape + (1,) * (4 - column.ndim))
            return np.broadcast_to(wide, shape).ravel()

        frame: dict[str, object] = {
            "trial": index[0] + 1,
            "look": index[1] + 1,
            "endpoint": pd.Categorical.from_codes(index[2], pd.Index(self.endpoints)),
            "arm": pd.Categorical.from_codes(index[3], pd.Index(arms)),
        }
        frame |= {name: spread(self.columns[name]) for name in ("calendar_time", "reached", "enrolled", "events")}
        for test in self.tests:
            for k, name in enumerate(test.columns):
                frame[f"{test.name}: {name}"] = self.columns[test.name][..., k].ravel()
            frame[f"{test.name}: p_one_sided"] = ndtr(
                -np.asarray(self.columns[test.name][..., test.columns.index("z")], float).ravel()
            )
        return pd.DataFrame(frame)

    def to_parquet(self, path: str | Path) -> None:
        """Write `to_frame` to a parquet file (needs ``pyarrow``), whole or not at all."""
        with written_whole(path) as draft:
            self.to_frame().to_parquet(draft)

    def operating_characteristics(self) -> pd.DataFrame:
        """Operating characteristics, one row per measure, each with its Monte Carlo error; see `operating`."""
        return operating_characteristics(self)

    def summary(self) -> pd.DataFrame:
        """Power, expected events, duration and patients of the first test: the rows that a protocol quotes."""
        frame = self.operating_characteristics()
        first = frame[(frame["test"] == self.tests[0].name) & (frame["endpoint"] == self.primary)]
        return first.reset_index(drop=True)

    def _repr_html_(self) -> str:
        return html(self.summary())

    def __repr__(self) -> str:
        power, without = self.power(), self.undetermined().value
        return (
            f"<{self.trials:,} simulated trials, {self.scenario.name}: {self.tests[0].name} rejects in "
            f"{power.value:.4f} (Monte Carlo SE {power.std_error:.4f})"
            + (f", and has no result in {without:.2%} of them>" if without > 0 else ">")
        )

    def _test(self, name: str | None) -> Test:
        by_name = {test.name: test for test in self.tests}
        return by_name[_known("test", name or self.tests[0].name, by_name)]


def _known(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if name not in names:
        raise UnknownNameError(kind, name, names)
    return name
