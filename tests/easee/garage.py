"""A garage: Home Assistant's end of a charger in the cloud, and how to restart it."""

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, cast

from aiohttp import ClientSession

from .audience import Guest
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.budget import Budget
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.echo import Echo
from custom_components.ev_charger_hub.easee.enums import OpMode
from custom_components.ev_charger_hub.easee.limit_watch import LimitWatch
from custom_components.ev_charger_hub.easee.link import EaseeLink
from custom_components.ev_charger_hub.easee.poller import CHARGER as KIND, Poller
from custom_components.ev_charger_hub.easee.readings import Observation, Readings
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.easee.stream import Stream
from custom_components.ev_charger_hub.easee.wear import Wear
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import ConnectorStatus, LimitedBy
from custom_components.ev_charger_hub.station.events import (
    SessionEnded,
    SessionKnown,
    SessionSettled,
)
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.limiter.watch import Watch
from custom_components.ev_charger_hub.station.link import Limit, LinkKind
from custom_components.ev_charger_hub.station.model import ChargingStation, Evse
from custom_components.ev_charger_hub.station.outcome import Outcome
from custom_components.ev_charger_hub.station.profiles.ledger import Ledger
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from simulators.easee_cloud import Charger, EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.seed import CHARGER
from tests.memory_journal import MemoryJournal

COMMANDS = f"/api/chargers/{CHARGER}/"
VACANT = {OpMode.DISCONNECTED, OpMode.AWAITING_AUTHENTICATION, OpMode.DEAUTHENTICATING}
STATUS = {
    OpMode.DISCONNECTED: ConnectorStatus.AVAILABLE,
    OpMode.AWAITING_START: ConnectorStatus.SUSPENDED_EVSE,
    OpMode.CHARGING: ConnectorStatus.CHARGING,
    OpMode.COMPLETED: ConnectorStatus.SUSPENDED_EV,
    OpMode.READY_TO_CHARGE: ConnectorStatus.SUSPENDED_EV,
    OpMode.AWAITING_AUTHENTICATION: ConnectorStatus.PREPARING,
}


def ampere(value: float | str) -> Limit:
    """Return a limit in A."""
    return Limit(value=Decimal(str(value)))


