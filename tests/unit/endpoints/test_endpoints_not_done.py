"""A lesion that was not measured has no diameter, whatever number stands beside the word."""

import pandas as pd
import pytest

from analysis.endpoints import BestOverallResponse, derive

BASE = {"USUBJID": "1", "TRLNKID": "T01", "TRGRPID": "TARGET", "TRTESTCD": "LDIAM", "TRORRES": "50", "TRSTRESC": "50"}
FIRST = {**BASE, "VISIT": "SCREENING", "TRDTC": "2024-01-05", "TRSTAT": ""}
SUBJECTS = pd.DataFrame({"USUBJID": ["1"], "RANDDT": ["2024-01-10"]})


def derived(**second):
    row = {**FIRST, "VISIT": "WEEK 8", "TRDTC": "2024-03-06", **second}
    return derive(pd.DataFrame([FIRST, row]), None, SUBJECTS)


@pytest.mark.parametrize(
    "second",
    [
        {"TRSTAT": "NOT DONE", "TRORRES": "", "TRSTRESC": "0"},
        {"TRSTAT": "not done", "TRORRES": "20", "TRSTRESC": "20"},
        {"TRORRES": "NOT EVALUABLE", "TRSTRESC": "0"},
    ],
)
def test_a_number_beside_not_done_is_not_used_and_named(second):
    found = derived(**second)
    assert found.responses()["recist"].tolist() == ["NE"]
    assert found.endpoints({"BOR": BestOverallResponse()})["value"].tolist() == ["NE"]
    (finding,) = [each for each in found.findings if "not done with a result" in str(each)]
    assert second["TRSTRESC"] in str(finding)


@pytest.mark.parametrize(
    ("second", "response"),
    [
        ({"TRSTAT": "NOT DONE", "TRORRES": "", "TRSTRESC": ""}, "NE"),
        ({"TRORRES": "0", "TRSTRESC": "0"}, "CR"),
        ({"TRORRES": "TOO SMALL TO MEASURE", "TRSTRESC": "5"}, "PR"),
    ],
)
def test_what_does_not_contradict_itself_is_read_as_before(second, response):
    found = derived(**second)
    assert found.responses()["recist"].tolist() == [response]
    assert "not done with a result" not in " ".join(map(str, found.findings))
