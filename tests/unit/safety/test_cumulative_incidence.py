"""Competing events against R 4.2.2, survival 3.5-3 and cmprsk 2.2-11: 60 patients with ties, the calls beside."""

import warnings

import numpy as np
import pytest

from analysis.errors import InvalidValueError, NotEstimableError, UnknownNameError
from analysis.safety import cumulative_incidence, fine_gray

PLACE = np.arange(60)
TIME = (PLACE * 7 % 23 + 1) / 2
CAUSE = np.array(["relapse", "death", "censored", "relapse", "relapse"])[PLACE % 5].tolist()
GROUP = np.array(["A", "B"])[PLACE // 3 % 2].tolist()


def test_estimates_and_standard_errors_are_those_of_survfit():
    # summary(survfit(Surv(t, factor(c)) ~ g), times = c(3, 7)): pstate and std.err
    found = cumulative_incidence(TIME, CAUSE, GROUP)
    wanted = {
        (3, "relapse"): ([0.168055555556, 0.201449275362], [0.0686049957913, 0.0735558745738]),
        (3, "death"): ([0.0333333333333, 0.0333333333333], [0.0327730693417, 0.0327730693417]),
        (7, "relapse"): ([0.421031746032, 0.361244671782], [0.0929777484321, 0.0925741785719]),
        (7, "death"): ([0.1060846560847, 0.1931287297528], [0.0579834402718, 0.0777474600716]),
    }
    for (time, cause), (estimates, errors) in wanted.items():
        at = found.at(time, cause).set_index("group").loc[["A", "B"]]
        np.testing.assert_allclose(at["estimate"], estimates, rtol=1e-10)
        np.testing.assert_allclose(at["std_error"], errors, rtol=1e-10)


def test_grays_test_is_that_of_cmprsk():
    # cuminc(t, c, g, cencode = "censored")$Tests
    gray = cumulative_incidence(TIME, CAUSE, GROUP).gray.set_index("cause")
    np.testing.assert_allclose(gray.loc[["death", "relapse"], "statistic"], [0.00379765760849, 0.00301883631223])
    np.testing.assert_allclose(gray.loc[["death", "relapse"], "p_value"], [0.950861357917, 0.956183127341])


@pytest.mark.parametrize("n", range(5, 60))
@pytest.mark.parametrize("scale", ["plain", "log", "log-log"])
def test_where_everybody_had_the_event_limits_are_not_left_to_rounding(n, scale):
    """The estimate was 1 - 1e-16, 1 or 1 + 2e-16, and the limits were 0 and 1, 1 and 1, or none."""
    rng = np.random.default_rng(n)
    time, event = rng.exponential(5, n), rng.random(n) < 0.7
    event[np.argmax(time)] = True
    last = cumulative_incidence(time, np.where(event, "relapse", "censored"), scale=scale).curves.iloc[-1]
    assert (last["estimate"], last["std_error"], last["upper"]) == (1.0, 0.0, 1.0)
    assert np.isnan(last["lower"])


def test_a_group_that_ends_first_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        causes = ["relapse", "death", "relapse", "relapse", "death", "relapse"]
        gray = cumulative_incidence([1, 2, 3, 4, 5, 6], causes, ["A", "A", "B", "B", "B", "B"]).gray
    assert gray["p_value"].between(0, 1).all()


@pytest.mark.parametrize(
    ("of", "coefficient", "error"),
    [("relapse", -0.0097716176, 0.3169821193), ("death", 0.0560821323, 0.5665950005)],
)
def test_fine_and_gray_is_coxph_on_finegray_data(of, coefficient, error):
    # coxph(Surv(fgstart, fgstop, fgstatus) ~ (g == "B"), finegray(..), weight = fgwt, cluster = id, ties = "breslow")
    found = fine_gray(TIME, CAUSE, GROUP, of=of, control="A")
    assert (found.group, found.control) == ("B", "A")
    assert np.log(found.hazard_ratio) == pytest.approx(coefficient, abs=1e-9)
    assert found.std_error == pytest.approx(error, abs=1e-9)
    assert np.log(found.upper) == pytest.approx(coefficient + 1.959963984540054 * error, abs=1e-8)
    turned = fine_gray(TIME, CAUSE, GROUP, of=of, control="B")
    assert turned.hazard_ratio == pytest.approx(1 / found.hazard_ratio)
    assert str(found).startswith(f"subdistribution hazard ratio of {of}, B vs A: ")


def test_groups_may_be_numbers_and_the_control_is_one_of_them():
    numbered = [0 if group == "A" else 1 for group in GROUP]
    found = fine_gray(TIME, CAUSE, numbered, of="death", control=0)
    assert found.hazard_ratio == fine_gray(TIME, CAUSE, GROUP, of="death", control="A").hazard_ratio
    assert (found.group, found.control) == ("1", "0")


def test_what_cannot_be_compared_is_named():
    with pytest.raises(UnknownNameError, match="did you mean death"):
        fine_gray(TIME, CAUSE, GROUP, of="deaht", control="A")
    with pytest.raises(UnknownNameError):
        fine_gray(TIME, CAUSE, GROUP, of="death", control="C")
    with pytest.raises(InvalidValueError, match="two groups"):
        fine_gray(TIME, CAUSE, ["A", "B", "C"] * 20, of="death", control="A")
    with pytest.raises(InvalidValueError, match="causes that compete"):
        fine_gray([1, 2, 3, 4], ["death", "censored"] * 2, ["A", "A", "B", "B"], of="death", control="A")
    with pytest.raises(NotEstimableError, match="no death in A"):
        fine_gray(
            [1, 2, 3, 4], ["relapse", "relapse", "relapse", "death"], ["A", "A", "B", "B"], of="death", control="A"
        )
    with pytest.raises(InvalidValueError, match="got '3 values'; expected 60"):
        fine_gray(TIME, CAUSE[:3], GROUP, of="death", control="A")


@pytest.mark.parametrize("written", ["Censored", " censored", "cens", "none", 0])
def test_censoring_under_another_name_is_no_event_that_competes(written):
    with pytest.raises(InvalidValueError, match="write 'censored'"):
        cumulative_incidence([1, 2, 3, 4], ["nausea", "death", "nausea", written])


@pytest.mark.parametrize("missing", [None, float("nan"), "", " "])
def test_a_missing_cause_or_group_is_no_cause_or_group_of_its_own(missing):
    with pytest.raises(InvalidValueError, match="cause: got 'no label at position 3'"):
        cumulative_incidence([1, 2, 3, 4], ["nausea", "death", "nausea", missing])
    with pytest.raises(InvalidValueError, match="group: got 'no label at position 1 and 1 more'"):
        cumulative_incidence([1, 2, 3], ["nausea", "death", "nausea"], ["new", missing, missing])


def test_curves_are_not_lost_where_grays_test_has_nothing_to_compare():
    time, cause = [2, 4, 3, 19, 5, 1], ["AE", "censored", "death", "AE", "censored", "censored"]
    found = cumulative_incidence(time, cause, ["b", "a", "a", "a", "a", "a"])
    assert found.gray.set_index("cause")["p_value"].isna().to_dict() == {"AE": False, "death": True}
    assert found.at(3, "death")["estimate"].iloc[1] == pytest.approx(0.25)


def test_a_subdistribution_ratio_that_is_infinite_is_not_estimated():
    # all of the new group's events come while nobody of the old one is at risk any more, or the other way round
    cause = ["nausea"] * 3 + ["censored"] + ["nausea"] * 2 + ["death"]
    with pytest.raises(NotEstimableError, match="every nausea in one group while both are at risk"):
        fine_gray([1, 2, 3, 4, 5, 6, 7], cause, ["old"] * 4 + ["new"] * 3, of="nausea", control="old")
