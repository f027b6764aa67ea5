"""A virtual OCPP 2.0.1 and 2.1 station with the handlers and habits of libocpp."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from typing import override

from aiohttp import ClientError

from ..clock import VirtualClock, wall
from ..memory import Memory
from ..misbehaviour import Misbehaviour
from .authorization import Authorization
from .availability import Availability
from .battery_swap import BatterySwap
from .box import Box
from .charging import SmartCharging
from .der import DistributedEnergy
from .device_model import DEFAULT, DeviceModel
from .display import Display
from .dynamic import Dynamic
from .firmware import Firmware
from .handlers import Handlers
from .limits import TransactionLimits
from .logs import Logs
from .metering import Metering
from .monitoring import Monitoring
from .moods import Moods, Mute
from .provisioning import Provisioning
from .queue import MessageQueue
from .remote_control import RemoteControl
from .reservations import Reservations
from .security import Security
from .state import dump, load, state
from .streams import Streams
from .tariffs import Tariffs
from .timers import Timers
from .transactions import Transactions
from .uplink import CallError, Uplink
from .v2x import Bidirectional
from .values import Json
from .vendors import VENDORS_2, VendorProfile2

type Handle = Callable[[Json], Awaitable[Json]]

STARTS = {
    "PowerUp": ("StartupOfTheDevice", "Charging Station powered up!"),
    "RemoteReset": (
        "ResetOrReboot",
        "Charging Station rebooted due to requested remote reset!",
    ),
    "ScheduledReset": (
        "ResetOrReboot",
        "Charging Station rebooted due to a scheduled reset!",
    ),
}
VERSIONS = ("2.1", "2.0.1")
QUIET = 10
"""How many turns of the loop nothing has to move before everything is settled."""


class ChargingStation(Uplink, Handlers):
    """One station; `on_*` are facts from the hardware, named as in libocpp.

    Time passes only through `advance` and `pass_time`. `box` is the hardware that
    does what the central system asks for.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        evses: Sequence[int] = (1,),
        versions: Sequence[str] = VERSIONS,
        password: str | None = None,
        clock: Callable[[], datetime] = wall,
        device_model: Path = DEFAULT,
        register: float = 1000.0,
        security_profile: int | None = None,
        memory: Path | None = None,
        vendor: VendorProfile2 = VENDORS_2["generic"],
        misbehaviours: Sequence[Misbehaviour] = (),
    ) -> None:
        """Create a station that is switched off, with so many connectors per EVSE.

        The security profile is read from `url` and `password` unless given. What is
        kept in the file `memory` comes before all that is said here.
        """
        super().__init__()
        self.identity = identity
        self.evses = tuple(evses)
        self.versions = tuple(versions)
        self.clock = VirtualClock(clock)
        self.timers = Timers(self.clock)
        self.model = DeviceModel(self.evses, device_model)
        self._introduce(identity)
        self.moods = Moods(self, misbehaviours)
        """What it gets wrong."""
        vendor.settle_in(self)
        self.queue = MessageQueue(self)
        if security_profile is None:
            security_profile = 2 if url.startswith("wss:") else int(bool(password))
        self.security = Security(self, url, password, security_profile)
        self.authorization = Authorization(self)
        self.availability = Availability(self)
        self.charging = SmartCharging(self)
        self.display = Display(self)
        self.firmware = Firmware(self)
        self.logs = Logs(self)
        self.metering = Metering(self)
        self.monitoring = Monitoring(self)
        self.provisioning = Provisioning(self)
        self.remote_control = RemoteControl(self)
        self.reservations = Reservations(self)
        self.transactions = Transactions(self)
        self.der = DistributedEnergy(self)
        self.dynamic = Dynamic(self)
        self.limits = TransactionLimits(self)
        self.streams = Streams(self)
        self.swap = BatterySwap(self)
        self.tariffs = Tariffs(self)
        self.v2x = Bidirectional(self)
        self.box = Box(self, register)
        self._handlers: dict[str, Handle] = {
            **self.authorization.handlers,
            **self.availability.handlers,
            **self.charging.handlers,
            **self.display.handlers,
            **self.firmware.handlers,
            **self.logs.handlers,
            **self.monitoring.handlers,
            **self.provisioning.handlers,
            **self.remote_control.handlers,
            **self.reservations.handlers,
            **self.security.handlers,
            **self.transactions.handlers,
        }
        self._newer: dict[str, Handle] = {
            **self.der.handlers,
            **self.dynamic.handlers,
            **self.streams.handlers,
            **self.swap.handlers,
            **self.tariffs.handlers,
            **self.v2x.handlers,
        }
        """What only OCPP 2.1 knows; the real library knows nothing of it."""
        self._memory = Memory(memory)
        if kept := self._memory.read():
            load(self, kept)
        self._power_up("PowerUp")

    def _introduce(self, identity: str) -> None:
        """Have the device model say who this is."""
        self.model.put("InternalCtrlr.ChargePointId", identity)
        self.model.put("SecurityCtrlr.Identity", identity)
        self.model.put("InternalCtrlr.NumberOfConnectors", str(len(self.evses)))

    # The socket

    @property
    @override
    def subprotocols(self) -> tuple[str, ...]:
        """Return what is offered to the central system, best first."""
        return tuple(f"ocpp{version}" for version in self.versions)

    @property
    def url(self) -> str:
        """Return where it dials now, for people."""
        return self.address

    @property
    @override
    def address(self) -> str:
        """Return where to dial."""
        return self.security.address()

    @override
    def headers(self) -> dict[str, str]:
        """Return what proves who is dialling."""
        return self.security.headers()

    @override
    async def tls(self) -> SSLContext | None:
        """Return what TLS goes by; None without TLS."""
        return await self.security.tls()

    @property
    @override
    def ping_interval(self) -> float | None:
        """Return how often to ping, in s."""
        return self.model.number("OCPPCommCtrlr.WebSocketPingInterval") or None

    @override
    def arrived(self) -> None:
        """Boot after a start; after a loss of connection go on without (B04)."""
        self.security.arrived()
        self.charging.returned()
        self.remember()
        if self.provisioning.registration != "Accepted":
            self.provisioning.boot()
            return
        self.availability.reconnected()
        self.monitoring.reconnected()

    @override
    def lost(self) -> None:
        """Take note that the connection is gone."""
        self.availability.lost()

    @override
    def turned_away(self, err: ClientError) -> None:
        """Take note that a connection did not come about."""
        self.security.turned_away(err)
        self.remember()

    @property
    def listened_to(self) -> bool:
        """Return whether the central system takes any message now."""
        return self.connected and self.provisioning.registration == "Accepted"

    @override
    async def handle(self, action: str, payload: Json) -> Json | None:
        """Answer a request, not at all with None; raises CallError."""
        try:
            if (spoilt := self.moods.answer(action, payload)) is not None:
                return spoilt
        except Mute:
            return None
        if (refused := self.provisioning.refuses(action, payload)) is not None:
            return refused
        handler = self._handlers.get(action)
        if handler is None and self.version == "2.1":
            handler = self._newer.get(action)
        if handler is None:
            raise CallError("NotImplemented")
        return await handler(payload)

    # Power

    def _power_up(self, reason: str) -> None:
        """Begin anew: what is not kept is forgotten."""
        self.provisioning.registration = "Rejected"
        self.provisioning.reason = reason
        kind, text = STARTS.get(reason, STARTS["RemoteReset"])
        if kind == "StartupOfTheDevice":
            text = f"{text} Firmware version: {self.firmware.version}"
        self.security.event(kind, text)
        self.security.power_up()
        self.monitoring.on = self.model.flag("MonitoringCtrlr.Enabled")
        self.availability.powered_up()
        self.metering.align()
        for transaction in self.transactions.running.values():
            self.metering.resume(transaction)
            self.transactions.resumed(transaction)

    async def reboot(self, reason: str = "PowerUp") -> None:
        """Lose power and start again, with nothing but what is kept."""
        await self.disconnect()
        self.queue.powered_off()
        self.timers.clear()
        if not self.model.flag("InternalCtrlr.ResumeTransactionsOnBoot"):
            # No end of it will ever be told.
            for evse_id in [*self.transactions.running]:
                del self.transactions.running[evse_id]
                self.box.places[evse_id].token = None
        self.moods.forget()
        self._power_up(reason)
        self.reservations.load(self.reservations.dump())
        if self.reconnect:
            await self.connect()

    def remember(self) -> None:
        """Keep what a loss of power must not take, if there is a memory."""
        if self._memory.used:
            self._memory.write(dump(self))

    # Time

    async def advance(self, seconds: float) -> None:
        """Let time pass: meters run, and what is due is done.

        The clock is not moved: that is for who moves its base, or `pass_time`.
        """
        await self.box.advance(seconds)
        await self.timers.advance()
        await self.der.advance()
        await self.limits.advance()
        await self.tariffs.advance()
        await self.monitoring.advance()
        self.queue.advance()
        self.remember()

    async def pass_time(self, seconds: float, *, step: float = 1.0) -> None:
        """Move the clock and all that happens on with it, in steps of so many s.

        Each step waits for the answers, so the central system has to give them.
        """
        while seconds > 0:
            part = min(step, seconds)
            self.clock.advance(part)
            await self.advance(part)
            await self.settle()
            seconds -= part

    async def settle(self) -> None:
        """Wait until everything that can be told was told, and answered."""
        quiet = 0
        while quiet < QUIET:
            quiet = 0 if self.queue.busy or self.logs.busy else quiet + 1
            await asyncio.sleep(0)

    def state(self) -> Json:
        """Return what the control interface shows."""
        return state(self)
