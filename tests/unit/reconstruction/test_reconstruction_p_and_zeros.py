"""What a report cannot mean: times of 0, a p-value of a bare 0, a p-value that points against the medians."""

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


@pytest.mark.parametrize(("medians", "better"), [(("not reached", "8.0"), True), (("5.0", "9.0"), False)])
def test_a_two_sided_p_points_where_the_medians_do(medians, better):
    arms = [ReportedArm(name, n=100, median=median) for name, median in zip(("new", "old"), medians, strict=True)]
    result = reconstruct(
        ReportedComparison(endpoint="PFS", arms=arms, control="old", p_value="0.01"), members=60, rng=1
    )
    assert result.faithful.all()
    ratio = result.hazard_ratio(level=0.98)
    assert ratio.upper < 1 if better else ratio.lower > 1
