"""``trial-analysis new`` and ``reconstruct``: from a report of one's own to a picture, files and a paragraph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    import argparse

    from analysis.reconstruction.result import Reconstruction
    from analysis.reported import ReportedComparison

TEMPLATE = """\
# A trial as it was reported, for `trial-analysis reconstruct {name}.toml`.
# Write numbers digit for digit: 11.0 says more than 11. Leave out what is not printed; a line with # is not read.
title = "{name}"
summary = "What was compared in whom; the primary endpoint."

[arms]
new = "new treatment"
old = "old treatment"

[sources.paper]
citation = "Authors, Journal Year;Volume:Pages"
kind = "abstract"                        # article, abstract, label, registry, news ..

[[comparisons]]
id = "pfs"
endpoint = "PFS"                         # OS, PFS, DFS, EFS ..
sources = ["paper"]
status = "published"
time_unit = "months"
control = "old"
arms = [
  {{ name = "new", n = 150, events = 96, median = 11.0, median_ci = [9.2, 13.4] }},
  {{ name = "old", n = 148, events = 117, median = 7.4 }},                            # "not reached" is a median too
]
hazard_ratio = {{ estimate = 0.66, ci = [0.50, 0.87] }}
# p_value = {{ value = 0.003, sided = 2, test = "log-rank" }}
# median_follow_up = 18.2
# In an arm also: landmarks = [{{ time = 6, survival = 71.3 }}]
#                 at_risk = {{ times = [0, 6, 12], counts = [150, 98, 51] }}
"""


def configure_new(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``trial-analysis new``."""
    parser.add_argument("name", help="name of the trial: NAME.toml is written")
    parser.set_defaults(run=new_command)


def new_command(parsed: argparse.Namespace) -> int:
    """Write a report to be filled in."""
    path = Path(f"{parsed.name.removesuffix('.toml')}.toml")
    if path.exists():
        raise InvalidValueError("name", str(path), "a file that is not there yet", "name another, or delete it")
    path.write_text(TEMPLATE.format(name=path.stem), encoding="utf-8")
    print(f"wrote {path}; fill it in, then: trial-analysis reconstruct {path} --plot {path.stem}.png")
    return 0


def configure_reconstruct(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``trial-analysis reconstruct``."""
    parser.add_argument("trial", metavar="TRIAL", help="a file, my-trial.toml, or a name of the reported data")
    parser.add_argument("--comparison", metavar="ID", help="which of its comparisons, if it has several")
    parser.add_argument("--relax", action="append", default=[], metavar="NUMBER", help="need not be met (repeatable)")
    parser.add_argument("--members", type=int, default=200, help="data sets (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the curves (or PDF, SVG)")
    parser.add_argument("--csv", type=Path, metavar="CSV", help="write the patients of all members")
    parser.add_argument("--adtte", type=Path, metavar="CSV", help="write one member as CDISC ADTTE, marked synthetic")
    parser.add_argument("--member", type=int, default=0, help="the member for --adtte (default: %(default)s)")
    parser.set_defaults(run=reconstruct_command)


def reconstruct_command(parsed: argparse.Namespace) -> int:
    """Reconstruct a comparison, print what was done, write what was asked for; 1 if a finding is an error."""
    from analysis.reconstruction import adtte, paragraph, reconstruct

    for option in ("plot", "csv", "adtte"):
        path = getattr(parsed, option)
        if path is not None and path.exists():
            raise InvalidValueError(option, str(path), "a file that is not there yet", "name another, or delete it")
    comparison = _comparison(parsed)
    result = reconstruct(comparison, members=parsed.members, rng=parsed.seed, relax=tuple(parsed.relax))
    print(f"{paragraph(result)}\n\n{result.summary().to_string(index=False, float_format='{:.2f}'.format)}")
    for finding in result.findings:
        print(finding)
    if parsed.csv is not None:
        with written_whole(parsed.csv) as draft:
            result.ipd().to_csv(draft, index=False)
        print(f"wrote {parsed.csv}: {result.members} members of {result.arm_index.size} patients")
    if parsed.adtte is not None:
        with written_whole(parsed.adtte) as draft:
            adtte(result, parsed.member, study=Path(parsed.trial).stem.upper()).to_csv(draft, index=False)
        print(f"wrote {parsed.adtte}: member {parsed.member}")
    if parsed.plot is not None:
        _draw(result, parsed.plot)
        print(f"wrote {parsed.plot}")
    return int(any(finding.severity == "error" for finding in result.findings))


def _comparison(parsed: argparse.Namespace) -> ReportedComparison:
    from analysis.reported import load

    path = Path(parsed.trial)
    is_file = path.suffix == ".toml"
    trial = load(path.stem, path.parent) if is_file else load(parsed.trial)
    ids = [comparison.id for comparison in trial.comparisons]
    if parsed.comparison is None and len(ids) != 1:
        raise InvalidValueError("comparison", None, f"one of {', '.join(map(str, ids))}", "say --comparison ID")
    return trial.comparison(parsed.comparison or ids[0])


def _draw(result: Reconstruction, path: Path) -> None:
    from analysis.plots import survival_plot

    annotate = ["hazard ratio", "median"] if len(result.arms) == 2 else ["median"]
    with written_whole(path) as draft:
        survival_plot(result, annotate=annotate).figure.savefig(draft, dpi=200)
