"""Incidents: what others in the network tried, told to the user as repair issues."""

from collections.abc import Iterable, Sequence
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .issues import finding_issue_id, plain
from .station.model import ChargingStation

INTRUDER: Final = "intruder"
SHARED: Final = "identity_shared"
UNGUARDED: Final = "password_needed"
INCIDENTS: Final = (INTRUDER, SHARED, UNGUARDED)

LEARN_MORE: Final = (
    "https://github.com/ev-charger-hub/ev-charger-hub/blob/main/docs/security.md"
)


@callback
def async_tell_intruder(
    hass: HomeAssistant, station: ChargingStation, known: str, stranger: str
) -> None:
    """Tell that a second device came as a charger without a password, and was refused."""
    _tell(hass, INTRUDER, station, {"known": known, "stranger": stranger})


@callback
def async_tell_shared(
    hass: HomeAssistant, station: ChargingStation, addresses: Sequence[str]
) -> None:
    """Tell that several devices replace each other's connection all the time."""
    _tell(hass, SHARED, station, {"addresses": ", ".join(addresses)})


@callback
def async_tell_unguarded(hass: HomeAssistant, station: ChargingStation) -> None:
    """Tell that a charger came by Home Assistant's port, where it needs a password."""
    _tell(hass, UNGUARDED, station, {})


@callback
def async_delete_incidents(
    hass: HomeAssistant, identity: str, which: Iterable[str] = INCIDENTS
) -> None:
    """Tell no more of what is settled, or of a charger that is gone."""
    for key in which:
        ir.async_delete_issue(hass, DOMAIN, finding_issue_id(key, identity))


def _tell(
    hass: HomeAssistant, key: str, station: ChargingStation, about: dict[str, str]
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        finding_issue_id(key, station.identity),
        is_fixable=key != UNGUARDED,
        learn_more_url=LEARN_MORE,
        severity=ir.IssueSeverity.WARNING,
        translation_key=key,
        translation_placeholders={
            "name": station.settings.name,
            **{name: plain(text) for name, text in about.items()},
        },
    )
