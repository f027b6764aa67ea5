"""What a 2.x station gets wrong, one misbehaviour at a time."""

from collections.abc import AsyncGenerator
import sys
from typing import Any

import pytest

from .central import CentralSystem2
from .test_charging import composite, give, own, profile
from .test_requests import ACCEPTED, REJECTED, TOKEN, charge
from simulators.charging_station import Misbehaviour, __main__ as command
from simulators.charging_station.v2 import SUPPORTED, VENDORS_2, ChargingStation
from tests.simulators.conftest import FakeClock


def moody(station: ChargingStation, *moods: Misbehaviour) -> None:
    for mood in moods:
        station.moods.switch(mood, on=True)


@pytest.mark.parametrize(
    ("mood", "action", "payload", "answer"),
    [
        (Misbehaviour.NEVER_REBOOT, "Reset", {"type": "Immediate"}, ACCEPTED),
        (
            Misbehaviour.REJECT_ROOT,
            "InstallCertificate",
            {"certificateType": "CSMSRootCertificate", "certificate": "x"},
            REJECTED,
        ),
        (
            Misbehaviour.LIST_FAILS,
            "SendLocalList",
            {"versionNumber": 1, "updateType": "Full"},
            {"status": "Failed"},
        ),
        (
            Misbehaviour.LIST_VERSION_MISMATCH,
            "SendLocalList",
            {"versionNumber": 1, "updateType": "Differential"},
            {"status": "VersionMismatch"},
        ),
        (
            Misbehaviour.NEVER_SIGN,
            "TriggerMessage",
            {"requestedMessage": "SignChargingStationCertificate"},
            ACCEPTED,
        ),
    ],
)
async def test_it_answers_without_thinking(
    central2: CentralSystem2,
    station2: ChargingStation,
    mood: Misbehaviour,
    action: str,
    payload: dict[str, Any],
    answer: dict[str, Any],
) -> None:
    moody(station2, mood)
    assert await central2.request(action, **payload) == answer
    await station2.settle()
    assert central2.of("SignCertificate") == []
    assert station2.connected


@pytest.mark.parametrize(
    ("mood", "told"),
    [
        (Misbehaviour.INTEGERS_ONLY, profile(limit=10.5)),
        (Misbehaviour.REJECT_ALL_PROFILES, profile()),
        (Misbehaviour.REJECT_STACK_LEVELS, profile(stackLevel=1)),
        (Misbehaviour.REJECT_TX_DEFAULT, profile()),
        (
            Misbehaviour.REJECT_STATION_MAX,
            profile(chargingProfilePurpose="ChargingStationMaxProfile"),
        ),
    ],
)
async def test_it_refuses_profiles(
    central2: CentralSystem2,
    station2: ChargingStation,
    mood: Misbehaviour,
    told: dict[str, Any],
) -> None:
    assert (await give(central2, 0, told))["status"] == "Accepted"
    moody(station2, mood)
    answer = await give(central2, 0, told)
    assert answer["statusInfo"] == {"reasonCode": "InvalidProfile"}


@pytest.mark.parametrize(
    ("mood", "shown", "offered"),
    [
        (Misbehaviour.IGNORE_LIMIT, 8, 32),
        (Misbehaviour.IGNORE_TX_PROFILE, 8, 32),
        (Misbehaviour.DROP_TX_PROFILE, 48, 32),
        (Misbehaviour.SLOW_LIMIT, 48, 32),
    ],
)
async def test_it_does_not_follow_what_it_accepted(
    central2: CentralSystem2,
    station2: ChargingStation,
    mood: Misbehaviour,
    shown: float,
    offered: float,
) -> None:
    transaction = await charge(station2)
    moody(station2, mood)
    assert await give(central2, 1, own(transaction, limit=8.0)) == ACCEPTED
    assert await composite(central2) == [(0, shown)] or mood is Misbehaviour.SLOW_LIMIT
    await station2.box.apply_limits()
    assert station2.box.places[1].offered == offered


