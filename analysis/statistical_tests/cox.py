"""The hazard ratio of two arms by Cox's partial likelihood, by Newton's method on its one coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numba import njit
from scipy.special import ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.values import value
from analysis.expected.score import expected_cox_hazard_ratio
from analysis.statistical_tests.base import ESTIMATION, TwoArmTest, against
from analysis.statistical_tests.moments import Moments, from_information

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.conventions.checks import FloatArray
    from analysis.engine.risk_sets import RiskSets
    from analysis.expected.trial import ExpectedTrial
    from analysis.survival import Distribution

LIMIT = 20.0


@border
@value
class CoxHazardRatio(TwoArmTest):
    """Hazard ratio, experimental against control, with Wald test and interval (Cox 1972).

    Parameters
    ----------
    ties
        ``"efron"`` (default of R's ``coxph`` and lifelines) or ``"breslow"`` (default of SAS).
    level
        Confidence level, two-sided.
    margin
        Hazard ratio of the null hypothesis: 1 for superiority, above 1 the margin of non-inferiority.
    stratified
        Each stratum has its own baseline hazard; False pools them.

    Raises
    ------
    InvalidValueError
        If the level is not a probability or the margin not above 0.
    UnknownNameError
        If the rule for ties is unknown.

    Notes
    -----
    `std_error` is that of the log hazard ratio. Where the likelihood is monotone (all events in one arm) there is no
    estimate: in simulated trials it is 0 or inf, its interval (0, inf) and z is 0; data in hand are refused. Moments
    are those of the ratio that the model converges to (Struthers and Kalbfleisch, Biometrika 1986;73:363-369), with the
    model's own variance.

    Examples
    --------
    >>> data = dict(time=[2, 3, 4, 5, 6, 9], event=[1, 1, 1, 1, 1, 0], experimental=[0, 1, 0, 0, 1, 1])
    >>> ratio = CoxHazardRatio().analyse(**data)
    >>> round(ratio.estimate, 3), round(ratio.lower, 3), round(ratio.upper, 3)
    (0.248, 0.025, 2.429)
    """

    ties: Literal["efron", "breslow"] = fields.choice(("efron", "breslow"), default="efron")
    level: float = fields.level(default=0.95)
    margin: float = fields.positive("times the control's hazard", default=1.0)
    stratified: bool = True
    columns: ClassVar[tuple[str, ...]] = ESTIMATION
    is_ratio: ClassVar[bool] = True

    @property
    def reference(self) -> str:
        """Where its moments come from."""
        return "Struthers CA, Kalbfleisch JD, Biometrika 1986;73:363-369"

    @property
    def name(self) -> str:
        """Name in tables of results."""
        margin = "" if self.margin == 1 else f", margin {self.margin:g}"
        return f"Cox HR ({self.ties}){margin}" + ("" if self.stratified else ", unstratified")

    @property
    def in_words(self) -> str:
        """The test as a protocol speaks of it."""
        return f"the hazard ratio of Cox's model (Wald; ties as by {self.ties.capitalize()})" + against(
            self.margin, 1.0, "in the hazard ratio"
        )

    def evaluate(self, sets: RiskSets) -> NDArray[np.float64]:
        """Estimate in each trial; shape (trials, 5)."""
        out = np.empty((sets.trials, 5))
        quantile = float(-ndtri((1 - self.level) / 2))
        _newton(sets, self.ties == "efron", quantile, float(np.log(self.margin)), out)
        return out

    def moments(self, trial: ExpectedTrial, time: float) -> Moments:
        """Give the moments of minus the log hazard ratio at calendar month `time`."""
        if not self.stratified and len(trial.strata) > 1:
            self._cannot("has moments for the stratified model only", "take stratified=True, or simulate")
        ratio, variance = expected_cox_hazard_ratio(trial, time)
        return from_information(float(np.log(ratio / self.margin)), 1 / variance, 1 / variance)

    def truth(self, experimental: Distribution, control: Distribution) -> float:
        """Give the hazard ratio if it is the same at all times, else NaN."""
        times = control.quantile(np.linspace(0.005, 0.995, 100))
        times = np.unique(times[np.isfinite(times)])
        ratios = np.diff(experimental.cumulative_hazard(times)) / np.diff(control.cumulative_hazard(times))
        return float(ratios[0]) if np.allclose(ratios, ratios[0], rtol=1e-6, atol=0) else float("nan")

    def _details(self, data: RiskSets, row: FloatArray) -> dict[str, Any]:
        score, information, null = _likelihood(data, 1.0, self.ties == "efron")
        _, _, maximum = _likelihood(data, float(row[1]), self.ties == "efron")
        return {
            "score_chi_squared": score**2 / information,
            "log_likelihood": maximum,
            "log_likelihood_null": null,
        }

    @property
    def _advice(self) -> str:
        return "there is no finite maximum unless both arms have events while both are at risk; report a log-rank test"


@njit(nogil=True, cache=True, error_model="numpy")
def _newton(sets: RiskSets, efron: bool, quantile: float, log_margin: float, out: NDArray[np.float64]) -> None:
    for trial in range(out.shape[0]):
        begin, end = sets.first[trial * sets.strata], sets.first[(trial + 1) * sets.strata]
        beta, information, step = 0.0, 0.0, 1.0
        for _ in range(50):
            score, information = _derivatives(sets, begin, end, np.exp(beta), efron)
            step = min(max(score / information, -2.0), 2.0) if information > 0.0 else 0.0
            beta += step
            if abs(step) < 1e-10 or abs(beta) > LIMIT:
                break
        if end == begin:
            out[trial, :] = np.nan
        elif abs(beta) > LIMIT or not information > 0.0:
            out[trial, 0], out[trial, 1] = 0.0, np.inf if beta > 0.0 else 0.0
            out[trial, 2], out[trial, 3], out[trial, 4] = np.inf, 0.0, np.inf
        else:
            se = 1.0 / np.sqrt(information)
            out[trial, 0], out[trial, 1], out[trial, 2] = (log_margin - beta) / se, np.exp(beta), se
            out[trial, 3], out[trial, 4] = np.exp(beta - quantile * se), np.exp(beta + quantile * se)


@njit(inline="always")
def _derivatives(sets: RiskSets, begin: int, end: int, ratio: float, efron: bool) -> tuple[float, float]:
    score, information = 0.0, 0.0
    for row in range(begin, end):
        events, in_arm = sets.n_event[row], sets.n_event_experimental[row]
        weight_arm = sets.n_risk_experimental[row] * ratio
        weight = sets.n_risk[row] - sets.n_risk_experimental[row] + weight_arm
        score += in_arm
        tied_arm, tied = in_arm * ratio, events - in_arm + in_arm * ratio
        for k in range(events):
            taken = k / events if efron else 0.0
            share = (weight_arm - taken * tied_arm) / (weight - taken * tied)
            score -= share
            information += share * (1.0 - share)
    return score, information


@njit(nogil=True, cache=True, error_model="numpy")
def _likelihood(sets: RiskSets, ratio: float, efron: bool) -> tuple[float, float, float]:
    """Score, information and log partial likelihood of the first trial."""
    begin, end = sets.first[0], sets.first[sets.strata]
    score, information = _derivatives(sets, begin, end, ratio, efron)
    total = 0.0
    for row in range(begin, end):
        events, in_arm = sets.n_event[row], sets.n_event_experimental[row]
        weight = sets.n_risk[row] - sets.n_risk_experimental[row] + sets.n_risk_experimental[row] * ratio
        tied = events - in_arm + in_arm * ratio
        total += in_arm * np.log(ratio)
        for k in range(events):
            taken = k / events if efron else 0.0
            total -= np.log(weight - taken * tied)
    return score, information, total
