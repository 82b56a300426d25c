"""What is wrong with a file is said with file, field, value and remedy; all of it at once."""

import re

import pytest

from analysis.errors import ReportedDataError, UnknownNameError
from analysis.reported import available, data_directory, load, trial_file
from tests import wrong_files

GOOD = """\
title = "A trial"
summary = "Randomised."

[arms]
new = "new treatment"
old = "old treatment"

[sources.paper]
citation = "Journal 2020"
kind = "abstract"

[[comparisons]]
id = "pfs"
endpoint = "PFS"
sources = ["paper"]
status = "published"
time_unit = "months"
control = "old"
arms = [{ name = "new", n = 100, median = 7.80 }, { name = "old", n = 50, median = 3.2 }]
hazard_ratio = { estimate = 0.45, ci = [0.30, 0.68] }
p_value = { value = "< 0.001", sided = 2, test = "log-rank" }

[[proportions]]
id = "orr"
quantity = "ORR"
count = 5
of = 10
share = 50
sources = ["paper"]
status = "published"

[[facts]]
id = "planned"
value = { value = 100, unit = "count" }
sources = ["paper"]
status = "published"
"""


@pytest.fixture
def read(tmp_path):
    def write_and_load(text):
        (tmp_path / "trial.toml").write_text(text, encoding="utf-8")
        return load("trial", tmp_path)

    return write_and_load


def test_a_file_is_read_with_its_digits_and_provenance(read):
    comparison = read(GOOD).comparison("pfs")
    median = comparison.arm("new").median
    assert (median.text, median.sources, median.status) == ("7.80", ("paper",), "published")
    assert (comparison.p_value.sided, comparison.p_value.test) == (2, "log-rank")
    assert read(GOOD).fact("planned").value.value == 100.0
    assert read(GOOD).proportion("orr").share.value == 0.5


def test_a_number_may_name_its_own_unit_source_and_status(read):
    text = GOOD.replace(
        "median = 3.2", 'median = { value = 13.9, unit = "weeks", sources = ["news"], status = "secondary" }'
    )
    text += '[sources.news]\ncitation = "News"\nkind = "news"\n'
    median = read(text).comparison("pfs").arm("old").median
    assert (median.text, median.unit, median.sources, median.status) == ("13.9", "weeks", ("news",), "secondary")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "median = 7.80",
            "median = -7.80",
            "comparisons[pfs].arms[new].median: got -7.80; expected a number",
        ),
        ('time_unit = "months"', 'time_unit = "moons"', "comparisons[pfs].arms[new].median.unit: got 'moons'"),
        ('time_unit = "months"\n', "", "arms[new].median: got 7.80; expected a number with its unit of time"),
        (
            "share = 50",
            "share = 150",
            "proportions[orr].share: got 150; expected a number that is not negative, at most",
        ),
        ("n = 100, median", 'n = "many", median', "comparisons[pfs].arms[new].n: got 'many'; expected digits"),
        ("n = 100, median", "n = 0, median", "comparisons[pfs].arms[new].n: got '0'; expected at least one patient"),
        ('endpoint = "PFS"\n', "", "comparisons[pfs].endpoint: missing"),
        ('endpoint = "PFS"', 'endpoint = "PFS9"', "comparisons[pfs].endpoint: got 'PFS9'; expected one of OS"),
        ("median = 7.80", "medain = 7.80", "comparisons[pfs].arms[new].medain: unknown field 'medain'"),
        ("median = 7.80", "medain = 7.80", "such as median"),
        ("ci = [0.30, 0.68]", "ci = [0.30]", "comparisons[pfs].hazard_ratio.ci: got [0.30]"),
        ("ci = [0.30, 0.68]", "ci = [0.68, 0.30]", "got '0.68-0.30'; expected a lower limit below the upper one"),
        (
            "estimate = 0.45",
            "estimat = 0.45",
            "comparisons[pfs].hazard_ratio: got 'estimat'; expected the keys ci, estimate",
        ),
        ("sided = 2", "sided = 3", "sided: got 3; expected 1 or 2"),
        (
            'sources = ["paper"]\nstatus = "published"\ntime',
            'sources = ["papre"]\nstatus = "published"\ntime',
            "source: got",
        ),
        (
            'sources = ["paper"]\nstatus = "published"\ntime',
            'status = "published"\ntime',
            "comparisons[pfs].sources: missing",
        ),
        ('"published"\ntime', '"heard"\ntime', "status: got 'heard'; expected one of published"),
        (
            'control = "old"',
            'control = "placebo"',
            "comparisons[pfs].control: got 'placebo'; expected one of new, old",
        ),
        ('id = "pfs"\n', "", "comparisons[0].id: missing"),
        ("count = 5\nof = 10\nshare = 50\n", "", "expected a count, a share, or both"),
        ('title = "A trial"\n', "", "title: missing"),
        (
            'title = "A trial"',
            'title = "A trial"\ntitel = "x"',
            "titel: unknown field 'titel'; expected one of the schema",
        ),
        ('kind = "abstract"\n', "", "sources.paper.kind: missing"),
        ("[sources.paper]\n", "[sources]\n", "sources: got {'citation': 'Journal 2020'"),
        (
            'new = "new treatment"',
            'nwe = "new treatment"',
            "comparisons[pfs].arms: arm: got 'new'; expected a known arm",
        ),
        ("[[proportions]]", "[proportions]", "proportions: got"),
        ("median = 7.80", "median = { valeu = 7.80 }", "arms[new].median: got 'valeu'; expected the keys sources"),
        (
            "median = 7.80",
            'median = { value = 7.80, sources = "paper" }',
            "median.sources: got 'paper'; expected a list",
        ),
        (
            "median = 7.80",
            'median = { value = 7.80, unit = "percent" }',
            "arms[new].median: got 'percent'; expected a unit",
        ),
        ("ci = [0.30, 0.68]", "ci = { lower = 0.30 }", "hazard_ratio.ci: got {'lower': 0.30}; expected a lower and"),
        ("[[facts]]", "[facts]", "facts: got"),
        ('value = { value = 100, unit = "count" }', "value = 100", "expected a text, a date, or"),
        ('unit = "count"', 'unit = "people"', "with a unit of months"),
    ],
)
def test_what_is_wrong_is_named(read, tmp_path, old, new, says):
    assert GOOD.count(old) == 1 or old.startswith(("sources", '"published"'))
    with pytest.raises(ReportedDataError, match=re.escape(says)) as raised:
        read(GOOD.replace(old, new, 1))
    assert str(tmp_path / "trial.toml") in str(raised.value)


