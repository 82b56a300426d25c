"""Single-arm designs on a binary endpoint: clinfun, lrstat, gsDesign, rpact, phase1b, OneArmPhaseTwoStudy, stats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.single_arm import (
    BetaPrior,
    BinomialDesign,
    exact_binomial,
    exact_binomial_power,
    infer,
    simon_two_stage,
    single_stage,
)
from analysis.single_arm.single_stage import normal_approximation_n
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from tests.reference.power.r_calls import RCall


def _row(design: BinomialDesign) -> list[float]:
    """Counts r1, n1, r and n, and expected size and probability of early stopping under the null hypothesis."""
    counts = [design.futility[0], design.looks[0], design.futility[1], design.n]
    return [*counts, design.expected_n(design.null_rate), design.early_stopping_probability(design.null_rate)]


def _clinfun_request(text: str) -> dict[str, float]:
    found = re.search(
        r"ph2simon\((?:pu=)?([\d.]+), ?(?:pa=)?([\d.]+), ?(?:ep1=)?([\d.]+), ?(?:ep2=)?([\d.]+), ?nmax=(\d+)", text
    )
    assert found is not None, text
    pu, pa, ep1, ep2 = map(float, found.groups()[:4])
    return {"null_rate": pu, "alternative_rate": pa, "alpha": ep1, "power": 1 - ep2, "n_max": int(found[5])}


def ph2simon(text: str) -> dict[str, Any]:
    found = simon_two_stage(**_clinfun_request(text))
    return {f"{name}_r1_n1_r_n_EN_PET": _row(getattr(found, name)) for name in ("optimal", "minimax")}


def oc_twostage(text: str) -> dict[str, Any]:
    design = simon_two_stage(**_clinfun_request(text)).optimal
    *_, expected_n, early = _row(design)
    return {"oc": [design.attained_alpha, design.attained_power, early, expected_n]}


def admissible(text: str) -> dict[str, Any]:
    """clinfun gives the weights on a grid of thousandths."""
    found = simon_two_stage(**_clinfun_request(text))
    bounds = np.round(found.weight_bounds, 3)
    rows = [[*_row(design), *bounds[[k + 1, k]]] for k, design in enumerate(found.admissible)]
    return {"admissible_rows_by_cols": np.ravel(rows)}


def simon2stage(call: RCall) -> dict[str, Any]:
    found = simon_two_stage(**_request(call), n_max=int(call["n_max"]))
    columns = np.transpose([[*_row(d), d.attained_alpha, d.attained_power] for d in found.admissible])
    names = ("r1", "n1", "r", "n", "EN0", "PET0", "attainedAlpha", "attainedPower")
    bounds = found.weight_bounds
    return {**dict(zip(names, columns, strict=True)), "w_lower": bounds[1:], "w_upper": bounds[:-1]}


def _koyama_chen(x: int, r1: int, n1: int, n: int, null_rate: float, alpha: float) -> list[float]:
    found = infer(BinomialDesign((n1, n), (r1, x - 1), null_rate), x, n, level=1 - 2 * alpha, interval="koyama-chen")
    return [found.umvue, found.p_one_sided, found.lower, found.upper]


def twostage_inference(call: RCall) -> dict[str, Any]:
    """clinfun gives the first of a grid of ten-thousandths inside the interval."""
    counts = (int(call[name]) for name in ("x", "r1", "n1", "n"))
    umvue, p, lower, upper = _koyama_chen(*counts, call["pu"], call["alpha"])
    return {"pumvue_p_lcl_ucl": [umvue, p, np.ceil(lower * 1e4) / 1e4, np.floor(upper * 1e4) / 1e4]}


def one_arm_phase_two_study(text: str) -> dict[str, Any]:
    found = re.search(r"get_p_KC\((\d+),(\d+),(\d+),(\d+),([\d.]+)\).*get_CI\(.*,([\d.]+)\)\)\)", text)
    assert found is not None, text
    return {"UMVUE_p_CI": _koyama_chen(*map(int, found.groups()[:4]), *map(float, found.groups()[4:]))}


def ph2single(call: RCall) -> dict[str, Any]:
    """Give the first sizes that reach the power, whether or not the sizes between them do."""
    sizes = np.arange(1, 400)
    table = exact_binomial_power(sizes, null_rate=call["pu"], alternative_rate=call["pa"], alpha=call["ep1"])
    table = table[table["power"] >= 1 - call["ep2"]].head(int(call["nsoln"]))
    errors = {"type1": table["attained_alpha"], "type2": 1 - table["power"]}
    return {"n": table["n"], "r": table["critical"] - 1, **errors}


def _request(call: RCall) -> dict[str, Any]:
    rates = {"null_rate": call.get("piH0", call.get("p0")), "alternative_rate": call.get("pi", call.get("p1"))}
    return {**rates, "alpha": call["alpha"], "power": 1 - call["beta"]}


def samplesize_one_prop(call: RCall) -> dict[str, Any]:
    return _attained(single_stage(**_request(call)), "r", "attainedAlpha", "attainedPower")


def power_one_prop(call: RCall) -> dict[str, Any]:
    design = exact_binomial(int(call["n"]), null_rate=call["piH0"], alternative_rate=call["pi"], alpha=call["alpha"])
    return _attained(design, "r", "attainedAlpha", "power")


def n_binomial(call: RCall) -> dict[str, Any]:
    rule = "from_which_all_larger" if call["conservative"] else "first"
    return _attained(single_stage(**_request(call), rule=rule), "b", "alphaR", "power")


def _attained(design: BinomialDesign, critical: str, alpha: str, power: str) -> dict[str, Any]:
    return {"n": design.n, critical: design.critical, alpha: design.attained_alpha, power: design.attained_power}


def rates(call: RCall) -> dict[str, Any]:
    errors = {"alpha": call.args[0]["alpha"], "power": 1 - call.args[0]["beta"]}
    return {"n": normal_approximation_n(null_rate=call["thetaH0"], alternative_rate=call["pi1"], **errors)}


def _clopper_pearson(x: Any, n: Any, level: float, null_rate: float = 0.5) -> Any:
    return infer(BinomialDesign((int(n),), (0,), null_rate), int(x), int(n), level=level)


def clopper_pearson(call: RCall) -> dict[str, Any]:
    found = _clopper_pearson(call["y"], call["n"], call["cilevel"])
    return {"lower": found.lower, "upper": found.upper}


def binom_test(call: RCall) -> dict[str, Any]:
    found = _clopper_pearson(*call.args, call.get("conf_level", 0.95), call.get("p", 0.5))
    return {"clopper_pearson_ci": [found.lower, found.upper], "p": found.p_one_sided}


def postprob(call: RCall) -> dict[str, Any]:
    posterior = BetaPrior(*call["parE"]).updated(int(call["x"]), int(call["n"]))
    return {"post_prob": posterior.probability_above(call["p"])}


def predprob(call: RCall) -> dict[str, Any]:
    prior, end = BetaPrior(*call["parE"]), {"n_max": int(call["Nmax"]), "rate": call["p"], "threshold": call["thetaT"]}
    return {"pred_prob": prior.predictive_probability(int(call["x"]), int(call["n"]), **end)}


ADAPTERS = {
    ("clinfun", "ph2simon"): Adapter(compute_text=ph2simon),
    ("clinfun", "oc.twostage.bdry"): Adapter(compute_text=oc_twostage),
    ("clinfun", "twostage.admissible"): Adapter(compute_text=admissible),
    ("clinfun", "twostage.inference"): Adapter(compute=twostage_inference),
    ("clinfun", "ph2single"): Adapter(compute=ph2single),
    ("lrstat", "simon2stage"): Adapter(compute=simon2stage),
    ("lrstat", "samplesizeOnePropExact"): Adapter(compute=samplesize_one_prop),
    ("lrstat", "powerOnePropExact"): Adapter(compute=power_one_prop),
    ("lrstat", "ClopperPearsonCI"): Adapter(compute=clopper_pearson),
    ("gsDesign", "nBinomial1Sample"): Adapter(compute=n_binomial),
    ("gsDesign", "nBinomial1Sample (first n with power>=1-beta)"): Adapter(compute=n_binomial),
    ("gsDesign", "nBinomial1Sample (conservative: all larger n also)"): Adapter(compute=n_binomial),
    ("rpact", "getSampleSizeRates"): Adapter(compute=rates),
    ("OneArmPhaseTwoStudy", "getP/get_UMVUE_GMS/get_CI"): Adapter(
        compute_text=one_arm_phase_two_study, rtol=5e-5, because="its interval search goes in steps of 1e-5"
    ),
    ("stats", "binom.test"): Adapter(compute=binom_test),
    ("phase1b", "postprob"): Adapter(compute=postprob),
    ("phase1b", "predprob (Lee & Liu 2008)"): Adapter(compute=predprob),
}
