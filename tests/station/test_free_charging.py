"""Test free charging: what is plugged in is started, whatever else happens."""

from types import SimpleNamespace
from typing import Any, cast, override

from custom_components.ev_charger_hub.ocpp.errors import CallInterrupted
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.errors import UpdateRunning
from custom_components.ev_charger_hub.station.firmware import Blocked, Firmware
from custom_components.ev_charger_hub.station.free_charging import FreeCharging
from custom_components.ev_charger_hub.station.link import Capability, Link
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.settings import StationSettings
from tests.ocpp.v16.outbound import Charger
from tests.virtual_time import rest

START = {"connectorId": 1, "idTag": "HA1"}


class Updating:
    """Firmware whose update runs until a test ends it."""

    running = True

    def check(self, what: Blocked) -> None:
        """Refuse whatever would disturb the update."""
        if self.running:
            raise UpdateRunning


class FreeCharger(Charger):
    """A charger where everybody may charge."""

    def __init__(self) -> None:
        """Start free, connected and empty."""
        super().__init__(free_charging=True)
        self.station.local.set(True)
        self.show(ConnectorStatus.AVAILABLE)

    @override
    def connect_hub(self) -> None:
        super().connect_hub()
        self.free = FreeCharging(
            self.station,
            "HA1",
            spawn=self._spawn,
            clock=self.time,
            call_later=self.time.call_later,
        )

    def show(self, status: ConnectorStatus) -> None:
        """Let the connector have a status."""
        self.station.evses[1].status.set(status, self.time.now)

    def present(self) -> None:
        """Let somebody present a card that may charge."""
        self.station.id_token_presented.set(("CARD", self.time.now))

    async def connect(self, connected: bool) -> None:
        """Let the connection come or go."""
        self.online = connected
        self.station.local.set(connected)
        await rest()

    @property
    def started(self) -> list[dict[str, Any]]:
        """Return how the charger was asked to start."""
        return self.sent("RemoteStartTransaction")


async def test_what_is_plugged_in_is_started_once() -> None:
    charger = FreeCharger()
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(9)
    assert charger.started == []
    await charger.time.advance(2)
    assert charger.started == [START]
    charger.begin()
    await charger.connect(False)
    await charger.connect(True)
    await charger.time.advance(600)
    assert charger.started == [START]


async def test_a_charger_that_is_away_is_asked_when_it_is_back() -> None:
    charger = FreeCharger()
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(5)
    await charger.connect(False)
    await charger.time.advance(60)
    assert charger.started == []
    await charger.connect(True)
    # Settings that change tell of the connection as well.
    charger.station.online.notify()
    await charger.time.advance(11)
    assert charger.started == [START]
    await charger.connect(False)
    await charger.connect(True)
    await charger.time.advance(60)
    assert charger.started == [START]


async def test_who_left_meanwhile_is_not_started() -> None:
    charger = FreeCharger()
    charger.show(ConnectorStatus.PREPARING)
    await charger.connect(False)
    await charger.time.advance(60)
    await charger.connect(True)
    charger.show(ConnectorStatus.AVAILABLE)
    await charger.time.advance(60)
    assert charger.started == []


async def test_a_connection_that_breaks_is_no_answer() -> None:
    charger = FreeCharger()
    charger.answers["RemoteStartTransaction"] = CallInterrupted("gone")
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(11)
    assert charger.started == [START]
    del charger.answers["RemoteStartTransaction"]
    await charger.connect(False)
    await charger.connect(True)
    await charger.time.advance(11)
    assert charger.started == [START, START]


async def test_a_connection_that_breaks_leaves_it_to_the_cloud() -> None:
    charger = FreeCharger()
    charger.station.remote.set(True)
    started: list[str] = []

    async def lose(evse_id: int, id_token: str) -> Outcome:
        charger.station.local.set(False)
        return Outcome(status=OutcomeStatus.NO_ANSWER)

    async def start(evse_id: int, id_token: str) -> Outcome:
        started.append(id_token)
        return Outcome(status=OutcomeStatus.ACCEPTED)

    able = frozenset({Capability.START_STOP})
    charger.station.links = [
        cast(Link, SimpleNamespace(connected=up, capabilities=able, start_charging=do))
        for up, do in ((True, lose), (True, start))
    ]
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(11)
    charger.station.links.pop(0)
    await charger.time.advance(11)
    assert started == ["HA1"]


async def test_whoever_presented_a_card_has_time_to_plug_in() -> None:
    charger = FreeCharger()
    charger.present()
    await charger.time.advance(1)
    # Stations prepare for a card as well as for a vehicle.
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(100)
    assert charger.started == []
    await charger.time.advance(30)
    assert charger.started == [START]


async def test_a_card_of_somebody_before_does_not_count() -> None:
    charger = FreeCharger()
    charger.present()
    await charger.time.advance(20)
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(11)
    assert charger.started == [START]


async def test_what_was_plugged_in_before_is_not_started() -> None:
    charger = FreeCharger()
    free = charger.station.settings
    charger.station.settings = StationSettings(name="CP")
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(5)
    charger.station.settings = free
    await charger.time.advance(60)
    assert charger.started == []


async def test_an_update_of_the_firmware_is_not_disturbed() -> None:
    charger = FreeCharger()
    updating = Updating()
    charger.station.firmware = cast(Firmware, updating)
    charger.show(ConnectorStatus.PREPARING)
    await charger.time.advance(300)
    assert charger.started == []
    updating.running = False
    await charger.time.advance(11)
    assert charger.started == [START]


async def test_nothing_is_started_any_more_once_it_is_closed() -> None:
    charger = FreeCharger()
    charger.show(ConnectorStatus.PREPARING)
    charger.free.close()
    await charger.time.advance(300)
    assert charger.started == []
