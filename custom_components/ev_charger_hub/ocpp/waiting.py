"""Waiting: chargers that nobody approved yet, and what they are told."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ..station.clock import Clock
from ..station.model import StationInfo
from .errors import ErrorCode, OcppError, RpcError
from .quirks import quirks_of
from .rpc import Reply
from .throttle import Buckets, neighborhood
from .timestamps import render

CAPACITY = 20
RETRY_INTERVAL = 60
"""Seconds between the boots of a charger that waits (OCPP 1.6 4.2, Pending)."""

_FORGET_AFTER = timedelta(days=1)
# Who waits boots again after that: five boots that did not come are silence.
_SILENT_AFTER = timedelta(seconds=5 * RETRY_INTERVAL)
_ARRIVALS = 20
_ARRIVAL_EVERY = timedelta(seconds=12)
_PASSAGES = 300
_MAX_TEXT = 50
# Who is not approved may not keep us busy with a mebibyte.
_MAX_TOLD = 500


class AdmissionPolicy(StrEnum):
    """What happens to a charger that nobody approved."""

    ASK = "ask"
    ACCEPT = "accept"
    REFUSE = "refuse"


class RoomFull(OcppError):
    """Nobody else can wait now."""


class TooManyArrivals(OcppError):
    """One address brings new chargers too fast."""


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
    """The candidates: bounded, rate-limited by address, forgotten after a day.

    When it is full, who fell silent gives way, or else one of the address that has the
    most seats, if it has more than the newcomer's.
    """

    def __init__(
        self, clock: Clock, gave_way: Callable[[Candidate], None] | None = None
    ) -> None:
        """Open an empty room; `gave_way` hears of who lost a seat to another."""
        self._clock = clock
        self._gave_way = gave_way
        self._candidates: dict[str, Candidate] = {}
        self._arrivals = Buckets(clock, burst=_ARRIVALS, refill=_ARRIVAL_EVERY)
        self._passages = Buckets(clock, burst=_PASSAGES, refill=_ARRIVAL_EVERY)

    def __iter__(self) -> Iterator[Candidate]:
        """Iterate over the candidates, longest waiting first."""
        return iter(tuple(self._candidates.values()))

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._candidates)

    def get(self, identity: str) -> Candidate | None:
        """Return who waits under that identity."""
        return self._candidates.get(identity)

    def enter(
        self, identity: str, remote: str, *, has_credentials: bool = False
    ) -> Candidate:
        """Let a charger wait, or go on waiting; raises RoomFull, TooManyArrivals."""
        now = self._clock()
        if (candidate := self._candidates.get(identity)) is None:
            address = neighborhood(remote)
            full = len(self._candidates) >= CAPACITY
            loser = self._loser(address) if full else None
            if not self._arrivals.take(address):
                raise TooManyArrivals
            if loser is not None:
                self.leave(loser.identity)
                if self._gave_way is not None:
                    self._gave_way(loser)
            candidate = self._candidates[identity] = Candidate(
                identity=identity, remote=remote, first_seen=now, last_seen=now
            )
        candidate.remote = remote
        candidate.last_seen = now
        candidate.has_credentials = has_credentials
        return candidate

    def pass_through(
        self, identity: str, remote: str, *, has_credentials: bool = False
    ) -> Candidate:
        """Return a candidate that need not wait; raises TooManyArrivals."""
        if not self._passages.take(""):
            raise TooManyArrivals
        self.leave(identity)
        now = self._clock()
        return Candidate(
            identity=identity,
            remote=remote,
            first_seen=now,
            last_seen=now,
            has_credentials=has_credentials,
        )

    def _loser(self, newcomer: str) -> Candidate:
        """Return who gives way to somebody of an address; raises RoomFull."""
        by_age = sorted(self._candidates.values(), key=lambda one: one.last_seen)
        seats = Counter(neighborhood(one.remote or "") for one in by_age)
        most = max(seats.values())
        limit = self._clock() - _SILENT_AFTER
        for one in by_age:
            share = seats[neighborhood(one.remote or "")]
            # Two more than the newcomer's address: then it still has no fewer.
            greedy = share == most and share > seats[newcomer] + 1
            if one.last_seen < limit or greedy:
                return one
        raise RoomFull

    def leave(self, identity: str) -> None:
        """Forget a candidate, if there is one."""
        self._candidates.pop(identity, None)

    def expired(self) -> list[str]:
        """Return the identities not heard of for a day."""
        limit = self._clock() - _FORGET_AFTER
        return [one.identity for one in self if one.last_seen < limit]


class WaitingAdapter:
    """Answers a charger that waits: be patient, and keep the time."""

    def __init__(
        self, candidate: Candidate, clock: Clock, changed: Callable[[Candidate], None]
    ) -> None:
        """Note in `candidate` what the charger tells of itself."""
        self._candidate = candidate
        self._clock = clock
        self._changed = changed

    def handle(self, action: str, payload: dict[str, Any]) -> Reply:
        """Answer what may be answered before a boot is accepted (1.6J errata 3.10)."""
        self._candidate.last_seen = self._clock()
        match action:
            case "BootNotification":
                return self._boot(payload)
            case "Heartbeat":
                return Reply({"currentTime": render(self._clock())})
            case "StatusNotification":
                return Reply({})
            case "StartTransaction" if self._starts_unaccepted:
                # A transaction that nobody keeps has no number of its own.
                refused = {"status": "Invalid"}
                return Reply({"idTagInfo": refused, "transactionId": 0})
        raise RpcError(ErrorCode.SECURITY, "waiting for approval")

    @property
    def _starts_unaccepted(self) -> bool:
        """Return whether it would begin, again and again, what gets an error (S32)."""
        vendor, firmware = self._candidate.vendor, self._candidate.firmware
        return quirks_of(
            StationInfo(vendor=vendor, firmware=firmware)
        ).starts_unaccepted

    def _boot(self, payload: dict[str, Any]) -> Reply:
        candidate = self._candidate
        known = candidate.vendor, candidate.model, candidate.serial, candidate.firmware
        told = payload.get("chargingStation") or payload
        candidate.vendor = _text(told, "vendorName", "chargePointVendor")
        candidate.model = _text(told, "model", "chargePointModel")
        candidate.serial = _text(
            told, "serialNumber", "chargePointSerialNumber", "chargeBoxSerialNumber"
        )
        candidate.firmware = _text(told, "firmwareVersion")
        if known != (
            candidate.vendor,
            candidate.model,
            candidate.serial,
            candidate.firmware,
        ):
            self._changed(candidate)
        return Reply(
            {
                "status": "Pending",
                "currentTime": render(self._clock()),
                "interval": RETRY_INTERVAL,
            }
        )


def _text(payload: dict[str, Any], *fields: str) -> str | None:
    """Return the first of some fields fit to be shown: printable, of bounded length."""
    for field in fields:
        told = str(payload.get(field, ""))[:_MAX_TOLD]
        text = "".join(char for char in told if char.isprintable())
        if text := text.strip()[:_MAX_TEXT]:
            return text
    return None
