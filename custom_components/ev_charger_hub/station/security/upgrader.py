"""Upgrader: a station goes to a higher security profile, step by step (2.0.1 A05)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
import logging
from typing import Any, Final

from ..channel import Channel
from ..clock import CallLater, Timer
from ..commands import CertificateUse
from ..errors import JournalError, NotConnected, NotSupported, UpdateRunning
from ..events import Booted, StationEvent
from ..firmware import Blocked
from ..link import Capability, Link
from ..model import ChargingStation
from ..networks import NetworkLink
from ..outcome import Outcome
from ..secrets import shortened
from .certificates import Certificates
from .kept import Failure, Keeper, Kept, Step, Upgrade
from .passwords import Passwords
from .ports import Ports, Signer
from .profile import HIGHEST, SECURITY_PROFILE, profile_written, same_root
from .ways import Ways, told

_LOGGER = logging.getLogger(__name__)

MAX_TRIES: Final = 12
"""How many steps one leg may take, with those that have to be done again."""

MAX_TRIES_2: Final = 24
"""The same of OCPP 2.x, where a profile takes several messages."""

MAX_LANDINGS: Final = 2
"""How often a station may come the old way after a restart (2.x)."""

AGAIN: Final = 60.0
"""Seconds after which a step without a clear answer is done again."""

BOOTING: Final = 20.0
"""Seconds that a station has to introduce itself, once it is connected (2.x)."""

NOT_YET: Final = "SecurityError"
"""What a station answers that began anew and was not accepted since (2.x B02, B03)."""

PATIENCE: Final = 300.0
"""Seconds that a station has to make a key, or to restart."""

_STEPS: Final = {
    1: (Step.PASSWORD, Step.PROFILE, Step.RESTART, Step.ARRIVAL),
    2: (Step.PASSWORD, Step.ROOT, Step.PROFILE, Step.RESTART, Step.ARRIVAL),
    3: (Step.CERTIFICATE, Step.PROFILE, Step.RESTART, Step.ARRIVAL),
}

_MOVE: Final = (Step.PROFILE, Step.RESTART, Step.ARRIVAL)
"""On the way to another address, with the profile that the station has."""

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
type Next = Step | Failure | float
"""What follows: a step, the end, or so many seconds in which something may happen."""


def first_leg(present: int, target: int) -> int:
    """Return the profile to go to first: nothing is won by profile 1 on the way to 2."""
    return min(target, max(2, present + 1))


class Upgrader:
    """Leads one station to a profile, over restarts of either side.

    Every step is written down before it is begun and may be done again. Nothing that
    lets the station in is taken away before it was seen with what replaces it.
    """

    def __init__(
        self,
        station: ChargingStation,
        keeper: Keeper,
        passwords: Passwords,
        certificates: Certificates,
        ports: Ports,
        *,
        profile: Channel[int | None],
        spawn: Spawn,
        call_later: CallLater,
    ) -> None:
        """Lead `station` on whenever `keeper` says that it is under way.

        `profile` is the one that it was last seen with.
        """
        self._station = station
        self._keeper = keeper
        self._passwords = passwords
        self._certificates = certificates
        self._ports = ports
        self._profile_seen = profile
        self._ways = Ways(ports, self._keep_slot)
        self._spawn = spawn
        self._call_later = call_later
        self._timer: Timer | None = None
        self._awaits_boot = False
        """Whether nothing is to be done before the station has introduced itself."""
        self._task: asyncio.Task[None] | None = None
        self._due = False
        self._boots = 0
        self._booted = False
        """Whether the station began anew since it was asked to."""
        self._patient = True
        """Whether it is given a moment to say that it began anew."""
        self._unsubscribe = station.on_event(self._happened)
        self._steps: dict[Step, Callable[[Upgrade], Awaitable[Next]]] = {
            Step.PASSWORD: self._password,
            Step.ROOT: self._root,
            Step.CERTIFICATE: self._certificate,
            Step.PROFILE: self._profile,
            Step.RESTART: self._restart,
            Step.ARRIVAL: self._arrival,
        }
        self.on_change: Callable[[], None] | None = None

    async def begin(self, upgrade: Upgrade | None) -> None:
        """Set out anew, or with None stay where the station is; raises JournalError."""
        self._cancel()
        await self._keep(partial(replace, upgrade=upgrade))
        self.go_on()

    def go_on(self) -> None:
        """Do what comes next, as soon as the station is there."""
        self._due = True
        self.online_changed()

    def online_changed(self) -> None:
        """Take note that the station came or went."""
        upgrade = self._keeper.kept.upgrade
        if not self._due or upgrade is None or not upgrade.active:
            return
        if self._station.local.value and (self._task is None or self._task.done()):
            self._cancel_timer()
            name = f"{shortened(self._station.identity)} security profile"
            self._task = self._spawn(self._run(), name)

    def certificate_delivered(self, outcome: Outcome) -> None:
        """Go on from the step that waited for a certificate."""
        if (upgrade := self._awaiting_certificate) is None:
            return
        if outcome.ok:
            self._spawn_turn(_after(upgrade))
        elif outcome.answer:
            self._spawn_turn(Failure.CERTIFICATE_REFUSED)

    def request_refused(self) -> None:
        """Give up on a station that asks for what it cannot get."""
        if self._awaiting_certificate is not None:
            self._spawn_turn(Failure.REQUEST_REFUSED)

    @property
    def _awaiting_certificate(self) -> Upgrade | None:
        upgrade = self._keeper.kept.upgrade
        if (
            upgrade is None
            or not upgrade.active
            or upgrade.step is not Step.CERTIFICATE
        ):
            return None
        return upgrade

    def close(self) -> None:
        """Do nothing more; what is under way goes on after the next start."""
        self._unsubscribe()
        self._cancel()

    def _happened(self, event: StationEvent) -> None:
        if not isinstance(event, Booted):
            return
        self._boots += 1
        if self._awaits_boot:
            self.go_on()
        if self._booted:
            return
        self._booted = True
        upgrade = self._keeper.kept.upgrade
        if upgrade is None or not upgrade.slot or upgrade.step is not Step.ARRIVAL:
            return
        if not upgrade.awaits(self._profile_seen.value or 0):
            self.go_on()

    def _spawn_turn(self, following: Next) -> None:
        async def turn() -> None:
            if await self._turn(following):
                self.go_on()

        self._spawn(turn(), f"{shortened(self._station.identity)} certificate")

    async def _run(self) -> None:
        try:
            while self._due:
                self._due = False
                await self._walk()
        except JournalError:
            _LOGGER.exception("%s: not written down", shortened(self._station.identity))
            self._wait(AGAIN)

    async def _walk(self) -> None:
        """Take steps until one of them has to wait."""
        while (upgrade := self._keeper.kept.upgrade) is not None and upgrade.active:
            if upgrade.tries >= (MAX_TRIES if upgrade.slot is None else MAX_TRIES_2):
                await self._turn(Failure.GAVE_UP)
                return
            if upgrade.url is None and not self._ports.offers(upgrade.leg):
                # It would be sent away from where it gets in.
                await self._turn(Failure.NOT_OFFERED)
                return
            counted = replace(upgrade, tries=upgrade.tries + 1)
            await self._keep(partial(_swapped, before=upgrade, after=counted))
            if self._keeper.kept.upgrade != counted:
                # It came further meanwhile.
                continue
            upgrade, boots = counted, self._boots
            try:
                following = await self._steps[upgrade.step](upgrade)
            except NotConnected:
                # Nothing was sent: it goes on when the station is back.
                return
            except NotSupported:
                following = Failure.PROFILE_REFUSED
            now = self._keeper.kept.upgrade
            if now is None or now.leg != upgrade.leg:
                continue
            if following == BOOTING and boots != self._boots:
                # It introduced itself before its answer was here.
                continue
            if not await self._turn(following):
                return

    async def _turn(self, following: Next) -> bool:
        """Take the outcome of a step; return whether there is another to be taken."""
        if isinstance(following, float):
            self._wait(following)
            return False
        if isinstance(following, Failure):
            name = shortened(self._station.identity)
            _LOGGER.warning("%s: no higher security profile: %s", name, following)
            await self._keep(lambda kept: _changed(kept, failure=following))
            return False
        await self._keep(lambda kept: _changed(kept, step=following))
        return True

    # The steps

    async def _password(self, upgrade: Upgrade) -> Next:
        if self._station.settings.password_hash is not None:
            return _after(upgrade)
        outcome = await self._passwords.rotate()
        return _judged(outcome, upgrade, Failure.PASSWORD_REFUSED)

    async def _root(self, upgrade: Upgrade) -> Next:
        signer = self._ports.signer()
        root = await signer.root() if signer is not None else None
        if signer is None or root is None:
            # The user's own certificate: the station knows who signed it, or refuses.
            return _after(upgrade)
        link = self._station.link(Capability.CERTIFICATES)
        if await self._has(link, signer, root):
            return _after(upgrade)
        outcome = await link.install_certificate(
            CertificateUse.CENTRAL_SYSTEM_ROOT, root
        )
        return _judged(outcome, upgrade, Failure.ROOT_REFUSED)

    async def _has(self, link: Link, signer: Signer, root: str) -> bool:
        use = CertificateUse.CENTRAL_SYSTEM_ROOT
        _, installed = await link.installed_certificates((use,))
        return any(same_root(signer.names, root, one.certificate) for one in installed)

    async def _certificate(self, upgrade: Upgrade) -> Next:
        outcome = await self._certificates.request()
        if outcome.ok:
            return PATIENCE
        return _judged(outcome, upgrade, Failure.CERTIFICATE_REFUSED)

    async def _profile(self, upgrade: Upgrade) -> Next:
        link = self._station.link(Capability.CONFIGURATION)
        if (networks := link.networks) is not None:
            written = await self._ways.write(networks, upgrade)
            if isinstance(written, Failure):
                return written
            return _judged(written, upgrade, Failure.PROFILE_REFUSED)
        if upgrade.url is not None:
            # It speaks OCPP 1.6 by now, which has no words for it.
            return Failure.PROFILE_REFUSED
        outcome = await link.set_configuration(SECURITY_PROFILE, str(upgrade.leg))
        return _judged(outcome, upgrade, Failure.PROFILE_REFUSED)

    async def _restart(self, upgrade: Upgrade) -> Next:
        if self._is_busy():
            # Nobody is interrupted for it, and no update is spoilt.
            await self._keep(lambda kept: _changed(kept, tries=upgrade.tries - 1))
            return PATIENCE
        # Noted before: a station that does not come back as it should is asked why.
        await self._turn(Step.ARRIVAL)
        self._booted, self._patient = False, True
        link = self._station.link(Capability.RESET)
        outcome = await link.reset(hard=True)
        if outcome.answer and not outcome.ok:
            await link.reset(hard=False)
        return PATIENCE

    def _is_busy(self) -> bool:
        """Return whether a restart would do harm now."""
        if (firmware := self._station.firmware) is not None:
            try:
                firmware.check(Blocked.RESET)
            except UpdateRunning:
                return True
        return any(evse.transaction for evse in self._station.evses.values())

    async def _arrival(self, upgrade: Upgrade) -> Next:
        """Find out why the station is here with the profile that it had."""
        link = self._station.link(Capability.CONFIGURATION)
        if upgrade.url is None and (
            self._station.settings.password_hash is None
            and not self._keeper.kept.hashes
        ):
            if upgrade.leg < HIGHEST:
                # The user took the password back meanwhile: it proves nothing without.
                return Step.PASSWORD
        if (networks := link.networks) is not None and upgrade.slot is not None:
            return await self._landing(networks, upgrade, upgrade.slot)
        written = await profile_written(link)
        if written is not None and written >= upgrade.leg:
            # It is willing, and was not restarted yet.
            return Step.RESTART
        if upgrade.tries > MAX_TRIES // 2:
            return Failure.FELL_BACK
        return Step.PROFILE

    async def _landing(
        self, networks: NetworkLink, upgrade: Upgrade, slot: int
    ) -> Next:
        """Find out which way the station came (2.x)."""
        outcome, slots = await networks.slots()
        if not outcome.ok:
            return AGAIN
        if self._ways.is_there(slots, upgrade):
            outcome = await networks.set_priority((slot,))
            if outcome.answer == NOT_YET:
                return BOOTING
            return Step.DONE if outcome.answer else AGAIN
        if upgrade.awaits(self._profile_seen.value or 0):
            # It arrived, which is being written down just now.
            return PATIENCE
        if not self._booted and self._patient:
            self._patient = False
            return BOOTING
        if not self._booted:
            # It was not restarted yet, or only lost its network for a moment.
            return Step.RESTART if told(slots, upgrade) else Step.PROFILE
        landings = upgrade.landings + 1
        await self._keep(lambda kept: _changed(kept, landings=landings))
        if landings >= MAX_LANDINGS:
            await self._ways.take_back(networks, slots, slot)
            return Failure.FELL_BACK
        return Step.RESTART if told(slots, upgrade) else Step.PROFILE

    # What happens when

    async def _keep_slot(self, slot: int) -> None:
        await self._keep(lambda kept: _changed(kept, slot=slot))

    async def _keep(self, change: Callable[[Kept], Kept]) -> None:
        await self._keeper.change(change)
        if self.on_change is not None:
            self.on_change()

    def _wait(self, seconds: float) -> None:
        self._cancel_timer()
        self._awaits_boot = seconds == BOOTING
        self._timer = self._call_later(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self.go_on()

    def _cancel_timer(self) -> None:
        self._awaits_boot = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel(self) -> None:
        self._cancel_timer()
        self._due = False
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None


def begun(present: int, target: int) -> Upgrade:
    """Return the way from a profile to a higher one."""
    leg = first_leg(present, target)
    return Upgrade(target=target, leg=leg, step=_STEPS[leg][0])


def arrived(upgrade: Upgrade, profile: int) -> Upgrade:
    """Return the way that is left once a station was seen with the profile of a leg."""
    if profile >= upgrade.target:
        return replace(upgrade, step=Step.DONE, failure=None)
    return begun(profile, upgrade.target)


def moved(present: int, url: str) -> Upgrade:
    """Return the way of a station to another address, with the profile that it has."""
    return Upgrade(target=present, leg=present, step=_MOVE[0], url=url)


def _after(upgrade: Upgrade) -> Step:
    steps = _STEPS[upgrade.leg] if upgrade.url is None else _MOVE
    return steps[steps.index(upgrade.step) + 1]


def _judged(outcome: Outcome, upgrade: Upgrade, refusal: Failure) -> Next:
    if outcome.ok:
        return _after(upgrade)
    if outcome.answer == NOT_YET:
        return BOOTING
    # Without a word of its own the station may have done it all the same.
    return refusal if outcome.answer else AGAIN


def _swapped(kept: Kept, before: Upgrade, after: Upgrade) -> Kept:
    return replace(kept, upgrade=after) if kept.upgrade == before else kept


def _changed(kept: Kept, **changes: Any) -> Kept:
    if kept.upgrade is None or not kept.upgrade.active:
        return kept
    return replace(kept, upgrade=replace(kept.upgrade, **changes))
