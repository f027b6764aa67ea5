"""The OCPP 2.x connection as a link: commands in, outcomes out."""

from fractions import Fraction
from typing import Any, override

from ...station.enums import RateUnit
from ...station.errors import InvalidTransactionId
from ...station.link import Capability, Limit
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
from .device_model import Key
from .housekeeping import HousekeepingCommands
from .tokens import token_payload
from .variables import VariableCommands

COMPOSITE_TIMEOUT = 10.0

REMOTE_STARTS = "remote_starts"
"""The numbers of our starts: a transaction names the one that began it (F02)."""

_MAX_TRANSACTION_ID = 36
_NO_PROFILES = "noprofiles"
_DEFAULTS = {
    RateUnit.AMPERE: "CompositeScheduleDefaultLimitAmps",
    RateUnit.WATT: "CompositeScheduleDefaultLimitWatts",
}
# What OCPP 1.6 calls it.
_MESSAGES = {
    "DiagnosticsStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargingStationCertificate",
}


class V201Link(VariableCommands, HousekeepingCommands, CertificateCommands, OcppLink):
    """Carry the commands of a station over its OCPP 2.0.1 or 2.1 connection."""

    @property
    @override
    def capabilities(self) -> frozenset[Capability]:
        """Return what this link can carry, as far as is known."""
        known = self.device_model
        missing = {Capability.LIMIT}
        smart = (Key.SMART_CHARGING_AVAILABLE, Key.SMART_CHARGING_ENABLED)
        if any(map(known.says_no, smart)):
            missing |= {Capability.PHASES, Capability.PROFILES}
        if not known.flag(Key.PHASE_SWITCHING):
            missing.add(Capability.PHASES)
        if known.says_no(Key.RESERVATION_AVAILABLE):
            missing.add(Capability.RESERVATION)
        return frozenset(Capability) - missing

    @override
    async def start_charging(
        self, evse_id: int | None, id_token: str, limit: Limit | None = None
    ) -> Outcome:
        """Send RequestStartTransaction (F01, F02), with a TxProfile if limited (K05)."""
        station = self._context.station
        payload: dict[str, Any] = {
            "idToken": token_payload(self._context, id_token),
            "remoteStartId": await self._context.journal.next_number(REMOTE_STARTS),
        }
        if (where := self._where(evse_id)) is not None:
            payload["evseId"] = where
        station.reader.note(id_token, self._context.clock())
        if limit is None or (limiter := station.limiter) is None:
            return await self.send("RequestStartTransaction", payload)
        profile = limiter.profile_to_start_with(where, limit)
        payload["chargingProfile"] = charging_profiles.profile_payload(
            profile, self.dialect
        )
        outcome = await self.send("RequestStartTransaction", payload)
        if outcome.ok:
            # libocpp stores the profile and does not follow it: it is set once more.
            limiter.started_with_limit(where, id_token, limit, followed=False)
        return outcome

    def _where(self, evse_id: int | None) -> int | None:
        """Return the EVSE of a start: libocpp refuses one that names none."""
        evses = self._context.station.evses
        return next(iter(evses)) if evse_id is None and len(evses) == 1 else evse_id

    @override
    async def stop_charging(self, transaction_id: str) -> Outcome:
        """Send RequestStopTransaction (F03)."""
        if not 0 < len(transaction_id) <= _MAX_TRANSACTION_ID:
            raise InvalidTransactionId(transaction_id)
        payload = {"transactionId": transaction_id}
        return await self.send("RequestStopTransaction", payload)

    @property
    @override
    def profile_support(self) -> ProfileSupport:
        """Return what the variables of SmartChargingCtrlr and quirks say."""
        known, quirks = self.device_model, quirks_of(self._context.station.info.value)
        level = known.number(Key.MAX_STACK_LEVEL)
        if quirks.max_stack_level is not None:
            level = min(level or 0, quirks.max_stack_level)
        said = known.items(Key.RATE_UNITS) or known.options(Key.RATE_UNITS)
        words = {one.strip().upper() for one in said}
        switching = known.flag(Key.PHASE_SWITCHING)
        return ProfileSupport(
            units=tuple(unit for unit in RateUnit if unit.value in words) or None,
            max_stack_level=level,
            max_periods=known.number(Key.MAX_PERIODS),
            max_profiles=known.most(Key.MAX_PROFILES),
            evses=len(known.places) or None,
            phase_switching=switching,
            phase_to_use=switching,
            replaces_by_clearing=quirks.replaces_by_clearing,
            only_absolute=quirks.only_absolute,
            settling=quirks.settling or ProfileSupport().settling,
        )

    @override
    async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
        """Send SetChargingProfile (K01)."""
        try:
            payload = charging_profiles.set_request(evse_id, profile, self.dialect)
        except Unspeakable as err:
            return unspeakable(self.dialect, err)
        return await self.send("SetChargingProfile", payload)

    @override
    async def clear_profiles(self, criteria: ProfileCriteria) -> Outcome:
        """Send ClearChargingProfile (K10); the best answer counts if it takes several."""
        try:
            payloads = charging_profiles.clear_requests(criteria, self.dialect)
        except Unspeakable as err:
            return unspeakable(self.dialect, err)
        outcomes = []
        for payload in payloads:
            outcome = await self.send("ClearChargingProfile", payload)
            if not outcome.answer:
                # Without a word it may have cleared them, or not.
                return outcome
            outcomes.append(outcome)
        return next((one for one in outcomes if one.ok), outcomes[-1])

    @override
    async def get_profiles(
        self, criteria: ProfileCriteria
    ) -> tuple[Outcome, list[Installed]]:
        """Send GetChargingProfiles (K09) and return what the reports bring."""
        request_id = await self._reports.next_id()
        try:
            payload = charging_profiles.get_request(request_id, criteria, self.dialect)
        except Unspeakable as err:
            return unspeakable(self.dialect, err), []
        with self._reports.profiles(request_id) as parts:
            outcome = await self.send("GetChargingProfiles", payload)
            if outcome.answer.lower() == _NO_PROFILES:
                none = OutcomeStatus.ACCEPTED
                return Outcome(status=none, answer=outcome.answer), []
            if outcome.ok and not await parts.complete() and not parts.items:
                detail = "the reports that it announced never came"
                return Outcome(status=OutcomeStatus.TIMED_OUT, detail=detail), []
            return outcome, parts.items

    @override
    async def composite_schedule(
        self, evse_id: int, duration: int, unit: RateUnit | None = None
    ) -> tuple[Outcome, CompositeSchedule | None]:
        """Send GetCompositeSchedule (K08)."""
        payload: dict[str, Any] = {"evseId": evse_id, "duration": duration}
        if unit is not None:
            payload["chargingRateUnit"] = unit.value
        outcome = await self.send("GetCompositeSchedule", payload, COMPOSITE_TIMEOUT)
        if not outcome.ok:
            return outcome, None
        asked = unit or RateUnit.AMPERE
        return outcome, charging_profiles.composite(
            outcome.response,
            evse_id,
            duration,
            asked,
            self._context.clock(),
            defaults=self._defaults,
        )

    @property
    def _defaults(self) -> dict[RateUnit, Fraction]:
        """Return what the station says where nothing limits, if it tells."""
        found = {}
        for unit, name in _DEFAULTS.items():
            variable = self.device_model.named(name)
            if variable is not None and (value := variable.actual.value):
                try:
                    found[unit] = Fraction(value)
                except ValueError, ZeroDivisionError:
                    continue
        return found

    @override
    async def unlock(self, evse_id: int, connector_id: int) -> Outcome:
        """Send UnlockConnector (F05)."""
        payload = {"evseId": evse_id, "connectorId": connector_id}
        return await self.send("UnlockConnector", payload)

    @override
    async def reset(self, *, hard: bool) -> Outcome:
        """Send Reset (B11, B12): at once, or when no transaction runs any more."""
        return await self.send("Reset", {"type": "Immediate" if hard else "OnIdle"})

    @override
    async def change_availability(
        self, evse_id: int, *, operative: bool, connector_id: int | None = None
    ) -> Outcome:
        """Send ChangeAvailability (G03, G04); SCHEDULED while a transaction runs.

        What was taken out of service on one level comes back on the same level only.
        """
        kind = "Operative" if operative else "Inoperative"
        payload: dict[str, Any] = {"operationalStatus": kind}
        if evse_id:
            payload["evse"] = {"id": evse_id}
            if connector_id is not None:
                payload["evse"]["connectorId"] = connector_id
        return await self.send("ChangeAvailability", payload)

    @override
    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Send TriggerMessage (F06), for statuses once for each connector."""
        payload: dict[str, Any] = {"requestedMessage": _MESSAGES.get(message, message)}
        outcome = Outcome(status=OutcomeStatus.NOT_SUPPORTED)
        for place in self.places(message, evse_id):
            outcome = await self.send("TriggerMessage", payload | place)
            if not outcome.ok:
                break
        return outcome

    def places(self, message: str, evse_id: int | None) -> list[dict[str, Any]]:
        """Return what a trigger says of where: a status belongs to a connector."""
        if not evse_id:
            return [{}]
        if message != "StatusNotification":
            return [{"evse": {"id": evse_id}}]
        evse = self._context.station.evses.get(evse_id)
        connectors = sorted(evse.connector_ids) if evse is not None else [1]
        return [{"evse": {"id": evse_id, "connectorId": one}} for one in connectors]
