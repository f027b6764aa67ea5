"""Selects of variables: what is chosen at a charger from a list."""

from dataclasses import dataclass, replace
from typing import Any, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory

from .device_variables import VariableDescription, VariableEntity, of_kind
from .station.variables import DeviceVariable, Kind


@dataclass(frozen=True, kw_only=True)
class SelectVariableDescription(SelectEntityDescription, VariableDescription):
    """Describe a variable that is one of a list."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG


OTHER_SELECTS: tuple[SelectVariableDescription, ...] = (
    SelectVariableDescription(
        key="variable",
        entity_registry_enabled_default=False,
        translation_key="device_variable",
    ),
)
"""What the variables have in common."""


def _other(
    variable: DeviceVariable, common: dict[str, Any]
) -> SelectVariableDescription:
    """Return the description of a variable."""
    return replace(OTHER_SELECTS[0], **common)


class HubVariableSelect(VariableEntity, SelectEntity):
    """A choice that is made at a charger, in its own words."""

    entity_description: SelectVariableDescription
    kind = Kind.CHOICE

    @override
    def _show(self, reading: DeviceVariable | None) -> None:
        self._attr_options = [] if reading is None else [*reading.options]
        value = None if reading is None else reading.value
        self._attr_current_option = value if value in self._attr_options else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Make the choice."""
        await self._async_set(option)


other_selects = of_kind(Kind.CHOICE, _other)
