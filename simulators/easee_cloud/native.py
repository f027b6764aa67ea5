"""A charger's own OCPP: a station whose car, meter and limits are those of a charger."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, override

from .modes import Mode
from .vehicle import LOWEST_CURRENT
from simulators.charging_station import VENDORS, ChargingStation16, Vehicle
from simulators.charging_station.clock import stamp
from simulators.charging_station.connector import Connector, LocalTransaction
from simulators.charging_station.metering import Metering
from simulators.charging_station.rpc import TROUBLE
from simulators.charging_station.sessions import Sessions

if TYPE_CHECKING:
    from .charger import Charger
    from .history import ChargingSession

PLACE = 1
"""The only connector."""
NOBODY = "FreeCharging"
"""The id token of sessions that no token began."""
SHORTEST_INTERVAL = 30
"""Seconds between two samples of the meter, at least."""
BY_REMOTE = 2
"""Why a session may be: somebody let it begin from afar."""
MIRRORED = {
    "LocalPreAuthorize": 15,
    "LocalAuthorizeOffline": 16,
    "AllowOfflineTxForUnknownId": 17,
}
"""Keys, and the observations that are the same."""
STATUS = {
    Mode.AWAITING_START: "SuspendedEVSE",
    Mode.CHARGING: "Charging",
    Mode.COMPLETED: "SuspendedEV",
    Mode.READY_TO_CHARGE: "SuspendedEV",
}
"""What a mode is called during a transaction."""


def whole_seconds(moment: datetime) -> datetime:
    """Return the nearest whole second: the charger's clock shows no part of one."""
    return (moment + timedelta(seconds=0.5)).replace(microsecond=0)


class NativeMetering(Metering):
    """Samples of the charger's meter."""

    def __init__(self, station: NativeStation) -> None:
        """Serve one station."""
        super().__init__(station)
        self._charger = station.charger

    @override
    async def sample(self, connector: Connector, context: str) -> None:
        self._charger.circuit.changed()
        await super().sample(connector, context)


class NativeSessions(Sessions):
    """Begins and ends what the charger does, which then tells of it."""

    def __init__(self, station: NativeStation) -> None:
        """Serve one station."""
        super().__init__(station)
        self._native = station

    @override
    async def start(
        self, connector: Connector, id_tag: str, profile: dict[str, Any] | None = None
    ) -> None:
        station = self._native
        profile, connector.prepared = profile or connector.prepared, None
        connector.authorized = None
        if profile is not None:
            station.charging.install(connector.id, profile)
        station.charger.authorize(id_tag, BY_REMOTE)
        if connector.transaction is None:
            station.profiles.end_transaction(connector.id)

    @override
    async def stop(
        self, connector: Connector, reason: str, *, id_tag: str | None = None
    ) -> None:
        if connector.transaction is not None:
            self._native.stopping = reason, id_tag
            self._native.charger.deauthorize()


