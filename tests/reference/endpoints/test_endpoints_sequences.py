"""Random response sequences and what admiralonco 1.3.0 / admiral 1.4.1 derive from them; table 3 of Seymour 2017."""

import gzip
import json
from datetime import date, timedelta
from pathlib import Path

from analysis.endpoints import BestOverallResponse, ResponseHistory
from tests.reference.endpoints import sequence_cases as cases

DATA = Path(__file__).parents[1] / "data" / "recist"


def test_recist_expectations():
    oracle = json.loads(gzip.decompress((DATA / "recist11_oracle.json.gz").read_bytes()))
    histories = {case["subject"]: cases.history_of(case) for case in oracle["subjects"]}
    wrong = []
    for expectation in oracle["expectations"]:
        parameters = expectation["parameters"]
        endpoint = cases.recist_endpoint(
            expectation["endpoint"].removesuffix("_event"), parameters, parameters["cut_at_first_pd"]
        )
        got = cases.as_expected(endpoint.derive(histories[expectation["subject"]]))
        if got != expectation["expected"]:
            wrong.append((expectation, got))
    assert len(oracle["expectations"]) == 3500
    assert wrong == []


def test_irecist_expectations():
    oracle = json.loads((DATA / "irecist_oracle.json").read_text())
    wrong, seen = [], 0
    for case in oracle["subjects"]:
        history = cases.history_of(case, "iRECIST")
        for name, expected in case["expected"].items():
            got = cases.as_expected(cases.irecist_endpoint(name, oracle["parameters"]).derive(history))
            seen += 1
            if got != expected:
                wrong.append((case["subject"], name, got, expected))
    assert seen == 99 * 8
    assert wrong == []


def test_best_response_of_seymour_table_3():
    rows = json.loads((DATA / "irecist_paper_tables.json").read_text())["ibor_table3_expanded"]
    start = date(2024, 1, 1)
    scans = [start + timedelta(days=56 * visit) for visit in range(1, 6)]
    best = BestOverallResponse(stable_from=0)
    wrong = [
        row
        for row in rows
        if best.derive(ResponseHistory("S1", start, scans, row["timepoints"], "iRECIST")).value != row["iBOR"]
    ]
    assert [sum(row["icpd_preceded_by_iupd"] is known for row in rows) for known in (True, False)] == [460, 51]
    assert wrong == []
