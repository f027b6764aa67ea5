"""The hub of an OCPP server: between its central system and Home Assistant."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .admission import Admission
from .certificate_store import ServerCertificates
from .chargers import Chargers
from .const import SUBENTRY_CHARGER
from .devices import async_register_server
from .hub_base import Hub
from .models import EvChargerHubConfigEntry, OcppStation
from .ocpp.authority import Authority
from .ocpp.server import CentralSystem
from .ocpp.waiting import Candidate
from .settings import async_chargers, new_charger_data
from .station.clock import utc_now
from .station.journal import Journal


class OcppHub(Hub[OcppStation]):
    """One OCPP server of Home Assistant, with its approved chargers."""

    entry: EvChargerHubConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EvChargerHubConfigEntry,
        *,
        journal: Journal,
        certificates: ServerCertificates,
    ) -> None:
        """Prepare a hub that has no charger yet and does not listen."""
        super().__init__(hass, entry, journal=journal)
        self.certificates = certificates
        """What the server is known by, and what its chargers are."""
        self.server_id = ""
        """The device of the server."""
        self.admission = Admission(self)
        self.chargers = Chargers(self)
        self.central_system = CentralSystem(
            host=entry.data[CONF_HOST],
            port=entry.data[CONF_PORT],
            contexts=certificates.contexts,
            plain=certificates.settings.plain,
            registrar=self.admission,
            clock=utc_now,
        )
        # Update listeners run as tasks, so that two of them could run at the same time.
        self._lock = asyncio.Lock()
        self._data = dict(entry.data)

    @property
    def port(self) -> int:
        """Return the port that the server really listens at."""
        return self.central_system.port

    @property
    def waiting(self) -> list[Candidate]:
        """Return the chargers that wait for approval."""
        return list(self.central_system.waiting)

    @property
    def authority(self) -> Authority | None:
        """Return who signs certificates of chargers, None without TLS."""
        return self.certificates.authority

    # What the user decides

    @callback
    def approve(
        self, identity: str, name: str, password_hash: str | None
    ) -> ConfigSubentry:
        """Approve a charger; the update listener admits it."""
        subentry = ConfigSubentry(
            data=MappingProxyType(new_charger_data(password_hash)),
            subentry_type=SUBENTRY_CHARGER,
            title=name,
            unique_id=identity,
        )
        self.hass.config_entries.async_add_subentry(self.entry, subentry)
        return subentry

    @override
    @callback
    def change_charger(self, identity: str, changes: Mapping[str, Any]) -> None:
        """Change settings of a charger; the update listener applies them."""
        subentry = async_chargers(self.entry)[identity]
        self.hass.config_entries.async_update_subentry(
            self.entry, subentry, data={**subentry.data, **changes}
        )

    # Life

    async def async_prepare(self) -> None:
        """Build the approved chargers with what was last known of them."""
        self.server_id = async_register_server(self.hass, self.entry)
        await self.chargers.async_prepare()
        await self.snapshots.async_begin()

    async def async_reserve(self) -> None:
        """Have the port before anything else; raises OSError when it is taken.

        A server that cannot be set up takes no charger away from an account.
        """
        await self.central_system.reserve()

    async def async_start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        await self.central_system.start()
        self.restore_for_a_while()

    async def async_stop(self) -> None:
        """End every connection and write down what is known."""
        if self.stopped:
            return
        self.stopped = True
        self.snapshots.close()
        self.cancel_restoring()
        await self.chargers.async_settle()
        self.turns.close()
        await self.central_system.stop()
        self.flusher.close()
        self.admission.close()
        await self.chargers.async_close()

    async def async_apply(self) -> None:
        """Bring the server in line with its config entry, which has changed.

        Chargers come, change and go without disturbing the others; only a change of
        the server itself (address, certificate) restarts it.
        """
        async with self._lock:
            if self.stopped:
                return
            await self.chargers.async_apply()
            if dict(self.entry.data) != self._data:
                self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
                return
            dr.async_get(self.hass).async_update_device(
                self.server_id, name=self.entry.title
            )
        await self.admission.async_apply_policy()
