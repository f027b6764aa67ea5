"""Monitoring issues: what a charger tells of itself that somebody has to see to."""

from hashlib import sha256
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .issues import finding_issue_id, plain
from .station.events import StationEvent
from .station.model import ChargingStation
from .station.monitoring import (
    LEAST_SEVERE,
    MOST_SEVERE,
    EventTrigger,
    VariableEvent,
    is_problem,
)

LEARN_MORE: Final = (
    "https://github.com/ev-charger-hub/ev-charger-hub/blob/main/docs/monitoring.md"
)
CHARGER_ALERT: Final = "charger_alert"

MAX_ISSUES: Final = 8
"""Alerts of one charger that are shown at the same time."""


@callback
def async_variable_event(
    hass: HomeAssistant, station: ChargingStation, event: StationEvent
) -> None:
    """Tell the user of a grave alert (severity 0 to 3), until it is over."""
    if not isinstance(event, VariableEvent):
        return
    issue_id = _issue_id(station.identity, event)
    if not event.active:
        # After a restart of ours nobody knows how severe it was.
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    if not event.grave or event.trigger is not EventTrigger.ALERTING:
        return
    if not _room(hass, station.identity, issue_id, event.severity):
        return
    danger = event.severity == MOST_SEVERE
    happened = dt_util.as_local(event.at)
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=True,
        is_persistent=True,
        learn_more_url=f"{LEARN_MORE}#alerts",
        severity=ir.IssueSeverity.CRITICAL if danger else ir.IssueSeverity.ERROR,
        translation_key=CHARGER_ALERT,
        translation_placeholders={
            "code": plain(event.tech_code),
            "info": plain(event.tech_info),
            "name": station.settings.name,
            "severity": str(event.severity),
            "time": f"{happened:%Y-%m-%d %H:%M}",
            "value": plain(event.value),
            "variable": plain(event.variable),
        },
    )


@callback
def _room(
    hass: HomeAssistant, identity: str, issue_id: str, severity: int | None
) -> bool:
    """Return whether an alert can be shown; a less severe one gives way to it."""
    known = _issues(hass, identity)
    if issue_id in known or len(known) < MAX_ISSUES:
        return True
    registry = ir.async_get(hass)

    def severity_of(known_id: str) -> int:
        issue = registry.async_get_issue(DOMAIN, known_id)
        told = issue.translation_placeholders if issue is not None else None
        return int((told or {}).get("severity", LEAST_SEVERE))

    least = max(known, key=severity_of)
    if severity is None or severity_of(least) <= severity:
        return False
    ir.async_delete_issue(hass, DOMAIN, least)
    return True


@callback
def async_forget_alerts(hass: HomeAssistant, identity: str) -> None:
    """Tell no more of the alerts of a charger that is gone."""
    for issue_id in _issues(hass, identity):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _prefix(identity: str) -> str:
    return f"{finding_issue_id(CHARGER_ALERT, identity)}_"


def _issue_id(identity: str, event: VariableEvent) -> str:
    """Return the id of the issue of an alert, the same when it is over."""
    # A variable `Problem` says so itself, whichever monitor brings it.
    monitor = None if is_problem(event.variable) else event.monitor_id
    source = f"{event.variable.lower()} {monitor}"
    return f"{_prefix(identity)}{sha256(source.encode()).hexdigest()[:8]}"


def _issues(hass: HomeAssistant, identity: str) -> list[str]:
    """Return the issues of the alerts of a charger."""
    prefix = _prefix(identity)
    return [
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == DOMAIN and issue_id.startswith(prefix)
    ]
