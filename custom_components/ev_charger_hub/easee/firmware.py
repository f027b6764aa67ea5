"""Firmware: the newest one that the cloud has for a product (easee_cloud.md 1.5 #22)."""

from urllib.parse import quote

from .requests import Requests


async def latest_firmware(requests: Requests, serial: str) -> int | None:
    """Return the newest firmware for a charger or an equalizer, None if there is none.

    Raises EaseeError; some roles may not ask.
    """
    reply = await requests.request("GET", f"/firmware/{quote(serial, safe='')}/latest")
    match reply.body:
        case {"latestFirmware": int(latest)}:
            return latest
    return None
