"""Payments: what became of them at the terminal of a charger."""

from typing import Any, Final

from .station.events import Settlement, StationEvent

SETTLEMENTS: Final = ("canceled", "failed", "rejected", "settled")
"""What becomes of a payment (OCPP 2.1 PaymentStatusEnumType)."""


def payment_happening(event: StationEvent) -> tuple[str, dict[str, Any]] | None:
    """Return an event type and its attributes for a payment."""
    match event:
        case Settlement(status=status) if status in SETTLEMENTS:
            return status, {
                "amount": event.amount,
                "transaction_id": event.transaction_id,
                "at": None if event.at is None else event.at.isoformat(),
            }
    return None
