"""Sessions that both ways tell of: one row, one start, one end, the best of each."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from .pair import Pair
from .yard import ended, started
from custom_components.ev_charger_hub.easee.history import PastSession
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.costs import Costs
from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.events import SessionEnded, SessionStarted
from custom_components.ev_charger_hub.station.signed_values import SignedValue
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from simulators.easee_cloud import SimulatedTime

HOUR = timedelta(hours=1)
METER = 1_000_000


@pytest.fixture
async def pair(tmp_path: Path, time: SimulatedTime) -> AsyncGenerator[Pair]:
    """Return a charger that both ways reach, without a car."""
    pair = Pair(tmp_path, time)
    await pair.open()
    await pair.told(Id.CONNECTED_TO_CLOUD, value=True)
    await pair.told(Id.CHARGER_OP_MODE, 1)
    await pair.dial_in()
    await pair.ocpp.status("Available")
    await pair.wait(60)
    pair.events.clear()
    yield pair
    await pair.close()


async def cloud_begins(pair: Pair, start: datetime, number: int = 5) -> None:
    """Let the cloud tell of a session that began."""
    text = started(number, start, METER / 1000, Auth="CARD", AuthReason=3)
    await pair.told(Id.CHARGING_SESSION_START, text, at=start)
    await pair.told(Id.CHARGER_OP_MODE, 3, at=start)


async def cloud_ends(
    pair: Pair,
    start: datetime,
    stop: datetime,
    energy: float,
    number: int = 5,
    meter: int = METER,
) -> None:
    """Let the cloud tell of a session that is over; `energy` is in kWh."""
    text = ended(number, start, stop, energy, meter / 1000, Auth="CARD")
    await pair.told(Id.CHARGING_SESSION, text, at=stop)
    await pair.told(Id.CHARGER_OP_MODE, 1, at=stop)


async def the_one(pair: Pair) -> Transaction:
    """Return the one session that there is, which was told of once."""
    (session,) = await pair.journaled()
    assert len(pair.events_of(SessionStarted)) <= 1
    assert len(pair.events_of(SessionEnded)) <= 1
    return session


async def test_the_cloud_is_first_and_the_charger_goes_on(pair: Pair) -> None:
    """Not connected to us, it could not tell of it before."""
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    session = pair.session
    assert session.transaction_id == "easee-5"
    await pair.wait(600)
    await pair.told(Id.SESSION_ENERGY, 1.5)
    assert session.energy == 1500

    await pair.dial_in()
    number = await pair.ocpp.start(
        id_tag="TAG1", meter_start=METER, timestamp=pair.clock.text(-600)
    )
    await pair.ocpp.status("Charging")
    assert pair.session is session
    assert session.open
    assert (session.transaction_id, session.cloud_id) == (str(number), "easee-5")
    assert (session.id_token, session.energy) == ("TAG1", 1500)
    await pair.measures(METER + 2000, number)
    assert session.energy == 2000
    await pair.wait(60)
    await pair.ocpp.stop(number, METER + 2500, reason="EVDisconnected")
    await cloud_ends(pair, start, pair.time(), 2.5)
    await pair.wait(300)
    assert await the_one(pair) == session
    assert (session.energy, session.stop_reason) == (2500, StopReason.EV_DISCONNECTED)
    assert len(pair.events_of(SessionStarted)) == 1
    assert len(pair.events_of(SessionEnded)) == 1


async def test_the_charger_is_first_and_the_cloud_adds_what_it_knows(
    pair: Pair,
) -> None:
    start = pair.time()
    number = await pair.ocpp.start(id_tag="TAG1", meter_start=METER)
    await pair.ocpp.status("Charging")
    await pair.wait(20)
    await cloud_begins(pair, start)
    session = pair.session
    assert (session.transaction_id, session.cloud_id) == (str(number), "easee-5")
    await pair.wait(600)
    await pair.ocpp.stop(number, METER + 2500)
    await cloud_ends(pair, start, pair.time(), 2.4)
    await pair.wait(300)
    assert (await the_one(pair)).energy == 2500


async def test_the_charger_itself_comes_first_when_both_tell_at_once(
    pair: Pair,
) -> None:
    """The cloud was a second faster; the event names the session as the charger does."""
    await cloud_begins(pair, pair.time())
    await pair.wait(2)
    assert pair.evse.session.value is None
    number = await pair.ocpp.start(meter_start=METER, timestamp=pair.clock.text(-2))
    await pair.settle()
    assert pair.session.cloud_id == "easee-5"
    (event,) = pair.events_of(SessionStarted)
    assert event.transaction.transaction_id == str(number)


async def test_a_start_that_only_the_cloud_tells_of_does_not_wait_for_ever(
    pair: Pair,
) -> None:
    await cloud_begins(pair, pair.time())
    await pair.wait(31)
    assert pair.session.transaction_id == "easee-5"


async def test_a_session_goes_on_by_the_cloud_and_the_late_stop_counts(
    pair: Pair,
) -> None:
    """The link is lost in the middle; what the charger replays is no second end."""
    start = pair.time()
    number = await pair.ocpp.start(meter_start=METER)
    await pair.ocpp.status("Charging")
    await cloud_begins(pair, start)
    await pair.wait(300)
    await pair.measures(METER + 1000, number)
    pair.hang_up()
    await pair.wait(300)
    await pair.told(Id.SESSION_ENERGY, 2.2)
    session = pair.session
    assert (session.open, session.energy) == (True, 2200)
    await pair.wait(300)
    stop = pair.time()
    await cloud_ends(pair, start, stop, 3.0)
    assert session.state is TransactionState.CLOSED
    assert (session.energy, session.stopped_at) == (3000, stop)
    assert len(pair.events_of(SessionEnded)) == 1

    await pair.wait(7200)
    await pair.dial_in()
    away = (stop - pair.time()).total_seconds()
    for _ in range(2):
        await pair.ocpp.stop(
            number, METER + 3005, timestamp=pair.clock.text(away), reason="Remote"
        )
    assert await the_one(pair) == session
    assert (session.energy, session.stop_reason) == (3005, StopReason.REMOTE)
    assert session.stopped_at == stop
    assert len(pair.events_of(SessionEnded)) == 1


async def test_a_stop_that_never_comes_is_told_by_the_cloud(pair: Pair) -> None:
    """The charger is connected, and says nothing of it (row N4)."""
    start = pair.time()
    await pair.ocpp.start(meter_start=METER)
    await pair.ocpp.status("Charging")
    await cloud_begins(pair, start)
    await pair.wait(600)
    session, stop = pair.session, pair.time()
    await cloud_ends(pair, start, stop, 3.0)
    assert session.open
    await pair.wait(180)
    assert session.state is TransactionState.CLOSED
    assert (session.energy, session.stopped_at) == (3000, stop)
    assert len(pair.events_of(SessionEnded)) == 1


async def test_a_session_that_was_lost_gets_its_end_from_the_cloud(pair: Pair) -> None:
    start = pair.time()
    number = await pair.ocpp.start(meter_start=METER)
    await pair.ocpp.status("Charging")
    await pair.wait(60)
    await pair.measures(METER + 500, number)
    await pair.wait(600)
    stop = pair.time()
    await pair.ocpp.status("Available")
    await pair.wait(120)
    assert pair.session.state is TransactionState.LOST
    await pair.wait(3600)
    await cloud_ends(pair, start, stop, 3.0)
    await pair.wait(60)
    session = await the_one(pair)
    assert session.state is TransactionState.CLOSED
    assert (session.energy, session.stopped_at) == (3000, stop)


async def test_a_charger_replays_hours_later_what_the_cloud_has_told(
    pair: Pair,
) -> None:
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.wait(3600)
    await cloud_ends(pair, start, pair.time(), 7.0)
    await pair.wait(3 * 3600)
    await pair.dial_in()
    pair.events.clear()
    number = await pair.ocpp.start(
        meter_start=METER, timestamp=pair.clock.text(-4 * 3600 - 3)
    )
    again = await pair.ocpp.start(
        meter_start=METER, timestamp=pair.clock.text(-4 * 3600 - 3)
    )
    assert number == again
    await pair.ocpp.stop(number, METER + 7004, timestamp=pair.clock.text(-3 * 3600))
    session = await the_one(pair)
    assert (session.transaction_id, session.cloud_id) == (str(number), "easee-5")
    assert (session.energy, session.state) == (7004, TransactionState.CLOSED)
    assert pair.events == []


async def test_a_charger_that_lost_its_clock_is_known_by_its_meter(pair: Pair) -> None:
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.wait(3600)
    stop = pair.time()
    await cloud_ends(pair, start, stop, 7.0)
    await pair.wait(3 * 3600)
    await pair.dial_in()
    number = await pair.ocpp.start(meter_start=METER, timestamp="1970-01-01T00:00:07Z")
    await pair.ocpp.stop(number, METER + 7000, timestamp="1970-01-01T01:00:07Z")
    session = await the_one(pair)
    assert (session.started_at, session.stopped_at) == (start, stop)
    assert (session.energy, session.transaction_id) == (7000, str(number))


async def test_a_session_that_was_noticed_by_the_mode_alone_is_the_chargers(
    pair: Pair,
) -> None:
    pair.hang_up()
    start = pair.time()
    await pair.told(Id.CHARGER_OP_MODE, 3)
    await pair.wait(60)
    await pair.told(Id.SESSION_ENERGY, 0.2)
    session = pair.session
    assert session.transaction_id.startswith("easee-at-")
    await pair.dial_in()
    number = await pair.ocpp.start(meter_start=METER, timestamp=pair.clock.text(-60))
    assert pair.session is session
    assert (session.meter_start, session.energy) == (METER, 200)
    await pair.ocpp.status("Charging")
    await pair.measures(METER + 300, number)
    assert session.energy == 300
    await pair.wait(60)
    await pair.ocpp.stop(number, METER + 400)
    await cloud_ends(pair, start, pair.time(), 0.4)
    await pair.wait(120)
    assert (await the_one(pair)).cloud_id == "easee-5"
    assert session.energy == 400


async def test_a_session_that_runs_when_ocpp_is_switched_on_is_not_divided(
    pair: Pair,
) -> None:
    """The charger begins a transaction in the middle of what the cloud counts."""
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.wait(1800)
    await pair.told(Id.SESSION_ENERGY, 3.0)
    session = pair.session
    await pair.dial_in()
    number = await pair.ocpp.start(meter_start=METER + 3010)
    await pair.ocpp.status("Charging")
    assert pair.session is session
    assert session.started_at == start
    await pair.measures(METER + 4000, number)
    assert session.energy == 4000
    await pair.wait(600)
    await pair.ocpp.stop(number, METER + 5000)
    await cloud_ends(pair, start, pair.time(), 5.0)
    await pair.wait(120)
    assert (await the_one(pair)).energy == 5000


async def test_two_transactions_in_what_the_cloud_takes_for_one_count_once(
    pair: Pair,
) -> None:
    """Stopped and begun again without being unplugged."""
    start = pair.time()
    first = await pair.ocpp.start(meter_start=METER)
    await cloud_begins(pair, start)
    await pair.wait(1800)
    await pair.ocpp.stop(first, METER + 2000)
    await pair.wait(60)
    await pair.ocpp.start(meter_start=METER + 2000)
    await pair.wait(600)
    pair.hang_up()
    await pair.wait(600)
    await cloud_ends(pair, start, pair.time(), 5.0)
    await pair.wait(180)
    one, two = await pair.journaled()
    assert one.energy + two.energy == 5000


async def test_two_sessions_close_together_stay_two(pair: Pair) -> None:
    """The next car came while the end of the first one was not told yet."""
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.wait(1800)
    await pair.told(Id.SESSION_ENERGY, 3.0)
    stop = pair.time()
    await pair.wait(40)
    await pair.dial_in()
    first = await pair.ocpp.start(
        meter_start=METER, timestamp=pair.clock.text(-1840), id_tag="ONE"
    )
    await pair.ocpp.stop(first, METER + 3000, timestamp=pair.clock.text(-40))
    second = pair.time()
    number = await pair.ocpp.start(meter_start=METER + 3000, id_tag="TWO")
    await cloud_ends(pair, start, stop, 3.0)
    text = started(6, second, (METER + 3000) / 1000)
    await pair.told(Id.CHARGING_SESSION_START, text, at=second)
    await pair.told(Id.CHARGER_OP_MODE, 3, at=second)
    await pair.wait(60)
    await pair.ocpp.stop(number, METER + 3500)
    await cloud_ends(pair, second, pair.time(), 0.5, 6, METER + 3000)
    await pair.wait(180)
    assert [
        (one.cloud_id, one.energy, one.id_token) for one in await pair.journaled()
    ] == [("easee-5", 3000, "ONE"), ("easee-6", 500, "TWO")]
    assert len(pair.events_of(SessionStarted)) == 2
    assert len(pair.events_of(SessionEnded)) == 2


async def test_sessions_without_energy_are_told_apart_by_their_time(
    pair: Pair,
) -> None:
    """All of them begin at the same register."""
    pair.hang_up()
    begun = []
    for number in range(5, 8):
        start = pair.time()
        await cloud_begins(pair, start, number)
        await pair.wait(120)
        await cloud_ends(pair, start, pair.time(), 0.0, number)
        await pair.wait(300)
        begun.append(start)
    await pair.dial_in()
    for start in (begun[1], begun[0], begun[2]):
        ago = (start - pair.time()).total_seconds()
        local = await pair.ocpp.start(
            meter_start=METER, timestamp=pair.clock.text(ago + 1)
        )
        await pair.ocpp.stop(local, METER, timestamp=pair.clock.text(ago + 120))
    assert [one.cloud_id for one in await pair.journaled()] == [
        "easee-5",
        "easee-6",
        "easee-7",
    ]


async def test_a_stop_without_a_start_is_of_the_session_that_the_cloud_told(
    pair: Pair,
) -> None:
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.wait(600)
    await pair.dial_in()
    await pair.ocpp.stop(4711, METER + 2000)
    session = await the_one(pair)
    assert (session.transaction_id, session.energy) == ("4711", 2000)
    assert session.state is TransactionState.CLOSED
    await cloud_ends(pair, start, pair.time(), 2.0)
    await pair.wait(180)
    assert (await the_one(pair)).cloud_id == "easee-5"


async def test_a_stop_without_a_start_gets_it_from_the_cloud(pair: Pair) -> None:
    start = pair.time()
    await pair.wait(600)
    await pair.ocpp.stop(4711, METER + 2000)
    stop = pair.time()
    assert (await the_one(pair)).state is TransactionState.ORPHAN
    await cloud_ends(pair, start, stop, 2.0)
    await pair.wait(180)
    session = await the_one(pair)
    assert session.state is TransactionState.CLOSED
    assert (session.started_at, session.energy) == (start, 2000)
    assert (session.transaction_id, session.cloud_id) == ("4711", "easee-5")


async def test_samples_tell_how_a_charger_calls_what_the_cloud_told_of(
    pair: Pair,
) -> None:
    """Its start was lost; it has to be stopped by the name that it knows (row N5)."""
    pair.hang_up()
    await cloud_begins(pair, pair.time())
    await pair.wait(600)
    await pair.dial_in()
    await pair.ocpp.status("Charging")
    await pair.measures(METER + 2000, 4711)
    await pair.wait(30)
    session = pair.session
    assert (session.transaction_id, session.cloud_id) == ("4711", "easee-5")
    await pair.measures(METER + 2100, 4711)
    assert session.energy == 2100
    await pair.ocpp.stop(4711, METER + 2200)
    assert (await the_one(pair)).energy == 2200


async def test_the_list_of_the_cloud_brings_in_nothing_twice(pair: Pair) -> None:
    start = pair.time()
    number = await pair.ocpp.start(meter_start=METER)
    await pair.wait(3600)
    await pair.ocpp.stop(number, METER + 7000)
    past = PastSession(
        id="77",
        started_at=start,
        stopped_at=pair.time(),
        energy=7001,
        id_token="CARD",
        cost=12.5,
        currency="NOK",
    )
    await pair.wait(86_400)
    told = past.told.end(StopReason.OTHER)
    for _ in range(2):
        session, unknown = await pair.transactions.told(told)
        assert not unknown
    assert await the_one(pair) == session
    assert (session.energy, session.cloud_id) == (7000, "easee-77")
    assert session.id_token == "TAG1"
    await pair.restart()
    assert (await the_one(pair)).cloud_cost == {"amount": 12.5, "currency": "NOK"}


async def test_both_signatures_and_the_cost_are_of_the_one_session(
    pair: Pair,
) -> None:
    costs = Costs(pair.station, pair.journal, pair.clock, spawn=pair.ocpp.spawn)
    await costs.load()
    costs.set_price(Decimal("0.5"), "EUR")
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.wait(600)
    await pair.told(Id.SESSION_ENERGY, 2.0)
    session = pair.session
    value = SignedValue(measured_at="then", context=None, value="OCMF|cloud")
    await pair.transactions.sign(session, [value])
    assert costs.of(session) == 1
    await pair.dial_in()
    number = await pair.ocpp.start(meter_start=METER, timestamp=pair.clock.text(-600))
    assert costs.of(session) == 1
    signed = {"value": "OCMF|charger", "format": "SignedData"}
    data = [{"timestamp": pair.clock.text(), "sampledValue": [signed]}]
    await pair.ocpp.stop(number, METER + 4000, transactionData=data)
    assert costs.of(session) == 2
    (kept,) = await signed_values.of_sessions(pair.journal, [await the_one(pair)])
    assert {one.value for one in kept} == {"OCMF|cloud", "OCMF|charger"}
    costs.close()


@pytest.mark.parametrize("kill", [True, False])
async def test_a_restart_anywhere_makes_no_second_session(
    pair: Pair, *, kill: bool
) -> None:
    pair.hang_up()
    start = pair.time()
    await cloud_begins(pair, start)
    await pair.restart(kill=kill)
    await pair.dial_in()
    number = await pair.ocpp.start(meter_start=METER, timestamp=pair.clock.text(-1))
    await pair.restart(kill=kill)
    pair.tell(Id.CONNECTED_TO_CLOUD, value=True, at=start, replay=True)
    await cloud_begins(pair, start)
    await pair.dial_in()
    again = await pair.ocpp.start(meter_start=METER, timestamp=pair.clock.text(-1))
    assert number == again
    await pair.wait(600)
    stop = pair.time()
    pair.hang_up()
    await cloud_ends(pair, start, stop, 2.0)
    await pair.restart(kill=kill)
    await pair.dial_in()
    await pair.ocpp.stop(number, METER + 2000)
    await pair.restart(kill=kill)
    session = await the_one(pair)
    assert (session.transaction_id, session.cloud_id) == (str(number), "easee-5")
    assert (session.energy, session.state) == (2000, TransactionState.CLOSED)
