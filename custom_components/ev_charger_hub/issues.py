"""Repair issues: chargers that wait, and what set-up found that a user can act on."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_IDENTITY, DOMAIN
from .ocpp.waiting import Candidate

CONF_ENTRY_ID: Final = "entry_id"
CHARGER_WAITING: Final = "charger_waiting"
UNKNOWN: Final = "?"
LEARN_MORE: Final = "https://github.com/ev-charger-hub/ev-charger-hub#troubleshooting"

ACTIONABLE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "configuration": ("configuration_unanswered", ("timed_out", "no_answer")),
    "measurands": ("measurands_refused", ("rejected", "not_supported")),
}
"""Steps of set-up: the issue that they raise, and the results that raise it."""


def waiting_issue_id(entry_id: str, identity: str) -> str:
    """Return the id of the issue of a charger that waits at a server."""
    return f"{CHARGER_WAITING}_{entry_id}_{identity}"


@callback
def async_create_waiting_issue(
    hass: HomeAssistant, entry_id: str, candidate: Candidate
) -> None:
    """Ask the user about a charger that wants to connect."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        waiting_issue_id(entry_id, candidate.identity),
        data={CONF_ENTRY_ID: entry_id, CONF_IDENTITY: candidate.identity},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=CHARGER_WAITING,
        translation_placeholders={
            "address": candidate.remote or UNKNOWN,
            "model": candidate.model or UNKNOWN,
            "name": candidate.identity,
            "vendor": candidate.vendor or UNKNOWN,
        },
    )


@callback
def async_delete_waiting_issue(
    hass: HomeAssistant, entry_id: str, identity: str
) -> None:
    """Stop asking about a charger."""
    ir.async_delete_issue(hass, DOMAIN, waiting_issue_id(entry_id, identity))


def finding_issue_id(station: ChargingStation, key: str) -> str:
    """Return the id of the issue of something that set-up found at a charger."""
    return f"{key}_{station.identity}"


@callback
def async_update_finding_issues(hass: HomeAssistant, station: ChargingStation) -> None:
    """Tell the user what set-up found that they can do something about."""
    for step, (key, results) in ACTIONABLE.items():
        issue_id = finding_issue_id(station, key)
        finding = station.findings.get(step, "")
        if not finding.startswith(results):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"name": station.settings.name},
        )


@callback
def async_delete_finding_issues(hass: HomeAssistant, station: ChargingStation) -> None:
    """Tell nothing about a charger any more."""
    for key, _ in ACTIONABLE.values():
        ir.async_delete_issue(hass, DOMAIN, finding_issue_id(station, key))
