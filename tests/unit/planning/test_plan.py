"""A plan from its file: the same value as in Python, the same numbers everywhere, and errors that say what to do."""

from pathlib import Path

import numpy as np
import pytest

from analysis import reconstruct
from analysis.cli.templates import PLAN
from analysis.conventions import WEEK, replace
from analysis.design import (
    Assessments,
    AtEvents,
    AtTime,
    IllnessDeath,
    LaterOf,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError, ReportedDataError, UnavailableError
from analysis.planning import Plan, read_plan
from analysis.power import power, power_summary
from analysis.reported import load
from analysis.sequential import BetaSpending, GroupSequentialDesign, LanDeMetsPocock
from analysis.single_arm import exact_binomial, simon_two_stage
from analysis.statistical_tests import LandmarkRate, MaxCombo, RMSTDifference
from analysis.survival import Exponential, Mixture, ProportionalHazards, Weibull
from tests import wrong_files

DESIGN = TrialDesign(
    n=100,
    accrual=UniformAccrual(18),
    looks=[Look(AtTime(30))],
    dropout=0.005,
    allocation={"control": 1, "experimental": 1},
)
SCENARIO = Scenario.proportional_hazards(Exponential.from_median(9.0), 0.6)
FIXED = "[design]\nn = 100\naccrual_months = 18\nlooks = [{ month = 30 }]\n"
EFFECT = "[control]\nmedian = 9.0\n[effect]\nhazard_ratio = 0.6\n"


def written(folder, text):
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_is_the_design_that_it_describes(tmp_path):
    plan = read_plan(written(tmp_path, PLAN.format(name="mine")))
    assert plan == Plan("mine", DESIGN, SCENARIO, sources=("where the assumptions come from",))
    assert plan.power().power == power(DESIGN, SCENARIO).power


def test_all_that_a_plan_says_of_its_simulation_is_one_simulation():
    plan = Plan("p", DESIGN, SCENARIO, trials=400)
    shown = plan.methods().set_index("method")["power"]
    assert plan.simulated().power == shown["simulated"]
    assert plan.power().power == shown["exact moments"]
    assert plan.simulated().power == power_summary(DESIGN, SCENARIO, trials=400, rng=1).simulated.power
    assert replace(plan, seed=2).simulated().power == power_summary(DESIGN, SCENARIO, trials=400, rng=2).simulated.power


def test_values_have_the_names_that_they_have_in_python(tmp_path):
    text = (
        "[design]\nn = 120\nalpha = 0.05\n"
        'accrual = { kind = "AccrualRate", rates = [2, 6], breaks = [3] }\n'
        'looks = [{ cut = { kind = "LaterOf", first = { kind = "AtEvents", events = 60 }, '
        'second = { kind = "AtTime", time = 12 } } }]\n'
        'dropout = { kind = "Weibull", shape = 1.2, scale = 100 }\n'
        '[control]\nkind = "Weibull"\nshape = 1.3\nscale = 14\n[experimental]\nmedian = 20\n'
        '[test]\nkind = "RMSTDifference"\ntau = 18\n[simulation]\ntrials = 0\n'
    )
    plan = read_plan(written(tmp_path, text))
    assert plan.design.dropout["control"] == Weibull(1.2, 100)
    assert plan.scenario.of("control") == Weibull(1.3, 14)
    assert plan.scenario.of("experimental") == Exponential.from_median(20)
    assert plan.test == RMSTDifference(18)
    assert plan.design.looks[0].cut == LaterOf(AtEvents(60), AtTime(12))


STRATIFIED = FIXED + "strata = { a = 0.6, b = 0.4 }\n"
BY_STRATUM = '[control.a]\nmedian = 9\n[control.b]\nkind = "Weibull"\nshape = 1.2\nscale = 8\n'


def test_an_effect_may_begin_late_and_strata_may_differ(tmp_path):
    plan = read_plan(written(tmp_path, STRATIFIED + BY_STRATUM + "[effect]\nhazard_ratio = [1.0, 0.6]\nbreaks = [3]\n"))
    controls = {"a": Exponential.from_median(9), "b": Weibull(1.2, 8)}
    late = {stratum: ProportionalHazards(control, [1.0, 0.6], [3]) for stratum, control in controls.items()}
    assert plan.scenario == Scenario({"control": controls, "experimental": late})
    same = read_plan(written(tmp_path, STRATIFIED + BY_STRATUM + "[effect]\nhazard_ratio = 0.6\n"))
    over = "Power over the hazard ratio"
    assert [title for title in same.figures() if over in title] == [over]
    assert [title for title in plan.figures() if over in title] == [
        f"{over}, were it the same at all times and in all strata"
    ]
    assert plan.power().power < same.power().power - 0.05
    written_out = "[experimental.a]\nmedian = 15\n[experimental.b]\nmedian = 9\n"
    apart = read_plan(written(tmp_path, STRATIFIED + "[control]\nmedian = 9\n" + written_out))
    assert apart.scenario.of("experimental", "b") == Exponential.from_median(9)
    assert apart.scenario.of("control", "b") == Exponential.from_median(9)


def test_a_median_alone_is_an_exponential_wherever_it_stands(tmp_path):
    model = "progression = { median = 9 }\ndeath = { median = 60 }\ndeath_after_progression = { median = 12 }\n"
    text = f'[control]\nkind = "IllnessDeath"\n{model}[experimental]\nkind = "IllnessDeath"\n{model}'
    plan = read_plan(written(tmp_path, FIXED + "dropout = { median = 100 }\n" + text.replace("9", "14", 1)))
    assert plan.scenario.of("experimental") == IllnessDeath(*map(Exponential.from_median, (9, 60, 12)))
    assert plan.design.dropout["control"] == Exponential.from_median(100)
    mixed = 'kind = "Mixture"\ncomponents = [{ median = 5 }, { median = 30 }]\nweights = [0.6, 0.4]'
    plan = read_plan(written(tmp_path, FIXED + EFFECT.replace("median = 9.0", mixed)))
    parts = [Exponential.from_median(5), Exponential.from_median(30)]
    assert plan.scenario.of("control") == Mixture(parts, [0.6, 0.4])


def test_a_schedule_is_its_interval(tmp_path):
    plan = read_plan(written(tmp_path, FIXED + "assessments = { interval = 2, missed = 0.1 }\n" + EFFECT))
    assert plan.design.assessments == Assessments.every(2, missed=0.1)


def test_durations_may_have_their_unit_wherever_months_stand(tmp_path):
    text = FIXED.replace("accrual_months = 18", 'accrual_months = "1.5 years"').replace("30 }", '"30 months" }')
    late = EFFECT.replace("9.0", '"39 weeks"').replace("0.6", '[1.0, 0.6]\nbreaks = ["84 days"]')
    plan = read_plan(written(tmp_path, text + 'assessments = { interval = "8 weeks" }\n' + late))
    assert plan.design.assessments == Assessments.every(8 * WEEK)
    assert (plan.design.accrual, plan.design.looks[0].cut) == (UniformAccrual(18), AtTime(30))
    assert plan.scenario.of("control").quantile(0.5) == pytest.approx(39 * WEEK)
    assert plan.scenario.of("experimental").breaks == pytest.approx([12 * WEEK])


def test_a_sequential_design_gives_its_looks(tmp_path):
    text = (
        "[design]\nn = 200\naccrual_months = 18\n[sequential]\nfractions = [0.5, 1.0]\nevents = 120\npower = 0.8\n"
        'futility = { kind = "BetaSpending", function = { kind = "LanDeMetsPocock" } }\n' + EFFECT
    )
    plan = read_plan(written(tmp_path, text))
    design = GroupSequentialDesign((0.5, 1.0), power=0.8, futility=BetaSpending(LanDeMetsPocock()))
    assert plan.design.looks == design.looks(events=120)
    by_months = text.replace("events = 120", "months = [15, 30]")
    assert read_plan(written(tmp_path, by_months)).design.looks == design.looks([AtTime(15), AtTime(30)])
    two_sided = text.replace("n = 200", "n = 200\nalpha = 0.05\nsided = 2")
    two_sided = "\n".join(line for line in two_sided.splitlines() if not line.startswith("futility"))
    looks = GroupSequentialDesign((0.5, 1.0), power=0.8, alpha=0.05, sided=2).looks(events=120)
    assert read_plan(written(tmp_path, two_sided)).design.looks == looks


def test_alpha_and_sides_said_of_the_boundaries_are_those_of_the_design(tmp_path):
    head = "[design]\nn = 200\naccrual_months = 18\n"
    text = head + "[sequential]\nfractions = [0.5, 1.0]\nevents = 120\nalpha = 0.05\nsided = 2\n" + EFFECT
    plan = read_plan(written(tmp_path, text))
    assert (plan.design.alpha, plan.design.sided) == (0.05, 2)
    assert "at a two-sided significance level of 0.05 over all" in plan.protocol_text()
    with pytest.raises(ReportedDataError, match=r"sequential.alpha: got 0.05; expected 0.025, that of \[design\]"):
        read_plan(written(tmp_path, text.replace(head, head + "alpha = 0.025\n")))


def test_the_control_is_reconstructed_from_a_report(tmp_path):
    control = '[control]\nreconstruct = "bolero-2"\ncomparison = "pfs-first-line-local"\narm = "placebo"\nmembers = 4\n'
    plan = read_plan(written(tmp_path, FIXED + control + "[effect]\nhazard_ratio = 0.6\n"))
    arm = reconstruct(load("bolero-2").comparison("pfs-first-line-local"), members=4, rng=1).arm("placebo")
    np.testing.assert_array_equal(plan.scenario.of("control").survival([3.0, 9.0]), arm.survival([3.0, 9.0]))
    own = Path(load("bolero-2").name)
    assert not own.exists()


def test_a_trial_of_one_arm_has_no_control(tmp_path):
    text = (
        "[design]\nn = 40\naccrual_months = 9\nlooks = [{ month = 15 }]\nallocation = { new = 1 }\nalpha = 0.05\n"
        '[experimental]\nmedian = 9\n[test]\nkind = "LandmarkRate"\ntime = 6\nnull_rate = 0.4\n'
        "[simulation]\ntrials = 0\n"
    )
    plan = read_plan(written(tmp_path, text))
    assert plan.design.control is None
    assert plan.power().power == power(plan.design, plan.scenario, LandmarkRate(6, 0.4)).power
    assert next(iter(plan.figures())) == "Power over the number of patients"


@pytest.mark.parametrize(
    ("table", "design"),
    [
        ("n = 30\nnull_rate = 0.15\nalternative_rate = 0.35\nalpha = 0.05", lambda: exact_binomial(
            30, null_rate=0.15, alternative_rate=0.35, alpha=0.05)),
        ('method = "simon_minimax"\nnull_rate = 0.2\nalternative_rate = 0.4\nalpha = 0.05\npower = 0.8', lambda:
            simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8).minimax),
    ],
)  # fmt: skip
def test_single_arms_on_a_binary_endpoint(tmp_path, table, design):
    plan = read_plan(written(tmp_path, f"[single_arm]\n{table}\n"))
    assert plan.design == design()
    assert plan.power() == pytest.approx(float(design().summary()["p_reject_alternative"].sum()), abs=1e-12)
    with pytest.raises(UnavailableError, match="exact"):
        plan.simulated()


