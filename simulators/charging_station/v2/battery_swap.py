"""Battery swapping: boxes of batteries instead of vehicles (block S)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..vehicle import Vehicle
from .uplink import CallError
from .values import IdToken, Json

if TYPE_CHECKING:
    from .station import ChargingStation

CAPACITY = 2_000.0
"""The energy that a battery holds, in Wh."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Battery:
    """A battery in a slot, or on its way there."""

    serial: str
    soc: float
    soh: float = 100.0

    def wire(self, evse_id: int) -> Json:
        """Return it as BatterySwap tells it."""
        return {
            "evseId": evse_id,
            "serialNumber": self.serial,
            "soC": self.soc,
            "soH": self.soh,
        }


class BatterySwap:
    """The part of a station whose EVSEs are slots for batteries."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station with empty slots."""
        self._station = station
        self.slots: dict[int, Battery] = {}
        """The batteries by their EVSE."""
        self.pending: tuple[int, IdToken] | None = None
        """The swap that the central system began: its number, and for whom."""
        self._own = 0
        self.handlers = {"RequestBatterySwap": self._request}

    async def _request(self, payload: Json) -> Json:
        """OCPP 2.1 S02."""
        if not self._station.model.flag("BatterySwapCtrlr.Available"):
            raise CallError("NotImplemented")
        if self._ready() is None:
            info = {"reasonCode": "NoBatteryAvailable"}
            return {"status": "Rejected", "statusInfo": info}
        token = IdToken.read(payload["idToken"])
        self.pending = payload["requestId"], token
        return {"status": "Accepted"}

    def _ready(self) -> int | None:
        """Return a slot whose battery is full enough to be given away."""
        target = self._station.model.number("BatterySwapCtrlr.TargetSoC", 80)
        full = [slot for slot, one in self.slots.items() if self._soc(slot) >= target]
        return min(full, default=None)

    def _soc(self, slot: int) -> float:
        vehicle = self._station.box.places[slot].vehicle
        return vehicle.soc if vehicle is not None else 0.0

    # What people do

    async def put_in(
        self, slot: int, battery: Battery, token: IdToken | None = None
    ) -> None:
        """Put a battery in; without a token it is the one of the pending swap (S03)."""
        if slot in self.slots:
            raise ValueError(f"slot {slot} holds a battery")
        await self.fill(slot, battery)
        if token is not None:
            self._own += 1
            self.pending = self._own, token
        self._tell("BatteryIn", battery.wire(slot))

    async def fill(self, slot: int, battery: Battery) -> None:
        """Have a battery in a slot without telling whose; it is charged (S04)."""
        station = self._station
        self.slots[slot] = battery
        vehicle = Vehicle(
            maximum_current=10, phases=1, capacity=CAPACITY, minimum_current=1
        )
        vehicle.stored = CAPACITY * battery.soc / 100
        own = station.model.text("BatterySwapCtrlr.IdToken")
        station.box.places[slot].token = IdToken(id_token=own, type="Central")
        await station.box.plug_in(vehicle, slot)

    async def take_out(self, *, timeout: bool = False) -> Battery | None:
        """Take a full battery out, or leave it there until the time is over."""
        if (slot := self._ready()) is None:
            return None
        battery = Battery(serial=self.slots[slot].serial, soc=self._soc(slot))
        if timeout:
            self._tell("BatteryOutTimeout", battery.wire(slot))
            return None
        del self.slots[slot]
        await self._station.box.unplug(slot)
        self._tell("BatteryOut", battery.wire(slot))
        return battery

    def _tell(self, kind: str, battery: Json) -> None:
        if self.pending is None:
            return
        request_id, token = self.pending
        if kind != "BatteryIn":
            self.pending = None
        self._station.queue.post(
            "BatterySwap",
            {
                "batteryData": [battery],
                "eventType": kind,
                "idToken": token.wire(),
                "requestId": request_id,
            },
        )
