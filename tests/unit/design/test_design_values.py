"""Designs and scenarios: what they refuse, how they round, that they survive JSON and pickling."""

import pickle

import numpy as np
import pytest

from analysis.conventions import from_json, to_json
from analysis.design import (
    AfterLastEntry,
    Assessments,
    AtEvents,
    AtTime,
    EarlierOf,
    FixedAccrual,
    IllnessDeath,
    LaterOf,
    Look,
    PiecewiseAccrual,
    RampAccrual,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.survival import Ensemble
from analysis.survival.distributions import Exponential, PiecewiseExponential, ProportionalHazards, Weibull

MINIMAL = {"n": 100, "accrual": UniformAccrual(18), "looks": (Look(AtEvents(60)),)}
CONTROL = Exponential.from_median(11)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("duration", lambda: UniformAccrual(0)),
        ("duration", lambda: UniformAccrual(float("nan"))),
        ("rates", lambda: PiecewiseAccrual((1, -2), (3,), 6)),
        ("rates", lambda: PiecewiseAccrual((0, 0), (3,), 6)),
        ("rates", lambda: PiecewiseAccrual((1, 2, 3), (3,), 6)),
        ("breaks", lambda: PiecewiseAccrual((1, 2, 3), (3, 3), 6)),
        ("duration", lambda: PiecewiseAccrual((1, 2), (3,), 3)),
        ("ramp", lambda: RampAccrual(6, 7)),
        ("times", lambda: FixedAccrual(())),
        ("times", lambda: FixedAccrual((-1, 2))),
        ("interval", lambda: Assessments.every(0)),
        ("times", lambda: Assessments(())),
        ("times", lambda: Assessments((3, 2))),
        ("window", lambda: Assessments.every(2, window=1)),
        ("missed", lambda: Assessments.every(2, missed=1)),
        ("periods", lambda: Assessments.changing([(2, None), (3, 12)])),
        ("events", lambda: AtEvents(0)),
        ("events", lambda: AtEvents(12.5)),
        ("time", lambda: AtTime(-3)),
        ("months", lambda: AfterLastEntry(-1)),
        ("futility_z", lambda: Look(AtEvents(10), efficacy_z=1, futility_z=2)),
        ("members", lambda: Ensemble(())),
        ("event_time", lambda: Scenario({})),
    ],
)
def test_impossible_parts_are_refused_by_name(field, make):
    with pytest.raises(InvalidValueError, match=rf"^{field}: got "):
        make()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("n", {"n": 0}),
        ("n", {"n": 99.5}),
        ("n", {"n": 3, "looks": (Look(AtTime(3)),), "strata": {"a": 1, "b": 1}}),
        ("allocation", {"allocation": {"control": 0, "experimental": 0}}),
        ("allocation", {"allocation": {"control": 1, "experimental": 0}}),
        ("control", {"allocation": {"control": 1}}),
        (r"allocation\['control'\]", {"allocation": {"control": -1, "experimental": 2}}),
        ("strata", {"strata": {}}),
        ("looks", {"looks": ()}),
        (r"looks \(number 2\)", {"looks": (Look(AtEvents(60)), Look(LaterOf(AtTime(3), AtEvents(101))))}),
        ("dropout of 'control'", {"dropout": -0.01}),
        ("alpha", {"alpha": 2.5}),
        ("sided", {"sided": 3}),
    ],
)
def test_impossible_designs_are_refused_by_name(field, change):
    with pytest.raises(InvalidValueError, match=rf"^{field}: got "):
        TrialDesign(**(MINIMAL | change))


@pytest.mark.parametrize("change", [{"control": "placebo"}, {"dropout": {"placebo": 0.01}}])
def test_unknown_arms_are_refused(change):
    with pytest.raises(UnknownNameError, match="arm: got 'placebo'; expected a known arm"):
        TrialDesign(**(MINIMAL | change))


def test_more_events_than_patients_are_accepted_if_something_else_may_come_first():
    design = TrialDesign(**(MINIMAL | {"looks": (Look(EarlierOf(AtEvents(101), AtTime(40))),)}))
    assert str(design.looks[0].cut) == str(EarlierOf(AtEvents(101), AtTime(40)))


