"""Actions about the ways by which a charger dials: other addresses, and back again."""

from typing import Any, Final

import probatio as vol
from yarl import URL

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ActionGroup, Data, response
from .helpers import checked, invalid, translated_errors
from .station.errors import NotSupported
from .station.link import Capability
from .station.networks import Interface, NetworkLink, NetworkProfile, NetworkSlots
from .station.security.profile import ENCRYPTED, HIGHEST
from .targets import Target

ATTR_INTERFACE: Final = "interface"
ATTR_SECURITY_PROFILE: Final = "security_profile"
ATTR_SLOT: Final = "slot"
ATTR_TIMEOUT: Final = "timeout"
ATTR_URL: Final = "url"

_MAX_URL = 512
_MAX_SLOT = 99


def _address(value: object) -> URL:
    """Return where a charger may dial: no secret is to stand in it."""
    text = cv.string(value).strip()
    try:
        url = URL(text)
    except ValueError as err:
        raise vol.Invalid("expected a URL") from err
    if url.scheme not in {"ws", "wss"} or not url.host or len(text) > _MAX_URL:
        raise vol.Invalid("expected a URL that begins with ws:// or wss://")
    if url.user or url.password or url.query_string or url.fragment:
        raise vol.Invalid("expected a URL without password, query and fragment")
    return url


def _told(target: Target, url: URL, profile: int) -> str:
    """Return a URL as a charger is told it: it adds its identity by itself."""
    if (url.scheme == "wss") != (profile >= ENCRYPTED):
        raise invalid(
            "url_needs_profile",
            charger=target.station.settings.name,
            profile=str(profile),
            scheme="wss" if profile >= ENCRYPTED else "ws",
        )
    if url.name == target.station.identity:
        url = url.parent
    return str(url).rstrip("/")


async def _slots(target: Target) -> tuple[NetworkLink, NetworkSlots]:
    """Return what a charger says of the ways that it knows."""
    station = target.station
    with translated_errors(station):
        networks = station.link(Capability.NETWORKS).networks
        if networks is None:
            raise NotSupported
        outcome, slots = await networks.slots()
    checked(station, outcome)
    return networks, slots


async def _get_network_profiles(target: Target, data: Data) -> JsonObjectType:
    _, slots = await _slots(target)
    return {
        "active": slots.active,
        "priority": list(slots.priority),
        "slots": list(slots.allowed),
    }


async def _set_network_profile(target: Target, data: Data) -> JsonObjectType:
    station, slot = target.station, data[ATTR_SLOT]
    profile = data[ATTR_SECURITY_PROFILE]
    url = _told(target, data[ATTR_URL], profile)
    networks, slots = await _slots(target)
    if slot == slots.used:
        # What it dials now is what it comes back by.
        raise invalid(
            "network_slot_in_use", charger=station.settings.name, slot=str(slot)
        )
    if slots.allowed and slot not in slots.allowed:
        raise invalid(
            "network_slot_unknown",
            charger=station.settings.name,
            slot=str(slot),
            slots=", ".join(map(str, slots.allowed)),
        )
    with translated_errors(station):
        outcome = await networks.set_network(
            slot,
            NetworkProfile(
                url=url,
                security_profile=profile,
                interface=data.get(ATTR_INTERFACE),
                timeout=data[ATTR_TIMEOUT],
            ),
        )
    return response(checked(station, outcome))


async def _move_charger(target: Target, data: Data) -> JsonObjectType:
    security = target.dialed.security
    profile = security.profile.value or 0
    url = _told(target, data[ATTR_URL], profile)
    with translated_errors(target.station):
        target.station.link(Capability.NETWORKS)
        await security.move(url)
    upgrade = security.upgrade.value
    return {"profile": profile, "step": None if upgrade is None else upgrade.step}


def _whole(least: int, most: int) -> Any:
    return vol.All(vol.Coerce(int), vol.Range(min=least, max=most))


ACTIONS: Final = ActionGroup(
    admin_commands={
        "move_charger": (_move_charger, {vol.Required(ATTR_URL): _address}),
        "set_network_profile": (
            _set_network_profile,
            {
                vol.Required(ATTR_SLOT): _whole(1, _MAX_SLOT),
                vol.Required(ATTR_URL): _address,
                vol.Required(ATTR_SECURITY_PROFILE): _whole(0, HIGHEST),
                vol.Optional(ATTR_INTERFACE): vol.All(cv.string, vol.Coerce(Interface)),
                vol.Optional(ATTR_TIMEOUT, default=30): _whole(1, 3600),
            },
        ),
    },
    admin_queries={"get_network_profiles": (_get_network_profiles, {})},
)
