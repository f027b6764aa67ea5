"""Account: a user of the Easee cloud, with what it takes to reach the products."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final, Protocol

from aiohttp import ClientSession

from ..station.channel import Channel
from ..station.secrets import shortened
from .api import EaseeApi
from .budget import Budget
from .catalog import Catalog
from .charger import EaseeCharger
from .commands import Commands
from .const import API_URL, STREAM_URL
from .discovery import catalog_of
from .equalizer import Equalizer
from .errors import EaseeError, NotFound
from .poller import CHARGER, EQUALIZER, Kind, Poller
from .products import SiteInfo
from .readings import Observation, Readings
from .responses import CommandResponse
from .rogue import Rogue
from .stream import Stream
from .timing import Time, pause
from .watched import WatchedAuthenticator
from .wear import Wear

_LOGGER = logging.getLogger(__name__)

DISCOVERY: Final = timedelta(hours=6)
"""How often the cloud is asked what there is."""
RETRY: Final = timedelta(minutes=5)
"""How soon it is asked again if it did not say."""

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


@dataclass(kw_only=True, slots=True, frozen=True)
class Addresses:
    """Where the cloud is; tests have one of their own."""

    api: str = API_URL
    stream: str = STREAM_URL


class Product(Protocol):
    """What reports: a charger or an equalizer."""

    readings: Readings

    def take(self, observation: Observation, *, replay: bool) -> None:
        """Take in what was reported; in a replay it is not news."""


class EaseeAccount:
    """One account: its requests, its stream, its commands and its products.

    `start` begins to listen; what was listed before is known from the beginning. Cloud
    trouble shows in `trouble` (what only the user can mend), `stream.trouble` and
    `budget`; it never raises out of here but from what was called.
    """

    def __init__(
        self,
        session: ClientSession,
        time: Time,
        *,
        authenticator: WatchedAuthenticator,
        budget: Budget,
        wear: Wear,
        spawn: Spawn,
        addresses: Addresses | None = None,
    ) -> None:
        """Prepare an account that sends nothing yet."""
        addresses = addresses or Addresses()
        self.time = time
        self.budget = budget
        self.wear = wear
        self.authenticator = authenticator
        self.requests = EaseeApi(
            session, self.authenticator, budget, time, url=addresses.api
        )
        self.stream = Stream(
            session,
            self.authenticator,
            time,
            url=addresses.stream,
            on_observation=self._observed,
            on_command_response=self._responded,
            spawn=spawn,
            budget=budget,
        )
        self.commands = Commands(
            self.requests,
            time,
            stream_up=lambda: self.stream.connected.value,
            wear=wear,
        )
        self.catalog: Channel[Catalog] = Channel(Catalog(), urgent=True)
        """What the account has, as far as it is wanted."""
        self.listed: Channel[Catalog | None] = Channel(None, urgent=True)
        """All that it has, None before anybody told."""
        self.chargers: dict[str, EaseeCharger] = {}
        self.equalizers: dict[str, Equalizer] = {}
        self.rogues: dict[str, Rogue] = {}
        """Who else commands each product, by its serial in upper case."""
        self.listed_at: datetime | None = None
        """When the cloud told what there is, None if not since the start."""
        self._products: dict[str, Product] = {}
        self._serials: dict[str, str] = {}
        """How the cloud spells them."""
        self._spawn = spawn
        self._poller = Poller(self.requests, self.stream, time, self._polled)
        self._excluded: tuple[frozenset[int], frozenset[str]] = frozenset(), frozenset()
        self._tasks: list[asyncio.Task[None]] = []
        self._forget_foreign = self.commands.on_foreign(self._foreign)

    @property
    def trouble(self) -> Channel[EaseeError | None]:
        """Return what keeps the account from being logged in until the user mends it."""
        return self.authenticator.trouble

    @property
    def sites(self) -> dict[int, SiteInfo]:
        """Return the sites by id."""
        return {site.id: site for site in self.catalog.value.sites}

    # What there is

    def exclude(self, sites: Iterable[int], serials: Iterable[str]) -> None:
        """Know nothing of some sites and products."""
        self._excluded = frozenset(sites), frozenset(serials)

    def recall(self, listed: Catalog) -> None:
        """Know what the account has."""
        self.listed.set(listed)
        catalog = listed.without(*self._excluded)
        if self.catalog.value == catalog:
            # What was in the way of a product may be so no longer.
            self.catalog.notify()
        self.catalog.set(catalog)

    async def discover(self) -> Catalog:
        """Ask the cloud what there is, and return all of it; raises EaseeError."""
        listed = await catalog_of(self.requests)
        self.listed_at = self.time()
        before = self.catalog.value
        self.recall(listed)
        if self.catalog.value == before:
            # What another account had may be free by now.
            self.catalog.notify()
        return listed

    def change_site(self, site: SiteInfo) -> None:
        """Know something new of a site."""
        catalog = self.catalog.value
        sites = tuple(site if one.id == site.id else one for one in catalog.sites)
        self.catalog.set(replace(catalog, sites=sites))

    def add_charger(self, charger: EaseeCharger) -> None:
        """Listen to a charger."""
        charger.liveness.cloud = self.requests.skew
        self.chargers[charger.info.serial.upper()] = charger
        self._add(charger.info.serial, charger, CHARGER)

    def add_equalizer(self, equalizer: Equalizer) -> None:
        """Listen to an equalizer."""
        equalizer.liveness.cloud = self.requests.skew
        self.equalizers[equalizer.info.serial.upper()] = equalizer
        self._add(equalizer.info.serial, equalizer, EQUALIZER)

    def remove(self, identity: str) -> None:
        """Listen to a product no longer."""
        self.chargers.pop(identity, None)
        if (equalizer := self.equalizers.pop(identity, None)) is not None:
            equalizer.stop()
        if self._products.pop(identity, None) is not None:
            self.rogues[identity].forget()
            serial = self._serials.pop(identity)
            self._poller.forget(serial)
            self.stream.unsubscribe(serial)

    def _add(self, serial: str, product: Product, kind: Kind) -> None:
        identity = serial.upper()
        self._products[identity] = product
        self._serials[identity] = serial
        self.rogues.setdefault(identity, Rogue(self.time))
        self._poller.follow(serial, kind, product.readings)
        self.stream.subscribe(serial)

    async def refresh(self, identity: str) -> None:
        """Ask for what a product reported last; raises EaseeError."""
        if (serial := self._serials.get(identity.upper())) is None:
            raise NotFound
        await self._poller.refresh(serial)

    # Life

    def start(self) -> None:
        """Listen to the products, and look for more from time to time."""
        self.stream.start()
        self._tasks = [
            self._spawn(self._poller.run(), "Easee polls"),
            self._spawn(self._look_for_more(), "Easee discovery"),
        ]

    async def stop(self) -> None:
        """Send and hear nothing more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.stream.stop()
        self._forget_foreign()
        self.commands.stop()
        for serial in tuple(self._products):
            self.remove(serial)

    async def _look_for_more(self) -> None:
        wait = RETRY if self.listed_at is None else DISCOVERY
        while True:
            await pause(self.time, wait.total_seconds())
            known = set(self.catalog.value.serials)
            try:
                await self.discover()
            except EaseeError as err:
                _LOGGER.debug("The products are not known: %s", type(err).__name__)
                wait = RETRY
            except Exception:
                _LOGGER.exception("The products are not understood")
                wait = DISCOVERY
            else:
                # What is lost may only have been out of sight.
                lost = known.difference(self.catalog.value.serials)
                wait = RETRY if lost else DISCOVERY

    # What comes

    def _observed(self, observation: Observation) -> None:
        serial = observation.serial.upper()
        if (product := self._products.get(serial)) is not None:
            product.take(observation, replay=self.stream.replaying(serial))

    def _polled(self, observation: Observation) -> None:
        """Take what was asked for: when it was said shows no clock to be wrong."""
        if (product := self._products.get(observation.serial.upper())) is not None:
            product.take(observation, replay=True)

    def _responded(self, response: CommandResponse) -> None:
        self.commands.responded(response)

    def _foreign(self, response: CommandResponse) -> None:
        if (rogue := self.rogues.get(response.serial.upper())) is not None:
            _LOGGER.debug("%s: a command of others", shortened(response.serial))
            rogue.seen(response)
