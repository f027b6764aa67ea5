"""Charging profiles for tests, which name only what matters to them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Installed,
    Kind,
    Period,
    Purpose,
    Schedule,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = 3600
DAY = 24 * HOUR
OF_SCHEDULE = {"unit", "periods", "start", "duration", "minimum_rate", "use_local_time"}


def after(seconds: float) -> datetime:
    """Return the moment that many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def period(limit: str, start: int = 0, phases: int | None = None) -> Period:
    """Return a period that chooses no phase."""
    return Period(start=start, limit=Decimal(limit), phases=phases)


def profile(*periods: Period | str, **changes: Any) -> ChargingProfile:
    """Return a TxDefaultProfile from noon on, absolute and of 16 A, changed as named.

    A text stands for a period that starts at once.
    """
    relative = changes.get("kind") is Kind.RELATIVE
    schedule = Schedule(
        unit=RateUnit.AMPERE,
        periods=tuple(
            period(one) if isinstance(one, str) else one for one in periods or ("16",)
        ),
        start=None if relative else NOON,
    )
    of_schedule = {name: changes.pop(name) for name in OF_SCHEDULE & set(changes)}
    plain = ChargingProfile(
        id=1,
        purpose=Purpose.TX_DEFAULT,
        kind=Kind.ABSOLUTE,
        stack_level=0,
        schedule=replace(schedule, **of_schedule),
    )
    return replace(plain, **changes)


def installed(
    *periods: Period | str,
    evse_id: int = 1,
    set_at: datetime = NOON,
    **changes: Any,
) -> Installed:
    """Return such a profile at an EVSE, where it was put at noon."""
    return Installed(
        evse_id=evse_id, profile=profile(*periods, **changes), set_at=set_at
    )
