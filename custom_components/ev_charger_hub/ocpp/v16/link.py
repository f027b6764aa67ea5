"""The OCPP 1.6 connection as a link: commands in, outcomes out."""

from typing import Any, override

from ...station.enums import RateUnit
from ...station.errors import InvalidTransactionId
from ...station.link import Capability, ConfigurationKey, Limit
from ...station.outcome import Outcome, OutcomeStatus
from ...station.profiles.model import (
    ChargingProfile,
    CompositeSchedule,
    Installed,
    ProfileCriteria,
    ProfileSupport,
)
from ..charging_profiles import Unspeakable
from ..link import OcppLink, unspeakable
from ..quirks import quirks_of
from . import charging_profiles
from .certificates import CertificateCommands
from .configuration import Feature, Key, parse_keys, parse_unknown, select
from .described import described
from .housekeeping import HousekeepingCommands
from .sender import TIMEOUT

COMPOSITE_TIMEOUT = 10.0

_ONLY_EXTENDED = frozenset({"LogStatusNotification", "SignChargePointCertificate"})


_UNHEARD_OF = frozenset(
    {
        Capability.BATTERY_SWAP,
        Capability.COSTS,
        Capability.CUSTOMERS,
        Capability.DISPLAY,
        Capability.FLEXIBLE,
        Capability.GRID,
        Capability.LIMIT,
        Capability.MONITORING,
        Capability.NETWORKS,
        Capability.PUBLISHING,
        Capability.REPORTS,
        Capability.SINGLE_LIMIT,
        Capability.TARIFFS,
        Capability.TRANSACTION_STATUS,
        Capability.TWO_WAY,
    }
)
"""What OCPP 1.6 has no words for."""
_MAX_KEY = 50
_MAX_VALUE = 500


