"""A raw OCPP 2.0.1 or 2.1 charger for tests: frames in, frames out, nothing believed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, override

from .charger import ACCEPTED, Charger, Payload, now

BOOT = {
    "model": "Wall Two",
    "serialNumber": "SN-0002-4711",
    "vendorName": "Acme",
    "firmwareVersion": "2.3.4",
}
ENERGY = "Energy.Active.Import.Register"

type Variables = dict[str, tuple[str, bool]]
"""`Component.Variable` (or `Component#1/1.Variable[instance]`) to value and readonly."""

VARIABLES: Variables = {
    "AlignedDataCtrlr.Interval": ("0", False),
    "AlignedDataCtrlr.Measurands": (ENERGY, False),
    "AuthCtrlr.AuthorizeRemoteStart": ("false", False),
    "AuthCtrlr.Enabled": ("true", False),
    "DeviceDataCtrlr.ItemsPerMessage[GetVariables]": ("20", True),
    "DeviceDataCtrlr.ItemsPerMessage[SetVariables]": ("20", True),
    "OCPPCommCtrlr.HeartbeatInterval": ("300", False),
    "OCPPCommCtrlr.WebSocketPingInterval": ("60", False),
    "SampledDataCtrlr.TxEndedMeasurands": (ENERGY, False),
    "SampledDataCtrlr.TxStartedMeasurands": (ENERGY, False),
    "SampledDataCtrlr.TxUpdatedInterval": ("60", False),
    "SampledDataCtrlr.TxUpdatedMeasurands": (ENERGY, False),
    "SmartChargingCtrlr.Available": ("true", True),
    "SmartChargingCtrlr.Enabled": ("true", False),
    "SmartChargingCtrlr.Entries[ChargingProfiles]": ("8", True),
    "SmartChargingCtrlr.PeriodsPerSchedule": ("24", True),
    "SmartChargingCtrlr.ProfileStackLevel": ("8", True),
    "SmartChargingCtrlr.RateUnit": ("A,W", True),
}


@dataclass(kw_only=True, slots=True)
class Charger2(Charger):
    """One charger of OCPP 2.x; `places` are the connectors of each EVSE."""

    version: str = "2.0.1"
    places: dict[int, int] = field(default_factory=lambda: {1: 1})
    boot_info: Payload = field(default_factory=lambda: dict(BOOT))
    variables: Variables = field(default_factory=lambda: dict(VARIABLES))
    characteristics: dict[str, Payload] = field(default_factory=dict)
    """What reports say of variables beside their value, by name."""
    connector_statuses: dict[tuple[int, int], str] = field(default_factory=dict)

    @override
    async def connect(
        self,
        *,
        protocols: tuple[str, ...] = (),
        headers: Payload | None = None,
    ) -> Charger2:
        """Dial in; raises WSServerHandshakeError when turned away."""
        protocols = protocols or (f"ocpp{self.version}",)
        await Charger.connect(self, protocols=protocols, headers=headers)
        return self

    @override
    async def boot(self, *, reason: str = "PowerUp", **info: Any) -> Payload:
        """Send a BootNotification."""
        self.boot_info |= info
        return await self.call("BootNotification", self._boot_payload(reason))

    async def connector_status(
        self, status: str, evse_id: int = 1, connector_id: int = 1
    ) -> None:
        """Send a StatusNotification."""
        self.connector_statuses[evse_id, connector_id] = status
        payload = self._status_payload(evse_id, connector_id)
        assert await self.call("StatusNotification", payload) == {}

    async def event(
        self,
        kind: str,
        transaction_id: str = "tx-1",
        number: int = 0,
        *,
        state: str | None = None,
        energy: int | None = None,
        trigger: str = "Trigger",
        info: Payload | None = None,
        **more: Any,
    ) -> Payload:
        """Send a TransactionEvent of now; `energy` is what the meter shows, in Wh."""
        told: Payload = {"transactionId": transaction_id} | (info or {})
        if state is not None:
            told["chargingState"] = state
        payload: Payload = {
            "eventType": kind,
            "timestamp": now(),
            "triggerReason": trigger,
            "seqNo": number,
            "transactionInfo": told,
        }
        if energy is not None:
            sample = {"value": float(energy), "measurand": ENERGY}
            value = {"timestamp": payload["timestamp"], "sampledValue": [sample]}
            payload["meterValue"] = [value]
        return await self.call("TransactionEvent", payload | more)

    async def begin(
        self,
        transaction_id: str = "tx-1",
        evse_id: int = 1,
        *,
        token: str | None = "TAG12345",
        energy: int = 1000,
        **more: Any,
    ) -> Payload:
        """Start a transaction that charges at once, and return the answer."""
        if token is not None:
            more["idToken"] = {"idToken": token, "type": "ISO14443"}
        return await self.event(
            "Started",
            transaction_id,
            state="Charging",
            energy=energy,
            evse={"id": evse_id, "connectorId": 1},
            **more,
        )

    @override
    def _default(self, payload: Payload, action: str = "") -> Payload:
        """Return what a good charger says."""
        match action:
            case "GetBaseReport":
                self._report(payload["requestId"])
            case "GetVariables":
                found = [self._get_variable(one) for one in payload["getVariableData"]]
                return {"getVariableResult": found}
            case "SetVariables":
                done = [self._set_variable(one) for one in payload["setVariableData"]]
                return {"setVariableResult": done}
            case "GetLocalListVersion":
                return {"versionNumber": 0}
            case "UnlockConnector":
                return {"status": "Unlocked"}
            case "GetTransactionStatus":
                return {"ongoingIndicator": False, "messagesInQueue": False}
            case "GetChargingProfiles":
                return {"status": "NoProfiles"}
            case "CostUpdated":
                return {}
            case "TriggerMessage" if payload["requestedMessage"] not in (
                "BootNotification",
                "Heartbeat",
                "StatusNotification",
            ):
                return {"status": "NotImplemented"}
        return dict(ACCEPTED)

    @override
    def _triggered(self, payload: Payload) -> None:
        """Send what the server asked for."""
        match payload["requestedMessage"]:
            case "BootNotification":
                self._spawn("BootNotification", self._boot_payload("Triggered"))
            case "Heartbeat":
                self._spawn("Heartbeat", {})
            case "StatusNotification":
                for place in self.connector_statuses:
                    evse = payload.get("evse") or {"id": place[0]}
                    if place == (evse["id"], evse.get("connectorId", place[1])):
                        told = self._status_payload(*place)
                        self._spawn("StatusNotification", told)

    def _boot_payload(self, reason: str) -> Payload:
        return {"reason": reason, "chargingStation": self.boot_info}

    def _status_payload(self, evse_id: int, connector_id: int) -> Payload:
        return {
            "timestamp": now(),
            "connectorStatus": self.connector_statuses[evse_id, connector_id],
            "evseId": evse_id,
            "connectorId": connector_id,
        }

    def entries(self, *names: str) -> list[Payload]:
        """Return what a report says of variables, of all if none is named."""
        known = self.variables | self._built()
        return [
            {
                **named(name),
                **self._characteristics(name),
                "variableAttribute": [
                    {
                        "value": value,
                        "mutability": "ReadOnly" if readonly else "ReadWrite",
                    }
                ],
            }
            for name, (value, readonly) in known.items()
            if name in names or not names
        ]

    def _characteristics(self, name: str) -> Payload:
        if (told := self.characteristics.get(name)) is None:
            return {}
        return {"variableCharacteristics": {"supportsMonitoring": False, **told}}

    def _report(self, request_id: int) -> None:
        """Send the inventory in one message, after the answer."""
        payload = {
            "requestId": request_id,
            "generatedAt": now(),
            "seqNo": 0,
            "reportData": self.entries(),
        }
        self._spawn("NotifyReport", payload)

    def reports(self, *parts: list[Payload], **more: Any) -> Callable[[Payload], Any]:
        """Return what answers a question for a report, which then comes in parts."""

        def answer(payload: Payload) -> Payload:
            for number, part in enumerate(parts):
                told = {
                    "requestId": payload["requestId"],
                    "generatedAt": now(),
                    "seqNo": number,
                    "tbc": number + 1 < len(parts),
                    "reportData": part,
                }
                self._spawn("NotifyReport", told | more)
            return dict(ACCEPTED)

        return answer

    def _built(self) -> Variables:
        """Return the variables that tell of what the charger is built of."""
        built: Variables = {}
        for evse_id, connectors in self.places.items():
            built[f"EVSE#{evse_id}.AvailabilityState"] = ("Available", True)
            for one in range(1, connectors + 1):
                name = f"Connector#{evse_id}/{one}.ConnectorType"
                built[name] = ("cType2", True)
        return built

    def _get_variable(self, asked: Payload) -> Payload:
        known = {**self.variables, **self._built()}.get(name_of(asked))
        told = {"component": asked["component"], "variable": asked["variable"]}
        if known is None:
            return told | {"attributeStatus": "UnknownVariable"}
        return told | {"attributeStatus": "Accepted", "attributeValue": known[0]}

    def _set_variable(self, asked: Payload) -> Payload:
        name = name_of(asked)
        told = {"component": asked["component"], "variable": asked["variable"]}
        if name not in self.variables:
            return told | {"attributeStatus": "UnknownVariable"}
        if self.variables[name][1]:
            return told | {"attributeStatus": "Rejected"}
        self.variables[name] = (asked["attributeValue"], False)
        return told | {"attributeStatus": "Accepted"}


def named(name: str) -> Payload:
    """Return the fields `component` and `variable` of a variable."""
    place, _, variable = name.partition(".")
    component, _, evse = place.partition("#")
    told: Payload = {"component": {"name": component}}
    if evse:
        evse_id, _, connector_id = evse.partition("/")
        told["component"]["evse"] = {"id": int(evse_id)}
        if connector_id:
            told["component"]["evse"]["connectorId"] = int(connector_id)
    variable, _, instance = variable.removesuffix("]").partition("[")
    told["variable"] = {"name": variable}
    if instance:
        told["variable"]["instance"] = instance
    return told


def name_of(told: Payload) -> str:
    """Return the name of the variable that a part of a message is about."""
    component, variable = told["component"], told["variable"]
    name: str = component["name"]
    if evse := component.get("evse"):
        name += f"#{evse['id']}"
        if "connectorId" in evse:
            name += f"/{evse['connectorId']}"
    name += f".{variable['name']}"
    return f"{name}[{variable['instance']}]" if "instance" in variable else name
