"""Results as tables: a row an item for one number each, a row a time for curves."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def items(result: Any) -> pd.DataFrame:
    """Tabulate the numbers and names of a result, in the order of its fields: `item`, `value`."""
    import pandas as pd  # only where a table is asked for

    given = {field.name: getattr(result, field.name) for field in fields(result)}
    rows = [(name.replace("_", " "), value) for name, value in given.items() if isinstance(value, str | float)]
    return pd.DataFrame(rows, columns=["item", "value"])


def by_time(result: Any) -> pd.DataFrame:
    """Tabulate a result whose fields are vectors over the same times, a column a field."""
    import pandas as pd

    return pd.DataFrame({field.name: np.asarray(getattr(result, field.name)) for field in fields(result)})


def html(frame: pd.DataFrame) -> str:
    """Write a table for a notebook; numbers to five digits, long tables shortened."""
    return str(frame.to_html(index=False, max_rows=24, float_format="{:.5g}".format))
