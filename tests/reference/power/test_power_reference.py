"""Every row of the reference values: equal to the package's value, or out of scope with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tests.reference.power.r_calls import ReferenceCall, reference_calls
from tests.reference.power.registry import adapter_of, adapters, out_of_scope

ADAPTERS = adapters()
OUT_OF_SCOPE = out_of_scope()
CALLS: dict[tuple[str, str], list[ReferenceCall]] = defaultdict(list)
for _call in reference_calls():
    CALLS[_call.tool, _call.function].append(_call)


def in_scope(call: ReferenceCall) -> list[str]:
    rows = [row for row in OUT_OF_SCOPE if (row.tool, row.function) == (call.tool, call.function)]
    return [quantity for quantity in call.values if not any(row.covers(call, quantity) for row in rows)]


@pytest.mark.parametrize("key", sorted(ADAPTERS), ids="-".join)
def test_rows_agree(key: tuple[str, str]) -> None:
    wrong: list[str] = []
    tested = 0
    for call in CALLS[key]:
        if quantities := in_scope(call):
            adapter = adapter_of(ADAPTERS[key], call)
            assert adapter is not None, f"no adapter for {call.text}"
            tested += len(quantities)
            wrong += adapter.differs(call, quantities)
    assert tested, f"no row of {key} is in the file or in scope"
    assert not wrong, f"{len(wrong)} of {tested} rows differ:\n" + "\n".join(wrong[:12])


def test_every_row_is_tested_or_out_of_scope(capsys: pytest.CaptureFixture[str]) -> None:
    tested: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    forgotten: Counter[tuple[str, str]] = Counter()
    for key, calls in CALLS.items():
        for call in calls:
            scope = len(in_scope(call))
            left_out[call.tool] += len(call.values) - scope
            if key in ADAPTERS:
                tested[call.tool] += scope
            elif scope:
                forgotten[key] += scope
    with capsys.disabled():
        print(f"\n{'reference rows by tool':50} tested  out of scope")
        for tool in sorted({tool for tool, _ in CALLS}):
            print(f"{tool:50} {tested[tool]:6d}  {left_out[tool]:12d}")
        print(f"{'all':50} {tested.total():6d}  {left_out.total():12d}")
    assert not forgotten, f"rows without an adapter and without a reason: {dict(forgotten)}"


def test_a_coarser_tolerance_has_its_reason() -> None:
    assert [
        key for key, of in ADAPTERS.items() for a in of if max(a.rtol, a.coarse_rtol) > 1e-6 and not a.because
    ] == []


def test_out_of_scope_entries_name_rows_that_exist() -> None:
    idle = [
        row
        for row in OUT_OF_SCOPE
        if not any(row.covers(call, q) for call in CALLS[row.tool, row.function] for q in call.values)
    ]
    assert idle == []
