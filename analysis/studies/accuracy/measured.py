"""How well the reconstruction did on figures whose patients are known: the measured results, as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import AnalysisError

RESULTS = Path(__file__).parent / "results"
TIERS = ("summary", "rates", "risk", "curve")
LEVELS = (50, 80, 90, 95)
MEASURES = {
    "figures": "figures",
    "iae_median": "IAE, median",
    "iae_p90": "IAE, 90th percentile",
    "drmst_median": "dRMST, median (months)",
    "drmst_p90": "dRMST, 90th percentile (months)",
    "s12_median": "S12 error, median",
    "s12_p90": "S12 error, 90th percentile",
    "fidelity": "members that give every number back",
    "seconds_median": "seconds per reconstruction",
    "failures": "failures",
}


class NotMeasuredError(AnalysisError):
    """Results that were asked for and have not been measured; says how to measure them."""


def by_tier() -> pd.DataFrame:
    """Accuracy by what was known, over the figures in which both arms reached their median; one column a tier."""
    return _table({tier: measured(tier) for tier in TIERS})


def not_reached() -> pd.DataFrame:
    """Accuracy over the figures in which an arm did not reach its median."""
    return _table({tier: measured(tier)["not_reached"] for tier in TIERS})


def baselines(tier: str = "summary") -> pd.DataFrame:
    """Accuracy of simple curves through the same printed numbers, beside this library's."""
    result = measured(tier)
    errors = [name for name in MEASURES if name.startswith(("iae", "drmst", "s12"))]
    return _table({"this library": result} | result["baselines"]).loc[[MEASURES[name] for name in errors]]


def calibration() -> pd.DataFrame:
    """Share of times at which the pointwise band covers the real Kaplan-Meier curve; one row a nominal level."""
    covered = {tier: [measured(tier)[f"coverage_{level}"] for level in LEVELS] for tier in TIERS}
    return pd.DataFrame(covered, index=pd.Index([f"{level}%" for level in LEVELS], name="band"))


def by_endpoint() -> pd.DataFrame:
    """Median errors by tier and endpoint, over all figures; endpoints with fewer than five figures are left out."""
    errors = scores()
    counted = errors.groupby("endpoint")["id"].nunique()
    errors = errors[errors["endpoint"].isin(counted.index[counted >= 5])]
    grouped = errors.groupby(["tier", "endpoint"], sort=False)
    table = grouped.agg(figures=("id", "nunique"), iae=("iae", "median"), drmst=("drmst", "median"))
    return table.assign(band_90_covers=grouped["coverage_90"].mean())


def worst(tier: str, count: int) -> pd.DataFrame:
    """List the figures with the largest integrated error at a tier."""
    errors = scores()
    columns = ["id", "endpoint", "medians_reached", "iae", "drmst", "s12", "coverage_90"]
    return errors[errors["tier"] == tier].nlargest(count, "iae")[columns].reset_index(drop=True)


def scores() -> pd.DataFrame:
    """Errors of every figure at every tier, one row each, as the benchmark wrote them."""
    frames = [pd.read_csv(_file(tier, "csv")).assign(tier=tier) for tier in TIERS]
    return pd.concat(frames, ignore_index=True)


def measured(tier: str) -> dict[str, Any]:
    """Read the benchmark's result of a tier."""
    result: dict[str, Any] = json.loads(_file(tier, "json").read_text(encoding="utf-8"))
    return result


def _table(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    columns = {name: [result[key] for key in MEASURES] for name, result in results.items()}
    return pd.DataFrame(columns, index=pd.Index(MEASURES.values(), name="measure"))


def _file(tier: str, suffix: str) -> Path:
    path = RESULTS / f"reconstruction-{tier}.{suffix}"
    if not path.exists():
        raise NotMeasuredError(
            f"{path.name}: no measured result; expected in {RESULTS.parent.name}/{RESULTS.name}; "
            f"run benchmarks/reconstruction.py --tier {tier} of a checkout"
        )
    return path
