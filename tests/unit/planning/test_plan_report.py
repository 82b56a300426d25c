"""A plan's report says the same whatever it is written as, and no more than is known."""

import html
import re
import zipfile

import pytest
from docx import Document
from pypdf import PdfReader
from scipy.stats import norm

from analysis.conventions import replace
from analysis.design import (
    AtTime,
    Look,
    Scenario,
    TrialDesign,
    UniformAccrual,
)
from analysis.errors import InvalidValueError
from analysis.planning import Plan, write_report
from analysis.planning.report import contents
from analysis.sequential import GroupSequentialDesign
from analysis.single_arm import simon_two_stage
from analysis.survival import Exponential
from analysis.tables.rtf import escaped

DESIGN = TrialDesign(
    n=100,
    accrual=UniformAccrual(18),
    looks=[Look(AtTime(30))],
    dropout=0.005,
    allocation={"control": 1, "experimental": 1},
)
SCENARIO = Scenario.proportional_hazards(Exponential.from_median(9.0), 0.6)

PLANS = {
    "fixed": Plan("Naïve \\ {plan} μ", DESIGN, SCENARIO, trials=300, sources=("A & B <2020>",)),
    "sequential": Plan(
        "Sequential",
        replace(DESIGN, n=200, looks=GroupSequentialDesign((0.5, 1.0)).looks(events=120)),
        SCENARIO,
        trials=0,
    ),
    "single arm": Plan("Simon", simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8).optimal),
}


def text_of(path):
    if path.suffix == ".docx":
        document = Document(str(path))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        return " ".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    if path.suffix == ".pdf":
        return " ".join(page.extract_text() for page in PdfReader(path).pages)
    raw = path.read_text(encoding="utf-8")
    if path.suffix == ".rtf":
        raw = re.sub(r"\{\\pict.*?\}", " ", raw)
        raw = re.sub(r"\\u(-?\d+)\?", lambda found: chr(int(found[1]) % 65536), raw)
        return re.sub(r"\\([\\{}])", r"\1", re.sub(r"(?<!\\)\\[a-z]+-?\d* ?", " ", raw))
    return html.unescape(re.sub(r"<img[^>]*>|<[^>]+>", " ", raw))


def test_letters_of_any_language_are_written_in_ascii():
    assert escaped("a{b}\\") == "a\\{b\\}\\\\"
    assert escaped("\N{GREEK SMALL LETTER MU}") == "\\u956?"
    assert escaped("\N{FULLWIDTH LATIN CAPITAL LETTER A}") == "\\u-223?"
    assert escaped("\N{GRINNING FACE}") == "\\u-10179?\\u-8704?"


def words(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("ending", [".html", ".docx", ".rtf", ".pdf"])
@pytest.mark.parametrize("name", PLANS)
def test_a_report_says_the_same_whatever_it_is_written_as(name, ending, tmp_path):
    plan = PLANS[name]
    said = words(text_of(write_report(plan, tmp_path / f"report{ending}")))
    assert plan.title in said
    for sentence in plan.protocol_text().split(". ")[:4]:
        assert words(sentence) in said or words(sentence).replace("-", "") in said.replace("-", "")
    for assumption in plan.assumptions()["assumption"]:
        assert assumption in said
    for source in plan.sources:
        assert source in said
    for caption in plan.figures():
        assert caption in said
    assert "trial-outcome-analysis" in said
    with pytest.raises(InvalidValueError, match="not there yet"):
        write_report(plan, tmp_path / f"report{ending}")
    assert [path.name for path in tmp_path.iterdir()] == [f"report{ending}"]


def test_a_report_speaks_of_a_simulation_only_where_there_is_one(tmp_path):
    said = {name: text_of(write_report(plan, tmp_path / f"{name}.html")) for name, plan in PLANS.items()}
    assert {name: re.findall(r"Simulation: [\d,]+ trials", text) for name, text in said.items()} == {
        "fixed": ["Simulation: 300 trials"],
        "sequential": [],
        "single arm": [],
    }


def test_tables_of_a_report_have_as_many_decimals_as_their_column_needs():
    fixed, sequential = (
        [block for block in contents(PLANS[name]) if hasattr(block, "columns")] for name in ("fixed", "sequential")
    )
    methods = fixed[1]
    assert {len(cell) for cell in methods["power"]} == {len("0.1234")}
    assert "lowest" not in methods.columns  # there is no ensemble
    assert "std error" not in sequential[1].columns  # nothing is simulated
    formulas = methods[~methods["method"].str.startswith("simulated")]
    assert set(formulas["std error"]) == {""}
    assert "futility z" not in sequential[2].columns  # there is no such bound
    assert sequential[2]["efficacy z"].tolist() == ["2.963", "1.969"]


def test_a_small_p_value_is_not_rounded_to_nothing():
    looks = GroupSequentialDesign((0.2, 1.0)).looks(events=120)
    plan = Plan("Early", replace(DESIGN, n=200, looks=looks), SCENARIO, trials=0)
    table = [block for block in contents(plan) if hasattr(block, "columns")][-1]
    first, last = table["nominal p"]
    assert float(first) == pytest.approx(float(norm.sf(looks[0].efficacy_z)), rel=0.05)
    assert 0 < float(first) < 1e-5
    assert last == f"{norm.sf(looks[1].efficacy_z):.4f}"


def test_pictures_have_alternative_text(tmp_path):
    plan = PLANS["fixed"]
    alts = [figure.alt for figure in plan.figures().values()]
    assert len(alts) == 3
    page = write_report(plan, tmp_path / "r.html").read_text(encoding="utf-8")
    assert all(f'alt="{html.escape(alt)}"' in page for alt in alts)
    with zipfile.ZipFile(write_report(plan, tmp_path / "r.docx")) as archive:
        body = archive.read("word/document.xml").decode()
    assert all(alt.replace("&", "&amp;") in body for alt in alts)
    assert "<script" not in page
