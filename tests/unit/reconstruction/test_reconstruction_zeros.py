"""Times of 0 and a p-value of a bare 0 are refused before anything is computed."""

import pytest

from analysis import reconstruct
from analysis.errors import InvalidValueError
from analysis.reported import Landmark, Quartile, ReportedArm, ReportedComparison


def report(p=None, **first):
    arms = [ReportedArm("new", n=80, **({"median": "9.1"} | first)), ReportedArm("old", n=82, median="6.0")]
    return ReportedComparison(endpoint="PFS", arms=arms, control="old", **({} if p is None else {"p_value": p}))


@pytest.mark.parametrize(
    ("comparison", "field"),
    [
        (report(median="0"), "new.median"),
        (report(median="0.0"), "new.median"),
        (report(median="<0"), "new.median"),
        (report(landmarks=[Landmark("0", "0.9")]), r"new.landmarks\[0\].time"),
        (report(quartiles=[Quartile(0.25, "0")]), r"new.quartiles\[0\].time"),
        (report(median_follow_up="0"), "new.median_follow_up"),
        (report(p="0"), "p_value"),
    ],
)
def test_zeros_are_refused_by_name(comparison, field):
    with pytest.raises(InvalidValueError, match=f"^{field}: got"):
        reconstruct(comparison, members=5, rng=1)


@pytest.mark.parametrize("p", ["0.000", "<0.001"])
def test_a_p_value_that_is_printed_small_is_taken(p):
    assert reconstruct(report(p), members=5, rng=1).faithful.all()
