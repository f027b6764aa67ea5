"""Limits: what is asked for, what is refused, and who wins."""

import asyncio
from decimal import Decimal
from typing import Any, cast

import pytest

from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.errors import NotConnected, StationError
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.limits import (
    LimitError,
    LimitErrorKind,
    check,
    converted,
)
from custom_components.ev_charger_hub.station.link import Capability, Limit
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.ledger import Ledger
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import Transaction
from tests.memory_journal import MemoryJournal
from tests.virtual_time import VirtualTime, rest

CONFIRMED = Outcome(status=OutcomeStatus.CONFIRMED)


def ampere(value: float | str) -> Limit:
    return Limit(value=Decimal(str(value)))


def watt(value: int) -> Limit:
    return Limit(value=Decimal(value), unit=RateUnit.WATT)


class FakeLink:
    """A link without profiles that notes limits and answers when it is told to."""

    capabilities = frozenset({Capability.LIMIT})

    def __init__(self) -> None:
        """Be connected and agree to everything."""
        self.connected = True
        self.asked: list[tuple[int, Limit | None]] = []
        self.outcome = CONFIRMED
        self.gate = asyncio.Event()
        self.gate.set()

    async def set_limit(self, evse_id: int, limit: Limit) -> Outcome:
        """Note a limit and answer when the gate is open."""
        self.asked.append((evse_id, limit))
        await self.gate.wait()
        return self.outcome

    async def clear_limit(self, evse_id: int) -> Outcome:
        """Note that a limit goes."""
        self.asked.append((evse_id, None))
        return self.outcome


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def station(link: FakeLink, time: VirtualTime) -> ChargingStation:
    station = ChargingStation("CP", StationSettings(name="CP"))
    journal = cast(Any, MemoryJournal())
    Limiter(
        station,
        journal,
        time,
        ledger=Ledger(station, journal),
        spawn=asyncio.create_task,  # type: ignore[arg-type]
        call_later=time.call_later,
    )
    moment = time.now
    station.evse(1).session.set(
        Transaction(
            key=1,
            identity="CP",
            transaction_id="7",
            evse_id=1,
            started_at=moment,
            received_at=moment,
        )
    )
    station.links = [cast(Any, link)]
    return station


async def test_a_limit_that_holds_is_the_wanted_one(
    station: ChargingStation, link: FakeLink
) -> None:
    assert await limits.request(station, 1, ampere(10)) is CONFIRMED
    assert link.asked == [(1, ampere(10))]
    assert station.evse(1).wanted_limit.value == ampere(10)
    assert station.whole.wanted_limit.value is None


async def test_a_limit_of_the_whole_station_is_its_own(
    station: ChargingStation, link: FakeLink
) -> None:
    await limits.request(station, 0, ampere(16))
    assert station.whole.wanted_limit.value == ampere(16)
    assert station.evse(1).wanted_limit.value is None


async def test_a_refused_limit_is_not_wanted(
    station: ChargingStation, link: FakeLink
) -> None:
    link.outcome = Outcome(status=OutcomeStatus.REJECTED)
    assert not (await limits.request(station, 1, ampere(10))).ok
    assert station.evse(1).wanted_limit.value is None


async def test_no_limit_clears_ours(
    station: ChargingStation, link: FakeLink, time: VirtualTime
) -> None:
    await limits.request(station, 1, ampere(10))
    await time.advance(5)
    await limits.request(station, 1, None)
    assert link.asked[-1] == (1, None)
    assert station.evse(1).wanted_limit.value is None


@pytest.mark.conformance("SC_04")
@pytest.mark.parametrize(
    ("limit", "kind", "bound"),
    [
        (ampere("0.1"), LimitErrorKind.BELOW_MINIMUM, 6),
        (ampere("5.9"), LimitErrorKind.BELOW_MINIMUM, 6),
        (ampere("32.1"), LimitErrorKind.ABOVE_MAXIMUM, 32),
        (ampere(-1), LimitErrorKind.NEGATIVE, 0),
        (ampere("nan"), LimitErrorKind.NOT_A_NUMBER, 32),
        (ampere("inf"), LimitErrorKind.NOT_A_NUMBER, 32),
        (watt(4139), LimitErrorKind.BELOW_MINIMUM, 4140),
        (watt(22081), LimitErrorKind.ABOVE_MAXIMUM, 22080),
    ],
)
async def test_a_harmful_limit_is_never_sent(
    station: ChargingStation,
    link: FakeLink,
    limit: Limit,
    kind: LimitErrorKind,
    bound: int,
) -> None:
    with pytest.raises(LimitError) as caught:
        await limits.request(station, 1, limit)
    assert caught.value.kind is kind
    assert caught.value.bound == bound
    assert caught.value.limit == limit
    assert isinstance(caught.value, StationError)
    assert isinstance(caught.value, ValueError)
    assert link.asked == []


@pytest.mark.parametrize(
    "limit", [ampere(0), ampere(6), ampere(32), watt(0), watt(4140), watt(22080)]
)
def test_zero_and_the_bounds_themselves_are_fine(limit: Limit) -> None:
    check(StationSettings(name="CP"), limit)