def test_patients_are_shared_out_by_largest_remainder():
    design = TrialDesign(
        **(MINIMAL | {"n": 101, "allocation": {"control": 1, "experimental": 2}, "strata": {"a": 1, "b": 3}})
    )
    assert design.cell_sizes == {
        ("a", "control"): 8,
        ("a", "experimental"): 17,
        ("b", "control"): 25,
        ("b", "experimental"): 51,
    }
    assert sum(design.arm_sizes.values()) == 101


def test_final_critical_z():
    assert TrialDesign(**MINIMAL).final_critical_z == pytest.approx(1.959963984540054)
    assert TrialDesign(**MINIMAL, sided=2, alpha=0.05).final_critical_z == pytest.approx(1.959963984540054)
    assert TrialDesign(**(MINIMAL | {"looks": (Look(AtEvents(60), efficacy_z=2.01),)})).final_critical_z == 2.01


FULL = TrialDesign(
    n=723,
    allocation={"placebo": 1, "everolimus": 2},
    control="placebo",
    accrual=PiecewiseAccrual((10, 40), (4,), 20),
    looks=(
        Look(AtEvents(359), 2.48, -0.5),
        Look(EarlierOf(LaterOf(AtEvents(528, "PFS"), AtTime(20)), AfterLastEntry(30))),
    ),
    dropout={"placebo": Weibull(1.2, 80), "everolimus": 0.005},
    assessments=Assessments.changing([(1.5, 12), (3, None)], window=0.2, missed=0.05, recording="midpoint"),
    strata={"visceral": 0.56, "other": 0.44},
    alpha=0.05,
    sided=2,
)
SCENARIOS = (
    Scenario.proportional_hazards(CONTROL, 0.74, arms=("placebo", "everolimus")),
    Scenario.proportional_hazards(Ensemble((CONTROL, Weibull(0.9, 14))), 0.74),
    Scenario({"control": {"a": CONTROL, "b": PiecewiseExponential([0.1, 0.2], [3])}, "low": CONTROL}, "strata"),
    Scenario(
        {"control": IllnessDeath(CONTROL, CONTROL, CONTROL), "new": IllnessDeath(CONTROL, CONTROL, CONTROL, "entry")}
    ),
)


@pytest.mark.parametrize("thing", [FULL, *SCENARIOS], ids=str)
def test_json_and_pickle_give_back_the_same(thing):
    assert from_json(to_json(thing)) == thing
    assert from_json(to_json(thing, indent=None)) == thing
    assert pickle.loads(pickle.dumps(thing)) == thing
    assert hash(pickle.loads(pickle.dumps(thing))) == hash(thing)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{", InvalidValueError, "text: got"),
        ('{"kind": "design.TrialDesing"}', UnknownNameError, r"did you mean design\.TrialDesign"),
        ('{"kind": "design.AtEvents", "event": 3}', InvalidValueError, r"AtEvents.*event"),
        ('{"kind": "design.AtEvents", "events": -3}', InvalidValueError, r"events: got -3"),
    ],
)
def test_broken_json_is_refused(text, error, message):
    with pytest.raises(error, match=message):
        from_json(text)


def test_unknown_words_are_refused_by_name():
    with pytest.raises(UnknownNameError, match="recording: got 'left'"):
        Assessments.every(2, recording="left")
    with pytest.raises(UnknownNameError, match="clock: got 'birth'"):
        IllnessDeath(CONTROL, CONTROL, CONTROL, clock="birth")


def test_what_cannot_be_written_is_refused():
    with pytest.raises(InvalidValueError, match="thing: got"):
        to_json(object())


def test_designs_cannot_be_changed():
    with pytest.raises(AttributeError):
        FULL.n = 3
    with pytest.raises(TypeError):
        FULL.allocation["placebo"] = 3


def test_summaries_name_everything():
    text = " ".join(FULL.summary()["value"])
    for word in (
        "placebo 241",
        "everolimus 482",
        "359 events",
        "rejects at z of at least 2.48",
        "stops at z of at most -0.5",
        "two-sided",
        "visceral",
    ):
        assert word in text
    assert FULL._repr_html_().startswith("<table")
    assert list(SCENARIOS[2].summary()["stratum"]) == ["a", "b", "all"]


def test_scenarios_and_designs_have_to_match():
    design = TrialDesign(**MINIMAL)
    with pytest.raises(UnknownNameError, match="arm: got 'placebo'"):
        SCENARIOS[0].check(design)
    with pytest.raises(UnknownNameError, match="stratum: got 'all'"):
        Scenario({"control": {"a": CONTROL}, "experimental": CONTROL}).check(design)
    with pytest.raises(UnknownNameError, match="arm: got 'experimental'"):
        Scenario({"control": CONTROL}).check(design)


