"""Security: what looks after one station's password, certificate and profile."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from ..channel import Channel
from ..clock import CallLater, Clock, Timer, call_later as loop_call_later
from ..commands import CertificateHash, SigningRequest
from ..errors import JournalError, NotConnected, NotSupported
from ..journal import Journal
from ..model import ChargingStation
from ..outcome import Outcome
from ..secrets import shortened
from ..settings import StationSettings
from .certificates import Certificates
from .kept import ClientCertificate, Keeper, Kept, Sight, Upgrade
from .passwords import Passwords, proved
from .ports import Ports
from .profile import HIGHEST
from .upgrader import Spawn, Upgrader, arrived, begun, moved

_LOGGER = logging.getLogger(__name__)

ON_DISK_AFTER: Final = timedelta(minutes=1)
"""Home Assistant writes its settings to disk within seconds."""

RENEW_EVERY: Final = timedelta(hours=12)
"""A station that takes a certificate and uses the old one is not asked all the time."""

LOOK_EVERY: Final = 86400.0
"""Seconds between two looks at the age of the station's certificate."""

SETTLED_AFTER: Final = timedelta(days=1)
"""How long a station is never below a profile before we propose to hold it to that."""


class Security:
    """What one station proves, what it has to prove, and how that changes."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        ports: Ports,
        spawn: Spawn,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Look after `station`; `load` comes first."""
        self.profile: Channel[int | None] = Channel(None, urgent=True)
        """The security profile that the station was last seen with (0 to 3)."""
        self.upgrade: Channel[Upgrade | None] = Channel(None, urgent=True)
        """The last way to a higher profile, and how far it got."""
        self.certificate: Channel[ClientCertificate | None] = Channel(None)
        """The certificate that we gave the station last."""
        self._station = station
        self._clock = clock
        self._ports = ports
        self._spawn = spawn
        self._tasks: set[asyncio.Task[None]] = set()
        self._call_later = call_later
        self._keeper = Keeper(station.identity, journal)
        self._passwords = Passwords(station, self._keeper, ports)
        self._certificates = Certificates(station, self._keeper, ports, clock)
        self._upgrader = Upgrader(
            station,
            self._keeper,
            self._passwords,
            self._certificates,
            ports,
            profile=self.profile,
            spawn=self._begin,
            call_later=call_later,
        )
        self._upgrader.on_change = self._show
        self._certificates.on_delivered = self._delivered
        self._certificates.on_refused = self._upgrader.request_refused
        self._renewal: Timer | None = None
        self._renewed_at: datetime | None = None
        self._writing: Timer | None = None
        self._unsubscribe = station.local.subscribe(self._upgrader.online_changed)
        station.security = self

    async def load(self) -> None:
        """Go on where it was left; raises JournalError.

        What Home Assistant had not written to disk of our changes is changed again.
        """
        await self._keeper.load()
        settings = self._station.settings
        lost = self._keeper.kept.amended(settings)
        if lost:
            self._station.settings = replace(settings, **lost)
            self._ports.amend(lost)
        now = self._clock()
        await self._keeper.change(
            lambda kept: kept.standing(self._station.settings).renewed(now, lost)
        )
        self._show()
        self._look_later()
        self._forget_later()

    def _forget_later(self) -> None:
        """Forget our changes of settings once they are on disk.

        What the user changes while we do not run would be taken back otherwise.
        """
        if self._writing is not None or not self._keeper.kept.amendments:
            return
        seconds = ON_DISK_AFTER.total_seconds()
        self._writing = self._call_later(seconds, self._written)

    def _written(self) -> None:
        self._writing = None
        name = f"{shortened(self._station.identity)} settings"
        self._begin(self._forget_written(), name)

    async def _forget_written(self) -> None:
        before = self._clock() - ON_DISK_AFTER
        try:
            await self._keeper.change(lambda kept: kept.since(before))
        except JournalError:
            name = shortened(self._station.identity)
            _LOGGER.exception("%s: not written down", name)
        self._forget_later()

    def close(self) -> None:
        """Do nothing more until the next start."""
        self._unsubscribe()
        self._upgrader.close()
        self._keeper.close()
        for task in self._tasks:
            task.cancel()
        for timer in (self._renewal, self._writing):
            if timer is not None:
                timer.cancel()
        self._renewal = self._writing = None

    def _begin(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Do something that ends with this at the latest."""
        task = self._spawn(coroutine, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def hashes(self) -> tuple[str, ...]:
        """Return the hashes of further passwords that the station may use."""
        return self._keeper.kept.hashes

    @property
    def unpinned(self) -> int | None:
        """Return the profile that the station could be held to by now (SEC_04).

        Nothing below it was seen for a day. It is up to the user: only they know
        whether the station is going to be reset.
        """
        sight, settings = self._keeper.kept.sight, self._station.settings
        upgrade = self._keeper.kept.upgrade
        if sight is None or sight.left or sight.profile <= settings.security_profile:
            return None
        busy = upgrade is not None and upgrade.active
        long = self._clock() - sight.since >= SETTLED_AFTER
        return sight.profile if long and not busy else None

    async def leave_unpinned(self) -> None:
        """Propose no more to hold the station to its profile; raises JournalError."""
        await self._keeper.change(
            lambda kept: replace(
                kept, sight=kept.sight and replace(kept.sight, left=True)
            )
        )

    def attached(
        self,
        profile: int,
        proof: str | None,
        certificate: ClientCertificate | None = None,
    ) -> None:
        """Take note of the profile, password and certificate that the station showed."""
        self.profile.set(profile)
        name = f"{shortened(self._station.identity)} security"
        self._begin(self._settle(profile, proof, certificate), name)

    async def settings_changed(self, before: StationSettings) -> None:
        """Take note of new settings, which are the user's own.

        A password of the user's takes the place of all that the station was told.
        """
        settings = self._station.settings
        typed = settings.password_hash != before.password_hash

        def change(kept: Kept) -> Kept:
            kept = kept.standing(settings)
            return replace(kept, hashes=()) if typed else kept

        try:
            await self._keeper.change(change)
        except JournalError:
            name = shortened(self._station.identity)
            _LOGGER.exception("%s: not written down", name)

    async def rotate_password(self) -> Outcome:
        """Give the station a new password; raises as a link does, and JournalError."""
        return await self._passwords.rotate()

    async def raise_profile(self, target: int) -> None:
        """Lead the station to a profile; the one that it has ends what is under way."""
        present = self.profile.value or 0
        await self._upgrader.begin(begun(present, target) if target > present else None)

    async def move(self, url: str) -> None:
        """Lead the station to another address, from which it comes back if it fails.

        2.x B09, B10; `url` is without its identity.
        """
        await self._upgrader.begin(moved(self.profile.value or 0, url))

    async def renew_certificate(self) -> Outcome:
        """Have the station ask for a new certificate of its own (2.0.1 A02)."""
        return await self._certificates.request()

    async def accepts_request(self, csr: str) -> bool:
        """Return whether a certificate request of the station will be signed."""
        return await self._certificates.accepts(csr, self.profile.value or 0)

    async def certificate_status(self, certificate: CertificateHash) -> str | None:
        """Return the OCSP response for a certificate, None if it is none of ours."""
        return await self._certificates.status(certificate)

    def request_answered(self, request: SigningRequest) -> None:
        """Sign a request that was accepted, now that the station knows so."""
        name = f"{shortened(self._station.identity)} certificate"
        self._begin(self._deliver(request), name)

    async def _deliver(self, request: SigningRequest) -> None:
        try:
            await self._certificates.deliver(request)
        except Exception:  # the top of a task
            name = shortened(self._station.identity)
            _LOGGER.exception("%s: no certificate", name)

    def _delivered(self, outcome: Outcome) -> None:
        self._show()
        self._upgrader.certificate_delivered(outcome)

    async def _settle(
        self, profile: int, proof: str | None, shown: ClientCertificate | None
    ) -> None:
        """Make final what the station has shown to have taken over."""

        def change(kept: Kept) -> Kept:
            # What it uses counts, not what it was given.
            kept = replace(kept, certificate=shown or kept.certificate)
            return self._settled(kept, profile, proof)

        try:
            await self._keeper.change(change)
        except JournalError:
            # Everything that was valid still is.
            name = shortened(self._station.identity)
            _LOGGER.exception("%s: not written down", name)
            return
        settings = self._station.settings
        if changes := self._keeper.kept.amended(settings):
            self._station.settings = replace(settings, **changes)
            self._ports.amend(changes)
        self._forget_later()
        self._show()
        self._upgrader.go_on()
        await self._renew_if_due()

    def _settled(self, kept: Kept, profile: int, proof: str | None) -> Kept:
        settings = self._station.settings
        changes: dict[str, Any] = {}
        if (doubtful := proved(kept, proof)) is not None:
            kept = replace(kept, hashes=doubtful, basis=proof)
            changes["password_hash"] = proof
        upgrade = kept.upgrade
        if upgrade is not None and upgrade.awaits(profile):
            kept = replace(kept, upgrade=arrived(upgrade, profile))
            changes["security_profile"] = max(settings.security_profile, profile)
        now = self._clock()
        floor = changes.get("security_profile", settings.security_profile)
        kept = replace(kept, sight=_sight(kept.sight, profile, floor, now))
        return kept.amend(settings, now, **changes)

    def _look_later(self) -> None:
        self._renewal = self._call_later(LOOK_EVERY, self._look)

    def _look(self) -> None:
        self._look_later()
        # Nothing changed but the time that it has left.
        self.certificate.notify()
        name = f"{shortened(self._station.identity)} renewal"
        self._begin(self._renew_if_due(), name)

    async def _renew_if_due(self) -> None:
        """Renew the station's certificate in time; not in quiet mode."""
        upgrade = self._keeper.kept.upgrade
        busy = upgrade is not None and upgrade.active
        quiet = self._station.settings.quiet
        if self.profile.value != HIGHEST or busy or quiet or not self._certificates.due:
            return
        now, last = self._clock(), self._renewed_at
        if last is not None and timedelta() <= now - last < RENEW_EVERY:
            return
        self._renewed_at = now
        try:
            await self.renew_certificate()
        except NotConnected, NotSupported:
            self._renewed_at = None
            _LOGGER.debug("%s: not renewed yet", shortened(self._station.identity))

    def _show(self) -> None:
        self.upgrade.set(self._keeper.kept.upgrade)
        self.certificate.set(self._keeper.kept.certificate)


def _sight(
    known: Sight | None, profile: int, floor: int, now: datetime
) -> Sight | None:
    """Return since when a station was not seen below the profile that it has.

    A password is asked for by itself: only what is encrypted can be less than it was.
    """
    if profile <= max(floor, 1):
        return None
    if known is not None and known.profile == profile:
        return known
    return Sight(profile=profile, since=now)
