"""What an Easee home is judged by after bad weather: states, requests, reauths."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .easee import EaseeHome
from .entities import entity_id, state
from simulators.easee_cloud import Charger, EaseeCloud, Vehicle
from simulators.easee_cloud.answers import HTML
from simulators.easee_cloud.journal import Request
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND

LOGIN: Final = "/api/accounts/login"
REFRESH: Final = "/api/accounts/refresh_token"
NEGOTIATE: Final = "/negotiate$"
HOUR: Final = 3600
MINUTE: Final = 60
BUDGET: Final = 90
LOGINS: Final = 2
WINDOW: Final = 300
SILENCE: Final = 20 * MINUTE
"""Seconds after which a charger that says nothing counts as gone."""
STATUS: Final = f"{CHARGER}_1_status"

NUMBERS: Final = {
    "1_power_active_import": (120, 1000.0),
    "1_current_offered": (114, 1.0),
    "1_session_energy": (121, 1.0),
    "temperature_maximum": (150, 1.0),
}
"""Sensors of chargers that show an observation, and by what it is multiplied."""
OF_EQUALIZER: Final = {
    "import_power": 40,
    "import_energy": 45,
    "grid_current_l1": 31,
    "grid_current_l2": 32,
    "grid_current_l3": 33,
    "available_current_l1": 87,
}
SWITCHES: Final = {"enabled": 31, "cable_lock": 30, "smart_charging": 102}
MODES: Final = {
    1: "disconnected",
    2: "awaiting_start",
    3: "charging",
    4: "completed",
    6: "ready_to_charge",
}


OUTAGES: Final[dict[str, tuple[int | None, Any]]] = {
    "cut": (None, None),
    "500": (500, {"title": "Internal Server Error"}),
    "502": (502, HTML),
    "503": (503, None),
    "401": (401, None),
    "403": (403, {"message": "Forbidden"}),
    "429": (429, {"message": "Too many requests"}),
    "page": (200, HTML),
}
"""What a cloud answers that does not work at all."""
LONG: Final = 2 * HOUR
ERRORS: Final = {
    "easee_address_blocked",
    "easee_cannot_connect",
    "easee_login_paused",
    "easee_forbidden",
    "easee_rate_limited",
    "rejected",
    "timed_out",
}
"""What a user may be told of a command that went nowhere."""


def reauths(hass: HomeAssistant) -> list[Any]:
    """Return the requests to log in again."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


def wrong(hass: HomeAssistant, cloud: EaseeCloud) -> dict[str, tuple[str, str]]:
    """Return what is shown that the cloud says otherwise: shown and said, by key."""
    return {
        key: (shown, said)
        for key, shown, said in _compared(hass, cloud)
        if not _same(shown, said)
    }


def _compared(hass: HomeAssistant, cloud: EaseeCloud) -> Iterator[tuple[str, str, str]]:
    for serial in (CHARGER, SECOND):
        yield from _of_charger(hass, cloud.chargers[serial])
    equalizer = cloud.equalizers[EQUALIZER]
    for key, number in OF_EQUALIZER.items():
        unique_id = f"{EQUALIZER}_{key}"
        said = str(equalizer.known[number].value)
        yield unique_id, state(hass, "sensor", unique_id), said


def _of_charger(
    hass: HomeAssistant, charger: Charger
) -> Iterator[tuple[str, str, str]]:
    serial, known = charger.serial, charger.known
    online = f"{serial}_connectivity"
    yield online, state(hass, "binary_sensor", online), _word(charger.online)
    if not charger.online:
        status = f"{serial}_1_status"
        yield status, state(hass, "sensor", status), STATE_UNAVAILABLE
        return
    detailed = f"{serial}_detailed_status"
    yield detailed, state(hass, "sensor", detailed), MODES[int(charger.mode)]
    for key, (number, factor) in NUMBERS.items():
        if key == "1_session_energy" and charger.session is None:
            continue
        said = str(float(known[number].value) * factor)
        yield f"{serial}_{key}", state(hass, "sensor", f"{serial}_{key}"), said
    for key, number in SWITCHES.items():
        said = _word(bool(known[number].value))
        yield f"{serial}_{key}", state(hass, "switch", f"{serial}_{key}"), said
    key = f"{serial}_maximum_current"
    yield key, state(hass, "number", key), str(known[47].value)


