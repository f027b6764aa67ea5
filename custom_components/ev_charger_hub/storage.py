"""What outlives an entry: the one journal and the registry of stations."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.util.hass_dict import HassKey

from .certificate_store import SharedAuthority
from .const import DOMAIN
from .station.errors import JournalError
from .station.journal import Journal
from .station.registry import StationRegistry
from .station.tokens import TokenStore
from .token_desk import TokenDesk


@dataclass(kw_only=True, slots=True)
class SharedJournal:
    """The one journal of this Home Assistant, open as long as somebody uses it."""

    path: Path
    journal: Journal | None = None
    users: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def acquire(self) -> Journal:
        """Return the journal; the first user opens it."""
        async with self._lock:
            if self.journal is None:
                self.journal = await Journal.open(self.path)
            self.users += 1
            return self.journal

    async def release(self) -> None:
        """Give the journal back; the last user closes it."""
        async with self._lock:
            self.users -= 1
            if self.users == 0:
                await self._close()

    async def close(self) -> None:
        """Close the journal, whoever still uses it, because Home Assistant ends."""
        async with self._lock:
            await self._close()

    async def _close(self) -> None:
        """Close the journal if it is open."""
        if (journal := self.journal) is not None:
            self.journal = None
            await journal.close()


@dataclass(kw_only=True, slots=True)
class DomainData:
    """What all entries of the integration share."""

    journal: SharedJournal
    registry: StationRegistry
    tokens: TokenStore
    desk: TokenDesk
    authority: SharedAuthority
    ownership: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while an account decides which chargers it shows."""


DATA: HassKey[DomainData] = HassKey(DOMAIN)


@callback
def async_setup_storage(hass: HomeAssistant) -> None:
    """Prepare what all entries share, and its end."""
    path = Path(hass.config.path(DOMAIN, "journal.db"))
    tokens = TokenStore()
    data = DomainData(
        journal=SharedJournal(path=path),
        registry=StationRegistry(),
        tokens=tokens,
        desk=TokenDesk(hass, tokens),
        authority=SharedAuthority(folder=Path(hass.config.path(DOMAIN, "authority"))),
    )
    hass.data[DATA] = data

    async def async_close(_event: Event) -> None:
        await data.journal.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_close)


@contextmanager
def needs_journal() -> Generator[None]:
    """Have the set-up tried again if the journal cannot be used."""
    try:
        yield
    except JournalError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="journal_unusable",
            translation_placeholders={"reason": str(err)},
        ) from err