class Garage:
    """One charger by the stream and by REST, with all that keeps its limit."""

    def __init__(
        self, cloud: EaseeCloud, time: SimulatedTime, session: ClientSession
    ) -> None:
        """Know the cloud; nothing is set up yet."""
        self.cloud = cloud
        self.time = time
        self.session = session
        self.journal = MemoryJournal()
        self.settings = StationSettings(name="Garage")
        self.keys = 0
        self.session_open: Transaction | None = None
        """What the journal of sessions would keep."""
        self.wear: Wear | None = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self.station: ChargingStation
        self.link: EaseeLink

    @property
    def charger(self) -> Charger:
        """Return the charger as it is."""
        return self.cloud.chargers[CHARGER]

    @property
    def evse(self) -> Evse:
        """Return the socket as Home Assistant sees it."""
        return self.station.evse(1)

    async def open(self) -> None:
        """Set up, and wait until all that is known was told."""
        time = self.time
        self.readings = Readings()
        self.station = ChargingStation(CHARGER, self.settings)
        self.station.ways = {LinkKind.EASEE}
        self.station.evse(1).session.set(self.session_open)
        journal, guest = cast(Any, self.journal), Guest(self.cloud)
        self.limiter = Limiter(
            self.station,
            journal,
            time,
            ledger=Ledger(self.station, journal),
            spawn=self._spawn,
            call_later=time.call_later,
        )
        self.stream = Stream(
            self.session,
            guest,
            time,
            url=self.cloud.hub_url,
            on_observation=self._observed,
            on_command_response=self._responded,
            spawn=self._spawn,
            jitter=lambda low, high: low,
        )
        budget = Budget(time)
        self.api = EaseeApi(self.session, guest, budget, time, url=self.cloud.url)
        self.poller = Poller(self.api, self.stream, time, self._observed)
        """Asks when it is told to."""
        self.poller.follow(CHARGER, KIND, self.readings)
        self.commands = Commands(
            self.api,
            time,
            stream_up=lambda: self.stream.connected.value,
            wear=self.wear,
        )
        self.echo = Echo(
            self.readings,
            time,
            hears=lambda: self.stream.hears(CHARGER),
            refresh=lambda: self.poller.refresh(CHARGER),
        )
        self.link = EaseeLink(
            self.commands,
            self.readings,
            time,
            serial=CHARGER,
            reachable=lambda: self.station.remote.value,
            echo=self.echo,
        )
        self.station.links = [self.link]
        self.limit_watch = LimitWatch(self.station, self.link, self.readings, time)
        await self.limiter.load()
        self.watch = Watch(self.station, self.limiter, time, call_later=time.call_later)
        self.stream.subscribe(CHARGER)
        self.stream.start()
        await self.cloud.until(lambda: self.stream.hears(CHARGER))

    async def close(self) -> None:
        """Let Home Assistant die."""
        self.watch.close()
        self.limit_watch.close()
        self.limiter.close()
        await self.stream.stop()
        for task in [*self.tasks]:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def restart(self, *, after: float = 60) -> None:
        """Let Home Assistant die, and come back."""
        await self.close()
        await self.pass_time(after)
        self.forget()
        await self.open()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # What the charger says

    def _observed(self, observation: Observation) -> None:
        self.readings.take(observation)
        self.station.remote.set(bool(self.readings.value(250)))
        mode = OpMode.of(self.readings.value(109))
        if observation.id != 109 or mode is None:
            return
        self.evse.status.set(STATUS.get(mode), observation.at)
        session = self.evse.transaction
        if session is None and mode not in VACANT | {OpMode.OFFLINE}:
            self._begin()
        elif session is not None and mode in VACANT:
            self._end(session)

    def _responded(self, response: CommandResponse) -> None:
        self.commands.responded(response)

    def _begin(self) -> None:
        self.keys += 1
        transaction = Transaction(
            key=self.keys,
            identity=CHARGER,
            transaction_id=str(self.keys),
            evse_id=1,
            started_at=self.time(),
            received_at=self.time(),
        )
        self.session_open = transaction
        self.evse.session.set(transaction)
        self.station.emit(SessionKnown(evse_id=1, transaction=transaction))

    def _end(self, transaction: Transaction) -> None:
        self.session_open, transaction.state = None, TransactionState.CLOSED
        self.evse.session.notify()
        self.station.emit(SessionEnded(evse_id=1, transaction=transaction))
        self.station.emit(SessionSettled(evse_id=1, transaction=transaction))

    def deafen(self) -> None:
        """Let there be no stream from now on."""
        fault = Fault(pattern="/negotiate$", status=503, times=None)
        self.cloud.faults.add(fault)
        self.cloud.hub.drop()

    # What users do and see

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, while everybody keeps up with it."""
        await self.time.pass_time(seconds)

    async def done[T](self, work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
        """Return what comes of something that takes a while."""
        task = asyncio.ensure_future(work)
        for _ in range(int(seconds / 0.5)):
            if task.done():
                break
            await self.pass_time(0.5)
        assert task.done(), f"not done in {seconds} s"
        return task.result()

    async def want(self, amps: float | None) -> Outcome:
        """Ask for a limit, after some quiet."""
        await self.pass_time(61)
        limit = None if amps is None else ampere(amps)
        return await self.done(limits.request(self.station, 1, limit))

    @property
    def sent(self) -> list[Any]:
        """Return the commands that arrived, by name, with the current if there is one."""
        found = []
        for request in self.cloud.journal.find("POST", COMMANDS):
            name = request.path.removeprefix(COMMANDS).removeprefix("commands/")
            body = request.body
            if name == "set_dynamic_charger_current":
                found.append(body["amps"])
            else:
                found.append(name if body is None else body)
        return found

    def forget(self) -> None:
        """Take no account of what was sent until now."""
        self.cloud.journal.clear()

    @property
    def dynamic(self) -> float:
        """Return the dynamic current that the charger really has, in A."""
        return float(self.charger[48])

    def ignored(self) -> bool:
        """Return whether the user is told that the limit does not hold."""
        return bool(self.evse.limit_ignored.value)

    def phases(self) -> int | None:
        """Return how many phases the user sees as wanted."""
        return self.evse.wanted_phases.value

    def shown(self) -> tuple[float | None, LimitedBy | None]:
        """Return the effective limit in A, and who sets it."""
        limit = self.evse.effective_limit.value
        return (
            None if limit is None else float(limit.value),
            self.evse.limited_by.value,
        )
