"""Repair issues of certificates: what a user has to see to before chargers stay away."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .issues import LEARN_MORE
from .models import EvChargerHubConfigEntry


class CertificateProblem(StrEnum):
    """What is to be told of a server's certificates; values are translation keys."""

    AUTHORITY_EXPIRES = "authority_expires"
    AUTHORITY_UNUSABLE = "authority_unusable"
    EXPIRED = "certificate_expired"
    EXPIRES = "certificate_expires"
    NO_ENCRYPTION = "no_encryption"
    UNUSABLE = "certificate_unusable"


_ERRORS = {CertificateProblem.EXPIRED, CertificateProblem.NO_ENCRYPTION}


@callback
def async_update_certificate_issues(
    hass: HomeAssistant,
    entry: EvChargerHubConfigEntry,
    problems: Collection[CertificateProblem],
    expires: datetime | None = None,
) -> None:
    """Tell what is wrong with the certificates of a server, and nothing else of them."""
    for problem in CertificateProblem:
        issue_id = f"{problem}_{entry.entry_id}"
        if problem not in problems:
            # What the user ignores is remembered with the issue, for the next start.
            if not hass.is_stopping:
                ir.async_delete_issue(hass, DOMAIN, issue_id)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=(
                ir.IssueSeverity.ERROR
                if problem in _ERRORS
                else ir.IssueSeverity.WARNING
            ),
            translation_key=problem,
            translation_placeholders={
                "server": entry.title,
                "date": "" if expires is None else expires.date().isoformat(),
            },
        )
