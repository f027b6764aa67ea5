"""Actions about batteries that are swapped (OCPP 2.1)."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ActionGroup, Data, response
from .helpers import checked, invalid, own_id_token, translated_errors
from .station.battery_swap import SwapNotAllowed
from .station.errors import NotSupported
from .station.link import Capability
from .targets import Target
from .token_entries import token_problem

ATTR_ID_TOKEN: Final = "id_token"  # noqa: S105


async def _request_battery_swap(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    id_token = data.get(ATTR_ID_TOKEN) or own_id_token(target.hub)
    with translated_errors(station):
        if (commands := station.link(Capability.BATTERY_SWAP).battery_swaps) is None:
            raise NotSupported
        try:
            outcome, number = await commands.request_swap(id_token)
        except SwapNotAllowed as err:
            raise invalid("swap_not_allowed", charger=station.settings.name) from err
    return {**response(checked(station, outcome)), "request_id": number}


def _id_token(value: object) -> str:
    """Return a text that can be a token."""
    text = cv.string(value).strip()
    if token_problem(text) is not None:
        raise vol.Invalid("expected an ID token")
    return text


_FIELDS: Final[dict[Any, Any]] = {vol.Optional(ATTR_ID_TOKEN): _id_token}

ACTIONS: Final = ActionGroup(
    commands={"request_battery_swap": (_request_battery_swap, _FIELDS)}
)
