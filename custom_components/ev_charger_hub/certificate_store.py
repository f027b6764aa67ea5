"""Certificate store: the authority of this Home Assistant, and what its servers use."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
import logging
from pathlib import Path
from typing import Final

from yarl import URL

from homeassistant.components.network import async_get_adapters
from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .address import FALLBACK_HOST, reachable_host
from .certificate_issues import CertificateProblem, async_update_certificate_issues
from .const import CONF_NAMES
from .entries import async_servers
from .models import EvChargerHubConfigEntry
from .ocpp.authority import Authority, AuthorityError
from .ocpp.tls import Contexts, TlsError, build_contexts
from .station.clock import utc_now
from .tls_settings import TlsMode, TlsSettings

_LOGGER = logging.getLogger(__name__)

CHECK_EVERY: Final = timedelta(hours=1)
MAX_NAMES: Final = 50
WARN_BEFORE: Final = timedelta(days=14)
"""Whoever renews certificates by themselves has done it by then."""
LAST_YEAR: Final = timedelta(days=365)

type Pair = tuple[Path, Path]
type Stamp = tuple[tuple[int, int], ...]
"""By which a changed file is noticed: when it was written, and its number."""


@dataclass(kw_only=True, slots=True)
class SharedAuthority:
    """The one authority of this Home Assistant, made when it is first needed."""

    folder: Path
    authority: Authority | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def async_get(self) -> Authority:
        """Return the authority; raises AuthorityError."""
        async with self._lock:
            if self.authority is None:
                self.authority = await asyncio.to_thread(
                    Authority.open, self.folder, utc_now
                )
            return self.authority

    async def async_renew_server(self, names: list[str]) -> None:
        """Make sure of server certificates for all names; raises AuthorityError."""
        authority = await self.async_get()
        async with self._lock:
            try:
                await asyncio.to_thread(authority.renew_server, names)
            except OSError as err:
                raise AuthorityError(str(err)) from err

    async def async_revoke(self, identity: str) -> None:
        """Take back the certificates of a charger that is not welcome any more."""
        if self.authority is None and not self.folder.exists():
            return
        authority = await self.async_get()
        if authority.has_clients:
            try:
                await authority.revoke(identity)
            except OSError as err:
                raise AuthorityError(str(err)) from err


class ServerCertificates:
    """The certificates of one server: loaded, watched and renewed while it runs."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EvChargerHubConfigEntry,
        shared: SharedAuthority,
    ) -> None:
        """Prepare what the entry wants; nothing is loaded yet."""
        self.settings = TlsSettings.of(entry.data)
        self.contexts: Contexts | None = None
        """What the server uses; None until loaded, and without TLS."""
        self.authority: Authority | None = None
        """Who signs certificates of chargers, on a server with TLS."""
        self._hass = hass
        self._entry = entry
        self._shared = shared
        self._stamp: Stamp = ()
        self._usable = True

    async def async_load(self) -> None:
        """Read or make the certificates; raises TlsError, AuthorityError.

        A server that takes unencrypted connections too does so without certificates:
        chargers that know nothing of them are not locked out.
        """
        if self.settings.mode is TlsMode.NONE:
            return
        try:
            await self._async_refresh()
        except (AuthorityError, TlsError) as err:
            if self.contexts is None and not self.settings.plain:
                raise
            _LOGGER.warning("Certificates of %s: %s", self._entry.title, err)
            self._usable = False

    async def _async_refresh(self) -> None:
        """Renew and read what has to be; raises TlsError, AuthorityError."""
        await self._async_open_authority()
        try:
            await self._async_renew()
        except AuthorityError:
            # What is there may do for a long time yet.
            with suppress(TlsError):
                await self._async_reload()
            raise
        await self._async_reload()

    async def _async_open_authority(self) -> None:
        """Find the authority; with the user's own files the server works without."""
        if self.authority is not None:
            return
        try:
            self.authority = await self._shared.async_get()
        except AuthorityError as err:
            if self.settings.mode is TlsMode.OWN_AUTHORITY:
                raise
            _LOGGER.debug("No certificates for chargers: %s", err)
        else:
            # Who is asked for a certificate depends on it.
            self._stamp = ()

    async def _async_renew(self) -> None:
        """Make new certificates if that is up to us, and it is time."""
        if self.settings.mode is TlsMode.OWN_AUTHORITY:
            await self._shared.async_renew_server(await async_server_names(self._hass))

    async def _async_reload(self) -> None:
        """Read the files if they are new; raises TlsError."""
        pairs = self._pairs()
        stamp = await self._hass.async_add_executor_job(_stamp, pairs)
        if stamp == self._stamp:
            return
        authority = self.authority
        self.contexts = await self._hass.async_add_executor_job(
            partial(
                build_contexts,
                pairs,
                now=utc_now(),
                # Before nobody at all: some chargers do not look at the date.
                expired=self.contexts is None,
                client_root=authority.root_pem if authority is not None else None,
                asks=partial(_has_clients, authority),
            )
        )
        self._stamp = stamp

    def _pairs(self) -> list[Pair]:
        """Return the files of certificates and their keys."""
        if self.settings.mode is TlsMode.FILES:
            return [(Path(self.settings.certificate), Path(self.settings.key))]
        files = self.authority.server_files if self.authority is not None else ()
        return [(path, path) for path in files]

    @callback
    def async_follow(self, use: Callable[[Contexts], None]) -> CALLBACK_TYPE:
        """Look after the certificates from now on; `use` gets those that are new."""
        if self.settings.mode is TlsMode.NONE:
            return lambda: None
        self._report()
        ended = False

        async def async_check(_now: datetime) -> None:
            before = self.contexts
            await self._async_check()
            if ended:
                return
            self._report()
            if self.contexts is not None and self.contexts is not before:
                use(self.contexts)

        stop = async_track_time_interval(
            self._hass, async_check, CHECK_EVERY, cancel_on_shutdown=True
        )

        @callback
        def async_end() -> None:
            nonlocal ended
            ended = True
            stop()
            async_update_certificate_issues(self._hass, self._entry, ())

        return async_end

    async def _async_check(self) -> None:
        """Renew and read what has to be; what was in use goes on without."""
        try:
            await self._async_refresh()
        except (AuthorityError, TlsError) as err:
            _LOGGER.debug("Certificates of %s: %s", self._entry.title, err)
            self._usable = False
        else:
            self._usable = True

    @callback
    def _report(self) -> None:
        """Tell the user what they have to see to."""
        async_update_certificate_issues(
            self._hass, self._entry, self._problems(utc_now()), self.expires
        )

    def _problems(self, now: datetime) -> set[CertificateProblem]:
        if (ends := self.expires) is None:
            return {CertificateProblem.NO_ENCRYPTION}
        problems = set() if self._usable else {CertificateProblem.UNUSABLE}
        if self.authority is None:
            problems.add(CertificateProblem.AUTHORITY_UNUSABLE)
        elif self.settings.mode is TlsMode.OWN_AUTHORITY:
            if self.authority.expires - now < LAST_YEAR:
                problems.add(CertificateProblem.AUTHORITY_EXPIRES)
        if self.settings.mode is TlsMode.FILES:
            if ends <= now:
                problems.discard(CertificateProblem.UNUSABLE)
                problems.add(CertificateProblem.EXPIRED)
            elif ends - now < WARN_BEFORE:
                problems.add(CertificateProblem.EXPIRES)
        return problems

    @property
    def expires(self) -> datetime | None:
        """Return when the server's certificate ends, None without TLS."""
        return self.contexts.expires if self.contexts is not None else None


