"""Firmware of a station: what is remembered, and for how long it is waited."""

from typing import Any, cast

import pytest

from custom_components.ev_charger_hub.station.commands import FirmwareRequest
from custom_components.ev_charger_hub.station.errors import NotConnected, UpdateRunning
from custom_components.ev_charger_hub.station.firmware import Blocked, Firmware
from custom_components.ev_charger_hub.station.model import ChargingStation, StationInfo
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.settings import StationSettings
from tests.memory_journal import MemoryJournal
from tests.virtual_time import VirtualTime


class Link:
    """A station that answers an update request as told."""

    def __init__(self, status: OutcomeStatus | None) -> None:
        """Answer with `status`; None is not connected."""
        self.status = status

    async def update_firmware(self, request: FirmwareRequest) -> Outcome:
        """Answer."""
        if self.status is None:
            raise NotConnected
        return Outcome(status=self.status)


class House:
    """A station with firmware 1.0, over restarts of Home Assistant."""

    def __init__(self) -> None:
        """Start without an update."""
        self.journal = MemoryJournal()
        self.time = VirtualTime()
        self.changes = 0
        self.start()

    def start(self) -> None:
        """Forget what only memory holds."""
        self.station = ChargingStation("CP1", StationSettings(name="CP"))
        self.station.info.set(StationInfo(firmware="1.0"))
        self.firmware = Firmware(
            self.station,
            cast(Any, self.journal),
            self.time,
            call_later=self.time.call_later,
        )
        self.firmware.update.subscribe(self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def restart(self) -> None:
        """Restart Home Assistant at once."""
        self.firmware.close()
        self.start()
        await self.firmware.load()

    async def ask(
        self, status: OutcomeStatus | None = OutcomeStatus.ACCEPTED, number: int = 7
    ) -> None:
        """Ask for an update to 2.0."""
        request = FirmwareRequest(
            request_id=number, location="https://a/b", retrieve_at=self.time()
        )
        await self.firmware.request(cast(Any, Link(status)), request, "2.0")

    @property
    def blocked(self) -> set[str]:
        """Return what is blocked."""
        found = set()
        for what in Blocked:
            try:
                self.firmware.check(what)
            except UpdateRunning:
                found.add(what.value)
        return found

    @property
    def status(self) -> str | None:
        """Return how far the update is."""
        update = self.firmware.update.value
        return update.status if update is not None else None


@pytest.fixture
def house() -> House:
    """Return a station without an update."""
    return House()


async def test_an_update_without_news_blocks_nothing_after_an_hour(
    house: House,
) -> None:
    await house.ask()
    await house.firmware.notified("installing", 7)
    await house.time.advance(3599)
    assert house.blocked == {"reset", "start", "update"}
    changes = house.changes
    await house.time.advance(1)
    assert house.blocked == set()
    assert not house.firmware.active
    assert house.changes == changes + 1


async def test_news_keeps_an_update_alive(house: House) -> None:
    await house.ask()
    for _ in range(3):
        await house.time.advance(3000)
        await house.firmware.notified("downloading", 7)
    assert house.firmware.active
    assert house.blocked == {"reset", "update"}


async def test_an_update_is_known_after_a_crash(house: House) -> None:
    await house.ask()
    await house.firmware.notified("installing", 7)
    await house.restart()
    assert house.status == "installing"
    assert "start" in house.blocked
    await house.time.advance(3600)
    assert house.blocked == set()


@pytest.mark.parametrize(
    ("answer", "remembered"),
    [
        (OutcomeStatus.ACCEPTED, "requested"),
        (OutcomeStatus.TIMED_OUT, "requested"),
        (OutcomeStatus.NO_ANSWER, "requested"),
        (OutcomeStatus.REJECTED, None),
        (OutcomeStatus.NOT_SUPPORTED, None),
    ],
)
async def test_an_update_that_may_come_is_remembered(
    house: House, answer: OutcomeStatus, remembered: str | None
) -> None:
    await house.ask(answer)
    assert house.status == remembered
    await house.restart()
    assert house.status == remembered


async def test_an_update_that_was_not_sent_leaves_the_one_before(house: House) -> None:
    await house.ask()
    await house.firmware.notified("download_failed", 7)
    with pytest.raises(NotConnected):
        await house.ask(None, 8)
    assert house.status == "download_failed"


async def test_an_idle_station_has_not_begun_yet(house: House) -> None:
    await house.ask()
    await house.firmware.notified("idle", None)
    assert house.status == "requested"
    await house.firmware.notified("downloading", None)
    await house.firmware.notified("idle", None)
    assert not house.firmware.active


async def test_the_past_begins_no_update(house: House) -> None:
    for status in ("installed", "download_failed", "idle"):
        await house.firmware.notified(status, None)
    assert house.status is None
    await house.ask()
    await house.firmware.notified("installed", 7)
    # Told late, and twice.
    await house.firmware.notified("installing", 7)
    assert house.status == "installed"


async def test_another_version_at_a_boot_ends_an_update(house: House) -> None:
    await house.ask()
    await house.firmware.notified("installing", 7)
    house.station.info.set(StationInfo(firmware="2.0"))
    assert house.status == "installed"
    await house.restart()
    assert house.status == "installed"
