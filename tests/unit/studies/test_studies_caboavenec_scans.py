"""CaboAveNEC at the level of scans: targets as printed, calibration, and closed forms that the simulation must meet."""

import numpy as np
import pytest
from scipy.stats import beta

from analysis.conventions import WEEK
from analysis.endpoints import derive
from analysis.endpoints.simulation_results import CRITERIA
from analysis.errors import UnknownNameError
from analysis.plots import cohort
from analysis.single_arm.strata import count_distribution
from analysis.studies.caboavenec import definitions, disease, scans, secondary
from analysis.studies.caboavenec import figures_endpoints as figures

WEEK_16 = scans.WEEKS.index(16)


def test_targets_are_the_printed_numbers():
    targets = {
        name: [(t.target.value, t.target.at, t.target.criteria) for t in treated.targets]
        for name, treated in disease.treatments().items()
    }
    best = [(4 / 14, None, "RECIST 1.1"), (9 / 14, 56.0, "RECIST 1.1")]
    assert targets[disease.WEEK_16] == [*best, (5 / 12, 112.0, "iRECIST")]
    assert targets[disease.MEDIAN_PFS] == [*best, (0.5, pytest.approx(48.1 * WEEK), "iRECIST")]
    assert targets[disease.MONOTHERAPY] == [
        (0.05, None, "RECIST 1.1"),
        (0.20, 56.0, "RECIST 1.1"),
        (0.15, 112.0, "RECIST 1.1"),
    ]


def test_a_derived_denominator_is_called_derived():
    combination, alone = (disease.treatment(name).targets for name in (disease.WEEK_16, disease.MONOTHERAPY))
    assert [target.printed for target in combination] == [
        "PR 4/14 (derived: 14 = 19 - 5)", "PR or SD 9/14 (derived: 14 = 19 - 5)", "DCR at week 16 5/12",
    ]  # fmt: skip
    assert not any("derived" in target.printed for target in alone)


def test_deaths_follow_from_the_share_alive():
    assert disease.treatment(disease.WEEK_16).death == pytest.approx(-np.log(17 / 19) / (29.1 * WEEK))
    assert disease.treatment(disease.MONOTHERAPY).death == pytest.approx(-np.log(0.33) / 12)
    with pytest.raises(UnknownNameError, match="monotherapy"):
        disease.treatment("monotherapie")


def test_calibration_meets_every_target_within_half_of_its_binomial_error():
    fit = scans.fit()
    assert len(fit) == 9
    for column in ("calibrated", "strata"):
        assert ((fit[column] - fit["target"]).abs() <= 0.5 * fit["binomial_std_error"]).all()
    assert fit["binomial_std_error"].iloc[2] == pytest.approx(np.sqrt(5 / 12 * 7 / 12 / 12))


@pytest.mark.parametrize("field", ["growth.growth.median", "new_lesions", "death"])
def test_strata_are_a_ratio_apart_around_the_calibrated_disease(field):
    def value(tumours):
        for name in field.split("."):
            tumours = getattr(tumours, name)
        return tumours

    net, nec = (value(disease.disease(disease.WEEK_16, stratum, ratio=3.0)) for stratum in disease.STRATA)
    assert nec / net == pytest.approx(3.0)
    middle = (12 * np.log(net) + 7 * np.log(nec)) / 19
    assert middle == pytest.approx(np.log(value(disease.calibrated(disease.WEEK_16).tumours)))


def test_patients_are_the_same_for_every_rule_of_an_iupd():
    seen = {rule: scans.simulated(unconfirmed=rule).endpoints for rule in definitions.IUPD_RULES}
    failure, resolved, control = (seen[rule].control[1, :, :, WEEK_16, 0] for rule in definitions.IUPD_RULES)
    assert (failure <= resolved).all()
    assert (resolved <= control).all()
    assert control.sum() > failure.sum()
    assert np.array_equal(seen["failure"].control[0], seen["control"].control[0])
    assert np.array_equal(seen["failure"].depth, seen["control"].depth, equal_nan=True)


def test_the_monte_carlo_error_is_as_promised():
    overall = scans.disease_control().query("stratum == 'all'")
    assert overall["std_error"].max() <= 0.003
    assert np.allclose(overall["std_error"], overall["trial_sd"] / np.sqrt(scans.TRIALS.value))


def test_a_trial_has_the_planned_patients_by_stratum():
    cohorts = scans.simulated()
    assert (cohorts.patients, cohorts.net) == (30, 19)
    assert scans.net_patients(disease.MONOTHERAPY) == 11
    rates = scans.disease_control().query(
        "week == 16 and criteria == 'iRECIST' and definition == 'control at landmark'"
    )
    rate = rates.set_index("stratum")["rate"]
    assert rate["all"] == pytest.approx((19 * rate["NET G3"] + 11 * rate["NEC"]) / 30)
    assert rate["NET G3"] > rate["NEC"]


