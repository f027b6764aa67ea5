"""Transactions: what a station delivered to whom, once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from .enums import StopReason

CLOUD: Final = "easee-"
"""With it the ids begin of sessions that only the cloud of a maker told of."""

CLOUD_UNNAMED: Final = "easee-at-"
"""With it those begin of which the cloud has told no id yet, before the second."""

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
    cloud_id: str | None = None
    """What the cloud of its maker calls it, if the station told of it as well."""
    cloud_cost: dict[str, Any] | None = None
    """What the cloud says that it cost: `amount` and its `currency`."""
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

    @property
    def cloud_only(self) -> bool:
        """Return whether the station itself has not told of it."""
        return self.transaction_id.startswith(CLOUD)

    @property
    def cloud_name(self) -> str | None:
        """Return what the cloud calls it, None as long as it has told no name."""
        name = self.transaction_id if self.cloud_only else self.cloud_id
        return None if name is None or name.startswith(CLOUD_UNNAMED) else name
