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
from ...station.remote_starts import RemoteStarts
from ...station.transaction import CLOUD
from ..adapter import StationContext
from ..charging_profiles import Unspeakable
from ..link import OcppLink, unspeakable
from ..quirks import quirks_of
from . import charging_profiles
from .battery_swap import AVAILABLE as SWAPS_AVAILABLE, BatterySwapCommands
from .certificates import CertificateCommands
from .customer_commands import CustomerCommands
from .device_model import Key
from .facets import FacetCommands
from .flexible_commands import FlexibleCommands
from .grid import GridCommands
from .housekeeping import HousekeepingCommands
from .inventory_commands import InventoryCommands
from .monitoring_commands import AVAILABLE, MonitoringCommands
from .network_commands import NetworkCommands
from .reports import Reports
from .tokens import group_payload, token_payload
from .transaction_commands import TransactionCommands
from .triggers import trigger_payload
from .two_way_commands import TwoWayCommands

COMPOSITE_TIMEOUT = 10.0

_MAX_TRANSACTION_ID = 36
_NO_PROFILES = "noprofiles"
_DEFAULTS = {
    RateUnit.AMPERE: "CompositeScheduleDefaultLimitAmps",
    RateUnit.WATT: "CompositeScheduleDefaultLimitWatts",
}


