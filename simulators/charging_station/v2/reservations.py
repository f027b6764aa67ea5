"""Reservations: EVSEs that are kept free for a token (block H)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .transactions import Transaction
from .values import ConnectorStatus, Json, ReservationStatus

if TYPE_CHECKING:
    from .station import ChargingStation

REFUSALS = {
    ConnectorStatus.FAULTED: "Faulted",
    ConnectorStatus.OCCUPIED: "Occupied",
    ConnectorStatus.RESERVED: "Occupied",
    ConnectorStatus.UNAVAILABLE: "Unavailable",
}


@dataclass(kw_only=True, slots=True)
class Reservation:
    """An EVSE that is kept for somebody; 0 is any one."""

    id: int
    evse_id: int
    id_token: Json
    group_id_token: Json | None
    expires: str


class Reservations:
    """The part of a station that keeps places free."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that nobody reserved."""
        self._station = station
        self.reservations: dict[int, Reservation] = {}
        self.handlers = {
            "CancelReservation": self._cancel,
            "ReserveNow": self._reserve,
        }

    @property
    def possible(self) -> bool:
        """Return whether the station knows reservations at all."""
        model = self._station.model
        available = model.flag("ReservationCtrlr.Available")
        return available and model.flag("ReservationCtrlr.Enabled")

    def admits(self, evse_id: int, token: Json, group: Json | None) -> bool:
        """Return whether an EVSE is not kept for somebody else."""
        one = self._of(evse_id)
        if one is None or one.id_token == token:
            return True
        return one.group_id_token is not None and one.group_id_token == group

    def _of(self, evse_id: int) -> Reservation | None:
        found = (one for one in self.reservations.values() if one.evse_id == evse_id)
        return next(found, None)

    async def _reserve(self, payload: Json) -> Json:
        """OCPP 2.0.1 H01; the same id replaces what it named before (H01.FR.02)."""
        station, number = self._station, payload["id"]
        evse_id = payload.get("evseId", 0)
        if not self.possible or not 0 <= evse_id <= len(station.evses):
            # The real library does not always say why.
            return {"status": "Rejected", "statusInfo": {"reasonCode": ""}}
        model = station.model
        if evse_id == 0 and not model.flag("ReservationCtrlr.NonEvseSpecific"):
            return {"status": "Rejected", "statusInfo": {"reasonCode": ""}}
        kind = payload.get("connectorType")
        if kind is not None and kind not in self._kinds(evse_id):
            return {"status": "Rejected", "statusInfo": {"reasonCode": ""}}
        before = self.reservations.get(number)
        if before is None or before.evse_id != evse_id:
            if (refusal := self._refusal(evse_id)) is not None:
                return {"status": refusal}
        reservation = self.reservations[number] = Reservation(
            id=number,
            evse_id=evse_id,
            id_token=payload["idToken"],
            group_id_token=payload.get("groupIdToken"),
            expires=payload["expiryDateTime"],
        )
        station.remember()

        async def show() -> None:
            if before is not None and before.evse_id != evse_id:
                await self._show(before.evse_id, reserved=False)
            await self._show(evse_id, reserved=True)

        station.afterwards(show)
        self._watch(reservation)
        return {"status": "Accepted"}

    def _kinds(self, evse_id: int) -> set[str]:
        """Return which kinds of connectors an EVSE, or with 0 the station, has."""
        model = self._station.model
        found = (
            model.variables.get(model.at("Connector.ConnectorType", evse, connector))
            for evse, connectors in enumerate(self._station.evses, 1)
            for connector in range(1, connectors + 1)
            if evse_id in {0, evse}
        )
        return {one.value for one in found if one is not None and one.value}

    def _refusal(self, evse_id: int) -> str | None:
        """Return why an EVSE cannot be kept free, or None."""
        availability = self._station.availability
        if evse_id:
            return REFUSALS.get(availability.evse_status(evse_id))
        states = {
            availability.evse_status(number)
            for number in range(1, len(self._station.evses) + 1)
        }
        if ConnectorStatus.AVAILABLE in states:
            return None
        return next(REFUSALS[one] for one in REFUSALS if one in states)

    async def _show(self, evse_id: int, *, reserved: bool) -> None:
        """Have the connectors of an EVSE tell whether they are kept free."""
        for connector in self._station.availability.of(evse_id):
            if reserved:
                await self._station.on_reserved(evse_id, connector.id)
            else:
                await self._station.on_reservation_cleared(evse_id, connector.id)

    def _watch(self, reservation: Reservation) -> None:
        """Have a reservation end when its time has come (H04)."""
        expires = datetime.fromisoformat(reservation.expires)
        left = (expires - self._station.clock()).total_seconds()

        async def expire() -> None:
            if self.reservations.get(reservation.id) is reservation:
                await self._end(reservation)
                status = ReservationStatus.EXPIRED
                await self._station.on_reservation_status(reservation.id, status)

        self._station.timers.after(max(left, 0), expire)

    async def _end(self, reservation: Reservation) -> None:
        del self.reservations[reservation.id]
        self._station.remember()
        await self._show(reservation.evse_id, reserved=False)

    async def _cancel(self, payload: Json) -> Json:
        """OCPP 2.0.1 H02."""
        found = self.reservations.get(payload["reservationId"])
        if found is None:
            return {"status": "Rejected", "statusInfo": {"reasonCode": ""}}

        async def end() -> None:
            if self.reservations.get(found.id) is found:
                await self._end(found)

        self._station.afterwards(end)
        return {"status": "Accepted"}

    def used(self, transaction: Transaction, reservation_id: int | None) -> None:
        """End the reservation that a transaction makes use of (H03)."""
        evse_id, connector_id = transaction.evse_id, transaction.connector_id
        found = self.reservations.get(reservation_id or -1) or self._of(evse_id)
        if found is None:
            anywhere = self._of(0)
            if anywhere is not None and anywhere.id_token == transaction.id_token:
                found = anywhere
        if found is not None:
            del self.reservations[found.id]
            self._station.remember()
        facts = {"reserved": False, "kept": False}
        self._station.availability.note(evse_id, connector_id, **facts)

    # Memory

    def dump(self) -> list[Json]:
        """Return what survives a loss of power."""
        return [asdict(one) for one in self.reservations.values()]

    def load(self, kept: list[Json]) -> None:
        """Take what survived."""
        for one in kept:
            reservation = Reservation(**one)
            self.reservations[reservation.id] = reservation
            for connector in self._station.availability.of(reservation.evse_id):
                connector.reserved = True
            self._watch(reservation)
