"""Local charger: one charger of an account on its way to an OCPP server here, or back.

A server lets it in, with a password of its own, before anything is stored in the cloud;
it is sent away again after the charger has been told to dial no longer.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import ExitStack
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback

from .easee.commissioning import TOLD, Commissioning
from .easee.errors import EaseeError
from .easee.local_address import problems_of
from .easee.local_details import UNTOLD, Details
from .easee.local_ocpp import LocalOcpp
from .easee.local_problems import Check
from .easee.local_progress import FACT, Goal, Progress, Stage
from .easee.products import ChargerInfo
from .easee.readings import Readings
from .easee.timing import limit
from .easee_local_address import async_details, async_own_addresses
from .easee_local_arrivals import Arrivals
from .easee_local_errors import LocalRefused, Refusal
from .easee_local_examination import Examination
from .easee_local_findings import Findings, ServerChoice, unconfirmed
from .easee_local_lodging import Lodging
from .easee_local_place import async_server_of
from .easee_local_reported import Reported
from .entries import async_loaded_servers
from .models import EvChargerHubConfigEntry, HubStation
from .station.channel import Channel
from .station.clock import Timer
from .station.errors import JournalError
from .station.secrets import generate_password, shortened

if TYPE_CHECKING:
    from .easee_hub import EaseeHub

_LOGGER = logging.getLogger(__name__)

HANGS_UP_WITHIN: Final = 60.0
"""Seconds that are given to a charger that was told to dial no longer."""
AFTER_RETURN: Final = 30.0
"""Seconds after which it is looked what is stored for a charger that came back, ..."""
AFTER_LOSS: Final = 300.0
"""... and for one that went."""
AWAY: Final = 3600.0
"""Seconds after which one that reaches the cloud only is told again where to dial."""
INSPECTION: Final = timedelta(hours=6)


class LocalCharger:
    """One charger: how it is moved, where to, and what becomes of that."""

    def __init__(self, hub: EaseeHub, info: ChargerInfo) -> None:
        """Prepare to move a charger; nothing is read yet."""
        self.info = info
        self.arrivals = Arrivals(hub.account.time)
        self.readings = Reported(self._reported, hub.account.time)
        self.lodging = Lodging(hub, lambda: self.identity, self._later)
        self.stranded: Channel[bool] = Channel(False, urgent=True)
        """Whether it was moved to a server that does not have it any more."""
        self._hub = hub
        self._time = hub.account.time
        self._examination = Examination(hub, info.serial, self.readings)
        self._lock = asyncio.Lock()
        self._timers: dict[str, Timer] = {}
        self._ending = ExitStack()
        self._commissioning = Commissioning(
            info.serial,
            requests=hub.account.requests,
            commands=hub.account.commands,
            readings=self.readings,
            time=self._time,
            load=lambda: hub.journal.load(self.identity, FACT),
            store=lambda value: hub.journal.store(self.identity, FACT, value),
            connected=self.arrivals.came,
            spawn=lambda work, name: self._later(self.readings.known(work), name),
        )
        self.progress = self._commissioning.progress

    # What is known

    @property
    def serial(self) -> str:
        """Return the serial number in upper case."""
        return self.info.serial.upper()

    @property
    def identity(self) -> str:
        """Return what it is known by here."""
        return self._hub.identity_of(self.info)

    @property
    def name(self) -> str:
        """Return what it is called."""
        shown = self._shown()
        return self.info.name if shown is None else shown.station.settings.name

    @property
    def next_attempt(self) -> datetime | None:
        """Return when it is told once more if it does not come, None if never."""
        return self._commissioning.next_attempt

    def _shown(self) -> HubStation | None:
        """Return the charger as the entry has it that shows it."""
        host = self._hub.guests.stations.get(self.serial)
        return host or self._hub.stations.get(self.identity)

    def _host(self) -> HubStation | None:
        """Return the charger as a server here has it, None if none that runs does."""
        return self.lodging.station or self._hub.guests.stations.get(self.serial)

    def _reported(self) -> Readings | None:
        charger = self._hub.account.chargers.get(self.serial)
        return None if charger is None else charger.readings

    def _identity_here(self) -> str:
        """Return by what name a server here knows it, or would."""
        host = self._hub.guests.stations.get(self.serial)
        return self.identity if host is None else host.station.identity

    def _server_here(self) -> EvChargerHubConfigEntry | None:
        """Return the server that has it already."""
        return async_server_of(self._hub.hass, self._identity_here())

    # Life

    async def async_start(self) -> None:
        """Go on from what is written down; raises JournalError."""
        await self.lodging.async_load()
        for channel, changed in (
            (self.progress, self._progress_changed),
            (self.arrivals.here, self._connection_changed),
        ):
            self._ending.callback(channel.subscribe(changed))
        await self._commissioning.start()
        # Who still dials is not turned out.
        self.look()
        await self._recover()
        self.look()
        self._inspect_later("round", INSPECTION.total_seconds())
        self._set_timer("away", AWAY, self._stays_away)

    async def async_stop(self) -> None:
        """Do nothing more; what is written down is gone on from at the next start."""
        self._ending.close()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.arrivals.stop()
        await self._commissioning.stop()
        self.lodging.stop()

    @callback
    def update(self, info: ChargerInfo) -> None:
        """Take what the account says of it from now on."""
        self.info = info
        self.look()

    @callback
    def look(self) -> None:
        """See whether a server still has it, and listen to it there."""
        host, progress = self._host(), self.progress.value
        self.arrivals.follow(None if host is None else host.station)
        self.stranded.set(
            progress is not None
            and progress.goal is Goal.ON
            and async_server_of(self._hub.hass, progress.details.identity) is None
        )

    async def _recover(self) -> None:
        """Have a server let it in again that was killed before it wrote that down."""
        if (place := self.lodging.place.value) is None:
            return
        if (progress := self.progress.value) is None:
            # Killed before anything was planned, or after everything was undone.
            self._later(self._async_move_out(), "back from a server")
        elif progress.goal is Goal.ON and not place.kept:
            if self.lodging.lost:
                await self.lodging.async_occupy(progress.details.password)
            self.lodging.note_kept()

    def _later(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        hub = self._hub
        return hub.entry.async_create_background_task(hub.hass, work, name)

    # What is asked

    async def examine(self) -> Findings:
        """Return what is known before it is moved; raises EaseeError."""
        progress = self.progress.value
        return await self._examination.async_findings(
            self.name,
            self._shown(),
            None if progress is None else progress.details,
            await self.choices(),
        )

    async def choices(self) -> tuple[ServerChoice, ...]:
        """Return the servers here that it may be moved to, those first that run."""
        return await self._examination.async_choices(
            self._identity_here(), self._server_here()
        )

    async def inspect(self) -> None:
        """See whether what was stored is still there; raises EaseeError, JournalError."""
        await self._commissioning.inspect()

    async def _inspect(self) -> None:
        """See whether what was stored is still there; what fails is tried later."""
        try:
            await self.inspect()
        except (EaseeError, JournalError) as err:
            _LOGGER.debug(
                "%s: not looked at: %s", shortened(self.serial), type(err).__name__
            )

    # What the user decides

    async def begin(
        self,
        server: EvChargerHubConfigEntry,
        url: str,
        *,
        name: str | None,
        confirmed: Collection[Check],
        charge_when_away: bool,
    ) -> None:
        """Move it to a server; see `LocalCharging.begin`."""
        async with self._lock:
            self._check_free(server)
            hass, identity = self._hub.hass, self._identity_here()
            password = generate_password()
            details = await async_details(hass, server, url, identity, password)
            own = await async_own_addresses(hass)
            problems = problems_of(details, own)
            problems += await self._examination.async_problems(None)
            if left := unconfirmed(problems, confirmed):
                stopped = any(not one.overridable for one in left)
                kind = Refusal.STOPPED if stopped else Refusal.NOT_CONFIRMED
                raise LocalRefused(kind, left)
            try:
                await self._let_in(server, identity, name, password)
                await self._commissioning.begin(
                    details, charge_when_away=charge_when_away
                )
            except EaseeError, JournalError:
                self._move_out()
                raise
        self.lodging.note_kept()
        self.look()

    def _check_free(self, server: EvChargerHubConfigEntry) -> None:
        if self.progress.value is not None or self.arrivals.here.value:
            raise LocalRefused(Refusal.ALREADY)
        if server.state is not ConfigEntryState.LOADED:
            raise LocalRefused(Refusal.NO_SERVER)
        if self._server_here() not in {None, server}:
            raise LocalRefused(Refusal.IDENTITY_TAKEN)

    async def _let_in(
        self,
        server: EvChargerHubConfigEntry,
        identity: str,
        name: str | None,
        password: str | None,
    ) -> None:
        shown = self._shown()
        settings = None if shown is None else shown.station.settings
        await self.lodging.async_let_in(
            server, identity, name or self.name, settings, password
        )
        self.look()

    async def undo(self) -> None:
        """Move it back to the cloud alone."""
        self._check_moved()
        await self._commissioning.undo()

    async def retry(self) -> None:
        """Go on after a trouble; a server that has lost it lets it in again."""
        async with self._lock:
            progress = self._check_moved()
            if self.stranded.value:
                await self._return(progress)
            await self._commissioning.retry()

    async def _return(self, progress: Progress) -> None:
        """Have a server let it in again, as it dials."""
        details = progress.details
        password = None if details.password == UNTOLD else details.password
        if not await self.lodging.async_occupy(password):
            servers = async_loaded_servers(self._hub.hass)
            if len(servers) != 1:
                raise LocalRefused(Refusal.NO_SERVER)
            await self._let_in(servers[0], details.identity, None, password)
            self.lodging.note_kept()
        self.look()

    async def adopt(self, server: EvChargerHubConfigEntry | None) -> None:
        """Take what somebody else stored for ours; see `LocalCharging.adopt`."""
        async with self._lock:
            stored = await LocalOcpp(self._hub.account.requests).read(self.info.serial)
            try:
                if stored is not None and stored.details.active:
                    await self._let_in_as(stored.details, server)
                elif self.progress.value is None:
                    raise LocalRefused(Refusal.NOT_MOVED)
                await self._commissioning.adopt()
            except EaseeError, JournalError:
                if self.progress.value is None:
                    self._move_out()
                raise
        self.lodging.note_kept()
        self.look()

    async def _let_in_as(
        self, details: Details, server: EvChargerHubConfigEntry | None
    ) -> None:
        """Have a server let it in as it dials, unless one does already."""
        identity, password = details.identity, details.password or None
        known = async_server_of(self._hub.hass, identity)
        if known is not None and await self.lodging.async_admits(
            known, identity, password
        ):
            return
        server = known or server or self._server_here()
        if server is None or server.state is not ConfigEntryState.LOADED:
            raise LocalRefused(Refusal.NO_SERVER)
        if known is None:
            # Nobody comes by the name any more by which it was let in before.
            self._move_out()
        await self._let_in(server, identity, None, password)

    async def leave(self) -> None:
        """Forget how it was moved; a server that it dials keeps it."""
        async with self._lock:
            progress = self._check_moved()
            dials = self.arrivals.here.value or (
                progress.goal is Goal.ON
                and progress.stage in TOLD
                and progress.trouble is None
            )
            if dials:
                await self.lodging.async_forget()
            await self._commissioning.leave()

    def _check_moved(self) -> Progress:
        if (progress := self.progress.value) is None:
            raise LocalRefused(Refusal.NOT_MOVED)
        return progress

    # What follows

    async def _async_move_out(self) -> None:
        """Leave the server as soon as it is not dialed any more."""
        try:
            async with limit(self._time, HANGS_UP_WITHIN):
                # Who is turned out while it dials would ask to be let in.
                await self.arrivals.left()
        except TimeoutError:
            _LOGGER.debug("%s: still connected", shortened(self.serial))
        async with self._lock:
            if self.progress.value is None:
                self._move_out()

    @callback
    def _move_out(self) -> None:
        self.arrivals.follow(None)
        self.lodging.give_back(self.serial)

    @callback
    def _progress_changed(self) -> None:
        if self.progress.value is None and self.lodging.place.value is not None:
            self._later(self._async_move_out(), "back from a server")
        self.look()

    @callback
    def _connection_changed(self) -> None:
        here = self.arrivals.here.value
        self._inspect_later("change", AFTER_RETURN if here else AFTER_LOSS)
        self._set_timer("away", AWAY, self._stays_away)

    @callback
    def _stays_away(self) -> None:
        """Tell it again where to dial, which ends in a trouble if it does not come."""
        self._set_timer("away", AWAY, self._stays_away)
        progress, host = self.progress.value, self._host()
        if (
            progress is not None
            and progress.goal is Goal.ON
            and progress.stage is Stage.VERIFIED
            and progress.trouble is None
            and host is not None
            and host.station.remote.value
            and not self.arrivals.here.value
        ):
            self._later(self._tell_again(), "Easee charger that stays away")

    async def _tell_again(self) -> None:
        try:
            await self._commissioning.retry()
        except JournalError:
            _LOGGER.exception("%s: not told again", shortened(self.serial))

    def _inspect_later(self, name: str, seconds: float) -> None:
        def inspect() -> None:
            self._later(self._inspect(), "Easee local OCPP inspection")
            if name == "round":
                self._inspect_later("round", INSPECTION.total_seconds())

        self._set_timer(name, seconds, inspect)

    def _set_timer(self, name: str, seconds: float, done: Callable[[], None]) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
        self._timers[name] = self._time.call_later(seconds, done)
