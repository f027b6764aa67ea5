"""Firmware: what is offered to a station, and the update that runs."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from .channel import Channel
from .clock import CallLater, Clock, Timer, call_later as loop_call_later
from .commands import FirmwareRequest
from .errors import NotConnected, UpdateRunning
from .model import ChargingStation
from .outcome import GOOD, Outcome, OutcomeStatus

if TYPE_CHECKING:
    from .journal import Journal
    from .link import Link

FACT: Final = "firmware"
REQUESTS: Final = "request"
"""The numbers by which a station names updates and uploads."""

PATIENCE: Final = timedelta(hours=1)
"""After so long without news an update is taken for dead and blocks nothing."""

_REQUESTED = "requested"
_INSTALLED = "installed"
_IDLE = "idle"
_FAILURES = frozenset(
    {
        "download_failed",
        "install_verification_failed",
        "installation_failed",
        "invalid_signature",
        "revoked_certificate",
    }
)
_INSTALLING = frozenset({"installing", "install_rebooting"})
# A downloaded update is left out: some stations install it only when they restart.
_BUSY = frozenset({"downloading", "signature_verified"}) | _INSTALLING
_AT_WORK = _BUSY | {"downloaded", "download_paused", "install_scheduled"}
# Sent, or perhaps sent: the station may act on it.
_MAY_ACT = GOOD | {OutcomeStatus.NO_ANSWER, OutcomeStatus.TIMED_OUT}


class Blocked(StrEnum):
    """What an update that runs may forbid."""

    START = "start"
    RESET = "reset"
    UPDATE = "update"


@dataclass(kw_only=True, slots=True, frozen=True)
class FirmwareOffer:
    """A version that the user has for a station, and where it is.

    `certificate` (PEM) and `signature` (base64) make it a signed one.
    """

    version: str
    location: str
    certificate: str | None = None
    signature: str | None = None
    release_url: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class FirmwareUpdate:
    """An update; `request_id` 0 is one that the station began by itself.

    `status` is the station's word in snake case, `before` its version until then.
    """

    request_id: int
    status: str
    heard_at: datetime
    before: str | None = None
    version: str | None = None

    @property
    def failed(self) -> bool:
        """Return whether it went wrong; a station may try again."""
        return self.status in _FAILURES

    @property
    def over(self) -> bool:
        """Return whether the station said how it ended."""
        return self.failed or self.status in {_INSTALLED, _IDLE}

    def active(self, now: datetime) -> bool:
        """Return whether it goes on, as far as is known."""
        return not self.over and now - self.heard_at < PATIENCE

    def blocks(self, what: Blocked, now: datetime) -> bool:
        """Return whether a command would disturb it."""
        disturbed = _INSTALLING if what is Blocked.START else _BUSY
        return self.status in disturbed and self.active(now)


class Firmware:
    """The firmware of one station."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Know nothing until `load`; the station finds its firmware here."""
        self.offer: Channel[FirmwareOffer | None] = Channel(None, urgent=True)
        """What the user has for the station."""
        self.update: Channel[FirmwareUpdate | None] = Channel(None, urgent=True)
        """The last update."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._call_later = call_later
        self._timer: Timer | None = None
        self._unsubscribe = station.info.subscribe(self._told_who)
        station.firmware = self

    async def load(self) -> None:
        """Recall what was offered, and what was going on."""
        kept = await self._journal.load(self._station.identity, FACT) or {}
        if (offer := kept.get("offer")) is not None:
            self.offer.set(FirmwareOffer(**offer))
        if (update := kept.get("update")) is not None:
            heard_at = datetime.fromisoformat(update["heard_at"])
            self.update.set(FirmwareUpdate(**{**update, "heard_at": heard_at}))
            self._wait()

    def close(self) -> None:
        """Let go of the station."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def active(self) -> bool:
        """Return whether an update goes on."""
        update = self.update.value
        return update is not None and update.active(self._clock())

    def check(self, what: Blocked) -> None:
        """Raise UpdateRunning if a command would disturb the update."""
        update = self.update.value
        if update is not None and update.blocks(what, self._clock()):
            raise UpdateRunning

    async def set_offer(self, offer: FirmwareOffer | None) -> None:
        """Take note of a version that the user has, or has no longer."""
        await self._store(offer, self.update.value)
        self.offer.set(offer)

    async def next_id(self) -> int:
        """Return a number that no update and no upload ever had."""
        return await self._journal.next_number(REQUESTS)

    async def request(
        self,
        link: Link,
        request: FirmwareRequest,
        version: str | None = None,
        *,
        replace_running: bool = False,
    ) -> Outcome:
        """Ask for an update, which is written down first; raises UpdateRunning.

        `replace_running` leaves it to the station whether it gives up the one that
        runs (2.0.1 L01.FR.24).
        """
        if not replace_running:
            self.check(Blocked.UPDATE)
        before = self.update.value
        update = FirmwareUpdate(
            request_id=request.request_id,
            status=_REQUESTED,
            heard_at=max(self._clock(), request.retrieve_at),
            before=self._station.info.value.firmware,
            version=version,
        )
        await self._take(update)
        try:
            outcome = await link.update_firmware(request)
        except NotConnected:
            await self._give_up(update, before)
            raise
        if outcome.status not in _MAY_ACT:
            await self._give_up(update, before)
        return outcome

    async def notified(self, status: str, request_id: int | None) -> None:
        """Take the progress of an update (OCPP 1.6 4.5, Security 5.18, 2.0.1 L01).

        It is durable when this returns. News of another update than the last change
        nothing; a station without an update may be at work on one of its vendor.
        """
        now = self._clock()
        if (update := self._meant(status, request_id, now)) is not None:
            await self._take(replace(update, status=status, heard_at=now))

    def _meant(
        self, status: str, request_id: int | None, now: datetime
    ) -> FirmwareUpdate | None:
        """Return the update that news is about, or None if it changes nothing."""
        update = self.update.value
        if update is not None and request_id in {None, update.request_id}:
            if not update.over:
                # An idle station has an update before it whose time has not come.
                waits = status == _IDLE and update.status == _REQUESTED
                return None if waits else update
            if update.failed and status in _AT_WORK:
                return update
            if request_id is not None:
                return None
        elif update is not None and not update.over:
            return None
        if status not in _AT_WORK:
            return None
        return FirmwareUpdate(
            request_id=request_id or 0,
            status=status,
            heard_at=now,
            before=self._station.info.value.firmware,
        )

    async def _take(self, update: FirmwareUpdate) -> None:
        await self._store(self.offer.value, update)
        self._show(update)

    def _show(self, update: FirmwareUpdate | None) -> None:
        self.update.set(update)
        self._wait()

    async def _give_up(
        self, update: FirmwareUpdate, before: FirmwareUpdate | None
    ) -> None:
        """Forget an update that will not be, unless there is news of a newer one."""
        if self.update.value is update:
            await self._store(self.offer.value, before)
            self._show(before)

    async def _store(
        self, offer: FirmwareOffer | None, update: FirmwareUpdate | None
    ) -> None:
        fact = _fact(offer, update)
        await self._journal.store(self._station.identity, FACT, fact)

    def _told_who(self) -> None:
        """See by its boot that a station has installed what it never spoke of again."""
        update = self.update.value
        if update is None or update.over:
            return
        firmware = self._station.info.value.firmware
        wanted = update.version is not None and firmware == update.version
        changed = firmware is not None and firmware != update.before
        if wanted or (changed and update.status in _AT_WORK):
            update = replace(update, status=_INSTALLED, heard_at=self._clock())
            # A station that boots again proves it again.
            fact = _fact(self.offer.value, update)
            self._journal.store_soon(self._station.identity, FACT, fact)
            self._show(update)

    def _wait(self) -> None:
        """Look again when the patience with the update ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        update, now = self.update.value, self._clock()
        if update is not None and update.active(now):
            left = update.heard_at + PATIENCE - now
            self._timer = self._call_later(left.total_seconds(), self._out_of_patience)

    def _out_of_patience(self) -> None:
        self._timer = None
        self.update.notify()


def _fact(offer: FirmwareOffer | None, update: FirmwareUpdate | None) -> dict[str, Any]:
    kept = None
    if update is not None:
        kept = asdict(update) | {"heard_at": update.heard_at.isoformat()}
    return {"offer": offer and asdict(offer), "update": kept}
