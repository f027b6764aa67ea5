"""StatusNotification of OCPP 1.6."""

import logging

import pytest

from .conftest import Charger, FakeClock
from custom_components.ev_charger_hub.ocpp.words import connector_status
from custom_components.ev_charger_hub.station.enums import ConnectorStatus, Measurand
from custom_components.ev_charger_hub.station.model import Fault

POWER = Measurand.POWER_ACTIVE_IMPORT


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Available", ConnectorStatus.AVAILABLE),
        ("Preparing", ConnectorStatus.PREPARING),
        ("Charging", ConnectorStatus.CHARGING),
        ("SuspendedEVSE", ConnectorStatus.SUSPENDED_EVSE),
        ("SuspendedEV", ConnectorStatus.SUSPENDED_EV),
        ("Finishing", ConnectorStatus.FINISHING),
        ("Reserved", ConnectorStatus.RESERVED),
        ("Unavailable", ConnectorStatus.UNAVAILABLE),
        ("Faulted", ConnectorStatus.FAULTED),
        ("suspendedEv", ConnectorStatus.SUSPENDED_EV),
        ("Occupied", ConnectorStatus.OCCUPIED),
        ("Sleeping", None),
    ],
)
def test_words_of_status(word: str, status: ConnectorStatus | None) -> None:
    assert connector_status(word) is status


async def test_status_of_a_connector_and_of_the_station(charger: Charger) -> None:
    await charger.status("Unavailable", 0)
    await charger.status("Charging", 2)
    station = charger.station
    assert station.whole.status.value is ConnectorStatus.UNAVAILABLE
    assert station.evses[2].status.value is ConnectorStatus.CHARGING
    assert list(station.evses) == [2]


async def test_connector_id_as_text_is_understood(charger: Charger) -> None:
    payload = {"connectorId": "1", "errorCode": "NoError", "status": "Preparing"}
    await charger.call("StatusNotification", payload)
    assert charger.station.evses[1].status.value is ConnectorStatus.PREPARING


@pytest.mark.conformance("TX_14")
async def test_newest_time_of_a_status_wins(charger: Charger, clock: FakeClock) -> None:
    await charger.status("Charging", timestamp=clock.text(-10))
    await charger.status(
        "Faulted", errorCode="GroundFailure", timestamp=clock.text(-20)
    )
    evse = charger.station.evses[1]
    assert evse.status.value is ConnectorStatus.CHARGING
    assert evse.fault.value is None
    await charger.status("Finishing", timestamp=clock.text(-10))
    assert charger.station.evses[1].status.value is ConnectorStatus.FINISHING


@pytest.mark.parametrize(
    "timestamp", ["1970-01-01T00:00:00Z", "222222017-10-02T11:00:00Z", "2030-01-01", ""]
)
async def test_status_with_an_impossible_time_is_of_now(
    charger: Charger, clock: FakeClock, timestamp: str
) -> None:
    await charger.status("Preparing")
    clock.tick(1)
    await charger.status("Charging", timestamp=timestamp)
    evse = charger.station.evses[1]
    assert evse.status.value is ConnectorStatus.CHARGING
    assert evse.status.at == clock.now


@pytest.mark.conformance("TC_024_CSMS")
async def test_fault_is_kept_in_the_words_of_the_station(charger: Charger) -> None:
    await charger.status(
        "Faulted",
        errorCode="ConnectorLockFailure",
        info="Motor",
        vendorId="com.x",
        vendorErrorCode="E42",
    )
    evse = charger.station.evses[1]
    assert evse.status.value is ConnectorStatus.FAULTED
    assert evse.fault.value == Fault(
        error_code="ConnectorLockFailure",
        vendor_error_code="E42",
        vendor_id="com.x",
        info="Motor",
    )
    await charger.status("Available")
    assert evse.fault.value is None


async def test_warning_without_fault_is_shown_until_no_error(charger: Charger) -> None:
    await charger.status("Charging", errorCode="WeakSignal")
    evse = charger.station.evses[1]
    assert evse.fault.value == Fault(error_code="WeakSignal")
    await charger.status("Charging")
    assert evse.fault.value is None


async def test_fault_outlives_no_error_while_faulted(charger: Charger) -> None:
    evse = charger.station.evse(1)
    await charger.status("Faulted", errorCode="GroundFailure")
    await charger.status("Faulted")
    assert evse.fault.value == Fault(error_code="GroundFailure")
    await charger.status("Faulted", vendorErrorCode="7")
    assert evse.fault.value == Fault(error_code="NoError", vendor_error_code="7")


async def test_faulted_without_a_code_is_a_fault(charger: Charger) -> None:
    await charger.status("Faulted")
    assert charger.station.evses[1].fault.value == Fault(error_code="NoError")


