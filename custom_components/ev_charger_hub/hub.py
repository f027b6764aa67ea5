"""The hub of an OCPP server: between its central system and Home Assistant."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later

from .admission import Admission
from .certificate_store import ServerCertificates
from .chargers import Chargers
from .const import RESTORE_GRACE, SUBENTRY_CHARGER
from .devices import async_identities, async_register_server
from .flusher import Flusher
from .models import EvChargerHubConfigEntry, HubStation
from .ocpp.authority import Authority
from .ocpp.server import CentralSystem
from .ocpp.waiting import Candidate
from .settings import async_chargers, new_charger_data
from .snapshots import Snapshots
from .station.clock import utc_now
from .station.journal import Journal
from .turns import Turns


class OcppHub:
    """One OCPP server of Home Assistant, with its approved chargers."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EvChargerHubConfigEntry,
        *,
        journal: Journal,
        certificates: ServerCertificates,
    ) -> None:
        """Prepare a hub that has no charger yet and does not listen."""
        self.hass = hass
        self.entry = entry
        self.journal = journal
        self.flusher = Flusher(hass)
        self.turns = Turns(partial(entry.async_create_task, hass))
        self.stations: dict[str, HubStation] = {}
        """The approved chargers by identity."""
        self.certificates = certificates
        """What the server is known by, and what its chargers are."""
        self.restoring = True
        """Whether restored values are still shown for absent chargers."""
        self.stopped = False
        """Whether nothing may begin any more."""
        self.server_id = ""
        """The device of the server."""
        self.admission = Admission(self)
        self.snapshots = Snapshots(self)
        self.chargers = Chargers(self)
        self.central_system = CentralSystem(
            host=entry.data[CONF_HOST],
            port=entry.data[CONF_PORT],
            contexts=certificates.contexts,
            plain=certificates.settings.plain,
            registrar=self.admission,
            clock=utc_now,
        )
        self._cancel_restoring: CALLBACK_TYPE | None = None
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

    @property
    def own_id_token(self) -> str:
        """Return the id token with which this server starts charging by itself.

        It is the same after every restart, and short, because some chargers overflow
        at the 20 characters that are allowed.
        """
        return f"HA{self.entry.entry_id[-14:]}".upper()

    @callback
    def knows(self, device: dr.AnyDeviceEntry) -> bool:
        """Return whether a device is an EVSE of a charger that is here."""
        known = {
            f"{identity}_{evse_id}"
            for identity, hub_station in self.stations.items()
            for evse_id in hub_station.station.evses
        }
        return not known.isdisjoint(async_identities(device))

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

    async def async_start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        await self.central_system.start()
        self._cancel_restoring = async_call_later(
            self.hass,
            RESTORE_GRACE,
            HassJob(self._end_restoring, cancel_on_shutdown=True),
        )

    async def async_stop(self) -> None:
        """End every connection and write down what is known."""
        if self.stopped:
            return
        self.stopped = True
        self.snapshots.close()
        if self._cancel_restoring is not None:
            self._cancel_restoring()
            self._cancel_restoring = None
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

    @callback
    def _end_restoring(self, _now: datetime) -> None:
        """Show no longer what chargers said that have not come back."""
        self._cancel_restoring = None
        self.restoring = False
        for hub_station in self.stations.values():
            if not hub_station.station.online.value:
                hub_station.station.online.notify()
