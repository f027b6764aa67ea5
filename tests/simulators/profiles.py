"""Charging profiles for the tests of the virtual station, and what it makes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from .central import PlainCentralSystem

MORNING = datetime(2026, 11, 21, 10, tzinfo=UTC)
"""When the station's clock starts."""


def at(seconds: float) -> str:
    """Return a moment so long after the start of the clock, as OCPP writes it."""
    moment = MORNING + timedelta(seconds=seconds)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def schedule(*limits: tuple[int, float], unit: str = "A", **more: Any) -> Any:
    """Return an absolute schedule of (start in s, limit)."""
    periods = [{"startPeriod": start, "limit": limit} for start, limit in limits]
    return {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
        "startSchedule": at(0),
        **more,
    }


def profile(number: int, purpose: str, *limits: tuple[int, float], **more: Any) -> Any:
    """Return an absolute profile; `level`, `unit` and schedule fields as named."""
    of_profile = {
        name: more.pop(name)
        for name in ("validFrom", "validTo", "transactionId", "recurrencyKind")
        if name in more
    }
    return {
        "chargingProfileId": number,
        "stackLevel": more.pop("level", 0),
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": more.pop("kind", "Absolute"),
        **of_profile,
        "chargingSchedule": schedule(*limits, **more),
    }


def tx(number: int, *limits: tuple[int, float], **more: Any) -> Any:
    """Return a TxProfile."""
    return profile(number, "TxProfile", *limits, **more)


def tx_default(number: int, *limits: tuple[int, float], **more: Any) -> Any:
    """Return a TxDefaultProfile."""
    return profile(number, "TxDefaultProfile", *limits, **more)


def station_max(number: int, *limits: tuple[int, float], **more: Any) -> Any:
    """Return a ChargePointMaxProfile."""
    return profile(number, "ChargePointMaxProfile", *limits, **more)


def relative(one: Any) -> Any:
    """Return a profile as one that starts with the transaction."""
    told = {
        key: value
        for key, value in one["chargingSchedule"].items()
        if key != "startSchedule"
    }
    return one | {"chargingProfileKind": "Relative", "chargingSchedule": told}


async def send(central: PlainCentralSystem, one: Any, connector: int = 1) -> str:
    """Send SetChargingProfile and return the status."""
    answer = await central.ask(
        "SetChargingProfile", connectorId=connector, csChargingProfiles=one
    )
    return str(answer[2]["status"])


async def composite(
    central: PlainCentralSystem, connector: int = 1, duration: int = 60, **more: Any
) -> list[tuple[int, float]]:
    """Return the (start, limit) of a composite schedule."""
    answer = await central.ask(
        "GetCompositeSchedule", connectorId=connector, duration=duration, **more
    )
    assert answer[2]["status"] == "Accepted"
    told = answer[2]["chargingSchedule"]
    assert told["duration"] == duration
    return [
        (period["startPeriod"], period["limit"])
        for period in told["chargingSchedulePeriod"]
    ]


async def charge(station: Any, central: PlainCentralSystem, connector: int = 1) -> None:
    """Plug a vehicle in and start a transaction whose number the station knows."""
    await station.plug_in(connector)
    assert await station.swipe(f"TAG{connector}", connector)
    await station.settle()
