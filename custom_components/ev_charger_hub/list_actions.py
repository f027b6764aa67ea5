"""Actions about the local authorization list: send it, and ask what is there."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ActionGroup, Data, response
from .helpers import checked, translated_errors
from .station.link import Capability
from .station.list_ledger import fingerprint
from .station.local_list import SyncEnd
from .station.outcome import Outcome, OutcomeStatus
from .targets import Target

ATTR_FULL: Final = "full"

_FULL: dict[Any, Any] = {vol.Optional(ATTR_FULL, default=False): cv.boolean}


async def _send_local_list(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        done = await target.hub_station.local_list.send(full=data[ATTR_FULL])
    outcome = done.outcome or Outcome(status=OutcomeStatus.ACCEPTED)
    return {
        **response(checked(station, outcome)),
        "sent": done.end is SyncEnd.SENT,
        "full": done.full,
        "version": done.version,
        "tokens": done.entries,
        "left_out": done.left_out,
    }


async def _get_local_list_version(target: Target, data: Data) -> JsonObjectType:
    station, local_list = target.station, target.hub_station.local_list
    with translated_errors(station):
        link = station.link(Capability.LOCAL_LIST)
        outcome, version = await link.local_list_version()
    supported = outcome.status is not OutcomeStatus.NOT_SUPPORTED
    if supported:
        checked(station, outcome)
    support, wanted = link.local_list_support, local_list.wanted
    held = None if version is None else local_list.ledger.holds(version)
    return {
        "supported": supported,
        "enabled": support.enabled,
        "version": version,
        "tokens": None if held is None else len(held),
        "hash": None if held is None else fingerprint(held),
        "in_sync": held == wanted,
        "wanted_tokens": len(wanted),
        "wanted_hash": fingerprint(wanted),
        "max_tokens": support.max_entries,
        "max_tokens_per_message": support.max_per_message,
    }


ACTIONS: Final = ActionGroup(
    commands={"send_local_list": (_send_local_list, _FULL)},
    queries={"get_local_list_version": (_get_local_list_version, {})},
)
