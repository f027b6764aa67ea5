"""Local issues: what keeps a charger from local OCPP, and somebody has to decide."""

from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .easee.local_progress import Trouble
from .easee_local_told import Texts
from .issues import CONF_ENTRY_ID, finding_issue_id, plain

if TYPE_CHECKING:
    from .easee_hub import EaseeHub
    from .easee_local_charger import LocalCharger

CONF_LOCAL: Final = "local"
"""The serial number of the charger, in the data of an issue."""
PREFIX: Final = "easee_local"
STRANDED: Final = "stranded"
KINDS: Final = (*Trouble, STRANDED)

LEARN_MORE: Final = (
    "https://github.com/ev-charger-hub/ev-charger-hub/blob/main/docs/"
    "easee-local.md#trouble"
)


@callback
def async_update_local_issue(hub: EaseeHub, charger: LocalCharger) -> None:
    """Tell of the one thing that is wrong with a charger, and of nothing else."""
    raised = _kind_of(charger)
    for kind in KINDS:
        if kind != raised:
            _delete(hub, charger, kind)
    if raised is None:
        return
    progress = charger.progress.value
    assert progress is not None
    ir.async_create_issue(
        hub.hass,
        DOMAIN,
        _issue_id(charger, raised),
        data={CONF_ENTRY_ID: hub.entry.entry_id, CONF_LOCAL: charger.serial},
        is_fixable=True,
        learn_more_url=LEARN_MORE,
        severity=ir.IssueSeverity.WARNING,
        translation_key=f"{PREFIX}_{raised}",
        translation_placeholders={
            "detail": Texts.async_cached(hub.hass).told(raised, progress.detail),
            "name": charger.name,
            "url": plain(progress.details.url),
        },
    )


@callback
def async_delete_local_issues(hub: EaseeHub, charger: LocalCharger) -> None:
    """Tell of nothing more."""
    for kind in KINDS:
        _delete(hub, charger, kind)


def _kind_of(charger: LocalCharger) -> str | None:
    """Return what is wrong with a charger, None for nothing."""
    if (progress := charger.progress.value) is None:
        return None
    if progress.trouble is not None:
        return progress.trouble
    return STRANDED if charger.stranded.value else None


def _issue_id(charger: LocalCharger, kind: str) -> str:
    return finding_issue_id(f"{PREFIX}_{kind}", charger.serial)


def _delete(hub: EaseeHub, charger: LocalCharger, kind: str) -> None:
    if not hub.hass.is_stopping:
        ir.async_delete_issue(hub.hass, DOMAIN, _issue_id(charger, kind))
