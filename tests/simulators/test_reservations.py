"""The virtual station keeps connectors free for those who reserved them."""

from pathlib import Path
from typing import Any

import pytest

from .central import PlainCentralSystem
from .test_tokens import line, send
from simulators.charging_station import ChargingStation16, Misbehaviour

UNTIL = "2026-11-21T11:00:00Z"


async def reserve(
    central: PlainCentralSystem, number: int = 7, connector: int = 1, **more: Any
) -> str:
    """Reserve a connector for TAG1 and return the answer."""
    wish = {"idTag": "TAG1", "expiryDate": UNTIL} | more
    answer = await central.ask(
        "ReserveNow", connectorId=connector, reservationId=number, **wish
    )
    return str(answer[2]["status"])


async def cancel(central: PlainCentralSystem, number: int) -> str:
    """Cancel a reservation and return the answer."""
    answer = await central.ask("CancelReservation", reservationId=number)
    return str(answer[2]["status"])


def held(station: ChargingStation16) -> list[int]:
    """Return the ids of the reservations that the station holds."""
    return [one["id"] for one in station.state()["reservations"]]


async def test_a_reservation_is_for_its_token_only(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Shown, kept from others, named by the transaction that uses it."""
    assert await reserve(central) == "Accepted"
    await central.status("Reserved")
    await station.plug_in()
    assert not await station.swipe("TAG2")
    assert await station.swipe("tag1")
    await station.settle()
    assert central.of("StartTransaction")[0]["reservationId"] == 7
    assert held(station) == []


async def test_a_group_has_a_reservation_together(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """ParentIdTag lets the others in."""
    await send(central, 1, line("TAG2", parentIdTag="HOME"), line("TAG3"))
    await central.ask("ChangeConfiguration", key="LocalPreAuthorize", value="true")
    await reserve(central, parentIdTag="HOME")
    await station.plug_in()
    assert not await station.swipe("TAG3")
    assert await station.swipe("TAG2")
    await station.settle()
    assert central.of("StartTransaction")[0]["reservationId"] == 7


async def test_a_reservation_expires(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """To the second, and the connector says so."""
    await reserve(central)
    await central.status("Reserved")
    await station.pass_time(3599, step=60)
    assert station.connectors[1].status == "Reserved"
    await station.pass_time(1)
    assert station.connectors[1].status == "Available"
    assert central.of("StatusNotification")[-1]["status"] == "Available"
    assert held(station) == []


async def test_a_reservation_is_cancelled_once(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Then there is none."""
    await reserve(central)
    assert await cancel(central, 8) == "Rejected"
    assert await cancel(central, 7) == "Accepted"
    assert await cancel(central, 7) == "Rejected"
    await station.pass_time(1)
    assert station.connectors[1].status == "Available"


async def test_the_same_id_replaces(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Another id does not."""
    await reserve(central)
    assert await reserve(central, 8) == "Occupied"
    assert await reserve(central, 7, idTag="TAG2") == "Accepted"
    assert held(station) == [7]
    await station.plug_in()
    assert not await station.swipe("TAG1")
    assert await station.swipe("TAG2")


async def test_what_cannot_be_reserved(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Each reason has its word."""
    assert await reserve(central, connector=9) == "Rejected"
    assert await reserve(central, expiryDate="2026-11-21T10:00:00Z") == "Rejected"
    await station.plug_in()
    assert await reserve(central) == "Occupied"
    await station.fault("GroundFailure")
    assert await reserve(central) == "Faulted"
    await central.ask("ChangeAvailability", connectorId=2, type="Inoperative")
    assert await reserve(central, connector=2) == "Unavailable"


@pytest.mark.parametrize("reason", ["fault", "unavailable"])
async def test_a_connector_that_is_of_no_use_is_not_reserved(
    station: ChargingStation16, central: PlainCentralSystem, reason: str
) -> None:
    """The reservation ends."""
    await reserve(central)
    if reason == "fault":
        await station.fault("GroundFailure")
    else:
        await central.ask("ChangeAvailability", connectorId=1, type="Inoperative")
    assert held(station) == []


async def test_connector_0_is_any_of_them(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """One stays free, no matter which."""
    assert await reserve(central, connector=0) == "Accepted"
    await station.plug_in(1)
    await station.plug_in(2)
    assert not await station.swipe("TAG2", 1)  # Both have a vehicle.
    assert await station.swipe("TAG1", 1)
    await station.settle()
    assert central.of("StartTransaction")[0]["reservationId"] == 7


async def test_connector_0_leaves_room_for_others(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """As long as one is free beside theirs."""
    await reserve(central, connector=0)
    assert await reserve(central, 8, connector=0, idTag="TAG2") == "Accepted"
    assert await reserve(central, 9, connector=0, idTag="TAG3") == "Occupied"
    assert await cancel(central, 8) == "Accepted"
    await station.plug_in()
    assert await station.swipe("TAG2")


async def test_connector_0_is_not_for_every_station(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """ReserveConnectorZeroSupported."""
    station.keys["ReserveConnectorZeroSupported"].value = "false"
    assert await reserve(central, connector=0) == "Rejected"
    station.keys["ReserveConnectorZeroSupported"].value = "true"
    for number in (1, 2):
        await station.fault("GroundFailure", number)
    assert await reserve(central, connector=0) == "Faulted"


async def test_a_remote_start_goes_past_a_reservation(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """To the free connector, or nowhere."""
    await reserve(central)
    answer = await central.ask("RemoteStartTransaction", idTag="TAG2", connectorId=1)
    assert answer[2] == {"status": "Rejected"}
    await station.plug_in(2)
    answer = await central.ask("RemoteStartTransaction", idTag="TAG2")
    assert answer[2] == {"status": "Accepted"}
    await central.count("StartTransaction", 1)
    assert central.of("StartTransaction")[0]["connectorId"] == 2


async def test_reservations_outlive_a_loss_of_power(
    central: PlainCentralSystem, tmp_path: Path
) -> None:
    """Shown from the first status on."""
    url = f"ws://127.0.0.1:{central.port}/ocpp"
    far = "2099-01-01T00:00:00Z"
    for _ in range(2):
        station = ChargingStation16(url, "CP1", memory=tmp_path / "state")
        await station.connect()
        if not held(station):
            await reserve(central, expiryDate=far)
        await station.close()
    assert held(station) == [7]
    assert central.of("StatusNotification")[-1]["status"] == "Reserved"


@pytest.mark.parametrize(
    ("mood", "left"),
    [(None, [7]), (Misbehaviour.FORGET_RESERVATIONS_ON_REBOOT, [])],
)
async def test_reservations_and_a_reboot(
    station: ChargingStation16,
    central: PlainCentralSystem,
    mood: Misbehaviour | None,
    left: list[int],
) -> None:
    """They stay, unless the station is of the forgetful kind."""
    if mood:
        station.misbehaviours.add(mood)
    await reserve(central)
    await station.reboot(hard=True)
    assert held(station) == left
    assert station.connectors[1].status == ("Reserved" if left else "Available")


async def test_reservations_go_wrong_on_request(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Refused, shown late, never ended, used up silently."""
    station.misbehaviours = {Misbehaviour.REJECT_RESERVATION}
    assert await reserve(central) == "Rejected"
    station.misbehaviours = {Misbehaviour.SLOW_RESERVATION}
    assert await reserve(central) == "Accepted"
    await station.pass_time(29)
    assert station.connectors[1].status == "Available"
    await station.pass_time(1)
    assert station.connectors[1].status == "Reserved"
    station.misbehaviours = {Misbehaviour.KEEP_RESERVATION}
    await station.pass_time(4000, step=100)
    assert station.connectors[1].status == "Reserved"
    station.misbehaviours = {Misbehaviour.OMIT_RESERVATION_ID}
    await reserve(central, 8, connector=2, expiryDate="2026-11-21T23:00:00Z")
    await station.plug_in(2)
    assert await station.swipe("TAG1", 2)
    await station.settle()
    assert "reservationId" not in central.of("StartTransaction")[0]
    assert held(station) == []
