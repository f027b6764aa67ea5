"""Prices: what a kWh costs, as an entity of the user tells it."""

from decimal import Decimal, InvalidOperation
from typing import Final

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from .station.costs import Costs
from .station.model import ChargingStation

_CENTS: Final = frozenset(
    (
        "¢",
        "c",
        "c€",
        "cent",
        "cents",
        "ct",
        "eurocent",
        "gr",
        "p",
        "snt",
        "€c",
        "öre",
        "øre",
    )
)
_PER: Final = {"gwh": Decimal("1e-6"), "mwh": Decimal("1e-3"), "wh": Decimal("1e3")}


class PriceWatch:
    """The price of one charger, as long as the user has an entity for it."""

    def __init__(
        self, hass: HomeAssistant, station: ChargingStation, costs: Costs
    ) -> None:
        """Follow the entity of the settings, whichever that is."""
        self._hass = hass
        self._station = station
        self._costs = costs
        self._entity_id: str | None = None
        self._untrack: CALLBACK_TYPE | None = None
        # Changed settings are told like this.
        self._unsubscribe = station.online.subscribe(self._update)
        if station.settings.price_entity is None:
            self._forget()
        self._update()

    @callback
    def close(self) -> None:
        """Follow nothing any more."""
        self._unsubscribe()
        if self._untrack is not None:
            self._untrack()

    @callback
    def _update(self) -> None:
        """Follow another entity if the user has chosen one."""
        if (entity_id := self._station.settings.price_entity) == self._entity_id:
            return
        if self._untrack is not None:
            self._untrack()
            self._untrack = None
        if self._entity_id is not None:
            self._forget()
        self._entity_id = entity_id
        if entity_id is not None:
            self._untrack = async_track_state_change_event(
                self._hass, entity_id, self._async_changed
            )
            self._take(self._hass.states.get(entity_id))

    @callback
    def _async_changed(self, event: Event[EventStateChangedData]) -> None:
        self._take(event.data["new_state"])

    def _forget(self) -> None:
        """Have no price."""
        self._costs.set_price(None, self._hass.config.currency)

    def _take(self, state: State | None) -> None:
        """Take a price; without one the last one holds."""
        if state is not None and (price := price_of(state)) is not None:
            self._costs.set_price(price, self._hass.config.currency)


def price_of(state: State) -> Decimal | None:
    """Return the price of a kWh in the currency of the house, None if it is none."""
    try:
        price = Decimal(state.state)
    except InvalidOperation:
        return None
    if not price.is_finite() or abs(price) > 10**6:
        return None
    unit = str(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) or "").lower()
    money, _, energy = unit.partition("/")
    if money.strip() in _CENTS:
        price /= 100
    return price * _PER.get(energy.strip(), Decimal(1))
