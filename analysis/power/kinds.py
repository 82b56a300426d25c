"""The designs of this room as JSON: their kinds are made known to `analysis.design.to_json` and ``from_json``."""

from __future__ import annotations

from analysis.design.serial import KINDS
from analysis.power.boundaries import AlphaSpending, HaybittlePeto, OBrienFleming, Pocock, WangTsiatis
from analysis.power.futility import BetaSpending, FutilityBounds, NoFutility, NullSpending
from analysis.power.group_sequential import GroupSequentialDesign
from analysis.power.sequential_survival import SequentialSurvivalDesign
from analysis.power.spending import (
    ExponentialSpending,
    HwangShihDeCani,
    KimDeMets,
    LanDeMetsOBrienFleming,
    LanDeMetsPocock,
    UserSpending,
)

SEQUENTIAL_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(GroupSequentialDesign, SequentialSurvivalDesign),
        *(AlphaSpending, WangTsiatis, OBrienFleming, Pocock, HaybittlePeto),
        *(NoFutility, FutilityBounds, BetaSpending, NullSpending),
        *(LanDeMetsOBrienFleming, LanDeMetsPocock, HwangShihDeCani, KimDeMets, ExponentialSpending, UserSpending),
    )
}
KINDS.update(SEQUENTIAL_KINDS)
