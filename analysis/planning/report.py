"""The report of a plan on a page or two: HTML, Word, RTF or PDF, with figures, assumptions, methods and versions."""

from __future__ import annotations

import base64
import math
import platform
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager

from analysis.conventions.border import border
from analysis.conventions.whole import written_whole
from analysis.design import TrialDesign
from analysis.errors import InvalidValueError, UnavailableError
from analysis.plots import STYLE
from analysis.tables.rtf import escaped
from analysis.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analysis.planning.plan import Plan

LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy")
ENDS = (
    "nominal p is one-sided; a hazard ratio is that of an estimate at the bound; reject and stop low are the chances "
    "that the trial ends at the look with a rejection, or for futility, if the assumptions hold."
)
DPI = 160
PICTURE_WIDTH = 16.0  # centimetres, of an A4 page with margins
CSS = (
    "body{font:15px/1.45 sans-serif;max-width:48em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.6em 0}td,th{border-bottom:1px solid #ddd;padding:.25em .7em}"
    "th,td{text-align:left}"
    "img{max-width:100%}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.4em}"
)


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Picture:
    """A picture as PNG, with its caption and a sentence in its place."""

    png: bytes
    caption: str
    alt: str


Block = Heading | str | pd.DataFrame | Picture


@border
def write_report(plan: Plan, path: str | Path) -> Path:
    """Write a plan as a report: paragraph for the protocol, assumptions, power by every method, figures, versions.

    Parameters
    ----------
    plan
        What is planned.
    path
        Its ending says what is written: ``.html`` (one file, pictures within), ``.docx``, ``.rtf``, ``.pdf``. A file
        that is there is not replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidValueError
        If the ending is another one, the file is there or cannot be written.
    UnavailableError
        If ``python-docx`` or ``fpdf2`` is needed and not installed: the extra ``reports``.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from analysis.planning import Plan
    >>> from analysis.single_arm import exact_binomial
    >>> plan = Plan("One arm", exact_binomial(30, null_rate=0.15, alternative_rate=0.35, alpha=0.05))
    >>> write_report(plan, f"{mkdtemp()}/plan.html").name
    'plan.html'
    """
    target = Path(path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        raise InvalidValueError("path", str(path), f"a name that ends in {', '.join(WRITERS)}", "name it so")
    if target.exists():
        raise InvalidValueError("path", str(path), "a file that is not there yet", "name another, or delete it")
    blocks = contents(plan)
    with written_whole(target) as draft:
        write(blocks, draft)
    return target


def contents(plan: Plan) -> list[Block]:
    """Give what a report says, in order, whatever it is written as."""
    blocks: list[Block] = [Heading(plan.title, 1), plan.protocol_text(), Heading("Assumptions"), plan.assumptions()]
    if plan.sources:
        blocks.append(f"Sources: {'; '.join(plan.sources)}.")
    if isinstance(plan.design, TrialDesign):
        methods = plan.methods()
        blocks += [Heading("Power by every method, beside the simulation"), _shown(methods.drop(columns="remark"))]
        said = methods[methods["remark"].astype(bool)]
        blocks += [f"{row['method']}: {row['remark']}." for row in said.to_dict("records")]
        found = plan.power()
        if not isinstance(found, float) and found.times.size > 1:
            blocks += [Heading("Looks"), _shown(found.looks()), ENDS]
    else:
        blocks += [Heading("Looks, and the exact chances of each decision"), _shown(plan.methods())]
    for caption, figure in plan.figures().items():
        with mpl.rc_context(STYLE), BytesIO() as buffer:
            figure.figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
            blocks.append(Picture(buffer.getvalue(), caption, figure.alt))
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    is_simulated = plan.trials and isinstance(plan.design, TrialDesign)
    simulated = f"Simulation: {plan.trials:,} trials, seed {plan.seed}. " if is_simulated else ""
    blocks += [
        Heading("How it was made"),
        f"{simulated}trial-outcome-analysis {__version__}, Python {platform.python_version()}, {libraries}.",
    ]
    return blocks


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Round a table as a report shows it: a column to as many decimals as give its largest number four digits.

    What is missing or infinite, as the bound of a look that has none, is left blank; so is a column of only such.
    """
    columns = {str(name).replace("_", " "): _column(frame[name].tolist()) for name in frame.columns}
    return pd.DataFrame({name: cells for name, cells in columns.items() if any(cells)})


def _column(cells: Sequence[Any]) -> list[str]:
    numbers = [cell for cell in cells if isinstance(cell, float) and math.isfinite(cell)]
    largest = max(map(abs, numbers), default=0.0)
    decimals = 0 if all(map(float.is_integer, numbers)) else max(0, 4 - (len(f"{largest:.0f}") if largest >= 1 else 0))

    def text(cell: Any) -> str:
        if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
            return ""
        if not isinstance(cell, float):
            return str(cell)
        rounded = f"{cell:.{decimals}f}"
        return rounded if float(rounded) or not cell else f"{cell:.2g}"

    return [text(cell) for cell in cells]


def _html(blocks: Sequence[Block], path: Path) -> None:
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"<h{block.level}>{escape(block.text)}</h{block.level}>")
        elif isinstance(block, pd.DataFrame):
            parts.append(block.to_html(index=False, border=0))
        elif isinstance(block, Picture):
            data = base64.b64encode(block.png).decode()
            parts.append(
                f'<figure><img alt="{escape(block.alt)}" src="data:image/png;base64,{data}">'
                f"<figcaption>{escape(block.caption)}</figcaption></figure>"
            )
        else:
            parts.append(f"<p>{escape(block)}</p>")
    title = next(block.text for block in blocks if isinstance(block, Heading))
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{CSS}</style>'
    text = f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
    path.write_text(text, encoding="utf-8")


def _docx(blocks: Sequence[Block], path: Path) -> None:
    try:
        from docx import Document
        from docx.shared import Cm
    except ImportError as error:
        raise _missing("python-docx", ".docx") from error
    document = Document()
    for block in blocks:
        if isinstance(block, Heading):
            document.add_heading(block.text, block.level - 1)
        elif isinstance(block, pd.DataFrame):
            table = document.add_table(1, len(block.columns), style="Light List Accent 1")
            for cell, name in zip(table.rows[0].cells, block.columns, strict=True):
                cell.text = str(name)
            for row in block.itertuples(index=False):
                for cell, given in zip(table.add_row().cells, row, strict=True):
                    cell.text = str(given)
        elif isinstance(block, Picture):
            document.add_picture(BytesIO(block.png), width=Cm(PICTURE_WIDTH))
            document.inline_shapes[-1]._inline.docPr.set("descr", block.alt)
            document.add_paragraph(block.caption, style="Caption")
        else:
            document.add_paragraph(block)
    document.core_properties.title = next(block.text for block in blocks if isinstance(block, Heading))
    whole = BytesIO()  # a full disk is met by one write, not by an archive half closed
    document.save(whole)
    path.write_bytes(whole.getvalue())


def _rtf(blocks: Sequence[Block], path: Path) -> None:
    """Write Rich Text Format 1.9: headings, paragraphs, tables, pictures as PNG."""
    parts = [r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}}\paperw11906\paperh16838\margl1134\margr1134 "]
    for block in blocks:
        if isinstance(block, Heading):
            size = 32 if block.level == 1 else 24
            parts.append(rf"\pard\sb240\sa120\b\fs{size} {escaped(block.text)}\b0\fs20\par ")
        elif isinstance(block, pd.DataFrame):
            parts += [_rtf_row(list(block.columns), bold=True)]
            parts += [_rtf_row(list(row), bold=False) for row in block.itertuples(index=False)]
            parts.append(r"\pard\sa120\par ")
        elif isinstance(block, Picture):
            width = int(PICTURE_WIDTH / 2.54 * 1440)
            pixels = int.from_bytes(block.png[16:20], "big"), int.from_bytes(block.png[20:24], "big")
            height = int(width * pixels[1] / pixels[0])
            size_ = rf"\picw{pixels[0]}\pich{pixels[1]}\picwgoal{width}\pichgoal{height}"
            parts.append(rf"\pard\sb120 {{\pict\pngblip{size_} {block.png.hex()}}}\par ")
            parts.append(rf"\pard\sa120\i\fs18 {escaped(block.caption)}\i0\fs20\par ")
        else:
            parts.append(rf"\pard\sa120\fs20 {escaped(block)}\par ")
    path.write_text("".join(parts) + "}", encoding="ascii")


def _rtf_row(cells: Sequence[Any], *, bold: bool) -> str:
    step = int(PICTURE_WIDTH / 2.54 * 1440 / len(cells))
    edges = "".join(rf"\cellx{step * (k + 1)}" for k in range(len(cells)))
    start, end = (r"\b ", r"\b0 ") if bold else ("", "")
    text = "".join(rf"\pard\intbl\fs16 {start}{escaped(str(cell))}{end}\cell " for cell in cells)
    return rf"\trowd\trgaph60{edges} {text}\row "


def _pdf(blocks: Sequence[Block], path: Path) -> None:
    try:
        from fpdf import FPDF
        from fpdf.fonts import FontFace
    except ImportError as error:
        raise _missing("fpdf2", ".pdf") from error
    page = FPDF(format="A4")
    page.set_margin(20)
    for style, weight in (("", "normal"), ("B", "bold")):
        page.add_font(
            "DejaVu", style, font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight=weight))
        )
    page.add_page()
    for block in blocks:
        if isinstance(block, Heading):
            page.set_font("DejaVu", "B", 15 if block.level == 1 else 11)
            page.ln(2)
            page.multi_cell(0, 7, block.text, new_x="LMARGIN", new_y="NEXT")
        elif isinstance(block, pd.DataFrame):
            page.set_font("DejaVu", "", 7 if len(block.columns) > 4 else 8.5)
            with page.table(
                headings_style=FontFace(emphasis="B"), line_height=5, borders_layout="HORIZONTAL_LINES"
            ) as table:
                for row in [list(block.columns), *block.itertuples(index=False)]:
                    cells = table.row()
                    for given in row:
                        cells.cell(str(given))
        elif isinstance(block, Picture):
            page.ln(2)
            page.image(BytesIO(block.png), w=page.epw, alt_text=block.alt)
            page.set_font("DejaVu", "", 8)
            page.multi_cell(0, 5, block.caption, new_x="LMARGIN", new_y="NEXT")
        else:
            page.set_font("DejaVu", "", 9.5)
            page.multi_cell(0, 5.2, block, align="L", new_x="LMARGIN", new_y="NEXT")
    page.set_title(next(block.text for block in blocks if isinstance(block, Heading)))
    page.output(str(path))


def _missing(library: str, ending: str) -> UnavailableError:
    return UnavailableError(
        f"{library} is not installed; {ending} needs it: pip install 'trial-outcome-analysis[reports]', or write .html"
    )


WRITERS: dict[str, Callable[[Sequence[Block], Path], None]] = {
    ".html": _html,
    ".docx": _docx,
    ".rtf": _rtf,
    ".pdf": _pdf,
}
