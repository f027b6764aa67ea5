"""Questions about tokens: repair issues for those that nobody has added."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .issues import plain
from .station.secrets import shortened

TOKEN_UNKNOWN: Final = "token_unknown"  # noqa: S105
CONF_REFERENCE: Final = "reference"


def question_id(reference: str) -> str:
    """Return the id of the issue about a token, which tells nothing of it."""
    return f"{TOKEN_UNKNOWN}_{reference}"


@callback
def async_create_question(
    hass: HomeAssistant, reference: str, *, charger: str, id_token: str
) -> None:
    """Ask the user whether a token may charge."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        question_id(reference),
        data={CONF_REFERENCE: reference},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=TOKEN_UNKNOWN,
        translation_placeholders={
            "charger": plain(charger),
            "token": plain(shortened(id_token)),
        },
    )


@callback
def async_delete_question(hass: HomeAssistant, reference: str) -> None:
    """Ask about a token no more."""
    ir.async_delete_issue(hass, DOMAIN, question_id(reference))
