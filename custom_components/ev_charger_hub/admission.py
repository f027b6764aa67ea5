"""Admission: who may come in, as the central system asks and the user decides."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from homeassistant.core import callback

from .const import CONF_NO_NEW_CONNECTIONS, CONF_POLICY, CONF_REFUSED
from .incidents import async_tell_intruder, async_tell_shared, async_tell_unguarded
from .issues import async_create_waiting_issue, async_delete_waiting_issue, harmless
from .models import EvChargerHubConfigEntry
from .ocpp.server import Registration
from .ocpp.waiting import AdmissionPolicy, Candidate
from .settings import async_identity_taken
from .station.clock import utc_now
from .station.settings import StationSettings
from .station.tokens import TokenAuthorizer
from .storage import DATA
from .token_entries import unknown_tokens

_LANGUAGE_LENGTH = 8
"""What chargers have room for (OCPP 2.x IdTokenInfo)."""

if TYPE_CHECKING:
    from .hub import OcppHub


class Admission:
    """What the central system of a hub asks and is told, and what it tells the user."""

    def __init__(self, hub: OcppHub) -> None:
        """Speak for the chargers of `hub`."""
        self._hub = hub
        self.policy = _policy(hub.entry)
        self._asked: set[str] = set()
        shared = hub.hass.data[DATA]
        self._authorizer = TokenAuthorizer(
            shared.tokens,
            clock=utc_now,
            is_free=self._is_free,
            own_token=hub.own_id_token,
            policy=partial(unknown_tokens, hub.entry),
            stations=shared.registry,
            language=lambda: hub.hass.config.language[:_LANGUAGE_LENGTH],
        )

    # Chargers that are approved

    def settings(self, identity: str) -> StationSettings | None:
        """Return the settings of an approved charger."""
        known = self._hub.stations.get(identity)
        return None if known is None else known.station.settings

    def further_hashes(self, identity: str) -> tuple[str, ...]:
        """Return the hashes of passwords that a charger may have changed to."""
        known = self._hub.stations.get(identity)
        return () if known is None else known.security.hashes

    def trusts(self, identity: str, certificate: bytes) -> bool:
        """Return whether a client certificate (DER) proves an identity."""
        authority = self._hub.authority
        return authority is not None and authority.trusts(certificate, identity)

    def context(self, identity: str) -> Registration:
        """Return what a session of an approved charger works on."""
        known = self._hub.stations[identity]
        return Registration(
            station=known.station,
            transactions=known.transactions,
            journal=self._hub.journal,
            authorizer=self._authorizer,
        )

    @callback
    def intruded(self, identity: str, known: str, stranger: str) -> None:
        """Tell the user of a second device that came as a charger."""
        if (one := self._hub.stations.get(identity)) is not None:
            async_tell_intruder(self._hub.hass, one.station, known, stranger)

    @callback
    def shared(self, identity: str, addresses: Sequence[str]) -> None:
        """Tell the user of devices that replace each other's connection."""
        if (one := self._hub.stations.get(identity)) is not None:
            async_tell_shared(self._hub.hass, one.station, addresses)

    @callback
    def unguarded(self, identity: str) -> None:
        """Tell the user of a charger that needs a password where it came."""
        if (one := self._hub.stations.get(identity)) is not None:
            async_tell_unguarded(self._hub.hass, one.station)

    def _is_free(self, identity: str) -> bool:
        """Return whether everybody may charge at a charger."""
        settings = self.settings(identity)
        return settings is not None and settings.free_charging

    # Chargers that are not

    @property
    def closed(self) -> bool:
        """Return whether the user wants no new connection at all."""
        return bool(self._hub.entry.options.get(CONF_NO_NEW_CONNECTIONS, False))

    def refused(self, identity: str) -> bool:
        """Return whether the user does not want to hear of a charger again."""
        return identity in self._hub.entry.options.get(CONF_REFUSED, ())

    async def accept_unknown(self, candidate: Candidate) -> None:
        """Approve a charger because the user accepts every charger."""
        hub, identity = self._hub, candidate.identity
        if hub.stopped or async_identity_taken(hub.hass, identity):
            return
        subentry = hub.approve(identity, harmless(identity), None)
        await hub.chargers.async_arrive(identity, subentry)

    @callback
    def candidate_changed(self, candidate: Candidate) -> None:
        """Ask the user about a charger that waits."""
        if self.policy is not AdmissionPolicy.ASK or self._hub.stopped:
            return
        self._asked.add(candidate.identity)
        async_create_waiting_issue(self._hub.hass, self._hub.entry.entry_id, candidate)

    @callback
    def candidate_forgotten(self, identity: str) -> None:
        """Stop asking about a charger that does not wait any more."""
        self._asked.discard(identity)
        async_delete_waiting_issue(self._hub.hass, self._hub.entry.entry_id, identity)

    # What the user decides

    @callback
    def let_in(self, identity: str) -> None:
        """Take back a refusal, and ask no more: the charger is approved."""
        self.candidate_forgotten(identity)
        if self.refused(identity):
            self._set_refused(identity, False)

    async def async_refuse(self, identity: str) -> None:
        """Turn a charger away, now and at every later handshake."""
        self._set_refused(identity, True)
        await self._async_turn_out(identity)

    async def async_apply_policy(self) -> None:
        """Treat those who wait now as the policy says, if it has changed."""
        before, self.policy = self.policy, _policy(self._hub.entry)
        if self.policy is before:
            return
        for candidate in self._hub.waiting:
            if self.policy is AdmissionPolicy.ACCEPT:
                await self.accept_unknown(candidate)
            elif self.policy is AdmissionPolicy.REFUSE:
                await self._async_turn_out(candidate.identity)

    @callback
    def close(self) -> None:
        """Ask nothing any more."""
        for identity in tuple(self._asked):
            self.candidate_forgotten(identity)

    async def _async_turn_out(self, identity: str) -> None:
        """Let a charger wait no longer."""
        self.candidate_forgotten(identity)
        await self._hub.central_system.expel(identity)

    @callback
    def _set_refused(self, identity: str, refused: bool) -> None:
        """Remember whether the user does not want a charger."""
        entry = self._hub.entry
        others = [one for one in entry.options.get(CONF_REFUSED, ()) if one != identity]
        self._hub.hass.config_entries.async_update_entry(
            entry,
            options={
                **entry.options,
                CONF_REFUSED: [*others, identity] if refused else others,
            },
        )


def _policy(entry: EvChargerHubConfigEntry) -> AdmissionPolicy:
    """Return what happens to chargers that nobody approved."""
    return AdmissionPolicy(entry.options.get(CONF_POLICY, AdmissionPolicy.ASK))
