"""Easee buttons: what a charger is told through the Easee cloud."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee.writing import Order
from .easee_writes import async_order
from .entity import HubEntity, HubEntityDescription


@dataclass(frozen=True, kw_only=True)
class EaseeButtonDescription(
    ButtonEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe an order."""

    order: Order


EASEE_BUTTONS: tuple[EaseeButtonDescription, ...] = (
    EaseeButtonDescription(
        key="override_schedule",
        order=Order.OVERRIDE_SCHEDULE,
        translation_key="override_schedule",
    ),
    EaseeButtonDescription(
        key="pair_token",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        order=Order.PAIR_TOKEN,
        translation_key="pair_token",
    ),
    EaseeButtonDescription(
        key="poll_energy",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        order=Order.POLL_ENERGY,
        translation_key="poll_energy",
    ),
    EaseeButtonDescription(
        key="poll_status",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        order=Order.POLL_STATUS,
        translation_key="poll_status",
    ),
)


class EaseeButton(HubEntity[EaseeCharger], ButtonEntity):
    """An order to a charger."""

    entity_description: EaseeButtonDescription

    @override
    async def async_press(self) -> None:
        """Give the order."""
        await async_order(self.hub_station, self.subject, self.entity_description.order)
