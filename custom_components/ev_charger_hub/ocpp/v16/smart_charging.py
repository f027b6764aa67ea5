"""Smart charging 1.6: which profile makes a limit hold, and whether it does."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from dataclasses import replace
import logging
from typing import Any, Protocol

from ...station import limits
from ...station.enums import RateUnit
from ...station.errors import NotConnected
from ...station.link import Limit
from ...station.outcome import Outcome, OutcomeStatus
from ...station.secrets import shortened
from ...station.transaction import Transaction
from ..adapter import StationContext
from ..quirks import quirks_of
from .configuration import Configuration, Key
from .profiles import Purpose, Rung, Standing, profile_id

_LOGGER = logging.getLogger(__name__)

FACT = "limits"
COMPOSITE_DURATION = 60
COMPOSITE_TIMEOUT = 10.0

_UNANSWERED = frozenset({OutcomeStatus.NO_ANSWER, OutcomeStatus.TIMED_OUT})
_USELESS = _UNANSWERED | {OutcomeStatus.NOT_SUPPORTED}


class Send(Protocol):
    """How a call is sent: V16Link.send."""

    def __call__(
        self, action: str, payload: dict[str, Any], timeout: float = ...
    ) -> Awaitable[Outcome]:
        """Send one call."""


class SmartCharging:
    """Make limits hold by charging profiles, with as few writes as possible.

    The journal's fact "limits" tells of every persisted profile of ours which EVSE it
    serves and the hash of what the station last acknowledged; an empty hash means that
    nobody knows what the station holds.
    """

    def __init__(
        self, context: StationContext, configuration: Configuration, send: Send
    ) -> None:
        """Hold no limit yet."""
        self._context = context
        self._station = context.station
        self._configuration = configuration
        self._send = send
        self._lock = asyncio.Lock()
        self._installed: dict[str, dict[str, Any]] | None = None
        self._unit: RateUnit | None = None
        self._composite = True
        self._rewritten: set[int] = set()
        self._starts: set[tuple[int | None, str]] = set()

    async def hold(self, evse_id: int, limit: Limit) -> Outcome:
        """Make a limit hold by the first profile that the station accepts."""
        refusals: list[str] = []
        outcome = Outcome(status=OutcomeStatus.REJECTED)
        supported = False
        async with self._lock:
            await self._load()
            for rung in self._rungs(evse_id, limit):
                try:
                    outcome = await self._install(rung, limit)
                except NotConnected:
                    if not refusals:
                        raise
                    outcome = Outcome(status=OutcomeStatus.NO_ANSWER)
                if outcome.ok:
                    return await self._settle(rung, limit, outcome)
                refusals.append(f"{rung.purpose} in {rung.unit}: {_told(outcome)}")
                if outcome.status in _UNANSWERED:
                    return replace(outcome, detail="; ".join(refusals))
                supported |= outcome.status is not OutcomeStatus.NOT_SUPPORTED
        status = OutcomeStatus.REJECTED if supported else outcome.status
        return replace(outcome, status=status, detail="; ".join(refusals))

    async def clear(self, evse_id: int) -> Outcome:
        """Remove our own profiles by their ids; one that is not there is fine."""
        outcome = Outcome(status=OutcomeStatus.ACCEPTED)
        sent = False
        async with self._lock:
            for one in await self._own_ids(evse_id):
                try:
                    told = await self._send("ClearChargingProfile", {"id": one})
                except NotConnected:
                    if not sent:
                        raise
                    return Outcome(status=OutcomeStatus.NO_ANSWER)
                sent = True
                unknown = told.answer.lower() == "unknown"
                if not (told.ok or unknown):
                    return told
                if not (unknown and outcome.answer):
                    outcome = replace(told, status=OutcomeStatus.ACCEPTED)
                await self._note(one, None)
        return outcome

    async def reassert(self) -> dict[int, Outcome]:
        """Make every wanted limit hold again; NotConnected ends it."""
        outcomes: dict[int, Outcome] = {}
        for evse_id in (0, *self._station.evses):
            if (limit := self._wanted(evse_id)) is not None:
                outcomes[evse_id] = await self.hold(evse_id, limit)
        return outcomes

    def profile_to_start_with(
        self, evse_id: int | None, limit: Limit
    ) -> dict[str, Any]:
        """Return the TxProfile of a RemoteStartTransaction, which knows no id yet."""
        rung = self._rung(Purpose.TX, evse_id or 0, self._units(limit)[0])
        return rung.profile(limit, self._context.clock())

    def started_with_limit(self, evse_id: int | None, id_token: str) -> None:
        """Remember that the next transaction of a token brings its own limit."""
        self._starts.add((evse_id, id_token))

    def transaction_started(self, transaction: Transaction) -> None:
        """Make the wanted limit hold for a new transaction, unless it does already."""
        self._end_pause(transaction.evse_id)
        token = transaction.id_token or ""
        starts = {(transaction.evse_id, token), (None, token)} & self._starts
        self._starts -= starts
        if not starts:
            self._follow_soon(transaction.evse_id)

    def transaction_ended(self, transaction: Transaction) -> None:
        """Write the wanted limit where it outlives the transaction, if it changed."""
        self._end_pause(transaction.evse_id)
        wanted = self._wanted(transaction.evse_id)
        # A limit of 0 is not written: without us the next car must still charge.
        if wanted is not None and wanted.value > 0:
            self._follow_soon(transaction.evse_id)

    def _end_pause(self, evse_id: int) -> None:
        evse = self._station.evses.get(evse_id)
        if evse and limits.end_pause(evse) and self._wanted(evse_id) is None:
            self._context.spawn(self._release(evse_id), f"pause of EVSE {evse_id}")

    async def _release(self, evse_id: int) -> None:
        # A pause that only a persisted profile could bring must not outlive it.
        held = (await self._load()).values()
        if any(entry["evse"] == evse_id for entry in held):
            with suppress(NotConnected):
                await self.clear(evse_id)

    def booted(self) -> None:
        """Ask anew what only the reboot can have changed."""
        self._composite = True
        self._rewritten.clear()
        self._starts.clear()
        # Otherwise set-up does this as its last step.
        if self._station.settings.quiet:
            for evse_id in (0, *self._station.evses):
                self._follow_soon(evse_id)

    def _wanted(self, evse_id: int) -> Limit | None:
        if not evse_id:
            return self._station.whole.wanted_limit.value
        evse = self._station.evses.get(evse_id)
        return evse.wanted_limit.value if evse else None

    def _follow_soon(self, evse_id: int) -> None:
        if self._wanted(evse_id) is not None:
            self._context.spawn(self._follow(evse_id), f"limit of EVSE {evse_id}")

    async def _follow(self, evse_id: int) -> None:
        await self._load()
        limit = self._wanted(evse_id)
        if limit is None or self._outlives(evse_id, limit):
            return
        with suppress(NotConnected):
            outcome = await self.hold(evse_id, limit)
            _LOGGER.debug(
                "%s: limit of EVSE %s held again: %s %s",
                shortened(self._station.identity),
                evse_id,
                outcome.status,
                outcome.detail,
            )

    def _outlives(self, evse_id: int, limit: Limit) -> bool:
        # A persisted profile with this very limit is in place.
        return any(
            rung.persisted and self._acknowledged(rung, limit)
            for rung in self._rungs(evse_id, limit)
        )

    def _units(self, limit: Limit) -> tuple[RateUnit, ...]:
        if self._configuration.text(Key.RATE_UNITS) is not None:
            known = self._configuration.rate_units
            return (limit.unit if limit.unit in known else known[0],)
        if self._unit is not None:
            return (self._unit,)
        return (RateUnit.AMPERE, RateUnit.WATT)

    def _rung(
        self,
        purpose: Purpose,
        evse_id: int,
        unit: RateUnit,
        transaction_id: int | None = None,
    ) -> Rung:
        level = self._configuration.max_stack_level
        quirk = quirks_of(self._station.info.value).max_stack_level
        return Rung(
            purpose=purpose,
            evse_id=evse_id,
            unit=unit,
            stack_level=level if quirk is None else min(level, quirk),
            phases=self._station.settings.phases,
            transaction_id=transaction_id,
        )

    def _rungs(self, evse_id: int, limit: Limit) -> Iterator[Rung]:
        units = self._units(limit)
        if evse_id and (number := self._transaction_id(evse_id)) is not None:
            for unit in units:
                yield self._rung(Purpose.TX, evse_id, unit, number)
        if evse_id:
            for unit in units:
                yield self._rung(Purpose.TX_DEFAULT, evse_id, unit)
        connectors = self._configuration.connectors or len(self._station.evses)
        if not evse_id or connectors == 1:
            for unit in units:
                yield self._rung(Purpose.MAX, evse_id, unit)

    def _transaction_id(self, evse_id: int) -> int | None:
        evse = self._station.evses.get(evse_id)
        transaction = evse.transaction if evse else None
        if transaction is None or not transaction.transaction_id.isdecimal():
            return None
        return int(transaction.transaction_id)

    def _acknowledged(self, rung: Rung, limit: Limit) -> bool:
        entry = (self._installed or {}).get(str(rung.profile_id), {})
        return bool(entry.get("hash") == rung.fingerprint(limit))

    async def _install(
        self, rung: Rung, limit: Limit, *, anew: bool = False
    ) -> Outcome:
        if rung.persisted and not anew and self._acknowledged(rung, limit):
            return Outcome(status=OutcomeStatus.ACCEPTED)
        before = (await self._load()).get(str(rung.profile_id))
        if rung.persisted:
            # Should we die before the answer, nobody knows what the station holds.
            await self._note(rung.profile_id, {"evse": rung.evse_id, "hash": ""})
        payload = {
            "connectorId": rung.connector_id,
            "csChargingProfiles": rung.profile(limit, self._context.clock()),
        }
        try:
            outcome = await self._send("SetChargingProfile", payload)
        except NotConnected:
            await self._note(rung.profile_id, before)
            raise
        if outcome.ok:
            self._unit = rung.unit
        if outcome.ok and rung.persisted:
            entry = {"evse": rung.evse_id, "hash": rung.fingerprint(limit)}
            await self._note(rung.profile_id, entry)
        elif outcome.status not in _UNANSWERED:
            await self._note(rung.profile_id, before)
        return outcome

    async def _settle(self, rung: Rung, limit: Limit, outcome: Outcome) -> Outcome:
        standing, told = await self._verify(rung, limit, outcome)
        if standing is Standing.LOWER:
            stale = list(self._stale(rung, limit))
            for one in stale:
                await self._install(one, limit)
            if stale:
                standing, told = await self._verify(rung, limit, outcome)
        elif standing is Standing.HIGHER and not outcome.answer:
            # What the station acknowledged once is gone; written again once a boot.
            if rung.profile_id not in self._rewritten:
                self._rewritten.add(rung.profile_id)
                outcome = await self._install(rung, limit, anew=True)
                if not outcome.ok:
                    return outcome
                standing, told = await self._verify(rung, limit, outcome)
        if standing is Standing.EQUAL:
            return replace(outcome, status=OutcomeStatus.CONFIRMED, detail=told)
        return replace(outcome, detail=told)

    def _stale(self, rung: Rung, limit: Limit) -> Iterator[Rung]:
        # Our older, lower profiles: a TxDefaultProfile keeps a TxProfile down on Easee.
        for purpose in (Purpose.TX_DEFAULT, Purpose.MAX):
            other = self._rung(purpose, rung.evse_id, rung.unit)
            entry = (self._installed or {}).get(str(other.profile_id))
            if entry is None or entry.get("evse") != rung.evse_id:
                continue
            if other.purpose is not rung.purpose and not self._acknowledged(
                other, limit
            ):
                yield other

    async def _verify(
        self, rung: Rung, limit: Limit, outcome: Outcome
    ) -> tuple[Standing, str]:
        if not self._composite:
            return Standing.UNKNOWN, "not verified: not supported"
        payload = {
            "connectorId": rung.evse_id,
            "duration": COMPOSITE_DURATION,
            "chargingRateUnit": rung.unit.value,
        }
        try:
            answer = await self._send(
                "GetCompositeSchedule", payload, COMPOSITE_TIMEOUT
            )
        except NotConnected:
            if not outcome.answer:
                raise
            return Standing.UNKNOWN, "not verified: disconnected"
        if answer.status in _USELESS:
            self._composite = answer.status is OutcomeStatus.NO_ANSWER
        if not answer.ok:
            return Standing.UNKNOWN, f"not verified: {_told(answer)}"
        return rung.compare(limit, answer.response)

    async def _own_ids(self, evse_id: int) -> list[int]:
        installed = await self._load()
        ids = {int(one) for one, entry in installed.items() if entry["evse"] == evse_id}
        ids.add(profile_id(Purpose.TX_DEFAULT if evse_id else Purpose.MAX, evse_id))
        if evse_id and self._transaction_id(evse_id) is not None:
            ids.add(profile_id(Purpose.TX, evse_id))
        return sorted(ids, reverse=True)

    async def _load(self) -> dict[str, dict[str, Any]]:
        if self._installed is None:
            kept = await self._context.journal.load(self._station.identity, FACT)
            self._installed = {
                number: entry
                for number, entry in (kept if isinstance(kept, dict) else {}).items()
                if number.isdecimal() and isinstance(entry, dict) and "evse" in entry
            }
        return self._installed

    async def _note(self, number: int, entry: dict[str, Any] | None) -> None:
        installed = await self._load()
        if installed.get(str(number)) == entry:
            return
        if entry is None:
            del installed[str(number)]
        else:
            installed[str(number)] = entry
        await self._context.journal.store(self._station.identity, FACT, dict(installed))


def _told(outcome: Outcome) -> str:
    told = ": ".join(part for part in (outcome.answer, outcome.detail) if part)
    return told or outcome.status.value