class V201Link(FacetCommands, HousekeepingCommands, CertificateCommands, OcppLink):
    """Carry the commands of a station over its OCPP 2.0.1 or 2.1 connection."""

    def __init__(self, context: StationContext, reports: Reports) -> None:
        """Carry commands over `context.call`; what they ask for comes to `reports`."""
        super().__init__(context, reports)
        self._inventory = InventoryCommands(self)
        self._transactions = TransactionCommands(self)
        self._monitoring = MonitoringCommands(context, reports)
        self._customers = CustomerCommands(context, reports)
        self._battery_swaps = BatterySwapCommands(context, reports)
        self._flexible = FlexibleCommands(self)
        self._grid = GridCommands(context, reports)
        self._two_way = TwoWayCommands(context, reports)
        self._networks = NetworkCommands(self, context.station.version)
        identity = context.station.identity
        self.remote_starts = RemoteStarts(identity, context.journal, context.clock)
        """The starts that no transaction came of yet."""

    @property
    @override
    def reports(self) -> InventoryCommands:
        """Return what reports and writes many variables at once."""
        return self._inventory

    @property
    @override
    def monitoring(self) -> MonitoringCommands:
        """Return what has the station watch its variables."""
        return self._monitoring

    @property
    @override
    def battery_swaps(self) -> BatterySwapCommands:
        """Return what asks for battery swaps."""
        return self._battery_swaps

    @property
    @override
    def grid(self) -> GridCommands:
        """Return what says what the grid wants."""
        return self._grid

    @property
    @override
    def two_way(self) -> TwoWayCommands:
        """Return what says how much is to flow which way."""
        return self._two_way

    @property
    @override
    def customers(self) -> CustomerCommands:
        """Return what asks what the station knows of somebody."""
        return self._customers

    @property
    @override
    def networks(self) -> NetworkCommands:
        """Return what knows the ways by which the station dials."""
        return self._networks

    @property
    @override
    def transactions(self) -> TransactionCommands:
        """Return what asks about transactions."""
        return self._transactions

    @property
    @override
    def flexible(self) -> FlexibleCommands | None:
        """Return what changes what flows without a new profile."""
        return self._flexible if self.dialect == "2.1" else None

    @property
    @override
    def capabilities(self) -> frozenset[Capability]:
        """Return what this link can carry, as far as is known."""
        known = self.device_model
        missing = {Capability.LIMIT, Capability.SINGLE_LIMIT}
        smart = (Key.SMART_CHARGING_AVAILABLE, Key.SMART_CHARGING_ENABLED)
        if any(map(known.says_no, smart)):
            missing |= {Capability.PHASES, Capability.PROFILES, Capability.TWO_WAY}
        if not known.flag(Key.PHASE_SWITCHING):
            missing.add(Capability.PHASES)
        if known.says_no(Key.RESERVATION_AVAILABLE):
            missing.add(Capability.RESERVATION)
        if known.says_no(AVAILABLE):
            missing.add(Capability.MONITORING)
        if self.dialect != "2.1":
            missing |= {
                Capability.BATTERY_SWAP,
                Capability.FLEXIBLE,
                Capability.GRID,
                Capability.TWO_WAY,
            }
        if known.says_no(SWAPS_AVAILABLE):
            missing.add(Capability.BATTERY_SWAP)
        return frozenset(Capability) - missing

    @override
    async def start_charging(
        self, evse_id: int | None, id_token: str, limit: Limit | None = None
    ) -> Outcome:
        """Send RequestStartTransaction (F01, F02), with a TxProfile if limited (K05)."""
        station, where = self._context.station, self._where(evse_id)
        number = await self.remote_starts.begin(id_token, where or 0)
        payload: dict[str, Any] = {
            "idToken": token_payload(self._context, id_token),
            "remoteStartId": number,
        }
        verdict = self._context.authorizer.authorize(station.identity, id_token)
        if verdict.group is not None:
            # Where a connector is kept for the group, one of it may start (F01).
            payload["groupIdToken"] = group_payload(verdict.group)
        if where is not None:
            payload["evseId"] = where
        station.reader.note(id_token, self._context.clock())
        if limit is None or (limiter := station.limiter) is None:
            return await self._start(payload)
        profile = limiter.profile_to_start_with(where, limit)
        payload["chargingProfile"] = charging_profiles.profile_payload(
            profile, self.dialect
        )
        outcome = await self._start(payload)
        if outcome.ok:
            # libocpp stores the profile and does not follow it: it is set once more.
            limiter.started_with_limit(where, id_token, limit, followed=False)
        return outcome

    async def _start(self, payload: dict[str, Any]) -> Outcome:
        outcome = await self.send("RequestStartTransaction", payload)
        if outcome.answer and not outcome.ok:
            await self.remote_starts.over(payload["remoteStartId"])
        return outcome

    def _where(self, evse_id: int | None) -> int | None:
        """Return the EVSE of a start: libocpp refuses one that names none."""
        evses = self._context.station.evses
        return next(iter(evses)) if evse_id is None and len(evses) == 1 else evse_id

    @override
    async def stop_charging(self, transaction_id: str) -> Outcome:
        """Send RequestStopTransaction (F03)."""
        known = not transaction_id.startswith(CLOUD)
        if not (known and 0 < len(transaction_id) <= _MAX_TRANSACTION_ID):
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
        newer = self.dialect == "2.1"
        return ProfileSupport(
            units=tuple(unit for unit in RateUnit if unit.value in words) or None,
            max_stack_level=level,
            max_periods=known.number(Key.MAX_PERIODS),
            max_profiles=known.most(Key.MAX_PROFILES),
            evses=len(known.places) or None,
            phase_switching=switching,
            phase_to_use=switching,
            dynamic=newer
            and any(
                map(known.flag, (Key.DYNAMIC_PROFILES, Key.DYNAMIC_PROFILES_OF_LIBOCPP))
            ),
            max_offline=newer and known.flag(Key.MAX_OFFLINE),
            max_external_id=known.number(Key.MAX_EXTERNAL_ID) if newer else None,
            replaces_by_clearing=quirks.replaces_by_clearing,
            only_absolute=quirks.only_absolute,
            default_caps=quirks.default_caps,
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
    async def reset(
        self, *, hard: bool, evse_id: int | None = None, resume: bool = False
    ) -> Outcome:
        """Send Reset (B11, B12): at once, or when no transaction runs any more."""
        kind = "Immediate" if hard else "OnIdle"
        if resume:
            if self.dialect != "2.1":
                err = ValueError("a restart that sessions outlive")
                return unspeakable(self.dialect, err)
            kind = "ImmediateAndResume"
        payload: dict[str, Any] = {"type": kind}
        if evse_id is not None:
            payload["evseId"] = evse_id
        return await self.send("Reset", payload)

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
        version = self._context.station.version.value
        payload = trigger_payload(message, version)
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
