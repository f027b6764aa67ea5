"""Availability: what each connector is, on three levels (block G)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import stamp
from .uplink import CallError
from .values import ConnectorStatus, Json

if TYPE_CHECKING:
    from .station import ChargingStation

WHOLE = 0, 0


@dataclass(kw_only=True, slots=True)
class Connector:
    """Five facts about a connector, and what follows from them."""

    evse_id: int
    id: int
    occupied: bool = False
    reserved: bool = False
    faulted: bool = False
    unavailable: bool = False
    kept: bool = False
    """Whether it was reserved already when the vehicle came."""
    reported: ConnectorStatus | None = None

    @property
    def status(self) -> ConnectorStatus:
        """Return what the connector is."""
        if self.faulted:
            return ConnectorStatus.FAULTED
        if self.unavailable:
            return ConnectorStatus.UNAVAILABLE
        if self.occupied and not self.kept:
            return ConnectorStatus.OCCUPIED
        if self.reserved:
            return ConnectorStatus.RESERVED
        return ConnectorStatus.AVAILABLE


class Availability:
    """The part of a station that knows what its connectors are."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station whose connectors are all free."""
        self._station = station
        self.connectors = {
            (evse_id, number): Connector(evse_id=evse_id, id=number)
            for evse_id, count in enumerate(station.evses, 1)
            for number in range(1, count + 1)
        }
        self.inoperative: set[tuple[int, int]] = set()
        """Station (0, 0), EVSEs (n, 0) and connectors that are switched off."""
        self._scheduled: dict[tuple[int, int], bool] = {}
        self.offline_since: datetime | None = None
        """Since when nobody listens."""
        self.handlers = {"ChangeAvailability": self._change}

    # Facts

    def connector(self, evse_id: int, connector_id: int) -> Connector:
        """Return a connector; raises ValueError if there is none."""
        if (found := self.connectors.get((evse_id, connector_id))) is None:
            raise ValueError(f"no connector {connector_id} of EVSE {evse_id}")
        return found

    def of(self, evse_id: int) -> list[Connector]:
        """Return the connectors of an EVSE."""
        return [one for one in self.connectors.values() if one.evse_id == evse_id]

    def note(self, evse_id: int, connector_id: int, **facts: bool) -> None:
        """Take facts about a connector, and tell where they change what it is."""
        connector = self.connector(evse_id, connector_id)
        for name, value in facts.items():
            setattr(connector, name, value)
        self._write_down(connector)
        if connector.status != connector.reported:
            self._report(connector)

    def _write_down(self, connector: Connector) -> None:
        model, evse_id = self._station.model, connector.evse_id
        name = "Connector.AvailabilityState"
        model.put(name, connector.status, evse_id, connector.id)
        model.put("EVSE.AvailabilityState", self.evse_status(evse_id), evse_id)

    def evse_status(self, evse_id: int) -> ConnectorStatus:
        """Return what an EVSE is: the first of its connectors that is not free."""
        states = [one.status for one in self.of(evse_id)]
        busy = [one for one in states if one is not ConnectorStatus.AVAILABLE]
        return busy[0] if busy else ConnectorStatus.AVAILABLE

    def operative(self, evse_id: int, connector_id: int) -> bool:
        """Return whether nothing on the three levels switches a connector off."""
        levels = {WHOLE, (evse_id, 0), (evse_id, connector_id)}
        return not levels & self.inoperative

    # What is told

    def _report(self, connector: Connector, *, asked: bool = False) -> None:
        station = self._station
        if not station.connected or station.provisioning.registration != "Accepted":
            if not (asked and station.connected):
                return
        connector.reported = connector.status
        station.queue.post(
            "StatusNotification",
            {
                "connectorId": connector.id,
                "connectorStatus": connector.status,
                "evseId": connector.evse_id,
                "timestamp": stamp(station.clock()),
            },
            asked=asked,
        )

    def report_all(self) -> None:
        """Tell what every connector is."""
        for connector in self.connectors.values():
            self._report(connector)

    def trigger(self, evse_id: int, connector_id: int) -> None:
        """Tell what one connector is, because it was asked for."""
        self._report(self.connector(evse_id, connector_id), asked=True)

    def lost(self) -> None:
        """Take note that nobody listens from now on."""
        if self.offline_since is None:
            self.offline_since = self._station.clock()

    def reconnected(self) -> None:
        """Tell what the central system may have missed (B04)."""
        since, self.offline_since = self.offline_since, None
        threshold = self._station.model.number("OCPPCommCtrlr.OfflineThreshold")
        if since is None or not threshold:
            return
        if (self._station.clock() - since).total_seconds() > threshold:
            self.report_all()
            return
        for connector in self.connectors.values():
            if connector.status != connector.reported:
                self._report(connector)

    # What the central system asks for

    async def _change(self, payload: Json) -> Json:
        """OCPP 2.0.1 G03, G04: each level has its own switch, kept over a reboot."""
        evse = payload.get("evse", {})
        level = evse.get("id", 0), evse.get("connectorId", 0)
        if level != WHOLE and level not in self._levels:
            return {"status": "Rejected"}
        on = payload["operationalStatus"] == "Operative"
        if not on and self._busy(level):
            self._scheduled[level] = on
            return {"status": "Scheduled"}
        self._scheduled.pop(level, None)

        async def act() -> None:
            self.switch(level, on=on)

        self._station.afterwards(act)
        return {"status": "Accepted"}

    @property
    def _levels(self) -> set[tuple[int, int]]:
        return {(evse_id, 0) for evse_id, _ in self.connectors} | {*self.connectors}

    def _busy(self, level: tuple[int, int]) -> bool:
        """Return whether a transaction keeps a level in use."""
        running = self._station.transactions.running
        if level == WHOLE:
            return bool(running)
        transaction = running.get(level[0])
        return transaction is not None and level[1] in (0, transaction.connector_id)

    def switch(self, level: tuple[int, int], *, on: bool) -> None:
        """Switch one level on or off, and tell what the connectors become."""
        if on:
            self.inoperative.discard(level)
        else:
            self.inoperative.add(level)
        self._station.remember()
        self.settle()

    def settle(self) -> None:
        """Bring every connector in line with its switches and with the firmware."""
        for evse_id, connector_id in self.connectors:
            off = not self.operative(evse_id, connector_id)
            off = off or self._station.firmware.blocks(evse_id)
            self.note(evse_id, connector_id, unavailable=off)

    def transaction_ended(self) -> None:
        """Do what was put off until a transaction ended."""
        for level, on in [*self._scheduled.items()]:
            if not self._busy(level):
                del self._scheduled[level]
                self.switch(level, on=on)
        self.settle()

    # Memory

    def dump(self) -> Json:
        """Return what survives a loss of power."""
        return {"inoperative": sorted(map(list, self.inoperative))}

    def load(self, kept: Json) -> None:
        """Take what survived."""
        self.inoperative = {(evse, number) for evse, number in kept["inoperative"]}
        self.powered_up()

    def powered_up(self) -> None:
        """Begin with what the switches say; nothing was reported yet."""
        for connector in self.connectors.values():
            connector.reported = None
            connector.unavailable = not self.operative(connector.evse_id, connector.id)
        for connector in self.connectors.values():
            self._write_down(connector)
        self.offline_since = None


def checked_evse(station: ChargingStation, evse: dict[str, Any]) -> int:
    """Return the EVSE that a request names; raises CallError if there is none."""
    evse_id: int = evse["id"]
    if not 0 < evse_id <= len(station.evses):
        raise CallError("OccurrenceConstraintViolation", f"no EVSE {evse_id}")
    return evse_id
