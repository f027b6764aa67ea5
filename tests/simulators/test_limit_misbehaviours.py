"""Every way to get a limit wrong can be switched on, and does what its name says."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from .central import PlainCentralSystem
from .conftest import FakeClock
from .profiles import (
    charge,
    composite,
    profile,
    relative,
    send,
    station_max,
    tx,
    tx_default,
)
from simulators.charging_station import (
    VENDORS,
    ChargingStation16,
    Misbehaviour,
    VendorProfile,
)

type Connect = Callable[..., Awaitable[ChargingStation16]]


@pytest.fixture
async def connect(
    central: PlainCentralSystem, clock: FakeClock
) -> AsyncGenerator[Connect]:
    """Return what connects a station of some vendor."""
    stations = []

    async def make(vendor: str | VendorProfile, *moods: Misbehaviour) -> Any:
        station = ChargingStation16(
            f"ws://127.0.0.1:{central.port}/ocpp",
            "CP1",
            vendor=VENDORS[vendor] if isinstance(vendor, str) else vendor,
            clock=clock,
            misbehaviours=moods,
        )
        stations.append(station)
        await station.connect()
        return station

    yield make
    for station in stations:
        await station.close()


HALF = tx(1, (0, 10.5))
STACKED = tx(1, (0, 10), level=1)
TIMED = tx(1, (0, 10), duration=300)
DAILY = tx(1, (0, 10), kind="Recurring", recurrencyKind="Daily")


@pytest.mark.parametrize(
    ("mood", "refused", "taken"),
    [
        (Misbehaviour.INTEGERS_ONLY, HALF, tx(1, (0, 10))),
        (Misbehaviour.ONLY_ABSOLUTE, DAILY, tx(1, (0, 10))),
        (Misbehaviour.ONLY_ABSOLUTE, relative(tx(1, (0, 10))), tx(1, (0, 10))),
        (Misbehaviour.REJECT_ALL_PROFILES, tx(1, (0, 10)), None),
        (Misbehaviour.REJECT_DURATION, TIMED, tx(1, (0, 10))),
        (Misbehaviour.REJECT_RELATIVE, relative(tx(1, (0, 10))), DAILY),
        (Misbehaviour.REJECT_STACK_LEVELS, STACKED, tx(1, (0, 10))),
        (Misbehaviour.REJECT_TX_DEFAULT, tx_default(1, (0, 10)), tx(1, (0, 10))),
        (Misbehaviour.REJECT_TX_PROFILE, tx(1, (0, 10)), tx_default(1, (0, 10))),
    ],
)
async def test_a_stubborn_station_refuses_one_thing_and_takes_another(
    connect: Connect,
    central: PlainCentralSystem,
    mood: Misbehaviour,
    refused: Any,
    taken: Any,
) -> None:
    """What is refused is taken without the mood."""
    station = await connect("generic", mood)
    await charge(station, central)
    assert await send(central, refused) == "Rejected"
    assert station.offered() == 32
    if taken is not None:
        assert await send(central, taken) == "Accepted"
        assert station.offered() == 10
    station.misbehaviours.clear()
    assert await send(central, refused) == "Accepted"


async def test_the_station_s_maximum_can_be_refused(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """Other purposes are taken."""
    await connect("generic", Misbehaviour.REJECT_STATION_MAX)
    assert await send(central, station_max(1, (0, 10)), 0) == "Rejected"
    assert await send(central, tx_default(1, (0, 10)), 0) == "Accepted"


@pytest.mark.parametrize(
    ("mood", "offered", "echo"),
    [
        (Misbehaviour.IGNORE_LIMIT, 32, 10),
        (Misbehaviour.IGNORE_TX_PROFILE, 14, 10),
        (Misbehaviour.DROP_TX_PROFILE, 14, 14),
        (Misbehaviour.TX_DEFAULT_CAPS, 10, 10),
    ],
)
async def test_an_accepted_profile_may_have_no_effect(
    connect: Connect,
    central: PlainCentralSystem,
    mood: Misbehaviour,
    offered: float,
    echo: float,
) -> None:
    """Some admit it in the composite schedule, some do not."""
    station = await connect("generic", mood)
    await charge(station, central)
    assert await send(central, tx_default(1, (0, 14))) == "Accepted"
    assert await send(central, tx(2, (0, 10))) == "Accepted"
    assert await composite(central) == [(0, echo)]
    assert station.offered() == offered


async def test_a_default_may_keep_a_transaction_down(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """Until it is cleared."""
    station = await connect("generic", Misbehaviour.TX_DEFAULT_CAPS)
    await charge(station, central)
    await send(central, tx_default(1, (0, 10)))
    await send(central, tx(2, (0, 16)))
    assert await composite(central) == [(0, 10)]
    assert station.offered() == 10
    await central.ask("ClearChargingProfile", id=1)
    assert await composite(central) == [(0, 16)]
    assert station.offered() == 16


async def test_a_default_may_wait_for_the_next_transaction(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """The one that runs goes on as before."""
    station = await connect("generic", Misbehaviour.TX_DEFAULT_NEXT_TIME)
    await charge(station, central)
    await station.pass_time(5)
    await send(central, tx_default(1, (0, 10)))
    await station.pass_time(5)
    assert station.offered() == 32
    await station.unplug()
    await charge(station, central)
    assert station.offered() == 10


async def test_a_slow_station_follows_after_a_minute_and_a_half(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """Setting, replacing and clearing take their time, and each counts in its turn."""
    station = await connect("generic", Misbehaviour.SLOW_LIMIT)
    await charge(station, central)
    await send(central, tx(1, (0, 10)))
    await station.pass_time(30)
    await send(central, tx(1, (0, 12)))
    await station.pass_time(59)
    assert station.offered() == 32
    assert await composite(central) == [(0, 32)]
    await station.pass_time(1)
    assert station.offered() == 10
    assert await composite(central) == [(0, 10)]
    await station.pass_time(30)
    assert station.offered() == 12
    await central.ask("ClearChargingProfile", id=1)
    await station.pass_time(89)
    assert station.offered() == 12
    await station.pass_time(1)
    assert station.offered() == 32


async def test_a_slow_station_forgets_a_transaction_s_profile_at_once(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """It does not turn up in the next transaction."""
    station = await connect("generic", Misbehaviour.SLOW_LIMIT)
    await charge(station, central)
    await send(central, tx(1, (0, 10)))
    await station.unplug()
    await charge(station, central)
    await station.pass_time(100)
    assert station.offered() == 32


async def test_a_composite_schedule_may_be_missing(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """NotImplemented, while limits work."""
    station = await connect("generic", Misbehaviour.NO_COMPOSITE)
    await charge(station, central)
    await send(central, tx(1, (0, 10)))
    answer = await central.ask("GetCompositeSchedule", connectorId=1, duration=60)
    assert answer[2] == "NotImplemented"
    assert station.offered() == 10


async def test_zero_may_end_the_transaction(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """For a reason that nobody gave."""
    station = await connect("generic", Misbehaviour.ZERO_ENDS_TRANSACTION)
    await charge(station, central)
    assert await send(central, tx(1, (0, 0))) == "Accepted"
    stop = await central.seen(lambda action, _: action == "StopTransaction")
    assert stop["reason"] == "Other"
    await central.status("Finishing")


async def test_profiles_may_be_forgotten_at_a_reboot(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """All of them."""
    station = await connect("generic", Misbehaviour.FORGET_PROFILES_ON_REBOOT)
    await send(central, tx_default(1, (0, 10)))
    await station.disconnect()
    await station.connect()
    assert await composite(central) == [(0, 10)]
    await station.reboot(hard=True)
    assert await composite(central) == [(0, 32)]


async def test_a_watt_only_station_takes_and_tells_watts(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """Unless it is asked for ampere."""
    station = await connect("watt-only")
    await charge(station, central)
    assert await send(central, tx(1, (0, 10))) == "Rejected"
    assert await send(central, tx(1, (0, 6900), unit="W")) == "Accepted"
    assert station.offered() == 10
    assert await composite(central) == [(0, 6900)]
    assert await composite(central, chargingRateUnit="A") == [(0, 10)]


async def test_easee_takes_one_absolute_unstacked_profile(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """A second TxProfile only after the first was cleared; the lowest limit wins."""
    station = await connect("easee")
    await charge(station, central)
    assert await send(central, relative(tx(1, (0, 10)))) == "Rejected"
    assert await send(central, DAILY) == "Rejected"
    assert await send(central, STACKED) == "Rejected"
    assert await send(central, tx(1, (0, 10))) == "Accepted"
    assert await send(central, tx(1, (0, 12))) == "Rejected"
    assert await send(central, tx(2, (0, 12))) == "Rejected"
    assert station.offered() == 10
    await central.ask("ClearChargingProfile", id=1)
    assert await send(central, tx(1, (0, 12))) == "Accepted"
    assert station.offered() == 12
    assert await send(central, tx_default(3, (0, 8))) == "Accepted"
    assert await send(central, tx_default(3, (0, 9))) == "Accepted"
    assert station.offered() == 9


async def test_easee_boots_after_a_reboot_only(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """A lost socket is no reason to introduce itself again."""
    station = await connect("easee")
    await station.disconnect()
    await station.connect()
    assert len(central.of("BootNotification")) == 1
    await station.reboot(hard=False)
    assert len(central.of("BootNotification")) == 2


def on_one_phase(one: Any) -> Any:
    """Return a profile whose periods want one phase."""
    told = one["chargingSchedule"]
    periods = [each | {"numberPhases": 1} for each in told["chargingSchedulePeriod"]]
    return one | {"chargingSchedule": told | {"chargingSchedulePeriod": periods}}


async def test_a_station_that_can_switch_phases_does(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """One phase carries the current, the others are measured without any."""
    station = await connect("phase-switching")
    name = "ConnectorSwitch3to1PhaseSupported"
    answer = await central.ask("GetConfiguration", key=[name])
    assert answer[2]["configurationKey"][0]["value"] == "true"
    await central.ask(
        "ChangeConfiguration", key="MeterValuesSampledData", value="Current.Import"
    )
    await charge(station, central)
    await station.pass_time(20)
    assert station.connectors[1].meter.power == 3 * 230 * 16
    assert await send(central, on_one_phase(tx(1, (0, 2300), unit="W"))) == "Accepted"
    assert station.offered() == 10
    await station.pass_time(60)
    await station.settle()
    assert station.connectors[1].meter.power == 2300
    sample = central.of("MeterValues")[-1]["meterValue"][0]["sampledValue"]
    assert [(one["phase"], one["value"]) for one in sample] == [
        ("L1", "10.00"),
        ("L2", "0.00"),
        ("L3", "0.00"),
    ]
    answer = await central.ask("GetCompositeSchedule", connectorId=1, duration=60)
    assert answer[2]["chargingSchedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 10, "numberPhases": 1}
    ]
    await central.ask("ClearChargingProfile", id=1)
    await station.pass_time(20)
    assert station.connectors[1].meter.power == 3 * 230 * 16


async def test_a_station_that_cannot_switch_keeps_its_phases(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """The power is what was asked for all the same."""
    station = await connect("generic")
    await charge(station, central)
    await send(central, on_one_phase(tx(1, (0, 6900), unit="W")))
    await station.pass_time(20)
    assert station.connectors[1].meter.power == 6900
    assert station.offered() == 10


async def test_the_hardware_bounds_every_profile(
    connect: Connect, central: PlainCentralSystem
) -> None:
    """More than it carries it neither offers nor tells."""
    station = await connect(replace(VENDORS["generic"], maximum_current=16.0))
    await charge(station, central)
    assert await send(central, profile(1, "TxProfile", (0, 25))) == "Accepted"
    assert station.offered() == 16
    assert await composite(central) == [(0, 16)]
