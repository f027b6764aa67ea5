"""Words that all versions of OCPP share, and their meaning in the model."""

import re

from ..station.enums import (
    AuthorizationStatus,
    ConnectorStatus,
    Location,
    Measurand,
    Phase,
    StopReason,
)

AUTHORIZATIONS = {
    AuthorizationStatus.ACCEPTED: "Accepted",
    AuthorizationStatus.BLOCKED: "Blocked",
    AuthorizationStatus.CONCURRENT_TX: "ConcurrentTx",
    AuthorizationStatus.EXPIRED: "Expired",
    AuthorizationStatus.INVALID: "Invalid",
}
"""AuthorizationStatus (OCPP 1.6 7.2), AuthorizationStatusEnumType (2.x)."""

MAX_EVSES = 64
"""No station has more connectors; a higher number is a mistake, not hardware."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


_STATUSES = {_plain(status): status for status in ConnectorStatus}
_REASONS = {
    _plain(reason): reason for reason in StopReason if reason is not StopReason.LOST
} | {"immediatereset": StopReason.HARD_RESET}
_MEASURANDS = {_plain(measurand): measurand for measurand in Measurand}
_PHASES = {_plain(phase): phase for phase in Phase}
_LOCATIONS: dict[str, Location | None] = {
    "outlet": None,
    **{_plain(location): location for location in Location},
}


def connector_status(word: str) -> ConnectorStatus | None:
    """Return a ChargePointStatus (OCPP 1.6 7.7, 2.x ConnectorStatusEnumType), None for an invented word."""
    return _STATUSES.get(_plain(word))


def stop_reason(word: str | None) -> StopReason:
    """Return a Reason (OCPP 1.6 7.36): none means Local, an invented word is Other."""
    if not word:
        return StopReason.LOCAL
    return _REASONS.get(_plain(word), StopReason.OTHER)


def measurand(word: str) -> tuple[Measurand, Phase | None] | None:
    """Return a Measurand (OCPP 1.6 7.31), with a phase if it is glued to it."""
    if (found := _MEASURANDS.get(_plain(word))) is not None:
        return found, None
    # Some stations write "Voltage.L1" or "Current.Import.L1-N".
    stem, _, last = word.rpartition(".")
    found = _MEASURANDS.get(_plain(stem))
    glued = _PHASES.get(_plain(last))
    return (found, glued) if found is not None and glued is not None else None


def phase(word: str) -> Phase | None:
    """Return a Phase (OCPP 1.6 7.34), None for an invented word."""
    return _PHASES.get(_plain(word))


def location(word: str) -> Location | None:
    """Return a Location (OCPP 1.6 7.30), None for the outlet and for invented words."""
    return _LOCATIONS.get(_plain(word))


def snake(word: str) -> str:
    """Return a CamelCase word of OCPP as our own words are written."""
    return _HUMP.sub("_", word.strip()).lower()
