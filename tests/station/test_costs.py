"""Costs: what flowed is paid once, at the price of its time."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .conftest import NOON, Hall
from custom_components.ev_charger_hub.station import costs as module
from custom_components.ev_charger_hub.station.costs import KEPT, Costs, SessionCost
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)


def spawn(coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start a task as the entry of a server does."""
    return asyncio.create_task(coroutine, name=name)


async def costs_of(hall: Hall, station: ChargingStation) -> Costs:
    """Return the loaded costs of a station."""
    costs = Costs(station, hall.journal, lambda: hall.now, spawn=spawn)
    await costs.load()
    return costs


def session(number: int = 1, energy: int = 0) -> Transaction:
    """Return an open session."""
    return Transaction(
        key=number,
        identity="CP1",
        transaction_id=str(number),
        evse_id=1,
        started_at=NOON,
        received_at=NOON,
        energy=energy,
    )


def flow(station: ChargingStation, transaction: Transaction, energy: int) -> None:
    """Let a session have used so many Wh."""
    transaction.energy = energy
    evse = station.evse(1)
    evse.session.value = transaction
    evse.session.notify()


async def test_each_price_holds_for_its_time(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    flow(station, one, 1000)
    assert costs.of(one) is None
    costs.set_price(Decimal("0.10"), "EUR")
    # What flowed before the first price was known is paid by it, too.
    assert station.evse(1).session_cost.value == Decimal("0.10")
    costs.set_price(Decimal("0.50"), "EUR")
    flow(station, one, 3000)
    assert costs.of(one) == Decimal("1.10")
    costs.set_price(None, None)
    flow(station, one, 4000)
    assert costs.of(one) == Decimal("1.10")


async def test_a_negative_price_gives_money_back(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    costs.set_price(Decimal("-0.20"), "EUR")
    flow(station, one, 10_000)
    assert costs.of(one) == Decimal("-2.00")


async def test_a_correction_downward_is_given_back(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    costs.set_price(Decimal(1), "EUR")
    flow(station, one, 5000)
    one.state = TransactionState.CLOSED
    flow(station, one, 4000)
    assert costs.of(one) == Decimal("4.00")


async def test_a_session_that_was_over_before_there_was_a_price_has_no_cost(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    one.state = TransactionState.CLOSED
    flow(station, one, 5000)
    costs.set_price(Decimal(1), "EUR")
    assert costs.of(one) is None
    assert station.evse(1).session_cost.value is None


async def test_what_the_station_counts_itself_holds(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    costs.set_price(Decimal(1), "EUR")
    flow(station, one, 5000)
    words: tuple[object, ...] = ("much", "NaN", None, [], float("inf"))
    for nonsense in words:
        costs.told(one, nonsense)
    assert costs.of(one) == Decimal("5.00")
    costs.told(one, 4.17)
    flow(station, one, 6000)
    assert costs.of(one) == Decimal("4.17")
    assert station.evse(1).session_cost.value == Decimal("4.17")


async def test_costs_are_known_after_a_restart(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    costs.set_price(Decimal("0.30"), "EUR")
    flow(station, one, 1000)
    tariff = {"tariffId": "guests", "currency": "EUR"}
    await costs.set_driver_tariff(tariff)
    costs.close()
    await hall.restart()
    again = await costs_of(hall, hall.stations["CP1"])
    assert (again.of(one), again.driver_tariff) == (Decimal("0.30"), tariff)
    again.set_price(Decimal("1.30"), "EUR")
    flow(hall.stations["CP1"], one, 2000)
    assert again.of(one) == Decimal("1.60")


async def test_what_was_paid_before_a_kill_is_not_given_back(
    hall: Hall, station: ChargingStation
) -> None:
    """Test that a session of which less is known for a while costs what it did."""
    costs, one = await costs_of(hall, station), session()
    costs.set_price(Decimal("0.10"), "EUR")
    flow(station, one, 2000)
    costs.set_price(Decimal("0.50"), "EUR")
    flow(station, one, 4000)
    assert costs.of(one) == Decimal("1.20")
    station.evse(1).session.outdated = True
    flow(station, one, 1000)
    costs.set_price(Decimal("0.80"), "EUR")
    assert costs.settle(one) == Decimal("1.20")
    station.evse(1).session.prove()
    flow(station, one, 5000)
    assert costs.of(one) == Decimal("2.00")


async def test_only_so_many_costs_are_remembered(
    hall: Hall, station: ChargingStation
) -> None:
    costs = await costs_of(hall, station)
    costs.set_price(Decimal(1), "EUR")
    for number in range(1, KEPT + 11):
        flow(station, session(number), 1000)
    assert len(costs._known) == KEPT
    assert costs.of(session(10)) is None
    assert costs.of(session(11)) == Decimal("1.00")


async def test_the_cost_of_what_goes_on_is_not_forgotten(
    hall: Hall, station: ChargingStation
) -> None:
    costs, long = await costs_of(hall, station), session(1)
    costs.set_price(Decimal(1), "EUR")
    flow(station, long, 1000)
    costs.set_price(Decimal(2), "EUR")
    for number in range(2, KEPT + 12):
        costs.told(session(number), 1)
        if number % 50 == 0:
            flow(station, long, 1000 + number)
    flow(station, long, 2000)
    assert costs.of(long) == Decimal("3.00")


async def test_what_the_station_counted_is_durable_when_it_is_saved(
    hall: Hall, station: ChargingStation
) -> None:
    costs, one = await costs_of(hall, station), session()
    costs.told(one, 4.17)
    await costs.save()
    # A kill takes what is to be written later.
    hall.journal._facts.clear()
    again = await costs_of(hall, station)
    assert again.of(one) == Decimal("4.17")


async def test_a_journal_that_cannot_write_keeps_the_cost_for_later(
    hall: Hall, station: ChargingStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs, one = await costs_of(hall, station), session()
    costs.told(one, 4.17)

    async def fail(*_: object) -> None:
        raise JournalError("full")

    with monkeypatch.context() as patched:
        patched.setattr(hall.journal, "store", fail)
        await costs.save()
    again = await costs_of(hall, station)
    assert again.of(one) == Decimal("4.17")


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.4", "0.40 EUR/kWh"),
        ("0.3125", "0.3125 EUR/kWh"),
        ("0.31254", "0.3125 EUR/kWh"),
        ("-0.02", "-0.02 EUR/kWh"),
        ("2", "2.00 EUR/kWh"),
    ],
)
async def test_a_price_is_written_for_people(
    hall: Hall, station: ChargingStation, price: str, text: str
) -> None:
    costs = await costs_of(hall, station)
    assert costs.price_text is None
    costs.set_price(Decimal(price), "EUR")
    assert costs.price_text == text


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-100, 100)), min_size=1))
def test_a_cost_is_the_sum_of_what_flowed_at_its_prices(
    steps: list[tuple[int, int]],
) -> None:
    cost, register, expected = SessionCost(), 0, Decimal(0)
    for energy, cents in steps:
        price = Decimal(cents) / 100
        expected += (energy - register) * price / 1000
        register = energy
        cost.pay(energy, price)
    assert cost.cost == expected
    assert abs(cost.total - expected) <= Decimal("0.005")


async def test_a_cost_is_told_at_most_once_a_minute(
    hall: Hall, station: ChargingStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Decimal]] = []

    class Shows:
        """A station that shows costs."""

        shows_cost = True
        currency = "EUR"

        async def cost_updated(self, transaction_id: str, total: Decimal) -> None:
            told.append((transaction_id, total))

    class Carrier:
        """A link to it."""

        connected = True
        costs = Shows()

    monkeypatch.setattr(station, "links", [Carrier()])
    costs, one = await costs_of(hall, station), session()
    costs.set_price(Decimal(1), "EUR")
    for energy, wait in ((1000, 30), (2000, 31), (3000, 90), (3000, 90)):
        flow(station, one, energy)
        await asyncio.sleep(0)
        hall.now += timedelta(seconds=wait)
    assert told == [("1", Decimal("1.00")), ("1", Decimal("3.00"))]
    # What it has counted itself it knows.
    costs.told(one, 4.17)
    flow(station, one, 9000)
    await asyncio.sleep(0)
    assert len(told) == 2
    assert timedelta(seconds=60) == module.PAUSE
