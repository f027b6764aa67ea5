"""Local lodging: has an OCPP server let a charger in, and lets it go again.

What is done is written down before, and made up for after Home Assistant was killed.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
import logging
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import callback

from .const import CONF_PASSWORD_HASH
from .easee_local_place import FACT, Place
from .easee_settings import OF_CHARGER
from .handover import async_take_device
from .models import EvChargerHubConfigEntry, HubStation
from .ocpp.credentials import hash_password, verify_password
from .settings import DEFAULTS, async_chargers, station_settings
from .station.channel import Channel
from .station.clock import Timer
from .station.errors import JournalError
from .station.settings import StationSettings

if TYPE_CHECKING:
    from .easee_hub import EaseeHub

_LOGGER = logging.getLogger(__name__)

KEPT_AFTER: Final = 10.0
"""Seconds after which Home Assistant has written down what it was told."""

type Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class Lodging:
    """Where one charger of an account is let in, None for nowhere."""

    def __init__(
        self, hub: EaseeHub, identity: Callable[[], str], spawn: Spawn
    ) -> None:
        """Know of no place yet; it is written down under what `identity` returns."""
        self.place: Channel[Place | None] = Channel(None, urgent=True)
        self._hub = hub
        self._identity = identity
        self._spawn = spawn
        self._timer: Timer | None = None
        self._given_back: Place | None = None
        """What is no place any more, and is still written down."""

    async def async_load(self) -> None:
        """Know what is written down; raises JournalError."""
        kept = await self._hub.journal.load(self._identity(), FACT)
        if kept is not None:
            try:
                self.place.set(Place.from_dict(kept))
            except KeyError, TypeError:
                _LOGGER.warning("Where a charger was let in is not readable")

    @callback
    def stop(self) -> None:
        """Write nothing down any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def station(self) -> HubStation | None:
        """Return the charger as the server has it, None if that does not run."""
        place = self.place.value
        return None if place is None else place.station(self._hub.hass)

    @property
    def lost(self) -> bool:
        """Return whether the server has it no longer."""
        place = self.place.value
        return place is not None and place.subentry(self._hub.hass) is None

    async def async_let_in(
        self,
        server: EvChargerHubConfigEntry,
        identity: str,
        name: str,
        settings: StationSettings | None,
        password: str | None,
    ) -> None:
        """Have a server let it in, with the settings that it had; raises JournalError."""
        hub = server.runtime_data
        known = async_chargers(server).get(identity)
        before = None if known is None else known.data.get(CONF_PASSWORD_HASH)
        place = Place(
            entry_id=server.entry_id,
            identity=identity,
            name=name,
            made=known is None,
            password_before=before,
            settings=_unusual(settings or DEFAULTS),
        )
        former = self.place.value
        if known is not None and former is not None and former.is_at(server, identity):
            # It has not left yet: what is there is what we made.
            place = replace(former, kept=False)
        await self._async_keep(place)
        await self.async_occupy(password)
        subentry = place.subentry(self._hub.hass)
        if known is None and subentry is not None and identity not in hub.stations:
            await hub.chargers.async_arrive(identity, subentry)

    async def async_admits(
        self, server: EvChargerHubConfigEntry, identity: str, password: str | None
    ) -> bool:
        """Return whether a server lets a charger in by a password, as far as it is told."""
        known = async_chargers(server).get(identity)
        hashed = None if known is None else known.data.get(CONF_PASSWORD_HASH)
        if password is None or hashed is None:
            return True
        return await self._hub.hass.async_add_executor_job(
            verify_password, password.encode(), hashed
        )

    async def async_occupy(self, password: str | None) -> bool:
        """Have the server let it in, also if it did before; return whether it can."""
        if (place := self.place.value) is None:
            return False
        hashed = None
        if password:
            hashed = await self._hub.hass.async_add_executor_job(
                hash_password, password
            )
        return place.occupy(self._hub.hass, hashed)

    @callback
    def note_kept(self) -> None:
        """Take note soon that Home Assistant has written the place down as well."""
        if (place := self.place.value) is not None and not place.kept:
            self._set_timer(lambda: self._async_note(place))

    async def _async_note(self, place: Place) -> None:
        if self.place.value is place:
            await self._async_keep(replace(place, kept=True))

    async def async_forget(self) -> None:
        """Leave the charger where it is, for good; raises JournalError."""
        if self.place.value is not None:
            await self._async_keep(None)

    @callback
    def give_back(self, serial: str) -> None:
        """Have the server be as it was; the account takes the charger over."""
        hub, place = self._hub, self.place.value
        if place is None:
            return
        subentry = place.subentry(hub.hass)
        if place.made and subentry is not None:
            changes = _changes(place, station_settings(subentry))
            if changes:
                hub.change_charger(serial, changes)
            # Home Assistant may remove what it has there before it tells anybody.
            async_take_device(hub.hass, hub.entry, None, place.identity)
        place.vacate(hub.hass)
        self._given_back = place
        self.place.set(None)
        # Home Assistant may be killed before it has written that down.
        self._set_timer(self._async_drop)
        hub.look_again()

    async def _async_drop(self) -> None:
        if self.place.value is None and self._given_back is not None:
            await self._async_keep(None)

    async def _async_keep(self, place: Place | None) -> None:
        await self._hub.journal.store(
            self._identity(), FACT, None if place is None else place.as_dict()
        )
        self._given_back = None
        self.place.set(place)

    def _set_timer(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.stop()

        def due() -> None:
            self._timer = None
            self._spawn(self._async_logged(work()), "where a charger is let in")

        self._timer = self._hub.account.time.call_later(KEPT_AFTER, due)

    async def _async_logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except JournalError:
            _LOGGER.exception("Where a charger was let in is not written down")


def _unusual(settings: StationSettings) -> dict[str, Any]:
    """Return the settings that a new charger would not have."""
    return {
        key: value
        for key in OF_CHARGER
        if (value := getattr(settings, key)) != getattr(DEFAULTS, key)
    }


def _changes(place: Place, settings: StationSettings) -> dict[str, Any]:
    """Return what the user has changed at the server."""
    return {
        key: value
        for key in OF_CHARGER
        if (value := getattr(settings, key))
        != place.settings.get(key, getattr(DEFAULTS, key))
    }
