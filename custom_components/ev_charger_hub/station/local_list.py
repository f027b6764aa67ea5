"""The local authorization list of a station: who may charge while nobody can be asked."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from enum import StrEnum
import logging
from typing import Any

from . import list_ledger
from .authorization import key_of
from .clock import CallLater, Timer, call_later as loop_call_later
from .commands import ListEntry, LocalListSupport
from .errors import JournalError, StationError
from .journal import Journal
from .link import Capability, Link
from .list_ledger import Entries, ListLedger
from .model import ChargingStation
from .outcome import Outcome, OutcomeStatus
from .secrets import shortened
from .settings import LocalListMode

_LOGGER = logging.getLogger(__name__)

FACT = "local_list"
WITHHELD = "local_list_withheld"
"""The tokens that were cleared at a station, and are not to come back to its list."""

SOON = 5.0
"""Seconds in which changes of tokens are gathered."""

AFTER_ARRIVAL = 30.0
"""Seconds that a station has to itself, or to its set-up, before its list is asked for."""

FULL_ATTEMPTS = 2
"""A list that failed twice is not tried again before the next boot, or change."""

ATTEMPTS = 3
"""Nor is one that got no answer so often: some stations hang up on it."""

RETRY = 300.0
"""Seconds before a station that did not answer is asked again."""

_UNANSWERED = frozenset({OutcomeStatus.NO_ANSWER, OutcomeStatus.TIMED_OUT})


class SyncEnd(StrEnum):
    """How keeping a list in line came out."""

    IN_SYNC = "in_sync"
    SENT = "sent"
    IDLE = "idle"
    """There is nothing to bring, and nothing of ours to take away."""
    LEFT_ALONE = "left_alone"
    """The user does not want it."""
    DISABLED = "disabled"
    """The station does not use its list."""
    NOT_SUPPORTED = "not_supported"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(kw_only=True, slots=True, frozen=True)
class Sync:
    """What became of keeping a list in line.

    `version` is that of the station's list afterwards, None if it is unknown. `entries`
    counts the tokens that belong there, `left_out` those it has no room for. `outcome`
    is the last answer, if something was asked.
    """

    end: SyncEnd
    version: int | None = None
    entries: int = 0
    left_out: int = 0
    full: bool = False
    outcome: Outcome | None = None

    @property
    def finding(self) -> str:
        """Return what became of it, in the words of set-up."""
        match self.end:
            case SyncEnd.IN_SYNC | SyncEnd.SENT if self.left_out:
                return f"partial: {self.entries} of {self.entries + self.left_out}"
            case SyncEnd.IN_SYNC | SyncEnd.SENT:
                return f"ok: {self.entries} tokens"
            case SyncEnd.REFUSED if self.outcome is not None:
                return f"refused: {self.outcome.answer or self.outcome.detail}"
            case SyncEnd.NOT_SUPPORTED | SyncEnd.REFUSED | SyncEnd.UNANSWERED:
                return self.end.value
        return f"ok: {self.end}"


class LocalList:
    """Keep the list of one station equal to the known tokens, with few messages.

    What is known of it is in the journal's fact "local_list". A version number is
    written down before it is sent, and never used for two contents: the version that a
    station reports tells what it holds, whatever happened to the answers.
    """

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        entries: Callable[[], Entries],
        *,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Know nothing until `load`; `entries` returns who may charge there."""
        self._station = station
        self._journal = journal
        self._entries = entries
        self._spawn = spawn
        self._call_later = call_later
        self._lock = asyncio.Lock()
        self._timer: Timer | None = None
        self._checked = False
        """The version was asked for since the station came."""
        self._unanswered = 0
        """How often in a row there was no answer."""
        self._given_up: str | None = None
        """The hash of the list that the station refuses."""
        self._withheld: frozenset[str] = frozenset()
        self.ledger = ListLedger()
        station.local_list = self
        self._unsubscribe = station.local.subscribe(self._online_changed)

    async def load(self) -> None:
        """Read what was written before; what cannot be read is forgotten."""
        withheld = await self._journal.load(self._station.identity, WITHHELD)
        if isinstance(withheld, list):
            self._withheld = frozenset(map(str, withheld))
        kept = await self._journal.load(self._station.identity, FACT)
        if kept is None:
            return
        try:
            self.ledger = ListLedger.parse(kept)
        except AttributeError, KeyError, TypeError, ValueError:
            _LOGGER.warning(
                "%s: the local list in the journal cannot be read",
                shortened(self._station.identity),
            )
        self._show()

    def close(self) -> None:
        """Do nothing any more."""
        self._unsubscribe()
        self._stop()

    @property
    def wanted(self) -> Entries:
        """Return what the list should hold, as far as the station has room for it."""
        return list_ledger.fitted(self._listed, self._support)

    @property
    def _listed(self) -> Entries:
        """Return the known tokens but for those that were cleared here."""
        if not self._withheld:
            return self._entries()
        return {
            token: verdict
            for token, verdict in self._entries().items()
            if key_of(token) not in self._withheld
        }

    @property
    def needed(self) -> bool:
        """Return whether there is something to bring, or something of ours to remove.

        A station may hold the list of somebody else, which is none of our business.
        """
        return bool(self.ledger.last or self.wanted)

    @property
    def in_sync(self) -> bool:
        """Return whether the list holds what it should, as far as is known."""
        return self.ledger.entries == self.wanted

    def changed(self) -> None:
        """Take note that tokens have changed; one that was removed may come back."""
        there = {key_of(one) for one in self._entries()} if self._withheld else set()
        if not self._withheld <= there:
            name = f"local list of {shortened(self._station.identity)}"
            self._spawn(self._withhold(self._withheld & there), name)
        self._later(SOON)

    def ask_anew(self) -> None:
        """Forget that the station has no list: it may have been switched off."""
        self.ledger = replace(self.ledger, unsupported_by=None)

    async def sync(self) -> Sync:
        """Bring the list in line, whatever is believed of it; raises NotConnected."""
        async with self._lock:
            self._stop()
            done = await self._sync(self._station.link(Capability.LOCAL_LIST))
        if done.end is not SyncEnd.UNANSWERED:
            self._unanswered = 0
            return done
        self._unanswered += 1
        if self._unanswered < ATTEMPTS:
            self._later(RETRY)
            return done
        self._given_up = list_ledger.fingerprint(self.wanted)
        return replace(done, end=SyncEnd.REFUSED)

    async def send(self, *, full: bool) -> Sync:
        """Send the list because the user says so, used or not; raises NotConnected."""
        async with self._lock:
            link = self._station.link(Capability.LOCAL_LIST)
            if full:
                await self._withhold(frozenset())
            done = await self._bring(link, self.wanted, full=full)
        self._station.findings[FACT] = done.finding
        return done

    async def withhold(self, id_token: str) -> Sync | None:
        """Take a token off the list, until the user has the whole list sent.

        Return what became of it, None if it was not there; raises NotConnected.
        """
        key = key_of(id_token)
        known = {
            key_of(one) for one in (*self._entries(), *(self.ledger.entries or ()))
        }
        if key not in known:
            return None
        # Whom the user does not know any more needs no remembering.
        there = {key_of(one) for one in self._entries()}
        await self._withhold((self._withheld | {key}) & there)
        held = {key_of(one) for one in self.ledger.entries or ()}
        return await self.send(full=False) if key in held else None

    async def _withhold(self, keys: frozenset[str]) -> None:
        if keys != self._withheld:
            identity = self._station.identity
            await self._journal.store(identity, WITHHELD, sorted(keys))
            self._withheld = keys

    # When

    def _online_changed(self) -> None:
        self._checked = False
        self._stop()
        if self._station.local.value:
            self._later(AFTER_ARRIVAL)

    def _later(self, delay: float) -> None:
        if self._timer is None and self._station.local.value and not self._reason():
            self._timer = self._call_later(delay, self._now)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> None:
        self._timer = None
        name = f"local list of {shortened(self._station.identity)}"
        self._spawn(self._try(), name)

    async def _try(self) -> None:
        if self._checked and self.in_sync:
            return
        if self._given_up == list_ledger.fingerprint(self.wanted):
            return
        try:
            done = await self.sync()
        except JournalError as err:
            name = shortened(self._station.identity)
            _LOGGER.warning("%s: local list not recorded: %s", name, err)
            return
        except StationError:
            # It is asked again when it is back.
            return
        self._station.findings[FACT] = done.finding

    # Whether

    @property
    def _support(self) -> LocalListSupport:
        for link in self._station.links:
            if Capability.LOCAL_LIST in link.capabilities:
                return link.local_list_support
        return LocalListSupport()

    def _reason(self) -> SyncEnd | None:
        """Return why nothing is sent unless the user says so."""
        settings, support = self._station.settings, self._support
        if settings.quiet or settings.local_list is LocalListMode.OFF:
            return SyncEnd.LEFT_ALONE
        if support.supported is False or self._is_unsupported:
            return SyncEnd.NOT_SUPPORTED
        if not self.needed:
            return SyncEnd.IDLE
        return SyncEnd.DISABLED if support.enabled is False else None

    @property
    def _is_unsupported(self) -> bool:
        known = self.ledger.unsupported_by
        return known is not None and known == self._firmware

    @property
    def _firmware(self) -> str:
        return self._station.info.value.firmware or ""

    # What

    async def _sync(self, link: Link) -> Sync:
        if (reason := self._reason()) is not None:
            return self._told(reason)
        return await self._bring(link, self.wanted, full=False)

    async def _bring(self, link: Link, wanted: Entries, *, full: bool) -> Sync:
        """Ask for the version, and send what is missing (OCPP 1.6 3.11)."""
        outcome, reported = await link.local_list_version()
        if reported is None:
            return await self._failed(outcome)
        self._checked = True
        held = self.ledger.holds(reported)
        if held == wanted and not full:
            await self._write(replace(self.ledger, version=reported, entries=held))
            return self._told(SyncEnd.IN_SYNC, outcome)
        self._given_up = changes = None
        if held and not full:
            changes = list_ledger.difference(held, wanted)
        if changes is not None:
            outcome = await self._send(link, reported, changes, full=False)
            if outcome.ok:
                return self._told(SyncEnd.SENT, outcome)
            if outcome.status in _UNANSWERED:
                return await self._failed(outcome)
        return await self._bring_all(link, reported, wanted)

    async def _bring_all(self, link: Link, reported: int, wanted: Entries) -> Sync:
        """Send the whole list, with a new version each time (OCPP 1.6 5.15)."""
        outcome = Outcome(status=OutcomeStatus.NO_ANSWER)
        for _ in range(FULL_ATTEMPTS):
            changes = list_ledger.whole(wanted)
            outcome = await self._send(link, reported, changes, full=True)
            if outcome.ok:
                return replace(self._told(SyncEnd.SENT, outcome), full=True)
            if outcome.status is not OutcomeStatus.REJECTED:
                break
        done = await self._failed(outcome)
        if done.end is SyncEnd.REFUSED:
            self._given_up = list_ledger.fingerprint(wanted)
        return done

    async def _send(
        self, link: Link, reported: int, changes: list[ListEntry], *, full: bool
    ) -> Outcome:
        """Send changes in as many messages as it takes, and note each that arrived."""
        messages = list_ledger.chunks(changes, link.local_list_support)
        ledger, versions = self.ledger.reserve(reported, len(messages))
        held = (not full and self.ledger.entries) or {}
        await self._write(ledger)
        outcome = Outcome(status=OutcomeStatus.NO_ANSWER)
        for number, (version, message) in enumerate(
            zip(versions, messages, strict=True)
        ):
            outcome = await link.send_local_list(
                version, message, full=full and not number
            )
            if not outcome.ok:
                break
            held = list_ledger.applied(held, message)
            await self._write(
                replace(self.ledger, version=version, entries=held, unsupported_by=None)
            )
        return outcome

    async def _failed(self, outcome: Outcome) -> Sync:
        match outcome.status:
            case OutcomeStatus.NOT_SUPPORTED:
                # Many say so of a list that is only switched off.
                off = self._support.enabled is False
                firmware = None if off else self._firmware
                await self._write(
                    ListLedger(last=self.ledger.last, unsupported_by=firmware)
                )
                return self._told(SyncEnd.NOT_SUPPORTED, outcome)
            case OutcomeStatus.NO_ANSWER | OutcomeStatus.TIMED_OUT:
                return self._told(SyncEnd.UNANSWERED, outcome)
        return self._told(SyncEnd.REFUSED, outcome)

    def _told(self, end: SyncEnd, outcome: Outcome | None = None) -> Sync:
        wanted = self.wanted
        boundless = replace(self._support, max_entries=None)
        known = end in {SyncEnd.IN_SYNC, SyncEnd.SENT}
        return Sync(
            end=end,
            version=self.ledger.version if known else None,
            entries=len(wanted),
            left_out=len(list_ledger.fitted(self._listed, boundless)) - len(wanted),
            outcome=outcome,
        )

    async def _write(self, ledger: ListLedger) -> None:
        if ledger != self.ledger:
            identity = self._station.identity
            await self._journal.store(identity, FACT, ledger.dump())
            self.ledger = ledger
            self._show()

    def _show(self) -> None:
        held = self.ledger.entries
        self._station.list_size.set(None if held is None else len(held))
