"""Easee local: chargers of an account that are moved to an OCPP server here, and back.

Whoever asks for something gets EaseeError if the cloud did not play along, LocalRefused
if it makes no sense, JournalError if nothing can be written down. Everything else goes on
by itself, and shows in `progress`.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import callback

from .const import DOMAIN
from .easee.local_problems import Check
from .easee.local_progress import Goal, Progress, Stage, Trouble
from .easee_local_charger import LocalCharger
from .easee_local_errors import LocalRefused, Refusal
from .easee_local_findings import Findings
from .easee_local_issues import (
    STRANDED,
    async_delete_local_issues,
    async_update_local_issue,
)
from .entries import is_easee
from .models import EvChargerHubConfigEntry
from .station.channel import Channel
from .station.errors import JournalError

if TYPE_CHECKING:
    from .easee_hub import EaseeHub


class LocalStatus(StrEnum):
    """How far a charger is, in the words that users read."""

    OFF = "off"
    """It is only in the cloud."""
    PREPARING = "preparing"
    """It is being told to dial us."""
    WAITING = "waiting"
    """It was told, and has not come yet."""
    CONNECTED = "connected"
    """It came; whether it is connected now is told by the connection itself."""
    UNDOING = "undoing"
    """It is being told to dial us no longer."""
    TROUBLE = "trouble"
    """Somebody has to decide."""


@dataclass(kw_only=True, slots=True, frozen=True)
class LocalState:
    """How far a charger is, and the name of what is wrong, None for nothing."""

    status: LocalStatus | None = None
    """None as long as it is not read how far it is."""
    trouble: str | None = None


_CAME: Final = frozenset({Stage.CONNECTED, Stage.VERIFIED})


def status_of(progress: Progress | None) -> LocalStatus:
    """Return how far a charger is, in the words that users read."""
    if progress is None:
        return LocalStatus.OFF
    if progress.trouble is not None:
        return LocalStatus.TROUBLE
    if progress.goal is Goal.OFF:
        return LocalStatus.UNDOING
    if progress.stage in _CAME:
        return LocalStatus.CONNECTED
    if progress.stage is Stage.APPLIED:
        return LocalStatus.WAITING
    return LocalStatus.PREPARING


DECISIONS: Final[dict[Trouble, tuple[str, ...]]] = {
    Trouble.FOREIGN: ("adopt", "retry", "leave"),
    Trouble.LOST: ("retry", "undo"),
    Trouble.OTHER_OPERATOR: ("retry", "undo", "leave"),
    Trouble.NOT_CONNECTED: ("retry", "undo"),
    Trouble.FORBIDDEN: ("retry", "undo", "leave"),
    Trouble.NOT_FOUND: ("retry", "undo", "leave"),
    Trouble.REFUSED: ("retry", "undo", "leave"),
    Trouble.OFFLINE_BEHAVIOR: ("retry", "undo"),
}
"""What may be decided in each trouble, the best first: names of methods."""


class LocalCharging:
    """Local OCPP of the chargers of one account, by their serial number."""

    def __init__(self, hub: EaseeHub) -> None:
        """Know of no charger yet."""
        self._hub = hub
        self.chargers: dict[str, LocalCharger] = {}
        """By serial number in upper case."""

        self._states: dict[str, Channel[LocalState]] = {}
        self._ends: dict[str, ExitStack] = {}
        self._running = False

    # Life

    def start(self) -> None:
        """Go on with what was begun, from the next look at the account."""
        self._running = True

    async def async_follow(self) -> None:
        """Bring the chargers in line with those that the account has here."""
        if not self._running:
            return
        infos = {
            one.serial.upper(): one
            for one in self._hub.account.catalog.value.chargers.values()
            if not self._is_elsewhere(one.serial.upper())
        }
        for serial in self.chargers.keys() - infos.keys():
            charger = self.chargers[serial]
            await self._async_part_with(serial)
            if not self._is_elsewhere(serial):
                async_delete_local_issues(self._hub, charger)
        for serial, info in infos.items():
            if (known := self.chargers.get(serial)) is not None:
                known.update(info)
            elif serial in self._hub.account.chargers:
                await self._async_meet(serial, LocalCharger(self._hub, info))

    async def async_stop(self) -> None:
        """Do nothing more; the next start goes on."""
        self._running = False
        while self.chargers:
            serial, charger = next(iter(self.chargers.items()))
            await self._async_part_with(serial)
            # Nobody can decide while the account does not run.
            async_delete_local_issues(self._hub, charger)

    async def _async_meet(self, serial: str, charger: LocalCharger) -> None:
        """Go on with a charger from what is written down; raises JournalError."""
        for other in self._others():
            await other.local.async_yield(serial)
        self.chargers[serial] = charger
        ending = self._ends[serial] = ExitStack()
        tell = partial(self._tell, charger)
        for channel in (charger.progress, charger.stranded):
            ending.callback(channel.subscribe(tell))
        try:
            await charger.async_start()
        except JournalError:
            # Who does not know how far it is would begin anew.
            await self._async_part_with(serial)
            raise
        tell()

    async def async_yield(self, serial: str) -> None:
        """Do nothing more with a charger that another account looks after now."""
        if serial in self.chargers:
            await self._async_part_with(serial)

    async def _async_part_with(self, serial: str) -> None:
        """Do nothing more with a charger."""
        self._ends.pop(serial).close()
        await self.chargers.pop(serial).async_stop()

    @callback
    def _tell(self, charger: LocalCharger) -> None:
        """Tell the user how far a charger is."""
        progress = charger.progress.value
        status, trouble = status_of(progress), None
        if progress is not None and progress.trouble is not None:
            trouble = str(progress.trouble)
        elif charger.stranded.value:
            status, trouble = LocalStatus.TROUBLE, STRANDED
        state = LocalState(status=status, trouble=trouble)
        self.state(charger.serial).set(state)
        async_update_local_issue(self._hub, charger)

    def _is_elsewhere(self, serial: str) -> bool:
        """Return whether another account looks after a charger that both have."""
        if serial in self._hub.account.chargers:
            return False
        return any(serial in other.account.chargers for other in self._others())

    def _others(self) -> Iterator[EaseeHub]:
        """Yield the other accounts that run."""
        for entry in self._hub.hass.config_entries.async_loaded_entries(DOMAIN):
            if entry is not self._hub.entry and is_easee(entry):
                yield entry.runtime_data

    # What is known

    def charger(self, serial: str) -> LocalCharger:
        """Return a charger; raises LocalRefused if it is not one of the account."""
        if (charger := self.chargers.get(serial.upper())) is None:
            raise LocalRefused(Refusal.UNKNOWN_CHARGER)
        return charger

    def state(self, serial: str) -> Channel[LocalState]:
        """Return how far a charger is for users; it need not be known yet."""
        return self._states.setdefault(
            serial.upper(), Channel(LocalState(), urgent=True)
        )

    def progress(self, serial: str) -> Channel[Progress | None]:
        """Return how far a charger is: None as long as it is only in the cloud."""
        return self.charger(serial).progress

    def next_attempt(self, serial: str) -> datetime | None:
        """Return when a charger that does not come is told once more, None if never."""
        return self.charger(serial).next_attempt

    def decisions(self, serial: str) -> tuple[str, ...]:
        """Return what the user may decide now, the best first: names of methods.

        "undo" is possible whenever there is something to undo.
        """
        charger = self.charger(serial)
        progress = charger.progress.value
        if progress is None:
            return ()
        if progress.goal is Goal.OFF:
            return () if progress.trouble is None else ("retry", "leave")
        if progress.trouble is not None:
            return DECISIONS[progress.trouble]
        return ("retry", "undo") if charger.stranded.value else ("undo",)

    def stranded(self, serial: str) -> Channel[bool]:
        """Return whether a charger was moved to a server that has lost it since.

        Then "retry" lets it in again, if that server still exists.
        """
        return self.charger(serial).stranded

    def connected(self, serial: str) -> Channel[bool]:
        """Return whether a charger is connected to a server here just now."""
        return self.charger(serial).arrivals.here

    # What the user decides

    async def inspect_charger(self, serial: str) -> Findings:
        """Return what stands against moving a charger, where to, and what would follow.

        Raises EaseeError if the cloud does not tell.
        """
        return await self.charger(serial).examine()

    async def begin(
        self,
        serial: str,
        server: EvChargerHubConfigEntry,
        url: str,
        *,
        name: str | None = None,
        confirmed: Collection[Check] = (),
        charge_when_away: bool = True,
    ) -> None:
        """Move a charger to a server, which it reaches by `url` (without identity).

        It is approved there by its serial number, with a new password, under `name` or
        the one it has in the account. Returns once that is written down and planned:
        the rest shows in `progress`. `confirmed` are the problems that the user insists
        against, those of the address included.
        """
        await self._see_through(
            self.charger(serial).begin(
                server,
                url,
                name=name,
                confirmed=confirmed,
                charge_when_away=charge_when_away,
            )
        )

    async def undo(self, serial: str) -> None:
        """Move a charger back to the cloud alone, and have it be as it was."""
        await self._see_through(self.charger(serial).undo())

    async def retry(self, serial: str) -> None:
        """Go on after a trouble."""
        await self._see_through(self.charger(serial).retry())

    async def adopt(
        self, serial: str, server: EvChargerHubConfigEntry | None = None
    ) -> None:
        """Take what somebody else stored for ours, without changing it.

        If no server has a charger of that identity, it is approved at `server`.
        """
        await self._see_through(self.charger(serial).adopt(server))

    async def leave(self, serial: str) -> None:
        """Forget how a charger was moved, and leave it as it is."""
        await self._see_through(self.charger(serial).leave())

    async def _see_through(self, decision: Coroutine[Any, Any, None]) -> None:
        """Carry a decision out to its end, also if whoever took it is stopped meanwhile.

        Raises LocalRefused if the account stops before; the next start goes on.
        """
        task = self._hub.entry.async_create_background_task(
            self._hub.hass, decision, "Easee local OCPP, decided"
        )
        # There may be nobody left to hear of what goes wrong.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([task])
        if task.cancelled():
            raise LocalRefused(Refusal.UNKNOWN_CHARGER)
        task.result()