class V16Link(HousekeepingCommands, CertificateCommands, OcppLink):
    """Carry the commands of a station over its OCPP 1.6 connection."""

    @property
    @override
    def capabilities(self) -> frozenset[Capability]:
        """Return what this link can carry, as far as is known."""
        everything = frozenset(Capability) - _UNHEARD_OF
        if not quirks_of(self._context.station.info.value).unlocks:
            everything -= {Capability.UNLOCK}
        # A list without SmartCharging is believed only if no key contradicts it.
        listed = self.configuration.supports(Feature.SMART_CHARGING)
        keys = (Key.RATE_UNITS, Key.MAX_STACK_LEVEL)
        if listed is False and not any(map(self.configuration.get, keys)):
            return everything - {Capability.PHASES, Capability.PROFILES}
        if not self.configuration.flag(Key.PHASE_SWITCHING):
            return everything - {Capability.PHASES}
        return everything

    @override
    async def start_charging(
        self, evse_id: int | None, id_token: str, limit: Limit | None = None
    ) -> Outcome:
        """Send RemoteStartTransaction (5.11), with a TxProfile if there is a limit."""
        payload: dict[str, Any] = {"idTag": id_token}
        if evse_id is not None:
            payload["connectorId"] = evse_id
        self._context.station.reader.note(id_token, self._context.clock())
        limiter = self._context.station.limiter
        if limit is None or limiter is None:
            return await self.send("RemoteStartTransaction", payload)
        profile = limiter.profile_to_start_with(evse_id, limit)
        payload["chargingProfile"] = charging_profiles.profile_payload(profile)
        outcome = await self.send("RemoteStartTransaction", payload)
        if outcome.ok:
            limiter.started_with_limit(evse_id, id_token, limit)
        return outcome

    @override
    async def stop_charging(self, transaction_id: str) -> Outcome:
        """Send RemoteStopTransaction (5.12)."""
        digits = transaction_id.removeprefix("-")
        # JSON numbers have no more digits than an integer of 64 bits.
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
            raise InvalidTransactionId(transaction_id)
        number = int(transaction_id)
        return await self.send("RemoteStopTransaction", {"transactionId": number})

    @property
    @override
    def profile_support(self) -> ProfileSupport:
        """Return what the configuration keys and quirks say."""
        known, quirks = self.configuration, quirks_of(self._context.station.info.value)
        level = known.number(Key.MAX_STACK_LEVEL)
        if quirks.max_stack_level is not None:
            level = min(level or 0, quirks.max_stack_level)
        return ProfileSupport(
            units=known.rate_units if known.text(Key.RATE_UNITS) is not None else None,
            max_stack_level=level,
            max_periods=known.number(Key.MAX_PERIODS),
            max_profiles=known.number(Key.MAX_PROFILES),
            evses=known.connectors,
            phase_switching=known.flag(Key.PHASE_SWITCHING),
            replaces_by_clearing=quirks.replaces_by_clearing,
            only_absolute=quirks.only_absolute,
            default_caps=quirks.default_caps,
            clears_loosely=quirks.clears_loosely,
            settling=quirks.settling or ProfileSupport().settling,
        )

    @override
    async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
        """Send SetChargingProfile (5.16)."""
        try:
            payload = charging_profiles.set_request(evse_id, profile)
        except Unspeakable as err:
            return unspeakable("1.6", err)
        return await self.send("SetChargingProfile", payload)

    @override
    async def clear_profiles(self, criteria: ProfileCriteria) -> Outcome:
        """Send ClearChargingProfile (5.5)."""
        try:
            payload = charging_profiles.clear_request(criteria)
        except Unspeakable as err:
            return unspeakable("1.6", err)
        return await self.send("ClearChargingProfile", payload)

    @override
    async def get_profiles(
        self, criteria: ProfileCriteria
    ) -> tuple[Outcome, list[Installed]]:
        """Return that OCPP 1.6 has no message for it."""
        return Outcome(status=OutcomeStatus.NOT_SUPPORTED), []

    @override
    async def composite_schedule(
        self, evse_id: int, duration: int, unit: RateUnit | None = None
    ) -> tuple[Outcome, CompositeSchedule | None]:
        """Send GetCompositeSchedule (5.7)."""
        payload: dict[str, Any] = {"connectorId": evse_id, "duration": duration}
        if unit is not None:
            payload["chargingRateUnit"] = unit.value
        outcome = await self.send("GetCompositeSchedule", payload, COMPOSITE_TIMEOUT)
        if not outcome.ok:
            return outcome, None
        return outcome, charging_profiles.composite(
            outcome.response,
            evse_id,
            duration,
            unit or RateUnit.AMPERE,
            self._context.clock(),
        )

    @override
    async def unlock(self, evse_id: int, connector_id: int) -> Outcome:
        """Send UnlockConnector (5.18); the 1.6 connector is the EVSE."""
        return await self.send("UnlockConnector", {"connectorId": evse_id})

    @override
    async def reset(
        self, *, hard: bool, evse_id: int | None = None, resume: bool = False
    ) -> Outcome:
        """Send Reset (5.14); a hard one may well end as NO_ANSWER."""
        if evse_id is not None:
            return unspeakable("1.6", ValueError("the restart of one connector"))
        if resume:
            return unspeakable("1.6", ValueError("a restart that sessions outlive"))
        return await self.send("Reset", {"type": "Hard" if hard else "Soft"})

    @override
    async def change_availability(
        self, evse_id: int, *, operative: bool, connector_id: int | None = None
    ) -> Outcome:
        """Send ChangeAvailability (5.2); SCHEDULED while a transaction runs."""
        if connector_id is not None:
            return unspeakable("1.6", ValueError("the plugs of a connector"))
        kind = "Operative" if operative else "Inoperative"
        payload = {"connectorId": evse_id, "type": kind}
        return await self.send("ChangeAvailability", payload)

    @override
    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Send TriggerMessage (5.17), or the extended one (Security 5.6)."""
        payload: dict[str, Any] = {"requestedMessage": message}
        if evse_id is not None:
            payload["connectorId"] = evse_id
        extended = message in _ONLY_EXTENDED
        action = "ExtendedTriggerMessage" if extended else "TriggerMessage"
        return await self.send(action, payload)

    @override
    async def get_configuration(
        self, keys: list[str], timeout: float = TIMEOUT
    ) -> tuple[Outcome, list[ConfigurationKey], list[str]]:
        """Send GetConfiguration (5.8) and remember what it tells."""
        # For all keys the list is left out: stations choke on an empty one.
        payload = {"key": keys} if keys else {}
        outcome = await self.send("GetConfiguration", payload, timeout)
        found = parse_keys(outcome.response)
        if found and not outcome.ok:
            # One garbage key makes the answer invalid, not the others useless.
            outcome = Outcome(
                status=OutcomeStatus.ACCEPTED,
                detail=outcome.detail,
                response=outcome.response,
            )
        self.configuration.learn(found)
        self._show_configuration()
        if not keys or not outcome.ok:
            return outcome, found, parse_unknown(outcome.response)
        return outcome, *select(keys, found)

    def _renamed(self, key: str) -> str | None:
        """Return what took the place of a key that the station has no more."""
        renamed = quirks_of(self._context.station.info.value).renamed_keys
        names = {old.lower(): new for old, new in renamed.items()}
        return names.get(key.strip().lower())

    @override
    async def set_configuration(
        self, key: str, value: str, timeout: float = TIMEOUT
    ) -> Outcome:
        """Send ChangeConfiguration (5.3)."""
        if len(key) > _MAX_KEY or len(value) > _MAX_VALUE:
            return unspeakable("1.6", ValueError("a key or a value of this length"))
        if (present := self._renamed(key)) is not None:
            return Outcome(
                status=OutcomeStatus.NOT_SUPPORTED,
                detail=f"{present} took the place of {key}; nothing was sent",
            )
        payload = {"key": key, "value": value}
        outcome = await self.send("ChangeConfiguration", payload, timeout)
        if outcome.ok:
            self.configuration.written(key, value)
            self._show_configuration()
        waiting = self._context.station.pending_restart
        if outcome.status is OutcomeStatus.REBOOT_REQUIRED and waiting is not None:
            await waiting.add(key)
        return outcome

    def _show_configuration(self) -> None:
        """Bring what the model has of the configuration up to date."""
        known = self.configuration
        signs = known.flag(Key.SIGN_READINGS) if known.get(Key.SIGN_READINGS) else None
        self._context.station.signs_readings.set(signs)
        self._context.station.variables.put(described(known))
