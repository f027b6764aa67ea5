"""Learnt: what a charger turned out to accept, kept for its firmware."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from ..enums import RateUnit
from ..model import ChargingStation
from ..profiles.model import Kind, Purpose

type Charger = tuple[str | None, ...]
"""Vendor, model, firmware and OCPP version."""


class Verdict(StrEnum):
    """What became of the profiles of one purpose."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    IGNORED = "ignored"
    """Accepted, but not followed."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Learnt:
    """What is known of a charger by trying; None where nothing was tried yet.

    `unit`, `kind` and `stack_level` are what it accepted, the last only if it is not
    what the charger says that it supports. `decimals`: whether limits may have a
    tenth; `durations`: whether schedules may end; `dynamic`: whether a TxProfile may be
    dynamic (2.1); `tx_default_caps`: whether a
    TxDefaultProfile keeps a TxProfile down (Easee, row S6); `replaces_by_clearing`:
    whether a TxProfile is accepted only once the one before it is cleared (row S3).
    """

    charger: Charger = (None, None, None)
    purposes: Mapping[Purpose, Verdict] = field(default_factory=dict)
    unit: RateUnit | None = None
    decimals: bool | None = None
    kind: Kind | None = None
    stack_level: int | None = None
    durations: bool | None = None
    dynamic: bool | None = None
    composite: bool | None = None
    tx_default_caps: bool | None = None
    zero_ends_transaction: bool | None = None
    replaces_by_clearing: bool | None = None

    def of(self, purpose: Purpose, verdict: Verdict) -> Self:
        """Return the same with the verdict about a purpose."""
        return replace(self, purposes={**self.purposes, purpose: verdict})

    def useless(self, purpose: Purpose) -> bool:
        """Return whether profiles of a purpose are known not to work."""
        return self.purposes.get(purpose) in {Verdict.REFUSED, Verdict.IGNORED}

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON, for the journal and for diagnostics."""
        return {
            "charger": list(self.charger),
            "purposes": {one.value: it.value for one, it in self.purposes.items()},
            **{name: getattr(self, name) for name in _PLAIN},
        }


_PLAIN = (
    "unit",
    "decimals",
    "kind",
    "stack_level",
    "durations",
    "dynamic",
    "composite",
    "tx_default_caps",
    "zero_ends_transaction",
    "replaces_by_clearing",
)


def charger_of(station: ChargingStation) -> Charger:
    """Return what the learnt is kept for."""
    info = station.info.value
    return info.vendor, info.model, info.firmware, station.version.value


def recalled(kept: Any, charger: Charger) -> Learnt:
    """Return what was kept of this very charger and firmware, else nothing."""
    try:
        if tuple(kept["charger"]) != charger:
            return Learnt(charger=charger)
        return Learnt(
            charger=charger,
            purposes={
                Purpose(one): Verdict(it) for one, it in kept["purposes"].items()
            },
            unit=_optional(RateUnit, kept.get("unit")),
            kind=_optional(Kind, kept.get("kind")),
            stack_level=_optional(int, kept.get("stack_level")),
            **{name: _optional(bool, kept.get(name)) for name in _FLAGS},
        )
    except AttributeError, KeyError, TypeError, ValueError:
        return Learnt(charger=charger)


_FLAGS = (
    "decimals",
    "durations",
    "dynamic",
    "composite",
    "tx_default_caps",
    "zero_ends_transaction",
    "replaces_by_clearing",
)


def _optional[T](read: type[T], raw: Any) -> T | None:
    return None if raw is None else read(raw)  # type: ignore[call-arg]
