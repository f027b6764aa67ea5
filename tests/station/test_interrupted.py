"""Counters over kills and restarts, with the real journal, sessions and snapshots.

To be killed is to go on with the journal as it was on disk at that moment.
"""

from contextlib import closing
from datetime import datetime
import json
from pathlib import Path
import sqlite3
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from .conftest import Hall
from custom_components.ev_charger_hub.sensor_session import SESSION_SENSORS
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Measurand,
    StopReason,
)
from custom_components.ev_charger_hub.station.interrupted import resume
from custom_components.ev_charger_hub.station.metering import Metering
from custom_components.ev_charger_hub.station.model import (
    ChargingStation,
    Evse,
    MeasurementKey,
    Number,
    Place,
)
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.snapshot import dump, restore
from custom_components.ev_charger_hub.station.transaction import Transaction
from custom_components.ev_charger_hub.station.transactions import Transactions

SNAPSHOT = "snapshot"
IMPORT = MeasurementKey(measurand=Measurand.ENERGY_ACTIVE_IMPORT_REGISTER)
EXPORT = MeasurementKey(measurand=Measurand.ENERGY_ACTIVE_EXPORT_REGISTER)
(ENERGY,) = (one for one in SESSION_SENSORS if one.key == "session_energy")
EVSES = (1, 2)
NIGHT = 600.0
"""Longer than a station can be available before its session is given up, in s."""