def test_all_that_is_wrong_is_said_at_once(read):
    broken = GOOD.replace("median = 7.80", "median = -7.80").replace("share = 50", "share = 150")
    with pytest.raises(ReportedDataError) as raised:
        read(broken.replace('kind = "abstract"\n', ""))
    lines = str(raised.value).splitlines()
    assert [re.search(r"(sources\.paper\.kind|\.median|\.share)", line) is not None for line in lines] == [True] * len(
        lines
    )
    assert len(lines) == 3


def test_an_id_occurs_once(read):
    with pytest.raises(ReportedDataError, match=r"facts\[planned\].id: got 'planned' twice"):
        read(GOOD + GOOD[GOOD.index("[[facts]]") :])


def test_malformed_toml_names_file_and_line(read, tmp_path):
    with pytest.raises(ReportedDataError, match=r"trial\.toml: not valid TOML: .*line 2"):
        read('title = "A trial"\nsummary = \n')
    (tmp_path / "trial.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(ReportedDataError, match="save the file as UTF-8"):
        load("trial", tmp_path)


def test_unknown_names_offer_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean bolero-2"):
        load("bolero2")
    with pytest.raises(UnknownNameError, match="did you mean pfs-final-local"):
        load("bolero-2").comparison("pfs-final-locl")
    with pytest.raises(UnknownNameError, match="planned-os-events"):
        load("bolero-2").fact("planned-os-event")
    with pytest.raises(UnknownNameError, match="orr-placebo-fda"):
        load("bolero-2").proportion("orr-placebo")
    with pytest.raises(ReportedDataError, match="no such folder"):
        available(tmp_path / "nowhere")


def test_the_files_are_found_from_a_checkout():
    assert trial_file("bolero-2").parent == data_directory()
    assert trial_file("bolero-2").is_file()


def test_whatever_stands_in_a_field_nothing_ends_bare(read, tmp_path):
    """Each field and table replaced by each of the wrong things: a trial, or an error with the file's name."""
    more = GOOD.replace(
        "p_value =", 'strata = [{ name = "visceral", n = [90, 60] }]\nmedian_follow_up = 12.5\np_value ='
    )
    more = more.replace(
        "median = 3.2", 'median = { value = 3.2, unit = "months" }, landmarks = [{ time = 6, survival = 20 }]'
    )
    more = more.replace("median = 7.80", "median = 7.80, at_risk = { times = [0, 6], counts = [100, 60] }")
    more += '[timeline]\nfirst_patient_in = 2009-06-01\nsources = ["paper"]\nstatus = "published"\n'
    read(more)
    trials, refused = 0, []
    for wrong in wrong_files.changed(more.replace("2009-06-01", '"2009-06-01"')):
        try:
            read(wrong)
            trials += 1
        except ReportedDataError as told:
            refused.append(str(told))
    assert trials > 0
    assert all(told.startswith(str(tmp_path / "trial.toml")) for told in refused)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('test = "log-rank"', "test = 5", "p_value.test: got 5; expected the name of a test"),
        ("sided = 2", "sided = true", "p_value.sided: got True; expected 1 or 2"),
        (
            'sources = ["paper"]\nstatus = "published"\ntime',
            'sources = 5\nstatus = "published"\ntime',
            "a list of source keys",
        ),
        ("[arms]\nnew", "[[arms]]\nnew", "arms: got"),
    ],
)
def test_what_is_no_word_or_list_is_named(read, old, new, says):
    with pytest.raises(ReportedDataError) as told:
        read(GOOD.replace(old, new, 1))
    assert says in str(told.value)
