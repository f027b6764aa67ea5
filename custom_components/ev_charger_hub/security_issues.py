"""Security issues: what a charger tells of its security that somebody has to see to."""

from datetime import timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .issues import finding_issue_id, plain
from .station.clock import utc_now
from .station.events import SecurityEvent, StationEvent
from .station.model import ChargingStation
from .station.security.events import ALARMING
from .station.security.kept import Failure
from .station.security.profile import HIGHEST

LEARN_MORE: Final = (
    "https://github.com/ev-charger-hub/ev-charger-hub/blob/main/docs/security.md"
)
SECURITY_EVENT: Final = "security_event"
CERTIFICATE_ENDS: Final = "charger_certificate_ends"
PROFILE_NOT_HELD: Final = "profile_not_held"
CONF_PIN: Final = "pin"
"""The charger that could be held to its profile, in the data of an issue."""

WARN_BEFORE: Final = timedelta(days=14)
"""A charger that can be reached has renewed its certificate by then."""


@callback
def async_security_event(
    hass: HomeAssistant, station: ChargingStation, event: StationEvent
) -> None:
    """Tell the user of a security event that is no routine, until they have seen it."""
    if not isinstance(event, SecurityEvent) or event.kind not in ALARMING:
        return
    happened = dt_util.as_local(event.at or utc_now())
    ir.async_create_issue(
        hass,
        DOMAIN,
        finding_issue_id(f"{SECURITY_EVENT}_{event.kind}", station.identity),
        is_fixable=True,
        is_persistent=True,
        learn_more_url=f"{LEARN_MORE}#security-events",
        severity=ir.IssueSeverity.ERROR,
        translation_key=SECURITY_EVENT,
        translation_placeholders={
            "event": plain(event.word),
            "info": plain(event.info),
            "name": station.settings.name,
            "time": f"{happened:%Y-%m-%d %H:%M}",
        },
    )


@callback
def async_forget_security_events(hass: HomeAssistant, identity: str) -> None:
    """Tell no more of the events of a charger that is gone."""
    for kind in ALARMING:
        key = f"{SECURITY_EVENT}_{kind}"
        ir.async_delete_issue(hass, DOMAIN, finding_issue_id(key, identity))


@callback
def async_update_security_issues(hass: HomeAssistant, station: ChargingStation) -> None:
    """Tell why a charger has not got a higher profile, or will be locked out soon."""
    raised = _raised(station)
    async_delete_security_issues(hass, station, keep=raised)
    for key, placeholders in raised.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            finding_issue_id(key, station.identity),
            data={CONF_PIN: station.identity} if key == PROFILE_NOT_HELD else None,
            is_fixable=key == PROFILE_NOT_HELD,
            learn_more_url=f"{LEARN_MORE}#security-profiles-of-chargers",
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"name": station.settings.name, **placeholders},
        )


def _raised(station: ChargingStation) -> dict[str, dict[str, str]]:
    raised: dict[str, dict[str, str]] = {}
    if (security := station.security) is None:
        return raised
    upgrade, certificate = security.upgrade.value, security.certificate.value
    if upgrade is not None and upgrade.failure is not None:
        moves, failure = upgrade.url is not None, upgrade.failure
        key = f"move_{failure}" if moves else f"upgrade_{failure}"
        raised[key] = {"profile": str(upgrade.leg)}
    if (profile := security.unpinned) is not None:
        raised[PROFILE_NOT_HELD] = {"profile": str(profile)}
    used = security.profile.value or 0, station.settings.security_profile
    if (
        certificate is not None
        and HIGHEST in used
        and certificate.expires - utc_now() < WARN_BEFORE
    ):
        ends = dt_util.as_local(certificate.expires)
        raised[CERTIFICATE_ENDS] = {"date": f"{ends:%Y-%m-%d}"}
    return raised


@callback
def async_delete_security_issues(
    hass: HomeAssistant,
    station: ChargingStation,
    keep: dict[str, dict[str, str]] | None = None,
) -> None:
    """Tell nothing of a charger any more, but for what is to be kept."""
    if hass.is_stopping:
        # What the user ignores is remembered with the issue.
        return
    keys = {CERTIFICATE_ENDS, PROFILE_NOT_HELD}
    keys |= {f"move_{one}" for one in Failure} | {f"upgrade_{one}" for one in Failure}
    for key in keys - set(keep or ()):
        ir.async_delete_issue(hass, DOMAIN, finding_issue_id(key, station.identity))
