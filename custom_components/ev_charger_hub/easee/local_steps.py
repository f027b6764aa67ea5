"""Local steps: what brings a charger one stage further, each harmless if done twice.

A step is taken from what is written down, looks at what the cloud has, and changes it at
most once. Where it stops half-way, the same step finds what it did and goes on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from .errors import Forbidden, Refused, Unavailable
from .local_address import host_of
from .local_checks import other_operator
from .local_details import UNTOLD, Details, Mode, Stored
from .local_ocpp import LocalOcpp
from .local_offline import OfflineBehavior
from .local_progress import Goal, Progress, Stage, Trouble
from .requests import Requests
from .timing import Time

type Step = Callable[[Progress], Awaitable[Progress | None]]

SEEN: Final = frozenset({Trouble.FOREIGN, Trouble.LOST, Trouble.OTHER_OPERATOR})
"""Troubles that can be seen in the cloud."""


class Steps:
    """The steps of one charger; they raise EaseeError."""

    def __init__(
        self, serial: str, requests: Requests, behavior: OfflineBehavior, time: Time
    ) -> None:
        """Take steps by `requests`."""
        self._serial = serial
        self._requests = requests
        self._local = LocalOcpp(requests)
        self._behavior = behavior
        self._time = time
        self._steps: dict[tuple[Goal, Stage], Step] = {
            (Goal.ON, Stage.PLANNED): self._prepare,
            (Goal.ON, Stage.PREPARED): self._store,
            (Goal.ON, Stage.STORED): self._count,
            (Goal.ON, Stage.APPLYING): self._apply,
            (Goal.ON, Stage.CONNECTED): self._verify,
            (Goal.OFF, Stage.PLANNED): self._store_off,
            (Goal.OFF, Stage.STORED): self._apply_off,
            (Goal.OFF, Stage.APPLIED): self._restore,
        }

    def next(self, progress: Progress) -> Step | None:
        """Return what is to be done next, None for nothing but waiting, if that."""
        if progress.trouble is not None:
            return None
        return self._steps.get((progress.goal, progress.stage))

    async def read(self) -> Stored | None:
        """Return what the cloud has stored."""
        return await self._local.read(self._serial)

    async def planned(self, details: Details, charge_when_away: bool) -> Progress:
        """Return a plan to get a charger there, with what there is now."""
        stored = await self.read()
        plan = Progress(
            details=details,
            charge_when_away=charge_when_away,
            settings=self._behavior.differing() if charge_when_away else {},
        )
        if stored is None or plan.is_ours(stored):
            return plan
        if stored.details.active:
            return _foreign(plan, stored)
        return replace(plan, before=stored.details.fingerprint)

    async def look(self, progress: Progress) -> Progress:
        """Return the progress with the trouble that can be seen now."""
        operator = await other_operator(self._serial, self._requests)
        try:
            trouble = self._unlike(progress, await self.read())
        except Forbidden:
            if operator is None:
                raise
            trouble = None
        if trouble is not None and trouble.trouble is Trouble.LOST:
            return replace(trouble, detail=operator or "")
        if trouble is not None:
            return trouble
        if operator is not None:
            return replace(progress, trouble=Trouble.OTHER_OPERATOR, detail=operator)
        if progress.trouble in SEEN:
            # Whether it takes too long is found out anew.
            return replace(progress, trouble=None, detail="", late=False)
        return progress

    def _unlike(self, progress: Progress, stored: Stored | None) -> Progress | None:
        """Return the progress with what is wrong with what is stored, None for nothing."""
        if stored is None:
            return replace(progress, trouble=Trouble.LOST, detail="")
        return None if progress.is_ours(stored) else _foreign(progress, stored)

    def _disturbed(self, progress: Progress, stored: Stored | None) -> Progress | None:
        """Return the progress with what keeps us from storing, None for nothing."""
        if stored is None or progress.is_ours(stored) or progress.was_there(stored):
            return None
        return _foreign(progress, stored)

    # To us

    async def _prepare(self, progress: Progress) -> Progress:
        """Have the charger charge when nobody is there, if it is not somebody else's."""
        if (trouble := self._disturbed(progress, await self.read())) is not None:
            return trouble
        outcome = await self._behavior.set() if progress.charge_when_away else None
        if outcome is None or outcome.ok or not self._behavior.differing():
            return replace(progress, stage=Stage.PREPARED)
        return replace(
            progress,
            trouble=Trouble.OFFLINE_BEHAVIOR,
            detail=outcome.detail or outcome.answer,
        )

    async def _store(self, progress: Progress) -> Progress:
        """Store how the charger is to dial, unless that is stored."""
        stored = await self.read()
        if (trouble := self._disturbed(progress, stored)) is not None:
            return trouble
        if stored is not None and progress.is_ours(stored):
            version = stored.version
        else:
            version = await self._local.store(self._serial, progress.details)
        return replace(progress, stage=Stage.STORED, version=version)

    async def _count(self, progress: Progress) -> Progress:
        """Count the attempt that is about to begin."""
        return replace(
            progress,
            stage=Stage.APPLYING,
            attempts=progress.attempts + 1,
            first_applied=progress.first_applied or self._time(),
        )

    async def _apply(self, progress: Progress) -> Progress:
        """Have the charger dial, if what is stored is ours."""
        stored = await self.read()
        if (trouble := self._unlike(progress, stored)) is not None or stored is None:
            return trouble or progress
        now = self._time()
        if not await self._hand_over(progress, stored):
            return progress
        return replace(progress, stage=Stage.APPLIED, applied=now, late=False)

    async def _verify(self, progress: Progress) -> Progress:
        """See that what is stored is still ours."""
        trouble = self._unlike(progress, await self.read())
        return trouble or replace(progress, stage=Stage.VERIFIED)

    async def _hand_over(self, progress: Progress, stored: Stored) -> bool:
        """Apply what is stored; return False if it is another one meanwhile."""
        if (version := stored.version or progress.version) is None:
            raise Unavailable("the configuration has no version")
        try:
            await self._local.apply(self._serial, version)
        except Refused:
            again = await self.read()
            if again is None or again.version in {None, stored.version}:
                raise
            return False
        return True

    # And back

    async def _store_off(self, progress: Progress) -> Progress:
        """Store that the charger is not to dial, if it is to dial as we said."""
        stored = await self.read()
        if stored is None:
            return replace(progress, stage=Stage.APPLIED)
        # It may look as before we came, and not be applied yet.
        if _off(progress).is_ours(stored):
            version = stored.version
        elif progress.is_ours(stored):
            details = replace(stored.details, mode=Mode.OFF)
            if details.password == UNTOLD:
                details = replace(details, password=progress.details.password)
            version = await self._local.store(self._serial, details)
        elif progress.was_there(stored):
            return replace(progress, stage=Stage.APPLIED)
        else:
            return _foreign(progress, stored)
        return replace(progress, stage=Stage.STORED, version=version)

    async def _apply_off(self, progress: Progress) -> Progress:
        """Have the charger hang up."""
        stored = await self.read()
        if stored is not None:
            if not _off(progress).is_ours(stored):
                return _foreign(progress, stored)
            if not await self._hand_over(progress, stored):
                return progress
        return replace(progress, stage=Stage.APPLIED)

    async def _restore(self, progress: Progress) -> None:
        """Have the charger be as it was, as far as it lets us."""
        await self._behavior.restore(progress.settings)


def _off(progress: Progress) -> Progress:
    """Return the progress with what undoes its details."""
    return replace(progress, details=replace(progress.details, mode=Mode.OFF))


def _foreign(progress: Progress, stored: Stored) -> Progress:
    """Return the progress with the trouble that somebody else interferes."""
    detail = host_of(stored.details.url) if stored.details.active else ""
    return replace(progress, trouble=Trouble.FOREIGN, detail=detail)