def test_watt_follow_from_the_phases() -> None:
    assert converted(ampere(10), RateUnit.WATT, 1).value == 2300
    assert converted(ampere(10), RateUnit.WATT, 3).value == 6900
    assert converted(watt(6900), RateUnit.AMPERE, 3).value == 10
    assert converted(watt(6900), RateUnit.WATT, 3) == watt(6900)


async def test_an_unknown_evse_is_refused_and_not_created(
    station: ChargingStation,
) -> None:
    for wish in (limits.request(station, 9, ampere(10)), limits.resume(station, 9)):
        with pytest.raises(LimitError) as caught:
            await wish
        assert caught.value.kind is LimitErrorKind.UNKNOWN_EVSE
    assert list(station.evses) == [1]


async def test_not_connected_reaches_the_caller(
    station: ChargingStation, link: FakeLink
) -> None:
    link.connected = False
    with pytest.raises(NotConnected):
        await limits.request(station, 1, ampere(10))


async def test_the_newest_of_waiting_wishes_wins(
    station: ChargingStation, link: FakeLink, time: VirtualTime
) -> None:
    link.gate.clear()
    wishes = []
    for value in (10, 11, 12, 13):
        wishes.append(asyncio.ensure_future(limits.request(station, 1, ampere(value))))
        await rest()
    link.gate.set()
    await time.advance(5)
    outcomes = [outcome.status for outcome in await asyncio.gather(*wishes)]
    superseded = OutcomeStatus.SUPERSEDED
    assert outcomes == ["confirmed", superseded, superseded, "confirmed"]
    assert [limit for _, limit in link.asked] == [ampere(10), ampere(13)]
    assert station.evse(1).wanted_limit.value == ampere(13)


async def test_wishes_for_two_evses_do_not_overtake_each_other(
    station: ChargingStation, link: FakeLink
) -> None:
    station.evse(2)
    one, two = await asyncio.gather(
        limits.request(station, 1, ampere(10)), limits.request(station, 2, ampere(11))
    )
    assert one.ok
    assert two.ok


async def test_a_pause_returns_to_the_limit_before_it(
    station: ChargingStation, link: FakeLink, time: VirtualTime
) -> None:
    await limits.request(station, 1, ampere(10))
    await time.advance(5)
    await limits.pause(station, 1)
    await limits.pause(station, 1)
    assert limits.paused(station.evse(1))
    await time.advance(5)
    await limits.resume(station, 1)
    assert [limit for _, limit in link.asked] == [
        ampere(10),
        ampere(0),
        ampere(0),
        ampere(10),
    ]
    assert not limits.paused(station.evse(1))


async def test_a_pause_without_a_limit_returns_to_none(
    station: ChargingStation, link: FakeLink, time: VirtualTime
) -> None:
    await limits.pause(station, 1)
    await time.advance(5)
    await limits.resume(station, 1)
    assert link.asked == [(1, ampere(0)), (1, None)]
    assert station.evse(1).wanted_limit.value is None


async def test_a_resume_without_a_pause_asserts_the_limit(
    station: ChargingStation, link: FakeLink
) -> None:
    await limits.request(station, 1, ampere(10))
    await limits.resume(station, 1)
    assert link.asked == [(1, ampere(10)), (1, ampere(10))]


async def test_a_refused_pause_or_resume_changes_nothing(
    station: ChargingStation, link: FakeLink, time: VirtualTime
) -> None:
    await limits.request(station, 1, ampere(10))
    await time.advance(5)
    link.outcome = Outcome(status=OutcomeStatus.REJECTED)
    await limits.pause(station, 1)
    assert not limits.paused(station.evse(1))
    link.outcome = CONFIRMED
    await limits.pause(station, 1)
    await time.advance(5)
    link.outcome = Outcome(status=OutcomeStatus.TIMED_OUT)
    await limits.resume(station, 1)
    assert limits.paused(station.evse(1))
    pause = station.evse(1).pause
    assert pause is not None
    assert pause.before == ampere(10)


async def test_a_pause_needs_a_transaction(
    station: ChargingStation, link: FakeLink
) -> None:
    station.evse(1).session.set(None)
    with pytest.raises(LimitError) as caught:
        await limits.pause(station, 1)
    assert caught.value.kind is LimitErrorKind.NO_SESSION
    with pytest.raises(LimitError) as caught:
        await limits.pause(station, 7)
    assert caught.value.kind is LimitErrorKind.UNKNOWN_EVSE
    assert link.asked == []


async def test_a_new_limit_ends_the_pause(
    station: ChargingStation, time: VirtualTime
) -> None:
    await limits.pause(station, 1)
    await time.advance(5)
    await limits.request(station, 1, ampere(10))
    assert station.evse(1).pause is None
    assert not limits.paused(station.evse(1))


async def test_a_limit_changes_at_most_once_an_interval(
    station: ChargingStation, link: FakeLink, time: VirtualTime
) -> None:
    await limits.request(station, 1, ampere(10))
    wish = asyncio.ensure_future(limits.request(station, 1, ampere(16)))
    await time.advance(4)
    assert not wish.done()
    assert station.evse(1).wanted_limit.value == ampere(10)
    await time.advance(1)
    assert (await wish).ok
    assert station.evse(1).wanted_limit.value == ampere(16)
