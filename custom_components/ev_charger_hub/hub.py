"""The hub of an OCPP server: between its central system and Home Assistant."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
import logging
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later

from .building import SNAPSHOT, async_build_charger
from .certificate_store import ServerCertificates
from .const import (
    CONF_NO_NEW_CONNECTIONS,
    CONF_POLICY,
    CONF_REFUSED,
    RESTORE_GRACE,
    SIGNAL_NEW_STATION,
    SUBENTRY_CHARGER,
)
from .devices import async_identities, async_refresh_charger, async_register_server
from .flusher import Flusher
from .incidents import (
    INTRUDER,
    UNGUARDED,
    async_delete_incidents,
    async_tell_intruder,
    async_tell_shared,
    async_tell_unguarded,
)
from .issues import (
    async_create_waiting_issue,
    async_delete_finding_issues,
    async_delete_waiting_issue,
    async_update_finding_issues,
    harmless,
)
from .log_files import async_remove_files
from .models import EvChargerHubConfigEntry, HubStation
from .ocpp.authority import Authority, AuthorityError
from .ocpp.server import CentralSystem, Registration
from .ocpp.waiting import AdmissionPolicy, Candidate
from .security_issues import (
    async_delete_security_issues,
    async_forget_security_events,
    async_security_event,
    async_update_security_issues,
)
from .settings import (
    async_chargers,
    async_identity_taken,
    new_charger_data,
    station_settings,
)
from .station import limits
from .station.clock import utc_now
from .station.errors import JournalError
from .station.free_charging import FreeCharging
from .station.journal import Journal
from .station.limiter.watch import Watch
from .station.registry import StationRegistry
from .station.secrets import shortened
from .station.settings import StationSettings
from .station.snapshot import dump
from .station.tokens import TokenAuthorizer
from .storage import DATA
from .token_entries import unknown_tokens
from .turns import Turns

_LOGGER = logging.getLogger(__name__)

type Applied = tuple[str, Mapping[str, Any]]
"""What of a subentry is in force: its title and data."""

SNAPSHOT_DELAY: Final = timedelta(seconds=30)


class OcppHub:
    """One OCPP server of Home Assistant, with its approved chargers."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EvChargerHubConfigEntry,
        *,
        journal: Journal,
        registry: StationRegistry,
        certificates: ServerCertificates,
    ) -> None:
        """Prepare a hub that has no charger yet and does not listen."""
        self.hass = hass
        self.entry = entry
        self.journal = journal
        self.flusher = Flusher(hass)
        self.turns = Turns(partial(entry.async_create_task, hass))
        self.policy = _policy(entry)
        self.stations: dict[str, HubStation] = {}
        """The approved chargers by identity."""
        self.certificates = certificates
        """What the server is known by, and what its chargers are."""
        self.restoring = True
        """Whether restored values are still shown for absent chargers."""
        self.central_system = CentralSystem(
            host=entry.data[CONF_HOST],
            port=entry.data[CONF_PORT],
            contexts=certificates.contexts,
            plain=certificates.settings.plain,
            registrar=self,
            clock=utc_now,
        )
        self._registry = registry
        self._shared = hass.data[DATA]
        self._authorizer = TokenAuthorizer(
            self._shared.tokens,
            clock=utc_now,
            is_free=self._is_free,
            own_token=self.own_id_token,
            policy=partial(unknown_tokens, entry),
            stations=registry,
        )
        self.server_id = ""
        """The device of the server."""
        self._unsubscribes: dict[str, list[CALLBACK_TYPE]] = {}
        self._arrivals: dict[str, asyncio.Task[None]] = {}
        self._applied: dict[str, Applied] = {}
        self._asked: set[str] = set()
        self._changed: set[str] = set()
        self._cancel_save: CALLBACK_TYPE | None = None
        self._cancel_restoring: CALLBACK_TYPE | None = None
        self._stopped = False
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
    def own_id_token(self) -> str:
        """Return the id token with which this server starts charging by itself.

        It is the same after every restart, and short, because some chargers overflow
        at the 20 characters that are allowed.
        """
        return f"HA{self.entry.entry_id[-14:]}".upper()

    # What the central system asks and tells

    def settings(self, identity: str) -> StationSettings | None:
        """Return the settings of an approved charger."""
        if (hub_station := self.stations.get(identity)) is None:
            return None
        return hub_station.station.settings

    def further_hashes(self, identity: str) -> tuple[str, ...]:
        """Return the hashes of passwords that a charger may have changed to."""
        known = self.stations.get(identity)
        return () if known is None else known.security.hashes

    def _is_free(self, identity: str) -> bool:
        """Return whether everybody may charge at a charger."""
        settings = self.settings(identity)
        return settings is not None and settings.free_charging

    @property
    def authority(self) -> Authority | None:
        """Return who signs certificates of chargers, None without TLS."""
        return self.certificates.authority

    def trusts(self, identity: str, certificate: bytes) -> bool:
        """Return whether a client certificate (DER) proves an identity."""
        return self.authority is not None and self.authority.trusts(
            certificate, identity
        )

    def refused(self, identity: str) -> bool:
        """Return whether the user does not want to hear of a charger again."""
        return identity in self.entry.options.get(CONF_REFUSED, ())

    def context(self, identity: str) -> Registration:
        """Return what a session of an approved charger works on."""
        hub_station = self.stations[identity]
        return Registration(
            station=hub_station.station,
            transactions=hub_station.transactions,
            journal=self.journal,
            authorizer=self._authorizer,
        )

    async def accept_unknown(self, candidate: Candidate) -> None:
        """Approve a charger because the user accepts every charger."""
        if self._stopped or async_identity_taken(self.hass, candidate.identity):
            return
        name = harmless(candidate.identity)
        subentry = self.approve(candidate.identity, name, None)
        await self._async_arrive(candidate.identity, subentry)

    @callback
    def candidate_changed(self, candidate: Candidate) -> None:
        """Ask the user about a charger that waits."""
        if self.policy is not AdmissionPolicy.ASK or self._stopped:
            return
        self._asked.add(candidate.identity)
        async_create_waiting_issue(self.hass, self.entry.entry_id, candidate)

    @callback
    def candidate_forgotten(self, identity: str) -> None:
        """Stop asking about a charger that does not wait any more."""
        self._asked.discard(identity)
        async_delete_waiting_issue(self.hass, self.entry.entry_id, identity)

    @property
    def closed(self) -> bool:
        """Return whether the user wants no new connection at all."""
        return bool(self.entry.options.get(CONF_NO_NEW_CONNECTIONS, False))

    @callback
    def intruded(self, identity: str, known: str, stranger: str) -> None:
        """Tell the user of a second device that came as a charger."""
        if (one := self.stations.get(identity)) is not None:
            async_tell_intruder(self.hass, one.station, known, stranger)

    @callback
    def shared(self, identity: str, addresses: Sequence[str]) -> None:
        """Tell the user of devices that replace each other's connection."""
        if (one := self.stations.get(identity)) is not None:
            async_tell_shared(self.hass, one.station, addresses)

    @callback
    def unguarded(self, identity: str) -> None:
        """Tell the user of a charger that needs a password where it came."""
        if (one := self.stations.get(identity)) is not None:
            async_tell_unguarded(self.hass, one.station)

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

    async def async_refuse(self, identity: str) -> None:
        """Turn a charger away, now and at every later handshake."""
        self._set_refused(identity, True)
        self.candidate_forgotten(identity)
        await self.central_system.expel(identity)

    @callback
    def _set_refused(self, identity: str, refused: bool) -> None:
        """Remember whether the user does not want a charger."""
        others = [
            one for one in self.entry.options.get(CONF_REFUSED, ()) if one != identity
        ]
        self.hass.config_entries.async_update_entry(
            self.entry,
            options={
                **self.entry.options,
                CONF_REFUSED: [*others, identity] if refused else others,
            },
        )

    # Life

    async def async_prepare(self) -> None:
        """Build the approved chargers with what was last known of them."""
        self.server_id = async_register_server(self.hass, self.entry)
        for identity, subentry in async_chargers(self.entry).items():
            await self._async_build(identity, subentry)

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
        if self._stopped:
            return
        self._stopped = True
        self._cancel_timers()
        if self._arrivals:
            await asyncio.wait(self._arrivals.values())
        self.turns.close()
        await self.central_system.stop()
        self.flusher.close()
        for identity in tuple(self._asked):
            self.candidate_forgotten(identity)
        # One at a time: the user may delete another meanwhile.
        while self.stations:
            identity = next(iter(self.stations))
            try:
                await self._async_release(identity)
            except JournalError:
                # Its sessions are in the journal already, and others come after it.
                _LOGGER.exception("Charger %s is not saved", shortened(identity))

    async def async_apply(self) -> None:
        """Bring the server in line with its config entry, which has changed.

        Chargers come, change and go without disturbing the others; only a change of
        the server itself (address, certificate) restarts it.
        """
        async with self._lock:
            if self._stopped:
                return
            chargers = async_chargers(self.entry)
            known = self.stations.keys() | self._arrivals.keys()
            for identity in (known - chargers.keys()) | self._replaced(chargers):
                await self._async_remove(identity)
            await asyncio.gather(
                *(
                    self._async_arrive(identity, chargers[identity])
                    for identity in chargers.keys() - self.stations.keys()
                )
            )
            for identity, subentry in chargers.items():
                applied = self._applied.get(identity)
                if applied is not None and applied != _content(subentry):
                    await self._async_update(identity, subentry)
            if dict(self.entry.data) != self._data:
                self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
                return
            dr.async_get(self.hass).async_update_device(
                self.server_id, name=self.entry.title
            )
        await self._async_apply_policy()

    def _replaced(self, chargers: Mapping[str, ConfigSubentry]) -> set[str]:
        """Return the chargers that were deleted and added anew meanwhile."""
        return {
            identity
            for identity, subentry in chargers.items()
            if (known := self.stations.get(identity)) is not None
            and known.subentry_id != subentry.subentry_id
        }

    async def _async_apply_policy(self) -> None:
        """Treat those who wait now as the policy says, if it has changed."""
        before, self.policy = self.policy, _policy(self.entry)
        if self.policy is before:
            return
        for candidate in self.waiting:
            if self.policy is AdmissionPolicy.ACCEPT:
                await self.accept_unknown(candidate)
            elif self.policy is AdmissionPolicy.REFUSE:
                self.candidate_forgotten(candidate.identity)
                await self.central_system.expel(candidate.identity)

    # Chargers

    async def _async_build(self, identity: str, subentry: ConfigSubentry) -> HubStation:
        """Build a charger from its settings and what the journal kept of it."""
        hub_station = await async_build_charger(self, identity, subentry)
        station = hub_station.station
        self.stations[identity] = hub_station
        self._applied[identity] = _content(subentry)
        self._registry.add(station)
        self._unsubscribes[identity] = [
            station.info.subscribe(
                partial(
                    async_refresh_charger, self.hass, hub_station.device_id, station
                )
            ),
            # Every frame moves the heartbeat, so this sees whatever changes.
            station.heartbeat.subscribe(partial(self._mark, identity)),
            station.online.subscribe(partial(self._online_changed, hub_station)),
            Watch(station, hub_station.limiter, utc_now).close,
            station.on_event(partial(async_security_event, self.hass, station)),
            hub_station.security.upgrade.subscribe(
                partial(async_update_security_issues, self.hass, station)
            ),
            self._shared.tokens.subscribe(hub_station.local_list.changed),
            hub_station.local_list.close,
            self._shared.desk.follow(self.entry.entry_id, hub_station),
            FreeCharging(
                station,
                self.own_id_token,
                spawn=partial(self.entry.async_create_background_task, self.hass),
                clock=utc_now,
            ).close,
        ]
        return hub_station

    async def _async_arrive(self, identity: str, subentry: ConfigSubentry) -> None:
        """Let in a charger that was approved just now: once, whoever asks for it."""
        if (arrival := self._arrivals.get(identity)) is None:
            arrival = self._arrivals[identity] = self.entry.async_create_task(
                self.hass,
                self._async_try_to_add(identity, subentry),
                f"arrival of {shortened(identity)}",
            )
            arrival.add_done_callback(lambda _: self._arrivals.pop(identity))
        await asyncio.shield(arrival)

    async def _async_try_to_add(self, identity: str, subentry: ConfigSubentry) -> None:
        """Build a charger, whose trouble keeps no other out."""
        try:
            await self._async_add(identity, subentry)
        except HomeAssistantError, JournalError:
            # The registry takes nothing of a charger that was deleted meanwhile.
            if subentry.subentry_id in self.entry.subentries:
                _LOGGER.exception("Charger %s cannot be let in", shortened(identity))

    async def _async_add(self, identity: str, subentry: ConfigSubentry) -> None:
        """Build a charger and show it."""
        hub_station = await self._async_build(identity, subentry)
        self.candidate_forgotten(identity)
        if self.refused(identity):
            self._set_refused(identity, False)
        async_dispatcher_send(
            self.hass, SIGNAL_NEW_STATION.format(self.entry.entry_id), hub_station
        )
        await self.central_system.admit(identity)

    async def _async_update(self, identity: str, subentry: ConfigSubentry) -> None:
        """Apply the settings of a charger if they have changed."""
        self._applied[identity] = _content(subentry)
        hub_station = self.stations[identity]
        station = hub_station.station
        if (settings := station_settings(subentry)) == station.settings:
            return
        station.settings = settings
        if settings.password_hash is not None:
            async_delete_incidents(self.hass, identity, (UNGUARDED, INTRUDER))
        hub_station.security.settings_changed()
        async_refresh_charger(self.hass, hub_station.device_id, station)
        limits.clamp(station)
        station.online.notify()
        await self.central_system.refresh(identity)

    async def _async_remove(self, identity: str) -> None:
        """Turn out a charger that the user has deleted, and forget it."""
        if (arrival := self._arrivals.get(identity)) is not None:
            await asyncio.wait([arrival])
        await self.central_system.expel(identity)
        if identity in self.stations:
            await self._async_release(identity, keep=False)
        try:
            await self._shared.authority.async_revoke(identity)
        except AuthorityError:
            _LOGGER.exception("Certificates of %s stay valid", shortened(identity))
        await self.journal.forget(identity)
        async_delete_incidents(self.hass, identity)
        async_forget_security_events(self.hass, identity)

    async def _async_release(self, identity: str, *, keep: bool = True) -> None:
        """Let go of a charger; what is known of it is kept for the next start."""
        hub_station = self.stations.pop(identity)
        del self._applied[identity]
        for unsubscribe in self._unsubscribes.pop(identity):
            unsubscribe()
        self._registry.discard(hub_station.station)
        self._changed.discard(identity)
        async_delete_finding_issues(self.hass, hub_station.station)
        async_delete_security_issues(self.hass, hub_station.station)
        hub_station.limiter.close()
        hub_station.firmware.close()
        hub_station.log_files.close()
        hub_station.security.close()
        await hub_station.reservations.close()
        await hub_station.transactions.close()
        if keep:
            await self.journal.store(identity, SNAPSHOT, dump(hub_station.station))
        else:
            await async_remove_files(self.hass, hub_station.subentry_id)

    # Snapshots

    @callback
    def _mark(self, identity: str) -> None:
        """Remember that a charger has news to be kept."""
        self._changed.add(identity)
        if self._cancel_save is None and not self._stopped:
            self._cancel_save = async_call_later(
                self.hass,
                SNAPSHOT_DELAY,
                HassJob(self._save_changed, cancel_on_shutdown=True),
            )

    @callback
    def _online_changed(self, hub_station: HubStation) -> None:
        """Remember that a charger has been here: it may not be shown as restored."""
        hub_station.seen = hub_station.seen or hub_station.station.online.value
        self._mark(hub_station.station.identity)

    @callback
    def _save_changed(self, _now: datetime) -> None:
        """Keep what is known of the chargers that had news."""
        self._cancel_save = None
        changed, self._changed = self._changed, set()
        for identity in changed:
            self.turns.add(partial(self._save_one, identity))

    @callback
    def _save_one(self, identity: str) -> None:
        """Keep what is known of a charger, if it is still one of ours."""
        if (hub_station := self.stations.get(identity)) is None:
            return
        station = hub_station.station
        self.journal.store_soon(identity, SNAPSHOT, dump(station))
        async_update_finding_issues(self.hass, station)
        async_update_security_issues(self.hass, station)

    @callback
    def _end_restoring(self, _now: datetime) -> None:
        """Show no longer what chargers said that have not come back."""
        self._cancel_restoring = None
        self.restoring = False
        for hub_station in self.stations.values():
            if not hub_station.station.online.value:
                hub_station.station.online.notify()

    @callback
    def _cancel_timers(self) -> None:
        """Let nothing happen later."""
        for cancel in (self._cancel_save, self._cancel_restoring):
            if cancel is not None:
                cancel()
        self._cancel_save = self._cancel_restoring = None

    @callback
    def knows(self, device: dr.AnyDeviceEntry) -> bool:
        """Return whether a device is an EVSE of a charger that is here."""
        known = {
            f"{identity}_{evse_id}"
            for identity, hub_station in self.stations.items()
            for evse_id in hub_station.station.evses
        }
        return not known.isdisjoint(async_identities(device))


def _policy(entry: EvChargerHubConfigEntry) -> AdmissionPolicy:
    """Return what happens to chargers that nobody approved."""
    return AdmissionPolicy(entry.options.get(CONF_POLICY, AdmissionPolicy.ASK))


def _content(subentry: ConfigSubentry) -> Applied:
    """Return what can change in a subentry; Home Assistant keeps the object."""
    return subentry.title, subentry.data
