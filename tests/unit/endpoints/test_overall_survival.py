"""Overall survival from the table of subjects: who counts until when, and who is left out by name."""

import pandas as pd
import pytest

from analysis.endpoints import overall_survival, read_study
from analysis.errors import InvalidValueError

NAMES = ["USUBJID", "RANDDT", "DTHDT", "LSTALVDT"]


@pytest.mark.parametrize(
    ("death", "alive", "days", "event", "rule"),
    [
        ("2024-07-01", None, 173, True, None),
        ("2024-07-01", "2024-06-30", 173, True, None),
        ("2024-07-01", "2024-07-01", 173, True, None),
        ("2024-07-01", "2024-07-02", 173, True, "alive after death"),
        (None, "2024-07-01", 173, False, None),
        (None, "2024-01-10", 0, False, None),
        (None, "2024-07", 173, False, "partial date"),  # the first of the month is sure
        (None, "2024-01-09", None, None, "dates out of order"),
        (None, "soon", None, None, "unreadable date"),
        (None, None, None, None, "no last day alive"),
        ("2024-01-09", None, None, None, "dates out of order"),
    ],
)
def test_the_end_of_follow_up(death, alive, days, event, rule):
    found, findings = overall_survival(pd.DataFrame([("1", "2024-01-10", death, alive)], columns=NAMES))
    assert [one.rule for one in findings] == ([rule] if rule else [])
    if days is None:
        assert found.empty
        assert findings[0].severity == "error"
    else:
        assert (found["days"].tolist(), found["event"].tolist()) == ([days], [event])


def test_a_table_without_a_last_day_alive_is_refused():
    with pytest.raises(InvalidValueError, match="LSTALVDT"):
        overall_survival(pd.DataFrame([("1", "2024-01-10", "2024-07-01")], columns=NAMES[:3]))


def test_a_folder_has_os_once_beside_the_endpoints_of_its_readers(tmp_path):
    rs = [("1", who, "SD", "2024-03-06") for who in "AB"] + [("2", who, "PD", "2024-03-06") for who in "AB"]
    pd.DataFrame(rs, columns=["USUBJID", "RSEVAL", "RSSTRESC", "RSDTC"]).to_csv(tmp_path / "rs.csv", index=False)
    subjects = [("1", "2024-01-10", None, "2024-09-30"), ("2", "2024-01-10", "2024-04-01", None)]
    subjects += [("3", "2024-01-10", None, None)]
    pd.DataFrame(subjects, columns=NAMES).to_csv(tmp_path / "adsl.csv", index=False)
    derived = read_study(tmp_path).derive()
    rows = derived.adtte()[derived.adtte()["PARAMCD"] == "OS"]
    assert rows[["USUBJID", "AVAL", "CNSR", "EVNTDESC", "RSEVAL", "SRCDOM"]].to_numpy().tolist() == [
        ["1", 265.0, 1, "last known alive", "", "ADSL"],
        ["2", 83.0, 0, "death", "", "ADSL"],
    ]
    assert [(one.subject, one.rule) for one in derived.findings if "alive" in one.rule] == [("3", "no last day alive")]
    summary = derived.summary()
    assert summary[summary["endpoint"] == "OS"][["patients", "count"]].to_numpy().tolist() == [[2, 1]]
    assert "OS: 82 days, to 2024-04-01, death" in derived.html()
