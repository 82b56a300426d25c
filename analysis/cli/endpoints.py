"""``trial-analysis endpoints``: the endpoints of a study's folder, as tables, findings and explanations by subject."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``trial-analysis endpoints``."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="has TR or RS, ADSL or DM: XPT, SAS7BDAT, CSV ..")
    parser.add_argument(
        "--protocol", type=Path, metavar="TOML", help="windows, confirmation, censoring of the protocol"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write adrs, adtte, findings, summary and subjects here"
    )
    parser.set_defaults(run=endpoints_command)


def endpoints_command(parsed: argparse.Namespace) -> int:
    """Derive, print the summary and the findings by rule, write what was asked for; 1 if an error left somebody out."""
    from analysis.endpoints.protocol import Protocol
    from analysis.endpoints.study import read_study
    from analysis.records.findings import as_frame

    protocol = Protocol.read(parsed.protocol) if parsed.protocol else Protocol()
    derived = read_study(parsed.folder).derive(protocol)
    print(f"{derived.name}, {protocol.criteria}\n")
    if derived.measured is not None or derived.recorded:
        print(derived.summary().to_string(index=False, float_format="{:.1f}".format, na_rep=""))
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
    if parsed.out is not None:
        for path in derived.write(parsed.out):
            print(f"wrote {path}")
    return int(any(found.severity == "error" for found in derived.findings))
