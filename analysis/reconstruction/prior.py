"""What curves of earlier trials look like: the Gaussian prior on shapes, and its parameter file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.conventions.border import border
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError
from analysis.reconstruction.algebra import positive_part

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = NDArray[np.float64]

SHAPE_EDGES = np.array(
    [0, 0.05, 0.1, 0.16, 0.22, 0.29, 0.37, 0.46, 0.56, 0.67, 0.79, 0.92, 1.06, 1.22, 1.4, 1.65, 2, 2.5, 3.2, 4.2, 6.0]
)
FOLLOW_UP_EDGES = np.array(
    [0, 0.05, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.32, 1.46, 1.65, 1.9, 2.2, 2.7]
)


@dataclass(frozen=True)
class PairPrior:
    """Log hazards of two arms of one trial, in units of a time of the trial's own.

    The half-sum and half-difference of the arms' log hazards are independent Gaussians on the intervals
    between ``edges`` (the last interval is open): ``shared`` and ``difference`` are their covariances. Trials in
    which that time is long have other shapes: the mean is ``mean + trend * (log time - centre)``, time in months.
    """

    edges: Array
    mean: Array
    trend: Array
    centre: float
    shared: Array
    difference: Array

    def covariance(self, arms: int) -> Array:
        """Joint covariance of the log hazards of ``arms`` arms, shape (arms * J, arms * J).

        Each arm is what the trial shares plus a part of its own, of covariance ``2 * difference``. What a third
        arm shares is ``shared - difference`` without the directions in which arms were fitted to move apart.
        """
        between = self.shared - self.difference
        if arms > 2:
            between = positive_part(between[None])[0]
        own = np.kron(np.eye(arms), 2 * self.difference)
        return np.asarray(np.kron(np.ones((arms, arms)), between) + own)


@dataclass(frozen=True)
class EndpointPrior:
    """Shapes of survival and of follow-up for one endpoint.

    ``shape`` is in units of the median survival; ``immature``, of trials in which a median was not reached, in units of
    the median follow-up. ``log_follow_up`` is the mean and the standard deviation, over trials, of the log of the
    median follow-up divided by the median survival.
    """

    shape: PairPrior
    immature: PairPrior
    follow_up: PairPrior
    log_follow_up: tuple[float, float]
    figures: int


@border
@dataclass(frozen=True)
class ShapePrior:
    """The prior by endpoint, with where it came from.

    Examples
    --------
    >>> sorted(ShapePrior.shipped().endpoints)[:2]
    ['DFS', 'OS']
    """

    endpoints: Mapping[str, EndpointPrior]
    provenance: Mapping[str, str]

    def for_endpoint(self, endpoint: str) -> EndpointPrior:
        """Prior of an endpoint; the one of all endpoints together when it has none of its own."""
        return self.endpoints.get(family(endpoint), self.endpoints["default"])

    @staticmethod
    @cache
    def shipped() -> ShapePrior:
        """Load the prior that comes with the package."""
        return _read(files("analysis.reconstruction").joinpath("prior.json").read_text(encoding="utf-8"), "prior.json")

    @classmethod
    def load(cls, path: str | Path) -> ShapePrior:
        """Read a prior from a parameter file written by `save`."""
        return _read(Path(path).read_text(encoding="utf-8"), str(path))

    def save(self, path: str | Path) -> None:
        """Write the prior as a parameter file, five significant digits each."""
        endpoints = {
            name: {
                "figures": prior.figures,
                "log_follow_up": list(prior.log_follow_up),
                "shape": _pair_to_json(prior.shape),
                "immature": _pair_to_json(prior.immature),
                "follow_up": _pair_to_json(prior.follow_up),
            }
            for name, prior in self.endpoints.items()
        }
        text = json.dumps({"provenance": dict(self.provenance), "endpoints": endpoints})
        with written_whole(path) as draft:
            draft.write_text(text + "\n", encoding="utf-8")


FAMILIES = {
    "OS": "OS",
    "PFS": "PFS",
    "TTP": "PFS",
    "TTF": "PFS",
    "RPFS": "PFS",
    "DFS": "DFS",
    "EFS": "DFS",
    "RFS": "DFS",
    "LRR": "DFS",
    "IDFS": "DFS",
    "DMFS": "DFS",
}


def family(endpoint: str) -> str:
    """Name under which the prior keeps an endpoint: ``OS``, ``PFS``, ``DFS`` or ``default``."""
    return FAMILIES.get(endpoint.upper(), "default")


def _pair_to_json(pair: PairPrior) -> dict[str, object]:
    lower = np.tril_indices(pair.mean.size)

    def digits(values: Array) -> list[float]:
        return [float(f"{value:.5g}") for value in values]

    return {
        "edges": digits(pair.edges),
        "mean": digits(pair.mean),
        "trend": digits(pair.trend),
        "centre": digits(np.array([pair.centre])),
        "shared": digits(pair.shared[lower]),
        "difference": digits(pair.difference[lower]),
    }


def _pair_from_json(record: Mapping[str, list[float]]) -> PairPrior:
    size = len(record["edges"])
    lower = np.tril_indices(size)

    def matrix(values: list[float]) -> Array:
        out = np.zeros((size, size))
        out[lower] = values
        return out + np.tril(out, -1).T

    return PairPrior(
        edges=np.array(record["edges"]),
        mean=np.array(record["mean"]),
        trend=np.array(record["trend"]),
        centre=float(record["centre"][0]),
        shared=matrix(record["shared"]),
        difference=matrix(record["difference"]),
    )


def _read(text: str, name: str) -> ShapePrior:
    try:
        content = json.loads(text)
        endpoints = {
            endpoint: EndpointPrior(
                _pair_from_json(record["shape"]),
                _pair_from_json(record["immature"]),
                _pair_from_json(record["follow_up"]),
                (float(record["log_follow_up"][0]), float(record["log_follow_up"][1])),
                int(record["figures"]),
            )
            for endpoint, record in content["endpoints"].items()
        }
        if "default" not in endpoints:
            raise KeyError("default")
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidValueError(
            "prior", f"{name}: {error}", "a parameter file written by ShapePrior.save", "fit the prior again"
        ) from error
    return ShapePrior(endpoints, content["provenance"])
