"""The box around the library: vehicles, meters, cards, and what it is asked to do."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..misbehaviour import Misbehaviour
from ..vehicle import VOLTAGE, Meter, Vehicle
from .availability import WHOLE
from .values import (
    ChargingState,
    IdToken,
    Json,
    MeterValue,
    Reason,
    SampledValue,
    TriggerReason,
)

if TYPE_CHECKING:
    from .station import ChargingStation

MAXIMUM = Fraction(32)
"""What the wires carry, in A per phase."""
SUSPENDING = 0.5
"""A current in A below which nothing is called charging."""
PHASES = ("L1", "L2", "L3")
STOPS = {
    Reason.DE_AUTHORIZED: TriggerReason.DEAUTHORIZED,
    Reason.EV_DISCONNECTED: TriggerReason.EV_COMMUNICATION_LOST,
    Reason.IMMEDIATE_RESET: TriggerReason.RESET_COMMAND,
    Reason.LOCAL: TriggerReason.STOP_AUTHORIZED,
    Reason.REMOTE: TriggerReason.REMOTE_STOP,
}


@dataclass(kw_only=True, slots=True)
class Place:
    """One EVSE: its meter, and the vehicle at one of its connectors."""

    meter: Meter
    connector_id: int = 1
    vehicle: Vehicle | None = None
    token: IdToken | None = None
    """Who was admitted, and did not begin yet or charges now."""
    paused: bool = False
    offered: float = 0.0
    """What the vehicle may draw now, in A per phase."""


class Box:
    """Hardware that does what the library's callbacks ask, and tells its handlers."""

    def __init__(self, station: ChargingStation, register: float) -> None:
        """Build one around a library; the energy registers start at so many Wh."""
        self._station = station
        self.places = {
            evse_id: Place(meter=Meter(register=register))
            for evse_id in range(1, len(station.evses) + 1)
        }
        self.metered = True
        """Whether its meters are read; off where others call `on_meter_value`."""

    # What people do

    async def plug_in(
        self, vehicle: Vehicle, evse_id: int = 1, connector_id: int = 1
    ) -> None:
        """Plug a vehicle in; it charges if somebody was admitted already."""
        place = self.places[evse_id]
        place.vehicle, place.connector_id = vehicle, connector_id
        await self._station.on_session_started(evse_id, connector_id)
        await self._begin(evse_id, TriggerReason.CABLE_PLUGGED_IN)

    async def swipe(self, token: IdToken, evse_id: int = 1) -> bool:
        """Present a token; return whether it began or ended something."""
        station, place = self._station, self.places[evse_id]
        if evse_id in station.transactions.running and place.token is not None:
            if place.token == token:
                await self.stop(evse_id, Reason.LOCAL)
                return True
            return False
        info = await station.validate_token(token)
        group = info.get("groupIdToken")
        if info["status"] != "Accepted":
            return False
        if not station.reservations.admits(evse_id, token.wire(), group):
            return False
        self._admit(place, evse_id, token)
        if evse_id in station.transactions.running:
            await station.on_authorized(evse_id, place.connector_id, token)
        await self._begin(evse_id, TriggerReason.AUTHORIZED)
        return True

    async def unplug(self, evse_id: int = 1) -> None:
        """Pull the plug; a transaction ends with it."""
        place = self.places[evse_id]
        if evse_id in self._station.transactions.running:
            await self.stop(evse_id, Reason.EV_DISCONNECTED)
        place.vehicle, place.token = None, None
        await self._station.on_session_finished(evse_id, place.connector_id)

    # What the library asks for

    async def remote_start(self, evse_id: int, token: IdToken) -> None:
        """Admit somebody who is not there."""
        self._admit(self.places[evse_id], evse_id, token)
        await self._begin(evse_id, TriggerReason.REMOTE_START)

    async def stop(
        self, evse_id: int, reason: Reason, trigger: TriggerReason | None = None
    ) -> None:
        """End the transaction of an EVSE; the vehicle stays."""
        station, place = self._station, self.places[evse_id]
        if evse_id not in station.transactions.running:
            return
        state = ChargingState.EV_CONNECTED
        if reason is Reason.EV_DISCONNECTED:
            state = ChargingState.IDLE
        token, place.token = place.token, None
        place.meter.current, place.offered, place.paused = 0, 0, False
        await station.on_transaction_finished(
            evse_id,
            station.clock(),
            self._last(evse_id),
            reason,
            trigger or STOPS.get(reason, TriggerReason.ABNORMAL_CONDITION),
            token,
            None,
            state,
        )

    async def pause(self, evse_id: int) -> None:
        """Deliver nothing until the transaction ends."""
        self.places[evse_id].paused = True
        await self.apply_limits()

    def unlock(self, evse_id: int, connector_id: int) -> str:
        """Let go of a plug; return how that went (UnlockStatusEnumType)."""
        return "Unlocked"

    async def apply_limits(self) -> None:
        """Offer what the profiles allow now, and tell where that changes anything."""
        station = self._station
        busy = {
            evse_id: place
            for evse_id, place in self.places.items()
            if evse_id in station.transactions.running and place.vehicle is not None
        }
        offers = station.charging.offers(
            [evse_id for evse_id, place in busy.items() if not place.paused], MAXIMUM
        )
        for evse_id, place in busy.items():
            place.offered = float(offers.get(evse_id, 0))
            zero = place.offered == 0 and not place.paused
            if zero and Misbehaviour.ZERO_ENDS_TRANSACTION in station.moods:
                await self.stop(evse_id, Reason.OTHER)
                continue
            station.v2x.tell_mode(evse_id)
            await station.on_charging_state_changed(evse_id, self._flow(evse_id, place))

    def _admit(self, place: Place, evse_id: int, token: IdToken) -> None:
        """Let somebody charge, who has to plug in before long (EVConnectionTimeOut)."""
        station = self._station
        place.token = token

        async def expire() -> None:
            if place.token is token and evse_id not in station.transactions.running:
                place.token = None

        timeout = station.model.number("TxCtrlr.EVConnectionTimeOut", 120)
        station.timers.after(timeout, expire)

    async def _begin(self, evse_id: int, trigger: TriggerReason) -> None:
        """Begin a transaction where vehicle and person are there (TxStartPoint)."""
        station, place = self._station, self.places[evse_id]
        if place.vehicle is None or place.token is None:
            return
        usable = station.availability.operative(evse_id, place.connector_id)
        if evse_id in station.transactions.running or not usable:
            return
        place.meter.phases = place.vehicle.phases
        await station.on_transaction_started(
            evse_id,
            place.connector_id,
            str(uuid4()),
            station.clock(),
            trigger,
            self._last(evse_id),
            place.token,
            None,
            None,
            None,
            ChargingState.EV_CONNECTED,
        )
        await self.apply_limits()

    def _backwards(self, evse_id: int, place: Place) -> float | None:
        """Return the current in A, below 0, where a vehicle gives energy back."""
        vehicle, watts = place.vehicle, self._station.v2x.setpoint(evse_id)
        if vehicle is None or watts is None or watts >= 0 or place.paused:
            return None
        if not vehicle.bidirectional or vehicle.stored <= 0:
            return None
        amps = watts / (VOLTAGE * max(place.meter.phases, 1))
        return max(amps, -vehicle.maximum_current)

    def _flow(self, evse_id: int, place: Place) -> ChargingState:
        vehicle = place.vehicle
        if vehicle is None:
            return ChargingState.IDLE
        if self._backwards(evse_id, place) is not None:
            return ChargingState.CHARGING
        if place.offered < vehicle.minimum_current:
            return ChargingState.SUSPENDED_EVSE
        if vehicle.wanted(place.offered) < SUSPENDING:
            return ChargingState.SUSPENDED_EV
        return ChargingState.CHARGING

    # Time

    async def advance(self, seconds: float) -> None:
        """Let current flow for a while, and the meters tell."""
        await self.apply_limits()
        for evse_id, place in self.places.items():
            if not self.metered:
                continue
            target = 0.0
            if place.vehicle is not None:
                if evse_id in self._station.transactions.running:
                    back = self._backwards(evse_id, place)
                    target = back or place.vehicle.wanted(place.offered)
            place.meter.advance(seconds, target, place.vehicle)
            reading = self._reading(evse_id, place)
            await self._station.on_meter_value(evse_id, reading)

    def _last(self, evse_id: int) -> MeterValue:
        """Return what the meter says now; what it was told where it is not read."""
        last = self._station.metering.last.get(evse_id)
        if self.metered or last is None:
            return self._reading(evse_id, self.places[evse_id])
        return last

    def _reading(self, evse_id: int, place: Place) -> MeterValue:
        meter, vehicle = place.meter, place.vehicle
        live = meter.phases
        values = [
            SampledValue(value=meter.register, unit="Wh"),
            SampledValue(
                value=max(meter.power, 0.0), measurand="Power.Active.Import", unit="W"
            ),
            SampledValue(value=50.0, measurand="Frequency", unit="Hz"),
        ]
        if self._station.v2x.available(evse_id):
            values += self._exported(meter)
        for number, phase in enumerate(PHASES):
            amps = max(meter.current, 0.0) if number < live else 0.0
            values += [
                SampledValue(
                    value=amps, measurand="Current.Import", phase=phase, unit="A"
                ),
                SampledValue(
                    value=VOLTAGE, measurand="Voltage", phase=f"{phase}-N", unit="V"
                ),
            ]
        if vehicle is not None:
            values.append(
                SampledValue(
                    value=vehicle.soc, measurand="SoC", unit="Percent", location="EV"
                )
            )
        return MeterValue(timestamp=self._station.clock(), values=tuple(values))

    def _exported(self, meter: Meter) -> list[SampledValue]:
        """Return what a meter says of energy that flows back."""
        power = max(-meter.power, 0.0)
        return [
            SampledValue(
                value=meter.exported,
                measurand="Energy.Active.Export.Register",
                unit="Wh",
            ),
            SampledValue(value=power, measurand="Power.Active.Export", unit="W"),
        ]

    # Memory

    def dump(self) -> Json:
        """Return what survives a loss of power: registers, and what goes on."""
        return {str(evse_id): asdict(one) for evse_id, one in self.places.items()}

    def load(self, kept: dict[str, Any], *, resume: bool) -> None:
        """Take what survived; without `resume` the vehicles have gone."""
        for evse_id, place in self.places.items():
            told = kept[str(evse_id)]
            place.meter = Meter(**told["meter"])
            if not resume or told["vehicle"] is None:
                place.meter.current = 0
                continue
            place.vehicle = Vehicle(**told["vehicle"])
            place.token = told["token"] and IdToken(**told["token"])
            place.connector_id, place.paused = told["connector_id"], told["paused"]
            connector = self._station.availability.connector(
                evse_id, place.connector_id
            )
            connector.occupied = True

    def state(self) -> list[Json]:
        """Return what the control interface shows."""
        station = self._station
        shown = []
        for evse_id, place in self.places.items():
            transaction = station.transactions.running.get(evse_id)
            shown.append(
                {
                    "id": evse_id,
                    "connectors": {
                        str(one.id): one.status
                        for one in station.availability.of(evse_id)
                    },
                    "current": place.meter.current,
                    "offered": place.offered,
                    "power": place.meter.power,
                    "energy": place.meter.register,
                    "exported": place.meter.exported,
                    "soc": place.vehicle.soc if place.vehicle else None,
                    "transaction": transaction.id if transaction else None,
                    "charging_state": transaction and transaction.charging_state,
                    "available": WHOLE not in station.availability.inoperative
                    and (evse_id, 0) not in station.availability.inoperative,
                }
            )
        return shown
