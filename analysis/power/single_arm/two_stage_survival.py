"""Two-stage single-arm designs on a time-to-event endpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special, stats

from analysis.errors import InvalidValueError
from analysis.power.single_arm.json_form import read_design, write_design
from analysis.power.single_arm.protocol import two_stage_survival_paragraph
from analysis.power.single_arm.survival_tests import FollowUp, Landmark, OneSampleLogRank, RestrictedMean

if TYPE_CHECKING:
    from analysis.power.moments import Moments
    from analysis.power.single_arm.survival_tests import OneSampleTest
    from analysis.survival import Distribution

# Beyond nine standard deviations no probability is left that a design could notice.
_FAR = 9.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_OWN = (FollowUp, OneSampleLogRank, Landmark, RestrictedMean)


@dataclass(frozen=True)
class TwoStageSurvivalDesign:
    """A single-arm survival trial with an interim look that can stop it for futility.

    At the interim look the trial stops if the test's standardised score is at most ``interim_critical``; accrual goes
    on until then. At the final look it rejects if the score exceeds ``critical``. Scores are positive in favour of
    the treatment.

    Parameters
    ----------
    test
        ``OneSampleLogRank``, ``Landmark`` or ``RestrictedMean``.
    null, truth
        Distributions of the event time under the null hypothesis and under the alternative.
    follow_up
        Accrual, time of the final analysis, dropout.
    n
        Patients planned.
    interim_time
        Months from the first possible entry to the interim look.
    interim_critical, critical
        Standardised scores; a good treatment has positive ones.
    """

    test: OneSampleTest
    null: Distribution
    truth: Distribution
    follow_up: FollowUp
    n: int
    interim_time: float
    interim_critical: float
    critical: float

    def __post_init__(self) -> None:
        if self.n < 2:
            raise InvalidValueError("n", self.n, "at least 2 patients", "raise it")
        if not 0 < self.interim_time < self.follow_up.analysis_time:
            raise InvalidValueError(
                "interim_time",
                self.interim_time,
                f"a time before the final analysis at {self.follow_up.analysis_time:g} months",
                "move it",
            )

    @property
    def interim_n(self) -> int:
        """Patients enrolled by the interim look, rounded up."""
        return ceil(self._enrolled() - 1e-9)

    @property
    def attained_alpha(self) -> float:
        """One-sided type I error rate, by the normal approximation."""
        return self.rejection_probability(self.null)

    @property
    def attained_power(self) -> float:
        """Power under the truth the design is made for."""
        return self.rejection_probability(self.truth)

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Months and critical score of both looks."""
        return (self.interim_time, self.interim_critical), (self.follow_up.analysis_time, self.critical)

    def rejection_probability(self, truth: Distribution) -> float:
        """Return the probability of passing the interim look and rejecting, if event times follow ``truth``."""
        interim, final = self._moments(truth)
        a = (self.interim_critical * interim.null_sd - sqrt(self.n) * interim.effect) / interim.sd
        b = (self.critical * final.null_sd - sqrt(self.n) * final.effect) / final.sd
        return both_above(a, b, correlation(interim, final))

    def early_stopping_probability(self, truth: Distribution) -> float:
        """Return the probability of stopping at the interim look if event times follow ``truth``."""
        interim, _ = self._moments(truth)
        return float(
            stats.norm.cdf((self.interim_critical * interim.null_sd - sqrt(self.n) * interim.effect) / interim.sd)
        )

    def expected_n(self, truth: Distribution) -> float:
        """Return the expected number of patients enrolled if event times follow ``truth``."""
        return self.n - self.early_stopping_probability(truth) * (self.n - self._enrolled())

    def summary(self) -> pd.DataFrame:
        """Tabulate both looks: time, patients, critical score, and stopping or rejecting under both distributions."""
        return pd.DataFrame(
            {
                "months": [self.interim_time, self.follow_up.analysis_time],
                "patients": [self.interim_n, self.n],
                "critical_score": [self.interim_critical, self.critical],
                "decision": ["stop at or below", "reject above"],
                "p_null": [self.early_stopping_probability(self.null), self.attained_alpha],
                "p_alternative": [self.early_stopping_probability(self.truth), self.attained_power],
                "expected_n_null": [np.nan, self.expected_n(self.null)],
            },
            index=pd.Index(["interim", "final"], name="look"),
        )

    def protocol_text(self) -> str:
        """Write the design as a paragraph for a protocol's statistical section, with its numbers and references."""
        return two_stage_survival_paragraph(self)

    def to_json(self) -> str:
        """Write the fields as a JSON object with ``kind`` first; ``from_json`` reads it back."""
        return write_design(self, _OWN)

    @staticmethod
    def from_json(text: str) -> TwoStageSurvivalDesign:
        """Read the design that ``to_json`` wrote."""
        return read_design(text, TwoStageSurvivalDesign, _OWN)

    def _repr_html_(self) -> str:
        return str(self.summary().to_html())

    def _enrolled(self) -> float:
        return self.n * float(self.follow_up.accrual.enrolled_fraction(self.interim_time))

    def _moments(self, truth: Distribution) -> tuple[Moments, Moments]:
        interim = replace(self.follow_up, analysis_time=self.interim_time)
        return self.test.moments(truth, interim), self.test.moments(truth, self.follow_up)


def correlation(interim: Moments, final: Moments) -> float:
    """Correlation of the two looks' scores if the increments of information are independent (Wu et al. 2020).

    The spread of a count of events grows with information, that of an estimate shrinks.
    """
    return min(interim.sd, final.sd) / max(interim.sd, final.sd)


def both_above(a: float, b: float, correlation: float) -> float:
    """Probability that the first of two correlated standard normal variables is above a and the second above b."""
    lower = max(b, -_FAR)
    half = (_FAR - lower) / 2
    z = lower + half * (1 + _NODES)
    density = np.exp(-(z**2) / 2) / sqrt(2 * np.pi)
    above = special.ndtr((correlation * z - a) / sqrt(1 - correlation**2))
    return float(half * (_WEIGHTS @ (density * above)))
