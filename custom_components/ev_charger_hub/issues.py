"""Repair issues: chargers that wait, and what set-up found that a user can act on."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_IDENTITY, DOMAIN
from .ocpp.waiting import Candidate
from .station.clock import utc_now
from .station.model import ChargingStation

CONF_ENTRY_ID: Final = "entry_id"
CHARGER_WAITING: Final = "charger_waiting"
UNKNOWN: Final = "?"
UNKNOWN_NAME: Final = "Charger"
_MAX_PLAIN: Final = 200
LEARN_MORE: Final = "https://github.com/ev-charger-hub/ev-charger-hub#troubleshooting"

ACTIONABLE: Final = (
    ("boot_loop", "boot", ("loop",)),
    ("configuration_unanswered", "configuration", ("unanswered",)),
    ("intervals_refused", "intervals", ("refused",)),
    ("limits_refused", "limits", ("refused",)),
    ("local_list_full", "local_list", ("partial",)),
    ("local_list_refused", "local_list", ("refused",)),
    ("measurands_refused", "measurands", ("partial", "refused")),
)
"""Issues that set-up raises: the step, and the findings it raises them with."""

LIMITS: Final = (
    "fallback_exceeded",
    "fallback_impossible",
    "limit_ignored",
    "profile_conflict",
    "writes_exceeded",
)
"""Issues that limits raise."""

SKIPPED: Final = "setup_skipped"
"""The issue of a charger that hangs up when it is set up, whatever the step."""


def waiting_issue_id(entry_id: str, identity: str) -> str:
    """Return the id of the issue of a charger that waits at a server."""
    return f"{CHARGER_WAITING}_{entry_id}_{_disguised(identity)}"


def finding_issue_id(key: str, identity: str) -> str:
    """Return the id of an issue that set-up of a charger raises."""
    return f"{key}_{_disguised(identity)}"


def _goes_on(hass: HomeAssistant) -> bool:
    """Return whether a deleted issue is settled, and not only at its end for today.

    What the user ignores is remembered with the issue, for the next start.
    """
    return not hass.is_stopping


def _disguised(identity: str) -> str:
    """Return what stands for an identity: ids of issues are part of diagnostics."""
    return sha256(identity.encode()).hexdigest()[:12]


def plain(text: str | None) -> str:
    """Return what a stranger says of itself, fit to stand between backticks.

    Descriptions are Markdown, and anybody in the network can be a charger: a blank line
    would end the backticks as well.
    """
    shown = "".join(one if one.isprintable() else " " for one in text or "")
    return shown.replace("`", "")[:_MAX_PLAIN].strip() or UNKNOWN


def harmless(identity: str) -> str:
    """Return a name for a charger that nobody named: words that are never Markdown.

    The user's own names stand in texts as they are, so that a stranger must not choose
    one that is a link or a picture.
    """
    kept = (one if one.isalnum() or one in "-_+#" else " " for one in identity)
    return " ".join("".join(kept).split()) or UNKNOWN_NAME


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
            "address": plain(candidate.remote),
            "model": plain(candidate.model),
            "name": plain(candidate.identity),
            "vendor": plain(candidate.vendor),
        },
    )


@callback
def async_delete_waiting_issue(
    hass: HomeAssistant, entry_id: str, identity: str
) -> None:
    """Stop asking about a charger."""
    if _goes_on(hass):
        ir.async_delete_issue(hass, DOMAIN, waiting_issue_id(entry_id, identity))


@callback
def async_update_finding_issues(hass: HomeAssistant, station: ChargingStation) -> None:
    """Tell the user what set-up found that they can do something about."""
    findings = station.findings
    raised: dict[str, dict[str, str]] = {
        key: {}
        for key, step, results in ACTIONABLE
        if findings.get(step, "").startswith(results)
    }
    if any(finding.startswith("skipped") for finding in findings.values()):
        raised[SKIPPED] = {}
    raised |= _limit_issues(station)
    async_delete_finding_issues(hass, station, keep=raised)
    for key, placeholders in raised.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            finding_issue_id(key, station.identity),
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"name": station.settings.name, **placeholders},
        )


def _limit_issues(station: ChargingStation) -> dict[str, dict[str, str]]:
    """Return what is wrong with limits, and what the texts name of it."""
    findings = station.findings
    raised: dict[str, dict[str, str]] = {}
    places = (station.whole, *station.evses.values())
    if "ignored" in findings and any(one.limit_ignored.value for one in places):
        raised["limit_ignored"] = {"tried": plain(findings["ignored"])}
    if "conflict" in findings:
        raised["profile_conflict"] = {"detail": plain(findings["conflict"])}
    if (fallback := findings.get("fallback", "")).startswith("impossible"):
        raised["fallback_impossible"] = {}
    elif fallback.startswith("exceeded"):
        raised["fallback_exceeded"] = {
            "wanted": str(station.settings.fallback_current or ""),
            "follows": plain(fallback.rpartition(" ")[2]),
        }
    if _exceeded(findings.get("writes", "")):
        raised["writes_exceeded"] = {}
    return raised


def _exceeded(finding: str) -> bool:
    """Return whether the write budget is used up; its finding ends with until when."""
    try:
        return datetime.fromisoformat(finding.rsplit(" ", 1)[-1]) > utc_now()
    except ValueError:
        return finding.startswith("exceeded")


@callback
def async_delete_finding_issues(
    hass: HomeAssistant, station: ChargingStation, keep: Iterable[str] = ()
) -> None:
    """Tell nothing about a charger any more, but for what is to be kept."""
    if not _goes_on(hass):
        return
    for key in {SKIPPED, *LIMITS, *(key for key, _, _ in ACTIONABLE)} - set(keep):
        ir.async_delete_issue(hass, DOMAIN, finding_issue_id(key, station.identity))
