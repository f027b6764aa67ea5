"""Easee asked: entities of what has to be asked for, as long as somebody looks."""

from asyncio import Task
from datetime import timedelta
from typing import Any, Final, override

from homeassistant.core import callback

from .easee.asked import Asked
from .easee.charger import EaseeCharger
from .easee_writes import account_of
from .entity import HubEntity
from .station.channel import Channel

SELDOM: Final = timedelta(hours=6)


class AskedEntity[T](HubEntity[EaseeCharger]):
    """An entity that shows an answer, and asks while it is there."""

    every = SELDOM
    _asked: Asked[T]
    _task: Task[None]

    @override
    def __init__(self, *args: Any) -> None:
        """Have asked for nothing yet."""
        time = account_of(args[1]).time
        self._asked = Asked(time, self._async_ask, self.every)
        super().__init__(*args)

    async def _async_ask(self) -> T | None:
        """Return what the cloud answers."""
        raise NotImplementedError

    @override
    def _channels(self) -> tuple[Channel[Any], ...]:
        return (*super()._channels(), self._asked.value)

    @override
    async def async_added_to_hass(self) -> None:
        """Ask from now on."""
        await super().async_added_to_hass()
        self._task = self.hub.entry.async_create_background_task(
            self.hass, self._asked.run(), f"Easee {self.entity_description.key}"
        )
        self.async_on_remove(self._stop_asking)

    @callback
    def _stop_asking(self) -> None:
        """Ask no more."""
        self._task.cancel()
