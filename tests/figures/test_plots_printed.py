"""What a report prints, written beside its reconstructed curves."""

from analysis import reconstruct
from analysis.plots import survival_plot
from analysis.reported import ReportedArm, ReportedComparison


def test_printed_medians_keep_the_unit_that_they_were_printed_in():
    """The axis has months: 24.3 weeks are not 24.3 of them, and a median that was not reached is no number."""
    arms = [
        ReportedArm("A", n=60, events=20, median="not reached"),
        ReportedArm("B", n=60, events=51, median="15.9 weeks", median_follow_up="60 weeks"),
    ]
    reported = ReportedComparison("PFS", arms, control="B", hazard_ratio="0.30 (0.18-0.50)")
    found = reconstruct(reported, members=5, rng=1)
    shown = survival_plot(found, annotate=["median"])
    assert "Median not reached and 15.9 weeks (3.7 months), printed" in shown.axes.texts[0].get_text()
    said = survival_plot(found, annotate=["median", "follow-up"]).said["text"].tolist()
    assert said[1] == "B 15.9 weeks (3.7 months), printed"
    assert said[3] == "follow-up B 60 weeks (13.8 months), printed"
