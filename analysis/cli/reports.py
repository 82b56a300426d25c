"""``trial-analysis new``, ``check``, ``reconstruct``: from a report of one's own to a picture, files, a paragraph."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.data import print_review
from analysis.cli.shell import Json, command, not_there_yet, print_json
from analysis.cli.templates import PLAN, REPORT
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from analysis.reconstruction.result import Reconstruction
    from analysis.reported import ReportedComparison


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "new", examples=["new my-trial", "new my-design --design"])(new)
    command(app, "check", examples=["check my-trial.toml", "check my-design.toml"])(check)
    examples = ["reconstruct my-trial.toml --plot curves.png", "reconstruct bolero-2 --comparison pfs-first-line-local"]
    command(app, "reconstruct", examples=examples)(reconstruct)


def new(
    name: Annotated[str, typer.Argument(help="Name of the trial: NAME.toml is written.")],
    design: Annotated[bool, typer.Option("--design", help="A planned trial, for `power`, not a report.")] = False,
) -> int:
    """Write a report or a plan to fill in."""
    path = Path(f"{name.removesuffix('.toml')}.toml")
    not_there_yet(name=path)
    with written_whole(path) as draft:
        draft.write_text((PLAN if design else REPORT).format(name=path.stem), encoding="utf-8")
    then = f"power {path}" if design else f"reconstruct {path} --plot {path.stem}.png"
    print(f"wrote {path}; fill it in, then: trial-analysis {then}")
    return 0


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A report or a planned trial, as `new` writes them.")],
) -> int:
    """Say what is wrong with a report or a plan.

    1 if it cannot be read, or a new finding is an error.
    """
    from analysis.planning import read_plan
    from analysis.reported.files import read_toml, read_trial
    from analysis.reported.findings import review

    if {"design", "single_arm"} & set(read_toml(file)):
        print(f"{file}: in order\n{read_plan(file).protocol_text()}")
        return 0
    trial = read_trial(file)
    reviewed = review(trial)
    print_review(trial.name, reviewed)
    number = len(trial.comparisons)
    compared = f"{number} comparison{'' if number == 1 else 's'}"
    print(f"{file}: {compared}; {'in order' if reviewed.passed else 'NOT in order'}")
    return int(not reviewed.passed)


def reconstruct(
    trial: Annotated[str, typer.Argument(help="A file, my-trial.toml, or a name of the reported data.")],
    comparison: Annotated[str | None, typer.Option(metavar="ID", help="Which, if there are several.")] = None,
    together: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="ID", help="Another of the same patients, to be met as well (repeatable)."),
    ] = None,
    relax: Annotated[list[str] | None, typer.Option(metavar="NUMBER", help="Need not be met (repeatable).")] = None,
    members: Annotated[int, typer.Option(help="Data sets.")] = 200,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    plot: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw the curves (or PDF, SVG).")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="CSV", help="Write the patients of all members.")] = None,
    adtte: Annotated[Path | None, typer.Option(metavar="FILE", help="One member as CDISC ADTTE: CSV or XPT.")] = None,
    member: Annotated[int, typer.Option(help="The member for --adtte.")] = 0,
    table: Annotated[Path | None, typer.Option(metavar="FILE", help="The table: HTML, TEX, RTF or CSV.")] = None,
    save: Annotated[Path | None, typer.Option(metavar="NPZ", help="Everything, to read back in Python.")] = None,
    as_json: Json = False,
) -> int:
    """Reconstruct curves and patients from a report.

    Prints a paragraph for the methods section and a table, writes the files asked for. 1 if a finding is an error.
    """
    from analysis.conventions import to_file
    from analysis.reconstruction import adtte as as_adtte
    from analysis.reconstruction import paragraph, write_adtte
    from analysis.reconstruction import reconstruct as reconstruct_report

    not_there_yet(plot=plot, csv=csv, adtte=adtte, table=table, save=save)
    chosen = _comparison(trial, comparison)
    if together:
        others = [_comparison(trial, id) for id in together]
        joint = reconstruct_report(
            [chosen, *others], members=members, rng=seed, relax={str(chosen.id): tuple(relax)} if relax else {}
        )
        result = joint.analyses[str(chosen.id)]
    else:
        result = reconstruct_report(chosen, members=members, rng=seed, relax=tuple(relax or ()))
    wrote = []
    if csv is not None:
        with written_whole(csv) as draft:
            result.ipd().to_csv(draft, index=False)
        wrote.append(f"{csv}: {result.members} members of {result.arm_index.size} patients")
    if adtte is not None:
        write_adtte(as_adtte(result, member, study=Path(trial).stem.upper()), adtte)
        wrote.append(f"{adtte}: member {member}")
    if table is not None:
        wrote.append(str(_table(result, table)))
    if save is not None:
        wrote.append(f"{to_file(result, save)}: read it back with analysis.conventions.from_file")
    if plot is not None:
        _draw(result, plot)
        wrote.append(str(plot))
    if as_json:
        findings = [str(finding) for finding in result.findings]
        tables = {"summary": result.summary(), "fidelity": result.fidelity()}
        print_json(paragraph=paragraph(result), **tables, findings=findings, wrote=wrote)
    else:
        print(f"{paragraph(result)}\n\n{result.shown().to_string(index=False)}")
        print(*(str(finding) for finding in result.findings), *(f"wrote {file}" for file in wrote), sep="\n")
    return int(any(finding.severity == "error" for finding in result.findings))


def _comparison(name: str, id: str | None) -> "ReportedComparison":
    from analysis.reported import load

    path = Path(name)
    trial = load(path.stem, path.parent) if path.suffix == ".toml" else load(name)
    ids = [comparison.id for comparison in trial.comparisons]
    if id is None and len(ids) != 1:
        raise InvalidValueError("comparison", None, f"one of {', '.join(map(str, ids))}", "say --comparison ID")
    return trial.comparison(id or ids[0])


def _table(result: "Reconstruction", path: Path) -> Path:
    from analysis.reconstruction import paragraph
    from analysis.tables import DeliveredTable

    of = result.comparison
    notes = (f"Medians over {result.members} members and their central 90%.", paragraph(result))
    return DeliveredTable(f"{of.endpoint}, as reported and as reconstructed", result.shown(), notes=notes).save(path)


def _draw(result: "Reconstruction", path: Path) -> None:
    from analysis.plots import survival_plot

    annotate = ["hazard ratio", "median"] if len(result.arms) == 2 else ["median"]
    with written_whole(path) as draft:
        survival_plot(result, annotate=annotate).figure.savefig(draft, dpi=200)
