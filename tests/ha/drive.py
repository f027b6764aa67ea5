"""Drives: a virtual station in a running Home Assistant, and the time of both."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .entities import device_id
from .passing import leap
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.charging_station import ChargingStation16
from tests.underway import rest

TOKEN = "TAG12345"
STEP = 10
"""Seconds between two looks at what happens."""


@dataclass(kw_only=True, slots=True)
class Drive:
    """A virtual station in Home Assistant, and the time of both."""

    hass: HomeAssistant
    hub: OcppHub
    freezer: FrozenDateTimeFactory
    station: ChargingStation16

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for both, and everything happen that is due."""
        while seconds > 0:
            await leap(self.hass, self.freezer, STEP)
            await self.station.advance(STEP)
            await self.station.settle()
            seconds -= STEP
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def set_up(self) -> None:
        """Wait for the end of the set-up that a boot starts."""
        findings = self.hub.stations[self.station.identity].station.findings
        while "limits" not in findings:
            self.freezer.tick(timedelta(milliseconds=10))
            await rest(1)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def charge(self) -> None:
        """Plug a vehicle in and start a session."""
        await self.station.plug_in()
        assert await self.station.swipe(TOKEN)
        await self.station.settle()
        await self.pass_time(STEP)

    async def perform(self, action: str, **data: Any) -> dict[str, Any]:
        """Perform an action while time goes on; return its response."""
        call = self.hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device_id(self.hass, self.station.identity), **data},
            blocking=True,
            return_response=True,
        )
        task = self.hass.async_create_task(call)
        while not task.done():
            self.freezer.tick(timedelta(milliseconds=10))
            await rest(1)
        answer = task.result()
        assert isinstance(answer, dict)
        return answer

    async def limit(self, limit: float, **data: Any) -> str:
        """Set a limit; return what became of it, or the key of the error."""
        try:
            answer = await self.perform("set_charging_limit", limit=limit, **data)
        except HomeAssistantError as err:
            return err.translation_key or ""
        return str(answer["status"])

    def sent(self, action: str = "SetChargingProfile") -> int:
        """Return how many requests of an action the station received."""
        return sum(1 for name, _ in self.station.received if name == action)

    @property
    def issues(self) -> set[str]:
        """Return the kinds of our repair issues."""
        registry = ir.async_get(self.hass)
        return {
            issue.translation_key or ""
            for (domain, _), issue in registry.issues.items()
            if domain == DOMAIN and issue.active
        }


type Dialled = Callable[..., Awaitable[Drive]]
