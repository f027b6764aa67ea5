"""Words of OCPP 1.6 and their meaning in the model."""

import logging
import re

from ...station.authorization import Verdict
from ...station.enums import (
    AuthorizationStatus,
    ConnectorStatus,
    Location,
    Measurand,
    Phase,
    StopReason,
)
from ...station.secrets import shortened
from .. import timestamps

_LOGGER = logging.getLogger(__name__)

MAX_EVSES = 64
"""No 1.6 station has more connectors; a higher number is a mistake, not hardware."""

_WORD_LIMIT = 100
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


_STATUSES = {_plain(status): status for status in ConnectorStatus}
_REASONS = {
    _plain(reason): reason for reason in StopReason if reason is not StopReason.LOST
}
_MEASURANDS = {_plain(measurand): measurand for measurand in Measurand}
_PHASES = {_plain(phase): phase for phase in Phase}
_LOCATIONS: dict[str, Location | None] = {
    "outlet": None,
    **{_plain(location): location for location in Location},
}
_AUTHORIZATIONS = {
    AuthorizationStatus.ACCEPTED: "Accepted",
    AuthorizationStatus.BLOCKED: "Blocked",
    AuthorizationStatus.CONCURRENT_TX: "ConcurrentTx",
    AuthorizationStatus.EXPIRED: "Expired",
    AuthorizationStatus.INVALID: "Invalid",
}


def connector_status(word: str) -> ConnectorStatus | None:
    """Return a ChargePointStatus (OCPP 1.6 7.7), None for an invented word."""
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


def id_tag_info(verdict: Verdict) -> dict[str, str]:
    """Return an IdTagInfo (OCPP 1.6 7.24)."""
    info = {"status": _AUTHORIZATIONS[verdict.status]}
    if verdict.expires is not None:
        info["expiryDate"] = timestamps.render(verdict.expires)
    if verdict.group is not None:
        info["parentIdTag"] = verdict.group
    return info


def snake(word: str) -> str:
    """Return a CamelCase word of OCPP as our own words are written."""
    return _HUMP.sub("_", word.strip()).lower()


class Oddities:
    """What a station does against the book, logged once each."""

    def __init__(self, identity: str) -> None:
        """Start with nothing seen of station `identity`."""
        self._name = shortened(identity)
        self._seen: set[str] = set()

    def note(self, oddity: str) -> None:
        """Log an oddity unless it is known; a chatty liar is not listened to for long."""
        if oddity not in self._seen and len(self._seen) < _WORD_LIMIT:
            self._seen.add(oddity)
            _LOGGER.info("%s: %s", self._name, oddity)