class House:
    """A station with two EVSEs, and all of Home Assistant that keeps its counters."""

    def __init__(self, path: Path) -> None:
        """Have a meter at each EVSE that has counted something."""
        self.hall = Hall(path)
        self.meters = dict.fromkeys(EVSES, 1000)
        self.begun: dict[int, tuple[Transaction, int]] = {}
        """What the station itself takes for open, and where its meter was then."""
        self.untold: set[int] = set()
        """Where something flowed of which nothing was told."""
        self.station: ChargingStation
        self.transactions: Transactions
        self.shown: dict[Any, Number] = {}
        """The highest value of each register, and of each session by its key."""

    @property
    def now(self) -> datetime:
        """Return what the time is."""
        return self.hall.now

    async def begin(self) -> None:
        """Start, with what the journal has kept."""
        await self.hall.open()
        kept = await self.hall.journal.load("CP1", SNAPSHOT)
        self.station = ChargingStation("CP1", StationSettings(name="CP1"))
        if kept is not None:
            restore(self.station, kept)
        self.transactions = Transactions(
            self.station,
            self.hall.journal,
            lambda: self.now,
            call_later=self.hall.timers,
        )
        await self.transactions.load()
        resume(self.station, kept, self.now)
        self.metering = Metering()
        await self.hall.journal.store("CP1", SNAPSHOT, dump(self.station))
        self.look()

    async def end(self) -> None:
        """Stop properly."""
        await self.transactions.close()
        last_word = dump(self.station, rested=True)
        await self.hall.journal.store(
            "CP1", SNAPSHOT, json.loads(json.dumps(last_word))
        )
        await self.hall.journal.close()
        self.hall.timers.pending.clear()

    async def restart(self) -> None:
        """Stop properly and start again."""
        await self.end()
        await self.begin()

    async def kill(self) -> None:
        """End without a word and start again."""
        path = self.hall.path
        with closing(sqlite3.connect(":memory:")) as on_disk:
            with closing(sqlite3.connect(path)) as journal:
                journal.backup(on_disk)
            await self.end()
            with closing(sqlite3.connect(path)) as journal:
                on_disk.backup(journal)
        await self.begin()

    async def save(self) -> None:
        """Keep a snapshot."""
        await self.hall.journal.store("CP1", SNAPSHOT, dump(self.station))

    async def write(self) -> None:
        """Keep how far the sessions are."""
        self.hall.timers.fire()
        await self.transactions.sessions()

    # What the station does

    async def charge(self, evse_id: int, energy: int, *, told: bool) -> None:
        """Let energy flow, of which the station may tell."""
        self.meters[evse_id] += energy
        if energy:
            self.untold.add(evse_id)
        self.hall.pass_time(seconds=10)
        if told:
            self.tell(evse_id)

    def tell(self, evse_id: int) -> None:
        """Send meter values of an EVSE, and of the station."""
        register, evse = self.meters[evse_id], self.station.evse(evse_id)
        self.untold.discard(evse_id)
        self._heard()
        self._sample(evse, register)
        self._sample(self.station.whole, sum(self.meters.values()))
        begun = self.begun.get(evse_id)
        self.transactions.meter(
            evse_id=evse_id,
            transaction_id=None if begun is None else begun[0].transaction_id,
            register=register,
            at=self.now,
        )
        self.look()
        self.is_right(evse_id)
        assert shown(evse, EXPORT) == register // 2
        assert shown(self.station.whole, IMPORT) == sum(self.meters.values())

    def _tell_the_rest(self, evse_id: int) -> None:
        """Tell of what flowed in a session before it ends, as stations do."""
        if evse_id in self.untold:
            self.tell(evse_id)

    def _sample(self, place: Place, register: int) -> None:
        self.metering.sample(place, IMPORT, register, self.now)
        self.metering.sample(place, EXPORT, register // 2, self.now)
        self.metering.settle()

    async def start(self, evse_id: int) -> None:
        """Begin a session, if none goes on."""
        if evse_id in self.begun:
            return
        register = self.meters[evse_id]
        self._heard()
        self._status(evse_id, ConnectorStatus.CHARGING)
        begun = await self.transactions.start(
            evse_id=evse_id,
            id_token="TAG",
            meter_start=register,
            claimed_at=self.hall.pass_time(seconds=10),
        )
        self.begun[evse_id] = begun, register
        self._bracket(evse_id)

    async def stop(self, evse_id: int) -> None:
        """End the session, if one goes on, and tell of all that it took."""
        if evse_id not in self.begun:
            return
        self._tell_the_rest(evse_id)
        self._heard()
        begun, _ = self.begun[evse_id]
        await self.transactions.stop(
            transaction_id=begun.transaction_id,
            meter_stop=self.meters[evse_id],
            claimed_at=self.hall.pass_time(seconds=10),
            reason=StopReason.LOCAL,
        )
        self._bracket(evse_id)
        del self.begun[evse_id]
        self._status(evse_id, ConnectorStatus.AVAILABLE)

    async def lose(self, evse_id: int) -> None:
        """Forget the session, and say that nothing goes on."""
        if evse_id not in self.begun:
            return
        self._tell_the_rest(evse_id)
        del self.begun[evse_id]
        self._heard()
        self._status(evse_id, ConnectorStatus.AVAILABLE)
        self.hall.pass_time(seconds=NIGHT)
        await self.write()
        self.look()

    def _bracket(self, evse_id: int) -> None:
        evse = self.station.evse(evse_id)
        self.metering.gauge(evse, IMPORT).reach(self.meters[evse_id], self.now)
        self.look()
        self.is_right(evse_id)

    def _status(self, evse_id: int, status: ConnectorStatus) -> None:
        self.station.evse(evse_id).status.set(status, self.now)
        self.transactions.status(evse_id, status, self.now)

    def _heard(self) -> None:
        self.station.heartbeat.set(self.now)

    # What is shown

    def look(self) -> None:
        """See that nothing is lower than it was."""
        for place in self.station.places:
            for key in (IMPORT, EXPORT):
                self._never_falls((place.id, key), shown(place, key))
        for evse in self.station.evses.values():
            if (session := evse.session.value) is not None:
                self._never_falls(session.key, delivered(evse))

    def _never_falls(self, counter: Any, value: Number | None) -> None:
        if value is not None:
            assert value >= self.shown.get(counter, 0), counter
            self.shown[counter] = value

    def is_right(self, evse_id: int) -> None:
        """See that what was told just now is shown."""
        evse, register = self.station.evse(evse_id), self.meters[evse_id]
        assert shown(evse, IMPORT) == register
        if (begun := self.begun.get(evse_id)) is not None:
            session = evse.session.value
            assert session is not None
            assert session.key == begun[0].key
            assert delivered(evse) == register - begun[1]


def shown(place: Place, key: MeasurementKey) -> Number | None:
    """Return what a register shows."""
    channel = place.measurements.get(key)
    return None if channel is None or channel.outdated else channel.value


def delivered(evse: Evse) -> Number | None:
    """Return what is shown that the last session took."""
    value = ENERGY.value_fn(evse)
    assert value is None or isinstance(value, int)
    return value


evses = st.sampled_from(EVSES)
charges = st.tuples(st.just("charge"), evses, st.integers(0, 500), st.booleans())
moves = st.tuples(st.sampled_from(["start", "start", "stop", "lose"]), evses)
ends = st.tuples(st.sampled_from(["save", "save", "write", "kill", "kill", "restart"]))
acts = charges | charges | moves | ends


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(done=st.lists(acts, min_size=10, max_size=40))
async def test_counters_never_fall_and_are_right_once_told(
    tmp_path_factory: Any, done: list[tuple[Any, ...]]
) -> None:
    house = House(tmp_path_factory.mktemp("house") / "journal.db")
    await house.begin()
    try:
        for act, *fields in done:
            if act == "charge":
                evse_id, energy, told = fields
                # Nothing flows where no session goes on.
                flows = energy if evse_id in house.begun else 0
                await house.charge(evse_id, flows, told=told)
            else:
                await getattr(house, act)(*fields)
            house.look()
    finally:
        await house.end()


async def test_what_proves_nothing_leaves_a_session_outdated(tmp_path: Path) -> None:
    """Test that what a cloud tells again, which is behind its charger, is not shown."""
    house = House(tmp_path / "journal.db")
    await house.begin()
    await house.start(1)
    await house.charge(1, 300, told=True)
    await house.kill()
    evse, (begun, register) = house.station.evse(1), house.begun[1]
    for proves, energy in ((False, None), (True, 200)):
        house.transactions.meter(
            evse_id=1,
            transaction_id=begun.transaction_id,
            register=register + 200,
            at=house.now,
            proves=proves,
        )
        assert delivered(evse) == energy
    await house.end()
