"""A virtual OCPP 1.6 charging station: the box, its cars, its memory and its moods."""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from typing import Any, override

from aiohttp import ClientError

from .clock import VirtualClock, stamp, wall
from .configuration import Key, configuration
from .connector import Connector, LocalTransaction
from .firmware import Firmware
from .logs import Logs
from .memory import Memory
from .metering import Metering
from .misbehaviour import Misbehaviour
from .outbox import Outbox
from .profiles import ProfileStore
from .requests import Requests
from .reservations import Reservations
from .rpc import TROUBLE
from .security import Security
from .sessions import Sessions
from .smart_charging import SmartCharging
from .state import dump, load, state
from .tokens import Tokens
from .uplink import Uplink
from .vehicle import Meter, Vehicle
from .vendors import VENDORS, VendorProfile


class ChargingStation16(Uplink):
    """One charging station; time passes only through `advance` and `pass_time`."""

    subprotocol = "ocpp1.6"
    version = "1.6"

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        connectors: int = 1,
        password: str | None = None,
        vendor: VendorProfile = VENDORS["generic"],
        clock: Callable[[], datetime] = wall,
        register: float = 12_345.0,
        misbehaviours: Iterable[Misbehaviour] = (),
        security_profile: int | None = None,
        common_name: str | None = None,
        memory: Path | None = None,
    ) -> None:
        """Create a station that is switched off; its clock follows `clock`.

        The security profile is read from `url` and `password` unless given. What is
        kept in the file `memory` comes before all that is said here.
        """
        super().__init__(url, identity, password)
        self.vendor = vendor
        self.misbehaviours |= {*vendor.habits, *misbehaviours}
        self.clock = VirtualClock(clock)
        self.keys: dict[str, Key] = configuration(vendor, connectors)
        self.profiles = ProfileStore(
            max_stack_level=vendor.max_stack_level,
            units=vendor.rate_units,
            max_periods=vendor.max_periods,
            max_profiles=vendor.max_profiles,
        )
        wired = vendor.phases if vendor.phase_switching else 0
        self.connectors = {
            number: Connector(
                id=number,
                meter=Meter(register=register, phases=vendor.phases, wired=wired),
                location=vendor.location,
            )
            for number in range(1, connectors + 1)
        }
        self.received: list[tuple[str, dict[str, Any]]] = []
        """Every request of the central system, oldest first."""
        if security_profile is None:
            security_profile = int(password is not None)
            if url.startswith("wss:"):
                security_profile = 2
        if vendor.security:
            self.keys["SecurityProfile"].value = str(security_profile)
        self.common_name = common_name or vendor.serial or identity
        """The name that a request for a certificate carries."""
        self.charging = SmartCharging(self)
        self.firmware = Firmware(self)
        self.logs = Logs(self)
        self.metering = Metering(self)
        self.outbox = Outbox(self)
        self.reservations = Reservations(self)
        self.security = Security(self, security_profile)
        self.sessions = Sessions(self)
        self.tokens = Tokens(self)
        self._memory = Memory(memory)
        self._requests = Requests(self)
        self._since_heartbeat = 0.0
        if kept := self._memory.read():
            load(self, kept)
            self.security.power_up()

    @property
    @override
    def address(self) -> str:
        """Return where to dial."""
        return self.security.address(self.url)

    @override
    def headers(self) -> dict[str, str]:
        """Return what proves who is dialling."""
        return self.security.headers()

    @override
    async def tls(self) -> SSLContext | None:
        """Return what TLS goes by; None without TLS."""
        return await self.security.tls()

    @override
    def turned_away(self, err: ClientError) -> None:
        """Take note that a connection did not come about."""
        self.security.turned_away(err)

    @override
    def arrived(self) -> None:
        """Take note that a connection came about."""
        self.security.arrived()
        self.remember()

    @override
    async def resumed(self) -> None:
        """Go on after a connection that needed no boot."""
        await self.outbox.flush()

    def remember(self) -> None:
        """Keep what a loss of power must not take, if there is a memory."""
        if self._memory.used:
            self._memory.write(dump(self))

    @override
    async def boot(self) -> None:
        """Send BootNotification until it is accepted, then every status."""
        self.booted.clear()
        vendor = self.vendor
        payload = {
            "chargePointVendor": vendor.vendor,
            "chargePointModel": vendor.model,
            "firmwareVersion": self.firmware.version,
        }
        if vendor.serial is not None:
            payload["chargePointSerialNumber"] = vendor.serial
        answer = await self.call("BootNotification", payload)
        if answer["status"] != "Accepted":
            self.later(self.boot_again(answer.get("interval") or 30))
            return
        self.keys["HeartbeatInterval"].value = str(answer["interval"])
        self.accepted()
        await self.report_status(0, force=True)
        for connector in self.connectors.values():
            await self.report_status(connector.id, force=True)
        self.firmware.booted()
        await self.outbox.flush()

    @override
    async def handle(
        self, action: str, payload: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Answer a request of the central system; what it changed is kept first."""
        try:
            return await self._requests.handle(action, payload)
        finally:
            self.remember()

    @override
    async def started(
        self, transaction: LocalTransaction, answer: dict[str, Any]
    ) -> None:
        """Take the answer to the start of a transaction."""
        await self.sessions.started(transaction, answer)

    # What people and vehicles do

    async def plug_in(
        self, connector_id: int = 1, vehicle: Vehicle | None = None
    ) -> None:
        """Put a vehicle's plug into a connector."""
        connector = self.connectors[connector_id]
        connector.vehicle = vehicle or Vehicle(phases=self.vendor.phases)
        connector.meter.phases = min(self.vendor.phases, connector.vehicle.phases)
        if connector.authorized is not None:
            await self.sessions.start(connector, connector.authorized)
        else:
            await self.set_status(connector, connector.resting)

    async def swipe(self, id_tag: str, connector_id: int = 1) -> bool:
        """Present a token; return whether it started, or ended, something."""
        return await self.tokens.swipe(id_tag, self.connectors[connector_id])

    async def unplug(self, connector_id: int = 1) -> None:
        """Pull the plug."""
        connector = self.connectors[connector_id]
        if connector.transaction is not None:
            await self.set_status(connector, "SuspendedEV")
            await self.sessions.stop(connector, "EVDisconnected")
        connector.vehicle = None
        connector.meter.current = 0
        connector.authorized = None
        connector.prepared = None
        await self.set_status(connector, connector.idle)

    async def fault(self, error_code: str, connector_id: int = 1) -> None:
        """Break a connector."""
        connector = self.connectors[connector_id]
        connector.error_code = error_code
        connector.meter.current = 0
        if connector.transaction is not None:
            await self.sessions.stop(connector, "Other")
        self.reservations.lose(connector)
        await self.set_status(connector, "Faulted")

    async def clear_fault(self, connector_id: int = 1) -> None:
        """Repair a connector."""
        connector = self.connectors[connector_id]
        connector.error_code = "NoError"
        await self.set_status(connector, connector.resting)

    async def reboot(self, *, hard: bool, reason: str | None = None) -> None:
        """Restart: transactions end, the socket goes, the station dials in again.

        Charging profiles survive (errata 3.37), except those of a transaction.
        """
        for connector in self.connectors.values():
            if connector.transaction is not None:
                await self.sessions.stop(
                    connector, reason or ("HardReset" if hard else "SoftReset")
                )
        if Misbehaviour.FORGET_PROFILES_ON_REBOOT in self.misbehaviours:
            self.profiles.forget()
        with contextlib.suppress(*TROUBLE):
            await self.outbox.flush()
        self.tokens.rebooted()
        self.reservations.rebooted()
        await self.disconnect()
        self._booted_once = False
        self.firmware.powered_up()
        self.security.power_up()
        self.security.event("ResetOrReboot")
        if self.reconnect:
            await self.connect()

    # Status

    async def set_status(self, connector: Connector, status: str) -> None:
        """Change a status, and tell of it."""
        connector.status = status
        await self.report_status(connector.id)

    async def refresh(self, connector: Connector) -> None:
        """Bring an idle connector's status in line with its availability."""
        if connector.transaction is None and (
            connector.vehicle is None or connector.blocked
        ):
            await self.set_status(connector, connector.idle)

    async def report_status(self, connector_id: int, *, force: bool = False) -> None:
        """Send StatusNotification if something changed, or if asked to."""
        status, error, vendor_error = "Available", "NoError", None
        if connector_id:
            connector = self.connectors[connector_id]
            status, error = connector.status, connector.error_code
            vendor_error = connector.vendor_error
            told = f"{status} {error} {vendor_error}"
            if connector.reported == told and not force:
                return
            connector.reported = told
        if not self.listened_to:
            return
        payload = {
            "connectorId": connector_id,
            "errorCode": error,
            "status": status,
            "timestamp": stamp(self.clock()),
        }
        if vendor_error is not None:
            payload["vendorErrorCode"] = vendor_error
        await self.call("StatusNotification", payload)

    # Time

    def offered(self, connector_id: int = 1) -> float:
        """Return the current in A per phase that a connector offers its vehicle."""
        return self.connectors[connector_id].offered

    def install(self, profile: dict[str, Any], connector_id: int = 1) -> None:
        """Have a charging profile that the central system knows nothing of."""
        self.charging.install(connector_id, profile)
        self.charging.offer()

    async def apply_limits(self) -> None:
        """Offer what the profiles allow now, and tell where a status changes."""
        self.charging.offer()
        for connector in self.connectors.values():
            if connector.transaction is None:
                continue
            if (
                Misbehaviour.ZERO_ENDS_TRANSACTION in self.misbehaviours
                and connector.offered == 0
            ):
                await self.sessions.stop(connector, "Other")
            else:
                await self.set_status(connector, connector.flow)

    async def pass_time(self, seconds: float, *, step: float = 1.0) -> None:
        """Move the clock and all that happens on with it, in steps of so many s."""
        while seconds > 0:
            part = min(step, seconds)
            self.clock.advance(part)
            await self.advance(part)
            seconds -= part

    async def advance(self, seconds: float) -> None:
        """Let time pass: currents follow, meters run, samples and heartbeats go out.

        The clock is not moved: that is for who moves its base, or `pass_time`.
        """
        await self.apply_limits()
        await self.reservations.advance()
        await self.firmware.advance()
        await self.logs.advance()
        for connector in self.connectors.values():
            if connector.transaction is not None:
                await self._flow(connector, seconds)
            await self.metering.advance(connector, seconds)
        self._since_heartbeat += seconds
        if self._since_heartbeat >= (self.number("HeartbeatInterval") or 300):
            self._since_heartbeat = 0
            if self.listened_to:
                if Misbehaviour.GARBAGE_FRAMES in self.misbehaviours:
                    for garbage in ("{", "[]", "42", '[9, "x"]', '[2, "1", ["x"], {}]'):
                        await self.send(garbage)
                await self.call("Heartbeat", {})
        await self.outbox.flush()
        self.remember()

    async def _flow(self, connector: Connector, seconds: float) -> None:
        """Let current flow, and tell whether it does."""
        target = 0.0
        if connector.vehicle is not None:
            target = connector.vehicle.wanted(connector.offered)
        connector.meter.advance(seconds, target, connector.vehicle)
        await self.set_status(connector, connector.flow)

    def number(self, name: str) -> int:
        """Return a configured number; 0 where the station has no such key."""
        key = self.keys.get(name)
        return int((key and key.value) or 0)

    def flag(self, name: str) -> bool:
        """Return a configured choice; false where the station has no such key."""
        key = self.keys.get(name)
        return key is not None and key.value == "true"

    @override
    async def settle(self) -> None:
        """Wait until everything was told, and what is on its way has arrived."""
        await super().settle()
        while self.logs.busy or (self.outbox.waiting and self.listened_to):
            await asyncio.sleep(0)

    def state(self) -> dict[str, Any]:
        """Return what the control interface shows."""
        return state(self)
