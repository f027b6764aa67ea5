"""Helpers of tests about charging profiles: a clock, schedules, and what was sent."""

from datetime import UTC, datetime
from typing import Any

from .charger import Charger

type Fields = dict[str, Any]

PACKAGE = "custom_components.ev_charger_hub"

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""A Friday; eleven o'clock in Berlin."""

DAY_AND_NIGHT = [{"start": "22:00", "limit": 16}, {"start": "06:00", "limit": 6}]
ONE = [{"start": 0, "limit": 8}]


def sent(charger: Charger) -> Fields:
    """Return the one profile that a charger was sent, and where it is for."""
    (call,) = charger.received
    assert call.action == "SetChargingProfile"
    return call.payload


def periods(charger: Charger) -> list[tuple[int, float]]:
    """Return start and limit of the periods that a charger was sent last."""
    profile = charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    return [
        (one["startPeriod"], one["limit"])
        for one in profile["chargingSchedule"]["chargingSchedulePeriod"]
    ]


def start(charger: Charger) -> str:
    """Return the start of the schedule that a charger was sent last."""
    profile = charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    text: str = profile["chargingSchedule"]["startSchedule"]
    return text


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        """Show NOW."""
        self.now = NOW

    def __call__(self) -> datetime:
        """Return what it shows."""
        return self.now
