"""Events: what happens once at a charging station, and is told to who listens then."""

from dataclasses import dataclass, field
from datetime import datetime

from .battery_swap import BatteriesSwapped
from .grid import GridAlarm, GridControlRun
from .monitoring import VariableEvent
from .security.events import SecurityEventKind
from .transaction import Transaction


@dataclass(kw_only=True, slots=True, frozen=True)
class SessionStarted:
    """A transaction began just now (never for history)."""

    evse_id: int
    transaction: Transaction


@dataclass(kw_only=True, slots=True, frozen=True)
class SessionEnded:
    """A transaction ended just now (never for history)."""

    evse_id: int
    transaction: Transaction


@dataclass(kw_only=True, slots=True, frozen=True)
class SessionKnown:
    """An open transaction can be addressed: the station knows its id, and so do we."""

    evse_id: int
    transaction: Transaction


@dataclass(kw_only=True, slots=True, frozen=True)
class SessionSettled:
    """A station has our answer to the end of a transaction (never for history)."""

    evse_id: int
    transaction: Transaction


@dataclass(kw_only=True, slots=True, frozen=True)
class TokenPresented:
    """An id token was shown to the station, with what we answered.

    `status` is None if nobody asked us, because the Easee cloud decides. `name` is what
    the user calls it; `asked` says that the user is asked about it. `evse_id` is where
    a session began with it, if it was first heard of then.
    """

    id_token: str = field(repr=False)
    status: str | None
    name: str | None = None
    asked: bool = False
    evse_id: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Booted:
    """The station restarted and was accepted."""


@dataclass(kw_only=True, slots=True, frozen=True)
class VendorData:
    """The station sent data that only its vendor understands (DataTransfer)."""

    vendor_id: str
    message_id: str | None
    data: str | None


@dataclass(kw_only=True, slots=True, frozen=True)
class SecurityEvent:
    """The station noticed something about its security, at `at` by its own clock.

    `word` is how the station calls it.
    """

    kind: SecurityEventKind
    word: str
    info: str | None
    at: datetime | None


@dataclass(kw_only=True, slots=True, frozen=True)
class Settlement:
    """The station tells what became of a payment (OCPP 2.1 NotifySettlement).

    `status` is its word in snake case, `receipt` the number of a receipt.
    """

    status: str
    amount: int | float
    transaction_id: str | None
    at: datetime | None
    receipt: str | None = field(default=None, repr=False)


type StationEvent = (
    Settlement
    | SessionStarted
    | SessionKnown
    | SessionEnded
    | SessionSettled
    | TokenPresented
    | Booted
    | VendorData
    | SecurityEvent
    | VariableEvent
    | GridAlarm
    | GridControlRun
    | BatteriesSwapped
)
