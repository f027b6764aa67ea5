"""Easee errors: what the cloud says, as errors that users read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .easee.errors import (
    AddressBlocked,
    EaseeError,
    EmailNotVerified,
    Forbidden,
    Hindered,
    Hindrance,
    InvalidCredentials,
    LoginPaused,
    NotFound,
    NotNow,
    RateLimited,
    Refused,
    SessionEnded,
    TooOften,
    Unavailable,
    WritesSpent,
)

OTHER: Final = "easee_unknown"

KEYS: Final[dict[type[EaseeError], str]] = {
    AddressBlocked: "easee_address_blocked",
    EmailNotVerified: "easee_email_not_verified",
    Forbidden: "easee_forbidden",
    InvalidCredentials: "easee_invalid_auth",
    LoginPaused: "easee_login_paused",
    NotFound: "easee_not_found",
    RateLimited: "easee_rate_limited",
    Refused: "easee_refused",
    SessionEnded: "easee_session_ended",
    TooOften: "easee_too_often",
    Unavailable: "easee_cannot_connect",
    WritesSpent: "easee_writes_spent",
}

HINDRANCES: Final = {
    Hindrance.ERRATIC: "easee_erratic_vehicle",
    Hindrance.FAULTY: "easee_faulty",
    Hindrance.NO_VEHICLE: "easee_no_vehicle",
    Hindrance.OVER: "easee_session_over",
    Hindrance.STILL_ENDING: "easee_session_ending",
    Hindrance.TOO_HOT: "easee_too_hot",
    Hindrance.WAITS: "easee_waits",
}

ANY: Final = "unknown"

FORM_KEYS: Final[dict[type[EaseeError], str]] = {
    AddressBlocked: "address_blocked",
    EmailNotVerified: "email_not_verified",
    Forbidden: "forbidden",
    InvalidCredentials: "invalid_auth",
    NotNow: "rate_limited",
    Refused: "refused",
    Unavailable: "cannot_connect",
}
"""The same where somebody logs in."""

NO_REASON: Final = "-"


def key_of(err: EaseeError) -> str:
    """Return the translation key of what went wrong."""
    if isinstance(err, Hindered):
        return HINDRANCES[err.why]
    return next(
        (KEYS[one] for one in type(err).__mro__ if one in KEYS),
        OTHER,
    )


def form_key_of(err: EaseeError) -> str:
    """Return the key of what went wrong when somebody logged in."""
    return next((FORM_KEYS[one] for one in type(err).__mro__ if one in FORM_KEYS), ANY)


def placeholders_of(err: EaseeError, name: str = "") -> dict[str, str]:
    """Return what the texts about an error name: of what, what was said, until when."""
    until = local_time(err.until) if isinstance(err, NotNow) else ""
    return {"name": name, "reason": err.title or NO_REASON, "until": until}


def local_time(moment: datetime) -> str:
    """Return a moment as users read it: the time, and the day if it is not today."""
    local = dt_util.as_local(moment)
    if local.date() == dt_util.now().date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def translated(err: EaseeError, name: str) -> HomeAssistantError:
    """Return an error of the cloud as the error that users read."""
    kind = ServiceValidationError if isinstance(err, Refused) else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=key_of(err),
        translation_placeholders=placeholders_of(err, name),
    )


@contextmanager
def translated_easee_errors(name: str) -> Iterator[None]:
    """Turn errors of the cloud, while something is done to `name`, into readable ones."""
    try:
        yield
    except EaseeError as err:
        raise translated(err, name) from err
