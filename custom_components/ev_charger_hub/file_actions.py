"""Actions about files: firmware for a charger, and logs from it."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ActionGroup, Data, response
from .helpers import checked, failed, invalid, translated_errors
from .log_files import LogFiles, LogWish
from .ocpp.signatures import check_signature
from .profile_words import moment
from .station.clock import utc_now
from .station.commands import FirmwareRequest, LogKind
from .station.firmware import Firmware, FirmwareOffer
from .station.link import Capability
from .station.logs import LogTask, Transfer
from .station.model import ChargingStation
from .station.outcome import Outcome
from .targets import Target

ATTR_CERTIFICATE: Final = "certificate"
ATTR_INSTALL_AT: Final = "install_at"
ATTR_LOCATION: Final = "location"
ATTR_LOG: Final = "log"
ATTR_RELEASE_URL: Final = "release_url"
ATTR_REPLACE: Final = "replace"
ATTR_RETRIES: Final = "retries"
ATTR_RETRIEVE_AT: Final = "retrieve_at"
ATTR_RETRY_INTERVAL: Final = "retry_interval"
ATTR_SIGNATURE: Final = "signature"
ATTR_SINCE: Final = "since"
ATTR_TRANSFER: Final = "transfer"
ATTR_UNTIL: Final = "until"
ATTR_VERSION: Final = "version"
ATTR_WAIT: Final = "wait"

MAX_LOCATION = 512
MAX_WAIT = timedelta(minutes=10)
_AUTO = "auto"
_SCHEMES = frozenset({"ftp", "ftps", "http", "https", "sftp"})


def _location(value: object) -> str:
    """Return an address that a charger can fetch from, or upload to."""
    text: str = vol.All(cv.string, vol.Length(min=1, max=MAX_LOCATION))(value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise vol.Invalid("expected an address such as https://example.com/file.bin")
    return text


async def async_update_firmware(
    firmware: Firmware,
    station: ChargingStation,
    offer: FirmwareOffer,
    data: Data,
) -> tuple[int, Outcome]:
    """Have a charger update its firmware; return the request id and its answer."""
    _check_signed(station, offer)
    # The charger goes by its own clock.
    ahead = station.skew.ahead
    install_at: datetime | None = data.get(ATTR_INSTALL_AT)
    with translated_errors(station):
        link = station.link(Capability.FIRMWARE)
        request = FirmwareRequest(
            request_id=await firmware.next_id(),
            location=offer.location,
            retrieve_at=data.get(ATTR_RETRIEVE_AT, utc_now()) + ahead,
            install_at=install_at and install_at + ahead,
            retries=data.get(ATTR_RETRIES),
            retry_interval=_seconds(data.get(ATTR_RETRY_INTERVAL)),
            certificate=offer.certificate,
            signature=offer.signature,
        )
        outcome = await firmware.request(
            link,
            request,
            offer.version or None,
            replace_running=data.get(ATTR_REPLACE, False),
        )
    return request.request_id, checked(station, outcome)


def _check_signed(station: ChargingStation, offer: FirmwareOffer) -> None:
    """Raise if a signed update cannot work."""
    if (offer.certificate is None) is not (offer.signature is None):
        raise invalid("firmware_half_signed", charger=station.settings.name)
    if offer.certificate is None or offer.signature is None:
        return
    problem = check_signature(offer.certificate, offer.signature, utc_now())
    if problem is not None:
        raise invalid(f"firmware_{problem}", charger=station.settings.name)


async def _update_firmware(target: Target, data: Data) -> JsonObjectType:
    firmware = target.hub_station.firmware
    offer = _offer(data) if ATTR_LOCATION in data else firmware.offer.value
    if offer is None:
        raise invalid("firmware_no_location", charger=target.station.settings.name)
    request_id, outcome = await async_update_firmware(
        firmware, target.station, offer, data
    )
    return {**response(outcome), "request_id": request_id}


async def _offer_firmware(target: Target, data: Data) -> JsonObjectType:
    offer = _offer(data)
    _check_signed(target.station, offer)
    with translated_errors(target.station):
        await target.hub_station.firmware.set_offer(offer)
    return {"version": offer.version}


async def _withdraw_firmware(target: Target, data: Data) -> JsonObjectType:
    with translated_errors(target.station):
        await target.hub_station.firmware.set_offer(None)
    return {}


def _offer(data: Data) -> FirmwareOffer:
    return FirmwareOffer(
        version=data.get(ATTR_VERSION, ""),
        location=data[ATTR_LOCATION],
        certificate=data.get(ATTR_CERTIFICATE),
        signature=data.get(ATTR_SIGNATURE),
        release_url=data.get(ATTR_RELEASE_URL),
    )


async def _get_log(target: Target, data: Data) -> JsonObjectType:
    files = target.dialed.log_files
    transfer = data[ATTR_TRANSFER]
    since, until = data.get(ATTR_SINCE), data.get(ATTR_UNTIL)
    # The charger wrote it by its own clock.
    ahead = target.station.skew.ahead
    task = await files.async_fetch(
        LogWish(
            kind=LogKind(data[ATTR_LOG]),
            location=data.get(ATTR_LOCATION),
            transfer=None if transfer == _AUTO else Transfer(transfer),
            since=since and since + ahead,
            until=until and until + ahead,
            retries=data.get(ATTR_RETRIES),
            retry_interval=_seconds(data.get(ATTR_RETRY_INTERVAL)),
        )
    )
    wait: timedelta = data[ATTR_WAIT]
    task = await files.async_wait(task, wait.total_seconds())
    if task.failed:
        name = target.station.settings.name
        raise failed("log_not_uploaded", charger=name, status=task.status)
    return _told(files, task)


async def _get_log_files(target: Target, data: Data) -> JsonObjectType:
    files = target.dialed.log_files
    newest_first = reversed(files.logs.tasks.values())
    return {"logs": [_told(files, one) for one in newest_first]}


def _told(files: LogFiles, task: LogTask) -> JsonObjectType:
    """Return a log for a response; the size in bytes."""
    file = task.file
    return {
        "request_id": task.request_id,
        "log": task.kind,
        "status": task.status,
        "requested": task.asked_at.isoformat(),
        "filename": file.name if file is not None else task.expected,
        "size": file.size if file is not None else None,
        "url": files.async_url(task),
    }


def _seconds(interval: timedelta | None) -> int | None:
    return None if interval is None else round(interval.total_seconds())


LOCATION: Final = _location
RETRIES: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_RETRIES): vol.All(vol.Coerce(int), vol.Range(min=0, max=100)),
    vol.Optional(ATTR_RETRY_INTERVAL): cv.positive_time_period,
}
_SIGNED: dict[Any, Any] = {
    vol.Optional(ATTR_CERTIFICATE): cv.string,
    vol.Optional(ATTR_SIGNATURE): cv.string,
}
_VERSION = vol.All(cv.string, vol.Length(min=1, max=50))

ACTIONS: Final = ActionGroup(
    queries={"get_log_files": (_get_log_files, {})},
    admin_commands={
        "get_log": (
            _get_log,
            {
                vol.Optional(ATTR_LOG, default=LogKind.DIAGNOSTICS.value): vol.In(
                    [str(kind) for kind in LogKind]
                ),
                vol.Optional(ATTR_LOCATION): LOCATION,
                vol.Optional(ATTR_TRANSFER, default=_AUTO): vol.In(
                    [_AUTO, *(str(one) for one in Transfer)]
                ),
                vol.Optional(ATTR_SINCE): moment,
                vol.Optional(ATTR_UNTIL): moment,
                **RETRIES,
                vol.Optional(ATTR_WAIT, default=timedelta(minutes=1)): vol.All(
                    cv.positive_time_period, vol.Range(max=MAX_WAIT)
                ),
            },
        ),
        "offer_firmware": (
            _offer_firmware,
            {
                vol.Required(ATTR_VERSION): _VERSION,
                vol.Required(ATTR_LOCATION): LOCATION,
                **_SIGNED,
                vol.Optional(ATTR_RELEASE_URL): cv.url,
            },
        ),
        "update_firmware": (
            _update_firmware,
            {
                vol.Optional(ATTR_LOCATION): LOCATION,
                vol.Optional(ATTR_VERSION): _VERSION,
                vol.Optional(ATTR_RETRIEVE_AT): moment,
                vol.Optional(ATTR_INSTALL_AT): moment,
                vol.Optional(ATTR_REPLACE, default=False): cv.boolean,
                **_SIGNED,
                **RETRIES,
            },
        ),
        "withdraw_firmware": (_withdraw_firmware, {}),
    },
)