async def async_server_names(hass: HomeAssistant) -> list[str]:
    """Return the host names and addresses that chargers may dial us by.

    The authority has one pair of certificates for all servers. Addresses of IPv6 change
    by the day; who dials one has to name it.
    """
    names: list[str] = []
    for entry in async_servers(hass):
        if TlsSettings.of(entry.data).mode is TlsMode.OWN_AUTHORITY:
            names.append(reachable_host(hass, entry.data[CONF_HOST]))
            names += entry.data.get(CONF_NAMES, ())
    for url in (hass.config.internal_url, hass.config.external_url):
        names.append(URL(url).raw_host or "" if url else "")
    for adapter in await async_get_adapters(hass):
        names += (address["address"] for address in adapter["ipv4"])
    names.append(FALLBACK_HOST)
    usable = (name for name in names if name and name.isascii())
    return list(dict.fromkeys(usable))[:MAX_NAMES]


def _has_clients(authority: Authority | None) -> bool:
    return authority is not None and authority.has_clients


def _stamp(pairs: list[Pair]) -> Stamp:
    """Return by what a change of files is noticed; blocking."""
    return tuple(
        _look(path) for path in dict.fromkeys(path for pair in pairs for path in pair)
    )


def _look(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        # What is wrong with it is told by whoever reads it.
        return 0, 0
    return found.st_mtime_ns, found.st_ino