async def test_a_slow_limit_counts_in_the_end(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    moody(station2, Misbehaviour.SLOW_LIMIT)
    await give(central2, 1, own(transaction, limit=8.0))
    await station2.pass_time(91, step=30)
    assert station2.box.places[1].offered == 8


async def test_a_limit_of_nothing_ends_a_transaction(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    moody(station2, Misbehaviour.ZERO_ENDS_TRANSACTION)
    await give(central2, 1, own(transaction, limit=0.0))
    await station2.settle()
    assert central2.events()[-1]["eventType"] == "Ended"


@pytest.mark.parametrize(
    ("mood", "same"),
    [
        (Misbehaviour.DUPLICATE_MESSAGES, True),
        (Misbehaviour.RETRY_WITH_NEW_ID, False),
    ],
)
async def test_it_says_everything_twice(
    central2: CentralSystem2,
    station2: ChargingStation,
    mood: Misbehaviour,
    same: bool,
) -> None:
    moody(station2, mood)
    await charge(station2)
    events = [one for one in central2.frames if one[2] == "TransactionEvent"]
    first, second = events[:2]
    assert first[3] == second[3]
    assert (first[1] == second[1]) is same


async def test_it_loses_events(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    moody(station2, Misbehaviour.LOSE_EVENTS, Misbehaviour.LOSE_STOP)
    await charge(station2)
    await station2.pass_time(3600, step=60)
    await station2.box.unplug()
    await station2.settle()
    told = [one["seqNo"] for one in central2.events()]
    assert central2.events()[-1]["eventType"] == "Updated"
    assert {*range(max(told))} - {*told}


async def test_it_drops_the_connection_instead_of_answering_a_reset(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    moody(station2, Misbehaviour.DROP_ON_RESET)
    await central2.tell('[2,"r","Reset",{"type":"Immediate"}]')
    await central2.count("BootNotification", 2)
    assert all(one[1] != "r" for one in central2.frames)


async def test_it_never_tells_its_variables(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    moody(station2, Misbehaviour.MUTE_CONFIGURATION)
    await central2.tell(
        '[2,"v","GetBaseReport",{"requestId":1,"reportBase":"FullInventory"}]'
    )
    await central2.request("ClearCache")
    assert all(one[1] != "v" for one in central2.frames)


async def test_it_sends_what_is_no_ocpp(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    moody(station2, Misbehaviour.STRING_NUMBERS)
    await station2.on_faulted(1, 1)
    await station2.settle()
    assert central2.of("StatusNotification")[-1]["connectorId"] == "1"
    assert central2.violations
    central2.violations.clear()


async def test_it_forgets_over_a_reboot(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    moody(
        station2,
        Misbehaviour.FORGET_LIST_ON_REBOOT,
        Misbehaviour.FORGET_PROFILES_ON_REBOOT,
    )
    await give(central2, 0, profile())
    entry = {"idToken": TOKEN.wire(), "idTokenInfo": ACCEPTED}
    await central2.request(
        "SendLocalList",
        versionNumber=3,
        updateType="Full",
        localAuthorizationList=[entry],
    )
    await station2.reboot()
    assert station2.charging.profiles == {}
    assert (station2.authorization.version, station2.authorization.entries) == (0, {})


@pytest.fixture
async def of_vendor(
    central2: CentralSystem2, clock: FakeClock, request: pytest.FixtureRequest
) -> AsyncGenerator[ChargingStation]:
    """Return a booted station of a kind."""
    station = ChargingStation(
        f"ws://127.0.0.1:{central2.port}/ocpp",
        "CP2",
        clock=clock,
        vendor=VENDORS_2[request.param],
    )
    await station.connect()
    await station.settle()
    yield station
    await station.close()


@pytest.mark.parametrize("of_vendor", ["watt-only"], indirect=True)
async def test_a_charger_of_watts_refuses_amperes(
    central2: CentralSystem2, of_vendor: ChargingStation
) -> None:
    answer = await give(central2, 0, profile())
    assert answer["statusInfo"]["reasonCode"] == "UnsupportedRateUnit"
    assert (await give(central2, 0, profile(unit="W")))["status"] == "Accepted"


@pytest.mark.parametrize("of_vendor", ["core-only"], indirect=True)
async def test_a_plain_charger_knows_no_profiles(
    central2: CentralSystem2, of_vendor: ChargingStation
) -> None:
    asked = {"evseId": 0, "chargingProfile": profile()}
    assert await central2.error("SetChargingProfile", **asked) == "NotSupported"


def test_what_only_one_version_gets_wrong_is_refused_for_the_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for version, mood in (("2.1", "all_keys"), ("1.6", "lose_events")):
        words = ["charging_station", "--ocpp", version, "--misbehave", mood]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit):
            command.arguments()
        assert mood in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"1\.6"):
        ChargingStation("ws://x", "X", misbehaviours=[Misbehaviour.ALL_KEYS])
    assert Misbehaviour.LOSE_EVENTS in SUPPORTED
