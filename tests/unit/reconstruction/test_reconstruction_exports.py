"""What leaves a reconstruction is complete, marked as synthetic, and reads back as it was."""

import numpy as np
import pandas as pd
import pytest

from analysis import reconstruct
from analysis.errors import InvalidValueError, UnknownNameError
from analysis.reconstruction import adtte, paragraph
from analysis.reported import AtRisk, ReportedArm, ReportedComparison


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
    assert "drug.events was not asked for" in paragraph(relaxed)
