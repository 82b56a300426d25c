"""``trial-analysis endpoints``: the endpoints of a study's folder, as tables, findings and explanations by subject."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.shell import command

Toml = Annotated[
    Path | None,
    typer.Option(metavar="TOML", help="Criteria, confirmation, censoring, landmarks, doses of the protocol."),
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write adrs, adtte, findings, summary, subjects here.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "endpoints", examples=["endpoints delivery --protocol protocol.toml --out derived"])(endpoints)


def endpoints(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Has TR or RS, ADSL or DM: XPT, SAS7BDAT, CSV ..")],
    protocol: Toml = None,
    out: Out = None,
) -> int:
    """Derive the endpoints of a study's folder.

    Prints summary and findings, writes tables and explanations by subject. 1 if an error left somebody out.
    """
    from analysis.endpoints.protocol import Protocol
    from analysis.endpoints.study import read_study
    from analysis.records.findings import as_frame

    of_protocol = Protocol.read(protocol) if protocol else Protocol()
    derived = read_study(folder).derive(of_protocol)
    print(f"{derived.name}, {of_protocol.criteria}\n")
    if derived.measured is not None or derived.recorded:
        summary = derived.summary().fillna({"category": ""})
        print(summary.to_string(index=False, float_format="{:.1f}".format, na_rep=""))
    if derived.adverse_events is not None:
        worst = derived.adverse_events.worst_grades()
        print(f"\nTreatment-emergent adverse events, patients by worst grade\n{worst.head(20).to_string(index=False)}")
    if derived.exposure is not None:
        print(f"\nExposure\n{derived.exposure.summary().T.to_string(header=False)}")
    if derived.quality_of_life is not None:
        change = derived.quality_of_life.change().to_string(index=False, float_format="{:.1f}".format, na_rep="")
        print(f"\nGlobal health status (QLQ-C30), change from baseline\n{change}")
    findings = as_frame(derived.findings)
    if len(findings):
        by_rule = findings.groupby(["severity", "rule"]).agg(times=("rule", "size"), subjects=("subject", "nunique"))
        print(f"\n{by_rule.reset_index().to_string(index=False)}")
    if out is not None:
        for path in derived.write(out):
            print(f"wrote {path}")
    return int(any(found.severity == "error" for found in derived.findings))
