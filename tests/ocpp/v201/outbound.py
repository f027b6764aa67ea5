"""A 2.x charger that exists only as answers to our calls, and what it was asked."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, override

import ocpp.v21
import ocpp.v201

from custom_components.ev_charger_hub.ocpp.errors import CallError, ErrorCode
from custom_components.ev_charger_hub.ocpp.rpc import Reply
from custom_components.ev_charger_hub.ocpp.v201.link import V201Link
from custom_components.ev_charger_hub.ocpp.v201.names import parse_name, read_name
from custom_components.ev_charger_hub.ocpp.v201.reports import Reports
from custom_components.ev_charger_hub.ocpp.v201.setup import Setup
from custom_components.ev_charger_hub.station.authorization import Bearer, Verdict
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from tests.ocpp.answering import AnsweringCharger, load_schema

FOLDERS = {
    "2.0.1": Path(ocpp.v201.__file__).parent / "schemas",
    "2.1": Path(ocpp.v21.__file__).parent / "schemas",
}
OWN_TOKEN = "home assistant"
AT = "2026-11-20T10:00:00Z"
REGISTER = "Energy.Active.Import.Register"
TOO_MANY = CallError(ErrorCode.OCCURRENCE, "OccurenceConstraintViolation", "")
VARIABLES: dict[str, str | None] = {
    "AlignedDataCtrlr.Interval": "0",
    "AlignedDataCtrlr.Measurands": REGISTER,
    "ChargingStation.Model": "M",
    "Connector#1/1.ConnectorType": "sType2",
    "EVSE#1.Power": "0",
    "LocalAuthListCtrlr.Available": "true",
    "LocalAuthListCtrlr.Enabled": "true",
    "OCPPCommCtrlr.HeartbeatInterval": "300",
    "SampledDataCtrlr.TxEndedMeasurands": REGISTER,
    "SampledDataCtrlr.TxStartedMeasurands": REGISTER,
    "SampledDataCtrlr.TxUpdatedInterval": "60",
    "SampledDataCtrlr.TxUpdatedMeasurands": REGISTER,
    "SmartChargingCtrlr.Available": "true",
    "SmartChargingCtrlr.Enabled": "true",
    "SmartChargingCtrlr.PeriodsPerSchedule": "24",
    "SmartChargingCtrlr.ProfileStackLevel": "9",
    "SmartChargingCtrlr.RateUnit": "A,W",
}


class Owner:
    """Knows which token is our own."""

    def bearer(self, identity: str, id_token: str) -> Bearer:
        """Return who stands behind a token."""
        return Bearer(nobody=id_token == OWN_TOKEN)

    def authorize(
        self, identity: str, id_token: str, evse_id: int | None = None
    ) -> Verdict:
        """Return that everybody may charge."""
        return Verdict(status=AuthorizationStatus.ACCEPTED)


class Charger(AnsweringCharger):
    """A charger with variables and charging profiles."""

    authorizer = Owner()

    def __init__(self, version: str = "2.0.1", **settings: Any) -> None:
        """Create a charger that does all it is asked for."""
        self.variables: dict[str, str | None] = dict(VARIABLES)
        self.readonly: set[str] = set()
        self.described: dict[str, dict[str, Any]] = {}
        """The characteristics of variables."""
        self.parts = 2
        """In how many parts a report comes."""
        self.lost: set[int] = set()
        """The parts of a report that never come."""
        self.limits: dict[str, int] = {}
        """How many variables a message may ask for, by action."""
        self.requests: list[int] = []
        super().__init__(**settings)
        self.station.version.set(version)
        self.handlers = {
            "ClearChargingProfile": self._clear_charging_profile,
            "GetBaseReport": self._get_base_report,
            "GetChargingProfiles": self._get_charging_profiles,
            "GetVariables": self._get_variables,
            "SetChargingProfile": self._set_charging_profile,
            "SetVariables": self._set_variables,
        }

    @override
    def connect_link(self) -> None:
        """Make the link, and its set-up."""
        self.reports = Reports(self.context, self.time.call_later)
        self.link = V201Link(self.context, self.reports)
        self.station.links = [self.link]
        self.setup = Setup(self.context, self.link)

    @override
    def schema(self, action: str) -> dict[str, Any]:
        """Return the official schema of a call."""
        version = self.station.version.value or ""
        return load_schema(FOLDERS[version] / f"{action}Request.json")

    async def learn(self) -> None:
        """Let the link know all variables, and forget that it asked."""
        await self.link.get_configuration([])
        self.calls.clear()

    def reported(self) -> list[dict[str, Any]]:
        """Return what a full inventory tells."""
        return [self._entry(key) for key in self.variables]

    def _entry(self, key: str) -> dict[str, Any]:
        name = parse_name(key)
        assert name is not None
        attribute: dict[str, Any] = {"type": "Actual", "mutability": "ReadWrite"}
        if (value := self.variables[key]) is not None:
            attribute["value"] = value
        if key in self.readonly:
            attribute["mutability"] = "ReadOnly"
        characteristics = {"dataType": "string", "supportsMonitoring": False}
        characteristics |= self.described.get(key, {})
        return {
            **name.payload,
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }

    def _get_base_report(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.report(payload["requestId"], self.reported())
        return {"status": "Accepted"}

    def report(self, request_id: int, entries: list[dict[str, Any]]) -> None:
        """Send a report in parts, the last one first of all."""
        self.requests.append(request_id)
        size = -(-len(entries) // self.parts)
        for number in reversed(range(self.parts)):
            part = {
                "requestId": request_id,
                "generatedAt": AT,
                "seqNo": number,
                "tbc": number + 1 < self.parts,
                "reportData": entries[number * size : (number + 1) * size],
            }
            if number not in self.lost:
                hear = self.reports.notify_report
                _deliver_soon(hear, part)

    def _get_variables(self, payload: dict[str, Any]) -> Any:
        asked = payload["getVariableData"]
        if len(asked) > self.limits.get("GetVariables", 100):
            raise TOO_MANY
        results = [self._result(one) for one in asked]
        return {"getVariableResult": _sorted(results)}

    def _result(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = read_name(asked)
        answer = {"component": asked["component"], "variable": asked["variable"]}
        if (value := self.variables.get(str(name), "")) is None:
            return {**answer, "attributeStatus": "Rejected"}
        if str(name) not in self.variables:
            return {**answer, "attributeStatus": "UnknownVariable"}
        return {**answer, "attributeStatus": "Accepted", "attributeValue": value}

    def _set_variables(self, payload: dict[str, Any]) -> dict[str, Any]:
        if len(payload["setVariableData"]) > self.limits.get("SetVariables", 100):
            raise TOO_MANY
        results = []
        for one in payload["setVariableData"]:
            key, status = str(read_name(one)), "Accepted"
            if key not in self.variables:
                status = "UnknownVariable"
            elif key in self.readonly:
                status = "Rejected"
            else:
                self.variables[key] = one["attributeValue"]
            answer = {"component": one["component"], "variable": one["variable"]}
            results.append({**answer, "attributeStatus": status})
        return {"setVariableResult": _sorted(results)}

    def _set_charging_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        profile = payload["chargingProfile"]
        self.profiles[profile["id"]] = (payload["evseId"], profile)
        return {"status": "Accepted"}

    def _clear_charging_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        criteria = payload.get("chargingProfileCriteria", {})
        purpose = criteria.get("chargingProfilePurpose")
        gone = [
            number
            for number, (_, profile) in self.profiles.items()
            if payload.get("chargingProfileId") in {None, number}
            and purpose in {None, profile["chargingProfilePurpose"]}
        ]
        for number in gone:
            del self.profiles[number]
        return {"status": "Accepted" if gone else "Unknown"}

    def _get_charging_profiles(self, payload: dict[str, Any]) -> dict[str, Any]:
        if not self.profiles:
            return {"status": "NoProfiles"}
        self.requests.append(payload["requestId"])
        reports = [
            {
                "requestId": payload["requestId"],
                "chargingLimitSource": "CSO",
                "evseId": evse_id,
                "chargingProfile": [profile],
                "tbc": number != [*self.profiles][-1],
            }
            for number, (evse_id, profile) in self.profiles.items()
        ]
        for part, report in enumerate(reports):
            if part not in self.lost:
                hear = self.reports.report_charging_profiles
                _deliver_soon(hear, report)
        return {"status": "Accepted"}


def _deliver_soon(
    hear: Callable[[dict[str, Any]], Reply], payload: dict[str, Any]
) -> None:
    asyncio.get_running_loop().call_soon(hear, payload)


def _sorted(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return results in another order than asked for, as libocpp does."""
    return sorted(results, key=lambda one: str(read_name(one)))


async def ready(version: str = "2.0.1", **settings: Any) -> Charger:
    """Return a charger whose variables are known."""
    charger = Charger(version, **settings)
    await charger.learn()
    return charger


async def set_up(charger: Charger) -> dict[str, str]:
    """Run set-up to its end and return the findings."""
    charger.calls.clear()
    charger.setup.start()
    await charger.settle()
    return charger.station.findings


def written(charger: Charger) -> dict[str, list[str]]:
    """Return the values written to each variable."""
    values: dict[str, list[str]] = {}
    for payload in charger.sent("SetVariables"):
        for one in payload["setVariableData"]:
            values.setdefault(str(read_name(one)), []).append(one["attributeValue"])
    return values
