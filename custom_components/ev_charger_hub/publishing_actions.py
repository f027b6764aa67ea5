"""Actions about firmware that a charger keeps for others behind it (OCPP 2.x L03, L04)."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ActionGroup, Data, response
from .file_actions import (
    ATTR_LOCATION,
    ATTR_RETRIES,
    ATTR_RETRY_INTERVAL,
    ATTR_WAIT,
    LOCATION,
    MAX_WAIT,
    RETRIES,
)
from .helpers import checked, failed, translated_errors
from .station.errors import NotSupported
from .station.firmware import REQUESTS
from .station.link import Capability
from .station.model import ChargingStation
from .station.publishing import Publication, PublishingLink, PublishRequest
from .targets import Target

ATTR_CHECKSUM: Final = "checksum"

_REFUSALS: Final = {
    "downloadongoing": "publishing_ongoing",
    "nofirmware": "publishing_no_firmware",
}


def _publishing(target: Target) -> PublishingLink:
    """Return what publishes firmware; raises NotSupported before OCPP 2.x."""
    publishing = target.station.link(Capability.PUBLISHING).publishing
    if publishing is None:
        raise NotSupported
    return publishing


async def _publish_firmware(target: Target, data: Data) -> JsonObjectType:
    station, name = target.station, target.station.settings.name
    interval: timedelta | None = data.get(ATTR_RETRY_INTERVAL)
    with translated_errors(station):
        publishing = _publishing(target)
        request = PublishRequest(
            request_id=await target.hub.journal.next_number(REQUESTS),
            location=data[ATTR_LOCATION],
            checksum=data[ATTR_CHECKSUM],
            retries=data.get(ATTR_RETRIES),
            retry_interval=None
            if interval is None
            else round(interval.total_seconds()),
        )
        outcome = await publishing.publish(request)
    checked(station, outcome)
    wait: timedelta = data[ATTR_WAIT]
    known = await _outcome(station, request.request_id, wait.total_seconds())
    if known is not None and known.failed:
        raise failed("publishing_failed", charger=name, status=known.status)
    return {
        **response(outcome),
        "request_id": request.request_id,
        "progress": None if known is None else known.status,
        "locations": [] if known is None else [*known.locations],
    }


async def _outcome(
    station: ChargingStation, request_id: int, seconds: float
) -> Publication | None:
    """Return how far a charger is after so many seconds, or once it is over."""
    over = asyncio.Event()

    def news() -> None:
        last = _last(station, request_id)
        if last is not None and last.over:
            over.set()

    end = station.publication.subscribe(news)
    try:
        news()
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        pass
    finally:
        end()
    return _last(station, request_id)


def _last(station: ChargingStation, request_id: int) -> Publication | None:
    """Return the last news of a request; some stations leave its number out."""
    last = station.publication.value
    fits = last is not None and last.request_id in {None, request_id}
    return last if fits else None


async def _unpublish_firmware(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        outcome = await _publishing(target).unpublish(data[ATTR_CHECKSUM])
    if not outcome.ok and (key := _REFUSALS.get(outcome.answer.lower())):
        raise failed(key, charger=station.settings.name)
    return response(checked(station, outcome))


_CHECKSUM: Final = vol.All(cv.string, vol.Match(r"^[0-9A-Fa-f]{32}$"))
_PUBLISH: Final[dict[Any, Any]] = {
    vol.Required(ATTR_LOCATION): LOCATION,
    vol.Required(ATTR_CHECKSUM): _CHECKSUM,
    **RETRIES,
    vol.Optional(ATTR_WAIT, default=timedelta(minutes=1)): vol.All(
        cv.positive_time_period, vol.Range(max=MAX_WAIT)
    ),
}

ACTIONS: Final = ActionGroup(
    admin_commands={
        "publish_firmware": (_publish_firmware, _PUBLISH),
        "unpublish_firmware": (
            _unpublish_firmware,
            {vol.Required(ATTR_CHECKSUM): _CHECKSUM},
        ),
    },
)
