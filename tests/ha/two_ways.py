"""One charger within Home Assistant that both its account and a server have."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .easee import EaseeHome
from .easee_local import HOST, house_dialer
from .passing import answered
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.models import HubStation
from simulators.easee_cloud import Charger
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.history import ChargingSession
from simulators.easee_cloud.seed import CHARGER
from simulators.easee_cloud.twin import Twin

STEP: Final = 5.0
"""Seconds between two looks at what happens."""
CARD: Final = "DEADBEEF01"
ROUNDED: Final = 0.002
"""kWh that two tellers may differ by, each of whom rounds."""
NEAR: Final = timedelta(seconds=2)


@dataclass(kw_only=True, repr=False)
class TwoWays:
    """A charger, its two ways, and one time for everything."""

    hass: HomeAssistant
    home: EaseeHome
    server: ConfigEntry
    account: ConfigEntry
    freezer: FrozenDateTimeFactory
    dialer: Dialer
    began: datetime
    happened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What the event entity of sessions told."""
    answers: list[dict[str, Any]] = field(default_factory=list)
    """What was answered to limits."""
    registers: list[float] = field(default_factory=list)
    """All states of the energy sensor in kWh."""

    @property
    def hub(self) -> OcppHub:
        """Return the hub of the server."""
        hub: OcppHub = self.server.runtime_data
        return hub

    @property
    def easee_hub(self) -> EaseeHub:
        """Return the hub of the account."""
        hub: EaseeHub = self.account.runtime_data
        return hub

    @property
    def charger(self) -> Charger:
        """Return the charger."""
        return self.home.cloud.chargers[CHARGER]

    @property
    def twin(self) -> Twin:
        """Return its side of OCPP."""
        return self.dialer.twin(self.charger)

    @property
    def moved(self) -> bool:
        """Return whether the server shows it."""
        return CHARGER in self.hub.stations

    @property
    def hub_station(self) -> HubStation:
        """Return what Home Assistant has of it, whoever shows it."""
        loaded = ConfigEntryState.LOADED
        entries = (self.server, self.account)
        hubs = [one.runtime_data for one in entries if one.state is loaded]
        shown: list[HubStation] = [
            one.stations[CHARGER] for one in hubs if CHARGER in one.stations
        ]
        assert len(shown) == 1
        return shown[0]

    # Time

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        await self.twin.settle()
        await self.home.settle()

    async def passes(self, seconds: float, step: float = STEP) -> None:
        """Let time pass for all, with everything that is due."""
        while seconds > 0:
            part = min(step, seconds)
            await answered()
            self.freezer.tick(timedelta(seconds=part))
            async_fire_time_changed(self.hass)
            await self.home.time.pass_time(part)
            await self.hass.async_block_till_done()
            await self.twin.settle()
            seconds -= part
        await self.settle()

    async def until(self, condition: Callable[[], bool], seconds: float = 400) -> float:
        """Let time pass until something is so; return how many seconds that took."""
        passed = 0.0
        while not condition():
            assert passed < seconds, self.summary()
            await self.passes(1)
            passed += 1
        return passed

    async def during[T](self, work: Coroutine[Any, Any, T], seconds: float = 600) -> T:
        """Let time pass while something is done, and return what comes of it."""
        # Not one that Home Assistant waits for: it may itself wait for time to pass.
        task = asyncio.get_running_loop().create_task(work)
        await self.until(task.done, seconds)
        return task.result()

    # What users do

    async def act(self, action: str, **data: Any) -> dict[str, Any]:
        """Perform an action on the charger, and return its response."""
        response = await self.during(
            self.hass.services.async_call(
                DOMAIN,
                action,
                {"device_id": self.hub_station.device_id, **data},
                blocking=True,
                return_response=True,
            )
        )
        assert isinstance(response, dict)
        return response

    async def limit(self, amps: float) -> str:
        """Set a limit; return what became of it, or the key of the error."""
        try:
            answer = await self.act("set_charging_limit", limit=amps)
        except HomeAssistantError as err:
            return err.translation_key or ""
        self.answers.append(answer)
        return str(answer["status"])

    async def reload(self, entry: ConfigEntry) -> None:
        """Unload the server or the account, and set it up again."""
        await self.during(self.hass.config_entries.async_reload(entry.entry_id))

    async def move(self) -> None:
        """Move the charger to the server."""
        await self.act(
            "easee_move_to_local",
            server=self.hub.entry.entry_id,
            url=f"ws://{HOST}:{self.hub.port}",
            confirm=["address_elsewhere"],
        )
        await self.until(lambda: self.moved)
        # In leaps of time every pong comes too late.
        self.hub.change_charger(CHARGER, {"ping": False, "limit_interval": 0})
        await self.until(lambda: bool(self.hub_station.station.local.value))
        await self.passes(10)

    async def move_back(self) -> None:
        """Move the charger to the cloud."""
        await self.act("easee_move_to_cloud")
        await self.until(lambda: not self.moved)

    # What is seen

    @property
    def devices(self) -> list[dr.DeviceEntry]:
        """Return the devices of the charger."""
        devices = dr.async_get(self.hass).devices
        return [one for one in devices if (DOMAIN, CHARGER) in one.identifiers]

    @property
    def entities(self) -> dict[str, er.RegistryEntry]:
        """Return the entities of the charger by unique id."""
        found = [
            one
            for one in er.async_get(self.hass).entities.values()
            if one.unique_id.startswith(f"{CHARGER}_")
        ]
        assert len({one.unique_id for one in found}) == len(found)
        return {one.unique_id: one for one in found}

    @property
    def entity_ids(self) -> dict[str, str]:
        """Return the entities of the charger, their ids by unique id."""
        return {key: one.entity_id for key, one in self.entities.items()}

    def state(self, key: str) -> str:
        """Return the state of an entity by the end of its unique id."""
        found = self.hass.states.get(self.entities[f"{CHARGER}_{key}"].entity_id)
        return "no state" if found is None else found.state

    def number(self, key: str) -> float:
        """Return the state of an entity that is a number."""
        return float(self.state(key))

    async def sessions(self) -> list[dict[str, Any]]:
        """Return the sessions of the journal since the test began, oldest first."""
        found: Any = (await self.act("get_sessions", limit=100))["sessions"]
        since = self.began - timedelta(minutes=1)
        later = [one for one in found if datetime.fromisoformat(one["start"]) >= since]
        return sorted(later, key=lambda one: str(one["start"]))

    @property
    def true_sessions(self) -> list[ChargingSession]:
        """Return the sessions that there were since the test began."""
        running = self.charger.session
        history = self.charger.history.sessions
        return [
            *(one for one in history if one.start >= self.began),
            *([] if running is None else [running]),
        ]

    async def assert_true(self) -> None:
        """Compare sessions, energies and events with what really happened."""
        told, true = await self.sessions(), self.true_sessions
        shown = [(one["start"], one["stop"], one["energy"]) for one in told]
        happened = [(one.start, one.stop, one.energy) for one in true]
        assert len(told) == len(true), (shown, happened)
        for one, session in zip(told, true, strict=True):
            _compare(one, session)
        for kind in ("started", "ended"):
            keys = [told["transaction_id"] for told in self.told(kind)]
            assert len({*keys}) == len(keys) <= len(true)
        assert self.registers == sorted(self.registers)
        if self.charger.session is None:
            register = self.number("1_energy_active_import_register")
            assert register == pytest.approx(self.charger.register, abs=ROUNDED)
        assert len(self.devices) == 1

    def writes(self, part: str) -> int:
        """Return how many requests changed something at a path of the cloud."""
        return sum(
            one.method == "POST" and part in one.path
            for one in self.home.cloud.journal.requests
        )

    def watch(self) -> None:
        """Keep what is told of sessions, and what the energy sensor shows."""
        self.hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)

    async def _changed(self, event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        entity = er.async_get(self.hass).async_get(event.data["entity_id"])
        if new is None or entity is None or new.state in {"unknown", "unavailable"}:
            return
        old = event.data["old_state"]
        if entity.unique_id == f"{CHARGER}_1_session":
            if old is not None and old.state != "unavailable":
                told = dict(new.attributes)
                self.happened.append((str(told["event_type"]), told))
        elif entity.unique_id == f"{CHARGER}_1_energy_active_import_register":
            self.registers.append(float(new.state))

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return what was told of sessions that began, or ended."""
        return [told for one, told in self.happened if one == kind]

    def told_of(self, *more: object) -> str:
        """Return the message of a failure."""
        return "\n".join(str(one) for one in (*more, self.summary()))

    def summary(self) -> dict[str, Any]:
        """Return what matters, for messages of failure."""
        station = self.hub_station.station
        return {
            "mode": self.charger.mode.name,
            "offered": self.charger.offered,
            "dynamic": self.charger[48],
            "twin": self.twin.state(),
            "profiles": self.twin.profiles,
            "way": station.way.value,
            "local": station.local.value,
            "remote": station.remote.value,
            "answers": self.answers[-3:],
        }


def _compare(told: dict[str, Any], session: ChargingSession) -> None:
    """Compare a session as it is told with what it was."""
    start = datetime.fromisoformat(told["start"])
    assert abs(start - session.start) <= NEAR, (told, session)
    assert (told["stop"] is None) is (session.stop is None), (told, session)
    if session.stop is not None:
        stop = datetime.fromisoformat(told["stop"])
        assert abs(stop - session.stop) <= NEAR, (told, session)
        energy = told["energy"] / 1000
        assert energy == pytest.approx(session.energy, abs=ROUNDED), (told, session)


@asynccontextmanager
async def two_ways(
    hass: HomeAssistant,
    home: EaseeHome,
    hub: OcppHub,
    easee_hub: EaseeHub,
    freezer: FrozenDateTimeFactory,
) -> AsyncGenerator[TwoWays]:
    """Return a charger of an account beside a server, at first in the account alone."""
    dialer = house_dialer(home.cloud)
    ways = TwoWays(
        hass=hass,
        home=home,
        server=hub.entry,
        account=easee_hub.entry,
        freezer=freezer,
        dialer=dialer,
        began=home.time(),
    )
    ways.charger.circuit.offline = [32.0] * 3
    ways.watch()
    try:
        yield ways
    finally:
        await dialer.close()