def test_scenarios():
    null = Scenario({"control": CONTROL, "experimental": ProportionalHazards(CONTROL, (0.5,))}).null()
    assert null.of("experimental") == CONTROL
    ensemble = SCENARIOS[1].of("experimental")
    assert [member.baseline for member in ensemble.members] == list(SCENARIOS[1].of("control").members)
    with pytest.raises(UnknownNameError):
        null.null("placebo")


def test_schedules():
    assert Assessments((2, 4, 8)).scheduled(100).tolist() == [2, 4, 8]
    assert Assessments((2, 4), interval=6).scheduled(16).tolist() == [2, 4, 10, 16]
    assert Assessments.changing([(2, 7), (3, 12)]).scheduled(100).tolist() == [2, 4, 6, 9, 12]


def test_accrual_inverts_its_fraction():
    uniform = (np.arange(999) + 0.5).reshape(9, 111) / 999
    for accrual in (
        UniformAccrual(18),
        PiecewiseAccrual((1, 0, 5), (6, 9), 15),
        RampAccrual(18, 12),
        RampAccrual(9, 9),
    ):
        entry = accrual.entry_times(uniform)
        assert entry.shape == uniform.shape
        assert accrual.enrolled_fraction(entry) == pytest.approx(uniform, abs=1e-12)
        assert 0 <= entry.min() <= entry.max() <= accrual.duration


def test_fixed_accrual_needs_one_time_per_patient():
    with pytest.raises(InvalidValueError, match=r"accrual\.times: got 2"):
        FixedAccrual((1, 2)).entry_times(np.full((4, 3), 0.5))


def test_numbers_of_numpy_are_numbers():
    looks = tuple(Look(AtEvents(events)) for events in np.array([30, 60]))
    design = TrialDesign(n=np.int64(100), accrual=UniformAccrual(np.int32(18)), looks=looks, dropout=np.float32(0.25))
    assert design.arm_sizes == {"control": 50, "experimental": 50}
    assert design.looks[1].cut.events == 60
    assert design.dropout_of("control") == Exponential(0.25)
    with pytest.raises(InvalidValueError, match=r"events: got .*0"):
        AtEvents(np.int64(0))


def test_overall_survival_is_that_of_drawn_patients():
    after = PiecewiseExponential([0.1, 0.02], [5.0])
    since_progression = IllnessDeath(Weibull(0.7, 10.0), Exponential(0.02), after)
    since_entry = IllnessDeath(Weibull(0.7, 10.0), Exponential(0.02), after, clock="entry")
    rng, n = np.random.default_rng(5), 400_000
    progression = since_progression.progression.sample(n, rng)
    death = since_progression.death.sample(n, rng)
    hazard = rng.exponential(size=n)
    lived_on = progression + after.inverse_cumulative_hazard(hazard)
    till_death = after.inverse_cumulative_hazard(after.cumulative_hazard(progression) + hazard)
    times = np.array([0.0, 3.0, 12.0, 40.0])
    for model, dies in ((since_progression, lived_on), (since_entry, till_death)):
        drawn = (np.where(death < progression, death, dies)[:, None] > times).mean(axis=0)
        assert model.os_survival(times) == pytest.approx(drawn, abs=4 * np.sqrt(0.25 / n))
        assert np.all(model.os_survival(times[1:]) > model.pfs_survival(times[1:]))
    with pytest.raises(InvalidValueError, match="t: got inf"):
        since_entry.os_survival(np.inf)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"accrual": 18}, r"UniformAccrual\(18\)"),
        ({"assessments": 2}, r"Assessments\.every\(2\)"),
        ({"looks": [AtEvents(60)]}, r"\[Look\(AtEvents\(60\)\)\]"),
    ],
)
def test_numbers_in_place_of_a_pattern_are_refused_with_the_constructor_to_use(change, remedy):
    with pytest.raises(InvalidValueError, match=remedy):
        TrialDesign(**(MINIMAL | change))


def test_one_look_needs_no_list():
    assert TrialDesign(**(MINIMAL | {"looks": Look(AtEvents(60))})).looks == (Look(AtEvents(60)),)
