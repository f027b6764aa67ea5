"""Each handler of the real station library, and what Home Assistant shows of it.

The virtual station offers the handlers of libocpp under their names; docs/ocpp-2.md has
one row for each of them, with the test here that proves it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant

from .charger import PATIENCE
from .conftest import IDENTITY
from .entities import act, exists, flush, full_state, state
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import availability
from custom_components.ev_charger_hub.ocpp.stepwise import Step
from simulators.charging_station.v2 import (
    ChargingStation,
    EventData,
    IdToken,
    MeterValue,
    SampledValue,
)
from simulators.charging_station.v2.values import (
    ChargingState,
    FirmwareStatus,
    Get15118EVCertificateRequest,
    LogStatus,
    Reason,
    ReservationStatus,
    TriggerReason,
)

TOKEN = IdToken(id_token="04A1B2C3")
STATUS = "CP01_1_status"

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")


class Seen:
    """A virtual station with two EVSEs, and what Home Assistant shows of it."""

    def __init__(self, hass: HomeAssistant, station: ChargingStation) -> None:
        """Look at one station."""
        self.hass = hass
        self.station = station

    async def until(self, shown: Callable[[], bool]) -> None:
        """Wait until something is shown."""
        async with asyncio.timeout(PATIENCE):
            while not shown():
                await self.settle()

    async def settle(self) -> None:
        """Let everything that was told be shown."""
        await self.station.settle()
        await flush(self.hass)

    async def shows(self, key: str, value: str, platform: str = "sensor") -> None:
        """Wait until an entity of the first EVSE shows a value."""
        await self.settle()

        def reached() -> bool:
            unique_id = f"{IDENTITY}_1_{key}"
            return (
                exists(self.hass, platform, unique_id)
                and state(self.hass, platform, unique_id) == value
            )

        try:
            await self.until(reached)
        except TimeoutError:
            assert state(self.hass, platform, f"{IDENTITY}_1_{key}") == value

    def reading(self, energy: float, power: float = 0.0) -> MeterValue:
        """Return what the meter says now, in Wh and W."""
        values = (
            SampledValue(value=energy, unit="Wh"),
            SampledValue(value=power, measurand="Power.Active.Import", unit="W"),
        )
        return MeterValue(timestamp=self.station.clock(), values=values)

    async def start(self, token: IdToken | None = TOKEN) -> None:
        """Begin a transaction at 1 kWh."""
        self.station.box.metered = False
        await self.station.on_session_started(1, 1)
        await self.station.on_transaction_started(
            1,
            1,
            "T1",
            self.station.clock(),
            TriggerReason.CABLE_PLUGGED_IN,
            self.reading(1000.0),
            token,
            None,
            None,
            None,
            ChargingState.EV_CONNECTED,
        )
        await self.settle()

    async def finish(self, energy: float = 3000.0) -> None:
        """End the transaction."""
        await self.station.on_transaction_finished(
            1,
            self.station.clock(),
            self.reading(energy),
            Reason.EV_DISCONNECTED,
            TriggerReason.EV_DEPARTED,
            None,
            None,
            ChargingState.IDLE,
        )
        await self.settle()


@pytest.fixture(params=["2.0.1", "2.1"])
async def seen(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    hub: OcppHub,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Seen]:
    """Return a virtual station that is approved, booted and set up."""
    monkeypatch.setattr(availability, "PREMATURE", 0.0)
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    station = ChargingStation(
        f"ws://127.0.0.1:{hub.port}/ocpp",
        IDENTITY,
        evses=(1, 1),
        versions=(request.param,),
    )
    seen = Seen(hass, station)
    await station.connect()
    findings = hub.stations[IDENTITY].station.findings
    await seen.until(lambda: Step.LIMITS in findings)
    await seen.shows("status", "available")
    yield seen
    await station.close()


async def test_on_session_started(seen: Seen) -> None:
    await seen.station.on_session_started(1, 1)
    await seen.shows("status", "preparing")
    await seen.shows("vehicle_connected", STATE_ON, "binary_sensor")


async def test_on_session_finished(seen: Seen) -> None:
    await seen.station.on_session_started(1, 1)
    await seen.shows("vehicle_connected", STATE_ON, "binary_sensor")
    await seen.station.on_session_finished(1, 1)
    await seen.shows("status", "available")
    await seen.shows("vehicle_connected", STATE_OFF, "binary_sensor")


async def test_validate_token(seen: Seen) -> None:
    info = await seen.station.validate_token(TOKEN)
    assert info["status"] == "Accepted"
    await seen.settle()
    event = full_state(seen.hass, "event", "CP01_token")
    assert event.attributes["event_type"] == "presented"
    assert event.attributes["id_token"] == "04A1B2C3"


async def test_on_transaction_started(seen: Seen) -> None:
    await seen.start()
    await seen.shows("transaction_id", "T1")
    await seen.shows("id_token", "04A1B2C3")
    await seen.shows("charge_control", STATE_ON, "switch")
    event = full_state(seen.hass, "event", "CP01_1_session")
    assert event.attributes["event_type"] == "started"


async def test_on_authorized(seen: Seen) -> None:
    await seen.start(token=None)
    await seen.shows("transaction_id", "T1")
    await seen.station.on_authorized(1, 1, TOKEN)
    await seen.shows("id_token", "04A1B2C3")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (ChargingState.CHARGING, "charging"),
        (ChargingState.SUSPENDED_EV, "suspended_ev"),
        (ChargingState.SUSPENDED_EVSE, "suspended_evse"),
    ],
)
async def test_on_charging_state_changed(
    seen: Seen, told: ChargingState, shown: str
) -> None:
    await seen.start()
    assert await seen.station.on_charging_state_changed(1, told)
    await seen.shows("status", shown)
    charging = STATE_ON if shown == "charging" else STATE_OFF
    await seen.shows("charging", charging, "binary_sensor")


async def test_on_meter_value(seen: Seen) -> None:
    await seen.start()
    await seen.station.on_charging_state_changed(1, ChargingState.CHARGING)
    await seen.station.on_meter_value(1, seen.reading(1500.0, 7360.0))
    await seen.station.pass_time(60, step=30)
    await seen.shows("energy_active_import_register", "1.5")
    await seen.shows("power_active_import", "7360.0")
    await seen.shows("session_energy", "0.5")


async def test_on_transaction_finished(seen: Seen) -> None:
    await seen.start()
    await seen.finish()
    await seen.shows("session_energy", "2.0")
    await seen.shows("stop_reason", "ev_disconnected")
    await seen.shows("charge_control", STATE_OFF, "switch")
    event = full_state(seen.hass, "event", "CP01_1_session")
    assert event.attributes["event_type"] == "ended"
    assert event.attributes["energy"] == 2000


async def test_get_evse_transaction_id(seen: Seen) -> None:
    assert await seen.station.get_evse_transaction_id(1) is None
    await seen.start()
    assert await seen.station.get_evse_transaction_id(1) == "T1"
    await act(seen.hass, "stop_charging", connector=1)
    await seen.settle()
    assert await seen.station.get_evse_transaction_id(1) is None
    (session,) = (await act(seen.hass, "get_sessions"))["sessions"]
    assert (session["transaction_id"], session["stop_reason"]) == ("T1", "remote")


@pytest.mark.parametrize("how", ["action", "station"])
async def test_on_unavailable(seen: Seen, how: str) -> None:
    if how == "station":
        await seen.station.on_unavailable(1, 1)
    else:
        await act(seen.hass, "change_availability", connector=1, operative=False)
    await seen.shows("status", "unavailable")
    await seen.shows("availability", STATE_OFF, "switch")
    assert state(seen.hass, "switch", "CP01_2_availability") == STATE_ON


async def test_on_enabled(seen: Seen) -> None:
    await seen.station.on_unavailable(1, 1)
    await seen.shows("availability", STATE_OFF, "switch")
    await seen.station.on_enabled(1, 1)
    await seen.shows("status", "available")
    await seen.shows("availability", STATE_ON, "switch")


async def test_on_faulted(seen: Seen) -> None:
    await seen.station.on_session_started(1, 1)
    await seen.station.on_faulted(1, 1)
    await seen.shows("status", "faulted")
    await seen.shows("problem", STATE_ON, "binary_sensor")


async def test_on_fault_cleared(seen: Seen) -> None:
    await seen.station.on_session_started(1, 1)
    await seen.station.on_faulted(1, 1)
    await seen.shows("problem", STATE_ON, "binary_sensor")
    await seen.station.on_fault_cleared(1, 1)
    await seen.shows("status", "preparing")
    await seen.shows("problem", STATE_OFF, "binary_sensor")


async def test_on_reserved(seen: Seen) -> None:
    answer = await act(seen.hass, "reserve_now", connector=1, id_token="GUEST")
    assert answer["answer"] == "Accepted"
    await seen.shows("status", "reserved")
    # The box says so itself where it keeps a place free for another reason.
    await seen.station.on_reserved(2, 1)
    await seen.settle()
    assert state(seen.hass, "sensor", "CP01_2_status") == "reserved"


async def test_on_reservation_cleared(seen: Seen) -> None:
    await seen.station.on_reserved(1, 1)
    await seen.shows("status", "reserved")
    await seen.station.on_reservation_cleared(1, 1)
    await seen.shows("status", "available")


@pytest.mark.parametrize(
    "status", [ReservationStatus.EXPIRED, ReservationStatus.REMOVED]
)
async def test_on_reservation_status(seen: Seen, status: ReservationStatus) -> None:
    answer = await act(seen.hass, "reserve_now", connector=1, id_token="GUEST")
    await seen.station.on_reservation_status(answer["reservation_id"], status)
    await seen.settle()
    (one,) = (await act(seen.hass, "get_reservations"))["reservations"]
    assert one["state"] == status.value.lower()
    await seen.shows("reserved_for", "unknown")


async def test_on_event(seen: Seen) -> None:
    def event(number: int, *, there: bool) -> EventData:
        return EventData(
            event_id=number,
            timestamp=seen.station.clock(),
            component={"name": "EVSE", "evse": {"id": 1}},
            variable={"name": "Problem"},
            actual_value="true" if there else "false",
            cleared=not there,
            tech_code="CX042",
            tech_info="the relay is stuck",
        )

    await seen.station.on_event([event(1, there=True)])
    await seen.shows("problem", STATE_ON, "binary_sensor")
    await seen.shows("vendor_error_code", "CX042")
    await seen.shows("error_info", "the relay is stuck")
    told = full_state(seen.hass, "event", "CP01_variable")
    assert told.attributes["event_type"] == "alert"
    assert told.attributes["code"] == "CX042"
    await seen.station.on_event([event(2, there=False)])
    await seen.shows("problem", STATE_OFF, "binary_sensor")
    told = full_state(seen.hass, "event", "CP01_variable")
    assert told.attributes["event_type"] == "cleared"


@pytest.mark.parametrize(
    ("status", "shown"),
    [(LogStatus.UPLOADING, "uploading"), (LogStatus.UPLOADED, "uploaded")],
)
async def test_on_log_status_notification(
    seen: Seen, status: LogStatus, shown: str
) -> None:
    await seen.station.on_log_status_notification(status, 7)
    await seen.settle()
    assert state(seen.hass, "sensor", "CP01_diagnostics_status") == shown


async def test_on_firmware_update_status_notification(seen: Seen) -> None:
    for status, shown in (
        (FirmwareStatus.DOWNLOADING, "downloading"),
        (FirmwareStatus.INSTALLING, "installing"),
        (FirmwareStatus.INSTALLED, "installed"),
    ):
        await seen.station.on_firmware_update_status_notification(-1, status)
        await seen.settle()
        assert state(seen.hass, "sensor", "CP01_firmware_status") == shown


async def test_on_security_event(seen: Seen) -> None:
    await seen.station.on_security_event("TamperDetectionActivated", "cover opened")
    await seen.settle()
    event = full_state(seen.hass, "event", "CP01_security")
    assert event.attributes["event_type"] == "tamper_detection_activated"
    assert event.attributes["info"] == "cover opened"


async def test_on_variable_changed(seen: Seen) -> None:
    key = "OCPPCommCtrlr.HeartbeatInterval"
    answer = await act(seen.hass, "set_configuration", key=key, value="60")
    assert answer["status"] == "accepted"
    seen.station.model.put(key, "90")
    await seen.station.on_variable_changed(
        {
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "HeartbeatInterval"},
            "attributeValue": "90",
        }
    )
    # The library tells nobody: what is asked for is what holds.
    (told,) = (await act(seen.hass, "get_configuration", keys=[key]))["configuration"]
    assert told["value"] == "90"


async def test_on_get_15118_ev_certificate_request(seen: Seen) -> None:
    request = Get15118EVCertificateRequest(
        action="Install",
        exi_request="gJgBq83v",
        iso15118_schema_version="urn:iso:15118:2:2013:MsgDef",
    )
    answer = await seen.station.on_get_15118_ev_certificate_request(request)
    # A home has no contracts: that is said at once, and nothing else.
    assert (answer.status, answer.exi_response) == ("Failed", "")


async def test_on_ev_charging_needs(seen: Seen) -> None:
    await seen.start()
    needs = {
        "requestedEnergyTransfer": "AC_three_phase",
        "acChargingParameters": {
            "energyAmount": 20000,
            "evMinCurrent": 6,
            "evMaxCurrent": 16,
            "evMaxVoltage": 400,
        },
        "departureTime": "2026-11-22T06:00:00Z",
    }
    answer = await seen.station.on_ev_charging_needs(1, needs)
    # 2.0.1 has no word for a charger that nobody limits.
    assert answer in {"Accepted", "NoChargingProfile", "Processing"}
    await seen.shows("requested_energy", "20.0")
    await seen.shows("departure_time", "2026-11-22T06:00:00+00:00")


async def test_on_network_disconnected(seen: Seen, hub: OcppHub) -> None:
    await seen.start()
    seen.station.reconnect = False
    await seen.station.on_network_disconnected()
    online = hub.stations[IDENTITY].station.online
    await seen.until(lambda: not online.value)
    assert state(seen.hass, "binary_sensor", "CP01_connectivity") == STATE_OFF
    await seen.station.connect()
    await seen.until(lambda: online.value)
    await seen.finish()
    await seen.shows("session_energy", "2.0")
    assert state(seen.hass, "binary_sensor", "CP01_connectivity") == STATE_ON
    sessions = (await act(seen.hass, "get_sessions"))["sessions"]
    assert [one["transaction_id"] for one in sessions] == ["T1"]


async def test_data_transfer_req(seen: Seen) -> None:
    answer = await seen.station.data_transfer_req("org.example", "ping", {"a": [1]})
    assert answer["status"] == "UnknownVendorId"
