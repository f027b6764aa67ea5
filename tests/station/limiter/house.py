"""A house with one charger that exists only as a link, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from custom_components.ev_charger_hub.station.enums import RateUnit, StopReason
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.events import (
    Booted,
    SessionEnded,
    SessionKnown,
    SessionSettled,
)
from custom_components.ev_charger_hub.station.limiter.attendant import START_DELAY
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.link import Capability, Limit, LinkKind
from custom_components.ev_charger_hub.station.model import ChargingStation, StationInfo
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.ledger import Entry, Ledger
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    CompositePeriod,
    CompositeSchedule,
    Installed,
    ProfileCriteria,
    ProfileSupport,
    Purpose,
)
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from tests.memory_journal import MemoryJournal
from tests.virtual_time import VirtualTime, rest

ACCEPTED = Outcome(status=OutcomeStatus.ACCEPTED, answer="Accepted")
REJECTED = Outcome(status=OutcomeStatus.REJECTED, answer="Rejected")
NOT_SUPPORTED = Outcome(status=OutcomeStatus.NOT_SUPPORTED, answer="NotSupported")
HARDWARE = Decimal(32)


def ampere(value: float | str | Decimal) -> Limit:
    """Return a limit in A."""
    return Limit(value=Decimal(str(value)))


def watt(value: float) -> Limit:
    """Return a limit in W."""
    return Limit(value=Decimal(str(value)), unit=RateUnit.WATT)


class FakeCharger:
    """A charger with a profile engine of its own; its frames are in `sent`.

    `refuses` says which profiles it rejects. A change counts after `lag` s.
    """

    kind = LinkKind.OCPP

    def __init__(self, time: VirtualTime) -> None:
        """Do all that is asked for."""
        self.time = time
        self.connected = True
        self.capabilities = frozenset(Capability) - {Capability.LIMIT}
        self.profile_support = ProfileSupport(
            units=(RateUnit.AMPERE, RateUnit.WATT), max_stack_level=5, evses=1
        )
        self.profiles: dict[int, Installed] = {}
        self.transactions: dict[int, str] = {}
        self.sent: list[tuple[str, Any]] = []
        self.refuses: Callable[[ChargingProfile], bool] = lambda profile: False
        self.answer: Outcome | None = None
        self.lag = 0
        self.caps = False
        self.one_tx = False
        self.composite = ACCEPTED
        self.foreign: Decimal | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
        """Install a profile, or refuse it."""
        self._check()
        self.sent.append(("set", (evse_id, profile)))
        await self.gate.wait()
        if self.answer is not None:
            return self.answer
        there = any(one.profile.purpose is Purpose.TX for one in self.profiles.values())
        taken = self.one_tx and there and profile.purpose is Purpose.TX
        if taken or self.refuses(profile):
            return REJECTED
        self.profiles[profile.id] = Installed(
            evse_id=evse_id, profile=profile, set_at=self.time.now
        )
        return ACCEPTED

    async def clear_profiles(self, criteria: ProfileCriteria) -> Outcome:
        """Remove a profile by its id."""
        self._check()
        self.sent.append(("clear", criteria.id))
        gone = [one for one, it in self.profiles.items() if criteria.fits(it)]
        for one in gone:
            del self.profiles[one]
        return ACCEPTED if gone else replace(REJECTED, answer="Unknown")

    async def composite_schedule(
        self, evse_id: int, duration: int, unit: RateUnit | None = None
    ) -> tuple[Outcome, CompositeSchedule | None]:
        """Return what holds now."""
        self._check()
        self.sent.append(("composite", evse_id))
        if not self.composite.ok:
            return self.composite, None
        limit = self.limit(evse_id)
        schedule = CompositeSchedule(
            evse_id=evse_id,
            start=self.time.now,
            duration=duration,
            unit=RateUnit.AMPERE,
            periods=()
            if limit is None
            else (CompositePeriod(start=0, limit=Fraction(limit)),),
        )
        return self.composite, schedule

    def _check(self) -> None:
        if not self.connected:
            raise NotConnected

    # What it offers

    def offered(self, evse_id: int = 1) -> Decimal:
        """Return the current in A that a vehicle may take."""
        limit = self.limit(evse_id)
        return HARDWARE if limit is None else min(limit, HARDWARE)

    def limit(self, evse_id: int) -> Decimal | None:
        """Return the limit in A that all profiles come to; None if there is none."""
        transaction = self.transactions.get(evse_id)
        default = self._leading(Purpose.TX_DEFAULT, evse_id)
        session = self._leading(Purpose.TX, evse_id) if transaction else None
        limits = [self._leading(Purpose.STATION_MAX, 0), self.foreign]
        if session is None or self.caps:
            limits.append(default)
        limits.append(session)
        return min((one for one in limits if one is not None), default=None)

    def _leading(self, purpose: Purpose, evse_id: int) -> Decimal | None:
        active = [
            one.profile
            for one in self.profiles.values()
            if one.profile.purpose is purpose
            and one.evse_id in {0, evse_id}
            and self._active(one)
        ]
        if not active:
            return None
        schedule = max(active, key=lambda one: one.stack_level).schedule
        value = schedule.periods[0].limit
        phases = schedule.periods[0].phases or 3
        return value if schedule.unit is RateUnit.AMPERE else value / (230 * phases)

    def _active(self, one: Installed) -> bool:
        now, schedule = self.time.now, one.profile.schedule
        if now < one.set_at + timedelta(seconds=self.lag):
            return False
        start = schedule.start or one.set_at
        if schedule.duration is None:
            return start <= now
        return start <= now < start + timedelta(seconds=schedule.duration)


class House:
    """Home Assistant's end: station, journal and limiter, and how to restart it."""

    def __init__(self, **settings: Any) -> None:
        """Start with a connected charger of one EVSE."""
        self.time = VirtualTime()
        self.charger = FakeCharger(self.time)
        self.journal = MemoryJournal()
        self.settings = StationSettings(name="CP", **settings)
        self.info = StationInfo(vendor="V", model="M", firmware="1.0")
        self.keys = 0
        self.open: dict[int, Transaction] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self._start()

    def _start(self) -> None:
        self.station = ChargingStation("CP1", self.settings)
        self.station.info.set(self.info)
        self.station.evse(1)
        for evse_id, transaction in self.open.items():
            self.station.evse(evse_id).session.set(transaction)
        journal = cast(Any, self.journal)
        self.ledger = Ledger(self.station, journal)
        self.limiter = Limiter(
            self.station,
            journal,
            self.time,
            ledger=self.ledger,
            spawn=self._spawn,
            call_later=self.time.call_later,
        )
        self.station.links = [cast(Any, self.charger)]
        self.station.local.set(self.charger.connected)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def kill(self) -> None:
        """Let Home Assistant die: nothing is due any more."""
        self.limiter.close()
        self.station.links = []
        await rest()

    async def restart(self, *, set_up: bool = True) -> None:
        """Let Home Assistant come back, and set the charger up."""
        await self.kill()
        self._start()
        await self.ledger.load()
        await self.limiter.load()
        self.charger.sent.clear()
        if set_up:
            await self.limiter.reassert()

    async def reboot(self, *, forget: bool = False) -> None:
        """Let the charger restart; TxProfiles are gone."""
        self.charger.profiles = {
            number: one
            for number, one in self.charger.profiles.items()
            if not (forget or one.profile.purpose is Purpose.TX)
        }
        self.station.emit(Booted())
        await rest()
        await self.limiter.reassert()

    async def begin(
        self, evse_id: int = 1, id_token: str = "TAG", *, wait: float = START_DELAY
    ) -> Transaction:
        """Let a session begin, and the station take note of it."""
        self.keys += 1
        transaction = Transaction(
            key=self.keys,
            identity="CP1",
            transaction_id=str(self.keys + 100),
            evse_id=evse_id,
            id_token=id_token,
            started_at=self.time.now,
            received_at=self.time.now,
        )
        self.open[evse_id] = transaction
        self.charger.transactions[evse_id] = transaction.transaction_id
        self.station.evse(evse_id).session.set(transaction)
        self.station.emit(SessionKnown(evse_id=evse_id, transaction=transaction))
        await self.time.advance(wait)
        return transaction

    async def end(
        self, evse_id: int = 1, reason: StopReason = StopReason.EV_DISCONNECTED
    ) -> None:
        """Let the session end."""
        transaction = self.open.pop(evse_id)
        transaction.state = TransactionState.CLOSED
        transaction.stop_reason = reason
        del self.charger.transactions[evse_id]
        self.charger.profiles = {
            number: one
            for number, one in self.charger.profiles.items()
            if one.profile.purpose is not Purpose.TX or one.evse_id != evse_id
        }
        self.station.evse(evse_id).session.notify()
        self.station.emit(SessionEnded(evse_id=evse_id, transaction=transaction))
        self.station.emit(SessionSettled(evse_id=evse_id, transaction=transaction))
        await rest()

    async def want(self, limit: Limit | None, evse_id: int = 1, **more: Any) -> Outcome:
        """Ask for a limit after some quiet."""
        await self.time.advance(61)
        return await self.limiter.request(evse_id, limit, **more)

    def entry(self, installed: Installed) -> Entry:
        """Return what the ledger says of a profile."""
        return Entry(installed=installed)

    @property
    def wanted(self) -> Limit | None:
        """Return what is wanted at EVSE 1."""
        return self.station.evse(1).wanted_limit.value

    def sets(self) -> list[ChargingProfile]:
        """Return the profiles that were sent."""
        return [what[1] for action, what in self.charger.sent if action == "set"]

    def steps(self) -> list[Any]:
        """Return what was sent but questions: purposes, and the ids that were cleared."""
        return [
            what[1].purpose if action == "set" else what
            for action, what in self.charger.sent
            if action != "composite"
        ]

    def amounts(self) -> list[Decimal]:
        """Return the limits that were sent."""
        return [one.schedule.periods[0].limit for one in self.sets()]


def at(house: House, **ago: float) -> datetime:
    """Return a moment relative to the present."""
    return house.time.now + timedelta(**ago)