def _word(on: bool) -> str:
    return "on" if on else "off"


def _same(shown: str, said: str) -> bool:
    """Return whether it is the same, but for the energy of the last minute."""
    try:
        return abs(float(shown) - float(said)) < 0.3
    except ValueError:
        return shown == said


def sins(home: EaseeHome, *, asked: int = 0, lost: bool = False) -> list[str]:
    """Return what no weather excuses.

    The user may have been `asked` for a password, and answers `lost`: whoever did not
    hear the successor of a refresh token has no other than the one that is used up.
    """
    journal, tokens = home.cloud.journal, home.cloud.tokens
    busiest = journal.busiest(WINDOW, None, "")
    used = journal.busiest(HOUR // 2, "POST", LOGIN)
    found = {
        f"{busiest} requests in {WINDOW} s": busiest > BUDGET,
        f"{used} logins in half an hour": used > LOGINS,
        f"{tokens.reused} refresh tokens used again": tokens.reused > 0 and not lost,
        f"{len(reauths(home.hass))} reauths": len(reauths(home.hass)) != asked,
    }
    return [what for what, is_so in found.items() if is_so]


async def a_minute_later(home: EaseeHome) -> dict[str, tuple[str, str]]:
    """Return what is wrong a minute after a recovery."""
    await home.passes(MINUTE)
    return wrong(home.hass, home.cloud)


def gap_after(
    journal: Iterable[Request], status: int, pattern: str = ""
) -> timedelta | None:
    """Return the shortest time from an answer to the next request; None without one."""
    found: list[timedelta] = []
    last: datetime | None = None
    for request in journal:
        if not request.matches(None, pattern):
            continue
        if last is not None and request.at > last:
            found.append(request.at - last)
            last = None
        if request.status == status:
            last = request.at
    return min(found, default=None)


def live_on(cloud: EaseeCloud) -> None:
    """Let everything change."""
    first, second = (cloud.chargers[one] for one in (CHARGER, SECOND))
    first.unplug()
    first.observe(102, True)
    second.plug_in(Vehicle(maximum_current=10.0, phases=1))
    cloud.equalizers[EQUALIZER].set_house([5, 6, 7], solar=1.0)


def shift_clock(cloud: EaseeCloud, by: timedelta) -> None:
    """Let the cloud's clock be wrong, as if it had always been."""
    cloud.clock.skew = by
    for product in (*cloud.chargers.values(), *cloud.equalizers.values()):
        for number, known in product.known.items():
            product.known[number] = replace(known, at=known.at + by)


async def use(home: EaseeHome, domain: str, service: str, **data: Any) -> str | None:
    """Call an action; return the key of what the user is told, None if it worked."""
    work = home.hass.services.async_call(domain, service, data, blocking=True)
    task = asyncio.ensure_future(work)
    for _ in range(200):
        if task.done():
            break
        await home.time.pass_time(0.5)
    try:
        await task
    except HomeAssistantError as err:
        return err.translation_key
    return None


def set_limit(home: EaseeHome) -> Any:
    """Return what sets the limit of the charger to 9 A."""
    limit = entity_id(home.hass, "number", f"{CHARGER}_1_current_limit")
    return use(home, "number", "set_value", entity_id=limit, value=9)


def orders(cloud: EaseeCloud) -> int:
    """Return how many requests came that change something."""
    return len(cloud.journal.find("POST", f"/{CHARGER}/(commands|settings)"))
