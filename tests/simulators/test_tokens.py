"""The virtual station knows tokens by itself: its local list and its cache."""

from pathlib import Path
from typing import Any

import pytest

from .central import PlainCentralSystem
from .conftest import FakeClock
from simulators.charging_station import VENDORS, ChargingStation16, Misbehaviour

ACCEPTED = {"status": "Accepted"}


def line(tag: str, status: str | None = "Accepted", **more: str) -> dict[str, Any]:
    """Return one line of a list; without a status it takes the token off."""
    return {"idTag": tag} | (
        {"idTagInfo": {"status": status, **more}} if status else {}
    )


async def send(
    central: PlainCentralSystem, version: int, *lines: dict[str, Any], full: bool = True
) -> str:
    """Send a local list and return the answer."""
    more = {"localAuthorizationList": list(lines)} if lines else {}
    kind = "Full" if full else "Differential"
    answer = await central.ask(
        "SendLocalList", listVersion=version, updateType=kind, **more
    )
    return str(answer[2]["status"])


async def version(central: PlainCentralSystem) -> int:
    """Return the version that the station reports."""
    answer = await central.ask("GetLocalListVersion")
    return int(answer[2]["listVersion"])


def tags(station: ChargingStation16) -> set[str]:
    """Return the tokens on the station's list."""
    return set(station.state()["local_list"]["tokens"])


async def go_offline(station: ChargingStation16) -> None:
    """Hang up and stay away."""
    station.reconnect = False
    await station.disconnect()


