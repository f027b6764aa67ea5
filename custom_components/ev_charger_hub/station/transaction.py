"""Transactions: what a station delivered to whom, once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .enums import StopReason

MAX_VALUES = 100
"""So many samples of its begin, and of its end, are kept with a session."""


class TransactionState(StrEnum):
    """How a transaction stands in the journal."""

    OPEN = "open"
    CLOSED = "closed"
    LOST = "lost"
    """Its stop never came; closed by us with the last known register."""
    ORPHAN = "orphan"
    """A stop without a start that we know."""


@dataclass(kw_only=True, slots=True)
class Transaction:
    """One charging session as the journal keeps it; energy in Wh, times in UTC.

    `key` is the journal's row. `transaction_id` is what the station calls it (OCPP 1.6:
    the number we allocated, as text). `meter_start`, `meter_stop` and `meter_last` are
    register readings; `energy` is what was delivered so far, and what counts.
    """

    key: int
    identity: str
    transaction_id: str
    evse_id: int
    connector_id: int = 1
    id_token: str | None = None
    token_type: str | None = None
    """What kind of token that is, in the station's words (OCPP 2.x)."""
    started_at: datetime
    received_at: datetime
    meter_start: int | None = None
    state: TransactionState = TransactionState.OPEN
    energy: int = 0
    meter_last: int | None = None
    meter_last_at: datetime | None = None
    meter_reset: bool = False
    """The register went backwards on the way: `energy` comes from the samples."""
    stopped_at: datetime | None = None
    meter_stop: int | None = None
    stop_reason: StopReason | None = None
    stop_id_token: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    """The number of our start that it came from (OCPP 2.x F02)."""
    charging_time: int | None = None
    """For how many seconds energy flowed, by the station's count (OCPP 2.x)."""
    events_missing: int = 0
    """How many of its events have not come, by their numbers (OCPP 2.x E01)."""
    values_start: dict[str, Any] = field(default_factory=dict)
    """Register and other samples at the begin: OCPP measurand to value with unit."""
    values_stop: dict[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Return whether energy may still flow."""
        return self.state is TransactionState.OPEN
