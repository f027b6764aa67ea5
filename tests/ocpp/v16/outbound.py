"""A 1.6 charger that exists only as answers to our calls, and what it was asked."""

from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, override

import ocpp.v16

from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.ocpp.v16.setup import Setup
from custom_components.ev_charger_hub.station.link import Limit
from tests.ocpp.answering import AnsweringCharger, load_schema

SCHEMAS = Path(ocpp.v16.__file__).parent / "schemas"

TEN = Limit(value=Decimal(10))
SIXTEEN = Limit(value=Decimal(16))
ENERGY = "Energy.Active.Import.Register"


class Charger(AnsweringCharger):
    """A charger with configuration keys and charging profiles."""

    def __init__(self, **settings: Any) -> None:
        """Create a charger that does all it is asked for."""
        self.keys: dict[str, tuple[str | None, bool]] = {
            "NumberOfConnectors": ("1", True),
            "SupportedFeatureProfiles": ("Core,SmartCharging,RemoteTrigger", True),
            "MeterValuesSampledData": ("Energy.Active.Import.Register", False),
            "MeterValueSampleInterval": ("60", False),
            "ClockAlignedDataInterval": ("0", False),
            "ChargeProfileMaxStackLevel": ("5", True),
            "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", True),
        }
        super().__init__(**settings)
        self.handlers = {
            "ChangeConfiguration": self.change_configuration,
            "ClearChargingProfile": self._clear_charging_profile,
            "GetCompositeSchedule": self._get_composite_schedule,
            "GetConfiguration": self.get_configuration,
            "SetChargingProfile": self._set_charging_profile,
        }

    @override
    def connect_link(self) -> None:
        """Make the link, and its set-up."""
        self.link = V16Link(self.context)
        self.station.links = [self.link]
        self.setup = Setup(self.context, self.link)

    @override
    def schema(self, action: str) -> dict[str, Any]:
        """Return the official schema of a call."""
        return load_schema(SCHEMAS / f"{action}.json")

    def profiles_sent(self) -> list[dict[str, Any]]:
        """Return the profiles of all SetChargingProfile calls."""
        return [one["csChargingProfiles"] for one in self.sent("SetChargingProfile")]

    async def learn(self) -> None:
        """Let the link know the configuration, and forget that it asked."""
        await self.link.get_configuration([])
        self.calls.clear()

    def get_configuration(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer with the keys asked for."""
        asked = payload.get("key", list(self.keys))
        entries = [
            {"key": key, "readonly": self.keys[key][1]}
            | ({} if (value := self.keys[key][0]) is None else {"value": value})
            for key in asked
            if key in self.keys
        ]
        unknown = [key for key in asked if key not in self.keys]
        return {"configurationKey": entries, "unknownKey": unknown}

    def change_configuration(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take any value of a key that is not read-only."""
        _, readonly = self.keys.get(payload["key"], (None, True))
        if payload["key"] not in self.keys:
            return {"status": "NotSupported"}
        if readonly:
            return {"status": "Rejected"}
        self.keys[payload["key"]] = (payload["value"], False)
        return {"status": "Accepted"}

    def _set_charging_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        profile = payload["csChargingProfiles"]
        if profile["chargingProfilePurpose"] in self.refused_purposes:
            return {"status": "Rejected"}
        self.profiles[profile["chargingProfileId"]] = (payload["connectorId"], profile)
        return {"status": "Accepted"}

    def _clear_charging_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        known = self.profiles.pop(payload["id"], None)
        return {"status": "Accepted" if known else "Unknown"}

    def _get_composite_schedule(self, payload: dict[str, Any]) -> dict[str, Any]:
        connector = payload["connectorId"]
        by_purpose: dict[str, float] = {}
        unit = "A"
        for where, profile in self.profiles.values():
            schedule = profile["chargingSchedule"]
            if where in {0, connector}:
                limit = schedule["chargingSchedulePeriod"][0]["limit"]
                by_purpose[profile["chargingProfilePurpose"]] = limit
                unit = schedule["chargingRateUnit"]
        if "TxProfile" in by_purpose:
            by_purpose.pop("TxDefaultProfile", None)
        if not by_purpose:
            return {"status": "Accepted", "connectorId": connector}
        period = {"startPeriod": 0, "limit": min(by_purpose.values())}
        schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": [period]}
        return {
            "status": "Accepted",
            "connectorId": connector,
            "chargingSchedule": schedule,
        }


async def ready(**settings: Any) -> Charger:
    """Return a charger whose configuration is known."""
    charger = Charger(**settings)
    await charger.learn()
    return charger


def purposes(charger: Charger) -> list[str]:
    """Return the purposes of all profiles sent."""
    return [profile["chargingProfilePurpose"] for profile in charger.profiles_sent()]


def ladder(charger: Charger) -> list[str]:
    """Return the purposes that were tried one after the other, in however many ways."""
    return [purpose for purpose, _ in groupby(purposes(charger))]


def amounts(charger: Charger) -> list[float]:
    """Return the limits of all profiles sent."""
    return [
        profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for profile in charger.profiles_sent()
    ]


def composite(limit: float | None, unit: str = "A") -> dict[str, Any]:
    """Return a composite schedule with a limit, or none."""
    periods = [] if limit is None else [{"startPeriod": 0, "limit": limit}]
    schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}


async def set_up(charger: Charger) -> dict[str, str]:
    """Run set-up to its end and return the findings."""
    charger.calls.clear()
    charger.setup.start()
    await charger.settle()
    return charger.station.findings


def written(charger: Charger) -> dict[str, list[str]]:
    """Return the values written to each configuration key."""
    values: dict[str, list[str]] = {}
    for payload in charger.sent("ChangeConfiguration"):
        values.setdefault(payload["key"], []).append(payload["value"])
    return values


def sampled(charger: Charger) -> list[str]:
    """Return the measurands that the charger samples."""
    return (charger.keys["MeterValuesSampledData"][0] or "").split(",")
