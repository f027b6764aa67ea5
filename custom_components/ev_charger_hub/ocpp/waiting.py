"""Waiting: chargers that nobody approved yet, and what they are told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AdmissionPolicy(StrEnum):
    """What happens to a charger that nobody approved."""

    ASK = "ask"
    ACCEPT = "accept"
    REFUSE = "refuse"


@dataclass(kw_only=True, slots=True)
class Candidate:
    """A charger that waits for approval; the strings are what it claims to be."""

    identity: str
    remote: str | None
    first_seen: datetime
    last_seen: datetime
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    has_credentials: bool = False


class WaitingRoom:
    """The candidates: bounded, rate-limited by address, forgotten after a day."""

    def get(self, identity: str) -> Candidate | None:
        """Return who waits under that identity."""
        raise NotImplementedError
