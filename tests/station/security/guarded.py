"""A station with a password, a certificate and a profile, and a hub that dies."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from math import ceil
from typing import Any, cast, override

from custom_components.ev_charger_hub.station.commands import (
    CertificateHash,
    CertificateUse,
    InstalledCertificate,
    SigningRequest,
)
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.events import Booted
from custom_components.ev_charger_hub.station.link import (
    Capability,
    ConfigurationKey,
    LinkKind,
)
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.networks import (
    NetworkProfile,
    NetworkSlots,
)
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.security.kept import ClientCertificate
from custom_components.ev_charger_hub.station.security.ports import (
    NewPassword,
    Ports,
    SignedChain,
)
from custom_components.ev_charger_hub.station.security.security import Security
from custom_components.ev_charger_hub.station.settings import StationSettings
from tests.memory_journal import MemoryJournal
from tests.virtual_time import VirtualTime, rest

STEP = 60.0
ROOT = "root of ours"
OTHER = CertificateHash(
    algorithm="SHA256", issuer_name_hash="AA", issuer_key_hash="BB", serial="07"
)
ACCEPTED = Outcome(status=OutcomeStatus.ACCEPTED, answer="Accepted")
REJECTED = Outcome(status=OutcomeStatus.REJECTED, answer="Rejected")
NOT_SUPPORTED = Outcome(status=OutcomeStatus.NOT_SUPPORTED, answer="NotSupported")
TIMED_OUT = Outcome(status=OutcomeStatus.TIMED_OUT, detail="no answer in 30 s")
NOT_YET = Outcome(status=OutcomeStatus.REJECTED, answer="SecurityError")
"""What a station answers between its restart and the answer to its boot (2.x B02)."""
NO_ANSWER = Outcome(status=OutcomeStatus.NO_ANSWER, detail="hung up")


class Killed(BaseException):
    """The hub's process ended here."""


@dataclass(kw_only=True)
class Wire:
    """What dies with the hub: it counts the moments, and ends at a chosen one."""

    end_at: int | None = None
    moments: int = 0
    dead: bool = False

    def moment(self) -> None:
        """Pass a moment, or die."""
        if not self.dead and self.moments == self.end_at:
            self.dead = True
        if self.dead:
            raise Killed
        self.moments += 1


class DyingJournal(MemoryJournal):
    """A journal whose hub may die before and after each write."""

    def __init__(self, wire: Wire) -> None:
        """Keep what was written over the deaths of the hub."""
        super().__init__()
        self.wire = wire

    @override
    async def store(self, identity: str, name: str, value: Any) -> None:
        self.wire.moment()
        await super().store(identity, name, value)
        self.wire.moment()


