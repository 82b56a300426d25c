"""Single-arm designs on a binary endpoint: clinfun, lrstat, gsDesign, rpact, phase1b, OneArmPhaseTwoStudy, stats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.power.single_arm import (
    BetaPrior,
    BinomialDesign,
    exact_binomial,
    exact_binomial_power,
    infer,
    normal_approximation_n,
    posterior_probability,
    predictive_probability,
    simon_two_stage,
    single_stage,
)
from tests.reference.power.registry import Adapter

if TYPE_CHECKING:
    from tests.reference.power.r_calls import RCall


def _indexed(name: str, values: Any) -> dict[str, float]:
    return {f"{name}[{k}]": float(value) for k, value in enumerate(values, start=1)}


def _counts(design: BinomialDesign) -> list[float]:
    return [design.futility[0], design.looks[0], design.futility[1], design.n]


def _null(design: BinomialDesign) -> list[float]:
    return [design.expected_n(design.null_rate), design.early_stopping_probability(design.null_rate)]


def _clinfun_request(text: str) -> dict[str, float]:
    found = re.search(
        r"ph2simon\((?:pu=)?([\d.]+), ?(?:pa=)?([\d.]+), ?(?:ep1=)?([\d.]+), ?(?:ep2=)?([\d.]+), ?nmax=(\d+)", text
    )
    assert found is not None, text
    pu, pa, ep1, ep2 = map(float, found.groups()[:4])
    return {"null_rate": pu, "alternative_rate": pa, "alpha": ep1, "power": 1 - ep2, "n_max": int(found[5])}


def ph2simon(text: str) -> dict[str, float]:
    found = simon_two_stage(**_clinfun_request(text))
    return {
        key: value
        for name, design in (("optimal", found.optimal), ("minimax", found.minimax))
        for key, value in _indexed(f"{name}_r1_n1_r_n_EN_PET", _counts(design) + _null(design)).items()
    }


def oc_twostage(text: str) -> dict[str, float]:
    design = simon_two_stage(**_clinfun_request(text)).optimal
    expected_n, early = _null(design)
    return _indexed("oc", [design.attained_alpha, design.attained_power, early, expected_n])


def admissible(text: str) -> dict[str, float]:
    found = simon_two_stage(**_clinfun_request(text))
    rows = []
    for k, design in enumerate(found.admissible):
        bounds = found.weight_bounds[k + 1], found.weight_bounds[k]
        # clinfun gives the weights on a grid of thousandths
        rows += [*_counts(design), *_null(design), *(round(bound, 3) for bound in bounds)]
    return _indexed("admissible_rows_by_cols", rows)


def simon2stage(call: RCall) -> dict[str, float]:
    found = simon_two_stage(
        null_rate=call["piH0"],
        alternative_rate=call["pi"],
        alpha=call["alpha"],
        power=1 - call["beta"],
        n_max=int(call["n_max"]),
    )
    designs = found.admissible
    columns = {
        "r1": [d.futility[0] for d in designs],
        "n1": [d.looks[0] for d in designs],
        "r": [d.futility[1] for d in designs],
        "n": [d.n for d in designs],
        "EN0": [_null(d)[0] for d in designs],
        "PET0": [_null(d)[1] for d in designs],
        "attainedAlpha": [d.attained_alpha for d in designs],
        "attainedPower": [d.attained_power for d in designs],
        "w_lower": found.weight_bounds[1:],
        "w_upper": found.weight_bounds[:-1],
    }
    return {key: value for name, column in columns.items() for key, value in _indexed(name, column).items()}


def twostage_inference(call: RCall) -> dict[str, float]:
    n1, n = int(call["n1"]), int(call["n"])
    x, r1 = int(call["x"]), int(call["r1"])
    design = BinomialDesign((n1, n), (r1, x - 1), call["pu"])
    found = infer(design, x, n, level=1 - 2 * call["alpha"], interval="koyama-chen")
    # clinfun gives the first of a grid of ten-thousandths inside the interval
    lower, upper = np.ceil(found.lower * 1e4) / 1e4, np.floor(found.upper * 1e4) / 1e4
    return _indexed("pumvue_p_lcl_ucl", [found.umvue, found.p_one_sided, lower, upper])


def one_arm_phase_two_study(text: str) -> dict[str, float]:
    found = re.search(r"get_p_KC\((\d+),(\d+),(\d+),(\d+),([\d.]+)\).*get_CI\(.*,([\d.]+)\)\)\)", text)
    assert found is not None, text
    x, r1, n1, n = map(int, found.groups()[:4])
    design = BinomialDesign((n1, n), (r1, x - 1), float(found[5]))
    inference = infer(design, x, n, level=1 - 2 * float(found[6]), interval="koyama-chen")
    limits = (inference.lower, inference.upper)
    return _indexed("UMVUE_p_CI", [inference.umvue, inference.p_one_sided, *limits])


def ph2single(call: RCall) -> dict[str, float]:
    """Give the first sizes that reach the power, whether or not the sizes between them do."""
    alternative = call["pa"]
    table = exact_binomial_power(
        np.arange(1, 400), null_rate=call["pu"], alternative_rate=alternative, alpha=call["ep1"]
    )
    table = table[table["power"] >= 1 - call["ep2"]].head(int(call["nsoln"]))
    columns = {
        "n": table["n"],
        "r": table["critical"] - 1,
        "type1": table["attained_alpha"],
        "type2": 1 - table["power"],
    }
    return {key: value for name, column in columns.items() for key, value in _indexed(name, column).items()}


def samplesize_one_prop(call: RCall) -> dict[str, float]:
    design = single_stage(
        null_rate=call["piH0"], alternative_rate=call["pi"], alpha=call["alpha"], power=1 - call["beta"]
    )
    return _attained(design, "r", "attainedAlpha", "attainedPower") | {"n": design.n}


def power_one_prop(call: RCall) -> dict[str, float]:
    design = exact_binomial(int(call["n"]), null_rate=call["piH0"], alternative_rate=call["pi"], alpha=call["alpha"])
    return _attained(design, "r", "attainedAlpha", "power")


def n_binomial(call: RCall) -> dict[str, float]:
    rule = "from_which_all_larger" if call["conservative"] else "first"
    design = single_stage(
        null_rate=call["p0"], alternative_rate=call["p1"], alpha=call["alpha"], power=1 - call["beta"], rule=rule
    )
    return _attained(design, "b", "alphaR", "power") | {"n": design.n, "n_conservative": design.n}


def _attained(design: BinomialDesign, critical: str, alpha: str, power: str) -> dict[str, float]:
    return {critical: design.critical, alpha: design.attained_alpha, power: design.attained_power}


def rates(call: RCall) -> dict[str, float]:
    design = call.args[0]
    n = normal_approximation_n(
        null_rate=call["thetaH0"], alternative_rate=call["pi1"], alpha=design["alpha"], power=1 - design["beta"]
    )
    return {"n": n}


def clopper_pearson(call: RCall) -> dict[str, float]:
    found = infer(BinomialDesign((int(call["n"]),), (0,), 0.5), int(call["y"]), int(call["n"]), level=call["cilevel"])
    return {"lower": found.lower, "upper": found.upper}


def binom_test(call: RCall) -> dict[str, float]:
    x, n = map(int, call.args)
    found = infer(BinomialDesign((n,), (0,), call.get("p", 0.5)), x, n, level=call.get("conf_level", 0.95))
    return _indexed("clopper_pearson_ci", [found.lower, found.upper]) | {"p": found.p_one_sided}


def postprob(call: RCall) -> dict[str, float]:
    prior = BetaPrior(*call["parE"])
    return {"post_prob": posterior_probability(int(call["x"]), int(call["n"]), rate=call["p"], prior=prior)}


def predprob(call: RCall) -> dict[str, float]:
    return {
        "pred_prob": predictive_probability(
            int(call["x"]),
            int(call["n"]),
            n_max=int(call["Nmax"]),
            rate=call["p"],
            threshold=call["thetaT"],
            prior=BetaPrior(*call["parE"]),
        )
    }


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
