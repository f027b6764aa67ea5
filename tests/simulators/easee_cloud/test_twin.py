"""A twin: what happens to the charger once, both the cloud and OCPP tell."""

from collections.abc import AsyncGenerator, Callable
import json
from typing import Any

import pytest

from ..central import PlainCentralSystem
from simulators.easee_cloud import Charger, EaseeCloud, SimulatedTime, Vehicle
from simulators.easee_cloud.control import application
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.history import ChargingSession
from simulators.easee_cloud.observations import Observation
from simulators.easee_cloud.products import Product
from simulators.easee_cloud.twin import Twin

CARD = "DEADBEEF01"


class World:
    """A charger, its central system, and the time of both."""

    def __init__(
        self,
        cloud: EaseeCloud,
        time: SimulatedTime,
        central: PlainCentralSystem,
        twin: Twin,
    ) -> None:
        """Listen to all that the cloud is told."""
        self.cloud = cloud
        self.time = time
        self.central = central
        self.twin = twin
        self.charger = twin.charger
        self.seen: list[tuple[int, Any]] = []
        self.charger.listeners.append(self._observed)

    def _observed(self, product: Product, observation: Observation) -> None:
        self.seen.append((observation.id, observation.value))

    def observed(self, number: int) -> list[Any]:
        """Return all values of an observation that the cloud was told."""
        return [value for one, value in self.seen if one == number]

    @property
    def url(self) -> str:
        """Return where the central system is."""
        return f"ws://127.0.0.1:{self.central.port}/ocpp"

    @property
    def session(self) -> ChargingSession | None:
        """Return the session as the cloud has it."""
        return self.charger.session

    @property
    def mode(self) -> str:
        """Return the name of the mode that the charger is in."""
        return self.charger.mode.name

    @property
    def mode_told(self) -> int:
        """Return the mode that the cloud was told."""
        return int(self.charger.known[109].value)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what needs no time."""
        await self.cloud.until(condition, 10)

    async def move(self, mode: str = "DualProtocol", **more: Any) -> None:
        """Switch local OCPP on or off, as the app does."""
        local = self.cloud.local_ocpp
        local.foreign_change(self.charger, self.url, mode, **more)
        await self.time.pass_time(6)
        listens = mode == "DualProtocol"
        await self.until(lambda: self.twin.connected is listens)
        if listens:
            await self.until(lambda: bool(self.statuses))

    @property
    def statuses(self) -> list[str]:
        """Return all statuses of the connector, in their order."""
        told = self.central.of("StatusNotification")
        return [one["status"] for one in told if one["connectorId"]]

    async def passes(self, seconds: float) -> None:
        """Let time pass, and all that is told arrive."""
        await self.time.pass_time(seconds)
        await self.settle()

    async def settle(self) -> None:
        """Let all that is told arrive."""
        await self.twin.settle()
        await self.time.pass_time(0)

    async def charge(self, **vehicle: Any) -> None:
        """Plug in, show a card and charge for a minute."""
        self.charger.plug_in(Vehicle(**vehicle))
        self.charger.swipe(CARD)
        await self.passes(60)
        assert self.mode == "CHARGING"

    async def profile(self, amps: float, purpose: str = "TxDefaultProfile") -> str:
        """Set a limit by OCPP, and return the answer."""
        frame = await self.central.ask(
            "SetChargingProfile",
            connectorId=1,
            csChargingProfiles={
                "chargingProfileId": 7,
                "stackLevel": 0,
                "chargingProfilePurpose": purpose,
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "startSchedule": "2026-10-01T00:00:00Z",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}],
                },
            },
        )
        await self.settle()
        return str(frame[2]["status"])


@pytest.fixture
async def dialer(cloud: EaseeCloud) -> AsyncGenerator[Dialer]:
    """Return what lets chargers dial."""
    dialer = Dialer(cloud.local_ocpp)
    yield dialer
    await dialer.close()


@pytest.fixture
async def world(
    cloud: EaseeCloud,
    time: SimulatedTime,
    central: PlainCentralSystem,
    dialer: Dialer,
    charger: Charger,
) -> World:
    """Return a charger that dials."""
    world = World(cloud, time, central, dialer.twin(charger))
    await world.move()
    return world


def sampled(payload: dict[str, Any]) -> dict[tuple[str, str | None], float]:
    """Return the values of a MeterValues, by measurand and phase."""
    (line,) = payload["meterValue"]
    assert {value["location"] for value in line["sampledValue"]} == {"Inlet"}
    return {
        (value["measurand"], value.get("phase")): float(value["value"])
        for value in line["sampledValue"]
    }


async def test_one_session_is_one_transaction_with_one_meter(world: World) -> None:
    charger, central = world.charger, world.central
    charger.plug_in(Vehicle())
    await world.passes(120)
    assert world.mode == "AWAITING_AUTHENTICATION"
    assert charger[96] == 55
    assert world.statuses == ["Available", "Preparing"]
    charger.swipe(CARD)
    await world.passes(600)
    (start,) = central.of("StartTransaction")
    (begun,) = [json.loads(text) for text in world.observed(223)]
    assert start["idTag"] == begun["Auth"] == CARD
    assert start["meterStart"] == pytest.approx(begun["MeterValue"] * 1000, abs=1)
    assert start["timestamp"][:19] == begun["Start"][:19]
    assert start["timestamp"].endswith(".000Z")
    assert world.statuses[2:] == ["Charging"]
    charger.unplug()
    await world.settle()
    (stop,) = central.of("StopTransaction")
    (over,) = [json.loads(text) for text in world.observed(129)]
    assert stop["reason"] == "EVDisconnected"
    assert stop["meterStop"] == pytest.approx(over["MeterValueStop"] * 1000, abs=1)
    assert stop["meterStop"] - start["meterStart"] > 1000
    assert world.statuses[-1] == "Available"


async def test_meter_values_are_those_of_the_charger(world: World) -> None:
    await world.central.ask(
        "ChangeConfiguration",
        key="MeterValuesSampledData",
        value="Power.Active.Import,Current.Import,Voltage,Energy.Active.Import.Register",
    )
    for interval, status in (("10", "Rejected"), ("30", "Accepted")):
        answer = await world.central.ask(
            "ChangeConfiguration", key="MeterValueSampleInterval", value=interval
        )
        assert answer[2]["status"] == status
    await world.charge(maximum_current=13.0)
    await world.passes(60)
    values = sampled(world.central.of("MeterValues")[-1])
    assert values["Power.Active.Import", None] == pytest.approx(3 * 230 * 13)
    assert [values["Current.Import", f"L{one}"] for one in (1, 2, 3)] == [13.0] * 3
    assert values["Voltage", "L1-N"] == 230
    told = values["Energy.Active.Import.Register", None]
    assert told == pytest.approx(world.charger.register * 1000, abs=1)
    session = world.session
    assert session is not None
    energy = told / 1000 - session.meter_start
    assert world.charger[121] == pytest.approx(energy, abs=0.002)


async def test_the_lower_of_profile_and_dynamic_limit_holds(world: World) -> None:
    await world.charge()
    assert await world.profile(10) == "Accepted"
    assert (world.charger.offered, world.charger[96]) == (10.0, 76)
    world.charger.set_dynamic(8)
    assert (world.charger.offered, world.charger[96]) == (8.0, 78)
    world.charger.set_dynamic(32)
    assert world.charger.offered == 10.0
    assert await world.profile(0, "TxProfile") == "Accepted"
    assert world.mode == "AWAITING_START"
    await world.until(lambda: world.statuses[-1] == "SuspendedEVSE")
    assert world.central.of("StatusNotification")[-1]["vendorErrorCode"] == "54"
    await world.central.ask(
        "ClearChargingProfile", connectorId=1, chargingProfilePurpose="TxProfile"
    )
    await world.passes(10)
    assert world.charger.offered == 16.0
    await world.until(lambda: world.statuses[-1] == "Charging")


async def test_started_and_stopped_by_the_central_system(world: World) -> None:
    await world.central.ask("RemoteStartTransaction", connectorId=1, idTag="HOME")
    await world.until(lambda: world.statuses[-1] == "Preparing")
    world.charger.plug_in(Vehicle())
    await world.passes(60)
    assert world.mode == "CHARGING"
    (start,) = world.central.of("StartTransaction")
    assert start["idTag"] == "HOME"
    session = world.session
    assert session is not None
    assert session.auth == "HOME"
    answer = await world.central.ask("RemoteStopTransaction", transactionId=1)
    assert answer[2]["status"] == "Accepted"
    await world.passes(10)
    (stop,) = world.central.of("StopTransaction")
    assert stop["reason"] == "Remote"
    assert world.session is None
    assert world.statuses[-1] == "Finishing"
    assert world.mode == "AWAITING_AUTHENTICATION"


async def test_the_app_starts_and_stops(world: World) -> None:
    world.charger.plug_in(Vehicle())
    world.charger.authorize()
    await world.passes(60)
    (start,) = world.central.of("StartTransaction")
    assert start["idTag"] == "FreeCharging"
    world.charger.observe(31, False)
    await world.passes(60)
    assert world.statuses[-1] == "SuspendedEVSE"
    world.charger.observe(31, True)
    world.charger.deauthorize()
    await world.passes(10)
    assert len(world.central.of("StopTransaction")) == 1


async def test_a_refused_card_charges_nobody(world: World) -> None:
    world.central.token_status = "Invalid"
    world.charger.plug_in(Vehicle())
    world.charger.swipe(CARD)
    await world.passes(60)
    assert world.session is None
    assert world.central.of("StartTransaction") == []
    world.charger.authorize()
    await world.passes(10)
    (stop,) = world.central.of("StopTransaction")
    assert stop["reason"] == "DeAuthorized"
    assert world.session is None


async def test_what_a_cut_line_kept_is_told_late(world: World) -> None:
    await world.charge()
    world.twin.cut()
    await world.settle()
    world.charger.set_dynamic(7)
    await world.passes(600)
    world.charger.unplug()
    await world.passes(60)
    assert world.central.of("StopTransaction") == []
    world.twin.restore()
    await world.until(lambda: len(world.central.of("StopTransaction")) == 1)
    await world.until(lambda: world.statuses[-1] == "Available")
    (stop,) = world.central.of("StopTransaction")
    ended = json.loads(world.observed(129)[-1])
    assert stop["timestamp"][:19] == ended["Stop"][:19]
    assert len(world.central.of("BootNotification")) == 1


async def test_it_dials_until_somebody_listens(world: World) -> None:
    await world.central.stop()
    await world.until(lambda: not world.twin.connected)
    await world.passes(60)
    await world.central.start()
    await world.time.pass_time(20)
    await world.until(lambda: world.twin.connected)


async def test_away_from_home_it_charges_if_it_was_told_to(world: World) -> None:
    world.twin.cut()
    await world.settle()
    world.charger.plug_in(Vehicle())
    await world.passes(60)
    assert world.session is None
    world.charger.unplug()
    world.charger.observe(17, True)
    world.charger.plug_in(Vehicle())
    await world.passes(60)
    assert world.mode == "CHARGING"
    world.twin.restore()
    await world.until(lambda: len(world.central.of("StartTransaction")) == 1)


async def test_the_cloud_cut_off_leaves_ocpp(world: World) -> None:
    world.charger.circuit.offline = [32.0] * 3
    world.charger.go_offline()
    await world.charge()
    assert await world.profile(9) == "Accepted"
    assert world.charger.offered == 9.0
    before = len(world.seen)
    world.charger.unplug()
    await world.settle()
    assert len(world.central.of("StopTransaction")) == 1
    assert len(world.seen) == before
    world.charger.go_online()
    assert len(world.observed(223)) == len(world.observed(129)) == 1


async def test_switched_off_in_a_transaction_nobody_hears_its_end(world: World) -> None:
    await world.charge()
    await world.move("OcppOff")
    assert world.mode == "CHARGING"
    assert world.mode == "CHARGING"
    world.charger.unplug()
    await world.passes(10)
    await world.move()
    await world.passes(30)
    assert len(world.central.of("StartTransaction")) == 1
    assert world.central.of("StopTransaction") == []
    assert len(world.observed(129)) == 1


async def test_a_stop_that_was_kept_comes_late(world: World) -> None:
    await world.charge()
    assert world.twin.station is not None
    world.twin.station.keeps_stop = True
    await world.move("OcppOff")
    world.charger.unplug()
    await world.passes(600)
    await world.move()
    await world.until(lambda: len(world.central.of("StopTransaction")) == 1)


@pytest.mark.parametrize("takes_over", [True, False])
async def test_switched_on_in_a_session(world: World, takes_over: bool) -> None:
    await world.move("OcppOff")
    world.charger.plug_in(Vehicle())
    await world.passes(600)
    assert world.mode == "CHARGING"
    world.twin.takes_over_session = takes_over
    await world.move()
    await world.passes(30)
    assert world.mode == "CHARGING"
    started = world.central.of("StartTransaction")
    assert len(started) == takes_over
    if takes_over:
        assert world.session is not None
        began = world.session.meter_start * 1000
        assert started[0]["meterStart"] == pytest.approx(began, abs=1)
    await world.until(lambda: world.statuses[-1] == "Charging")


async def test_another_operator_resets_it(world: World) -> None:
    await world.central.ask(
        "ChangeConfiguration", key="MeterValueSampleInterval", value="45"
    )
    before = world.twin.station
    world.cloud.pair_operator(world.charger.serial, 42)
    await world.until(lambda: not world.central.connected)
    assert world.twin.station is None
    world.charger.operator = {"id": 1, "name": "Easee"}
    await world.move()
    assert world.twin.station is not before
    assert len(world.central.of("BootNotification")) == 2
    answer = await world.central.ask(
        "GetConfiguration", key=["MeterValueSampleInterval"]
    )
    assert answer[2]["configurationKey"][0]["value"] == "60"


async def test_a_reboot_is_one_for_both(world: World) -> None:
    await world.charge()
    world.charger.set_dynamic(8)
    await world.central.ask("Reset", type="Soft")
    await world.until(lambda: not world.twin.connected)
    assert world.mode_told == 0
    await world.passes(200)
    assert world.mode_told != 0
    await world.until(lambda: len(world.central.of("BootNotification")) == 2)
    assert world.charger[48] == 32.0
    assert world.central.of("StopTransaction") == []


async def test_a_fault_is_one_for_both(world: World) -> None:
    await world.charge()
    world.charger.fail(110)
    await world.until(lambda: world.statuses[-1] == "Faulted")
    told = world.central.of("StatusNotification")[-1]
    assert (told["errorCode"], told["vendorErrorCode"]) == ("GroundFailure", "110")
    world.charger.fail(0)
    await world.passes(5)
    await world.until(lambda: world.statuses[-1] == "Charging")


async def test_availability_is_the_enabled_setting(world: World) -> None:
    await world.central.ask("ChangeAvailability", connectorId=1, type="Inoperative")
    await world.until(lambda: world.statuses[-1] == "Unavailable")
    assert world.charger[31] is False
    world.charger.observe(31, True)
    world.charger.circuit.changed()
    await world.until(lambda: world.statuses[-1] == "Available")


async def test_keys_are_settings(world: World) -> None:
    await world.central.ask(
        "ChangeConfiguration", key="AllowOfflineTxForUnknownId", value="true"
    )
    assert world.charger[17] is True
    world.charger.observe(16, True)
    world.charger.circuit.changed()
    answer = await world.central.ask("GetConfiguration", key=["LocalAuthorizeOffline"])
    assert answer[2]["configurationKey"][0]["value"] == "true"


async def test_messages_may_come_twice(world: World) -> None:
    world.twin.misbehave("retry_with_new_id")
    await world.charge()
    started = world.central.of("StartTransaction")
    assert len(started) == 2
    assert started[0] == started[1]


async def test_told_again_it_dials_again(world: World) -> None:
    local = world.cloud.local_ocpp
    version = local.stored[world.charger.serial].version
    local.apply(world.charger, version)
    await world.central.seen(lambda *_: True)
    await world.until(lambda: world.central.connected)
    socket = world.central._socket
    await world.time.pass_time(6)
    await world.until(lambda: world.central._socket is not socket)
    await world.until(lambda: world.twin.connected)


async def test_all_of_it_by_the_control_interface(
    world: World, aiohttp_client: Any
) -> None:
    control = await aiohttp_client(application(world.cloud))

    async def act(act: str, **body: Any) -> Any:
        response = await control.post(f"/{act}", json=body)
        assert response.status == 200, await response.text()
        return (await response.json())["chargers"][world.charger.serial]

    assert (await act("plug"))["ocpp"]["connected"]
    await act("swipe", token=CARD)
    await world.passes(60)
    await act("circuit", offline=32)
    await act("cut_cloud", charger=True)
    assert world.cloud.faults.out is not None
    await act("restore_cloud")
    await act("misbehave", name="duplicate_messages")
    await act("cut_ocpp")
    await world.until(lambda: not world.twin.connected)
    shown = await act("restore_ocpp")
    assert shown["ocpp"]["transaction"] == 1
    await world.until(lambda: world.twin.connected)
    await act("foreign_ocpp", url=world.url, on=False)
    await world.time.pass_time(6)
    await world.until(lambda: not world.twin.connected)
    await act(
        "foreign_ocpp", url=world.url, identity="GARAGE", password="0123456789abcdef"
    )
    await world.time.pass_time(6)
    await world.until(lambda: world.twin.connected)
    assert (await act("unplug"))["ocpp"]["dials"] == world.url
    assert world.central.authorization is not None