async def test_invented_error_code_is_kept(charger: Charger) -> None:
    await charger.status("Faulted", errorCode="Overheated!")
    assert charger.station.evses[1].fault.value == Fault(error_code="Overheated!")


@pytest.mark.peer("B-27")
async def test_faulted_keeps_everything_else(charger: Charger) -> None:
    transaction_id = await charger.start()
    await charger.meter({"value": "7000", "measurand": "Power.Active.Import"})
    await charger.status("Faulted", errorCode="EVCommunicationError")
    evse = charger.station.evses[1]
    assert charger.value(POWER) == 7000
    assert evse.transaction is not None
    assert evse.transaction.transaction_id == str(transaction_id)


async def test_unknown_status_is_logged_once_and_changes_only_the_fault(
    charger: Charger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await charger.status("Charging")
    for _ in range(2):
        await charger.status("Sleeping", errorCode="OtherError")
    evse = charger.station.evses[1]
    assert evse.status.value is ConnectorStatus.CHARGING
    assert evse.fault.value == Fault(error_code="OtherError")
    assert caplog.text.count("unknown status 'Sleeping'") == 1


@pytest.mark.parametrize("connector_id", [-1, 9, 10**12])
async def test_impossible_connector_is_answered_and_makes_nothing(
    charger: Charger, connector_id: int
) -> None:
    assert await charger.status("Charging", connector_id) == {}
    assert charger.station.evses == {}


@pytest.mark.parametrize("status", ["SuspendedEV", "Finishing", "Available"])
async def test_nothing_flows_when_not_charging(charger: Charger, status: str) -> None:
    # Most stations send no meter values outside transactions: 7 kW would stay for ever.
    await charger.status("Charging")
    await charger.meter(
        {"value": "7000", "measurand": "Power.Active.Import"},
        {"value": "16", "measurand": "Current.Import", "phase": "L1"},
        {"value": "16", "measurand": "Current.Offered"},
        {"value": "230", "measurand": "Voltage"},
        {"value": "5000"},
    )
    charger.clock.tick(1)
    await charger.status(status)
    assert charger.value(POWER) == 0
    assert charger.value(Measurand.CURRENT_IMPORT) == 0
    assert charger.value(Measurand.CURRENT_OFFERED) == 16
    assert charger.value(Measurand.VOLTAGE) == 230
    assert charger.value(Measurand.ENERGY_ACTIVE_IMPORT_REGISTER) == 5000


async def test_standby_power_is_not_touched_by_a_repeated_status(
    charger: Charger,
) -> None:
    await charger.status("Available")
    await charger.meter({"value": "3", "measurand": "Power.Active.Import"})
    charger.clock.tick(1)
    await charger.status("Available")
    assert charger.value(POWER) == 3


@pytest.mark.conformance("TC_004_2_CSMS")
async def test_authorized_and_never_plugged_in_makes_no_session(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.call("Authorize", {"idTag": "TAG1"})
    for status in ("Preparing", "Available"):
        await charger.status(status)
        clock.tick(60)
    await charger.settle()
    assert await charger.transactions.sessions() == []
    assert charger.station.evses[1].session.value is None


async def test_status_of_history_does_not_move_the_grace_of_a_transaction(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.start()
    clock.tick(30)
    await charger.status("Charging")
    await charger.status("Available", timestamp=clock.text(-10))
    clock.tick(120)
    await charger.settle()
    assert charger.station.evses[1].transaction is not None


async def _restart_out_of_service(charger: Charger, clock: FakeClock) -> None:
    """Have a station restart that was told to be out of service."""
    await charger.boot()
    await charger.status("Unavailable")
    charger.disconnect()
    clock.tick(60)
    charger.connect()
    await charger.boot()


async def test_a_station_out_of_service_is_not_available_for_a_moment_as_it_starts(
    charger: Charger, clock: FakeClock
) -> None:
    await _restart_out_of_service(charger, clock)
    status = charger.station.evses[1].status
    seen: list[ConnectorStatus | None] = []
    status.subscribe(lambda: seen.append(status.value))

    await charger.status("Available")
    clock.tick(1.5)
    await charger.status("Unavailable")
    clock.tick(10)
    assert ConnectorStatus.AVAILABLE not in seen
    assert status.value is ConnectorStatus.UNAVAILABLE


async def test_nothing_happens_to_a_station_that_was_let_go_of(
    charger: Charger, clock: FakeClock
) -> None:
    await _restart_out_of_service(charger, clock)
    await charger.status("Available")
    await charger.close()
    clock.tick(10)
    assert charger.station.evses[1].status.value is ConnectorStatus.UNAVAILABLE


async def test_a_station_back_in_service_after_a_restart_is_believed(
    charger: Charger, clock: FakeClock
) -> None:
    await _restart_out_of_service(charger, clock)
    await charger.status("Available")
    clock.tick(3)
    assert charger.station.evses[1].status.value is ConnectorStatus.AVAILABLE
