"""Device variables: what entities that show or set variables of a charger share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, override

from .const import CONF_CLOCK_INTERVAL, CONF_METER_INTERVAL
from .entity import HubEntity, HubEntityDescription
from .growth import Candidate
from .helpers import checked, failed, translated_errors
from .hub_base import Hub
from .station.model import ChargingStation, Evse
from .station.variables import DeviceVariable, Kind, Named, NotTaken, write

MAX_VALUE: Final = 100
"""So much of what a charger says instead stands in an error."""

_MAX_LABEL: Final = 120

# Set-up writes them after every boot: the user's wish is kept with the settings.
_SETTINGS: Final = {
    Named.CLOCK_INTERVAL: CONF_CLOCK_INTERVAL,
    Named.METER_INTERVAL: CONF_METER_INTERVAL,
}


@dataclass(frozen=True, kw_only=True)
class VariableDescription(HubEntityDescription[Any]):
    """Describe an entity as a view of one variable, by its name."""

    local: bool = True
    variable: str = ""


def settable(name: Named) -> dict[str, Any]:
    """Return what describes the entity that sets a variable with a name of ours."""
    return {
        "channels_fn": lambda station: (station.variables.channel(name),),
        "exists_fn": lambda station: _settable(station.variables.get(name)),
        "variable": name.value,
    }


def _settable(variable: DeviceVariable | None) -> bool:
    return variable is not None and variable.writable and variable.readable


def of_kind[D: VariableDescription](
    kind: Kind, describe: Callable[[DeviceVariable, dict[str, Any]], D]
) -> Callable[[ChargingStation], Iterator[Candidate]]:
    """Return what yields the variables of a kind, as far as they have no name of ours.

    `describe` gets what all descriptions of variables have in common.
    """

    def candidates(station: ChargingStation) -> Iterator[Candidate]:
        for variable in station.variables:
            if variable.named is not None or variable.kind is not kind:
                continue
            if not variable.evse_id:
                yield station, describe(variable, _common(variable))
            elif (evse := station.evses.get(variable.evse_id)) is not None:
                yield evse, describe(variable, _common(variable))

    return candidates


def _common(variable: DeviceVariable) -> dict[str, Any]:
    name = variable.name
    return {
        "key": f"variable_{variable.key}",
        "channels_fn": lambda subject: (_station(subject).variables.channel(name),),
        "placeholders": {"variable": _label(variable)},
        "variable": name,
    }


def _label(variable: DeviceVariable) -> str:
    """Return the name without its EVSE, which the device tells."""
    place = f"#{variable.evse_id}"
    if variable.connector_id is not None:
        place = f"{place}/{variable.connector_id}"
    several = variable.connector_id is not None and variable.connector_id > 1
    name = variable.name.replace(place, f"#{variable.connector_id}" if several else "")
    return name[:_MAX_LABEL]


def _station(subject: ChargingStation | Evse) -> ChargingStation:
    return subject if isinstance(subject, ChargingStation) else subject.station


class VariableEntity(HubEntity[Any]):
    """An entity that shows a variable as its charger last told it."""

    entity_description: VariableDescription
    kind: Kind

    @override
    def _reading(self) -> DeviceVariable | None:
        variable = self.station.variables.get(self.entity_description.variable)
        if variable is None or (
            variable.named is None and variable.kind is not self.kind
        ):
            return None
        return variable

    @override
    def _available(self, reading: object) -> bool:
        """Return whether the charger has such a variable, and is there."""
        return reading is not None and super()._available(reading)

    async def _async_set(self, text: str) -> None:
        """Set the variable, and tell what became of that."""
        reading = self._reading()
        if reading is None:
            raise failed("variable_gone", charger=self.station.settings.name)
        await async_write(self.hub, self.station, reading, text)


async def async_write(
    hub: Hub[Any], station: ChargingStation, variable: DeviceVariable, text: str
) -> None:
    """Set a variable of a charger; raises what a user reads."""
    charger = station.settings.name
    with translated_errors(station):
        try:
            outcome = await write(station, variable, text)
        except NotTaken as err:
            value = err.value[:MAX_VALUE]
            raise failed("variable_not_taken", charger=charger, value=value) from err
    checked(station, outcome)
    if variable.named in _SETTINGS:
        hub.change_charger(station.identity, {_SETTINGS[variable.named]: int(text)})
