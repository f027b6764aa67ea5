"""The station's display: messages, costs, and what else it is told (blocks I, O, P)."""

from datetime import datetime
from typing import TYPE_CHECKING

from .uplink import CallError
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation


class Display:
    """The part of a station that shows things."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that shows nothing."""
        self._station = station
        self.messages: dict[int, Json] = {}
        self.handlers = {
            "ClearDisplayMessage": self._clear,
            "CostUpdated": self._cost_updated,
            "DataTransfer": self._data_transfer,
            "GetDisplayMessages": self._get,
            "SetDisplayMessage": self._set,
        }

    def _available(self) -> None:
        if not self._station.model.flag("DisplayMessageCtrlr.Available"):
            raise CallError("NotImplemented")

    async def _set(self, payload: Json) -> Json:
        """OCPP 2.0.1 O01, O02, O06."""
        self._available()
        model, message = self._station.model, payload["message"]
        priorities = model.members("DisplayMessageCtrlr.SupportedPriorities")
        states = model.members("DisplayMessageCtrlr.SupportedStates")
        formats = model.members("DisplayMessageCtrlr.SupportedFormats")
        if message["priority"] not in priorities:
            return {"status": "NotSupportedPriority"}
        if message.get("state", states[0]) not in states:
            return {"status": "NotSupportedState"}
        if message["message"]["format"] not in formats:
            return {"status": "NotSupportedMessageFormat"}
        if (named := message.get("transactionId")) is not None:
            if self._station.transactions.find(named) is None:
                return {"status": "UnknownTransaction"}
        most = model.number("DisplayMessageCtrlr.DisplayMessages", 42)
        if message["id"] not in self.messages and len(self.messages) >= most:
            return {"status": "Rejected"}
        self.messages[message["id"]] = message
        self._station.remember()
        return {"status": "Accepted"}

    def shown(self) -> list[Json]:
        """Return the messages whose time it is."""
        now = self._station.clock()
        return [one for one in self.messages.values() if _is_due(one, now)]

    async def _get(self, payload: Json) -> Json:
        """OCPP 2.0.1 O03, O04."""
        self._available()
        found = [
            one
            for number, one in self.messages.items()
            if number in payload.get("id", [number])
            and payload.get("priority") in (None, one["priority"])
            and payload.get("state") in (None, one.get("state"))
        ]
        if not found:
            return {"status": "Unknown"}
        request_id = payload["requestId"]

        async def send() -> None:
            self._station.queue.post(
                "NotifyDisplayMessages",
                {"messageInfo": found, "requestId": request_id, "tbc": False},
                asked=True,
            )

        self._station.afterwards(send)
        return {"status": "Accepted"}

    async def _clear(self, payload: Json) -> Json:
        """OCPP 2.0.1 O05."""
        self._available()
        if self.messages.pop(payload["id"], None) is None:
            return {"status": "Unknown"}
        self._station.remember()
        return {"status": "Accepted"}

    async def _cost_updated(self, payload: Json) -> Json:
        """OCPP 2.0.1 I02; there is nothing to answer, whatever the transaction is."""
        costs = self._station.transactions.costs
        costs[payload["transactionId"]] = payload["totalCost"]
        return {}

    async def _data_transfer(self, payload: Json) -> Json:
        """OCPP 2.0.1 P01; nobody's vendor is known here."""
        return {"status": "UnknownVendorId"}


def _is_due(message: Json, now: datetime) -> bool:
    """Return whether a message is to be seen at a moment."""
    first, last = message.get("startDateTime"), message.get("endDateTime")
    begun = first is None or datetime.fromisoformat(first) <= now
    return begun and (last is None or now < datetime.fromisoformat(last))