def test_criteria_differ_by_the_pseudo_progressions_that_are_scanned_at_weeks_8_and_16():
    """Swollen at week 8, shrunk at week 16: controlled by iRECIST alone, if alive and at both scans."""
    table = definitions.pseudo_progression().query("swelling_until == 3 and iupd == 'failure'")
    strata = [disease.disease(disease.WEEK_16, stratum).death for stratum in disease.STRATA]
    alive = np.dot([19 / 30, 11 / 30], np.exp(-np.array(strata) * 16 * WEEK))
    expected = table["share"] * (1 - disease.MISSED.value) ** 2 * alive
    assert (np.abs(table["difference"] - expected) <= 4 * table["std_error"]).all()
    assert table["difference"].iloc[0] == 0


def test_an_iupd_still_there_at_week_16_makes_the_criteria_agree_if_it_is_a_failure():
    table = definitions.pseudo_progression().query("swelling_until > 4")
    assert table.query("iupd == 'failure'")["difference"].eq(0).all()
    assert table.query("iupd == 'resolved later' and share > 0")["difference"].gt(0).all()


def test_rejections_are_those_of_two_binomial_strata():
    assert definitions.null_rate() == 0.15
    assert definitions.critical() == 9
    cohorts = scans.simulated()
    rates = [cohorts.endpoints.control[0, :, cohorts.of(stratum), WEEK_16, 0].mean() for stratum in disease.STRATA]
    exact = count_distribution([19, 11], rates)[9:].sum()
    table = definitions.operating_characteristics()
    row = table.query(
        "treatment == @disease.WEEK_16 and criteria == 'RECIST 1.1' and definition == 'control at landmark'"
    )
    assert row["rejects"].item() == pytest.approx(exact, abs=4 * row["rejects_std_error"].item())
    assert len(table) == 4 * 8


def test_counting_an_iupd_as_control_lets_the_monotherapy_pass():
    table = definitions.operating_characteristics()
    alone = table[(table["treatment"] == disease.MONOTHERAPY) & (table["mix"] == "as in AveNEC")]
    rejects = alone.set_index(["criteria", "iupd"])["rejects"].sort_index()
    assert rejects["iRECIST", "control"].item() > 0.2
    assert rejects["iRECIST", "failure"].item() < 0.2


def test_overall_survival_is_exponential_in_each_stratum_of_the_combination():
    table = secondary.overall_survival().query("how == 'exponential'")
    early, late = table[table["week"] == 48], table[table["week"] == 96]
    for stratum in disease.STRATA:
        assert np.allclose(late[stratum], early[stratum] ** 2)
    assert np.allclose(late["lower"], early["lower"] ** 2)
    assert ((table["lower"] < table["survival"]) & (table["survival"] < table["upper"])).all()
    assert np.allclose(table["survival"].iloc[0], (19 * early["NET G3"].iloc[0] + 11 * early["NEC"].iloc[0]) / 30)
    lower, upper = beta.ppf(0.025, 17, 3), beta.ppf(0.975, 18, 2)  # Clopper-Pearson, 17 of 19 alive
    assert early["lower"].iloc[0] == pytest.approx(lower ** (48 / 29.1))
    assert early["upper"].iloc[0] == pytest.approx(upper ** (48 / 29.1))


def test_avenecs_survival_is_reconstructed_and_has_its_printed_landmarks():
    check = secondary.survival_check()
    assert check["reconstructed"].to_numpy() == pytest.approx(check["printed"].to_numpy(), abs=0.005)
    assert check["one_population"].iloc[1] < check["printed"].iloc[1] - 0.05  # what the exponential missed
    table = secondary.overall_survival().query("how == 'reconstructed'")
    assert (table["lower"] < table["survival"]).all()
    assert (table["survival"] < table["upper"]).all()
    assert bool(secondary.avenec_survival().faithful.all())


def test_best_responses_share_out_all_patients():
    table = secondary.secondary_endpoints()
    best = table[table["endpoint"].str.startswith("best response ")]
    assert np.allclose(best.groupby(["criteria", "stratum"])["value"].sum(), 1)
    value = table.set_index(["endpoint", "criteria", "stratum"])["value"]
    for criteria in CRITERIA:
        confirmed, response = (value[f"{name} response", criteria, "all"] for name in ("confirmed", "objective"))
        assert 0 < confirmed < response
    assert value["median time to response", "iRECIST", "all"] > 7


def test_without_a_difference_between_strata_fisher_keeps_its_level():
    table = definitions.strata_difference((1.0, 4.0))
    assert table["difference"].iloc[0] == pytest.approx(0, abs=4 * table["std_error"].iloc[0])
    assert table["significant"].iloc[0] <= 0.05 + 3 * table["significant_std_error"].iloc[0]
    assert table["significant"].iloc[1] > 0.3