async def test_a_list_is_replaced_and_changed(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Full replaces, differential adds, changes and removes; the version follows."""
    assert await version(central) == 0
    assert await send(central, 3, line("A"), line("B")) == "Accepted"
    changes = (line("b", "Blocked"), line("a", None), line("C"))
    assert await send(central, 4, *changes, full=False) == "Accepted"
    assert await version(central) == 4
    assert tags(station) == {"B", "C"}
    assert await send(central, 1) == "Accepted"
    assert (await version(central), tags(station)) == (1, set())
    assert station.state()["violations"] == []


@pytest.mark.parametrize("new", [2, 3])
async def test_a_differential_that_is_not_newer_does_not_match(
    station: ChargingStation16, central: PlainCentralSystem, new: int
) -> None:
    """VersionMismatch, and nothing changes."""
    await send(central, 3, line("A"))
    assert await send(central, new, line("B"), full=False) == "VersionMismatch"
    assert (await version(central), tags(station)) == (3, {"A"})


async def test_a_list_has_its_limits(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Per message and in all; a full list says something of every token."""
    station.keys["SendLocalListMaxLength"].value = "2"
    station.keys["LocalAuthListMaxLength"].value = "3"
    assert await send(central, 1, line("A"), line("B"), line("C")) == "Failed"
    assert await send(central, 1, line("A"), line("B")) == "Accepted"
    assert await send(central, 2, line("C"), line("D"), full=False) == "Failed"
    assert await send(central, 2, line("C"), full=False) == "Accepted"
    assert await send(central, 3, line("A", None)) == "Failed"
    assert await send(central, 0, line("A")) == "Failed"
    assert (await version(central), tags(station)) == (2, {"A", "B", "C"})


@pytest.mark.parametrize(
    ("mood", "full", "status", "reported"),
    [
        (Misbehaviour.LIST_FAILS, True, "Failed", 1),
        (Misbehaviour.LIST_VERSION_MISMATCH, False, "VersionMismatch", 1),
        (Misbehaviour.LIST_VERSION_MISMATCH, True, "Accepted", 2),
        (Misbehaviour.LIST_NOT_SUPPORTED, True, "NotSupported", -1),
    ],
)
async def test_a_list_is_refused_on_request(
    station: ChargingStation16,
    central: PlainCentralSystem,
    mood: Misbehaviour,
    full: bool,
    status: str,
    reported: int,
) -> None:
    """In each way that the central system must live with."""
    await send(central, 1, line("A"))
    station.misbehaviours.add(mood)
    assert await send(central, 2, line("A"), full=full) == status
    assert await version(central) == reported


async def test_a_list_that_is_switched_off_is_not_supported(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """LocalAuthListEnabled."""
    await central.ask("ChangeConfiguration", key="LocalAuthListEnabled", value="false")
    assert await version(central) == -1
    assert await send(central, 1, line("A")) == "NotSupported"


@pytest.mark.parametrize(
    ("moods", "reported"), [([], 7), ([Misbehaviour.FORGET_LIST_ON_REBOOT], 0)]
)
async def test_a_list_and_a_reboot(
    station: ChargingStation16,
    central: PlainCentralSystem,
    moods: list[Misbehaviour],
    reported: int,
) -> None:
    """It stays, unless the station is of the forgetful kind."""
    station.misbehaviours |= set(moods)
    await send(central, 7, line("A"))
    await station.reboot(hard=True)
    assert await version(central) == reported


async def test_a_list_outlives_a_loss_of_power(
    central: PlainCentralSystem, tmp_path: Path
) -> None:
    """What was accepted is in the file."""
    for _ in range(2):
        station = ChargingStation16(
            f"ws://127.0.0.1:{central.port}/ocpp", "CP1", memory=tmp_path / "state"
        )
        await station.connect()
        if await version(central) == 0:
            await send(central, 7, line("A"))
        else:
            assert (await version(central), tags(station)) == (7, {"A"})
        await station.close()


@pytest.mark.parametrize(
    ("known", "starts"),
    [
        (line("TAG1"), True),
        (line("tag1"), True),
        (line("TAG1", "Blocked"), False),
        (line("TAG1", expiryDate="2026-11-21T10:00:00Z"), False),
        (line("TAG1", expiryDate="2026-11-21T10:00:01Z"), True),
        (line("OTHER"), False),
    ],
)
async def test_the_list_decides_without_the_central_system(
    station: ChargingStation16,
    central: PlainCentralSystem,
    known: dict[str, Any],
    starts: bool,
) -> None:
    """OCPP 1.6 3.5.2, with unknown tokens refused."""
    await send(central, 1, known)
    station.keys["AllowOfflineTxForUnknownId"].value = "false"
    await go_offline(station)
    await station.plug_in()
    assert await station.swipe("TAG1") is starts
    assert (station.connectors[1].transaction is not None) is starts


async def test_what_was_learnt_decides_until_it_is_cleared(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """The cache; ClearCache leaves the list alone."""
    station.keys["AllowOfflineTxForUnknownId"].value = "false"
    await send(central, 1, line("LISTED"))
    assert await station.swipe("TAG1", 2)  # Nobody plugs in.
    await go_offline(station)
    await station.plug_in()
    assert await station.swipe("tag1")
    await station.unplug()
    station.reconnect = True
    await station.connect()
    # What is told of the session says once more who may charge.
    await station.settle()
    assert (await central.ask("ClearCache"))[2] == ACCEPTED
    await go_offline(station)
    await station.plug_in()
    assert not await station.swipe("TAG1")
    assert await station.swipe("LISTED")


async def test_a_list_spares_the_question_where_that_is_allowed(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """LocalPreAuthorize: a token that is accepted is not asked for."""
    await send(central, 1, line("TAG1"), line("TAG2", "Blocked"))
    await central.ask("ChangeConfiguration", key="LocalPreAuthorize", value="true")
    await station.plug_in()
    assert await station.swipe("TAG1")
    assert central.of("Authorize") == []
    await station.plug_in(2)
    assert await station.swipe("TAG2", 2)
    assert central.of("Authorize") == [{"idTag": "TAG2"}]


async def test_a_token_of_the_same_group_ends_a_session(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """parentIdTag; the stop names who did it."""
    lines = [line(tag, parentIdTag="HOME") for tag in ("TAG1", "TAG2")]
    await send(central, 1, *lines, line("TAG3", parentIdTag="AWAY"))
    await station.plug_in()
    assert await station.swipe("TAG1")
    assert not await station.swipe("TAG3")
    assert await station.swipe("TAG2")
    await station.settle()
    assert central.of("StopTransaction")[0]["idTag"] == "TAG2"


async def test_a_remote_start_is_asked_for_where_that_is_configured(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """AuthorizeRemoteTxRequests."""
    await central.ask(
        "ChangeConfiguration", key="AuthorizeRemoteTxRequests", value="true"
    )
    await station.plug_in()
    central.token_status = "Blocked"
    await central.ask("RemoteStartTransaction", idTag="TAG1", connectorId=1)
    await central.count("Authorize", 1)
    assert station.connectors[1].transaction is None
    central.token_status = "Accepted"
    await central.ask("RemoteStartTransaction", idTag="TAG1", connectorId=1)
    await central.count("StartTransaction", 1)
    assert len(central.of("Authorize")) == 2


async def test_a_station_without_the_profile_has_no_list(
    central: PlainCentralSystem,
) -> None:
    """NotSupported, and no keys of it."""
    url = f"ws://127.0.0.1:{central.port}/ocpp"
    station = ChargingStation16(url, "CP1", vendor=VENDORS["core-only"])
    await station.connect()
    assert (await central.ask("GetLocalListVersion"))[2] == "NotSupported"
    assert "LocalAuthListEnabled" not in station.keys
    await station.close()
