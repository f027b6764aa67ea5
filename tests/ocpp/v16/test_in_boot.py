"""BootNotification and Heartbeat of OCPP 1.6."""

from dataclasses import replace
from typing import Any

import pytest

from .conftest import DROP, Answer, Charger, FakeClock
from custom_components.ev_charger_hub.ocpp.errors import ErrorCode, RpcError
from custom_components.ev_charger_hub.ocpp.quirks import quirks_of
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.events import Booted
from custom_components.ev_charger_hub.station.model import StationInfo

ASK_TO_BOOT = {"requestedMessage": "BootNotification"}


@pytest.fixture
def setups(charger: Charger, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return one item for each time that set-up was started."""
    started: list[None] = []
    monkeypatch.setattr(charger.adapter.setup, "start", lambda: started.append(None))
    return started


@pytest.mark.conformance("TC_001_CSMS")
async def test_cold_boot_is_accepted_with_time_and_interval(charger: Charger) -> None:
    answer = await charger.boot()
    assert answer == {
        "status": "Accepted",
        "currentTime": "2026-11-21T10:00:00.000Z",
        "interval": 300,
    }
    for connector_id in (0, 1, 2):
        assert await charger.status("Available", connector_id) == {}
    frame = await charger.call("Heartbeat", {})
    assert frame[2] == {"currentTime": "2026-11-21T10:00:00.000Z"}


async def test_heartbeat_with_null_payload_is_answered(charger: Charger) -> None:
    frame = await charger.call("Heartbeat", None)
    assert frame[2] == {"currentTime": "2026-11-21T10:00:00.000Z"}


async def test_boot_tells_who_the_station_is(charger: Charger) -> None:
    await charger.boot(
        chargePointVendor="  Maker ",
        chargePointModel="Wall\u0000\u0000",
        chargePointSerialNumber="S" * 40,
        chargeBoxSerialNumber="BOX",
        firmwareVersion="1.2.3\n",
        iccid="",
        imsi="  ",
        meterType="MT",
        meterSerialNumber="MS",
    )
    assert charger.station.info.value == StationInfo(
        vendor="Maker",
        model="Wall",
        serial="S" * 40,
        firmware="1.2.3",
        meter_type="MT",
        meter_serial="MS",
    )


async def test_serial_may_come_in_the_older_field(charger: Charger) -> None:
    await charger.boot(chargeBoxSerialNumber="BOX", chargePointSerialNumber=" ")
    assert charger.station.info.value.serial == "BOX"


async def test_endless_words_of_a_boot_are_cut(charger: Charger) -> None:
    await charger.boot(chargePointVendor="ABB", firmwareVersion="1." + "9" * 60_000)
    info = charger.station.info.value
    assert len(info.firmware or "") == 255
    assert quirks_of(info).max_measurands is None


async def test_new_firmware_is_shown_after_the_next_boot(charger: Charger) -> None:
    await charger.boot(firmwareVersion="1")
    await charger.boot(firmwareVersion="2")
    assert charger.station.info.value.firmware == "2"


async def test_station_is_online_once_its_boot_was_accepted(charger: Charger) -> None:
    assert not charger.station.online.value
    await charger.boot()
    assert charger.station.online.value


@pytest.mark.peer("B-02")
async def test_disconnect_is_told_at_once(charger: Charger) -> None:
    await charger.boot()
    told: list[bool] = []
    charger.station.online.subscribe(lambda: told.append(charger.station.online.value))
    charger.disconnect()
    assert told == [False]


async def test_traffic_before_boot_is_answered(charger: Charger) -> None:
    assert await charger.status("Available") == {}
    assert charger.station.online.value
    assert charger.station.evses[1].status.value is ConnectorStatus.AVAILABLE


async def test_boot_starts_setup_and_tells_of_it(
    charger: Charger, setups: list[None]
) -> None:
    await charger.boot()
    assert charger.events == [Booted()]
    assert len(setups) == 1


@pytest.mark.peer("B-05")
@pytest.mark.conformance("TC_013_CSMS")
async def test_reboot_on_a_new_socket_starts_setup_again(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    await charger.adapter.link.reset(hard=True)
    charger.connect()
    clock.tick(0.004)
    await charger.boot()
    assert charger.events == [Booted(), Booted()]
    assert len(setups) == 2


@pytest.mark.peer("B-05")
@pytest.mark.conformance("TC_014_CSMS")
async def test_second_boot_on_one_socket_after_a_soft_reset_counts(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    await charger.adapter.link.reset(hard=False)
    clock.tick(1)
    await charger.boot()
    assert len(charger.events) == len(setups) == 2


async def test_refused_reset_makes_no_restart_of_a_repeated_boot(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    charger.answers["Reset"] = {"status": "Rejected"}
    await charger.adapter.link.reset(hard=False)
    clock.tick(1)
    await charger.boot()
    assert len(setups) == 1


@pytest.mark.parametrize("connected", [True, False])
async def test_reset_that_fails_makes_no_restart_of_a_repeated_boot(
    charger: Charger, clock: FakeClock, setups: list[None], connected: bool
) -> None:
    await charger.boot()
    charger.answers["Reset"] = ("NotSupported", "")
    if connected:
        await charger.adapter.link.reset(hard=False)
        clock.tick(1)
    else:
        charger.disconnect()
        with pytest.raises(NotConnected):
            await charger.adapter.link.reset(hard=False)
        charger.connect()
        clock.tick(10)
        await charger.settle()
    await charger.boot()
    assert len(charger.events) == len(setups) == 1


async def test_boot_repeated_because_the_answer_got_lost_changes_nothing(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    for _ in range(7):
        assert (await charger.boot())["status"] == "Accepted"
        clock.tick(1)
    assert len(charger.events) == len(setups) == 1


async def test_boot_that_we_asked_for_is_no_restart(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    clock.tick(3600)
    await charger.adapter.link.trigger("BootNotification", None)
    clock.tick(2)
    await charger.boot(firmwareVersion="2")
    assert len(charger.events) == len(setups) == 1
    assert charger.station.info.value.firmware == "2"
    clock.tick(20)
    await charger.boot()
    assert len(charger.events) == len(setups) == 2


async def test_boot_long_after_we_asked_is_a_restart(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    await charger.adapter.link.trigger("BootNotification", None)
    clock.tick(61)
    await charger.boot()
    assert len(setups) == 2


async def test_boot_after_a_refused_trigger_is_a_restart(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    charger.answers["TriggerMessage"] = {"status": "Rejected"}
    await charger.adapter.link.trigger("BootNotification", None)
    clock.tick(20)
    await charger.boot()
    assert len(setups) == 2


async def test_station_that_does_not_boot_is_asked_once(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.call("Heartbeat", {})
    clock.tick(10)
    await charger.settle()
    for _ in range(3):
        await charger.call("Heartbeat", {})
        clock.tick(60)
        await charger.settle()
    assert charger.called("TriggerMessage") == [ASK_TO_BOOT]
    assert len(setups) == 1


async def test_boot_that_was_asked_for_after_a_connect_does_not_repeat_setup(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    clock.tick(10)
    await charger.settle()
    await charger.boot()
    assert len(setups) == 1
    assert charger.events == []


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
async def test_station_that_was_asked_by_others_is_not_asked_again(
    charger: Charger, clock: FakeClock, setups: list[None], status: str
) -> None:
    charger.answers["TriggerMessage"] = {"status": status}
    await charger.adapter.link.trigger("BootNotification", None)
    clock.tick(10)
    await charger.settle()
    assert len(charger.called("TriggerMessage")) == 1
    assert len(setups) == 1


async def test_setup_waits_for_the_boot_that_was_asked_for(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    clock.tick(10)
    await charger.settle()
    assert setups == []
    clock.tick(10)
    assert len(setups) == 1


async def test_station_that_leaves_instead_of_booting_is_not_set_up(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    charger.answers["TriggerMessage"] = DROP
    clock.tick(10)
    await charger.settle()
    assert charger.called("TriggerMessage") == [ASK_TO_BOOT]
    assert setups == []


async def test_newer_socket_of_a_station_that_was_asked_to_boot_is_not_set_up_at_once(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    def come_again(_: dict[str, Any]) -> Answer:
        charger.connect()
        return None

    charger.answers["TriggerMessage"] = come_again
    clock.tick(10)
    await charger.settle()
    assert setups == []
    await charger.boot()
    assert len(setups) == 1


@pytest.mark.parametrize("asked", ["Accepted", "NotImplemented"])
async def test_set_up_that_a_lost_network_cut_short_is_run_again(
    charger: Charger, clock: FakeClock, asked: str
) -> None:
    charger.answers["ChangeConfiguration"] = DROP
    await charger.boot()
    assert charger.station.findings["measurands"] == "disconnected"
    charger.answers["ChangeConfiguration"] = {"status": "Accepted"}
    charger.answers["TriggerMessage"] = {"status": asked}
    charger.connect()
    clock.tick(10)
    await charger.settle()
    if asked == "Accepted":
        await charger.boot()
    assert charger.station.findings["measurands"].startswith("ok")
    assert len(charger.events_of(Booted)) == 1


async def test_station_that_refuses_to_boot_is_set_up(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    charger.answers["TriggerMessage"] = {"status": "NotImplemented"}
    clock.tick(10)
    await charger.settle()
    assert len(setups) == 1


async def test_station_that_boots_is_not_asked(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.boot()
    clock.tick(60)
    await charger.settle()
    assert ASK_TO_BOOT not in charger.called("TriggerMessage")


async def test_station_that_left_is_not_asked(
    charger: Charger, clock: FakeClock
) -> None:
    charger.disconnect()
    clock.tick(60)
    await charger.settle()
    assert charger.calls == []


async def test_socket_lost_just_before_asking_is_no_error(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    clock.tick(10)
    charger.disconnect()
    await charger.settle()
    assert charger.calls == []
    assert setups == []


async def test_station_that_is_set_up_is_left_alone_after_a_boot_asked_by_others(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    charger.connect()
    await charger.adapter.link.trigger("BootNotification", None)
    clock.tick(10)
    await charger.settle()
    assert len(setups) == 1


async def test_quiet_station_is_not_asked(charger: Charger, clock: FakeClock) -> None:
    charger.station.settings = replace(charger.station.settings, quiet=True)
    charger.connect()
    clock.tick(60)
    await charger.settle()
    assert charger.calls == []


async def test_reconnect_without_boot_is_asked_once_per_connection(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    await charger.boot()
    for _ in range(2):
        charger.connect()
        assert charger.station.online.value
        clock.tick(60)
        await charger.settle()
    assert len(charger.called("TriggerMessage")) == 2
    assert len(setups) == 1


async def test_status_after_a_boot_is_news_whatever_its_time(
    charger: Charger, clock: FakeClock
) -> None:
    # Its clock was half an hour fast until the boot, and the hour was plausible to it.
    await charger.boot()
    clock.tick(3600)
    await charger.status("Charging", timestamp=clock.text())
    await charger.boot()
    await charger.status("Available", timestamp=clock.text(-1800))
    assert charger.station.evses[1].status.value is ConnectorStatus.AVAILABLE


async def test_unknown_action_is_not_implemented(charger: Charger) -> None:
    frame = await charger.call("CustomOperation", {})
    assert frame[0] == 4
    assert frame[2] == "NotImplemented"


async def test_adapter_implements_only_what_stations_may_say(charger: Charger) -> None:
    with pytest.raises(RpcError) as refusal:
        charger.adapter.handle("Reset", {"type": "Hard"})
    assert refusal.value.code is ErrorCode.NOT_SUPPORTED


async def test_action_of_central_systems_is_not_supported(charger: Charger) -> None:
    frame = await charger.call("Reset", {"type": "Hard"})
    assert frame[0] == 4
    assert frame[2] == "NotSupported"


async def _restart(charger: Charger, clock: FakeClock) -> None:
    """Restart the station: a new socket, and a boot a minute after the last."""
    charger.disconnect()
    clock.tick(60)
    charger.connect()
    await charger.boot()


async def test_a_station_that_restarts_again_and_again_is_left_alone(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    for _ in range(6):
        await _restart(charger, clock)
    assert len(setups) == 5
    assert charger.station.findings["boot"].startswith("loop")
    await _restart(charger, clock)
    assert len(setups) == 5
    clock.tick(600)
    assert len(setups) == 6
    assert "boot" not in charger.station.findings
    assert ASK_TO_BOOT not in charger.called("TriggerMessage")


async def test_restarts_over_a_day_are_no_loop(
    charger: Charger, clock: FakeClock, setups: list[None]
) -> None:
    for _ in range(10):
        clock.tick(120)
        await _restart(charger, clock)
    assert len(setups) == 10
    assert "boot" not in charger.station.findings
