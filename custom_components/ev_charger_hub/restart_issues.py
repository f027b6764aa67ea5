"""Restart issues: settings of a charger that hold only once it has restarted."""

from collections.abc import Callable
from functools import partial
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .issues import finding_issue_id, plain
from .station.model import ChargingStation

RESTART_REQUIRED: Final = "restart_required"
CONF_RESTART: Final = "restart"
"""The charger that is to restart, in the data of an issue."""

LEARN_MORE: Final = (
    "https://github.com/ev-charger-hub/ev-charger-hub/blob/main/docs/"
    "device-model.md#settings-that-need-a-restart"
)
_MAX_NAMED: Final = 10


@callback
def async_update_restart_issue(hass: HomeAssistant, station: ChargingStation) -> None:
    """Tell what waits for a restart of a charger, as long as anything does."""
    pending = station.pending_restart
    names = () if pending is None else pending.names.value
    if not names:
        async_delete_restart_issue(hass, station.identity)
        return
    named = ", ".join(f"`{plain(name)}`" for name in names[:_MAX_NAMED])
    ir.async_create_issue(
        hass,
        DOMAIN,
        finding_issue_id(RESTART_REQUIRED, station.identity),
        data={CONF_RESTART: station.identity},
        is_fixable=True,
        learn_more_url=LEARN_MORE,
        severity=ir.IssueSeverity.WARNING,
        translation_key=RESTART_REQUIRED,
        translation_placeholders={
            "name": station.settings.name,
            "settings": named,
        },
    )


@callback
def async_follow_restarts(
    hass: HomeAssistant, station: ChargingStation
) -> tuple[Callable[[], None], ...]:
    """Tell of what waits for a restart as it changes; return what ends that."""
    if (pending := station.pending_restart) is None:
        return ()
    update = partial(async_update_restart_issue, hass, station)
    return (pending.names.subscribe(update),)


@callback
def async_delete_restart_issue(hass: HomeAssistant, identity: str) -> None:
    """Tell no more that a charger waits for a restart, or is gone."""
    if not hass.is_stopping:
        issue_id = finding_issue_id(RESTART_REQUIRED, identity)
        ir.async_delete_issue(hass, DOMAIN, issue_id)
