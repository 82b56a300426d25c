"""A delivered table says the same whatever it is written as, and what cannot be meant is refused."""

import builtins
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InvalidValueError, UnavailableError, UnknownNameError
from analysis.tables import DeliveredTable

BODY = pd.DataFrame(
    {
        "class": ["Blood & lymph", "Blood & lymph", "{Other} <5"],
        "": ["x_1 ^2 \\alpha", "50% of $n$", "治療群 \N{GRINNING FACE}"],
        "drug, n": ["<10", "1 (0.2, \N{EN DASH})", "~3 #4"],
        "µ": [1.23456, np.nan, 3],
    }
)
TABLE = DeliveredTable(
    "T {x} & <b>", BODY, subtitle="Cut-off 2024_05 \\beta", group="class", notes=("a < b & 5%", "{second} _note")
)


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.inside, self.found = False, []

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.inside = True
            self.found.append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1] += data


def of_html(text):
    parser = Cells()
    parser.feed(text)
    return [cell.strip() for cell in parser.found]


LATEX = {
    "\\textless{}": "<",
    "\\textgreater{}": ">",
    "\\textbackslash{}": "\\",
    "\\textasciicircum{}": "^",
    "\\textasciitilde{}": "~",
}


def of_latex(text):
    for written, letter in LATEX.items():
        text = text.replace(written, letter)
    return re.sub(r"\\([&%$#_{}])", r"\1", text)


def of_rtf(text):
    """Read the visible text, letter by letter, as RTF 1.9 says."""
    out, units, k = [], [], 0
    while k < len(text):
        control = re.compile(r"\\([a-z]+)(-?\d+)? ?").match(text, k)
        if text[k] == "\\" and text[k + 1] in "\\{}":
            out.append(text[k + 1])
            k += 2
        elif control:
            k = control.end()
            if control[1] == "u":
                units.append(int(control[2]) % 65536)
                k += 1  # the letter for readers that know no Unicode
                raw = b"".join(unit.to_bytes(2, "little") for unit in units)
                if not 0xD800 <= units[-1] < 0xDC00:
                    out.append(raw.decode("utf-16-le"))
                    units = []
            elif control[1] in ("cell", "par", "pard", "line", "row"):
                out.append("\n")
        else:
            if text[k] not in "{}\n\r":
                out.append(text[k])
            k += 1
    return [line.strip() for line in "".join(out).splitlines()]


def expected():
    cells = TABLE.cells()
    said = [TABLE.title, TABLE.subtitle, *TABLE.notes, *cells.columns[1:], *cells["class"].unique()]
    return said + [cell for name in cells.columns[1:] for cell in cells[name]]


def test_cells_round_numbers_and_leave_out_what_is_missing():
    assert TABLE.cells()["µ"].tolist() == ["1.23", "", "3.00"]
    whole = DeliveredTable("n", pd.DataFrame({"": ["a"], "n": [3], "yes": [True]}))
    assert whole.cells().iloc[0].tolist() == ["a", "3", "True"]


def test_html_says_every_cell():
    cells = of_html(TABLE.html())
    assert [text for text in expected() if text not in cells] == []
    assert TABLE.html(page=True).lstrip().lower().startswith("<!doctype html>")


def test_latex_says_every_cell():
    text = of_latex(TABLE.latex())
    assert [cell for cell in expected() if cell not in text] == []


def test_rtf_says_every_cell():
    lines = of_rtf(TABLE.rtf())
    assert [text for text in expected() if text not in lines] == []
    assert TABLE.rtf().isascii()
    assert "\\super" not in TABLE.rtf()
    assert "\\sub" not in TABLE.rtf()


@pytest.mark.parametrize("ending", [".html", ".tex", ".rtf", ".csv"])
def test_files_are_what_the_methods_give(ending, tmp_path):
    path = TABLE.save(tmp_path / f"table{ending}")
    text = path.read_text(encoding="utf-8")
    writers = {".html": lambda: TABLE.html(page=True), ".tex": TABLE.latex, ".rtf": TABLE.rtf}
    if ending == ".csv":
        back = pd.read_csv(path, dtype=str, keep_default_na=False)
        assert back.to_numpy().tolist() == TABLE.cells().to_numpy().tolist()
    else:
        assert text == writers[ending]()
    with pytest.raises(InvalidValueError, match="not there yet"):
        TABLE.save(path)


def test_long_tables_go_on_under_their_header():
    body = pd.DataFrame({"": [f"row {k}" for k in range(150)], "drug": range(150)})
    rtf = DeliveredTable("Long", body).rtf()
    pages = rtf.count("\\page")
    assert pages >= 2
    assert of_rtf(rtf).count("drug") == pages + 1
    assert [f"row {k}" for k in range(150)] == [line for line in of_rtf(rtf) if line.startswith("row")]


def test_wrong_tables_are_refused():
    with pytest.raises(InvalidValueError, match="no rows"):
        DeliveredTable("none", BODY.iloc[:0])
    with pytest.raises(InvalidValueError, match="different names"):
        DeliveredTable("twice", pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(UnknownNameError, match="group"):
        DeliveredTable("no group", BODY, group="klass")
    with pytest.raises(InvalidValueError, match=r"\.html, \.tex, \.rtf, \.csv"):
        TABLE.save("table.doc")


@pytest.mark.parametrize(("library", "write"), [("great_tables", "html"), ("rtflite", "rtf")])
def test_what_is_not_installed_is_named(library, write, monkeypatch):
    known = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return known(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnavailableError, match=r"trial-outcome-analysis\[tables\]"):
        getattr(TABLE, write)()
