"""Reservations: connectors that are kept free for a token (OCPP 1.6 5.13)."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .connector import Connector
from .misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from .v16 import ChargingStation16

SLOWNESS = timedelta(seconds=30)
"""How long a slow station takes from accepting a reservation to showing it."""


@dataclass(kw_only=True, slots=True)
class Reservation:
    """A connector kept free until a moment; connector 0 is any one."""

    id: int
    connector_id: int
    id_tag: str
    parent: str | None
    expires: datetime
    shown_from: datetime


class Reservations:
    """The part of a station that keeps connectors free."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station where nothing is reserved."""
        self._station = station
        self.held: list[Reservation] = []
        self.handlers = {
            "CancelReservation": self._cancel,
            "ReserveNow": self._reserve,
        }

    # Who may use a connector

    def admit(self, connector: Connector, id_tag: str) -> bool:
        """Return whether the reservations let a token use a connector."""
        if (own := self._of(connector.id)) is not None:
            return self._for(own, id_tag)
        anywhere = [one for one in self.held if one.connector_id == 0]
        if not anywhere or any(self._for(one, id_tag) for one in anywhere):
            return True
        others = [one for one in self._free() if one is not connector]
        return len(others) >= len(anywhere)

    def use(self, connector: Connector, id_tag: str) -> int | None:
        """Return the id of the reservation that a transaction uses up."""
        for one in sorted(self.held, key=lambda one: -one.connector_id):
            if one.connector_id in (0, connector.id) and self._for(one, id_tag):
                self.held.remove(one)
                connector.reserved = False
                silent = Misbehaviour.OMIT_RESERVATION_ID in self._station.misbehaviours
                return None if silent else one.id
        return None

    def _of(self, connector_id: int) -> Reservation | None:
        return next(
            (one for one in self.held if one.connector_id == connector_id), None
        )

    def _for(self, reservation: Reservation, id_tag: str) -> bool:
        """Return whether a token, or its group, has a reservation."""
        if reservation.id_tag.upper() == id_tag.upper():
            return True
        group = self._station.tokens.parent(id_tag)
        return group is not None and group == reservation.parent

    def _free(self) -> list[Connector]:
        """Return the connectors that somebody without reservation could use."""
        return [
            one
            for one in self._station.connectors.values()
            if self._state(one) == "Accepted" and self._of(one.id) is None
        ]

    # What the central system asks for

    async def _reserve(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.13; the same id replaces."""
        station = self._station
        reservation = Reservation(
            id=payload["reservationId"],
            connector_id=payload["connectorId"],
            id_tag=payload["idTag"],
            parent=payload.get("parentIdTag"),
            expires=datetime.fromisoformat(payload["expiryDate"]),
            shown_from=station.clock(),
        )
        if Misbehaviour.SLOW_RESERVATION in station.misbehaviours:
            reservation.shown_from += SLOWNESS
        if (status := self._answer(reservation)) == "Accepted":
            self._drop(reservation.id)
            self.held.append(reservation)
            station.later(self.advance())
        return {"status": status}

    def _answer(self, wanted: Reservation) -> str:
        """Return the answer to a wish."""
        station = self._station
        if (
            Misbehaviour.REJECT_RESERVATION in station.misbehaviours
            or wanted.expires <= station.clock()
        ):
            return "Rejected"
        if wanted.connector_id == 0:
            return self._answer_for_any(wanted)
        if (connector := station.connectors.get(wanted.connector_id)) is None:
            return "Rejected"
        other = self._of(connector.id)
        if other is not None and other.id != wanted.id:
            return "Occupied"
        return self._state(connector)

    def _answer_for_any(self, wanted: Reservation) -> str:
        """Return the answer to a wish for any connector."""
        station = self._station
        if not station.flag("ReserveConnectorZeroSupported"):
            return "Rejected"
        others = [
            one for one in self.held if one.connector_id == 0 and one.id != wanted.id
        ]
        if len(self._free()) > len(others):
            return "Accepted"
        states = {self._state(one) for one in station.connectors.values()}
        return (
            states.pop()
            if len(states) == 1 and "Accepted" not in states
            else "Occupied"
        )

    def _state(self, connector: Connector) -> str:
        """Return whether a connector could be reserved, in the words of the answer."""
        if connector.status == "Faulted":
            return "Faulted"
        if not connector.operative or connector.blocked:
            return "Unavailable"
        if connector.vehicle is not None or connector.transaction is not None:
            return "Occupied"
        return "Accepted"

    async def _cancel(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.1."""
        if not self._drop(payload["reservationId"]):
            return {"status": "Rejected"}
        self._station.later(self.advance())
        return {"status": "Accepted"}

    def _drop(self, reservation_id: int) -> bool:
        """End a reservation; return whether there was one."""
        before = len(self.held)
        self.held = [one for one in self.held if one.id != reservation_id]
        return len(self.held) < before

    # What ends them

    def lose(self, connector: Connector) -> None:
        """End what is reserved on a connector that is of no use any more."""
        if (one := self._of(connector.id)) is not None:
            self.held.remove(one)
            connector.reserved = False

    async def advance(self) -> None:
        """End what has expired, and show the rest."""
        station = self._station
        now = station.clock()
        if Misbehaviour.KEEP_RESERVATION not in station.misbehaviours:
            self.held = [one for one in self.held if one.expires > now]
        for connector in station.connectors.values():
            one = self._of(connector.id)
            shown = one is not None and one.shown_from <= now
            if shown != connector.reserved:
                connector.reserved = shown
                if connector.status != "Faulted":
                    await station.refresh(connector)

    # Memory

    def rebooted(self) -> None:
        """Forget what this station forgets at a reboot."""
        if Misbehaviour.FORGET_RESERVATIONS_ON_REBOOT in self._station.misbehaviours:
            self.held = []
            for connector in self._station.connectors.values():
                connector.reserved = False
                if connector.status == "Reserved":
                    connector.status = connector.idle

    def dump(self) -> list[dict[str, Any]]:
        """Return what survives a loss of power."""
        moments = ("expires", "shown_from")
        return [
            asdict(one) | {name: getattr(one, name).isoformat() for name in moments}
            for one in self.held
        ]

    def load(self, kept: list[dict[str, Any]]) -> None:
        """Take what survived."""
        for one in kept:
            for name in ("expires", "shown_from"):
                one[name] = datetime.fromisoformat(one[name])
            self.held.append(Reservation(**one))
            if (
                connector := self._station.connectors.get(one["connector_id"])
            ) is not None:
                connector.reserved = True
                connector.status = connector.idle
