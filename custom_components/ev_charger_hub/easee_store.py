"""What is kept of an Easee account: its tokens, its products, and what was written."""

import asyncio
from collections.abc import Mapping
import logging
from typing import Any, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store, get_internal_store_manager
from homeassistant.util.file import WriteError
from homeassistant.util.json import SerializationError

from .const import DOMAIN
from .easee.catalog import Catalog
from .easee.tokens import TokenPair, TokenStore

_LOGGER = logging.getLogger(__name__)

VERSION: Final = 1

type Kept = dict[str, Any]


class DurableStore(Store[Kept]):
    """A file of Home Assistant's storage that is written when `async_save` returns.

    The one of Home Assistant waits for the end while it stops, and is silent when it
    fails: a refresh token that is lost then ends the session (easee_cloud.md 1.2).
    """

    @override
    async def async_save(self, data: Kept) -> None:
        """Save data now; raises OSError if that cannot be."""
        written = {
            "version": self.version,
            "minor_version": self.minor_version,
            "key": self.key,
            "data": data,
        }
        async with self._write_lock:
            get_internal_store_manager(self.hass).async_invalidate(self.key)
            try:
                await self._async_write_data(written)
            except (SerializationError, WriteError) as err:
                raise OSError(str(err)) from err


class AccountStore(TokenStore):
    """The private file of one account."""

    def __init__(self, hass: HomeAssistant, account: str) -> None:
        """Read nothing yet."""
        self._store = DurableStore(hass, VERSION, f"{DOMAIN}.{account}", private=True)
        self._kept: Kept | None = None
        self._lock = asyncio.Lock()

    # Tokens

    @override
    async def load(self) -> TokenPair | None:
        """Return the tokens that were saved last."""
        tokens = (await self._read()).get("tokens")
        return TokenPair.from_dict(tokens) if isinstance(tokens, dict) else None

    @override
    async def save(self, pair: TokenPair | None) -> None:
        """Keep tokens, or none; raises OSError if that cannot be."""
        await self._write("tokens", None if pair is None else pair.as_dict())

    # Products

    async def load_catalog(self) -> Catalog | None:
        """Return what the account had when it was last asked, None if it never was."""
        kept = (await self._read()).get("catalog")
        try:
            return None if kept is None else Catalog.load(kept)
        except AttributeError, TypeError, ValueError:
            _LOGGER.warning("The products of an Easee account were not readable")
            return None

    async def save_catalog(self, catalog: Catalog) -> None:
        """Keep what an account has, for a start without the cloud."""
        try:
            await self._write("catalog", catalog.dump())
        except OSError:
            # Only the next start without the cloud would need it.
            _LOGGER.exception("The products of an Easee account are not kept")

    # What chargers are called

    async def identity_of(self, serial: str) -> str:
        """Return what a charger is known by: what a server called it, or its serial."""
        kept = (await self._read()).get("identities")
        known = kept.get(serial.upper()) if isinstance(kept, dict) else None
        return known if isinstance(known, str) else serial.upper()

    @property
    def identities(self) -> Mapping[str, str]:
        """Return by what else than their serials chargers are known, by serial."""
        kept = (self._kept or {}).get("identities")
        return kept if isinstance(kept, dict) else {}

    async def save_identity(self, serial: str, identity: str) -> None:
        """Keep what a charger is known by."""
        if await self.identity_of(serial) == identity:
            return
        identities = {**self.identities, serial.upper(): identity}
        try:
            await self._write("identities", identities)
        except OSError:
            # It is seen again whenever the server has it.
            _LOGGER.exception("What an Easee charger is called is not kept")

    # Costs

    async def load_costs(self) -> Mapping[str, Any]:
        """Return what was known of the costs of sites."""
        kept = (await self._read()).get("costs")
        return kept if isinstance(kept, dict) else {}

    async def save_costs(self, costs: Mapping[str, Any]) -> None:
        """Keep the costs of sites, so that a restart asks the cloud for nothing."""
        try:
            await self._write("costs", dict(costs))
        except OSError:
            _LOGGER.exception("The costs of an Easee account are not kept")

    # Writes to memories that wear

    async def load_wear(self) -> Mapping[str, Any] | None:
        """Return what was written to memories lately."""
        kept = (await self._read()).get("wear")
        return kept if isinstance(kept, dict) else None

    async def save_wear(self, wear: dict[str, Any]) -> None:
        """Keep what was written to memories."""
        try:
            await self._write("wear", wear)
        except OSError:
            _LOGGER.exception("What wears an Easee charger is not kept")

    # The file

    async def async_remove(self) -> None:
        """Forget everything."""
        async with self._lock:
            self._kept = {}
            await self._store.async_remove()

    async def _read(self) -> Kept:
        async with self._lock:
            return await self._read_once()

    async def _read_once(self) -> Kept:
        if self._kept is None:
            self._kept = await self._store.async_load() or {}
        return self._kept

    async def _write(self, key: str, value: Any) -> None:
        async with self._lock:
            kept = await self._read_once()
            if kept.get(key) == value:
                return
            self._kept = {**kept, key: value}
            await self._store.async_save(self._kept)