def test_one_trial_is_what_was_simulated():
    patients, events = scans.one_trial(3)
    seen = scans.simulated().endpoints
    assert patients["ongoing"].sum() + seen.event[1, 3].sum() == 30
    assert len(events[events["event"].isin(["iUPD", "death"])]) == seen.event[1, 3].sum()
    assert (events["event"] == "response").sum() == seen.response[1, 3].sum()
    ends = patients.set_index("subject")["end_day"]
    assert (events["day"] <= events["subject"].map(ends) + 1e-9).all()


@pytest.mark.parametrize("figure", figures.FIGURES, ids=lambda figure: figure.name)
def test_figures_show_the_tables(figure):
    drawing = figure()
    assert len(drawing.figure.axes) >= 2
    expected = {
        "caboavenec-endpoints": 2 * len(scans.disease_control()),
        "caboavenec-pseudoprogression": len(definitions.pseudo_progression()),
        "caboavenec-simulated-trial": sum(map(len, scans.one_trial())),
    }
    assert len(drawing.numbers) == expected.get(figure.name, len(drawing.numbers))


def test_simulated_survival_is_the_closed_form():
    seen = secondary.secondary_endpoints().query("criteria == ''").set_index(["endpoint", "stratum"])
    exact = secondary.overall_survival().set_index(["treatment", "week"]).loc[disease.WEEK_16]
    for week in secondary.SURVIVAL_WEEKS:
        for stratum, column in (("all", "survival"), *((s, s) for s in disease.STRATA)):
            row = seen.loc[(f"overall survival at week {week}", stratum)]
            assert row["value"] == pytest.approx(exact.loc[week, column], abs=4 * row["std_error"])


def test_every_endpoint_of_the_combination_stands_beside_the_monotherapys():
    table = secondary.against_monotherapy().set_index(["endpoint", "criteria"])
    alone = secondary.secondary_endpoints(disease.MONOTHERAPY).query("stratum == 'all'")
    beside = alone[alone["criteria"] != ""].set_index(["endpoint", "criteria"])["value"]
    np.testing.assert_allclose(table["monotherapy"].reindex(beside.index), beside)
    control = scans.disease_control().query(
        "definition == 'control at landmark' and stratum == 'all' and criteria == 'iRECIST'"
    )
    found = [table.loc[(f"disease control at week {week}", "iRECIST"), "combination"] for week in scans.WEEKS]
    np.testing.assert_allclose(found, control["rate"])
    assert not [name for name, _ in table.index if "growth" in name or "depth" in name]  # withheld
    whole = table[table["pairs"] == 1]
    np.testing.assert_allclose(whole["difference"], whole["combination"] - whole["monotherapy"], atol=1e-12)


def test_the_measured_trial_is_the_one_that_was_simulated():
    patients, _ = scans.one_trial(3)
    derivation = derive(*scans.measured_trial(3))
    seen = cohort(derivation, evaluator="investigator", criteria="iRECIST").patients
    assert seen["subject"].tolist() == patients["subject"].tolist()
    assert seen["best_response"].tolist() == patients["best_response"].tolist()
    visits = derivation.responses()
    assert set(visits["visit"]) <= {f"week {week}" for week in scans.WEEKS}
    week = visits["visit"].str.removeprefix("week ").astype(int)
    assert ((visits["day"] - 7 * week).abs() <= disease.WINDOW.value + 1).all()


def test_the_course_counts_all_patients_at_every_visit():
    numbers = next(figure for figure in figures.FIGURES if figure.name == "caboavenec-simulated-course")().numbers
    counts = numbers[numbers["row"] != "visit"]
    assert counts.groupby(["row", "visit"])["n"].sum().eq(30).all()
    assert set(counts["row"]) == set(CRITERIA)
    confirmed = counts[counts["response"] == "iCPD"].set_index("visit")["n"]
    seen = scans.simulated().endpoints.control[1, 0, :, 0, 0].sum()
    at_8 = counts[(counts["row"] == "iRECIST") & (counts["visit"] == "week 8")].set_index("response")["n"]
    assert at_8.reindex(["iCR", "iPR", "iSD"]).sum() == seen
    assert confirmed.is_monotonic_increasing


def test_no_tumour_grows_faster_than_the_fastest():
    assert np.log(2) / (3 * disease.FASTEST.value) * 30.4375 == pytest.approx(9, abs=0.5)
    for name in (disease.WEEK_16, disease.MONOTHERAPY):
        growth = scans.simulated(name).endpoints.growth
        error = np.exp(3 * 6 * disease.ERROR.value / (7 * WEEK))  # a sum that is read too large, seen after 7 weeks
        assert np.nanmax(growth) < 100 * (np.exp(3 * disease.FASTEST.value) * error - 1)