class NativeStation(ChargingStation16):
    """The station that a charger is where local OCPP is on (facts N1 to N13)."""

    def __init__(self, charger: Charger, url: str, identity: str, **how: Any) -> None:
        """Create a station without a socket."""
        self.charger = charger
        vendor = replace(VENDORS["easee-native"], serial=charger.serial)
        clock = charger.clock
        super().__init__(
            url,
            identity,
            vendor=vendor,
            clock=lambda: whole_seconds(clock.true),
            register=charger.register * 1000,
            **how,
        )
        self.sessions = NativeSessions(self)
        self.metering = NativeMetering(self)
        self.keeps_stop = False
        """Whether a stop is kept that happens while OCPP is off (N4)."""
        self.stopping: tuple[str, str | None] | None = None
        """Why what is about to end does, and by which token."""
        self._finished = False
        self._flowed = False
        self._missed = False
        self._due: datetime | None = None
        """When it tries to boot again."""

    @property
    def place(self) -> Connector:
        """Return its only connector."""
        return self.connectors[PLACE]

    # What the charger does

    def plugged(self) -> None:
        """Take note of a car, which may be expected."""
        self._finished = False
        if (tag := self.place.authorized) is not None:
            self.later(self.sessions.start(self.place, tag))

    def began(self, session: ChargingSession) -> None:
        """Tell that a session begins."""
        place = self.place
        self._flowed = self._finished = False
        place.since_sample = 0
        place.transaction = transaction = LocalTransaction(
            connector_id=PLACE,
            id_tag=session.auth or NOBODY,
            started_at=whole_seconds(session.start),
            meter_start=round(session.meter_start * 1000),
        )
        payload: dict[str, Any] = {
            "connectorId": PLACE,
            "idTag": transaction.id_tag,
            "meterStart": transaction.meter_start,
            "timestamp": stamp(transaction.started_at),
        }
        reservation = self.reservations.use(place, transaction.id_tag)
        if reservation is not None:
            payload["reservationId"] = reservation
        self.enqueue("StartTransaction", payload, transaction)

    def ended(self, session: ChargingSession) -> None:
        """Tell that a session ends."""
        place, (reason, id_tag) = self.place, self.stopping or (self._reason(), None)
        self.stopping = None
        if (transaction := place.transaction) is None:
            return
        transaction.stopped = True
        place.transaction = None
        self._finished = self.charger.vehicle is not None
        self.profiles.end_transaction(PLACE)
        now = stamp(self.clock())
        register = round((session.meter_start + session.energy) * 1000)
        place.meter.register = register
        payload: dict[str, Any] = {
            "meterStop": register,
            "timestamp": now,
            "reason": reason,
            "idTag": id_tag or transaction.id_tag,
        }
        measurands = self.metering.measurands("StopTxnSampledData")
        if values := place.sampled_values(measurands, "Transaction.End"):
            payload["transactionData"] = [{"timestamp": now, "sampledValue": values}]
        self.enqueue("StopTransaction", payload, transaction)
        if place.after_transaction is not None:
            place.operative, place.after_transaction = place.after_transaction, None
            self.later(self.refresh(place))

    def _reason(self) -> str:
        return "EVDisconnected" if self.charger.vehicle is None else "Other"

    def abandon(self) -> None:
        """Forget the transaction that runs: nobody is ever told how it ends (N4)."""
        self.place.transaction = None
        self.profiles.end_transaction(PLACE)

    def show(self) -> None:
        """Tell what the charger does by now."""
        charger, place = self.charger, self.place
        for name, number in MIRRORED.items():
            self.keys[name].value = "true" if charger[number] else "false"
        if charger.vehicle is None:
            place.vehicle = None
        else:
            place.vehicle = Vehicle(
                phases=charger.vehicle.phases,
                maximum_current=charger.vehicle.maximum_current,
                minimum_current=LOWEST_CURRENT,
            )
        place.meter.phases = charger.phases()
        place.meter.current = charger.currents()[0]
        place.meter.register = charger.register * 1000
        place.offered = charger.offered
        place.operative = bool(charger[31])
        self._flowed |= charger.mode is Mode.CHARGING
        place.status, place.error_code, place.vendor_error = self._status()
        self.later(self.report_status(PLACE))

    def _status(self) -> tuple[str, str, str | None]:
        """Return status, error and the vendor's own word for the reason."""
        charger, place = self.charger, self.place
        if charger.has_error:
            ground = "ground" in str(charger[118]).lower()
            error = "GroundFailure" if ground else "OtherError"
            return "Faulted", error, str(charger[119])
        if charger.vehicle is None:
            waits = place.authorized is not None and place.operative
            return "Preparing" if waits else place.idle, "NoError", None
        if place.transaction is None and charger.session is None:
            status = "Finishing" if self._finished else place.resting
            return status, "NoError", None
        if charger.mode is Mode.READY_TO_CHARGE and not self._flowed:
            return "Preparing", "NoError", None  # N3: as if it had not begun.
        status = STATUS.get(charger.mode, "Finishing")
        reason = str(charger[96]) if status == "SuspendedEVSE" else None
        return status, "NoError", reason

    # What the central system does

    @override
    async def handle(
        self, action: str, payload: dict[str, Any]
    ) -> dict[str, Any] | None:
        if action == "ChangeConfiguration" and not _acceptable(payload):
            self.received.append((action, payload))
            return {"status": "Rejected"}
        answer = await super().handle(action, payload)
        if action == "ChangeConfiguration":
            for name, number in MIRRORED.items():
                if payload["key"] == name:
                    self.charger.observe(number, self.keys[name].value == "true")
        return answer

    @override
    async def apply_limits(self) -> None:
        self.charger.circuit.changed()

    @override
    async def refresh(self, connector: Connector) -> None:
        """Be enabled or disabled as the central system wants it."""
        self.charger.observe(31, connector.operative)
        self.charger.circuit.changed()

    @override
    async def reboot(self, *, hard: bool, reason: str | None = None) -> None:
        self.charger.reboot()

    def powered_on(self) -> None:
        """Introduce itself anew with the next connection."""
        self._booted_once = False
        self.firmware.version = str(self.charger[80])
        self.firmware.powered_up()

    # Time and the line

    @override
    async def _flow(self, connector: Connector, seconds: float) -> None:
        """Leave the current to the charger."""

    @override
    async def advance(self, seconds: float) -> None:
        if self._due is not None and self.clock() >= self._due:
            self._due = None
            if self.connected and not self.booted.is_set():
                await self.boot()
        await super().advance(seconds)

    @override
    async def boot_again(self, delay: float) -> None:
        self._due = self.clock() + timedelta(seconds=delay)

    @override
    async def report_status(self, connector_id: int, *, force: bool = False) -> None:
        before = self.place.reported
        try:
            await super().report_status(connector_id, force=force)
        except TROUBLE:
            self._missed = True
            raise
        if connector_id == PLACE and self.place.reported != before:
            self._missed |= not self.listened_to

    @override
    async def resumed(self) -> None:
        """Tell what changed while nobody listened (OCPP 1.6 4.9)."""
        await super().resumed()
        if self._missed:
            self._missed = False
            await self.report_status(PLACE, force=True)


def _acceptable(change: dict[str, Any]) -> bool:
    """Return whether a change of configuration is none that the charger refuses."""
    if change["key"] not in ("MeterValueSampleInterval", "ClockAlignedDataInterval"):
        return True
    value = change["value"]
    return not (value.isdecimal() and 0 < int(value) < SHORTEST_INTERVAL)
