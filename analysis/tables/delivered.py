"""A table with title and notes, written as sponsors deliver it."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.conventions.border import border
from analysis.conventions.checks import count
from analysis.conventions.display import short_repr
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError, UnavailableError, UnknownNameError
from analysis.tables.rtf import escaped

if TYPE_CHECKING:
    from collections.abc import Callable

WIDE = 6  # columns from which a page lies on its side
LABELS = 2.0  # width of the first column, in widths of the others


@border
@dataclass(frozen=True, eq=False)
class DeliveredTable:
    """A table with its title and notes.

    Parameters
    ----------
    title
        Above the table.
    body
        The first column names the rows; numbers are rounded to `digits`, what is missing is an empty cell.
    subtitle
        Under the title: population, cut-off.
    group
        Column whose values head groups of rows that follow each other.
    notes
        Under the table: methods, abbreviations, sources.
    digits
        Decimals of numbers that are not whole.

    Raises
    ------
    InvalidValueError
        If the body has no rows, or two columns have one name.
    UnknownNameError
        If the group is no column.

    Examples
    --------
    >>> import pandas as pd
    >>> table = DeliveredTable("Response", pd.DataFrame({"": ["ORR, %"], "drug": [23.333]}), notes=("RECIST 1.1.",))
    >>> table.cells().iloc[0].tolist()
    ['ORR, %', '23.33']
    >>> "ORR, %" in table.html()
    True
    """

    title: str
    body: pd.DataFrame
    subtitle: str = ""
    group: str | None = None
    notes: tuple[str, ...] = ()
    digits: int = 2

    def __repr__(self) -> str:
        return short_repr(self)

    def __post_init__(self) -> None:
        """Check what only the whole table shows."""
        columns = list(self.body.columns)
        if self.body.empty:
            raise InvalidValueError("body", "no rows", "a row at least", "check what was selected")
        if len(set(map(str, columns))) < len(columns):
            raise InvalidValueError("body", columns, "columns of different names", "rename them")
        if self.group is not None and self.group not in columns:
            raise UnknownNameError("group", self.group, columns)
        count("digits", self.digits, "decimals", at_least=0)

    def cells(self) -> pd.DataFrame:
        """Give the body as it is printed."""
        printed = {str(name): [_text(value, self.digits) for value in self.body[name]] for name in self.body.columns}
        return pd.DataFrame(printed)

    def html(self, *, page: bool = False) -> str:
        """Write as HTML, by great_tables; `page` makes it a page of its own."""
        written: str = self._great().as_raw_html(make_page=page)
        return written

    def latex(self) -> str:
        """Write as LaTeX (packages booktabs, caption), by great_tables."""
        written: str = self._great().as_latex()
        return written

    def rtf(self) -> str:
        """Write as RTF, by rtflite; long tables go on to further pages under their header."""
        try:
            import rtflite
        except ImportError as error:
            raise _missing("rtflite") from error
        cells = self.cells().map(escaped)
        shown = [name for name in cells.columns if name != self.group]
        widths = [LABELS, *(1.0 for _ in shown[1:])]
        aligned = ["l", *("c" for _ in shown[1:])]
        cells = cells.rename(columns=dict(zip(cells.columns, map(str, range(cells.shape[1])), strict=True)))
        group = None if self.group is None else str(list(map(str, self.body.columns)).index(str(self.group)))
        if group is not None:
            place = int(group)
            widths.insert(place, 1.0)
            aligned.insert(place, "l")
        title = [escaped(line) for line in (self.title, self.subtitle) if line]
        plain: dict[str, Any] = {"text_convert": False}  # nothing is read as a formula
        orientation = "landscape" if len(shown) >= WIDE else "portrait"
        head = rtflite.RTFColumnHeader(
            text=[escaped(name) for name in shown],
            col_rel_width=[width for k, width in enumerate(widths) if group is None or k != int(group)],
            text_justification=["l", *("c" for _ in shown[1:])],
            **plain,
        )
        document = rtflite.RTFDocument(
            df=_polars(cells),
            rtf_page=rtflite.RTFPage(orientation=orientation),
            rtf_title=rtflite.RTFTitle(text=title, **plain),
            rtf_column_header=head,
            rtf_body=rtflite.RTFBody(
                col_rel_width=widths, text_justification=aligned, page_by=None if group is None else [group], **plain
            ),
            rtf_footnote=rtflite.RTFFootnote(text=[escaped(note) for note in self.notes], **plain)
            if self.notes
            else None,
        )
        written: str = document.rtf_encode()
        return written

    def save(self, path: str | Path) -> Path:
        """Write to a file that is not there yet; its ending says as what: .html, .tex, .rtf, .csv.

        Raises
        ------
        InvalidValueError
            If the ending is another one, the file is there or cannot be written.
        UnavailableError
            If great_tables or rtflite is needed and not installed: the extra ``tables``.
        """
        target = Path(path)
        writers: dict[str, Callable[[], str]] = {
            ".html": lambda: self.html(page=True),
            ".tex": self.latex,
            ".rtf": self.rtf,
            ".csv": lambda: self.cells().to_csv(index=False),
        }
        write = writers.get(target.suffix.lower())
        if write is None:
            raise InvalidValueError("path", str(path), f"a name that ends in {', '.join(writers)}", "name it so")
        if target.exists():
            raise InvalidValueError("path", str(path), "a file that is not there yet", "name another, or delete it")
        text = write()
        with written_whole(target) as draft:
            draft.write_text(text, encoding="utf-8", newline="\n")
        return target

    def _great(self) -> Any:
        try:
            import great_tables
        except ImportError as error:
            raise _missing("great_tables") from error
        table = great_tables.GT(self.cells(), groupname_col=self.group, id="delivered-table")
        table = table.tab_header(self.title, self.subtitle or None)
        for note in self.notes:
            table = table.tab_source_note(note)
        return table

    def _repr_html_(self) -> str:
        return self.html()


def _text(value: object, digits: int) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral | bool):
        return f"{float(value):.{digits}f}"
    return str(value)


def _polars(cells: pd.DataFrame) -> Any:
    import polars

    return polars.DataFrame({name: cells[name].tolist() for name in cells.columns})


def _missing(library: str) -> UnavailableError:
    return UnavailableError(f"{library} is not installed; pip install 'trial-outcome-analysis[tables]'")