@dataclass
class Guarded:
    """The station: what it was told, and what it uses."""

    password: str | None = "h0"
    """The hash of the password that it uses."""
    profile: int = 1
    """The profile that it uses."""
    told_profile: int = 1
    """The profile that it uses after a restart."""
    roots: list[CertificateHash] = field(default_factory=lambda: [OTHER])
    certificate: str | None = None
    answers: dict[str, Outcome | list[Outcome]] = field(default_factory=dict)
    """What it says instead of doing what it is told; of a list the first."""
    silent: set[str] = field(default_factory=set)
    """What it does, but does not say."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    requests: int = 0
    """Certificate requests that were not sent yet."""
    rebooting: bool = False
    shy: bool = False
    """Whether it takes nothing between a restart and the answer to its boot."""
    registered: asyncio.Event = field(default_factory=asyncio.Event)
    slow: bool = False
    """Whether what it does not take is refused only after its boot was answered."""
    falls_back: int = 0
    """How many restarts do not bring the profile that it was told."""
    tells_profile: bool = True
    networks: Networks | None = None
    """The ways by which it dials, if it speaks a version that knows such (2.x)."""


@dataclass
class Networks:
    """The ways by which a station dials, in slots."""

    slots: dict[int, NetworkProfile]
    priority: list[int]
    active: int = 1
    allowed: tuple[int, ...] = (1, 2)
    tells_active: bool = True
    unreachable: set[str] = field(default_factory=set)
    """URLs where nobody answers."""

    @classmethod
    def at(cls, profile: int, **more: Any) -> Networks:
        """Return one way, with a profile."""
        url = "wss://hub" if profile >= 2 else "ws://hub"
        way = NetworkProfile(url=url, security_profile=profile)
        return cls(slots={1: way}, priority=[1], **more)

    @property
    def way(self) -> NetworkProfile:
        """Return the way in use."""
        return self.slots[self.active]

    def restart(self) -> int:
        """Dial by the first way that works, and return its profile."""
        for slot in self.priority:
            if (way := self.slots.get(slot)) and way.url not in self.unreachable:
                self.active = slot
                lower = [
                    one
                    for one, other in self.slots.items()
                    if other.security_profile < way.security_profile
                ]
                # A05: it never goes back.
                for one in lower:
                    del self.slots[one]
                return way.security_profile
        raise AssertionError("locked out: no way is left")


class GuardedLink:
    """The commands that a guarded station takes from one hub."""

    kind = LinkKind.OCPP

    def __init__(self, station: Guarded, wire: Wire) -> None:
        """Reach `station` as long as the hub lives."""
        self.station = station
        self.wire = wire
        self.connected = False
        self.capabilities = frozenset(Capability)
        ways = station.networks
        self.networks = None if ways is None else GuardedNetworks(self, ways)

    async def do(self, name: str, value: str = "") -> Outcome | None:
        """Bring a command; return what is said instead of doing it."""
        if not self.connected:
            raise NotConnected
        self.wire.moment()
        await asyncio.sleep(0)
        self.station.calls.append((name, value))
        if self.station.shy and not self.station.registered.is_set():
            if self.station.slow:
                await self.station.registered.wait()
            return NOT_YET
        answer = self.station.answers.get(name)
        if isinstance(answer, list):
            return answer.pop(0) if answer else None
        return answer

    async def said(self, name: str) -> Outcome:
        """Bring the answer back."""
        self.wire.moment()
        await asyncio.sleep(0)
        return TIMED_OUT if name in self.station.silent else ACCEPTED

    async def set_configuration(self, key: str, value: str) -> Outcome:
        """Take a profile."""
        if (answer := await self.do(key, value)) is not None:
            return answer
        self.station.told_profile = int(value)
        return await self.said(key)

    async def set_password(self, password: str) -> Outcome:
        """Take a password."""
        if (answer := await self.do("password", password)) is not None:
            return answer
        self.station.password = password.replace("key", "h")
        return await self.said("password")

    async def get_configuration(
        self, keys: list[str]
    ) -> tuple[Outcome, list[ConfigurationKey], list[str]]:
        """Tell the profile, if it does."""
        if (answer := await self.do("get", keys[0])) is not None:
            return answer, [], []
        told = str(self.station.told_profile)
        key = ConfigurationKey(key=keys[0], value=told, readonly=False)
        return ACCEPTED, [key] if self.station.tells_profile else [], []

    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Take a root."""
        if (answer := await self.do("install", pem)) is not None:
            return answer
        self.station.roots.append(named(pem, "SHA256"))
        return await self.said("install")

    async def installed_certificates(
        self, uses: Collection[CertificateUse] = ()
    ) -> tuple[Outcome, list[InstalledCertificate]]:
        """List the roots."""
        (use,) = uses
        if (answer := await self.do("installed", use)) is not None:
            return answer, []
        return await self.said("installed"), [
            InstalledCertificate(use=use, certificate=one) for one in self.station.roots
        ]

    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Make a key and ask for a certificate."""
        if (answer := await self.do("trigger", message)) is not None:
            return answer
        self.station.requests += 1
        return await self.said("trigger")

    async def certificate_signed(self, chain: str, request: SigningRequest) -> Outcome:
        """Take a certificate."""
        if (answer := await self.do("signed", chain)) is not None:
            return answer
        self.station.certificate = chain
        return await self.said("signed")

    async def reset(self, *, hard: bool) -> Outcome:
        """Restart soon."""
        if (answer := await self.do("reset", "hard" if hard else "soft")) is not None:
            return answer
        self.station.rebooting = True
        return await self.said("reset")


class GuardedNetworks:
    """What a link of 2.x can tell a guarded station of networks."""

    def __init__(self, link: GuardedLink, ways: Networks) -> None:
        """Reach the station by its link."""
        self._link = link
        self._ways = ways

    async def slots(self) -> tuple[Outcome, NetworkSlots]:
        """Tell the ways."""
        if (answer := await self._link.do("slots")) is not None:
            return answer, NetworkSlots()
        ways = self._ways
        return await self._link.said("slots"), NetworkSlots(
            priority=tuple(ways.priority),
            active=ways.active if ways.tells_active else None,
            allowed=ways.allowed,
        )

    async def set_network(self, slot: int, profile: NetworkProfile) -> Outcome:
        """Take a way; neither the one in use nor one that is listed."""
        told = f"{slot} {profile.url} {profile.security_profile}"
        if (answer := await self._link.do("network", told)) is not None:
            return answer
        ways = self._ways
        if slot in ways.priority or slot == ways.active:
            return REJECTED
        if ways.allowed and slot not in ways.allowed:
            return REJECTED
        ways.slots[slot] = profile
        return await self._link.said("network")

    async def set_priority(self, slots: Sequence[int]) -> Outcome:
        """Take an order; of ways that there are."""
        told = ",".join(map(str, slots))
        if (answer := await self._link.do("priority", told)) is not None:
            return answer
        if not slots or not {*slots} <= {*self._ways.slots, self._ways.active}:
            return REJECTED
        self._ways.priority = list(slots)
        return await self._link.said("priority")


def named(pem: str, algorithm: str) -> CertificateHash:
    """Return how a station calls a root, in its own spelling."""
    name, key, serial = NotarySigner.names_of(pem, algorithm)
    return CertificateHash(
        algorithm=algorithm,
        issuer_name_hash=name.upper(),
        issuer_key_hash=key.upper(),
        serial=f"00{serial.upper()}",
    )


class NotarySigner:
    """Signs whatever is asked for, for two years."""

    def __init__(self, time: VirtualTime) -> None:
        """Date certificates by `time`."""
        self.time = time
        self.problem: str | None = None
        self.lifetime = timedelta(days=730)
        self._serials = count(1)

    async def root(self) -> str | None:
        """Return the root of the authority."""
        return ROOT

    async def check(self, csr: str) -> str | None:
        """Return what is wrong with every request."""
        return self.problem

    async def status(self, certificate: CertificateHash) -> str | None:
        """Return that a certificate is good."""
        return f"good {certificate.serial}"

    async def sign(self, csr: str) -> SignedChain:
        """Sign a request with the next number."""
        serial = f"{next(self._serials):x}"
        now = self.time()
        return SignedChain(
            pem=f"{csr} {serial}",
            serial=serial,
            issued=now,
            expires=now + self.lifetime,
        )

    def names(self, pem: str, algorithm: str) -> tuple[str, str, str]:
        """Return how stations name a root."""
        return self.names_of(pem, algorithm)

    @staticmethod
    def names_of(pem: str, algorithm: str) -> tuple[str, str, str]:
        """Return the same names for every root."""
        if algorithm != "SHA256":
            raise ValueError(algorithm)
        return "cd" * 32, "ef" * 32, "1f"


class House:
    """One station and the hubs that it has had."""

    def __init__(
        self, guarded: Guarded | None = None, *, ours: bool = True, **settings: Any
    ) -> None:
        """Start with a station that is connected; `ours` is whether we can sign."""
        self.guarded = guarded or Guarded()
        self.time = VirtualTime()
        self.notary: NotarySigner | None = NotarySigner(self.time) if ours else None
        self.disk = StationSettings(
            name="Wall",
            password_hash=self.guarded.password,
            **{"security_profile": self.guarded.profile, **settings},
        )
        """What Home Assistant has on disk of the user's settings."""
        self.written: Mapping[str, Any] = {}
        """What it has yet to write."""
        self.offered = 3
        """The highest profile that the server can be reached with."""
        self.shown: ClientCertificate | None = None
        """The certificate that it shows when it dials in."""
        self.wire = Wire()
        self.journal = DyingJournal(self.wire)
        self.passwords = count(1)
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, end_at: int | None = None) -> None:
        """Start a hub that knows what is on disk."""
        self.wire = self.journal.wire = Wire(end_at=end_at)
        self.station = ChargingStation("CP1", self.disk)
        self.link = GuardedLink(self.guarded, self.wire)
        self.station.links = [cast(Any, self.link)]
        self.security = Security(
            self.station,
            cast(Any, self.journal),
            self.time,
            ports=Ports(
                new_password=self._new_password,
                signer=lambda: cast(Any, self.notary),
                amend=self._amend,
                offers=lambda profile: profile <= self.offered,
                address=lambda profile: "wss://hub" if profile >= 2 else "ws://hub",
            ),
            spawn=self._spawn,
            call_later=self.time.call_later,
        )
        await self.security.load()

    async def restart(self, *, wrote: bool, end_at: int | None = None) -> None:
        """Start another hub; `wrote` is whether the settings reached the disk."""
        self.security.close()
        await rest()
        if wrote:
            self.write()
        self.written = {}
        self.tasks.clear()
        await self.start(end_at)

    def write(self) -> None:
        """Bring settings to disk, as Home Assistant does within seconds."""
        self.disk = replace(self.disk, **self.written)
        self.written = {}

    async def overrule(self, settings: StationSettings) -> None:
        """Let the user change settings, which reach the disk."""
        before, self.station.settings = self.station.settings, settings
        self.disk = settings
        self.written = {}
        await self.security.settings_changed(before)

    def lets_in(self) -> bool:
        """Return whether the hub lets the station in as it is now."""
        settings, guarded = self.station.settings, self.guarded
        if guarded.profile < settings.security_profile:
            return False
        if guarded.profile == 3:
            return guarded.certificate is not None
        hashes = settings.password_hash, *self.security.hashes
        return settings.password_hash is None or guarded.password in hashes

    async def connect(self, *, boots: bool = False) -> None:
        """Let the station dial in with what it uses."""
        assert self.lets_in(), "locked out"
        guarded = self.guarded
        if boots:
            guarded.registered.clear()
        else:
            guarded.registered.set()
        self.link.connected = True
        self.station.reconnects.set(self.station.reconnects.value + 1)
        proof = guarded.password if 0 < guarded.profile < 3 else None
        known = {self.station.settings.password_hash, *self.security.hashes} - {None}
        proved = proof in known or guarded.profile == 3
        self.security.attached(
            guarded.profile if proved else 0, proof if proved else None, self.shown
        )
        self.station.local.set(True)
        await rest()
        if boots:
            guarded.registered.set()
            self.station.emit(Booted())
            await rest()

    async def disconnect(self) -> None:
        """Let the station go away."""
        self.link.connected = False
        self.station.local.set(False)
        await rest()

    async def reboot(self) -> None:
        """Let the station restart, with whatever it was told."""
        guarded = self.guarded
        guarded.rebooting = False
        await self.disconnect()
        if guarded.falls_back:
            guarded.falls_back -= 1
            guarded.told_profile = guarded.profile
        if guarded.networks is not None:
            guarded.told_profile = guarded.networks.restart()
        guarded.profile = guarded.told_profile
        await self.connect(boots=True)

    async def live(self, seconds: float = 0) -> None:
        """Let time pass, and everything happen that is to happen meanwhile."""
        await self._settle()
        for _ in range(ceil(seconds / STEP)):
            self.write()
            await self.time.advance(STEP)
            await self._settle()

    async def _settle(self) -> None:
        """Let the station do what it has to do."""
        for _ in range(50):
            await rest()
            if self.wire.dead:
                return
            if self.guarded.requests:
                self.guarded.requests -= 1
                await self._request()
            elif self.guarded.rebooting:
                await self.reboot()
            else:
                return
        raise AssertionError("it never rests")

    async def _request(self) -> None:
        try:
            if await self.security.accepts_request("csr"):
                self.security.request_answered(SigningRequest(csr="csr"))
        except Killed:
            return

    def _amend(self, changes: Mapping[str, Any]) -> None:
        self.written = {**self.written, **changes}

    async def _new_password(self) -> NewPassword:
        number = next(self.passwords)
        await asyncio.sleep(0)
        return NewPassword(plain=f"key{number}", hashed=f"h{number}")

    def _spawn(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        task.add_done_callback(_killed)
        self.tasks.append(task)
        return task

    def said(self, name: str) -> list[str]:
        """Return what the station was told by a name."""
        return [value for one, value in self.guarded.calls if one == name]


def _killed(task: asyncio.Task[None]) -> None:
    """Let a task end with its hub; any other error is one."""
    if not task.cancelled() and (error := task.exception()) is not None:
        assert isinstance(error, Killed), error
