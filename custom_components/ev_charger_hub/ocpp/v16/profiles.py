"""Charging profiles of OCPP 1.6: pure functions from limits to profiles and back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
import hashlib
from typing import Any

from ...station.enums import RateUnit
from ...station.limits import converted
from ...station.link import Limit

TENTH = Decimal("0.1")


class Purpose(StrEnum):
    """What a charging profile is for (OCPP 1.6 7.11)."""

    TX = "TxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    MAX = "ChargePointMaxProfile"


# Constant per purpose and connector, so that ours replace ours and nobody else's.
_FIRST_ID = {Purpose.MAX: 1000, Purpose.TX_DEFAULT: 2000, Purpose.TX: 3000}


class Standing(StrEnum):
    """How the limit in force stands to the one we want."""

    UNKNOWN = "unknown"
    EQUAL = "equal"
    LOWER = "lower"
    HIGHER = "higher"


@dataclass(kw_only=True, slots=True, frozen=True)
class Rung:
    """One way to make a limit hold: a purpose, an EVSE, a unit and a stack level."""

    purpose: Purpose
    evse_id: int
    unit: RateUnit
    stack_level: int
    phases: int
    transaction_id: int | None = None

    @property
    def connector_id(self) -> int:
        """Return where the profile goes: the whole station's only on connector 0."""
        return 0 if self.purpose is Purpose.MAX else self.evse_id

    @property
    def profile_id(self) -> int:
        """Return the id of the profile."""
        return _FIRST_ID[self.purpose] + self.connector_id

    @property
    def persisted(self) -> bool:
        """Return whether stations write it to flash, which wears out."""
        return self.purpose is not Purpose.TX

    def amount(self, limit: Limit) -> Decimal:
        """Return a limit in our unit with one decimal (7.13), rounded down."""
        value = converted(limit, self.unit, self.phases).value
        return value.quantize(TENTH, ROUND_DOWN)

    def fingerprint(self, limit: Limit) -> str:
        """Return a hash of what the station would keep."""
        said = (self.connector_id, self.amount(limit), self.unit.value)
        text = f"{said} {self.phases} {self.stack_level}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def profile(self, limit: Limit, now: datetime) -> dict[str, Any]:
        """Return the profile that sets a limit at once and without an end."""
        amount = self.amount(limit)
        # 16, not 16.0: some stations read whole numbers only.
        whole = amount == amount.to_integral_value()
        period: dict[str, Any] = {
            "startPeriod": 0,
            "limit": int(amount) if whole else float(amount),
        }
        if self.phases != 3:
            period["numberPhases"] = self.phases
        # Absolute since yesterday, for every purpose: Relative is refused by Easee, by
        # Autel, and for ChargePointMaxProfile by libocpp (2.0.1 K01.FR.38); Absolute
        # without a start is refused by libocpp, too. A start in the past holds at once
        # even if the station's clock is behind or in another time zone.
        start = now - timedelta(days=1)
        profile: dict[str, Any] = {
            "chargingProfileId": self.profile_id,
            "stackLevel": self.stack_level,
            "chargingProfilePurpose": self.purpose.value,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "chargingRateUnit": self.unit.value,
                "chargingSchedulePeriod": [period],
            },
        }
        if self.transaction_id is not None:
            profile["transactionId"] = self.transaction_id
        return profile

    def compare(self, limit: Limit, composite: dict[str, Any]) -> tuple[Standing, str]:
        """Return how a GetCompositeSchedule answer stands to a limit, and what it says.

        Equal is what differs by no more than 0.1 A; no schedule at all, an empty one
        or a negative limit (MicroOcpp) is no limit.
        """
        schedule = composite.get("chargingSchedule")
        if not isinstance(schedule, dict):
            if str(composite.get("status")).lower() != "accepted":
                return Standing.UNKNOWN, "not verified: no schedule"
            return Standing.HIGHER, "in force: no limit"
        if (value := _first_limit(schedule)) is None:
            return Standing.HIGHER, "in force: no limit"
        watt = str(schedule.get("chargingRateUnit", self.unit)).upper() == "W"
        unit = RateUnit.WATT if watt else RateUnit.AMPERE
        told = f"in force: {value.normalize():f} {unit}"
        there = converted(Limit(value=value, unit=unit), RateUnit.AMPERE, self.phases)
        sent = Limit(value=self.amount(limit), unit=self.unit)
        here = converted(sent, RateUnit.AMPERE, self.phases)
        if abs(there.value - here.value) <= TENTH:
            return Standing.EQUAL, told
        lower = there.value < here.value
        return (Standing.LOWER if lower else Standing.HIGHER), told


def profile_id(purpose: Purpose, connector_id: int) -> int:
    """Return the id that our profile of a purpose always has at a connector."""
    return _FIRST_ID[purpose] + connector_id


def _first_limit(schedule: dict[str, Any]) -> Decimal | None:
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list) or not periods or not isinstance(periods[0], dict):
        return None
    value = periods[0].get("limit")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return Decimal(str(value))
