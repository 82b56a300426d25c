"""What a protocol fixes: arms, allocation, strata, accrual, dropout, assessments and the looks at the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scipy.special import ndtri

from analysis.conventions import fields
from analysis.conventions.border import border
from analysis.conventions.by_name import ByName
from analysis.conventions.checks import not_negative, one_of
from analysis.conventions.display import html, listed, months
from analysis.conventions.values import replace, value
from analysis.design.accrual import Accrual
from analysis.design.assessments import Assessments
from analysis.design.look import Look
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival import Distribution, Exponential
from analysis.survival.distributions import by_member

if TYPE_CHECKING:
    import pandas as pd


def _looks(name: str, given: Any) -> tuple[Look, ...]:
    looks = (given,) if isinstance(given, Look) else given
    if not isinstance(looks, Sequence) or not looks or not all(isinstance(look, Look) for look in looks):
        raise InvalidValueError(name, given, "at least one look", "write looks=[Look(AtEvents(60))]")
    return tuple(looks)


def _shares(name: str, given: Any) -> ByName[float]:
    if not isinstance(given, Mapping) or not given:
        raise InvalidValueError(name, given, "shares by name, at least one", "write e.g. {'control': 1, 'new': 2}")
    shares = {key: not_negative(f"{name}[{key!r}]", share, "parts") for key, share in given.items()}
    if 0 in shares.values():
        raise InvalidValueError(name, given, "a share above 0 for each name", "leave out names without patients")
    return ByName(shares)


def loss(name: str, given: Any) -> Distribution | None:
    """Return dropout as a distribution: a rate per month becomes exponential, 0 and None mean that nobody is lost."""
    if given is None or isinstance(given, Distribution):
        return None if given is None else by_member(given)
    rate = not_negative(name, given, "losses per month")
    if rate > 1:
        expected = "losses per month, at most 1, or a distribution"
        raise InvalidValueError(name, given, expected, "5% a month is 0.05; a mean of 5 months is 0.2")
    return Exponential(rate) if rate > 0 else None


@border
@value
class TrialDesign:
    """A trial as its protocol fixes it: randomised, or of a single arm.

    Parameters
    ----------
    n
        Patients to be enrolled, all arms together.
    accrual
        How they enter.
    looks
        The analyses, in order of time; the last one is final. A group-sequential design gives its own:
        ``GroupSequentialDesign(...).looks_at_events(264, 528)``.
    allocation
        Share of patients by arm, e.g. ``{"control": 1, "experimental": 2}``; only the proportions count.
    control
        Name of the control arm; every other arm is compared with it. None for a trial of a single arm, which is tested
        against a null value.
    dropout
        Loss to follow-up from entry on: a rate per month or a distribution, for all arms or by arm; None: no loss.
    assessments
        Schedule at which progression is looked for; None: events are seen when they happen.
    strata
        Share of patients by stratum; randomisation is stratified, so each stratum has the allocation's proportions.
    delayed_entry
        Distribution of the months from time zero until a patient comes under observation (left truncation): only
        patients without the event by then are in the trial, and they enter the risk set then. None: observed from
        time zero.
    endpoint
        Name of the endpoint that `looks` count by default, ``"PFS"`` or ``"OS"``, or any other name.
    alpha
        Type I error; it decides the final test when its look has no `efficacy_z`. `power` says by formula where the
        boundaries of the looks spend more.
    sided
        1: rejection in favour of the experimental arm only; 2: `alpha` is shared by both directions.
    follow_up
        Longest follow-up of a patient, months from entry: who has had no event by then is censored. None: until the
        data are cut.

    Raises
    ------
    InvalidValueError
        If a share, rate or size is impossible, a look asks for more events than there are patients, looks are not in
        order of time, or several arms have no control.
    UnknownNameError
        If the control arm, or an arm that dropout is given for, is not in the allocation.

    Examples
    --------
    >>> from analysis.design import AtEvents, UniformAccrual
    >>> design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtEvents(60))], dropout=0.005)
    >>> design.arm_sizes
    {'control': 50, 'experimental': 50}

    A single arm:

    >>> TrialDesign(n=70, accrual=UniformAccrual(18), looks=design.looks, allocation={"new": 1}, control=None).arms
    ('new',)
    """

    n: int = fields.count("patients")
    accrual: Accrual = fields.converted(lambda name, given: one_of(name, given, Accrual, "UniformAccrual(18)"))
    looks: Sequence[Look] = fields.converted(_looks)
    allocation: Mapping[str, float] = fields.converted(_shares, default=ByName({"control": 1.0, "experimental": 1.0}))
    control: str | None = "control"
    dropout: Distribution | float | Mapping[str, Distribution | float] | None = None
    assessments: Assessments | None = fields.converted(
        lambda name, given: one_of(name, given, Assessments, "Assessments.every(2)"), default=None, optional=True
    )
    strata: Mapping[str, float] = fields.converted(_shares, default=ByName({"all": 1.0}))
    delayed_entry: Distribution | None = fields.converted(
        lambda name, given: one_of(name, given, Distribution, "Exponential(0.1)"), default=None, optional=True
    )
    endpoint: str = "PFS"
    alpha: float = fields.probability(default=0.025)
    sided: int = fields.sides(default=1)
    follow_up: float | None = fields.positive("months", default=None, optional=True)

    def __attrs_post_init__(self) -> None:
        if not self.alpha < self.sided / 2:
            expected = f"a probability below {self.sided / 2:g}, {'one' if self.sided == 1 else 'two'}-sided"
            raise InvalidValueError("alpha", self.alpha, expected, "give 0.025, not 2.5")
        self._check_control()
        given = self.dropout if isinstance(self.dropout, Mapping) else dict.fromkeys(self.allocation, self.dropout)
        for arm in given:
            if arm not in self.allocation:
                raise UnknownNameError("arm", arm, self.allocation)
        by_arm = {arm: loss(f"dropout of {arm!r}", given.get(arm)) for arm in self.allocation}
        if given is not self.dropout:  # one loss for all arms is one distribution
            by_arm = dict.fromkeys(by_arm, next(iter(by_arm.values())))
        object.__setattr__(self, "dropout", ByName({arm: lost for arm, lost in by_arm.items() if lost is not None}))
        empty = [cell for cell, size in self.cell_sizes.items() if size == 0]
        if empty:
            expected = f"patients in every stratum and arm (none in {empty})"
            raise InvalidValueError("n", self.n, expected, "enlarge the trial")
        self._check_looks()

    def _check_control(self) -> None:
        if (self.control is None) != (len(self.allocation) == 1):
            named = "None" if len(self.allocation) == 1 else "the name of an arm"
            expected = f"{named} with {len(self.allocation)} arm(s)"
            raise InvalidValueError("control", self.control, expected, "a single arm has no control, several have one")
        if self.control is not None and self.control not in self.allocation:
            raise UnknownNameError("arm", self.control, self.allocation)

    def _check_looks(self) -> None:
        before = 0.0
        for number, look in enumerate(self.looks, start=1):
            if look.cut.shortfall(lambda counted: float(self.patients_in(counted.arm, counted.stratum))):
                expected = f"at most {self.n} events, one a patient"
                raise InvalidValueError(f"looks (number {number})", str(look.cut), expected, "ask for fewer")
            latest = look.cut.latest
            if latest is not None and latest < before:
                expected = f"a look after the one before it, at {before:g} months or later"
                raise InvalidValueError(
                    f"looks (number {number})", str(look.cut), expected, "give looks in their order"
                )
            before = max(before, look.cut.earliest or 0.0)

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in the order of the allocation."""
        return tuple(self.allocation)

    @property
    def experimental_arms(self) -> tuple[str, ...]:
        """Names of the arms that are tested: compared with the control, or the single arm."""
        return tuple(arm for arm in self.allocation if arm != self.control)

    def experimental_arm(self, arm: str | None = None) -> str:
        """Name the arm that is tested: the one asked for, or the only one.

        Raises
        ------
        InvalidValueError
            If there are several and none is named.
        UnknownNameError
            If it is no experimental arm.

        Examples
        --------
        >>> from analysis.design import AtTime, UniformAccrual
        >>> TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))]).experimental_arm()
        'experimental'
        """
        arms = self.experimental_arms
        if arm is None and len(arms) > 1:
            expected = f"one of {', '.join(arms)}"
            raise InvalidValueError("arm", arm, expected, "say which arm to compare with the control")
        if arm is not None and arm not in arms:
            raise UnknownNameError("experimental arm", arm, arms)
        return arms[0] if arm is None else arm

    @cached_property
    def cell_sizes(self) -> dict[tuple[str, str], int]:
        """Patients by (stratum, arm): shares of `n` rounded by largest remainder, strata first."""
        sizes = {}
        for stratum, stratum_size in zip(self.strata, _apportion(self.n, self.strata), strict=True):
            for arm, size in zip(self.allocation, _apportion(stratum_size, self.allocation), strict=True):
                sizes[stratum, arm] = size
        return sizes

    @property
    def arm_sizes(self) -> dict[str, int]:
        """Patients by arm."""
        return {arm: self.patients_in(arm, None) for arm in self.allocation}

    def patients_in(self, arm: str | None, stratum: str | None) -> int:
        """Count the patients of an arm, of a stratum; None for all.

        Raises
        ------
        UnknownNameError
            If there is no such arm or stratum.
        """
        for kind, name, known in (("arm", arm, self.allocation), ("stratum", stratum, self.strata)):
            if name is not None and name not in known:
                raise UnknownNameError(kind, name, known)
        return sum(size for (s, a), size in self.cell_sizes.items() if arm in (None, a) and stratum in (None, s))

    @property
    def entry(self) -> Accrual:
        """The accrual of as many patients as the design has."""
        return self.accrual.for_patients(self.n)

    @property
    def final_critical_z(self) -> float:
        """Critical z of the last look, in the direction of benefit."""
        given = self.looks[-1].efficacy_z
        return -float(ndtri(self.alpha / self.sided)) if given is None else given

    @property
    def efficacy_bounds(self) -> tuple[float, ...]:
        """Z from which each look rejects; inf where it does not."""
        interim = (math.inf if look.efficacy_z is None else look.efficacy_z for look in self.looks[:-1])
        return (*interim, self.final_critical_z)

    @property
    def futility_bounds(self) -> tuple[float, ...]:
        """Z up to which each look stops the trial without rejection; -inf where it does not."""
        return tuple(-math.inf if look.futility_z is None else look.futility_z for look in self.looks)

    def dropout_of(self, arm: str) -> Distribution | None:
        """Distribution of the months from entry to loss to follow-up in an arm; None if nobody is lost."""
        by_arm: Mapping[str, Distribution] = self.dropout  # type: ignore[assignment]  # normalised at the start
        return by_arm.get(arm)

    def summary(self) -> pd.DataFrame:
        """One row per item of the design: `item`, `value`."""
        import pandas as pd

        rows = [
            ("patients", f"{self.n}"),
            ("arms", ", ".join(f"{arm} {size}" for arm, size in self.arm_sizes.items())),
            ("control", self.control or "none: a single arm"),
            ("accrual", self.accrual.description),
            ("dropout", self._dropout_in_words() or "none"),
            ("assessments", self.assessments.description if self.assessments else "events seen when they happen"),
            ("strata", ", ".join(f"{stratum} {share:.3g}" for stratum, share in self.strata.items())),
            ("delayed entry", self.delayed_entry.description if self.delayed_entry else "none"),
            ("follow-up", f"at most {months(self.follow_up)} months" if self.follow_up else "until the data are cut"),
            ("endpoint", self.endpoint),
            ("alpha", f"{self.alpha:g} ({'one' if self.sided == 1 else 'two'}-sided)"),
        ]
        rows += [(f"look {number}", str(look)) for number, look in enumerate(self.looks, start=1)]
        return pd.DataFrame(rows, columns=["item", "value"])

    def protocol_text(self) -> str:
        """Write the design as a paragraph for a protocol; `power(...).protocol_text()` adds what it can show."""
        sizes = self.arm_sizes
        if self.control is None:
            who = f"{self.n} patients are enrolled in a single arm ({self.arms[0]})"
        else:
            ratio = ":".join(f"{share:g}" for share in self.allocation.values())
            who = f"{self.n} patients are randomised {ratio} to {listed(f'{arm} ({k})' for arm, k in sizes.items())}"
        if len(self.strata) > 1:
            total = sum(self.strata.values())
            who += f", stratified ({', '.join(f'{s} {100 * p / total:.3g}%' for s, p in self.strata.items())})"
        sentences = [f"{who}.", f"Patients enter {self.entry.description}."]
        lost = self._dropout_in_words()
        sentences.append(f"Loss to follow-up is assumed {lost}." if lost else "No loss to follow-up is assumed.")
        if self.assessments:
            sentences.append(f"Progression is looked for {self.assessments.description}.")
        if self.delayed_entry:
            sentences.append(
                "Patients come under observation some months after time zero, and only if they had no event by then: "
                f"{self.delayed_entry.description}."
            )
        if self.follow_up:
            sentences.append(f"Patients are followed for at most {months(self.follow_up)} months.")
        side = "one-sided" if self.sided == 1 else "two-sided"
        *interim, final = self.looks
        if final.futility_z == final.efficacy_z:  # what does not reject there has not rejected
            final = replace(final, futility_z=None)
        *earlier, last = (
            look.in_words("z" if self.sided == 1 else "|z|") + (" (nothing is decided)" if open_ else "")
            for look, open_ in zip([*interim, final], self._undecided, strict=True)
        )
        looks = "; ".join([*earlier, f"and {last}" if earlier else last])
        level = f"at a {side} significance level of {self.alpha:g}"
        if not interim:
            sentences.append(f"{self.endpoint} is analysed once, {looks}, {level}.")
        else:
            times = "twice" if len(self.looks) == 2 else f"{len(self.looks)} times"
            sentences.append(f"{self.endpoint} is analysed {times}, {level} over all: {looks}.")
            rules = {look.rule for look in self.looks}
            if len(rules) == 1 and rules != {""}:
                sentences.append(f"The bounds are those of {rules.pop()}.")
        return " ".join(sentences)

    @property
    def _undecided(self) -> list[bool]:
        """Whether each look is an interim one without a boundary."""
        bounds = zip(self.efficacy_bounds[:-1], self.futility_bounds, strict=False)
        return [*(math.isinf(efficacy) and math.isinf(futility) for efficacy, futility in bounds), False]

    def _dropout_in_words(self) -> str:
        told = {arm: self.dropout_of(arm) for arm in self.arms}
        words = {arm: "none" if lost is None else _rate_or_words(lost) for arm, lost in told.items()}
        if not any(told.values()):
            return ""
        same = len(set(words.values())) == 1
        return next(iter(words.values())) if same else listed(f"{text} ({arm})" for arm, text in words.items())

    def _repr_html_(self) -> str:
        return html(self.summary())


def _rate_or_words(lost: Distribution) -> str:
    return f"at {lost.rate:.4g} per month" if isinstance(lost, Exponential) else f"by a {lost.description}"


def _apportion(total: int, shares: Mapping[str, float]) -> list[int]:
    """Share out whole patients by largest remainder, ties to the first."""
    whole = sum(shares.values())
    exact = [share * total / whole for share in shares.values()]
    sizes = [math.floor(part + 1e-9) for part in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda k: sizes[k] - exact[k])
    for k in by_remainder[: total - sum(sizes)]:
        sizes[k] += 1
    return sizes
