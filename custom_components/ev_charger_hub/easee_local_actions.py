"""Actions that move a charger of an Easee account to local OCPP, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import probatio as vol

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_NAME
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .easee.local_problems import Check, Problem
from .easee.local_progress import Progress
from .easee_local import LocalCharging
from .easee_local_errors import LocalRefused, Refusal
from .easee_local_findings import Findings, ServerChoice
from .easee_targets import EaseeTarget, async_resolve_easee
from .entries import async_loaded_servers
from .fields import ActionGroup, Data
from .helpers import failed, invalid
from .models import EvChargerHubConfigEntry
from .profile_words import one_of
from .station.errors import JournalError

ATTR_CHARGE_WHEN_AWAY: Final = "charge_when_away"
ATTR_CONFIRM: Final = "confirm"
ATTR_SERVER: Final = "server"
ATTR_URL: Final = "url"

MOST: Final = 500
"""Characters of an address."""


async def _move_to_local(target: EaseeTarget, data: Data) -> JsonObjectType:
    local, serial = target.hub.local, target.charger.serial
    server = _server(target, data.get(ATTR_SERVER))
    with _errors(target):
        url = data.get(ATTR_URL) or await _best_url(target, server)
        await local.begin(
            serial,
            server,
            url,
            name=data.get(ATTR_NAME),
            confirmed=data[ATTR_CONFIRM],
            charge_when_away=data[ATTR_CHARGE_WHEN_AWAY],
        )
        return _state(local, serial)


async def _move_to_cloud(target: EaseeTarget, _data: Data) -> JsonObjectType:
    local, serial = target.hub.local, target.charger.serial
    with _errors(target):
        await local.undo(serial)
        return _state(local, serial)


async def _get_local_state(target: EaseeTarget, _data: Data) -> JsonObjectType:
    local, serial = target.hub.local, target.charger.serial
    with _errors(target):
        findings = await local.inspect_charger(serial)
        return {**_state(local, serial), **_told(findings)}


def _server(target: EaseeTarget, entry_id: str | None) -> EvChargerHubConfigEntry:
    """Return the server that is meant; raise if that is not clear, or does not run."""
    running = async_loaded_servers(target.hub.hass)
    if entry_id is not None:
        running = [one for one in running if one.entry_id == entry_id]
    if len(running) != 1:
        raise invalid("easee_local_no_server", charger=target.name)
    return running[0]


async def _best_url(target: EaseeTarget, server: EvChargerHubConfigEntry) -> str:
    """Return the best address that is known; raise if there is none."""
    charger = target.hub.local.charger(target.charger.serial)
    choices = await charger.choices()
    if all(one.entry is not server for one in choices):
        raise LocalRefused(Refusal.IDENTITY_TAKEN)
    for choice in choices:
        if choice.entry is server and choice.urls and choice.urls[0].possible:
            return choice.urls[0].url
    raise invalid("easee_local_no_address", charger=target.name)


@contextmanager
def _errors(target: EaseeTarget) -> Iterator[None]:
    """Turn what goes wrong into errors that users read."""
    try:
        with target.errors():
            yield
    except LocalRefused as err:
        raise invalid(
            f"easee_local_{err.refusal}",
            charger=target.name,
            problems=", ".join(_word(one) for one in err.problems),
        ) from err
    except JournalError as err:
        raise failed("journal_unusable", reason=str(err)) from err


def _word(problem: Problem) -> str:
    return f"{problem.check} ({problem.detail})" if problem.detail else problem.check


# What is told


def _state(local: LocalCharging, serial: str) -> JsonObjectType:
    """Return how far a charger is, whoever shows it by now."""
    state, progress = local.state(serial).value, local.progress(serial).value
    return {
        "state": state.status,
        "trouble": state.trouble,
        "connected": local.connected(serial).value,
        "decisions": list(local.decisions(serial)),
        **_steps(progress),
        "next_attempt": _stamp(local.next_attempt(serial)),
    }


def _steps(progress: Progress | None) -> JsonObjectType:
    """Return what was done; nothing of it is secret."""
    if progress is None:
        return {"stage": None, "url": None, "attempts": 0, "detail": ""}
    return {
        "stage": progress.stage,
        "url": progress.details.url,
        "attempts": progress.attempts,
        "detail": progress.detail,
    }


def _told(findings: Findings) -> JsonObjectType:
    """Return what was found out before a move."""
    checks: dict[str, JsonValueType] = {
        subject: None if problem is None else _problem(problem)
        for subject, problem in findings.checks.items()
    }
    return {
        "checks": checks,
        "possible": not findings.stops,
        "servers": [_choice(one) for one in findings.servers],
        "session_open": findings.consequences.session_open,
    }


def _choice(choice: ServerChoice) -> JsonObjectType:
    return {
        "server": choice.entry.entry_id,
        "title": choice.entry.title,
        "running": choice.entry.state is ConfigEntryState.LOADED,
        "urls": [
            {"url": one.url, "problems": [_problem(each) for each in one.problems]}
            for one in choice.urls
        ],
    }


def _problem(problem: Problem) -> JsonObjectType:
    return {
        "check": problem.check,
        "detail": problem.detail,
        "overridable": problem.overridable,
    }


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


_MOVE: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_SERVER): cv.string,
    vol.Optional(ATTR_URL): vol.All(cv.string, vol.Length(min=1, max=MOST)),
    vol.Optional(ATTR_NAME): vol.All(cv.string, vol.Length(min=1, max=MOST)),
    vol.Optional(ATTR_CONFIRM, default=list): vol.All(cv.ensure_list, [one_of(Check)]),
    vol.Optional(ATTR_CHARGE_WHEN_AWAY, default=True): cv.boolean,
}

ACTIONS: Final = ActionGroup(
    queries={"easee_get_local_state": (_get_local_state, {})},
    admin_commands={
        "easee_move_to_cloud": (_move_to_cloud, {}),
        "easee_move_to_local": (_move_to_local, _MOVE),
    },
    resolve=async_resolve_easee,
)
