"""The benchmark's own arithmetic, on figures small enough to work out by hand."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
KEYS = {
    *("figures", "iae_median", "iae_p90", "drmst_median", "drmst_p90", "s12_median", "s12_p90", "fidelity"),
    *("coverage_50", "coverage_80", "coverage_90", "coverage_95", "seconds_median", "failures"),
}


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import reconstruction
    import reconstruction_baselines
    import reconstruction_figures
    import reconstruction_metrics
    import reconstruction_reports

    return SimpleNamespace(
        run=reconstruction,
        baselines=reconstruction_baselines,
        figures=reconstruction_figures,
        metrics=reconstruction_metrics,
        reports=reconstruction_reports,
    )


def write(folder: Path, papers: list[str], reached: list[bool]) -> tuple[str, str]:
    """Figures of 30 patients per arm, every event at a whole month; one row per figure as the benchmark has it."""
    rows, patients = [], []
    for number, (paper, both) in enumerate(zip(papers, reached, strict=True)):
        row = {"id": f"f{number}", "pmid": paper, "endpoint": "PFS", "risk_times_months": "0;6;12"}
        row |= {"hr_arm1_vs_arm0": 0.804, "hr_lo": 0.45, "hr_hi": 1.456}
        for k in (0, 1):
            time = np.arange(1, 31) * 0.8 + k
            event = np.arange(30) % (2 if both else 5) == 0
            row |= {f"arm{k}_{key}": value for key, value in summary(time, event, both).items()}
            patients.append(pd.DataFrame({"id": f"f{number}", "arm_index": k, "time_months": time, "event": event * 1}))
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "summaries.csv", index=False)
    pd.concat(patients).to_csv(folder / "ipd.csv.gz", index=False)
    return str(folder / "summaries.csv"), str(folder / "ipd.csv.gz")


def summary(time: np.ndarray, event: np.ndarray, reached: bool) -> dict[str, object]:
    return {
        "name": "drug",
        "n": time.size,
        "events": event.sum(),
        "median": 16.849 if reached else None,
        "med_lo_loglog": 11.25,
        "med_hi_loglog": None,
        "med_fu_revkm": 14.449,
        "nrisk": ";".join(str((time >= tick).sum()) for tick in (0, 6, 12)),
    }


def test_command_prints_one_object_with_the_agreed_keys(
    harness: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summaries, ipd = write(tmp_path, ["1", "1", "2"], [True, True, False])
    files = ["--summaries", summaries, "--ipd", ipd, "--tier", "curve", "--jobs", "1"]
    per_figure = tmp_path / "figures.csv"
    assert harness.run.main([*files, "--json", "--by-figure", str(per_figure)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == KEYS | {"baselines", "not_reached"}
    assert set(printed["not_reached"]) == KEYS | {"baselines"}
    for part in (printed, printed["not_reached"]):
        assert set(part["baselines"]) == {"exponential", "weibull_map", "log_logistic"}
        assert all(set(baseline) == KEYS for baseline in part["baselines"].values())
    assert (printed["figures"], printed["not_reached"]["figures"], printed["failures"]) == (2, 1, 0)
    assert printed["fidelity"] == 1
    assert printed["iae_median"] < 0.01 < printed["baselines"]["exponential"]["iae_median"]
    assert printed["baselines"]["exponential"]["fidelity"] is None
    assert list(pd.read_csv(per_figure)["id"]) == ["f0", "f1", "f2"]


def test_tables_and_limit(harness: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summaries, ipd = write(tmp_path, ["1", "2"], [True, False])
    files = ["--summaries", summaries, "--ipd", ipd, "--tier", "curve", "--jobs", "1", "--limit", "1"]
    harness.run.main(files)
    printed = capsys.readouterr().out
    assert "curve, both medians reached" in printed
    assert "drmst_ratio" in printed
    assert "a median not reached" not in printed


def test_kaplan_meier_of_a_figure(harness: SimpleNamespace) -> None:
    arm = harness.figures.Arm("drug", np.array([3.0, 1.0, 1.0, 2.0]), np.array([True, True, False, False]))
    np.testing.assert_allclose(arm.survival(np.array([0.5, 1.0, 2.9, 3.0])), [1, 0.75, 0.75, 0])
    points = harness.figures.digitise(arm, points=4)
    np.testing.assert_allclose(points, [[0, 1], [1, 0.75], [2, 0.75], [3, 0]])


def test_figure_is_printed_as_a_paper_would(harness: SimpleNamespace, tmp_path: Path) -> None:
    figure, other = harness.figures.read_figures(*write(tmp_path, ["7", "8"], [True, False]))
    assert (figure.pmid, figure.medians_reached, other.medians_reached) == ("7", True, False)
    report = harness.reports.report(figure, "risk")
    arm = report.arm("experimental")
    assert (arm.median.text, str(arm.median_ci), arm.median_follow_up.text) == ("16.8", "11.2-not reached", "14.4")
    assert arm.median_ci.scale == "log-log"
    assert str(report.hazard_ratio) == "0.80 (95% CI 0.45-1.46)"
    assert arm.at_risk.counts == (30, 24, 17)
    assert [(mark.time.value, mark.survival.text) for mark in arm.landmarks] == [(6, "89.6"), (12, "73.6")]
    assert harness.reports.report(other, "summary").arm("control").median.text == "not reached"


def test_tiers_add_what_they_say(harness: SimpleNamespace, tmp_path: Path) -> None:
    figure = harness.figures.read_figures(*write(tmp_path, ["7"], [True]))[0]
    reports = {tier: harness.reports.report(figure, tier) for tier in harness.figures.TIERS}
    assert [bool(report.arms[0].landmarks) for report in reports.values()] == [False, False, True, True, False]
    assert [report.arms[0].at_risk is not None for report in reports.values()] == [False, False, False, True, True]
    assert [report.arms[0].events is not None for report in reports.values()] == [False, False, False, True, True]
    assert [report.hazard_ratio is not None for report in reports.values()] == [True, True, True, True, False]
    assert [report.longest_follow_up is not None for report in reports.values()] == [False, True, False, False, False]
    assert all(report.events_total.value == 30 for tier, report in reports.items() if tier != "curve")


def test_distances_of_a_level_curve(harness: SimpleNamespace) -> None:
    step = harness.figures.Arm("drug", np.array([5.0, 20.0]), np.array([True, False]))
    level = harness.figures.Arm("drug", np.array([9.0, 10.0]), np.array([False, False]))
    figure = SimpleNamespace(arms=(step, level), common_follow_up=10.0)

    class AlwaysAlive:
        def survival(self, arm: int, t: np.ndarray) -> np.ndarray:
            return np.ones_like(t)

        def band(self, arm: int, t: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
            return np.full_like(t, 0.4 if level > 0.85 else 0.6), np.ones_like(t)

    score = harness.metrics.score(figure, AlwaysAlive(), fidelity=0.5, seconds=2.0)
    assert score.iae == pytest.approx((0.5 * 15 / 20, 0.0))
    assert score.s12 == pytest.approx((0.5,))  # the other arm was not followed for a year
    assert score.drmst == pytest.approx(0.5 * 5)
    assert score.coverage[50] == pytest.approx((0.25 + 1) / 2)
    assert score.coverage[90] == pytest.approx(1)


def test_failure_is_counted_with_the_largest_error(harness: SimpleNamespace) -> None:
    arm = harness.figures.Arm("drug", np.array([5.0, 20.0]), np.array([True, False]))
    figure = SimpleNamespace(arms=(arm, arm), common_follow_up=20.0)
    failed = harness.metrics.failure(figure, "ValueError: no")
    good = harness.metrics.Score(
        iae=(0.1, 0.3), s12=(0.2,), drmst=1.0, coverage=dict.fromkeys((50, 80, 90, 95), 1.0), fidelity=1.0, seconds=3.0
    )
    summary = harness.metrics.summarise([good, failed])
    assert summary["failures"] == 1
    assert summary["figures"] == 2
    assert summary["iae_median"] == pytest.approx((0.3 + 1.0) / 2)
    assert summary["drmst_median"] == pytest.approx((1 + 20) / 2)
    assert summary["fidelity"] == summary["coverage_90"] == 0.5
    assert summary["seconds_median"] == 3.0


def test_error_of_the_method_becomes_a_failure_of_the_figure(
    harness: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = harness.figures.read_figures(*write(tmp_path, ["7"], [True]))[0]
    monkeypatch.setattr(harness.reports, "digitise", lambda arm: np.zeros((3, 3)))
    score = harness.reports.evaluate(figure, "curve", members=5, rng=1, prior=None)
    assert "shape" in score.failed
    assert score.iae == (1.0, 1.0)


def test_papers_are_held_out_whole(harness: SimpleNamespace, tmp_path: Path) -> None:
    papers = [str(number // 3) for number in range(24)]
    figures = harness.figures.read_figures(*write(tmp_path, papers, [True] * 24))
    held_out_ids = []
    for training, held_out in harness.figures.folds_by_paper(figures, 5):
        assert {figure.pmid for figure in training} & {figure.pmid for figure in held_out} == set()
        assert len(training) + len(held_out) == 24
        held_out_ids += [figure.id for figure in held_out]
    assert sorted(held_out_ids) == sorted(figure.id for figure in figures)


def test_baselines_pass_through_the_printed_medians(harness: SimpleNamespace, tmp_path: Path) -> None:
    figure, other = harness.figures.read_figures(*write(tmp_path, ["7", "8"], [True, False]))
    for fit in harness.baselines.BASELINES.values():
        assert fit(figure).survival(0, np.array([16.8]))[0] == pytest.approx(0.5, abs=0.01)
    exponential = harness.baselines.exponential(figure)
    assert exponential.survival(1, np.array([33.6]))[0] == pytest.approx(0.25)
    without = harness.baselines.exponential(other)
    expected = sum(30 * (1 - without.survival(k, np.array([14.4]))[0]) for k in (0, 1))
    assert expected == pytest.approx(other.events, abs=0.01)
    assert without.medians[0] / without.medians[1] == pytest.approx(0.80)


def test_endpoints_of_the_same_patients_are_compared_jointly_and_singly(
    harness: SimpleNamespace, tmp_path: Path
) -> None:
    import reconstruction_together

    summaries, ipd = write(tmp_path, ["a", "a", "b", "b"], [True, True, True, True])
    figures = [
        replace(figure, endpoint=endpoint, hazard_ratio_lower="0.39", hazard_ratio_upper="1.64")
        for figure, endpoint in zip(
            harness.figures.read_figures(summaries, ipd), ("OS", "PFS", "PFS", "PFS"), strict=True
        )
    ]
    # nobody dies before progression: overall survival is the other curve, months later
    later = tuple(replace(arm, time=arm.time + 2.0) for arm in figures[0].arms)
    figures[0] = replace(figures[0], arms=later)
    [pair] = reconstruction_together.pairs_of(figures)
    assert [figure.id for figure in pair] == ["f1", "f0"]
    rows = reconstruction_together.evaluate((pair, None), tier="window", members=4, seed=1)
    assert [(row["id"], row["endpoint"], row["failed"]) for row in rows] == [("f1", "PFS", None), ("f0", "OS", None)]
    assert all(row["faithful"] == 1.0 and 0 < row["together_iae"] < 0.2 and 0 < row["single_iae"] < 0.2 for row in rows)
    told = reconstruction_together.table(pd.DataFrame(rows))
    assert told.loc["together_iae", "both"] == pytest.approx(np.mean([row["together_iae"] for row in rows]))


def test_rows_that_a_file_has_are_not_made_again_and_what_was_cut_off_is(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from generated_reports import evaluate
    from rows import rows_of

    file = tmp_path / "rows.jsonl"
    first = rows_of(evaluate, range(1, 3), file, "report", members=2)
    assert [row["seed"] for row in first] == [1, 2]
    head, *lines = file.read_text().splitlines()
    kept = next(line for line in lines if json.loads(line)["seed"] == 1)
    file.write_text("\n".join([head, json.dumps(json.loads(kept) | {"mark": "kept"}), kept[:30]]))
    again = rows_of(evaluate, range(1, 4), file, "report", members=2)
    assert [row["seed"] for row in again] == [1, 2, 3]
    assert [row.get("mark") for row in again] == ["kept", None, None]
    assert again[1]["held90"] == first[1]["held90"]
    assert len(file.read_text().splitlines()) == 4


def test_rows_of_other_settings_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from generated_reports import evaluate
    from rows import rows_of

    file = tmp_path / "rows.jsonl"
    rows_of(evaluate, [], file, "report", members=2)
    before = file.read_text()
    with pytest.raises(SystemExit, match="members 2 there and 3 here; name another file, or remove this one"):
        rows_of(evaluate, [1], file, "report", members=3)
    assert file.read_text() == before
