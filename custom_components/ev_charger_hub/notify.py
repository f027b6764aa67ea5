"""Notify entities: the displays of chargers."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.notify import NotifyEntity, NotifyEntityDescription
from homeassistant.const import Platform

from .display_actions import async_clear, async_show, check_length, display_of
from .entity import HubEntity, HubEntityDescription
from .growth import HubPlatform
from .helpers import translated_errors
from .station.display import NOTICE, DisplayMessage, DisplayText, Priority
from .station.model import ChargingStation

PARALLEL_UPDATES: Final = 0


@dataclass(frozen=True, kw_only=True)
class HubNotifyDescription(
    NotifyEntityDescription, HubEntityDescription[ChargingStation]
):
    """Describe something that shows messages."""


def _has_display(station: ChargingStation) -> bool:
    """Return whether a station says that it shows messages."""
    displays = [link.display for link in station.links]
    return any(one is not None and one.support.available for one in displays)


STATION_NOTIFIERS: Final = (
    HubNotifyDescription(
        key="display",
        by_server=True,
        exists_fn=_has_display,
        translation_key="display",
    ),
)


class HubNotify(HubEntity[ChargingStation], NotifyEntity):
    """The display of a charger; a new message takes the place of the last one."""

    entity_description: HubNotifyDescription

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Show a message until the next one; an empty one takes the last away."""
        with translated_errors(self.station):
            display = display_of(self.station)
        if not message.strip():
            await async_clear(self.station, display, NOTICE)
            return
        support = display.support
        check_length(self.station, support, message)
        text = DisplayText(content=message, format=support.format_of(message))
        shown = DisplayMessage(
            message_id=NOTICE,
            priority=support.priority_of(Priority.NORMAL_CYCLE),
            text=text,
        )
        await async_show(self.station, display, shown)


async_setup_entry = HubPlatform(
    platform=Platform.NOTIFY, entity=HubNotify, of_station=STATION_NOTIFIERS
).async_setup_entry
