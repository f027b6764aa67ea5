"""Actions that ask a charger itself about its sessions."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ATTR_CONNECTOR, ActionGroup, Data, response
from .helpers import checked, invalid, translated_errors
from .station.errors import NotSupported
from .station.link import Capability
from .station.transaction_status import look_after
from .targets import Target

ATTR_TRANSACTION_ID: Final = "transaction_id"


async def _get_transaction_status(target: Target, data: Data) -> JsonObjectType:
    station, transactions = target.station, target.hub_station.transactions
    name = _meant(target, data)
    with translated_errors(station):
        asker = station.link(Capability.TRANSACTION_STATUS).transactions
        if asker is None:
            raise NotSupported
        if name is None:
            outcome, status = await asker.transaction_status(None)
            closed = False
        else:
            outcome, status, closed = await look_after(asker, transactions, name)
    return {
        **response(checked(station, outcome)),
        "transaction_id": name,
        "ongoing": None if status is None else status.ongoing,
        "messages_in_queue": None if status is None else status.queued,
        "closed": closed,
    }


def _meant(target: Target, data: Data) -> str | None:
    """Return the session that is named, or that of a connector; None is none."""
    if (name := data.get(ATTR_TRANSACTION_ID)) is not None:
        return str(name)
    if not target.named:
        return None
    session = None if target.evse is None else target.evse.session.value
    if session is None:
        raise invalid("no_session", charger=target.station.settings.name)
    return session.transaction_id


_FIELDS: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1)),
    vol.Optional(ATTR_TRANSACTION_ID): vol.All(cv.string, vol.Length(min=1, max=36)),
}

ACTIONS: Final = ActionGroup(
    queries={"get_transaction_status": (_get_transaction_status, _FIELDS)}
)
