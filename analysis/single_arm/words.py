"""The words of a single-arm design for the statistical section of a protocol."""

from __future__ import annotations

from typing import Any

_REFERENCES = (
    ("single stage", "A'Hern RP, Statistics in Medicine 2001;20:859-866"),
    ("Simon", "Simon R, Controlled Clinical Trials 1989;10:1-10"),
    ("admissible", "Jung SH et al., Statistics in Medicine 2004;23:561-569"),
    ("efficacy", "Mander AP and Thompson SG, Contemporary Clinical Trials 2010;31:572-578"),
    ("predictive probability", "Lee JJ and Liu DD, Clinical Trials 2008;5:93-106"),
    ("BOP2", "Zhou H, Lee JJ and Yuan Y, Statistics in Medicine 2017;36:3302-3314"),
    ("deviation", "Koyama T and Chen H, Statistics in Medicine 2008;27:3145-3154"),
)


def binomial_paragraph(design: Any) -> str:
    """Write a binomial design as a paragraph: hypotheses, decision rule, error rates, expected size, references."""
    sentences = [
        f"The primary analysis is a one-sided exact test of the null hypothesis that the response rate is at most "
        f"{percent(design.null_rate)}.",
        *[_interim(design, k) for k in range(len(design.looks) - 1)],
        f"At the end, with {design.n} patients, the null hypothesis is rejected if at least {design.critical} have "
        "responded."
        if len(design.looks) > 1
        else f"The null hypothesis is rejected if at least {design.critical} of {design.n} patients have responded.",
        f"The one-sided type I error rate at a true rate of {percent(design.null_rate)} is "
        f"{design.attained_alpha:.4f}{_asked(design.alpha, 'at most')}.",
    ]
    if design.alternative_rate is not None:
        sentences.append(
            f"At a true rate of {percent(design.alternative_rate)} the power is "
            f"{design.attained_power:.4f}{_asked(design.power, 'at least')}."
        )
    if len(design.looks) > 1:
        sentences.append(
            f"At a true rate of {percent(design.null_rate)} the trial stops early with probability "
            f"{design.early_stopping_probability(design.null_rate):.4f} and takes "
            f"{design.expected_n(design.null_rate):.1f} patients on average."
        )
    cited = [reference for word, reference in _REFERENCES if word in design.method]
    sentences.append(f"Method: {design.method}{''.join(f'; {reference}' for reference in cited)}.")
    return " ".join(sentences)


def percent(rate: float) -> str:
    """Write a rate in per cent without trailing zeros."""
    return f"{100 * rate:.4g}%"


def _interim(design: Any, k: int) -> str:
    futility, efficacy = design.futility[k], design.efficacy[k]
    decisions = []
    if futility >= 0:
        decisions.append(f"stops without rejecting it if {_at_most(futility)} responded")
    if efficacy is not None:
        decisions.append(f"stops and rejects it if at least {efficacy} have responded")
    rule = " and ".join(decisions) or "goes on whatever the responses"
    return f"After {design.looks[k]} patients the trial {rule}."


def _at_most(count: int) -> str:
    return {0: "none has", 1: "at most 1 has"}.get(count, f"at most {count} have")


def _asked(value: float | None, bound: str) -> str:
    return "" if value is None else f" ({bound} {value:g} was asked for)"


def stratified_paragraph(design: Any) -> str:
    """Write a stratified design as a paragraph: null rates and sizes, decision rule, error rates."""
    strata = "; ".join(
        f"{name}: {size} patients, null rate {percent(rate)}"
        for name, size, rate in zip(design.strata, design.sizes, design.null_rates, strict=True)
    )
    sentences = [
        f"The primary analysis is a one-sided exact test over strata ({strata}). The null hypothesis is rejected if at "
        f"least {design.critical} of {design.n} patients respond; if the strata have other sizes, the critical count "
        f"is computed anew from the sizes attained.",
        f"The one-sided type I error rate is {design.attained_alpha:.4f}{_asked(design.alpha, 'at most')}.",
    ]
    if design.alternative_rates is not None:
        rates = ", ".join(percent(rate) for rate in design.alternative_rates)
        sentences.append(f"At true rates of {rates} the power is {design.attained_power:.4f}.")
    sentences.append("Method: London WB and Chang MN, Statistics in Medicine 2005;24:2597-2611.")
    return " ".join(sentences)
