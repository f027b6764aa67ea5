"""Texts of chargers: variables that are several members of a list."""

from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.components.text import TextEntity, TextEntityDescription
from homeassistant.const import EntityCategory, Platform

from .device_variables import VariableDescription, VariableEntity, of_kind
from .growth import HubPlatform
from .helpers import invalid
from .station.variables import DeviceVariable, Kind

PARALLEL_UPDATES = 0

LENGTH: Final = 255
"""Home Assistant refuses states that are longer."""


@dataclass(frozen=True, kw_only=True)
class TextVariableDescription(TextEntityDescription, VariableDescription):
    """Describe a variable that is a list."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG


OTHER_TEXTS: tuple[TextVariableDescription, ...] = (
    TextVariableDescription(
        key="variable",
        entity_registry_enabled_default=False,
        native_max=LENGTH,
        translation_key="device_variable",
    ),
)
"""What the variables have in common."""


def _other(variable: DeviceVariable, common: dict[str, Any]) -> TextVariableDescription:
    """Return the description of a variable."""
    return replace(OTHER_TEXTS[0], **common)


class HubVariableText(VariableEntity, TextEntity):
    """Members of a list that are set at a charger, with commas between them."""

    entity_description: TextVariableDescription
    kind = Kind.LIST

    @override
    def _show(self, reading: DeviceVariable | None) -> None:
        value = None if reading is None else reading.value
        fits = value is not None and len(value) <= LENGTH
        self._attr_native_value = value if fits else None

    @override
    async def async_set_value(self, value: str) -> None:
        """Set the list, if all its members are allowed."""
        reading = self._reading()
        allowed = () if reading is None else reading.options
        members = [one for part in value.split(",") if (one := part.strip())]
        if strange := [one for one in members if one not in allowed]:
            raise invalid(
                "variable_members",
                allowed=", ".join(allowed)[:LENGTH],
                member=strange[0],
            )
        await self._async_set(",".join(dict.fromkeys(members)))


async_setup_entry = HubPlatform(
    platform=Platform.TEXT, entity=HubVariableText, more=of_kind(Kind.LIST, _other)
).async_setup_entry
