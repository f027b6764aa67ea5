"""Reservations: who may have a connector, until when, and how it came out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ReservationState(StrEnum):
    """How a reservation stands, or ended (OCPP 1.6 5.13, 2.0.1 H01 to H04)."""

    PENDING = "pending"
    """Sent; whether the station took it is not known."""
    ACTIVE = "active"
    USED = "used"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    """The station gave it up: out of order, out of service, or forgotten."""
    REFUSED = "refused"
    NO_TRANSACTION = "no_transaction"
    """The token came, but no session did (OCPP 2.1 ReservationUpdateStatus)."""


OPEN_STATES = frozenset({ReservationState.PENDING, ReservationState.ACTIVE})


@dataclass(kw_only=True, slots=True, frozen=True)
class Reservation:
    """A connector that is kept free for an id token; times in UTC.

    `evse_id` 0 is any of the station. `group` is the parent id token whose members may
    use it too. `connector_type` is which kind of connector is kept, None if any is
    good enough. `transaction_id` is of the session that used it.
    """

    reservation_id: int
    identity: str
    evse_id: int
    id_token: str = field(repr=False)
    group: str | None = field(default=None, repr=False)
    created_at: datetime
    expires_at: datetime
    state: ReservationState = ReservationState.PENDING
    ended_at: datetime | None = None
    transaction_id: str | None = None
    connector_type: str | None = None

    @property
    def open(self) -> bool:
        """Return whether it may still be used."""
        return self.state in OPEN_STATES