def test_a_test_without_a_formula_is_simulated_or_says_so():
    plan = Plan("p", DESIGN, SCENARIO, MaxCombo(), trials=200)
    try:
        power(DESIGN, SCENARIO, MaxCombo())
    except UnavailableError:
        assert plan.power().by == "simulation"
        with pytest.raises(UnavailableError):
            replace(plan, trials=0).power()
    else:
        assert plan.power().by == "formula"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "design: got None; expected a table"),
        ("[design]\nN = 100\n", "design.N: got 100; expected a field that is known; did you mean n?"),
        (FIXED.replace("n = 100\n", "") + EFFECT, "fields n"),
        (FIXED.replace("month = 30", "months = 30") + EFFECT, "design.looks[0].months: got 30"),
        (FIXED.replace("month = 30", "month = 30, events = 9") + EFFECT, "expected one of month, events and cut"),
        (FIXED.replace("looks = [{ month = 30 }]", "looks = 30") + EFFECT, "write looks = [{ month = 30 }]"),
        (FIXED + 'accrual = { kind = "UniformAccrual", duration = 9 }\n' + EFFECT, "accrual or accrual_months"),
        (FIXED + "[sequential]\nfractions = [0.5, 1.0]\nevents = 60\n" + EFFECT, "none beside [sequential]"),
        ("[design]\nn = 9\naccrual_months = 3\n[sequential]\nfractions = [1.0]\n" + EFFECT, "say events = 60"),
        (FIXED + EFFECT + "[experimental]\nmedian = 15\n", "either [effect] or [experimental]"),
        (FIXED + "[control]\nmedian = 9\n", "either [effect] or [experimental]"),
        (FIXED + "[effect]\nhazard_ratio = 0.6\n", "write [control] and below it median = 9.0"),
        (FIXED + EFFECT.replace("0.6", "60"), "hazard_ratio"),
        (FIXED + EFFECT.replace("median = 9.0", 'median = "9"'), "median"),
        (FIXED + EFFECT.replace("median = 9.0", 'median = "1.2.3 weeks"'), "median: got '1.2.3 weeks'"),
        (FIXED.replace("n = 100", 'n = "8 weeks"') + EFFECT, "n: got '8 weeks'"),
        (FIXED + EFFECT.replace("median = 9.0", 'kind = "Weibul"\nshape = 1'), "did you mean Weibull"),
        (FIXED + EFFECT.replace("median = 9.0", 'kind = "Weibull"\nshap = 1'), "did you mean shape?"),
        (FIXED + EFFECT.replace("median = 9.0", 'kind = "Weibull"\nshape = 1'), "Weibull"),
        (FIXED + EFFECT.replace("median = 9.0", 'kind = "LogRank"'), "expected a distribution"),
        (FIXED + EFFECT.replace("median = 9.0", 'reconstruct = "bolero-2"'), "control.comparison"),
        (FIXED + EFFECT.replace("median = 9.0", 'reconstruct = "bolero2"'), "did you mean bolero-2"),
        (FIXED + EFFECT.replace("median = 9.0", 'reconstruct = "my.toml"'), "my"),
        (FIXED + EFFECT + '[test]\nkind = "Logrank"\n', "did you mean LogRank"),
        (FIXED + EFFECT + "[simulation]\ntrails = 9\n", "did you mean trials?"),
        (FIXED + EFFECT + "[simulation]\ntrials = -9\n", "trials"),
        ("title = 5\n" + FIXED + EFFECT, "title: got 5"),
        ("sources = 5\n" + FIXED + EFFECT, "sources: got 5"),
        ("[single_arm]\nn = 30\nnull_rate = 15\nalpha = 0.05\n", "null_rate"),
        ("[single_arm]\nmethod = 'simons'\n", "did you mean simon"),
        ("[single_arm]\nn = 30\n", "null_rate"),
        ("single_arm = 30\n", "write [single_arm]"),
        (FIXED + EFFECT + "[single_arm]\nn = 30\n", "no such table beside [single_arm]"),
        ("sequential = 5\n[design]\nn = 9\naccrual_months = 3\n" + EFFECT, "write [sequential] and its fields below"),
        ("title = [", "not valid TOML"),
        (FIXED + EFFECT.replace("0.6", "[1.0, 0.6]"), "one interval more than there are breaks"),
        (FIXED + EFFECT.replace("0.6", "[1.0, 60]\nbreaks = [3]"), "hazard_ratio: got 60"),
        (FIXED + EFFECT + "breaks = [3]\n", "hazard_ratio = [1.0, 0.6] beside breaks = [3]"),
        (STRATIFIED + BY_STRATUM.split("[control.b]")[0] + "[effect]\nhazard_ratio = 0.6\n", "control.b: got None"),
        (STRATIFIED + BY_STRATUM.replace(".b", ".c") + "[effect]\nhazard_ratio = 0.6\n", "control.c: got"),
        (FIXED + "assessments = { interval = 2, windows = 1 }\n" + EFFECT, "did you mean window?"),
        (FIXED + EFFECT + '[test]\nkind = "LandmarkRate"\ntime = 6\nnull_rate = 0.3\n', "a comparison of two arms"),
        (FIXED + 'allocation = { old = 1, a = 1, b = 1 }\ncontrol = "old"\n[control]\nmedian = 9\n'
         "[experimental]\nmedian = 12\n", "ask power(design, scenario, arm='a') for each of them"),
        ('[design]\nn = 40\naccrual_months = 9\nlooks = [{ month = 12 }]\nallocation = { new = 1 }\ncontrol = "old"\n'
         "[experimental]\nmedian = 9\n", "a single arm has no control"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_the_file(tmp_path, text, says):
    with pytest.raises(ReportedDataError) as told:
        read_plan(written(tmp_path, text))
    assert str(told.value).startswith(str(tmp_path / "plan.toml"))
    assert says in str(told.value)


TWO_ARMS = FIXED.replace("looks", "allocation = { control = 1, experimental = 1 }\nlooks") + EFFECT
FILES = (
    TWO_ARMS + '[test]\nkind = "LogRank"\n[simulation]\ntrials = 0\n',
    '[design]\nn = 200\naccrual = { kind = "RampAccrual", duration = 18, ramp = 4 }\n'
    'assessments = { kind = "Assessments", times = [2, 4], interval = 2 }\n[sequential]\nfractions = [0.5, 1.0]\n'
    'events = 100\nfutility = { kind = "BetaSpending", function = { kind = "LanDeMetsPocock" } }\n'
    '[control]\nreconstruct = "bolero-2"\ncomparison = "os-final"\n[experimental]\nkind = "Exponential"\nrate = 0.05\n',
    '[single_arm]\nmethod = "exact_binomial"\nn = 30\nnull_rate = 0.15\nalpha = 0.05\n',
    STRATIFIED
    + "assessments = { interval = 2 }\n"
    + BY_STRATUM
    + "[effect]\nhazard_ratio = [1.0, 0.6]\nbreaks = [3]\n",
)


@pytest.mark.parametrize("text", FILES)
def test_whatever_stands_in_a_field_nothing_ends_bare(tmp_path, text, monkeypatch):
    """Each field and table of a file replaced by each of the wrong things: a plan, or an error with the file's name."""
    monkeypatch.setattr("analysis.planning.read._reconstructed", lambda name, given, file: Exponential(0.05))
    plans, refused = 0, []
    for wrong in wrong_files.changed(text):
        try:
            read_plan(written(tmp_path, wrong))
            plans += 1
        except ReportedDataError as told:
            refused.append(str(told))
    assert plans > 0
    assert all(told.startswith(str(tmp_path / "plan.toml")) for told in refused)


@pytest.mark.parametrize(
    "made",
    [
        lambda: Plan("", DESIGN, SCENARIO),
        lambda: Plan("p", DESIGN),
        lambda: Plan("p", exact_binomial(30, null_rate=0.15, alpha=0.05), SCENARIO),
        lambda: Plan("p", SCENARIO, DESIGN),
        lambda: Plan("p", DESIGN, SCENARIO, trials=-1),
    ],
)
def test_plans_that_cannot_be(made):
    with pytest.raises(InvalidValueError):
        made()


def test_a_binomial_design_without_an_alternative_has_no_power_and_no_saw_tooth():
    plan = Plan("p", exact_binomial(30, null_rate=0.15, alpha=0.05))
    assert list(plan.figures()) == ["What each number of responders decides"]
    with pytest.raises(UnavailableError, match="alternative rate"):
        plan.power()
