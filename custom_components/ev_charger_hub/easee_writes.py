"""Easee writes: what a user changes at a charger through the Easee cloud."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from homeassistant.util import dt as dt_util

from .easee.ids import ChargerId
from .easee.readings import Value
from .easee.writing import Order, write
from .easee_errors import translated_easee_errors
from .helpers import checked, failed, invalid
from .models import HubStation
from .station.outcome import Outcome

if TYPE_CHECKING:
    from .easee.account import EaseeAccount
    from .easee.charger import EaseeCharger

POLLS: Final = frozenset({Order.POLL_ENERGY, Order.POLL_STATUS})
INTERVAL: Final = timedelta(minutes=3)
"""How often a charger may be asked for a value (easee_cloud.md 1.5)."""


def account_of(hub_station: HubStation) -> EaseeAccount:
    """Return the account through which a charger is reached."""
    if (cloud := hub_station.cloud.value) is None:
        raise failed("not_connected", charger=hub_station.station.settings.name)
    return cloud.hub.account


async def async_write(
    hub_station: HubStation, charger: EaseeCharger, number: ChargerId, value: Value
) -> None:
    """Change what a charger reports under a number; raises what users read."""
    account, station = account_of(hub_station), charger.station
    with translated_easee_errors(station.settings.name):
        outcome = await write(account, charger, number, value)
    checked(station, outcome)


async def async_order(
    hub_station: HubStation, charger: EaseeCharger, order: Order
) -> Outcome:
    """Tell a charger to do something; raises what users read."""
    account, station = account_of(hub_station), charger.station
    now = account.time()
    if order in POLLS and (asked_at := charger.asked_at.get(order)) is not None:
        if now < (again_at := asked_at + INTERVAL):
            shown = f"{dt_util.as_local(again_at):%H:%M:%S}"
            raise invalid("too_soon", again_at=shown, charger=station.settings.name)
    with translated_easee_errors(station.settings.name):
        outcome = await account.commands.command(charger.serial, order)
    checked(station, outcome)
    charger.asked_at[order] = now
    return outcome
