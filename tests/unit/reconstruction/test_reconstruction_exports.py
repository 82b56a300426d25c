"""What leaves a reconstruction is complete, marked as synthetic, and reads back as it was."""

import numpy as np
import pandas as pd
import pytest

from analysis import reconstruct, reconstruct_curve
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction import adtte, paragraph
from analysis.reported import AtRisk, Landmark, ReportedArm, ReportedComparison


@pytest.fixture(scope="module")
def result():
    arms = [
        ReportedArm("drug", n=60, events=41, median="9.2", at_risk=AtRisk((0, 6, 12), (60, 38, 20))),
        ReportedArm("control", n=58, median="5.6"),
    ]
    return reconstruct(ReportedComparison("PFS", arms, control="control"), members=4, rng=3)


def test_adtte_has_what_cdisc_requires_and_reads_back(result, tmp_path):
    frame = adtte(result, 2, study="MINE")
    required = ["STUDYID", "USUBJID", "TRTP", "PARAM", "PARAMCD", "AVAL", "CNSR"]
    assert set(required) <= set(frame.columns)
    assert frame[required].notna().all().all()
    assert frame["USUBJID"].is_unique
    assert all(len(name) <= 8 for name in frame.columns)  # SAS transport files
    frame.to_csv(tmp_path / "adtte.csv", index=False)
    back = pd.read_csv(tmp_path / "adtte.csv")
    own = result.ipd(2)
    np.testing.assert_allclose(back["AVAL"], own["time"])
    assert (1 - back["CNSR"]).tolist() == own["event"].tolist()
    assert back["TRTPN"].tolist() == own["treatment"].tolist()


def test_all_members_are_told_apart(result):
    frame = adtte(result, None, unit="DAYS")
    assert frame.groupby("MEMBER").size().tolist() == [118] * 4
    assert frame["USUBJID"].is_unique
    np.testing.assert_allclose(frame["AVAL"], result.ipd()["time"] * 30.4375)
    assert frame["PARAM"].unique().tolist() == ["Progression-free survival (days)"]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"member": 4}, InvalidValueError, "a member from 0 to 3"),
        ({"member": -1}, InvalidValueError, "member"),
        ({"unit": "weeks"}, UnknownNameError, "unit"),
        ({"study": " "}, InvalidValueError, "a name of the study"),
    ],
)
def test_wrong_calls_are_named(result, options, error, says):
    with pytest.raises(error, match=says):
        adtte(result, **options)


def test_the_paragraph_names_what_was_used_how_well_it_is_met_and_the_version(result):
    text = paragraph(result)
    assert "n, events, median and numbers at risk of drug; n and median of control" in text
    assert "every member gives every one of them back" in text
    assert "seed 3" in text
    assert result.version in text
    relaxed = reconstruct(result.comparison, members=2, rng=1, relax="drug.events")
    assert "Not asked for: events of drug." in paragraph(relaxed)


def test_the_paragraph_says_what_every_member_keeps_to():
    """Follow-up, visits and the kind of limits went into the members, and were not said."""
    arm = ReportedArm(
        "drug", n=60, median="9.0 (6.5-12.1)", landmarks=[Landmark("12", "37% (24-50)")], median_follow_up="15"
    )
    report = ReportedComparison("PFS", [arm], longest_follow_up="30", assessment_interval="8 weeks")
    text = paragraph(reconstruct(report, members=3, rng=1))
    assert "survival at 12 months, the limits of the survival at 12 months and median follow-up of drug" in text
    kept = "nobody is followed for longer than 30 months, events are seen at visits every 8 weeks"
    assert f"In all of them {kept} and limits of medians and rates are read as log-log." in text


def test_the_paragraph_of_a_digitised_figure_says_so_and_notes_each_thing_once():
    curve = [(0, 1), (3, 0.8), (6, 0.5), (9, 0.4)]
    report = ReportedComparison("OS", [ReportedArm("drug", n=30), ReportedArm("old", n=30)], control="old")
    text = paragraph(reconstruct_curve(report, {"drug": curve, "old": curve}, members=2))
    assert "was reconstructed from the digitised curves and the published n of drug; n of old." in text
    assert text.count("censoring is spread over the whole follow-up") == 1


def test_the_paragraph_does_not_call_a_median_infinite_or_a_walk_a_draw():
    """An OS with a ratio and p-value that few draws meet: the methods section says so, and what stood out."""
    arms = [ReportedArm("new", n=150, events=36, median="NR"), ReportedArm("old", n=148, events=47, median="NR")]
    report = ReportedComparison("OS", arms, control="old", hazard_ratio="0.66 (0.40-1.10)")
    found = reconstruct(report, members=20, rng=1)
    text = paragraph(found)
    assert "events of new 36; median of new not reached; " in text
    walked = round(20 * (1 - found.diagnostics["met"]))
    assert walked > 0
    assert f"{walked} of them by moves from others" in text
    assert all(finding.message in text for finding in found.findings)


def test_numbers_of_a_large_trial_are_written_out():
    arms = [ReportedArm("new", n=2000, events=1234, median="11.0"), ReportedArm("old", n=2000, events=1311)]
    text = paragraph(reconstruct(ReportedComparison("OS", arms, control="old"), members=2, rng=1))
    assert "events of new 1234; median of new 11 months" in text


def test_the_paragraph_of_a_joint_reconstruction_has_its_seed_its_reader_and_the_other_report():
    reports = [
        ReportedComparison("PFS", [ReportedArm("drug", n=60, events=41, median=median)], id=id, assessor=id)
        for id, median in (("local", "9.2"), ("central", "9.9"))
    ]
    together = reconstruct(reports, members=3, rng=5)
    text = paragraph(together.analyses["local"])
    shares = [analysis.diagnostics["met"] for analysis in together.analyses.values()]
    assert min(shares) == together.diagnostics["met"]
    assert text.startswith("Progression-free survival (local) of 60 patients")
    assert "together with central of the same patients), seed 5" in text
