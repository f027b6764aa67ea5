"""Availability: what the connectors of a station do (OCPP 2.x G01).

A station says of a connector only that it is occupied; what its vehicle does is said of
the transaction. Both together are the status that is shown, in the same words as of an
OCPP 1.6 station.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from ...station.clock import CallLater, plausible
from ...station.enums import VEHICLE_CONNECTED, ChargingState, ConnectorStatus
from ...station.model import Evse, Fault, Place
from .. import timestamps
from ..adapter import StationContext
from ..availability import Statuses
from ..oddities import Oddities
from ..rpc import Reply
from ..words import connector_status

FAULTED = Fault(error_code="OtherError")
"""What is known of a fault before the station tells more of it by NotifyEvent."""

_WORDS = {
    ChargingState.CHARGING: ConnectorStatus.CHARGING,
    ChargingState.EV_CONNECTED: ConnectorStatus.PREPARING,
    ChargingState.IDLE: ConnectorStatus.PREPARING,
    ChargingState.SUSPENDED_EV: ConnectorStatus.SUSPENDED_EV,
    ChargingState.SUSPENDED_EVSE: ConnectorStatus.SUSPENDED_EVSE,
}
_OUT_OF_ORDER = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})


@dataclass(slots=True)
class Doing:
    """What an EVSE does while it is occupied, since when; `idle`: without a vehicle."""

    word: ConnectorStatus
    at: datetime
    idle: bool = False


class Availability(Statuses):
    """Statuses and faults of a station, its EVSEs and their connectors."""

    def __init__(
        self, context: StationContext, oddities: Oddities, call_later: CallLater
    ) -> None:
        """Feed the station of `context`."""
        super().__init__(context, call_later)
        self._oddities = oddities
        self._doing: dict[int, Doing] = {}

    @override
    def booted(self) -> None:
        """Let whatever a station says after a restart be news."""
        super().booted()
        now = self._context.clock()
        for evse in self._context.station.evses.values():
            for connector in evse.connectors.values():
                connector.status.at = None
            # Nobody knows whether what it did goes on.
            self._doing[evse.id] = Doing(ConnectorStatus.OCCUPIED, now)

    def status_notification(self, payload: dict[str, Any]) -> Reply:
        """Take the status of a connector; the newest counts."""
        now, claimed = self._context.clock(), timestamps.parse(payload.get("timestamp"))
        self._context.station.skew.observe(claimed, now)
        if (status := connector_status(payload["connectorStatus"])) is None:
            self._oddities.note(f"unknown status {payload['connectorStatus'][:50]!r}")
        else:
            at = plausible(claimed, now)
            self.reported(payload["evseId"], payload["connectorId"], status, at)
        return Reply({})

    def reported(
        self, evse_id: int, connector_id: int, status: ConnectorStatus, at: datetime
    ) -> None:
        """Take the status of a connector; EVSE 0 is the station, connector 0 all."""
        if not self._context.station.believes(evse_id, connector_id):
            self._oddities.note(f"status of EVSE {evse_id} ignored")
            return
        if not evse_id:
            whole = self._context.station.whole
            before = whole.status.value
            self.hear(whole, status, at)
            self._judge(whole, before, status, at)
            return
        evse = self._context.station.evse(evse_id)
        evse.connector(connector_id or min(evse.connector_ids))
        for connector in evse.connectors.values():
            if connector_id not in {0, connector.id}:
                continue
            before = connector.status.value
            if connector.status.set(status, at):
                self._judge(evse, before, status, at)
        if (told := evse.told) is not None:
            self.hear(evse, self._word(evse, told, at), at)

    def charging(self, evse_id: int, state: ChargingState, at: datetime) -> None:
        """Take what energy does in the transaction of an EVSE."""
        idle = state is ChargingState.IDLE
        if self._does(evse_id, Doing(_WORDS[state], at, idle)):
            evse = self._context.station.evse(evse_id)
            away = idle and evse.told is not ConnectorStatus.OCCUPIED
            if evse.told not in _OUT_OF_ORDER and not away:
                self.take(evse, _WORDS[state], at)

    def ended(self, evse_id: int, at: datetime) -> None:
        """Take note that the transaction of an EVSE ended; the vehicle is still there."""
        if self._does(evse_id, Doing(ConnectorStatus.FINISHING, at)):
            evse = self._context.station.evse(evse_id)
            if (told := evse.told) in {None, ConnectorStatus.OCCUPIED}:
                told = ConnectorStatus.FINISHING
            if told is not None and evse.status.value in VEHICLE_CONNECTED:
                self.take(evse, told, at)

    def given_up(self, evse_id: int) -> None:
        """Take note that the transaction of an EVSE is over without a word.

        After a restart of the station its vehicle waits as if it had just come.
        """
        evse, now = self._context.station.evse(evse_id), self._context.clock()
        doing = self._doing.get(evse_id)
        if doing is not None and doing.word is not ConnectorStatus.OCCUPIED:
            self.ended(evse_id, now)
        elif evse.told is ConnectorStatus.OCCUPIED:
            self.take(evse, self._word(evse, evse.told, now), now)

    def fault_of(self, place: Place) -> Fault | None:
        """Return the fault that a status alone tells of."""
        if isinstance(place, Evse):
            statuses = {one.status.value for one in place.connectors.values()}
        else:
            statuses = {place.status.value}
        return FAULTED if ConnectorStatus.FAULTED in statuses else None

    @override
    def follow(self, place: Place, status: ConnectorStatus, at: datetime) -> None:
        """Let the transaction of an EVSE know of a status.

        One that waits for a vehicle, or for its return, goes on (E03, E10).
        """
        doing = self._doing.get(place.id)
        if not (status is ConnectorStatus.AVAILABLE and doing and doing.idle):
            super().follow(place, status, at)

    def _does(self, evse_id: int, doing: Doing) -> bool:
        """Take note of what an EVSE does, unless something newer is known."""
        known = self._doing.get(evse_id)
        if known is not None and doing.at < known.at:
            return False
        self._doing[evse_id] = doing
        return True

    def _word(self, evse: Evse, told: ConnectorStatus, at: datetime) -> ConnectorStatus:
        """Return the status to show, given the most telling one of the connectors."""
        doing = self._doing.get(evse.id)
        if told is ConnectorStatus.AVAILABLE and evse.transaction is None:
            self._does(evse.id, Doing(ConnectorStatus.PREPARING, at))
        if told is not ConnectorStatus.OCCUPIED:
            return told
        waits = evse.transaction is None
        # Before anything was told, what was shown before our restart may still be true.
        word = evse.status.value if doing is None else doing.word
        if word in VEHICLE_CONNECTED and word is not told:
            return word
        return ConnectorStatus.PREPARING if waits else told

    def _judge(
        self,
        place: Place,
        before: ConnectorStatus | None,
        status: ConnectorStatus,
        at: datetime,
    ) -> None:
        """Show a fault with the status that says there is one, and no longer."""
        if status is ConnectorStatus.FAULTED:
            place.fault.set(place.fault.value or FAULTED, at)
        elif before is ConnectorStatus.FAULTED and self.fault_of(place) is None:
            place.fault.set(None, at)
