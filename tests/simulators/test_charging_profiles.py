"""The virtual station offers what its charging profiles leave, to the second."""

from typing import Any

import pytest

from .central import PlainCentralSystem
from .profiles import at, charge, composite, relative, send, station_max, tx, tx_default
from simulators.charging_station import ChargingStation16, Vehicle

DAY = 86_400


async def test_a_transaction_s_profile_falls_to_the_default_when_its_time_is_up(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """The dead man's switch works without any central system."""
    await charge(station, central)
    assert await send(central, tx_default(1, (0, 8)), 0) == "Accepted"
    assert await send(central, tx(2, (0, 16), duration=300)) == "Accepted"
    await station.disconnect()
    await station.pass_time(299)
    assert station.offered() == 16
    await station.pass_time(1)
    assert station.offered() == 8
    await station.pass_time(5)
    assert station.connectors[1].meter.current == 8


async def test_a_profile_changes_the_offer_at_once(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """No time passes between the answer and the new limit."""
    await charge(station, central)
    assert station.offered() == 32
    await send(central, tx_default(1, (0, 0)))
    await central.status("SuspendedEVSE")
    assert station.offered() == 0
    await central.ask("ClearChargingProfile", id=1)
    await central.seen(lambda *_: station.offered() == 32)


async def test_the_highest_level_leads_and_the_next_one_fills_its_holes(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Lower levels count before, after and beside a higher one."""
    await charge(station, central)
    await send(central, tx_default(1, (0, 10)))
    higher = tx_default(2, (0, 20), (30, 12), level=3, duration=60)
    higher["validFrom"] = at(10)
    await send(central, higher)
    assert await composite(central, duration=100) == [
        (0, 10),
        (10, 20),
        (30, 12),
        (60, 10),
    ]
    seen = []
    for _ in range(100):
        seen.append(station.offered())
        await station.pass_time(1)
    assert seen == [10.0] * 10 + [20.0] * 20 + [12.0] * 30 + [10.0] * 40


async def test_a_profile_ends_with_its_validity(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """`validTo` is the first moment without it."""
    await charge(station, central)
    await send(central, tx_default(1, (0, 10), validTo=at(7)))
    assert await composite(central) == [(0, 10), (7, 32)]


async def test_a_profile_for_later_removes_its_like_now(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """One purpose and level has one profile (OCPP 1.6 3.13.2)."""
    await charge(station, central)
    await send(central, tx_default(1, (0, 10)))
    await send(central, tx_default(2, (0, 12), validFrom=at(20)))
    assert await composite(central) == [(0, 32), (20, 12)]
    assert [one["chargingProfileId"] for one in station.state()["profiles"]] == [2]


async def test_a_recurring_profile_comes_back_every_day(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """It runs over midnight, and leaves the rest of the day to others."""
    night = tx_default(
        1,
        (0, 16),
        (2 * 3600, 24),
        kind="Recurring",
        recurrencyKind="Daily",
        startSchedule=at(13 * 3600),
        duration=8 * 3600,
    )
    await send(central, night)
    assert await composite(central, duration=2 * DAY) == [
        (0, 32),
        (13 * 3600, 16),
        (15 * 3600, 24),
        (21 * 3600, 32),
        (13 * 3600 + DAY, 16),
        (15 * 3600 + DAY, 24),
        (21 * 3600 + DAY, 32),
    ]


async def test_a_weekly_profile_comes_back_every_week(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Between two weeks nothing limits."""
    weekly = tx_default(
        1, (0, 6), kind="Recurring", recurrencyKind="Weekly", duration=DAY
    )
    await send(central, weekly)
    await station.pass_time(7 * DAY - 10, step=DAY)
    assert await composite(central) == [(0, 32), (10, 6)]


async def test_a_relative_profile_starts_with_the_transaction(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Not with its arrival."""
    await charge(station, central)
    await station.pass_time(20)
    await send(central, relative(tx(1, (0, 10), (30, 14))))
    assert await composite(central) == [(0, 10), (10, 14)]


async def test_a_connector_s_own_default_comes_before_the_station_s(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Whatever their stack levels."""
    await send(central, tx_default(1, (0, 10), level=4), 0)
    await send(central, tx_default(2, (0, 14)), 2)
    assert await composite(central, 1) == [(0, 10)]
    assert await composite(central, 2) == [(0, 14)]


async def test_the_station_s_maximum_bounds_every_connector(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Connector 0 shows what all take together; who asks for less leaves the rest."""
    await send(central, station_max(1, (0, 20)), 0)
    await send(central, tx_default(2, (0, 25)), 1)
    await send(central, tx_default(3, (0, 6)), 2)
    assert await composite(central, 1) == [(0, 20)]
    assert await composite(central, 0) == [(0, 20)]
    await charge(station, central, 1)
    assert station.offered(1) == 20
    await charge(station, central, 2)
    assert (station.offered(1), station.offered(2)) == (14, 6)
    await central.ask("ClearChargingProfile", id=3)
    await station.pass_time(1)
    assert (station.offered(1), station.offered(2)) == (10, 10)
    await central.ask("ClearChargingProfile", id=1)
    assert await composite(central, 0) == [(0, 25 + 32)]


async def test_power_and_current_are_the_same_limit(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """W over all phases; the composite schedule tells no more than is offered."""
    await charge(station, central)
    await send(central, tx(1, (0, 10_000), unit="W"))
    assert await composite(central) == [(0, 14.4)]
    assert await composite(central, chargingRateUnit="W") == [(0, 10_000)]
    assert station.offered() == pytest.approx(10_000 / 690)


async def test_a_single_phase_vehicle_takes_all_the_power(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Its one phase may carry what three would."""
    await station.plug_in(1, Vehicle(phases=1))
    assert await station.swipe("TAG1")
    await station.settle()
    await send(central, tx(1, (0, 4600), unit="W"))
    assert station.offered() == 20


async def test_a_transaction_s_profile_goes_with_it_and_others_stay(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Even through a reboot (OCPP 1.6 errata 3.37)."""
    await charge(station, central)
    await send(central, tx(1, (0, 10)))
    await send(central, tx_default(2, (0, 12)))
    await central.ask("Reset", type="Hard")
    await central.count("BootNotification", 2)
    assert [one["chargingProfileId"] for one in station.state()["profiles"]] == [2]
    assert await composite(central) == [(0, 12)]
    await station.unplug()
    await charge(station, central)
    assert station.offered() == 12


async def test_a_remote_start_may_carry_a_profile(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """It holds from the first moment, even if the vehicle comes later."""
    answer = await central.ask(
        "RemoteStartTransaction",
        idTag="HA",
        connectorId=1,
        chargingProfile=tx(1, (0, 9)),
    )
    assert answer[2] == {"status": "Accepted"}
    await central.status("Preparing")
    await station.plug_in()
    await central.seen(lambda action, _: action == "StartTransaction")
    assert station.offered() == 9


@pytest.mark.parametrize(
    "broken",
    [
        tx_default(1, (0, 9)),
        tx(1, (0, 9), transactionId=4),
        tx(1, (0, 9), level=9),
    ],
)
async def test_a_remote_start_with_a_bad_profile_is_refused(
    station: ChargingStation16, central: PlainCentralSystem, broken: Any
) -> None:
    """Nothing starts then."""
    await station.plug_in()
    answer = await central.ask(
        "RemoteStartTransaction", idTag="HA", chargingProfile=broken
    )
    assert answer[2] == {"status": "Rejected"}
    assert station.connectors[1].transaction is None


@pytest.mark.parametrize(
    "broken",
    [
        tx_default(1),
        tx_default(1, (5, 9)),
        tx_default(1, (0, 9), (60, 8), (30, 7)),
        tx_default(1, *((number, 9) for number in range(25))),
        tx_default(1, (0, -1)),
        tx_default(1, (0, 9.25)),
        tx_default(1, (0, 9), level=-1),
        tx_default(1, (0, 9), kind="Recurring"),
        tx_default(1, (0, 9), kind="Relative"),
        tx(1, (0, 9), transactionId=77),
    ],
)
async def test_what_the_rules_forbid_is_refused(
    station: ChargingStation16, central: PlainCentralSystem, broken: Any
) -> None:
    """And leaves no trace."""
    station.strict = False
    await charge(station, central)
    assert await send(central, broken) == "Rejected"
    assert station.state()["profiles"] == []
    assert station.offered() == 32


async def test_there_is_room_for_ten_profiles(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """As MaxChargingProfilesInstalled says; a replaced one makes its own room."""
    for level in range(5):
        for connector in (1, 2):
            number = 10 * level + connector
            one = tx_default(number, (0, 9), level=level)
            assert await send(central, one, connector) == "Accepted"
    assert await send(central, station_max(99, (0, 9)), 0) == "Rejected"
    assert await send(central, tx_default(1, (0, 8)), 1) == "Accepted"


async def test_cable_and_balancer_offer_less_than_the_profiles(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """The composite schedule knows of neither."""
    await station.plug_in(1, Vehicle(cable_rating=20))
    assert await station.swipe("TAG1")
    assert station.offered() == 20
    station.connectors[1].balanced = 13
    await station.pass_time(1)
    assert station.offered() == 13
    assert await composite(central) == [(0, 32)]
